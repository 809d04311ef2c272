"""Python as a standard syntax tree whose line numbers are those of the file, however broken the file is."""

from __future__ import annotations

import ast

from msgspec import Struct

from mlops_scan.documents.bounds import check_size, check_words, encodable, too_deep, unix_lines
from mlops_scan.documents.node import DocumentError

DATABRICKS_HEADER = "# Databricks notebook source"

_STAND_INS = frozenset(
    {"", "pass", "elif True:", "if True:", "while True:", "with open(''):", "try:", "else:", "class _:"}
)


class PythonDocument(Struct, frozen=True):
    """A parsed Python text.

    `text` is what was written, with the line ends of Unix, `repaired` the 1-based numbers of the lines that had to be
    changed or blanked to make it parse; nodes of `tree` on other lines are exact. `lost` are those of them whose
    statement could not be read at all (Python 2, template tags and magics are rewritten, not lost).
    """

    tree: ast.Module
    text: str
    repaired: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    databricks_notebook: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines as written."""
        return tuple(self.text.split("\n"))


def parse(text: str, tree: ast.Module | None = None) -> PythonDocument:
    """The tree of a Python text. `tree` is that of the text as it is, where it is known already.

    What does not parse (Python 2, template tags, IPython magics, conflict markers, broken statements, statements nested
    deeper than 200) is rewritten or blanked in place. Raises DocumentError for more than 2 MB or 400 000 words and
    where nothing parses.
    """
    check_size(text)
    check_words(text)
    text = unix_lines(text.removeprefix("\ufeff"))
    clean = encodable(text).replace("\0", " ")
    tree, parsed = parse_repaired(clean, tree if clean == text else None)
    changed: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    if parsed != text:
        pairs = list(zip(text.split("\n"), parsed.split("\n"), strict=True))
        changed = tuple(n for n, (a, b) in enumerate(pairs, 1) if a != b)
        lost = tuple(n for n in changed if _stands_in(*pairs[n - 1]))
    return PythonDocument(tree, text, changed, lost, text.startswith(DATABRICKS_HEADER))


def _stands_in(before: str, after: str) -> bool:
    """Whether a line is what the repair puts in place of a statement that it cannot read; template tags are read."""
    if "{{" in before or "{%" in before or "(*args, **kwargs)" in before:
        return False
    return after.strip() in _STAND_INS or "(*args, **kwargs)" in after


def parse_repaired(text: str, known: ast.Module | None = None) -> tuple[ast.Module, str]:
    """The tree of a clean text (`known`, if it is), and the text that it is the tree of: the same number of lines.

    Raises DocumentError where nothing parses.
    """
    from mlops_scan.documents import depth, repair

    tree = known or repair.try_parse(text)
    if isinstance(tree, repair.Failure) and tree.deep and len(text) <= repair.MAX_CHARACTERS:
        text = depth.flattened(text)
        tree = repair.try_parse(text)
    if isinstance(tree, repair.Failure):
        fixed = repair.repaired(
            depth.without_deep_lines(text) if tree.deep and len(text) <= repair.MAX_CHARACTERS else text
        )
        if isinstance(fixed, repair.Failure):
            raise DocumentError(fixed.reason, fixed.line)
        text = fixed
        tree = repair.try_parse(text)
        if isinstance(tree, repair.Failure):
            raise DocumentError(tree.reason, tree.line)
    deep = list(depth.deep_statements(tree, text))
    if deep:
        lines = text.split("\n")
        for start, end in deep:
            lines = repair.passed(lines, start - 1, end)
        text = "\n".join(lines)
        tree = repair.try_parse(text)
        if isinstance(tree, repair.Failure):
            raise too_deep(deep[0][0])
    return tree, text
