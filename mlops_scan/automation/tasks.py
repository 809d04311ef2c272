"""Task runners: what `make train`, `just train`, `poe train`, `npm run train`, `tox` stand for, as the files define it."""

from __future__ import annotations

import configparser
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents

_MAX_PREREQUISITES = 30
_JUST = re.compile(r"@?([A-Za-z_][\w-]*)(?:\s+[^:=]*)?:(?!=)\s*(.*)")


@dataclass(frozen=True, slots=True)
class Task:
    """A named task: its command lines as (line, text, why a failure is ignored or "")."""

    path: str
    name: str
    lines: tuple[tuple[int, str, str], ...]
    folder: str
    errexit: bool = True


class Tasks:
    """Looks tasks up in the files of one repository."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._console: dict[str, str] | None = None

    def called(self, words: tuple[str, ...], folder: str) -> Iterator[Task]:
        """The tasks that a task runner's command line runs, prerequisites first."""
        runner = words[0]
        if runner in ("make", "gmake"):
            yield from self._make(words, folder)
        elif runner in ("tox", "nox"):
            yield from self._tox(words, folder) if runner == "tox" else self._nox(words, folder)
        else:
            names = [word for word in words[1:] if not word.startswith("-") and word not in ("run", "r", "run-script")]
            finder = {"just": self._just, "task": self._taskfile}.get(runner, self._tables)
            for name in (names or ["default"])[:3]:
                found = list(finder(name.rpartition(":")[2] if runner == "hatch" else name, folder, 0))
                yield from found
                if found and runner not in ("just", "task"):
                    break

    # -- make --------------------------------------------------------------------------------------------------------

    def _make(self, words: tuple[str, ...], folder: str) -> Iterator[Task]:
        targets: list[str] = []
        position = 1
        while position < len(words):
            word = words[position]
            if word in ("-C", "--directory", "-f", "--file", "-j", "-l"):
                value = words[position + 1] if position + 1 < len(words) else ""
                if word in ("-C", "--directory"):
                    folder = posixpath.normpath(posixpath.join(folder, value))
                position += 2 if word != "-j" or value.isdigit() else 1
                continue
            if not word.startswith("-") and "=" not in word:
                targets.append(word)
            position += 1
        path = next((p for name in ("Makefile", "makefile", "GNUmakefile") if (p := posixpath.join(folder, name) if folder else name) in self.documents.files), None)
        makefile = self.documents.makefile(path) if path else None
        if path is None or makefile is None:
            return
        by_name = {target.name: makefile.target(target.name) or target for target in makefile.targets}
        todo = list(reversed(targets or ([makefile.default] if makefile.default else [])))
        seen: set[str] = set()
        while todo and len(seen) < _MAX_PREREQUISITES:
            name = todo.pop()
            target = by_name.get(name)
            if target is None or name in seen:
                continue
            pending = [p for p in target.prerequisites if p in by_name and p not in seen]
            if pending and f"?{name}" not in seen:
                seen.add(f"?{name}")
                todo.append(name)
                todo.extend(reversed(pending))
                continue
            seen.add(name)
            lines = tuple(
                (line, text, "the recipe line begins with `-`, so make ignores its failure" if ignored else "")
                for (line, text), ignored in zip(target.recipe, target.ignore_errors)
            )
            if lines:
                yield Task(path, name, lines, folder)

    # -- others ------------------------------------------------------------------------------------------------------

    def _just(self, name: str, folder: str, depth: int) -> Iterator[Task]:
        path = self._first(folder, ("justfile", "Justfile", ".justfile"))
        if path is None:
            return
        recipes: dict[str, tuple[list[str], list[tuple[int, str, str]]]] = {}
        current: list[tuple[int, str, str]] | None = None
        for number, line in enumerate(self.documents.text(path).split("\n"), 1):
            if line[:1] in (" ", "\t"):
                if current is not None and line.strip():
                    current.append((number, line.strip().lstrip("@-"), "the line begins with `-`" if line.strip().startswith("-") else ""))
            elif (match := _JUST.fullmatch(line.rstrip())) is not None:
                current = []
                recipes[match.group(1)] = (re.findall(r"[\w-]+", match.group(2).partition("#")[0]), current)
        for needed in (*recipes.get(name, ([], []))[0], name):
            if needed != name and depth < 5:
                yield from self._just(needed, folder, depth + 1)
            elif needed in recipes:
                yield Task(path, needed, tuple(recipes[needed][1]), folder)

    def _taskfile(self, name: str, folder: str, depth: int) -> Iterator[Task]:
        path = self._first(folder, ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml"))
        node = self._document(path).path("tasks", name) if path and self._document(path) else None
        if path is None or node is None or depth > 5:
            return
        for needed in (node.get("deps") or Node("sequence", 1, 1)).strings():
            yield from self._taskfile(needed, folder, depth + 1)
        yield Task(path, name, tuple(_lines(node.get("cmds") or node.get("cmd") or node)), folder)

    def _tables(self, name: str, folder: str, depth: int) -> Iterator[Task]:
        """Tasks in TOML and JSON tables: poe, pdm, hatch, taskipy, pixi, mise, npm."""
        if depth > 5:
            return
        for path, node in self._table_entries(name, folder):
            for key in ("depends", "deps", "depends-on", "depends_on"):
                needed = node.get(key)
                for other in needed.strings() if needed is not None else ():
                    yield from self._tables(other, folder, depth + 1)
            if node.kind == "sequence":
                for item in node.items:
                    text = item.string() or ""
                    if text and " " not in text:
                        yield from self._tables(text, folder, depth + 1)
            body = next((found for key in ("run", "cmd", "shell", "script", "cmds") if (found := node.get(key)) is not None), node)
            lines = tuple(_lines(body))
            if lines:
                yield Task(path, name, lines, folder)
            return
        yield from self._mise_file(name, folder)

    def _mise_file(self, name: str, folder: str) -> Iterator[Task]:
        for base in ("mise-tasks", ".mise/tasks", "mise/tasks", ".config/mise/tasks"):
            path = posixpath.join(folder, base, name) if folder else f"{base}/{name}"
            text = self.documents.text(path) if path in self.documents.files else ""
            if text:
                yield Task(path, name, ((1, text, ""),), folder)

    def _table_entries(self, name: str, folder: str) -> Iterator[tuple[str, Node]]:
        places = {
            "pyproject.toml": (("tool", "poe", "tasks"), ("tool", "pdm", "scripts"), ("tool", "taskipy", "tasks"), ("tool", "pixi", "tasks")),
            "pixi.toml": (("tasks",),),
            "mise.toml": (("tasks",),),
            ".mise.toml": (("tasks",),),
            "poe_tasks.toml": (("tasks",),),
            "package.json": (("scripts",),),
        }
        for file, paths in places.items():
            for base in dict.fromkeys((folder, "")):
                path = posixpath.join(base, file) if base else file
                document = self._document(path) if path in self.documents.files else None
                if document is None:
                    continue
                for keys in paths:
                    node = document.path(*keys, name)
                    if node is not None:
                        yield path, node
                if file == "pyproject.toml":
                    for _, environment in (document.path("tool", "hatch", "envs") or document).entries:
                        node = environment.path("scripts", name)
                        if node is not None:
                            yield path, node

    def _tox(self, words: tuple[str, ...], folder: str) -> Iterator[Task]:
        wanted = [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-e", "--env")]
        names = [name for value in wanted for name in value.split(",")] or [""]
        path = self._first(folder, ("tox.ini",))
        if path is not None:
            yield from self._tox_ini(path, names, folder)
            return
        path = self._first(folder, ("tox.toml", "pyproject.toml"))
        document = self._document(path) if path else None
        tox = document if path and path.endswith("tox.toml") else (document.path("tool", "tox") if document else None)
        if path is None or tox is None:
            return
        for name in names:
            commands = tox.path("env", name, "commands") or tox.path("env_run_base", "commands")
            if commands is not None:
                lines = tuple((item.line, " ".join(item.strings()), "") for item in commands.items)
                yield Task(path, name or "env_run_base", lines, folder)

    def _tox_ini(self, path: str, names: list[str], folder: str) -> Iterator[Task]:
        text = self.documents.text(path)
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            return
        for name in names:
            section = next((s for s in (f"testenv:{name}", "testenv") if parser.has_option(s, "commands")), None)
            if section is None:
                continue
            lines = []
            for command in parser.get(section, "commands").splitlines():
                plain = command.strip()
                if plain:
                    number = next((i for i, line in enumerate(text.split("\n"), 1) if plain in line), 1)
                    lines.append((number, plain.lstrip("- "), "tox ignores a command that begins with `-`" if plain.startswith("-") else ""))
            yield Task(path, section, tuple(lines), folder)

    def _nox(self, words: tuple[str, ...], folder: str) -> Iterator[Task]:
        from mlops_scan.code.extract import extract

        path = self._first(folder, ("noxfile.py",))
        document = self.documents.python(path) if path else None
        if path is None or document is None:
            return
        wanted = {words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-s", "--session", "-e", "--sessions")}
        lines = [
            (call.line, " ".join(arg for arg in call.args if arg), "")
            for call in extract(path, document.tree).calls
            if call.name.endswith(".run") and call.args and call.args[0] and (not wanted or any(call.scope == s.partition("-")[0] for s in wanted))
        ]
        if lines:
            yield Task(path, "nox", tuple(lines), folder)

    def named(self) -> Iterator[tuple[str, str, int]]:
        """Every task of Makefiles and of mise as (file, name, line)."""
        for path in self.documents.files:
            name = path.rpartition("/")[2]
            if name in ("Makefile", "makefile", "GNUmakefile"):
                makefile = self.documents.makefile(path)
                for target in makefile.targets if makefile is not None else ():
                    yield path, target.name, target.line
            elif name in ("mise.toml", ".mise.toml"):
                document = self._document(path)
                tasks = document.get("tasks") if document is not None else None
                for task, node in tasks.entries if tasks is not None else ():
                    yield path, task, node.at

    # -- console scripts ---------------------------------------------------------------------------------------------

    def console_scripts(self) -> dict[str, str]:
        """Commands that the repository's own packages install: name -> `module:function`."""
        if self._console is None:
            self._console = {}
            for path in self.documents.files:
                if path.rpartition("/")[2] == "pyproject.toml":
                    document = self._document(path)
                    for keys in (("project", "scripts"), ("tool", "poetry", "scripts")):
                        node = document.path(*keys) if document else None
                        for name, value in node.entries if node is not None else ():
                            self._console.setdefault(name, value.string() or "")
                elif path.rpartition("/")[2] in ("setup.py", "setup.cfg"):
                    for name, target in re.findall(r"^\s*[\"']?([\w-]+)\s*=\s*([\w.]+:\w+)", self.documents.text(path), re.M):
                        self._console.setdefault(name, target)
        return self._console

    # -- files -------------------------------------------------------------------------------------------------------

    def _first(self, folder: str, names: tuple[str, ...]) -> str | None:
        for base in dict.fromkeys((folder, "")):
            for name in names:
                path = posixpath.join(base, name) if base else name
                if path in self.documents.files:
                    return path
        return None

    def _document(self, path: str) -> Node | None:
        documents = self.documents.nodes(path)
        return documents[0] if documents else None


def _lines(node: Node) -> Iterator[tuple[int, str, str]]:
    if node.kind == "sequence":
        for item in node.items:
            yield from _lines(item)
    elif node.kind == "mapping":
        inner = node.get("cmd") or node.get("shell")
        if inner is not None:
            yield from _lines(inner)
    elif (text := node.string()) is not None:
        yield node.line + (1 if "\n" in text and node.end_line > node.line else 0), text, ""
