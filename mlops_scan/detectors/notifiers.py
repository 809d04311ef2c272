"""Code that tells a person or a system that a bound of drift or of quality is broken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.live import dead, unmade
from mlops_scan.detectors.polled import on_request
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Signal

CHANNELS = r"slack|webhook|pagerduty|opsgenie|discord|sendgrid|api\.telegram\.org|ntfy\.sh"
"""What is in the addresses that messages are posted to."""
_WEBHOOK = regex(rf"{CHANNELS}|teams|mailgun|sns|mattermost|chat\.googleapis", re.I)
_TELEGRAM = "api.telegram.org"  # which also sends what is asked for by GET: https://core.telegram.org/bots/api
_POSTS = regex(
    r"(requests|httpx|aiohttp\.ClientSession|urllib3\.PoolManager|urllib\.request)\.(post|get|request|urlopen|put)"
)
_CLIENTS = ("requests", "httpx", "aiohttp", "urllib3", "urllib")
_TELLS = regex(r"alert|notif|pager|page_(the_)?(on_?call|team|ops|owner|engineer|someone)|warn|breach|incident", re.I)
_BEHIND = 2
"""Calls that may lie between what a monitor calls and what sends: `notify(…)` → `Notifier.send` → the library."""


@kept
def notifiers(context: Context) -> tuple[Use, ...]:
    """Where code tells a person or a system: a messaging library, or a post to a webhook."""
    return tuple(_notifiers(context))


def _notifiers(context: Context) -> Iterator[Use]:
    yield from (use for use in context.doing("notify") if use.location.path in context.index.modules)
    if not any(i.name.startswith(_CLIENTS) for module in context.index.modules.values() for i in module.imports):
        return
    for path, module in context.modules(notebooks=False):
        called = {name: context.index.resolve(path, name).name for name in {call.name for call in module.calls}}
        posts = {name: found for name, found in called.items() if _posts(found)}
        for call in module.calls if posts else ():
            name = found = posts.get(call.name, "")
            if not name:
                continue
            function = module.functions.get(call.scope)
            nearby = [t for n, t in module.strings if function is not None and function.line <= n <= function.end_line]
            hints = " ".join(
                (
                    call.scope,
                    *nearby,
                    *(a or "" for a in call.args),
                    *call.refs,
                    *(function.parameters if function else ()),
                )
            )
            if found.endswith(".get") and _TELEGRAM not in hints:
                continue
            if _WEBHOOK.search(hints) or _TELLS.search(call.scope):
                location = context.evidence(path, call.line).location
                yield Use(
                    "webhook", name, location, call.scope, (), ("notify",), Grade.IMPLEMENTED, Confidence.MEDIUM, ""
                )


@lru_cache(maxsize=1 << 14)  # code repeats its names
def _posts(name: str) -> bool:
    return name.startswith(_CLIENTS) and _POSTS.fullmatch(name) is not None


def alerts(context: Context, monitors: set[Node]) -> Iterator[Signal]:
    """What the messages on the breach paths of some monitoring code are worth."""
    modules = {path for path, _ in monitors}
    told: set[Node] | None = None
    for use in notifiers(context) if modules else ():
        path, scope = use.location.path, use.scope
        if path not in modules:
            told = _on_breach_paths(context, modules) if told is None else told
            if (path, scope) not in told:
                continue
        evidence = (context.evidence(path, use.location.line),)
        if dead(context, path, scope) or unmade(context, path, scope):
            yield Signal(
                "monitoring/alerts",
                use.tool,
                Grade.TRACE,
                evidence,
                use.confidence,
                "nothing calls this alert",
                fixed=True,
            )
            continue
        route = on_request(context, (path, scope))
        reason = f"it is sent only where somebody asks for `{route}`" if route else ""
        yield Signal(
            "monitoring/alerts",
            use.tool,
            Grade.IMPLEMENTED,
            evidence,
            use.confidence,
            reason,
            scope=scope,
            fixed=bool(route),
        )


def _on_breach_paths(context: Context, modules: set[str]) -> set[Node]:
    """The code to which monitoring modules, and those that import them, lead."""
    found: set[Node] = set()
    near = modules.union(node[0] for node in context.index.hops_to_files(modules, 1))
    for path in near.intersection(context.index.modules):
        if context.role(path) in ASIDE:
            continue
        targets = {target for _, scope in _scopes(context, path) for target, _ in context.index.edges((path, scope))}
        if path in modules or any(target[0] in modules for target in targets):
            found |= targets
    return found.union(context.index.reach(found, _BEHIND))


def _scopes(context: Context, path: str) -> Iterator[Node]:
    yield path, ""
    yield path, "__main__"
    for name in context.index.modules[path].functions:
        if not dead(context, path, name):
            yield path, name
