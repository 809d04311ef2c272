"""Training that another program asks for: a clock's job posts to the route of a service of this repository that trains.

`requests.post(f"{TRAINER}/train")` in a DAG leads to no code; the handler of that route does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from mlops_scan.automation.model import Run
from mlops_scan.code.facts import Call
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.polled import handlers
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

_LIBRARIES = ("requests", "httpx", "aiohttp", "urllib3")
_CLIENTS = regex(rf"({'|'.join(_LIBRARIES)})(\.\w+)*\.(post|put|request)", words=_LIBRARIES)
_OPERATOR = "HttpOperator"  # of Airflow: https://airflow.apache.org/docs/apache-airflow-providers-http/
_PATH = regex(r"(?:https?://[^/\s]+)?(/[\w./-]{0,200}\w)/?")
ASKING = (("curl",), ("wget",), ("http",))
"""The first words of commands that may ask a service for something."""
_Route = tuple[Node, Use]


class Requested(Struct, frozen=True):
    """Where a run asks a service to train, where that trains, and whether something starts the service."""

    evidence: tuple[Evidence, Evidence]
    served: bool


def requested_training(context: Context, run: Run) -> Requested | None:
    """The training that a run asks a service of this repository for over HTTP, or None."""
    routes = _training_routes(context) if not run.tests else {}
    for place, path in _asked(context, run) if routes else ():
        found = next((routes[route] for route in routes if path == route or path.endswith(route)), None)
        if found is not None:
            handler, use = found
            trained = context.evidence(use.location.path, use.location.line, Hop.EFFECT)
            starts = [started.run.start for started in context.started(*handler)]
            served = any(start.kind == "service" and not start.blocked for start in starts)
            return Requested((place, trained), served)
    return None


def asks_to_train(context: Context, path: str, call: Call) -> bool:
    """Whether a call posts to a route of a service of this repository that trains."""
    if _CLIENTS.fullmatch(context.index.resolve(path, call.name).name) is None or not _training_routes(context):
        return False
    module = context.index.modules[path]
    texts = [text for line, text in module.strings if call.line <= line <= call.end_line]
    asked = [match.group(1) for text in texts if (match := _PATH.fullmatch(text)) is not None]
    return any(place == route or place.endswith(route) for place in asked for route in _training_routes(context))


@kept
def _training_routes(context: Context) -> Mapping[str, _Route]:
    """The routes of services whose handlers train, each with the handler and where it trains."""
    found: dict[str, _Route] = {}
    for route, handler, reached in handlers(context):
        use = context.does(reached, LEARNS)
        if use is not None and len(route) > 1:
            found.setdefault(route, (handler, use))
    return found


def _asked(context: Context, run: Run) -> Iterator[tuple[Evidence, str]]:
    """The paths of addresses to which a run posts, by the code that it reaches or as a command itself."""
    for word in run.words[1:] if run.words[:1] in ASKING else ():
        match = _PATH.fullmatch(word.partition("?")[0])
        if match is not None and "://" in word:
            yield context.evidence(run.location.path, run.location.line, Hop.USE), match.group(1)
    for path, scope in context.automation.reached(run) if run.entries else ():
        module = context.index.modules.get(path)
        for call in context.index.calls_in(path, scope) if module is not None else ():
            name = context.index.resolve(path, call.name).name
            texts: list[str] = []
            if name.endswith(_OPERATOR):
                texts = [f"/{(call.keyword('endpoint') or '').lstrip('/')}"]
            elif module is not None and _CLIENTS.fullmatch(name) is not None:
                function = module.functions.get(scope)
                first, last = (function.line, call.end_line) if function is not None else (call.line, call.end_line)
                texts = [text for line, text in module.strings if first <= line <= last and "/" in text]
            for text in texts:
                match = _PATH.fullmatch(text)
                if match is not None:
                    yield context.evidence(path, call.line, Hop.USE, call.end_line), match.group(1)
