"""Services that something asks regularly: a dashboard that refreshes itself, a Prometheus that scrapes, a CronJob.

A check that runs on request is as good as a scheduled one where such a client is declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mlops_scan.code.facts import MAIN
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.store import language_of
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

_HANDLER = regex(r".*\.(get|post|put|route|api_route)")
_URL = regex(r"https?://[\w.:-]+(/[\w./-]+)")
_ASKED = regex(
    r"(?:https?://[\w.:-]{1,200}|\$\{?\w{1,100}\}?|\}\})(/[\w./-]{1,200})"
)  # of a command, also behind a variable
_CHECK = regex(r"(drift|psi\b|monitor|perform|quality|evaluat|report)", re.I)  # a route for checks
_BY_SOMEBODY = regex(rf"{_CHECK.pattern}|train|fit\b|learn|trigger|admin|simul|demo|test", re.I)
_RECEIVES = regex(
    r"predict|infer|score|classif|recommend|feedback|ingest|upload|event|label|observ|record|collect|sample|data", re.I
)
_WATCHES = frozenset({"watchdog", "faust", "nats", "aio_pika"})  # which are imported to be told of what comes in
_PLAIN = frozenset({"/health", "/healthz", "/ready", "/readyz", "/live", "/docs", "/ping", "/status"})
_MAX_HANDLERS = 500
_MAX_SIZE = 150_000  # bytes of a dashboard or manifest


def polled(context: Context, node: Node) -> Evidence | None:
    """Where something declared asks, again and again, for a route of a running service that leads to `node`."""
    services = [s for s in context.started(*node) if s.run.start.kind == "service" and not s.run.start.blocked]
    if not services:
        return None
    clients = _clients(context)
    for route in sorted(_routes(context, node)):
        if route in clients:
            return clients[route]
    return None


def on_data(context: Context, node: Node) -> Evidence | None:
    """Where a service starts that comes to `node` with what clients or a queue send it; or None.

    What stands behind a route that is there to train, to check or to simulate somebody has to ask for, and a program
    that an image runs once somebody has to start.
    """
    services = [s for s in context.started(*node) if s.run.start.kind == "service" and not s.run.start.blocked]
    routes = list(_routes(context, node)) if services else []
    module = context.index.modules.get(node[0])
    reads = any("consume" in use.does for use in context.uses_in(node[0]))  # importing a client of Kafka may be to send
    queued = not routes and (reads or (module is not None and not _WATCHES.isdisjoint(module.roots)))
    if (
        not services
        or any(_BY_SOMEBODY.search(route) for route in routes)
        or not (queued or any(_RECEIVES.search(route) for route in routes))
    ):
        return None
    return context.shown(services[0].run.start.evidence)


def on_request(context: Context, node: Node) -> str:
    """The route without which nothing runs `node`, where it is one for checks and nothing declared asks for it."""
    sources = context.index.hops_to((node,))
    handlers = {handler: route for handler, route in _named(context) if handler in sources}
    if not handlers or not all(_CHECK.search(route) for route in handlers.values()):
        return ""
    callers: dict[Node, list[Node]] = {}
    for source in sources:
        for target, _ in context.index.edges(source) if source not in handlers else ():
            if target in sources and target not in handlers:
                callers.setdefault(target, []).append(source)
    seen, left = {node}, [node]
    while left:
        for caller in callers.get(left.pop(), ()):
            if caller not in seen:
                seen.add(caller)
                left.append(caller)
    if any(_runs(context, caller) for caller in seen) or polled(context, node) is not None:
        return ""
    return min(handlers.values())


def _runs(context: Context, node: Node) -> bool:
    """Whether a module's own statements are run by something else than a person or a test."""
    if node[1] not in ("", MAIN):
        return False
    starts = (s.run for s in context.started(*node) if not s.run.tests)
    return any(run.start.kind != "person" and not run.start.blocked for run in starts)


def _routes(context: Context, node: Node) -> Iterator[str]:
    """The routes whose handlers lead to a node."""
    for route, _, reached in handlers(context):
        if node in reached:
            yield route


@kept
def handlers(context: Context) -> Sequence[tuple[str, Node, Mapping[Node, object]]]:
    """Every route of the repository's services with its handler and what that reaches, nearest first."""
    return [(route, node, context.index.reach((node,), 8)) for node, route in _named(context)]


@kept
def _named(context: Context) -> Sequence[tuple[Node, str]]:
    """Every handler of the repository's services with its route."""
    found: list[tuple[Node, str]] = []
    for path, module in context.modules(notebooks=False):
        for function in module.functions.values():
            if not any(_HANDLER.fullmatch(name) for name in function.decorators) or len(found) >= _MAX_HANDLERS:
                continue
            written = [
                text
                for line, text in module.strings
                if function.line - 4 <= line <= function.line and text.startswith("/") and text not in _PLAIN
            ]
            if written:
                found.append(((path, function.qualname), written[0]))
    return found


@kept
def _clients(context: Context) -> Mapping[str, Evidence]:
    """Routes that dashboards with a refresh, CronJobs and the clocks of CI ask for, with the place."""
    found: dict[str, Evidence] = {}
    for file in context.written_in("json", "yaml"):
        if file.size > _MAX_SIZE:
            continue
        text = context.documents.text(file.path)
        panels = '"panels"' in text and language_of(file.path) == "json"
        dashboard = panels and re.search(r'"refresh": *"\d+[smhd]"', text)
        if not dashboard and "kind: CronJob" not in text:
            continue
        for match in _URL.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.setdefault(match.group(1).rstrip("/"), context.evidence(file.path, line, Hop.TRIGGER))
    for words, run in context.commands().items():
        clock = run.start.kind == "schedule" or "schedule" in run.start.triggers
        if clock and not run.start.blocked and words[:1] in (("curl",), ("wget",), ("http",)):
            for match in filter(None, map(_ASKED.search, words[1:])):
                place = context.evidence(run.location.path, run.location.line, Hop.TRIGGER)
                found.setdefault(match.group(1).rstrip("/"), place)
    return found
