# SPDX-License-Identifier: MIT
"""Results and telemetry of many runs as one table, read back with pandas and held against the runs' own files."""

from __future__ import annotations

import sys

import pandas as pd
import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import tables
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.runs import RunError
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.tables import frames

from . import samples
from .telemetry.test_energy import gpu_rows
from .test_finish import finished

OF_RESULT = ["case", "repetition", "client", "metric", "unit", "statistic", "value"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One that is VALID, one that is not, one without results, and one that goes on."""
    home, variants = tmp_path_factory.mktemp("home"), ("finished", "overloaded", "cancelled")
    made = [finished(home, variant, number)[0] for number, variant in enumerate(variants, start=1)]
    gpu_rows(made[0], until_s=5.0)
    return [*made, samples.make(home, "running", 4)]


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def export(runs, warnings):
    def write(path, chosen=None, *, really=True, **wanted):
        how = tables.write_csv if path.suffix == ".csv" else tables.write_parquet
        return how(chosen or runs, path, tables.Wanted(**wanted), really=really, warn=warnings.append)

    return write


def own(run):
    return pd.read_csv(run.file("results.csv"), dtype={"client": str})[OF_RESULT]


def test_parquet_has_every_row_of_every_run(export, runs, tmp_path):
    written = export(tmp_path / "all.parquet")
    frame = pd.read_parquet(tmp_path / "all.parquet")
    assert list(frame.columns) == list(frames.RESULTS)
    assert list(frame.run.unique()) == written.runs == [runs[n].id for n in (0, 1, 3)]
    for run in (runs[0], runs[1], runs[3]):
        rows = frame[frame.run == run.id][OF_RESULT].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, own(run), check_dtype=False)
    assert written.rows == len(frame) and f"{len(frame):,} rows of 3 runs" in written.text()


def test_each_row_says_what_its_run_was_in_types_that_fit(export, runs, tmp_path):
    export(tmp_path / "all.parquet")
    frame = pd.read_parquet(tmp_path / "all.parquet")
    assert frame.groupby("run").verdict.first().fillna("").to_list() == ["VALID", "INVALID", ""]
    assert (frame.recipe == "quickstart").all() and (frame.cluster == "meluxina").all()
    assert frame.created_at.iloc[0] == pd.Timestamp(samples.BEGIN - 1.5, unit="s", tz="UTC")
    assert (frame.repetition.dtype, frame.value.dtype) == ("int32", "float64")
    assert pd.api.types.is_string_dtype(frame.client) and set(frame.client) >= {"all", "0"}
    p99 = frame.query("client == 'all' and metric == 'response_time' and statistic == 'p99'")
    assert len(p99) == 2 * 4 + 1, "two cases twice of two runs, and what the third has"


def test_csv_of_many_runs_is_the_same_table(export, tmp_path):
    export(tmp_path / "all.csv")
    export(tmp_path / "all.parquet")
    text = pd.read_csv(tmp_path / "all.csv", dtype={"client": str}, parse_dates=["created_at"])
    pd.testing.assert_frame_equal(text, pd.read_parquet(tmp_path / "all.parquet"), check_dtype=False)


def test_a_folder_gets_the_telemetry_too(export, runs, tmp_path):
    written = export(tmp_path / "out", [runs[0]])
    assert [path.name for path in written.changed] == ["results.parquet", "nodes.parquet", "gpus.parquet"]
    nodes, gpus = (pd.read_parquet(tmp_path / f"out/{name}.parquet") for name in ("nodes", "gpus"))
    own = pd.read_csv(runs[0].file("telemetry/service-mel0001.csv"))
    assert nodes[nodes.role == "service"].cpu_user_percent.to_list() == own.cpu_user_percent.to_list()
    assert set(nodes.node) == {"mel0001", "mel0002"} and nodes.t.dtype == "float64"
    assert gpus.power_w.to_list() == [100.0] * 5 and gpus.uuid.iloc[0] == "GPU-1"
    assert "gpus.parquet" not in [path.name for path in export(tmp_path / "none", [runs[1]]).changed]


@pytest.mark.parametrize("name", ["all.parquet", "all.csv"])
def test_the_same_again_changes_nothing_and_check_mode_writes_nothing(export, tmp_path, name):
    path = tmp_path / name
    assert export(path, really=False).changed == {path: True} and not path.exists()
    assert export(path).changed == {path: True}
    before = path.stat()
    assert export(path).changed == {path: False}
    assert path.stat().st_ino == before.st_ino and [each.name for each in tmp_path.iterdir()] == [name]


def test_only_the_rows_that_are_wanted(export, tmp_path):
    export(tmp_path / "some.parquet", metric="throughput", case="half", client="all")
    frame = pd.read_parquet(tmp_path / "some.parquet")
    assert set(zip(frame.metric, frame.case, frame.client, strict=True)) == {("throughput", "half", "all")}
    with pytest.raises(RunError, match=r"no run has such results \(metric respnse_time\)"):
        export(tmp_path / "none.parquet", metric="respnse_time")
    assert not (tmp_path / "none.parquet").exists()


def test_many_small_runs_are_few_parts_of_a_file(export, runs, tmp_path, monkeypatch):
    import pyarrow.parquet

    export(tmp_path / "one.parquet", [runs[0]] * 3)
    monkeypatch.setattr(tables.files, "_ROWS", 1)
    export(tmp_path / "three.parquet", [runs[0]] * 3)
    parts = [pyarrow.parquet.ParquetFile(tmp_path / f"{name}.parquet").num_row_groups for name in ("one", "three")]
    assert parts == [1, 3]
    whole = [pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("one", "three")]
    pd.testing.assert_frame_equal(*whole)


def test_a_run_that_cannot_be_read_is_told_and_the_others_are_written(export, runs, warnings, tmp_path):
    broken = samples.make(tmp_path, "finished", 9)
    broken.write_text("results.csv", broken.read_text("results.csv") + "max,1,all,throughput,1/s,value,fast\n")
    assert export(tmp_path / "two.parquet", [broken, runs[0]]).runs == [runs[0].id]
    assert "results.csv, line" in warnings[0] and "fast" in warnings[0]


def test_numbers_that_are_none_are_left_out(runs, tmp_path):
    run = samples.make(tmp_path, "finished", 8)
    rows = len(run.results())
    run.write_text("results.csv", run.read_text("results.csv") + "max,1,all,x,1,mean,nan\nmax,1,all,x,1,max,inf\n")
    assert len(frames.results(run)) == len(run.results()) == rows


@pytest.mark.parametrize(("library", "name"), [("pandas", "all.csv"), ("pyarrow", "all.parquet")])
def test_a_missing_library_says_what_to_install(export, tmp_path, monkeypatch, library, name):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"need.* {library} on the controller: pip install -r requirements\.txt"):
        export(tmp_path / name)


def test_where_it_cannot_be_written_is_told(export, runs, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"parquet=.*file must end in \.parquet, or be a folder"):
        export(tmp_path / "file")
    with pytest.raises(RunError, match=r"csv=.* cannot be written"):
        export(tmp_path / "file" / "all.csv")
