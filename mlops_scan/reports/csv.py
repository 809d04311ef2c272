"""Practices as a table for spreadsheets: one line a practice and component."""

from __future__ import annotations

import csv
import io

from mlops_scan.engine.report import ComponentResult, PracticeResult, Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import cut, visible

HEADER = (
    "component",
    "practice",
    "title",
    "grade",
    "met",
    "minimum",
    "confidence",
    "asked_for_by_level",
    "tools",
    "reason",
    "path",
    "line",
    "evidence",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%", "＝", "＋", "－", "＠")  # noqa: RUF001 -- full-width counts too
_MAX_CELL = 30_000  # a spreadsheet's cell holds 32,767 characters


def render(report: Report, options: RenderOptions) -> str:
    """UTF-8, comma separated, lines ending as RFC 4180 says. No cell can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for component in report.components or (report.headline,):
        levels = _levels(component)
        for practice in component.practices:
            writer.writerow([_safe(cell) for cell in _row(component, practice, levels.get(practice.id, ""))])
    return out.getvalue()


def _levels(component: ComponentResult) -> dict[str, str]:
    """The lowest level with a row that asks for each practice."""
    found: dict[str, str] = {}
    for rung in component.ladder:
        for row in rung.rows:
            for name in row.practices:
                found.setdefault(name, str(rung.number))
    return found


def _row(component: ComponentResult, practice: PracticeResult, level: str) -> tuple[str, ...]:
    first = practice.evidence[0].location if practice.evidence else None
    return (
        component.path,
        practice.id,
        practice.title,
        practice.grade.value,
        "yes" if practice.met else "no",
        practice.minimum.value,
        practice.confidence.value if practice.evidence else "",
        level,
        ", ".join(practice.tools),
        practice.reason,
        first.path if first else "",
        str(first.line) if first else "",
        "; ".join(f"{item.hop.value} {item.location}" for item in practice.evidence),
    )


def _safe(text: str) -> str:
    """One line; a leading apostrophe makes text of what a spreadsheet would calculate (OWASP, CSV injection)."""
    shown = cut(visible(text), _MAX_CELL)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
