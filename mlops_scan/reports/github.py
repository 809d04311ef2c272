"""Workflow commands of GitHub Actions: annotations on the lines of a change (Gitea and Forgejo read them too).

GitHub shows the first ten of each severity of a step, so the most severe come first. The lines also stand in the job's
log: a path with control characters is shown with escapes there, and its annotation then has no line to stand at.
<https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>
"""

from __future__ import annotations

from mlops_scan.engine.report import Finding, Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import cut, encodable, one_line, visible
from mlops_scan.reports.places import Places
from mlops_scan.reports.tally import split_findings, summary, with_step
from mlops_scan.words import Severity

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_MAX_MESSAGE = 2000


def render(report: Report, options: RenderOptions) -> str:
    """One command a finding, defects first, and one with the verdict."""
    defects, gaps = split_findings(report)
    lines = [f"::notice title=mlops-scan::{_data(summary(report))}"]
    lines += [_annotation(finding, with_step(finding, report), options.places) for finding in (*defects, *gaps)]
    lines += [
        f"::warning title={_property('mlops-scan: could not be read')}::"
        + _data(cut(f"{one_line(item.path)}: {one_line(item.reason)}", _MAX_MESSAGE))
        for item in report.incomplete
    ]
    return encodable("\n".join(lines)) + "\n"


def _annotation(finding: Finding, message: str, places: Places) -> str:
    location = finding.location
    properties = {
        "file": visible(places.path(location.path)),
        "line": str(location.line),
        "endLine": str(location.end_line),
        "title": f"{finding.id}: {finding.title}",
    }
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMAND[finding.severity]} {named}::{_data(cut(one_line(message), _MAX_MESSAGE))}"


def _data(text: str) -> str:
    """Escaped as the runner undoes it; nothing of it can end the command or start another one."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
