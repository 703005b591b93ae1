# SPDX-License-Identifier: MIT
"""Secrets that a recipe names reach the containers, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import ROOT, assert_nothing_left, environment, eventually, playbook_argv, read_json, ssh

pytestmark = pytest.mark.integration

IMAGES = Path("/var/lib/aifactory/local_cluster/images")
WORDS = ("the $(id) `id` $HOME 'first\nword", "the second word", "the third word")
PLAIN = "$(id) `id` $HOME \\ ' \" ; é\nline"  # a shell in the container would evaluate it


def is_word(variable: str, word: str) -> str:
    """A shell's test that a variable has a value, which does not name it."""
    digest = hashlib.sha256(word.encode()).hexdigest()
    return f'test "$(printf %s "${variable}" | sha256sum)" = "{digest}  -"'


TEST_VALUES = f"{is_word('HF_TOKEN', WORDS[0])} && {is_word('PLAIN', PLAIN)} || exit 9"
RECIPE = f"""
service:
  image: {IMAGES}/tools.sif
  command: '{TEST_VALUES}; exec python3 -m http.server --bind "$SERVICE_ADDRESS" "$SERVICE_PORT"'
  port: 8080
  secrets: {{HF_TOKEN: {{env: TEST_TOKEN}}}}
  env: {{PLAIN: {json.dumps(PLAIN)}}}
  time_limit: "00:05:00"
client:
  command: '{is_word("KEY", WORDS[1])} && {is_word("OTHER", WORDS[2])} && test -z "$HF_TOKEN"'
  secrets: {{KEY: {{file: FILE}}, OTHER: {{variable: vaulted}}}}
  time_limit: "00:05:00"
benchmarks: {{duration: 2s}}
"""


def test_they_are_used_and_nowhere_to_be_found(play, home, recipe, tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_TOKEN", WORDS[0])
    (tmp_path / "key").write_text(WORDS[1] + "\n")
    (tmp_path / "vault.yml").write_text('vaulted: "{{ part }} word"\npart: the third\n')
    path = recipe(RECIPE.replace("FILE", str(tmp_path / "key")))
    played = play("run", "-vvv", "-e", f"recipe={path}", "-e", f"@{tmp_path / 'vault.yml'}")
    assert played.rc == 0, played.output
    [run_id] = played.run_ids()
    kept = [file for file in (home / "runs" / run_id).rglob("*") if file.is_file()]
    assert len(kept) > 15
    texts = {str(file): file.read_text(errors="replace") for file in kept} | {"the screen": played.output}
    for word in (*WORDS, "'first\\nword", "first\nword"):
        assert [where for where, text in texts.items() if word in text] == []
    assert_nothing_left([run_id])


TOKEN = "hf_" + "s3cr3tT0k3n" * 3
WATCHED = """
service:
  type: postgresql
  settings: {fsync: false}
  secrets: {HF_TOKEN: {env: TEST_TOKEN}}
  time_limit: "00:05:00"
client:
  type: pgbench
  settings: {scale: 1}
  secrets: {CLIENT_TOKEN: {env: TEST_TOKEN}}
  time_limit: "00:05:00"
benchmarks: {num_clients: 2, warmup: 1s, duration: 6s}
"""


def of_somebody_else() -> str:
    """What a user who has no part in the run reads below /proc, in the node's temporary directory and on scratch."""
    look = (
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; find /tmp/aifactory-* /var/lib/aifactory -type f -exec cat {} +"
    )
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    look = look.replace("/var/lib/aifactory", "/var/lib/aifactory/local_cluster/scratch/u101/local/runs")
    # with an environment of its own: the test's has the token
    done = subprocess.run(
        [*become, "sh", "-c", look], env={"PATH": os.environ["PATH"]}, capture_output=True, check=False
    )
    return done.stdout.decode(errors="replace").replace("\0", " ")


def of_slurm(run_id: str) -> str:
    """All that Slurm tells of a run's jobs, their scripts and environments among it."""
    names = ",".join(f"aifactory-{run_id}-{role}" for role in ("service", "clients", "image"))
    ids = ssh("local", f"squeue -h -o %A -n {names}").split()
    asked = "".join(f"scontrol show job -dd {job}; scontrol write batch_script {job} -; " for job in ids)
    return ssh("local", f"{asked} squeue -o %all -n {names}; sacct -n --format=ALL --name={names}", check=False)


def test_nobody_else_sees_them_while_the_run_goes_on(home, recipe, monkeypatch):
    """A token of the recipe's and the password that the run makes, looked for everywhere, again and again."""
    monkeypatch.setenv("TEST_TOKEN", TOKEN)
    argv = playbook_argv("run", "-vvv", "-e", f"recipe={recipe(WATCHED)}")
    started = subprocess.Popen(
        argv, env=environment(home), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    reader = ThreadPoolExecutor(1).submit(started.stdout.read)
    run_id = eventually(lambda: next((path.name for path in home.glob("runs/*") if (path / "jobs.json").exists()), ""))
    folder = json.loads((home / "runs" / run_id / "plan.json").read_text())["run_dir"]
    seen, modes = {"others": "", "Slurm": "", "run directory": ""}, ""
    # before the first look: on a machine that is busy, a look can last longer than the run
    password = eventually(lambda: ssh("local", f"cat {folder}/secrets/password", check=False).strip())
    words = {TOKEN, password}
    while started.poll() is None:
        seen["others"] += of_somebody_else()
        seen["Slurm"] += of_slurm(run_id)
        # with the names of all files, since they are in the secrets' own only
        found = [f"grep -rl --exclude-dir=secrets -e {word} {folder} /tmp/aifactory-{run_id}*" for word in words]
        seen["run directory"] += ssh("local", "; ".join(found), check=False)
        modes = ssh("local", f"find {folder} /tmp/aifactory-{run_id}* -printf '%y %m %p\\n'", check=False) or modes
    output = reader.result()
    assert started.returncode in (0, 2), output[-4000:]
    assert read_json(home, run_id, "run.json")["state"] == "finished", output[-4000:]
    seen |= {str(file): file.read_bytes().decode(errors="replace") for file in home.rglob("*") if file.is_file()}
    seen["the screen"] = output
    assert f"aifactory-{run_id}" in seen["Slurm"] and f"{folder}" in seen["others"]
    # the clients' shells read them from a file of mode 0600 on the node
    assert {line for line in seen.pop("run directory").split() if not line.endswith(".env")} == set()
    assert [(where, word) for where, text in seen.items() for word in words if word in text] == []
    found = [line.split(" ", 2) for line in modes.splitlines()]
    assert {mode for kind, mode, path in found if kind == "d" and path == folder} == {"700"}
    assert {mode for kind, mode, path in found if "/secrets" in path} <= {"700", "600"}
    assert {mode for kind, mode, path in found if path.endswith(".env")} <= {"600"}
    assert {mode for kind, mode, path in found if path.count("/") == 2} <= {"700"}  # /tmp/aifactory-…
    assert_nothing_left([run_id])


def test_one_that_is_missing_is_named_before_anything_is_submitted(play, recipe, tmp_path, monkeypatch):
    monkeypatch.delenv("TEST_TOKEN", raising=False)
    before = ssh("local", "squeue -h -o %A -t all | sort -n | tail -1")
    played = play("run", "-e", f"recipe={recipe(RECIPE.replace('FILE', str(tmp_path / 'key')))}")
    assert played.rc != 0
    text = " ".join(played.output.split())
    assert "service.secrets.HF_TOKEN: the environment variable TEST_TOKEN of the controller is not set" in text
    assert f"client.secrets.KEY: {tmp_path}/key can't be read" in text
    assert "client.secrets.OTHER: the variable vaulted is not set" in text
    assert ssh("local", "squeue -h -o %A -t all | sort -n | tail -1") == before
