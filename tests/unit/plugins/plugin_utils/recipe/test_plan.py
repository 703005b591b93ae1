# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""From a recipe and a cluster to the plan of a run."""

from __future__ import annotations

import json
import random
import re

import jsonschema
import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load import load_recipe
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.plan import new_run_id
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.plan_models import plan_schema

from .helpers import BASE, ROOT, load_text, plan_of

pytestmark = pytest.mark.usefixtures("made_up_workloads")

MELUXINA = {
    "benchmark_account": "p200999",
    "benchmark_qos": "default",
    "benchmark_scratch": "/scratch/me/",
    "benchmark_partitions": {"cpu": "batch", "gpu": "accelerated"},
    "benchmark_modules": ["env/release/2024.1"],
    "benchmark_images": {"docker://ollama/ollama": "/images/ollama.sif"},
    "benchmark_unknown": 1,
    "other": 2,
}


def test_the_original_recipe(tmp_path):
    plan = plan_of(load_recipe(str(ROOT / "recipes" / "original.yml")), MELUXINA)
    assert plan["run_id"] == "20260921-141320-ollama-benchmark-2265"
    assert plan["run_dir"] == f"/scratch/me/runs/{plan['run_id']}"
    assert plan["cluster"]["image_cache"] == "/scratch/me/images"
    service, clients = plan["service"], plan["clients"]
    assert (service["type"], service["role"]) == ("container", "aifactory.benchmark.container")
    assert service["overrides"] == {"image": "ollama/ollama:latest", "command": "ollama serve", "port": 11434}
    assert service["image"] == "/images/ollama.sif"
    assert service["job"] == {
        "name": f"aifactory-{plan['run_id']}-service",
        "partition": "accelerated",
        "account": "p200981",  # the recipe's goes before the inventory's
        "qos": "default",
        "time_limit_s": 3600,
        "nodes": 1,
        "ntasks": 1,
        "cpus_per_task": None,
        "memory_bytes": None,
        "gpus_per_node": 1,
        "constraint": None,
        "exclude_nodes": [],
    }
    assert (clients["type"], clients["count"], clients["job"]["ntasks"]) == ("command", 4, 4)
    assert (clients["job"]["partition"], clients["job"]["account"]) == ("batch", "p200999")
    assert clients["command"].endswith("""-d '{"model":"llama2","prompt":"Hello"}'""")
    assert plan["benchmarks"]["requests"] == 1 and plan["benchmarks"]["duration_s"] is None
    assert plan["benchmarks"]["cases"] == [{"name": "max", "concurrency": 1, "rate": None, "settings": {}}]


def test_the_original_recipe_is_the_specified_one():
    text = (ROOT / "recipes" / "original.yml").read_text(encoding="utf-8")
    assert text.startswith('configuration:\n  target: "meluxina"              # inventory host or group\nservice:\n')
    assert text.endswith('  num_clients: 4\n  metrics: ["response_time", "throughput"]\n')


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_recipes_resolve_everywhere(path):
    recipe = load_recipe(str(path))
    for variables in ({}, MELUXINA):
        jsonschema.validate(json.loads(json.dumps(plan_of(recipe, variables))), plan_schema())


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yml")), ids=lambda path: path.stem)
def test_a_resolved_recipe_gives_the_same_plan(path, tmp_path):
    recipe = load_recipe(str(path))
    again = load_text(tmp_path, recipe.as_resolved_yaml(), recipe.name)
    first, second = plan_of(recipe, MELUXINA), plan_of(again, MELUXINA)
    first.pop("recipe"), second.pop("recipe")
    assert first == second


@pytest.mark.parametrize(
    ("lines", "variables", "partition", "gpus"),
    [
        ("nodes: 1", {}, None, 0),
        ("num_gpus: 1", {}, None, 1),
        ("num_gpus: 1", MELUXINA, "accelerated", 1),
        ("nodes: 1", MELUXINA, "batch", 0),
        ("nodes: 2\n  replicas: 2\n  num_gpus: 8", MELUXINA, "accelerated", 4),
        ("nodes: 2\n  replicas: 2\n  gpus_per_node: 4", MELUXINA, "accelerated", 4),
        ("num_gpus: 0", MELUXINA, "batch", 0),
        ("partition: largemem", MELUXINA, "largemem", 0),
        ("partition: cpu\n  num_gpus: 2", MELUXINA, "batch", 2),
    ],
)
def test_partitions_and_gpus(tmp_path, lines, variables, partition, gpus):
    job = plan_of(load_text(tmp_path, BASE.replace("service:\n", f"service:\n  {lines}\n")), variables)["service"][
        "job"
    ]
    assert (job["partition"], job["gpus_per_node"]) == (partition, gpus)


@pytest.mark.parametrize(
    ("lines", "tasks", "layout"),
    [
        ("nodes: 1", 1, (1, 1, 1, 0)),
        ("replicas: 4\n  num_gpus: 4", 4, (4, 1, 4, 1)),
        ("replicas: 4\n  nodes: 2\n  num_gpus: 8", 4, (4, 1, 2, 2)),
        ("replicas: 2\n  nodes: 2\n  num_gpus: 8", 2, (2, 1, 1, 4)),
        ("replicas: 2\n  nodes: 4\n  num_gpus: 8\n  settings: {multi_node: head}", 4, (2, 2, 1, 2)),
    ],
)
def test_replicas_and_nodes(tmp_path, lines, tasks, layout):
    service = plan_of(load_text(tmp_path, BASE.replace("service:\n", f"service:\n  {lines}\n")))["service"]
    assert service["job"]["ntasks"] == tasks
    assert tuple(service["layout"].values()) == layout


def test_cases_have_max_first_and_names_for_files(tmp_path):
    recipe = load_text(tmp_path, BASE + "  rate: [50%, 200, max, 0.5, 12.5%]\n  concurrency: 4\n")
    cases = plan_of(recipe)["benchmarks"]["cases"]
    assert [(case["name"], case["rate"]) for case in cases] == [
        ("max", None), ("rate-50pct", "50%"), ("rate-200", 200.0), ("rate-0.5", 0.5), ("rate-12.5pct", "12.5%"),
    ]  # fmt: skip
    assert {case["concurrency"] for case in cases} == {4}
    loops = plan_of(load_text(tmp_path, BASE + "  concurrency: [1, 8]\n  rate: 5\n"))["benchmarks"]["cases"]
    assert [tuple(case.values()) for case in loops] == [("concurrency-1", 1, 5.0, {}), ("concurrency-8", 8, 5.0, {})]


def test_overrides_have_only_what_the_recipe_gives(tmp_path):
    text = "service:\n  type: postgresql\n  health: {interval: 500ms, deadline: 2m}\n  volumes: []\n  env: {A: 1}\n"
    plan = plan_of(load_text(tmp_path, text))
    assert plan["service"]["overrides"] == {"env": {"A": "1"}, "health": {"interval_s": 0.5, "deadline_s": 120.0}}
    assert plan["service"]["image"] is None
    bare = "service: {type: postgresql, health: {}, env: {}}\n"
    assert plan_of(load_text(tmp_path, bare))["service"]["overrides"] == {}
    assert plan["recipe"]["name"] == "mine" and len(plan["recipe"]["sha256"]) == 64


def test_time_limits_of_recipes_that_give_none(tmp_path):
    def limit(extra: str) -> int:
        return plan_of(load_text(tmp_path, BASE + extra))["service"]["job"]["time_limit_s"]

    assert limit("") == 1800
    assert limit("  repetitions: 600\n") == 9600  # 1.5 x 6000 s + 600 s
    assert limit("  repetitions: 601\n") == 9900  # in steps of five minutes


def test_shared_clients_are_in_the_services_job(tmp_path):
    text = BASE.replace("client:\n", "client:\n  placement: shared\n").replace(
        "service:\n", "service:\n  num_gpus: 4\n  account: x\n"
    )
    plan = plan_of(load_text(tmp_path, text), MELUXINA)
    own = ("name", "ntasks")
    service = {key: value for key, value in plan["service"]["job"].items() if key not in own}
    assert {key: value for key, value in plan["clients"]["job"].items() if key not in own} == service
    assert plan["clients"]["job"]["ntasks"] == 2


def test_client_images_are_substituted_and_kept_as_asked(tmp_path):
    text = BASE.replace("client:\n", "client:\n  image: ollama/ollama\n")
    clients = plan_of(load_text(tmp_path, text), MELUXINA)["clients"]
    assert (clients["image"], clients["image_as_asked"]) == ("/images/ollama.sif", "ollama/ollama")


class _Text(str):
    """As Ansible's tagged and unsafe strings: a subclass of str."""


def test_a_plan_is_plain_data(tmp_path):
    variables = {"benchmark_account": _Text("p1"), "benchmark_modules": (_Text("a"),)}
    plan = plan_of(load_text(tmp_path, BASE), variables)
    assert plan["cluster"]["account"] == "p1" and not isinstance(plan["cluster"]["account"], _Text)
    assert plan["cluster"]["modules"] == ["a"] and not isinstance(plan["cluster"]["modules"][0], _Text)
    assert plan == json.loads(json.dumps(plan))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"benchmark_partitions": ["cpu"]}, "inventory, host alpha: benchmark_partitions: input should be a valid dict"),
        ({"benchmark_modules": "Apptainer"}, "benchmark_modules: input should be a valid list, found the text 'Apptainer'"),
        ({"benchmark_runtime": "docker"}, "benchmark_runtime: input should be 'apptainer' or 'singularity'"),
        ({"benchmark_images": {"A B": "/x"}}, "benchmark_images: an image reference has no spaces"),
        ({"benchmark_account": 7, "benchmark_binds": 8}, "benchmark_account: input should be a valid string, found the number 7"),
    ],
)  # fmt: skip
def test_mistakes_of_the_inventory(tmp_path, variables, expected):
    with pytest.raises(RecipeError) as caught:
        plan_of(load_text(tmp_path, BASE), variables)
    assert expected in str(caught.value)
    assert len(caught.value.problems) == len(variables)


def test_variables_that_are_not_set_are_absent(tmp_path):
    assert plan_of(load_text(tmp_path, BASE), {"benchmark_qos": None})["cluster"]["qos"] is None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("ollama-benchmark", "ollama-benchmark"),
        ("My Service!", "my-service"),
        ("", "run"),
        ("é", "run"),
        ("a" * 40, "a" * 24),
    ],
)
def test_run_ids(name, slug):
    run_id = new_run_id(name, 1790000000.9, random.Random(3))
    assert re.fullmatch(rf"20260921-141320-{slug}-[0-9a-f]{{4}}", run_id)


LOAD = """\
  warmup: 2s
  cooldown: 1s
  rate: [max, 80%, 40]
  arrival: {type: gamma, burstiness: 0.5}
  max_in_flight: 100
  think_time: 0.00005
  timeout: 30s
  retries: 2
  drain: 10s
  records: true
  repetitions: 3
  order: sequential
  slo: ttft_p95_ms  <  500 and error_rate <= 1%
  stop_on: {error_rate: 50%, over_saturation: true, stable: 0.05}
"""


def engine(more: str) -> str:
    return BASE.replace("  command: curl $SERVICE_URL\n", "  type: made_up\n") + more


def test_a_recipe_that_says_nothing_of_the_load(tmp_path):
    plan = plan_of(load_text(tmp_path, engine("")))
    assert plan["inputs"] == {} and plan["clients"]["parser"] is None
    assert plan["benchmarks"] == {
        "duration_s": 10.0,
        "requests": None,
        "warmup_s": 0.0,
        "cooldown_s": 0.0,
        "repetitions": 1,
        "order": "random",
        "seed": 1,
        "metrics": ["response_time", "throughput"],
        "arrival": {"type": "poisson", "burstiness": 1.0, "ramp_from": 0.0, "trace": None},
        "think_time_s": 0.0,
        "max_in_flight": 4096,
        "timeout_s": None,
        "retries": 0,
        "drain_s": 60.0,
        "records": False,
        "slo": None,
        "stop_on": {"error_rate": None, "over_saturation": False, "stable": None},
        "search": None,
        "cases": [{"name": "max", "concurrency": 1, "rate": None, "settings": {}}],
    }


def test_the_load_in_base_units(tmp_path):
    found = plan_of(load_text(tmp_path, engine(LOAD)))["benchmarks"]
    asked = {
        "cooldown_s": 1.0,
        "arrival": {"type": "gamma", "burstiness": 0.5, "ramp_from": 0.0, "trace": None},
        "max_in_flight": 100,
        "think_time_s": 0.00005,
        "timeout_s": 30.0,
        "retries": 2,
        "drain_s": 10.0,
        "records": True,
        "order": "sequential",
        "slo": {
            "text": "ttft_p95_ms < 500 and error_rate <= 1%",
            "terms": [
                {"metric": "time_to_first_token", "statistic": "p95", "operator": "<", "value": 0.5, "text": "ttft_p95_ms < 500"},
                {"metric": "error_rate", "statistic": "value", "operator": "<=", "value": 0.01, "text": "error_rate <= 1%"},
            ],
        },
        "stop_on": {"error_rate": 0.5, "over_saturation": True, "stable": 0.05},
    }  # fmt: skip
    assert {key: found[key] for key in asked} == asked


def test_a_search_has_no_cases_beforehand(tmp_path):
    text = engine(
        "  concurrency: 8\n  slo: throughput > 5\n  search: {over: rate, from: 10, to: 1000, tolerance: 2%}\n"
    )
    recipe = load_text(tmp_path, text)
    plan = plan_of(recipe)
    assert plan["benchmarks"]["cases"] == []
    assert plan["benchmarks"]["search"] == {
        "over": "rate", "concurrency": 8, "from": 10.0, "to": 1000.0, "tolerance": 0.02, "repetitions": 3, "max_trials": 24,
    }  # fmt: skip
    jsonschema.validate(plan, plan_schema())
    assert plan["service"]["job"]["time_limit_s"] == 1800
    longer = plan_of(load_text(tmp_path, text.replace("to: 1000", "max_trials: 200") + "  cooldown: 5s\n"))
    assert longer["service"]["job"]["time_limit_s"] == 5100  # 1.5 x 200 x 15 s + 600 s, in steps of five minutes


@pytest.mark.parametrize(
    ("settings", "more", "load", "resulting"),
    [
        ("", "", ("poisson", None, 60.0), {}),
        ("arrival: constant, timeout: 5", "", ("constant", 5.0, 60.0), {"arrival": "constant", "timeout": 5}),
        ("timeout: 0, drain: 5", "", ("poisson", None, 5.0), {"timeout": 0, "drain": 5}),
        ("", "  arrival: constant\n  timeout: 5s\n  drain: 7s\n", ("constant", 5.0, 7.0), {"arrival": "constant", "timeout": 5.0, "drain": 7.0}),
        ("success_codes: [0, 1]", "  timeout: 5s\n", ("poisson", 5.0, 60.0), {"timeout": 5.0, "success_codes": [0, 1]}),
    ],
)  # fmt: skip
def test_the_command_and_the_plan_say_the_same(tmp_path, settings, more, load, resulting):
    text = BASE.replace("client:\n", f"client:\n  settings: {{{settings}}}\n") + "  rate: 5\n" + more
    plan = plan_of(load_text(tmp_path, text))
    found = plan["benchmarks"]
    assert (found["arrival"]["type"], found["timeout_s"], found["drain_s"]) == load
    assert plan["clients"]["settings"] == resulting


def test_the_parser_of_a_command(tmp_path):
    text = BASE.replace("client:\n", "client:\n  parser: vllm-bench\n")
    assert plan_of(load_text(tmp_path, text))["clients"]["parser"] == "vllm-bench"


@pytest.mark.parametrize(
    "more",
    [
        LOAD,
        "  rate: 9\n  arrival: {type: ramp, from: 0.5}\n",
        "  arrival: {type: trace, path: /times.csv}\n",
        "  slo: throughput > 1\n  search: {over: concurrency, to: 64}\n",
        "  sweep: {mode: zip, parameters: {rate: [max, 5], client.settings.wait: [1m, 250ms], settings.kind: [flat, graph]}}\n",
        "  sweep: {mode: list, cases: [{rate: 50%}, {rate: max}, {concurrency: 3, settings: {more: [{size: 3}]}}]}\n",
    ],
)  # fmt: skip
def test_a_resolved_load_gives_the_same_plan(tmp_path, more):
    first = load_text(tmp_path, engine(more))
    second = load_text(tmp_path, first.as_resolved_yaml(), "again")
    assert second.as_resolved_yaml() == first.as_resolved_yaml()
    assert plan_of(second)["benchmarks"] == plan_of(first)["benchmarks"]


def test_a_service_types_own_settings_of_its_workload_are_defaults(tmp_path):
    text = "service: {type: ollama, settings: {models: [a]}}\nbenchmarks: {duration: 10s}\nclient: "
    assert plan_of(load_text(tmp_path, text + "{}"))["clients"]["settings"] == {"api": "ollama-chat"}
    given = "{type: llm, settings: {api: ollama-generate, output_tokens: 8}}"
    settings = plan_of(load_text(tmp_path, text + given))["clients"]["settings"]
    assert settings == {"api": "ollama-generate", "output_tokens": 8}
    assert plan_of(load_text(tmp_path, text + "{type: http}"))["clients"]["settings"] == {}
