# SPDX-License-Identifier: MIT
"""The read-only playbooks as a person starts them, with Ansible itself."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..plugin_utils import samples
from ..plugin_utils.test_finish import finished

ROOT = Path(__file__).resolve().parents[4]
INVENTORY = "meluxina ansible_host=192.0.2.1\nother ansible_host=192.0.2.2\n"  # TEST-NET: nothing answers there


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    for number, variant in enumerate(samples.VARIANTS, start=1):
        if variant == "running":
            samples.make(folder, variant, number)
        else:
            finished(folder, variant, number)
    (folder / "inventory").write_text(INVENTORY)
    return folder


@pytest.fixture
def play(home):
    def start(name, *arguments, environment=None, **variables):
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(home / "inventory")]
        command += [str(ROOT / "playbooks" / f"{name}.yml"), *arguments, "-e", f"benchmark_home={home}"]
        for key, value in variables.items():
            command += ["-e", json.dumps({key: value})]
        variables_of_shell = {
            **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            **({"ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"} if environment is None else environment),
        }  # fmt: skip
        done = subprocess.run(command, env=variables_of_shell, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return start


def run_id(variant):
    return samples.RUN_ID.format(samples.VARIANTS.index(variant) + 1)


def test_list(play):
    code, text = play("list")
    assert code == 0, text
    assert all(run_id(variant) in text for variant in samples.VARIANTS)
    assert "measuring" in text, "a run that goes on is listed with where it stands"
    code, text = play("list", verdict="VALID", count=5)
    assert run_id("finished") in text
    assert run_id("cancelled") not in text


def test_a_limit_chooses_runs_and_connects_to_nobody(play):
    code, text = play("list", "-l", "meluxina")
    assert code == 0, text
    assert run_id("finished") in text
    code, text = play("list", "-l", "other")
    assert code == 0, text
    assert "no run in" in text
    code, text = play("summary", "-l", "other")
    assert code != 0
    assert "no run of other" in text


def test_summary_of_a_run_and_of_one_that_goes_on(play):
    code, text = play("summary", run=run_id("finished"))
    assert code == 0, text
    assert "VALID" in text
    assert "node-h" in text
    code, text = play("summary", run="latest")
    assert code == 0, text
    assert "aifactory.benchmark.watch" in text


def test_logs(play):
    code, text = play("logs", run=run_id("finished"), search="checkpoint 1[0-9] ", source="service")
    assert code == 0, text
    assert text.count("checkpoint") == 10
    code, text = play("logs", run=run_id("finished"), search="(")
    assert code != 0
    assert "not a regular expression" in text
    assert "Traceback" not in text


def test_metrics_on_screen_and_as_csv(play, tmp_path):
    code, text = play("metrics", run=run_id("finished"), metric="response_time", case="half")
    assert code == 0, text
    assert "half" in text
    assert "max  1" not in text
    path = tmp_path / "out.csv"
    code, text = play("metrics", "--check", run=run_id("finished"), csv=str(path))
    assert code == 0, text
    assert not path.exists()
    code, text = play("metrics", run=run_id("finished"), csv=str(path), client="*", metric="throughput")
    assert code == 0, text
    assert str(path) in text
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4 * (samples.CLIENTS + 1)
    code, text = play("metrics", run=run_id("finished"), metric="respnse_time")
    assert code != 0
    assert "did you mean response_time?" in text
    code, text = play("metrics", run=run_id("cancelled"))
    assert code != 0
    assert "no results" in text


def test_tables_of_many_runs(play, tmp_path):
    path = tmp_path / "all.parquet"
    code, text = play("metrics", run="all", parquet=str(path))
    assert code == 0 and f"rows of 3 runs: {path}" in text, text
    assert path.read_bytes()[:4] == b"PAR1"
    code, text = play("metrics", run="all", csv=str(tmp_path / "all.csv"), metric="throughput")
    assert code == 0, text
    with (tmp_path / "all.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["verdict"] for row in rows} == {"VALID", "INVALID", ""} and {row["client"] for row in rows} == {"all"}


def test_metrics_for_prometheus(play, tmp_path):
    path, folder = tmp_path / "run.om", tmp_path / "all"
    code, text = play("metrics", "--check", run=run_id("finished"), openmetrics=str(path))
    assert code == 0 and not path.exists(), text
    code, text = play("metrics", run=run_id("finished"), openmetrics=str(path))
    assert code == 0 and f"1 runs, 1 of them new or changed: {path}" in text, text
    assert path.read_text().endswith("# EOF\n")
    code, text = play("metrics", run="all", openmetrics=str(folder))
    assert code == 0 and "5 runs, 5 of them" in text, text
    assert {found.name for found in folder.iterdir()} == {
        f"{run_id(variant)}.om" for variant in samples.VARIANTS if variant != "running"
    }
    code, text = play("metrics", run=run_id("running"), openmetrics=str(path))
    assert code != 0 and "is not over" in text and "Traceback" not in text, text
    code, text = play("metrics", openmetrics=str(path), metric="response_time")
    assert code != 0 and "leave out metric" in text, text
    code, text = play("metrics", run="all", openmetrics="/dev/null/nowhere")
    assert code != 0 and "cannot be made: Not a directory" in text, text


def test_report_is_made_again(play, home):
    folder = home / "runs" / run_id("overloaded")
    code, text = play("report", run=run_id("overloaded"))
    assert code == 0, text
    assert str(folder / "report.html") in text
    assert (folder / "report.html").stat().st_size > 1_000_000
    assert "INVALID" in (folder / "report.md").read_text()


def test_a_report_is_made_though_the_store_is_away(play, home):
    (home / "runs" / run_id("cancelled") / "report.html").unlink(missing_ok=True)
    code, text = play("report", run=run_id("cancelled"), benchmark_store_url="sqlite:////nowhere/store.db")
    assert code == 0, text
    assert "/nowhere/store.db cannot be used" in " ".join(text.split())
    assert "Traceback" not in text
    assert (home / "runs" / run_id("cancelled") / "report.html").exists()
    assert play("list")[0] == 0
    assert not list((home / "unstored").iterdir())


@pytest.mark.parametrize("verbose", [[], ["-v"]])
def test_a_problem_with_one_run_is_told_beside_the_others(play, home, verbose):
    broken = home / "runs" / "20260921-141320-broken-00aa"
    broken.mkdir()
    (broken / "plan.json").write_text("{")
    code, text = play("list", *verbose)
    shutil.rmtree(broken)
    assert code == 0, text
    assert run_id("finished") in text
    assert "broken-00aa/plan.json is not valid JSON" in "".join(text.split("\n")).replace("  ", " ")


@pytest.mark.parametrize("name", ["summary", "logs", "metrics", "report"])
def test_a_run_that_is_not_there_is_explained(play, name):
    code, text = play(name, run="20260921-141320-postgresql-ffff")
    assert code != 0
    assert "there is no run" in text
    assert "Nearest" in text
    assert "Traceback" not in text


# -- logs ------------------------------------------------------------------------------------------------


def test_logs_of_all_files_by_time(play):
    code, text = play("logs", run=run_id("finished"), merge=True, tail=45)
    assert code == 0, text
    assert "14:13:53.028 service.log       2026-09-21 14:13:53.028 UTC [1] LOG:  checkpoint 28 complete" in text
    code, text = play("logs", run=run_id("finished"), client="2", limit=1)
    assert code == 0 and "logs/client-002.log" in text and "client-001" not in text, text
    code, text = play("logs", run=run_id("finished"), tail=0, limit=3)
    assert "earlier lines are left out; -e limit=0 shows all" in text, text


def test_errors_are_searched_in_all_runs(play):
    code, text = play("logs", run="all", level="error")
    assert code == 0, text
    assert f"{run_id('service_died')}/logs/service.log <==" in text
    assert "FATAL:  could not map anonymous shared memory" in text
    assert f"1 line in 1 of {len(samples.VARIANTS)} runs" in text
    code, text = play("logs", run="all", search="checkpoint", limit=50)
    assert "50 lines are shown, " in text and "not searched; -e limit=0 shows all" in text, text
    code, text = play("logs", "-l", "other", run="all", search="checkpoint")
    assert code == 0 and "0 lines in 0 of 0 runs" in text, text
    code, text = play("logs", run="all")
    assert code != 0 and "run=all needs what to look for" in text


def test_errors_are_in_colour_on_a_terminal_only(play, monkeypatch):
    code, text = play("logs", run=run_id("service_died"), source="service")
    assert code == 0 and "\x1b" not in text
    monkeypatch.setenv("ANSIBLE_FORCE_COLOR", "1")
    for no_colour, coloured in (("", True), ("1", False)):
        code, text = play("logs", environment={"NO_COLOR": no_colour}, run=run_id("service_died"), source="service")
        assert ("\x1b[0;31m     1  FATAL:  could not" in text) is coloured, text
