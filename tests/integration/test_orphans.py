# SPDX-License-Identifier: MIT
"""The janitor: it ends what belongs to no living run, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import RUN_ID, assert_nothing_left, eventually, read_json, ssh
from .controllers import killed_at

pytestmark = [pytest.mark.integration, pytest.mark.alone]
RUNS = Path("/var/lib/aifactory/local_cluster/scratch/u101/local/runs")
CONF = "/var/lib/aifactory/local_cluster/meluxina/conf/slurm.conf"
NOBODY = "20260101-000000-nobody-0000"
SBATCH = "sbatch --parsable -A p200981 -q default -p cpu -t 5 -o /dev/null"


def lives(job_id: str) -> bool:
    """Whether a job waits or runs."""
    return ssh("local", f"squeue -h -j {job_id} -o %T", check=False).strip() in ("PENDING", "RUNNING")


@pytest.fixture
def others():
    """A job of another user under exactly the name that a run of ours would give, and one of ours that sounds alike."""
    as_neighbour = ["runuser", "-u", "u102", "--", "env", f"SLURM_CONF={CONF}"]
    argv = [*as_neighbour, *SBATCH.split(), "-D", "/tmp", "-J", f"aifactory-{NOBODY}-service", "--wrap", "sleep 300"]
    neighbour = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    notes = ssh("local", f"{SBATCH} -J aifactory-notes --wrap 'sleep 300'").strip()
    yield neighbour, notes
    subprocess.run([*as_neighbour, "scancel", neighbour], check=True)
    ssh("local", f"scancel {notes}")


@pytest.fixture
def orphan():
    """A job of ours with a run's mark: what an sbatch leaves that slurmctld accepted after the run was torn down."""
    job_id = ssh("local", f"{SBATCH} -D /tmp/gone -J aifactory-{NOBODY}-clients --begin now+300 --wrap true").strip()
    yield job_id
    ssh("local", f"scancel {job_id}")


def test_a_job_whose_run_is_gone_is_cancelled_and_no_other(play, recipe, home, orphan, others):
    neighbour, notes = others
    living = killed_at(home, "measuring", "-e", f"recipe={recipe(duration='200s')}")
    folder = RUNS / "my-notes"
    folder.mkdir()
    try:
        played = play("teardown", "-e", "run=all_orphans", "-e", "orphan_idle=0", limit=None)
        assert played.rc == 0, played.output
        assert f"{NOBODY} is cancelled: its run directory is gone; job {orphan} PENDING" in played.output
        assert f"{living} left alone: goes on" in played.output
        assert f"job {neighbour} " not in played.output and "aifactory-notes" not in played.output
        assert not lives(orphan) and lives(neighbour) and lives(notes) and folder.exists()
        assert (RUNS / living).exists() and f"aifactory-{living}-service" in ssh("local", "squeue -h -o %j")
    finally:
        folder.rmdir()
        assert play("stop", "-e", f"run={living}", "-e", "stop_grace=20").rc == 0
    assert_nothing_left([living])


def test_what_nobody_fetched_is_collected_and_torn_down(play, recipe, home):
    run_id = killed_at(home, "measuring", "-e", f"recipe={recipe(duration='3s')}")
    shutil.rmtree(home)
    half, cut = RUNS / "20260101-000000-half-0001.gone", RUNS / "20260101-000000-cut-0002"
    for folder in (half, cut):
        folder.mkdir()
    assert eventually(lambda: run_id not in ssh("local", "squeue -h -o %j"), 90)
    played = play("teardown", "-e", "run=all_orphans")
    assert f"{run_id} left alone: has no job; touched" in played.output, "a controller may be at it"
    played = play("teardown", "-e", "run=all_orphans", "-e", "orphan_idle=0", "--check")
    assert f"{run_id} would be collected and torn down" in played.output and cut.exists(), played.output
    time.sleep(1)
    played = play("teardown", "-e", "run=all_orphans", "-e", "orphan_idle=0")
    assert played.rc == 0, played.output
    assert read_json(home, run_id, "run.json")["state"] == "finished"
    assert read_json(home, run_id, "teardown.json")["clean"]
    assert not half.exists() and not cut.exists(), played.output
    assert_nothing_left([run_id])
    assert RUN_ID.search(" ".join(path.name for path in RUNS.iterdir())) is None
    played = play("teardown", "-e", "run=all_orphans", "-e", "orphan_idle=0")
    assert played.rc == 0 and "no orphan in the queue" in played.output, played.output
