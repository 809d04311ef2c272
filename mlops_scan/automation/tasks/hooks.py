"""`pre-commit run`: the hooks that a repository defines itself, each a command of its own.

Fact: https://pre-commit.com/#repository-local-hooks, https://pre-commit.com/#confining-hooks-to-run-at-certain-stages
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from mlops_scan.automation.tasks.model import Lookup, Task
from mlops_scan.documents.node import Node

FILES = (".pre-commit-config.yaml", ".pre-commit-config.yml")
"""The names of the files that say which hooks there are."""
_STAGE = frozenset({"pre-commit", "commit"})  # what `run` stands for; `commit` is its old name
_NO_PROGRAM = frozenset({"fail", "pygrep"})  # languages whose `entry` is a text
_VALUES = frozenset({"--hook-stage", "-c", "--config", "--files", "--from-ref", "--to-ref", "--color"})
_MAX_HOOKS = 50


def run(words: tuple[str, ...], folder: str, lookup: Lookup) -> Iterator[Task]:
    """The local hooks that `pre-commit run [ID]` runs."""
    path = lookup.first(folder, FILES) if words[1:2] == ("run",) else None
    document = lookup.document(path) if path is not None else None
    repositories = document.get("repos") if document is not None else None
    if path is None or repositories is None:
        return
    wanted = _wanted(words[2:])
    for repository in repositories.items[:_MAX_HOOKS]:
        if _text(repository.get("repo")) != "local":
            continue
        hooks = repository.get("hooks")
        for hook in hooks.items[:_MAX_HOOKS] if hooks is not None else ():
            name = _text(hook.get("id"))
            if _runs(hook) and wanted in ("", name):
                yield _task(path, name, hook)


def _wanted(words: tuple[str, ...]) -> str:
    """The hook that a command names, or empty for all."""
    names = (w for before, w in zip(("", *words), words, strict=False) if before not in _VALUES and w[:1] != "-")
    return next(names, "")


def _runs(hook: Node) -> bool:
    """Whether a hook has a program that is run at the usual stage."""
    stages = hook.get("stages")
    return _text(hook.get("language")) not in _NO_PROGRAM and (
        stages is None or not stages.items or not _STAGE.isdisjoint(stages.strings())
    )


def _task(path: str, name: str, hook: Node) -> Task:
    entry, given = hook.get("entry"), hook.get("args")
    if entry is None or not _text(entry):
        return Task(path, name, (), "")
    more = shlex.join(given.strings()) if given is not None else ""
    return Task(path, name, ((entry.text_line, f"{_text(entry)} {more}".rstrip(), ""),), path.rpartition("/")[0])


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")
