# SPDX-License-Identifier: MIT
"""One process that renders, for all tests of this folder; how many recipes each property is tried with."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from .renderer import Renderer, Shell

# make test-injection tries as many as hold 100,000 hostile values
EXAMPLES = int(os.environ.get("INJECTION_RECIPES", "8"))
TRIED = {"recipes": 0, "values": 0}


def tries(factor: int) -> settings:
    """How often a property is tried."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=factor * EXAMPLES, deadline=None, suppress_health_check=checks)


recipes = tries(1)


def count(parts: Any) -> None:
    """Note that a recipe with these hostile values was tried."""
    TRIED["recipes"] += 1
    TRIED["values"] += _texts(parts)


def _texts(parts: Any) -> int:
    if isinstance(parts, dict):
        return sum(map(_texts, parts.values()))
    return sum(map(_texts, parts)) if isinstance(parts, list) else isinstance(parts, str)


def pytest_terminal_summary(terminalreporter):
    if TRIED["recipes"]:
        terminalreporter.write_line(f"injection: {TRIED['values']} hostile values in {TRIED['recipes']} recipes")


@pytest.fixture(scope="session")
def render():
    renderer = Renderer()
    yield renderer
    renderer.close()


@pytest.fixture(scope="session")
def folder():
    """An empty folder whose name has nothing special, whatever pytest's has."""
    with tempfile.TemporaryDirectory(prefix="aifactory-injection-") as path:
        yield Path(path)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A shell for job scripts."""
    return Shell(tmp_path_factory.mktemp("shell"), "srun", "module", "standin-python")
