# SPDX-License-Identifier: MIT
"""The parsers and the client against what real clusters printed, of every version that was recorded."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    cluster,
    errors,
    sacct,
    sbatch,
    scontrol,
    sinfo,
    sstat,
    states,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient

from .replay import VERSIONS, Clock, Replay, recording

pytestmark = pytest.mark.parametrize("version", VERSIONS)

# The last component of option lists that record.py gave sbatch, and what must come of each.
REFUSALS = {
    "-A nobody -t 5": "invalid_account",
    "-q nothing": "invalid_qos",
    "-p nowhere": "invalid_partition",
    "-p cpu --gres=gpu:1": "node_config",
    "-p gpu --gres=gpu:64": "node_config",
    "-p gpu --gres=nothing:1": "invalid_gres",
    "-N 999": "node_config",
    "-C nothing": "invalid_feature",
    "-t 99-00:00:00": "time_limit",
    "-q test -t 02:00:00": "policy",
    "-t soon": "time_limit",
    "-d nonsense": "dependency",
    "--array=x": "invalid_array",
    "--nosuchoption": "usage",
    "--reservation=nothing": "reservation",
}


def _ids(document):
    return document["what"].split(": ")[1].split()


def test_versions_are_there(version):
    assert {"22.05"} <= set(VERSIONS)
    assert recording(version, "cluster")["slurm"].startswith(version)


def test_jobs_that_wait_and_run(version):
    document = recording(version, "jobs-running")
    client = SlurmClient(Replay(document["calls"]))
    odd, array, held, het, _signal, comment, dependent = _ids(document)
    jobs = client.jobs(_ids(document))
    assert client.counts == {"squeue": 1, "sacct": 1}
    assert jobs[odd].name.startswith("rec | odd ")
    assert (jobs[odd].state, jobs[odd].exit_code) == ("FAILED", 7)
    assert jobs[array].state == "RUNNING"
    assert jobs[array].to_dict()["state_counts"] == {"RUNNING": 2, "PENDING": 18}
    assert (jobs[held].state, jobs[held].reason) == ("PENDING", "JobHeldUser")
    assert "release" in jobs[held].remedy
    assert jobs[held].start_s is None
    assert [part.id for part in jobs[het].parts] == [het + "+0", het + "+1"]
    assert jobs[het].state == "RUNNING"
    assert len(jobs[het].nodes) == 2
    assert jobs[het].tres["gres/gpu"] == 1
    assert jobs[comment].comment == "a | b, c"
    assert jobs[comment].time_limit_s == 300
    assert jobs[comment].submit_s <= jobs[comment].start_s
    assert jobs[comment].work_dir.startswith("/home/")
    assert jobs[dependent].state in ("PENDING", "CANCELLED")


def test_jobs_that_ended(version):
    document = recording(version, "jobs-finished")
    client = SlurmClient(Replay(document["calls"]))
    odd, array, held, het, by_signal, comment, dependent, nobody = _ids(document)
    jobs = client.jobs(_ids(document))
    assert client.counts["squeue"] == client.counts["sacct"] == 1
    assert all(job.final for job_id, job in jobs.items() if job_id != nobody)
    assert (jobs[odd].state, jobs[odd].exit_code, jobs[odd].signal) == ("FAILED", 7, 0)
    assert jobs[by_signal].signal == 9
    assert jobs[comment].state == "CANCELLED"
    assert jobs[comment].cancelled_by_uid
    assert jobs[held].start_s is None
    assert jobs[held].nodes == []
    assert jobs[array].state == jobs[het].state == jobs[dependent].state == "CANCELLED"
    assert jobs[array].end_s >= jobs[array].start_s
    assert not any(job.ok for job in jobs.values())
    assert (jobs[nobody].state, jobs[nobody].left_queue) == ("UNKNOWN", True)
    assert "neither" in jobs[nobody].reason


def test_cancel_and_its_proof(version):
    document = recording(version, "cancel")
    job_id = next(call for call in document["calls"] if call["argv"][0] == "scancel")["argv"][-1]
    client = SlurmClient(Replay(document["calls"]), Clock())
    assert client.cancel([job_id], owner_name_prefix="rec-comment-") == [job_id]
    proof = client.wait_gone([job_id])[job_id]
    assert (proof["gone"], proof["state"]) == (True, "CANCELLED")
    assert proof["command"].startswith(proof["source"] + " ")
    assert proof["checked_at"] > 0


def test_nothing_is_cancelled_under_another_name(version):
    document = recording(version, "cancel")
    job_id = next(call for call in document["calls"] if call["argv"][0] == "scancel")["argv"][-1]
    client = SlurmClient(Replay(document["calls"][:1]), Clock())
    with pytest.raises(errors.SlurmError, match="does not begin with") as caught:
        client.cancel([job_id], owner_name_prefix="somebody-else-")
    assert caught.value.kind == "not_ours"
    assert "scancel" not in client.counts


def test_a_submission_without_an_answer_is_found_again_and_never_repeated(version):
    document = recording(version, "unknown-outcome")
    replay = Replay(document["calls"])
    client = SlurmClient(replay, Clock())
    name = document["what"].split(": ")[1]
    argv = next(call for call in document["calls"] if call["argv"][0] == "sbatch")["argv"]
    found = client.submit_once(name, argv[-1], argv[2:-2])
    assert found.adopted
    assert found.job.name == name
    assert client.counts["sbatch"] == 1
    assert not replay.calls


def test_refusals_keep_slurms_words(version):
    seen = {}
    for call in recording(version, "refusals")["calls"]:
        options = " ".join(word for word in call["argv"] if not word.startswith("--job-name"))
        error = errors.from_result("submit", call["argv"], call["rc"], call["stdout"], call["stderr"])
        for option, kind in REFUSALS.items():
            if option in options and "--test-only" not in options:
                seen[option] = error.kind
                assert error.kind == kind, call["stderr"]
                last = call["stderr"].strip().splitlines()[0].split("error: ")[-1].replace("sbatch: ", "")
                assert last in error.message
                assert error.remedy
                assert not error.transient
    assert set(seen) == set(REFUSALS)


def test_a_script_that_is_not_there_or_none(version):
    calls = [call for call in recording(version, "refusals")["calls"] if call["argv"][-1] != "rec.sh"]
    assert [errors.classify(call["rc"], call["stdout"], call["stderr"]) for call in calls] == ["script", "script"]


def test_a_test_submission(version):
    calls = [call for call in recording(version, "refusals")["calls"] if "--test-only" in call["argv"]]
    found = sbatch.parse_test(calls[0]["stderr"])
    assert found["partition"] == "cpu"
    assert found["cpus"] >= 1
    assert found["start_s"] > 1_700_000_000
    assert errors.classify(calls[1]["rc"], "", calls[1]["stderr"]) == "invalid_account"


def test_without_a_connection_every_command_says_so_and_nothing_is_proved(version):
    calls = recording(version, "no-connection")["calls"]
    for call in calls:
        if "ping" in call["argv"]:
            assert [ping["up"] for ping in scontrol.parse_ping(call["stdout"])] == [False]
        else:
            assert errors.classify(call["rc"], call["stdout"], call["stderr"]) == errors.NO_CONNECTION
    down = next(call for call in calls if call["argv"][0] == "squeue")
    client = SlurmClient(lambda argv, stdin=None: (down["rc"], down["stdout"], down["stderr"]), Clock())
    job = client.jobs(["1"])["1"]
    assert (job.state, job.left_queue) == ("UNKNOWN", None)
    assert "Unable to contact" in job.reason
    proof = client.wait_gone(["1"], deadline_s=30)["1"]
    assert not proof["gone"]
    with pytest.raises(errors.SlurmError, match="Unable to contact"):
        client.find("x")


def test_without_accounting(version):
    document = recording(version, "accounting-off")
    job_id, nobody = _ids(document)
    client = SlurmClient(Replay(document["calls"][1:]))
    jobs = client.jobs([job_id, nobody])
    assert client.accounting is False
    assert (jobs[job_id].state, jobs[job_id].exit_code) == ("FAILED", 7)
    assert jobs[nobody].state == "UNKNOWN"
    assert jobs[nobody].left_queue
    assert "keeps no accounting" in jobs[nobody].reason


def test_job_details(version):
    calls = recording(version, "job-details")["calls"]
    odd, array, het, comment = (scontrol.parse_jobs(call["stdout"]) for call in calls[:4])
    assert odd[0].name.startswith("rec | odd ")
    assert (odd[0].state, odd[0].exit_code) == ("FAILED", 7)
    assert any(job.id.endswith("]") for job in array)
    assert sorted(job.id.split("+")[1] for job in het) == ["0", "1"]
    assert comment[0].comment == "a | b, c"
    assert comment[0].nodes
    unknown = calls[4:8]
    kinds = [errors.classify(call["rc"], call["stdout"], call["stderr"]) for call in unknown]
    assert kinds[:2] == [errors.INVALID_JOB_ID] * 2
    assert sacct.parse(unknown[2]["stdout"]) == []


def test_steps(version):
    # recorded when fewer columns were asked for
    [call] = recording(version, "steps")["calls"]
    steps = sacct.parse_steps(call["stdout"], call["argv"][5].split(","))
    batch = steps[0]
    assert (batch["step"], batch["state"], batch["exit_code"]) == ("batch", "FAILED", 7)
    assert batch["max_rss_bytes"] > 2**20 and batch["mean_task_cpu_s"] == 0.0 and batch["energy_j"] is None
    [call] = recording(version, "sstat")["calls"]
    [running] = sstat.parse(call["stdout"], call["argv"][7].split(","))
    assert running["step"] == "batch" and running["tasks"] == 1
    assert running["max_rss_bytes"] > 2**20 and running["mean_task_cpu_s"] == 0.0 and running["energy_j"] == 0


def test_facts_of_the_cluster(version):
    document = recording(version, "cluster")
    user = document["what"].split()[-1]
    facts = cluster.gather(SlurmClient(Replay(document["calls"])), user)
    assert facts["version"].startswith(version)
    assert facts["accounting"]
    assert facts["controllers"][0]["up"]
    assert facts["limits"]["max_array_size"] > 1000
    partitions = {part["name"]: part for part in facts["partitions"]}
    assert [name for name, part in partitions.items() if part["default"]] == ["cpu"]
    assert partitions["gpu"]["gpus_per_node"] == 4
    assert partitions["gpu"]["max_time_s"] == 6 * 86400
    assert len(partitions["cpu"]["nodes"]) == partitions["cpu"]["node_count"] == 4
    assert sum(partitions["cpu"]["node_states"].values()) == 4
    qos = {entry["name"]: entry for entry in facts["qos"]}
    assert qos["dev"]["max_time_s"] == 6 * 3600
    assert qos["dev"]["max_tres_per_job"] == {"node": 1}
    may = {(entry["partition"], entry["account"]): entry for entry in facts["may"]}
    allowed = {entry["name"]: entry for entry in may["gpu", "p200981"]["qos"]}
    assert may["gpu", "p200981"]["default_qos"] == "default"
    assert allowed["test"]["max_time_s"] == 1800
    assert allowed["dev"]["max_nodes"] == 1
    assert sorted(allowed) == sorted(facts["associations"][0]["qos"])
    assert facts["warnings"] == []


def test_every_state_of_a_recording_is_known(version):
    for name in ("jobs-running", "jobs-finished"):
        document = recording(version, name)
        for call in document["calls"]:
            column = 2
            for line in call["stdout"].splitlines():
                assert states.normalize(line.split("\x1f")[column]) != states.UNKNOWN


@pytest.mark.parametrize(
    ("gres", "found"),
    [
        ("gpu:4", (4, [])),
        ("gpu:a100:4(S:0-1)", (4, ["a100"])),
        ("gpu:a100:2,gpu:h100:2,fpga:1", (4, ["a100", "h100"])),
        ("gpu", (1, [])),
        ("(null)", (0, [])),
        ("nogpu:3", (0, [])),
    ],
)
def test_gpus_of_a_gres_text(version, gres, found):
    assert sinfo.gpus(gres) == found
