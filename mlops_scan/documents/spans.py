"""Where the nodes of a tree-sitter syntax tree stand, as lines from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_scan.documents.node import Node

if TYPE_CHECKING:
    from tree_sitter import Node as Tree


def line_of(tree: Tree) -> int:
    """The line on which a node begins."""
    return int(tree.start_point[0]) + 1


def end_of(tree: Tree) -> int:
    """The line on which a node ends."""
    return int(tree.end_point[0]) + 1


def mapping_of(entries: tuple[tuple[str, Node], ...]) -> Node:
    """A mapping that spans its entries, of which there is at least one."""
    line = min(node.at for _, node in entries)
    return Node("mapping", line, max(node.end_line for _, node in entries), line, entries=entries)
