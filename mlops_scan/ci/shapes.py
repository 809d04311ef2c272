"""Small shapes that the YAML of several CI providers shares: texts, lists, and scripts given as lists of commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mlops_scan.ci import gitlab_script
from mlops_scan.ci.model import Job, Step
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents

_MAX_ITEMS = 2_000
_MAX_WORK = 10_000_000  # characters of scripts; a step and a job count for 1000 more
_MAX_CONDITION = 2_000
TOO_MANY = "stands for more steps than are followed; the rest is left out"
_EXIT_ON_ERROR = re.compile(r"(^|\s)-[a-z]*e|errexit")


def within_bounds(jobs: Iterable[Job], path: str, documents: Documents) -> tuple[Job, ...]:
    """The jobs up to a number of steps and a length of scripts that only a hostile definition exceeds.

    Aliases and lists that jobs share let a short file stand for millions of steps; later jobs are left out then, which
    is noted, and are not even made where `jobs` is an iterator.
    """
    found: list[Job] = []
    left = _MAX_WORK
    for job in jobs:
        found.append(job)
        left -= 1_000 + sum(1_000 + len(step.script) for step in job.steps)
        if left < 0:
            documents.note(path, TOO_MANY)
            break
    return tuple(found)


def text(node: Node | None) -> str:
    """A scalar as text, booleans too; empty for everything else."""
    if node is None or node.kind != "scalar" or node.value is None:
        return ""
    return node.value if isinstance(node.value, str) else node.text


def condition(node: Node | None) -> str:
    """A condition's text; cut, for no condition that a person writes is that long."""
    return text(node)[:_MAX_CONDITION]


def child(node: Node | None, *keys: str) -> Node | None:
    """The value below keys, or None."""
    return node.path(*keys) if node is not None else None


def items(node: Node | None) -> tuple[Node, ...]:
    """The entries of a list, or the one value that stands for a list of one; bounded."""
    if node is None or (node.kind == "scalar" and node.value is None):
        return ()
    return node.items[:_MAX_ITEMS] if node.kind == "sequence" else (node,)


def entries(node: Node | None) -> tuple[tuple[str, Node], ...]:
    """The keys and values of a mapping; bounded."""
    return node.entries[:_MAX_ITEMS] if node is not None else ()


def scalars(node: Node | None) -> Mapping[str, str]:
    """The scalar values of a mapping as texts."""
    return {name: text(value) for name, value in entries(node) if value.kind == "scalar"}


def is_true(node: Node | None) -> bool:
    """Whether a value is the boolean true, however it is written."""
    return text(node).lower() == "true"


def named(node: Node | None, key: str = "name") -> str:
    """A scalar, or the scalar that a mapping has under `key`."""
    return text(node.get(key) if node is not None and node.kind == "mapping" else node)


def end_of(node: Node) -> int:
    """The last line of a node, never above the line that is shown for it."""
    return max(node.at, node.end_line)


def action(node: Node, uses: str, inputs: Mapping[str, str], name: str = "") -> Step:
    """A step that is no script: an action, orb, pipe or plugin with what it is given."""
    return Step(node.at, end_of(node), name=name, script_line=node.at, uses=uses, inputs=inputs)


def joined(path: str, nodes: list[Node]) -> tuple[Step, ...]:
    """Commands of a list that one shell runs; a step ends where the next line stands further up (an alias)."""
    return gitlab_script.steps([(path, node) for node in nodes], {})


def separate(node: Node | None) -> Iterator[Step]:
    """Commands of a list that run one after the other, each for itself, in the same folder and environment."""
    folder = ""
    for item in items(node):
        found = item.items[:_MAX_ITEMS] if item.kind == "sequence" else (item,)
        for one in found:
            script = text(one)
            if script:
                yield Step(
                    one.text_line, max(one.text_line, one.end_line), script=script, script_line=one.text_line,
                    folder=folder, errexit=False,
                )  # fmt: skip
                folder = gitlab_script.left_in(script, folder)


def stops_at_errors(shell: str) -> bool:
    """Whether a shell's command line makes it stop at the first failing command."""
    return _EXIT_ON_ERROR.search(shell) is not None
