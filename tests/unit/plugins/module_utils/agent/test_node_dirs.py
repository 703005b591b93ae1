# SPDX-License-Identifier: MIT
"""Node-local directories: private, removed whatever was made in them, and nothing else touched."""

from __future__ import annotations

import os

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import node_dirs
from ansible_collections.aifactory.benchmark.plugins.module_utils.agent.errors import AgentError


def test_made_anew_and_removed_whatever_is_in_it(tmp_path):
    path = node_dirs.path({"run_id": "r", "node_tmp": str(tmp_path)}, node_dirs.client(7))
    assert path == f"{tmp_path}/aifactory-r-client-007"
    node_dirs.make(path)
    assert os.stat(path).st_mode & 0o777 == 0o700
    os.makedirs(f"{path}/a/b")
    open(f"{path}/a/b/file", "w").close()
    os.chmod(f"{path}/a/b", 0o500)
    os.chmod(f"{path}/a", 0o000)
    node_dirs.make(path)
    assert os.listdir(path) == []
    assert node_dirs.remove(path) is None and not os.path.exists(path)
    assert node_dirs.remove(path) is None


def test_a_link_of_somebody_else_is_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    mode = tmp_path.stat().st_mode
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    assert node_dirs.remove(str(tmp_path / "link"))
    with pytest.raises(AgentError, match="exists already and belongs to user"):
        node_dirs.make(str(tmp_path / "link"))
    assert (tmp_path / "precious").exists() and tmp_path.stat().st_mode == mode


def test_no_node_tmp(tmp_path):
    with pytest.raises(AgentError, match=r"cannot make the directory .*: No such file or directory; see benchmark"):
        node_dirs.make(str(tmp_path / "no/where"))
