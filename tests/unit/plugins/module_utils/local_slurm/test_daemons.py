# SPDX-License-Identifier: MIT
"""Daemons are started in the foreground, replaced when their configuration changed, and heal."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.local_slurm import daemons


@pytest.fixture
def daemon_of(tmp_path):
    """Makes daemons of a command; ends them all."""
    made = []

    def make(command, inputs="", name="sleeper"):
        daemon = daemons.Daemon(
            name=name,
            command=command,
            pid_file=str(tmp_path / (name + ".pid")),
            log=str(tmp_path / (name + ".log")),
            environment={"PATH": os.environ["PATH"]},
            inputs=inputs,
        )
        made.append(daemon)
        return daemon

    yield make
    daemons.stop(made)


def test_start_and_stop(daemon_of):
    daemon = daemon_of(["sleep", "60"])
    assert not daemon.is_current()
    daemon.start()
    assert daemon.is_current()
    assert daemons.stop([daemon]) == ["sleeper"]
    assert not Path(daemon.pid_file).exists()
    assert daemons.stop([daemon]) == []


@pytest.mark.parametrize(("command", "inputs"), [(["sleep", "61"], ""), (["sleep", "60"], "new configuration")])
def test_another_command_or_configuration_makes_it_out_of_date(daemon_of, command, inputs):
    daemon_of(["sleep", "60"]).start()
    later = daemon_of(command, inputs)
    assert later.record() is not None
    assert not later.is_current()


def test_a_stale_pid_file_is_nothing(daemon_of):
    daemon = daemon_of(["sleep", "60"])
    daemon.start()
    os.kill(daemon.record().pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while daemon.record() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert Path(daemon.pid_file).exists()
    assert not daemon.is_current()
    daemon.start()
    assert daemon.is_current()


def test_one_that_dies_is_told_with_its_last_words(daemon_of):
    daemon = daemon_of(["sh", "-c", "sleep 0.3; echo port is taken >&2; exit 1"])
    daemon.start()
    with pytest.raises(daemons.DaemonError, match=r"(?s)sleeper ended while port 1 was waited for.*port is taken"):
        daemons.wait_ready("port 1", lambda: False, [daemon], 10.0)


def test_one_that_is_never_ready_is_told(daemon_of):
    daemon = daemon_of(["sleep", "60"])
    daemon.start()
    with pytest.raises(daemons.DaemonError, match=r"(?s)sleeper did not get to port 1 in 0.1 s.*no log"):
        daemons.wait_ready("port 1", lambda: False, [daemon], 0.1)


def test_nothing_of_the_caller_s_environment_is_passed_on(daemon_of, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    daemon = daemon_of(["sh", "-c", "env; exec sleep 60"])
    daemon.start()
    output = tmp_path / "sleeper.out"
    daemons.wait_ready("output", lambda: "PATH=" in output.read_text(), [daemon], 5.0)
    assert "SECRET_OF_THE_CALLER" not in output.read_text()
