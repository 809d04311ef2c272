from __future__ import annotations

import json as standard
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import json
from mlops_scan.documents.node import DocumentError, Node
from tests.documents.hostile import mutations

SAMPLE = '{\n  "a": [1, 2.50, "x\\ny"],\n  // why\n  "b": {"c": null, "d": true,}, /* two\n lines */\n  "e": -1e3\n}\n'


def plain(node: Node) -> object:
    if node.kind == "mapping":
        return {name: plain(child) for name, child in node.entries}
    return [plain(item) for item in node.items] if node.kind == "sequence" else node.value


def test_values_and_lines() -> None:
    root = json.parse(SAMPLE)
    assert plain(root) == {"a": [1, 2.5, "x\ny"], "b": {"c": None, "d": True}, "e": -1000.0}
    places = {path: (node.key_line, node.line, node.end_line) for path, node in root.walk()}
    assert places[()] == (1, 1, 7)
    assert places["a", "[1]"] == (2, 2, 2)
    assert places["b", "d"] == (4, 4, 4)
    assert places["e",] == (6, 6, 6)


def test_a_key_and_its_value_on_different_lines() -> None:
    node = json.parse('{"a":\n\n[1,\n2]}').get("a")
    assert node is not None
    assert (node.key_line, node.line, node.end_line) == (1, 3, 4)


def test_numbers_keep_their_text() -> None:
    node = json.parse("[1.10, 12]")
    assert [item.text for item in node.items] == ["1.10", "12"]
    assert [type(item.value) for item in node.items] == [float, int]


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "[1,]", '{"a": 1,}', "// c\n1", "/**/1//", "\ufeff1", '"a\nb"', "[]"]
)
def test_tolerated(text: str) -> None:
    json.parse(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{", 1),
        ('{"a" 1}', 1),
        ("[1 2]", 1),
        ("[1\n 2]", 2),
        ('{"a":\n\n"b', 3),
        ("[1]\n]", 2),
        ("@", 1),
        ("[,]", 1),
        ("[1,,2]", 1),
        ('{"a": }', 1),
        ("{a: 1}", 1),
        ("/* x", 1),
        ("tru", 1),
        ("[1}", 1),
        ('{"a": 1]', 1),
        ('"\\x"', 1),
        ("{1: 2}", 1),
    ],
)
def test_broken(text: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        json.parse(text)
    assert caught.value.line == line


def test_templates() -> None:
    root = json.parse('{\n"a": {{ x }},\n{% if y %}\n"b": "{{ z }}",\n{% endif %}\n"c": 1}')
    assert plain(root) == {"a": "TEMPLATE", "b": "TEMPLATE", "c": 1}
    found = root.get("c")
    assert found is not None and found.line == 6


@pytest.mark.parametrize("text", ["[" * 50_000, '{"a":' * 50_000, "[" * 201 + "]" * 201])
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(DocumentError, match="nested deeper"):
        json.parse(text)


def test_long_numbers() -> None:
    assert isinstance(json.parse("9" * 5000).value, float)


def test_a_large_notebook_is_fast() -> None:
    cell = {"cell_type": "code", "source": ["x = 1\n"] * 20, "outputs": [{"data": {"image/png": "A" * 40_000}}]}
    text = standard.dumps({"cells": [cell] * 100, "nbformat": 4}, indent=1)
    start = time.process_time()
    json.parse(text)
    assert time.process_time() - start < 2


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(_VALUES, st.sampled_from([None, 0, 2]))
def test_agrees_with_the_standard_library(value: object, indent: int | None) -> None:
    assert plain(json.parse(standard.dumps(value, indent=indent))) == value


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=200), mutations(SAMPLE), st.text('{}[]:,"/*\n01.-e ', max_size=100)))
def test_only_document_errors_escape(text: str) -> None:
    try:
        root = json.parse(text)
    except DocumentError as error:
        assert error.line >= 1
    else:
        assert all(1 <= node.line <= node.end_line for _, node in root.walk(1000))
