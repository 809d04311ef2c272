"""The verdict as one line for the chat: `mlops-scan -f acme-chat`."""

from __future__ import annotations

from mlops_scan.engine.report import Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import one_line


def render(report: Report, options: RenderOptions) -> str:
    """One line that ends in a newline."""
    level = "no level" if report.headline.level is None else f"level {report.headline.level}"
    return f"{one_line(report.path)}: {level}, {len(report.findings)} findings\n"
