"""Trees of nodes as plain values that can be marshalled, for another process; shared nodes stay shared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mlops_scan.documents.node import Node

Flat = tuple[list[Any], list[int]]
"""Every node once, after those that it holds, and the places of the roots."""

_SCALAR = 7  # fields kept of a scalar; other nodes have more


def flat(roots: Iterable[Node]) -> Flat:
    """The nodes below some roots."""
    places: dict[int, int] = {}
    found: list[Any] = []
    given = list(roots)
    stack = given[::-1]
    while stack:
        node = stack.pop()
        if id(node) in places:
            continue
        if node.kind != "scalar":
            inner = [child for _, child in node.entries] + list(node.items)
            waiting = [child for child in inner if id(child) not in places]
            if waiting:
                stack.append(node)
                stack += waiting
                continue
            found.append(
                (
                    *(node.kind, node.line, node.end_line, node.key_line, node.value, node.text, node.tag, node.style),
                    [key for key, _ in node.entries],
                    [places[id(child)] for child in inner],
                )
            )
        else:
            found.append((node.line, node.end_line, node.key_line, node.value, node.text, node.tag, node.style))
        places[id(node)] = len(found) - 1
    return found, [places[id(node)] for node in given]


def nodes(values: Flat) -> tuple[Node, ...]:
    """The roots of what `flat` gave."""
    found: list[Node] = []
    items: Sequence[Any]
    for items in values[0]:
        if len(items) == _SCALAR:
            line, end, key, value, text, tag, style = items
            found.append(Node("scalar", line, end, key, value, text, tag, (), (), style))
            continue
        kind, line, end, key, value, text, tag, style, names, inner = items
        children = [found[place] for place in inner]
        entries = tuple(zip(names, children, strict=False))
        found.append(Node(kind, line, end, key, value, text, tag, entries, tuple(children[len(names) :]), style))
    return tuple([found[place] for place in values[1]])
