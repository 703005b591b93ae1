# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import launcher
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web.errors import Refused

API = "/api/v1"
RECIPE = "service:\n  type: redis\nbenchmarks:\n  num_clients: 2\n  duration: 10s\n"


def test_runs_are_listed_by_pages(program, runs):
    found = program.get(f"{API}/runs?size=2&order=recipe").json
    assert (len(found["runs"]), found["total"], found["problems"]) == (2, len(runs), [])
    rest = [program.get(f"{API}/runs?size=2&page={page}").json["runs"] for page in (1, 2, 3, 4, 5)]
    assert sorted(run["id"] for page in rest for run in page) == sorted(run.id for run in runs.values())
    assert {run["state"] for run in program.get(f"{API}/runs?state=failed").json["runs"]} == {"failed"}


def test_a_run_is_told_with_its_numbers_as_people_read_them(program, runs):
    found = program.get(f"{API}/runs/{runs['finished'].id}").json
    assert found["record"] == runs["finished"].read_json("run.json")
    assert found["live"] is None
    assert [line["text"] for line in found["headline"]] == [
        formatting.with_interval(line) for line in found["record"]["headline"]
    ]
    live = program.get(f"{API}/runs/{runs['running'].id}").json["live"]
    assert live["state"] == "measuring" and live["jobs"]


def test_results_and_logs_are_told(program, runs):
    url = f"{API}/runs/{runs['finished'].id}"
    rows = program.get(f"{url}/results?metric=throughput").json["results"]
    assert rows and {row["metric"] for row in rows} == {"throughput"}
    lines = program.get(f"{url}/logs?source=service.log&tail=3").json["lines"]
    assert len(lines) == 3 and {line["file"] for line in lines} == {"logs/service.log"}


@pytest.mark.parametrize(
    ("url", "status", "field"),
    [
        ("/runs?page=0", 422, "page"),
        ("/runs?colour=red", 422, "colour"),
        ("/runs?state=over", 422, "state"),
        ("/runs/latest", 422, "run_id"),
        ("/runs/20200101-000000-none-0000", 404, None),
        ("/runs/20200101-000000-none-0000/logs?source=../x", 422, "source"),
        ("/plays/20200101-000000-run-0000", 404, None),
        ("/recipes/shipped/nothing", 404, None),
        ("/comparison?runs=x", 404, None),
        ("/comparison", 422, None),
        ("/nothing", 404, None),
    ],
)
def test_a_mistake_is_told_with_its_field(program, url, status, field):
    answer = program.get(API + url)
    assert (answer.status_code, answer.json["field"]) == (status, field), answer.text
    assert answer.json["message"]


def test_a_recipe_is_checked_with_its_lines(program):
    found = program.post(f"{API}/recipes/check", json={"text": RECIPE}).json
    assert found["valid"] and "redis" in found["sentence"]
    wrong = program.post(f"{API}/recipes/check", json={"text": RECIPE.replace("num_clients", "num_client")}).json
    [problem] = wrong["problems"]
    assert (problem["line"], problem["field"]) == (4, "benchmarks.num_client")
    assert "num_clients" in problem["remedy"]
    assert program.post(f"{API}/recipes/check", json={"text": "\0: [\n"}).json["valid"] is False


def test_what_somebody_else_saved_is_not_overwritten(program, settings):
    url = f"{API}/recipes/own/mine"
    first = program.put(url, json={"text": RECIPE}).json
    assert (settings.home / "recipes/mine.yml").read_text() == RECIPE
    second = program.put(url, json={"text": RECIPE + "# more", "known": first["digest"]})
    assert second.status_code == 200
    third = program.put(url, json={"text": RECIPE + "# other", "known": first["digest"]})
    assert third.status_code == 409 and "changed since" in third.json["message"]
    assert program.get(f"{API}/recipes/own/mine").json["text"].endswith("# more\n")
    assert program.put(f"{API}/recipes/own/..%2fx", json={"text": RECIPE}).status_code in (404, 405, 422)
    assert ("own", "mine") in [(each["origin"], each["name"]) for each in program.get(f"{API}/recipes").json["recipes"]]


def test_a_launch_is_of_a_recipe_and_clusters_that_are_there(program, monkeypatch):
    def start(_here, kind, variables, limit=None):
        raise Refused(f"{kind} {variables} {limit}")

    monkeypatch.setattr(launcher, "start", start)
    told = program.post(f"{API}/plays", json={"name": "quickstart", "limit": "first, second", "check": True})
    assert told.status_code == 409
    assert told.json["message"].startswith("dry-run {'recipe': '/") and told.json["message"].endswith("first,second")
    for wrong in (
        {"name": "nothing"},
        {"name": "quickstart", "limit": "third"},
        {"name": "quickstart", "limit": "@/x"},
    ):
        assert program.post(f"{API}/plays", json=wrong).status_code in (404, 422)


def test_the_document_says_what_is_there(program, app):
    document = program.get(f"{API}/openapi.json").json
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api_")]
    assert len(document["paths"]) == len({rule.rule for rule in rules})
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            assert about["summary"] and about["security"] == [{"token": []}], f"{method} {path}"
