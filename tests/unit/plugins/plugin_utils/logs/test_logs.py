# SPDX-License-Identifier: MIT
"""Reading the logs of stored runs: by part, by time, by what they tell of, within bounds."""

from __future__ import annotations

import json
import resource

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import logs
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import Wanted, log_lines
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from hypothesis import given
from hypothesis import strategies as st

from .. import samples

BEGIN = samples.BEGIN  # 2026-09-21 14:13:20 UTC
AT = BEGIN + 5.25  # 14:13:25.250


def lines(run, tail=0, merge=False, limit=0, **wanted):
    return logs.read(run, Wanted(**wanted), tail=tail, merge=merge, limit=limit).lines


def test_logs_are_searched_by_source(tmp_path):
    run = samples.make(tmp_path)
    run.write_text("logs/service-db.log", "db\n")
    run.write_text("logs/slurm-service-db.out", "db\n")
    run.write_text("logs/setup.log", "set up\n")
    assert {line["file"] for line in lines(run)} > {"logs/service.log", "logs/client-003.log"}
    assert {line["file"] for line in lines(run, source="clients")} == {
        "logs/slurm-clients.out", "logs/setup.log", *(f"logs/client-{n:03d}.log" for n in range(4))
    }  # fmt: skip
    assert {line["file"] for line in lines(run, client="3")} == {"logs/client-003.log"}
    for name in ("db", "service-db"):
        assert {line["file"] for line in lines(run, source=name)} == {
            "logs/service-db.log",
            "logs/slurm-service-db.out",
        }
    assert {line["file"] for line in lines(run, source="slurm")} == {
        "logs/slurm-clients.out", "logs/slurm-service.out", "logs/slurm-service-db.out"
    }  # fmt: skip
    found = lines(run, tail=2, source="service.log", search=r"checkpoint 3[0-9]")
    assert [line["line"] for line in found] == [39, 40]
    assert lines(run, source="service.log", search="ready to accept")[0]["line"] == 41
    assert lines(run, search="no such words") == []


def test_a_secret_and_a_terminal_code_of_a_log_are_not_shown(tmp_path):
    run = samples.make(tmp_path)
    run.write_text("logs/service.log", "\x1b[2Jpassword=hunter2\n" + "x" * 10_000 + "\n")
    first, second = lines(run, source="service.log")
    assert first["text"] == "password=***"
    assert second["text"] == "x" * log_lines.LONGEST_LINE + "… (8,000 more characters)"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"source": "server"}, "choose service"),
        ({"source": "../x"}, "no name of a log"),
        ({"search": "("}, "regular expression"),
        ({"client": "x"}, "number of a client"),
        ({"client": "17"}, "no log of client 17"),
    ],
)
def test_bad_questions_about_logs_are_explained(tmp_path, wanted, words):
    with pytest.raises(RunError, match=words):
        lines(samples.make(tmp_path), **wanted)


def test_a_run_without_logs_says_why(tmp_path):
    with pytest.raises(RunError, match="none of its jobs has run"):
        lines(samples.make(tmp_path, "cancelled"))


def test_what_is_left_out_is_counted(tmp_path):
    run = samples.make(tmp_path)
    whole = lines(run)
    found = logs.read(run, Wanted(), limit=7)
    assert [line["text"] for line in found.lines] == [line["text"] for line in whole[-7:]]
    assert found.left_out == len(whole) - 7
    assert logs.read(run, Wanted(), limit=len(whole)).left_out == 0
    assert logs.read(run, Wanted(), limit=0).left_out == 0


def test_lines_of_all_files_in_the_order_of_time(tmp_path):
    run = samples.make(tmp_path, "cancelled")
    run.write_text(
        "logs/service.log", "banner\n2026-09-21 14:13:26.000 UTC LOG: a\n  detail\n2026-09-21 14:13:28 UTC b\n"
    )
    event = json.dumps({"t": BEGIN + 7, "event": "healthy"})
    run.write_text("logs/slurm-service.out", f"no time here\n{event}\n")
    run.write_text("logs/client-000.log", "2026-09-21 16:13:27.5 local time, two hours ahead\n")
    run.write_text("logs/none.log", "never any time\n")
    found = lines(run, merge=True)
    assert [(line["file"].removeprefix("logs/"), line["line"]) for line in found] == [
        ("none.log", 1), ("service.log", 1), ("service.log", 2), ("service.log", 3), ("slurm-service.out", 1),
        ("slurm-service.out", 2), ("client-000.log", 1), ("service.log", 4),
    ]  # fmt: skip
    assert [line["t"] for line in found] == [
        None, BEGIN + 6, BEGIN + 6, BEGIN + 6, BEGIN + 7, BEGIN + 7, BEGIN + 7.5, BEGIN + 8
    ]  # fmt: skip
    assert [line["line"] for line in lines(run, merge=True, tail=2)] == [1, 4]


def test_more_files_than_can_be_open_are_merged(tmp_path):
    run = samples.make(tmp_path, "cancelled")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in range(80):
        run.write_text(f"logs/client-{number:03d}.log", f"{BEGIN + number % 7:.3f} {number}\n" * 3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (50, most[1]))
    try:
        found = lines(run, merge=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert [line["t"] for line in found] == sorted(3 * [BEGIN + number % 7 for number in range(80)])


def test_a_file_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "_BLOCK_BYTES", 10)
    run = samples.make(tmp_path, "cancelled")
    run.write_text("logs/service.log", "a\n\nü and a line that is longer\r\nx\vy\u2028z\nno end")
    assert [line["text"] for line in lines(run)] == ["a", "", "ü and a line that is longer", "xy\u2028z", "no end"]


def test_errors_of_all_runs_newest_first(tmp_path):
    runs = [samples.make(tmp_path, "service_died" if seed == 2 else "finished", seed) for seed in (3, 2, 1)]
    runs.append(samples.make(tmp_path, "cancelled", 4))
    found = list(logs.search(runs, Wanted(level="error"), 0))
    assert [(run.id, [line["text"] for line in each.lines]) for run, each in found] == [
        (runs[1].id, ["FATAL:  could not map anonymous shared memory"])
    ]
    found = list(logs.search(runs, Wanted(search="checkpoint"), 45))
    assert [len(each.lines) for _run, each in found] == [40, 5]


# -- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-21T14:13:25.250Z x",
        "2026-09-21 14:13:25.250 UTC [1] LOG:  x",
        "2026-09-21 14:13:25,250 - x",
        "[2026/09/21 14:13:25.250 +00:00] [INFO] x",
        "[GIN] 2026/09/21 - 14:13:25.250 | 200",
        'time=2026-09-21T16:13:25.250+02:00 level=INFO msg="x"',
        "2026-09-21T09:43:25.250-0430 x",
        '10.0.0.1 - - [21/Sep/2026:14:13:25.250 +0000] "GET /"',
        "1:M 21 Sep 2026 14:13:25.250 * Ready",
        "I0921 14:13:25.250000 1 server.cc:1] x",
        "INFO 09-21 14:13:25.250 [api_server.py:1] x",
        "Sep 21 14:13:25.250 node x",
        f'{{"t":{AT},"source":"service"}}',
        f"{AT} x",
    ],
)
def test_forms_of_times(text):
    clock = log_lines.Clock(BEGIN, BEGIN + 90)
    assert clock.read(text) == pytest.approx(AT)
    assert clock.read("no time") == pytest.approx(AT)


@pytest.mark.parametrize(
    "text", ["2026-13-45 99:99:99", "12345678901234", "10:00:00", "1.2.3.4 - x", "2019-01-01 00:00:00", ""]
)
def test_what_is_no_time_of_the_run(text):
    assert log_lines.Clock(BEGIN, BEGIN + 90).read(text) is None


@pytest.mark.parametrize("hours", [-9.5, -4, 0, 1, 2, 5.75, 14])
def test_times_without_a_zone_are_those_of_the_run(hours):
    shown = BEGIN + 5 + hours * 3600
    text = f"{log_lines.datetime.fromtimestamp(shown, log_lines.UTC):%Y-%m-%d %H:%M:%S} x"
    assert log_lines.Clock(BEGIN, BEGIN + 90).read(text) == BEGIN + 5


def test_times_never_go_back():
    clock = log_lines.Clock(BEGIN, BEGIN + 90)
    assert [clock.read(f"{BEGIN + t} x") for t in (5, 3, 7)] == [BEGIN + 5, BEGIN + 5, BEGIN + 7]


@given(st.text())
def test_any_line_can_be_read(text):
    t = log_lines.Clock(BEGIN, BEGIN + 90).read(text)
    line = log_lines.finished({"file": "logs/x", "line": 1, "text": text, "t": t})
    assert line["level"] in (None, "error", "warning") and "\x1b[" not in line["text"]


# -- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR:  relation does not exist", "error"),
        ("FATAL: x", "error"),
        ("Traceback (most recent call last):", "error"),
        ("ValueError: x", "error"),
        ("torch.cuda.OutOfMemoryError: x", "error"),
        ("slurmstepd: error: *** JOB 1 CANCELLED", "error"),
        ("E0921 14:13:25.250 1 x.cc", "error"),
        ('{"t":1,"source":"service","event":"service_failed","reason":"x"}', "error"),
        ("level=error msg=x", "error"),
        ("Killed", "error"),
        ("WARNING 09-21 x", "warning"),
        ("W0921 14:13:25.250 1 x.cc", "warning"),
        ("0 errors, 12 operations", None),
        ("operations 5, errors: 0", None),
        ('{"errors": 0, "error_rate": 0.0}', None),
        ("no error", None),
        ("number of failed transactions: 0 (0.000%)", None),
        ("number of failed transactions: 3 (0.1%)", "error"),
        ("/var/log/error.log", None),
        ("checkpoint complete", None),
    ],
)
def test_what_a_line_tells_of(text, level):
    assert log_lines.level(text) == level
