# SPDX-License-Identifier: MIT
"""Renders recipes and runs what comes of them in a real shell, whose programs are stand-ins that only take notes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
# The file that a payload tries to make, and what it would be if it succeeded.
CANARY = "/tmp/aifactory-injection-canary"
_RECORDER = """#!/bin/sh
# A stand-in: notes down its name, its arguments and its environment, NUL after each, and does nothing else.
f=$(/bin/mktemp "$STANDIN_CALLS/XXXXXXXX") || exit 99
{ printf '%s\\0' "${0##*/}" "$#" "$@"; /usr/bin/env -0; } >"$f"
[ "${0##*/}" != postgres ] || /bin/cat >"$f.input"
"""


def yaml_of(recipe: dict[str, Any]) -> str:
    """A recipe as YAML: every text in double quotes, every sign escaped, so that what is loaded is what was dumped."""
    return yaml.safe_dump(recipe, default_style='"', width=10**9)


class Renderer:
    """A process that renders (rendering.py)."""

    def __init__(self) -> None:
        env = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".collections"), PYTHONIOENCODING="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.injection.rendering"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, folder: Path, recipe: dict[str, Any] | str, **site: Any) -> dict[str, Any]:
        self.process.stdin.write(json.dumps({"folder": str(folder), "recipe": recipe, "site": site}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process that renders has ended: its words are above"
        answer = json.loads(line)
        assert "broken" not in answer, answer["broken"]
        return answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@dataclass(frozen=True)
class Call:
    """One call of a stand-in."""

    name: str
    args: list[str]
    env: dict[str, str]
    given: str = ""  # on standard input


class Shell:
    """Runs scripts in `folder` with stand-ins of these programs before all others."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.folder = folder
        self.calls_folder = folder / "calls"
        self.standins = folder / "standins"
        for path in (self.calls_folder, self.standins):
            path.mkdir()
        for program in programs:
            self.add(program, _RECORDER)

    def add(self, program: str, text: str) -> None:
        path = self.standins / program
        path.write_text(text)
        path.chmod(0o755)

    def run(
        self, script: str, *, shell: str = "bash", env: dict[str, str] | None = None, strict: bool = True
    ) -> list[Call]:
        """The calls that a script made. Fails where a payload ran or, if `strict`, the shell complained."""
        for path in self.calls_folder.iterdir():
            path.unlink()
        Path(CANARY).unlink(missing_ok=True)
        path = self.folder / "script"
        path.write_bytes(script.encode())
        environment = {
            "PATH": f"{self.standins}:/usr/bin:/bin", "STANDIN_CALLS": str(self.calls_folder), "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder), **(env or {}),
        }  # fmt: skip
        done = subprocess.run(
            [shell, str(path)], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert not Path(CANARY).exists(), f"a payload ran:\n{script}"
        complaint = (done.returncode, done.stderr) != (0, b"")
        assert not (strict and complaint), f"{done.stderr.decode(errors='replace')}\n{script}"
        calls = [_call(path) for path in self.calls_folder.iterdir() if not path.suffix]
        return sorted(calls, key=lambda call: (call.name, call.args))

    def close(self) -> None:
        shutil.rmtree(self.folder)


def _call(path: Path) -> Call:
    name, count, *rest = path.read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]
    number, given = int(count), path.with_suffix(".input")
    env = dict(pair.split("=", 1) for pair in rest[number:])
    return Call(name, rest[:number], env, given.read_text() if given.exists() else "")
