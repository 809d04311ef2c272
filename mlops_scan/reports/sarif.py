"""SARIF 2.1.0, as code-scanning platforms really read it: one run, every rule, no result without a place."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mlops_scan.engine.report import Finding, FindingRule, Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import encodable, one_line
from mlops_scan.words import Evidence, Incomplete, Location, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 5000  # platforms keep no more of a run
_MAX_STEPS = 100
_MAX_TEXT = 1024
_MAX_TAGS = 10
_BASE = "%SRCROOT%"
_SEVERITY_WORD = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(report: Report, options: RenderOptions) -> str:
    """One run with all rules; an empty list of results closes the alerts of earlier runs."""
    rules = _all_rules(report)
    index = {rule.id: number for number, rule in enumerate(rules)}
    kept = _most_severe(report.findings)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mlops-scan",
                        "version": report.version,
                        "semanticVersion": report.version,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "automationDetails": {"id": _category(options.component)},
                "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the scanned repository."}}},
                "invocations": [
                    {"executionSuccessful": True, "toolExecutionNotifications": _notifications(report, len(kept))}
                ],
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, index[finding.id]) for finding in kept],
                "properties": {
                    "rulesVersion": report.rules_version,
                    "model": report.model,
                    "level": report.headline.level,
                    "levels": dict(report.levels),
                    "levelsMapping": {item.id: item.mapping for item in report.headline.models},
                    "revision": report.revision,
                },
            }
        ],
    }
    return encodable(json.dumps(log, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def uri(path: str) -> str:
    """The path as a relative, percent-encoded URI; an undecodable name keeps its bytes."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "replace")
    return quote(raw, safe="/")


def _all_rules(report: Report) -> list[FindingRule]:
    """The documented rules, and one made up for a finding whose rule has no documentation."""
    rules = {rule.id: rule for rule in report.rules}
    for finding in report.findings:
        if finding.id not in rules:
            rules[finding.id] = FindingRule(finding.id, finding.title, finding.severity, "", "", finding.help_url)
    return [rules[name] for name in sorted(rules)]


def _rule(rule: FindingRule) -> dict[str, Any]:
    why = rule.why.strip() or rule.title
    entry = {
        "id": rule.id,
        "name": _name(rule.title) or rule.id,
        "shortDescription": {"text": _cut(rule.title)},
        "fullDescription": {"text": _cut(why)},
        "help": {"text": _help(rule, markdown=False), "markdown": _help(rule, markdown=True)},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "precision": "high",
            "problem.severity": _SEVERITY_WORD[rule.severity.value],
            "tags": list(rule.tags[:_MAX_TAGS]),
        },
    }
    if rule.help_url.startswith("https://"):  # SARIF asks for an absolute address
        entry["helpUri"] = rule.help_url
    return entry


def _help(rule: FindingRule, markdown: bool) -> str:
    head = "## {}" if markdown else "{}:"
    parts = [f"# {rule.id}: {rule.title}" if markdown else f"{rule.id}: {rule.title}"]
    for title, body in (("Why it matters", rule.why), ("How to fix it", rule.fix)):
        if body.strip():
            parts += [head.format(title), body.strip()]
    if rule.example.strip():
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", rule.example)), default=0))
        body = rule.example.strip("\n")
        parts += [head.format("Example"), f"{fence}\n{body}\n{fence}" if markdown else body]
    if rule.help_url.startswith("https://"):
        parts.append(f"[More about {rule.id}]({rule.help_url})" if markdown else rule.help_url)
    return "\n\n".join(parts)


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    place = _place(finding.location)
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": _message(finding.message) or finding.title},
        "locations": [place],
        "partialFingerprints": {"mlopsScan/v1": finding.fingerprint},
    }
    chain = finding.related[:_MAX_STEPS]
    if chain:
        steps = [_step(item) for item in chain]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, start=1)]
        last = {**place, "message": {"text": result["message"]["text"]}}
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in [*steps, last]]}]}]
    return result


def _step(evidence: Evidence) -> dict[str, Any]:
    text = _message(evidence.text)
    return {
        **_place(evidence.location),
        "message": {"text": f"{evidence.hop.value}: {text}" if text else evidence.hop.value},
    }


def _place(location: Location) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(location.path), "uriBaseId": _BASE},
            "region": {"startLine": location.line, "endLine": location.end_line},
        }
    }


def _notifications(report: Report, kept: int) -> list[dict[str, Any]]:
    notifications = [_unread(item) for item in report.incomplete]
    if kept < len(report.findings):
        text = f"Only the {kept} most severe of {len(report.findings)} results are listed."
        notifications.append({"level": "warning", "descriptor": {"id": "truncated"}, "message": {"text": text}})
    return notifications


def _unread(item: Incomplete) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": "warning",
        "descriptor": {"id": "incomplete"},
        "message": {"text": f"{one_line(item.path)}: {_message(item.reason)}"},
    }
    if item.path not in ("", "."):
        artifact = {"artifactLocation": {"uri": uri(item.path), "uriBaseId": _BASE}}
        notification["locations"] = [{"physicalLocation": artifact}]
    return notification


def _most_severe(findings: Sequence[Finding]) -> Sequence[Finding]:
    """At most MAX_RESULTS findings in their own order; the least severe are the ones left out."""
    if len(findings) <= MAX_RESULTS:
        return findings
    ranks = {severity: severity.rank for severity in Severity}
    by_rank = sorted(range(len(findings)), key=lambda number: -ranks[findings[number].severity])
    return [findings[number] for number in sorted(by_rank[:MAX_RESULTS])]


def _category(component: str) -> str:
    """The analysis category: a component chosen by the user has its own alerts."""
    inner = quote(component.strip("./"), safe="/")
    return f"mlops-scan/{inner}/" if inner else "mlops-scan/"


def _message(text: str) -> str:
    """One line in which scanned text cannot form a link."""
    return one_line(text).replace("](", "] (")


def _name(title: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.findall("[A-Za-z0-9]+", title))[:255]


def _cut(text: str) -> str:
    flat = one_line(text)
    return flat if len(flat) <= _MAX_TEXT else flat[: _MAX_TEXT - 3] + "..."
