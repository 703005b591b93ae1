# SPDX-License-Identifier: MIT
"""Options of sbatch become the body of a request, in the words of each version; what can't be said is refused."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import sbatch
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.errors import SlurmError
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm.rest import options, submission
from hypothesis import given
from hypothesis import strategies as st

from ..replay import Clock

SCRIPT = "#!/bin/bash\n"


def body(args, api=41, script=SCRIPT, script_args=()):
    return submission.body(
        "run-1", script, ["--chdir=/tmp", *args], script_args, api=api, user="u101", clock=Clock(1000.0)
    )


def refusal(*args, **kwargs):
    with pytest.raises(SlurmError) as caught:
        body(*args, **kwargs)
    return str(caught.value)


def test_the_script_s_own_options_count_and_the_given_ones_win():
    script = "#!/bin/bash -l\n#SBATCH --partition=cpu --time=10 # short\n#SBATCH -A p1\n\necho\n#SBATCH --qos=late\n"
    job = body(["-p", "gpu", "--job-name=other"], script=script)["job"]
    assert (job["partition"], job["account"], job["name"]) == ("gpu", "p1", "run-1")
    assert job["time_limit"] == {"set": True, "infinite": False, "number": 10}
    assert "qos" not in job


def test_a_heterogeneous_job_in_the_script():
    script = "#!/bin/bash\n#SBATCH -p gpu\n#SBATCH hetjob\n#SBATCH -p cpu\n"
    first, second = body(["-A", "p1"], script=script)["jobs"]
    assert (first["partition"], first["account"]) == ("gpu", "p1")
    assert (second["partition"], second["name"]) == ("cpu", "run-1")
    assert second["current_working_directory"] == "/tmp"


@pytest.mark.parametrize(
    ("args", "field", "old", "new"),
    [
        (["-t", "1-00:00:30"], "time_limit", 1441, {"set": True, "infinite": False, "number": 1441}),
        (["-t", "UNLIMITED"], "time_limit", 0xFFFFFFFF, {"set": False, "infinite": True, "number": 0}),
        (["--mem=1500K"], "memory_per_node", 2, {"set": True, "infinite": False, "number": 2}),
        (["--mem-per-cpu=2G"], "memory_per_cpu", 2048, {"set": True, "infinite": False, "number": 2048}),
        (["--begin=now+2hours"], "begin_time", "now+7200", {"set": True, "infinite": False, "number": 8200}),
        (["--deadline=now+2hours"], "deadline", "now+7200", 8200),
        (["-n4"], "tasks", 4, 4),
        (["--array", "0-9%2"], "array", "0-9%2", "0-9%2"),
        (["--open-mode=append"], "open_mode", "append", ["APPEND"]),
        (["--no-requeue"], "requeue", False, False),
        (["-o", "/tmp/%j.out"], "standard_output", "/tmp/%j.out", "/tmp/%j.out"),
    ],
)
def test_the_words_of_old_and_new_versions(args, field, old, new):
    assert body(args, api=38)["job"][field] == old
    assert body(args, api=42)["job"][field] == new


def test_nodes_by_name_need_a_newer_version():
    job = body(["-w", "n[1-2]", "-x", "n7"])["job"]
    assert (job["required_nodes"], job["excluded_nodes"]) == (["n1", "n2"], ["n7"])
    assert "23.02" in refusal(["-w", "n1"], api=38)


@pytest.mark.parametrize(
    ("args", "api", "words"),
    [
        (["--colour=red"], 41, "--colour=red"),
        (["--mem"], 41, "--mem lacks its value"),
        (["--exclusive=user"], 41, "--exclusive=user"),
        (["--export=HOME"], 41, "'HOME' has no value"),
        (["--begin=16:00"], 41, "now+1hour"),
        (["-N", "two"], 41, "'two'"),
        (["-t", "soon"], 41, "'soon'"),
        (["--signal=B:TERM@60"], 38, "22.05"),
        (["-w", "n[1"], 41, "nodelist"),
    ],
)
def test_what_cannot_be_said_is_named(args, api, words):
    assert words in refusal(args, api=api)


def test_a_wrong_line_of_the_script_is_named():
    assert "line 2 of the script" in refusal([], script="#!/bin/bash\n#SBATCH --switches=1\n")


def test_a_job_needs_a_directory():
    with pytest.raises(SlurmError, match="chdir"):
        submission.body("run-1", SCRIPT, api=41, user="u101")


def test_arguments_of_the_script_crash_the_oldest_version():
    assert body([], script_args=["a b"])["job"]["argv"] == ["script", "a b"]
    assert "crashes" in refusal([], api=38, script_args=["a"])


def test_every_typed_option_of_slurm_job_can_be_given():
    values = dict.fromkeys([name for name, _option in sbatch.OPTIONS], "1")
    values.update(begin="now", signal="TERM", time_limit="5", exclusive=True, hold=True, requeue=True, export="A=b")
    job = body(sbatch.options(values))["job"]
    assert job["environment"] == ["A=b", "LOGNAME=u101", "PATH=" + submission.PATHS["PATH"], "USER=u101"]


WORD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(lambda t: t[0] != "-")


@given(st.dictionaries(st.sampled_from(["account", "comment", "qos", "output", "dependency"]), WORD))
def test_free_text_arrives_as_it_is(values):
    words = [word for name, value in values.items() for word in (f"--{name}", value)]
    assert options.parse(words, "args") == values


@given(st.text(max_size=60))
def test_any_script_is_read_or_refused_in_words(text):
    try:
        found = options.of_script("#!/bin/sh\n#SBATCH " + text)
    except SlurmError as error:
        assert error.remedy
    else:
        assert all(isinstance(component, dict) for component in found)
