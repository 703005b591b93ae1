# SPDX-License-Identifier: MIT
"""What a user is told when the target host's Python is too old for the controller's ansible-core, or not there."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import target_python


@pytest.mark.parametrize(
    ("core", "oldest"),
    [
        ("2.15.3", (3, 6)),
        ("2.16.14", (3, 6)),
        ("2.17.0", (3, 7)),
        ("2.19.4", (3, 8)),
        ("2.20.0", (3, 9)),
        ("2.30.1", (3, 9)),
    ],
)
def test_the_oldest_python_of_each_core(core, oldest):
    assert target_python.needed(core) == oldest


# As ansible-core 2.16 to 2.21 said it on hosts with Python 3.6 and with none.
@pytest.mark.parametrize(
    "result",
    [
        {"failed": True, "msg": "Module result deserialization failed: No start of json char found"},
        {"failed": True, "msg": "The module interpreter '/nowhere/python3' was not found."},
        {"failed": True, "msg": "ansible-core requires a minimum of Python version 3.8. Current version: 3.6"},
        {"failed": True, "msg": "MODULE FAILURE: No start of json char found", "module_stderr": "SyntaxError: future"},
        {
            "failed": True,
            "msg": "MODULE FAILURE",
            "module_stderr": "/bin/sh: 1: /nowhere/python3: not found\n",
            "rc": 127,
        },
    ],
)
def test_the_signs_of_such_a_python(result):
    assert target_python.is_suspect(result)


@pytest.mark.parametrize("result", [{"failed": False}, {"failed": True, "msg": "Invalid account"}, {"jobs": []}])
def test_what_is_no_sign(result):
    assert not target_python.is_suspect(result)


def test_what_to_set_is_said():
    told = target_python.explanation("mel", "/usr/bin/python3", "3.6\n", "2.19.4")
    assert told.startswith("mel: /usr/bin/python3 is Python 3.6; modules of ansible-core 2.19 need Python 3.8 or newer")
    assert "ansible_python_interpreter" in told and "benchmark_slurm_transport to shell" in told
    assert "there is no python3 that runs" in target_python.explanation("mel", "python3", "", "2.16.1")


def test_a_python_that_is_new_enough_is_not_blamed():
    assert target_python.explanation("mel", "python3", "3.8\n", "2.19.4") is None
    assert target_python.explanation("mel", "python3", "banner\n3.10\n", "2.19.4") is None
    assert target_python.explanation("mel", "python3", "3.6\n", "2.16.14") is None
