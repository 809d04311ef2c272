"""Phrases of the rules in `rules/kinds`, found in text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mlops_scan.kindrules import KindRule, parts_of, words_of
from mlops_scan.regex import has_any

_GAP = ",? "
_ANY = r"(?:[^\s.;:!?]{1,40} ){0,2}"  # up to two words of the same sentence


def find_phrase(rules: Iterable[KindRule], where: str, text: str) -> tuple[KindRule, int, str] | None:
    """The first rule for a place with a phrase in a text, where that begins, and its words."""
    lowered = text.lower()
    for rule in rules:
        for phrase in rule.phrases if rule.where == where else ():
            if not has_any(lowered, _words(phrase)):
                continue
            pattern = phrase_pattern(phrase)
            found = pattern.fullmatch(text.strip()) if where == "heading" else pattern.search(text)
            if found is not None:
                return rule, found.start(), found.group()
    return None


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """The expression for a phrase; without nested repetition, so it takes linear time."""
    parts = "".join(_expressed(part) for part in parts_of(phrase))
    return re.compile(rf"(?<!\w){parts.removesuffix(_GAP)}(?!\w)", re.I)


def check_kinds(rules: Sequence[KindRule]) -> Iterator[str]:
    """The failures of the samples; a rule without both kinds of sample fails too."""
    for rule in rules:
        match, other = rule.samples.get("match", ()), rule.samples.get("other", ())
        if not match or not other:
            yield f"kinds/{rule.id}: needs texts that must match and texts that must not"
        for text in (*match, *other):
            if (find_phrase([rule], rule.where, text) is not None) is not (text in match):
                yield f"kinds/{rule.id}: {text!r} {'does not match' if text in match else 'matches'}"


def _words(phrase: str) -> tuple[str, ...]:
    """Words of which one is in every text that the phrase matches, the longest ones."""
    sure = (words for part in parts_of(phrase) if (words := words_of(part)))
    return max(sure, key=lambda words: min(map(len, words)))


def _expressed(part: str) -> str:
    if part == "*":
        return _ANY
    if part[0] != "{":
        return re.escape(part) + _GAP
    words = [re.escape(word.strip()) for word in part[1:-1].split(",")]
    given = "|".join(word for word in words if word)
    return f"(?:(?:{given}){_GAP})?" if "" in words else f"(?:{given}){_GAP}"
