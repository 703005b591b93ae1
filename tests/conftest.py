# SPDX-License-Identifier: MIT
"""Makes the checkout importable as ansible_collections.aifactory.benchmark, wherever it lies."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / ".collections"


def _link_checkout() -> None:
    link = COLLECTIONS / "ansible_collections" / "aifactory" / "benchmark"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(Path("..") / ".." / "..")


# a busy machine is no fault of what is tested
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
_link_checkout()
sys.path.insert(0, str(COLLECTIONS))
os.environ.setdefault("ANSIBLE_COLLECTIONS_PATH", str(COLLECTIONS))


@pytest.fixture(scope="session")
def unicode_table() -> None:
    """Where a test looks at memory: hypothesis makes this table once, of 200 MB, and keeps it in a file."""
    given(st.text())(lambda text: None)()


def cluster_of(item: pytest.Item) -> str:
    """The cluster that a test works on: its parameter, else what `pytest.mark.cluster` says, else `local`."""
    marker = item.get_closest_marker("cluster")
    named = re.search(r"\[(?:.*-)?(local\d*)\b", item.name)
    return named[1] if named else marker.args[0] if marker else "local"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two test runs at once, each on a cluster of its own."""
    parser.addoption("--cluster", metavar="NAME", help="of the tests that work on a cluster only those on this one")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other clusters."""
    wanted = config.getoption("cluster")
    others = [item for item in items if wanted and _works_on_a_cluster(item) and cluster_of(item) != wanted]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _works_on_a_cluster(item: pytest.Item) -> bool:
    return bool({"integration", "faults"} & set(item.path.relative_to(ROOT).parts))
