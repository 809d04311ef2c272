"""Words of shell commands as the shell gives them to a program, from nodes of the syntax tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node

_TEXT = 400  # characters of a command kept as its text
_ESCAPED = regex(r"\\(.)", re.DOTALL)
_ESCAPED_IN_QUOTES = regex(r'\\(["\\$`])')


def text_of(source: bytes, node: Node) -> str:
    """A node as written."""
    return source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def line_of(source: bytes, node: Node) -> str:
    """A node as written, in one line and no longer than is shown."""
    return " ".join(text_of(source, node).replace("\\\n", " ").split())[:_TEXT]


def word_of(source: bytes, node: Node) -> str:
    """A word without its quotes, expansions as written."""
    kind, text = node.type, text_of(source, node)
    if kind == "raw_string":
        return text[1:-1]
    if kind == "ansi_c_string":
        return text[2:-1]
    if kind == "word":
        return _ESCAPED.sub(_unescaped, text) if "\\" in text else text
    if kind == "string":
        return _ESCAPED_IN_QUOTES.sub(r"\1", text[1:-1] if text.endswith('"') else text[1:]).replace("\\\n", "")
    if kind in ("concatenation", "variable_assignment"):
        return "".join(_pieces(source, node))
    if kind == "translated_string":
        return text[2:-1]
    return text


def _pieces(source: bytes, node: Node) -> Iterator[str]:
    position = node.start_byte
    for child in node.children:
        yield source[position : child.start_byte].decode("utf-8", "replace")
        nested = child.type in ("concatenation", "variable_assignment")
        yield text_of(source, child) if nested else word_of(source, child)
        position = child.end_byte


def assignment_of(source: bytes, node: Node) -> tuple[str, str]:
    """The name and the value of an assignment of a variable."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    return (text_of(source, name) if name else "", word_of(source, value) if value else "")


def _unescaped(match: re.Match[str]) -> str:
    return "" if match.group(1) == "\n" else match.group(1)
