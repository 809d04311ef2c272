"""Tests of figures that training or evaluation has written to a file: `metrics.json`, read back and held to bounds.

Such a test imports nothing but `json`, so that it may not have been parsed with the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_scan.code.facts import Function, Module
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.gates import METRIC, NOT_MODEL
from mlops_scan.detectors.marks import always_skipped
from mlops_scan.detectors.stubs import MOCKS
from mlops_scan.detectors.testfiles import RemoteTest, modules_of, test_functions
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import has_any, regex

_WORDS = ("metric", "score", "evaluation")
_ENDINGS = (".json", ".yaml", ".yml", ".csv", ".txt")
_TEST_FILE = regex(r"(test_.*|.*_test|tests?)\.py")
_CASE = "unittest.TestCase"  # its runner takes every `test*.py`, that of pytest no `test.py`
_READS = ("open", "load", "safe_load", "read_csv", "read_json", "read_text")
_WRITES = ("dump", "write_text", "to_csv", "to_json", "write")
_STANDS_IN = frozenset({"tmp_path", "tmpdir", "tmp_path_factory", "tmpdir_factory", "monkeypatch", "mocker"})
_BOUNDED = ("assertLess", "assertLessEqual", "assertGreater", "assertGreaterEqual")
_USUAL = frozenset({0.0, 1.0})  # between which most metrics lie in any case
_SETUP = ("setUp", "setUpClass", "setup_method", "setup_class", "setup")
_WORK = LEARNS | {"evaluate"}


def recorded_tests(context: Context) -> Iterator[RemoteTest]:
    """The first such test of each file of tests, and where the figures are made."""
    written = _written(context)
    for path, module in modules_of(context, _TEST_FILE.fullmatch, _WORDS) if written else ():
        if any(item.name.startswith(MOCKS) for item in module.imports):
            continue
        if path.endswith("/test.py") and not any(_CASE in item.bases for item in module.classes.values()):
            continue
        named = [(line, name) for line, text in module.strings if (name := _file(text)) in written]
        tests = test_functions(module) if named else ()
        asked = ((function, _asked(module, function, written, named)) for function in tests)
        found = next(((function, use) for function, use in asked if use is not None), None)
        if found is not None:
            yield RemoteTest(path, module, *found)


def _written(context: Context) -> dict[str, Use]:
    """What trains or evaluates in the main code that names a file of metrics, by the name of that file."""
    found: dict[str, Use] = {}
    for path, module in context.modules(notebooks=False):
        names = {name for _, text in module.strings if (name := _file(text))}
        for use in (u for u in context.uses_in(path) if names and _WORK.intersection(u.does)):
            for name in names:
                found.setdefault(name, use)
    return found


def _asked(module: Module, function: Function, written: dict[str, Use], named: Sequence[tuple[int, str]]) -> Use | None:
    """Where the figures are made that a test reads from a file and compares with numbers; None where it does not.

    `named` are the files of figures that its module names, by line. A file that the test makes itself holds nothing of
    a model.
    """
    names = _named(module, function, named)
    if not names or _STANDS_IN.intersection(function.parameters) or not _bounded(module, function):
        return None
    if always_skipped(function):
        return None
    owner = function.qualname.rpartition(".")[0]
    scopes = {function.qualname, *function.parameters, *(f"{owner}.{name}" for name in _SETUP)}
    calls = {call.name.rpartition(".")[2] for call in module.calls if call.scope in scopes}
    return written[names[0]] if not calls.isdisjoint(_READS) and calls.isdisjoint(_WRITES) else None


def _named(module: Module, function: Function, named: Sequence[tuple[int, str]]) -> list[str]:
    """Those of the names of a module that stand in a test, or outside of all tests."""
    others = [range(other.line, other.end_line + 1) for other in test_functions(module) if other is not function]
    return [name for line, name in named if not any(line in lines for lines in others)]


def _file(text: str) -> str:
    """The name of a file of metrics that a text is the path of, or empty."""
    if not text.endswith(_ENDINGS) or " " in text:  # asked of every string of the program
        return ""
    name = text.rpartition("/")[2]
    return name if has_any(name, _WORDS) else ""


def _bounded(module: Module, function: Function) -> bool:
    """Whether a test holds a metric to a number that not every model keeps."""
    for guard in module.guards:
        if guard.scope == function.qualname and guard.stops == "assert" and guard.ordered:
            names = " ".join(guard.names)
            told = METRIC.search(names) or has_any(names, ("metric", "score"))
            if told and not has_any(names, NOT_MODEL) and not _USUAL.issuperset(guard.numbers):
                return True
    return any(not _USUAL.issuperset(numbers) for numbers in _asserted(module, function))


def _asserted(module: Module, function: Function) -> Iterator[list[float]]:
    """The numbers of the assertions of order that a test case of unittest makes."""
    for call in module.calls:
        if call.scope == function.qualname and call.name.endswith(_BOUNDED):
            yield [float(text) for text in call.args if text and text.lstrip("-").replace(".", "", 1).isdecimal()]
