"""What several formats say in the same words: the verdict, the counts, what is broken and what is a gap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from mlops_scan.engine.report import (
    ComponentResult,
    Finding,
    FindingRule,
    LevelResult,
    PracticeResult,
    Report,
    RowResult,
)
from mlops_scan.reports.clean import one_line
from mlops_scan.words import Grade, Severity

GAP_TAG = "maturity-gap"
GRADES = {
    Grade.WIRED: "wired: automation starts it and its outcome has an effect",
    Grade.IMPLEMENTED: "implemented: real code or configuration does it",
    Grade.TRACE: "trace: only named or half done",
    Grade.ABSENT: "absent: not found",
    Grade.UNKNOWN: "unknown: files cannot say",
}
_APPLICATIONS = ("application", "llm-app")


def is_gap(rule: FindingRule) -> bool:
    """Whether the rule says what the next level asks for, rather than that something is broken."""
    return GAP_TAG in rule.tags


def split_findings(report: Report) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The defects and the gaps of the report, each most severe first and otherwise in the report's order."""
    gap_ids = {rule.id for rule in report.rules if is_gap(rule)}
    ordered = sorted(report.findings, key=lambda finding: -finding.severity.rank)
    defects = tuple(finding for finding in ordered if finding.id not in gap_ids)
    return defects, tuple(finding for finding in ordered if finding.id in gap_ids)


def with_step(finding: Finding, report: Report) -> str:
    """The message, and for a gap the step that closes it: for platforms that show no page about the rule."""
    rule = next((rule for rule in report.rules if rule.id == finding.id), None)
    return f"{finding.message} {rule.fix}" if rule is not None and is_gap(rule) and rule.fix else finding.message


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
        return f"No {reason}" if (reason := _none(report)) else "No ML workload found"
    return f"Level {headline.level} of {top_level(headline)}: {headline.level_name}"


def summary(report: Report) -> str:
    """The verdict, the steps to the next level and the number of defects in one line."""
    defects, _ = split_findings(report)
    counts = [
        counted(sum(finding.severity is severity for finding in defects), severity.value)
        for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTE)
    ]
    unread = [f"{len(report.incomplete)} not read"] if report.incomplete else []
    return f"{_verdict(report)}; {', '.join([*counts, *unread])}"


def not_for_it(report: Report) -> bool:
    """Whether there is no level because the maturity model that was asked for is not about repositories like this."""
    return report.headline.level is None and any(item.value is not None for item in report.headline.models)


def _none(report: Report) -> str:
    """Which level is not there, and why; empty where there is no machine learning at all."""
    if not_for_it(report):
        return f"level: the model {report.model} does not apply here"
    return "" if report.kind == "non-ml" else f"level: {report.kind}"


def scope(report: Report, chosen: str) -> str:
    """Which of several components the verdict speaks of, in one sentence; empty where there is only one.

    `chosen` is the component that the user asked for, or an empty string.
    """
    count, path = len(report.components), report.headline.path
    if count < 2 or report.headline.level is None:
        return ""
    if report.kind == "course" and not chosen and explained(report) is not report.headline:
        return (
            f"The level and the rows are those of the best one, `{path}`, of {count} components; the practices are "
            "those of the whole repository, in which every row of the next level is met, but nowhere together."
        )
    if report.kind == "course" and not chosen:
        return (
            f"The level is that of the best one, `{path}`, of {count} components; the rows and practices are those of "
            "the whole repository, and a next step may be met in another one."
        )
    return f"The level is that of `{path}`, one of {count} components."


def explained(report: Report) -> ComponentResult:
    """The component whose rows explain the level.

    Of a course these are the rows of all lessons together. Where they are all met and no lesson meets them, they would
    contradict the level: then they are those of the lesson that the level speaks of.
    """
    headline = report.headline
    following = next((rung for rung in headline.ladder if rung.number == headline.next_level), None)
    if report.kind != "course" or following is None or not all(row.met for row in following.rows):
        return headline
    return report.levelled


def without_level(report: Report) -> str:
    """What to do where there is no level and the reader thinks that there should be one; empty where there is one."""
    if report.headline.level is not None or report.kind in _APPLICATIONS or not_for_it(report):
        return ""
    return "If it trains or serves a model for a use of its own, `--kind application` has it judged as such."


def lacks(row: RowResult, practice: PracticeResult) -> str:
    """What a practice lacks to meet a row: the grade that the row asks for, and why; empty where it meets it."""
    if practice.id in row.met_by:
        return ""
    minimum = row.minimum or practice.minimum
    if practice.grade in (Grade.NOT_APPLICABLE, Grade.UNKNOWN):
        wanted = ""
    elif practice.grade.strength < minimum.strength:
        wanted = f"needs {minimum.value}"
    else:
        wanted = "too uncertain to count"
    return ": ".join(part for part in (wanted, practice.reason) if part)


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
        return ("no level" if _none(report) else "no ML"), "lightgrey"
    colors = ("orange", "yellow", "yellowgreen", "green", "brightgreen")
    color = colors[round((level - 1) / (top - 1) * (len(colors) - 1))] if top > 1 and 1 <= level <= top else "orange"
    return f"level {level} of {top}{', incomplete' if report.incomplete else ''}", color


def _verdict(report: Report) -> str:
    headline = report.headline
    if headline.level is None:
        if not_for_it(report):
            return f"no {_none(report)}"
        name = "no level" if _none(report) else "no ML workload found"
        return f"{name} ({report.kind}: {one_line(report.kind_reason)})" if report.kind_reason else name
    progress = ""
    if headline.next_level is not None and headline.progress is not None:
        steps = f" ({counted(len(headline.gaps), 'step')} left)" if headline.gaps else ""
        progress = f", {percent(headline.progress)} of the way to level {headline.next_level}{steps}"
    return f"level {headline.level} ({headline.level_name}){progress}"
