# SPDX-License-Identifier: MIT
"""The same by ansible-playbook itself: nothing that a recipe says is taken for a template."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .hostile import PIECES
from .renderer import CANARY, ROOT, yaml_of

# another ansible-core: the path of its ansible-playbook
PLAYBOOK = os.environ.get("INJECTION_PLAYBOOK", str(Path(sys.executable).with_name("ansible-playbook")))
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - ansible.builtin.include_role: {name: aifactory.benchmark.run, tasks_from: render.yml}
      vars: {run_recipe: "{{ recipe }}"}
    - ansible.builtin.include_role: {name: aifactory.benchmark.clients}
    - ansible.builtin.copy:
        content: "{{ {'files': service_rendered.files | combine(clients_rendered.files), 'spec': service_rendered.spec}
          | to_json }}"
        dest: "{{ answer }}"
        mode: "0600"
"""
TEMPLATES = [
    "{{ lookup('pipe', 'touch " + CANARY + "') }}", "{{ 6 * 7 }}", "{{ undefined_variable }}", "{{", "{{ 1 }} {{", "%}",
    "{% raw %}", "#jinja2: trim_blocks: false\n{{ 1 }}", "{'a': 1}", "[1, 2]", "True", "!unsafe x", "{{ {{ 1 }} }}",
]  # fmt: skip


def played(folder: Path, recipe: dict) -> dict:
    """What ansible-playbook renders of a recipe."""
    (folder / "recipe.yml").write_text(yaml_of(recipe))
    (folder / "play.yml").write_text(PLAY)
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }
    variables = {
        "recipe": str(folder / "recipe.yml"),
        "benchmark_scratch": str(folder),
        "answer": str(folder / "answer"),
    }
    argv = [PLAYBOOK, "-i", "localhost,", "-e", json.dumps(variables), str(folder / "play.yml")]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "answer").read_text())


def comparable(answer: dict) -> dict:
    """Without the run's id, and with "" for null, as ansible-core before 2.19 has it."""
    text = json.dumps({name: answer[name] for name in ("files", "spec")})
    return json.loads(text.replace(answer["spec"]["run_id"], "ID").replace(": null", ': ""'))


def test_a_play_renders_what_the_other_tests_look_at(folder, render):
    """Hostile values everywhere, each role's settings with templates in them."""
    Path(CANARY).unlink(missing_ok=True)
    env = {f"V{number}": value for number, value in enumerate([*TEMPLATES, *PIECES])}
    job = {"image": "/i/{{ 1 }}.sif", "command": "echo {{ 6 * 7 }}", "env": env, "volumes": ["/{{ 1 }}:/{{ 2 }}"],
           "modules": [template for template in TEMPLATES if "\n" not in template]}  # fmt: skip
    service = {**job, "prefetch": TEMPLATES, "health": {"type": "command", "command": "{{ 6 * 7 }}"}}
    kinds = {
        "container": {},
        "postgresql": {"database": "{{ 6 * 7 }}", "extra_parameters": {"a": "{{ 6 * 7 }}"}},
        "vllm": {"model": "{{ 6 * 7 }}", "extra_arguments": TEMPLATES},
        "nginx": {"server_config": "{{ lookup('pipe', 'touch " + CANARY + "') }}\n{{ 1 }}"},
    }
    for kind, settings in kinds.items():
        recipe = {"service": {**service, "type": kind, "settings": settings}, "client": job}
        answer, wanted = played(folder, recipe), render(folder, recipe)
        assert "refused" not in wanted, wanted
        wanted["files"] = {name: text for name, text in wanted["files"].items() if name in answer["files"]}
        assert comparable(answer) == comparable(wanted)
        assert answer["spec"]["service"]["health"]["command"] == "{{ 6 * 7 }}"
        assert answer["spec"]["service"]["prefetch"][-len(TEMPLATES) :] == TEMPLATES
    assert not Path(CANARY).exists()
