"""Task runners: what `make train`, `just train`, `poe train`, `npm run train`, `tox` stand for in their files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_scan.automation.tasks import tables
from mlops_scan.automation.tasks.model import Lookup, Task
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

__all__ = ["Task", "Tasks"]

_HOOKS = frozenset({"pre-commit", "prek"})
RUNNERS = tables.RUNNERS | {"make", "gmake", "just", "task", "go-task", "tox", "nox", "invoke", "inv"} | _HOOKS
BARE = frozenset({"pdm", "pixi", "hatch", "rye", "pipenv"})
"""Runners whose `run NAME` the launcher rules of `documents.shell.unwrap` take away, so that only NAME is left."""

_SESSIONS = {"tox": "tox", "nox": "nox", "invoke": "invoke", "inv": "invoke"}  # runner -> function of `sessions`
_VERBS = frozenset({"run", "r", "run-script", "exec"})
_NPM_NAMES = frozenset({"test", "t", "start"})
_PASSING = frozenset({"npm", "yarn", "pnpm", "bun"})
_SETUP = regex(r"^[ \t]*[\"']?([\w-]+)[ \t]*=[ \t]*([\w.]+:\w+)", re.M)


def _passed_on(runner: str, after: tuple[str, ...]) -> str:
    """What a runner of `package.json` hands on to the script: all that stands after its name, with npm after `--`."""
    if runner not in _PASSING or (runner == "npm" and "--" not in after):
        return ""
    given = after[after.index("--") + 1 :] if "--" in after else after
    return " ".join(f'"{word}"' if "$" in word and '"' not in word else shlex.quote(word) for word in given)


class Tasks:
    """Looks tasks up in the files of one repository."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._lookup = Lookup(documents)
        self._console: dict[str, str] | None = None

    def called(self, words: tuple[str, ...], folder: str) -> Iterator[Task]:
        """The tasks that a task runner's command line runs, prerequisites first."""
        runner = words[0]
        if runner in ("make", "gmake"):
            from mlops_scan.automation.tasks import make

            yield from make.called(words, folder, self._lookup)
        elif runner in _HOOKS:
            from mlops_scan.automation.tasks import hooks

            yield from hooks.run(words, folder, self._lookup)
        elif (session := _SESSIONS.get(runner)) is not None:
            from mlops_scan.automation.tasks import sessions

            yield from getattr(sessions, session)(words, folder, self._lookup)
        else:
            yield from self._named(runner, words, folder)

    def unknown(self, words: tuple[str, ...], folder: str) -> str:
        """The task that a command line asks for and that its runner's files do not have; empty where unknown."""
        if words[0] not in ("make", "gmake"):
            return ""
        from mlops_scan.automation.tasks import make

        return make.unknown(words, folder, self._lookup)

    def _named(self, runner: str, words: tuple[str, ...], folder: str) -> Iterator[Task]:
        names = [word for word in words[1:] if not word.startswith("-") and word not in _VERBS and "=" not in word]
        if runner == "npm" and not (_VERBS.intersection(words[:3]) or _NPM_NAMES.intersection(words[1:2])):
            return  # npm install, npm ci
        if runner in ("just", "task", "go-task"):
            from mlops_scan.automation.tasks import recipes

            for name in (names or ["default"])[:5]:
                found = list((recipes.just if runner == "just" else recipes.taskfile)(name, folder, self._lookup))
                yield from found or (tables.called("task", name, folder, self._lookup) if runner == "task" else ())
        elif names:
            name = names[0].rpartition(":")[2] if runner == "hatch" else names[0]
            found = list(tables.called(runner, name, folder, self._lookup))
            more = _passed_on(runner, words[words.index(names[0]) + 1 :])
            if found and more:  # the runner puts them at the end of the task's own command
                last = found[-1]
                line, command, ignored = last.lines[-1]
                found[-1] = replace(last, lines=(*last.lines[:-1], (line, f"{command} {more}", ignored)))
            yield from found

    def named(self) -> Iterator[tuple[str, str, int]]:
        """Every task of Makefiles and of mise as (file, name, line)."""
        for path in self.documents.files:
            name = path.rpartition("/")[2]
            if name in ("Makefile", "makefile", "GNUmakefile"):
                makefile = self.documents.makefile(path)
                lines: dict[str, int] = {}  # a target of several rules stands once, where its first rule is
                for target in makefile.targets if makefile is not None else ():
                    lines.setdefault(target.name, target.line)
                for task, line in lines.items():
                    yield path, task, line
            elif name in ("mise.toml", ".mise.toml"):
                document = self._lookup.document(path)
                tasks = document.get("tasks") if document is not None else None
                for task, node in tasks.entries if tasks is not None else ():
                    yield path, task, node.at

    def console_scripts(self) -> dict[str, str]:
        """Commands that the repository's own packages install: name -> `module:function`."""
        if self._console is None:
            self._console = {}
            for path in self.documents.files:
                name = path.rpartition("/")[2]
                if name == "pyproject.toml":
                    for command, target in self._declared(path):
                        self._console.setdefault(command, target)
                elif name in ("setup.py", "setup.cfg"):
                    for command, target in _SETUP.findall(self.documents.text(path)):
                        self._console.setdefault(command, target)
        return self._console

    def _declared(self, path: str) -> Iterator[tuple[str, str]]:
        document = self._lookup.document(path)
        for keys in (("project", "scripts"), ("tool", "poetry", "scripts")):
            table = document.path(*keys) if document is not None else None
            for name, value in table.entries if table is not None else ():
                target = value.get("callable") or value.get("reference") if value.kind == "mapping" else value
                if target is not None and target.string():
                    yield name, target.string() or ""
