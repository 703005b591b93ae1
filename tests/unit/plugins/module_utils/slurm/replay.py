# SPDX-License-Identifier: MIT
"""Replays recordings of real Slurm output (tests/unit/fixtures/slurm/VERSION/*.json, made by record.py)."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import table

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "slurm"
VERSIONS = sorted(path.parent.name for path in FIXTURES.glob("*/jobs-running.json"))
assert VERSIONS, "no recordings below " + str(FIXTURES)


def recording(version, name):
    return json.loads((FIXTURES / version / (name + ".json")).read_text())


class Replay:
    """A `run` that answers as Slurm answered, call by call; a call that was not recorded fails the test."""

    def __init__(self, calls):
        self.calls = list(calls)
        self.asked = []

    def __call__(self, argv, stdin=None):
        assert argv[: len(table.ENVIRONMENT)] == table.ENVIRONMENT
        words = argv[len(table.ENVIRONMENT) :]
        self.asked.append(words)
        assert self.calls, f"not recorded: {words}"
        call = self.calls.pop(0)
        assert words == call["argv"]
        return call["rc"], call["stdout"], call["stderr"]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now_s=1_800_000_000.0):
        self.now_s = now_s

    def time(self):
        return self.now_s

    monotonic = time

    def sleep(self, seconds):
        self.now_s += seconds
