# SPDX-License-Identifier: MIT
"""The export as the hdrhistogram package reads it, and against bytes worked out by hand."""

from __future__ import annotations

import base64
import random
import struct
import zlib

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load import hdr_export
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.histogram import Histogram
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st

VALUES = st.lists(st.one_of(st.integers(0, 5000), st.integers(0, 2**40)), min_size=1, max_size=300)


def histogram_of(values):
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


def payload_of(histogram):
    whole = base64.b64decode(hdr_export.encode(histogram))
    cookie, length = struct.unpack(">II", whole[:8])
    assert cookie == 0x1C849314 and length == len(whole) - 8
    return zlib.decompress(whole[8:])


@given(VALUES)
@settings(deadline=None)
def test_it_says_the_same_within_the_error_of_both(values):
    found = HdrHistogram.decode(hdr_export.encode(histogram_of(values)))
    ordered = sorted(values)
    assert found.get_total_count() == len(values)
    for percent in (0.1, 25, 50, 90, 99, 99.9, 100):
        exact = ordered[max(1, int(percent / 100 * len(values) + 0.5)) - 1]  # the package rounds the rank
        assert found.get_value_at_percentile(percent) == pytest.approx(exact, rel=0.0031, abs=1)
    # as exact as HdrHistogram's own buckets are
    assert found.get_max_value() == found.get_highest_equivalent_value(max(values))
    assert found.get_min_value() == found.get_lowest_equivalent_value(min(values))


def test_percentiles_of_many_times():
    draw = random.Random(7)
    values = [int(draw.lognormvariate(10, 1)) for _number in range(50_000)]
    found = HdrHistogram.decode(hdr_export.encode(histogram_of(values)))
    reference = HdrHistogram(1, max(values), 3)
    for value in values:
        reference.record_value(value)
    for percent in (50, 90, 95, 99, 99.9):
        assert found.get_value_at_percentile(percent) == pytest.approx(
            reference.get_value_at_percentile(percent), rel=0.003
        )
    assert found.get_mean_value() == pytest.approx(sum(values) / len(values), rel=0.002)


def test_the_bytes():
    """Values 1 (three times), 4 and 2048: the first bucket of two has its indices from 2048 on, one for each."""
    payload = payload_of(histogram_of([1, 1, 1, 4, 2048]))
    cookie, length, offset, digits, lowest, highest, ratio = struct.unpack(">IIIIQQd", payload[:40])
    assert (cookie, offset, digits, lowest, highest, ratio) == (0x1C849313, 0, 3, 1, 2048, 1.0)
    # 0, count 3, two zeros (-2), count 1, 2043 zeros, count 1; ZigZag: n -> 2n, -n -> 2n - 1
    zeros = 2 * 2043 - 1
    assert payload[40:] == bytes([0, 6, 3, 2, zeros & 0x7F | 0x80, zeros >> 7, 2])
    assert length == 7


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, b"\x00"),
        (-1, b"\x01"),
        (1, b"\x02"),
        (64, b"\x80\x01"),
        (2**62, b"\x80" * 8 + b"\x80"),
        (2**63 - 1, b"\xfe" + b"\xff" * 8),
    ],
)
def test_numbers(number, encoded):
    written = bytearray()
    hdr_export._add(written, number)
    assert bytes(written) == encoded


def test_an_empty_one():
    found = HdrHistogram.decode(hdr_export.encode(Histogram()))
    assert found.get_total_count() == 0


def test_large_counts():
    histogram = Histogram()
    histogram.record(1000, 10**12)
    found = HdrHistogram.decode(hdr_export.encode(histogram))
    assert found.get_total_count() == 10**12


def test_a_log(tmp_path):
    first, second = histogram_of([1000, 2000]), histogram_of([500_000])
    path = tmp_path / "x.hlog"
    begin = 1_700_000_000.0
    path.write_text(
        hdr_export.log([(first, begin, begin + 10, "max"), (second, begin + 20, begin + 25.5, "rate-50pct")])
    )
    lines = path.read_text().splitlines()
    assert lines[0] == "#[Histogram log format version 1.3]"
    assert lines[1] == "#[StartTime: 1700000000.000 (seconds since epoch), 2023-11-14T22:13:20Z]"
    assert lines[3].startswith("Tag=max,1700000000.000,10.000,2.000,HISTFAAAA")
    reader = HistogramLogReader(str(path), HdrHistogram(1, 2**40, 3))
    read = [reader.get_next_interval_histogram(), reader.get_next_interval_histogram()]
    assert [found.get_tag() for found in read] == ["max", "rate-50pct"]
    assert [found.get_total_count() for found in read] == [2, 1]
    assert read[1].get_start_time_stamp() == (begin + 20) * 1000
    assert read[1].get_end_time_stamp() == (begin + 25.5) * 1000
    assert reader.get_next_interval_histogram() is None
    reader.input_file.close()


@pytest.mark.parametrize("tag", ["", "a,b", "a b", "a\n"])
def test_a_tag_that_the_format_cannot_hold(tag):
    with pytest.raises(ValueError, match="no commas or blanks"):
        hdr_export.line(histogram_of([1]), 0.0, 1.0, tag)
