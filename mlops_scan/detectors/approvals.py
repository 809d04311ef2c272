"""Approvals that code of the project's own asks for before a model is promoted: a flag or a tag that somebody sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Guard, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.live import dead
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "governance/approval"
_ASKED = regex(
    r"_*(is_|human_|manually_|deployment_|model_)*(approved|approval|approvals|approval_status|approver)", re.I
)
_RELEASING = frozenset({"promote", "deploy-model", "register", "deploy-pipeline"})
# `approve_loan` is what a model may decide about
_NAMED = regex(r"^_*(promote|deploy|swap|rollback|release|transition|activate)|deployment|model", re.I)
_STOPS = frozenset({"raise", "exit"})
_HOPS = 3


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `governance/approval`; one a module."""
    for path, module in context.modules(notebooks=False):
        yield from _guarded(context, path, module)


def _guarded(context: Context, path: str, module: Module) -> Iterator[Signal]:
    for guard in module.guards:
        asked = guard.stops in _STOPS and any(_ASKED.fullmatch(name) for name in guard.names)
        if not asked or not _releases(context, path, guard) or _unused(context, path, guard):
            continue
        use = context.reaches([(path, guard.scope)], _RELEASING, _HOPS)
        place = use.location if use is not None else None
        yield Signal(
            _PRACTICE,
            "python",
            Grade.IMPLEMENTED,
            (
                context.evidence(path, guard.line),
                *((context.evidence(place.path, place.line, Hop.EFFECT),) if place is not None else ()),
            ),
            Confidence.MEDIUM,
            scope=guard.scope,
        )
        return


def _unused(context: Context, path: str, guard: Guard) -> bool:
    """Whether nothing runs a guard; a script without functions is one that a person starts."""
    return bool(guard.scope) and dead(context, path, guard.scope)


def _releases(context: Context, path: str, guard: Guard) -> bool:
    """Whether what a guard stands before releases a model, by what it does or by its name."""
    if context.reaches([(path, guard.scope)], _RELEASING, _HOPS) is not None:
        return True
    return _NAMED.search(guard.scope.rpartition(".")[2]) is not None
