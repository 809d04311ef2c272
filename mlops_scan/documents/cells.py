"""The cells of an ordinary notebook, found in its bytes without decoding what it printed: most of a notebook.

msgspec's C decoder checks the whole and hands out what is asked for; only sources are decoded, and lines are counted
for them. What is unusual in any way is left to `documents.json`, whose bounds and errors hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from mlops_scan.regex import regex

Part = tuple[int, str]  # the line in the raw file, and a piece of a source: mostly a line with its end

MAX_CELLS = 10_000

_NEXT = regex(rb"[ \t\n\r,]*")
_OPENING = regex(rb"\[[ \t]*\n")
_KEY = regex(rb'"(?:source|input)"[ \t\n\r]*:[ \t\n\r]*')
_NOTHING = Raw(b"")


class RawCell(Struct, frozen=True):
    """The type of a cell as written, and the pieces of its source."""

    kind: str
    parts: list[Part]


class _Cell(Struct):
    cell_type: str
    source: Raw = _NOTHING
    input: Raw = _NOTHING  # of early notebooks of format 4


class _Notebook(Struct):
    nbformat: int
    cells: list[_Cell]


class _Places(Struct):
    cells: list[Raw]


def cells(data: bytes, kinds: Collection[str] = ()) -> list[RawCell] | None:
    """The cells of a notebook of format 4, or None where anything is not as Jupyter writes it.

    Only those of some kinds where any are given.
    """
    try:
        found = _decoder(_Notebook).decode(data).cells
        if len(found) > MAX_CELLS:
            return None
        places = [memoryview(raw) for raw in _decoder(_Places).decode(data).cells]
        return list(_located(data, found, places, kinds))
    except (RecursionError, ValueError):  # of which the errors of msgspec and of decoding are some
        return None


@lru_cache(maxsize=8)
def _decoder(kind: type) -> msgspec.json.Decoder:  # type: ignore[type-arg]
    return msgspec.json.Decoder(kind)


def _located(
    data: bytes, found: Sequence[_Cell], places: Sequence[memoryview], kinds: Collection[str]
) -> Iterator[RawCell]:
    """The cells with the lines of their sources; ValueError where these cannot be told."""
    position = data.index(places[0]) if places else 0
    line, counted = 1, 0
    for cell, place in zip(found, places, strict=True):
        end = position + place.nbytes
        if kinds and cell.cell_type not in kinds:
            position = _after(data, end)
            continue
        source = bytes(cell.source) or bytes(cell.input)
        parts: list[Part] = []
        if source:
            start = _source(data, position, end, source)
            line += data.count(b"\n", counted, start)
            counted = start
            parts = _parts(source, line)
        yield RawCell(cell.cell_type, parts)
        position = _after(data, end)
    if places and data[position : position + 1] != b"]":
        raise ValueError


def _source(data: bytes, start: int, end: int, source: bytes) -> int:
    """Where the source of a cell stands; ValueError where an output might hold the same."""
    places = [match.end() for match in _KEY.finditer(data, start, end) if data.startswith(source, match.end())]
    if len(places) != 1:
        raise ValueError
    return places[0]


def _parts(source: bytes, line: int) -> list[Part]:
    """The string, or the strings of the list, that begins at a line, with their lines."""
    if source.startswith(b'"'):
        return [(line, _decoder(str).decode(source))]
    values: list[str] = _decoder(list[str]).decode(source)
    if _one_a_line(source, len(values)):
        return list(enumerate(values, line + 1))
    found: list[Part] = []
    position = _after(source, 1)
    counted = 0
    for value, raw in zip(values, _decoder(list[Raw]).decode(source), strict=True):
        line += source.count(b"\n", counted, position)
        counted = position
        found.append((line, value))
        position = _after(source, position + len(bytes(raw)))
    return found


def _after(data: bytes, position: int) -> int:
    """Where the next item of a list begins, or the list ends."""
    match = _NEXT.match(data, position)
    return position if match is None else match.end()


def _one_a_line(source: bytes, count: int) -> bool:
    """Whether each of the strings of a list stands on a line of its own, below that of the bracket."""
    return (
        source.count(b"\n") == count + 1 and source.count(b'",\n') == count - 1 and _OPENING.match(source) is not None
    )
