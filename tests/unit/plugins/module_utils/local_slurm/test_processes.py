# SPDX-License-Identifier: MIT
"""Processes of our own: found again by number and start time, ended without touching anybody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import processes
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture
def sleeper():
    """A process, as a child whose end is waited for."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_record_survives_its_pid_file():
    record = processes.Record(4711, 123456, "0b15-77", "abcd")
    assert vars(processes.parse_record(record.line())) == vars(record)


@pytest.mark.parametrize("text", ["", "\n", "4711\n", "4711 1 x", "x 1 boot -", "1 x boot -", "1 2 3 4 5"])
def test_what_is_no_record_is_none(text):
    assert processes.parse_record(text) is None


@given(st.text())
def test_any_text_is_a_record_or_none(text):
    record = processes.parse_record(text)
    assert record is None or record.pid >= 0


def test_a_command_name_may_hold_parentheses_and_spaces():
    text = "77 (a) b (c)) S 12 " + " ".join(str(number) for number in range(5, 23)) + " 0 0"
    assert processes.parse_stat(text) == ("S", 12, 22)


def test_a_process_is_running_until_it_ended(sleeper):
    record = processes.record_of(sleeper.pid, "-")
    assert processes.is_running(record)
    sleeper.kill()  # a zombie from now on, since nobody waited for it
    assert processes.wait_gone([record], 5.0) == []
    assert not processes.is_running(record)


def test_a_number_that_went_to_another_process_is_not_ours(sleeper):
    record = processes.record_of(sleeper.pid, "-")
    for other in (
        processes.Record(record.pid, record.start_ticks + 1, record.boot_id, "-"),
        processes.Record(record.pid, record.start_ticks, "an earlier boot", "-"),
    ):
        assert not processes.is_running(other)
        processes.send(other, signal.SIGKILL)
    assert processes.stop_all([], 0.1) == []
    assert processes.is_running(record)


def test_what_ignores_sigterm_is_killed():
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE)
    process.stdout.readline()
    assert processes.stop_all([processes.record_of(process.pid, "-")], 0.2) == []
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def test_descendants_are_found_over_generations():
    process = subprocess.Popen(["sh", "-c", "sh -c 'sleep 60; :' & wait"], start_new_session=True)
    deadline = time.monotonic() + 10
    while len(processes.descendants(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(processes.descendants(process.pid)) == 2
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
