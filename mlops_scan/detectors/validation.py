"""Data validation that a project writes itself: checks of columns, types and ranges that stop the run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Function, Guard, Module
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.checkers import READS, checking_programs
from mlops_scan.detectors.effects import RELEASES, Check, lost
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.testfiles import test_functions
from mlops_scan.detectors.tests import entry_nodes
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

_NAME = regex(r"(validat|check|verify|assert|ensure)\w*", re.I)
_OBJECT = regex(r"(data|schema|columns?|table|frame|df|dataset|features?|rows?|quality|inputs?|batch)", re.I)
_SUBJECT = regex(
    r"(column|dtype|null|isna|isnull|missing|nan|empty|shape|duplicat|range|between|min|max|schema|unique|len|values?|low|high)",
    re.I,
)
_NOT_DATA = regex(r"(path|file|exists|url|token|config|argv|port|host|password|user)", re.I)
_COLUMNS = regex(r"(columns|schema|dtypes?|(?<![a-z])cols(?![a-z]))", re.I)
_STATUS = regex(r"(validation_?(status|passed|result|ok|report)|is_valid(ated)?$|data_?(is_)?valid$|STATUS_FILE)", re.I)
_HELD = regex(r"([A-Za-z_]\w*)\s*=(?!=)")
_OUTCOME = regex(r"(validation_)?(errors?|error_(message|msg|list)s?|messages|problems|issues|status|violations)", re.I)
_TABLES = frozenset({"pandas", "polars", "pyspark", "numpy", "pyarrow", "dask", "duckdb"})
_EXPECTS = "great_expectations"
_PRACTICE = "data/validation"
CONSUMES = RELEASES | LEARNS | {"predict", "evaluate", "serve"}
"""Activities that bad data is to be kept from."""

_CONTENT = regex(
    r"(column|dtype|isna|isnull|null|notna|nan\b|duplicat|unique|schema|missing|between|frame|(^| )(df|any|all)($| )|"
    r"data|rows?\b|record|sample|feature)",
    re.I,
)
_MIN_CHECKS = 2  # a single `if df.empty: raise` is a guard, not a validation


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/validation` from first-party checks, and from tests of the data that automation runs."""
    yield from _in_tests(context)
    yield from _programs(context)
    for path, module in context.modules(notebooks=False):
        if module.roots.isdisjoint(_TABLES):
            continue
        folder, _, file = path.rpartition("/")
        stem, folder = file.partition(".")[0], folder.rpartition("/")[2]
        for name, function in module.functions.items():
            last = name.rpartition(".")[2]
            if not _NAME.match(last) or not (
                _OBJECT.search(last) or _OBJECT.search(stem) or _NAME.match(stem) or _OBJECT.fullmatch(folder)
            ):
                continue
            checks = list(_checks(module.guards, name))
            if len(checks) < _MIN_CHECKS:
                yield from _by_status(context, module, name)
                continue
            evidence = (
                context.evidence(path, function.line, end_line=function.end_line),
                context.evidence(path, checks[0].line),
            )
            content = next(
                (guard for guard in checks if _on_content(guard) and _applies(context, function, guard)), None
            )
            if dead(context, path, name):
                yield Signal(
                    _PRACTICE,
                    "python",
                    Grade.TRACE,
                    evidence,
                    Confidence.MEDIUM,
                    "nothing calls this check",
                    fixed=True,
                )
            elif content is None:
                reason = "it only asks whether there is a table, and nothing about what is in it"
                yield Signal(_PRACTICE, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
            else:
                yield _stopping(context, Check(path, name, content.line, content.stops == "exit"), evidence)


def _stopping(context: Context, check: Check, evidence: tuple[Evidence, ...]) -> Signal:
    """The signal of a check that stops a run; no more than that where nothing minds its outcome."""
    unminded = lost(context, _PRACTICE, check, CONSUMES)
    return Signal(
        _PRACTICE,
        "python",
        Grade.IMPLEMENTED,
        evidence,
        Confidence.MEDIUM,
        unminded,
        scope=check.scope,
        fixed=bool(unminded),
    )


def _on_content(guard: Guard) -> bool:
    """Whether a check looks into a table; a scalar's bounds, a type or an empty table say nothing of the data."""
    names = set(guard.names)
    if not _CONTENT.search(" ".join(guard.names)) or names & {"isinstance", "empty"}:
        return False
    return "len" not in names or _COLUMNS.search(" ".join(guard.names)) is not None


def _applies(context: Context, function: Function, guard: Guard) -> bool:
    """Whether a check can fail: what it holds a table against is given by some call, unless it has a default."""
    left = [name for name in function.optional if name in guard.names]
    if not left:
        return True
    last = function.qualname.rpartition(".")[2]
    skipped = 1 if function.parameters[:1] in (("self",), ("cls",)) else 0
    for _, module in context.modules():
        for call in module.calls:
            if call.name.rpartition(".")[2] != last:
                continue
            placed = function.parameters[skipped : skipped + len(call.args)]
            given = {*placed, *(name for name, value in call.keywords if value != "none")}
            if given.intersection(left) or len(call.args) > len(function.parameters):
                return True
    return False


def _programs(context: Context) -> Iterator[Signal]:
    """Programs that end with an error on what their checks of the data give."""
    for program in checking_programs(context, _on_content):
        path = program.module.path
        evidence = (
            context.evidence(path, program.check.line, Hop.DEFINITION, program.check.end_line),
            context.evidence(path, program.line, Hop.EFFECT),
        )
        yield _stopping(context, Check(path, program.scope, program.line, True), evidence)


def _in_tests(context: Context) -> Iterator[Signal]:
    """Tests that automation runs and that check real data: they read a table and hold it against expectations."""
    if not _expects(context):
        return
    seen: set[str] = set()
    for run in context.leading():
        if run.start.kind not in ("ci", "schedule") or run.start.blocked:
            continue
        for path in run.tests:
            module = context.index.modules.get(path)
            if module is None or path in seen:
                continue
            seen.add(path)
            for function in test_functions(module):
                nodes = tuple(entry_nodes(context, path, module, function))
                line = _checked(context, nodes)
                if line is None:
                    continue
                use = tuple(context.shown(e) for e in run.chain)
                grade = Grade.IMPLEMENTED if run.swallowed else Grade.WIRED
                reason = f"its failure has no effect: {run.swallowed}" if run.swallowed else ""
                command = context.evidence(run.location.path, run.location.line)  # the step, not a test, is the check
                test = context.evidence(path, function.line, Hop.USE, function.end_line)
                evidence = (command, test, line, *use)
                yield Signal(_PRACTICE, "pytest", grade, evidence, Confidence.MEDIUM, reason, fixed=True)
                return


def _expects(context: Context) -> bool:
    """Whether anything in the repository can hold a table against expectations."""
    return any(_PRACTICE in use.serves for use in context.uses) or any(
        item.name.startswith(_EXPECTS) for module in context.index.modules.values() for item in module.imports
    )


def _checked(context: Context, nodes: tuple[tuple[str, str], ...]) -> Evidence | None:
    """Where a test and its fixtures check a table that they read; a table made in the test tests only the check."""
    calls = [(path, call) for path, scope in nodes for call in context.index.calls_in(path, scope)]
    if not any(call.name.rpartition(".")[2] in READS for _, call in calls):
        return None
    known = any(_EXPECTS in context.index.modules[path].roots for path, _ in nodes)
    for path, call in calls:
        if known and call.name.rpartition(".")[2].startswith("expect_"):
            return context.evidence(path, call.line, Hop.USE)
    use = next((u for node in nodes for u in context.by_node.get(node, ()) if _PRACTICE in u.serves), None)
    return context.evidence(use.location.path, use.location.line, Hop.USE) if use is not None else None


@kept
def _asked(context: Context) -> Evidence | None:
    """Where main code asks for the outcome of a validation and stops: `if not artifact.validation_status: raise`."""
    for path, module in context.modules(notebooks=False):
        for guard in module.guards:
            if guard.stops in ("raise", "exit") and any(_STATUS.search(name) for name in guard.names):
                return context.evidence(path, guard.line, Hop.USE)
    return None


def _asked_by_caller(context: Context, name: str) -> Evidence | None:
    """Where a caller of a check stops on its outcome, or on a message about it: `if len(errors) > 0: raise`."""
    for path, module in context.modules(notebooks=False):
        for call in module.calls:
            if call.name.rpartition(".")[2] != name:
                continue
            held = _HELD.match(context.line(path, call.line))
            for guard in module.guards:
                if guard.scope != call.scope or guard.line < call.line or guard.stops not in ("raise", "exit"):
                    continue
                asked = name in guard.names or (held is not None and held.group(1) in guard.names)
                if asked or any(map(_OUTCOME.fullmatch, guard.names)):
                    return context.evidence(path, guard.line, Hop.USE)
    return None


def _by_status(context: Context, module: Module, name: str) -> Iterator[Signal]:
    """A function that compares columns with a schema and gives a status, which another step may ask for."""
    compared = next(
        (
            guard
            for guard in module.guards
            if guard.scope == name and guard.compares and _COLUMNS.search(" ".join(guard.names))
        ),
        None,
    )
    if compared is None:
        return
    asked = _asked(context) or _asked_by_caller(context, name.rpartition(".")[2])
    if asked is None and not any(_STATUS.search(text) for text in _words(module)):
        return
    function = module.functions[name]
    evidence = (
        context.evidence(module.path, function.line, end_line=function.end_line),
        context.evidence(module.path, compared.line),
    )
    if asked is None or dead(context, module.path, name):
        reason = "it gives a status that nothing was seen to stop at"
        yield Signal(_PRACTICE, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
    else:
        both = (*evidence, asked)
        yield Signal(_PRACTICE, "python", Grade.IMPLEMENTED, both, Confidence.MEDIUM, scope=name)


def _words(module: Module) -> Iterator[str]:
    for _, text in module.strings:
        yield text
    for call in module.calls:
        yield from (keyword for keyword, _ in call.keywords)


def _checks(guards: Iterable[Guard], scope: str) -> Iterator[Guard]:
    for guard in guards:
        if guard.scope == scope and guard.stops in ("raise", "exit"):
            names = " ".join(guard.names)
            if _SUBJECT.search(names) and not _NOT_DATA.search(names):
                yield guard
