# SPDX-License-Identifier: MIT
"""A real Redis."""

from __future__ import annotations

import pytest

from .. import servers
from ..test_engine import certificate  # noqa: F401  (the fixture)


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """One of the tests of a file; each test clears what it makes."""
    with servers.redis(tmp_path_factory.mktemp("redis")) as server:
        yield server
