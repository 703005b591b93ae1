# SPDX-License-Identifier: MIT
"""What steps used, in the words of sacct and sstat, of sacct --json of three versions, and in hostile ones."""

from __future__ import annotations

import contextlib
import json

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import sacct, sstat, table, usage
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import jobs as rest_jobs
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest.slurm import RestSlurm
from hypothesis import given, settings
from hypothesis import strategies as st

from .replay import FIXTURES, Clock, recording
from .rest.samples import token

VERSIONS = sorted(path.parent.name for path in FIXTURES.glob("*/steps-json.json"))


@pytest.fixture(params=VERSIONS)
def told(request):
    """Jobs of `sacct --json`, as it printed them."""
    return recording(request.param, "steps-json")["sacct"]["jobs"]


def test_every_version_is_there():
    assert VERSIONS == ["22.05", "24.11", "26.05"]


def test_steps_of_the_json_of_every_version(told):
    for entry, job in zip(told, rest_jobs.accounting_jobs({"jobs": told}), strict=True):
        assert len(job.steps) == len(entry["steps"]) and {step["job_id"] for step in job.steps} == {job.id}
        assert {step["step"] for step in job.steps} <= {"batch", "0"}
        assert {step["energy_j"] for step in job.steps} == {None}, "the clusters that were recorded measure none"
        for plain, step in zip(entry["steps"], job.steps, strict=True):
            total = plain["time"]["total"]
            assert step["cpu_s"] == pytest.approx(total["seconds"] + total["microseconds"] / 1e6)
            assert set(usage.KEYS) <= set(step)
            if plain["tres"]["requested"]["max"] and step["state"] != "RUNNING":
                assert step["max_rss_bytes"] > 2**20 and step["tasks"] == 1
    known = [step for job in rest_jobs.accounting_jobs({"jobs": told}) for step in job.steps]
    assert any(step["disk_write_bytes"] for step in known)


def as_sacct_prints(entry):
    """Rows of FULL_FIELDS with --noconvert, written after print.c of sacct from the numbers of a real job."""

    def tres(entries):
        words = [f"{item['type']}{'/' + item['name'] if item['name'] else ''}={item['count']}" for item in entries]
        return ",".join(words).replace("cpu=0", "cpu=00:00:00")

    job = dict.fromkeys(sacct.FULL_FIELDS, "")
    state = entry["state"]["current"]
    job |= {"JobID": str(entry["job_id"]), "JobIDRaw": str(entry["job_id"]), "JobName": entry["name"],
            "State": state if isinstance(state, str) else state[0], "NodeList": entry["nodes"]}  # fmt: skip
    rows = [job]
    for step in entry["steps"]:
        used, given, total = step["tres"]["requested"], step["tres"]["consumed"], step["time"]["total"]
        state = step["state"]
        memory = [item["count"] for item in used["max"] if item["type"] == "mem"]
        name = str(step["step"]["id"]).split(".")[-1]
        rows.append({
            **dict.fromkeys(sacct.FULL_FIELDS, ""), "JobID": f"{entry['job_id']}.{name}",
            "State": state if isinstance(state, str) else state[0], "JobName": step["step"]["name"],
            "NodeList": step["nodes"]["range"], "NTasks": str(step["tasks"]["count"]), "AveCPU": "00:00:00",
            "TotalCPU": f"00:{total['seconds']:02d}.{total['microseconds'] // 1000:03d}",
            "MaxRSS": str(memory[0]) if memory else "", "ConsumedEnergyRaw": "0",
            "TRESUsageInTot": tres(used["total"]), "TRESUsageInMax": tres(used["max"]),
            "TRESUsageOutTot": tres(given["total"]), "TRESUsageOutMax": tres(given["max"]),
        })  # fmt: skip
    return "".join(table.SEPARATOR.join(row.values()) + "\n" for row in rows)


def test_the_table_says_what_the_json_says(told):
    by_json = rest_jobs.accounting_jobs({"jobs": told})
    by_table = sacct.parse_full("".join(map(as_sacct_prints, told)))
    assert [job.raw_id for job in by_table] == [job.raw_id for job in by_json]
    same = [key for key in usage.KEYS if key != "mean_task_cpu_s"]
    for one, other in zip(by_table, by_json, strict=True):
        for step, known in zip(one.steps, other.steps, strict=True):
            assert {key: step[key] for key in same} == {key: known[key] for key in same}
            assert step["cpu_s"] == pytest.approx(known["cpu_s"], abs=1e-3)


def test_one_sacct_tells_of_jobs_and_their_steps(told):
    asked, text = [], "".join(map(as_sacct_prints, told))

    def run(argv, stdin=None):
        words = argv[len(table.ENVIRONMENT) :]
        asked.append(words)
        return (0, "", "") if words[0] == "squeue" else (0, text, "")

    ended = next(entry for entry in told if len(entry["steps"]) == max(len(each["steps"]) for each in told))
    job_id = str(ended["job_id"])
    job = SlurmClient(run).jobs([job_id], steps=True)[job_id]
    assert [words[0] for words in asked][:2] == ["squeue", "sacct"] and "-X" not in asked[1]
    assert len(job.steps) == len(ended["steps"]) and job.copy().steps == job.steps


def test_components_of_a_heterogeneous_job_keep_their_steps():
    rows = []
    for job_id in ("34+0", "34+0.batch", "34+1", "34+1.0"):
        row = dict.fromkeys(sacct.FULL_FIELDS, "")
        row |= {"JobID": job_id, "JobIDRaw": job_id, "State": "COMPLETED", "NodeList": "n1", "ConsumedEnergyRaw": "7"}
        rows.append(table.SEPARATOR.join(row.values()) + "\n")
    job = SlurmClient(lambda argv, stdin=None: (0, "".join(rows) if "sacct" in argv else "", "")).jobs(["34"], True)[
        "34"
    ]
    assert [(step["job_id"], step["step"], step["energy_j"]) for step in job.steps] == [
        ("34+0", "batch", 7), ("34+1", "0", 7)]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:00", 0.0), ("00:03.455", 3.455), ("01:02:03", 3723.0), ("2-00:00:01", 172801.0), ("", None), (" ", None)],
)
def test_cpu_times(text, seconds):
    assert usage.seconds(text) == seconds


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no CPU time"):
        usage.seconds("soon")


def test_numbers_that_mean_unset_are_no_energy():
    unset = ["", "18446744073709551614", "18446744073709551615", "4294967294", "4294967295", "-2", "n/a"]
    assert [usage.joules(table.integer(text)) for text in unset] == [None] * len(unset)
    assert usage.joules(table.integer("81234")) == 81234


def test_amounts_are_bytes_and_counts():
    found = usage.amounts("cpu=00:00:01,energy=0,fs/disk=8859,gres/gpuutil=97,mem=4084K,vmem=1.5M")
    assert found == {"energy": 0, "fs/disk": 8859, "gres/gpuutil": 97, "mem": 4084 * 1024, "vmem": 3 * 2**19}


def test_sstat_of_two_jobs():
    text = (
        "71.extern|mel0001|1|00:00:00|0|5120|cpu=00:00:00,fs/disk=10|cpu=00:00:00,fs/disk=10|fs/disk=0|fs/disk=0\n"
        "sstat: something else\n"
        "71.0|mel[0001-0002]|4|01:00:00|10240|400|fs/disk=40|fs/disk=30|fs/disk=1|fs/disk=1\n"
    )
    extern, first = sstat.parse(text)
    assert (extern["step"], extern["energy_j"], extern["disk_read_bytes"]) == ("extern", 5120, 10)
    assert (first["nodes"], first["max_disk_read_bytes"], first["max_rss_bytes"]) == (["mel0001", "mel0002"], 30, 10240)


_CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["²", "inf", "1e999", "nan", "9" * 5000, "n[1-99999999]", "n[1", "mem=infK", "-1", "00:00:00"]),
)


def _only_its_own_error(parse, text):
    with contextlib.suppress(ValueError):
        parse(text)


@settings(max_examples=60)
@given(st.lists(_CELLS, min_size=len(sacct.FULL_FIELDS), max_size=len(sacct.FULL_FIELDS)), st.text(max_size=40))
def test_whatever_sacct_prints_is_read_or_refused(cells, tail):
    cells[0], cells[1] = "7.0", "7.0"
    text = table.SEPARATOR.join(cells) + "\n" + tail
    _only_its_own_error(sacct.parse_full, text)
    _only_its_own_error(lambda found: sacct.parse_steps(found, sacct.FULL_FIELDS), text)
    cells[0] = cells[1] = "7"
    _only_its_own_error(sacct.parse_full, table.SEPARATOR.join(cells) + "\n")


@settings(max_examples=60)
@given(st.lists(_CELLS, min_size=len(sstat.FIELDS), max_size=len(sstat.FIELDS)))
def test_whatever_sstat_prints_is_read_or_refused(cells):
    _only_its_own_error(sstat.parse, "|".join(cells))


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["number", "set", "type", "name", "count", "total", "max"]), inner, max_size=4),
    ),
    max_leaves=6,
)
_PARTS = ("state", "exit_code", "step", "nodes", "time", "tasks", "tres", "statistics")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(_PARTS), _JSON, max_size=len(_PARTS)), _JSON)
def test_whatever_slurmdbd_answers_of_steps_is_read_or_left_out(step, other):
    for steps in ([step], [other], other):
        job = {"job_id": 1, "state": {"current": ["COMPLETED"]}, "steps": steps}
        assert isinstance(rest_jobs.accounting_jobs({"jobs": [job]})[0].steps, list)


@pytest.mark.parametrize(
    ("steps", "asked"), [(True, "/slurmdb/v0.0.41/jobs?step=7"), (False, "skip_steps=true&step=7")]
)
def test_slurmdbd_is_asked_for_steps_in_the_same_request(told, steps, asked):
    class Server:
        url, paths = "http://recorded", []

        def request(self, method, path, headers, body=None):
            self.paths.append(path)
            return 200, json.dumps({"jobs": told, "errors": []})

    server = Server()
    slurm = RestSlurm(server, token(), version="v0.0.41", clock=Clock(1_795_940_000))
    found = slurm.records_by_id("ask", ["7"], steps=steps)
    assert len(server.paths) == 1 and server.paths[0].endswith(asked) and found[0].steps
