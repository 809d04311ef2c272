"""GitLab's Code Quality report, shown in merge requests of every tier.

<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>
"""

from __future__ import annotations

import hashlib
from typing import Any

from mlops_scan.engine.report import Finding, Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import cut, indented, one_line
from mlops_scan.reports.places import Places
from mlops_scan.reports.tally import with_step
from mlops_scan.words import Severity

_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}
_MAX_DESCRIPTION = 1000


def render(report: Report, options: RenderOptions) -> str:
    """A list of issues; an empty one says that there are none."""
    issues = [_issue(finding, with_step(finding, report), options.places) for finding in report.findings]
    return indented(issues) + "\n"


def _issue(finding: Finding, message: str, places: Places) -> dict[str, Any]:
    location = finding.location
    return {
        "description": cut(one_line(message), _MAX_DESCRIPTION) or finding.title,
        "check_name": finding.id,
        "fingerprint": _fingerprint(finding, places.prefix),
        "severity": _SEVERITY[finding.severity],
        "location": {
            "path": places.path(location.path),
            "lines": {"begin": location.line, "end": location.end_line},
        },
    }


def _fingerprint(finding: Finding, prefix: str) -> str:
    """The finding's own; that of a subfolder's scan also depends on the folder, so that two folders do not collide."""
    if not prefix:
        return finding.fingerprint
    return hashlib.sha256(f"{prefix}\0{finding.fingerprint}".encode("utf-8", "surrogateescape")).hexdigest()[:32]
