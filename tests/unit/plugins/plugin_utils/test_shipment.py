# SPDX-License-Identifier: MIT
from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile

import pytest
from ansible_collections.aifactory.benchmark.plugins.action.run_collect import _local_name
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunDirectory, RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.shipment import inputs, merge_events, pack, unpack


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "20261123-190212-postgresql-3f9a")


def archive_of(folder) -> bytes:
    """The archive that the cluster sends: a manifest of checksums, then tar."""
    script = "find . -type f -exec sha256sum {} + >../manifest && mv ../manifest manifest.sha256 && tar -czf - ."
    return subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, check=True).stdout


@pytest.fixture
def collected(tmp_path):
    folder = tmp_path / "cluster"
    for name, text in {
        "results/results.csv": "case\n",
        "results/series-max-1.csv": "t\n",
        "logs/a b.log": "x\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_pack_makes_private_files_and_executable_scripts():
    with tarfile.open(fileobj=io.BytesIO(pack({"service.sbatch": b"#!", "plan.json": b"{}"}))) as tar:
        modes = {entry.name: oct(entry.mode) for entry in tar}
    assert modes["service.sbatch"] == "0o700"
    assert modes["plan.json"] == "0o600"
    assert modes["secrets"] == "0o700"


def plan_with(path, content: bytes):
    return {"inputs": {"inputs/a.txt": {"source": str(path), "sha256": hashlib.sha256(content).hexdigest()}}}


def test_the_recipes_files_are_shipped_as_they_were_checked(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\xff")
    assert inputs(plan_with(path, b"one\xff")) == {"inputs/a.txt": b"one\xff"}
    assert inputs({}) == {}
    with pytest.raises(RunError, match=r"a\.txt has changed since the recipe was checked\. Nothing was submitted"):
        inputs(plan_with(path, b"two"))
    path.unlink()
    with pytest.raises(RunError, match=r"a\.txt can't be read: No such file or directory\. Nothing was submitted"):
        inputs(plan_with(path, b"one\xff"))


def test_files_in_folders_arrive_in_them(tmp_path):
    unpacking = ["tar", "-xzf", "-", "-C", str(tmp_path)]
    subprocess.run(unpacking, input=pack({"inputs/a.txt": b"one"}), check=True)
    assert (tmp_path / "inputs" / "a.txt").read_bytes() == b"one"


def test_unpack_sorts_files_into_their_places(run, collected):
    manifest = unpack(archive_of(collected), run, _local_name)
    assert sorted(manifest) == ["logs/a b.log", "results.csv", "series/series-max-1.csv"]
    assert run.read_text("results.csv") == "case\n"


def test_a_file_that_changed_on_the_way_is_refused(run, collected):
    (collected / "manifest.sha256").write_text(f"{'0' * 64}  ./results/results.csv\n")
    data = subprocess.run(["tar", "-czf", "-", "."], cwd=collected, capture_output=True, check=True).stdout
    with pytest.raises(RunError, match=r"results/results\.csv did not arrive as it is on the cluster"):
        unpack(data, run, _local_name)
    assert not run.has("results.csv")


def test_a_name_with_a_line_break_arrives(run, collected):
    (collected / "logs" / "a\nb\\c").write_text("x")
    assert "logs/a\nb\\c" in unpack(archive_of(collected), run, _local_name)


def test_an_archive_that_is_cut_short_is_refused(run, collected):
    with pytest.raises(RunError, match="collect it again"):
        unpack(archive_of(collected)[:-200], run, _local_name)


def test_a_name_that_leaves_the_run_directory_is_refused(run):
    buffer = io.BytesIO()
    content = b"x"
    manifest = b"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  ../evil\n"
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in (("../evil", content), ("manifest.sha256", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    with pytest.raises(RunError, match=r"'\.\./evil' is a path that leads elsewhere"):
        unpack(buffer.getvalue(), run, _local_name)


def test_events_are_merged_by_time_and_cut_lines_left_out(run):
    run.write_text("events/service.jsonl", '{"t": 2, "event": "b"}\n{"t": 3, "ev')
    run.write_text("events/clients.jsonl", '{"t": 1, "event": "a"}\n')
    assert merge_events(run) == '{"t": 1, "event": "a"}\n{"t": 2, "event": "b"}\n'
