# SPDX-License-Identifier: MIT
"""Workloads made up for the tests of recipes."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import workloads

MADE_UP = """
ENGINE = True
METRICS = ("recall", "inserted", "time_to_first_token")
SETTINGS = {
    "ef": {"type": "int", "default": 10, "min": 1, "description": "How far it looks."},
    "kind": {"type": "str", "default": "flat", "choices": ["flat", "graph"], "description": "The index."},
    "wait": {"type": "duration", "default": 0.0, "description": "A pause."},
    "quick": {"type": "bool", "default": False, "description": "In a hurry."},
    "data": {"type": "path", "default": "", "description": "A file."},
    "more": {
        "type": "list", "elements": "dict", "default": [],
        "options": {"file": {"type": "path", "default": ""}, "size": {"type": "int", "default": 1}},
        "description": "Further files.",
    },
}


def check(settings):
    if settings["kind"] == "flat" and settings["ef"] > 50:
        yield "ef", "%d is too far for kind flat" % settings["ef"], "lower it, or set kind: graph"
    for number, item in enumerate(settings["more"]):
        if item.get("size", 1) > 9:
            yield "more[%d].size" % number, "is too large", "take at most 9"


def check_input(setting, path):
    with open(path, "rb") as stream:
        if stream.read(3) == b"bad":
            raise ValueError("%s: line 1 is bad (%s)" % (path, setting))


class Workload:
    def kinds(self, settings):
        return ["put", "get"] if settings["quick"] else [""]
"""
DEMANDING = """
SETTINGS = {
    "size": {"type": "int", "required": True, "description": "How large it is. In bytes."},
    "level": {"type": "int", "default": 1, "description": "How hard it tries."},
}
"""


@pytest.fixture(scope="module")
def made_up_workloads(tmp_path_factory):
    """Two more workloads: `made_up` runs on the engine; `demanding`, a program, has a required setting.

    Of one module: the tests of the documentation want to see the real workloads only.
    """
    folder = tmp_path_factory.mktemp("workloads")
    for name, text in (("made_up", MADE_UP), ("demanding", DEMANDING)):
        (folder / f"{name}.py").write_text(text)
    workloads.__path__.append(str(folder))
    yield
    workloads.__path__.remove(str(folder))
    for name in ("made_up", "demanding"):
        sys.modules.pop(f"{workloads.__name__}.{name}", None)
