"""Patterns of dotted names, kept so that a name is tried against the few that can fit it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from mlops_scan.fingerprints.names import fits_name
from mlops_scan.fingerprints.patterns import roots_of

_ANY = "*"
_WILD = frozenset("*{}")

T = TypeVar("T")


class NameTable(Generic[T]):
    """What belongs to each pattern, looked up by the names that match it. Answers are kept."""

    def __init__(self) -> None:
        self._by_root: dict[str, list[tuple[str, T]]] = defaultdict(list)
        self._by_last: dict[str, dict[str, tuple[tuple[str, T], ...]]] = {}
        self._found: dict[str, tuple[T, ...]] = {}

    def add(self, patterns: Iterable[str], item: T) -> None:
        """Keep `item` under each of the patterns; before the first question only."""
        for pattern in patterns:
            first = pattern.partition(".")[0]
            if first != "?" and _WILD.isdisjoint(first):  # as it is for most, of which there are many
                self._by_root[first].append((pattern, item))
            else:
                for root in roots_of(pattern):
                    self._by_root[root].append((pattern, item))

    def patterns(self, first: str) -> Iterator[str]:
        """The patterns of which a name with that first segment may match one; none that any segment may begin."""
        return (pattern for pattern, _ in self._by_root.get(first, ()))

    def matching(self, name: str) -> tuple[T, ...]:
        """What was added under the patterns that a name matches: those of its root first, in the order of addition."""
        if name.startswith("?"):
            keys = (name, "?")
        elif name.startswith("*"):
            return ()  # a bare name that nothing explains
        else:
            keys = (name.partition(".")[0], _ANY)
        if keys[0] not in self._by_root and keys[1] not in self._by_root:
            return ()
        found = self._found.get(name)
        if found is None:
            last = name.rpartition(".")[2]
            found = self._found[name] = tuple(
                item for key in keys for pattern, item in self._ending(key, last) if fits_name(pattern, name)
            )
        return found

    def _ending(self, root: str, last: str) -> tuple[tuple[str, T], ...]:
        """The patterns of a root that may match names with that last segment."""
        if root not in self._by_root:
            return ()
        known = self._by_last.get(root)
        if known is None:
            known = self._by_last[root] = _split(self._by_root[root])
        return known.get(last, known[_ANY])


def _split(patterns: list[tuple[str, T]]) -> dict[str, tuple[tuple[str, T], ...]]:
    """Patterns by the last segment of the names that they match; those with a wildcard there stand under each."""
    lasts = [frozenset(lasts_of(pattern)) for pattern, _ in patterns]
    return {
        last: tuple(item for item, own in zip(patterns, lasts, strict=True) if last in own or _ANY in own)
        for last in frozenset((_ANY,)).union(*lasts)
    }


def lasts_of(pattern: str) -> tuple[str, ...]:
    """The last segments one of which a name must have to match; `*` where any may do."""
    head, dot, last = pattern.rpartition(".")
    if pattern.endswith("}"):
        opening = pattern.rindex("{")
        head, dot, last = pattern[: opening - 1], pattern[opening - 1 : opening], pattern[opening:]
        options = [option.strip().rpartition(".")[2] for option in last[1:-1].split(",")]
    else:
        options = [last]
    glued = dot not in ("", ".") or (head.endswith("**") and head != "**" and not head.endswith(".**"))
    return (_ANY,) if glued or any(_WILD.intersection(option) for option in options) else tuple(options)
