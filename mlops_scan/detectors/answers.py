"""Code that answers with a model: what it reaches that loads or asks one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.use import Use

_LOADS = frozenset({"load-model"})
_MODEL_USE = frozenset({"load-model", "predict"})
_METHODS = frozenset({"predict", "predict_proba", "transform", "forecast", "score_samples"})
_HOPS = 8


def model_behind(context: Context, nodes: Iterable[Node]) -> Use | None:
    """Where code that answers loads or asks a model; None where it does not, or where it makes one."""
    nodes = list(nodes)
    model = context.reaches(nodes, _LOADS, _HOPS) or context.reaches(nodes, _MODEL_USE, _HOPS)
    if model is None or context.role(model.location.path) in ASIDE or context.reaches(nodes, LEARNS, _HOPS):
        return None
    if model.tool == "pickle" and not predicts(context, nodes):
        return None  # a session or a cache may be pickled too
    return model if model.tool != "generic-estimator" else None  # `x.predict(…)` on something that nobody loads


def predicts(context: Context, nodes: Iterable[Node]) -> bool:
    """Whether running some code may call a method with which models answer, whatever the object."""
    hops = _hops_to_answers(context)
    return any(node in hops for node in nodes)


@kept
def _hops_to_answers(context: Context) -> Mapping[Node, int]:
    """How far from a piece of code the nearest call of a method lies with which models answer."""
    answering = {
        (path, call.scope)
        for path, module in context.index.modules.items()
        for call in module.calls
        if call.name.rpartition(".")[2] in _METHODS
    }
    return context.index.hops_to(answering, _HOPS)
