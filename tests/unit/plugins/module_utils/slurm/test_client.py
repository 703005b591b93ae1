# SPDX-License-Identifier: MIT
"""The client's decisions, with the texts that real Slurm commands print."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import (
    errors,
    sacct,
    sbatch,
    scancel,
    squeue,
    table,
)
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.client import SlurmClient

from .replay import Clock

TIMED_OUT = (1, "", "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n")
REFUSED = (1, "", "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)\n")
NO_ID = (1, "", "slurm_load_jobs error: Invalid job id specified\n")
NO_ACCOUNTING = (1, "", "Slurm accounting storage is disabled\n")
NO_DATABASE = (
    1,
    "",
    "sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:vm:6819: "
    "Connection refused\nsacct: error: Sending PersistInit msg: Connection refused\n"
    "sacct: error: Problem talking to the database: Connection refused\n",
)
EMPTY = (0, "", "")


def queue_row(job_id, state="RUNNING", name="run-1", reason="None"):
    values = dict.fromkeys(squeue.FIELDS, "")
    values.update(id=job_id, raw_id=job_id.split("_")[0].split("+")[0], state=state, name=name, reason=reason)
    values.update(user="u", partition="cpu", nodes="n[1-2]", node_count="2", cpus="4", start="1700000000")
    return table.SEPARATOR.join(values[field] for field in squeue.FIELDS) + "\n"


def acct_row(job_id, state="COMPLETED", name="run-1", code="0:0", fields=sacct.FIELDS, **others):
    values = dict.fromkeys(fields, "")
    values.update(
        JobID=job_id,
        JobIDRaw=job_id.split("_")[0],
        State=state,
        JobName=name,
        ExitCode=code,
        User="u",
        NodeList="n[1-2]",
        **others,
    )
    return table.SEPARATOR.join(values[field] for field in fields) + "\n"


def rows(*lines):
    return (0, "".join(lines), "")


class Slurm:
    """Answers each command with its list of answers in order; the last one is repeated."""

    def __init__(self, **answers):
        self.answers = {name: list(found) for name, found in answers.items()}
        self.argv = []

    def __call__(self, argv, stdin=None):
        words = argv[len(table.ENVIRONMENT) :]
        self.argv.append(words)
        left = self.answers[words[0]]
        return left.pop(0) if len(left) > 1 else left[0]


def test_a_new_name_is_submitted_once():
    slurm = Slurm(squeue=[EMPTY], sacct=[EMPTY], sbatch=[(0, "42\n", "")])
    client = SlurmClient(slurm, Clock())
    found = client.submit_once("run-1", "a.sh", ["-A", "p"])
    assert (found.job_id, found.adopted) == ("42", False)
    assert client.counts == {"squeue": 1, "sacct": 1, "sbatch": 1}
    assert slurm.argv[-1] == ["sbatch", "--parsable", "-A", "p", "--job-name=run-1", "a.sh"]


def test_a_made_up_name_is_submitted_without_a_look():
    client = SlurmClient(Slurm(sbatch=[(0, "42;meluxina\n", "")]), Clock())
    assert client.submit_once("run-1", "a.sh", look="none").job_id == "42"
    assert client.counts == {"sbatch": 1}


@pytest.mark.parametrize(
    ("answers", "job_id"),
    [
        ({"squeue": [rows(queue_row("7"))], "sacct": [EMPTY]}, "7"),
        ({"squeue": [EMPTY], "sacct": [rows(acct_row("5"))]}, "5"),
        ({"squeue": [EMPTY], "sacct": [rows(acct_row("5"), acct_row("6"))]}, "6"),
        ({"squeue": [rows(queue_row("4"))], "sacct": [rows(acct_row("5"))]}, "4"),
        ({"squeue": [rows(queue_row("8_[0-3]"), queue_row("8_4"))], "sacct": [EMPTY]}, "8"),
        ({"squeue": [rows(queue_row("9+0"), queue_row("9+1"))], "sacct": [NO_ACCOUNTING]}, "9"),
    ],
)
def test_a_job_of_this_name_is_adopted(answers, job_id):
    client = SlurmClient(Slurm(**answers), Clock())
    found = client.submit_once("run-1", "a.sh")
    assert (found.job_id, found.adopted) == (job_id, True)
    assert "sbatch" not in client.counts


def test_a_job_with_a_longer_name_is_another_job():
    slurm = Slurm(squeue=[rows(queue_row("7", name="run-10"))], sacct=[EMPTY], sbatch=[(0, "8\n", "")])
    assert SlurmClient(slurm, Clock()).submit_once("run-1", "a.sh").job_id == "8"


def test_ignored_jobs_do_not_count():
    slurm = Slurm(squeue=[EMPTY], sacct=[rows(acct_row("5", "FAILED"))], sbatch=[(0, "8\n", "")])
    assert SlurmClient(slurm, Clock()).submit_once("run-1", "a.sh", ignore=["5"]).job_id == "8"


def test_after_a_time_out_one_clear_no_is_not_believed():
    slurm = Slurm(squeue=[EMPTY, EMPTY, EMPTY, rows(queue_row("9"))], sacct=[EMPTY], sbatch=[TIMED_OUT])
    client = SlurmClient(slurm, Clock())
    found = client.submit_once("run-1", "a.sh")
    assert (found.job_id, found.adopted) == ("9", True)
    assert client.counts["sbatch"] == 1


def test_after_a_time_out_nothing_is_submitted_again_even_when_the_job_never_shows():
    clock = Clock()
    client = SlurmClient(Slurm(squeue=[EMPTY], sacct=[EMPTY], sbatch=[TIMED_OUT]), clock)
    began = clock.now_s
    with pytest.raises(errors.SlurmError, match="outcome of submitting") as caught:
        client.submit_once("run-1", "a.sh", deadline_s=60)
    assert caught.value.kind == errors.UNKNOWN_OUTCOME
    assert "Socket timed out" in caught.value.message
    assert "run it again" in caught.value.remedy
    assert client.counts["sbatch"] == 1
    assert clock.now_s - began <= 80


def test_an_answer_without_an_id_is_an_unknown_outcome():
    slurm = Slurm(squeue=[EMPTY, rows(queue_row("9"))], sacct=[EMPTY], sbatch=[(0, "Welcome\n", "")])
    client = SlurmClient(slurm, Clock())
    assert client.submit_once("run-1", "a.sh").job_id == "9"
    assert client.counts["sbatch"] == 1


def test_after_a_failed_connection_it_looks_before_it_tries_again():
    slurm = Slurm(squeue=[EMPTY], sacct=[EMPTY], sbatch=[REFUSED, REFUSED, (0, "9\n", "")])
    client = SlurmClient(slurm, Clock())
    assert client.submit_once("run-1", "a.sh", look="none").job_id == "9"
    assert [words[0] for words in slurm.argv] == ["sbatch", "squeue", "sbatch", "squeue", "sbatch"]


def test_a_refusal_is_not_repeated():
    refusal = (1, "", "sbatch: error: Batch job submission failed: Invalid qos specification\n")
    client = SlurmClient(Slurm(squeue=[EMPTY], sacct=[EMPTY], sbatch=[refusal]), Clock())
    with pytest.raises(errors.SlurmError, match="Invalid qos specification"):
        client.submit_once("run-1", "a.sh")
    assert client.counts["sbatch"] == 1


@pytest.mark.parametrize("silent", [{"squeue": [TIMED_OUT]}, {"squeue": [EMPTY], "sacct": [NO_DATABASE]}])
def test_nothing_is_submitted_while_nobody_can_say_whether_it_is_there(silent):
    client = SlurmClient(Slurm(sbatch=[(0, "1\n", "")], **silent), Clock())
    with pytest.raises(errors.SlurmError) as caught:
        client.submit_once("run-1", "a.sh", deadline_s=30)
    assert caught.value.transient
    assert "sbatch" not in client.counts


@pytest.mark.parametrize("name", ["", " x", "a,b", "x" * 201, "a\nb"])
def test_a_name_that_cannot_identify_a_job(name):
    with pytest.raises(errors.SlurmError, match="cannot identify"):
        SlurmClient(Slurm(), Clock()).submit_once(name, "a.sh")


def test_heterogeneous_components_all_carry_the_name():
    argv = sbatch.argv("n", "a.sh", [["-p", "cpu"], ["-p", "gpu"]], ["x"])[len(table.ENVIRONMENT) :]
    assert argv == ["sbatch", "--parsable", "-p", "cpu", "--job-name=n", ":", "-p", "gpu", "--job-name=n", "a.sh", "x"]


def test_typed_options():
    found = sbatch.options({"account": "p", "time_limit": "10", "gres": "", "requeue": False, "exclusive": True})
    assert found == ["--account=p", "--time=10", "--exclusive", "--no-requeue"]
    with pytest.raises(ValueError, match="unknown job options: colour"):
        sbatch.options({"colour": "red"})


def test_accounting_that_lags_is_not_believed():
    slurm = Slurm(squeue=[EMPTY], sacct=[rows(acct_row("7", "RUNNING"))])
    job = SlurmClient(slurm, Clock()).jobs(["7", "8"])["7"]
    assert (job.state, job.final, job.ok, job.left_queue) == ("UNKNOWN", False, False, True)
    assert "still says RUNNING" in job.reason
    proof = SlurmClient(slurm, Clock()).wait_gone(["7"], deadline_s=20)["7"]
    assert not proof["gone"]


def test_a_proof_waits_for_accounting_to_follow():
    slurm = Slurm(squeue=[EMPTY], sacct=[rows(acct_row("7", "RUNNING")), rows(acct_row("7", "COMPLETED"))])
    proof = SlurmClient(slurm, Clock()).wait_gone(["7"], deadline_s=20)["7"]
    assert (proof["gone"], proof["state"], proof["source"]) == (True, "COMPLETED", "sacct")


def test_a_single_unknown_id_is_an_answer():
    job = SlurmClient(Slurm(squeue=[NO_ID], sacct=[EMPTY]), Clock()).jobs(["7"])["7"]
    assert (job.state, job.left_queue) == ("UNKNOWN", True)


def test_a_finished_job_is_known_although_the_controller_is_silent():
    job = SlurmClient(Slurm(squeue=[TIMED_OUT], sacct=[rows(acct_row("7", "FAILED", code="3:0"))]), Clock()).jobs(
        ["7"]
    )["7"]
    assert (job.state, job.exit_code, job.left_queue) == ("FAILED", 3, False)


def test_a_running_job_is_unknown_while_the_controller_is_silent():
    job = SlurmClient(Slurm(squeue=[TIMED_OUT], sacct=[rows(acct_row("7", "RUNNING"))]), Clock()).jobs(["7"])["7"]
    assert job.state == "UNKNOWN"
    assert "timed out" in job.reason
    assert job.source == "sacct"


def test_tasks_that_left_the_queue_are_completed_from_accounting():
    slurm = Slurm(
        squeue=[rows(queue_row("7_1", "COMPLETED"))],
        sacct=[rows(acct_row("7_0", "FAILED", code="2:0"), acct_row("7_1", "RUNNING"))],
        scontrol=[EMPTY],
    )
    job = SlurmClient(slurm, Clock()).jobs(["7"])["7"]
    assert [(part.id, part.state) for part in job.parts] == [("7_0", "FAILED"), ("7_1", "COMPLETED")]
    assert (job.state, job.exit_code) == ("FAILED", 2)


def test_a_task_among_the_pending_ones():
    job = SlurmClient(Slurm(squeue=[rows(queue_row("7_[3-9%2]", "PENDING"))]), Clock()).jobs(["7_5"])["7_5"]
    assert (job.id, job.state, job.parts) == ("7_5", "PENDING", [])


def test_a_task_beside_its_array():
    slurm = Slurm(squeue=[rows(queue_row("7_[2-7%2]", "PENDING"), queue_row("7_1"))])
    jobs = SlurmClient(slurm, Clock()).jobs(["7_5", "7", "7_1"])
    assert [jobs[job_id].id for job_id in ("7", "7_5", "7_1")] == ["7", "7_5", "7_1"]
    assert jobs["7"].to_dict()["state_counts"] == {"PENDING": 6, "RUNNING": 1}


def test_the_record_of_a_refused_submission_is_no_job():
    refused = acct_row("5", "FAILED", code="1:0").replace("n[1-2]", "None assigned")
    slurm = Slurm(squeue=[EMPTY], sacct=[rows(refused)], sbatch=[(0, "8\n", "")])
    assert SlurmClient(slurm, Clock()).submit_once("run-1", "a.sh").job_id == "8"


def test_many_ids_are_one_query_and_none_are_no_query():
    client = SlurmClient(Slurm(squeue=[rows(*(queue_row(str(n)) for n in range(1, 500)))]), Clock())
    assert len(client.jobs(range(1, 500))) == 499
    assert client.jobs([]) == {}
    assert client.counts == {"squeue": 1}


def test_garbage_is_an_error_and_not_an_empty_queue():
    job = SlurmClient(Slurm(squeue=[(0, "1\x1fx\n", "")], sacct=[EMPTY]), Clock()).jobs(["1"])["1"]
    assert (job.state, job.left_queue) == ("UNKNOWN", None)


def test_cancel_repeats_while_nobody_answers():
    down = (8, "", "scancel: error: Kill job error on job id 1: Unable to contact slurm controller (connect failure)\n")
    client = SlurmClient(Slurm(scancel=[down, down, EMPTY]), Clock())
    assert client.cancel(["1"]) == ["1"]
    assert client.counts == {"scancel": 3}
    with pytest.raises(errors.SlurmError, match="connect failure"):
        SlurmClient(Slurm(scancel=[down]), Clock()).cancel(["1"], deadline_s=20)


def test_cancel_leaves_ended_jobs_alone():
    client = SlurmClient(
        Slurm(
            squeue=[rows(queue_row("1", "COMPLETED"), queue_row("2"))], sacct=[EMPTY], scontrol=[EMPTY], scancel=[EMPTY]
        ),
        Clock(),
    )
    assert client.cancel(["1", "2"], owner_name_prefix="run-") == ["2"]


def test_cancel_without_the_name_is_refused():
    client = SlurmClient(Slurm(squeue=[TIMED_OUT], sacct=[NO_DATABASE]), Clock())
    with pytest.raises(errors.SlurmError, match="timed out"):
        client.cancel(["1"], owner_name_prefix="run-", deadline_s=20)
    assert "scancel" not in client.counts


@pytest.mark.parametrize("ids", [["--me"], ["abc"], [], ["1", ""], ["1.0"]])
def test_scancel_takes_ids_only(ids):
    with pytest.raises(ValueError, match="needs job ids"):
        scancel.argv(ids)


@pytest.mark.parametrize(
    ("rc", "stderr", "kind"),
    [
        (0, "", None),
        (1, "sbatch: error: injected: job refused by site policy\nsbatch: error: Batch job submission failed: "
            "Unspecified error\n", "refused_by_site"),
        (127, "bash: line 1: sbatch: command not found\n", "command_missing"),
        (2, "[Errno 2] No such file or directory: b'sbatch'", "command_missing"),
        (1, "slurm_load_jobs error: Zero Bytes were transmitted or received\n", "unreachable"),
        (1, NO_DATABASE[2], "accounting_unreachable"),
        (1, NO_ACCOUNTING[2], "accounting_off"),
        (1, "sbatch: error: If munged is up, restart with --num-threads=10\nsbatch: error: Munge encode failed: "
            "Failed to access \"/run/munge/munge.socket.2\"\n", "authentication"),
        (1, "scancel: error: Kill job error on job id 5: Access/permission denied\n", "permission"),
        (1, "scancel: error: Kill job error on job id 5: Job/step already completing or completed\n", "already_done"),
        (1, "squeue: error: ClusterName needs to be specified\nsqueue: fatal: Unable to process configuration file\n",
            "configuration"),
        (3, "something new\n", "failed"),
        (3, "", "failed"),
    ],
)  # fmt: skip
def test_kinds_of_errors(rc, stderr, kind):
    assert errors.classify(rc, "", stderr) == kind


def test_the_sites_own_words_are_kept():
    stderr = "sbatch: error: use -A please\nsbatch: error: Batch job submission failed: Unspecified error\n"
    error = errors.from_result('submit the job "x"', ["sbatch"], 1, "", stderr)
    assert str(error).startswith('cannot submit the job "x": use -A please (')
    assert error.to_dict()["kind"] == "refused_by_site"
