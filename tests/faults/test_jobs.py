# SPDX-License-Identifier: MIT
"""What Slurm, its administrators, other users and hardware do to the jobs of a run."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from ..integration.conftest import eventually, ssh
from .conftest import as_root, later
from .injectors import Daemon, job_processes, send

pytestmark = pytest.mark.fault
IMAGES = "/var/lib/aifactory/local_cluster/images"

# becomes healthy, and is then too much for its job
HUNGRY = f"""
service:
  image: {IMAGES}/tools.sif
  command: "python3 -c 'import time; time.sleep(4); x = bytes(range(256)) * 4000000; time.sleep(60)'"
  memory: 300MiB
  health: {{type: command, command: "true"}}
  time_limit: "00:05:00"
client: {{command: "true", time_limit: "00:05:00"}}
benchmarks: {{duration: 20s, num_clients: 1}}
"""
ENDLESS = """
service: {type: postgresql, settings: {fsync: false}, time_limit: "00:06:00"}
client: {type: pgbench, settings: {scale: 1}, time_limit: "00:02:00"}
benchmarks: {num_clients: 2, warmup: 1s, requests: 1000000, rate: 20}
"""
NEVER_HEALTHY = f"""
service:
  image: {IMAGES}/tools.sif
  command: sleep 600
  port: 8080
  health: {{deadline: 10m}}
  time_limit: "00:02:00"
client: {{command: "true", time_limit: "00:03:00"}}
benchmarks: {{duration: 1s, num_clients: 1}}
"""


@pytest.mark.parametrize("role", ["service", "clients"])
@pytest.mark.parametrize("phase", ["queued", "starting", "warm-up", "measuring"])
def test_somebody_cancels_a_job(begin, cluster, phase, role):
    run = begin(phase, duration="20s")
    as_root(cluster, "scancel", run.job(role))
    run.ends(f"the {role} job {run.job(role)} ended CANCELLED" if phase == "queued" else "cancelled")


@pytest.mark.parametrize("phase", ["collecting", "teardown"])
def test_somebody_cancels_what_is_over(begin, cluster, phase):
    run = begin(phase)
    ssh(cluster, f"scancel {run.job('service')} {run.job('clients')}", check=False)
    run.finishes()


@pytest.mark.parametrize("role", ["service", "clients"])
@pytest.mark.parametrize("phase", ["starting", "warm-up", "measuring"])
def test_a_node_is_lost(begin, cluster, phase, role):
    run = begin(phase, duration="40s")
    job_id = run.job(role)
    [node] = eventually(lambda: ssh(cluster, f"squeue -h -j {job_id} -t R -o %N").split())
    with Daemon(cluster, f"slurmd.{node}").down():
        while left := job_processes(cluster, job_id):  # one that is just being started is in no list yet
            send(signal.SIGKILL, left)
            time.sleep(0.05)
        # clients that were lost before they could say a word have made nothing
        proven = None if (phase, role) == ("starting", "clients") else False
        run.ends(f"{role} job {job_id} ended NODE_FAIL", "exclude_nodes leaves the node out", proven=proven)
    for folder in Path("/tmp").glob(f"aifactory-{run.id}*"):  # of a node that is gone nobody can do it
        shutil.rmtree(folder)


def test_a_requeue_is_refused(begin, cluster):
    run = begin("measuring")
    ssh(cluster, f"scontrol requeue {run.job('service')}", check=False)
    run.finishes()


def test_an_administrator_requeues_the_service(begin, cluster):
    run = begin("measuring", duration="20s")
    as_root(cluster, "scontrol", "update", f"jobid={run.job('service')}", "requeue=1")
    as_root(cluster, "scontrol", "requeue", run.job("service"))
    run.ends("the job was cancelled while it was needed")


def test_the_time_limit_comes_while_it_starts(begin):
    run = begin("starting", text=NEVER_HEALTHY)
    run.ends("the job reached its time limit", "service.time_limit")


def test_the_time_limit_comes_while_it_is_measured(begin):
    # of a number of requests nobody knows beforehand how long they take
    begin("measuring", text=ENDLESS).ends("time limit", "client.time_limit", results=True)


def test_a_job_needs_more_memory_than_it_asked_for(begin):
    run = begin("measuring", text=HUNGRY)
    run.ends("memory", "service.memory")


def test_a_job_is_preempted(begin, cluster):
    text = "service: {type: postgresql, qos: short-preempt, time_limit: '00:05:00'}\nclient: {type: pgbench}\n"
    as_root(cluster, "sacctmgr", "-i", "modify", "qos", "urgent", "set", "preempt=short-preempt")
    run = begin("measuring", text=text + "benchmarks: {duration: 30s, warmup: 1s}\n")
    node = ssh(cluster, f"squeue -h -j {run.job('service')} -o %N").strip()
    urgent = f"sbatch --parsable -A p200981 -q urgent -p cpu -w {node} -t 5 -o /dev/null --wrap 'sleep 60'"
    other = ssh(cluster, urgent).strip()
    try:
        run.ends("preempted", f"the service job {run.job('service')} ended PREEMPTED")
    finally:
        ssh(cluster, f"scancel {other}")


def test_a_held_job_goes_on_when_it_is_released(begin, cluster):
    run = begin("queued")
    ssh(cluster, f"scontrol hold {run.job('service')}")
    run.until("JobHeldUser")
    ssh(cluster, f"scontrol release {run.job('service')}")
    record = run.finishes()
    assert "scontrol release" in run.output and record["verdict"]


def test_a_held_job_is_given_up_at_the_deadline(begin, cluster):
    run = begin("queued", "-e", "benchmark_queue_deadline=10s")
    ssh(cluster, f"scontrol hold {run.job('service')}")
    # the play says whose hold it was; where Slurm itself is quicker, it removes the job
    run.ends("benchmark_queue_deadline", timeout_s=360)
    assert "JobHeldUser" in run.output, run.output


def test_the_queue_is_longer_than_the_deadline(begin, cluster):
    nodes = "mel[0001-0004]" if cluster == "local" else "mfl[0001-0004]"
    sbatch = f"sbatch --parsable -A p200981 -q default -p cpu -w '{nodes}' -t 9 -o /dev/null"
    wall = ssh(cluster, f"{sbatch} --wrap 'sleep 500'").strip()
    try:
        assert eventually(lambda: ssh(cluster, f"squeue -h -t R -j {wall} -o %i").strip())
        run = begin("queued", "-e", "benchmark_queue_deadline=10s")
        run.ends(f"the service job {run.job('service')} ended DEADLINE", "raise it, or use another partition or QOS")
    finally:
        ssh(cluster, f"scancel {wall}")


def test_a_dependency_is_never_satisfied(begin, cluster):
    """The image job is cancelled in the queue: what waits for it can never start."""
    text = f"""
service: {{image: "oci-archive:/tmp/no-such-archive.tar", command: "true", time_limit: "00:05:00"}}
client: {{command: "true", image: {IMAGES}/tools.sif, time_limit: "00:05:00"}}
benchmarks: {{duration: 1s}}
"""
    ssh(cluster, "touch /tmp/no-such-archive.tar")
    run = begin("queued", text=text)
    as_root(cluster, "scancel", run.job("image"))
    run.ends(f"the image job {run.job('image')} ended CANCELLED")
    ssh(cluster, "rm /tmp/no-such-archive.tar")


def test_the_order_in_which_jobs_come_up_does_not_matter(begin, cluster):
    """The clients' job waits long after the service is there."""
    run = begin("queued")
    ssh(cluster, f"scontrol hold {run.job('clients')}")
    run.until("service healthy")
    later(8, lambda: ssh(cluster, f"scontrol release {run.job('clients')}"))
    run.finishes()
