# SPDX-License-Identifier: MIT
"""Every query of every dashboard against a real Prometheus, and the JSON against the schemas of Grafana's authors."""

from __future__ import annotations

import itertools
import json
import math
import re

import pytest
import yaml
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import dashboards
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.dashboards.grafana import COLUMNS, Dashboard, Query

from .. import samples

ALL = dashboards.all_dashboards()
START, END = samples.BEGIN - 60, samples.BEGIN + 1140
DAYS = 30
# the others show single runs, second by second
HISTORY = [dashboard for dashboard in ALL if dashboard.since == f"now-{DAYS}d"]
SCRAPE_S = 15  # the data source's timeInterval

named = pytest.mark.parametrize("dashboard", ALL, ids=[dashboard.name for dashboard in ALL])


def filled(text: str, chosen: dict[str, str], range_s: float, step_s: float) -> str:
    """A query as Grafana sends it. Source: Grafana documentation, "Global variables" and "Prometheus query editor"."""
    times = {
        "__rate_interval": max(step_s + SCRAPE_S, 4 * SCRAPE_S), "__interval": step_s, "__range": range_s,
    }  # fmt: skip
    for name, seconds in times.items():
        text = text.replace(f"${name}", f"{seconds:.0f}s")
    for name, value in chosen.items():
        text = re.sub(rf"\${name}\b", lambda _found, value=value: value, text)
    assert "$" not in text, text
    return text


def choices(server, dashboard: Dashboard, start: float, end: float) -> list[dict[str, str]]:
    """What can be chosen: of a variable with several values all of them, of another each."""
    found: list[dict[str, str]] = [{}]
    for variable in dashboard.variables:
        deeper = []
        for chosen in found:
            match = filled(variable.series, chosen, end - start, 15)
            values = server.get(f"label/{variable.label}/values", **{"match[]": match, "start": start, "end": end})
            assert values, f"{dashboard.name}: nothing to choose for {variable.name}"
            options = ["(" + "|".join(map(re.escape, values)).replace("\\", "\\\\") + ")"] if variable.many else values
            deeper += [{**chosen, variable.name: option} for option in options]
        found = deeper
    return found


def answered(server, query: Query, chosen: dict[str, str], times: tuple[float, float], step: float) -> list[set[str]]:
    """Names of the labels of each series with a finite value that a query finds."""
    start, end = times
    expr = filled(query.expr, chosen, end - start, step)
    if query.instant:
        found = server.get("query", query=expr, time=end)["result"]
        values = [[series["value"]] for series in found]
    else:
        found = server.range(expr, start, end, step)
        values = [series["values"] for series in found]
    return [
        set(series["metric"])
        for series, of_series in zip(found, values, strict=True)
        if any(math.isfinite(float(value)) for _t, value in of_series)
    ]


def labels(query: Query) -> set[str]:
    """Those that a reader is to see: of the legend, and of what the result is grouped by."""
    grouped = None if query.expr.startswith("sum(") else re.search(r"by \(([^)]*)\)", query.expr)
    return {*re.findall(r"\{\{(\w+)\}\}", query.legend), *(grouped[1].split(", ") if grouped else ())} - {"le"}


def is_answered(server, dashboard: Dashboard, times: tuple[float, float], least_s: float = 0.0) -> None:
    chosen = choices(server, dashboard, *times)
    for title, query, least in queries(dashboard):
        found = [answered(server, query, choice, times, max(least, least_s)) for choice in chosen]
        series = [one for of_choice in found for one in of_choice]
        assert series, f"{dashboard.name}, {title}: nothing for {query.expr}"
        assert any(labels(query) <= one for one in series), (
            f"{dashboard.name}, {title}: no {labels(query)}: {query.expr}"
        )


def queries(dashboard: Dashboard):
    """(title, query, least step in s) of each query; of `a or b` also each side by itself."""
    for panel in dashboard.panels:
        least = float(panel.interval.rstrip("s") or SCRAPE_S)
        for query in panel.queries:
            sides = query.expr.split(" or ")
            for expr in dict.fromkeys([query.expr, *sides]):
                yield panel.title, Query(expr, query.legend, query.instant, query.table), least


@named
def test_every_query_finds_something_and_none_is_an_error(server, dashboard):
    is_answered(server, dashboard, (START, END))


@pytest.mark.parametrize("dashboard", HISTORY, ids=[dashboard.name for dashboard in HISTORY])
def test_a_month_shows_what_an_hour_does(server, dashboard):
    is_answered(server, dashboard, (samples.BEGIN - (DAYS - 1) * 86400, samples.BEGIN + 86400), 3600)


def test_a_figure_is_the_runs_own(server, home):
    """The numbers themselves, of a few queries that put more than one series together."""
    [run] = [dashboard for dashboard in ALL if dashboard.name == "run"]
    identifier = samples.RUN_ID.format(1)
    record = json.loads((home / "runs" / identifier / "run.json").read_text())
    shown = {panel.title: panel.queries[0].expr for panel in run.panels if panel.kind == "stat"}

    def figure(title):
        return server.value(filled(shown[title], {"run": identifier}, END - START, 15), END)

    assert figure("Node hours") == pytest.approx(record["cost"]["node_hours"], abs=1e-5)
    assert figure("Wasted") == pytest.approx(record["cost"]["wasted_share"])
    assert figure("From planned to over") == pytest.approx(record["ended_at"] - record["created_at"], abs=0.01)
    assert figure("Calls") == sum(record["calls"].values())
    assert figure("Verdict") == 1


def test_shares_of_all_runs_are_of_the_same_node_hours(server, home):
    [overview] = [dashboard for dashboard in ALL if dashboard.name == "overview"]
    costs = [json.loads(path.read_text())["cost"] for path in sorted((home / "runs").glob("*/run.json"))]
    known = [cost for cost in costs if cost["wasted_share"] is not None]
    hours = sum(cost["node_hours"] for cost in known)
    every = {"cluster": ".*", "recipe": ".*"}
    for title, share in (("Measured", "measured_share"), ("Wasted", "wasted_share")):
        [panel] = [panel for panel in overview.panels if panel.title == title]
        value = server.value(filled(panel.queries[0].expr, every, END - START, 15), END)
        assert value == pytest.approx(sum(cost[share] * cost["node_hours"] for cost in known) / hours, abs=1e-3)


def test_the_baseline_is_100_percent_of_itself(server):
    [compare] = [dashboard for dashboard in ALL if dashboard.name == "compare"]
    table = next(panel for panel in compare.panels if panel.title == "Results")
    run = samples.RUN_ID.format(1)
    expressions = [query.expr for query in table.queries if "$baseline" in query.expr]
    assert len(expressions) == 3
    for expr in expressions:
        found = server.get("query", query=filled(expr, {"run": run, "baseline": run}, END - START, 15), time=END)[
            "result"
        ]
        assert {series["metric"]["case"] for series in found} == {"max", "half"}
        assert [float(series["value"][1]) for series in found] == [1.0, 1.0]


# -- the JSON --------------------------------------------------------------------------------------------------


def lost(ours, theirs, where=""):
    """What of a value is not in another, with its place."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key not in theirs:
                yield f"{where}/{key}"
            else:
                yield from lost(value, theirs[key], f"{where}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(one, other, f"{where}/{number}")
    elif ours != theirs:
        yield f"{where}: {ours!r}, {theirs!r}"


@named
def test_grafanas_own_types_know_every_field(dashboard):
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="requirements-dev.txt")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins

    register_default_plugins()
    written = dashboard.json()
    read = json.loads(JSONEncoder().encode(models.Dashboard.from_json(written)))
    assert list(lost(written, read)) == []


def test_the_check_above_finds_a_wrong_field():
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard", reason="requirements-dev.txt")
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    written = ALL[0].json()
    written["panels"][0]["fieldConfig"]["defaults"]["units"] = "s"
    written["panels"][0]["targets"][0]["expression"] = "up"
    read = json.loads(JSONEncoder().encode(models.Dashboard.from_json(written)))
    assert list(lost(written, read)) == ["/panels/0/targets/0/expression", "/panels/0/fieldConfig/defaults/units"]


@named
def test_units_are_grafanas(dashboard):
    units = pytest.importorskip("grafana_foundation_sdk.models.units", reason="requirements-dev.txt")
    known = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
    used = set(re.findall(r'"unit": "([^"]+)"', json.dumps(dashboard.json())))
    used |= set(re.findall(r'\{"id": "unit", "value": "([^"]+)"\}', json.dumps(dashboard.json())))
    assert used and used <= known


@named
def test_panels_have_places_of_their_own(dashboard):
    panels = dashboard.json()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]
    assert len(set(cells)) == len(cells) and max(x for x, _y in cells) < COLUMNS


@named
def test_names_are_defined(dashboard):
    text = json.dumps(dashboard.json())
    known = {variable.name for variable in dashboard.variables} | {
        "datasource",
        "__interval",
        "__range",
        "__rate_interval",
    }
    assert set(re.findall(r"\$\{?(\w+)", text)) - {"__all", "__value", "__data"} <= known
    assert set(re.findall(r"/d/([a-z-]+)", text)) <= {other.uid for other in ALL}
    assert len(dashboard.uid) <= 40 and len({other.uid for other in ALL}) == len(ALL)


def test_files_for_provisioning():
    prometheus = dashboards.Prometheus("https://prometheus.example.org", "reader", "/run/secrets/prometheus")
    found = dashboards.files("/etc/grafana/provisioning/", prometheus)
    [source] = yaml.safe_load(found["datasources/aifactory.yaml"])["datasources"]
    assert source["secureJsonData"] == {"basicAuthPassword": "$__file{/run/secrets/prometheus}"}
    assert (source["url"], source["basicAuthUser"]) == ("https://prometheus.example.org", "reader")
    [provider] = yaml.safe_load(found["dashboards/aifactory.yaml"])["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/dashboards/aifactory"
    written = {name for name in found if name.startswith("dashboards/aifactory/")}
    assert written == {f"dashboards/aifactory/{dashboard.name}.json" for dashboard in ALL}
    assert [json.loads(found[name]) for name in written]
    [plain] = yaml.safe_load(dashboards.files("/x", dashboards.Prometheus("http://x"))["datasources/aifactory.yaml"])[
        "datasources"
    ]
    assert "basicAuth" not in plain and "secureJsonData" not in plain
