"""Tests: which files hold real tests, and which of those exercise a model's behaviour or quality.

A test of a model fits or loads one, through whatever first-party code it calls, and asserts on what comes out; one of
recorded figures (`recorded`) holds what training has written to bounds, one may ask a running service (`asked`). Mocks,
shapes of helpers, prints, `assert True` and what the test has pickled itself are not tests of a model.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.code.build import Source, build
from mlops_scan.code.facts import Function, Module
from mlops_scan.code.index import Node
from mlops_scan.code.reach import MAX_HOPS
from mlops_scan.code.rnames import ROOT
from mlops_scan.detectors.asked import asking_tests
from mlops_scan.detectors.asking import asking_programs, model_of
from mlops_scan.detectors.assertions import asserts
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.brokenimports import broken_import
from mlops_scan.detectors.inprocess import inprocess_tests
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.marks import always_skipped, marks_of
from mlops_scan.detectors.mocks import handed_over, mocked
from mlops_scan.detectors.recorded import recorded_tests
from mlops_scan.detectors.stubs import MOCKS, conftests, pickled_itself, replaced
from mlops_scan.detectors.testfiles import test_functions
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Role, Signal

_TEST_FILE = regex(r"(test_.*|.*_test|tests)\.py|test.*\.[rR]")
_TESTS_FILE = regex(r".*_tests\.py", words=("_tests.py",))  # collected only where a command names it
_BUILTINS = frozenset(dir(builtins))
_DATA_LIBRARIES = frozenset(
    {"numpy", "pandas", "polars", "pyspark", "pyarrow", "scipy", "dask", "duckdb", "torch", "tensorflow", "jax"}
)
_DATA_FAMILIES = ("frameworks", "tracking", "data", "responsible")
_ALONE = frozenset(
    {"pytest", "unittest", "typing", "__future__", "datetime", "math", "random", "statistics", "decimal", "collections",
     "itertools", "functools", "dataclasses", "enum", "copy", "string", "time", "numpy", "pandas"}
)  # fmt: skip
"""What tests may import that see nothing of the repository by it."""
_LOOKS_OUT = frozenset({"open", "exec", "eval", "compile", "__import__", "load", "fromfile", "genfromtxt", "loadtxt"})
_EXERCISES = frozenset({"train", "tune", "predict", "load-model", "test-model"})
_TEST_HOPS = 9
_HELPER_HOPS = 3


class ModelTest(Struct, frozen=True):
    """A test function that reaches a model; `weak` says why it does not count as a test of the model, or is empty."""

    path: str
    function: Function
    use: Use
    weak: str
    marks: frozenset[str]  # by which pytest may be told to leave it out
    asks: bool = False  # it asks a service that has to run beside it


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `code/unit-tests` and `model/testing`."""
    for path, module in test_modules(context):
        asserting = [f for f in test_functions(module) if asserts(context, module, f)]
        runner = "r-tests" if module.roots == {ROOT} else "pytest"
        line, broken = broken_import(context, path) if test_functions(module) else (0, "")
        if broken:
            place = context.evidence(path, line, Hop.DEFINITION)
            yield Signal("code/unit-tests", runner, Grade.TRACE, (place,), Confidence.MEDIUM, broken, fixed=True)
            yield Problem("MLS317", f"No test of this file can run: {broken}.", place.location)
            continue
        first = next((f for f in asserting if _first_party(context, path, f)), None)
        if first is not None:
            yield Signal(
                "code/unit-tests", runner, Grade.IMPLEMENTED, (_at(context, path, first),), scope=first.qualname
            )
        elif test_functions(module):
            function = test_functions(module)[0]
            reason = "its tests call no code that works on data or models" if asserting else "its tests assert nothing"
            yield Signal(
                "code/unit-tests",
                runner,
                Grade.TRACE,
                (_at(context, path, function),),
                Confidence.MEDIUM,
                reason,
                fixed=True,
            )
    for test in model_tests(context):
        evidence = (
            _at(context, test.path, test.function),
            context.evidence(test.use.location.path, test.use.location.line, Hop.USE),
        )
        grade = Grade.TRACE if test.weak else Grade.IMPLEMENTED
        confidence = test.use.confidence
        yield Signal(
            "model/testing",
            test.use.tool,
            grade,
            evidence,
            confidence,
            test.weak,
            scope=test.function.qualname,
            fixed=bool(test.weak),
        )
    yield from _programs(context)


def _programs(context: Context) -> Iterator[Signal]:
    """Signals of programs that test a running model, of which no test runner knows."""
    model = model_of(context)
    if model is not None:
        use = context.evidence(model.location.path, model.location.line, Hop.USE)
        for program in asking_programs(context).values():
            yield Signal("model/testing", model.tool, Grade.IMPLEMENTED, (program, use), model.confidence)


@kept
def test_modules(context: Context) -> tuple[tuple[str, Module], ...]:
    """Python files that a test runner would collect by their name, or that a command gives it by name."""
    return tuple(_test_modules(context))


def _test_modules(context: Context) -> Iterator[tuple[str, Module]]:
    named = {
        word.partition("::")[0].rpartition("/")[2]
        for words in context.commands()
        for word in words[1:]
        if "_tests.py" in word
    }
    for path, module in context.index.modules.items():
        name = context.local(path).rpartition("/")[2]
        known = _TEST_FILE.fullmatch(name) or (_TESTS_FILE.fullmatch(name) and name in named)
        if known and context.role(path) in (Role.TEST, Role.TEMPLATE) and not module.notebook:
            yield path, module


@kept
def model_tests(context: Context) -> tuple[ModelTest, ...]:
    """One model test a file: the strongest; a weak one only where there is no other."""
    found: dict[str, ModelTest] = {}
    for test in _find_model_tests(context):
        if test.path not in found or found[test.path].weak:
            found[test.path] = test
    return tuple(found.values())


def _find_model_tests(context: Context) -> Iterator[ModelTest]:
    for path, module in test_modules(context):
        weak: ModelTest | None = None
        for function in test_functions(module):
            nodes = tuple(entry_nodes(context, path, module, function))
            use = context.reaches(nodes, _EXERCISES, _TEST_HOPS)
            if use is not None and (
                (use.tool == "pickle" and pickled_itself(context, use)) or _loads_data(context, use)
            ):
                use = context.reaches(nodes, _EXERCISES - {"load-model"}, _TEST_HOPS)
            if use is None:
                continue
            reason = _weakness(context, module, function, nodes, use) or _toy(context, use)
            found = ModelTest(path, function, use, reason, marks_of(module, function))
            if not reason:
                yield found
                break
            weak = weak or found
        else:
            if weak is not None:
                yield weak
    for test in recorded_tests(context):
        yield ModelTest(test.path, test.function, test.use, "", marks_of(test.module, test.function))
    for asking in inprocess_tests(context, test_modules(context)):
        marks = marks_of(asking.module, asking.function)
        yield ModelTest(asking.path, asking.function, asking.use, "", marks)
    for asking in asking_tests(context):
        marks = marks_of(asking.module, asking.function)
        yield ModelTest(asking.path, asking.function, asking.use, "", marks, asks=True)


def _loads_data(context: Context, use: Use) -> bool:
    """Whether a data set loads what it gives out: a `Dataset` or data module of torch that calls `torch.load`."""
    module = context.index.modules.get(use.location.path)
    item = module.classes.get(use.scope.rpartition(".")[0]) if module is not None and "load-model" in use.does else None
    return item is not None and any(base.endswith(("Dataset", "DataModule")) for base in item.bases)


def _weakness(context: Context, module: Module, function: Function, nodes: tuple[Node, ...], use: Use) -> str:
    broken = broken_import(context, module.path)[1]
    if broken:
        return broken
    if not asserts(context, module, function):
        return "it reaches a model but asserts nothing"
    if not asserts(context, module, function, errors=False):
        return "it checks only that an error is raised, or of which type something is, and nothing the model answers"
    if context.reaches(nodes, LEARNS, _TEST_HOPS) is None and not asserts(
        context, module, function, errors=False, forms=False
    ):
        return "it checks only the form of what the model answers, such as its shape or keys, and no value"
    if always_skipped(function):
        return "it is always skipped"
    places = tuple(conftests(module.path))
    return (
        mocked(context, module, function, nodes, use)
        or replaced(context, places, nodes, use)
        or handed_over(context, places, nodes)
    )


def _toy(context: Context, use: Use) -> str:
    """Why a model that the test makes or loads itself is none of the repository's: there is no such model."""
    if context.role(use.location.path) not in ASIDE or _has_model(context):
        return ""
    return "the model is made for the test; this repository has none of its own"


@kept
def _has_model(context: Context) -> bool:
    """Whether the repository fits a model, keeps one, or, unless it is a tool itself, loads one."""
    wanted = LEARNS if context.self_tools else LEARNS | {"load-model"}
    return (
        next(context.doing(*wanted), None) is not None
        or any(step.does & LEARNS for pipeline in context.automation.pipelines for step in pipeline.steps)
        or any(LEARNS.intersection(use.does) for run in context.leading() for use in run.uses)
        or any(file.role is Role.MODEL for file in context.repository.files)
    )


def entry_nodes(context: Context, path: str, module: Module, function: Function) -> Iterator[Node]:
    """The test itself, its class's setup, and the fixtures that its parameters ask for."""
    yield path, function.qualname
    yield from _imported(context, path, function)
    owner = function.qualname.rpartition(".")[0]
    for name in ("setUp", "setUpClass", "setup_method", "setup_class", "setup"):
        if f"{owner}.{name}" in module.functions:
            yield path, f"{owner}.{name}"
    todo, seen = list(function.parameters), set()
    while todo:
        name = todo.pop()
        if name in seen or name in ("self", "cls", "request"):
            continue
        seen.add(name)
        for place in conftests(path):
            target = context.index.resolve(place, f"@.{name}") if place in context.index.modules else None
            if target is None or target.path not in context.index.modules:
                continue
            fixture = context.index.modules[target.path].functions.get(target.qualname)  # may be imported by name
            if fixture is not None and any(d.endswith("fixture") for d in fixture.decorators):
                yield target.path, target.qualname
                todo.extend(fixture.parameters)
                break


def _imported(context: Context, path: str, function: Function) -> Iterator[Node]:
    """The modules whose objects a test asks that it imports made: `from model import model`, `model.score(rows)`."""
    for call in context.index.calls_in(path, function.qualname):
        owner = call.name.rpartition(".")[0]
        if not owner or owner[0] in "@?*" or context.index.is_foreign(owner):  # as most calls are
            continue
        found = context.index.find_module(owner, path)
        there = context.index.modules.get(found[0]) if found is not None else None
        if found is None or there is None or found[0] == path:
            continue
        if found[1] in there.variables and found[1] not in there.functions:  # a task of Prefect is a function, too
            yield found[0], ""


@kept
def hollow(context: Context, path: str) -> bool:
    """Whether a test file is known to check nothing, or nothing but its own mocks, or cannot be imported."""
    module = context.index.modules.get(path)
    if module is None:
        return _hollow_unparsed(context, path)
    if broken_import(context, path)[1] or _sees_only_itself(module):
        return True
    asserting = [function for function in test_functions(module) if asserts(context, module, function)]
    if not asserting:
        return True
    return not any(_runs_something(context, module, function) for function in asserting)


def _runs_something(context: Context, module: Module, function: Function) -> bool:
    """Whether a test calls anything but its own mocks and assertions; a test without any call compares something."""
    names = [
        context.index.resolve(module.path, c.name).name for c in context.index.calls_in(module.path, function.qualname)
    ]
    if not any(name.startswith(MOCKS) for name in names):
        return True
    return any(
        not name.startswith(MOCKS) and "assert" not in name and name.partition(".")[0] not in _BUILTINS
        for name in names
    )


def _hollow_unparsed(context: Context, path: str) -> bool:
    """The same for a file that leads to no tool and was not parsed."""
    module = build(Source(path, context.documents.text(path))).module
    if module is None:
        return False
    checks = any(guard.stops == "assert" and not guard.trivial for guard in module.guards)
    if not checks and not any("assert" in call.name or "raises" in call.name for call in module.calls):
        return True
    if _sees_only_itself(module):
        return True
    return any(i.name.startswith(MOCKS) for i in module.imports) and module.roots.isdisjoint(_own_names(context))


def _sees_only_itself(module: Module) -> bool:
    """Whether the tests of a file compare what they made up: no import, fixture or file gives them anything else."""
    return (
        module.roots <= _ALONE
        and all(set(function.parameters) <= {"self", "cls"} for function in test_functions(module))
        and not any(
            (last := call.name.rpartition(".")[2]) in _LOOKS_OUT or last.startswith("read_") for call in module.calls
        )
    )


@kept
def _own_names(context: Context) -> frozenset[str]:
    """What the files and folders of the repository are called, up to the first dot."""
    names = {name for path in context.documents.files for name in path.split("/")}
    return frozenset([name.partition(".")[0] for name in names])


def _first_party(context: Context, path: str, function: Function) -> bool:
    """Whether the test runs code of the repository that works on data or models."""
    hops = _hops_to_data(context)
    near = min(hops.get((path, ""), MAX_HOPS), hops.get((path, function.qualname), MAX_HOPS))
    if near <= _HELPER_HOPS or _is_of_data(context, path):
        return True
    module = context.index.modules[path]  # what a fixture makes is tested by who asks for it
    return any(hops.get(node, MAX_HOPS) <= _HELPER_HOPS for node in entry_nodes(context, path, module, function))


@kept
def _hops_to_data(context: Context) -> Mapping[Node, int]:
    """How far from a piece of code the nearest other one lies that works on data or models and is no test."""
    paths = {path for path in context.index.modules if _is_of_data(context, path)}
    return context.index.hops_to_files(paths, _HELPER_HOPS)


def _is_of_data(context: Context, path: str) -> bool:
    return context.role(path) is not Role.TEST and _on_data(context, path)


@kept
def _on_data(context: Context, path: str) -> bool:
    """Whether a module works on data or models: it imports a library for it, or imports a module that does."""
    return _imports_data(context, path) or any(
        _imports_data(context, node[0]) for node, _ in context.index.edges((path, ""))
    )


@kept
def _imports_data(context: Context, path: str) -> bool:
    module = context.index.modules.get(path)
    return module is not None and (
        not module.roots.isdisjoint(_data_roots(context))
        or (module.roots == {ROOT} and any(True for _ in context.uses_in(path)))  # it need not attach what it uses
    )


@kept
def _data_roots(context: Context) -> frozenset[str]:
    """What modules import to work on data or models."""
    tools = (tool for tool in context.rules.tools.values() if tool.family in _DATA_FAMILIES)
    return _DATA_LIBRARIES.union(*(tool.imports for tool in tools))


def _at(context: Context, path: str, function: Function) -> Evidence:
    return context.evidence(path, function.line, Hop.DEFINITION, function.end_line)
