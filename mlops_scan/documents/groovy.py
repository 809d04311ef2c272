"""Groovy, as far as build scripts use it: nested statements of names, texts and groups, each with its line.

The reader knows comments, every kind of string, brackets, and where a statement ends; it knows no types or operators.
So it reads what a full grammar rejects, in time linear in the text. Facts: https://groovy-lang.org/syntax.html
"""

from __future__ import annotations

import re

from msgspec import Struct, field

from mlops_scan.documents.bounds import MAX_DEPTH, check_size, encodable, too_deep, unix_lines
from mlops_scan.documents.node import DocumentError
from mlops_scan.regex import regex

MAX_TOKENS = 200_000
ESCAPED_DOLLAR = "\ue000"
"""Stands for a `$` of an interpolating string that was written `\\$`, and so begins no expression."""

_MAX_SIZE = 1_000_000
_TOKEN = regex(
    r"(?P<space>[ \t\f]+|\\\n)|(?P<remark>//[^\n]*)|(?P<comment>/\*)|(?P<end>[\n;])"
    r"|(?P<triple>\"\"\"|''')|(?P<dollar>\$/)|(?P<quote>[\"'])|(?P<name>@?[^\W\d][\w$]*|\$\w+)|(?P<number>\d\w*)"
    r"|(?P<open>[({\[])|(?P<close>[)}\]])"
    r"|(?P<op>==~|=~|\?\.|\*\.|->|\?:|&&|\|\||[-+=!<>]=|[^\w\s])"
)
_SLASHY = regex(r"/((?:[^/\\\n]|\\.)+)/")
_GSTRING = regex(r'"((?:[^"\\\n$]|\\.|\$(?!\{)|\$\{[^{}\n]*(?:\{[^{}\n]*\}[^{}\n]*)*\})*)"')
_PLAIN = {'"': regex(r'"((?:[^"\\\n]|\\.)*)"?'), "'": regex(r"'((?:[^'\\\n]|\\.)*)'?")}
_ESCAPE = regex(r"\\([^\n])")
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_JOINING = frozenset({",", "=", "+", "&&", "||", "?", "?:", ".", "?.", "==", "!=", "+="})  # at the end of a line
_CONTINUING = frozenset({"else", "catch", "finally"})


class Element(Struct, frozen=True, eq=False):
    """A piece of a statement.

    `kind` is "name", "string", "number", "op", or the opening bracket of a group. A string's `text` is what stands
    between its quotes, beginning at `text_line`, `interpolated` if `$` has a meaning in it; `items` are the pieces of a
    group in round or square brackets, `statements` those of a block in braces.
    """

    kind: str
    line: int
    end_line: int
    text: str = ""
    text_line: int = 0
    interpolated: bool = False
    items: tuple[Element, ...] = ()
    statements: tuple[Statement, ...] = ()


Statement = tuple[Element, ...]


class _Open(Struct):
    """A group that is not closed yet."""

    bracket: str
    line: int
    current: list[Element] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    ended: bool = False  # a line has ended since the last element

    def finish(self) -> None:
        if self.current:
            self.statements.append(tuple(self.current))
            self.current = []
        self.ended = False


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a script.

    Broken text gives what can be read of it; only more than 1 MB, too many pieces or too deep nesting raise
    DocumentError.
    """
    check_size(text, _MAX_SIZE)
    text = encodable(unix_lines(text.removeprefix("\ufeff"))).replace(ESCAPED_DOLLAR, "?")
    return _Reader(text).read()


class _Reader:
    """Goes over the text once and builds groups on a stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line = 1
        self.position = 0
        self.stack = [_Open("{", 1)]
        self.tokens = 0

    def read(self) -> tuple[Statement, ...]:
        if self.text.startswith("#!"):
            self.position = max(self.text.find("\n"), 0) or len(self.text)
        while self.position < len(self.text):
            match = _TOKEN.match(self.text, self.position)
            if match is None:
                self.position += 1
                continue
            self.tokens += 1
            if self.tokens > MAX_TOKENS:
                raise DocumentError(f"more than {MAX_TOKENS} pieces, not read", self.line)
            self._token(match.lastgroup or "", match)
        while len(self.stack) > 1:
            self._close()
        self.stack[0].finish()
        return tuple(self.stack[0].statements)

    def _token(self, kind: str, match: re.Match[str]) -> None:
        written = match.group()
        if kind in ("triple", "dollar", "quote"):
            self._string(kind, written)
            return
        if kind == "comment":
            end = self.text.find("*/", match.end())
            self._skip(len(self.text) if end < 0 else end + 2)
            return
        if (
            kind == "op"
            and written == "/"
            and self._begins_value()
            and (slashy := _SLASHY.match(self.text, match.start()))
        ):
            self._add(Element("string", self.line, self.line, slashy.group(1), self.line, True))
            self._skip(slashy.end())
            return
        if kind == "end":
            self._end_of_line(written)
        elif kind == "open":
            self._place(written)
            if len(self.stack) > MAX_DEPTH:
                raise too_deep(self.line)
            self.stack.append(_Open(written, self.line))
        elif kind == "close":
            self._closing(written)
        elif kind in ("name", "number", "op"):
            self._add(Element(kind, self.line, self.line, written))
        self._skip(match.end())

    def _skip(self, position: int) -> None:
        self.line += self.text.count("\n", self.position, position)
        self.position = position

    # -- statements --------------------------------------------------------------------------------------------------

    def _end_of_line(self, written: str) -> None:
        top = self.stack[-1]
        if top.bracket != "{":
            return
        if written == ";":
            top.finish()
        else:
            top.ended = True

    def _place(self, following: str) -> None:
        """Ends the statement before the piece that follows, where a line has ended and it does not go on."""
        top = self.stack[-1]
        if not top.ended:
            return
        last = top.current[-1] if top.current else None
        goes_on = last is not None and (
            (last.kind == "op" and last.text in _JOINING)
            or following in (".", "?.")
            or (following == "{" and last.kind != "{" and not (last.kind == "op" and last.text == "->"))
            or (following in _CONTINUING and last.kind == "{")
        )
        if goes_on:
            top.ended = False
        else:
            top.finish()

    def _add(self, element: Element) -> None:
        self._place(element.text if element.kind in ("op", "name") else "")
        self.stack[-1].current.append(element)

    def _begins_value(self) -> bool:
        """Whether a value can begin here, so that `/` is no division."""
        current = self.stack[-1].current
        if not current or self.stack[-1].ended:
            return True
        return current[-1].kind == "op" or (current[-1].kind == "name" and current[-1].text in ("return", "in", "case"))

    def _closing(self, written: str) -> None:
        if any(_CLOSER[frame.bracket] == written for frame in self.stack[1:]):
            while _CLOSER[self.stack[-1].bracket] != written:
                self._close()
            self._close()

    def _close(self) -> None:
        frame = self.stack.pop()
        if frame.bracket == "{":
            frame.finish()
            group = Element("{", frame.line, self.line, statements=tuple(frame.statements))
        else:
            group = Element(frame.bracket, frame.line, self.line, items=tuple(frame.current))
        self.stack[-1].current.append(group)

    # -- strings -----------------------------------------------------------------------------------------------------

    def _string(self, kind: str, written: str) -> None:
        if kind == "quote":
            match = _GSTRING.match(self.text, self.position) if written == '"' else None
            match = match or _PLAIN[written].match(self.text, self.position)
            assert match is not None
            self._text(match.group(1), self.line, written == '"')
            self._skip(match.end())
            return
        start = self.position + len(written)
        closer = "/$" if kind == "dollar" else written
        end = self._end_of_string(closer, start)
        body = self.text[start:end]
        line = self.line
        self._skip(min(end + len(closer), len(self.text)))
        if body.startswith("\n"):
            body, line = body[1:], line + 1
        self._text(body, line, kind == "dollar" or written.startswith('"'), self.line)

    def _end_of_string(self, closer: str, start: int) -> int:
        end = self.text.find(closer, start)
        while end > start and closer != "/$":
            first = end
            while first > start and self.text[first - 1] == "\\":
                first -= 1
            if (end - first) % 2 == 0:
                break
            end = self.text.find(closer, end + 1)
        return len(self.text) if end < 0 else end

    def _text(self, body: str, line: int, interpolated: bool, end_line: int = 0) -> None:
        plain = _ESCAPE.sub(_escaped_in_gstring if interpolated else _escaped, body)
        self._add(Element("string", self.line if not end_line else line, end_line or line, plain, line, interpolated))


def _escaped(match: re.Match[str]) -> str:
    """An escape's character; a line feed becomes `; `, so that the lines of the text stay those of the file."""
    char = match.group(1)
    return "; " if char == "n" else " " if char in "tr" else char


def _escaped_in_gstring(match: re.Match[str]) -> str:
    return ESCAPED_DOLLAR if match.group(1) == "$" else _escaped(match)
