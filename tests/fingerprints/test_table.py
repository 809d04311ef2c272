"""Dotted names looked up among many patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.fingerprints.names import fits_name
from mlops_scan.fingerprints.patterns import compile_name, roots_of
from mlops_scan.fingerprints.table import NameTable, lasts_of

_PATTERNS = st.lists(
    st.sampled_from(("a", "b", "a.b", "*", "**", "a*", "{a,b}", "{a.b,b}", "{a*,b}", "?", ".", ".", ".")),
    min_size=1,
    max_size=7,
).map("".join)
_NAMES = st.text(alphabet="ab.?*", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "lasts"),
    [
        ("mlflow.log_metric", ("log_metric",)),
        ("print", ("print",)),
        ("sklearn.**.fit", ("fit",)),
        ("**.fit", ("fit",)),
        ("a.{fit,train}", ("fit", "train")),
        ("{fit, x.train}", ("fit", "train")),
        ("a.{fit,t*}", ("*",)),
        ("a.{fit,train}_x", ("*",)),
        ("a.do_{fit,train}", ("*",)),
        ("a.fit_*", ("*",)),
        ("a.**", ("*",)),
        ("a**.fit", ("*",)),
        ("{a,b}**.fit", ("*",)),
        ("?.fit", ("fit",)),
        ("?.{fit,train}", ("fit", "train")),
    ],
)
def test_lasts(pattern: str, lasts: tuple[str, ...]) -> None:
    assert lasts_of(pattern) == lasts


@given(_PATTERNS, _NAMES)
def test_a_name_that_fits_has_one_of_the_lasts(pattern: str, name: str) -> None:
    if compile_name(pattern).fullmatch(name):
        assert {name.rpartition(".")[2], "*"} & set(lasts_of(pattern))


@given(st.lists(_PATTERNS, max_size=6), st.lists(_NAMES, max_size=6))
def test_a_table_finds_what_trying_every_pattern_of_the_root_finds(patterns: list[str], names: list[str]) -> None:
    table: NameTable[int] = NameTable()
    for number, pattern in enumerate(patterns):
        table.add((pattern,), number)
    for name in (*names, *names):
        keys = (name, "?") if name.startswith("?") else (name.split(".", 1)[0], "*")
        assert table.matching(name) == tuple(
            number
            for key in (() if name.startswith("*") else keys)
            for number, pattern in enumerate(patterns)
            for root in roots_of(pattern)
            if root == key and compile_name(pattern).fullmatch(name)
        )


@given(_PATTERNS, _NAMES)
def test_fits_is_what_the_expression_says(pattern: str, name: str) -> None:
    assert fits_name(pattern, name) is (compile_name(pattern).fullmatch(name) is not None)
