# SPDX-License-Identifier: MIT
"""A run that is brought to a phase, and the two ends that docs/faults.md promises."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from ..integration.conftest import (
    RUN_ID,
    Played,
    assert_measured,
    assert_nothing_left,
    clusters,
    eventually,
    home,
    play,
    recipe,
    short,
    ssh,
)
from ..integration.controllers import kill, start
from .injectors import DIRECTORIES, within
from .matrix import pytest_runtest_makereport, pytest_terminal_summary

__all__ = ["clusters", "home", "play", "pytest_runtest_makereport", "pytest_terminal_summary", "recipe"]

# what the play says when a phase begins
PHASES = {
    "before submit": ": postgresql with",
    "queued": "submitted:",
    "starting": "service starting",
    "warm-up": "warming up",
    "measuring": "measuring:",
    "collecting": "clients done",
    "teardown": "collected ",
}


# what CI runs, since all takes an hour: each fault once, on each cluster in turn
IN_CI = {
    "test_slurmctld_is_killed_and_comes_back[local-measuring]",
    "test_slurmctld_has_lost_the_jobs[local2411]",
    "test_slurmctld_is_frozen_past_the_time_out[local2411-measuring]",
    "test_slurmdbd_is_down_to_the_end[local-measuring]",
    "test_a_cluster_without_accounting[local2411]",
    "test_somebody_cancels_a_job[local-measuring-service]",
    "test_somebody_cancels_what_is_over[local2411-collecting]",
    "test_a_node_is_lost[local-measuring-clients]",
    "test_a_requeue_is_refused[local2411]",
    "test_an_administrator_requeues_the_service[local]",
    "test_the_time_limit_comes_while_it_starts[local2411]",
    "test_the_time_limit_comes_while_it_is_measured[local]",
    "test_a_job_needs_more_memory_than_it_asked_for[local2411]",
    "test_a_job_is_preempted[local]",
    "test_a_held_job_goes_on_when_it_is_released[local2411]",
    "test_a_held_job_is_given_up_at_the_deadline[local]",
    "test_the_queue_is_longer_than_the_deadline[local2411]",
    "test_a_dependency_is_never_satisfied[local]",
    "test_the_order_in_which_jobs_come_up_does_not_matter[local]",
    "test_the_service_crashes[local-measuring]",
    "test_the_service_hangs[local2411-measuring]",
    "test_a_client_crashes[local2411-measuring]",
    "test_one_client_never_starts[local2411]",
    "test_the_clocks_of_two_nodes_differ[local]",
    "test_the_connection_is_dropped[local2411-warm-up]",
    "test_the_connection_is_refused_for_a_while[local-measuring]",
    "test_a_cluster_that_cannot_be_reached_at_all_is_told_at_once[local]",
    "test_the_disk_of_the_run_directory_is_full[local2411-measuring]",
    "test_a_disk_that_fills_up_late_does_no_harm[local-teardown]",
    "test_a_disk_without_room_is_told_before_anything_is_submitted[local2411]",
    "test_a_pull_that_breaks_off_leaves_nothing_and_the_next_one_succeeds[local]",
}


def pytest_collection_modifyitems(items) -> None:
    """Leave the rest to make test-faults."""
    for item in items:
        if Path(__file__).parent in item.path.parents and item.name not in IN_CI:
            item.add_marker(pytest.mark.extra)


class ByCluster(LoadScopeScheduling):
    """Both clusters at the same time, each by a worker of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return re.findall(r"\[(local\w*)", nodeid)[0]


def pytest_xdist_make_scheduler(config, log) -> ByCluster:
    """With -n 2."""
    return ByCluster(config, log)


class Run:
    """The playbook `run` of one recipe on one cluster, followed line by line."""

    def __init__(self, cluster: str, home: Path, *arguments: str) -> None:
        self.cluster, self.home = cluster, home
        self.process = start(home, "run", *arguments, limit=cluster)
        self.said: list[str] = []
        self.arrived = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self.arrived:
                self.said.append(line)
                self.arrived.notify_all()
        with self.arrived:
            self.said.append("")
            self.arrived.notify_all()

    @property
    def output(self) -> str:
        """All that it has said."""
        return "".join(self.said)

    def until(self, words: str, timeout_s: float = 120) -> Run:
        """Wait until it has said these words."""
        with self.arrived:
            found = self.arrived.wait_for(lambda: words in self.output or "" in self.said, timeout_s)
        assert found and words in self.output, f"it never said {words!r}:\n{self.output}"
        return self

    @property
    def id(self) -> str:
        """The run's id."""
        return RUN_ID.findall(self.output)[0]

    def job(self, role: str) -> str:
        """The id of a job that was submitted."""
        return re.findall(rf"{role} job (\d+)", self.output)[0]

    def end(self, timeout_s: float = 240) -> Played:
        """Wait until the play is over."""
        self.process.wait(timeout_s)
        with self.arrived:
            self.arrived.wait_for(lambda: "" in self.said, 10)
        return Played(self.process.returncode, self.output)

    def read(self, name: str):
        """A JSON file of the run's directory here."""
        return json.loads((self.home / "runs" / self.id / name).read_text())

    def finishes(self) -> dict:
        """It was measured as if nothing had been, and nothing is left. Returns run.json."""
        played = self.end()
        assert RUN_ID.search(played.output), played.output
        record = assert_measured(played, self.home, self.id)
        assert self.read("teardown.json")["clean"], played.output
        assert_nothing_left([self.id], [self.cluster])
        return record

    def ends(self, *words: str, results: bool = False, proven: bool | None = True, timeout_s: float = 240) -> dict:
        """It is INVALID and says why in these words; with `results`, what was measured until then is there.

        `proven`: whether the teardown is (None: either); of a node that is gone nobody can tell what is left.
        """
        played = self.end(timeout_s)
        text = " ".join(played.output.split())
        assert played.rc != 0, played.output
        assert not [each for each in words if each not in text], played.output
        record = self.read("run.json")
        assert record["verdict"] == "INVALID" and record["state"] in ("failed", "finished", "stopped"), played.output
        if results:
            assert self.read("cases.json"), played.output
        assert proven is None or self.read("teardown.json")["clean"] == proven, played.output
        jobs = [check for check in self.read("teardown.json")["checks"] if "job" in check["what"]]
        assert all(check["ok"] for check in jobs), jobs
        if proven:
            assert_nothing_left([self.id], [self.cluster])
        assert self.id not in ssh(self.cluster, "squeue -h -o %j")
        return record


@pytest.fixture(params=["local", "local2411"])
def cluster(request) -> str:
    """Both versions of Slurm."""
    return request.param


@pytest.fixture
def begin(home, recipe, cluster) -> Iterator:
    """Start a run and bring it to a phase: begin("measuring", "-e", …, duration="5s", text=…)."""
    started: list[Run] = []

    def go(phase: str, *arguments: str, text: str | None = None, **changes: object) -> Run:
        if phase == "queued":
            arguments = (*arguments, "-e", '{"benchmark_sbatch_options": ["--begin=now+8"]}')
        path = recipe(text or short(**{"duration": "5s", **changes}).replace("warmup: 1s", "warmup: 2s"))
        run = Run(cluster, home, "-e", f"recipe={path}", *arguments)
        started.append(run)
        return run.until(PHASES[phase])

    yield go
    for run in started:
        if run.process.poll() is None:
            kill(run.process)
    ids = [found for run in started for found in RUN_ID.findall(run.output)[:1]]
    names = ssh(cluster, "squeue --me -h -o '%i %j'", check=False)
    left = [line.split()[0] for line in names.splitlines() if any(run_id in line for run_id in ids)]
    if left:  # a test that failed must not leave the next one less of the cluster
        ssh(cluster, f"scancel {' '.join(left)}", check=False)


@pytest.fixture(autouse=True)
def whole(cluster) -> Iterator[None]:
    """The cluster is whole again before the next fault: its administrator resumes what Slurm has drained."""
    yield

    def idle() -> bool:
        states = dict(line.split() for line in ssh(cluster, "sinfo -h -N -o '%N %T'", check=False).splitlines())
        drained = [node for node, state in states.items() if state.startswith(("drain", "down"))]
        if drained:
            as_root(cluster, "scontrol", "update", f"nodename={','.join(drained)}", "state=resume")
        return set(states.values()) == {"idle"}

    assert eventually(idle, 90), ssh(cluster, "sinfo; squeue", check=False)


def later(seconds: float, action) -> threading.Thread:
    """Do it after some seconds, while the play goes on."""

    def wait() -> None:
        time.sleep(seconds)
        action()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def as_root(cluster: str, *argv: str) -> str:
    """A command as Slurm's administrator."""
    conf = f"SLURM_CONF={DIRECTORIES[cluster]}/conf/slurm.conf"
    return subprocess.run(
        within(cluster, "env", conf, *argv), capture_output=True, text=True, check=True, timeout=60
    ).stdout
