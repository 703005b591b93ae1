# SPDX-License-Identifier: MIT
from __future__ import annotations

import json
import re
import threading

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting, report
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.web import live, stream

from ..test_report import EVIL, Page, poison


def text_of(answer):
    return " ".join(" ".join(Page(answer.text).text).split())


@pytest.mark.parametrize(
    "url",
    [
        "/", "/?state=failed&order=recipe", "/?page=9", "/?recipe=nothing", "/plays/", "/recipes/", "/recipes/new",
        "/recipes/shipped/quickstart/", "/compare/", "/compare/?runs=latest", "/trends/", "/trends/?recipe=none",
        "/clusters/", "/api/", "/login",
    ],
)  # fmt: skip
def test_every_page_is_whole(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert [name for name, _attributes in page.elements].count("h1") == 1
    for name, attributes in page.elements:
        if name == "script" and attributes.get("type") != "application/json":
            assert attributes["src"].startswith("/assets/"), "no inline script"
        assert not [key for key in attributes if key.startswith("on")]
        for key in ("href", "src", "action"):
            assert not re.match(r"https?:|//", attributes.get(key) or ""), "nothing comes from elsewhere"


@pytest.mark.parametrize(
    "variant", ["finished", "overloaded", "service_died", "cancelled", "no_results", "running", "again"]
)
def test_every_kind_of_run_has_its_page(client, runs, variant):
    answer = client.get(f"/runs/{runs[variant].id}/")
    assert answer.status_code == 200
    assert runs[variant].id in text_of(answer)
    assert ("data-reload" in answer.text) == (variant == "running")


def test_a_run_says_what_its_report_says(client, runs):
    html, _markdown = report.render(runs["finished"])
    told = text_of(client.get(f"/runs/{runs['finished'].id}/"))
    for line in runs["finished"].read_json("run.json")["headline"]:
        assert formatting.with_interval(line) in told
    in_report = [text for text in Page(html.read_text()).text if re.fullmatch(r"[\d.,]+ (ms|s|µs|MiB|GiB|%)", text)]
    assert len(in_report) > 20
    assert not [text for text in in_report if text not in told]


def test_nothing_of_a_run_is_markup(client, runs):
    poison(runs["again"])
    for path in ("/", "/logs"):
        answer = client.get(f"/runs/{runs['again'].id}{path}")
        assert answer.status_code == 200
        assert EVIL not in answer.text and "<script>alert" not in answer.text


def test_a_unique_beginning_leads_to_the_run(client, runs):
    answer = client.get(f"/runs/{runs['again'].id[:-1]}/")
    assert answer.headers["Location"].endswith(f"/runs/{runs['again'].id}/")
    assert client.get("/runs/20200101-000000-none-0000/").status_code == 404
    assert client.get("/runs/..%2f..%2fetc/").status_code == 404


@pytest.mark.parametrize("name", ["../../../etc/passwd", "plan.json", "..%2frun.json", "logs/service.log", "jobs.json"])
def test_only_files_that_are_meant_are_handed_out(client, runs, name):
    assert client.get(f"/runs/{runs['finished'].id}/files/{name}").status_code == 404


def test_a_report_has_no_rights_here(client, runs):
    report.render(runs["finished"])
    answer = client.get(f"/runs/{runs['finished'].id}/files/report.html")
    assert "sandbox allow-scripts" in answer.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in answer.headers["Content-Security-Policy"]


def test_lines_of_logs_are_searched(client, runs):
    url = f"/runs/{runs['finished'].id}/logs"
    assert "No line matches" in client.get(f"{url}?search=nothing-like-this").text
    assert "not a regular expression" in client.get(f"{url}?search=(").text
    assert "checkpoint" in client.get(f"{url}?source=service").text


def test_a_run_that_goes_on_says_where_it_stands(runs):
    run = runs["running"]
    last = max(event["t"] for event in run.events())
    now = live.situation(run, last + 5)
    assert (now["state"], now["is_followed"]) == ("measuring", True)
    assert "operations" in now["progress"]
    later = live.situation(run, last + 3600)
    assert not later["is_followed"]
    assert later["segments"][-1]["end"] == last, "nobody knows what came after it"
    assert set(live.figures(run)) == {"live_rate"}, "this workload does not know its response times while it runs"


def test_the_queue_s_reason_is_told(runs, tmp_path):
    run = runs["running"]
    path = run.file("events/controller.jsonl")
    path.parent.mkdir(exist_ok=True)
    told = {"t": 1.0, "source": "controller", "event": "state", "job": "service", "state": "PENDING"}
    path.write_text(json.dumps({**told, "reason": "Priority"}) + "\n")
    try:
        assert live.situation(run, 2.0)["jobs"][0] == {
            "role": "service", "id": "4711", "state": "PENDING", "reason": "Priority", "node_list": "mel0001",
        }  # fmt: skip
    finally:
        path.unlink()


def test_a_stream_tells_what_changed_and_ends(client, runs):
    run = runs["running"]
    answer = client.get(f"/runs/{run.id}/stream")
    assert answer.mimetype == "text/event-stream"
    first = next(part for part in map(bytes.decode, answer.response) if "event: news" in part)
    assert "live_rate" in first and ">measuring</p>" in first
    answer.close()
    over = client.get(f"/runs/{runs['finished'].id}/stream").text
    assert over.rstrip().endswith("event: over\ndata: {}")


def test_too_many_streams_are_refused_and_a_closed_one_makes_room(client, runs, monkeypatch):
    monkeypatch.setattr(stream, "_free", threading.BoundedSemaphore(1))
    url = f"/runs/{runs['running'].id}/stream"
    first = client.get(url)
    second = client.get(url)
    assert second.status_code == 503 and second.headers["Retry-After"] == "30"
    first.close()
    third = client.get(url)
    assert third.status_code == 200
    third.close()


def test_runs_are_compared_and_the_comparison_is_kept(client, csrf, runs):
    pair = f"{runs['finished'].id},{runs['overloaded'].id}"
    assert "Ratios" in text_of(client.get(f"/compare/?runs={pair}"))
    kept = client.post("/compare/", data={"csrf": csrf, "runs": pair}).headers["Location"]
    assert "sandbox" in client.get(kept).headers["Content-Security-Policy"]
    wrong = client.get(f"/compare/?runs={runs['finished'].id},{runs['running'].id}")
    assert "is not over" in text_of(wrong)


def test_of_runs_that_were_ticked_the_oldest_is_the_reference(client, runs):
    older, newer = sorted(runs[name].id for name in ("finished", "overloaded"))
    for first, second in ((older, newer), (newer, older)):  # the list may be sorted by anything
        ticked = client.get(f"/compare/?runs={first}&runs={second}")
        assert f'value="{older},{newer}"' in ticked.get_data(as_text=True)
    written = client.get(f"/compare/?runs={newer},{older}").get_data(as_text=True)
    assert f'value="{newer},{older}"' in written


def test_numbers_over_time_are_those_of_the_summaries(client, runs):
    told = text_of(client.get("/trends/?recipe=quickstart"))
    for line in runs["finished"].read_json("run.json")["headline"]:
        assert formatting.with_interval(line) in told


def test_prometheus_is_told_the_latest_results(program):
    answer = program.get("/metrics")
    assert answer.mimetype == "text/plain"
    assert "aifactory_run_valid" in answer.text or "aifactory_" in answer.text
