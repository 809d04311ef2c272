"""Data validation that a project writes itself: checks of columns, types and ranges that stop the run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Function, Guard, Module
from mlops_scan.detectors.base import ASSIGNED, LEARNS, Context
from mlops_scan.detectors.checkers import READS, checking_programs
from mlops_scan.detectors.effects import RELEASES, Check, lost
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.live import dead
from mlops_scan.detectors.testfiles import test_functions
from mlops_scan.detectors.tests import entry_nodes
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Role, Signal

_NAME = regex(r"_?((run|perform|do)_)?(validat|check|verify|assert|ensure)\w*", re.I)
_OBJECT = regex(r"(data|schema|columns?|table|frame|df|dataset|features?|rows?|quality|inputs?|batch)", re.I)
_SUBJECT = regex(
    r"(column|dtype|null|isna|isnull|missing|nan|empty|shape|duplicat|range|between|isin|min|max|schema|unique|len|values?|low|high)",
    re.I,
)
_NOT_DATA = regex(r"(path|file|exists|url|token|config|argv|port|host|password|user)", re.I)
_COLUMNS = regex(r"(columns|schema|dtypes?|(?<![a-z])cols(?![a-z]))", re.I)
_STATUS = regex(
    r"(validation[ _]?(status|passed|result|ok|report)|is_valid(ated)?$|data_?(is_)?valid$|STATUS_FILE)", re.I
)
_FOUND = regex(r"(\w+_)?(status|valid|validated|validation|result|passed)", re.I)
_STATUS_FILE = regex(
    r"(status(_file(_?path)?)?\.(txt|json)|validation[\w/.-]{0,40}\.(txt|json|ya?ml)|STATUS_FILE|validation_status_file)",
    re.I,
)
_MAX_LINES = 60  # of a function, above where it asks for what it has read
_SAMPLE = regex(r"(tests?|samples?|fixtures?|mock|dummy|toy)(?![a-z])", re.I)
_MADE = regex(r"(bad|invalid|wrong|broken|corrupt)", re.I)  # tests of data that is made to fail
_MAX_TESTS = 200  # of a file that are looked at
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
_OF_TABLES = frozenset({"columns", "dtype", "dtypes", "isnull", "isna", "notnull", "duplicated"})
_ASKED_OF_TABLES = _OF_TABLES | {"shape", "notna", "isin", "between", "is_unique", "nunique", "select_dtypes"}
_OF_MODELS = frozenset({"predict", "predict_proba", "fit", "transform", "score", "load", "load_model"})
_FRAMES = frozenset({"df", "frame", "dataframe", "data", "dataset"})
_FEW_ASSERTS = 3  # fewer are the assumptions of the code that follows them
_MIN_CHECKS = 2  # a single `if df.empty: raise` is a guard, not a validation


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `data/validation` from first-party checks, and from tests of the data that automation runs."""
    yield from _in_tests(context)
    yield from _programs(context)
    for path, module in context.modules(notebooks=False):
        if not module.guards or (module.roots.isdisjoint(_TABLES) and not _asks_a_table(module)):
            continue
        folder, _, file = path.rpartition("/")
        stem, folder = file.partition(".")[0], folder.rpartition("/")[2]
        for name, function in module.functions.items():
            if not checks_data(name.rpartition(".")[2], stem, folder):
                continue
            checks = list(_checks(module.guards, name))
            if len(checks) < _MIN_CHECKS and not any(_on_schema(guard, name) for guard in checks):
                yield from _by_status(context, module, name)
                continue
            evidence = (
                context.evidence(path, function.line, end_line=function.end_line),
                context.evidence(path, checks[0].line),
            )
            content = next(
                (guard for guard in checks if on_content(guard) and _applies(context, function, guard)), None
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
            elif content is None and not any(_on_table(guard) for guard in checks):
                continue
            elif content is None:
                reason = "it only asks whether there is a table, and nothing about what is in it"
                yield Signal(_PRACTICE, "python", Grade.TRACE, evidence, Confidence.MEDIUM, reason, fixed=True)
            else:
                yield stopping(context, Check(path, name, content.line, content.stops == "exit"), evidence)


def checks_data(name: str, stem: str, folder: str = "") -> bool:
    """Whether a function is there to check data, by its name and by those of its file and folder."""
    return _NAME.match(name) is not None and bool(
        _OBJECT.search(name) or _OBJECT.search(stem) or _NAME.match(stem) or _OBJECT.fullmatch(folder)
    )


def _asks_a_table(module: Module) -> bool:
    """Whether a module asks what only tables have: one that is given them need not import their library."""
    return any(not _OF_TABLES.isdisjoint(g.names) and any(map(_is_frame, g.names)) for g in module.guards)


def _is_frame(name: str) -> bool:
    """Whether a name is that of a table: `df`, `train_df`, `dataset`."""
    return not _FRAMES.isdisjoint(name.lower().split("_"))


def _on_table(guard: Guard) -> bool:
    return "empty" in guard.names or any(map(_is_frame, guard.names))


def _on_schema(guard: Guard, function: str) -> bool:
    """Whether a check holds the columns of a table against a schema: it stands for many."""
    names = " ".join(guard.names)
    return _COLUMNS.search(names) is not None and "schema" in f"{names} {function}".lower() and on_content(guard)


def stopping(context: Context, check: Check, evidence: tuple[Evidence, ...]) -> Signal:
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


def on_content(guard: Guard) -> bool:
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
    for program in checking_programs(context, on_content):
        path = program.module.path
        evidence = (
            context.evidence(path, program.check.line, Hop.DEFINITION, program.check.end_line),
            context.evidence(path, program.line, Hop.EFFECT),
        )
        yield stopping(context, Check(path, program.scope, program.line, True), evidence)


def _in_tests(context: Context) -> Iterator[Signal]:
    """Tests that automation runs and that check real data: they read a table and hold it against expectations."""
    expects = _expects(context)
    seen: set[str] = set()
    for run in context.leading():
        if run.start.kind not in ("ci", "schedule", "pipeline") or run.start.blocked:
            continue
        for path in run.tests:
            module = context.index.modules.get(path)
            if module is None or path in seen:
                continue
            seen.add(path)
            found = _plain_tests(context, path, module) or (_known_tests(context, path, module) if expects else None)
            if found is None:
                continue
            function, line = found
            use = tuple(context.shown(e) for e in run.chain)
            reason = f"its failure has no effect: {run.swallowed}" if run.swallowed else ""
            if run.start.kind == "pipeline" and not reason:
                reason = "it is a step that a pipeline may run, and nothing was seen to start it by itself"
            grade = Grade.IMPLEMENTED if reason else Grade.WIRED
            command = context.evidence(run.location.path, run.location.line)  # the step, not a test, is the check
            test = context.evidence(path, function.line, Hop.USE, function.end_line)
            evidence = (command, test, line, *use)
            yield Signal(_PRACTICE, "pytest", grade, evidence, Confidence.MEDIUM, reason, fixed=True)
            return


def _known_tests(context: Context, path: str, module: Module) -> tuple[Function, Evidence] | None:
    """The first test that holds a table which it reads against the expectations of a tool, and where."""
    for function in test_functions(module):
        line = _checked(context, tuple(entry_nodes(context, path, module, function)))
        if line is not None:
            return function, line
    return None


def _plain_tests(context: Context, path: str, module: Module) -> tuple[Function, Evidence] | None:
    """The first of several tests that assert something on a table which they read, and run none of the code."""
    asserted = {g.scope: g for g in module.guards if g.stops == "assert" and not _ASKED_OF_TABLES.isdisjoint(g.names)}
    found = [
        function
        for function in test_functions(module)[:_MAX_TESTS]
        if function.qualname in asserted
        and _MADE.search(function.qualname) is None
        and _reads_only(context, entry_nodes(context, path, module, function))
    ]
    if len(found) < _MIN_CHECKS:
        return None
    return found[0], context.evidence(path, asserted[found[0].qualname].line, Hop.USE)


def _reads_only(context: Context, nodes: Iterable[tuple[str, str]]) -> bool:
    """Whether tests and their fixtures read a table, no sample, and run none of the project's own code."""
    reads = False
    for path, scope in nodes:
        for call in context.index.calls_in(path, scope):
            target = context.index.resolve(path, call.name)
            last = call.name.rpartition(".")[2]
            if (target.first_party and context.role(target.path) is not Role.TEST) or last in _OF_MODELS:
                return False
            if last in READS:
                if any(_SAMPLE.search(text) for text in call.args if text):
                    return False
                reads = True
    return reads


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
    """Where main code asks for the outcome of a validation and stops: `if not artifact.validation_status: raise`.

    The outcome may be what an earlier step has written to a file.
    """
    for path, module in context.modules(notebooks=False):
        for guard in module.guards:
            if guard.stops not in ("raise", "exit") or _caught(module, guard):
                continue
            if any(map(_STATUS.search, guard.names)) or _reads_status(context, module, guard):
                return context.evidence(path, guard.line, Hop.USE)
    return None


def _caught(module: Module, guard: Guard) -> bool:
    """Whether the refusal is only printed, so that what comes next goes on with what there was before."""
    return any(
        shield.scope == guard.scope and shield.line <= guard.line <= shield.end_line and not shield.unless
        for shield in module.shields
        if guard.stops != "exit" or shield.exits
    )


def _reads_status(context: Context, module: Module, guard: Guard) -> bool:
    """Whether a guard asks for what a file holds that is named after the status of a validation."""
    if not any(map(_FOUND.fullmatch, guard.names)):
        return False
    function = module.functions.get(guard.scope)
    first = max(function.line if function is not None else 1, guard.line - _MAX_LINES)
    return any(
        _STATUS_FILE.search(context.line(module.path, line).partition(" #")[0]) for line in range(first, guard.line + 1)
    )


def _asked_by_caller(context: Context, name: str) -> Evidence | None:
    """Where a caller of a check stops on its outcome, or on a message about it: `if len(errors) > 0: raise`."""
    for path, module in context.modules(notebooks=False):
        for call in module.calls:
            if call.name.rpartition(".")[2] != name:
                continue
            held = ASSIGNED.match(context.line(path, call.line))
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
    """The checks of a function that stop the run; assertions where there are several."""
    asserted = []
    for guard in guards:
        if guard.scope == scope and guard.stops in ("raise", "exit", "assert"):
            names = " ".join(guard.names)
            if not _SUBJECT.search(names) or _NOT_DATA.search(names):
                continue
            if guard.stops != "assert":
                yield guard
            elif on_content(guard):
                asserted.append(guard)
    if len(asserted) >= _FEW_ASSERTS:
        yield from asserted
