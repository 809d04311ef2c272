"""R code as a tree: names, calls with named arguments, assignments, functions, blocks; each with its lines.

It is a reader for analysis, not a checker: a statement that is not valid is passed over and its line noted.
The grammar and its precedences: https://cran.r-project.org/doc/manuals/r-release/R-lang.html#Parser
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from mlops_scan.documents.bounds import check_size, unix_lines
from mlops_scan.documents.r_tokens import Token, tokens

MAX_DEPTH = 100  # of expressions in each other; translating and walking them takes some frames a level
_MAX_LOST = 100  # statements that could not be read, beyond which the rest of a file is no R

# How strongly operators bind, and whether they group from the right.
_BINDS: dict[str, tuple[int, bool]] = {
    "?": (1, False), "=": (2, True), "<-": (3, True), "<<-": (3, True), ":=": (3, True), "->": (4, False),
    "->>": (4, False), "~": (5, False), "||": (6, False), "|": (6, False), "&&": (7, False), "&": (7, False),
    "==": (9, False), "!=": (9, False), "<": (9, False), ">": (9, False), "<=": (9, False), ">=": (9, False),
    "+": (10, False), "-": (10, False), "*": (11, False), "/": (11, False), "%%": (12, False), "|>": (12, False),
    ":": (13, False), "^": (15, True), "**": (15, True),
}  # fmt: skip
_PREFIXES = {"-": 14, "+": 14, "!": 8, "~": 5, "?": 1}
_SPECIAL = 12  # `%any%`
_CONSTANTS = frozenset({"TRUE", "FALSE", "NULL", "NA", "Inf", "NaN", "T", "F"})
_CLOSING = {"(": ")", "[": "]", "[[": "]]"}
_MAX_AGAIN = 5  # times that reading begins anew behind the line with a bracket that is never closed


class RNode(Struct, frozen=True, gc=False):
    """One expression.

    `kind` is one of name, string, number, constant, call, index, get, from, binary, unary, assign, function, block, if,
    for, while, repeat, jump. `text` is the name, the constant, the operator, what `get` (`x$text`) and `from`
    (`package::text`) take. `parts` are its parts: of a call and an index the first is what is called; `names` are
    those of its arguments, or the parameters of a function; an argument that is left out has the kind `missing`.
    """

    kind: str
    line: int
    end: int
    text: str = ""
    parts: tuple[RNode, ...] = ()
    names: tuple[str, ...] = ()
    depth: int = 1


class Read(NamedTuple):
    """The statements of a file, and the lines of those that could not be read."""

    statements: tuple[RNode, ...]
    lost: tuple[int, ...]


class _SyntaxError(Exception):
    """A statement is not R, or nested too deeply."""


def parse(text: str) -> Read:
    """The statements of an R text.

    Raises DocumentError for more than 2 MB, and for more words than `documents.bounds` allows.
    """
    check_size(text)
    return _Parser(list(tokens(unix_lines(text.removeprefix("\ufeff"))))).run()


class _Parser:
    """Precedence climbing over the tokens of one file."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._level = 0
        self._open: list[str] = []  # the brackets around, innermost last: line ends count in `{` only

    def run(self) -> Read:
        statements: list[RNode] = []
        lost: list[int] = []
        again = 0
        while len(lost) < _MAX_LOST:
            self._skip(("\n", ";", "}", ")", "]", "]]", ","))
            first, start = self._at, self._tokens[self._at]
            if start.kind == "end":
                break
            try:
                statements.append(self._expression(0))
                if self._peek().text not in ("\n", ";", "}") and self._peek().kind != "end":
                    raise _SyntaxError
            except _SyntaxError:
                lost.append(start.line)
                self._level = 0
                if self._tokens[self._at].kind == "end" and again < _MAX_AGAIN:  # a bracket that is never closed
                    self._at, again = first, again + 1
                self._open.clear()
                self._to_next_line()
        return Read(tuple(statements), tuple(lost))

    def _to_next_line(self) -> None:
        """Behind the line at which reading failed. Hardly anything is read again, so all of it takes linear time."""
        while self._tokens[self._at].kind != "end" and self._tokens[self._at].text != "\n":
            self._at += 1

    def _skip(self, texts: tuple[str, ...]) -> None:
        while self._tokens[self._at].kind == "op" and self._tokens[self._at].text in texts:
            self._at += 1

    def _peek(self) -> Token:
        """The next token that counts: line ends within `(` and `[` do not."""
        if self._open and self._open[-1] != "{":
            while self._tokens[self._at].text == "\n" and self._tokens[self._at].kind == "op":
                self._at += 1
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._peek()
        if token.kind == "end":
            raise _SyntaxError
        self._at += 1
        return token

    def _is(self, *texts: str) -> bool:
        token = self._peek()
        return token.kind == "op" and token.text in texts

    def _expect(self, text: str) -> Token:
        token = self._next()
        if token.kind != "op" or token.text != text:
            self._at -= token.text != "\n"
            raise _SyntaxError
        return token

    def _newlines(self) -> None:
        while self._tokens[self._at].kind == "op" and self._tokens[self._at].text == "\n":
            self._at += 1

    def _node(
        self, kind: str, line: int, text: str = "", parts: tuple[RNode, ...] = (), names: tuple[str, ...] = ()
    ) -> RNode:
        depth = 1 + max([part.depth for part in parts], default=0)
        if depth > MAX_DEPTH:
            raise _SyntaxError
        return RNode(kind, line, self._tokens[self._at - 1].line, text, parts, names, depth)

    def _expression(self, strength: int) -> RNode:
        self._level += 1
        if self._level > MAX_DEPTH:
            raise _SyntaxError
        left = self._postfix(self._prefix())
        while True:
            token = self._peek()
            binds, from_right = _binding(token)
            if binds == 0 or binds < strength:
                break
            self._next()
            self._newlines()
            right = self._expression(binds if from_right else binds + 1)
            left = self._joined(token.text, left, right)
        self._level -= 1
        return left

    def _joined(self, operator: str, left: RNode, right: RNode) -> RNode:
        if operator in ("->", "->>"):
            return self._node("assign", left.line, operator, (right, left))
        if operator in ("<-", "<<-", "=", ":="):
            return self._node("assign" if operator != ":=" else "binary", left.line, operator, (left, right))
        return self._node("binary", left.line, operator, (left, right))

    def _prefix(self) -> RNode:
        token = self._next()
        if token.kind in ("string", "number"):
            return self._node(token.kind, token.line, token.text)
        if token.kind == "name":
            return self._word(token)
        if token.kind == "quoted":  # a name in backticks
            return self._node("name", token.line, token.text)
        if token.text in _PREFIXES:
            self._newlines()
            return self._node("unary", token.line, token.text, (self._expression(_PREFIXES[token.text]),))
        if token.text == "(":
            return self._within("(", token)
        if token.text == "{":
            return self._block(token)
        if token.text == "\\":
            return self._function(token)
        self._at -= token.text != "\n"
        raise _SyntaxError

    def _within(self, bracket: str, token: Token) -> RNode:
        self._open.append(bracket)
        inner = self._expression(0)
        self._expect(_CLOSING[bracket])
        self._open.pop()
        return self._node("block", token.line, "(", (inner,))

    def _block(self, token: Token) -> RNode:
        self._open.append("{")
        found: list[RNode] = []
        self._skip(("\n", ";"))
        while not self._is("}"):
            found.append(self._expression(0))
            if not self._is("\n", ";", "}"):
                raise _SyntaxError
            self._skip(("\n", ";"))
        self._next()
        self._open.pop()
        return self._node("block", token.line, "{", tuple(found))

    def _word(self, token: Token) -> RNode:
        word = token.text
        if word in _CONSTANTS or word.startswith("NA_"):
            return self._node("constant", token.line, word)
        if word == "function":
            return self._function(token)
        if word == "if":
            return self._if(token)
        if word in ("for", "while"):
            return self._loop(token)
        if word == "repeat":
            self._newlines()
            return self._node("repeat", token.line, "", (self._expression(2),))
        if word in ("break", "next"):
            return self._node("jump", token.line, word)
        return self._node("name", token.line, word)

    def _function(self, token: Token) -> RNode:
        names, defaults = self._arguments("(", self._expect("("))
        self._newlines()
        body = self._expression(2)
        parameters = tuple(
            name or (value.text if value.kind == "name" else "") for name, value in zip(names, defaults, strict=True)
        )
        values = tuple(
            value if name else RNode("missing", value.line, value.end)
            for name, value in zip(names, defaults, strict=True)
        )
        return self._node("function", token.line, "", (body, *values), parameters)

    def _if(self, token: Token) -> RNode:
        test = self._condition()
        then = self._expression(2)
        mark = self._at
        if self._open:  # at the outermost level a line end closes the statement
            self._newlines()
        if self._peek().kind == "name" and self._peek().text == "else":
            self._next()
            self._newlines()
            return self._node("if", token.line, "", (test, then, self._expression(2)))
        self._at = mark
        return self._node("if", token.line, "", (test, then))

    def _condition(self) -> RNode:
        opening = self._expect("(")
        test = self._within("(", opening)
        self._newlines()
        return test

    def _loop(self, token: Token) -> RNode:
        if token.text == "while":
            test = self._condition()
            return self._node("while", token.line, "", (test, self._expression(2)))
        self._expect("(")
        self._open.append("(")
        variable = self._next()
        if self._next().text != "in":
            raise _SyntaxError
        values = self._expression(0)
        self._expect(")")
        self._open.pop()
        self._newlines()
        return self._node("for", token.line, variable.text, (values, self._expression(2)))

    def _postfix(self, left: RNode) -> RNode:
        while True:
            token = self._peek()
            if token.kind != "op":
                return left
            if token.text in _CLOSING:
                self._next()
                names, values = self._arguments(token.text, token)
                kind = "call" if token.text == "(" else "index"
                left = self._node(kind, left.line, "", (left, *values), names)
            elif token.text in ("$", "@"):
                self._next()
                self._newlines()
                name = self._next()
                if name.kind == "op":  # `x$(…)`: a computed name
                    self._at -= 1
                    self._prefix()
                left = self._node("get", left.line, name.text if name.kind != "op" else "", (left,))
            elif token.text in ("::", ":::"):
                self._next()
                name = self._next()
                if left.kind not in ("name", "string") or name.kind == "op":
                    raise _SyntaxError
                left = self._node("from", left.line, name.text, (left,))
            else:
                return left

    def _arguments(self, bracket: str, opening: Token) -> tuple[tuple[str, ...], tuple[RNode, ...]]:
        """The arguments behind an opening bracket, up to the closing one: their names, or empty, and values."""
        self._open.append(bracket)
        closing = _CLOSING[bracket]
        names: list[str] = []
        values: list[RNode] = []
        while not self._is(closing):
            if self._is(","):
                self._next()
                names.append("")
                values.append(RNode("missing", opening.line, opening.line))
                continue
            names.append(self._argument_name())
            if self._is(",", closing):
                values.append(RNode("missing", opening.line, opening.line))
            else:
                values.append(self._expression(3))
            if self._is(","):
                self._next()
            elif not self._is(closing):
                raise _SyntaxError
        self._next()
        self._open.pop()
        return tuple(names), tuple(values)

    def _argument_name(self) -> str:
        """The name of the argument that follows, passed over with its `=`; empty where it has none."""
        token = self._peek()
        if token.kind not in ("name", "quoted", "string"):
            return ""
        mark = self._at
        self._next()
        if self._is("="):
            self._next()
            return token.text
        self._at = mark
        return ""


def _binding(token: Token) -> tuple[int, bool]:
    if token.kind != "op":
        return 0, False
    if token.text in _BINDS:
        return _BINDS[token.text]
    return (_SPECIAL, False) if token.text.startswith("%") else (0, False)


def walk(statements: tuple[RNode, ...]) -> Iterator[RNode]:
    """All expressions of some statements, in no order that matters."""
    stack = list(statements)
    while stack:
        node = stack.pop()
        yield node
        stack += node.parts
