"""Models that a repository programs itself: classes in the shape of an estimator, where no library fits one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from mlops_scan.code.index import CodeIndex
from mlops_scan.detectors.base import ASIDE, LEARNS
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Confidence, Grade, Location, Role

TOOL = "generic-estimator"
"""The tool that such a model is told by: an estimator of no library."""

_ARRAYS = frozenset({"numpy", "pandas", "scipy", "torch", "jax", "polars", "cupy"})
_CALLERS = frozenset({Role.SOURCE, Role.NOTEBOOK, Role.TEMPLATE, Role.TEST})


def own_models(index: CodeIndex, uses: Collection[Use], role: Callable[[str], Role]) -> Iterator[Use]:
    """The fitting of each class of main code that has `fit` and `predict`, works on arrays, and is made somewhere.

    None where main code fits a model of a library: that is then what the repository trains.
    """
    if any(not LEARNS.isdisjoint(use.does) and role(use.location.path) not in ASIDE for use in uses):
        return
    lines = {
        (path, item.qualname): fit.line
        for path, module in index.modules.items()
        if role(path) not in ASIDE and not module.roots.isdisjoint(_ARRAYS)
        for item in module.classes.values()
        if (fit := module.functions.get(f"{item.qualname}.fit")) is not None and not fit.stub
        if (predict := module.functions.get(f"{item.qualname}.predict")) is not None and not predict.stub
    }
    names = {qualname.rpartition(".")[2] for _, qualname in lines}
    made = set()
    for path, module in index.modules.items() if lines else ():
        for call in module.calls if role(path) in _CALLERS else ():
            if call.name.rpartition(".")[2] in names:
                target = index.resolve(path, call.name)
                made.add((target.path, target.qualname))
    for (path, qualname), line in lines.items():
        if (path, qualname) in made:
            where, scope = Location(path, line), f"{qualname}.fit"
            yield Use(TOOL, scope, where, scope, (), ("train",), Grade.IMPLEMENTED, Confidence.MEDIUM, "")
