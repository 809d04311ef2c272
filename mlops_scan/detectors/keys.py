"""The keys of documents, asked before more is: in most documents none is of interest."""

from __future__ import annotations

from collections.abc import Callable

from mlops_scan.documents.node import Node


def has_key(document: Node, wanted: Callable[[str], object], limit: int) -> bool:
    """Whether a document has a key that is wanted, at whatever depth.

    Also where it has more than `limit` mappings and sequences: with aliases they may be far more than its text shows.
    """
    stack = [document]
    seen = 0
    while stack:
        node = stack.pop()
        seen += 1
        if seen > limit:
            return True
        for name, child in node.entries:
            if wanted(name):
                return True
            if child.entries or child.items:
                stack.append(child)
        stack += [child for child in node.items if child.entries or child.items]
    return False
