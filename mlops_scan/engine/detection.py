"""This program's own detectors; in large repositories another process does a part of their work."""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import convert, to_builtins

from mlops_scan.errors import ScanError
from mlops_scan.words import Problem, Signal

if TYPE_CHECKING:
    from mlops_scan.detectors.base import Context, Detector

# Each with about the milliseconds that it takes in a large tree, by which the processes divide the work.
_WEIGHTS = {
    "approvals": 2, "asserted": 1, "ci": 300, "cloud_alarms": 500, "cloud_triggers": 5, "collected": 10,
    "configuration": 300, "defects": 50, "environment": 300, "evaluation": 20, "fairness": 2, "functions": 2,
    "gates": 20, "genai": 200, "governance": 80, "infrastructure": 5, "lineage": 5, "modelstores": 5,
    "monitor_configs": 150, "monitoring": 90, "notices": 5, "ownstores": 5, "pipelines": 350, "progressive": 10,
    "prometheus": 150, "prompts": 40, "recipes": 5, "refusals": 10, "registered": 5, "retraining": 10, "rowmodels": 10,
    "saliency": 5, "serving": 80, "shell_gates": 1, "snapshots": 20, "tests": 20, "tools": 1_000, "trackers": 5,
    "training": 70, "validation": 10,
}  # fmt: skip
OWN = tuple(_WEIGHTS)
"""The modules of `mlops_scan.detectors` that have a detector, in the order in which they are asked."""

# Parsed documents below which another process costs more than it saves: it and this one copy what memory they look at.
_PAYS = 1_000
_PROCESSES = 2


def load_own() -> None:
    """Import the own detectors, ahead of `own`; one that cannot be loaded is left to it."""
    with suppress(ImportError):
        for name in OWN:
            import_module(f"mlops_scan.detectors.{name}")


def own(context: Context, jobs: int = 1) -> Iterator[Signal | Problem]:
    """What the own detectors give, in their order.

    `jobs` is the number of processes, 0 for what pays; two are used at most.

    Raises:
        ScanError: a detector cannot be loaded.
    """
    from mlops_scan.code import workers

    detectors = [_loaded(name) for name in OWN]
    documents = context.documents
    half = len(documents.parsed) // 2  # of what there is to look at
    if workers.processes((half, half), jobs, _PAYS) < 2 or not all(map(documents.is_shared, documents.files)):
        for detector in detectors:
            yield from detector(context)
        return
    context.index.connect()  # most ask for it, in either process
    given: dict[int, list[Signal | Problem]] = {}
    noted_by: dict[str, int] = {}  # files by the detector here that noted something of them

    def here(number: int) -> None:
        before = len(documents.incomplete)
        given[number] = list(detectors[number](context))
        noted_by.update(dict.fromkeys(islice(documents.incomplete, before, None), number))

    packed = workers.share(
        tuple(_WEIGHTS.values()), _PROCESSES, lambda number: _packed(context, detectors[number]), here
    )
    for number in range(len(detectors)):
        if number in packed:
            signals, problems, seen = marshal.loads(packed.pop(number))  # noqa: S302 -- from our own process
            for item in seen:
                documents.join(item, noted_by.get(item[0], 0) > number)
            yield from convert(signals, list[Signal])
            yield from convert(problems, list[Problem])
        else:
            if number not in given:  # its process ended early
                here(number)
            yield from given.pop(number)


def _loaded(name: str) -> Detector:
    try:
        detector: Detector = import_module(f"mlops_scan.detectors.{name}").detect
    except (ImportError, AttributeError) as error:
        raise ScanError(f"the detector {name} cannot be loaded: {error}; reinstall mlops-scan") from error
    return detector


def _packed(context: Context, detector: Detector) -> bytes:
    """What a detector gives, and what it has read besides, as `own` takes it from another process."""
    given, seen = context.documents.apart(lambda: list(detector(context)))
    signals = [item for item in given if isinstance(item, Signal)]
    problems = [item for item in given if isinstance(item, Problem)]
    return marshal.dumps((to_builtins(signals), to_builtins(problems), seen))
