# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares runs that are over, or holds one against a named baseline; nothing is asked of a cluster."""

from __future__ import annotations

from typing import Any

from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_action import RunAction, RunFailed
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError


class ActionModule(RunAction):
    """See the module run_compare for the options."""

    _requires_connection = False
    OPTIONS = {
        "run": {"type": "str"},
        "runs": {"type": "list", "elements": "raw"},
        "sides": {"type": "dict"},
        "baseline": {"type": "str"},
        "metrics": {"type": "list", "elements": "str", "default": []},
        "threshold": {"type": "str"},
        "thresholds": {"type": "dict"},
        "directions": {"type": "dict", "default": {}},
        "varied": {"type": "list", "elements": "str"},
        "strict": {"type": "bool", "default": False},
        "clusters": {"type": "list", "elements": "str", "default": []},
        "fail": {"type": "bool", "default": True},
    }

    def act(self) -> dict[str, Any]:
        """Compare, show, write; fails on a regression and where the gate is not passed."""
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare, screen
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import pages, terminal, words

        compare.library_is_here()
        baseline = self._baseline()
        record = compare.compare(self._sides(baseline), self._options(baseline), baseline)
        self._display.display(terminal.text(record, screen.colours()))
        result: dict[str, Any] = {"comparison": record, "paths": {}, "failure": words.failure(record)}
        if not self.check_mode:
            result["paths"] = pages.write(compare.directory(self.home, record), record)
            result["changed"] = True
            self._display.display(f"report {result['paths']['html']}")
        if self.options["fail"] and result["failure"]:
            raise RunFailed(result["failure"])
        return result

    def _baseline(self) -> dict[str, Any] | None:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import baselines

        return baselines.read(self.home, self.options["baseline"]) if self.options["baseline"] else None

    def _sides(self, baseline: dict[str, Any] | None) -> list[Any]:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import sides

        given = {key: self.options[key] for key in ("run", "runs", "sides", "clusters")}
        if baseline is None:
            return sides.read(self.home, **given)
        try:
            known = [sides.find(self.home, run_id) for run_id in baseline["runs"]]
        except RunError as error:
            raise RunFailed(f"baseline {baseline['name']}: {error}. Set it to runs that are here") from None
        reference = sides.Side(baseline["name"], known)
        if not any(given[key] for key in ("run", "runs", "sides")):
            return [reference, sides.Side("run", [sides.newest_like(self.home, known)])]
        others = sides.read(self.home, **given)
        if len(others) == 1 and not given["sides"]:
            others = [sides.Side("run", others[0].runs)]
        return sides.distinct([reference, *others])

    def _options(self, baseline: dict[str, Any] | None) -> Any:
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils import compare
        from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import differences, judged

        kept, options = baseline or {}, self.options
        thresholds = judged.Thresholds(
            options["threshold"] or kept.get("threshold"),
            {**(kept.get("thresholds") or {}), **(options["thresholds"] or {})},
        )
        return compare.Options(
            metrics=options["metrics"],
            thresholds=thresholds,
            directions=judged.read_directions(options["directions"]),
            varied=(differences.SERVICE,) if options["varied"] is None else options["varied"],
            strict=options["strict"],
        )
