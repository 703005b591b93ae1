# SPDX-License-Identifier: MIT
"""The matrix that make test-faults prints: a line for each fault and phase, from what its runs left behind."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from ..integration.conftest import ssh

PROPERTY = "fault"
REASON_CHARACTERS = 70


@dataclass
class Line:
    """One fault in one phase on one cluster."""

    cluster: str
    phase: str
    fault: str
    outcome: str
    leaked_jobs: int
    lost_results: int

    def text(self, passed: bool) -> str:
        """As it is printed."""
        result = "passed" if passed else "FAILED"
        counts = f"{self.leaked_jobs} leaked jobs, {self.lost_results} lost results"
        return f"{result}  {self.cluster:9}  {self.phase:13}  {self.fault:48}  {counts}  {self.outcome}"


def line_of(item: pytest.Item) -> Line | None:
    """The line of a test that has run; None for one that breaks no cluster."""
    arguments = getattr(item, "funcargs", {})
    if "cluster" not in arguments:
        return None
    home, cluster = arguments["home"], arguments["cluster"]
    folders = [folder for folder in sorted(home.glob("runs/*")) if (folder / "plan.json").exists()]
    names = ssh(cluster, "squeue -a -h -o %j", check=False).split()
    role = f" ({arguments['role']})" if "role" in arguments else ""
    return Line(
        cluster,
        arguments.get("phase", ""),
        item.function.__name__.removeprefix("test_").replace("_", " ") + role,
        "; ".join(outcome(folder) for folder in folders) or "refused, nothing was submitted",
        sum(any(folder.name in name for folder in folders) for name in names),
        sum(lost(folder) for folder in folders),
    )


def outcome(folder: Path) -> str:
    """Verdict and first reason of a run."""
    record = read(folder / "run.json", {})
    reasons = [reason["message"] for reason in record.get("reasons", [])]
    text = f"{record.get('verdict') or record.get('state', 'no run.json')}: {reasons[0]}" if reasons else ""
    text = " ".join(text.split()) or f"{record.get('verdict')}"
    return text if len(text) <= REASON_CHARACTERS else text[: REASON_CHARACTERS - 1] + "…"


def lost(folder: Path) -> int:
    """Repetitions that were measured to their end, by the events that arrived while they were, and have no results."""
    events = [json.loads(text) for text in read_lines(folder / "events/clients.jsonl")]
    ended = {(event["case"], event["repetition"]) for event in events if event["event"] == "measure_ended"}
    kept = {(case["case"], case["repetition"]) for case in read(folder / "cases.json", [])}
    return len(ended - kept)


def read(path: Path, otherwise):
    """A JSON file, or `otherwise` where there is none."""
    return json.loads(path.read_text()) if path.exists() else otherwise


def read_lines(path: Path) -> list[str]:
    """The lines of a file; none where there is no file."""
    return path.read_text().splitlines() if path.exists() else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Take the line before anything is tidied up; a test that leaked or lost something has failed."""
    report = yield
    line = line_of(item) if call.when == "call" else None
    if line is not None:
        report.user_properties.append((PROPERTY, asdict(line)))
        if report.passed and line.leaked_jobs + line.lost_results:
            report.outcome, report.longrepr = "failed", line.text(False)
    return report


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the matrix."""
    reports = [report for name in ("passed", "failed") for report in terminalreporter.stats.get(name, [])]
    found = [
        (Line(**value), report.passed) for report in reports for key, value in report.user_properties if key == PROPERTY
    ]
    if not found:
        return
    terminalreporter.section("faults")
    for line, passed in sorted(found, key=lambda pair: (pair[0].fault, pair[0].cluster)):
        terminalreporter.write_line(line.text(passed))
    leaked, missing = (sum(getattr(line, name) for line, _passed in found) for name in ("leaked_jobs", "lost_results"))
    terminalreporter.write_line(f"{len(found)} faults, {leaked} leaked jobs, {missing} lost results")
