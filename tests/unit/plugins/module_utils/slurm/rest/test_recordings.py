# SPDX-License-Identifier: MIT
"""What real slurmrestd of 22.05 and 24.11 answered (record_rest.py), read into the same jobs, facts and errors."""

from __future__ import annotations

import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import errors, states
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.job import Job
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.slurm import RestSlurm

from ..replay import FIXTURES, Clock
from .samples import token

RECORDED = sorted(FIXTURES.glob("*/rest-*.json"))


class Replay:
    """A server that answers as slurmrestd answered; a request that was not recorded fails the test."""

    url = "http://replay"

    def __init__(self, exchanges):
        self.exchanges = list(exchanges)

    def request(self, method, path, headers, body=None):
        assert self.exchanges, f"not recorded: {method} {path}"
        exchange = self.exchanges.pop(0)
        assert (method, path) == (exchange["method"], exchange["path"])
        assert headers["X-SLURM-USER-NAME"] == "u101"
        return exchange["status"], exchange["text"]


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request):
    return json.loads(request.param.read_text())


@pytest.fixture
def part(recorded):
    """part(name) → (RestSlurm that answers as recorded, what was known then)."""

    def of(name):
        exchanges = recorded[name]["exchanges"]
        asked = [word.partition("=")[2] for e in exchanges for word in e["path"].split("&") if "start_time" in word]
        now_s = int(asked[0][3:]) + 60 * 86400 if asked else 1_795_940_000
        return RestSlurm(Replay(exchanges), token(), version=recorded["version"], clock=Clock(now_s)), recorded[name][
            "known"
        ]

    return of


def test_every_version_of_the_api_is_there():
    assert [path.stem for path in RECORDED] == ["rest-v0.0.38", "rest-v0.0.40", "rest-v0.0.41", "rest-v0.0.42"]


def test_jobs_of_the_controller(part, recorded):
    slurm, known = part("queue")
    ids = [recorded[name]["known"] for name in ("submit", "submit-rich", "submit-gpu", "submit-het", "submit-array")]
    rows = {row.id: row for row in slurm.queue_by_id("list", [*ids, "99999999"])}
    assert {row_id: row.to_dict() for row_id, row in rows.items()} == {row["id"]: row for row in known}
    done, held, gpu, het, array = ids
    assert (rows[done].state, rows[done].exit_code, rows[done].signal, rows[done].user) == ("FAILED", 3, 0, "u101")
    assert rows[done].nodes and rows[done].end_s >= rows[done].start_s >= rows[done].submit_s
    assert (rows[held].phase, rows[held].comment, rows[held].time_limit_s) == (states.PENDING, "k=v", 300)
    assert rows[held].start_s is None and rows[held].exit_code is None
    assert rows[gpu].tres["gres/gpu"] in (2, 4)  # the nodes are given whole
    assert rows[het + "+1"].partition == "gpu"
    pending = next(row for row in rows.values() if row.id.startswith(array + "_["))
    assert pending.id == f"{array}_[2-5%2]"
    assert rows[array + "_0"].raw_id != rows[array + "_1"].raw_id


def test_one_job_and_none(part):
    slurm, known = part("queue-one")
    assert [row.to_dict() for row in slurm.queue_by_id("list", [known[0]["id"]])] == known
    slurm, known = part("queue-unknown")
    with pytest.raises(SlurmError) as caught:
        slurm.queue_by_id("list", ["99999999"])
    assert caught.value.kind == errors.INVALID_JOB_ID
    slurm, known = part("records-unknown")
    assert slurm.records_by_id("ask", ["99999999"]) == []


def test_jobs_by_name(part, recorded):
    slurm, known = part("queue-name")
    name = recorded["submit"]["exchanges"][0]["body"]["job"]["name"]
    rows = slurm.queue_by_name("list", [name], None)
    # the job, and the record that a refused request for GPUs leaves
    assert [row.refused for row in rows] == [False, True]
    assert [row.id for row in rows] == known
    slurm, _known = part("queue-name")
    assert {row.user for row in slurm.queue_of_mine("list")} == {"u101"}
    slurm, known = part("records-name")
    assert [row.id for row in slurm.records_by_name("ask", [name, name + "-array"], None)] == known


def test_records_of_accounting(part, recorded):
    slurm, known = part("records")
    rows = {
        row.id: row
        for row in slurm.records_by_id("ask", [recorded[n]["known"] for n in ("submit", "submit-array", "submit-het")])
    }
    assert {row_id: row.to_dict() for row_id, row in rows.items()} == {row["id"]: row for row in known}
    done = rows[recorded["submit"]["known"]]
    # 22.05 says SUCCESS of what failed: that is no exit code
    assert (done.state, done.exit_code) == ("FAILED", None if recorded["version"] == "v0.0.38" else 3)
    assert done.tres["node"] == 1 and done.tres["mem"] > 2**30
    assert isinstance(done, Job) and done.source == "slurmdb"


def test_steps(part, recorded):
    slurm, known = part("steps")
    steps = slurm.steps("ask", [recorded["submit"]["known"]])
    assert [{key: step[key] for key in before} for step, before in zip(steps, known, strict=True)] == known
    assert [(step["step"], step["state"]) for step in steps] == [("batch", "FAILED"), ("0", "COMPLETED")]
    assert steps[1]["exit_code"] == 0 and steps[1]["max_rss_bytes"] > 2**20
    assert steps[1]["cpu_s"] > 0 and steps[1]["max_disk_read_bytes"] == 0 and steps[1]["disk_write_bytes"] is None


def test_cancelled_jobs_are_gone(part, recorded):
    slurm, _known = part("queue-gone")
    rows = slurm.queue_by_id("list", [recorded["submit-het"]["known"], recorded["submit-array"]["known"]])
    assert {row.state for row in rows} == {"CANCELLED"}
    assert all(row.final for row in rows)


def test_an_unknown_job_is_no_error_of_a_cancellation(part, recorded):
    slurm, _known = part("cancel")
    names = ("submit-rich", "submit-het", "submit-array", "submit")
    slurm.cancel("cancel", [*(recorded[name]["known"] for name in names), "99999999"])


def test_facts_of_the_cluster(part, recorded):
    slurm, known = part("cluster")
    assert [slurm.config(), slurm.partitions(), slurm.groups(), slurm.pings(), slurm.qos()] == known
    config, partitions, groups, pings, qos = known
    assert config["ClusterName"] == ("small" if recorded["version"] == "v0.0.38" else "small2411")
    assert {part["PartitionName"]: part["MaxTime"] for part in partitions}["gpu"] == "8640"
    assert {group["gpus_per_node"] for group in groups if group["partition"] == "gpu"} == {4}
    assert pings[0]["up"]
    levels = {level["name"]: level for level in qos}
    assert levels["dev"]["max_tres_per_job"] == {"node": 1}
    assert (levels["dev"]["max_time_s"], levels["dev"]["max_jobs_per_user"]) == (21600, 1)
    assert levels["dev"]["flags"] == ["DenyOnLimit"]
    slurm, known = part("associations")
    assert slurm.associations("u101", None) == known[0]
    assert known[0][0]["account"] == "p200981" and "dev" in known[0][0]["qos"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("refused-account", "invalid_account"),
        ("refused-partition", "invalid_partition"),
        ("refused-gres", "node_config"),
        ("refused-time", "time_limit"),
        ("refused-qos", "invalid_qos"),
        ("refused-policy", "policy"),
        ("refused-site", errors.REFUSED_BY_SITE),
    ],
)
def test_refusals_are_told_as_those_of_sbatch(part, recorded, name, kind):
    slurm, known = part(name)
    with pytest.raises(SlurmError) as caught:
        slurm.submit("submit", "x", "#!/bin/bash\n", ["--chdir=/tmp"])
    assert (caught.value.kind, caught.value.message, caught.value.remedy) == (kind, known["message"], known["remedy"])


def test_a_version_that_is_not_there(part, recorded):
    exchanges = recorded["no-such-version"]["exchanges"]
    slurm = RestSlurm(Replay(exchanges), token(), version="v0.0.99", clock=Clock(1_795_940_000))
    with pytest.raises(SlurmError) as caught:
        slurm.partitions()
    assert caught.value.kind == "no_such_api"
    assert "v0.0.99" in caught.value.message
    assert "benchmark_slurmrestd_version" in caught.value.remedy


def test_a_token_of_another_key(part, recorded):
    slurm, _known = part("bad-token")
    with pytest.raises(SlurmError) as caught:
        slurm.queue_by_id("list", [recorded["submit"]["known"]])
    # 22.05 does not say why; the message then names both causes
    assert caught.value.kind == ("unreachable" if recorded["version"] == "v0.0.38" else "authentication")
    assert "scontrol token" in caught.value.remedy


def test_what_is_sent_is_what_was_accepted(recorded):
    """The recorded bodies were taken by a real slurmrestd: the words of each version stand here."""
    rich = recorded["submit-rich"]["exchanges"][0]["body"]["job"]
    het = recorded["submit-het"]["exchanges"][0]["body"]["jobs"]
    gpu = recorded["submit-gpu"]["exchanges"][0]["body"]["job"]
    if recorded["version"] == "v0.0.38":
        assert (rich["nodes"], rich["memory_per_node"], rich["signal"], rich["exclusive"]) == (
            [1, 2],
            2048,
            "TERM@60",
            "exclusive",
        )
        assert rich["environment"]["USER"] == "u101"
        assert gpu["gres"] == "gpu:2"
        assert het[1]["gpus_per_node"] == "1"
    else:
        assert rich["memory_per_node"] == {"set": True, "infinite": False, "number": 2048}
        assert (rich["minimum_nodes"], rich["maximum_nodes"], rich["shared"]) == (1, 2, ["none"])
        assert (rich["kill_warning_signal"], rich["kill_warning_flags"]) == ("TERM", ["BATCH_JOB"])
        assert "USER=u101" in rich["environment"]
        assert gpu["tres_per_node"] == "gres/gpu:2"
        assert het[1]["tres_per_node"] == "gres/gpu:1"
