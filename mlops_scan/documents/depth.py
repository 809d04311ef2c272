"""Python that nests too deep: chains written as lists, so that every part of them is kept, and what is left blanked.

CPython gives no tree for some thousand `elif`, terms of a sum or chained calls, though each of them is harmless.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from mlops_scan.documents.bounds import MAX_DEPTH
from mlops_scan.documents.repair import passed, span
from mlops_scan.documents.trees import parse_tree

if TYPE_CHECKING:
    from tree_sitter import Node

_LONG_STATEMENT = 400  # characters; shorter ones cannot nest deep enough to matter
_CHAIN = 100  # links of one chain that stay as they are
_BLOCKS = ("body", "orelse", "finalbody")
_COMPOUND: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in _BLOCKS if field in kind._fields)
    for kind in ast.stmt.__subclasses__()
    if "body" in kind._fields or "cases" in kind._fields
}
"""The kinds of statements that hold others, and their fields that are lists of statements."""
_NO_EXPRESSIONS = frozenset({"id", "attr", "arg", "name", "names", "ctx", "op", "ops", "kind", "type_comment"})
_PARTS: tuple[type[ast.AST], ...] = (ast.keyword, ast.arguments, ast.arg, ast.comprehension, ast.withitem)
_EXPRESSIONS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field not in {*_NO_EXPRESSIONS, *_COMPOUND.get(kind, ())})
    for base in (ast.stmt, ast.expr)
    for kind in base.__subclasses__()
    if kind is not ast.Constant
} | {kind: kind._fields for kind in _PARTS}
"""The kinds of nodes that are measured, and their fields that may hold expressions."""
_INSIDE = frozenset(kind for kind in _EXPRESSIONS if not issubclass(kind, ast.stmt)) | {ast.Constant}
_HOLDING = frozenset(kind for kind in _INSIDE if _EXPRESSIONS.get(kind))
_LEFT: dict[type[ast.AST], str] = {
    ast.BinOp: "left",
    ast.Attribute: "value",
    ast.Subscript: "value",
    ast.Call: "func",
}
"""The field that holds a chain up to its last link."""

Edit = tuple[int, int, bytes]  # from, to, replacement: byte offsets in the source


def flattened(text: str) -> str:
    """The text with long chains cut, same number of lines: `a + b + …` as a tuple, every 100th `elif` as an `if`."""
    source = text.encode()
    edits: list[Edit] = []
    stack = [(parse_tree(source, "python").root_node, "")]
    while stack:
        node, above = stack.pop()
        children = node.children
        if node.type == "if_statement":
            clauses = [child for child in children if child.type == "elif_clause"]
            keywords = (clause.children[0] for clause in clauses[_CHAIN - 1 :: _CHAIN])
            edits += [(word.start_byte, word.end_byte, b"if  ") for word in keywords]
        elif node.type == "binary_operator" and above != node.type:
            edits += _as_tuple(node)
        stack.extend((child, node.type) for child in children)
    pieces: list[bytes] = []
    position = 0
    for start, end, new in sorted(edits):
        pieces += [source[position:start], new]
        position = end
    return b"".join([*pieces, source[position:]]).decode()


def _as_tuple(top: Node) -> list[Edit]:
    """The edits that put commas for the operators of a long chain, and parentheses around it."""
    operators: list[Node] = []
    stack = [top]
    while stack:
        for child in stack.pop().children:
            if child.type == "binary_operator":
                stack.append(child)
            elif not child.is_named:
                operators.append(child)
    if len(operators) < _CHAIN:
        return []
    edits: list[Edit] = [(node.start_byte, node.end_byte, b",") for node in operators]
    return [(top.start_byte, top.start_byte, b"("), *edits, (top.end_byte, top.end_byte, b")")]


def without_deep_lines(text: str) -> str:
    """The text with statements blanked that tree-sitter finds to nest deeper than MAX_DEPTH."""
    lines = text.split("\n")
    root = parse_tree(text.encode(), "python").root_node
    stack = [(root, 0, root)]
    while stack:
        node, depth, statement = stack.pop()
        if node.type in ("module", "block") or node.type.endswith(("_statement", "_definition")):
            depth, statement = 0, node
        elif depth > MAX_DEPTH:
            start, end = span(statement)
            if lines[start].strip() != "pass":
                lines = passed(lines, start, end)
            continue
        flat = node.type == "boolean_operator"  # one node with many values in the standard tree
        stack.extend((child, depth + (not (flat and child.type == node.type)), statement) for child in node.children)
    return "\n".join(lines)


def deep_statements(tree: ast.Module, text: str) -> Iterator[tuple[int, int]]:
    """The line ranges of statements, or headers of blocks, whose expressions nest deeper than MAX_DEPTH.

    What stands at the left end of a chain (`a` in `a + b`, `a.b`, `a()`) is not deeper than the chain: nothing follows
    chains by recursion. Only statements of many characters can be deep, so only those are measured.
    """
    sizes = list(map(len, text.split("\n")))
    offsets = list(accumulate(sizes, initial=0))
    short = max(sizes) <= _LONG_STATEMENT  # then no statement of one line is long
    stack: list[ast.stmt] = []
    blocks: list[list[ast.stmt]] = [tree.body]
    while True:
        for block in reversed(blocks):
            stack += [
                statement
                for statement in reversed(block)
                if statement.__class__ in _COMPOUND or not short or statement.lineno != statement.end_lineno
            ]
        if not stack:
            return
        statement = stack.pop()
        start, end = statement.lineno, statement.end_lineno or statement.lineno
        blocks = _blocks(statement) if type(statement) in _COMPOUND else []
        if blocks:
            first = blocks[0][0].lineno if len(blocks) == 1 else min([block[0].lineno for block in blocks])
            end = max(start, first - 1)
        if start == end and short:
            continue
        if offsets[end] - offsets[start - 1] > _LONG_STATEMENT and _is_deep(statement):
            yield start, end


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The non-empty statement lists inside a compound statement."""
    fields = _COMPOUND[type(statement)]
    blocks: list[list[ast.stmt]] = [block for field in fields if (block := getattr(statement, field))]
    if isinstance(statement, ast.Match):
        blocks += [case.body for case in statement.cases]
    elif "finalbody" in fields:
        blocks += [handler.body for handler in statement.handlers]  # type: ignore[attr-defined]
    return blocks


def _is_deep(statement: ast.stmt) -> bool:
    """Whether the expressions of a statement, without those of the blocks in it, nest deeper than MAX_DEPTH."""
    level: list[ast.AST] = [statement]
    for depth in range(MAX_DEPTH + 1):
        wanted = _HOLDING if depth < MAX_DEPTH else _INSIDE  # names and constants count as the last level only
        below: list[ast.AST] = []
        for node in level:  # which grows: the left end of a chain is on the level of the chain
            kind = type(node)
            left = _LEFT.get(kind)
            for field in _EXPRESSIONS.get(kind, ()):
                value = getattr(node, field)
                if value.__class__ is list:
                    below += [item for item in value if item.__class__ in wanted]
                elif value.__class__ in wanted:
                    (level if field == left else below).append(value)
        if not below:
            return False
        level = below
    return True
