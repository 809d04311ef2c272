"""Checks that give a result and raise nothing: whether anything that is seen minds it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_scan.code.facts import Module
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.effects import RELEASES
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex

GIVES = "give-result"
"""The activity of a check that gives a result and raises no error on a bad one."""
_NOTHING = "its result stops nothing"
_ASSIGNED = regex(r"\s*([A-Za-z_]\w*)\s*(:[^=]{1,80})?=(?!=)")
_ATTRIBUTE = regex(r"\s*self\.\w+\s*(:[^=]{1,80})?=(?!=)")
_RECEIVER = regex(r"[^(]{0,80}?\b([A-Za-z_]\w*)\.\w+\(")
_WORD = regex(r"[A-Za-z_]\w*")
_VERDICT = regex(r"(success|passed|fail|anomal|valid|has_|all_ok|exit_code|status)", re.I)
_STOPS = ("raise", "return", "sys.exit", "exit(", "assert", "break", "continue")
_STOPPING = frozenset({"raise", "exit", "assert", "return"})
_CONSUMES = RELEASES | LEARNS | {"predict", "evaluate", "serve", "run-pipeline"}
_MAX_LINES = 300
_BEFORE = 6  # lines above a call in which what it belongs to may be given its name


def unminded(context: Context, use: Use) -> str:
    """Why the outcome of such a check keeps nothing from going on; empty where something may mind it."""
    path, first = use.location.path, use.location.line
    module = context.index.modules.get(path)
    if GIVES not in use.does or module is None or module.notebook:
        return ""
    function = module.functions.get(use.scope)
    if function is not None and first <= function.line:
        return "its failure does not stop what follows"  # a decorator: only the framework gets the result
    text = context.documents.text(path).split("\n")
    names = _names(text, use)
    if not names:
        return ""
    if _stopped(context, module, use, names):
        return ""
    last = min(function.end_line if function is not None else len(text), first + _MAX_LINES)
    return "" if _minded(context, use, text, names, last) else _NOTHING


def _stopped(context: Context, module: Module, use: Use, names: set[str]) -> bool:
    """Whether an error is raised, or the program left, on the result."""
    for guard in module.guards:
        if guard.scope != use.scope or guard.line < use.location.line or guard.stops not in _STOPPING:
            continue
        if names.intersection(guard.names) or any(_VERDICT.search(name) for name in guard.names):
            return True
    return any(
        call.line >= use.location.line and call.name.rpartition(".")[2].startswith(("assert_", "raise_"))
        for call in context.index.calls_in(module.path, use.scope)
    )


def _minded(context: Context, use: Use, text: list[str], names: set[str], last: int) -> bool:
    """Whether the result is returned, or decides whether the work ends or goes on."""
    first = use.location.line
    for number in range(first, last + 1):
        line = text[number - 1].strip()
        if line.startswith(("return ", "yield ")) and (number == first or _has(line, names)):
            return True
        if line.startswith(("if ", "elif ", "while ")) and _has(line, names):
            for inner in _body(text, number, last):
                if text[inner - 1].lstrip().startswith(_STOPS) or _works(context, use, inner):
                    return True
    return False


def _names(text: list[str], use: Use) -> set[str]:
    """The variables that hold the result, or what was run: of assignments at the call or shortly above it.

    Nothing where an attribute holds it, which any method may ask.
    """
    line = text[use.location.line - 1]
    if _ATTRIBUTE.match(line):
        return set()
    names = {use.name.rpartition(".")[2]}
    for above in reversed(text[max(0, use.location.line - _BEFORE) : use.location.line]):
        if match := _ASSIGNED.match(above):
            names.add(match.group(1))
            break
    if match := _RECEIVER.match(line):
        names.add(match.group(1))
    return names


def _body(text: list[str], line: int, last: int) -> Iterator[int]:
    """The numbers of the lines of a branch, and of its other branches."""
    indent = _indent(text[line - 1])
    for number in range(line + 1, min(last, len(text)) + 1):
        own = text[number - 1]
        if own.strip() and _indent(own) <= indent and not own.lstrip().startswith(("else", "elif")):
            return
        yield number


def _works(context: Context, use: Use, line: int) -> bool:
    """Whether a line trains, releases or serves, or calls code that does."""
    node = (use.location.path, use.scope)
    if any(u.location.line == line and _CONSUMES.intersection(u.does) for u in context.by_node.get(node, ())):
        return True
    for call in context.index.calls_in(*node):
        if call.line == line:
            target = context.index.resolve(node[0], call.name)
            if target.first_party and context.reaches([(target.path, target.qualname)], _CONSUMES) is not None:
                return True
    return False


def _has(line: str, names: set[str]) -> bool:
    return not names.isdisjoint(_WORD.findall(line))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
