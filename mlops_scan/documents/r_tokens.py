"""R text as tokens: strings, raw strings, numbers, names, operators and line ends; comments are left out.

https://cran.r-project.org/doc/manuals/r-release/R-lang.html#Tokens
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mlops_scan.documents.bounds import MAX_WORDS
from mlops_scan.documents.node import DocumentError
from mlops_scan.regex import regex

# Every alternative has a bound or no way to match in two ways: none of them takes more than linear time.
_TOKEN = regex(
    r"(?P<blank>[ \t\f\v\u00a0]+|\#[^\n]*)"
    r"|(?P<raw>[rR](?P<quote>[\"'])(?P<dashes>-{0,20})[(\[{])"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?)"  # one that is not closed takes the rest
    r"|(?P<quoted>`(?:[^`\\]|\\.)*`?)"
    r"|(?P<number>0[xX][0-9a-fA-F]+L?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[Li]?)"
    r"|(?P<name>(?:[^\W\d_]|\.(?![0-9]))[\w.]*|\.)"
    r"|(?P<op>\n|%[^%\n]*%|<<-|->>|\|>|<-|->|<=|>=|==|!=|&&|\|\||:::|::|:=|\*\*|\[\[|[-+*/^<>=!&|~?:$@(){}\[\],;\\])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_ESCAPE = regex(r"\\(.)", re.DOTALL)
_MEANS = {"n": "\n", "t": "\t"}


class Token(NamedTuple):
    """One token: its kind (string, number, name, quoted for a name in backticks, op, end), text and line."""

    kind: str
    text: str
    line: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, then one of the kind "end". `]]` is told from two brackets by what is open.

    Raises DocumentError for more of them than `documents.bounds.MAX_WORDS`.
    """
    line, position, count = 1, 0, 0
    brackets: list[str] = []
    while match := _TOKEN.match(text, position):
        kind, found = match.lastgroup or "", match.group()
        position = match.end()
        if kind == "blank":
            continue
        count += 1
        if count > MAX_WORDS:
            raise DocumentError(f"more than {MAX_WORDS} tokens", line)
        if kind in ("raw", "dashes", "quote"):
            closing = _CLOSING[found[-1]] + match["dashes"] + match["quote"]
            end = text.find(closing, position)
            end = len(text) if end < 0 else end
            yield Token("string", text[position:end], line)
            line += text.count("\n", position, end)
            position = end + len(closing)
        elif kind in ("string", "quoted"):
            inside = found[1:-1] if found[-1] == found[0] else found[1:]
            yield Token(kind, _ESCAPE.sub(_unescaped, inside) if "\\" in inside else inside, line)
            line += found.count("\n")
        elif found in _CLOSING or found == "[[":
            brackets.append(found)
            yield Token("op", found, line)
        elif found in (")", "]", "}"):
            if found == "]" and brackets and brackets[-1] == "[[" and text.startswith("]", position):
                position += 1
                found = "]]"
            if brackets:
                brackets.pop()
            yield Token("op", found, line)
        else:
            yield Token("op" if kind == "other" else kind, found, line)
            line += found == "\n"
    yield Token("end", "", line)


def _unescaped(match: re.Match[str]) -> str:
    return _MEANS.get(match[1], match[1])
