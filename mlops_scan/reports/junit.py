"""JUnit XML: one test case a row of the levels that are asked for, for dashboards that know only tests."""

from __future__ import annotations

import io
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from mlops_scan.engine.report import ComponentResult, LevelResult, PracticeResult, Report, RowResult
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import cut, one_line, visible
from mlops_scan.reports.tally import (
    explained,
    lacks,
    rungs_up_to,
    summary,
    wanted_level,
)
from mlops_scan.words import Grade

_MAX_TEXT = 1000


def render(report: Report, options: RenderOptions) -> str:
    """A suite a level, up to the target of the gate or else up to the next level."""
    rungs = rungs_up_to(explained(report), wanted_level(report.headline, options.target))
    root = Element("testsuites", name="mlops-scan", time="0")
    suites = [_suite(root, report, rung) for rung in rungs] or [_bare(root, report, options.target)]
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    if report.incomplete:
        unread = [cut(f"{visible(item.path)}: {one_line(item.reason)}", _MAX_TEXT) for item in report.incomplete]
        SubElement(suites[-1], "system-err").text = "Could not be read:\n" + "\n".join(unread)
    indent(root)
    out = io.BytesIO()
    ElementTree(root).write(out, encoding="utf-8", xml_declaration=True)
    return out.getvalue().decode("utf-8") + "\n"


def _suite(root: Element, report: Report, rung: LevelResult) -> Element:
    failed = sum(not row.met for row in rung.rows)
    suite = SubElement(
        root,
        "testsuite",
        name=f"Level {rung.number}: {rung.name}",
        tests=str(len(rung.rows)),
        failures=str(failed),
        errors="0",
        skipped="0",
        time="0",
    )
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="verdict", value=summary(report))
    SubElement(properties, "property", name="model", value=report.model)
    for row in rung.rows:
        _case(suite, explained(report), rung, row)
    return suite


def _case(suite: Element, component: ComponentResult, rung: LevelResult, row: RowResult) -> None:
    by_id = {practice.id: practice for practice in component.practices}
    case = SubElement(suite, "testcase", classname=f"mlops-scan.level-{rung.number}", name=row.title, time="0")
    known = [by_id[name] for name in row.practices if name in by_id]
    if not row.met:
        remedies = {gap.practice: gap.remedy for gap in component.gaps}
        open_ = [practice for practice in known if practice.id not in row.met_by]
        absent = [practice.id for practice in open_ if not _worth_lines(practice) and practice.id not in remedies]
        lines = [line for item in open_ if item.id not in absent for line in _missing(row, item, remedies)]
        lines += [cut(f"absent: {', '.join(absent)}", _MAX_TEXT)] if absent else []
        failure = SubElement(case, "failure", message=_short(row), type="unmet")
        failure.text = "\n".join(lines)
    met = [_described(practice) for practice in known if practice.id in row.met_by]
    if met:
        SubElement(case, "system-out").text = "\n".join(met)


def _short(row: RowResult) -> str:
    if len(row.practices) == 1:
        return f"{row.practices[0]} is not met"
    return f"needs {row.need} of {len(row.practices)} practices, has {len(row.met_by)}"


def _worth_lines(practice: PracticeResult) -> bool:
    return bool(practice.evidence) or practice.grade is not Grade.ABSENT


def _missing(row: RowResult, practice: PracticeResult, remedies: dict[str, str]) -> list[str]:
    lines = [_described(practice)]
    if lacking := lacks(row, practice):
        lines.append(f"    {one_line(lacking)}")
    if practice.id in remedies:
        lines.append(f"    Next step: {one_line(remedies[practice.id])}")
    return [cut(line, _MAX_TEXT) for line in lines]


def _described(practice: PracticeResult) -> str:
    place = f" {visible(str(practice.evidence[0].location))}" if practice.evidence else ""
    return cut(f"{practice.id} {practice.grade.value}{place}", _MAX_TEXT)


def _bare(root: Element, report: Report, target: int | None) -> Element:
    """The one case where no row is asked for: whether there is a level. Only a gate makes its absence a failure."""
    suite = SubElement(root, "testsuite", name="Level", tests="1", failures="0", errors="0", skipped="0", time="0")
    case = SubElement(suite, "testcase", classname="mlops-scan", name="has a level", time="0")
    if report.headline.level is None:
        outcome, count = ("skipped", "skipped") if target is None else ("failure", "failures")
        SubElement(case, outcome, message=summary(report))
        suite.set(count, "1")
    return suite
