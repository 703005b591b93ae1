# SPDX-License-Identifier: MIT
"""The Slurm modules on real clusters, as an ordinary user, by all three ways to Slurm (docs/login-nodes.md).

`python`: as modules over ssh; `shell`: over ssh, where Ansible is told of no Python; `slurmrestd`: over HTTP, where
Ansible is told of no ssh. The controller is stopped (SIGSTOP) for some seconds in the tests marked `fault`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from .conftest import CLUSTERS, INVENTORY, ROOT, environment, eventually, read_process, ssh

CONTROLLERS = {"local": "meluxina", "local2411": "meluxina2411"}
ACCOUNT = {"account": "p200981", "time_limit": "5"}
SCRIPT = "#!/bin/bash\n"

WAYS = {
    "python": {},
    # what the way must not need is not there
    "shell": {"ansible_python_interpreter": "/nowhere/python3"},
    "slurmrestd": {"ansible_python_interpreter": "/nowhere/python3", "ansible_port": 1},
}
SUBMITTED = {"python": "sbatch", "shell": "sbatch", "slurmrestd": "POST slurm/job"}

pytestmark = pytest.mark.integration


class Host:
    """One cluster's login node, and a way to its Slurm."""

    def __init__(self, name, way, home):
        self.name = name
        self.way = way
        self.variables = {"benchmark_slurm_transport": way, **WAYS[way]}
        self.environment = dict(environment(home), ANSIBLE_NOCOLOR="1")
        if way == "slurmrestd":
            self.environment["SLURM_JWT"] = self.token()
        self.prefix = f"it-{uuid.uuid4().hex[:8]}-"
        self.pid_file = Path("/var/lib/aifactory/local_cluster", CONTROLLERS[name], "run", "slurmctld.pid")

    def shell(self, line):
        """Standard output of a command line of the user on the cluster."""
        return ssh(self.name, line).strip()

    def write(self, path, text, mode="644"):
        self.shell(f"printf %s {shlex.quote(text)} > {path} && chmod {mode} {path}")

    def start(self, module, options, *flags):
        """Start a module as `ansible` does; give it to `result`."""
        command = [ROOT / ".venv/bin/ansible", "-i", INVENTORY, self.name, "-m", f"aifactory.benchmark.{module}"]
        command += ["-e", json.dumps(self.variables), "-a", json.dumps(options)]
        return subprocess.Popen(
            [*command, *flags],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def result(self, process):
        """The module's result (dict) with `failed` always there."""
        stdout, stderr = process.communicate(timeout=300)
        match = re.search(rf"^{self.name} \| (\w+)!? => (\{{.*\}})$", stdout, re.DOTALL | re.MULTILINE)
        assert match, stdout + stderr
        return {"failed": match.group(1) == "FAILED", **json.loads(match.group(2))}

    def module(self, module, options, *flags):
        return self.result(self.start(module, options, *flags))

    def token(self, lifespan_s=3600):
        """A token of the user's."""
        return self.shell(f"scontrol token lifespan={lifespan_s}").partition("=")[2]

    def submissions(self, result):
        """How often a module has submitted a job."""
        return result.get("calls", {}).get(SUBMITTED[self.way], 0)

    def job(self, suffix, text="sleep 120", *flags, **options):
        """Run slurm_job for a job of this test's prefix."""
        task = {"name": self.prefix + suffix, **ACCOUNT, "output": "/dev/null", "chdir": "/tmp", **options}
        if task.get("state") != "absent" and "script" not in task:
            task["content"] = f"{SCRIPT}{text}\n"
        return self.module("slurm_job", task, *flags)

    def named(self, suffix):
        """Ids of all jobs of this name, in the queue or in accounting."""
        name = self.prefix + suffix
        queued = self.shell(f"squeue --me -h -t all -o %F -n {name}").split()
        kept = self.shell(f"sacct -X -n -P -S now-1days -o JobID --name {name}").split()
        return {word.split("_")[0].split("+")[0] for word in queued + kept}

    def signal(self, number):
        os.kill(int(self.pid_file.read_text().split()[0]), number)

    def configuration(self, folder, *changes):
        """A Slurm configuration of the user's own, with changes (sed scripts), for the option slurm_conf."""
        self.shell(f"mkdir -p {folder} && sed {shlex.join(changes)} $SLURM_CONF > {folder}/slurm.conf")
        return f"{self.shell('echo $HOME')}/{folder}/slurm.conf"


# each way on one of the clusters in CI, on both by make test-ways
IN_CI = [("local", "python"), ("local2411", "shell"), ("local", "slurmrestd")]
PAIRS = [
    pytest.param((name, way), marks=() if (name, way) in IN_CI else pytest.mark.extra)
    for name in sorted(CLUSTERS)
    for way in WAYS
]
BY_COMMANDS = [pair for pair in PAIRS if pair.values[0][1] != "slurmrestd"]
BY_REST = [pair for pair in PAIRS if pair.values[0][1] == "slurmrestd"]


def only(pairs):
    """Run a test by some of the ways, and say so in its name."""
    return pytest.mark.parametrize("host", pairs, indirect=True, ids="-".join, scope="module")


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def host(request, tmp_path_factory):
    found = Host(*request.param, tmp_path_factory.mktemp("home"))
    yield found
    found.signal(signal.SIGCONT)
    jobs = [line.split(" ", 1) for line in found.shell("squeue --me -h -o '%A %j'").splitlines()]
    mine = [job_id for job_id, name in jobs if name.startswith(found.prefix)]
    if mine:
        found.shell("scancel " + " ".join(mine))


def test_present_twice_is_one_job(host):
    first = host.job("twice", comment="k=v")
    assert first["changed"]
    assert not first["adopted"]
    again = host.job("twice", comment="k=v")
    assert not again["changed"]
    assert again["job_id"] == first["job_id"]
    assert again["job"]["comment"] == "k=v"
    assert host.submissions(again) == 0
    assert host.named("twice") == {first["job_id"]}


def test_absent_proves_that_the_job_is_gone(host):
    job_id = host.job("gone", wait="started")["job_id"]
    ended = host.job("gone", state="absent")
    assert ended["changed"]
    proof = ended["proof"][job_id]
    assert proof["gone"]
    assert proof["state"] == "CANCELLED"
    assert (f"job/{job_id}" if host.way == "slurmrestd" else f"-j {job_id}") in proof["command"]
    assert not host.job("gone", state="absent")["changed"]


def test_check_mode_submits_nothing_and_shows_the_script(host):
    predicted = host.job("check", "echo hello", "--check", "--diff")
    assert predicted["changed"]
    assert host.named("check") == set()
    if host.way == "slurmrestd":
        assert "test" not in predicted
        return
    assert predicted["test"]["partition"] == "cpu"
    refused = host.job("check", "true", "--check", account="nobody")
    assert refused["failed"]
    assert "Invalid account" in refused["msg"]


def test_wait_for_the_end_and_rerun(host):
    failed = host.job("rerun", "exit 3", wait="finished")
    assert failed["failed"]
    assert "FAILED, exit code 3" in failed["msg"]
    assert host.job("rerun", "exit 0")["changed"] is False
    retried = host.job("rerun", "exit 0", rerun="failed", wait="finished")
    assert retried["changed"]
    assert retried["job"]["ok"]
    assert host.job("rerun", "exit 0", rerun="failed", wait="finished")["changed"] is False
    assert len(host.named("rerun")) == 2


def test_array(host):
    submitted = host.job("array", "sleep 60", array="0-7%2")
    time.sleep(2)
    asked = host.module("slurm_job_info", {"ids": [submitted["job_id"], submitted["job_id"] + "_7"]})
    whole, task = asked["jobs"]
    assert sum(whole["state_counts"].values()) == 8
    assert whole["state_counts"]["PENDING"] >= 6
    assert (task["id"], task["state"]) == (submitted["job_id"] + "_7", "PENDING")
    asked["calls"].pop("GET slurm/licenses", 0)  # finds out the API's version
    assert asked["calls"] == {"GET slurm/job" if host.way == "slurmrestd" else "squeue": 1}
    assert not host.job("array", "sleep 60", array="0-7%2")["changed"]
    assert host.job("array", state="absent")["proof"][submitted["job_id"]]["gone"]


def test_heterogeneous_job(host):
    components = [{"partition": "cpu", "ntasks": 1}, {"partition": "gpu", "gres": "gpu:1"}]
    submitted = host.job("het", "srun --het-group=0,1 hostname", components=components, wait="finished")
    assert [part["partition"] for part in submitted["job"]["parts"]] == ["cpu", "gpu"]
    assert len(submitted["job"]["nodes"]) == 2
    assert not host.job("het", "srun --het-group=0,1 hostname", components=components)["changed"]


def test_a_dependency_that_can_never_be_satisfied_is_said_at_once(host):
    parent = host.job("parent", "sleep 4; exit 1")["job_id"]
    child = host.job("child", "true", dependency=f"afterok:{parent}", wait="started", timeout_s=60)
    assert child["failed"]
    assert "DependencyNeverSatisfied" in child["msg"] or "CANCELLED" in child["msg"]
    host.job("child", state="absent")


@pytest.mark.parametrize(
    ("options", "words", "remedy"),
    [
        ({"account": "nobody"}, "Invalid account", "sacctmgr"),
        ({"account": ""}, "Please specify a project account", "submit rules"),
        ({"qos": "nothing"}, "Invalid qos", "QOS"),
        ({"partition": "nowhere"}, "nvalid partition", "sinfo"),
        ({"partition": "gpu", "gres": "gpu:64"}, "node configuration is not available", "GPUs"),
        ({"time_limit": "99-00:00:00"}, "Requested time limit is invalid", "time_limit"),
        ({"qos": "test", "time_limit": "02:00:00"}, "policy", "sacctmgr show qos"),
    ],
)
def test_a_refusal_keeps_slurms_words_and_adds_a_remedy(host, options, words, remedy):
    refused = host.job("refused", "true", **options)
    assert refused["failed"]
    # slurmrestd does not hand on what a site's submit rules say
    assert words in refused["msg"] or (host.way == "slurmrestd" and remedy == "submit rules")
    assert remedy in refused["msg"]
    assert host.submissions(refused) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time_limit": "soon"}, "time_limit"),
        ({"array": "x-y"}, "array"),
        ({"script": "/nowhere/job.sh"}, "/nowhere/job.sh"),
        ({"components": [{"ntasks": 0}]}, "components[0].ntasks"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_submitted(host, options, words):
    port = host.variables.pop("ansible_port", None)  # a script of the login node is read over ssh in any case
    wrong = host.job("wrong", "true", **options)
    if port:
        host.variables["ansible_port"] = port
    assert wrong["failed"]
    assert words in wrong["msg"]
    assert host.submissions(wrong) == 0


def test_many_jobs_are_asked_for_with_one_query(host):
    script = host.prefix + "many.sh"
    host.write(script, SCRIPT)
    sbatch = f"sbatch --parsable -H -A p200981 -t 5 -J {host.prefix}many {script}"
    ids = host.shell(f"for n in $(seq 20); do {sbatch}; done").split()
    asked = host.module("slurm_job_info", {"ids": [*ids, "99999999"]})
    assert asked["calls"]["GET slurm/jobs" if host.way == "slurmrestd" else "squeue"] == 1
    assert [job["id"] for job in asked["jobs"]] == [*ids, "99999999"]
    assert {job["state"] for job in asked["jobs"][:-1]} == {"PENDING"}
    assert all("release" in job["remedy"] for job in asked["jobs"][:-1])
    assert (asked["jobs"][-1]["known"], asked["jobs"][-1]["state"]) == (False, "UNKNOWN")
    named = host.module("slurm_job_info", {"names": [host.prefix + "many"]})
    assert {job["id"] for job in named["jobs"]} == set(ids)
    host.shell(f"rm {script}; scancel " + " ".join(ids))


def test_steps_and_accounting(host):
    job_id = host.job("steps", "srun hostname; exit 4", wait="finished")["msg"].split()[1]

    def with_steps():
        [job] = host.module("slurm_job_info", {"ids": [job_id], "steps": True})["jobs"]
        assert (job["state"], job["exit_code"]) == ("FAILED", 4)
        return {"batch", "0"} <= {step["step"] for step in job["steps"]}

    assert eventually(with_steps)


@only(BY_COMMANDS)
def test_without_accounting(host):
    off = "s/^AccountingStorageType=.*/AccountingStorageType=accounting_storage\\/none/"
    changes = ["-e", off, "-e", "/^AccountingStorageEnforce/d", "-e", "/^AccountingStorageTRES/d"]
    conf = {"slurm_conf": host.configuration("it-off", *changes)}
    finished = host.job("plain", "exit 5", wait="finished", **conf)
    assert "exit code 5" in finished["msg"]
    assert not host.job("plain", "exit 5", **conf)["changed"]
    job_id = finished["msg"].split()[1]
    asked = host.module("slurm_job_info", {"ids": [job_id, "99999999"], **conf})
    assert asked["jobs"][0]["exit_code"] == 5
    assert "no accounting" in asked["jobs"][1]["reason"]
    host.shell("rm -r it-off")


@only(BY_COMMANDS)
def test_a_cluster_that_does_not_answer_is_an_error_and_not_an_empty_queue(host):
    conf = {"slurm_conf": host.configuration("it-down", "s/^SlurmctldPort=.*/SlurmctldPort=1/"), "deadline_s": 0}
    for module, options in (
        ("slurm_job_info", {"ids": ["99999999"]}),
        ("slurm_job", {"name": host.prefix + "down", "content": "#!/bin/bash\n", **ACCOUNT}),
        ("slurm_job", {"name": host.prefix + "down", "state": "absent"}),
        ("slurm_cluster_info", {"user": "u101"}),
    ):
        silent = host.module(module, {**options, **conf})
        assert silent["failed"]
        assert "Unable to contact slurm controller" in silent["msg"]
        assert "scontrol ping" in silent["msg"]
    host.shell("rm -r it-down")


@only(BY_COMMANDS)
@pytest.mark.parametrize("option", ["slurm_conf", "bin_dir"])
def test_a_place_that_is_not_there_is_named(host, option):
    wrong = host.module("slurm_job_info", {"ids": ["1"], option: "/nowhere/x"})
    assert wrong["failed"]
    assert wrong["msg"].startswith(f"{option}: there is no")


def test_facts_of_the_cluster(host):
    facts = host.module("slurm_cluster_info", {"deadline_s": 60})
    assert not facts["failed"], facts
    assert facts["version"] == host.shell("sinfo -V").split()[-1]
    assert {part["name"] for part in facts["partitions"]} == {"cpu", "gpu", "fpga", "largemem"}
    gpu = next(part for part in facts["partitions"] if part["name"] == "gpu")
    assert gpu["gpus_per_node"] == 4
    allowed = next(entry for entry in facts["may"] if entry["partition"] == "gpu")
    assert allowed["account"] == "p200981"
    assert "default" in {qos["name"] for qos in allowed["qos"]}


@pytest.mark.fault
def test_the_controller_stops_between_two_runs(host):
    first = host.job("stopped")
    host.signal(signal.SIGSTOP)
    try:
        waiting = host.start("slurm_job", {"name": host.prefix + "stopped", "content": "#!/bin/bash\n", **ACCOUNT})
        time.sleep(12)  # longer than Slurm's MessageTimeout: at least one command of the module times out
    finally:
        host.signal(signal.SIGCONT)
    second = host.result(waiting)
    assert (second["changed"], second["job_id"]) == (False, first["job_id"])
    assert host.named("stopped") == {first["job_id"]}


@only(BY_COMMANDS)
@pytest.mark.fault
def test_a_submission_without_an_answer_is_adopted_and_never_repeated(host):
    """Stop the controller exactly between the module's look and its sbatch."""
    folder = host.shell(f"mkdir -p {host.prefix}bin && cd {host.prefix}bin && pwd")
    real = host.shell("command -v sbatch")
    wait = f"touch {folder}/reached; while [ ! -e {folder}/go ]; do sleep 0.05; done"
    host.write(f"{folder}/sbatch", f'#!/bin/sh\n{wait}\nexec {real} "$@"\n', mode="755")
    task = {"name": host.prefix + "adopted", "content": "#!/bin/bash\nsleep 60\n", "bin_dir": folder, **ACCOUNT}
    task["output"] = "/dev/null"
    running = host.start("slurm_job", task)
    host.shell(f"for n in $(seq 600); do [ -e {folder}/reached ] && exit 0; sleep 0.05; done; exit 1")
    host.signal(signal.SIGSTOP)
    try:
        host.shell(f"touch {folder}/go")
        time.sleep(12)  # sbatch gives up after 10 s
    finally:
        host.signal(signal.SIGCONT)
    found = host.result(running)
    assert not found["failed"], found["msg"]
    assert found["adopted"]
    assert found["calls"]["sbatch"] == 1
    assert not host.module("slurm_job", task)["changed"]
    assert host.named("adopted") == {found["job_id"]}
    host.shell(shlex.join(["rm", "-r", folder]))


@only(BY_REST)
@pytest.mark.parametrize(
    ("variables", "token", "words"),
    [
        ({}, "expired", "expired"),
        ({}, "", "there is no token for slurmrestd"),
        ({"benchmark_slurmrestd_token_file": "/nowhere/token"}, "", "benchmark_slurmrestd_token_file: /nowhere/token"),
        ({"benchmark_slurmrestd_url": "http://127.0.0.1:1"}, None, "check benchmark_slurmrestd_url"),
        ({"benchmark_slurmrestd_url": ""}, None, "there is no benchmark_slurmrestd_url"),
        ({"benchmark_slurmrestd_version": "v0.0.99"}, None, "benchmark_slurmrestd_version"),
        ({"benchmark_slurm_transport": "pigeon"}, None, "choose python, shell, slurmrestd"),
    ],
)
def test_what_is_wrong_with_the_way_is_named(host, variables, token, words):
    if token == "expired":
        token = host.token(lifespan_s=1)
        time.sleep(2)
    before = host.variables, host.environment
    host.variables = {**host.variables, **variables}
    if token is not None:
        host.environment = {**host.environment, "SLURM_JWT": token}
    try:
        wrong = host.module("slurm_job_info", {"ids": ["1"], "deadline_s": 0}, "-vvv")
    finally:
        host.variables, host.environment = before
    assert wrong["failed"]
    assert words in wrong["msg"]


@only(BY_REST)
def test_the_token_is_in_no_output_and_no_argument(host):
    running = host.start("slurm_job_info", {"names": [host.prefix + "none"]}, "-vvvvv")
    arguments = "".join(read_process(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
    stdout, stderr = running.communicate(timeout=120)
    assert running.returncode == 0
    assert host.environment["SLURM_JWT"] not in arguments + stdout + stderr
