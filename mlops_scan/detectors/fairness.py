"""Measures of fairness and metrics of slices that a project computes by functions of its own.

What the measures are called: https://fairlearn.org/main/user_guide/assessment/common_fairness_metrics.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Function, Module
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.live import dead, own_function
from mlops_scan.regex import regex
from mlops_scan.words import Hop, Problem, Signal

_PRACTICE = "model/slice-evaluation"
_MEASURES = regex(
    r"(demographic|statistical)_parity|disparate_impact|equal_opportunity|equali[sz]ed_odds",
    re.I,
    words=("parity", "disparate", "equal"),
)
# of these the name says what is looked at, not that a metric of it is computed
_GROUPS = regex(
    r"fairness|subgroup|slices?_?(metric|perform|eval|score)|(metric|perform|eval|score)\w{0,20}_slice",
    re.I,
    words=("fairness", "subgroup", "slice"),
)
_COMPUTE_SLICES = regex(r"_*(compute|calculate|evaluate|score)_(data_|model_|on_)*slices?", re.I, words=("slice",))
_EVALUATES = frozenset({"evaluate"})
_HOPS = 3


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/slice-evaluation`; one a module."""
    for path, module in context.modules(notebooks=False):
        yield from _measured(context, path, module)


def _measured(context: Context, path: str, module: Module) -> Iterator[Signal]:
    found = [function for function in module.functions.values() if _measures(context, path, function)]
    if not found:
        return
    function = next((f for f in found if not dead(context, path, f.qualname)), found[0])
    computes = context.reaches([(path, function.qualname)], _EVALUATES, _HOPS)
    place = computes.location if computes is not None else None
    shown = (context.evidence(place.path, place.line, Hop.USE),) if place is not None else ()
    yield own_function(context, _PRACTICE, path, function, shown)


def _measures(context: Context, path: str, function: Function) -> bool:
    """Whether a function is by its name one that measures fairness, or a metric of groups that it computes."""
    name = function.qualname.rpartition(".")[2]
    if function.stub:
        return False
    if _MEASURES.search(name):
        return True
    named = _GROUPS.search(name) is not None or _COMPUTE_SLICES.fullmatch(name) is not None
    return named and context.reaches([(path, function.qualname)], _EVALUATES, _HOPS) is not None
