"""`just RECIPE` and `task NAME`: the recipes of a justfile and of a Taskfile."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.paths import join
from mlops_scan.automation.tasks.model import Line, Lookup, Task, lines
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_HEAD = regex(r"@?([A-Za-z_][\w-]*)((?:\s+[^:=\s]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s\"']\S*))?)*)\s*:(?!=)(.*)")
_NEEDED = regex(r"\(\s*([A-Za-z_][\w-]*)[^)]*\)|([A-Za-z_][\w-]*)")
JUSTFILES = ("justfile", "Justfile", ".justfile")
"""The names of the files whose recipes `just` runs."""
TASKFILES = (
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "Taskfile.dist.yaml",
)
"""The names of the files whose tasks `task` runs, in the order in which it looks for them."""
_MAX_TASKS = 40


def just(name: str, folder: str, lookup: Lookup) -> Iterator[Task]:
    """The recipe with those it needs first; the first recipe for `default` where there is none of that name."""
    path = lookup.first(folder, JUSTFILES)
    if path is None:
        return
    recipes = _recipes(lookup.documents.text(path))
    if name == "default" and name not in recipes and recipes:
        name = next(iter(recipes))
    for recipe in _in_order(name, {key: needs for key, (needs, _) in recipes.items()}):
        yield _recipe(path, recipe, recipes[recipe][1])


def _recipes(text: str) -> dict[str, tuple[list[str], list[Line]]]:
    recipes: dict[str, tuple[list[str], list[Line]]] = {}
    current: list[Line] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] in (" ", "\t"):
            if current is not None and line.strip():
                ignored = (
                    "the line begins with `-`, so just ignores its failure"
                    if line.strip().lstrip("@")[:1] == "-"
                    else ""
                )
                current.append((number, line.strip().lstrip("@-"), ignored))
        elif len(line) < 1_000 and (match := _HEAD.fullmatch(line.rstrip())) is not None:
            current = []
            needs = [a or b for a, b in _NEEDED.findall(match.group(3).partition("#")[0])]
            recipes[match.group(1)] = (needs, current)
    return recipes


def _recipe(path: str, name: str, body: list[Line]) -> Task:
    """A recipe; one that begins with a shebang is a script of its own."""
    folder = path.rpartition("/")[0]
    if body and body[0][1].startswith("#!"):
        first = body[0][0]
        text: list[str] = []
        for number, line, _ in body:
            text.extend([""] * (number - first - len(text)))
            text.append(line)
        return Task(path, name, ((first, "\n".join(text), ""),) if "sh" in body[0][1] else (), folder)
    return Task(path, name, tuple(body), folder)


def taskfile(name: str, folder: str, lookup: Lookup) -> Iterator[Task]:
    """The task with its `deps` and the tasks that its `cmds` name first."""
    path = lookup.first(folder, TASKFILES)
    document = lookup.document(path) if path is not None else None
    tasks = document.get("tasks") if document is not None else None
    if path is None or tasks is None or tasks.get(name) is None:
        return
    for found in _in_order(name, {key: _needed(node) for key, node in tasks.entries}):
        node = tasks.get(found)
        if node is None:
            continue
        body = next((part for key in ("cmds", "cmd") if (part := node.get(key)) is not None), node)
        where = node.get("dir")
        base = path.rpartition("/")[0]
        yield Task(path, found, lines(body), join(base, where.text) if where is not None else base, errexit=True)


def _needed(node: Node) -> list[str]:
    needed: list[str] = []
    for key in ("deps", "cmds"):
        for item in (node.get(key) or node).items:
            name = item.get("task") if item.kind == "mapping" else (item if key == "deps" else None)
            if name is not None and name.string():
                needed.append(name.text)
    return needed


def _in_order(name: str, needs: dict[str, list[str]]) -> list[str]:
    """A task behind all that it needs; cycles are cut."""
    order: list[str] = []
    entered: set[str] = set()
    todo = [name]
    while todo and len(order) < _MAX_TASKS:
        current = todo.pop()
        if current not in needs or current in order:
            continue
        pending = [need for need in needs[current] if need not in entered and need not in order]
        if pending and current not in entered:
            entered.add(current)
            todo.append(current)
            todo.extend(reversed(pending[:_MAX_TASKS]))
        else:
            order.append(current)
    return order
