"""The commit of the code that a run or a model is recorded with, by code of the project's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.code.facts import Module
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.live import dead
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_PRACTICE = "pipeline/metadata"
_COMMIT = regex(
    r"(model[._])?(git|code|source)[._-]?(commit|sha1?|hash|rev|revision|version)([._-](id|sha|hash|short))?|"
    r"commit[._-]?(sha|hash|id)",
    re.I,
    words=("git", "code", "source", "commit"),
)
_RECORDS = frozenset(
    {"set_tag", "set_tags", "log_param", "log_params", "log_dict", "log_metadata", "dump", "dumps", "write_text",
     "safe_dump", "start_run"}
)  # fmt: skip
_MADE = LEARNS | {"save-model", "register"}
_TRACKS = "experiment/tracking"
_HOPS = 3


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `pipeline/metadata`; one a module."""
    for path, module in context.modules(notebooks=False):
        yield from _recorded(context, path, module)


def _recorded(context: Context, path: str, module: Module) -> Iterator[Signal]:
    lines = [line for line, text in module.strings if len(text) < 30 and _COMMIT.fullmatch(text)]
    for name, function in module.functions.items() if lines else ():
        line = next((line for line in lines if function.line <= line <= function.end_line), 0)
        calls = context.index.calls_in(path, name) if line else ()
        records = next((call for call in calls if call.name.rpartition(".")[2] in _RECORDS), None)
        if records is None or not _of_a_model(context, path, name) or dead(context, path, name):
            continue
        evidence = (context.evidence(path, line), context.evidence(path, records.line, Hop.USE, records.end_line))
        yield Signal(_PRACTICE, "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=name)
        return


def _of_a_model(context: Context, path: str, scope: str) -> bool:
    """Whether a function tracks a run, makes or keeps a model, or its file does."""
    if any(_TRACKS in use.serves or not _MADE.isdisjoint(use.does) for use in context.uses_in(path)):
        return True
    return context.reaches([(path, scope)], _MADE, _HOPS) is not None
