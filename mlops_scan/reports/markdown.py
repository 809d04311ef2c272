"""Markdown for job summaries and comments on merge requests: short, details folded, inert whatever was scanned.

Scanned text stands in code spans or is escaped, so that it forms no link, image, mention, reference or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.engine.report import ComponentResult, Finding, Gap, LevelResult, PracticeResult, Report, RowResult
from mlops_scan.regex import regex
from mlops_scan.reports import RenderOptions, vector
from mlops_scan.reports.clean import cut, encodable, one_line, visible
from mlops_scan.reports.places import Places
from mlops_scan.reports.tally import (
    GRADES,
    counted,
    explained,
    lacks,
    not_for_it,
    percent,
    rungs_up_to,
    scope,
    severities,
    split_findings,
    title,
    wanted_level,
    without_level,
)
from mlops_scan.words import Grade, Location

_BUDGET = 60_000  # characters; GitHub refuses a comment of more than 65,536
_OPEN = 10  # findings that are shown without unfolding
_STEPS = 5
_CELL = 400
_BAR = 20
_SPECIAL = regex(r"[\\`*_{}\[\]<>#!|~&$^]")
_REFERENCE = regex(r"([@#!~%$&])(?=[\w\"{\[])|(?<=GH)(-)(?=\d)", re.IGNORECASE)
_NOTHING = "&#8203;"  # a zero-width space: what follows is no mention and no reference any more
_ICON = {"error": "🔴", "warning": "🟠", "note": "🔵"}


def render(report: Report, options: RenderOptions) -> str:
    """The verdict, the next steps and the findings; folded: why, gaps, what could not be read."""
    headline, places = report.headline, options.places
    defects, gaps = split_findings(report)
    parts = [f"## MLOps maturity: {_text(title(report))}", "  \n".join(_verdict(report, options))]
    if headline.level is not None:
        parts += _folded(f"Components ({len(report.components)})", _components(report))
        parts += _next_steps(headline, places)
    shown, folded = defects[:_OPEN], defects[_OPEN:]
    if shown:
        parts += [f"### Findings ({severities(defects)})", _bullets(_finding(item, places) for item in shown)]
    if folded:
        parts += _folded(f"{len(folded)} more findings", (_finding(item, places) for item in folded))
    if headline.level is not None:
        shown_by = explained(report)
        wanted = rungs_up_to(shown_by, wanted_level(headline, options.target))
        parts += _folded("Why this level", _why(shown_by, wanted, places), "; ".join(GRADES.values()) + ".")
        later = headline.gaps[_STEPS:]
        parts += _folded(counted(len(later), "further step"), (_gap(gap, headline, places) for gap in later))
    if gaps:
        parts += _folded(
            f"What the next level asks for ({counted(len(gaps), 'note')})", (_finding(item, places) for item in gaps)
        )
    parts += _folded(
        f"Could not be read ({len(report.incomplete)})",
        (f"{_code(item.path)}: {_text(cut(item.reason, _CELL))}" for item in report.incomplete),
    )
    parts += _folded("Please note", (_text(cut(notice, _CELL)) for notice in report.notices))
    return encodable("\n\n".join(_within_budget(parts, _footer(report)))) + "\n"


def _verdict(report: Report, options: RenderOptions) -> Iterator[str]:
    headline = report.headline
    reason = f" ({_prose(report.kind_reason)})" if report.kind_reason else ""
    where = f", see {_place(report.kind_place, options.places)}" if report.kind_place is not None else ""
    yield f"**Kind:** {_text(report.kind)}{reason}{where}"
    if headline.level is None and not not_for_it(report):
        if sentence := without_level(report):
            yield _prose(sentence)
        return
    if headline.next_level is not None and headline.progress is not None:
        filled = int(headline.progress * _BAR)
        bar = "█" * filled + "░" * (_BAR - filled)
        yield f"**To level {headline.next_level}:** {bar} {percent(headline.progress)}"
    if sentence := scope(report, options.component):
        yield f"**Component:** {_prose(sentence)}"
    elif headline.path != ".":
        yield f"**Component:** {_code(headline.path)}"
    others = vector.others(report)
    own = _text(report.model + vector.of_main(report))
    yield f"**Maturity model:** {own}{f'. Others: {_text(others)}' if others else ''}"


def _components(report: Report) -> Iterator[str]:
    for item in report.components if len(report.components) > 1 else ():
        level = "no level" if item.level is None else f"level {item.level}"
        share = f", {percent(item.progress)} of the way to {item.next_level}" if item.progress is not None else ""
        yield f"{_code(item.path)}: {level}{share}"


def _next_steps(component: ComponentResult, places: Places) -> list[str]:
    if component.next_level is None or not component.gaps:
        return []
    steps = [f"{number}. {_gap(gap, component, places)}" for number, gap in enumerate(component.gaps[:_STEPS], start=1)]
    return [f"### Next steps to level {component.next_level}", "\n".join(steps)]


def _gap(gap: Gap, component: ComponentResult, places: Places) -> str:
    place = next((p.evidence[0].location for p in component.practices if p.id == gap.practice and p.evidence), None)
    where = f", {_place(place, places)}" if place is not None else ""
    return f"**{_text(gap.title)}** (effort {_text(gap.effort)}{where}): {_prose(gap.remedy)}"


def _why(component: ComponentResult, rungs: Iterable[LevelResult], places: Places) -> Iterator[str]:
    by_id = {practice.id: practice for practice in component.practices}
    for rung in rungs:
        for row in rung.rows:
            yield _row(rung, row, [by_id[name] for name in row.practices if name in by_id], places)


def _row(rung: LevelResult, row: RowResult, practices: list[PracticeResult], places: Places) -> str:
    mark = "✅" if row.met else "❌"
    needed = f" (needs {row.need} of {len(row.practices)}, has {len(row.met_by)})" if len(row.practices) > 1 else ""
    head = f"{mark} Level {rung.number}: {_text(row.title)}{needed}"
    seen = [item for item in practices if item.grade is not Grade.ABSENT or item.evidence]
    lines = [f"  - {_practice(item, lacks(row, item), places)}" for item in seen]
    absent = [item.id for item in practices if item not in seen]
    if absent and not row.met:
        lines.append(f"  - absent: {', '.join(map(_code, absent))}")
    return "\n".join([head, *lines])


def _practice(practice: PracticeResult, lacking: str, places: Places) -> str:
    where = f" {_place(practice.evidence[0].location, places)}" if practice.evidence else ""
    reason = f", {_prose(lacking)}" if lacking else ""
    return f"{_code(practice.id)} {practice.grade.value}{where}{reason}"


def _finding(finding: Finding, places: Places) -> str:
    rule = _code(finding.id)
    if finding.help_url.startswith("https://"):
        rule = f"[{rule}]({_url(finding.help_url)})"
    icon = _ICON[finding.severity.value]
    return f"{icon} {finding.severity.value} {rule} {_place(finding.location, places)}: {_prose(finding.message)}"


def _place(location: Location, places: Places) -> str:
    shown = _code(str(location))
    address = places.web(location)
    return f"[{shown}]({_url(address)})" if address else shown


def _folded(heading: str, lines: Iterable[str], explained: str = "") -> list[str]:
    body = list(lines)
    before = [explained] if explained else []
    return [f"<details><summary>{heading}</summary>", *before, _bullets(body), "</details>"] if body else []


def _footer(report: Report) -> str:
    commit = f", commit {_code(report.revision[:12])}" if report.revision else ""
    return f"<sub>mlops-scan {_text(report.version)}, rules {_text(report.rules_version)}{commit}</sub>"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _within_budget(parts: list[str], footer: str) -> Iterator[str]:
    """The parts that fit; a list is cut at a line, and what stays open is closed."""
    left = _BUDGET - len(footer) - 200
    opened = False
    for part in parts:
        if len(part) > left:
            kept = part[:left].rpartition("\n- ")[0] if "\n- " in part else ""
            if kept:
                yield kept
            if opened:
                yield "</details>"
            yield "*The rest is left out here; the other report formats have all of it.*"
            break
        left -= len(part) + 2
        opened = (opened or part.startswith("<details>")) and part != "</details>"
        yield part
    yield footer


def _prose(text: str) -> str:
    """Our own sentences with scanned words in them: code spans stay code, everything else is escaped."""
    flat = cut(one_line(text), 2 * _CELL)
    pieces = flat.split("`")
    if len(pieces) % 2 == 0:
        return _escaped(flat)
    return "".join(_code(piece) if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))


def _text(text: str) -> str:
    """One line of Markdown in which nothing is a link, a mention, a reference or HTML."""
    return _escaped(one_line(text))


def _escaped(text: str) -> str:
    broken = _REFERENCE.sub(lambda match: f"{match.group()}\0", text)
    broken = re.sub(r"(?i)\b(www)(\.)", "\\1\0\\2", broken)
    escaped = _SPECIAL.sub(lambda match: f"&#{ord(match.group())};", broken).replace("://", f":{_NOTHING}//")
    return escaped.replace("\0", _NOTHING)


def _code(text: str) -> str:
    """A code span of the text, whatever backticks are in it; empty text gives none."""
    shown = cut(visible(text), _CELL)
    if not shown.strip():
        return "(empty)" if not shown else "(spaces)"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    edge = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def _url(address: str) -> str:
    """An address that cannot end the parentheses around it."""
    return address.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
