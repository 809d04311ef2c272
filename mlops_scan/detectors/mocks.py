"""Mocks in tests: which of them stand in the model's place, and which only keep a test quiet, such as one of a logger.

Facts: https://docs.python.org/3/library/unittest.mock.html (`patch`, `patch.object`, `patch.dict` and what they are
given) and https://pytest-mock.readthedocs.io/en/latest/usage.html (`mocker.patch`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mlops_scan.code.facts import Call, Function, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASSIGNED, LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.stubs import MOCKS
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex

_QUIET = regex(
    r"_?(logg(er|ing)|log|get_?(run_)?logger|print|show|savefig|plt|pyplot|dump|to_(csv|parquet|json|pickle)|makedirs"
    r"|mkdir|read_(csv|parquet|sql|excel|json|table)|environ|getenv|argv|sleep|load_dotenv)",
    re.I,
)
"""The last names of what has no part in a model: logs, what is written, the data, the environment."""
_TRACKING = regex(
    r"mlflow|wandb|neptune|(start|end|active)_run|log_(param|metric|model|artifact|dict|figure|text|input)s?"
    r"|set_(experiment|tracking_uri|tags?)|autolog|SummaryWriter",
    re.I,
)
"""Those of trackers, which have none either where the model is trained, but may be what gives one that is loaded."""
_TARGET = regex(r"([\w.]{1,100})\s*=(?!=)")
_LOGS = frozenset({"log", "logger", "logging"})
_TRACKERS = frozenset({"mlflow", "wandb", "run", "writer", "tracker", "experiment", "context", "ti"})
"""Words of the names of mocks that stand for such things: `mock_logger.return_value = MagicMock()`."""
_OBJECTS = ("Mock", "MagicMock", "AsyncMock", "NonCallableMock", "create_autospec", "PropertyMock")
_PATCHES = (".patch", ".patch.object", ".patch.dict", ".patch.multiple")
_OF_CALLS = (
    "assert_called", "assert_not_called", "assert_any_call", "assert_has_calls", "assert_awaited", "assert_not_awaited",
)  # fmt: skip
_CALLED = frozenset(
    {"called", "call_count", "call_args", "call_args_list", "mock_calls", "method_calls", "await_count"}
)
_ANSWERS = frozenset({"predict", "predict_proba", "forecast", "decision_function", "predict_one"})
_MAKES = LEARNS | {"load-model"}
_HELPER_HOPS = 2


def mocked(context: Context, module: Module, function: Function, nodes: Sequence[Node], use: Use) -> str:
    """Why a test has no real model, as something mocked may be in its place; empty where nothing is.

    `nodes` are the code that the test runs itself, `use` is what it reaches of a model.
    """
    calls = [*_of_decorators(context, module, function), *_shared(context, module, function)]
    calls += [(node[0], call) for node in nodes for call in context.index.calls_in(*node)]
    found = [(path, call) for path, call in calls if _mocks(context, path, call)]
    trains = bool(found) and context.reaches(nodes, LEARNS) is not None
    other = any(
        name.startswith(MOCKS) and not name.endswith(_PATCHES)
        for name in (context.index.resolve(module.path, decorator).name for decorator in function.decorators)
    )
    if other or any(not _is_quiet(context, path, call, use, trains) for path, call in found):
        return "it replaces parts by mocks, so the real model is not what is tested"
    if found and not _asserts_more(context, module, function):
        return "it asserts how its mocks are called, and nothing of what the model answers"
    return ""


def _of_decorators(context: Context, module: Module, function: Function) -> Iterator[tuple[str, Call]]:
    """The calls by which a test is decorated with patches; they stand above it, in no function."""
    count = sum(context.index.resolve(module.path, name).name.startswith(MOCKS) for name in function.decorators)
    above = [call for call in module.calls if call.line < function.line and call.name in function.decorators]
    yield from ((module.path, call) for call in above[-count:] if count)


def _shared(context: Context, module: Module, function: Function) -> Iterator[tuple[str, Call]]:
    """The calls by which the file makes, outside of all functions, what a test then uses; through a helper, perhaps."""
    for call in context.index.calls_in(module.path, ""):
        made = ASSIGNED.match(context.line(module.path, call.line))
        if made is None or call.line > function.line:
            continue
        helper = call.name.removeprefix("@.")
        inner = [call, *(context.index.calls_in(module.path, helper) if helper in module.functions else ())]
        mocks = [each for each in inner if _mocks(context, module.path, each)]
        used = regex(rf"\b{made.group(1)}\b") if mocks else None
        if used is not None and any(
            used.search(context.line(module.path, line)) for line in range(function.line, function.end_line + 1)
        ):
            yield from ((module.path, each) for each in mocks)


def _mocks(context: Context, path: str, call: Call) -> bool:
    """Whether a call puts a mock in the place of something, or makes one."""
    name = context.index.resolve(path, call.name).name
    if name.startswith(MOCKS):
        return name.endswith(_PATCHES) or name.rpartition(".")[2] in _OBJECTS
    made = name.startswith("?") and name.rpartition(".")[2] in _OBJECTS  # `mocker.Mock()` of a fixture
    return made or call.name.endswith(_PATCHES)


def _is_quiet(context: Context, path: str, call: Call, use: Use, trains: bool) -> bool:
    """Whether what is mocked has no part in the model, as its name tells."""
    if call.name.rpartition(".")[2] in _OBJECTS:
        assigned = _TARGET.match(context.line(path, call.line))
        words = assigned.group(1).partition(".")[0].lower().split("_") if assigned is not None else ()
        return not _LOGS.isdisjoint(words) or (trains and not _TRACKERS.isdisjoint(words))
    named = call.args[1:2] if call.name.endswith(".object") else call.args[:1] if any(call.args[:1]) else call.refs[:1]
    target = next(iter(named), None)
    last = (target or "").rpartition(".")[2]
    if last.lower() == use.tool or use.name.startswith(f"{last}."):
        return False
    if trains and _TRACKING.fullmatch(last) is not None:
        return True
    return _QUIET.fullmatch(last) is not None or (last.isupper() and len(last) > 1)


def _asserts_more(context: Context, module: Module, function: Function) -> bool:
    """Whether a test asserts anything else than that its mocks are called."""
    for guard in module.guards:
        told = guard.scope == function.qualname and guard.stops == "assert" and not (guard.vague or guard.trivial)
        if told and _CALLED.isdisjoint(guard.names):
            return True
    names = (call.name.rpartition(".")[2] for call in context.index.calls_in(module.path, function.qualname))
    return any("assert" in name and not name.startswith(_OF_CALLS) for name in names)


def handed_over(context: Context, places: Sequence[str], nodes: Sequence[Node]) -> str:
    """Why a test asks no real model: it hands an object of its own over that answers in the place of one; else empty.

    `places` are the test file and the files of fixtures that it sees, `nodes` the code that the test runs itself.
    """
    fakes = {(place, name) for place in places for name in _fakes(context, place)}
    if not fakes or context.reaches(nodes, LEARNS) is not None:
        return ""
    helpers = (node for node in context.index.reach(tuple(nodes), _HELPER_HOPS) if node[0] in places)
    run = dict.fromkeys((*nodes, *helpers))
    for path, scope in run:
        for call in context.index.calls_in(path, scope):
            target = context.index.resolve(path, call.name)
            made = (target.path, target.qualname) if target.first_party else None
            if made in fakes:
                return f"it puts its own `{target.qualname.rpartition('.')[2]}` in the place of the model"
    return ""


@kept
def _fakes(context: Context, path: str) -> frozenset[str]:
    """The classes of a file of tests whose objects answer as models do, with no model behind."""
    module = context.index.modules.get(path)
    return frozenset(_find_fakes(context, module)) if module is not None else frozenset()


def _find_fakes(context: Context, module: Module) -> Iterable[str]:
    for name, item in module.classes.items():
        if _ANSWERS.isdisjoint(item.methods):
            continue
        if any(context.index.resolve(module.path, base).first_party for base in item.bases):
            continue
        nodes = [(module.path, f"{name}.{method}") for method in item.methods]
        if context.reaches(nodes, _MAKES) is None:
            yield name
