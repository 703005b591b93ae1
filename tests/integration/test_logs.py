# SPDX-License-Identifier: MIT
"""Logs of a run on a cluster: followed while it goes on, merged and searched afterwards."""

from __future__ import annotations

import pytest

from .conftest import assert_measured, assert_nothing_left

pytestmark = pytest.mark.integration


def test_logs_are_followed_while_a_run_goes_on_and_read_afterwards(play, recipe, home):
    [run] = play("run", "-e", f"recipe={recipe(duration='20s')}", "-e", "watch_timeout=1").run_ids()
    short = play("logs", "-e", "follow=true", "-e", "follow_timeout=2", "-e", f"run={run}")
    assert short.rc == 0 and "goes on; follow its logs again" in short.output, short.output
    followed = play("logs", "-e", "follow=true", "-e", "follow_timeout=120", "-e", f"run={run}", "-e", "tail=1000")
    assert followed.rc == 0, followed.output
    assert "database system is ready to accept connections" in followed.output
    assert '"event":"stopped"' in followed.output and "no more is to come" in followed.output
    assert_measured(play("watch", "-e", f"run={run}"), home, run)
    merged = play("logs", "-e", f"run={run}", "-e", "merge=true", "-e", "tail=0")
    order = [merged.output.index(text) for text in ('"event":"job_started"', "ready to accept", '"event":"done"')]
    assert order == sorted(order), merged.output
    found = play("logs", "-e", "run=all", "-e", "search=ready to accept")
    assert f"{run}/logs/service.log" in found.output and "in 1 of 1 run" in found.output
    assert_nothing_left([run])
