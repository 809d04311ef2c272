"""By which words a repository says what it is: the rules in `rules/kinds`."""

# Annotations are evaluated here: see `ruletypes`.

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from mlops_scan.errors import RuleError
from mlops_scan.regex import regex
from mlops_scan.rulereader import check_keys, mapping, required, texts
from mlops_scan.words import KINDS

PLACES = frozenset({"prose", "title", "heading", "licence"})
"""Where words count: in the first prose of the README at the root, in its title, in any of its headings (as the
whole of it), in the head of the licence."""

_KEYS = {"id", "kind", "where", "phrases", "samples"}
_SAMPLES = {"match", "other"}
_PART = regex(r"\{[^{}]*\}|[^\s{}]+")


class KindRule(Struct, frozen=True, array_like=True):
    """Phrases that show one kind in one place: `{a,b}` is either, `{a,}` may be missing, `*` is up to two words."""

    id: str
    kind: str  # one of KINDS
    where: str  # one of PLACES
    phrases: tuple[str, ...]
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def parts_of(phrase: str) -> list[str]:
    """The words, alternatives and stars of a phrase."""
    return _PART.findall(phrase)


def words_of(part: str) -> tuple[str, ...]:
    """Words of which one stands where a part matches; none for what may be missing."""
    words = tuple(word.strip() for word in part[1:-1].split(",")) if part[0] == "{" else (part,)
    return () if part == "*" or "" in words else words


def kind_rule(entry: Mapping[str, Any], path: Path) -> KindRule:
    """The checked rule that an entry holds.

    Raises:
        RuleError: it does not follow the format of `rules/README.md`.
    """
    name = str(required(entry, "id", path))
    check_keys(entry, _KEYS, f"kind rule `{name}`", path)
    kind, where = str(required(entry, "kind", path)), str(required(entry, "where", path))
    for value, known, what in ((kind, KINDS, "kind"), (where, PLACES, "place")):
        if value not in known:
            raise RuleError(f"{path}: the {what} of `{name}` is {value!r}, expected one of {', '.join(sorted(known))}")
    phrases = tuple(phrase.lower() for phrase in texts(required(entry, "phrases", path)))
    for phrase in phrases:
        if not any(words_of(part) for part in parts_of(phrase)):
            raise RuleError(f"{path}: the phrase {phrase!r} of `{name}` needs a word that is never missing")
    samples = mapping(entry, "samples", path)
    check_keys(samples, _SAMPLES, f"the samples of `{name}`", path)
    return KindRule(name, kind, where, phrases, {key: texts(value) for key, value in samples.items()})
