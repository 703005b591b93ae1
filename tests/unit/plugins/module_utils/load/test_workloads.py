# SPDX-License-Identifier: MIT
"""The registry, the settings as data, and each workload without a service."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.recorder import Recorder
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.shell import GONE, Shell, quote
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.workload import (
    Case,
    Context,
    LoadError,
    with_binds,
)

TYPES = {"raw": object, "str": str, "path": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


@pytest.mark.parametrize("name", registry.names())
def test_settings_are_complete_and_their_defaults_fit(name):
    for option, spec in registry.settings_of(name).items():
        assert spec["type"] in TYPES and spec["description"].endswith("."), option
        assert isinstance(spec["default"], TYPES[spec["type"]]), option
        assert spec["default"] in spec.get("choices", [spec["default"]])
    assert callable(registry.load(name).Workload().run)


def test_the_registry():
    assert {"command", "pgbench"} <= set(registry.names())
    with pytest.raises(KeyError, match="there is no workload 'nothing'; there are command"):
        registry.settings_of("nothing")
    assert registry.with_defaults("pgbench", {"scale": 3})["scale"] == 3
    assert registry.with_defaults("pgbench", None)["scale"] == 10


def context(tmp_path, name="command", command=None, settings=None):
    service = {"name": "s", "host": "h", "address": "127.0.0.1", "port": 1, "url": "tcp://h:1", "connection": {}}
    for directory in ("out", "tmp"):
        (tmp_path / directory).mkdir(exist_ok=True)
    return Context(
        run_id="run",
        client=0,
        clients=1,
        services=[service],
        settings=registry.with_defaults(name, settings),
        command=command,
        container=[],
        runtime="apptainer",
        env={"MINE": "it's"},
        run_dir=str(tmp_path),
        output_dir=str(tmp_path / "out"),
        tmp_dir=str(tmp_path / "tmp"),
        log=lambda text: None,
        stop=threading.Event(),
        cut=threading.Event(),
    )


def measure(tmp_path, command, settings=None, stop_after_s=None, cut_after_s=None, **fields):
    """(recorder, result, seconds) of one case of `command`."""
    ctx = context(tmp_path, command=command, settings=settings)
    now = time.time()
    message = {"case": "c", "repetition": 1, "concurrency": 1, "rate": None, "requests": None, "seed": 1}
    message |= {"duration_s": 0.5, "warmup_s": 0, "warmup_start": now, "measure_start": now, "measure_end": now + 0.5}
    case = Case(message | fields, 0, 1, "run")
    recorder = Recorder(case.measure_start, case.measure_end)
    if stop_after_s:
        threading.Timer(stop_after_s, ctx.stop.set).start()
    if cut_after_s:
        threading.Timer(cut_after_s, ctx.cut.set).start()
    try:
        result = registry.load("command").Workload().run(ctx, case, recorder)
    finally:
        ctx.close()
    return recorder, result, time.time() - now


def test_a_command_sees_its_variables(tmp_path):
    names = ["MINE", "SERVICE_NAME", "SERVICE_HOSTNAME", "SERVICE_PORT", "SERVICE_URL", "BENCHMARK_ID", "CLIENT_ID"]
    text = 'echo "' + " ".join(f"${name}" for name in names) + '" > {}/seen'
    measure(tmp_path, text.format(tmp_path), requests=1, measure_end=None)
    assert (tmp_path / "seen").read_text() == "it's s h 1 tcp://h:1 run 0\n"


def test_requests_are_counted_for_the_whole_client(tmp_path):
    recorder, result, _seconds = measure(tmp_path, "true", requests=7, measure_end=None, concurrency=3)
    assert recorder.operations == 7
    assert result["measure_end"] == recorder.last_end


def test_the_warm_up_is_not_measured(tmp_path):
    now = time.time()
    recorder, _result, _seconds = measure(
        tmp_path,
        'echo "{\\"n\\": 1}" >> $BENCHMARK_OUTPUT_DIR/metrics.jsonl; sleep 0.02',
        requests=3,
        measure_end=None,
        warmup_start=now,
        measure_start=now + 0.3,
    )
    assert recorder.operations == 3 and recorder.seen_operations > 3
    assert len(recorder.metrics["n"]["values"]) == 3


@pytest.mark.parametrize("rate", [None, 30.0])
def test_a_cut_ends_the_case_and_keeps_what_was_executed(tmp_path, rate):
    end = time.time() + 60
    recorder, result, seconds = measure(
        tmp_path, "sleep 0.01", cut_after_s=0.6, measure_end=end, duration_s=60, rate=rate
    )
    assert recorder.operations > 0 and recorder.errors == {}
    assert result["cut"] is True and result["measure_end"] == recorder.last_end
    assert seconds < 30


def test_an_execution_that_takes_too_long(tmp_path):
    recorder, _result, seconds = measure(tmp_path, "sleep 30", {"timeout": 0.2}, requests=1, measure_end=None)
    assert recorder.errors["timeout"]["count"] == 1 and seconds < 20


def test_an_execution_that_outlasts_the_drain(tmp_path):
    recorder, _result, seconds = measure(tmp_path, "sleep 30", {"drain": 0.2})
    assert recorder.errors["unfinished"]["count"] == 1 and seconds < 20


def test_a_stop_ends_what_runs_and_counts_nothing(tmp_path):
    recorder, _result, seconds = measure(tmp_path, "sleep 30", stop_after_s=0.2)
    assert recorder.errors == {} and recorder.operations == 0 and seconds < 20


def test_latency_counts_from_the_schedule(tmp_path):
    """One loop, ten arrivals a second, 0.2 s each: every one has to wait longer than the one before."""
    recorder, result, _seconds = measure(tmp_path, "sleep 0.2", {"arrival": "constant"}, rate=10.0)
    histogram = recorder.histograms["response_time"]
    assert histogram.count == recorder.operations >= 3
    assert histogram.max >= histogram.min + 300_000
    assert recorder.histograms["schedule_lag"].max >= 300_000
    assert result["measure_end"] > recorder.measure_start + 0.5


def test_several_loops_have_directories_of_their_own(tmp_path):
    measure(tmp_path, 'touch "$BENCHMARK_OUTPUT_DIR/x"; sleep 0.1', requests=4, measure_end=None, concurrency=2)
    assert sorted(path.parent.name for path in (tmp_path / "out").glob("*/x")) == ["0", "1"]


def test_bad_metrics_are_a_problem_not_a_number(tmp_path):
    text = 'echo "{not json" > $BENCHMARK_OUTPUT_DIR/metrics.json'
    recorder, _result, _seconds = measure(tmp_path, text, requests=2, measure_end=None)
    assert recorder.operations == 2
    assert (
        recorder.errors["metrics file"]["count"] == 2 and "metrics.json" in recorder.errors["metrics file"]["example"]
    )


def test_no_command_is_said(tmp_path):
    with pytest.raises(LoadError, match=r"needs client\.command"):
        measure(tmp_path, None)


def test_pgbench_says_why_it_cannot(tmp_path):
    ctx = context(tmp_path, "pgbench")
    try:
        with pytest.raises(LoadError, match="the service has no secret 'password'"):
            registry.load("pgbench").Workload().setup(ctx)
    finally:
        ctx.close()


@pytest.fixture
def shell(tmp_path):
    made = Shell([], None, str(tmp_path), "shell")
    made.start()
    yield made
    made.close()


def test_a_shell_runs_one_command_after_the_other(shell):
    shell.ready()
    shell.set_variables({"A": "x'y\nz"})
    shell.execute('echo "$A"; exit 3')
    assert shell.wait() == 3
    assert shell.tail() == "x'y\nz"
    shell.execute("printf two")
    assert shell.wait(10) == 0
    assert shell.tail() == "two"


def test_a_shell_that_was_ended_is_started_again(shell):
    shell.ready()
    shell.execute("sleep 60")
    assert shell.wait(0.05) is None
    shell.end()
    assert shell.wait(10) == GONE
    shell.execute("echo again")
    assert shell.wait(10) == 0 and shell.tail() == "again"


def test_a_container_that_does_not_start(tmp_path):
    shell = Shell(["false"], None, str(tmp_path), "shell")
    shell.start()
    with pytest.raises(LoadError, match="false does not start"):
        shell.ready()
    with pytest.raises(LoadError, match="cannot start /no/such/runtime"):
        Shell(["/no/such/runtime", "exec"], None, str(tmp_path), "other").start()


def test_binds_are_added_to_those_of_the_site():
    assert with_binds({}, "apptainer", ["/a", "/b"]) == {"APPTAINER_BIND": "/a,/b"}
    assert with_binds({"SINGULARITY_BIND": "/x"}, "singularity", ["/a"]) == {"SINGULARITY_BIND": "/x,/a"}
    assert quote("it's") == "'it'\"'\"'s'"
