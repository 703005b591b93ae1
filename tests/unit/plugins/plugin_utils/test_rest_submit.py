# SPDX-License-Identifier: MIT
"""A run's jobs by slurmrestd wait for each other as submit.sh has them wait, and each is submitted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import rest_submit

SUBMIT_SH = Path(__file__).parents[4] / "roles/run/files/submit.sh"


@pytest.mark.parametrize(
    ("role", "ids", "words"),
    [
        ("image", {}, []),
        ("service", {}, []),
        ("service", {"image": "1"}, ["--dependency=afterok:1", "--kill-on-invalid-dep=yes"]),
        ("clients", {"service": "2"}, ["--dependency=after:2"]),
        ("clients", {"image": "1", "service": "2"}, ["--dependency=after:2,afterok:1", "--kill-on-invalid-dep=yes"]),
    ],
)
def test_the_jobs_wait_as_in_submit_sh(role, ids, words):
    assert rest_submit.dependencies(role, ids) == words
    for word in words:
        written = word.replace(":1", ":$image_id").replace(":2", ":$service_id")
        option, _equals, value = written.partition("=")
        assert f'{option}="{value}"' in SUBMIT_SH.read_text() or written in SUBMIT_SH.read_text()


class Client:
    """Takes submissions down and gives ids."""

    def __init__(self):
        self.asked = []

    def submit_once(self, name, script, args, look, deadline_s):
        self.asked.append((name, script, args))
        return type("Submission", (), {"job_id": str(40 + len(self.asked)), "adopted": len(self.asked) == 1})


def test_each_job_is_named_after_the_run_and_told_of_those_before_it():
    client = Client()
    scripts = {"image": "#!i\n", "service": "#!s\n", "clients": "#!c\n"}
    jobs = list(rest_submit.submit(client, "run-1", scripts, ["--chdir=/r"], 60.0))
    assert [(job["role"], job["id"], job["adopted"]) for job in jobs] == [
        ("image", "41", True),
        ("service", "42", False),
        ("clients", "43", False),
    ]
    assert client.asked[2][0] == "aifactory-run-1-clients"
    assert client.asked[2][2] == ["--chdir=/r", "--dependency=after:42,afterok:41", "--kill-on-invalid-dep=yes"]
