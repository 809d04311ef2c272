"""The script of a GitLab job as steps whose lines are those of the file: lists, blocks, `!reference`, other files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mlops_scan.ci.model import Step
from mlops_scan.documents.node import Node

_MAX_NESTING = 11
_MAX_LINES = 2_000  # entries of one job's script
_MAX_GAP = 60  # lines between two entries that are still one step
_CHANGE_FOLDER = re.compile(r"\s*cd\s+([\w./-]+)\s*(?:&&.*)?")

Placed = tuple[str, Node]  # a file and a value in it


def steps(parts: Sequence[Placed], entries: Mapping[str, Placed]) -> tuple[Step, ...]:
    """The parts of a job's script in order; a step ends where the next line stands further up or in another file."""
    found: list[Step] = []
    group: list[Placed] = []
    folder = ""
    for path, item in _flat(parts, entries):
        if group and (path != group[0][0] or not 0 <= item.text_line - _end(group[-1][1]) <= _MAX_GAP):
            found.append(_step(group, folder))
            folder = left_in(found[-1].script, folder)
            group = []
        group.append((path, item))
    if group:
        found.append(_step(group, folder))
    return tuple(found)


def _end(node: Node) -> int:
    """The line behind a scalar's last line of text as the script will have it."""
    return node.text_line + len((node.string() or "").rstrip("\n").split("\n"))


def _step(group: Sequence[Placed], folder: str) -> Step:
    path, first = group[0]
    lines: list[str] = []
    for _, item in group:
        lines.extend([""] * (item.text_line - first.text_line - len(lines)))
        lines.extend((item.string() or "").rstrip("\n").split("\n"))
    return Step(
        line=first.text_line,
        end_line=max(first.text_line, group[-1][1].end_line),
        script="\n".join(lines),
        script_line=first.text_line,
        folder=folder,
        pipefail=True,
        path=path,
    )


def left_in(script: str, folder: str) -> str:
    """The folder in which a script leaves the shell that the job's next step goes on with."""
    for line in script.split("\n"):
        match = _CHANGE_FOLDER.fullmatch(line)
        if match is not None and not match.group(1).startswith("/"):
            folder = f"{folder}/{match.group(1)}" if folder else match.group(1)
    return folder


def _flat(parts: Sequence[Placed], entries: Mapping[str, Placed]) -> Iterator[Placed]:
    """Every scalar of a script, references followed; bounded for aliases and references that multiply."""
    stack: list[tuple[str, Node, int]] = [(path, node, 0) for path, node in reversed(parts)]
    budget = _MAX_LINES
    while stack and budget > 0:
        budget -= 1
        path, node, depth = stack.pop()
        if depth > _MAX_NESTING:
            continue
        if node.tag == "!reference":
            target = _target(node.strings(), entries)
            if target is not None:
                stack.append((*target, depth + 1))
        elif node.kind == "sequence":
            stack.extend((path, item, depth) for item in reversed(node.items[:budget]))
        elif node.string():
            yield path, node


def _target(names: tuple[str, ...], entries: Mapping[str, Placed]) -> Placed | None:
    """The value that `!reference [job, key]` names."""
    if not names or names[0] not in entries:
        return None
    path, node = entries[names[0]]
    value = node.path(*names[1:])
    return (path, value) if value is not None else None
