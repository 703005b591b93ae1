# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import formatting
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1402.44, "1,402"), (700.6, "700.6"), (7.345, "7.345"), (0.00301, "0.00301"), (1e6, "1,000,000"),
     (None, "–"), (float("nan"), "–"), (-12.5, "-12.50"), (128, "128")],
)  # fmt: skip
def test_number(value, text):
    assert formatting.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0024, "2.40 ms"),
        (0.00083, "830 µs"),
        (1.25, "1.25 s"),
        (0, "0 s"),
        (75.0, "75 s"),
        (None, "–"),
        (5e-9, "5 ns"),
    ],
)
def test_seconds(value, text):
    assert formatting.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.42, "3.4 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"), (125, "2 min 05 s"), (3720, "1 h 02 min"), (None, "–")],
)
def test_duration(value, text):
    assert formatting.duration(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(1402.4, "1/s", "1,402/s"), (0.0024, "s", "2.40 ms"), (1.5 * 2**30, "bytes", "1.50 GiB"), (3, "1", "3"),
     (12.5, "tokens/s", "12.50 tokens/s"), (None, "s", "–")],
)  # fmt: skip
def test_quantity(value, unit, text):
    assert formatting.quantity(value, unit) == text


def test_an_interval_is_in_the_unit_of_its_mean():
    assert formatting.interval((1402.0, 4.447), "1/s") == "1,402/s ± 4.4"
    assert formatting.interval((0.0024, 0.00013), "s") == "2.40 ms ± 0.13"
    assert formatting.interval((0.0024, None), "s") == "2.40 ms"
    assert formatting.interval(None) == "–"


def test_shares_and_times():
    assert formatting.share(0.7339) == "73.4 %"
    assert formatting.share(0.075) == "7.5 %"
    assert formatting.share(1.0) == "100 %"
    assert formatting.when(1_790_000_000) == "2026-09-21 14:13:20 UTC"
    assert formatting.plural(1, "case") == "1 case"
    assert formatting.plural(2000, "case") == "2,000 cases"


@given(st.floats())
def test_any_number_has_a_text(value):
    for function in (formatting.number, formatting.seconds):
        assert function(value)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12_345_678.0, "B/s", "12.3 MB/s"), (1.2e9, "B/s", "1.20 GB/s"), (999.0, "B/s", "999 B/s"),
        (0.0, "B/s", "0 B/s"),
        (1234.4, "token/s", "1,234 token/s"), (0.93, "1", "0.93"),
    ],
)  # fmt: skip
def test_rates_of_the_load(value, unit, text):
    assert formatting.quantity(value, unit) == text


def test_an_interval_of_bytes_is_in_the_unit_of_its_mean():
    assert formatting.interval((12_345_678.0, 250_000.0), "B/s") == "12.3 MB/s ± 0.25"


def test_a_capacity_is_told_with_its_ends():
    line = {"value": 490.0, "unit": "1/s", "lower": 480.0, "upper": 500.0, "half_width": None}
    assert formatting.with_interval(line) == "490/s (480 to 500)"


@pytest.mark.parametrize(("value", "text"), [(0.0012, "+1.20 ms"), (-0.00083, "−830 µs"), (0.0, "+0 s"), (None, "–")])
def test_the_offset_of_a_clock(value, text):
    assert formatting.offset(value) == text


def test_names_of_metrics():
    assert formatting.metric({"metric": "time_to_first_token", "statistic": "p999"}) == "time to first token p99.9"
    assert formatting.metric({"metric": "throughput", "statistic": "mean"}) == "throughput"
