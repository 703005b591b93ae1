# SPDX-License-Identifier: MIT
"""What a stored run is started again with: its recipe, its images; and what differs between two records."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import image_facts, provenance
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.nested import (
    Difference,
    differences,
)
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.provenance import rerun
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.remote import Remote
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from hypothesis import given
from hypothesis import strategies as st

from ..test_remote import ShellConnection
from .provenance_samples import REFERENCE, SHA, collected

DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture
def then(tmp_path):
    run = collected(tmp_path)
    run.write_json("provenance.json", provenance.after_collection(run))
    return rerun.stored(run)


NOTHING = image_facts.parse([])
SIF_ID = "7dd1e905-0f71-4cd5-b218-e13ba36a3eb2 1795957017"


def pin(then, found, cluster="meluxina", images=None):
    [one] = rerun.pins(then, cluster, images or {}, lambda paths: [found] * len(paths))
    return one


def there(**facts):
    """What a look at the cluster finds."""
    return {**NOTHING, "bytes": 123, **facts}


def test_the_same_file_is_taken_where_it_is_still_there(then):
    found = pin(then, there(sha256=SHA))
    assert found.used == then.provenance["images"][0]["path"] and "the same file" in found.why
    assert rerun.extra(then, [found]) == {
        "rerun_of": then.run.id,
        "images": {"service": found.used, "clients": found.used},
    }


@pytest.mark.parametrize("found", [None, there(), there(sha256="0" * 64), there(sif_id="other")])
def test_else_what_its_digest_says(then, found):
    assert pin(then, found).used == f"docker://docker.io/library/postgres@{DIGEST}"
    assert pin(then, found).why == "image postgres:17: fetched by its digest, sha256:abababababab…"


def test_a_file_without_a_checksum_is_known_by_its_sif_id(then):
    then.provenance["images"][0].update(sha256=None, sif_id=SIF_ID)
    found = pin(then, there(sif_id=SIF_ID))
    assert found.used == then.provenance["images"][0]["path"] and f"the same file, SIF id {SIF_ID}" in found.why
    assert pin(then, there(sif_id=SIF_ID, bytes=124)).used.startswith("docker://"), "of another size"
    assert pin(then, there(sif_id=SIF_ID.replace("7", "8"))).used.startswith("docker://")


@pytest.mark.parametrize(
    ("found", "why"),
    [(None, "not there any more"), (there(), "is not known"), (there(sha256="0" * 64), "is another file now")],
)
def test_without_a_digest_it_is_said_that_it_may_be_another(then, found, why):
    then.provenance["images"][0]["digest"] = None
    assert pin(then, found).used is None and why in pin(then, found).why


def test_what_was_built_is_not_fetched_by_the_checksum_of_its_definition(then):
    then.provenance["images"][0].update(reference="inputs/x.def", asked="inputs/x.def")
    assert pin(then, None).used is None
    assert pin(then, there(sha256=SHA)).used == then.provenance["images"][0]["path"]


def test_a_run_that_was_run_again_can_be_run_again(then, tmp_path):
    """It had the file itself, whose reference is known by what lies beside it."""
    submitted = then.run.read_json("provenance.json")
    submitted["images"][0].update(reference=submitted["images"][0]["path"])
    then.run.write_json("provenance.json", submitted)
    then.run.write_json("provenance.json", provenance.after_collection(then.run))
    again = rerun.stored(then.run)
    assert again.provenance["images"][0]["reference"] == REFERENCE
    assert pin(again, None).used == f"docker://docker.io/library/postgres@{DIGEST}"


def test_another_cluster_has_the_digest_too_or_an_image_of_its_own(then):
    def never(paths):
        raise AssertionError("it can't have the file")

    [found] = rerun.pins(then, "other", {}, never)
    assert found.used == f"docker://docker.io/library/postgres@{DIGEST}"
    [found] = rerun.pins(then, "other", {"docker.io/library/postgres:17": "/site/postgres.sif"}, never)
    assert found.used is None and "has its own, /site/postgres.sif" in found.why


def test_of_an_earlier_release_no_image_is_pinned(then):
    then.provenance["images"] = [{"path": "/i.sif", "reference": REFERENCE, "sha256": SHA}]
    assert rerun.pins(then, "meluxina", {}, lambda paths: []) == []


HEAD = b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\x0001\x0002\0" + bytes.fromhex(
    "7dd1e9050f714cd5b218e13ba36a3eb2" + "19210c6b00000000" * 2
)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_what_is_looked_at_on_the_cluster(tmp_path, shell):
    names = ["known.sif", "none.sif", "bare.sif", "old.sif", "a b.sif", "sandbox"]
    (tmp_path / "sandbox").mkdir()
    for name in names[:1] + names[2:5]:
        (tmp_path / name).write_bytes(HEAD + b"\0" * 100)
    for name in ("known.sif", "old.sif", "a b.sif"):
        (tmp_path / f"{name}.sha256").write_text(f"{SHA}  {name}\n")
    (tmp_path / "a b.sif").write_text("no SIF file")
    (tmp_path / "a b.sif.json").write_text('{\n "digest": "sha256:1", "reference": "docker://x"}')
    for name in ("known.sif", "a b.sif"):
        os.utime(tmp_path / name, (1, 1))
    os.utime(tmp_path / "old.sif.sha256", (1, 1))
    paths = [str(tmp_path / name) for name in names]
    done = subprocess.run([shell, "-c", rerun._LOOK, "sh", *paths], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    known, none, bare, old, other, sandbox = rerun.looker(Remote(ShellConnection(), "site"))(paths)
    assert done.stdout.count(SHA) == 2 and done.stdout.splitlines()[1] == "missing"
    assert known == {**NOTHING, "bytes": 180, "sha256": SHA, "sif_id": SIF_ID} and none is None
    assert bare == old == {**NOTHING, "bytes": 180, "sif_id": SIF_ID}
    assert other == {"bytes": 11, "sha256": SHA, "digest": "sha256:1", "reference": "docker://x", "sif_id": None}
    assert sandbox["sha256"] is None and sandbox["sif_id"] is None


@pytest.mark.parametrize("name", ["recipe.yml", "plan.json"])
def test_a_run_that_is_not_whole_can_t_be_run_again(tmp_path, name):
    run = collected(tmp_path)
    run.file(name).unlink()
    with pytest.raises(RunError, match=f"has no {name}"):
        rerun.stored(run)


def test_the_recipe_keeps_its_name(then):
    recipe = then.recipe()
    assert (recipe.name, recipe.sha256) == ("quickstart", "5f" * 32)
    assert recipe.model.benchmarks.num_clients == 4


# -- differences -----------------------------------------------------------------------------------------

plain = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
records = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner)
)


@given(records)
def test_a_record_does_not_differ_from_itself(record):
    assert differences(record, record) == []


@given(records, records)
def test_differences_are_the_same_from_both_sides(one, two):
    there, back = differences(one, two), differences(two, one)
    assert sorted((field, repr(a), repr(b)) for field, a, b in there) == sorted(
        (field, repr(b), repr(a)) for field, a, b in back
    )


def test_fields_are_named():
    one = {"a": {"b": 1, "same": 2}, "list": [1, 2], "items": [{"x": 1}], "gone": 1}
    two = {"a": {"b": 3, "same": 2}, "list": [1], "items": [{"x": 2}, {"x": 3}]}
    assert differences(one, two) == [
        Difference("a.b", 1, 3),
        Difference("list", [1, 2], [1]),
        Difference("items[0].x", 1, 2),
        Difference("gone", 1, None),
        Difference("items[1].x", None, 3),
    ]
