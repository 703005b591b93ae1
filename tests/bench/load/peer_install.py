# SPDX-License-Identifier: MIT
"""The load generators that are measured: each is installed once, into a cache outside the checkout.

A virtual environment for each, keyed by its pinned version; wrk and hey are the distribution's. What cannot be had
is said, with the reason, and never guessed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("AIFACTORY_PEERS", "~/.cache/aifactory-peers")).expanduser()
# guidellm wants torch: given first, so that pip takes a build for the CPU where the index in use has one.
PINNED = {
    "locust": ["locust==2.47.0"],
    "aiperf": ["aiperf==0.13.0"],
    "guidellm": ["torch==2.13.0", "guidellm==0.8.1"],
    "ours": ["uvloop==0.23.0"],
    "ours-stdlib": [],
}
PACKAGES = ("wrk", "hey")
_PYTHONS = ("python3.11", "python3.12", "python3")
_ENOUGH = (3, 11)


class NotToBeHad(Exception):
    """A peer can't be installed here; the message says why."""


@dataclass
class Installed:
    """name, version (str), and bin (Path): the folder with its commands."""

    name: str
    version: str
    bin: Path

    def command(self, name: str) -> str:
        """The path of one of its commands."""
        return str(self.bin / name)


def installed(name: str) -> Installed:
    """The peer, installed when it was not yet. Raises NotToBeHad."""
    return _package(name) if name in PACKAGES else _environment(name)


def _package(name: str) -> Installed:
    found = shutil.which(name)
    if not found:
        as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
        for words in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", name]):
            _must(name, [*as_root, *words])
        found = shutil.which(name)
        if not found:
            raise NotToBeHad(f"{name}: the package has no command of that name")
    asked = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True, check=False)
    return Installed(name, asked.stdout.strip() or "unknown", Path(found).parent)


def _environment(name: str) -> Installed:
    wanted = PINNED[name]
    version = wanted[-1].partition("==")[2] if wanted else "none"
    folder = CACHE / f"{name}-{version}"
    done = folder / "installed"
    if not done.exists():
        print(f"installing {' '.join(wanted) or name} into {folder}", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _must(name, [_python(name), "-m", "venv", str(folder)])
        pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
        for requirement in wanted:
            _must(name, [*pip, requirement])
        done.write_text("\n".join(wanted) + "\n")
    return Installed(name, version, folder / "bin")


def _python(name: str) -> str:
    for candidate in (sys.executable, *(shutil.which(word) for word in _PYTHONS)):
        if candidate and _version(candidate) >= _ENOUGH:
            return candidate
    raise NotToBeHad(f"{name}: no Python of at least {_ENOUGH[0]}.{_ENOUGH[1]} on the PATH")


def _version(python: str) -> tuple[int, ...]:
    asked = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
    return tuple(int(word) for word in re.findall(r"\d+", asked.stdout)[:2])


def _must(name: str, argv: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, check=False
        )
    except OSError as e:
        raise NotToBeHad(f"{name}: {e}") from e
    if done.returncode:
        lines = done.stdout.strip().splitlines() or ["no output"]
        raise NotToBeHad(f"{name}: {' '.join(argv)}: {lines[-1]}")
