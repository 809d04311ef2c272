"""What a task runner's task is read into, and what all runners' readers share."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above

if TYPE_CHECKING:
    from mlops_scan.documents.makefile import Target

Line = tuple[int, str, str]
"""The line in the file, the command, and why its failure is ignored (or "")."""

_SECTION = regex(r"\s*\[([^\]]+)\]\s*(?:[#;].*)?")
_OPTION = regex(r"([\w.\-/]+(?: +[\w.\-/]+)*)\s*[=:]\s*(.*)")


class Task(Struct, frozen=True):
    """A named task with its command lines, each run by a shell of its own.

    `errexit` says whether that shell stops at the first failing command of a line. `entry` is the function that the
    runner calls, its scope and its line, where the task is code that starts no command by itself.
    """

    path: str
    name: str
    lines: tuple[Line, ...]
    folder: str
    errexit: bool = False
    entry: tuple[str, int] | None = None


class Lookup:
    """Finds the files that task runners read."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.rules: dict[tuple[str, str], dict[str, tuple[str, Target]]] = {}  # of makefiles, by path and folder

    def first(self, folder: str, names: tuple[str, ...]) -> str | None:
        """The first of the files that is in `folder`, or in one above it, nearest first."""
        for base in above(folder):
            for name in names:
                path = posixpath.join(base, name) if base else name
                if path in self.documents.files:
                    return path
        return None

    def document(self, path: str) -> Node | None:
        """The (first) document of a YAML, JSON or TOML file."""
        documents = self.documents.nodes(path)
        return documents[0] if documents else None


def lines(node: Node) -> tuple[Line, ...]:
    """The command lines of a string, a list of strings, or a mapping with a `cmd` or `shell`; looks 3 levels deep."""
    return tuple(_lines(node, 0))


def _lines(node: Node, depth: int) -> Iterator[Line]:
    if depth > 3:
        return
    if node.kind == "sequence":
        for item in node.items[:200]:
            yield from _lines(item, depth + 1)
    elif node.kind == "mapping":
        inner = node.get("cmd") or node.get("shell")
        if inner is not None:
            yield from _lines(inner, depth + 1)
    elif (text := node.string()) is not None:
        yield node.text_line, text, ""


def joined(node: Node) -> tuple[Line, ...]:
    """A command given as a string or as a list of its words."""
    return ((node.line, shlex.join(node.strings()), ""),) if node.kind == "sequence" else lines(node)


def ini_values(text: str, section: str, option: str) -> tuple[tuple[int, str], ...] | None:
    """The lines of an option's value in INI text, each with its line number; None where the option is not given."""
    found: list[tuple[int, str]] | None = None
    inside = current = False
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] not in (" ", "\t") and (match := _SECTION.fullmatch(line)) is not None:
            inside, current = match.group(1).strip() == section, False
        elif not inside or line.lstrip().startswith(("#", ";")):
            continue
        elif line[:1] in (" ", "\t"):
            if current and found is not None and line.strip():
                found.append((number, line.strip()))
        elif (match := _OPTION.fullmatch(line)) is not None:
            current = match.group(1).strip() == option
            if current:
                found = [(number, match.group(2).strip())] if match.group(2).strip() else []
    return None if found is None else tuple(found)
