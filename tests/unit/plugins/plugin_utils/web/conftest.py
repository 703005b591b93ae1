# SPDX-License-Identifier: MIT
"""The web UI of a controller with a run of every kind."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.app import create_app
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings

from .. import samples
from ..test_finish import finished

INVENTORY = "[clusters]\nfirst\nsecond\n[clusters:vars]\nansible_host=127.0.0.1\nansible_port=9\n"  # nobody answers


def fill(home):
    """Runs by their variant; the one that goes on has no run.json yet."""
    runs = {}
    for number, variant in enumerate(samples.VARIANTS):
        goes_on = variant == "running"
        runs[variant] = samples.make(home, variant, number) if goes_on else finished(home, variant, number)[0]
    runs["again"] = finished(home, "finished", 77)[0]
    return runs


@pytest.fixture(scope="module")
def module_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return home, fill(home)


@pytest.fixture(scope="module")
def settings(module_home, tmp_path_factory):
    inventory = tmp_path_factory.mktemp("inventory") / "hosts"
    inventory.write_text(INVENTORY)
    return Settings(home=module_home[0], inventory=(str(inventory),), directory=str(inventory.parent))


@pytest.fixture(scope="module")
def app(settings):
    return create_app(settings)


@pytest.fixture(scope="module")
def runs(module_home):
    return module_home[1]


@pytest.fixture
def stranger(app):
    """A client without a session."""
    return app.test_client()


@pytest.fixture
def client(app, settings):
    """A client that has logged in."""
    found = app.test_client()
    assert found.post("/login", data={"token": settings.token()}).status_code == 303
    return found


@pytest.fixture
def csrf(client):
    """What the forms of its session carry."""
    with client.session_transaction() as session:
        return session["csrf"]


@pytest.fixture
def program(app, settings):
    """A client with the token in its header."""
    found = app.test_client()
    found.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {settings.token()}"
    return found
