# SPDX-License-Identifier: MIT
"""Following logs that grow, with real files and a real shell in the place of the login node."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import Wanted, follow
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs.follow import Follower
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from hypothesis import given
from hypothesis import strategies as st

from ..test_remote import ShellConnection

BEGIN = 1_790_000_000.0
NOW = BEGIN + 50


class Shell(ShellConnection):
    """The shell that a cluster may have."""

    def __init__(self, shell):
        self.shell = shell

    def exec_command(self, command, in_data=None, sudoable=True):
        command = command.replace("/bin/sh -c", f"{self.shell} -c", 1)
        done = subprocess.run([self.shell, "-c", command], input=in_data, capture_output=True, check=False)
        assert done.stderr == b"", done.stderr
        return done.returncode, done.stdout, done.stderr


class Cluster:
    """A run's directory there, and who follows it."""

    def __init__(self, folder, shell):
        self.folder = folder
        for name in ("logs", "events"):
            (folder / name).mkdir(parents=True)
        self.remote = Remote(Shell(shell), "site")

    def log(self, name, text):
        with (self.folder / "logs" / name).open("ab") as stream:
            stream.write(text.encode())

    def event(self, source, event):
        with (self.folder / "events" / f"{source}.jsonl").open("a") as stream:
            stream.write(json.dumps({"t": 1.0, "source": source, "event": event}, separators=(",", ":")) + "\n")

    def poll(self, follower, wait_s=0.0):
        return [(line["file"].removeprefix("logs/"), line["text"]) for line in self.records(follower, wait_s)]

    def records(self, follower, wait_s=0.0):
        return follower.poll(self.remote, str(self.folder), wait_s, NOW)


@pytest.fixture(params=["dash", "bash"])
def cluster(tmp_path, request):
    return Cluster(tmp_path / "a run", request.param)


def follower(tail=10, **wanted):
    return Follower(Wanted(**wanted), BEGIN, tail)


def test_every_line_comes_once_and_whole(cluster):
    following = follower(tail=2)
    cluster.log("service.log", "1\n2\n3\nhal")
    assert cluster.poll(following) == [("service.log", "2"), ("service.log", "3")]
    assert cluster.poll(following) == []
    cluster.log("service.log", "f\n")
    cluster.log("client-000.log", "a new log\nhas all its lines\nfrom the first\n")
    assert sorted(cluster.poll(following)) == [
        ("client-000.log", "a new log"), ("client-000.log", "from the first"), ("client-000.log", "has all its lines"),
        ("service.log", "half"),
    ]  # fmt: skip
    assert cluster.poll(following) == [] and not following.over
    assert cluster.remote.calls["ssh"] == 4, "one call for all logs"


def test_lines_are_in_the_order_of_time(cluster):
    following = follower()
    cluster.poll(following)
    cluster.log("service.log", f"{BEGIN + 3} c\n{BEGIN + 1} never before its predecessor\n{BEGIN + 9} e\nx\n")
    cluster.log("client-000.log", f"{BEGIN + 2} b\n{BEGIN + 4} d\nno time of its own\n")
    cluster.log("setup.log", "now\n")
    records = cluster.records(following)
    assert [(line["t"] - BEGIN, line["file"]) for line in records] == [
        (2, "logs/client-000.log"), (3, "logs/service.log"), (3, "logs/service.log"), (4, "logs/client-000.log"),
        (4, "logs/client-000.log"), (9, "logs/service.log"), (9, "logs/service.log"), (50, "logs/setup.log"),
    ]  # fmt: skip


def test_only_what_is_wanted(cluster):
    for name in ("service.log", "service-db.log", "slurm-clients.out", "client-001.log"):
        cluster.log(name, f"{name}\nERROR: {name} password=hunter2\n")
    assert sorted(cluster.poll(follower(source="clients", level="error"))) == [
        ("client-001.log", "ERROR: client-001.log password=***"),
        ("slurm-clients.out", "ERROR: slurm-clients.out password=***"),
    ]
    assert cluster.poll(follower(client="1", search="^client")) == [("client-001.log", "client-001.log")]
    assert [name for name, _text in cluster.poll(follower(source="db"))] == ["service-db.log"] * 2


def test_what_grows_too_fast_is_skipped_and_said(cluster, monkeypatch):
    monkeypatch.setattr(follow, "MOST_BYTES", 100)
    following = follower(search="9$|more")
    cluster.log("service.log", "begin\n")
    cluster.poll(following)
    cluster.log("service.log", "".join(f"{n:09d}\n" for n in range(100)))
    (_name, said), *lines = cluster.poll(following)
    assert said == "… 910 bytes of this log were skipped: it grows faster than it is read"
    assert lines == [("service.log", "000000099")]
    cluster.log("service.log", "9 more\n")
    assert cluster.poll(following) == [("service.log", "9 more")]


def test_a_long_log_is_entered_at_its_end(cluster, monkeypatch):
    monkeypatch.setattr(follow, "FIRST_BYTES", 25)
    cluster.log("service.log", "".join(f"{n:09d}\n" for n in range(100)))
    assert cluster.poll(follower()) == [("service.log", "000000098"), ("service.log", "000000099")]


def test_a_line_without_an_end_is_not_waited_for_for_ever(cluster, monkeypatch):
    monkeypatch.setattr(follow, "MOST_BYTES", 50)
    following = follower()
    cluster.poll(following)
    for _number in range(2):
        cluster.log("service.log", "x" * 30)
        cluster.records(following)
    assert following.logs["service.log"].half == b""


def test_a_log_that_is_written_anew(cluster):
    following = follower()
    cluster.log("service.log", "old and long\n")
    cluster.poll(following)
    (cluster.folder / "logs/service.log").write_text("new\n")
    assert cluster.poll(following) == [("service.log", "new")]


def test_names_and_contents_may_be_anything(cluster):
    following = follower()
    cluster.poll(following)
    cluster.log("a b'$(id).log", "\n@service.log 0 99\n@over/yes\n\x1b[2Jx\0y\n")
    (cluster.folder / "logs" / "link.log").symlink_to("/etc/passwd")
    assert cluster.poll(following) == [
        ("a b'$(id).log", text) for text in ("", "@service.log 0 99", "@over/yes", "xy")
    ]  # fmt: skip
    assert not following.over


def test_it_ends_with_the_service_or_with_an_image_that_failed(cluster, tmp_path):
    following = follower()
    cluster.event("service", "healthy")
    cluster.poll(following)
    assert not following.over
    cluster.event("service", "stopped")
    cluster.log("service.log", "bye\n")
    assert cluster.poll(following, wait_s=60) == [("service.log", "bye")] and following.over
    other = Cluster(tmp_path / "other", "dash")
    other.event("image", "failed")
    following = follower()
    assert other.poll(following, wait_s=60) == [] and following.over


def test_a_run_that_is_torn_down(cluster):
    following = follower()
    cluster.log("service.log", "x\n")
    cluster.poll(following)
    subprocess.run(["rm", "-r", str(cluster.folder)], check=True)
    assert cluster.poll(following) == [] and following.over
    with pytest.raises(RunError, match="torn down"):
        cluster.poll(follower())


def test_an_answer_that_was_cut_short():
    with pytest.raises(RunError, match="cut short"):
        follower().take(b"\n@service.log 0 10\nabc", NOW)


@given(st.lists(st.tuples(st.sampled_from(["a.log", "b.log"]), st.binary(max_size=30)), max_size=8))
def test_no_line_is_lost_or_told_twice(pieces):
    following, sizes, whole = follower(), {}, {}
    following.take(b"\n@over/no\n", NOW)
    told = {"a.log": [], "b.log": []}
    for name, piece in pieces:
        begin = sizes.get(name, 0)
        answer = b"\n@%s %d %d\n%s\n@over/no\n" % (name.encode(), begin, len(piece), piece)
        for line in following.take(answer, NOW):
            told[name].append(line["line"])
        sizes[name] = begin + len(piece)
        whole[name] = whole.get(name, b"") + piece
    for name, numbers in told.items():
        assert numbers == list(range(1, whole.get(name, b"").count(b"\n") + 1))
