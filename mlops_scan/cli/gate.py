"""The gates: what makes a finished scan exit 1 or 2, and the words that say why."""

from __future__ import annotations

from msgspec import Struct

from mlops_scan.cli.config import Config
from mlops_scan.engine.report import ComponentResult, LevelResult, PracticeResult, Report, RowResult
from mlops_scan.errors import ScanError
from mlops_scan.words import Severity

PASSED, FAILED, INCOMPLETE = 0, 1, 2
_SHOWN = 20


class Gate(Struct, frozen=True):
    """What the user asked for: a level, a severity, thresholds, no news against a baseline, or nothing."""

    fail_below: int | None = None
    fail_on: str | None = None
    thresholds: tuple[tuple[str, float], ...] = ()
    no_regression: bool = False
    count_attestations: bool = False

    @property
    def armed(self) -> bool:
        """Whether there is any gate."""
        return self.fail_below is not None or self.fail_on is not None or bool(self.thresholds) or self.no_regression


def of(settings: Config) -> Gate:
    """The gates of the settings.

    Raises:
        ScanError: regressions cannot be told without a baseline.
    """
    if settings.no_regression and settings.baseline is None:
        raise ScanError("--no-regression needs a baseline (--baseline FILE; `mlops-scan baseline write` makes one)")
    return Gate(
        settings.fail_below,
        settings.fail_on,
        settings.thresholds or (),
        bool(settings.no_regression),
        bool(settings.count_attestations),
    )


class Verdict(Struct, frozen=True):
    """The exit code and the lines for standard error."""

    code: int
    lines: tuple[str, ...] = ()


def judge(report: Report, gate: Gate) -> Verdict:
    """Apply the gates. An incomplete scan decides nothing, so it outranks a failed gate."""
    if not gate.armed:
        return Verdict(PASSED)
    lines = [
        *_below(report, gate.fail_below, gate.count_attestations),
        *_severe(report, gate.fail_on),
        *_beyond(report, gate.thresholds),
        *(_regressed(report) if gate.no_regression else ()),
    ]
    code = FAILED if lines else PASSED
    if report.incomplete:
        code = INCOMPLETE
        lines += _unread(report)
    return Verdict(code, tuple(lines))


def _below(report: Report, wanted: int | None, attested: bool) -> list[str]:
    if wanted is None:
        return []
    from mlops_scan.reports.clean import one_line
    from mlops_scan.reports.tally import not_for_it

    headline = report.headline
    top = max((rung.number for rung in headline.ladder), default=wanted)
    if wanted > top:
        raise ScanError(f"--fail-below {wanted}: the model {report.model!r} has no level above {top}")
    if headline.level is None:
        other = f"the model {report.model} does not apply here" if not_for_it(report) else one_line(report.kind_reason)
        why = other or "no ML workload found"
        return [f"gate failed: level {wanted} is wanted, but the repository has no level ({why})"]
    counted = report.attested_level if attested and report.attested_level is not None else headline.level
    if counted >= wanted:
        return []
    lines = [f"gate failed: level {headline.level} is below {wanted}; missing:"]
    for rung in headline.ladder:
        if headline.level < rung.number <= wanted:
            lines += [_missing(headline, rung, row) for row in rung.rows if not row.met]
    return lines


def _missing(component: ComponentResult, rung: LevelResult, row: RowResult) -> str:
    by_id = {practice.id: practice for practice in component.practices}
    open_ids = [name for name in row.practices if name not in row.met_by]
    details = [_standing(by_id[name], row) if name in by_id else name for name in open_ids]
    needed = f"{row.need - len(row.met_by)} more of: " if len(row.practices) > 1 else ""
    return f"  level {rung.number}: {row.title} ({needed}{', '.join(details)})"


def _standing(practice: PracticeResult, row: RowResult) -> str:
    """The grade, and where there is something of it, the one that the row asks for."""
    minimum = row.minimum or practice.minimum
    more = f" (needs {minimum.value})" if 0 < practice.grade.strength < minimum.strength else ""
    return f"{practice.id} is {practice.grade.value}{more}"


def _severe(report: Report, severity: str | None) -> list[str]:
    if severity is None:
        return []
    from mlops_scan.reports.clean import one_line, visible

    found = [finding for finding in report.findings if finding.severity.rank >= Severity(severity).rank]
    if not found:
        return []
    plural = "finding" if len(found) == 1 else "findings"
    lines = [f"gate failed: {len(found)} {plural} of severity {severity} or above:"]
    lines += [f"  {finding.id} {visible(str(finding.location))}: {one_line(finding.message)}" for finding in found]
    return _shortened(lines)


def _beyond(report: Report, thresholds: tuple[tuple[str, float], ...]) -> list[str]:
    lines = []
    for name, limit in thresholds:
        if name == "min-progress":
            share = report.headline.progress
            if share is not None and share < limit:
                lines.append(f"gate failed: progress {share:.0%} to the next level is below {limit:.0%}")
            continue
        severity = Severity(name.removeprefix("max-").removesuffix("s"))
        count = sum(finding.severity is severity for finding in report.findings)
        if count > limit:
            lines.append(f"gate failed: {count} findings of severity {severity.value}, at most {limit:g} are accepted")
    return lines


def _regressed(report: Report) -> list[str]:
    baseline = report.baseline
    if baseline is None:
        return []
    from mlops_scan.reports.clean import one_line, visible

    lines = []
    now = dict(report.levels).get(baseline.model)
    if baseline.level is not None and (now is None or now < baseline.level):
        shown = "none" if now is None else f"{now:g}"
        lines.append(f"gate failed: level {shown} ({baseline.model}) is below the baseline's {baseline.level:g}")
    if baseline.new:
        lines.append(f"gate failed: {len(baseline.new)} findings are not in the baseline:")
        new = [f"  {item.id} {visible(str(item.location))}: {one_line(item.message)}" for item in baseline.new]
        lines = _shortened([*lines, *new])
    return lines


def _unread(report: Report) -> list[str]:
    from mlops_scan.reports.clean import one_line, visible

    lines = ["the gate cannot decide, the scan is incomplete (leave files out with --exclude):"]
    lines += [f"  {visible(item.path)}: {one_line(item.reason)}" for item in report.incomplete]
    return _shortened(lines)


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - 1 - _SHOWN
    return lines if more <= 0 else [*lines[: _SHOWN + 1], f"  and {more} more"]
