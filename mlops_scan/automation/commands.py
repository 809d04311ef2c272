"""The command of a program that a command line asks for: `python cli.py predict` runs no other one of it.

Facts: https://typer.tiangolo.com/tutorial/commands/name/ and https://click.palletsprojects.com/en/stable/commands/ (a
function is called by its own name with dashes, or by the one that the decorator is given),
https://docs.python.org/3/library/argparse.html#sub-commands, https://google.github.io/python-fire/guide/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex, Node

_FEW = 2  # a program with a single command may be called without its name


def chosen(index: CodeIndex, entries: tuple[Node, ...], words: tuple[str, ...]) -> tuple[Node, ...]:
    """What of a program's entries runs when it is called with some words: one command where they name it."""
    module = index.modules.get(entries[0][0]) if entries and words else None
    if module is None:
        return entries
    name = next((word for word in words if not word.startswith("-")), "")
    known = dict(_commands(index, module)) if name else {}
    if name not in known or len(known) < _FEW:
        return entries
    return (known[name], *(node for node in entries if node[0] != module.path))


def _commands(index: CodeIndex, module: Module) -> Iterator[tuple[str, Node]]:
    """The commands of a module by the names that they are called by, each with its function."""
    given = _names_given(module)
    for name, function in module.functions.items():
        if any(decorator.rpartition(".")[2] == "command" for decorator in function.decorators):
            plain = function.qualname.rpartition(".")[2].replace("_", "-")
            yield given.get(function.line) or plain, (module.path, name)
    asked = ""
    for call in module.calls:
        last = call.name.rpartition(".")[2]
        if last == "add_parser" and call.args and call.args[0]:
            asked = call.args[0]
        elif last == "set_defaults" and asked:
            for ref in call.refs:
                target = index.resolve(module.path, ref)
                if target.first_party and index.defines(target.path, target.qualname):
                    yield asked, (target.path, target.qualname)
            asked = ""
        elif call.name == "fire.Fire" and not call.args and not call.refs:
            yield from ((name, (module.path, name)) for name in module.functions if "." not in name)


def _names_given(module: Module) -> Mapping[int, str]:
    """The names that decorators give, by the line of the function below them."""
    lines = sorted(function.line for function in module.functions.values())
    found: dict[int, str] = {}
    for call in module.calls:
        if call.name.endswith(".command") and call.args and call.args[0]:
            below = next((line for line in lines if line >= call.end_line), 0)
            found.setdefault(below, call.args[0])
    return found
