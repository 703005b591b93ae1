# SPDX-License-Identifier: MIT
"""Makes the checkout importable as ansible_collections.aifactory.benchmark, wherever it lies."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


def cluster_of(item: pytest.Item) -> str:
    """The cluster that a test works on: its parameter, else what `pytest.mark.cluster` says, else `local`."""
    marker = item.get_closest_marker("cluster")
    named = re.search(r"\[(?:.*-)?(local\d*)\b", item.name)
    return named[1] if named else marker.args[0] if marker else "local"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each cluster a worker of its own, with -n 2 --dist loadgroup."""
    for item in items:
        if {"integration", "faults"} & set(item.path.relative_to(ROOT).parts):
            item.add_marker(pytest.mark.xdist_group(cluster_of(item)))
