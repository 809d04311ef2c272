"""Tasks in TOML and JSON tables: poe, pdm, hatch, taskipy, pixi, mise, rye, pipenv, npm and its kin."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mlops_scan.automation.paths import join
from mlops_scan.automation.tasks.model import Line, Lookup, Task, joined, lines
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above

_Places = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]  # file, and the tables in it; `*` is any key
_NPM: _Places = (("package.json", (("scripts",),)),)
_PLACES: dict[str, _Places] = {
    "poe": (
        ("pyproject.toml", (("tool", "poe", "tasks"),)),
        ("poe_tasks.toml", (("tasks",), ("tool", "poe", "tasks"))),
        ("poe_tasks.yaml", (("tasks",),)),
        ("poe_tasks.json", (("tasks",),)),
    ),
    "pdm": (("pyproject.toml", (("tool", "pdm", "scripts"),)),),
    "rye": (("pyproject.toml", (("tool", "rye", "scripts"),)),),
    "task": (("pyproject.toml", (("tool", "taskipy", "tasks"),)),),
    "pipenv": (("Pipfile", (("scripts",),)),),
    "hatch": (
        ("pyproject.toml", (("tool", "hatch", "envs", "*", "scripts"),)),
        ("hatch.toml", (("envs", "*", "scripts"),)),
    ),
    "pixi": (
        ("pixi.toml", (("tasks",), ("feature", "*", "tasks"))),
        ("pyproject.toml", (("tool", "pixi", "tasks"), ("tool", "pixi", "feature", "*", "tasks"))),
    ),
    "mise": tuple(
        (name, (("tasks",),))
        for name in ("mise.toml", ".mise.toml", "mise/config.toml", ".mise/config.toml", ".config/mise.toml")
    ),
    "npm": _NPM,
    "yarn": _NPM,
    "pnpm": _NPM,
    "bun": _NPM,
}
_MISE_FOLDERS = ("mise-tasks", ".mise-tasks", "mise/tasks", ".mise/tasks", ".config/mise/tasks")
_BODIES = ("cmd", "run", "shell", "cmds", "sequence", "composite", "chain", "parallel")
_FUNCTION = regex(r"([\w.]+):\w+.*", re.DOTALL)
_MAX_TASKS = 40
RUNNERS = frozenset(_PLACES)


def called(runner: str, name: str, folder: str, lookup: Lookup) -> Iterator[Task]:
    """The task of a runner with those it needs first; cycles are cut."""
    yield from _task(runner, name, folder, lookup, set())


def _task(runner: str, name: str, folder: str, lookup: Lookup, seen: set[str]) -> Iterator[Task]:
    if name in seen or len(seen) >= _MAX_TASKS:
        return
    seen.add(name)
    found = next(_entries(runner, name, folder, lookup), None)
    if found is None:
        if runner == "mise":
            yield from _mise_file(name, folder, lookup)
        return
    path, node = found
    for key in ("deps", "depends", "depends-on", "depends_on"):
        needed = node.get(key)
        for other in _names(needed) if needed is not None else ():
            yield from _task(runner, other, folder, lookup, seen)
    body = next((part for key in _BODIES if (part := node.get(key)) is not None), node)
    own: list[Line] = []
    for kind, value in _parts(runner, node, body):
        if kind == "task" and (known := list(_task(runner, value[1], folder, lookup, seen))):
            yield from known
        else:
            own.append(value)
    if own:
        base = path.rpartition("/")[0]
        where = next((n.string() for key in ("cwd", "dir", "working_dir") if (n := node.get(key)) is not None), None)
        yield Task(
            path, name, tuple(own), join(base, where) if where and "$" not in where else base, errexit=runner == "mise"
        )


def _parts(runner: str, node: Node, body: Node) -> Iterator[tuple[str, Line]]:
    """The commands of a task in order, and the names of other tasks among them ("task")."""
    for key in ("script", "call"):
        function = node.get(key)
        match = _FUNCTION.fullmatch(function.string() or "") if function is not None else None
        if function is not None and match is not None:
            yield "command", (function.text_line, f"python -m {match.group(1)}", "")
            return
    reference = node.get("ref")
    if reference is not None and reference.string():
        yield "task", (reference.line, reference.text.split()[0], "")
        return
    if body.kind == "sequence" and runner in ("pdm", "pixi") and body is node.get("cmd"):
        yield from (("command", line) for line in joined(body))
        return
    if body.kind == "sequence":
        for item in body.items[:_MAX_TASKS]:
            other = item.get("ref") or item.get("task") if item.kind == "mapping" else item
            text = (other.string() or "") if other is not None else ""
            name = re.fullmatch(r"[\w:.-]+", text)
            if name is not None:
                yield "task", (item.line, text, "")
            else:
                yield from (("command", line) for line in lines(item))
        return
    yield from (("command", line) for line in lines(body))


def _names(node: Node) -> Iterator[str]:
    for item in node.items if node.kind == "sequence" else (node,):
        name = item.get("task") if item.kind == "mapping" else item
        if name is not None and name.string():
            yield name.text.split()[0] if name.text.split() else ""


def _entries(runner: str, name: str, folder: str, lookup: Lookup) -> Iterator[tuple[str, Node]]:
    for base in above(folder):
        for file, tables in _PLACES[runner]:
            path = posixpath.join(base, file) if base else file
            document = lookup.document(path) if path in lookup.documents.files else None
            for table in tables if document is not None else ():
                for holder in _holders(document, table):
                    node = holder.get(name)
                    if node is not None:
                        yield path, node


def _holders(node: Node | None, keys: tuple[str, ...]) -> Iterator[Node]:
    if node is None:
        return
    if not keys:
        yield node
    elif keys[0] == "*":
        for _, child in node.entries:
            yield from _holders(child, keys[1:])
    else:
        yield from _holders(node.get(keys[0]), keys[1:])


def _mise_file(name: str, folder: str, lookup: Lookup) -> Iterator[Task]:
    for base in _MISE_FOLDERS:
        for suffix in ("", ".sh"):
            path = join(folder, f"{base}/{name.replace(':', '/')}{suffix}")
            text = lookup.documents.text(path) if path in lookup.documents.files else ""
            if text:
                yield Task(path, name, ((1, text, ""),), folder)
                return
