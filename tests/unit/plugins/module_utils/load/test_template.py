# SPDX-License-Identifier: MIT
"""Texts that differ from request to request."""

from __future__ import annotations

import random
import re

import pytest
from ansible_collections.aifactory.benchmark.plugins.module_utils.load.template import Template
from hypothesis import given
from hypothesis import strategies as st


def template(text):
    return Template(text, client=3, random=random.Random(1), secret={"key": "s3cret"}.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("/plain?a=$b", "/plain?a=$b"),
        ("${seq}-${client}", "7-3"),
        ("Bearer ${secret:key}", "Bearer s3cret"),
        ("$${seq}", "${seq}"),
        ("${random:5:5}", "5"),
    ],
)
def test_places_are_filled(text, expected):
    assert template(text).text(7) == expected


def test_what_never_changes_is_made_once():
    assert template("${client}/${secret:key}").fixed == "3/s3cret"
    assert template("${seq}").fixed is None


def test_random_places_differ():
    made = template("${random:-5:5} ${hex:8}")
    texts = {made.text(0) for _ in range(50)}
    assert len(texts) == 50
    assert all(re.fullmatch(r"-?[0-5] [0-9a-f]{8}", text) for text in texts)


@pytest.mark.parametrize(
    "text", ["${}", "${sek}", "${random:1}", "${random:5:1}", "${hex:0}", "${secret:}", "a ${b} c"]
)
def test_unknown_places_are_errors(text):
    with pytest.raises(ValueError, match=re.escape("${")):
        template(text)


@given(st.text(alphabet="ab$ {}/", max_size=30).filter(lambda text: "${" not in text))
def test_a_text_without_places_is_itself(text):
    assert template(text).text(0) == text
