"""SARIF 2.1.0, as code-scanning platforms really read it: one run, every rule, no result without a place."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from mlops_scan.engine.report import Finding, FindingRule, Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import cut, indented, one_line
from mlops_scan.reports.places import Places, encoded
from mlops_scan.words import Evidence, Incomplete, Location, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 5000  # platforms keep no more of a run
_MAX_STEPS = 100
_MAX_TEXT = 1024
_MAX_MESSAGE = 2000
_MAX_NOTIFICATIONS = 500
_MAX_BYTES = 9_500_000  # compressed; GitHub refuses a file of more than 10 MB
_MAX_TAGS = 10
_BASE = "%SRCROOT%"
_SEVERITY_WORD = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(report: Report, options: RenderOptions) -> str:
    """One run with all rules; an empty list of results closes the alerts of earlier runs.

    Platforms refuse a file that is too large and drop what is above their limits without a word; so chains and then
    results are left out until it fits, and a notification says so.
    """
    limits = _Limits(min(len(report.findings), MAX_RESULTS), _MAX_STEPS)
    while True:
        log = _log(report, options, limits)
        text = indented(log) + "\n"
        if _fits(text) or not limits.results:
            return text
        limits = limits.tighter()


class _Limits(Struct, frozen=True):
    """How much of the report goes into the file: the most results, and the most steps of one chain."""

    results: int
    steps: int

    def tighter(self) -> _Limits:
        """Shorter chains as long as there are any, then fewer results."""
        return _Limits(self.results, self.steps // 4) if self.steps else _Limits(self.results // 2, 0)


def _fits(text: str) -> bool:
    size = len(text) * 4  # at most, in UTF-8
    return size <= _MAX_BYTES or len(zlib.compress(text.encode("utf-8", "replace"), 6)) <= _MAX_BYTES


def _log(report: Report, options: RenderOptions, limits: _Limits) -> dict[str, Any]:
    rules = _all_rules(report)
    index = {rule.id: number for number, rule in enumerate(rules)}
    kept = _most_severe(report.findings, limits.results)
    places = options.places
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "mlops-scan",
                "fullName": f"mlops-scan {report.version}",
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "automationDetails": {"id": _category(places, options.component)},
        "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the scanned repository."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": _notifications(report, places, len(kept), limits),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index[finding.id], places, limits) for finding in kept],
        "properties": {
            "rulesVersion": report.rules_version,
            "model": report.model,
            "level": report.headline.level,
            "levels": dict(report.levels),
            "levelsMapping": {item.id: item.mapping for item in report.headline.models},
            "revision": report.revision,
        },
    }
    if places.forge is not None and report.revision:
        run["versionControlProvenance"] = [
            {
                "repositoryUri": places.forge.repository,
                "revisionId": report.revision,
                "mappedTo": {"uriBaseId": _BASE},
            }
        ]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


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
        "shortDescription": {"text": cut(one_line(rule.title), _MAX_TEXT)},
        "fullDescription": {"text": cut(one_line(why), _MAX_TEXT)},
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


def _result(finding: Finding, rule_index: int, places: Places, limits: _Limits) -> dict[str, Any]:
    place = _place(finding.location, places)
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": _message(finding.message) or finding.title},
        "locations": [place],
        "partialFingerprints": {"mlopsScan/v1": finding.fingerprint},
    }
    chain = finding.related[: limits.steps]
    if chain:
        steps = [_step(item, places) for item in chain]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, start=1)]
        last = {**place, "message": {"text": result["message"]["text"]}}
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in [*steps, last]]}]}]
    return result


def _step(evidence: Evidence, places: Places) -> dict[str, Any]:
    text = _message(evidence.text)
    return {
        **_place(evidence.location, places),
        "message": {"text": f"{evidence.hop.value}: {text}" if text else evidence.hop.value},
    }


def _place(location: Location, places: Places) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": places.uri(location.path), "uriBaseId": _BASE},
            "region": {"startLine": location.line, "endLine": location.end_line},
        }
    }


def _notifications(report: Report, places: Places, kept: int, limits: _Limits) -> list[dict[str, Any]]:
    notifications = [_unread(item, places) for item in report.incomplete[:_MAX_NOTIFICATIONS]]
    more = len(report.incomplete) - len(notifications)
    if more:
        notifications.append(_notice("incomplete", f"{more} more files could not be read."))
    if kept < len(report.findings):
        text = f"Only the {kept} most severe of {len(report.findings)} results are listed."
        notifications.append(_notice("truncated", text))
    if any(len(finding.related) > limits.steps for finding in report.findings):
        text = f"Chains of evidence are cut after {limits.steps} steps."
        notifications.append(_notice("shortened", text))
    return notifications


def _notice(name: str, text: str) -> dict[str, Any]:
    return {"level": "warning", "descriptor": {"id": name}, "message": {"text": text}}


def _unread(item: Incomplete, places: Places) -> dict[str, Any]:
    notification = _notice("incomplete", cut(f"{one_line(item.path)}: {_message(item.reason)}", _MAX_MESSAGE))
    if item.path not in ("", "."):
        artifact = {"artifactLocation": {"uri": places.uri(item.path), "uriBaseId": _BASE}}
        notification["locations"] = [{"physicalLocation": artifact}]
    return notification


def _most_severe(findings: Sequence[Finding], limit: int) -> Sequence[Finding]:
    """At most `limit` findings in their own order; the least severe are the ones left out."""
    if len(findings) <= limit:
        return findings
    ranks = {severity: severity.rank for severity in Severity}
    by_rank = sorted(range(len(findings)), key=lambda number: -ranks[findings[number].severity])
    return [findings[number] for number in sorted(by_rank[:limit])]


def _category(places: Places, component: str) -> str:
    """The analysis category: a folder or a component chosen by the user has its own alerts."""
    inner = encoded("/".join(part for part in (places.prefix, component.strip("./")) if part))
    return f"mlops-scan/{inner}/" if inner else "mlops-scan/"


def _message(text: str) -> str:
    """One line in which scanned text cannot form a link."""
    return cut(one_line(text).replace("](", "] ("), _MAX_MESSAGE)


def _name(title: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.findall("[A-Za-z0-9]+", title))[:255]
