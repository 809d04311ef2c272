"""This program's own detectors; the second half of them works in another process where that pays."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec import convert, to_builtins

from mlops_scan.errors import ScanError
from mlops_scan.words import Problem, Signal

if TYPE_CHECKING:
    from mlops_scan.detectors.base import Context, Detector

OWN = (
    "ci", "cloud_alarms", "cloud_triggers", "configuration", "defects", "environment", "gates", "genai", "governance",
    "infrastructure", "monitor_configs", "monitoring", "pipelines", "progressive", "prometheus", "prompts", "recipes",
    "retraining", "serving", "shell_gates", "snapshots", "tests", "tools", "training", "validation",
)  # fmt: skip
"""The modules of `mlops_scan.detectors` that have a detector, in the order in which they are asked."""

_SECOND = OWN.index("genai")  # from here on there is about as much to do as before
_PAYS = 150  # parsed documents below which another process costs more than it saves: 5 to 10 ms


def load_own() -> None:
    """Import the own detectors, ahead of `own`; one that cannot be loaded is left to it."""
    with suppress(ImportError):
        for name in OWN:
            import_module(f"mlops_scan.detectors.{name}")


def own(context: Context, jobs: int = 1) -> Iterator[Signal | Problem]:
    """What the own detectors give: signals, and problems, each in the order of the detectors.

    `jobs` is the number of processes, 0 for one per processor where there is much to detect; two are used at most.

    Raises:
        ScanError: a detector cannot be loaded.
    """
    from mlops_scan.code import workers

    detectors = [_loaded(name) for name in OWN]
    documents = context.documents
    half = len(documents.parsed) // 2
    if workers.processes((half, half), jobs, _PAYS) < 2 or not all(map(documents.is_shared, documents.files)):
        yield from _given(context, detectors)
        return
    second = detectors[_SECOND:]
    with workers.apart(lambda: _packed(context, second)) as result:
        yield from _given(context, detectors[:_SECOND])
        data = result()
    if not data:  # the other process has ended early
        yield from _given(context, second)
        return
    signals, problems, seen = marshal.loads(data)  # noqa: S302 -- from our own process
    documents.join(seen)
    yield from convert(signals, list[Signal])
    yield from convert(problems, list[Problem])


def _loaded(name: str) -> Detector:
    try:
        detector: Detector = import_module(f"mlops_scan.detectors.{name}").detect
    except (ImportError, AttributeError) as error:
        raise ScanError(f"the detector {name} cannot be loaded: {error}; reinstall mlops-scan") from error
    return detector


def _given(context: Context, detectors: Sequence[Detector]) -> Iterator[Signal | Problem]:
    for detector in detectors:
        yield from detector(context)


def _packed(context: Context, detectors: Sequence[Detector]) -> bytes:
    """What detectors give, and what they have read besides, as `own` takes it from another process."""
    given, seen = context.documents.apart(lambda: list(_given(context, detectors)))
    signals = [item for item in given if isinstance(item, Signal)]
    problems = [item for item in given if isinstance(item, Problem)]
    return marshal.dumps((to_builtins(signals), to_builtins(problems), seen))
