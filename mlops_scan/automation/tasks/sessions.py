"""`tox`, `nox` and `invoke`: environments and sessions with their commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_scan.automation.tasks.model import Line, Lookup, Task, ini_values
from mlops_scan.code.facts import Call, Function, Module
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_FACTORS = regex(r"\{([^{},]*)(?:,[^{}]*)?\}")
_SEPARATOR = regex(r"[,\s]+")
_FACTOR = regex(r"[\w{},!.-]+:\s+(?=\S)")
_POSITIONAL = regex(r"\{posargs(?::([^{}]*))?\}|\[\]")
_REFERENCE = regex(r"\{\[([^\]{}]+)\](\w+)\}")
_FOLDERS = regex(r"\{(?:toxinidir|tox_root)\}/")
_PYTHON = regex(r"\{(?:envpython|env_python)\}")
_IGNORED = "tox ignores the failure of a command that begins with `-`"
_MAX_ENVIRONMENTS = 20
_MAX_NEEDED = 10  # tasks of invoke, each needed by the one before
_COMMANDS = ("commands_pre", "commands", "commands_post")


# -- tox -------------------------------------------------------------------------------------------------------------


def tox(words: tuple[str, ...], folder: str, lookup: Lookup) -> Iterator[Task]:
    """The commands of the environments that `tox …` runs; all listed ones without `-e`."""
    arguments = words[words.index("--") + 1 :] if "--" in words else ()
    own = words[: words.index("--")] if "--" in words else words
    wanted = [own[i + 1] for i, word in enumerate(own[:-1]) if word in ("-e", "--env")]
    wanted += [word.partition("=")[2] for word in own if word.startswith("--env=")]
    names = tuple(name for value in wanted for name in value.split(",") if name)
    for file, prefix in (("tox.ini", ""), ("setup.cfg", "tox:")):
        path = lookup.first(folder, (file,))
        text = lookup.documents.text(path) if path is not None else ""
        if path is not None and "[testenv" in text:
            yield from _ini(path, text, prefix, names, arguments)
            return
    for file, keys in (("tox.toml", ()), ("pyproject.toml", ("tool", "tox"))):
        path = lookup.first(folder, (file,))
        document = lookup.document(path) if path is not None else None
        table = document.path(*keys) if document is not None else None
        if path is None or table is None:
            continue
        legacy = table.get("legacy_tox_ini")
        if legacy is not None and legacy.string():
            text = "\n" * (legacy.line - 1) + (legacy.string() or "")
            yield from _ini(path, text, "", names, arguments)
        else:
            yield from _toml(path, table, names, arguments)
        return


def _ini(path: str, text: str, prefix: str, names: tuple[str, ...], arguments: tuple[str, ...]) -> Iterator[Task]:
    main = f"{prefix}tox" if prefix else "tox"
    listed = ini_values(text, main, "envlist") or ini_values(text, main, "env_list") or ()
    for name in _environments(names, " ".join(value for _, value in listed)):
        lines: list[Line] = []
        for option in _COMMANDS:
            own = ini_values(text, f"testenv:{name}", option) if name else None
            base = ini_values(text, "testenv", option)
            lines.extend(_commands(text, own if own is not None else base or (), name, arguments, 0))
        if lines:
            yield Task(path, name or "testenv", tuple(lines), path.rpartition("/")[0])


def _environments(names: tuple[str, ...], listed: str) -> list[str]:
    if names:
        return list(dict.fromkeys(names))[:_MAX_ENVIRONMENTS]
    # {py310,py311}-test stands for several that run the same commands: the first is enough
    parts = _SEPARATOR.split(_FACTORS.sub(r"\1", listed.strip()))
    return list(dict.fromkeys(name for name in parts if name))[:_MAX_ENVIRONMENTS] or [""]


def _commands(
    text: str, values: tuple[tuple[int, str], ...], name: str, arguments: tuple[str, ...], depth: int
) -> Iterator[Line]:
    pending = ""
    first = 0
    for number, value in values:
        first = number if not pending else first
        pending = f"{pending} {value.rstrip(chr(92)).strip()}" if pending else value.rstrip("\\").strip()
        if value.endswith("\\"):
            continue
        command, pending = pending, ""
        reference = _REFERENCE.fullmatch(command)
        if reference is not None:
            other = ini_values(text, reference.group(1), reference.group(2))
            if other is not None and depth < 3:
                yield from _commands(text, other, name, arguments, depth + 1)
            continue
        factor = _FACTOR.match(command)
        if factor is not None:
            if name and not _applies(factor.group().rstrip().rstrip(":"), name):
                continue
            command = command[factor.end() :]
        ignored = _IGNORED if command.startswith("-") else ""
        yield first, _filled(command.lstrip("-! "), arguments), ignored


def _applies(factors: str, name: str) -> bool:
    """Whether a condition such as `py310,lint` or `!slow` holds for an environment."""
    have = set(name.split("-"))
    expanded = re.sub(r"[{}]", "", factors).split(",")
    return any(
        all((part[1:] not in have) if part.startswith("!") else part in have for part in option.split("-"))
        for option in expanded
    )


def _filled(command: str, arguments: tuple[str, ...]) -> str:
    command = _POSITIONAL.sub(lambda match: shlex.join(arguments) or match.group(1) or "", command)
    return _PYTHON.sub("python", _FOLDERS.sub("", command))


def _toml(path: str, table: Node, names: tuple[str, ...], arguments: tuple[str, ...]) -> Iterator[Task]:
    listed = table.get("env_list")
    for name in _environments(names, " ".join(listed.strings()) if listed is not None else ""):
        lines: list[Line] = []
        for option in _COMMANDS:
            commands = (table.path("env", name, option) if name else None) or table.path("env_run_base", option)
            items = commands.items if commands is not None else ()
            lines.extend((item.line, _filled(shlex.join(_words(item, arguments)), arguments), "") for item in items)
        if lines:
            yield Task(path, name or "env_run_base", tuple(lines), path.rpartition("/")[0])


def _words(command: Node, arguments: tuple[str, ...]) -> Iterator[str]:
    """The words of a command, with what `{ replace = "posargs", default = [..] }` stands for."""
    for part in command.items:
        if part.kind == "mapping":
            default = part.get("default")
            yield from arguments or (default.strings() if default is not None else ())
        elif (text := part.string()) is not None and not _POSITIONAL.fullmatch(text):
            yield text
        elif text is not None:
            yield from arguments


# -- nox and invoke --------------------------------------------------------------------------------------------------


def nox(words: tuple[str, ...], folder: str, lookup: Lookup) -> Iterator[Task]:
    """The commands of the sessions that `nox …` runs."""
    path = lookup.first(folder, ("noxfile.py",))
    module = _module(path, lookup) if path is not None else None
    if path is None or module is None:
        return
    wanted = _sessions(words)
    for name, function in module.functions.items():
        if any("session" in decorator for decorator in function.decorators) and (not wanted or name in wanted):
            yield from _runs(path, module, name)


def _sessions(words: tuple[str, ...]) -> set[str]:
    wanted: set[str] = set()
    taking = False
    for word in words[1:]:
        if word == "--":
            break
        if word.startswith("-"):
            taking = word in ("-s", "--session", "--sessions", "-e")
        elif taking:
            wanted.update(part.partition("(")[0].replace("-", "_") for part in (word, word.rpartition("-")[0]) if part)
    return wanted


def invoke(words: tuple[str, ...], folder: str, lookup: Lookup) -> Iterator[Task]:
    """The commands of an invoke task, or the function of one that starts none and calls the repository's own code.

    The tasks are in `tasks.py` or a package `tasks`, and `invoke data.fetch` is one of a collection, which mostly has
    a file of its own (https://docs.pyinvoke.org/en/stable/concepts/loading.html) and a default task for its bare name.
    Tasks that one names as `pre` or `post` run with it:
    https://docs.pyinvoke.org/en/stable/concepts/invoking-tasks.html#how-tasks-run
    """
    root = lookup.first(folder, ("tasks.py", "tasks/__init__.py"))
    if root is None:
        return
    home = root.rpartition("/")[0] if root.endswith("/__init__.py") else root.removesuffix(".py")
    base = home.rpartition("/")[0]
    for word in [word.replace("-", "_") for word in words[1:] if not word.startswith("-")][:3]:
        collection, _, name = word.rpartition(".")
        path = f"{home}/{collection.replace('.', '/')}.py" if collection else root
        module = _module(path, lookup) if path in lookup.documents.files else None
        if not collection and (module is None or name not in module.functions):  # `invoke checks`: its default task
            path = f"{home}/{name}.py"
            module = _module(path, lookup) if path in lookup.documents.files else None
            name = _default(module) if module is not None else ""
        if module is None:
            continue
        for needed in _with_needed(module, name):
            tasks = list(_runs(path, module, needed))
            if not tasks and _is_task(module.functions[needed]):
                tasks = [Task(path, needed, (), base, entry=(needed, module.functions[needed].line))]
            yield from (replace(task, folder=base) for task in tasks)


def _is_task(function: Function) -> bool:
    return any(decorator.rpartition(".")[2] == "task" for decorator in function.decorators)


def _made(module: Module) -> Iterator[tuple[str, Call]]:
    """The tasks that a call of the decorator makes, each with that call: `@task(clean, pre=[build], default=True)`."""
    functions = sorted((function.line, name) for name, function in module.functions.items() if _is_task(function))
    for call in module.calls:
        if call.name.rpartition(".")[2] == "task" and not call.scope:
            name = next((name for line, name in functions if line >= call.line), "")
            if name:
                yield name, call


def _default(module: Module) -> str:
    """The task that a collection runs by its own name."""
    return next((name for name, call in _made(module) if call.keyword("default") == "true"), "")


def _with_needed(module: Module, name: str) -> tuple[str, ...]:
    """A task behind those of its file that it names as run with it; none where it is not there."""
    found: dict[str, None] = {}
    needs = {made: [ref[2:] for ref in call.refs if ref.startswith("@.")] for made, call in _made(module)}

    def add(task: str, depth: int) -> None:
        if task in module.functions and task not in found and depth < _MAX_NEEDED:
            for needed in needs.get(task, ()):
                if needed != task:
                    add(needed, depth + 1)
            found.setdefault(task)

    add(name, 0)
    return tuple(found)


def _runs(path: str, module: Module, scope: str) -> Iterator[Task]:
    lines = []
    for call in module.calls:
        words = [arg for arg in call.args if arg]
        if call.scope == scope and call.name.endswith(".run") and words:
            lines.append((call.line, words[0] if len(words) == 1 else shlex.join(words), ""))
    if lines:
        yield Task(path, scope, tuple(lines), path.rpartition("/")[0])


def _module(path: str, lookup: Lookup) -> Module | None:
    from mlops_scan.code.extract import extract

    document = lookup.documents.python(path)
    return extract(path, document.tree) if document is not None else None
