"""Data validation that notes all that is wrong with a table first, and refuses it in the end: `if errors: raise`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.code.facts import Guard, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.effects import Check
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.refusals import VALUES
from mlops_scan.detectors.validation import checks_data, on_content, stopping
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Problem, Signal

_PRACTICE = "data/validation"
_ABOUT = regex(
    r"_?((run|perform|do)_)?((data|schema|frame|dataset|quality|input|batch)_?)*"
    r"(validat(e|es|or|ors|ion|ions|ing)|checks?|checker|quality)(_?(data|schema|frame|dataset|quality|checks?|inputs?))*",
    re.I,
)
"""Names of modules, classes and functions that are there to check data, and say so alone."""
_OUTCOMES = regex(
    r"((validation|data|quality|schema)_)?(errors?|error_(messages?|msgs?|list)|issues|problems|violations|failures|"
    r"failed|failed_checks|is_valid|valid|passed|all_passed|ok|success)",
    re.I,
)
_ENDS = ("raise", "exit")
_FEW = 2  # a single comparison is a guard, and no validation


class _Place(Struct, frozen=True):
    """A function, or all methods of a class: the scopes that belong together."""

    name: str
    scopes: frozenset[str]


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/validation` from code that collects what is wrong and stops at it."""
    for path, module in context.modules(notebooks=False):
        ends = [guard for guard in module.guards if guard.stops in _ENDS and any(map(_OUTCOMES.fullmatch, guard.names))]
        if not ends:
            continue
        stem = path.rpartition("/")[2].partition(".")[0]
        lines = _asking_lines(module) if ends else {}
        seen: set[str] = set()
        for end in ends:
            place = _place(module, end.scope, stem)
            if place is not None and place.name not in seen:
                seen.add(place.name)
                yield from _signal(context, module, place, end, lines)


def _place(module: Module, scope: str, stem: str) -> _Place | None:
    """What a refusal belongs to, if that is there to check data by its name; None else."""
    owner, _, last = scope.rpartition(".")
    if owner in module.classes and (_is_about(owner) or _is_about(stem)):
        return _Place(owner, frozenset(f"{owner}.{name}" for name in module.classes[owner].methods))
    if scope in module.functions and (_is_about(stem) or checks_data(last, stem)):
        return _Place(scope, frozenset((scope,)))
    return None


def _is_about(name: str) -> bool:
    return _ABOUT.fullmatch(name) is not None


def _asking_lines(module: Module) -> Mapping[str, set[int]]:
    """By scope the lines on which something is asked about the content of a table."""
    lines = defaultdict[str, set[int]](set)
    for guard in module.guards:
        if guard.compares and guard.stops not in _ENDS and on_content(guard):
            lines[guard.scope].add(guard.line)
    for call in module.calls:
        if call.name.rpartition(".")[2] in VALUES:
            lines[call.scope].add(call.line)
    return lines


def _signal(
    context: Context, module: Module, place: _Place, end: Guard, lines: Mapping[str, set[int]]
) -> Iterator[Signal]:
    asked = sorted({line for scope in place.scopes for line in lines.get(scope, ())} - {end.line})
    if len(asked) < _FEW:
        return
    evidence = (
        context.evidence(module.path, asked[0]),
        context.evidence(module.path, end.line, end_line=end.body_end),
    )
    if dead(context, module.path, end.scope):
        reason = "nothing calls this check"
        yield Signal(_PRACTICE, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
    else:
        yield stopping(context, Check(module.path, end.scope, end.line, end.stops == "exit"), evidence)
