"""The keys of documents, asked before more is: in most documents none is of interest."""

from __future__ import annotations

from collections.abc import Callable

from mlops_scan.documents.node import Node

_MAX_ARGUMENTS = 200


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


def run_argument(document: Node, wanted: Callable[[str], bool]) -> tuple[str, int] | None:
    """The first wanted one among the options that a run configuration of Azure ML hands to its script, with its line.

    Fact: https://learn.microsoft.com/python/api/azureml-core/azureml.core.runconfiguration
    """
    arguments = document.get("arguments")
    if arguments is None or document.get("script") is None or document.get("framework") is None:
        return None
    options = ((item, item.string() or "") for item in arguments.items[:_MAX_ARGUMENTS])
    names = ((item.line, text[2:].replace("-", "_")) for item, text in options if text.startswith("--"))
    return next(((name, line) for line, name in names if wanted(name)), None)
