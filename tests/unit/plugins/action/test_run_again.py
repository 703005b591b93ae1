# SPDX-License-Identifier: MIT
"""A run that is started again, up to the point at which it would be submitted, by Ansible itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import provenance
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, run_directory

from ..plugin_utils import samples
from ..plugin_utils.test_finish import finished

ROOT = Path(__file__).resolve().parents[4]
PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
# What the role run does before it asks Slurm.
PLAY = """
- hosts: all
  gather_facts: false
  vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - ansible.builtin.include_role: {name: aifactory.benchmark.run, tasks_from: render.yml}
    - ansible.builtin.include_role: {name: aifactory.benchmark.clients}
    - aifactory.benchmark.run_again:
        run: "{{ run_rerun_of }}"
        plan: "{{ benchmark_plan }}"
        spec: "{{ service_rendered.spec }}"
        files: "{{ run_files }}"
        images: "{{ run_images }}"
      when: run_rerun_of is defined
      vars: &files
        run_files: >-
          {{ service_rendered.files | combine(clients_rendered.files, {'recipe.yml': benchmark_recipe_text}) }}
        run_images: "{{ [service_rendered.image | combine({'part': 'service'})] }}"
    - ansible.builtin.copy:
        content: >-
          {{ dict(plan=benchmark_plan, files=run_files, spec=service_rendered.spec, images=run_images) | to_json }}
        dest: "{{ answer }}"
        mode: "0600"
      vars: *files
"""
RECIPE = """
service:
  type: postgresql
  settings: {shared_buffers: 256MB}
client: {type: pgbench}
benchmarks: {num_clients: 2, duration: 3s, seed: 7, rate: [max, 50%]}
"""


class Plays:
    """One controller: its home, its inventory, and what was rendered last."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.answer = folder / "answer.json"
        self.inventory = folder / "inventory.yml"
        self.site: dict[str, object] = {"benchmark_scratch": str(folder / "scratch"), "benchmark_account": "p1"}
        (folder / "play.yml").write_text(PLAY)
        (folder / "mine.yml").write_text(RECIPE)
        self.folder = folder

    def play(self, path: Path, *arguments: str, **variables: str) -> tuple[int, str]:
        hosts = {"site": self.site, "other": {**self.site, "benchmark_account": "p2"}}
        self.inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
        environment = {
            **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "AIFACTORY_HOME": str(self.home),
        }  # fmt: skip
        argv = [PLAYBOOK, "-i", str(self.inventory), str(path), *arguments]
        argv += ["-e", json.dumps({"answer": str(self.answer), **variables})]
        done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def render(self, *arguments: str, **variables: str) -> tuple[dict, str]:
        code, text = self.play(self.folder / "play.yml", *arguments, **variables)
        assert code == 0, text
        return json.loads(self.answer.read_text()), text

    def store(self, rendered: dict) -> RunDirectory:
        """The run as run_submit leaves it, collected."""
        plan, files = rendered["plan"], rendered["files"]
        run = run_directory(self.home, plan["run_id"])
        for name, text in files.items():
            run.write_text(name, text.rstrip() + "\n")
        run.write_json("plan.json", plan)
        run.write_json("spec.json", rendered["spec"])
        texts = {**files, "spec.json": json.dumps(rendered["spec"], indent=2, sort_keys=True)}
        known = provenance.at_submission(plan, "24.11.5", "00" * 32, texts, rendered["images"])
        image = self.folder / "postgres.sif"
        image.write_text("image")
        Path(f"{image}.sha256").write_text(f"{'5a' * 32}  postgres.sif\n")
        run.write_json("provenance.json", known)
        run.write_text("images.tsv", f"{image}\t5\t{'5a' * 32}\t{json.dumps({'digest': 'sha256:' + 'ab' * 32})}\n")
        run.write_json("provenance.json", provenance.after_collection(run))
        return run


@pytest.fixture(scope="module")
def plays(tmp_path_factory):
    return Plays(tmp_path_factory.mktemp("again"))


@pytest.fixture(scope="module")
def first(plays):
    rendered, _text = plays.render("-l", "site", run_recipe=str(plays.folder / "mine.yml"))
    return plays.store(rendered), rendered


def test_the_same_again(plays, first):
    run, then = first
    (plays.folder / "mine.yml").write_text(RECIPE.replace("seed: 7", "seed: 8"))  # the stored recipe counts
    now, text = plays.render("-l", "site", run_rerun_of=run.id)
    plan = now["plan"]
    assert plan["run_id"] != run.id and plan["benchmarks"]["seed"] == 7
    assert provenance.plan_sha256(plan) == provenance.plan_sha256(then["plan"])
    assert plan["recipe"] == then["plan"]["recipe"]
    assert plan["extra"] == {"rerun_of": run.id, "images": {"service": str(plays.folder / "postgres.sif")}}
    assert now["images"][0]["path"] == str(plays.folder / "postgres.sif")
    assert "the same file, sha256 5a5a5a5a5a5a…" in text
    assert f"again: run {run.id}" in text
    assert now["files"]["recipe.yml"].strip() == run.read_text("recipe.yml").strip()
    assert "plan:" not in text and "inventory:" not in text
    again = provenance.at_submission(plan, None, None, {}, [])
    assert again["rerun_of"] == run.id


def test_what_differs_is_said(plays, first):
    run, _then = first
    image = plays.folder / "postgres.sif"
    Path(f"{image}.sha256").write_text(f"{'6b' * 32}  postgres.sif\n")
    provenance_then = run.read_json("provenance.json")
    provenance_then["collection"]["version"] = "0.0.1"
    run.write_json("provenance.json", provenance_then)
    spec = run.read_json("spec.json")
    spec["service"]["stop_grace_s"] = 5
    run.write_json("spec.json", spec)
    now, text = plays.render("-l", "other", "--diff", run_rerun_of=run.id[:-2])
    assert now["images"][0]["reference"] == f"docker://docker.io/library/postgres@sha256:{'ab' * 32}"
    for line in (
        "fetched by its digest, sha256:abababababab…",
        "collection.version: 0.0.1 → ",
        "collection.agent_sha256: 0000",
        "inventory: cluster.account: p1 → p2",
        "inventory: cluster.name: site → other",
        "service type: service.stop_grace_s: 5 → ",
        "scripts: ",
        "-#SBATCH --account=p1",
        "+#SBATCH --account=p2",
        "#SBATCH --job-name=aifactory-RUN_ID-service",
    ):
        assert line in text, (line, text)


# -- the playbook ----------------------------------------------------------------------------------------


def test_a_run_that_is_not_there_or_not_whole_is_explained(plays, tmp_path):
    code, text = plays.play(ROOT / "playbooks/rerun.yml", run="20200101-000000-x-0000")
    assert code != 0 and text.count("there is no run '20200101-000000-x-0000'") == 1 and "Traceback" not in text
    run, _record = finished(tmp_path, "finished")[:2]
    run.file("recipe.yml").unlink()
    code, text = plays.play(ROOT / "playbooks/rerun.yml", "-l", "site", benchmark_home=str(tmp_path), run=run.id)
    assert code != 0 and "can't be run again" in text and "has no recipe.yml" in text and "Traceback" not in text


def test_the_new_run_says_which_one_it_repeats(tmp_path):
    run = samples.make(tmp_path, "finished")
    plan = {**run.read_json("plan.json"), "extra": {"rerun_of": "20260101-000000-x-0001"}}
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils.finish import finish

    record = finish(run, plan, run.read_json("jobs.json"), None, {}, now=samples.BEGIN + 99)
    assert record["rerun_of"] == "20260101-000000-x-0001"
    assert "again: run 20260101-000000-x-0001" in screen.summary(run, record)
