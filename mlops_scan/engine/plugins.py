"""Detectors: this program's own and, unless told not to, those of other installed packages.

An own detector that fails is an internal error. A plug-in that cannot be loaded, fails or gives what no detector may
give is named in the report and left out whole; the scan goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_scan.engine import detection
from mlops_scan.installed import entry_points
from mlops_scan.words import Problem, Signal

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from mlops_scan.detectors.base import Context

GROUP = "mlops_scan.detectors"
"""The entry points by which other packages bring detectors."""


def foreign(plugins: bool) -> tuple[EntryPoint, ...]:
    """The detectors of other packages that take part."""
    return entry_points(GROUP) if plugins else ()


def detect(context: Context, plugins: bool, notes: list[str], jobs: int = 1) -> Iterator[Signal | Problem]:
    """What all detectors give; `notes` receives a sentence for each plug-in that took part or was left out.

    `jobs` is the number of processes, 0 for what pays.

    Raises:
        ScanError: an own detector cannot be loaded.
    """
    yield from detection.own(context, jobs)
    for entry in foreign(plugins):
        yield from _plugin(context, entry, notes)


def _plugin(context: Context, entry: EntryPoint, notes: list[str]) -> Iterator[Signal | Problem]:
    name = f"plug-in {entry.name} ({entry.value})"
    try:
        given = list(entry.load()(context))
    except Exception as error:  # noqa: BLE001 - code of other people; whatever it raises, the scan goes on
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        notes.append(f"the {name} failed and is left out: {reason}")
        return
    wrong = next((reason for item in given if (reason := _wrong(context, item))), "")
    if wrong:
        notes.append(f"the {name} is left out: it gave {wrong}")
        return
    notes.append(f"the {name} took part")
    yield from given


def _wrong(context: Context, item: object) -> str:
    """Why something that a plug-in gave cannot be used; empty where it can."""
    if isinstance(item, Signal):
        paths = [evidence.location.path for evidence in item.evidence]
        if item.practice not in context.rules.practices:
            return f"a signal for the unknown practice {item.practice!r}"
    elif isinstance(item, Problem):
        paths = [item.location.path]
        if item.finding not in context.rules.findings:
            return f"a problem of the unknown finding {item.finding!r}"
    else:
        return f"a {type(item).__name__}, not a Signal or a Problem"
    missing = next((path for path in paths if path not in context.documents.files), None)
    return f"evidence in {missing!r}, which is no file of the repository" if missing is not None else ""
