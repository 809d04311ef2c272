"""Every pattern at the top of a module is valid, and is compiled only when it is used."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlops_scan
from mlops_scan.regex import _Lazy, _Worded, has_any, regex


def test_it_does_what_a_compiled_pattern_does() -> None:
    pattern = regex(r"(\w+)=(\d+)", re.I)
    assert pattern.fullmatch("A=1")
    assert pattern.findall("a=1 b=2") == [("a", "1"), ("b", "2")]
    assert pattern.sub("x", "a=1") == "x"
    assert (pattern.pattern, pattern.groups) == (r"(\w+)=(\d+)", 2)
    assert re.compile(pattern.pattern, pattern.flags) == re.compile(r"(\w+)=(\d+)", re.I)


def test_a_wrong_pattern_shows_at_its_first_use() -> None:
    pattern = regex("(")
    with pytest.raises(re.error):
        pattern.match("x")


def test_a_pattern_with_words_is_compiled_for_a_text_with_one_of_them() -> None:
    pattern = regex(r"(retrain|drift)_(job|check)", re.I, ("retrain", "drift"))
    assert pattern.search("nothing of that kind") is None
    assert "search" not in vars(pattern)
    assert pattern.search("a Drift_Check")
    assert "search" in vars(pattern)
    assert (pattern.match("drift_job x"), pattern.fullmatch("drift_job x")) != (None, None)
    assert pattern.fullmatch("drift_job x") is None
    assert pattern.search("nothing of that kind") is None
    assert pattern.sub("x", "drift_job") == "x"


def test_a_pattern_with_words_is_asked_where_letters_may_fold() -> None:
    assert regex("sink", re.I, ("sink",)).fullmatch("\u017fin\u212a")


def test_a_pattern_of_bytes_may_have_words() -> None:
    pattern = regex(rb"(?i)\beol\b", words=(b"eol",))
    assert pattern.search(b"no such setting") is None
    assert pattern.search(b"\tEOL = lf")


@given(st.text("abAB_ -", max_size=12), st.lists(st.text("ab_", min_size=1, max_size=3), min_size=1, max_size=4))
def test_words_are_found_as_an_expression_finds_them(text: str, words: list[str]) -> None:
    assert has_any(text, tuple(words)) == (re.search("|".join(words), text, re.I) is not None)


def _held(value: object) -> Iterator[_Lazy]:
    """The patterns in a value at the top of a module."""
    if isinstance(value, _Lazy):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _held(item)
    elif isinstance(value, dict):
        yield from _held(list(value.values()))
    elif isinstance(value, msgspec.Struct):
        yield from _held([getattr(value, name) for name in value.__struct_fields__])


def _patterns() -> list[tuple[str, _Lazy]]:
    found = []
    for info in pkgutil.walk_packages(mlops_scan.__path__, "mlops_scan."):
        if not info.name.endswith("__main__"):
            module = importlib.import_module(info.name)
            found += [(f"{info.name}.{name}", held) for name, value in vars(module).items() for held in _held(value)]
    return found


def test_every_pattern_of_the_package_is_valid() -> None:
    patterns = _patterns()
    assert len(patterns) > 200
    for name, value in patterns:
        assert value.flags >= 0, name  # asking compiles it


_WORDED = {f"{name} {value.pattern!r:.60}": value for name, value in _patterns() if isinstance(value, _Worded)}


@pytest.mark.parametrize("name", sorted(_WORDED))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_text_that_a_pattern_matches_has_one_of_its_words(name: str, data: st.DataObject) -> None:
    value = _WORDED[name]
    pattern: re.Pattern[Any] = re.compile(*value._source)
    if isinstance(pattern.pattern, bytes):
        text: Any = data.draw(st.from_regex(pattern))
    else:
        text = data.draw(st.from_regex(pattern, alphabet=st.characters(max_codepoint=127)))
    assert all(word == word.lower() for word in value.words)
    assert any(word in text.lower() for word in value.words), text


def test_the_package_compiles_nothing_of_its_own_at_import() -> None:
    code = (
        "import re, sys; seen = []; plain = re.compile\n"
        "def note(*a, **k):\n"
        "    name = sys._getframe(1).f_globals.get('__name__', '')\n"
        "    name.startswith('mlops_scan') and seen.append(name)\n"
        "    return plain(*a, **k)\n"
        "re.compile = note\n"
        "import mlops_scan.engine.scan, mlops_scan.cli.scan, mlops_scan.detectors.ci\n"
        "print(sorted(set(seen)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
