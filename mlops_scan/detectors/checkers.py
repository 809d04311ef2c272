"""Programs that check data and end with an error where it is bad: `sys.exit(0 if validate(rows) else 1)`.

Their checks raise nothing. Each notes what is wrong and gives false; what has an effect is how the program ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from mlops_scan.code.facts import MAIN, Guard, Module
from mlops_scan.code.guards import ENDS
from mlops_scan.detectors.base import ASSIGNED, Context
from mlops_scan.regex import regex

_DATA = regex(r"(^|[^a-z])(data|dataset|datasets|dataframe|features|rows|tables?)($|[^a-z])")
_ABOUT = regex(r"(^|[^a-z])(validat(e|es|ion|or|ing)|checks?|checker|verify|quality)($|[^a-z])")
_NAME = regex(r"_?(validat|check|verif|ensure)\w*")
READS = frozenset({"read_csv", "read_parquet", "read_sql", "read_table", "read_json", "read_excel", "load_dataset"})
"""The last parts of the names of calls that read a table."""
_TABLES = READS | {"DictReader"}
_FILES = frozenset({"json.load", "json.loads", "csv.reader"})
_ANSWER = r"(?:\w+(?:\([^()]*\))?\.)*(?P<{}>\w+)(?:\([^()]*\))?"  # a name, or a call
_STATUS = regex(
    r".*\b(?:exit|quit|SystemExit)\(\s*(?:"
    rf"0 if {_ANSWER.format('good')} else [1-9]|[1-9] if not {_ANSWER.format('bad')} else 0"
    rf"|not {_ANSWER.format('none')}|int\(not {_ANSWER.format('number')}\))\s*\).*"
)
_HOPS = 4
_FEW = 2  # a single comparison is a guard, and no validation


class Program(Struct, frozen=True):
    """The first check of a module, and the scope and line of where it ends with an error for what its checks give."""

    module: Module
    check: Guard
    scope: str
    line: int


def checking_programs(context: Context, on_content: Callable[[Guard], bool]) -> Iterator[Program]:
    """The modules that are such programs by their name, by what they read and compare, and by how they end.

    Args:
        context: the facts of the repository.
        on_content: whether a comparison looks into data.
    """
    for path, module in context.modules(notebooks=False):
        stem = path.rpartition("/")[2].partition(".")[0].lower().replace("_", "-")
        if _DATA.search(stem) is None or _ABOUT.search(stem) is None or not _reads(module):
            continue
        checks = [guard for guard in module.guards if _is_check(guard) and on_content(guard)]
        program = _program(context, module, checks) if len(checks) >= _FEW else None
        if program is not None:
            yield program


def _reads(module: Module) -> bool:
    return any(call.name in _FILES or call.name.rpartition(".")[2] in _TABLES for call in module.calls)


def _is_check(guard: Guard) -> bool:
    """Whether a comparison is one of a function that checks and gives an answer instead of an error."""
    return (
        guard.compares and guard.stops in ("", "return") and _NAME.fullmatch(guard.scope.rpartition(".")[2]) is not None
    )


def _program(context: Context, module: Module, checks: Sequence[Guard]) -> Program | None:
    """The first scope of a module that runs at least some of the checks, and ends with an error on their answer."""
    for scope in (*module.functions, MAIN, ""):
        line = _end(context, module, scope)
        if line:
            reached = context.index.reach(((module.path, scope),), _HOPS)
            run = [guard for guard in checks if (module.path, guard.scope) in reached]
            if len(run) >= _FEW:
                return Program(module, run[0], scope, line)
    return None


def _end(context: Context, module: Module, scope: str) -> int:
    """The line where a scope ends the program by what a check of the module has given, or 0."""
    own = {name.rpartition(".")[2] for name in module.functions}
    calls = list(context.index.calls_in(module.path, scope))
    answers: set[str] = set()  # the names of checks, and of what holds the answer of one
    for call in calls:
        last = call.name.rpartition(".")[2]
        if last in own and _NAME.fullmatch(last) is not None:
            held = ASSIGNED.match(context.line(module.path, call.line))
            answers.update((last, held.group(1)) if held is not None else (last,))
    for call in calls if answers else ():
        match = _STATUS.fullmatch(context.line(module.path, call.line)) if call.name in ENDS else None
        if match is not None and not answers.isdisjoint(filter(None, match.groups())):
            return call.line
    for guard in module.guards:
        if guard.scope == scope and guard.stops in ("exit", "raise") and not answers.isdisjoint(guard.names):
            return guard.line
    return 0
