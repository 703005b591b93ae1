# SPDX-License-Identifier: MIT
"""What a recipe says arrives in the job as it is: as arguments and environment, and never as a command."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from .conftest import count, recipes, tries
from .hostile import lines, texts

RUN = "20260101-000000-injection-0000"


def jobs(names: str) -> st.SearchStrategy[dict[str, Any]]:
    """What the service and the clients have in common, full of hostile values. names: prefix of the variables."""
    number = st.integers(0, 99).map(lambda number: f"{names}_{number}")
    volume = st.builds(lambda source, target: f"{source}:/mnt{target}", lines(":,\\"), lines(":,\\"))
    return st.fixed_dictionaries(
        {
            "image": lines(":").map(lambda text: f"/images/{text.replace('.def', '')}x.sif"),
            "command": texts(least=1).filter(lambda text: text.strip()),
            "env": st.dictionaries(number, texts(), min_size=10, max_size=20),
            "volumes": st.lists(volume, max_size=4),
            "modules": st.lists(lines().filter(lambda text: text.strip()), max_size=3),
        }
    )


RECIPES = st.fixed_dictionaries(
    {
        "service": jobs("SERVICE_VALUE"),
        "client": jobs("CLIENT_VALUE"),
        "prefetch": st.lists(texts(least=1), max_size=2),
        "companion": st.none() | jobs("COMPANION_VALUE"),
        "placement": st.sampled_from(["separate", "shared", "together"]),
        "replicas": st.integers(1, 2),
    }
)


def recipe_of(parts: dict[str, Any]) -> dict[str, Any]:
    service = {**parts["service"], "replicas": parts["replicas"], "name": "main"}
    if parts["prefetch"]:
        service["prefetch"] = parts["prefetch"]
    recipe: dict[str, Any] = {"service": service} if parts["companion"] is None else {
        "services": [service, {**parts["companion"], "name": "other"}]
    }  # fmt: skip
    return {**recipe, "client": {**parts["client"], "placement": parts["placement"]}, "benchmarks": {"num_clients": 2}}


def container_of(args: list[str]) -> list[str]:
    """What comes after the agent's own arguments: the container's command line."""
    return args[args.index("--") + 1 :]


def binds_of(args: list[str]) -> list[str]:
    return [value for flag, value in pairwise(args) if flag == "--bind"]


def assert_container(args: list[str], part: dict[str, Any]) -> None:
    assert args[:7] == ["apptainer", "-q", "exec", "--cleanenv", "--no-home", "--pwd", "/"]
    assert binds_of(args)[-len(part["volumes"]) :] == part["volumes"] or not part["volumes"]
    assert part["image"] in args


def assert_environment(env: dict[str, str], part: dict[str, Any]) -> None:
    assert {name: env.get(f"APPTAINERENV_{name}") for name in part["env"]} == part["env"]
    assert env["APPTAINER_NO_EVAL"] == "1"  # else a shell in the container would evaluate them


def agent_calls(calls: list[Any], role: str) -> list[Any]:
    """The agents of this role that a script started, by themselves or by srun."""
    found = []
    for call in calls:
        args = call.args[call.args.index("standin-python") + 1 :] if call.name == "srun" else call.args
        if call.name != "module" and args[:2] == ["agent.pyz", role]:
            found.append(type(call)("agent", args, call.env))
    return found


@tries(4)
@given(parts=RECIPES)
def test_every_value_arrives_as_it_is(parts, render, folder, shell):
    count({name: part for name, part in parts.items() if name != "placement"})
    recipe = recipe_of(parts)
    answer = render(folder, recipe, python="standin-python")
    assert "refused" not in answer, answer
    (folder / "runs" / RUN / "logs").mkdir(parents=True, exist_ok=True)
    files, plan = answer["files"], answer["plan"]
    calls = [call for name, text in sorted(files.items()) if name.endswith(".sbatch") for call in shell.run(text)]
    event(f"{len(calls)} calls")

    wanted = [(parts["service"], "service", "")] + (
        [(parts["companion"], "service", "-other")] if parts["companion"] else []
    )
    for part, role, suffix in wanted:
        [call] = [call for call in agent_calls(calls, role) if call.args[3] == f"spec{suffix}.json"]
        container = container_of(call.args)
        assert_container(container, part)
        assert container[-4:] == [part["image"], "/bin/sh", "-c", part["command"].strip()]
        assert_environment(call.env, part)
    [clients] = agent_calls(calls, "clients")
    assert_container(container_of(clients.args), parts["client"])
    assert container_of(clients.args)[-1] == parts["client"]["image"]
    assert_environment(clients.env, parts["client"])
    if parts["prefetch"]:
        [prefetch] = agent_calls(calls, "prefetch")
        assert_container(container_of(prefetch.args), parts["service"])
        assert_environment(prefetch.env, parts["service"])
    modules = {call.args[1] for call in calls if call.name == "module"}
    asked = {
        name
        for part in (parts["service"], parts["client"], parts["companion"] or {})
        for name in part.get("modules", [])
    }
    assert modules == asked
    # what the agent reads instead of a shell
    assert answer["spec"]["clients"]["command"] == plan["clients"]["command"] == parts["client"]["command"]
    assert answer["spec"]["service"]["prefetch"] == parts["prefetch"]


OPTIONS = ["partition", "account", "qos", "constraint"]


@recipes
@given(values=st.fixed_dictionaries({name: lines() for name in OPTIONS}), node=lines())
def test_an_option_of_slurm_has_its_value_and_no_other_option(values, node, render, folder):
    """Slurm splits a line #SBATCH at spaces, and takes quotes and # for more than letters: such a value is refused."""
    count([values, node])
    refused = []
    for name, value in [*values.items(), ("exclude_nodes", node)]:
        recipe = {"service": {"image": "/i.sif", "command": "c", name: value}, "client": {"command": "c"}}
        answer = render(folder, recipe)
        if "refused" in answer:
            assert re.search(rf"recipe\.yml:\d+: service\.{name}\S*: .*; \S+", answer["refused"])
            refused.append(name)
            continue
        option = "exclude" if name == "exclude_nodes" else name
        options = [line for line in answer["files"]["service.sbatch"].split("\n") if line.startswith("#SBATCH")]
        assert [line for line in options if f"--{option}=" in line] == [f"#SBATCH --{option}={value}"]
        assert not re.search(r"[\s'\"\\#]", value)
        assert len(options) == 10
    event(f"{len(refused)} refused")


@pytest.mark.parametrize(
    "value",
    ["gpu", "gpu,cpu", "p200981", "short-2h", "a100&ib", "[rack1|rack2]", "(a|b)&c", "gpu*2", "été", "a+b", "x@y"],
)
def test_what_slurm_knows_as_names_is_accepted(value, render, folder):
    recipe = {"service": {"image": "/i.sif", "command": "c", "constraint": value}, "client": {"command": "c"}}
    assert f"#SBATCH --constraint={value}\n" in render(folder, recipe)["files"]["service.sbatch"]


FIELDS = [
    "command",
    "env.X",
    "image",
    "name",
    "partition",
    "volumes",
    "modules",
    "pre_run_commands",
    "settings.x",
    "prefetch",
]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(("escape", "word"), [(r"\0", "NUL"), (r"\ud800", "surrogate")])
def test_what_no_program_can_be_given_is_refused_with_its_place(field, escape, word, render, folder):
    key, _dot, inner = field.partition(".")
    value = f'{{{inner}: "a{escape}b"}}' if inner else f'"a{escape}b"'
    answer = render(folder, f"service:\n  {key}: {value}\nclient:\n  command: c\n")
    assert re.search(rf"recipe\.yml:2: service\.{field}\S*: .*{word}.*; ", answer["refused"])


@pytest.mark.parametrize(
    "volume",
    [
        "/a,/b:/c",
        "/a:/b,/etc",
        "/a\n:/b",
        "/a:/b\x1b",
        "/a\\:/b",
        "/a://aifactory/x",
        "/a:/./aifactory",
        "/a:/b/../aifactory",
    ],
)
def test_a_volume_that_the_runtime_would_read_otherwise_is_refused(volume, render, folder):
    recipe = {"service": {"image": "/i.sif", "command": "c", "volumes": [volume]}, "client": {"command": "c"}}
    assert "service.volumes[0]" in render(folder, recipe)["refused"]


def test_an_argument_of_pgbench_is_one_line(render, folder):
    """It goes to a shell that waits for lines."""
    recipe = {"service": {"type": "postgresql"}, "client": {"settings": {"extra_arguments": ["-x", "a\ntouch x"]}}}
    assert "client.settings.extra_arguments[1]: 'a\\ntouch x' has a line break" in render(folder, recipe)["refused"]


@pytest.mark.parametrize("path", ["/a\r\nX: y", "/a b", "/é", "/a\0"])
@pytest.mark.parametrize("section", ["health", "metrics"])
def test_a_path_that_is_more_than_a_path_of_http_is_refused(section, path, render, folder):
    recipe = {"service": {"image": "/i.sif", "command": "c", section: {"path": path}}, "client": {"command": "c"}}
    assert f"service.{section}.path" in render(folder, recipe)["refused"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("account", "a b"), ("qos", "x\n#SBATCH --wrap=x"), ("image_partition", "a;b"),
     ("partitions", {"gpu": "g --wrap=x"}), ("sbatch_options", ["--exclusive\n--wrap=x"]),
     ("image_cache", "/a b"), ("node_tmp", "/t,/u"),
     ("scratch", "/s c")],
)  # fmt: skip
def test_the_inventory_is_held_to_the_same(name, value, render, folder):
    recipe = {"service": {"image": "/i.sif", "command": "c"}, "client": {"command": "c"}}
    refused = render(folder, recipe, **{name: value})["refused"]
    assert f"inventory, host here: benchmark_{name}" in refused
    assert "value error" not in refused.lower()


def test_the_job_scripts_are_what_a_person_would_write(render, folder):
    """The commands of the recipe that are shell by intent stand there as they are, here-documents included."""
    command = "cat <<END\n  two spaces\nEND"
    for placement in ("separate", "shared", "together"):
        service = {"image": "/i.sif", "command": "c", "pre_run_commands": [command], "prefetch": ["p"]}
        answer = render(folder, {"service": service, "client": {"command": "c", "placement": placement}})
        for name in ("service.sbatch", "image.sbatch"):
            assert f"\n{command}\n" in answer["files"][name], (placement, name)
