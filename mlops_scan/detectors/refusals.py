"""Data validation that no function is named after: a reader that refuses a bad table, a file that is put aside."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from mlops_scan.code.facts import Call, Guard, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.checkers import READS
from mlops_scan.detectors.effects import Check, lost
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.validation import CONSUMES
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "data/validation"
_COLUMNS = frozenset({"columns", "dtypes", "schema"})
VALUES = frozenset(
    {"isna", "isnull", "notna", "notnull", "duplicated", "isin", "between", "is_unique", "is_null", "null_count",
     "is_duplicated", "is_in", "is_between"}
)  # fmt: skip
"""What tables of pandas and polars offer for asking about their content, and hardly anything else has."""

_ANSWERS = "HTTPException"  # with which one request is refused
_MOVES = ("move", "rename", "copy", "upload", "transfer", "archive", "quarantine")
_OF_TABLES = frozenset({"deep", "columns", "axis", "index", "inplace"})
_FORM = regex(r"(column|shape|dtype|schema|isna|isnull|duplicat)", re.I)
_ASIDE = regex(
    r"(?<![A-Za-z])([Bb]ad|BAD|[Ii]nvalid|INVALID|[Rr]eject(ed|s)?|REJECT(ED|S)?|[Qq]uarantined?|QUARANTINED?|"
    r"[Cc]orrupt(ed)?|CORRUPT(ED)?)(?![a-z])"
)
_WORD = regex(r"[A-Za-z_]\w*")
_MADE = regex(r"([A-Za-z_]\w*)\s*=(?!=)\s*(.*)")
_MAX_LINES = 40  # of a call, and of a branch above it


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/validation` from readers that raise, and from branches that move a file away."""
    for path, module in context.modules(notebooks=False):
        if module.guards:
            yield from _readers(context, path, module)
            yield from _sorters(context, path, module)


def _readers(context: Context, path: str, module: Module) -> Iterator[Signal]:
    """Functions that read a table and raise an error on its columns and on its values."""
    raising: dict[str, list[Guard]] = defaultdict(list)
    for guard in module.guards:
        if guard.stops in ("raise", "exit") and not (
            _COLUMNS.isdisjoint(guard.names) and VALUES.isdisjoint(guard.names)
        ):
            raising[guard.scope].append(guard)
    for scope, guards in raising.items():
        if len(guards) < 2 or all(_COLUMNS.isdisjoint(guard.names) for guard in guards):
            continue
        content = next((guard for guard in guards if not VALUES.isdisjoint(guard.names)), None)
        if content is None or scope not in module.functions:
            continue
        called = {call.name.rpartition(".")[2] for call in context.index.calls_in(path, scope)}
        if READS.isdisjoint(called) or _ANSWERS in called:
            continue
        reason = lost(context, _PRACTICE, Check(path, scope, content.line, content.stops == "exit"), CONSUMES)
        yield _signal(context, path, module, scope, (content.line,), reason)


def _sorters(context: Context, path: str, module: Module) -> Iterator[Signal]:
    """Functions that move a file whose columns do not fit to where bad ones are, so that nothing is trained on it."""
    moves: dict[str, list[Call]] = defaultdict(list)
    for call in module.calls:
        if call.name.rpartition(".")[2].startswith(_MOVES) and call.scope in module.functions and _of_files(call):
            moves[call.scope].append(call)
    seen: set[str] = set()
    for guard in module.guards if moves else ():
        if guard.scope in seen or guard.scope not in moves or not guard.compares or guard.stops in ("raise", "exit"):
            continue
        if not _FORM.search(" ".join(guard.names)):
            continue
        moved = _moved_aside(context, path, guard, moves[guard.scope])
        if moved:
            seen.add(guard.scope)
            yield _signal(context, path, module, guard.scope, (guard.line, moved), "")


def _of_files(call: Call) -> bool:
    """Whether a call may move a file: tables, too, have a `copy` and a `rename`."""
    named = {name for name, _ in call.keywords}
    return (bool(call.args) or len(named) > 1) and named.isdisjoint(_OF_TABLES)


def _moved_aside(context: Context, path: str, guard: Guard, moves: Sequence[Call]) -> int:
    """The line of a call in a branch that moves something to a place with the name of one for bad files, or 0."""
    for call in moves:
        if not guard.line < call.line <= guard.body_end:
            continue
        last = min(call.end_line or call.line, call.line + _MAX_LINES)
        given = context.code(path, call.line, last)
        if "rename({" in given:  # columns
            continue
        if _ASIDE.search(given):
            return call.line
        words = set(_WORD.findall(given))
        for line in range(max(guard.line, call.line - _MAX_LINES) + 1, call.line):
            made = _MADE.match(context.code(path, line, line))
            if made is not None and made.group(1) in words and _ASIDE.search(made.group(2)):
                return call.line
    return 0


def _signal(context: Context, path: str, module: Module, scope: str, lines: Sequence[int], reason: str) -> Signal:
    """The signal of a function that checks a table; `reason` is why its failure stops nothing, or empty."""
    function = module.functions[scope]
    evidence = (
        context.evidence(path, function.line, end_line=function.end_line),
        *(context.evidence(path, line, Hop.DEFINITION) for line in lines),
    )
    grade, fixed = Grade.IMPLEMENTED, bool(reason)
    if dead(context, path, scope):
        grade, reason, fixed = Grade.TRACE, "nothing calls this check", True
    return Signal(_PRACTICE, "python", grade, evidence, Confidence.MEDIUM, reason, scope=scope, fixed=fixed)
