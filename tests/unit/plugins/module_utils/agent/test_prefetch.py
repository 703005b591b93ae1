# SPDX-License-Identifier: MIT
"""`agent.pyz prefetch`: the commands of service.prefetch, here on the host in the place of a container."""

from __future__ import annotations

import time

import pytest

WORD = "a word that nobody else has"


@pytest.fixture
def prefetch(run):
    """Start the agent with these commands; `env` stands for the container's runtime."""
    run.spec["service"]["environment_secrets"] = ["HF_TOKEN"]
    run.ship("secrets/env.service.HF_TOKEN", WORD)

    def start(*commands: str):
        run.spec["service"]["prefetch"] = list(commands)
        return run.start("prefetch", "env", f"DIRECTORY={run.root}/node/aifactory-{run.spec['run_id']}-service-%t")

    return start


def test_commands_run_one_after_another_with_the_services_surroundings(run, prefetch):
    target = run.path("target")
    first = f'echo "$SERVICE_NAME $HF_TOKEN $DIRECTORY" > {target}; echo x > "$SERVICE_DATA/x"; sleep 60 &'
    process = prefetch(first, f'test "$SERVICE_ADDRESS:$((SERVICE_PORT > 0))" = 127.0.0.1:1 && cat {target}')
    assert process.wait(20) == 0, run.output()
    data = f"{run.root}/node/aifactory-{run.spec['run_id']}-service"
    assert target.read_text() == f"thing {WORD} {data}\n"
    names = ["prefetch_started", "prefetch_done"]
    events = run.events("image")
    assert [event["event"] for event in events] == names * 2
    assert [(event["number"], event["count"]) for event in events[::2]] == [(1, 2), (2, 2)]
    assert events[1]["seconds"] < 30, "what it left in the background was ended"
    assert run.leftovers() == []
    assert run.path("control/prefetch.done").exists()
    assert run.path("logs/prefetch.log").read_text().startswith(f"$ {first}\n$ test ")


def test_the_first_that_fails_ends_it_and_is_named(run, prefetch):
    command = 'echo "401 Client Error: no access with $HF_TOKEN"; exit 3'
    process = prefetch("true", command, f"touch {run.path('never')}")
    assert process.wait(20) == 1
    failed = run.event("image", "failed")
    assert failed["reason"].startswith(
        f"the prefetch command '{command}' ended with exit code 3; the model may not be downloaded without a token ("
    )
    assert (failed["command"], failed["exit_code"]) == (command, 3)
    assert failed["log_tail"][-1] == "401 Client Error: no access with …"
    assert WORD not in str(run.events("image")) + run.output()
    assert "no access with …" in run.path("logs/prefetch.log").read_text()
    assert not run.path("never").exists() and not run.path("control/prefetch.done").exists()
    assert run.leftovers() == []


@pytest.mark.parametrize(("how", "reason"), [("stop", "stop was requested"), ("signal", "SIGTERM: the job was")])
def test_it_ends_when_it_is_told_to(run, prefetch, how, reason):
    run.ship("control/others", "")
    process = prefetch("sleep 60")
    run.wait_event("image", "prefetch_started")
    time.sleep(0.2)
    if how == "signal":
        process.terminate()
    else:
        run.path("control/stop").touch()
    assert process.wait(20) == 1
    assert run.event("image", "failed")["reason"].startswith(reason)
    assert run.leftovers() == []


def test_a_secret_that_was_not_shipped(run, prefetch):
    run.path("secrets/env.service.HF_TOKEN").unlink()
    process = prefetch("true")
    assert process.wait(20) == 1
    assert "the secret HF_TOKEN of the recipe is not there" in run.event("image", "failed")["reason"]
