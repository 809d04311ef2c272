"""The short form of a report: one line with the verdict and the counts."""

from __future__ import annotations

from mlops_scan.engine.report import FindingRule, Report
from mlops_scan.reports.clean import one_line
from mlops_scan.words import Severity

GAP_TAG = "maturity-gap"


def is_gap(rule: FindingRule) -> bool:
    """Whether the rule says what the next level asks for, rather than that something is broken."""
    return GAP_TAG in rule.tags


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def percent(share: float) -> str:
    """The share as whole percent, rounded down."""
    return f"{int(share * 100 + 1e-6)}%"


def summary(report: Report) -> str:
    """The verdict and the number of findings in one line."""
    counts = [
        counted(sum(finding.severity is severity for finding in report.findings), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    ]
    unread = [f"{len(report.incomplete)} not read"] if report.incomplete else []
    return f"{_verdict(report)}; {', '.join([*counts, *unread])}"


def _verdict(report: Report) -> str:
    headline = report.headline
    if headline.level is None:
        title = "no level" if report.has_ml else "no ML workload found"
        return f"{title} ({report.kind}: {one_line(report.kind_reason)})" if report.kind_reason else title
    progress = ""
    if headline.next_level is not None and headline.progress is not None:
        progress = f", {percent(headline.progress)} of the way to level {headline.next_level}"
    return f"level {headline.level} ({headline.level_name}){progress}"
