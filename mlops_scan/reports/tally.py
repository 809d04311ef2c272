"""What several formats say in the same words: the verdict, the counts, what is broken and what is a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mlops_scan.engine.report import ComponentResult, Finding, FindingRule, LevelResult, PracticeResult, Report
from mlops_scan.reports.clean import one_line
from mlops_scan.words import Severity

GAP_TAG = "maturity-gap"


def is_gap(rule: FindingRule) -> bool:
    """Whether the rule says what the next level asks for, rather than that something is broken."""
    return GAP_TAG in rule.tags


def split_findings(report: Report) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The defects and the gaps of the report, each most severe first and otherwise in the report's order."""
    gap_ids = {rule.id for rule in report.rules if is_gap(rule)}
    ordered = sorted(report.findings, key=lambda finding: -finding.severity.rank)
    defects = tuple(finding for finding in ordered if finding.id not in gap_ids)
    return defects, tuple(finding for finding in ordered if finding.id in gap_ids)


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def severities(findings: Iterable[Finding]) -> str:
    """`1 error, 2 warnings`; severities without a finding are left out."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(counted(counts[severity], severity.value) for severity in Severity if counts[severity])


def percent(share: float) -> str:
    """The share as whole percent, rounded down."""
    return f"{int(share * 100 + 1e-6)}%"


def top_level(component: ComponentResult) -> int | None:
    """The highest level of the ladder that the component is judged by."""
    return max((rung.number for rung in component.ladder), default=component.level)


def title(report: Report) -> str:
    """`Level 2 of 4: ML Pipeline Automation`, or why there is none."""
    headline = report.headline
    if headline.level is None:
        return "No level" if report.has_ml else "No ML workload found"
    return f"Level {headline.level} of {top_level(headline)}: {headline.level_name}"


def summary(report: Report) -> str:
    """The verdict and the number of findings in one line."""
    counts = [
        counted(sum(finding.severity is severity for finding in report.findings), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    ]
    unread = [f"{len(report.incomplete)} not read"] if report.incomplete else []
    return f"{_verdict(report)}; {', '.join([*counts, *unread])}"


def families(component: ComponentResult) -> dict[str, tuple[PracticeResult, ...]]:
    """The practices of the component by the first part of their id, in the rules' order."""
    found: dict[str, tuple[PracticeResult, ...]] = {}
    for practice in component.practices:
        family = practice.id.partition("/")[0]
        found[family] = (*found.get(family, ()), practice)
    return found


def wanted_level(component: ComponentResult, target: int | None) -> int | None:
    """The level whose rows are asked for: the target of a gate, else the next one, else the one that is reached."""
    return target if target is not None else component.next_level or component.level


def rungs_up_to(component: ComponentResult, level: int | None) -> tuple[LevelResult, ...]:
    """The levels with rows, up to and including `level`; none for None."""
    return tuple(rung for rung in component.ladder if level is not None and rung.number <= level and rung.rows)


def score(value: float | None) -> str:
    """A level or a score of some maturity model: `2`, `0.5` or `none`."""
    return "none" if value is None else f"{value:g}"


def badge_words(report: Report) -> tuple[str, str]:
    """The message and the colour name of a badge: short, and honest about a scan that is incomplete."""
    level, top = report.headline.level, top_level(report.headline) or 0
    if level is None:
        return ("no level" if report.has_ml else "no ML"), "lightgrey"
    colors = ("orange", "yellow", "yellowgreen", "green", "brightgreen")
    color = colors[round((level - 1) / (top - 1) * (len(colors) - 1))] if top > 1 and 1 <= level <= top else "orange"
    return f"level {level} of {top}{', incomplete' if report.incomplete else ''}", color


def _verdict(report: Report) -> str:
    headline = report.headline
    if headline.level is None:
        name = "no level" if report.has_ml else "no ML workload found"
        return f"{name} ({report.kind}: {one_line(report.kind_reason)})" if report.kind_reason else name
    progress = ""
    if headline.next_level is not None and headline.progress is not None:
        progress = f", {percent(headline.progress)} of the way to level {headline.next_level}"
    return f"level {headline.level} ({headline.level_name}){progress}"
