"""Report formats of other packages: entry points of the group `mlops_scan.reports`, `render(report, options)`.

They are looked for only when a format is named that this program does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops_scan.errors import ScanError
from mlops_scan.installed import entry_points

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from mlops_scan.engine.report import Report
    from mlops_scan.reports import RenderOptions

GROUP = "mlops_scan.reports"


def find(name: str) -> EntryPoint | None:
    """The entry point of a format; the first by its value where several packages have one of that name."""
    return next((entry for entry in entry_points(GROUP) if entry.name == name), None)


def render(name: str, report: Report, options: RenderOptions) -> str:
    """The report in a plug-in's format.

    Raises:
        KeyError: no package has that format.
        ScanError: the plug-in cannot be loaded, fails, or gives no text.
    """
    entry = find(name)
    if entry is None:
        raise KeyError(name)
    try:
        function: Callable[[Report, RenderOptions], object] = entry.load()
        text = function(report, options)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ScanError(f"the report plug-in {name} ({entry.value}) failed: {reason}") from error
    if not isinstance(text, str):
        raise ScanError(f"the report plug-in {name} ({entry.value}) gave a {type(text).__name__}, not text")
    return text
