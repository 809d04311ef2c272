"""The positioned value that YAML, JSON and TOML parse into: one tree type, every node knows its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

Scalar = str | int | float | bool | None

EXPRESSION = "!expression"
"""The tag of a scalar that is an expression as written, not a value."""


class DocumentError(Exception):
    """A document, or a bound on one, that cannot be parsed. `line` is 1-based, 0 when not known.

    `partial` is what could be read all the same: the documents before the broken one in a file of several, or the
    result of the parser up to its bound.
    """

    def __init__(self, reason: str, line: int = 0, partial: Any = ()) -> None:
        super().__init__(reason, line, partial)
        self.reason = reason
        self.line = line
        self.partial = partial

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


class Node(Struct, frozen=True, eq=False, gc=False):
    """A mapping (`entries`), a sequence (`items`) or a scalar (`value`, `text` as written), with its position.

    `line` is where the value starts, `key_line` where its mapping key stands (equal to `line` outside mappings), both
    1-based; `tag` is an explicit custom tag such as `!reference`, or empty; `style` is `|`, `>`, `'` or `"` for a
    scalar that YAML writes so, else empty. Shared nodes (YAML aliases) are shared
    objects, so code that walks must not assume a tree without repeats; use `walk`, which is bounded. No node contains
    itself, so the garbage collector need not know of any.
    """

    kind: str  # "mapping" | "sequence" | "scalar"
    line: int
    end_line: int
    key_line: int = 0
    value: Scalar = None
    text: str = ""
    tag: str = ""
    entries: tuple[tuple[str, Node], ...] = ()
    items: tuple[Node, ...] = ()
    style: str = ""

    @property
    def text_line(self) -> int:
        """The line of a scalar's first line of text: the one below the `|` or `>` of a block scalar."""
        return self.line + 1 if self.style in ("|", ">") else self.line

    @property
    def at(self) -> int:
        """The line to show a person: the key's if there is one, else the value's."""
        return self.key_line or self.line

    def get(self, key: str) -> Node | None:
        """The value of `key`, or None where this is no mapping or has no such key. Later duplicates win."""
        for name, node in reversed(self.entries):
            if name == key:
                return node
        return None

    def path(self, *keys: str) -> Node | None:
        """Follow mapping keys; None as soon as one is missing."""
        node: Node | None = self
        for key in keys:
            if node is None:
                return None
            node = node.get(key)
        return node

    def keys(self) -> tuple[str, ...]:
        """The mapping's keys in order; empty for other kinds."""
        return tuple(name for name, _ in self.entries)

    def string(self) -> str | None:
        """The scalar as text when it is a string or a number written as one, else None."""
        if self.kind != "scalar" or self.value is None or isinstance(self.value, bool):
            return None
        return self.value if isinstance(self.value, str) else (self.text or str(self.value))

    def strings(self) -> tuple[str, ...]:
        """A scalar string as a tuple of one, a sequence of scalars as their strings, nested sequences flattened.

        Looks at 20 000 nodes at most, so that alias bombs stay bounded.
        """
        found: list[str] = []
        stack, seen = [self], 0
        while stack and seen < 20_000:
            node = stack.pop()
            seen += 1
            if node.kind == "sequence":
                stack.extend(reversed(node.items[:20_000]))
            elif (text := node.string()) is not None:
                found.append(text)
        return tuple(found)

    def number(self) -> float | None:
        """The scalar as a number; numeric-looking strings count (`lr: 1e-4` is a string in YAML 1.1), bools do not."""
        if self.kind != "scalar" or isinstance(self.value, bool) or self.value is None:
            return None
        try:
            return float(self.value)
        except (ValueError, OverflowError):
            return None

    def walk(self, limit: int = 200_000) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Every node below and including this one, with its key path (sequence positions as `[i]`), document order.

        Stops after `limit` nodes, so that alias bombs stay bounded.
        """
        stack: list[tuple[tuple[str, ...], Node]] = [((), self)]
        seen = 0
        while stack and seen < limit:
            path, node = stack.pop()
            seen += 1
            yield path, node
            if node.items:
                places = range(len(node.items) - 1, -1, -1)
                stack.extend([((*path, f"[{i}]"), node.items[i]) for i in places])
            if node.entries:
                stack.extend([((*path, name), child) for name, child in reversed(node.entries)])
