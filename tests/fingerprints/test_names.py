"""Name patterns, path patterns and text patterns say without an expression what the expression says."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from mlops_scan.fingerprints.globs import matches, matches_text
from mlops_scan.fingerprints.names import fits_name
from mlops_scan.fingerprints.patterns import compile_name
from mlops_scan.rulebook import load

_PIECES = st.sampled_from(
    ["a", "b", "ab", ".", ".", ".", "*", "**", "**.", "{a,b}", "{a.b,c}", "{*a, b}", "{,a}", "\n", "?"]
)
_NAMES = st.text(alphabet="ab.c\n?", max_size=12)
_PATTERNS = st.lists(_PIECES, min_size=1, max_size=8).map("".join)


@given(_PATTERNS, _NAMES)
def test_a_name_fits_when_its_expression_matches(pattern: str, name: str) -> None:
    assert fits_name(pattern, name) is (compile_name(pattern).fullmatch(name) is not None)


@given(st.lists(st.sampled_from(["a", "*", "**", "{a,b*}", "*a*"]), min_size=1, max_size=5).map(".".join), _NAMES)
def test_a_pattern_of_whole_segments_fits_likewise(pattern: str, name: str) -> None:
    assert fits_name(pattern, name) is (compile_name(pattern).fullmatch(name) is not None)


def test_patterns_of_the_rules_fit_likewise() -> None:
    patterns = {
        text
        for tool in load().tools.values()
        for signature in tool.signatures
        for text in (*signature.calls, *signature.all_calls, *signature.decorators, *signature.bases)
    }
    for pattern in patterns:
        plain = pattern.replace("{", "").split(",")[0].split("}")[0].replace("**", "a.b").replace("*", "c")
        for name in (pattern, plain, plain.replace(".a.b", ""), f"{plain}.x", plain.replace(".", "..")):
            assert fits_name(pattern, name) is (compile_name(pattern).fullmatch(name) is not None), (pattern, name)


def test_a_brace_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        fits_name("a.{b", "a.b")


_PATH_PIECES = [
    "a",
    "b",
    "ab",
    ".x",
    "*",
    "*.x",
    "a*",
    "*a*b",
    "**",
    "a**",
    "[ab]",
    "[!a]",
    "[a-c]",
    "[[a]",
    "[Mm][a]b",
    "[abAB]*[abAB][abAB]",
    "?",
    " ",
    "\\a",
    "",
    "ä",
]
_GLOBS = st.builds(
    lambda start, parts: start + "/".join(parts),
    st.sampled_from(["", "", "", "/", "!", "#"]),
    st.lists(st.sampled_from(_PATH_PIECES), min_size=1, max_size=5),
)
_PATHS = st.lists(
    st.sampled_from(["a", "b", "ab", "a.x", "Mab", "baB", "c", ".x", "aab", "c", "", "a\n", "\\a", "."]), max_size=6
).map("/".join)


@given(st.lists(_GLOBS, min_size=1, max_size=3).map(tuple), _PATHS)
def test_a_path_matches_as_the_library_says(patterns: tuple[str, ...], path: str) -> None:
    try:
        expected = GitIgnoreSpec.from_lines(patterns).match_file(path)
    except ValueError:
        return  # it is none
    assert matches(path, patterns) is expected


@given(st.text(alphabet="ab*?[]!", max_size=8), st.text(alphabet="ab*?[]\n", max_size=8))
def test_a_text_matches_as_fnmatch_says(pattern: str, text: str) -> None:
    assert matches_text(text, pattern) is fnmatchcase(text, pattern)
