# SPDX-License-Identifier: MIT
"""The workload s3 against a real server, and against stand-ins that answer wrongly on purpose."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3 import blocking, objects
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.bucket import Bucket
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.s3.sigv4 import Signer
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.url import Endpoint
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import LoadError

from .. import servers
from ..truth import Truth, plain

NAME = "aifactory-run"
MIB = 1 << 20


def client(server, name=NAME):
    """What the tests look with, outside of the workload."""
    signer = Signer(servers.ACCESS_KEY, servers.SECRET_KEY, "us-east-1")
    return blocking.S3(Bucket(Endpoint.of_service(server.service), name, signer))


@contextmanager
def set_up(made):
    """As the conductor does it, around a load."""
    workload = registry.load("s3").Workload()
    try:
        workload.setup(made.context)
        yield
    finally:
        workload.cleanup(made.context)


def bucket_is_gone(server):
    with client(server) as s3:
        return s3.request("HEAD", wanted=(200, 404)).status == 404


def stored(server):
    """Key → content of all objects of the run."""
    with client(server) as s3:
        return {key: s3.request("GET", key).body for key in s3.keys("aifactory-run/")}


# -- a real server -----------------------------------------------------------------------------------


def test_a_mix_leaves_exactly_the_objects_that_were_put_and_not_deleted(s3, seaweedfs):
    settings = {
        "operations": {"put": 3, "get": 3, "head": 2, "list": 1, "delete": 2},
        "object_size": {"mean": 20000, "stddev": 5000},
        "objects": 40,
        "list_keys": 15,
    }
    made = s3(seaweedfs, settings=settings, requests=600, concurrency=6)
    with set_up(made):
        prepared = objects.Prepared("run", made.context.settings)
        content = objects.contents("run")
        before = stored(seaweedfs)
        things = [prepared.thing(number) for number in range(40)]
        assert before == {t.key: content.piece(t.place, 0, t.size) for t in things}

        result = made.run()
        assert result["operations"] == 600 and result["errors"] == {}
        counts = {kind: result["histograms"][f"response_time_{kind}"]["count"] for kind in settings["operations"]}
        assert sum(counts.values()) == 600 and min(counts.values()) > 20
        assert result["histograms"]["time_to_first_byte"]["count"] == counts["get"]
        after = stored(seaweedfs)
        assert {key: body for key, body in after.items() if key in before} == before
        mine = {key: body for key, body in after.items() if key not in before}
        assert len(mine) == counts["put"] - counts["delete"]
        assert all(key.startswith("aifactory-run/client-000/case-1/") for key in mine)
        for key, body in mine.items():
            assert content.holds(objects.Thing(key, 0).place, 0, body) and 1 <= len(body) <= 40000
    assert bucket_is_gone(seaweedfs)


@pytest.mark.parametrize("payload", ["unsigned", "sha256"])
def test_large_objects_go_and_come_in_parts(s3, seaweedfs, payload):
    settings = {
        "operations": {"put": 1, "get": 1}, "object_size": [{"size": "11MiB"}, {"size": 1000}], "objects": 3,
        "multipart_size": "8MiB", "part_size": "5MiB", "payload": payload, "put_objects": 2,
    }  # fmt: skip
    made = s3(seaweedfs, settings=settings, requests=12, concurrency=2)
    with set_up(made):
        result = made.run()
        assert result["operations"] == 12 and result["errors"] == {}
        sizes = Counter(len(body) for body in stored(seaweedfs).values())
        assert set(sizes) == {11 * MIB, 1000}
        with client(seaweedfs) as other:  # a client that was killed leaves an upload that was not completed
            other.request("POST", "aifactory-run/left", [("uploads", "")])
    assert bucket_is_gone(seaweedfs)


def test_a_bucket_that_is_there_keeps_what_is_not_the_runs(s3, seaweedfs):
    with client(seaweedfs, "somebodys") as other:
        other.make_bucket()
        other.request("PUT", "thesis.tex", body=b"years of work")
        settings = {"bucket": "somebodys", "operations": {"put": 1}, "object_size": 10}
        made = s3(seaweedfs, settings=settings, requests=20, concurrency=3)
        with set_up(made):
            assert made.run()["operations"] == 20
            assert len(other.keys("")) == 21
        assert other.keys("") == ["thesis.tex"]
        other.clear("")
        other.remove_bucket()


def test_the_clean_up_deletes_more_than_a_listing_shows(s3, seaweedfs):
    made = s3(seaweedfs, settings={"objects": 1100, "object_size": 1})
    with set_up(made), client(seaweedfs) as other:
        assert len(other.keys("")) == 1000
    assert bucket_is_gone(seaweedfs)
    registry.load("s3").Workload().cleanup(made.context)  # once more is no error


def test_a_sweep_has_the_objects_of_all_its_cases(s3, seaweedfs):
    made = s3(seaweedfs, settings={"operations": {"get": 1}, "objects": 5, "object_size": 1}, requests=30)
    made.context.overrides = [{"object_size": 1000}, {"object_size": "64KiB"}]
    base = made.context.settings
    with set_up(made):
        for override, size in zip(made.context.overrides, (1000, 65536), strict=True):
            made.context.settings = {**base, **override}
            result = made.run()
            assert result["operations"] == 30 and result["errors"] == {}
            assert 30 * size < result["counters"]["bytes_received"]["total"] < 30 * (size + 2000)
        made.context.settings = base


def test_what_is_not_right_is_no_operation(s3, seaweedfs):
    settings = {"operations": {"get": 1, "head": 1, "list": 1}, "objects": 3, "object_size": 2000, "list_keys": 1000}
    made = s3(seaweedfs, settings=settings, requests=200, concurrency=2)
    with set_up(made), client(seaweedfs) as other:
        things = [objects.Prepared("run", made.context.settings).thing(number) for number in range(3)]
        body = bytearray(other.request("GET", things[0].key).body)
        body[1999] ^= 1
        other.request("PUT", things[0].key, body=bytes(body))
        other.request("PUT", things[1].key, body=bytes(body[:1999]))
        other.delete([things[2].key])
        result = made.run()
    assert set(result["errors"]) == {"wrong content", "status 404 NoSuchKey", "status 404", "wrong answer"}
    assert result["operations"] == result["histograms"]["response_time_head"]["count"] > 0, "of the first object"
    assert result["operations"] + sum(error["count"] for error in result["errors"].values()) == 200
    assert "2 keys instead of 3" in result["errors"]["wrong answer"]["example"]


def test_wrong_credentials_are_said(s3, load, seaweedfs, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(LoadError, match="there are no credentials: the service has no secrets 'access_key' and"):
        registry.load("s3").Workload().setup(load("s3", seaweedfs).context)
    wrong = load("s3", seaweedfs)
    wrong.context.env = {"AWS_ACCESS_KEY_ID": servers.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": "wrong"}
    with pytest.raises(LoadError, match=r"PUT /aifactory-run of 127.0.0.1:[0-9]+: status 403 SignatureDoesNotMatch: "):
        registry.load("s3").Workload().setup(wrong.context)
    made = s3(seaweedfs, settings={"anonymous": True, "operations": {"put": 1}}, requests=5)
    assert made.run()["errors"]["status 403 AccessDenied"]["count"] == 5


def test_credentials_of_the_environment(load, seaweedfs):
    made = load("s3", seaweedfs, settings={"operations": {"put": 1}, "object_size": 0}, requests=5)
    made.context.env = {"AWS_ACCESS_KEY_ID": servers.ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": servers.SECRET_KEY}
    with set_up(made):
        assert made.run()["operations"] == 5


@pytest.mark.parametrize(
    ("connection", "settings", "files"),
    [
        ({"user": servers.ACCESS_KEY, "secret": "password"}, {}, {"password": servers.SECRET_KEY}),
        (
            {"user": "somebody", "secret": "password"},
            {"access_key_secret": "mine", "secret_key_secret": "also_mine"},
            {"password": "wrong", "mine": servers.ACCESS_KEY, "also_mine": servers.SECRET_KEY},
        ),
        (
            {"user": servers.ACCESS_KEY, "secret": "password"},
            {"secret_key_secret": "also_mine"},
            {"password": "wrong", "also_mine": servers.SECRET_KEY},
        ),
    ],
    ids=["the service's own", "the recipe's", "the recipe's for the service's user"],
)
def test_credentials_that_the_service_was_made_with(load, seaweedfs, connection, settings, files):
    made = load("s3", seaweedfs, settings={"operations": {"put": 1}, "object_size": 0, **settings}, requests=5)
    made.context.services = [{**seaweedfs.service, "connection": connection}]
    folder = Path(made.context.run_dir) / "secrets"
    folder.mkdir()
    for name, value in files.items():
        (folder / name).write_text(value + "\n")
    with set_up(made):
        assert made.run()["operations"] == 5


def test_a_server_that_dies_in_mid_run(s3, tmp_path):
    with servers.seaweedfs(tmp_path) as server:
        settings = {"operations": {"put": 1, "get": 1}, "object_size": 5000, "objects": 10}
        made = s3(server, settings=settings, duration_s=2.0, concurrency=4, timeout_s=1.0)
        registry.load("s3").Workload().setup(made.context)
        threading.Timer(1.0, server.end).start()
        result = made.run()
    assert result["operations"] > 0
    assert "connect" in result["errors"] and set(result["errors"]) <= {"connect", "connection closed", "timeout"}


# -- stand-ins ---------------------------------------------------------------------------------------


def parts(fail_at=None, completed=b"<CompleteMultipartUploadResult/>"):
    """A server of uploads in parts; `fail_at`: the part number that gets a 503 the first time."""
    state = {"uploads": 0, "failed": False}

    async def answer(request, writer):
        if "uploads=" in request.path:
            state["uploads"] += 1
            writer.write(plain(b"<UploadId>u%d</UploadId>" % state["uploads"]))
        elif request.method == "PUT" and f"partNumber={fail_at}&" in request.path and not state["failed"]:
            state["failed"] = True
            writer.write(plain(b"<Error><Code>SlowDown</Code></Error>", "503 Slow Down"))
        elif request.method == "PUT":
            writer.write(plain(b"", more='ETag: "e"\r\n'))
        else:
            writer.write(plain(completed))

    return answer


MULTIPART = {
    "operations": {"put": 1}, "anonymous": True, "object_size": 25, "multipart_size": 20, "part_size": 10,
}  # fmt: skip


def test_the_requests_of_one_operation(load):
    with Truth(parts()) as truth:
        result = load("s3", truth, settings=MULTIPART, requests=1).run()
    key = "/aifactory-run/aifactory-run/client-000/case-1/000000001"
    assert [(seen.method, seen.path) for seen in truth.seen] == [
        ("POST", f"{key}?uploads="),
        *[("PUT", f"{key}?partNumber={n}&uploadId=u1") for n in (1, 2, 3)],
        ("POST", f"{key}?uploadId=u1"),
    ]
    body = b"".join(seen.body for seen in truth.seen[1:4])
    assert body == objects.contents("run").piece(objects.Thing(key.removeprefix("/aifactory-run/"), 0).place, 0, 25)
    assert truth.seen[4].body.count(b'<ETag>"e"</ETag>') == 3
    assert result["operations"] == 1 and truth.connections == 1


def test_an_attempt_that_failed_is_a_new_upload(load):
    with Truth(parts(fail_at=2)) as truth:
        result = load("s3", truth, settings=MULTIPART, requests=1, retries=1).run()
    assert result["operations"] == 1 and result["retries"] == 1
    assert [seen.path.rpartition("uploadId=")[2] for seen in truth.seen[1:3]] == ["u1", "u1"]
    assert [seen.path.rpartition("uploadId=")[2] for seen in truth.seen[4:]] == ["u2"] * 4


def test_errors_of_an_upload_in_parts(load):
    with Truth(parts(fail_at=2)) as truth:
        assert load("s3", truth, settings=MULTIPART, requests=1).run()["errors"].keys() == {"status 503 SlowDown"}
    with Truth(parts(completed=b"<Error><Code>InternalError</Code></Error>")) as truth:
        found = load("s3", truth, settings=MULTIPART, requests=1).run()["errors"]
        assert found.keys() == {"not completed InternalError"}

    async def empty(_request, writer):
        writer.write(plain(b""))

    with Truth(empty) as truth:
        assert (
            "no UploadId"
            in load("s3", truth, settings=MULTIPART, requests=1).run()["errors"]["wrong answer"]["example"]
        )


def test_a_body_cut_short_and_a_second_attempt(load):
    """The first answer lacks its end: what was read of it does not count for the next attempt."""
    settings = {"operations": {"get": 1}, "anonymous": True, "object_size": 3000, "objects": 1}
    thing = objects.Prepared("run", settings).thing(0)
    body, asked = objects.contents("run").piece(thing.place, 0, 3000), []

    async def answer(request, writer):
        asked.append(request.path)
        if len(asked) == 1:
            writer.write(plain(body)[:-1000])
            writer.close()
            return
        writer.write(plain(body))

    with Truth(answer) as truth:
        result = load("s3", truth, settings=settings, requests=1, retries=1).run()
    assert result["operations"] == 1 and result["retries"] == 1 and len(asked) == 2


def test_a_set_up_waits_for_a_server_that_is_not_yet_whole(load, monkeypatch):
    monkeypatch.setattr(blocking, "_WAIT_S", 0.01)
    seen = Counter()

    async def answer(request, writer):
        seen[request.method, request.path] += 1
        first = seen[request.method, request.path] <= 3
        writer.write(plain(b"not yet", "503 Service Unavailable") if first else plain(b""))

    with Truth(answer) as truth:
        settings = {"anonymous": True, "objects": 2, "object_size": 5}
        registry.load("s3").Workload().setup(load("s3", truth, settings=settings).context)
    assert len(seen) == 3 and set(seen.values()) == {4}


def test_objects_that_cannot_be_deleted_are_named(load, monkeypatch):
    monkeypatch.setattr(blocking, "_WAIT_S", 0.001)

    async def answer(request, writer):
        listing = request.method == "GET" and "list-type" in request.path
        writer.write(plain(b"<Key>aifactory-run/stays</Key>" if listing else b""))

    with Truth(answer) as truth, pytest.raises(LoadError, match=r"objects are left .*: aifactory-run/stays"):
        registry.load("s3").Workload().cleanup(load("s3", truth, settings={"anonymous": True}).context)


def test_a_clean_up_in_a_hurry_does_not_wait_for_a_server_that_hangs(load, monkeypatch):
    monkeypatch.setattr(blocking, "_HURRY_S", 0.2)
    seen = []

    async def silent(request, _writer):
        seen.append(request.path)

    with Truth(silent) as truth:
        made = load("s3", truth, settings={"anonymous": True})
        made.context.stop.set()
        with pytest.raises(LoadError, match=r"no answer within 0\.2 s"):
            registry.load("s3").Workload().cleanup(made.context)
    assert len(seen) == 1


# -- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, []),
        ({"operations": {"put": 0}}, ["operations"]),
        ({"operations": {"put": 1, "delete": 2}}, ["operations.delete"]),
        ({"operations": {"put": 1}, "objects": 0}, []),
        ({"operations": {"list": 1}, "objects": 0}, ["objects"]),
        ({"object_size": "one", "part_size": "two"}, ["object_size", "part_size"]),
        ({"list_keys": 1001}, ["list_keys"]),
        ({"object_size": "100MiB", "part_size": "1MiB"}, ["part_size"]),
        ({"object_size": "1TiB", "part_size": "10MiB"}, ["part_size"]),
        ({"object_size": "6G", "multipart_size": 0}, ["multipart_size"]),
        ({"object_size": "6G", "multipart_size": 0, "part_size": 1}, ["multipart_size"]),
    ],
)
def test_settings_that_make_no_sense(settings, wrong):
    check = registry.load("s3").check
    assert [name for name, _message, _remedy in check(registry.with_defaults("s3", settings))] == wrong
