# SPDX-License-Identifier: MIT
"""What of a cluster can be tried without being root: its files' text, its pid files, its control groups."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import cgroups, daemons, files, programs
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm.cluster import Cluster

PARAMS = {
    "name": "small",
    "nodes": ["n1", "n2"],
    "ports": {"slurmctld": 1, "slurmdbd": 2, "database": 3, "sshd": 4},
    "files": {"slurm.conf": "ClusterName=small\n", "slurmdbd.conf": "StoragePass=@DATABASE_PASSWORD@\n"},
    "users": [],
    "public_keys": [],
    "gpus_per_node": 0,
}


@pytest.fixture
def cluster(tmp_path):
    small = Cluster(dict(PARAMS, directory=str(tmp_path), root=None))
    for name in ("conf", "run", "log"):
        (tmp_path / "small" / name).mkdir(parents=True)
    return small


def test_every_daemon_has_a_command_of_its_own(cluster):
    every = [programs.munged(cluster), programs.mariadbd(cluster), programs.sshd(cluster), programs.slurmdbd(cluster)]
    every += [programs.slurmctld(cluster), *programs.slurmds(cluster)]
    assert [daemon.name for daemon in every][-2:] == ["slurmd.n1", "slurmd.n2"]
    assert len({daemon.fingerprint() for daemon in every}) == len(every)
    assert all(daemon.environment["SLURM_CONF"] == cluster.path("conf", "slurm.conf") for daemon in every)


def test_a_changed_slurm_conf_concerns_slurm_only(cluster):
    before = programs.slurmctld(cluster).fingerprint(), programs.munged(cluster).fingerprint()
    Path(cluster.path("conf", "slurm.conf")).write_text("SlurmctldDebug=debug\n")
    assert programs.slurmctld(cluster).fingerprint() != before[0]
    assert programs.munged(cluster).fingerprint() == before[1]


def test_the_password_goes_only_where_its_owner_reads_it(cluster):
    Path(cluster.path("conf", "database.password")).write_text("s3cret\n")
    items = {os.path.basename(item.path): item for item in files.configuration(cluster)}
    assert items["slurmdbd.conf"].text == "StoragePass=s3cret\n"
    assert (items["slurmdbd.conf"].mode, items["slurmdbd.conf"].owner) == (0o600, "slurm")
    assert items["slurm.conf"].mode == 0o644


def test_a_folder_that_is_not_there_is_all_there_is_to_do(tmp_path):
    absent = Cluster(dict(PARAMS, directory=str(tmp_path / "none"), root=None))
    assert absent.pending()[0] == "create " + absent.dir
    assert absent.stop() == []


def test_only_own_pid_files_count(cluster):
    Path(cluster.path("run", "slurmctld.pid")).write_text("1 1 somewhere -\n")
    Path(cluster.path("run", "slurmdbd.pid")).write_text("")
    assert cluster.records() == {}
    assert cluster.running() == []


def test_a_namespace_is_ready_only_when_it_says_so_itself(cluster, monkeypatch):
    """A holder that was killed leaves its sign of being ready behind; the next one must not inherit it."""
    cluster.root = "/"
    ready = Path(cluster.path("run", "namespace.ready"))
    ready.write_text("of the last one")
    script = f"sleep 0.3; echo mine >{ready}; exec sleep 60"
    holder = daemons.Daemon(
        name="namespace",
        command=["sh", "-c", script],
        pid_file=cluster.path("run", "namespace.pid"),
        log=cluster.path("log", "namespace.log"),
        environment={"PATH": os.environ["PATH"]},
        inputs="",
    )
    monkeypatch.setattr(programs, "namespace", lambda layout: holder)
    try:
        assert cluster._start_namespace() == ["start namespace"]
        assert ready.read_text() == "mine\n"
        assert cluster._start_namespace() == []
    finally:
        daemons.stop([holder])


def test_a_port_of_somebody_else_is_refused(cluster):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        cluster.ports = dict(cluster.ports, sshd=other.getsockname()[1])
        with pytest.raises(daemons.DaemonError, match=r"Port [0-9]+, which sshd of cluster small .* is in use"):
            cluster._bring_up([programs.sshd(cluster)])
    assert not Path(cluster.path("run", "sshd.pid")).exists()


def test_the_rest_server_is_wanted_only_with_a_port_and_has_no_rights(cluster):
    assert "start slurmrestd" not in cluster.pending()
    wanted = Cluster(dict(PARAMS, directory=cluster.base, root=None, ports=dict(PARAMS["ports"], slurmrestd=5)))
    server = programs.slurmrestd(wanted)
    assert server.command[:5] == ["setpriv", "--reuid", "nobody", "--regid", "nogroup"]
    assert "127.0.0.1:5" in server.command
    assert server.environment["SLURM_JWT"] == "daemon"
    assert "start slurmrestd" in wanted.pending()


def test_a_rest_server_that_is_not_wanted_any_more_is_ended(cluster):
    wanted = Cluster(dict(PARAMS, directory=cluster.base, root=None, ports=dict(PARAMS["ports"], slurmrestd=5)))
    server = programs.slurmrestd(wanted)
    server.command = ["sleep", "60"]
    server.start()
    assert cluster._start_rest() == ["stop slurmrestd"]
    assert server.record() is None
    assert cluster._start_rest() == []


def test_a_port_that_a_stopped_daemon_still_holds_is_waited_for(cluster):
    other = socket.create_server(("127.0.0.1", 0))
    cluster.ports = dict(cluster.ports, sshd=other.getsockname()[1])
    closing = threading.Timer(0.3, other.close)
    closing.start()
    cluster._claim_port("sshd", 30.0)
    closing.join()


def test_control_groups_of_the_nodes_only(tmp_path):
    scope = "system.slice/n2_slurmstepd.scope"
    for path in ("memory/slurm_n1/uid_1/job_2", "memory/slurm_n10", scope + "/job_1", scope + "/system"):
        (tmp_path / path).mkdir(parents=True)
    found = {os.path.relpath(path, str(tmp_path)) for path in cgroups.folders(["n1", "n2"], str(tmp_path))}
    assert found == {"memory/slurm_n1", "system.slice/n2_slurmstepd.scope"}
    (tmp_path / "memory/slurm_n1/uid_1/job_2/cgroup.procs").write_text(f"{os.getpid()}\n")
    assert [record.pid for record in cgroups.members(["n1", "n2"], str(tmp_path))] == [os.getpid()]
    (tmp_path / "memory/slurm_n1/uid_1/job_2/cgroup.procs").unlink()
    (tmp_path / scope / "system/cgroup.procs").write_text(f"{os.getppid()}\n")
    assert cgroups.members(["n1", "n2"], str(tmp_path)) == []
    assert [record.pid for record in cgroups.keepers(["n1", "n2"], str(tmp_path))] == [os.getppid()]
    (tmp_path / scope / "system/cgroup.procs").unlink()
    cgroups.remove(["n1", "n2"], str(tmp_path))
    assert not (tmp_path / "memory/slurm_n1").exists()
    assert (tmp_path / "memory/slurm_n10").exists()


def test_a_file_is_written_whole_and_private(tmp_path):
    path = tmp_path / "secret"
    owner = os.environ.get("USER", "root") if os.getuid() else "root"
    files.write(str(path), "text", 0o600, owner)
    assert path.read_text() == "text"
    assert path.stat().st_mode & 0o777 == 0o600
    assert files.differing([files.Item(str(path), "text", 0o600, owner)]) == []
    assert len(files.differing([files.Item(str(path), "other", 0o600, owner)])) == 1
    assert len(files.differing([files.Item(str(path), "text", 0o644, owner)])) == 1


def test_a_command_that_fails_says_what_it_said():
    with pytest.raises(files.FilesError, match=r"(?s)sh failed with status 3:.*no space"):
        files.checked(["sh", "-c", "echo no space left; exit 3"])


def test_a_command_that_hangs_is_given_up(cluster, monkeypatch):
    monkeypatch.setattr(
        "ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm.layout.COMMAND_LIMIT_S", 0.2
    )
    status, output = cluster.run(["sleep", "60"])
    assert (status, "no answer" in output) == (124, True)


def test_the_keys_of_others_stay():
    assert files.merged_keys("", ["ssh-ed25519 A me\n"]) == "ssh-ed25519 A me\n"
    both = files.merged_keys("ssh-ed25519 A me\n", ["ssh-ed25519 B you"])
    assert both == "ssh-ed25519 A me\nssh-ed25519 B you\n"
    assert files.merged_keys(both, ["ssh-ed25519 A me"]) == both


def test_the_slice_is_made_only_where_nobody_else_makes_it(tmp_path):
    tree = tmp_path / "cgroup"
    tree.mkdir()
    cgroups.make_slice(str(tree), str(tmp_path / "no systemd"))
    assert list(tree.iterdir()) == []  # not version 2
    (tree / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    cgroups.make_slice(str(tree), str(tmp_path))
    assert [path.name for path in tree.iterdir()] == ["cgroup.controllers"]
    cgroups.make_slice(str(tree), str(tmp_path / "no systemd"))
    cgroups.make_slice(str(tree), str(tmp_path / "no systemd"))
    assert [path.name for path in tree.rglob("system.slice")] == ["system.slice"]


def test_a_tree_gets_this_machine_s_numbers_for_the_users_of_the_cluster(cluster, tmp_path):
    (tmp_path / "tree" / "etc").mkdir(parents=True)
    lines = ["root:x:0:0::/root:/bin/sh", "games:x:5:60::/:/bin/false", "www-data:x:1:1::/:/bin/false"]
    (tmp_path / "tree" / "etc" / "passwd.dist").write_text("\n".join(lines) + "\n")
    cluster.root = str(tmp_path / "tree")
    cluster.params["users"] = ["games"]
    mine = [line for line in Path("/etc/passwd").read_text().splitlines() if line.startswith("games:")]
    merged = files.merged_names(cluster, "passwd").splitlines()
    assert [line for line in merged if line.startswith("games:")] == mine
    assert lines[0] in merged
    assert lines[2] in merged
