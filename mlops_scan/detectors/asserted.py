"""Quality gates that are assertions of a program: `assert metrics["accuracy"] >= 0.8`, which ends what runs it."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.bothways import releases
from mlops_scan.detectors.effects import Check, lost
from mlops_scan.detectors.floors import floors
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "model/quality-gate"
_FIGURES = regex(r"(metric|score|eval|report|result)", words=("metric", "score", "eval", "report", "result"))
_FILES = (".json", ".yaml", ".yml", ".csv")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/quality-gate` from programs that assert a bound and release a model, or read its figures."""
    for (path, scope), guard in floors(context).items():
        module = context.index.modules[path]
        of_file = any(text.endswith(_FILES) and _FIGURES.search(text.lower()) for _, text in module.strings)
        if not of_file and not any(release.line > guard.line for release in releases(context, path, scope)):
            continue  # a benchmark, which holds nothing back
        evidence = (context.evidence(path, guard.line, Hop.DEFINITION, guard.end_line),)
        reason = lost(context, _PRACTICE, Check(path, scope, guard.line))
        yield Signal(
            _PRACTICE, "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, reason, scope=scope, fixed=bool(reason)
        )
