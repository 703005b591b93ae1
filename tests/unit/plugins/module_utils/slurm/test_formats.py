# SPDX-License-Identifier: MIT
"""Times, host lists, job ids and tables: what is written can be read again."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.slurm import duration, hostlist, jobid, table
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 1800),
        ("10:30", 630),
        ("01:00:00", 3600),
        ("1-02", 93600),
        ("1-02:03", 93780),
        ("1-02:03:04", 93784),
        ("00:01.720", 1),
        ("UNLIMITED", None),
        ("N/A", None),
        ("", None),
        (None, None),
        (5, 300),
    ],
)
def test_slurm_times(text, seconds):
    assert duration.to_seconds(text) == seconds


@pytest.mark.parametrize("text", ["soon", "1:2:3:4", "-5", "1-", "1h", "1 2"])
def test_no_time_is_said_to_be_none(text):
    with pytest.raises(ValueError, match="no Slurm time"):
        duration.to_seconds(text)
    assert not duration.is_valid(text)


@given(st.integers(min_value=0, max_value=10**8))
def test_a_time_survives(seconds):
    assert duration.to_seconds(duration.from_seconds(seconds)) == seconds
    assert duration.is_valid(duration.from_seconds(seconds))


def test_no_limit_and_negative_times():
    assert duration.from_seconds(None) == "UNLIMITED"
    assert duration.is_valid("UNLIMITED")
    with pytest.raises(ValueError, match="negative"):
        duration.from_seconds(-1)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("mel0001", ["mel0001"]),
        ("mel[0001-0003,0007],login1", ["mel0001", "mel0002", "mel0003", "mel0007", "login1"]),
        ("n[9-11]", ["n9", "n10", "n11"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("n[1-2]-ib", ["n1-ib", "n2-ib"]),
        ("(null)", []),
        ("None assigned", []),
        ("", []),
        (None, []),
    ],
)
def test_host_lists(text, hosts):
    assert hostlist.expand(text) == hosts


@pytest.mark.parametrize("text", ["n[1-2", "n1]", "n[3-1]", "n[a-b]", "n[1-999999999]", "n[[1]]"])
def test_bad_host_lists(text):
    with pytest.raises(ValueError, match="host list"):
        hostlist.expand(text)


@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        (["mel0003", "mel0001", "mel0002"], "mel[0001-0003]"),
        (["n1", "n3"], "n[1,3]"),
        (["login", "n1"], "login,n1"),
        (["n09", "n9", "n10"], "n09,n[9-10]"),
        ([], ""),
    ],
)
def test_compressed_host_lists(hosts, text):
    assert hostlist.compress(hosts) == text


names = st.from_regex(r"[a-z]{1,3}-?[0-9]{0,4}", fullmatch=True)


@given(st.lists(names, max_size=30))
def test_a_host_list_survives(hosts):
    assert sorted(hostlist.expand(hostlist.compress(hosts))) == sorted(set(hosts))


@given(st.text(alphabet="n[]-,0123456789", max_size=20))
def test_any_text_is_a_host_list_or_a_value_error(text):
    try:
        hostlist.expand(text)
    except ValueError as error:
        assert "host list" in str(error)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("11", ("11", None, [], None, None)),
        ("11_3", ("11", 3, [], None, None)),
        ("11_[2-4,9%2]", ("11", None, [2, 3, 4, 9], None, None)),
        ("29+1", ("29", None, [], 1, None)),
        ("11.batch", ("11", None, [], None, "batch")),
        ("11;meluxina", ("11", None, [], None, None)),
    ],
)
def test_job_ids(text, parts):
    found = jobid.JobId(text)
    assert (found.base, found.task, found.tasks, found.component, found.step) == parts
    assert found.is_whole == (parts[1:] == (None, [], None, None))


@pytest.mark.parametrize("text", ["", "abc", "11_", "-1", "11 12", "11_[a]", "--me", "11_[5-2]"])
def test_no_job_ids(text):
    with pytest.raises(ValueError, match="is no"):
        jobid.JobId(text)
    assert not jobid.is_job_id(text)


@pytest.mark.parametrize(
    ("text", "ok"), [("11", True), ("11_3", True), ("29+0", True), ("11.0", False), ("1_[2]", False)]
)
def test_what_may_be_cancelled(text, ok):
    assert jobid.is_job_id(text) == ok


def test_array_lists():
    assert jobid.task_list("0-9:3,20%2") == ([0, 3, 6, 9, 20], 2)
    for bad in ("x", "1-", "0-9%", "0-4:0"):
        with pytest.raises(ValueError, match=r"array|%"):
            jobid.task_list(bad)


@pytest.mark.parametrize(
    ("row", "wanted", "covers"),
    [
        ("11_3", "11", True),
        ("11_[4-9]", "11_5", True),
        ("11_[4-9]", "11_3", False),
        ("29+1", "29", True),
        ("29+1", "29+0", False),
        ("12", "11", False),
    ],
)
def test_which_row_speaks_for_which_job(row, wanted, covers):
    assert jobid.JobId(row).covers(jobid.JobId(wanted)) == covers


free_text = st.text(alphabet=st.characters(blacklist_characters=table.SEPARATOR + "\r", blacklist_categories=["Cs"]))


@given(st.lists(st.tuples(st.integers(1, 10**6), free_text), max_size=5))
def test_a_table_survives_any_job_name(jobs):
    text = "".join(f"{number}{table.SEPARATOR}{name}{table.SEPARATOR}end\n" for number, name in jobs)
    rows = table.rows("Welcome to the login node\n" + text, ("id", "name", "state"))
    assert [(row["id"], row["name"]) for row in rows] == [(str(number), name.strip()) for number, name in jobs]


def test_a_table_that_is_cut_off_is_an_error():
    with pytest.raises(ValueError, match="ends early"):
        table.rows(f"1{table.SEPARATOR}na", ("id", "name", "state"))
    with pytest.raises(ValueError, match="fields instead of"):
        table.rows(table.SEPARATOR.join("abcd"), ("id", "name", "state"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cpu=4,mem=1G,node=1,gres/gpu=2", {"cpu": 4, "mem": 2**30, "node": 1, "gres/gpu": 2}),
        ("mem=1.5G", {"mem": 3 * 2**29}),
        ("mem=1024", {"mem": 2**30}),
        ("", {}),
        ("(null)", {}),
        ("fs/disk=odd", {"fs/disk": "odd"}),
    ],
)
def test_trackable_resources(text, found):
    assert table.tres(text) == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1795460163", 1795460163), ("N/A", None), ("Unknown", None), ("0", None), ("1970-01-02T00:00:00", 86400)],
)
def test_times_of_a_table(text, seconds):
    assert table.epoch(text) == seconds


@pytest.mark.parametrize(("text", "found"), [("7:0", (7, 0)), ("0:9", (0, 9)), ("", (None, None)), ("3", (3, 0))])
def test_exit_codes(text, found):
    assert table.exit_code(text) == found


@pytest.mark.parametrize(("text", "found"), [("4200K", 4300800), ("1.00M", 2**20), ("11073", 11073), ("", None)])
def test_sizes(text, found):
    assert table.size_bytes(text) == found
