"""TOML as positioned nodes: values by the standard library, lines by a light scan of the same text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime, time

from msgspec import Struct

from mlops_scan.documents.bounds import MAX_DEPTH, check_size, too_deep, unix_lines
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.regex import regex

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 4_000_000  # lock files

_Path = tuple[str | int, ...]
_DOTTED = regex(r"[\w\"'-]+(?:[ \t]*\.[ \t]*[\w\"'-]+)*")
_ERROR_LINE = regex(r"\(at line (\d+), column \d+\)")
_BLANK = regex(r"(?:[ \t\n]+|#[^\n]*)*")
_BARE_KEY = regex(r"[\w-]+")
_BARE_VALUE = regex(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")
_BASIC = regex(r'"(?:[^"\\\n]|\\.)*"?')
_LITERAL = regex(r"'[^'\n]*'?")


def parse(text: str) -> Node:
    """The top table of a TOML text; dates and times become strings, `text` of a number is as written.

    Raises DocumentError with the line for broken TOML, for more than 4 MB and for nesting deeper than 200. Template
    tags are replaced by the word `TEMPLATE` when the text does not parse otherwise.
    """
    check_size(text, MAX_BYTES)
    text = unix_lines(text.removeprefix("\ufeff"))
    try:
        return _read(text)
    except DocumentError as error:
        from mlops_scan.documents import templates

        if not templates.has_tags(text):
            raise
        try:
            return _read(templates.replaced(text, quote=True))
        except DocumentError:
            raise error from None


def _read(text: str) -> Node:
    _check_keys(text)
    try:
        value = tomllib.loads(text)
    except RecursionError:
        raise too_deep(0) from None
    except ValueError as error:
        message = str(error)
        match = _ERROR_LINE.search(message)
        line = int(match.group(1)) if match else text.count("\n") + 1
        raise DocumentError(_ERROR_LINE.sub("", message).strip(), line) from None
    positions = _Scanner(text).positions()
    return _node(value, (), positions, 1, 1)


def _check_keys(text: str) -> None:
    """Refuse keys of more than MAX_DEPTH dotted parts, on which the standard library spends quadratic time."""
    if text.count(".") <= MAX_DEPTH:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DEPTH:
            for match in _DOTTED.finditer(line):
                if match.group().count(".") > MAX_DEPTH:
                    raise too_deep(number)


class _Place(Struct):
    """Where a key and its value stand, and a scalar's text as written."""

    key_line: int
    line: int
    end_line: int
    text: str = ""


def _node(value: object, path: _Path, places: dict[_Path, _Place], line: int, key_line: int) -> Node:
    """The node of a loaded value; without a place of its own it stands where its parent stands."""
    if len(path) > MAX_DEPTH:
        raise too_deep(line)
    place = places.get(path)
    if place is not None:
        line, key_line = place.line, place.key_line
    end = max(line, place.end_line if place else line)
    if isinstance(value, dict):
        entries = tuple((str(k), _node(v, (*path, k), places, line, line)) for k, v in value.items())
        end = max([end, *(child.end_line for _, child in entries)])
        return Node("mapping", line, end, key_line, entries=entries)
    if isinstance(value, list):
        items = tuple(_node(v, (*path, i), places, line, line) for i, v in enumerate(value))
        end = max([end, *(child.end_line for child in items)])
        return Node("sequence", line, end, key_line, items=items)
    if isinstance(value, bool | int | float):
        text = place.text if place and place.text else str(value)
        return Node("scalar", line, end, key_line, value, text)
    text = value.isoformat() if isinstance(value, date | time | datetime) else str(value)
    return Node("scalar", line, end, key_line, text, text)


class _Scanner:
    """Finds the lines of tables, keys, and array items in a text that is known to be valid TOML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._at = 0
        self._line = 1
        self._places: dict[_Path, _Place] = {}
        self._arrays: dict[_Path, int] = {}

    def positions(self) -> dict[_Path, _Place]:
        """The place of every path found."""
        table: _Path = ()
        while self._skip():
            if self._text.startswith("[", self._position):
                table = self._header()
            else:
                self._pair(table)
        return self._places

    def _skip(self) -> bool:
        """Move over blanks and comments; False at the end of the text."""
        match = _BLANK.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._position < len(self._text)

    def _here(self) -> int:
        self._line += self._text.count("\n", self._at, self._position)
        self._at = self._position
        return self._line

    def _header(self) -> _Path:
        line = self._here()
        repeated = self._text.startswith("[[", self._position)
        self._position += 2 if repeated else 1
        parts = list(self._key())
        self._position += 2 if repeated else 1
        path: _Path = ()
        for part in parts[:-1]:
            path = self._below(path, part)
            self._places.setdefault(path, _Place(line, line, line))
        last = (*path, parts[-1]) if parts else path
        if repeated:
            self._places.setdefault(last, _Place(line, line, line))
            self._arrays[last] = self._arrays.get(last, -1) + 1
            last = (*last, self._arrays[last])
        elif parts:
            last = self._below(path, parts[-1])
        self._places[last] = _Place(line, line, line)
        return last

    def _below(self, path: _Path, part: str) -> _Path:
        """The path of a part, with the current position added where it is an array of tables."""
        path = (*path, part)
        return (*path, self._arrays[path]) if path in self._arrays else path

    def _key(self) -> Iterator[str]:
        """The parts of a dotted key; moves behind it."""
        while True:
            self._blanks()
            character = self._text[self._position : self._position + 1]
            pattern = {'"': _BASIC, "'": _LITERAL}.get(character, _BARE_KEY)
            match = pattern.match(self._text, self._position)
            if match is None:
                self._position += 1  # cannot happen in valid TOML; never stand still
                return
            self._position = match.end()
            yield self._unquoted(match.group())
            self._blanks()
            if not self._text.startswith(".", self._position):
                return
            self._position += 1

    def _blanks(self) -> None:
        while self._text[self._position : self._position + 1] in (" ", "\t"):
            self._position += 1

    def _unquoted(self, key: str) -> str:
        if key.startswith("'"):
            return key[1:-1]
        if key.startswith('"'):
            try:
                return str(tomllib.loads(f"x = {key}")["x"]) if "\\" in key else key[1:-1]
            except ValueError:
                return key[1:-1]
        return key

    def _pair(self, table: _Path) -> None:
        line = self._here()
        path = table
        for part in self._key():
            path = (*path, part)
            self._places.setdefault(path, _Place(line, line, line))
        self._blanks()
        if self._text.startswith("=", self._position):
            self._position += 1
        self._blanks()
        self._value(path, line)

    def _value(self, path: _Path, key_line: int) -> None:
        """Move over one value and note its place; `key_line` 0 means that it has no key."""
        text, line = self._text, self._here()
        start = self._position
        character = text[start : start + 1]
        if text.startswith(('"""', "'''"), start):
            end = self._long_string_end(start)
        elif character in "\"'" and character:
            match = (_BASIC if character == '"' else _LITERAL).match(text, start)
            end = match.end() if match else start + 1
        elif character == "[" and len(path) <= MAX_DEPTH:
            self._array(path)
            end = self._position
        elif character == "{" and len(path) <= MAX_DEPTH:
            self._table(path)
            end = self._position
        else:
            match = _BARE_VALUE.match(text, start)
            end = match.end() if match else start + 1
        self._position = end
        written = "" if character in "\"'[{" else text[start:end]
        self._places[path] = _Place(key_line or line, line, self._here(), written)

    def _long_string_end(self, start: int) -> int:
        """The offset behind a multi-line string; up to two quotes may stand before the closing three."""
        text, quotes = self._text, self._text[start : start + 3]
        position = start + 3
        while True:
            end = text.find(quotes, position)
            if end < 0:
                return len(text)
            escapes = 0
            while quotes == '"""' and text[end - 1 - escapes] == "\\":
                escapes += 1
            if escapes % 2:
                position = end + 1
                continue
            end += 3
            while text[end : end + 1] == quotes[0] and end - start < len(text):
                end += 1
            return end

    def _array(self, path: _Path) -> None:
        self._position += 1
        index = 0
        while self._skip() and not self._text.startswith("]", self._position):
            if self._text.startswith(",", self._position):
                self._position += 1
                continue
            self._value((*path, index), 0)
            index += 1
        self._position += 1

    def _table(self, path: _Path) -> None:
        self._position += 1
        while self._skip() and not self._text.startswith("}", self._position):
            if self._text.startswith(",", self._position):
                self._position += 1
                continue
            self._pair(path)
        self._position += 1
