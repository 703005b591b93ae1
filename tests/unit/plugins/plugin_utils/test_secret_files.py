# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import secret_files
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError


def shipped(service=None, clients=None, **variables):
    plan = {"service": {"secrets": service or {}}, "clients": {"secrets": clients or {}}}
    return secret_files.shipped(plan, variables.get)


def test_each_source(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "from env")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "word").write_text("from file\n")
    service = {"A": {"env": "TOKEN"}, "B": {"file": "~/word"}}
    assert shipped(service, {"C": {"variable": "vaulted"}}, vaulted="from vault") == {
        "secrets/env.service.A": b"from env",
        "secrets/env.service.B": b"from file",
        "secrets/env.clients.C": b"from vault",
    }


def test_every_missing_one_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH", raising=False)
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    service = {
        "A": {"env": "NO_SUCH"}, "B": {"file": str(tmp_path / "none")}, "C": {"file": str(tmp_path / "empty")},
        "D": {"file": str(tmp_path / "binary")},
    }  # fmt: skip
    with pytest.raises(RunError) as raised:
        shipped(service, {"E": {"variable": "no_such"}, "F": {"variable": "nul"}}, nul="a\0b")
    text = str(raised.value)
    assert "service.secrets.A: the environment variable NO_SUCH of the controller is not set" in text
    assert f"service.secrets.B: {tmp_path}/none can't be read: No such file" in text
    assert f"service.secrets.C: {tmp_path}/empty is empty" in text
    assert "it is no text" in text
    assert "client.secrets.E: the variable no_such is not set" in text
    assert "client.secrets.F: the variable nul holds a NUL" in text
    assert text.endswith("Nothing was submitted")


def test_a_plan_of_before_has_none():
    assert secret_files.shipped({"service": {}, "clients": {}}, {}.get) == {}


def registries(given, pulls=True):
    plan = {"service": {}, "clients": {}}
    return secret_files.shipped(plan, {"benchmark_registries": given}.get, pulls=pulls)


def test_the_accounts_of_registries_go_with_a_run_that_pulls():
    given = {"a.b": {"username": "u", "password": "p"}, "c:5000": {"insecure": True}}
    [(name, content)] = registries(given).items()
    assert name == "secrets/registries.json"
    assert json.loads(content) == {
        "a.b": {"username": "u", "password": "p", "insecure": False},
        "c:5000": {"insecure": True},
    }
    assert registries(given, pulls=False) == registries({}) == registries(None) == {}


@pytest.mark.parametrize("given", ["a.b", {"a.b": "u:p"}, {"a.b": {"username": "u"}}, {"a.b": {"user": "u"}}])
def test_half_an_account_is_refused(given):
    with pytest.raises(RunError, match=r"benchmark_registries.*username: ….*Nothing was submitted"):
        registries(given)
