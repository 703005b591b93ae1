# SPDX-License-Identifier: MIT
"""What a thread waited for a CPU, by the kernel's own files."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import pressure


def test_the_kernels_files(tmp_path):
    path = tmp_path / "file"
    path.write_text("some avg10=0.18 avg60=3.27 avg300=5.08 total=33619207\nfull avg10=0.00 total=9\n")
    assert pressure.cpu_stalled_us(path) == 33619207
    path.write_text("123456 789 12\n")
    assert pressure.run_delay_ns(path) == 789


@pytest.mark.parametrize("text", ["", "some\n", "nonsense"])
def test_what_is_not_there_is_unknown(tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    assert pressure.cpu_stalled_us(path) is None
    assert pressure.run_delay_ns(path) is None
    assert pressure.cpu_stalled_us(tmp_path / "none") is None


def test_only_the_thread_that_made_it_is_measured():
    """The path names the thread, whoever reads it later."""
    found = {}

    def other():
        found["strain"] = pressure.Strain(time.time())
        time.sleep(0.05)

    thread = threading.Thread(target=other)
    thread.start()
    assert str(thread.native_id) != str(threading.get_native_id())
    thread.join()
    assert str(thread.native_id) in found["strain"].schedstat
