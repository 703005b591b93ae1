# SPDX-License-Identifier: MIT
"""Values with units."""

from __future__ import annotations

import math

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe import units
from hypothesis import given
from hypothesis import strategies as st

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers()),
    st.from_regex(r"[0-9:.\-smhdGiB% ]+"),
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10s", 10), ("5m", 300), ("1h30m", 5400), ("1h 30 min", 5400), ("250ms", 0.25), ("1d", 86400), ("1.5h", 5400),
        ("01:30:00", 5400), ("10:00", 600), ("1-00:00:00", 86400), ("1-12", 129600), ("1-00:30", 88200 - 0), (90, 90),
        (0.5, 0.5), ("90", 90), (0, 0),
    ],
)  # fmt: skip
def test_durations(written, seconds):
    assert units.duration_s(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "ten", "10x", "s", "1:2:3:4", -1, "-5s", math.nan, math.inf, None, True, [], "400d", 10**400]
)
def test_wrong_durations(written):
    with pytest.raises(units.UnitError) as caught:
        units.duration_s(written)
    assert "10s" in caught.value.remedy


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("01:00:00", 3600), ("00:30:00", 1800), ("10:00:00", 36000), ("30", 1800), (30, 1800), ("30:00", 1800),
        ("1-00", 86400), ("1-00:30", 88200), ("1-00:00:01", 86401), ("30m", 1800), ("2h", 7200), ("90s", 90),
    ],
)  # fmt: skip
def test_time_limits_are_slurms(written, seconds):
    assert units.time_limit_s(written) == seconds


@pytest.mark.parametrize("written", ["", 0, "00:00", "soon", 1.5, True, None, "UNLIMITED", -5])
def test_wrong_time_limits(written):
    with pytest.raises(units.UnitError):
        units.time_limit_s(written)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("16GiB", 2**34),
        ("16G", 2**34),
        ("16g", 2**34),
        ("512MB", 512 * 10**6),
        ("1.5GiB", 3 * 2**29),
        ("2T", 2**41),
        ("4 KiB", 4096),
    ],
)
def test_memory(written, amount):
    assert units.memory_bytes(written) == amount


@pytest.mark.parametrize("written", ["16", 16, "lots", "16X", None, "0G", "-1G", True])
def test_memory_needs_its_unit(written):
    with pytest.raises(units.UnitError) as caught:
        units.memory_bytes(written)
    assert "16GiB" in caught.value.remedy


def test_rates():
    assert [units.rate(value) for value in (10, 0.5, "max", "MAX", "50%", "12.5 %")] == [
        10.0,
        0.5,
        "max",
        "max",
        "50%",
        "12.5%",
    ]


@pytest.mark.parametrize("written", [0, -1, "fast", "0%", "%", math.nan, True, None, "10"])
def test_wrong_rates(written):
    with pytest.raises(units.UnitError):
        units.rate(written)


@given(ANYTHING)
def test_anything_is_a_value_or_a_unit_error(value):
    for read in (units.duration_s, units.time_limit_s, units.memory_bytes, units.rate):
        try:
            read(value)
        except units.UnitError as error:
            assert error.message


@given(st.integers(min_value=1, max_value=366 * 86400))
def test_what_is_written_is_read_again(seconds):
    assert units.time_limit_s(units.format_clock(seconds)) == seconds
    assert units.duration_s(units.format_duration(float(seconds))) == seconds


@given(st.floats(min_value=0, max_value=1e6) | st.sampled_from([5e-05, 1e-7, 0.1 + 0.2]))
def test_fractions_are_written_exactly(seconds):
    assert units.duration_s(units.format_duration(seconds)) == seconds


def test_shares():
    assert [units.share(value) for value in (0.05, 1, "5%", "12.5 %", "100%")] == [0.05, 1.0, 0.05, 0.125, 1.0]
    for wrong in (0, 1.01, -0.1, "0%", "101%", "5", "five", True, None, [], math.nan, math.inf):
        with pytest.raises(units.UnitError):
            units.share(wrong)


@given(st.integers(min_value=1, max_value=2**50))
def test_memory_is_written_exactly(amount):
    assert units.memory_bytes(units.format_memory(amount)) == amount
