# SPDX-License-Identifier: MIT
"""YAML with line numbers."""

from __future__ import annotations

import pytest
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.document import parse_document, read_document
from ansible_collections.aifactory.benchmark.plugins.plugin_utils.recipe.errors import RecipeError
from hypothesis import given
from hypothesis import strategies as st


def error_of(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        parse_document(text, "r.yml")
    return str(caught.value)


def test_places_and_source_text():
    document = parse_document("service:\n  env:\n    A: on\n  volumes: [/a:/b,\n    /c:/d]\n", "r.yml")
    assert document.place(("service", "env", "A")).line == 3
    assert document.source_text(("service", "env", "A")) == "on"
    assert document.place(("service", "volumes", 1)).line == 5
    assert document.place(("service", "not", "there")).line == 1
    assert document.data["service"]["env"]["A"] is True


@pytest.mark.parametrize("written", ["01:00:00", "10:00:00", "10:00", "2026-01-01", "007", "0x10", "1_000"])
def test_what_yaml_1_1_reads_as_numbers_and_dates_stays_text(written):
    assert parse_document(f"a: {written}", "r.yml").data == {"a": written}


@pytest.mark.parametrize(
    ("written", "value"), [("10", 10), ("-3", -3), ("0", 0), ("1.5", 1.5), ("1e3", 1000.0), ("yes", True), ("~", None)]
)
def test_plain_values(written, value):
    assert parse_document(f"a: {written}", "r.yml").data == {"a": value}


def test_merge_keys_and_aliases():
    data = parse_document("base: &b {x: 1, y: 2}\nother:\n  <<: *b\n  y: 3\n", "r.yml").data
    assert data["other"] == {"x": 1, "y": 3}


def test_duplicate_keys_say_where_the_first_is():
    assert error_of("service:\n  image: a\n  image: b\nservice: {}\n").splitlines() == [
        "r.yml:3: service.image: is given twice, first in line 2; remove one",
        "r.yml:4: service: is given twice, first in line 1; remove one",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "r.yml:1:1: is empty; a recipe has at least the section 'service:'"),
        ("# nothing\n", "r.yml:1:1: is empty"),
        ("- a\n", "r.yml:1:1: is not a mapping of sections"),
        ("just text", "r.yml:1:1: is not a mapping of sections"),
        (
            "service:\n\timage: x\n",
            "r.yml:2:1: YAML syntax: found character '\\t' that cannot start any token; indent with spaces",
        ),
        ("service:\n  command: a: b\n", "r.yml:2:13: YAML syntax: mapping values are not allowed here; quote a value"),
        ("service:\n  image: 'x\n", "YAML syntax: found unexpected end of stream"),
        ("service: {a: 1\n", "r.yml:2:1: YAML syntax"),
        ("a: 1\n---\nb: 2\n", "one file is one recipe"),
        ("a: *missing\n", "found undefined alias"),
        ('a: "\\q"\n', "use single quotes"),
        ("a: @b\n", "quote a value that begins with a special character"),
        ("service: !!python/object:os.system {}\n", "r.yml:1"),
        ("a: !vault x\n", "has the tag '!vault'"),
        ("a: &a [*a]\n", "has an alias that contains itself"),
        ("? [a]\n: b\n", "a key is text"),
        ("a: \x01\n", "has a character that YAML does not allow"),
        ("[" * 3000, "is nested too deeply"),
    ],
)
def test_mistakes_of_yaml(text, expected):
    assert expected in error_of(text)


def test_aliases_of_aliases_do_not_explode():
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9))
    assert "grows without end" in error_of(f"l0: &l0 [x]\n{levels}\n")


def test_files_that_can_not_be_read(tmp_path):
    (tmp_path / "latin.yml").write_bytes(b"service:\n  name: caf\xe9\n")
    with pytest.raises(RecipeError, match=r"latin.yml:2:1: is not UTF-8 text; save the file in UTF-8"):
        read_document(tmp_path / "latin.yml", "latin.yml")
    with pytest.raises(RecipeError, match=r"gone\.yml: can't be read: No such file or directory"):
        read_document(tmp_path / "gone.yml", "gone.yml")
    (tmp_path / "bom.yml").write_bytes(b"\xef\xbb\xbfservice: {}\n")
    assert read_document(tmp_path / "bom.yml", "bom.yml").data == {"service": {}}


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@`\n\t ,?0123456789.\\<~=_")))
def test_any_text_is_a_document_or_a_recipe_error(text):
    try:
        parse_document(text, "r.yml")
    except RecipeError as error:
        assert all(str(problem).startswith("r.yml:") for problem in error.problems)
