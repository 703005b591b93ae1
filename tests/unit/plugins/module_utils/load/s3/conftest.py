# SPDX-License-Identifier: MIT
"""A real server of S3."""

from __future__ import annotations

from pathlib import Path

import pytest

from .. import servers


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory):
    """One of the tests of a file; each test clears what it makes."""
    with servers.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture
def s3(load):
    """s3(server, settings=…, order's fields…): a load with the server's credentials as the run's secrets."""

    def make(*services, **fields):
        made = load("s3", *services, **fields)
        folder = Path(made.context.run_dir) / "secrets"
        folder.mkdir(exist_ok=True)
        (folder / "access_key").write_text(servers.ACCESS_KEY + "\n")
        (folder / "secret_key").write_text(servers.SECRET_KEY + "\n")
        return made

    return make
