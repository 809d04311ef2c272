"""What the tree-sitter based parsers share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from tree_sitter import Language, Node, Parser, Tree

_ASCII = bytes(range(128)) + b"_" * 128


@cache
def _language(name: str) -> Language:
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
    """
    return Parser(_language(language)).parse(source.translate(_ASCII))


def walk(root: Node) -> Iterator[Node]:
    """Every node below and including `root` in document order, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
