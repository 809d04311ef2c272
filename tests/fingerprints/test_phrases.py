"""Phrases of the rules of kinds: what they match, what they must not, and that they take linear time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mlops_scan.errors import RuleError
from mlops_scan.fingerprints.phrases import check_kinds, find_phrase, phrase_pattern
from mlops_scan.kindrules import KindRule, kind_rule
from mlops_scan.rulebook import load

RULES = load(cache=False).kinds
ENTRY: dict[str, Any] = {"id": "a", "kind": "template", "where": "prose", "phrases": ["the {Big,} * sample"]}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_samples_of_the_built_in_rules_hold(rule: KindRule) -> None:
    assert list(check_kinds([rule])) == []


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("a {b,c d} e", "x A c d, e", "A c d, e"),
        ("a {b,} c", "a c", "a c"),
        ("a * c", "a one two c", "a one two c"),
        ("a * c", "a one two three c", None),
        ("a * c", "a one. two c", None),
        ("demo:", "Demo: x", "Demo:"),
        ("demo", "demos", None),
        ("(a", "a", None),
    ],
)
def test_what_a_phrase_matches(phrase: str, text: str, found: str | None) -> None:
    match = phrase_pattern(phrase).search(text)
    assert (match and match.group()) == found


def test_a_heading_is_the_phrase_as_a_whole() -> None:
    rule = KindRule("a", "template", "heading", ("learning goals",))
    assert find_phrase([rule], "heading", "Learning Goals") is not None
    assert find_phrase([rule], "heading", "Learning goals of the agent") is None
    assert find_phrase([rule], "prose", "Learning goals") is None


def test_samples_that_fail() -> None:
    rule = KindRule("a", "template", "prose", ("big sample",), {"match": ("a sample",), "other": ("big sample",)})
    assert list(check_kinds([rule])) == ["kinds/a: 'a sample' does not match", "kinds/a: 'big sample' matches"]
    assert next(check_kinds([replace(rule, samples={})])).startswith("kinds/a: needs texts")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "shop"}, "the kind of `a` is 'shop'"),
        ({"where": "footer"}, "the place of `a` is 'footer'"),
        ({"phrases": ["{a,} *"]}, "needs a word that is never missing"),
        ({"word": "x"}, "word"),
        ({"samples": {"expect": []}}, "expect"),
    ],
)
def test_rules_that_do_not_follow_the_format(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleError, match=message):
        kind_rule({**ENTRY, **change}, Path("kinds/a.yaml"))


def test_a_rule_is_read_in_lower_case() -> None:
    assert kind_rule(ENTRY, Path("kinds/a.yaml")).phrases == ("the {big,} * sample",)


def test_hostile_text_takes_linear_time() -> None:
    started = time.perf_counter()
    for rule in RULES:
        for phrase in rule.phrases:
            first = phrase.split()[0].strip("{").split(",")[0]
            phrase_pattern(phrase).search(f"{first} x, " * 20_000)
    assert time.perf_counter() - started < 20
