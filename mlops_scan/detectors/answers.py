"""Code that answers with a model: what it reaches that loads or asks one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops_scan.code.facts import MAIN
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.fingerprints.use import Use

_LOADS = frozenset({"load-model"})
_MODEL_USE = frozenset({"load-model", "predict"})
_METHODS = frozenset({"predict", "predict_proba", "transform", "forecast", "score_samples"})
_HOPS = 8
_NEAR = 2
# How rows come into a table or a queue that others read; a file of predictions may as well be what a metric is made of.
_STORES = frozenset(
    {"to_sql", "to_gbq", "saveAsTable", "insertInto", "insert_rows", "insert_rows_json", "load_table_from_dataframe",
     "write_pandas", "execute_values", "executemany", "copy_expert", "insert_many", "bulk_write", "batch_write_item",
     "put_item", "produce"}
)  # fmt: skip


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


def hands_over(context: Context, node: Node) -> bool:
    """Whether code that asks a model puts what it says into a table or a queue, and computes no metric of it."""
    reached = context.index.reach((node, (node[0], "")) if node[1] == MAIN else (node,), _NEAR)
    if context.does(reached, frozenset({"evaluate", "check-model"})) is not None:
        return False
    modules = context.index.modules
    return any(
        call.scope == scope and call.name.rpartition(".")[2] in _STORES
        for path, scope in reached
        if path in modules
        for call in modules[path].calls
    )
