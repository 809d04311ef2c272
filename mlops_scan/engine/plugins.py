"""Detectors: this program's own and, unless told not to, those of other installed packages.

An own detector that fails is an internal error. A plug-in that cannot be loaded, fails or gives what no detector may
give is named in the report and left out whole; the scan goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from mlops_scan.errors import ScanError
from mlops_scan.installed import entry_points
from mlops_scan.words import Problem, Signal

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from mlops_scan.detectors.base import Context, Detector

GROUP = "mlops_scan.detectors"
"""The entry points by which other packages bring detectors."""

OWN = (
    "ci", "cloud_alarms", "cloud_triggers", "configuration", "defects", "environment", "gates", "genai", "governance",
    "infrastructure", "monitor_configs", "monitoring", "pipelines", "progressive", "prometheus", "prompts", "recipes",
    "retraining", "serving", "shell_gates", "snapshots", "tests", "tools", "training", "validation",
)  # fmt: skip
"""The modules of `mlops_scan.detectors` that have a detector, in the order in which they are asked."""


def foreign(plugins: bool) -> tuple[EntryPoint, ...]:
    """The detectors of other packages that take part."""
    return entry_points(GROUP) if plugins else ()


def load_own() -> None:
    """Import the own detectors, ahead of `detect`; one that cannot be loaded is left to it."""
    with suppress(ImportError):
        for name in OWN:
            import_module(f"mlops_scan.detectors.{name}")


def detect(context: Context, plugins: bool, notes: list[str]) -> Iterator[Signal | Problem]:
    """What all detectors give; `notes` receives a sentence for each plug-in that took part or was left out.

    Raises:
        ScanError: an own detector cannot be loaded.
    """
    for name in OWN:
        try:
            detector: Detector = import_module(f"mlops_scan.detectors.{name}").detect
        except (ImportError, AttributeError) as error:
            raise ScanError(f"the detector {name} cannot be loaded: {error}; reinstall mlops-scan") from error
        yield from detector(context)
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
