# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import openmetrics

from . import history, prometheus


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """benchmark_home with runs of every kind."""
    folder = tmp_path_factory.mktemp("home")
    history.runs(folder)
    return folder


@pytest.fixture(scope="session")
def server(home, tmp_path_factory):
    """A real Prometheus that has the history of these runs, and has asked one of them while it went on."""
    folder = tmp_path_factory.mktemp("prometheus")
    files = folder / "openmetrics"
    openmetrics.write_all(home, files, (), True, pytest.fail)
    (files / "live.om").write_text(history.live(home))
    prometheus.backfill(sorted(files.iterdir()), folder / "data")
    with prometheus.prometheus(folder) as found:
        yield found
