# SPDX-License-Identifier: MIT
"""Slurm's own daemons fail: the run goes on in the cluster, and the play waits for them."""

from __future__ import annotations

import pytest

from ..integration.conftest import eventually, ssh
from .conftest import PHASES, later
from .injectors import DIRECTORIES, Daemon, saved, without_accounting

pytestmark = pytest.mark.fault
DOWN_S, FROZEN_S = 14.0, 25.0  # longer than Slurm's commands wait: 9 and 10 s


@pytest.mark.parametrize("phase", PHASES)
def test_slurmctld_is_killed_and_comes_back(begin, cluster, phase):
    run = begin(phase)
    if phase != "before submit":
        saved(cluster)
    with Daemon(cluster, "slurmctld").down() as start:
        back = later(DOWN_S, start)
        run.end()
        back.join()
        run.finishes()


def test_slurmctld_has_lost_the_jobs(begin, cluster):
    """Killed before it had saved its state, it comes back with an older one."""
    state = DIRECTORIES[cluster] / "state/slurmctld"
    if not (state / "job_state").exists():  # a new cluster has none before its first job
        ssh(cluster, "sbatch --wait -A p200981 -q default -p cpu -t 1 -o /dev/null --wrap true")
        assert eventually((state / "job_state").exists)
    run = begin("before submit", "-e", '{"benchmark_sbatch_options": ["--begin=now+60"]}')
    older = {path: path.read_bytes() for path in state.glob("job_state*")}
    run.until(PHASES["queued"])
    with Daemon(cluster, "slurmctld").down():
        for path, content in older.items():
            path.write_bytes(content)
    run.ends("Slurm has lost the service job", "start the run again")


@pytest.mark.parametrize("phase", PHASES)
def test_slurmctld_is_frozen_past_the_time_out(begin, cluster, phase):
    run = begin(phase)
    with Daemon(cluster, "slurmctld").frozen() as go_on:
        back = later(FROZEN_S, go_on)
        run.end()
        back.join()
        run.finishes()


@pytest.mark.parametrize("phase", ["before submit", "measuring", "teardown"])
def test_slurmdbd_is_down_to_the_end(begin, cluster, phase):
    run = begin(phase)
    with Daemon(cluster, "slurmdbd").down():
        run.finishes()


def test_a_cluster_without_accounting(begin, cluster):
    with without_accounting(cluster):
        assert eventually(lambda: "idle" in ssh(cluster, "sinfo -h -o %T", check=False))
        run = begin("measuring")
        run.finishes()
        ended = begin("measuring", duration="20s")
        ssh(cluster, f"scancel {ended.job('service')}")
        ended.ends("was cancelled")
