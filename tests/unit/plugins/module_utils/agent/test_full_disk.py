# SPDX-License-Identifier: MIT
"""A file system without room: what has to be said at the end of a run is said, and nothing raises that must not."""

from __future__ import annotations

import errno
import json
import os
import subprocess

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import console, errors, run_dir
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.events import EventLog

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")


@pytest.fixture
def disk(tmp_path):
    """A folder on a file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder) -> None:
    """Not a byte is free afterwards."""
    with open(folder / "filler", "ab", buffering=0) as stream, pytest.raises(OSError, match="No space"):
        while True:
            stream.write(bytes(4096))


def test_the_room_that_was_reserved_is_used_at_the_end(disk):
    run_dir.reserve(str(disk / "reserve"))
    beat = run_dir.Heartbeat(str(disk / "alive"))
    fill(disk)
    before = (disk / "alive").read_text()
    beat.beat()
    assert (disk / "alive").read_text() > before
    run_dir.write_json(str(disk / "clients.done"), {"ok": False})
    assert json.loads((disk / "clients.done").read_text()) == {"ok": False}
    assert not (disk / "reserve").exists()
    fill(disk)
    with pytest.raises(OSError, match="No space"):
        run_dir.write_json(str(disk / "more"), {"ok": False})
    assert sorted(path.name for path in disk.iterdir()) == ["alive", "clients.done", "filler"], "no half file"


def test_no_room_at_the_start_is_said_at_once(disk):
    fill(disk)
    with pytest.raises(errors.AgentError, match="make room below benchmark_scratch"):
        run_dir.reserve(str(disk / "reserve"))


def test_events_wait_for_room_and_come_whole(disk):
    log = EventLog(str(disk / "service.jsonl"), "service")
    fill(disk)
    number = 0
    while not log.waiting:  # the page that the file has already is filled first, and the last line is half there
        log.emit("progress", number=number)
        number += 1
    log.emit("stopped", number=number)
    os.truncate(disk / "filler", 0)
    log.emit("late", number=number + 1)
    os.close(log.descriptor)
    lines = [json.loads(line) for line in (disk / "service.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(number + 2))


def test_the_last_event_finds_the_room_that_was_reserved(disk):
    log = EventLog(str(disk / "clients.jsonl"), "clients")
    run_dir.reserve(str(disk / "reserve"))
    fill(disk)
    while not log.waiting:
        log.emit("progress")
    log.emit("failed", reason="No space left on device")
    last = (disk / "clients.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["reason"] == "No space left on device" and log.waiting == b""
    os.close(log.descriptor)


def test_a_line_of_output_that_finds_no_room_is_lost(disk):
    fill(disk)
    out = os.dup(1)
    with open(disk / "out", "wb") as stream:
        try:
            os.dup2(stream.fileno(), 1)
            console.tell("x")
        finally:
            os.dup2(out, 1)
            os.close(out)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/s/x"), "No space left on device for /s/x: make room"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded: make room"),
        (OSError(errno.EIO, "Input/output error", "/s/x"), "[Errno 5] Input/output error: '/s/x'"),
        (errors.AgentError("it is so"), "it is so"),
    ],
)
def test_the_remedy(error, text):
    assert errors.explain(error).startswith(text)
