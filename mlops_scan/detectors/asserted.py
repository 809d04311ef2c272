"""Quality gates that are assertions of a program: `assert metrics["accuracy"] >= 0.8`, which ends what runs it."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.effects import Check, lost
from mlops_scan.detectors.floors import floors
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "model/quality-gate"
_ML = LEARNS | {"evaluate", "load-model", "predict"}
_FIGURES = regex(r"(metric|score|eval|report|result)", words=("metric", "score", "eval", "report", "result"))
_FILES = (".json", ".yaml", ".yml", ".csv")
_HOPS = 2


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/quality-gate` from programs that measure a model, or read its figures, and assert a bound."""
    for (path, scope), guard in floors(context).items():
        module = context.index.modules[path]
        of_file = any(text.endswith(_FILES) and _FIGURES.search(text.lower()) for _, text in module.strings)
        if not of_file and context.reaches(((path, scope),), _ML, _HOPS) is None:
            continue
        evidence = (context.evidence(path, guard.line, Hop.DEFINITION, guard.end_line),)
        reason = lost(context, _PRACTICE, Check(path, scope, guard.line))
        yield Signal(
            _PRACTICE, "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, reason, scope=scope, fixed=bool(reason)
        )
