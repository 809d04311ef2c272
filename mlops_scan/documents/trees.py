"""What the tree-sitter based parsers share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from tree_sitter import Language, Node, Parser, Tree


@cache
def _language(name: str) -> Language:
    if name == "bash":
        import tree_sitter_bash

        return Language(tree_sitter_bash.language())
    import tree_sitter_python

    return Language(tree_sitter_python.language())


def parse_tree(source: bytes, language: str) -> Tree:
    """The tree of a source text in `language` ("python" or "bash"); broken parts become ERROR nodes."""
    return Parser(_language(language)).parse(source)


def walk(root: Node) -> Iterator[Node]:
    """Every node below and including `root` in document order, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
