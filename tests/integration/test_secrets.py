# SPDX-License-Identifier: MIT
"""Secrets that a recipe names reach the containers, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from .conftest import assert_nothing_left, ssh

pytestmark = pytest.mark.integration

IMAGES = Path("/var/lib/aifactory/local_cluster/images")
WORDS = ("the first\nword", "the second word", "the third word")


def is_word(variable: str, number: int) -> str:
    """A shell's test that a variable has one of the words, which does not name it."""
    digest = hashlib.sha256(WORDS[number].encode()).hexdigest()
    return f'test "$(printf %s "${variable}" | sha256sum)" = "{digest}  -"'


RECIPE = f"""
service:
  image: {IMAGES}/tools.sif
  command: '{is_word("HF_TOKEN", 0)} || exit 9; exec python3 -m http.server --bind "$SERVICE_ADDRESS" "$SERVICE_PORT"'
  port: 8080
  secrets: {{HF_TOKEN: {{env: TEST_TOKEN}}}}
  time_limit: "00:05:00"
client:
  command: '{is_word("KEY", 1)} && {is_word("OTHER", 2)} && test -z "$HF_TOKEN"'
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
    for word in (*WORDS, "the first\\nword"):
        assert [where for where, text in texts.items() if word in text] == []
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
