# SPDX-License-Identifier: MIT
"""What a tag means, asked of the registry of the integration tests: open, private, and gone."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.apptainer import registry

from tests.integration.standin.registry import Registry

ACCOUNT = ("user", "pass:word")


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """No account is known but the test's."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in registry.environment(ACCOUNT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_an_open_registry():
    with Registry() as server:
        assert registry.resolve(f"docker://{server.name}:1", no_https=True) == server.digest
        assert registry.resolve(f"docker://{server.name}:2", no_https=True) is None
        assert registry.resolve(f"docker://{server.name}@{server.digest}", no_https=True) is None, "it is one already"


def test_a_private_registry():
    with Registry(ACCOUNT) as server:
        reference = f"docker://{server.name}:1"
        assert registry.resolve(reference, no_https=True) is None
        assert registry.resolve(reference, ("user", "wrong"), no_https=True) is None
        assert registry.resolve(reference, ACCOUNT, no_https=True) == server.digest


def test_the_accounts_that_the_runtime_and_docker_know(monkeypatch, tmp_path):
    with Registry(ACCOUNT) as server:
        reference, host = f"docker://{server.name}:1", server.name.partition("/")[0]
        monkeypatch.setenv("APPTAINER_DOCKER_USERNAME", ACCOUNT[0])
        monkeypatch.setenv("APPTAINER_DOCKER_PASSWORD", ACCOUNT[1])
        assert registry.resolve(reference, no_https=True) == server.digest
        monkeypatch.delenv("APPTAINER_DOCKER_USERNAME")
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker/config.json").write_text("not json")
        assert registry.known_credentials(host) is None
        auth = base64.b64encode(":".join(ACCOUNT).encode()).decode()
        (tmp_path / ".docker/config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
        assert registry.known_credentials(host) == ACCOUNT
        assert registry.known_credentials("docker.io") is None


def test_a_registry_that_is_not_there():
    with Registry() as server:
        reference = f"docker://{server.name}:1"
    assert registry.resolve(reference, no_https=True) is None


@pytest.mark.parametrize(
    ("reference", "host"),
    [("docker://docker.io/library/postgres:17", "docker.io"), ("oras://a.b:5000/c:1", "a.b:5000"),
     ("library://x/y:1", None), ("/a/b.sif", None), ("oci-archive:/a", None)],
)  # fmt: skip
def test_the_host(reference, host):
    assert registry.host_of(reference) == host
