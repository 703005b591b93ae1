# SPDX-License-Identifier: MIT
"""Writes docs/recipe.md and docs/recipe.schema.json from the schema, the service types and the workloads.

And docs/provenance.schema.json and docs/run.schema.json from those of provenance.json and run.json.

Run it after a change of any of them: `PYTHONPATH=.collections .venv/bin/python docs/build_recipe_reference.py`. With
`--check` nothing is written, and the exit code says whether all files are current.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.aifactory.benchmark.plugins.module_utils.load import registry, slo
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance.schema import provenance_schema
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.inputs import MOST_BYTES
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.load_schema import (
    Arrival,
    Search,
    StopOn,
    Sweep,
    SweepCase,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.roles import service_type, service_types
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.schema import (
    Health,
    JobOptions,
    Metrics,
    RecipeModel,
    Secret,
    json_schema,
    keys_of,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.sweep import MOST_CASES
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.run_schema import run_schema

DOCS = Path(__file__).resolve().parent
RECIPES = DOCS.parent / "recipes"

INTRODUCTION = """\
<!-- SPDX-License-Identifier: MIT -->
<!-- Made by docs/build_recipe_reference.py from the schema: change that, not this page. -->
# Recipes

A recipe is a YAML file that names a service and a load. What belongs to a cluster (account, QOS, names of partitions,
modules, paths) stands in the [inventory](../inventory/README.md), so that the same recipe runs on every cluster.

```yaml
{example}```

`ansible-playbook aifactory.benchmark.validate -e recipe=PATH_OR_NAME` checks one, `… recipes` lists those there are,
`… run -e recipe=PATH_OR_NAME` runs one, and with `--check` shows what it would submit. A name is looked up in
`./recipes`, in `recipes` beside the playbook, in `~/.aifactory/recipes` and among the recipes of the collection, in
this order.

An editor that knows JSON Schema completes and checks recipes with [recipe.schema.json](recipe.schema.json): begin the
file with `# yaml-language-server: $schema=PATH/docs/recipe.schema.json`.
"""

UNITS = """\
## Units

| value | forms |
|---|---|
| duration | `10s`, `1h30m`, `250ms`, `01:30:00` (h:m:s), `10:00` (m:s), `1-00:00:00` (days-h:m:s), or seconds |
| time limit | as Slurm: `01:30:00`, `10:00` (m:s), `1-00:00:00`, `30` (**minutes**); also `30m`, `2h` |
| memory | `16GiB` and `16G` (powers of 1024, as in Slurm), `16GB` (powers of 1000); always with a unit |
| rate | operations per second over all clients: a number; `max`: as fast as it goes (closed loop); \
`50%`: of what `max` reached, which then has to be in the list |
| share | a part of 1: `0.05`, or `5%` |

Times need no quotes: `10:00:00` is text here, though YAML 1.1 reads it as the number 36000. Environment variables and
text settings keep what you wrote: `on`, `007`.
"""

LOAD = """\
## The load

**Without a rate** (closed loop) each of a client's `concurrency` connections begins an operation when the one before
has ended, or `think_time` later: this finds out what the service can do. **With a rate** (open loop) a schedule says
when operations are due, whatever the service does, and the response time counts from there: this is what users feel.
`rate` is that of all clients together.

```yaml
service: {{image: "nginx:1.27-alpine", command: nginx, port: 80}}
client: {{type: http}}
benchmarks:
  num_clients: 4
  warmup: 10s
  duration: 60s
  cooldown: 5s
  rate: [max, 50%, 80%]
  arrival: {{type: gamma, burstiness: 0.5}}   # or a word: poisson, constant
  timeout: 30s
  repetitions: 3
  slo: response_time_p99_ms < 250 and error_rate < 1%
  stop_on: {{error_rate: 50%, over_saturation: true}}
```

- `arrival`: `poisson` (default), `constant`, `gamma` with `burstiness` (1 is Poisson; 0.5 has twice its variance),
  `ramp` from the rate `from` to the case's own over the measurement, or `trace`: the times in a file. A trace needs no
  rate; with one it is stretched to that mean rate. Its times count from the measurement's start; the warm-up before it
  has random arrivals at its mean rate.
- An operation that is due while `max_in_flight` of its client are under way is dropped. Dropped operations, retries,
  timeouts and what the drain's end cut off are counted and shown.
- `warmup` and `cooldown` are load that does not count.
- With several repetitions, the cases are measured round by round in random order (`order: sequential` leaves that), so
  that a service that warms up or slows down does not favour a case. `max` comes first where percentages refer to it.

### Objectives

`slo` is `TERM [and TERM …]`, a term `NAME OPERATOR NUMBER` with `<`, `<=`, `>` or `>=`. NAME is a metric, then
{suffixes} where it is a distribution, then `_ms`, `_us` or `_s` (default) where it is a time:
`response_time_p99_ms < 250`. {aliases}.
`throughput`, `error_rate`, `output_tokens_per_s` and the like are one number; shares may be written in percent. A term
whose metric was not measured is not met. Upper bounds of an operation's times also decide which operations count as
`goodput`, whatever their statistic.

### Sweeps

`sweep` makes cases out of parameters: `rate`, `concurrency`, and `settings.NAME` of the workload. Cases are named after
what is their own, such as `concurrency-4,protocol-simple`.

```yaml
service: {{type: postgresql}}
benchmarks:
  duration: 30s
  sweep:
    parameters:             # mode: grid (default), every combination; mode: zip, value by value
      concurrency: [1, 4, 16]
      settings.protocol: [simple, prepared]
```

```yaml
service: {{type: postgresql}}
benchmarks:
  duration: 30s
  sweep:
    mode: list
    cases:
      - {{rate: 100, settings: {{protocol: simple}}}}
      - {{rate: 200, settings: {{protocol: prepared}}}}
```

### Searches

`search` finds the highest rate or concurrency that meets the `slo`: it doubles the load until it does not, halves the
interval until it is as narrow as `tolerance`, and repeats both of its ends. The result is that interval with the trials
behind it. A trial whose load the clients could not make is not met, and says so.

```yaml
service: {{image: "nginx:1.27-alpine", command: nginx, port: 80}}
client: {{type: http}}
benchmarks:
  num_clients: 4
  warmup: 5s
  duration: 20s
  slo: response_time_p99_ms < 50 and error_rate < 0.01
  search: {{over: rate, from: 100}}
```

### Files

A setting of the type path, and the path of a trace, name a file. A relative path is a file beside the recipe (else in
the current folder), at most {most_mib} MiB: it is shipped with the run as `inputs/NAME`, and kept in the run's
directory beside its recipe. An absolute path is a file on the cluster, which has to be there before anything is
submitted.
"""

IMAGES = """\
## Images

`service.image`, `client.image`, and the values of the inventory's `benchmark_images`:

| image | form | where it comes from |
|---|---|---|
| of Docker Hub | `postgres:17`, `org/name`, `name@sha256:…` | pulled |
| of another registry | `docker://ghcr.io/org/name:tag`, `ghcr.io/org/name:tag` | pulled |
| SIF file in a registry | `oras://HOST/name:tag` (`apptainer push`), `library://…` | pulled |
| archive | `oci-archive:/PATH.tar`, `docker-archive:/PATH.tar` (`docker save`) | built from a file on the cluster |
| definition file | `/PATH/name.def` on the cluster; `name.def` beside the recipe, then shipped | built |
| SIF file, sandbox directory | `/PATH/name.sif`, `/PATH/folder` on the cluster | used where it lies |

A job of its own, without GPUs, pulls or builds what is not in the cache yet, once for all runs, and the service job
waits for it. An archive or a definition is known by its content: copies share an image, and a change makes a new one.
Of several images in an archive `oci-archive:/PATH.tar:NAME` says which one.

A definition is built by an ordinary user (`apptainer build --fakeroot`), which needs user namespaces on the nodes.
Where they are not to be had, build it elsewhere, copy the SIF file to the cluster, and name its path. Files that a
definition copies (`%files`) are named by their absolute paths on the cluster; when they change, or the image of its
`From`, change the definition, too, since the image in the cache is found by the definition alone.
"""

BEFORE = """\
## Before the service

`service.prefetch` is a list of shell commands that are run once, one after another, in the service's container, by the
job that has the images: without GPUs, before the service's job starts. So a model is on scratch before a GPU is held.

```yaml
service:
  image: "vllm/vllm-openai:v0.32.0"
  command: vllm serve org/name --host $SERVICE_ADDRESS --port $SERVICE_PORT
  port: 8000
  env: {{HF_HOME: /models}}
  secrets: {{HF_TOKEN: {{env: HF_TOKEN}}}}
  volumes: ["/project/scratch/p200981/models:/models"]
  prefetch: ["hf download org/name"]
client: {{command: "curl --fail $SERVICE_URL/v1/models"}}
```

The commands have the service's environment, secrets and volumes, after its modules and `pre_run_commands`. Where one
fails, the run fails with its name, exit code and last lines, and the service's job never starts. The job's time limit
is an hour, or the service's if that is more. vLLM and Ollama fetch their models so by themselves.
"""

RULES = """\
## Rules

- `service.type` says which role knows the service; without it the type is `container`, and `service.image` and
  `service.command` are required.
- Without `service.port`, the port is the one that the client's command names (`$SERVICE_HOSTNAME:11434`), else the
  service type's own.
- Without `client.type`, the workload is `command` where `client.command` is given, else the service type's own.
- `num_gpus` counts the GPUs of the whole job and is spread evenly over its nodes; `gpus_per_node` says it directly.
- `replicas` of a service are spread evenly over its nodes and share the GPUs of a node evenly. Where there are more
  nodes than replicas, each replica has several: vllm, minio, and container with `settings.multi_node` know how
  ([replicas and nodes](how-a-run-works.md#replicas-and-nodes)).
- No partition: `gpu` for a job with GPUs, else `cpu`, both translated by the inventory's `benchmark_partitions`; if
  that has no such key, Slurm's default partition.
- `duration` and `requests` exclude each other; without both, each client makes one request.
- Each value of a list of rates or of concurrencies is a case of its own, called `max`, `rate-200`, `rate-50pct` or
  `concurrency-8`; `sweep` makes cases of several parameters, at most {most_cases}. `search` excludes lists and sweeps.
- A job without `time_limit` gets 30 minutes, or one and a half times what is measured and ten minutes, if that is more.
  A search counts with all of its `max_trials`.
- The workloads `pgbench` and `command` run programs that make their own load: `think_time`, `max_in_flight`, `retries`,
  `records`, `cooldown` and `stop_on.over_saturation` are errors there. pgbench has Poisson arrivals and neither
  `timeout` nor `drain`; the command has Poisson and constant ones, and its settings `arrival`, `timeout` and `drain`
  say the same as these keys of `benchmarks`.
- `client.parser` reads the results of a tool that `client.command` runs, in place of its exit code and time alone.
- With `placement: shared` the clients are tasks of the service's job: options of a job of their own are errors.

Every mistake is shown at once, with file, line, field and remedy, and nothing is submitted:

```text
recipes/mine.yml:3: service.num_gpu: unknown key; did you mean 'num_gpus'? (allowed: name, type, port, …)
recipes/mine.yml:9: benchmarks.duration: expected a duration, found the text 'ten seconds'; write it like 10s, 5m, …
```
"""


COMPANIONS = """### `services:`

Instead of `service:`, where it needs others: a list of services, each with the keys of `service:`. The first is
benchmarked. The others start before it, and it and the clients know where they are.

```yaml
services:
  - image: docker://docker.io/library/nginx:1.27
    command: …            # a gateway; $SERVICE_ADDRESS and $SERVICE_PORT are its own
  - name: backend         # $SERVICE_BACKEND_URL, _URLS, _HOSTNAME, _ADDRESS, _PORT
    type: vllm
    replicas: 4
    num_gpus: 4
```

[Several services](how-a-run-works.md#several-services) has the details.
"""

# Mappings within the sections: their path, what is said before their keys, their model.
NESTED = (
    ("service.health", "", Health),
    ("service.metrics", "", Metrics),
    ("service.secrets.NAME", "", Secret),
    ("benchmarks.arrival", "A word is short for a mapping with this type.\n\n", Arrival),
    ("benchmarks.stop_on", "", StopOn),
    ("benchmarks.sweep", "", Sweep),
    ("benchmarks.sweep.cases", "Each item of the list.\n\n", SweepCase),
    ("benchmarks.search", "", Search),
)


def reference() -> str:
    """The text of docs/recipe.md."""
    example = (RECIPES / "quickstart.yml").read_text(encoding="utf-8").split("\n", 1)[1]
    parts = [INTRODUCTION.format(example=example), UNITS, "## Keys\n"]
    shared = set(JobOptions.model_fields)
    for section, field in RecipeModel.model_fields.items():
        model = field.annotation
        own = [key for key in keys_of(model) if not (issubclass(model, JobOptions) and key in shared)]
        also = "\nAnd those of [both jobs](#both-jobs).\n" if issubclass(model, JobOptions) else ""
        parts.append(f"### `{section}:`\n\n{_sentence(field.description)}\n\n{_table(model, own)}{also}")
        if section == "service":
            parts.append(COMPANIONS)
    parts.append(f"### Both jobs\n\nKeys of `service:` and of `client:`.\n\n{_table(JobOptions, list(shared_order()))}")
    parts += [f"### `{path}:`\n\n{note}{_table(model, keys_of(model))}" for path, note, model in NESTED]
    parts += [load(), IMAGES, BEFORE.format(), RULES.format(most_cases=MOST_CASES)]
    parts.append("## Service types\n\n`service.settings` of each type.\n")
    parts += [_settings(name, service_type(name).options, _type_note(name)) for name in service_types()]
    parts.append("## Workloads\n\n`client.settings` of each workload (`client.type`).\n")
    parts += [_settings(name, registry.settings_of(name), "") for name in registry.names()]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def load() -> str:
    """The part about the load."""
    percentiles = ", ".join(f"`_{name}`" for name in slo.PERCENTILES)
    names: dict[str, list[str]] = {}
    for alias, metric in slo.ALIASES.items():
        names.setdefault(metric, []).append(f"`{alias}`")
    aliases = "; ".join(f"{' and '.join(short)}: `{metric}`" for metric, short in names.items())
    text = LOAD.format(
        suffixes=f"{percentiles}, `_mean` (default) or `_max`",
        aliases=f"Short names: {aliases}",
        most_mib=MOST_BYTES // 2**20,
    )
    return "\n".join(_wrapped(text))


def _wrapped(text: str) -> Iterator[str]:
    """The lines of a text; those of a paragraph that became too long are filled anew."""
    for paragraph in text.split("\n\n"):
        lines = paragraph.split("\n")
        plain = not lines[0].startswith(("```", "- ", "|", "#"))
        yield from textwrap.wrap(" ".join(lines), 120, break_on_hyphens=False) if plain else lines
        yield ""


def shared_order() -> Iterator[str]:
    """Keys that both jobs have, in the schema's order."""
    yield from JobOptions.model_fields


def schema_text() -> str:
    """The text of docs/recipe.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def provenance_text() -> str:
    """The text of docs/provenance.schema.json."""
    return _published(provenance_schema())


def run_text() -> str:
    """The text of docs/run.schema.json."""
    return _published(run_schema())


def _published(schema: Mapping[str, Any]) -> str:
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _sentence(text: str | None) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _table(model: Any, keys: list[str]) -> str:
    properties = json_schema_of(model)
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key in keys:
        field = fields[key]
        default = field.get_default(call_default_factory=True)
        shown = "" if field.is_required() or default in (None, {}, []) else f"`{_plain(default)}`"
        rows.append(f"| `{key}` | {_kind(key, properties[key])} | {shown} | {_cell(field.description)} |")
    return "\n".join(rows) + "\n"


def json_schema_of(model: Any) -> dict[str, Any]:
    """Properties of a section, as the published schema has them."""
    schema = json_schema()
    return (
        schema["$defs"][model.__name__]["properties"] if model.__name__ in schema["$defs"] else _job_properties(schema)
    )


def _job_properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    return schema["$defs"]["Service"]["properties"]


def _kind(key: str, schema: Mapping[str, Any]) -> str:
    """A key's type in words."""
    several = any(option.get("type") == "array" for option in schema.get("anyOf", []))
    named = {
        "time_limit": "time limit",
        "memory": "memory",
        "rate": "rate, or a list of rates" if several else "rate",
        "concurrency": "whole number ≥ 1, or a list" if several else "whole number ≥ 1",
        "arrival": "word, or mapping",
        "parameters": "mapping of lists",
        "cases": "list of mappings",
    }
    if key in named:
        return named[key]
    for example, kind in (("10s", "duration"), ("5%", "share")):
        if example in schema.get("examples", []):
            return kind
    if "$ref" in schema:
        return "mapping"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if several:
        return "text, or a list of texts"
    return _plain_kind(schema)


def _plain_kind(schema: Mapping[str, Any]) -> str:
    bounds = f" ≥ {schema['minimum']:g}" if "minimum" in schema else ""
    bounds = f" > {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else bounds
    kinds = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    if schema.get("type") == "array":
        items = schema["items"].get("type", "string")
        return f"list of {kinds[items]}s" if items != "boolean" else "list"
    return f"{kinds.get(schema.get('type', ''), 'mapping')}{bounds}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _settings(name: str, options: Mapping[str, Mapping[str, Any]], note: str) -> str:
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for option, spec in options.items():
        default = spec.get("default")
        choices = f": {', '.join(f'`{choice}`' for choice in spec['choices'])}" if spec.get("choices") else ""
        shown = (
            "required" if spec.get("required") else "" if default in (None, "", {}, []) else f"`{json.dumps(default)}`"
        )
        rows.append(f"| `{option}` | {spec.get('type', 'str')}{choices} | {shown} | {_cell(spec.get('description'))} |")
    table = "\n".join(rows) if options else "No settings."
    return f"### {name}\n\n{note}{table}\n"


def _type_note(name: str) -> str:
    definition = service_type(name).definition
    image = definition.get("image")
    facts = [f"Image `{image}`" if image else "Any image", f"workload `{definition.get('workload', 'command')}`"]
    if definition.get("port"):
        facts.insert(1, f"port {definition['port']}")
    return f"{', '.join(facts)}.\n\n"


def _cell(text: Any) -> str:
    """Text for a table's cell; Ansible's markup (`C(x)`, `V(x)`) becomes code."""
    joined = " ".join(text) if isinstance(text, list) else str(text or "")
    return re.sub(r"\b[CVOB]\(([^)]*)\)", r"`\1`", joined).replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Writes the files, or with --check says whether they are current."""
    stale = []
    made = {
        "recipe.md": reference,
        "recipe.schema.json": schema_text,
        "provenance.schema.json": provenance_text,
        "run.schema.json": run_text,
    }
    for path, text in ((DOCS / name, make()) for name, make in made.items()):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if "--check" in arguments and stale:
        print(f"not current: {', '.join(stale)}; run docs/build_recipe_reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
