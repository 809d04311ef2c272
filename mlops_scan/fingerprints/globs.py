"""Path patterns in .gitignore syntax, and text patterns with `*`, without regular expressions where they are plain.

A small scan asks for a few dozen of them. The library that knows all of the syntax takes longer to import than that,
and compiling an expression takes longer than asking it here; so the library is asked only for what is not plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.regex import regex

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_PLAIN = regex(r"/?[\w.*-]+(?:/[\w.*-]+)*")
_LETTERS = regex(r"\[([A-Za-z]{1,4})\]")
_MAX_SPELLINGS = 16
_ODD = ("/", "./")  # how a path begins that pathspec would normalise first

Glob = tuple[str, ...]
"""A pattern without `/`, split at its `*`: what stands before, between and after them."""


class _Anchored(Struct, frozen=True):
    """A pattern of segments from the root: blocks between `**`, each of globs; `inside`: only what lies below it."""

    blocks: tuple[tuple[Glob, ...], ...]
    inside: bool


class _Patterns(Struct, frozen=True):
    """Patterns by how they are asked."""

    names: frozenset[str]  # of a file, or of a folder above it
    globs: tuple[Glob, ...]  # the same with `*`
    anchored: tuple[_Anchored, ...]
    others: tuple[str, ...]  # for the library


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path relative to the root, with `/`, matches one of the patterns in .gitignore syntax.

    Raises:
        ValueError: a pattern is none.
    """
    if not path or path.startswith(_ODD) or path.endswith("/") or "//" in path or "\n" in path or "\\" in path:
        return _spec(patterns).match_file(path)
    known = _sorted(patterns)
    parts = path.split("/")
    return (
        not known.names.isdisjoint(parts)
        or any(glob[-1] in path and any(fits(part, glob) for part in parts) for glob in known.globs)
        or any(_below(parts, item) for item in known.anchored)
        or (bool(known.others) and _spec(known.others).match_file(path))
    )


def fits(text: str, glob: Glob) -> bool:
    """Whether a text is that of a glob with anything in the place of each `*`."""
    first, last = glob[0], glob[-1]
    if len(glob) == 1:
        return text == first
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in glob[1:-1]:  # the first place of each leaves the most for those after it
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def matches_text(text: str, pattern: str) -> bool:
    """What `fnmatchcase` says."""
    if "?" in pattern or "[" in pattern:
        return fnmatchcase(text, pattern)
    return fits(text, tuple(pattern.split("*")))


@lru_cache(maxsize=512)
def _sorted(patterns: tuple[str, ...]) -> _Patterns:
    names: list[str] = []
    globs: list[Glob] = []
    anchored: list[_Anchored] = []
    others: list[str] = []
    if any(pattern.startswith("!") for pattern in patterns):
        return _Patterns(frozenset(), (), (), patterns)  # the last one that matches decides
    for pattern in (spelling for text in patterns for spelling in _spellings(text)):
        if not _PLAIN.fullmatch(pattern) or not pattern.strip("*/"):
            others.append(pattern)
        elif "/" in pattern:
            if (item := _anchored(pattern.removeprefix("/").split("/"))) is not None:
                anchored.append(item)
            else:
                others.append(pattern)
        elif "*" in pattern:
            globs.append(tuple(pattern.split("*")))
        else:
            names.append(pattern)
    return _Patterns(frozenset(names), tuple(globs), tuple(anchored), tuple(others))


def _spellings(pattern: str) -> Iterator[str]:
    """The patterns without `[Aa]` that say the same; the pattern itself where they are many or it has others."""
    parts = _LETTERS.split(pattern) if "[" in pattern else [pattern]
    count = 1
    for letters in parts[1::2]:
        count *= len(letters)
    if count > _MAX_SPELLINGS or any(char in part for part in parts[::2] for char in "[]\\"):
        yield pattern
    else:
        yield from map("".join, product(*([part] if i % 2 == 0 else part for i, part in enumerate(parts))))


def _anchored(segments: list[str]) -> _Anchored | None:
    """The blocks of a pattern; None where its `**` do not stand for folders between others, or for all at its end."""
    inside = segments[-1] == "**"
    if inside:
        segments = segments[:-1]
    blocks: list[list[Glob]] = [[]]
    for segment in segments:
        if segment == "**":
            blocks.append([])
        else:
            blocks[-1].append(tuple(segment.split("*")))
    return _Anchored(tuple(map(tuple, blocks)), inside) if all(blocks) else None


def _below(parts: Sequence[str], pattern: _Anchored) -> bool:
    """Whether a path is what a pattern names, or lies below it."""
    position = 0
    for number, block in enumerate(pattern.blocks):
        last = len(parts) - len(block)
        places = range(position, last + 1) if number else range(min(last, 0) + 1)
        found = next((at for at in places if all(map(fits, parts[at : at + len(block)], block))), None)
        if found is None:
            return False
        position = found + len(block)
    return position < len(parts) or not pattern.inside


@lru_cache(maxsize=512)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)
