"""Python as a standard syntax tree whose line numbers are those of the file, however broken the file is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from mlops_scan.documents.bounds import MAX_DEPTH, check_size, encodable, too_deep, unix_lines
from mlops_scan.documents.node import DocumentError

DATABRICKS_HEADER = "# Databricks notebook source"

_STAND_INS = frozenset(
    {"", "pass", "elif True:", "if True:", "while True:", "with open(''):", "try:", "else:", "class _:"}
)
_LONG_STATEMENT = 400  # characters; shorter ones cannot nest deep enough to matter


@dataclass(frozen=True, slots=True)
class PythonDocument:
    """A parsed Python text.

    `lines` are the lines as written, `repaired` the 1-based numbers of those that had to be changed or blanked to make
    the text parse; nodes of `tree` on other lines are exact. `lost` are those of them whose statement could not be read
    at all (Python 2, template tags and magics are rewritten, not lost).
    """

    tree: ast.Module
    lines: tuple[str, ...]
    repaired: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    databricks_notebook: bool = False


def parse(text: str) -> PythonDocument:
    """The tree of a Python text.

    What does not parse (Python 2, template tags, IPython magics, conflict markers, broken statements, statements nested
    deeper than 200) is rewritten or blanked in place. Raises DocumentError for more than 2 MB and where nothing parses.
    """
    check_size(text)
    text = unix_lines(text.removeprefix("\ufeff"))
    clean = encodable(text).replace("\0", " ")
    tree, parsed = parse_repaired(clean)
    lines = text.split("\n")
    changed: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    if parsed != text:
        pairs = list(zip(lines, parsed.split("\n"), strict=True))
        changed = tuple(n for n, (a, b) in enumerate(pairs, 1) if a != b)
        lost = tuple(n for n in changed if _stands_in(*pairs[n - 1]))
    return PythonDocument(tree, tuple(lines), changed, lost, text.startswith(DATABRICKS_HEADER))


def _stands_in(before: str, after: str) -> bool:
    """Whether a line is what the repair puts in place of a statement that it cannot read; template tags are read."""
    if "{{" in before or "{%" in before or "(*args, **kwargs)" in before:
        return False
    return after.strip() in _STAND_INS or "(*args, **kwargs)" in after


def parse_repaired(text: str) -> tuple[ast.Module, str]:
    """The tree of a clean text, and the text that it is the tree of: the same number of lines.

    Raises DocumentError where nothing parses.
    """
    from mlops_scan.documents import repair

    tree = repair.try_parse(text)
    if isinstance(tree, repair.Failure):
        shallow = _without_deep_lines(text) if tree.deep else text
        fixed = repair.repaired(shallow)
        if isinstance(fixed, repair.Failure):
            raise DocumentError(fixed.reason, fixed.line)
        text = fixed
        tree = repair.try_parse(text)
        if isinstance(tree, repair.Failure):
            raise DocumentError(tree.reason, tree.line)
    deep = list(_deep_statements(tree, text))
    if deep:
        lines = text.split("\n")
        for start, end in deep:
            indent = lines[start - 1][: len(lines[start - 1]) - len(lines[start - 1].lstrip())]
            lines[start - 1 : end] = [indent + "pass", *[""] * (end - start)]
        text = "\n".join(lines)
        tree = repair.try_parse(text)
        if isinstance(tree, repair.Failure):
            raise too_deep(deep[0][0])
    return tree, text


def _deep_statements(tree: ast.Module, text: str) -> Iterator[tuple[int, int]]:
    """The line ranges of simple statements whose expressions nest deeper than MAX_DEPTH.

    Only statements of many characters can, so only those are measured. Raises DocumentError where blocks, or the
    header of a block, nest as deep.
    """
    offsets: list[int] = [0]
    for line in text.split("\n"):
        offsets.append(offsets[-1] + len(line))
    stack: list[tuple[ast.stmt, int]] = [(statement, 1) for statement in reversed(tree.body)]
    while stack:
        statement, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise too_deep(statement.lineno)
        start, end = statement.lineno, statement.end_lineno or statement.lineno
        blocks = _blocks(statement)
        if blocks:
            stack.extend((inner, depth + 1) for block in reversed(blocks) for inner in reversed(block))
            end = max(start, min(block[0].lineno for block in blocks))
        if offsets[end] - offsets[start - 1] > _LONG_STATEMENT and _depth_exceeds(statement, bool(blocks)):
            if blocks:
                raise too_deep(start)
            yield start, end


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The non-empty statement lists inside a compound statement."""
    blocks: list[list[ast.stmt]] = []
    for field in ("body", "orelse", "finalbody"):
        block = getattr(statement, field, None)
        if block:
            blocks.append(block)
    for field in ("handlers", "cases"):
        blocks.extend(part.body for part in getattr(statement, field, ()))
    return blocks


def _depth_exceeds(statement: ast.stmt, header_only: bool) -> bool:
    level: list[ast.AST] = [statement]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in ast.iter_child_nodes(node)
            if not (header_only and isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case))
        ]
        if not level:
            return False
    return True


def _without_deep_lines(text: str) -> str:
    """The text with statements blanked that tree-sitter finds to nest deeper than MAX_DEPTH."""
    from mlops_scan.documents.trees import parse_tree

    lines = text.split("\n")
    stack = [(parse_tree(text.encode(), "python").root_node, 0, 0, 0)]
    while stack:
        node, depth, start, end = stack.pop()
        if node.type in ("module", "block") or node.type.endswith(("_statement", "_definition")):
            depth, start, end = 0, node.start_point.row, node.end_point.row
        elif depth > MAX_DEPTH:
            if lines[start].strip() != "pass":
                indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
                lines[start : end + 1] = [indent + "pass", *[""] * (end - start)]
            continue
        stack.extend((child, depth + 1, start, end) for child in node.children)
    return "\n".join(lines)
