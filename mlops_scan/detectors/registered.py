"""Models that code loads by their name and version from a registry, whoever registered them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Problem, Role, Signal

# `models:/NAME/VERSION`, `models:/NAME@ALIAS`; without either it is the id of a logged model, which nobody registered.
# Fact: https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.load_model
_URI = regex(r"""["']models:/[^"'\s]{1,200}[/@][^"'\s]""", words=("models:/",))
_TOOL = "mlflow"
_MAX_LINES = 60  # of a function, above the call that loads


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/registry`: where code here trains, it would have to register what is loaded."""
    trains = any(context.role(use.location.path) is not Role.NOTEBOOK for use in context.doing(*LEARNS))
    for use in context.doing("load-model"):
        if use.tool != _TOOL or use.tool in context.self_tools:
            continue
        line = next((number for number, text in _before(context, use) if _URI.search(text)), 0)
        if line:
            place = use.location
            evidence = (
                context.evidence(place.path, place.line, end_line=place.end_line),
                context.evidence(place.path, line),
            )
            reason = "this loads what somebody registered; it registers nothing"
            if trains:
                reason = "it loads a registered model, and that the training registers one was not seen here"
            yield Signal(
                "model/registry",
                _TOOL,
                Grade.TRACE if trains else Grade.IMPLEMENTED,
                evidence,
                Confidence.MEDIUM,
                reason,
                scope=use.scope,
                fixed=True,
            )


def _before(context: Context, use: Use) -> Iterator[tuple[int, str]]:
    """The lines of a call that loads, and those above it in its function, in which its address may be put together."""
    path, last = use.location.path, use.location.end_line or use.location.line
    module = context.index.modules.get(path)
    function = module.functions.get(use.scope) if module is not None else None
    first = max(function.line, last - _MAX_LINES) if function is not None else use.location.line
    for number in range(last, first - 1, -1):
        yield number, context.line(path, number).partition(" #")[0]
