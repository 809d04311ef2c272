"""The cells of an ordinary notebook, read in a fraction of the time that a tree with positions takes.

Values are read by the standard library's C scanner; only the keys of the notebook and of its cells are looked at here,
and lines are counted for sources only. What is unusual in any way is left to `documents.json`, whose bounds and errors
hold.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from msgspec import Struct

from mlops_scan.documents.bounds import MAX_NODES
from mlops_scan.documents.json import scan_string, skim
from mlops_scan.regex import regex

Part = tuple[int, str]  # the line in the raw file, and a piece of a source: mostly a line with its end

_SPACE = regex(r"[ \t\n\r]*")
_KEY = regex(r'[ \t\n\r]*"([^"\\\n]*)"[ \t\n\r]*:[ \t\n\r]*')
_MORE = regex(r"[ \t\n\r]*([,\]}])[ \t\n\r]*")
_OPENING = regex(r"\[[ \t]*\n")
_PART = regex(r'[ \t\n\r,\[]*"')


class RawCell(Struct, frozen=True):
    """The type of a cell as written, and the pieces of its source."""

    kind: str
    parts: list[Part]


def cells(text: str, unwanted: Collection[str]) -> list[RawCell] | None:
    """The cells of a notebook of format 4, or None where anything is not as Jupyter writes it.

    `unwanted` are keys whose values are skipped, whatever they are.
    """
    try:
        return _Reader(text, unwanted).notebook()
    except (IndexError, RecursionError, StopIteration, ValueError):
        return None


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    if match is None:
        raise ValueError
    return match.end()


class _Reader:
    """Goes once over the text; ValueError, or what the scanner raises, where the way is not plain."""

    def __init__(self, text: str, unwanted: Collection[str]) -> None:
        self._text = text
        self._unwanted = unwanted
        self._at = _end(_SPACE, text, 0)
        self._line = 1
        self._counted = 0  # `_line` is the line of this position
        self._nodes = 0

    def notebook(self) -> list[RawCell]:
        """The cells of the notebook that the whole text is."""
        found: list[RawCell] | None = None
        known = False
        for key in self._keys():
            known = known or key == "nbformat"
            if key == "cells":
                found = [self._cell() for _ in self._items()]
            elif key in self._unwanted:
                self._value()
            else:
                self._scalar()
        if found is None or not known or self._at != len(self._text):
            raise ValueError
        return found

    def _cell(self) -> RawCell:
        kind = ""
        sources: dict[str, list[Part]] = {}
        for key in self._keys():
            if key in self._unwanted:
                self._value()
            elif key in ("source", "input"):
                sources[key] = self._parts()
            elif key == "cell_type":
                kind = str(self._scalar())
            else:
                self._scalar()
        return RawCell(kind, sources.get("source", sources.get("input", [])))

    def _keys(self) -> Iterator[str]:
        """The keys of the object here, each of them once; whoever takes one moves behind its value."""
        seen: set[str] = set()
        for _ in self._elements("{", "}"):
            match = _KEY.match(self._text, self._at)
            if match is None or match[1] in seen:
                raise ValueError
            seen.add(match[1])
            self._at = match.end()
            yield match[1]

    def _items(self) -> Iterator[None]:
        return self._elements("[", "]")

    def _elements(self, opening: str, closing: str) -> Iterator[None]:
        if self._text[self._at] != opening:
            raise ValueError
        self._at = _end(_SPACE, self._text, self._at + 1)
        if self._text[self._at] == closing:
            self._at = _end(_SPACE, self._text, self._at + 1)
            return
        while True:
            self._nodes += 1
            if self._nodes > MAX_NODES // 2:
                raise ValueError
            yield
            match = _MORE.match(self._text, self._at)
            if match is None or match[1] not in (",", closing):
                raise ValueError
            self._at = match.end()
            if match[1] == closing:
                return

    def _value(self) -> object:
        value, self._at = skim(self._text, self._at)
        return value

    def _scalar(self) -> object:
        if self._text[self._at] in "{[":
            raise ValueError
        return self._value()

    def _parts(self) -> list[Part]:
        """The string here, or the strings of the list here, with their lines."""
        text, start = self._text, self._at
        self._line += text.count("\n", self._counted, start)
        self._counted = start
        value = self._value()
        if isinstance(value, str):
            return [(self._line, value)]
        if not isinstance(value, list) or not all(type(part) is str for part in value):
            raise ValueError
        self._nodes += len(value)
        if self._one_a_line(start, len(value)):
            return list(enumerate(value, self._line + 1))
        found: list[Part] = []
        for part in value:
            position = _end(_PART, text, start)
            self._line += text.count("\n", self._counted, position)
            self._counted = position
            found.append((self._line, part))
            start = scan_string(text, position, False)[1]
        return found

    def _one_a_line(self, start: int, count: int) -> bool:
        """Whether each of the strings of a list stands on a line of its own, below that of the bracket."""
        text, end = self._text, self._at
        return (
            text.count("\n", start, end) == count + 1
            and text.count('",\n', start, end) == count - 1
            and text.find('\\",\n', start, end) < 0  # a line end within a string, which is no plain JSON
            and _OPENING.match(text, start) is not None
        )
