"""Small shapes that all kinds of declared pipelines share."""

from __future__ import annotations

import shlex

from mlops_scan.automation.paths import join
from mlops_scan.documents.node import Node


def folder_of(path: str) -> str:
    """The folder of a file, empty at the root."""
    return path.rpartition("/")[0]


def below(folder: str, name: str) -> str:
    """The folder that `name` is as seen from `folder`; `folder` itself for names with expressions."""
    return folder if not name or "$" in name or "{" in name or ":" in name else join(folder, name.strip())


def text(node: Node | None) -> str:
    """A scalar's text, empty for anything else."""
    return "" if node is None else (node.string() or "")


def listed(node: Node | None) -> tuple[str, ...]:
    """A string, or a list of strings, as a tuple; empty for nothing."""
    return node.strings() if node is not None else ()


def command(node: Node | None) -> tuple[str, int]:
    """A command given as a string, as a list of words, or as a list of lines; with the line of its first line."""
    if node is None:
        return "", 0
    if node.kind != "sequence":
        return text(node), node.text_line
    words = node.strings()
    if not any(" " in word or "\n" in word for word in words[:1]):
        return shlex.join(words), node.line
    return script(node)


def script(node: Node) -> tuple[str, int]:
    """A list of command lines as one text, each on the line of the file that it has there."""
    lines: list[str] = []
    items = [item for item in node.items if item.string()]
    if node.kind != "sequence" or not items:
        return text(node), node.text_line
    first = items[0].text_line
    for item in items[:500]:
        lines.extend([""] * min(100, item.text_line - first - len(lines)))
        lines.extend((item.string() or "").rstrip("\n").split("\n"))
    return "\n".join(lines), first


def switched_off(node: Node | None, key: str = "suspend") -> str:
    """Why a clock does not tick, or empty."""
    return f"`{key}: true`" if node is not None and node.value is True else ""


def embedded(source: str) -> frozenset[str]:
    """Activities that Python source embedded in a compiled pipeline shows, by its calls (read, never run)."""
    return frozenset(activity for needle, activity in _CALLS if needle in source)


_CALLS = (
    (".fit(", "train"),
    (".train(", "train"),
    (".backward(", "train"),
    (".predict(", "predict"),
    ("_score(", "evaluate"),
    ("mean_squared_error(", "evaluate"),
)
