# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person reads on the terminal and in AWX: tables of at most 80 columns, plain text without colours.

Each function returns a text; the action prints it. Colours only where Ansible itself uses them, and never
with NO_COLOR.
"""

from __future__ import annotations

import io
import os
import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, objectives, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.confidence import words
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory

WIDTH = 80
LINES_A_CASE = 8  # of the headline; the report has them all
CASES_IN_FULL = 4  # more of them are a row each, or counted,
CASES_LISTED = 20  # up to so many,
_COLUMNS, _COLUMN_WIDTH = 4, 12  # with so many numbers
REASONS_OF_A_CODE = 3
REMARKS = 3  # on how sure the numbers are; the report has them all
_STYLES = {"VALID": "green", "INVALID": "bold red", "failed": "red", "stopped": "yellow", "unknown": "yellow"}
_GLYPHS = {"queued": ".", "starting": "s", "ready": "-", "warmup": "w", "measuring": "#", "ending": "e"}


def colours() -> bool:
    """Whether Ansible's own output is coloured here (it knows terminals, AWX and ansible.cfg)."""
    from ansible.utils.color import ANSIBLE_COLOR

    return bool(ANSIBLE_COLOR) and not os.environ.get("NO_COLOR")


def draw(*parts: Any, colour: bool = False, width: int = WIDTH) -> str:
    """The text of rich renderables, at most `width` columns wide, without trailing blanks."""
    try:
        from rich.console import Console
    except ImportError:
        raise ImportError("tables need rich on the controller: pip install -r requirements.txt") from None
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=colour, no_color=not colour, highlight=False, markup=False,
        emoji=False, color_system="standard" if colour else None, legacy_windows=False,
    )  # fmt: skip
    for part in parts:
        console.print(part, soft_wrap=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def table(
    titles: Iterable[str], rows: Iterable[Iterable[Any]], *, right: Iterable[int] = (), fold: Iterable[int] = ()
) -> Any:
    """A table; columns in `right` are set to the right, those in `fold` may break over several lines."""
    from rich.table import Table
    from rich.text import Text

    right, fold = set(right), set(fold)
    view = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for number, title in enumerate(titles):
        view.add_column(
            title,
            justify="right" if number in right else "left",
            no_wrap=number not in fold,
            overflow="fold" if number in fold else "ellipsis",
        )
    for row in rows:
        view.add_row(*(Text(str(cell), style=_STYLES.get(str(cell), "")) for cell in row))
    return view


# -- list --------------------------------------------------------------------------------------------


def listing(records: list[dict[str, Any]], colour: bool = False) -> str:
    """A table of runs, as `list` shows it; ids are never cut, since they are what one copies."""
    rows, widest = [], max((len(record["id"]) for record in records), default=0)
    for record in records:
        what = f"{record.get('recipe')} on {record.get('cluster')}"
        rows.append((record["id"], what, record["state"], record.get("verdict") or "-", short_headline(record)))
    view = table(("id", "run", "state", "verdict", "result"), rows, fold=(1, 4))
    view.columns[0].min_width = widest
    return draw(view, colour=colour)


def short_headline(record: dict[str, Any]) -> str:
    """The first number of a run: p50 1.80 ms; of several cases with its own: 1,402/s max."""
    lines = record.get("headline") or []
    if not lines:
        return "-"
    first = lines[0]
    case = first["case"] if len({line["case"] for line in lines}) > 1 else ""
    return " ".join(filter(None, (formatting.which(first), formatting.quantity(first["value"], first["unit"]), case)))


# -- summary -----------------------------------------------------------------------------------------


def summary(run: RunDirectory | None, record: dict[str, Any], colour: bool | None = None) -> str:
    """The essentials of a run: verdict and reasons, numbers, time, cost, jobs, where its files are.

    `run` is None when they are on another controller.
    """
    from rich.text import Text

    verdict = record.get("verdict")
    state = record["state"] if verdict is None else f"{record['state']}, {verdict}"
    head = f"{record.get('recipe')} on {record.get('cluster')}: "
    parts: list[Any] = [
        "",
        Text.assemble((head, "bold"), (state, _STYLES.get(verdict or record["state"], "bold"))),
        Text(f"run {record['id']}, {formatting.when(record.get('created_at'))}"),
    ]
    parts += [Text(f"again: run {record['rerun_of']}")] if record.get("rerun_of") else []
    remarks = [("✗", reason, "red") for reason in _few_of_a_code(record.get("reasons") or [], REASONS_OF_A_CODE)]
    remarks += [("note", note, "") for note in _few_of_a_code(record.get("notes") or [], 1)]
    parts += [_remarks(remarks)] if remarks else []
    for section in (_numbers(record), _sure(record), _objectives(record), _time(record), _jobs(record)):
        if section:
            parts += ["", *section]
    text = draw(*parts, colour=colours() if colour is None else colour)
    return "\n".join([text, "", *_files(run)])


def _few_of_a_code(items: list[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """At most `limit` with the same code: a sweep that is short of samples is so in every case."""
    shown: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        shown.setdefault(item["code"], []).append(item)
    found = []
    for alike in shown.values():
        found += alike[:limit]
        if alike[limit:]:
            more = formatting.plural(len(alike[limit:]), "more case")
            found[-1] = {**found[-1], "message": f"{found[-1]['message']} (likewise {more}: see the report)"}
    return found


def _remarks(remarks: list[tuple[str, dict[str, Any], str]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1, 0, 0))
    for mark, item, style in remarks:
        case = f"{item['case']}: " if item.get("case") else ""
        grid.add_row(Text(f" {mark}", style=style), Text(f"{case}{item['message']}", style=style))
    return grid


def _numbers(record: dict[str, Any]) -> list[Any]:
    lines = [line for line in record.get("headline") or [] if "lower" not in line]  # told with the SLO
    cases = dict.fromkeys(line["case"] for line in lines)
    if len(cases) > CASES_IN_FULL:
        return _numbers_in_short(lines)
    rows, left_out = [], 0
    for case in cases:
        of_case = [line for line in lines if line["case"] == case]
        left_out += len(of_case[LINES_A_CASE:])
        for number, line in enumerate(of_case[:LINES_A_CASE]):
            samples = formatting.number(line.get("samples"))
            row = (formatting.metric(line), formatting.with_interval(line), samples, line.get("repetitions", ""))
            rows.append(("" if number else case, *row))
    if not rows:
        return []
    more = [f"{left_out} more in the report"] if left_out else []
    return [table(("case", "metric", "value", "samples", "rep."), rows, right=(2, 3, 4), fold=(0, 1)), *more]


def _numbers_in_short(lines: list[dict[str, Any]]) -> list[Any]:
    """Many cases, each a row with the first of its numbers; what has nothing in common with them a line each."""
    by_case: dict[str, dict[str, str]] = {}
    for line in lines:
        value = formatting.quantity(line["value"], line["unit"])
        by_case.setdefault(line["case"], {})[formatting.metric(line)] = value
    of_cases = Counter(name for values in by_case.values() for name in values)
    columns = [name for name, count in of_cases.items() if 2 * count > len(by_case)][:_COLUMNS]
    rows = [(case, *(values.get(column, "") for column in columns)) for case, values in by_case.items()]
    rows = [row for row in rows if any(row[1:])]
    alone = [
        f"{line['case']}: {formatting.metric(line)} {formatting.with_interval(line)}"
        for line in lines
        if not set(by_case[line["case"]]) & set(columns)
    ]
    titles = ["\n".join(textwrap.wrap(column, _COLUMN_WIDTH)) for column in columns]
    view = table(("case", *titles), rows[:CASES_LISTED], right=range(1, 1 + len(columns)), fold=(0,))
    more = rows[CASES_LISTED:]
    return [*alone, view, *([f"{formatting.plural(len(more), 'more case')}: see the report"] if more else [])]


def _sure(record: dict[str, Any]) -> list[Any]:
    """How well the numbers are known, in a line, where a sweep has its knee, and what matters most of the remarks."""
    from rich.text import Text

    found = record.get("confidence")
    if not found or not record.get("headline"):
        return []
    statement = found["statement"].removesuffix(".")
    lines = [Text(f"sure {statement[:1].lower()}{statement[1:]}")]
    lines += [Text(f"knee {knee['message']}") for knee in found["knees"] if knee["status"] == "found"]
    remarks = _few_of_a_code(words.beside_statement(found), 1)
    lines += [_remarks([("note", remark, "") for remark in remarks[:REMARKS]])] if remarks else []
    more = len(remarks) - REMARKS
    return [*lines, Text(f"{formatting.plural(more, 'more remark')} in the report")] if more > 0 else lines


def _objectives(record: dict[str, Any]) -> list[Any]:
    """Whether the SLO was met: each case in a word, and what a missed one came to."""
    from rich.text import Text

    found = [Text(f"search: {objectives.search_text(record['search'])}")] if record.get("search") else []
    cases = (record.get("slo") or {}).get("cases") or []
    if not cases:
        return found
    met = [case["case"] for case in cases if case["met"]]
    missed = [case for case in cases if not case["met"]]
    names = ", ".join(met) if len(met) <= CASES_IN_FULL else f"{len(met)} of {len(cases)} cases"
    found.append(Text(f"SLO {record['slo']['text']}: met by {names or 'no case'}"))
    for case in missed[:CASES_IN_FULL]:
        why = ", ".join(objectives.term_text(term) for term in case["terms"] if not term["met"])
        found.append(Text(f"  missed by {case['case']}: {why}", style="red"))
    if missed[CASES_IN_FULL:]:
        found.append(Text(f"  missed by {formatting.plural(len(missed) - CASES_IN_FULL, 'more case')}", style="red"))
    return found


def _time(record: dict[str, Any]) -> list[Any]:
    from rich.text import Text

    segments = record.get("timeline") or []
    if not segments:
        return []
    seconds = timeline.by_phase(segments)
    total = segments[-1]["end"] - segments[0]["start"]
    told = " · ".join(f"{phase} {formatting.duration(spent)}" for phase, spent in seconds.items())
    cost = record.get("cost") or {}
    price = f"cost {formatting.number(cost.get('node_hours'), 3)} node-h, "
    price += f"{formatting.number(cost.get('core_hours'), 3)} core-h"
    if cost.get("gpu_hours"):
        price += f", {formatting.number(cost['gpu_hours'], 3)} GPU-h"
    if cost.get("price") is not None:
        price += f" = {cost['price']:,.2f} {cost['currency']}"
    if cost.get("measured_share") is not None:
        price += f"; {formatting.share(cost['measured_share'])} measured"
        price += f", {formatting.share(cost['wasted_share'])} wasted"
    lines = [phase_bar(segments), f"time {formatting.duration(total)}: {told}", price]
    return [Text(line) for line in [*lines, *_energy(record), *_energy_by_slurm(record), *_limit(record)]]


def _limit(record: dict[str, Any]) -> list[str]:
    """What was saturated; nothing where nothing was."""
    found = record.get("bottleneck") or {}
    told = found.get("stopped") or any(case["saturated"] for case in found.get("cases") or [])
    return [f"limit {found['sentence']}"] if told else []


def _energy(record: dict[str, Any]) -> list[str]:
    """What the measurements took, and per operation or token of the first case; nothing where nobody knows."""
    found = record.get("energy") or {}
    known = [case for case in found.get("cases") or [] if case["joules"] is not None]
    if not known:
        return []
    per = [f"{formatting.energy(value)} per {unit.replace('_', ' ')}" for unit, value in known[0]["per"].items()]
    kinds = " and ".join(dict.fromkeys({"gpu": "GPUs", "cpu": "processors"}[d["kind"]] for d in found["devices"]))
    text = f"energy {formatting.energy(sum(case['joules'] for case in known))} of {kinds} while measuring"
    above = [case["joules_above_idle"] for case in known]
    text += "" if None in above else f" ({formatting.energy(sum(above))} above idle)"
    return [text + (f"; case {known[0]['case']}: {', '.join(per)}" if per else "")]


def _energy_by_slurm(record: dict[str, Any]) -> list[str]:
    """What Slurm counted of each job from its start to its end; nothing where it did not, the report says why."""
    found = (record.get("energy") or {}).get("slurm") or {}
    told = [
        f"{job['role']} job {job['id']} {formatting.energy(job['joules'])}{_own_share(job['own'])}"
        for job in found.get("jobs") or []
        if job["status"] == "counted"
    ]
    return [f"energy by Slurm, start to end of {', '.join(told)}"] if told else []


def _own_share(own: dict[str, Any] | None) -> str:
    ratio = (own or {}).get("ratio")
    return "" if ratio is None else f" (own samples: {ratio:.0%} of it)"


def phase_bar(segments: list[dict[str, Any]], width: int = WIDTH - 2) -> str:
    """The timeline as one line of letters: . queued, s starting, - ready, w warm-up, # measuring, e ending."""
    begin, end = segments[0]["start"], segments[-1]["end"]
    if end <= begin:
        return ""
    cells = []
    for column in range(width):
        t = begin + (column + 0.5) * (end - begin) / width
        cells.append(next(_GLYPHS[segment["phase"]] for segment in segments if t <= segment["end"]))
    return f"[{''.join(cells)}]"


def _jobs(record: dict[str, Any]) -> list[Any]:
    from rich.text import Text

    rows = [
        (
            job.get("role"),
            job.get("id"),
            job.get("state") or "-",
            job.get("exit_code") or "-",
            job.get("node_list") or "-",
            formatting.duration(job.get("elapsed_s")),
        )
        for job in record.get("jobs") or []
    ]
    calls = ", ".join(f"{count} {name}" for name, count in (record.get("calls") or {}).items())
    found: list[Any] = [table(("job", "id", "state", "exit", "nodes", "ran"), rows, right=(5,), fold=(2, 4))]
    return (found if rows else []) + ([Text(f"calls to the cluster: {calls}")] if calls else [])


def _files(run: RunDirectory | None) -> list[str]:
    """Where the files are, one path a line and however long: it is what one copies."""
    if run is None:
        return ["files  on the controller that made the run; this is what the store has of it"]
    report = [f"report {run.file('report.html')}"] if run.has("report.html") else []
    return [*report, f"files  {run.path}"]


# -- metrics -----------------------------------------------------------------------------------------


def metrics(rows: list[dict[str, Any]], colour: bool = False) -> str:
    """Rows of results.csv, one line for every case, repetition, client and metric."""
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["case"], row["repetition"], row["client"], row["metric"])
        lines.setdefault(key, {"unit": row["unit"]})[row["statistic"]] = row["value"]
    shown = ("count", "mean", "p50", "p90", "p99", "max")
    cells = []
    for (case, repetition, client, metric), values in lines.items():
        unit = values["unit"]
        if "value" in values:
            found = ["", formatting.quantity(values["value"], unit), "", "", "", ""]
        else:
            count = formatting.number(values.get("count"))
            found = [count, *(formatting.quantity(values.get(name), unit) for name in shown[1:])]
        cells.append((case, repetition, client, metric, *found))
    titles = ("case", "rep", "client", "metric", "count", "value/mean", *shown[2:])
    return draw(table(titles, cells, right=range(4, 10), fold=(0, 3)), colour=colour)
