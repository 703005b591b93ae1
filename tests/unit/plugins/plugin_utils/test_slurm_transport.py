# SPDX-License-Identifier: MIT
"""The variables that choose a way to Slurm, and what is said when one is wrong."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import slurm_transport

from ..module_utils.slurm.rest.samples import token

URL = {"benchmark_slurmrestd_url": "http://127.0.0.1:1"}


def rest(monkeypatch, jwt="", **variables):
    monkeypatch.setenv("SLURM_JWT", jwt)
    return slurm_transport.rest_slurm({**URL, **variables}.get)


def test_modules_are_the_default_and_only_known_ways_are_taken():
    assert slurm_transport.transport({}.get) == "python"
    assert slurm_transport.transport({"benchmark_slurm_transport": "shell"}.get) == "shell"
    with pytest.raises(SlurmError, match=r"benchmark_slurm_transport: 'ssh' .*choose python, shell, slurmrestd"):
        slurm_transport.transport({"benchmark_slurm_transport": "ssh"}.get)


def test_the_token_comes_from_the_variable_then_the_file_then_the_environment(monkeypatch, tmp_path):
    path = tmp_path / "token"
    path.write_text(f"SLURM_JWT={token(sun='of-file')}\n")
    path.chmod(0o600)
    of_file = {"benchmark_slurmrestd_token_file": str(path)}
    environment = token(sun="of-environment")
    assert rest(monkeypatch, environment).user_name == "of-environment"
    assert rest(monkeypatch, environment, **of_file).user_name == "of-file"
    given = {"benchmark_slurmrestd_token": token(sun="of-variable")}
    assert rest(monkeypatch, environment, **of_file, **given).user_name == "of-variable"
    assert rest(monkeypatch, token(sun=None), benchmark_slurmrestd_user="said").user_name == "said"


def test_a_token_that_others_can_read_is_refused(monkeypatch, tmp_path):
    path = tmp_path / "token"
    path.write_text(token())
    path.chmod(0o644)
    with pytest.raises(SlurmError, match="chmod 600"):
        rest(monkeypatch, benchmark_slurmrestd_token_file=str(path))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"benchmark_slurmrestd_url": None}, "no benchmark_slurmrestd_url"),
        ({"benchmark_slurmrestd_url": "slurm:6820"}, "benchmark_slurmrestd_url"),
        ({"benchmark_slurmrestd_token_file": "/nowhere"}, "benchmark_slurmrestd_token_file: /nowhere"),
        ({"benchmark_slurmrestd_version": "41"}, "benchmark_slurmrestd_version"),
        ({"benchmark_slurmrestd_timeout_s": "soon"}, "benchmark_slurmrestd_timeout_s"),
        ({"benchmark_slurmrestd_timeout_s": 0}, "benchmark_slurmrestd_timeout_s"),
    ],
)
def test_the_wrong_variable_is_named(monkeypatch, variables, words):
    with pytest.raises(SlurmError) as caught:
        rest(monkeypatch, token(), **variables)
    assert words in str(caught.value)
    assert token() not in str(caught.value)


def test_no_token_at_all(monkeypatch):
    with pytest.raises(SlurmError, match="benchmark_slurmrestd_token_file or in the environment as SLURM_JWT"):
        rest(monkeypatch)
