# SPDX-License-Identifier: MIT
"""Recall of single answers, against what can be counted by hand."""

from __future__ import annotations

from array import array
from types import SimpleNamespace

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.operation import Operation
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.samples import Samples
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.recall import Judge
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.vector.truth import Truth

# Two queries, four neighbours kept of each; the second one has a tie between its second and its third.
TRUTH = Truth(4, array("q", [7, 3, 9, 4, 1, 2, 8, 5]), array("d", [1.0, 2.0, 3.0, 4.0, 1.0, 1.5, 1.5, 9.0]))


def judged(k, *answers, due=100.5):
    samples = Samples(100.0, 200.0, 0.0)
    judge = Judge(k, TRUTH, samples)
    errors = []
    for query, ids, distances in answers:
        operation = Operation()
        operation.due = due
        judge.take(operation, query, ids, distances)
        errors.append(operation.error and (operation.error, operation.example))
    judge.report()
    return SimpleNamespace(errors=errors, histograms=samples.histograms)


@pytest.mark.parametrize(
    ("k", "query", "ids", "share"),
    [
        (2, 0, [7, 3], 1.0),
        (2, 0, [3, 7], 1.0),
        (2, 0, [7, 9], 0.5),
        (2, 0, [9, 4], 0.0),
        (3, 0, [7, 3, 5], 2 / 3),
        (2, 1, [1, 8], 1.0),  # as near as the second one
        (2, 1, [8, 2], 1.0),
    ],
)
def test_recall_by_number(k, query, ids, share):
    found = judged(k, (query, ids, None))
    assert found.errors == [None]
    assert found.histograms["recall"].mean == pytest.approx(share)
    assert found.histograms["recall"].unit == "1"
    assert "recall_by_distance" not in found.histograms


def test_recall_by_distance_has_an_epsilon_as_in_ann_benchmarks():
    found = judged(2, (0, [7, 3], [1.0, 2.0009]), (0, [7, 9], [1.0, 2.0011]))
    assert found.histograms["recall_by_distance"].mean == pytest.approx(0.75)


def test_many_answers_make_a_distribution():
    found = judged(2, *[(0, [7, 3], [1.0, 2.0])] * 3, (0, [9, 4], [3.0, 4.0]))
    assert found.histograms["recall"].count == 4
    assert found.histograms["recall"].mean == pytest.approx(0.75)
    assert found.histograms["recall"].quantile(0.5) == pytest.approx(1.0)
    assert found.histograms["recall"].min == 0


@pytest.mark.parametrize("ids", [[], [7], [7, 3, 9], [7, 7]])
def test_any_other_number_of_rows_is_an_error(ids):
    found = judged(2, (0, ids, [1.0] * len(ids)))
    assert found.errors[0][0] == "wrong row count"
    assert f"{len(ids)} rows ({len(set(ids))} different ones) instead of 2" in found.errors[0][1]
    assert "recall" not in found.histograms


def test_the_warm_up_is_not_judged():
    assert "recall" not in judged(2, (0, [7, 3], None), due=99.0).histograms
