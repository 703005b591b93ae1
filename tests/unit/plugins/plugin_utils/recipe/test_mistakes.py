# SPDX-License-Identifier: MIT
# ruff: noqa: E501 - a table of whole messages
"""Every mistake gets its line, its field and its remedy."""

from __future__ import annotations

import pytest

from .helpers import BASE, model_of, problems_in

GROUPS = {"all": ["alpha", "beta"], "clusters": ["alpha", "beta"], "ungrouped": []}


def with_line(section: str, line: str) -> str:
    """The base recipe with one more line at the beginning of a section."""
    return BASE.replace(f"{section}:\n", f"{section}:\n  {line}\n")


def test_the_base_is_valid():
    assert model_of(BASE).client.type == "command"


@pytest.mark.parametrize(
    ("section", "line", "expected"),
    [
        ("service", "num_gpu: 1", "recipe.yml:2: service.num_gpu: unknown key; did you mean 'num_gpus'? (allowed: name, type, port,"),
        ("service", "Image2: x", "service.Image2: unknown key; did you mean 'image'? (allowed: "),
        ("service", "num_clients: 3", "service.num_clients: unknown key; 'num_clients' belongs in the section 'benchmarks:'"),
        ("service", "replica: 2", "service.replica: unknown key; did you mean 'replicas'?"),
        ("benchmarks", "sweeps: {}", "benchmarks.sweeps: unknown key; did you mean 'sweep'?"),
        ("service", "num_gpus: '1'", "service.num_gpus: expected a whole number, found the text '1'; remove the quotes"),
        ("service", "num_gpus: 1.5", "service.num_gpus: expected a whole number, found the number 1.5"),
        ("service", "num_gpus: yes", "service.num_gpus: expected a whole number, found the truth value true"),
        ("service", "num_gpus: -1", "service.num_gpus: expected at least 0, found the number -1"),
        ("service", "nodes: 0", "service.nodes: expected at least 1, found the number 0"),
        ("service", "port: 70000", "service.port: expected at most 65535, found the number 70000"),
        ("service", "account: 200981", "service.account: expected text, found the number 200981; put it in quotes"),
        ("service", "partition:", "service.partition: has no value; give one, or remove the key"),
        ("service", "partition: ''", "service.partition: expected text in one line"),
        ("service", "time_limit: soon", "service.time_limit: expected a time limit, found the text 'soon'; write it as Slurm does"),
        ("service", "time_limit: 0", "service.time_limit: a time limit is between 1 second and 366 days"),
        ("service", "memory: 16", "service.memory: expected an amount of memory, found the number 16; write it with its unit: 16GiB"),
        ("service", "env: [A=b]", "service.env: expected a mapping, found a list"),
        ("service", "env: {a-b: c}", "service.env.a-b: the text 'a-b' is no name of an environment variable"),
        ("service", "env: {SERVICE_PORT: 1}", "service.env.SERVICE_PORT: SERVICE_PORT is set by the run itself; choose another name"),
        ("service", "env: {A: [1]}", "service.env.A: expected text, found a list"),
        ("service", "volumes: /data", "service.volumes: expected a list, found the text '/data'; write [A, B]"),
        ("service", "volumes: [/data]", "service.volumes[0]: expected a bind mount, found the text '/data'; write SOURCE:/TARGET"),
        ("service", "volumes: ['/a:/aifactory/data']", "service.volumes[0]: the target /aifactory is the run's own directory"),
        ("service", "exclude_nodes: ['a b']", "service.exclude_nodes[0]: expected the name of a node, found the text 'a b'"),
        ("service", "settings: {a: 1}", "service.settings.a: unknown setting of the service type container"),
        ("service", "secrets: {HF_TOKEN: hf_abc}", "service.secrets.HF_TOKEN: expected a mapping of keys, found the text"),
        ("service", "secrets: {HF_TOKEN: {}}", "service.secrets.HF_TOKEN: needs one of env, file and variable"),
        ("service", "secrets: {T: {env: A, file: /b}}", "service.secrets.T: needs one of env, file and variable"),
        ("service", "secrets: {T: {file: b}}", "service.secrets.T.file: expected the path of a file, found the text 'b'; write ~/"),
        ("service", "secrets: {T: {env: A}}\n  env: {T: x}", "service.secrets.T: T is in env, too; keep one of the two"),
        ("service", "secrets: {SERVICE_PORT: {env: A}}", "SERVICE_PORT is set by the run itself"),
        ("service", "health: tcp", "service.health: expected a mapping of keys, found the text 'tcp'"),
        ("service", "health: {type: htttp}", "service.health.type: unknown value 'htttp'; did you mean 'http'? (allowed: tcp, http"),
        ("service", "health: {type: 1}", "service.health.type: expected text, found the number 1; allowed: tcp, http"),
        ("service", "health: {type: tcp, path: /}", "service.health.path: belongs to health checks of type http, not tcp"),
        ("service", "health: {type: command}", "service.health: a health check of type command needs a command"),
        ("service", "health: {pth: /}", "service.health.pth: unknown key; did you mean 'path'?"),
        ("service", "health: {status: [99]}", "service.health.status[0]: expected at least 100"),
        ("service", "type: postgres", "service.type: the role aifactory.benchmark.postgres is no service type: its vars/main.yml"),
        ("service", "type: no.such.role", "service.type: the collection no.such is not installed"),
        ("service", "type: a.b", "service.type: 'a.b' is neither a type of this collection nor namespace.collection.role"),
        ("client", "type: pgbensh", "client.type: there is no workload 'pgbensh'; did you mean 'pgbench'? (workloads: command, "),
        ("client", "type: pgbench", "client.command: the workload pgbench has no command; remove the command"),
        ("client", "placement: near", "client.placement: unknown value 'near'; allowed: separate, shared, together"),
        ("client", "nodes: 3", "client.nodes: 2 clients can't use 3 nodes; set client.nodes to at most 2"),
        ("client", "settings: {timeout: soon}", "client.settings.timeout: expected a number, found the text 'soon'"),
        ("client", "settings: {arrival: evenly}", "client.settings.arrival: expected one of its choices, found the text 'evenly'; "),
        ("client", "settings: {timeout: -1}", "client.settings.timeout: expected at least 0, found the number -1"),
        ("client", "settings: {success_codes: [a]}", "client.settings.success_codes[0]: expected a whole number"),
        ("benchmarks", "requests: 3", "benchmarks.requests: duration and requests exclude each other; keep duration"),
        ("benchmarks", "rate: 0", "benchmarks.rate[0]: a rate is more than 0, found the number 0"),
        ("benchmarks", "rate: 50%", "benchmarks.rate: 50% is a part of the highest rate, which no case finds out; add 'max': rate: [max, 50%]"),
        ("benchmarks", "rate: [max, max]", "benchmarks.rate: has the same value twice"),
        ("benchmarks", "rate: []", "benchmarks.rate: is empty"),
        ("benchmarks", "rate: fast", "benchmarks.rate[0]: expected a rate, found the text 'fast'; write a number of operations"),
        ("benchmarks", "concurrency: 0", "benchmarks.concurrency[0]: expected at least 1"),
        ("benchmarks", "repetitions: 0", "benchmarks.repetitions: expected at least 1"),
        ("benchmarks", "warmup: long", "benchmarks.warmup: expected a duration, found the text 'long'; write it like 10s, 5m"),
        ("benchmarks", "metrics: [throughput, throughput]", "benchmarks.metrics[1]: 'throughput' is given twice"),
        ("benchmarks", "seed: -1", "benchmarks.seed: expected at least 0"),
    ],
)  # fmt: skip
def test_one_mistake(section, line, expected):
    found = problems_in(with_line(section, line))
    assert len(found) == 1
    number = {"service": 2, "client": 6, "benchmarks": 8}[section]
    assert found[0].startswith(f"recipe.yml:{number}: ") or "client.command" in found[0]
    assert expected in found[0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("service:\n", "servce:\n", "recipe.yml:1: servce: unknown key; did you mean 'service'?"),
        ("service:\n", "extra: 1\nservice:\n", "recipe.yml:1: extra: unknown key; allowed: configuration, service, client, benchmarks"),
        ("client:\n  command: curl $SERVICE_URL\n", "client: yes\n", "recipe.yml:5: client: expected a mapping of keys, found the truth value true"),
        ("  image: nginx:1.27\n", "", "recipe.yml:1: service.image: is required for the service type container; add it, such as"),
        ("  command: nginx\n", "", "recipe.yml:1: service.command: is required for the service type container"),
        ("  command: curl $SERVICE_URL\n", "", "client.command: is required for the workload command; add the command"),
        ("image: nginx:1.27", "image: Nginx", "recipe.yml:3: service.image: 'Nginx' is no image reference"),
        ("name: web", "name: my web", "recipe.yml:2: service.name: the text 'my web' does not have the form"),
        ("duration: 10s", "duration: 0", "recipe.yml:9: benchmarks.duration: expected more than 0 seconds"),
        ("curl $SERVICE_URL", "curl $SERVICE_HOSTNAME:99\nconfiguration: {target: 3}", "configuration.target: expected text, found the number 3"),
    ],
)  # fmt: skip
def test_one_mistake_of_structure(old, new, expected):
    found = problems_in(BASE.replace(old, new))
    assert len(found) == 1
    assert expected in found[0]


def test_every_mistake_at_once_in_the_order_of_the_file():
    found = problems_in(
        "service:\n  type: postgresql\n  num_gpu: 1\n  port: x\n  settings: {shared_bufers: 1GB, max_connections: many}\n"
        "client:\n  placement: far\nbenchmarks:\n  warmup: 1x\n  rate: [50%]\n"
    )
    assert [line.split(": ")[0:2] for line in found] == [
        ["recipe.yml:3", "service.num_gpu"],
        ["recipe.yml:4", "service.port"],
        ["recipe.yml:5", "service.settings.shared_bufers"],
        ["recipe.yml:5", "service.settings.max_connections"],
        ["recipe.yml:7", "client.placement"],
        ["recipe.yml:9", "benchmarks.warmup"],
        ["recipe.yml:10", "benchmarks.rate"],
    ]
    assert "did you mean 'shared_buffers'?" in found[2]
    assert "expected a whole number, found the text 'many'; its default is 200" in found[3]


def test_a_wrong_field_causes_no_second_message():
    found = problems_in(
        BASE.replace("image: nginx:1.27", "image: 3").replace("duration: 10s", "duration: x\n  requests: 2")
    )
    assert len(found) == 2
    assert "imag:" in problems_in(BASE.replace("image: nginx", "imag: nginx"))[0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "num_gpus: 3\n  nodes: 2",
            "service.num_gpus: 3 GPUs can't be spread evenly over 2 nodes; take 4, or change service.nodes",
        ),
        (
            "num_gpus: 3\n  gpus_per_node: 2\n  nodes: 2",
            "service.num_gpus: 3 GPUs are not 2 on each of 2 nodes; give only one",
        ),
        (
            "replicas: 3\n  nodes: 2",
            "service.replicas: 3 replicas can't be spread evenly over 2 nodes; set replicas to 2 or a multiple of it",
        ),
        (
            "nodes: 2",
            "service.nodes: one web would have 2 nodes, and the service type container uses one; set service.replicas"
            " to 2, one on each node, or service.nodes to 1, or say in service.settings.multi_node (head or peers)",
        ),
        ("nodes: 4\n  replicas: 2", "service.nodes: each of 2 replicas would have 2 nodes, and the service type"),
        (
            "replicas: 2\n  num_gpus: 3",
            "service.num_gpus: 3 GPUs of a node can't be shared evenly by 2 replicas; take 4 GPUs a node",
        ),
        ("nodes: 2\n  settings: {multi_node: peers}", ""),
        ("nodes: 2\n  settings: {multi_node: none}", "service.nodes: one web would have 2 nodes"),
        ("nodes: 2\n  replicas: 4\n  num_gpus: 8", ""),
        ("port: 80", ""),
        (
            "time_limit: '00:01:00'",
            "is too short: 1 case(s) x 1 repetition(s) x (0s warm-up + 10s) and 60s to start need 00:02:00",
        ),
    ],
)
def test_fields_that_do_not_go_together(lines, expected):
    text = with_line("service", lines)
    if expected:
        assert expected in problems_in(text)[0]
    else:
        assert model_of(text)


def test_time_limits_count_cases_and_repetitions():
    text = BASE.replace("  duration: 10s", "  duration: 10m\n  warmup: 1m\n  rate: [max, 50%]\n  repetitions: 3")
    found = problems_in(text.replace("client:\n", "client:\n  time_limit: 1:00:00\n"))
    assert found == [
        "recipe.yml:6: client.time_limit: 01:00:00 is too short: 2 case(s) x 3 repetition(s) x (1m warm-up + 10m) and 60s"
        " to start need 01:07:00; set time_limit to '01:07:00' or more, or measure less"
    ]


def test_shared_clients_have_no_job_of_their_own():
    shared = with_line("client", "placement: shared\n  partition: cpu\n  cpus_per_task: 2")
    assert "client.partition: has no meaning with placement shared" in problems_in(shared)[0]
    assert model_of(shared.replace("  name: web", "  name: web\n  partition: cpu"))
    assert model_of(with_line("client", "placement: shared\n  modules: [X/1]"))


def test_the_port_is_the_one_that_the_command_names():
    def port_of(command: str, extra: str = "") -> int | None:
        return model_of(
            BASE.replace("curl $SERVICE_URL", command).replace("  name: web", f"  name: web{extra}")
        ).service.port

    assert port_of("curl http://$SERVICE_HOSTNAME:11434/x") == 11434
    assert port_of("curl http://${SERVICE_HOSTNAME}:8000") == 8000
    assert port_of("curl http://$SERVICE_HOSTNAME:$SERVICE_PORT") is None
    assert port_of("curl $SERVICE_HOSTNAME:80", "\n  port: 80") == 80
    assert port_of("curl $SERVICE_HOSTNAME:123456") is None
    wrong = BASE.replace("curl $SERVICE_URL", "curl $SERVICE_HOSTNAME:99").replace("  name: web", "  port: 80")
    assert "service.port: the client's command asks port 99, the service listens on 80" in problems_in(wrong)[0]


def test_targets_are_looked_up_in_the_inventory():
    text = "configuration: {target: alhpa}\n" + BASE
    assert problems_in(text, GROUPS) == [
        "recipe.yml:1: configuration.target: the inventory has no host or group 'alhpa'; did you mean 'alpha'?"
        " (hosts and groups: alpha, beta, clusters); choose another with -l or -i"
    ]
    assert model_of(text)


def test_text_settings_and_environment_keep_what_was_written():
    model = model_of(
        "service:\n  type: postgresql\n  settings: {synchronous_commit: off, work_mem: 64, fsync: no}\n"
        "  env: {A: on, B: 007, C: 1.50, D: '', E: null}\n"
    )
    assert model.service.settings == {"synchronous_commit": "off", "work_mem": "64", "fsync": False}
    assert model.service.env == {"A": "on", "B": "007", "C": "1.50", "D": "", "E": "null"}


def test_empty_sections_are_absent_ones():
    assert model_of("configuration:\nclient:\nbenchmarks:\nservice: {type: postgresql}\n").client.type == "pgbench"
