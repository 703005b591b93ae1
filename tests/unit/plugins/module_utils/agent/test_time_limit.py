# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import time_limit

COLLECTIONS = Path(__file__).resolve().parents[5] / ".collections"


@pytest.mark.parametrize(
    ("limit_s", "ran_s", "text"),
    [
        (None, 10, "SIGTERM: the job was cancelled or reached its time limit while it was starting"),
        (1800, 10, "SIGTERM: the job was cancelled while it was starting"),
        (1800, 1700, "SIGTERM: the job reached its time limit of 1800 s while it was starting, or was cancelled:"
         " raise service.time_limit"),
        (120, 10, "SIGTERM: the job reached its time limit of 120 s while it was starting, or was cancelled:"
         " raise service.time_limit"),
    ],
)  # fmt: skip
def test_what_is_sure_is_said(monkeypatch, limit_s, ran_s, text):
    monkeypatch.setattr(time_limit, "ran_s", lambda: ran_s)
    assert time_limit.why_ended(signal.SIGTERM, limit_s, "service", "while it was starting") == text


def test_the_time_counts_from_the_script_that_became_the_agent():
    code = f"from {time_limit.__name__} import ran_s; print(ran_s())"
    argv = ["sh", "-c", 'sleep 1; exec "$@"', "sh", sys.executable, "-c", code]
    env = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    done = subprocess.run(argv, check=True, capture_output=True, text=True, env=env)
    assert float(done.stdout) >= 1
