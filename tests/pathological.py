"""Text that a regular expression may take too long on, made from the expression's own structure."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as sre
    from re import _parser as parser
else:
    import sre_constants as sre
    import sre_parse as parser

_Item = tuple[Any, Any]
_CATEGORIES = {
    "CATEGORY_SPACE": " \t\n",
    "CATEGORY_NOT_SPACE": "a0/",
    "CATEGORY_WORD": "a0_",
    "CATEGORY_NOT_WORD": " -.",
    "CATEGORY_DIGIT": "0",
    "CATEGORY_NOT_DIGIT": "a ",
}
_ANY = "a 0-=(\"'/.\n\t:,#{$\\"
_TAILS = ("", "\x01", "\n\x01")


def seeds(pattern: re.Pattern[str] | re.Pattern[bytes]) -> list[tuple[str, str, str]]:
    """(before, pumped, after): texts `before + pumped * n + after` that make a search repeat its work if anything does.

    For every unbounded repeat of the expression: what leads to it and then its own text again and again; the same with
    what leads to it pumped too, so that a search starts at every copy; and runs of every character that it accepts.
    """
    source = pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    flags = pattern.flags & ~(re.UNICODE | re.DEBUG)
    tree: list[_Item] = parser.parse(text, flags).data
    found: dict[tuple[str, str, str], None] = {}
    for before, pumps, after in _repeats(tree):
        for pump in pumps:
            for tail in (*_TAILS, after):
                found[(before, pump, tail)] = None
            found[("", before + pump, "")] = None
            found[("", before + pump * 3, "\x01")] = None
            found[("", pump, after + "\x01")] = None
    characters = sorted(set("".join(_samples(tree))))[:14] or ["a"]
    for first in characters:
        found[("", first, "\x01")] = None
        found[(_sample(tree), first, "\x01")] = None
    for first, second in itertools.pairwise(characters):
        found[("", first + second, "\x01")] = None
    whole = _sample(tree)
    found[("", whole or "a", "\x01")] = None
    found[("", (whole or "a")[:-1] or "a", "")] = None
    return [seed for seed in found if seed[1]]


def _characters(item: _Item) -> str:
    """Some characters that one item accepts; empty when it takes none."""
    kind, value = item
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.NOT_LITERAL:
        return "".join(c for c in _ANY if ord(c) != value)
    if kind is sre.ANY:
        return "a (-\"'/"
    if kind is sre.CATEGORY:
        return _CATEGORIES.get(str(value), "a")
    if kind is sre.RANGE:
        return chr(value[0]) + chr(value[1])
    if kind is sre.IN:
        members = [part for part in value if part[0] is not sre.NEGATE]
        if len(members) < len(value):
            refused = "".join(_accepted(part) for part in members)
            return "".join(c for c in _ANY + "éZ" if c not in refused)[:6]
        return "".join(_characters(part) for part in members)[:8]
    return ""


def _accepted(item: _Item) -> str:
    kind, value = item
    if kind is sre.RANGE:
        return "".join(c for c in _ANY + "éZ" if value[0] <= ord(c) <= value[1])
    if kind is sre.CATEGORY:
        test = re.compile({"SPACE": r"\s", "WORD": r"\w", "DIGIT": r"\d"}.get(str(value).rpartition("_")[2], r"\s"))
        wanted = "_NOT_" not in str(value)
        return "".join(c for c in _ANY + "éZ" if bool(test.match(c)) is wanted)
    return _characters(item)


def _sample(items: list[_Item], choice: int = 0) -> str:
    """A short text that the items match, more or less; `choice` picks among alternatives."""
    pieces: list[str] = []
    for kind, value in items:
        if kind is sre.BRANCH:
            options = value[1]
            pieces.append(_sample(list(options[choice % len(options)]), choice))
        elif kind is sre.SUBPATTERN:
            pieces.append(_sample(list(value[-1]), choice))
        elif str(kind) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, _, inner = value
            pieces.append(_sample(list(inner), choice) * max(low, choice % 2))
        elif str(kind) == "ATOMIC_GROUP":
            pieces.append(_sample(list(value), choice))
        else:
            characters = _characters((kind, value))
            pieces.append(characters[choice % len(characters)] if characters else "")
    return "".join(pieces)


def _samples(items: list[_Item]) -> Iterator[str]:
    for kind, value in items:
        if kind is sre.BRANCH:
            for option in value[1]:
                yield from _samples(list(option))
        elif kind is sre.SUBPATTERN:
            yield from _samples(list(value[-1]))
        elif str(kind) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            yield from _samples(list(value[2]))
        elif str(kind) == "ATOMIC_GROUP":
            yield from _samples(list(value))
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _samples(list(value[1]))
        else:
            yield _characters((kind, value))


def _repeats(items: list[_Item], before: str = "", after: str = "") -> Iterator[tuple[str, list[str], str]]:
    """For every unbounded repeat: a text that leads to it, texts to pump, and a text that follows."""
    for index, (kind, value) in enumerate(items):
        lead = before + _sample(items[:index])
        follow = _sample(items[index + 1 :]) + after
        if kind is sre.BRANCH:
            for option in value[1]:
                yield from _repeats(list(option), lead, follow)
        elif kind is sre.SUBPATTERN:
            yield from _repeats(list(value[-1]), lead, follow)
        elif str(kind) == "ATOMIC_GROUP":
            yield from _repeats(list(value), lead, follow)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _repeats(list(value[1]), lead, "")
        elif str(kind) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, high, inner = value
            body = list(inner)
            if high is sre.MAXREPEAT or high > 1000:
                single = list(_characters(body[0])) if len(body) == 1 else []
                pumps = single or [_sample(body, choice) for choice in range(4)]
                yield lead, list(dict.fromkeys(pump for pump in pumps if pump)), follow
            yield from _repeats(body, lead, follow)
