"""Detectors: this program's own and, unless told not to, those of other installed packages.

An own detector that fails is an internal error. A plug-in that cannot be loaded, fails or gives what no detector may
give is named in the report and left out whole; the scan goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points

from mlops_scan.detectors.base import Context, Detector
from mlops_scan.errors import ScanError
from mlops_scan.words import Problem, Signal

GROUP = "mlops_scan.detectors"
_OWN = "mlops_scan."


def is_own(entry: EntryPoint) -> bool:
    """Whether an entry point belongs to this program."""
    return entry.value.startswith(_OWN)


def detectors(plugins: bool = True) -> Iterator[tuple[EntryPoint, Callable[[], Detector]]]:
    """The registered detectors with what loads them: our own in name order, then those of other packages."""
    found = sorted(entry_points(group=GROUP), key=lambda e: (not is_own(e), e.name, e.value))
    yield from ((entry, entry.load) for entry in found if plugins or is_own(entry))


def foreign(plugins: bool) -> bool:
    """Whether detectors of other packages take part."""
    return any(not is_own(entry) for entry, _ in detectors(plugins))


def detect(context: Context, plugins: bool, notes: list[str]) -> Iterator[Signal | Problem]:
    """What all detectors give; `notes` receives a sentence for each plug-in that took part or was left out.

    Raises:
        ScanError: no detector is registered, or an own one cannot be loaded.
    """
    found = list(detectors(plugins))
    if not any(is_own(entry) for entry, _ in found):
        raise ScanError("no detector is registered; reinstall mlops-scan (`pip install mlops-scan`)")
    for entry, load in found:
        if is_own(entry):
            try:
                detector = load()
            except Exception as error:
                raise ScanError(f"detector {entry.name} ({entry.value}) cannot be loaded: {error}") from error
            yield from detector(context)
        else:
            yield from _plugin(context, entry, load, notes)


def _plugin(
    context: Context, entry: EntryPoint, load: Callable[[], Detector], notes: list[str]
) -> Iterator[Signal | Problem]:
    name = f"plug-in {entry.name} ({entry.value})"
    try:
        given = list(load()(context))
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
