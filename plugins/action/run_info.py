# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what the controller knows of its runs; nothing is asked of a cluster, no connection is made."""

from __future__ import annotations

import csv
import difflib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import runs, timeline
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.formatting import plural
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError

if TYPE_CHECKING:
    from ansible_collections.aifactory.benchmark.plugins.plugin_utils import logs

VIEWS = ["list", "summary", "side_by_side", "logs", "metrics", "report"]
_OPTIONS: dict[str, dict[str, Any]] = {
    "view": {"type": "str", "required": True, "choices": VIEWS},
    "run": {"type": "str", "default": "latest"},
    "clusters": {"type": "list", "elements": "str", "default": []},
    "recipe": {"type": "str"},
    "state": {"type": "str"},
    "verdict": {"type": "str", "choices": ["VALID", "INVALID"]},
    "count": {"type": "int", "default": 50},
    "search": {"type": "str"},
    "source": {"type": "str"},
    "level": {"type": "str", "choices": ["error", "warning"]},
    "merge": {"type": "bool", "default": False},
    "tail": {"type": "int"},
    "limit": {"type": "int"},
    "metric": {"type": "str"},
    "case": {"type": "str"},
    "client": {"type": "str", "default": "all"},
    "csv": {"type": "path"},
    "parquet": {"type": "path"},
    "openmetrics": {"type": "path"},
    "push": {"type": "bool", "default": False},
}
_TAIL_LINES = 40
ALL = "all"  # runs


class ActionModule(ActionBase):
    """See the module run_info for the options."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Show one view and return its data; foreseen errors fail the task with their own text."""
        super().run(tmp, task_vars)
        _unused, self.options = self.validate_argument_spec(_OPTIONS)
        self.task_vars = task_vars or {}
        self.home = runs.benchmark_home(self._variable("benchmark_home"))
        try:
            return {"changed": False, **getattr(self, f"_view_{self.options['view']}")()}
        except (RunError, ImportError) as error:
            raise AnsibleActionFail(str(error)) from None

    def _variable(self, name: str) -> Any:
        value = self.task_vars.get(name)
        return None if value is None else self._templar.template(value)

    def _find(self) -> RunDirectory:
        return runs.find_run(self.home, self.options["run"], self.options["clusters"])

    def _show(self, text: str) -> None:
        self._display.display(text)

    # -- the views -----------------------------------------------------------------------------------

    def _view_list(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index, screen

        filters = {name: self.options[name] for name in ("recipe", "state", "verdict")}
        try:
            found, problems = index.runs(
                self.home,
                self._variable("benchmark_store_url"),
                say=self._show,
                limit=self.options["count"] or None,
                cluster=self.options["clusters"],
                **filters,
            )
        except index.StoreError as error:
            raise RunError(str(error)) from error
        for problem in problems:
            self._display.warning(problem)
        if found:
            self._show(screen.listing(found, screen.colours()))
        else:
            self._show(
                f"no run in {self.home}"
                + (" that these filters leave" if any(filters.values()) or self.options["clusters"] else "")
            )
        return {"runs": found}

    def _view_summary(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen

        try:
            run = self._find()
        except RunError as missing:
            return self._summary_from_store(missing)
        record = run.read_json("run.json", None)
        if record is None or record["state"] not in timeline.FINAL_STATES:
            from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish

            record = finish.preview(run)
        self._show(screen.summary(run, record))
        if record["state"] not in timeline.FINAL_STATES:
            self._show(f"it is not over: ansible-playbook aifactory.benchmark.watch -e run={run.id}")
        return {"run": run.id, "path": str(run.path), "record": record}

    def _summary_from_store(self, missing: RunError) -> dict[str, Any]:
        """The summary of a run of another controller, where they share a store."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import index, screen

        url = self._variable("benchmark_store_url")
        if not url:
            raise missing
        try:
            record = index.elsewhere(self.home, url, self.options["run"], self.options["clusters"])
        except index.StoreError as error:
            raise RunError(f"{missing}\n{error}") from None
        if record is None:
            raise missing
        self._show(screen.summary(None, record))
        return {"run": record["id"], "record": record}

    def _view_side_by_side(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen, side_by_side

        records = side_by_side.of_one_play(self.home, self._find())
        self._show("\n" + side_by_side.text(records, screen.colours()))
        return {"runs": records}

    def _view_logs(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import logs

        options = self.options
        client = None if options["client"] in ("all", "*", "") else options["client"]
        wanted = logs.Wanted(options["source"], client, options["search"], options["level"])
        limit = logs.MOST_LINES if options["limit"] is None else options["limit"]
        chosen = options["search"] or options["level"] or options["run"] == ALL
        tail = options["tail"] if options["tail"] is not None else 0 if chosen else _TAIL_LINES
        for name, value in (("tail", tail), ("limit", limit)):
            if value < 0:
                raise RunError(f"{name}={value} must be a number of lines, or 0 for all")
        if options["run"] == ALL:
            return self._search(wanted, limit)
        run = self._find()
        found = logs.read(run, wanted, tail=tail, merge=options["merge"], limit=limit)
        self._show_log(run, found, merged=options["merge"])
        if not found.lines:
            self._show(f"no line of the logs of run {run.id} matches")
        return {"run": run.id, "path": str(run.path), "lines": found.lines, "left_out": found.left_out}

    def _search(self, wanted: logs.Wanted, limit: int) -> dict[str, Any]:
        """The logs of all runs, the newest first."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import logs

        if not (wanted.search or wanted.level):
            raise RunError("run=all needs what to look for: -e search=REGEX, or -e level=error")
        names, lines, shown = self._runs(), [], []
        for run, found in logs.search(names, wanted, limit):
            self._show_log(run, found, merged=False)
            lines += [{"run": run.id, **line} for line in found.lines]
            shown.append(run.id)
        if limit and len(lines) >= limit:
            rest = len(names) - 1 - [run.id for run in names].index(shown[-1])
            self._cut(f"{limit:,} lines are shown, {plural(rest, 'older run')} not searched; -e limit=0 shows all")
        self._show(f"{plural(len(lines), 'line')} in {len(shown)} of {plural(len(names), 'run')}")
        return {"lines": lines}

    def _runs(self) -> list[RunDirectory]:
        """The runs of these clusters and this recipe, newest first."""
        found = [runs.run_directory(self.home, name) for name in reversed(runs.run_ids(self.home))]
        clusters, recipe = self.options["clusters"], self.options["recipe"]
        if clusters:
            found = [run for run in found if runs.cluster_of(run) in clusters]
        if recipe:
            plans = ((run, run.read_json("plan.json", None) or {}) for run in found)
            found = [run for run, plan in plans if (plan.get("recipe") or {}).get("name") == recipe]
        return found

    def _show_log(self, run: RunDirectory, found: logs.Found, *, merged: bool) -> None:
        """Lines, those of errors and warnings in colour where Ansible colours anything."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.logs import log_lines

        if found.left_out:
            self._cut(f"run {run.id}: {found.left_out:,} earlier lines are left out; -e limit=0 shows all")
        width = max((len(line["file"]) for line in found.lines), default=0) - len("logs/")
        last, coloured = None, screen.colours()
        for line in found.lines:
            if merged:
                text = f"{log_lines.clock(line['t'])} {line['file'].removeprefix('logs/'):<{width}} {line['text']}"
            else:
                if line["file"] != last:
                    last = line["file"]
                    self._show(f"==> {run.path}/{last} <==")
                text = f"{line['line']:>6}  {line['text']}"
            self._display.display(text, color=log_lines.COLOURS.get(line["level"]) if coloured else None)

    def _cut(self, text: str) -> None:
        self._show(f"… {text}")

    def _view_metrics(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import screen

        if self.options["openmetrics"] or self.options["push"]:
            return self._to_prometheus()
        if self.options["parquet"] or (self.options["csv"] and self.options["run"] == ALL):
            return self._tables()
        run, options = self._find(), self.options
        rows = run.results()
        if not rows:
            raise RunError(
                f"run {run.id} has no results: nothing was measured, or it was not collected yet ({run.path})"
            )
        for field in ("metric", "case", "client"):
            rows = self._only(run, rows, field, options[field])
        if options["csv"]:
            return {**self._export(rows, Path(options["csv"])), "run": run.id, "results": rows}
        self._show(screen.metrics(rows, screen.colours()))
        return {"run": run.id, "path": str(run.file("results.csv")), "results": rows}

    @staticmethod
    def _only(run: RunDirectory, rows: list[dict[str, Any]], field: str, wanted: str | None) -> list[dict[str, Any]]:
        """The rows whose field has the wanted value; None and `*` want every one."""
        if wanted in (None, "", "*"):
            return rows
        chosen = [row for row in rows if row[field] == wanted]
        if chosen:
            return chosen
        known = list(dict.fromkeys(row[field] for row in rows))
        near = difflib.get_close_matches(wanted, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RunError(f"run {run.id} has no {field} {wanted!r}: there are {', '.join(known)}{hint}")

    def _export(self, rows: list[dict[str, Any]], path: Path) -> dict[str, Any]:
        """Write the rows as CSV; an unchanged file is left alone."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        try:
            changed = not path.is_file() or path.read_text(encoding="utf-8") != text.getvalue()
            if changed and not self._task.check_mode:
                RunDirectory(path.absolute().parent).write_text(path.name, text.getvalue())
        except OSError as error:
            raise RunError(f"csv={path} cannot be written: {error.strerror}") from error
        self._show(f"{len(rows)} rows: {os.path.abspath(path)}")
        return {"changed": changed, "path": str(path)}

    def _tables(self) -> dict[str, Any]:
        """Results of runs, each row with what its run was, as one CSV or Parquet file."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import tables

        options = self.options
        if options["csv"] and options["parquet"]:
            raise RunError("csv and parquet exclude each other")
        wanted = tables.Wanted(options["metric"], options["case"], options["client"])
        found = self._runs()[::-1] if options["run"] == ALL else [self._find()]
        write, path = (
            (tables.write_csv, options["csv"]) if options["csv"] else (tables.write_parquet, options["parquet"])
        )
        really = {"really": not self._task.check_mode, "warn": self._display.warning}
        written = write(found, Path(path), wanted, **really)
        self._show(written.text())
        return {"changed": any(written.changed.values()), "path": str(path), "exported": written.runs}

    def _to_prometheus(self) -> dict[str, Any]:
        """Whole runs: to a file (all of them: to a directory), or to the Pushgateway."""
        options = self.options
        given = [name for name in ("metric", "case", "csv", "parquet") if options[name]]
        given += ["push"] if options["openmetrics"] and options["push"] else []
        if given:
            what = "openmetrics" if options["openmetrics"] else "push"
            raise RunError(f"{what} is for whole runs: leave out {', '.join(given)}")
        return self._push() if options["push"] else self._openmetrics(Path(options["openmetrics"]))

    def _openmetrics(self, path: Path) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import openmetrics

        really = not self._task.check_mode
        if self.options["run"] == "all":
            written = openmetrics.write_all(self.home, path, self.options["clusters"], really, self._display.warning)
        else:
            run = self._find()
            written = {run.id: openmetrics.write(run, path, really)}
        changed = [run for run, new in written.items() if new]
        self._show(f"{len(written)} runs, {len(changed)} of them new or changed: {os.path.abspath(path)}")
        return {"changed": bool(changed), "path": str(path), "exported": list(written)}

    def _push(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import openmetrics, pushgateway

        run, gateway = self._find(), pushgateway.named(self._variable)
        if gateway is None:
            raise RunError(
                "no Pushgateway is named: set benchmark_pushgateway_url, such as http://push.example.org:9091"
            )
        openmetrics.final_record(run)
        if not self._task.check_mode:
            gateway.push(run)
            self._show(f"run {run.id}: pushed to {gateway.url}")
        return {"changed": True, "exported": [run.id]}

    def _view_report(self) -> dict[str, Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import finish, report

        run = self._find()
        html, markdown = run.file("report.html"), run.file("report.md")
        if not self._task.check_mode:
            plan, calls = run.read_json("plan.json"), run.read_json("calls.json", None)
            calls = calls if calls is not None else (run.read_json("run.json", None) or {}).get("calls") or {}
            store = {"store_url": self._variable("benchmark_store_url"), "warn": self._display.warning}
            finish.finish(run, plan, finish.jobs_of(run), None, calls, **store)
            html, markdown = report.render(run)
        self._show(f"{html}\n{markdown}")
        return {"changed": not self._task.check_mode, "run": run.id, "html": str(html), "markdown": str(markdown)}
