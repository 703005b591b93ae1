# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run left, as data frames of pandas with columns and types that are the same for every run."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.agent import gpu_telemetry, telemetry
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

# column → its type: text, whole, real, or time (of a run's plan, UTC)
OF_RUN = {
    "run": "text", "group": "text", "recipe": "text", "cluster": "text", "service": "text", "workload": "text",
    "created_at": "time", "state": "text", "verdict": "text",
}  # fmt: skip
_OF_RESULT = {
    "case": "text", "repetition": "whole", "client": "text", "metric": "text", "unit": "text", "statistic": "text",
    "value": "real",
}  # fmt: skip
RESULTS = {**OF_RUN, **_OF_RESULT}
NODES = {"run": "text", "role": "text", "node": "text", **dict.fromkeys(telemetry.COLUMNS, "real")}
GPUS = {
    "run": "text", "node": "text",
    **{name: "text" if name in ("uuid", "throttle_reasons") else "real" for name in gpu_telemetry.COLUMNS},
}  # fmt: skip


def library() -> ModuleType:
    """The module pandas. Raises ImportError with what to install."""
    try:
        import pandas
    except ImportError:
        raise ImportError("tables of runs need pandas on the controller: pip install -r requirements.txt") from None
    return pandas


def results(run: RunDirectory, metric: str | None = None, case: str | None = None, client: str | None = None) -> Any:
    """The rows of a run's results.csv with the columns of RESULTS; of one metric, case, client, or (None, `*`) of all.

    Raises RunError: a file cannot be read.
    """
    pandas = library()
    kinds = {name: float if kind == "real" else str for name, kind in _OF_RESULT.items()}
    text = run.read_text("results.csv", "")
    try:
        frame = pandas.read_csv(io.StringIO(text), dtype={**kinds, "repetition": int}, keep_default_na=False)
        frame = frame[list(_OF_RESULT)]
    except (ValueError, KeyError):  # an empty file, too; the slow way says which line is wrong
        frame = pandas.DataFrame(run.results(), columns=list(_OF_RESULT))
    frame = frame[frame["value"].map(math.isfinite).astype(bool)]
    for name, wanted in (("metric", metric), ("case", case), ("client", client)):
        if wanted not in (None, "", "*"):
            frame = frame[frame[name] == wanted]
    told = _of_run(run) if len(frame) else dict.fromkeys(OF_RUN)
    for place, name in enumerate(OF_RUN):
        frame.insert(place, name, told[name])
    return frame


def _of_run(run: RunDirectory) -> dict[str, Any]:
    record = run.read_json("run.json", None)
    if record is None:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish

        record = finish.preview(run)
    told = {"run": run.id, **{name: record.get(name) for name in OF_RUN if name != "run"}}
    at = told["created_at"]
    return {**told, "created_at": None if at is None else library().Timestamp(at, unit="s", tz="UTC").round("ms")}


def nodes(run: RunDirectory) -> Iterator[Any]:
    """The telemetry of each node of a run, with the columns of NODES."""
    for role in ("service", "clients"):
        for path in sorted(run.path.glob(f"telemetry/{role}-*.csv")):
            yield _telemetry(run, path.name, NODES, role=role, node=path.stem.partition("-")[2])


def gpus(run: RunDirectory) -> Iterator[Any]:
    """The telemetry of the GPUs of each node of a run, with the columns of GPUS."""
    for path in sorted(run.path.glob("telemetry/gpu-*.csv")):
        yield _telemetry(run, path.name, GPUS, node=path.stem.partition("-")[2])


def _telemetry(run: RunDirectory, name: str, columns: dict[str, str], **told: str) -> Any:
    frame = library().DataFrame(run.table(f"telemetry/{name}"))
    for column, value in {"run": run.id, **told}.items():
        frame[column] = value
    frame = frame.reindex(columns=list(columns))
    for column, kind in columns.items():
        if kind == "real":
            frame[column] = library().to_numeric(frame[column], errors="coerce")
    return frame
