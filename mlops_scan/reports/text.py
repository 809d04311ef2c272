"""The report for people: what level, on which evidence, what is broken, what to do next."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from mlops_scan.engine.report import ComponentResult, Finding, LevelResult, PracticeResult, Report, RowResult
from mlops_scan.reports import RenderOptions, vector
from mlops_scan.reports.clean import encodable, one_line, plain, visible
from mlops_scan.reports.tally import (
    GRADES,
    explained,
    families,
    lacks,
    not_for_it,
    percent,
    rungs_up_to,
    scope,
    severities,
    split_findings,
    summary,
    title,
    wanted_level,
    without_level,
)
from mlops_scan.words import Evidence, Grade, Location, Severity

_Item = TypeVar("_Item")
_Part = str | tuple[str, str]
_STEPS = 3
_FINDINGS = 10
_NOTES = 5
_COMPONENTS = 10
_BAR = 20
_MIN_WIDTH = 40
_ID_WIDTH = 26  # longer ids push what follows them; a wider column would leave no room for paths at 80 columns
_GRADE_STYLE = {
    Grade.WIRED: "green",
    Grade.IMPLEMENTED: "cyan",
    Grade.TRACE: "yellow",
    Grade.UNKNOWN: "magenta",
}
_SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def render(report: Report, options: RenderOptions) -> str:
    """The report as lines of text; one line when quiet."""
    if options.quiet:
        line = summary(report) + "\n"
        return line if options.unicode else plain(line)
    return _Page(report, options).text()


class _Page:
    """Prints one report section by section to a string. Nothing scanned is read as markup."""

    def __init__(self, report: Report, options: RenderOptions) -> None:
        self.report = report
        self.verbose = options.verbose
        self.unicode = options.unicode
        self.places = options.places
        self.component = options.component
        self.links = options.links and options.color  # rich writes none without styles
        self.here = "▸" if options.unicode else ">"
        self.met = "✓" if options.unicode else "[x]"
        self.open = "✗" if options.unicode else "[ ]"
        self.full, self.empty = ("█", "░") if options.unicode else ("#", "-")
        self.id_width = 0
        self.out = io.StringIO()
        self.console = Console(
            file=self.out,
            width=max(options.width, _MIN_WIDTH),
            force_terminal=options.color,
            color_system="standard" if options.color else None,
            no_color=not options.color,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )

    def text(self) -> str:
        """All sections."""
        judged = self.report.headline.level is not None
        self._header()
        if judged:
            self._ladder(self.report.headline)
            self._components()
            self._rows(explained(self.report))
        self._findings()
        if judged:
            self._next_steps(self.report.headline)
        if self.verbose:
            self._practices(self.report.headline)
        if self.verbose or self.report.every_model:
            self._models()
        self._unread()
        self._notices()
        self._more_help()
        stripped = "\n".join(line.rstrip() for line in self.out.getvalue().splitlines())
        return encodable(stripped.strip("\n")) + "\n"

    def _assembled(self, parts: Iterable[_Part | Text]) -> Text:
        if not self.unicode:
            parts = [
                plain(part) if isinstance(part, str) else (plain(part[0]), part[1]) if isinstance(part, tuple) else part
                for part in parts
            ]
        return Text.assemble(*parts)

    def _place(self, location: Location) -> Text:
        """`path:line`, a hyperlink to the file where the terminal knows hyperlinks."""
        address = self.places.file(location) if self.links else ""
        return Text(visible(str(location)), style=f"link {address}" if address else "")

    def _line(self, *parts: _Part | Text) -> None:
        """One line that is never wrapped, so that a path in it stays in one piece."""
        self.console.print(self._assembled(parts), soft_wrap=True)

    def _prose(self, indent: int, *parts: _Part | Text) -> None:
        self.console.print(Padding(self._assembled(parts), (0, 0, 0, indent)))

    def _section(self, title: str) -> None:
        self._line("")
        self._line((title, "bold"))

    def _header(self) -> None:
        report, headline = self.report, self.report.headline
        self._prose(0, (title(report), "bold"), "")
        if headline.level is None and not not_for_it(report):
            self._kind(f"Why: {one_line(report.kind_reason) or report.kind}")
            if sentence := without_level(report):
                self._prose(0, sentence)
            return
        reason = f" ({one_line(report.kind_reason)})" if report.kind_reason else ""
        self._kind(f"Kind: {report.kind}{reason}")
        if report.attestations and report.attested_level is not None:
            self._prose(0, f"Observed level: {headline.level}. With attestations: level {report.attested_level}.")
        others = vector.others(report)
        judged_by = f"Maturity model: {report.model}{vector.of_main(report)}."
        self._prose(0, judged_by, f" Other models: {others}." if others else "")
        if sentence := scope(report, self.component):
            self._prose(0, one_line(sentence))

    def _kind(self, sentence: str) -> None:
        """The sentence with the place that shows it, on a line of its own where it would be broken."""
        if self.report.kind_place is None:
            self._prose(0, sentence)
            return
        place = self._place(self.report.kind_place)
        if len(sentence) + 6 + place.cell_len <= self.console.width:
            self._prose(0, sentence, ", see ", place)
        else:
            self._prose(0, f"{sentence}, see")
            self._line("  ", place)

    def _ladder(self, component: ComponentResult) -> None:
        self._line("")
        width = max(len(rung.name) for rung in component.ladder) if component.ladder else 0
        for rung in component.ladder:
            here = rung.number == component.level
            mark = self.here if here else " "
            style = "bold" if here else "" if rung.reached or rung.number == component.next_level else "dim"
            line = f"{mark} {rung.number}  {rung.name:<{width}}  {self._standing(component, rung)}"
            self._line((line, style))
        if component.ahead:
            ahead = ", ".join(f"{practice} ({level})" for practice, level in component.ahead)
            self._prose(2, f"Ahead of the level: {ahead}")

    def _standing(self, component: ComponentResult, rung: LevelResult) -> str:
        if rung.number == component.level:
            return "you are here"
        if rung.reached:
            return "reached"
        if rung.number != component.next_level:
            return ""
        share = component.progress or 0.0
        filled = int(share * _BAR)
        return f"next  {self.full * filled}{self.empty * (_BAR - filled)} {percent(share)}"

    def _components(self) -> None:
        components = self.report.components
        if len(components) < 2:
            return
        self._section("Components")
        headline = self.report.headline.path
        first = [item for item in components if item.path == headline]
        rest = [item for item in components if item.path != headline]
        shown = self._some((*first, *rest), _COMPONENTS)
        standings = [_component_standing(item) for item in shown]
        width = max(map(len, standings))
        for item, standing in zip(shown, standings, strict=True):
            mark = self.here if item.path == headline else " "
            self._line(f"{mark} {standing:<{width}}  {visible(item.path)}")
        self._more(len(components), _COMPONENTS)

    def _rows(self, component: ComponentResult) -> None:
        by_id = {practice.id: practice for practice in component.practices}
        shown = rungs_up_to(component, wanted_level(component, None))
        names = {name for rung in shown for row in rung.rows for name in row.practices}
        longest = max((len(name) for name in names if name in by_id and _worth_a_line(by_id[name])), default=0)
        self.id_width = min(longest, _ID_WIDTH)
        seen = {by_id[name].grade for name in names if name in by_id}
        if seen:
            self._line("")
            self._prose(0, ("; ".join(text for grade, text in GRADES.items() if grade in seen), "dim"))
        for rung in shown:
            self._section(f"Level {rung.number}: {rung.name}")
            for row in rung.rows:
                self._row(row, by_id)

    def _row(self, row: RowResult, by_id: dict[str, PracticeResult]) -> None:
        mark, style = (self.met, "green") if row.met else (self.open, "red")
        needed = f" (needs {row.need} of {len(row.practices)}, has {len(row.met_by)})" if len(row.practices) > 1 else ""
        self._prose(2, (mark, style), f" {row.title}{needed}")
        known = [by_id[name] for name in row.practices if name in by_id]
        for practice in known:
            if _worth_a_line(practice):
                self._practice_line(practice, lacks(row, practice))
        rest = [item.id for item in known if not _worth_a_line(item)]
        if rest and (self.verbose or not row.met):
            self._prose(4, (f"absent: {', '.join(rest)}", "dim"))

    def _practice_line(self, practice: PracticeResult, lacking: str) -> None:
        place = self._place(practice.evidence[0].location) if practice.evidence else Text()
        grade = practice.grade.value
        head = f"    {practice.id:<{self.id_width}}  "
        style = _GRADE_STYLE.get(practice.grade, "dim")
        if len(head) + 13 + place.cell_len <= self.console.width:
            self._line(head, (f"{grade:<11}", style), "  " if place else "", place)
        else:
            self._line(head, (grade, style))
            self._line(" " * 6, place)
        if lacking:
            self._prose(6, (one_line(lacking), "dim"))

    def _findings(self) -> None:
        defects, gaps = split_findings(self.report)
        for heading, found in (("Findings", defects), ("What the next level asks for", gaps if self.verbose else ())):
            if not found:
                continue
            self._section(f"{heading} ({severities(found)})")
            for finding in self._some(found, _FINDINGS):
                self._finding(finding)
            self._more(len(found), _FINDINGS)

    def _finding(self, finding: Finding) -> None:
        severity = (f"{finding.severity.value:<7}", _SEVERITY_STYLE[finding.severity])
        self._line("  ", severity, f" {finding.id} ", self._place(finding.location))
        self._prose(10, one_line(finding.message))
        if self.verbose:
            self._chain(finding.related, 10)

    def _next_steps(self, component: ComponentResult) -> None:
        if component.next_level is None or not component.gaps:
            return
        self._section(f"Next steps to level {component.next_level}")
        limit = len(component.gaps) if self.verbose else _STEPS
        for number, gap in enumerate(component.gaps[:limit], start=1):
            self._prose(2, f"{number}. {gap.title}", (f"  {gap.practice}, effort {gap.effort}", "dim"))
            for line in gap.remedy.splitlines():
                self._prose(5, visible(line))
        self._more(len(component.gaps), limit)

    def _models(self) -> None:
        self._section("Maturity models")
        for indent, line in vector.details(self.report):
            self._prose(indent + 2, line)

    def _practices(self, component: ComponentResult) -> None:
        """Every practice with its chain; those without a trace in one line a family."""
        self._section("All practices")
        for family, practices in families(component).items():
            for practice in practices:
                if _worth_a_line(practice):
                    self._practice(practice)
            rest = [item.id.partition("/")[2] for item in practices if not _worth_a_line(item)]
            if rest:
                self._prose(2, (f"{family}/ absent: {', '.join(rest)}", "dim"))

    def _practice(self, practice: PracticeResult) -> None:
        style = _GRADE_STYLE.get(practice.grade, "dim")
        tools = f"  {', '.join(map(one_line, practice.tools))}" if practice.tools else ""
        self._line(f"  {practice.id:<32} ", (f"{practice.grade.value:<12}", style), f" {_wanted(practice)}{tools}")
        if practice.reason:
            self._prose(6, one_line(practice.reason))
        self._chain(practice.evidence, 6)

    def _chain(self, chain: Iterable[Evidence], indent: int) -> None:
        for item in chain:
            role = "" if item.role.value == "source" else f" ({item.role.value})"
            self._line(" " * indent, f"{item.hop.value:<10} ", self._place(item.location), role)
            if item.text:
                self._prose(indent + 11, (one_line(item.text), "dim"))

    def _unread(self) -> None:
        if not self.report.incomplete:
            return
        self._section(f"Could not be read ({len(self.report.incomplete)})")
        for item in self._some(self.report.incomplete, _NOTES):
            path, reason = visible(item.path), one_line(item.reason)
            if len(path) + len(reason) + 4 <= self.console.width:
                self._line(f"  {path}: {reason}")
            else:
                self._line(f"  {path}")
                self._prose(6, reason)
        self._more(len(self.report.incomplete), _NOTES)

    def _notices(self) -> None:
        if not self.report.notices:
            return
        self._section("Please note")
        for notice in self._some(self.report.notices, _NOTES):
            self._prose(2, one_line(notice))
        self._more(len(self.report.notices), _NOTES)

    def _more_help(self) -> None:
        """Where to read on: the first rule as an example, and the plan."""
        defects, _ = split_findings(self.report)
        parts = [f"`mlops-scan explain {defects[0].id}` says why and how to fix it"] if defects else []
        if self.report.headline.gaps:
            parts.append("`mlops-scan plan` has all steps with snippets")
        if parts and not self.verbose:
            self._line("")
            self._prose(0, ("; ".join([*parts, "-v shows all evidence"]) + ".", "dim"))

    def _some(self, items: Sequence[_Item], limit: int) -> Sequence[_Item]:
        return items if self.verbose else items[:limit]

    def _more(self, total: int, limit: int) -> None:
        if not self.verbose and total > limit:
            self._line((f"  and {total - limit} more (-v shows all)", "dim"))


def _component_standing(item: ComponentResult) -> str:
    level = "no level" if item.level is None else f"level {item.level}"
    return level if item.progress is None else f"{level}, {percent(item.progress):>3} of the way to {item.next_level}"


def _worth_a_line(practice: PracticeResult) -> bool:
    """Whether there is more to say than that nothing was found."""
    return bool(practice.evidence) or practice.grade is not Grade.ABSENT


def _wanted(practice: PracticeResult) -> str:
    if practice.grade in (Grade.ABSENT, Grade.NOT_APPLICABLE) or practice.met:
        return f"{practice.confidence.value} confidence" if practice.evidence else ""
    return f"needs {practice.minimum.value}, {practice.confidence.value} confidence"
