"""Who emits a metric that a rule or an alarm watches: the code that names it, and whether anything runs that code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from msgspec import Struct

from mlops_scan.code.facts import MAIN, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.live import dead
from mlops_scan.regex import regex
from mlops_scan.words import Evidence

_STARTS = frozenset({"schedule", "service", "event", "pipeline", "ci"})
_EMITS = regex(
    r"(put_metrics?(_\w+)?|put_metric_data|(create_)?(observable_)?(gauge|counter|histogram|summary)|push_to_gateway"
    r"|create_time_series|track_metric|add_metric|(emit|publish|send|push|write|record|report|export)_\w*metrics?|timing"
    r"|set_gauge|instrument)",
    re.I,
)
_DECLARES = regex(r"(create_)?(observable_)?(gauge|counter|histogram|summary|up_down_counter)", re.I)
_ASSIGNED = regex(r"^\s*(?:\w+\.)*(\w+)\s*(?::[^=]+)?=[^=]")
_PRINTS = frozenset({"print", "debug", "info", "warning", "error", "exception"})
_CONVERTS = frozenset({"float", "int", "str", "round", "max", "mean"})
_PROGRAMS = frozenset({".py", ".ts", ".js", ".mjs", ".go", ".java", ".scala", ".kt", ".rs", ".cs", ".rb", ".sh"})
_MAX_PROGRAM = 500_000  # bytes
_MIN_PREFIX = 4  # characters of a metric's name that code may complete: `PSI_` + group


class Emitter(Struct, frozen=True):
    """The place that emits a metric; without a path nothing does. `idle` says why it never runs, or is empty."""

    what: str
    path: str
    line: int
    idle: str
    source: Evidence | None = None

    @property
    def evidence(self) -> Evidence:
        """The place as evidence."""
        assert self.source is not None
        return self.source


def emitter_of(context: Context, *names: str) -> Emitter:
    """Who emits one of some metrics; an emitter that runs is preferred."""
    what = " or ".join(f"`{name}`" for name in names[:3])
    first: Emitter | None = None
    for path, module, line in _mentions(context, names):
        idle = _unset(context, module, path, line)
        found = Emitter(what, path, line, idle, context.evidence(path, line))
        if not idle:
            return found
        first = first or found
    return first or _elsewhere(context, what, names) or Emitter(what, "", 0, "")


def _elsewhere(context: Context, what: str, names: tuple[str, ...]) -> Emitter | None:
    """A program that names the metric and was not followed: in another language, or connected with nothing."""
    quoted = re.compile("|".join(rf"""["'`]{re.escape(name)}["'`]""" for name in names))
    for file in context.ending(_PROGRAMS):
        if file.size > _MAX_PROGRAM or file.path in context.index.modules:
            continue
        text = context.documents.text(file.path)
        match = quoted.search(text)
        if match is not None:
            line = text.count("\n", 0, match.start()) + 1
            idle = "the program that names its metric was not followed"
            return Emitter(what, file.path, line, idle, context.evidence(file.path, line))
    return None


def _mentions(context: Context, names: tuple[str, ...]) -> Iterator[tuple[str, Module, int]]:
    wanted = frozenset(names)
    prefixes: list[tuple[str, Module, int]] = []
    for path, module in _emitting(context):
        for line, text in module.strings:
            if text in wanted:
                if not _only_read(context, module, line, text):
                    yield path, module, line
            elif (
                len(text) >= _MIN_PREFIX
                and text[-1] in "_-./"
                and any(name.startswith(text) for name in names)
                and not _only_read(context, module, line, text)
            ):
                prefixes.append((path, module, line))
    yield from prefixes


def _emitting(context: Context) -> tuple[tuple[str, Module], ...]:
    """The modules that emit metrics; others read or show them at most."""
    if "emitting modules" not in context.cache:
        context.cache["emitting modules"] = tuple(
            (path, module)
            for path, module in context.modules(notebooks=False)
            if any(_EMITS.fullmatch(last) for last in {call.name.rpartition(".")[2] for call in module.calls})
        )
    return cast("tuple[tuple[str, Module], ...]", context.cache["emitting modules"])


def _only_read(context: Context, module: Module, line: int, text: str) -> bool:
    """Whether the innermost call around a name only prints it, or converts what is looked up under it."""
    around = [call for call in module.calls if call.line <= line <= call.end_line]
    closest = min(around, key=lambda call: call.end_line - call.line, default=None)
    if closest is None:
        return False
    spans = (c for c in around if (c.line, c.end_line) == (closest.line, closest.end_line))
    names = {call.name.rpartition(".")[2] for call in spans}
    if not names <= _PRINTS | _CONVERTS:
        return False
    looked_up = re.search(rf"""\[\s*["']{re.escape(text)}["']\s*\]""", context.line(module.path, line))
    return bool(names & _PRINTS) or looked_up is not None


def _unset(context: Context, module: Module, path: str, line: int) -> str:
    """Why a metric never gets a value, or empty; one that is declared first gets it where its variable is set."""
    made = next(
        (c for c in module.calls if c.line <= line <= c.end_line and _DECLARES.fullmatch(c.name.rpartition(".")[2])),
        None,
    )
    assigned = _ASSIGNED.match(context.line(path, made.line)) if made is not None else None
    if assigned is None:
        return _idle(context, module, path, line)
    name = assigned.group(1)
    sets = re.compile(rf"\b{re.escape(name)}\.(set|inc|dec|observe|labels|time|record|add|set_function)\b")
    reason = "the metric is declared and never gets a value"
    for where, other in context.modules(notebooks=False):
        text = context.documents.text(where) if where == path or _imports(other, name) else ""
        for match in sets.finditer(text):
            idle = _idle(context, other, where, text.count("\n", 0, match.start()) + 1)
            if not idle:
                return ""
            reason = idle
    return reason


def _imports(module: Module, name: str) -> bool:
    """Whether a module imports something by that name, or calls it through an imported module."""
    return any(item.name.rpartition(".")[2] == name for item in module.imports) or any(
        name in call.name and name in call.name.split(".") for call in module.calls
    )


def _idle(context: Context, module: Module, path: str, line: int) -> str:
    inside = [f for f in module.functions.values() if f.line <= line <= f.end_line]
    scopes = [min(inside, key=lambda f: f.end_line - f.line).qualname] if inside else ["", MAIN]
    if inside and dead(context, path, scopes[0]):
        return "the code that emits its metric is never called"
    for scope in scopes:
        for started in context.started(path, scope):
            if started.run.start.kind in _STARTS and not started.run.start.blocked and not started.run.tests:
                return ""
    return "nothing seen in the repository starts the code that emits its metric"
