# SPDX-License-Identifier: MIT
"""The records of requests, as NumPy and pandas read them."""

from __future__ import annotations

import ast
import struct
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import records
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.records import COLUMNS, RecordWriter
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import DUE, END, KIND, OK, TOKENS_OUT
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = [name for name, _dtype, _code in COLUMNS]
INT64 = st.integers(-(2**63), 2**63 - 1)
INT16 = st.integers(-(2**15), 2**15 - 1)
SECONDS = st.floats(allow_nan=False)
ROWS = st.lists(
    st.tuples(SECONDS, SECONDS, SECONDS, SECONDS, SECONDS, INT16, st.booleans(), INT16, INT64, INT64, INT64, INT64),
    max_size=60,
)


def row(number):
    return (1000.0 + number, 1000.5 + number, 0.0, 0.0, 1001.0 + number, 200, 1, number % 2, 10, 20, 30, number)


@given(parts=st.lists(ROWS, max_size=5), block=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_what_goes_in_comes_out(tmp_path_factory, parts, block):
    path = tmp_path_factory.mktemp("records") / "max-1.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_BLOCK_ROWS", block)
        writer = RecordWriter(str(path), ["get", "püt"], 1.5e9)
        for rows in parts:
            writer.add_many(rows)
        writer.close()
    rows = [row for part in parts for row in part]
    with np.load(path) as found:
        assert found.files == [*NAMES, "kinds", "clock_offset_s"]
        for number, (name, dtype, _code) in enumerate(COLUMNS):
            assert found[name].dtype == np.dtype(dtype)
            assert found[name].tolist() == [row[number] for row in rows]
        assert found["kinds"].tolist() == ["get", "püt"]
        assert float(found["clock_offset_s"]) == 1.5e9
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_order_is_that_of_the_samples():
    assert NAMES[DUE] == "due_s" and NAMES[END] == "end_s" and NAMES[OK] == "ok" and NAMES[KIND] == "kind"
    assert NAMES[TOKENS_OUT] == "output_tokens" and len(NAMES) == TOKENS_OUT + 1


def test_pandas_makes_a_table_of_it(tmp_path):
    writer = RecordWriter(str(tmp_path / "r.npz"), ["a", "b"])
    writer.add_many([row(number) for number in range(1000)])
    writer.close()
    found = np.load(tmp_path / "r.npz")
    table = pd.DataFrame({name: found[name] for name in NAMES})
    table["kind"] = found["kinds"][table["kind"]]
    assert table.groupby("kind")["output_tokens"].sum().to_dict() == {"a": 249500, "b": 250000}


def test_nothing_appears_before_the_end_and_a_killed_client_leaves_its_rows(tmp_path):
    writer = RecordWriter(str(tmp_path / "r.npz"))
    writer.add_many([row(0)])
    writer.part.flush()
    assert [file.name for file in tmp_path.iterdir()] == ["r.npz.part"]
    layout = "<" + "".join(code for _name, _dtype, code in COLUMNS)
    assert struct.unpack(layout, (tmp_path / "r.npz.part").read_bytes()) == row(0)
    writer.close()
    assert [file.name for file in tmp_path.iterdir()] == ["r.npz"]


@pytest.mark.parametrize("value", [2**15, "200", None])
def test_a_row_that_does_not_fit_adds_nothing(tmp_path, value):
    writer = RecordWriter(str(tmp_path / "r.npz"))
    with pytest.raises(struct.error):
        writer.add_many([row(0), (*row(1)[:5], value, *row(1)[6:])])
    writer.add_many([row(2)])
    writer.close()
    assert np.load(tmp_path / "r.npz")["output_tokens"].tolist() == [2]


def test_memory_does_not_grow_with_the_requests(tmp_path):
    writer = RecordWriter(str(tmp_path / "r.npz"))
    rows = [row(number) for number in range(1000)]
    tracemalloc.start()
    for _part in range(300):
        writer.add_many(rows)
    writer.close()
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 4e6 < 300_000 * 77
    with zipfile.ZipFile(tmp_path / "r.npz") as archive:
        assert archive.testzip() is None


def test_the_heads_are_as_the_format_wants_them(tmp_path):
    writer = RecordWriter(str(tmp_path / "r.npz"))
    writer.add_many([row(0), row(1)])
    writer.close()
    with zipfile.ZipFile(tmp_path / "r.npz") as archive:
        data = archive.read("end_s.npy")
    length = struct.unpack("<H", data[8:10])[0]
    assert data[:8] == b"\x93NUMPY\x01\x00" and (10 + length) % 64 == 0 and data[9 + length : 10 + length] == b"\n"
    assert ast.literal_eval(data[10 : 10 + length].decode()) == {
        "descr": "<f8",
        "fortran_order": False,
        "shape": (2,),
    }
    assert struct.unpack("<2d", data[10 + length :]) == (1001.0, 1002.0)
