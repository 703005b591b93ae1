# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pty

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import terminal


@pytest.fixture
def pseudo():
    """A descriptor of this process that is a terminal of 40 columns."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    yield slave
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("nobody", [*terminal.NOBODY, None])
def test_a_terminal_with_nobody_at_it_is_none(pseudo, nobody):
    environ = {"TERM": "xterm", **({nobody: "1"} if nobody else {})}
    assert terminal.attended(pseudo, environ, os.getpid()) is (nobody is None)


def test_no_colour_does_not_mean_no_person(pseudo):
    assert terminal.attended(pseudo, {"TERM": "xterm", "NO_COLOR": "1"}, os.getpid())
    assert not terminal.attended(pseudo, {"TERM": "dumb"}, os.getpid())


def test_a_file_is_no_terminal(tmp_path):
    with (tmp_path / "out").open("w") as stream:
        assert not terminal.attended(stream.fileno(), {"TERM": "xterm"}, os.getpid())
        assert terminal.columns(stream.fileno(), os.getpid()) == 80


def test_its_width_is_told(pseudo):
    assert terminal.columns(pseudo, os.getpid()) == 40
