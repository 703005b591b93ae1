# SPDX-License-Identifier: MIT
"""The API answers as its OpenAPI document says, whatever it is sent."""

from __future__ import annotations

import itertools

import pytest
import schemathesis
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.app import create_app
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import Refused
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.settings import Settings
from hypothesis import HealthCheck, given, settings

from ..test_finish import finished

EXAMPLES = 6  # of each operation, of requests that are right and of some that are not


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The document and the application of a controller with a few runs; nothing is launched."""
    home = tmp_path_factory.mktemp("home")
    run, _record = finished(home, "finished")
    here = Settings(home=home, directory=str(home))
    app = create_app(here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "start", _refuse)
        headers = {"Authorization": f"Bearer {here.token()}"}
        yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=headers), headers, run.id


def _refuse(*_unused, **_more):
    raise Refused("nothing is launched here")


def test_every_answer_is_as_the_document_says(api):
    schema, headers, run_id = api
    known = {"run_id": run_id, "origin": "shipped", "name": "quickstart"}
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 15
    for operation, mode in itertools.product(operations, schemathesis.GenerationMode):
        examine(operation, mode, headers, known)


def examine(operation, mode, headers, known):
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def check(case):
        if mode == schemathesis.GenerationMode.POSITIVE:
            case.path_parameters.update({name: known[name] for name in known if name in case.path_parameters})
        case.call_and_validate(headers=headers)

    check()
