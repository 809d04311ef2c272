"""Tests that ask the web application of a model in their own process, through a client of its framework.

`TestClient(app).post("/predict", json=row)` calls the handler of that route: no address, no name says so, only the
route. Facts: https://fastapi.tiangolo.com/tutorial/testing/, https://flask.palletsprojects.com/en/stable/testing/ and
https://www.python-httpx.org/advanced/transports/#asgi-transport.

What is asked is the real model only where the application trains it as it starts, or loads one that is in the
repository, and where no stand-in is put in its place. That may be done by any assignment, so any word of one counts.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from mlops_scan.code.facts import MAIN, Call, Function, Guard, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.marks import always_skipped
from mlops_scan.detectors.polled import handlers
from mlops_scan.detectors.stubs import conftests
from mlops_scan.detectors.testfiles import RemoteTest, test_functions
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Role

_CLIENTS = ("TestClient", "test_client", "ASGITransport")
_ASKS = frozenset({"post", "get", "put", "request"})
_STAND_INS = regex(
    r"mock|patch|fake|dummy|stub|stand_?in|overrid|sys\.modules|types\.SimpleNamespace|\.state\.\w+ *=(?!=)", re.I
)
_ANSWER = regex(r".*(predict|label|class|probab|confiden|score|sentiment|categor|answer|price|amount|forecast).*", re.I)
_NOT_ANSWER = regex(r".*(count|total|num|len|status|version|latency|time|keys|headers|name|error|detail).*|n_.*", re.I)
_EXERCISES = frozenset({"train", "tune", "predict", "load-model", "test-model"})
_LOADS = frozenset({"load-model"})
_ANYTHING = frozenset({"pickle", "generic-estimator"})  # tools whose uses need not be of a model
_HOPS = 8
_MAX_NODES = 5_000  # of what the start of an application runs


def inprocess_tests(context: Context, modules: Iterable[tuple[str, Module]]) -> Iterator[RemoteTest]:
    """The first such test of each file of tests, and where the application trains or loads its model."""
    for path, module in modules:
        places = [place for place in conftests(path) if place in context.index.modules]
        if not any(_makes_client(context.index.modules[place]) for place in places):
            continue
        routes = _routes(context)
        if not routes:
            return
        shared = _shared_text(context, path, module, places)
        if _STAND_INS.search(shared):
            continue
        for function in test_functions(module):
            handler = None if always_skipped(function) else _asked(module, function, routes)
            if handler is None or not any(_holds(context, module, guard, function) for guard in module.guards):
                continue
            if _STAND_INS.search(_text(context, path, function)):
                continue
            model = _model(context, places, handler)
            if model is not None:
                yield RemoteTest(path, module, function, model)
                break


def _makes_client(module: Module) -> bool:
    return any(call.name.rpartition(".")[2] in _CLIENTS for call in module.calls)


@kept
def _routes(context: Context) -> Mapping[str, Node]:
    """The routes whose handlers make a model answer, each with its handler."""
    found: dict[str, Node] = {}
    for route, handler, reached in handlers(context):
        if len(route) > 1 and context.role(handler[0]) not in ASIDE and context.does(reached, _EXERCISES) is not None:
            found.setdefault(route.rstrip("/"), handler)
    return found


# -- what the test does ----------------------------------------------------------------------------------------------


def _asked(module: Module, function: Function, routes: Mapping[str, Node]) -> Node | None:
    """The handler of the route that a test, or a helper of its file that it calls, asks for."""
    own = {call.name[2:] for call in module.calls if call.scope == function.qualname and call.name.startswith("@.")}
    for call in module.calls:
        if call.name.rpartition(".")[2] in _ASKS and (call.scope == function.qualname or call.scope in own):
            for text in _texts(module, call):
                path = text.partition("?")[0].rstrip("/")
                route = next((r for r in routes if path == r or path.endswith(r)), None) if path[:1] == "/" else None
                if route is not None:
                    return routes[route]
    return None


def _texts(module: Module, call: Call) -> Iterator[str]:
    """The constants that a call is given in their order; for a name of the file what it stands for."""
    yield from (text for text in call.args[:2] if text)
    yield from (module.constants[ref[2:]] for ref in call.refs[:2] if ref[2:] in module.constants)


def _holds(context: Context, module: Module, guard: Guard, function: Function) -> bool:
    """Whether an assertion of the test holds what the model answers to a number, or to a text that it equals."""
    if guard.scope != function.qualname or guard.stops != "assert" or not guard.compares or guard.vague:
        return False
    if any(_NOT_ANSWER.fullmatch(name) for name in guard.names):
        return False
    if not any(_ANSWER.fullmatch(name) for name in guard.names):
        return False
    line = context.line(module.path, guard.line)
    return bool(guard.ordered or (guard.numbers and " in " in line) or "==" in line)


# -- whose model it is -----------------------------------------------------------------------------------------------


def _model(context: Context, places: Iterable[str], handler: Node) -> Use | None:
    """Where the application trains the model as it starts or answers, or loads one that is in the repository."""
    answering = {node for _, node, _ in handlers(context)}
    run = (*context.index.reach((handler,), _HOPS), *_run_at_start(context, places, answering))
    trained = context.does(run, LEARNS)
    if trained is not None and context.role(trained.location.path) not in ASIDE:
        return trained
    loaded = context.does(run, _LOADS)
    if loaded is None or loaded.tool in _ANYTHING or context.role(loaded.location.path) in ASIDE:
        return None
    return loaded if _keeps_models(context) else None


def _run_at_start(context: Context, places: Iterable[str], answering: set[Node]) -> list[Node]:
    """What the import of the tests runs of the application, without what only a request or a command runs."""
    found: dict[Node, int] = {(place, ""): 0 for place in places}
    todo = deque(found)
    while todo and len(found) < _MAX_NODES:
        node = todo.popleft()
        for target, _ in context.index.edges(node) if found[node] < _HOPS else ():
            other = target in answering or target[1] == MAIN or context.role(target[0]) is Role.TEST
            if target not in found and not other:
                found[target] = found[node] + 1
                todo.append(target)
    return list(found)


@kept
def _keeps_models(context: Context) -> bool:
    """Whether a file of a model itself is in the repository, and no pointer to one."""
    return any(file.role is Role.MODEL and not file.lfs and file.size for file in context.repository.files)


# -- stand-ins -------------------------------------------------------------------------------------------------------


def _shared_text(context: Context, path: str, module: Module, places: list[str]) -> str:
    """The code of a test file that is in no test, and all of the files of fixtures that it sees."""
    inside: set[int] = set()
    for function in test_functions(module):
        inside.update(range(function.line, function.end_line + 1))
    lines = context.documents.text(path).split("\n")
    own = [line for number, line in enumerate(lines, 1) if number not in inside]
    return "\n".join([*own, *(context.documents.text(place) for place in places if place != path)])


def _text(context: Context, path: str, function: Function) -> str:
    """The code of a test with its decorators."""
    lines = context.documents.text(path).split("\n")
    return "\n".join(lines[max(0, function.line - 4) : function.end_line])
