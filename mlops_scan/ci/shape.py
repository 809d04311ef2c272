"""Small readings of definition documents that several providers share: scalars, lists, command vectors, shell texts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci.gitlab_script import left_in, steps
from mlops_scan.ci.model import Step
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_SHELL = regex(r"(.*/)?(ba|da|z|k|a)?sh(\.exe)?")
_SHEBANG = regex(r"#!\s*(\S+)(.*)")
_MAX_WORDS = 2_000


class Script(Struct, frozen=True):
    """A shell text, the line of the file on which it begins, and how its shell takes failures."""

    text: str
    line: int
    errexit: bool = True
    pipefail: bool = False


def text(node: Node | None) -> str:
    """A scalar as written; empty for everything else."""
    if node is None or node.kind != "scalar" or node.value is None:
        return ""
    return node.value if isinstance(node.value, str) else node.text


def items(node: Node | None) -> tuple[Node, ...]:
    """The entries of a list, or nothing."""
    return node.items if node is not None else ()


def entries(node: Node | None) -> tuple[tuple[str, Node], ...]:
    """The keys and values of a mapping, or nothing."""
    return node.entries if node is not None else ()


def named(node: Node | None) -> tuple[tuple[str, Node], ...]:
    """The mappings of a list with their `name`, or those of a mapping with their key."""
    if node is None:
        return ()
    if node.kind == "mapping":
        return tuple((name, item) for name, item in node.entries if item.kind == "mapping")
    return tuple((text(item.get("name")), item) for item in node.items if item.kind == "mapping")


def words(node: Node | None) -> tuple[str, ...]:
    """A scalar, or the scalars of a list."""
    return node.strings() if node is not None else ()


def is_true(node: Node | None) -> bool:
    """Whether a flag is set."""
    return node is not None and (node.value is True or text(node) == "true")


def scalars(node: Node | None) -> Mapping[str, str]:
    """The scalar values of a mapping."""
    return {name: text(value) for name, value in entries(node) if value.kind == "scalar"}


def vector(parts: Iterable[Node | None]) -> Script | None:
    """What a container or a process given as a list of words runs: the text of `sh -c TEXT`, or the words as a line."""
    flat = [word for part in parts for word in _flat(part)][:_MAX_WORDS]
    if not flat:
        return None
    if _SHELL.fullmatch(text(flat[0])) and len(flat) > 1:
        options: list[str] = []
        for word in flat[1:]:
            value = text(word)
            if not value.startswith(("-", "+")) and value not in ("pipefail", "errexit"):
                if any(re.fullmatch(r"-[abd-zA-Z]*c[a-zA-Z]*", option) for option in options):
                    strict = any(re.fullmatch(r"-[a-df-zA-Z]*e[a-zA-Z]*", o) for o in options) or "errexit" in options
                    return Script(value, word.text_line, strict, "pipefail" in options)
                break
            options.append(value)
    return Script(shlex.join(text(word) for word in flat), flat[0].line)


def shell_text(node: Node | None, errexit: bool) -> Script | None:
    """A script text whose first line may name its interpreter; `errexit` is the provider's own shell. Shells only."""
    body = text(node)
    if node is None or not body.strip():
        return None
    match = _SHEBANG.match(body)
    if match is None:
        return Script(body, node.text_line, errexit)
    named_shell = f"{match.group(1)} {match.group(2)}".split()
    program = next((word for word in named_shell if not word.endswith("/env") and not word.startswith("-")), "")
    if not _SHELL.fullmatch(program):
        return None
    strict = any(re.fullmatch(r"-[a-df-zA-Z]*e[a-zA-Z]*", word) for word in named_shell)
    return Script(body, node.text_line, strict, "pipefail" in match.group(2))


def command_list(parts: Sequence[tuple[str, Node]], folder: str = "", block_errexit: bool = True) -> tuple[Step, ...]:
    """The lists of command lines of a job, in one shell that stops at the first failing entry.

    `parts` are values with the files that they stand in. With `block_errexit` False an entry of several lines is a
    shell text of its own, in which only the last command's failure counts.
    """
    found: list[Step] = []
    for chunk, whole in _chunks(parts, block_errexit):
        for step in steps(chunk, {}):
            place = f"{folder}/{step.folder}" if folder and step.folder else folder or step.folder
            found.append(replace(step, folder=place, errexit=not whole, pipefail=False))
        if found:
            folder = left_in(found[-1].script, found[-1].folder)
    return tuple(found)


def _chunks(parts: Sequence[tuple[str, Node]], block_errexit: bool) -> Iterator[tuple[list[tuple[str, Node]], bool]]:
    """Runs of entries that one shell text can stand for, and whether that is one entry of several lines."""
    group: list[tuple[str, Node]] = []
    for path, part in parts:
        for item in _flat(part):
            if block_errexit or "\n" not in text(item).strip():
                group.append((path, item))
                continue
            if group:
                yield group, False
            yield [(path, item)], True
            group = []
    if group:
        yield group, False


def _flat(node: Node | None) -> Iterator[Node]:
    """The non-empty scalars of a value, nested lists flattened; bounded."""
    stack, seen = [node] if node is not None else [], 0
    while stack and seen < _MAX_WORDS:
        seen += 1
        current = stack.pop()
        if current.kind == "sequence":
            stack.extend(reversed(current.items[:_MAX_WORDS]))
        elif current.string():
            yield current
