"""Edits that turn Python 2 syntax into Python 3 syntax, and IPython magics into comments, line by line.

Only for files that do not parse as they are. Every edit stays within its lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops_scan.documents.trees import walk
from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

Edit = tuple[int, int, bytes]  # from, to, replacement: byte offsets in the source

_OCTAL = regex(rb"0[0-7]+\Z")
_CONFLICT = regex(r"(?:<{7}|>{7}|\|{7})(?: .*)?\Z|={7}\Z")
_MAGIC = regex(r"(\s*)(?:([\w.]+(?:\s*,\s*\w+)*\s*=)\s*)?(%{1,2}[A-Za-z]|![ \t]*[^=\s]|\?{1,2}[\w%])")
_HELP = regex(r"\s*%{0,2}[\w.*]+\?{1,2}\s*\Z")
_TIMED = regex(r"(\s*)%time(?:it)?\b((?:\s+-[a-z]+(?:\s*\d+)?)*)\s+(?=\S)")


def python3(source: bytes, tree: Tree) -> bytes:
    """The source with Python 2 statements and literals rewritten; same number of lines."""
    return _applied(source, [edit for node in walk(tree.root_node) for edit in _edits(node, source)])


def without_magics(lines: list[str], skip: frozenset[int] | set[int] = frozenset()) -> list[str]:
    """The lines with IPython magics, shell escapes and help requests blanked, a timed statement kept.

    `skip` holds the indices of lines inside multi-line strings, which stay as they are.
    """
    result: list[str] = []
    continued = False
    for index, line in enumerate(lines):
        if continued:
            continued = line.rstrip().endswith("\\")
            result.append("#")
            continue
        if index in skip:
            result.append(line)
            continue
        result.append(_without_magic(line))
        continued = result[-1] is not line and not _TIMED.match(line) and line.rstrip().endswith("\\")
    return result


def without_conflicts(lines: list[str]) -> list[str]:
    """The lines with merge-conflict markers blanked; both sides stay."""
    return ["" if line[:1] in ("<", ">", "|", "=") and _CONFLICT.match(line) else line for line in lines]


def with_spaces(lines: list[str], skip: frozenset[int] | set[int] = frozenset()) -> list[str]:
    """The lines with tabs in their indentation expanded to 8 columns, as Python 2 read them."""
    result = []
    for index, line in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if "\t" in indent and index not in skip:
            line = indent.expandtabs(8) + line[len(indent) :]
        result.append(line)
    return result


def _without_magic(line: str) -> str:
    if not ("%" in line or "!" in line or "?" in line):
        return line
    timed = _TIMED.match(line)
    if timed:
        return timed.group(1) + line[timed.end() :]
    match = _MAGIC.match(line)
    if match and match.group(2) and not match.group(3).startswith("?"):
        return f"{match.group(1)}{match.group(2)} None"
    if (match and not match.group(2)) or _HELP.match(line):
        indent = line[: len(line) - len(line.lstrip())]
        return f"{indent}None" if indent else "#"
    return line


def _edits(node: Node, source: bytes) -> list[Edit]:
    kind = node.type
    handler = _HANDLERS.get(kind)
    if handler is not None:
        return handler(node, source)
    if kind == "<>":
        return [(node.start_byte, node.end_byte, b"!=")]
    if kind in ("string_start", "string_end") and source[node.start_byte : node.end_byte] == b"`":
        return [(node.start_byte, node.end_byte, b"repr(" if kind == "string_start" else b")")]
    if kind == "string_start":
        text = source[node.start_byte : node.end_byte]
        if text[:2].lower() == b"ur":
            return [(node.start_byte, node.start_byte + 2, b"r")]
    one_line = node.start_point.row == node.end_point.row
    if kind == "tuple_pattern" and one_line and node.parent is not None and node.parent.type.endswith("parameters"):
        return [(node.start_byte, node.end_byte, b"packed_%d" % node.start_byte)]
    return []


def _print(node: Node, source: bytes) -> list[Edit]:
    keyword = node.children[0]
    start = keyword.end_byte
    edits: list[Edit] = []
    first = node.children[1] if len(node.children) > 1 else None
    if first is None:
        return []
    if first.type == "chevron":
        edits.append((first.start_byte, first.start_byte + 2, b""))
    gap = source[start : first.start_byte]
    if b"\n" in gap:  # `print \` and the value on the next line
        edits.append((start, start + gap.index(b"\\") if b"\\" in gap else start, b"("))
    else:
        edits.append((start, first.start_byte, b"("))
    edits.append((node.end_byte, node.end_byte, b")"))
    return edits


def _exec(node: Node, source: bytes) -> list[Edit]:
    edits: list[Edit] = [(node.children[0].end_byte, node.children[1].start_byte, b"(")]
    edits += [(child.start_byte, child.end_byte, b",") for child in node.children if child.type == "in"]
    return [*edits, (node.end_byte, node.end_byte, b")")]


def _raise(node: Node, source: bytes) -> list[Edit]:
    """`raise E, "m"` to `raise E("m")`."""
    values = node.children[1] if len(node.children) > 1 else None
    if values is None or values.type != "expression_list":
        return []
    comma = next((child for child in values.children if child.type == ","), None)
    if comma is None:
        return []
    return [(comma.start_byte, comma.end_byte, b"("), (values.end_byte, values.end_byte, b")")]


def _except(node: Node, source: bytes) -> list[Edit]:
    """`except E, e:` to `except E as e:`."""
    comma = next((child for child in node.children if child.type == ","), None)
    if comma is None:
        return []
    target = comma.next_sibling
    if target is None or target.type != "identifier":
        return [(comma.start_byte, target.end_byte if target else comma.end_byte, b"")]
    return [(comma.start_byte, comma.end_byte, b" as ")]


def _integer(node: Node, source: bytes) -> list[Edit]:
    text = source[node.start_byte : node.end_byte]
    bare = text.rstrip(b"lL")
    if _OCTAL.match(bare) and bare.strip(b"0"):
        return [(node.start_byte, node.end_byte, b"0o" + bare[1:])]
    return [(node.start_byte, node.end_byte, bare)] if bare != text else []


_HANDLERS: dict[str, Callable[[Node, bytes], list[Edit]]] = {
    "print_statement": _print,
    "exec_statement": _exec,
    "raise_statement": _raise,
    "except_clause": _except,
    "integer": _integer,
}


def _applied(source: bytes, edits: list[Edit]) -> bytes:
    pieces: list[bytes] = []
    position = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], edit[1])):
        if start < position:
            continue
        old = source[start:end]
        pieces += [source[position:start], new, b"\n" * (old.count(b"\n") - new.count(b"\n"))]
        position = end
    return b"".join([*pieces, source[position:]])
