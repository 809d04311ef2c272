"""JSON as positioned nodes; comments, trailing commas, NaN and literal line breaks in strings are tolerated.

A loop over tokens without recursion; strings are read by the standard library's C scanner, so that notebooks full of
pictures cost little. What is written plainly, which is nearly everything, is taken a whole member at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from json import decoder
from sys import intern

from mlops_scan.documents.bounds import MAX_DEPTH, check_nodes, check_size, too_deep
from mlops_scan.documents.node import DocumentError, Node, Scalar
from mlops_scan.regex import regex

MAX_BYTES = 64_000_000

_TOKEN = regex(
    r'[ \t\n\r]*(?:\ufeff[ \t\n\r]*)*(?:(?P<mark>["{}\[\]:,])'
    r"|(?P<number>-?[0-9]+(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][-+]?[0-9]+)?)"
    r"|(?P<word>true|false|null|NaN|-?Infinity)\b|(?P<comment>//[^\n]*|/\*))"
)
_BLANKS = r"[ \t\n\r]*"
_PLAIN_STRING = r'[^"\\\x00-\x1f]*'
_PLAIN_VALUE = (
    rf'(?:"(?P<string>{_PLAIN_STRING})"|(?P<number>-?[0-9]{{1,18}})(?![0-9.eE])|(?P<word>true|false|null)\b'
    r"|(?P<float>-?[0-9]{1,18}\.[0-9]{1,18})(?![0-9.eE])|(?P<open>[{\[]))"
)
_PLAIN_MEMBER = rf'"(?P<key>{_PLAIN_STRING})"[ \t]*:[ \t]*{_PLAIN_VALUE}'
_MEMBER, _ITEM = regex(_BLANKS + _PLAIN_MEMBER), regex(_BLANKS + _PLAIN_VALUE)
_END = regex(_BLANKS + r"[}\]]")
scan_string: Callable[[str, int, bool], tuple[str, int]] = vars(decoder)["scanstring"]  # not in the type stubs
skim: Callable[[str, int], tuple[object, int]] = vars(decoder.JSONDecoder(strict=False))["scan_once"]  # in C
_SPACE = regex(r"[ \t\n\r]*")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


def parse(text: str, unwanted: Collection[str] = ()) -> Node:
    """The value of a JSON text; values of the keys `unwanted` are read as null, which is much faster.

    Raises DocumentError with the line for broken JSON, for more than 64 MB and for nesting deeper than 200. Template
    tags are replaced by the word `TEMPLATE` when the text does not parse otherwise.
    """
    check_size(text, MAX_BYTES)
    try:
        return _Scanner(text, unwanted).document()
    except DocumentError as error:
        from mlops_scan.documents import templates

        if not templates.has_tags(text):
            raise
        try:
            return _Scanner(templates.replaced(text, quote=True), unwanted).document()
        except DocumentError:
            raise error from None


class _Frame:
    """An object or array whose end has not been read yet."""

    __slots__ = ("children", "key", "key_line", "line", "mapping", "names")

    def __init__(self, mapping: bool, line: int) -> None:
        self.mapping = mapping
        self.line = self.key_line = line
        self.key: str | None = None
        self.names: list[str] = []
        self.children: list[Node] = []


class _Scanner:
    """Reads one JSON value; `_line` is the line of `_at`, moved forward token by token."""

    def __init__(self, text: str, unwanted: Collection[str]) -> None:
        self._text = text
        self._unwanted = unwanted
        self._position = 0
        self._at = 0
        self._line = 1
        self._frames: list[_Frame] = []
        self._result: Node | None = None
        self._count = 0

    def document(self) -> Node:
        """The whole text as one node; DocumentError when it is not one."""
        expect = "value"  # "value" | "value or end" | "key or end" | ":" | ", or end" | "end of text"
        while True:
            if expect.endswith("or end"):
                expect = self._plain(expect)
            token, kind = self._next()
            if kind == "end":
                if expect == "end of text" and self._result is not None:
                    return self._result
                raise self._error("unexpected end of text")
            if expect == "end of text":
                raise self._error("text after the end of the value")
            if kind != "mark":
                if not expect.startswith("value"):
                    raise self._error(f"expected {expect}")
                expect = self._add_word(token, kind)
            else:
                expect = self._mark(token, expect)

    def _plain(self, expect: str) -> str:
        """Take the members, items and ends that follow and are written plainly; what is expected then."""
        text, position = self._text, self._position
        while expect.endswith("or end"):
            frame, match = self._frames[-1], None
            comma = expect == ", or end"
            if not comma or text.startswith(",", position):
                match = (_MEMBER if frame.mapping else _ITEM).match(text, position + comma)
                if match is not None and frame.mapping and match["key"] in self._unwanted:
                    break
            kind = (match.lastgroup or "") if match is not None else ""
            match = match or _END.match(text, position)
            if match is None or (not kind and (text[match.end() - 1] == "}") is not frame.mapping):
                break
            self._line += text.count("\n", position, match.end())  # there are none but in front of key and value
            self._position = self._at = position = match.end()
            if not kind:
                expect = self._close(self._frames.pop())
                continue
            if frame.mapping:
                frame.key, frame.key_line = intern(match["key"]), self._line
            expect = self._open(match["open"]) if kind == "open" else self._plain_scalar(frame, kind, match[kind])
        return expect

    def _plain_scalar(self, frame: _Frame, kind: str, token: str) -> str:
        value: Scalar = token
        if kind == "number":
            value = int(token)
        elif kind == "float":
            value = float(token)
        elif kind == "word":
            value = _WORDS[token]
        self._count += 1
        check_nodes(self._count, self._line)
        frame.children.append(Node("scalar", self._line, self._line, self._line, value, token))
        if frame.mapping:
            frame.names.append(frame.key or "")
        return ", or end"

    def _open(self, token: str) -> str:
        if len(self._frames) >= MAX_DEPTH:
            raise too_deep(self._line)
        self._frames.append(_Frame(token == "{", self._line))
        return "key or end" if token == "{" else "value or end"

    def _next(self) -> tuple[str, str]:
        """The next token's text and kind, comments skipped; ("", "end") at the end."""
        text = self._text
        while True:
            match = _TOKEN.match(text, self._position)
            if match is None:
                rest = text[self._position : self._position + 200].lstrip(" \t\n\r\ufeff")
                if not rest and not text[self._position :].strip(" \t\n\r\ufeff"):
                    return "", "end"
                self._move(self._position + len(text[self._position :]) - len(text[self._position :].lstrip()))
                raise self._error(f"unexpected {rest[:20]!r}")
            kind = match.lastgroup or ""
            if kind == "comment":
                if match.group(kind) == "/*":
                    end = text.find("*/", match.end())
                    if end < 0:
                        raise self._error("a comment that is never closed")
                    self._position = end + 2
                else:
                    self._position = match.end()
                continue
            kind = "number" if match.group("number") else kind
            self._position = match.end()
            token = match.group(kind)
            self._move(match.end() - len(token))
            if kind == "number" and (match.group("fraction") or match.group("exponent")):
                kind = "float"
            return token, kind

    def _move(self, position: int) -> None:
        self._line += self._text.count("\n", self._at, position)
        self._at = position

    def _mark(self, token: str, expect: str) -> str:
        frame = self._frames[-1] if self._frames else None
        if token == '"':
            return self._string(expect, frame)
        if token in "{[" and expect.startswith("value"):
            return self._open(token)
        if frame is not None and token == ("}" if frame.mapping else "]") and expect.endswith("or end"):
            return self._close(self._frames.pop())
        if token == ":" and expect == ":":
            if frame is not None and frame.key in self._unwanted and self._skip():
                return self._add(Node("scalar", self._line, self._line, self._key_line(self._line)))
            return "value"
        if token == "," and expect == ", or end" and frame is not None:
            return "key or end" if frame.mapping else "value or end"
        raise self._error(f"expected {expect}, found {token!r}")

    def _skip(self) -> bool:
        """Go behind a value; False where it is not plain JSON, which is then read like any other."""
        start = _SPACE.match(self._text, self._position)
        try:
            _, end = skim(self._text, start.end() if start else self._position)
        except (StopIteration, ValueError, RecursionError):
            return False
        self._position = end
        self._move(end)
        return True

    def _string(self, expect: str, frame: _Frame | None) -> str:
        try:
            value, self._position = scan_string(self._text, self._position, False)
        except ValueError as error:
            raise self._error(str(getattr(error, "msg", error))) from None
        if expect == "key or end" and frame is not None:
            frame.key, frame.key_line = value, self._line
            return ":"
        if not expect.startswith("value"):
            raise self._error(f"expected {expect}, found a string")
        line = self._line
        self._move(self._position)
        return self._add(Node("scalar", line, self._line, self._key_line(line), value, value))

    def _add_word(self, token: str, kind: str) -> str:
        value: Scalar
        if kind == "word":
            value = _WORDS[token] if token in _WORDS else float(token.replace("Infinity", "inf"))
        else:
            value = float(token) if kind == "float" or len(token) > 400 else int(token)
        return self._add(Node("scalar", self._line, self._line, self._key_line(self._line), value, token))

    def _close(self, frame: _Frame) -> str:
        key_line = self._key_line(frame.line)
        if frame.mapping:
            entries = tuple(zip(frame.names, frame.children, strict=True))
            return self._add(Node("mapping", frame.line, self._line, key_line, entries=entries))
        return self._add(Node("sequence", frame.line, self._line, key_line, items=tuple(frame.children)))

    def _key_line(self, line: int) -> int:
        frame = self._frames[-1] if self._frames else None
        return frame.key_line if frame is not None and frame.mapping else line

    def _add(self, node: Node) -> str:
        self._count += 1
        check_nodes(self._count, self._line)
        if not self._frames:
            self._result = node
            return "end of text"
        frame = self._frames[-1]
        frame.children.append(node)
        if frame.mapping:
            frame.names.append(frame.key or "")
        return ", or end"

    def _error(self, reason: str) -> DocumentError:
        return DocumentError(reason, self._line)
