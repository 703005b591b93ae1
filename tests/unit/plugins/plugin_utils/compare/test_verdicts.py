# SPDX-License-Identifier: MIT
from __future__ import annotations

import math
import random

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils import stats
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare import verdicts
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.judged import Number, Thresholds
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.compare.observations import Key, Values
from hypothesis import given
from hypothesis import strategies as st

THROUGHPUT, TIME, ERRORS = Number("throughput", "value"), Number("response_time", "p99"), Number("error_rate", "value")
UNITS = {THROUGHPUT: "1/s", TIME: "s", ERRORS: "1", Number("my_score", "mean"): "point"}
RUNS = st.lists(st.lists(st.floats(0.5, 2), min_size=1, max_size=5), min_size=1, max_size=4)


def side(number, *runs, case="max"):
    return {Key(case, number): Values(UNITS[number], [list(run) for run in runs])}


def judged(reference, other, threshold=None):
    lines = verdicts.lines(reference, other, UNITS, Thresholds(threshold))
    verdicts.judge(lines)
    return lines


def noisy(level, count=6, noise=0.005, seed=1):
    rng = random.Random(seed)
    return [level * (1 + rng.gauss(0, noise)) for _number in range(count)]


@pytest.mark.parametrize(
    ("number", "level", "verdict"),
    [
        (THROUGHPUT, 0.9, "worse"), (THROUGHPUT, 1.1, "better"), (THROUGHPUT, 1.01, "same"),
        (THROUGHPUT, 0.952, "undecided"), (TIME, 1.1, "worse"), (TIME, 0.9, "better"), (TIME, 0.99, "same"),
    ],
)  # fmt: skip
def test_the_interval_against_the_threshold(number, level, verdict):
    [line] = judged(side(number, noisy(1)), side(number, noisy(level, seed=2)))
    assert line.verdict == verdict
    low, high = line.told["interval"]
    assert low < line.told["change"] < high
    assert line.told["change"] == pytest.approx(level, rel=0.01)
    assert line.told["observation"] == "repetition"
    assert line.told["observations"] == [6, 6]
    assert line.needed >= stats.FEWEST


def test_one_repetition_a_side_is_never_decided():
    [line] = judged(side(THROUGHPUT, [1.0]), side(THROUGHPUT, [0.1]))
    assert (line.verdict, line.needed) == ("undecided", None)
    assert "nothing of the noise" in line.why
    assert line.told["change"] == pytest.approx(0.1)


def test_of_several_runs_an_observation_is_a_run():
    """Repetitions agree within each run; the runs of a side do not."""
    quiet = [noisy(level, noise=0.001, seed=number) for number, level in enumerate((1.0, 1.2, 0.8))]
    slow = [noisy(level, noise=0.001, seed=number) for number, level in enumerate((0.9, 1.08, 0.72))]
    [line] = judged(side(THROUGHPUT, *quiet), side(THROUGHPUT, *slow))
    assert line.verdict == "undecided"
    assert line.told["observation"] == "run"
    assert line.told["observations"] == [3, 3]
    flat = [[value for run in runs for value in run] for runs in (quiet, slow)]
    assert judged(side(THROUGHPUT, flat[0]), side(THROUGHPUT, flat[1]))[0].told["observation"] == "repetition"


def test_a_single_run_borrows_the_spread_of_several():
    runs = [noisy(level, 3, seed=number) for number, level in enumerate((1.0, 1.01, 0.99, 1.0, 1.005))]
    [line] = judged(side(THROUGHPUT, *runs), side(THROUGHPUT, noisy(0.85, 3)))
    assert (line.verdict, line.told["observations"]) == ("worse", [5, 1])
    [line] = judged(side(THROUGHPUT, *runs), side(THROUGHPUT, noisy(0.85, 2)))
    assert line.verdict == "undecided"
    assert "fewer repetitions" in line.why
    assert judged(side(THROUGHPUT, noisy(0.85, 2)), side(THROUGHPUT, *runs))[0].verdict == "undecided"


def test_a_single_run_whose_repetitions_disagree_borrows_nothing():
    runs = [noisy(level, 5, seed=number) for number, level in enumerate((1.0, 1.01, 0.99, 1.0, 1.005))]
    unsteady = noisy(0.85, 5, 0.3)
    [line] = judged(side(THROUGHPUT, *runs), side(THROUGHPUT, unsteady))
    assert line.verdict == "undecided"
    [back] = judged(side(THROUGHPUT, unsteady), side(THROUGHPUT, *runs))
    assert back.estimate.standard_error == pytest.approx(line.estimate.standard_error)


def test_shares_are_compared_by_their_difference():
    zero, some = side(ERRORS, [0.0, 0.0, 0.0]), side(ERRORS, [0.04, 0.041, 0.042])
    assert judged(zero, some)[0].verdict == "worse"
    assert judged(zero, some)[0].told["change"] == pytest.approx(0.041)
    assert judged(zero, zero)[0].verdict == "same"
    assert judged(some, zero)[0].verdict == "better"


def test_a_ratio_needs_values_above_0():
    [line] = judged(side(THROUGHPUT, [1.0, 1.0]), side(THROUGHPUT, [0.0, 1.0]))
    assert (line.verdict, line.needed) == ("undecided", None)
    assert "above 0" in line.why


def test_what_is_missing_or_new():
    both = side(THROUGHPUT, noisy(1))
    lines = judged({**both, **side(TIME, noisy(1))}, {**both, **side(THROUGHPUT, noisy(1), case="new")})
    assert [line.verdict for line in lines] == ["same", "missing", None]


def test_what_has_no_direction_is_shown_and_not_judged():
    score = Number("my_score", "mean")
    [line] = judged(side(score, noisy(1)), side(score, noisy(0.5)))
    assert (line.verdict, line.is_judged) == (None, False)
    assert line.told["interval_95"][1] < 0.6


def test_many_numbers_are_judged_more_strictly():
    alone = judged(side(THROUGHPUT, noisy(1, 4, 0.01)), side(THROUGHPUT, noisy(0.925, 4, 0.01, 2)))
    assert alone[0].verdict == "worse"
    sides = [
        {Key(f"c{case}", THROUGHPUT): Values("1/s", [noisy(level, 4, 0.01, seed)]) for case in range(30)}
        for level, seed in ((1, 1), (0.925, 2))
    ]
    lines = judged(*sides)
    assert {line.verdict for line in lines} == {"undecided"}
    assert lines[0].told["level"] == pytest.approx(1 - 0.05 / 30)
    assert lines[0].needed > alone[0].needed
    assert lines[0].told["interval_95"] == pytest.approx(alone[0].told["interval_95"])


def test_intervals_that_are_wide_beyond_all_sense_are_numbers():
    many = {Key(f"c{case}", TIME): Values("s", [[1.0], [9.0]]) for case in range(200)}
    single = {key: Values("s", [[1.0]]) for key in many}
    lines = judged(many, single)
    assert {line.verdict for line in lines} == {"undecided"}
    assert lines[0].told["interval"] == pytest.approx([math.exp(-20), math.exp(20)])


@given(RUNS, RUNS, st.sampled_from([THROUGHPUT, TIME]))
def test_swapping_the_sides_turns_the_verdict(first, second, number):
    turned = {"worse": "better", "better": "worse"}
    [line], [back] = (
        judged(side(number, *first), side(number, *second)),
        judged(side(number, *second), side(number, *first)),
    )
    assert back.verdict == turned.get(line.verdict, line.verdict)
    assert back.told["change"] == pytest.approx(1 / line.told["change"])


@given(RUNS, RUNS, st.floats(0.001, 1000))
def test_the_unit_does_not_matter(first, second, factor):
    scaled = [[[value * factor for value in run] for run in runs] for runs in (first, second)]
    [line], [other] = (
        judged(side(TIME, *first), side(TIME, *second)),
        judged(side(TIME, *scaled[0]), side(TIME, *scaled[1])),
    )
    assert other.told["change"] == pytest.approx(line.told["change"])
    if line.estimate and line.estimate.standard_error > 1e-9:
        assert other.verdict == line.verdict


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        (["same", "worse", "better"], "worse"), (["same", "better"], "better"), (["same", None], "same"),
        (["same", "undecided"], "undecided"), (["same", "missing"], "undecided"), ([], "undecided"),
    ],
)  # fmt: skip
def test_the_verdict_of_a_side(some, expected):
    lines = judged(*[{k: v for n in range(len(some)) for k, v in side(TIME, [1.0], case=str(n)).items()}] * 2)
    for line, verdict in zip(lines, some, strict=True):
        line.verdict = verdict
    assert verdicts.overall(lines) == expected
