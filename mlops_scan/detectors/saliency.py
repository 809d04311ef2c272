"""Grad-CAM written by hand: a function of that name that takes gradients, as tutorials of the frameworks have it.

https://keras.io/examples/vision/grad_cam/ and https://arxiv.org/abs/1610.02391
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_scan.code.facts import Call, Function, Module
from mlops_scan.detectors.base import Context
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "model/explainability"
_NAMED = regex(r"grad_?cam", re.I, ("cam",))
_GRADIENTS = frozenset(
    {"gradient", "grad", "backward", "register_backward_hook", "register_full_backward_hook", "register_hook"}
)


class _Drawn(Struct, frozen=True):
    """A function that computes a map of what an image's class rests on, and where it takes the gradients."""

    path: str
    function: Function
    gradients: Call


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/explainability`."""
    found = [drawn for path, module in context.modules() for drawn in _drawn(path, module)]
    if not found:
        return
    called = {part for _, module in context.modules() for call in module.calls for part in call.name.split(".")[-2:]}
    for drawn in found:
        owner, _, name = drawn.function.qualname.rpartition(".")
        used = name in called or (owner and owner.rpartition(".")[2] in called)
        yield Signal(
            _PRACTICE,
            "grad-cam",
            Grade.IMPLEMENTED if used else Grade.TRACE,
            (
                context.evidence(drawn.path, drawn.function.line),
                context.evidence(drawn.path, drawn.gradients.line, Hop.USE),
            ),
            Confidence.MEDIUM,
            "" if used else f"nothing calls `{name}`",
            scope=drawn.function.qualname,
            fixed=not used,
        )


def _drawn(path: str, module: Module) -> Iterator[_Drawn]:
    """The first such function of a module; hooks that it defines inside are a part of it."""
    for qualname, function in module.functions.items():
        if function.stub or not _NAMED.search(qualname):
            continue
        inside = (c for c in module.calls if c.scope == qualname or c.scope.startswith(f"{qualname}."))
        gradients = next((call for call in inside if call.name.rpartition(".")[2] in _GRADIENTS), None)
        if gradients is not None:
            yield _Drawn(path, function, gradients)
            return
