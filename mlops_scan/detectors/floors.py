"""Assertions of programs that hold a metric to a bound: `assert map50 > floor`, which ends whatever runs them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlops_scan.automation.model import Run
from mlops_scan.code.facts import Guard, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.gates import METRIC, NOT_MODEL
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any
from mlops_scan.words import Evidence, Hop

_MODELS = LEARNS | {"load-model", "predict", "evaluate"}
_BOUNDS = ("floor", "minimum", "target", "expected", "baseline", "required")
_SETTINGS = ("thres", "weight", "limit", "coef", "param", "config", "type", "name", "index")
_USUAL = frozenset({0.0, 1.0, math.inf, -math.inf})  # what every metric keeps, or an argument is checked for


@kept
def floors(context: Context) -> Mapping[Node, Guard]:
    """The first such assertion of each piece of main code that no `except` around it swallows."""
    found: dict[Node, Guard] = {}
    for path, module in context.modules(notebooks=False):
        for guard in module.guards:
            if guard.stops == "assert" and guard.ordered and _is_floor(guard) and not _swallowed(module, guard):
                found.setdefault((path, guard.scope), guard)
    return found


def _is_floor(guard: Guard) -> bool:
    """Whether an assertion compares a metric, and not a setting that is called like one, with a bound that can fail."""
    if not any(METRIC.search(name) and not has_any(name, _SETTINGS) for name in guard.names):
        return False
    if has_any(" ".join(guard.names), NOT_MODEL):
        return False
    return not _USUAL.issuperset(guard.numbers) or any(has_any(name, _BOUNDS) for name in guard.names)


def _swallowed(module: Module, guard: Guard) -> bool:
    return any(
        shield.scope == guard.scope and shield.line <= guard.line <= shield.end_line for shield in module.shields
    )


def met_floor(context: Context, run: Run) -> Evidence | None:
    """The assertion on a metric that a program meets which trains, loads or asks a model; none in a run of tests."""
    known = floors(context) if run.entries and not run.tests else {}
    reached = context.automation.reached(run) if known else {}
    node = next((node for node in known if node in reached), None)
    if node is None or context.does(reached, _MODELS) is None:
        return None
    return context.evidence(node[0], known[node].line, Hop.EFFECT, known[node].end_line)
