"""What the tree-sitter based parsers share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from mlops_scan.documents.node import DocumentError

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Tree

_SLOW_ON_ERRORS = frozenset({"hcl", "bicep"})  # their recovery takes quadratic time on some broken texts
_MAX_READS = 300_000  # pieces asked for in all, some 3 s; valid files ask for each about once
_PIECE = 2048  # bytes handed to the grammar at a time
_ASCII = bytes(range(128)) + b"_" * 128


@cache
def _language(name: str) -> Language:
    from tree_sitter import Language

    if name == "bash":
        import tree_sitter_bash

        return Language(tree_sitter_bash.language())
    if name == "hcl":
        import tree_sitter_hcl

        return Language(tree_sitter_hcl.language())
    if name == "typescript":
        import tree_sitter_typescript

        return Language(tree_sitter_typescript.language_typescript())
    if name == "bicep":
        import tree_sitter_bicep

        return Language(tree_sitter_bicep.language())
    import tree_sitter_python

    return Language(tree_sitter_python.language())


def parse_tree(source: bytes, language: str) -> Tree:
    """The tree of a source text; broken parts become ERROR nodes.

    `language` is "python", "bash", "hcl", "typescript" or "bicep".

    The grammar sees `_` for every byte outside ASCII: the scanner of tree-sitter-bash looks wide characters up in a
    table of 256 and can crash the process (its issue 337). Offsets do not change, so take the text of a node from
    `source`, not from the node.

    Raises:
        DocumentError: the text makes the grammar go over it again and again (only grammars that can).
    """
    from tree_sitter import Parser

    plain = source.translate(_ASCII)
    if language not in _SLOW_ON_ERRORS:
        return Parser(_language(language)).parse(plain)
    reads = 0  # counted, not timed: the same file is read or refused on every machine

    def read(offset: int, _: object) -> bytes:
        nonlocal reads
        reads += 1
        return b"" if reads > _MAX_READS else plain[offset : offset + _PIECE]

    tree = Parser(_language(language)).parse(read)
    if reads > _MAX_READS:
        raise DocumentError("so broken that the grammar goes over it again and again, not read")
    return tree


def walk(root: Node) -> Iterator[Node]:
    """Every node below and including `root` in document order, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
