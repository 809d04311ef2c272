"""The JSON report, schema version 1: the contract that other programs rely on."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import msgspec

from mlops_scan.engine.report import (
    BaselineResult,
    ComponentResult,
    Finding,
    LevelResult,
    ModelResult,
    PracticeResult,
    Report,
    RowResult,
)
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.clean import encodable
from mlops_scan.words import Evidence

SCHEMA_VERSION = 1


def render(report: Report, options: RenderOptions) -> str:
    """The report as indented JSON; the options change nothing."""
    given = _report(report)
    text = json.dumps(given, ensure_ascii=False, allow_nan=False)
    if encodable(text) == text:
        return msgspec.json.format(text, indent=2) + "\n"  # the library's own indentation is not compiled
    return encodable(json.dumps(given, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def schema_text() -> str:
    """The published JSON Schema of the report."""
    name = f"report-v{SCHEMA_VERSION}.schema.json"
    return (files("mlops_scan.reports") / "schema" / name).read_text(encoding="utf-8")


def _report(report: Report) -> dict[str, Any]:
    headline = report.headline
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "mlops-scan", "version": report.version, "rules_version": report.rules_version},
        "repository": {
            "path": report.path,
            "revision": report.revision,
            "kind": report.kind,
            "kind_reason": report.kind_reason,
            "has_ml": report.has_ml,
        },
        "model": report.model,
        "component": headline.path,
        **_verdict(headline),
        "levels": dict(report.levels),
        "attested_level": report.attested_level,
        **_details(headline),
        "components": [
            {
                "path": item.path,
                "kind": item.kind,
                **_verdict(item),
                "levels": {model.id: model.value for model in item.models},
                **_details(item),
            }
            for item in report.components
        ],
        "findings": [_finding(item) for item in report.findings],
        "incomplete": [{"path": item.path, "reason": item.reason} for item in report.incomplete],
        "notices": list(report.notices),
        "statistics": {
            "files": report.statistics.files,
            "files_read": report.statistics.files_read,
            "files_parsed": report.statistics.files_parsed,
            "bytes_read": report.statistics.bytes_read,
        },
        "models": {item.id: _model(item) for item in headline.models},
        "suppressed": [
            {**_finding(item.finding), "suppressed_by": item.by, "reason": item.reason} for item in report.suppressed
        ],
        "baseline": _baseline(report.baseline),
        "attestations": [
            {
                "practice": item.practice,
                "component": item.component,
                "claim": item.claim,
                "by": item.by,
                "status": item.status,
                "reason": item.reason,
                "path": item.location.path,
                "line": item.location.line,
            }
            for item in report.attestations
        ],
    }


def _baseline(compared: BaselineResult | None) -> dict[str, Any] | None:
    if compared is None:
        return None
    return {
        "path": compared.path,
        "model": compared.model,
        "level": compared.level,
        "known": [item.fingerprint for item in compared.known],
        "new": [item.fingerprint for item in compared.new],
        "fixed": [{"fingerprint": item.fingerprint, "id": item.id, "path": item.path} for item in compared.fixed],
    }


def _verdict(component: ComponentResult) -> dict[str, Any]:
    return {
        "level": component.level,
        "level_name": component.level_name,
        "next_level": component.next_level,
        "progress": component.progress,
    }


def _model(model: ModelResult) -> dict[str, Any]:
    """One maturity model's verdict on the headline component, with how its numbers are to be read."""
    return {
        "name": model.name,
        "mapping": model.mapping,
        "level": model.level,
        "level_name": model.level_name,
        "top_level": model.top,
        "next_level": model.next_level,
        "progress": model.progress,
        "score": model.score,
        "upper_bound": model.bound,
        "ladder": [_rung(rung) for rung in model.ladder],
        "sections": [
            {
                "name": section.name,
                "points": section.points,
                "upper_bound": section.bound,
                "tests": [
                    {"id": test.id, "title": test.title, "points": test.points, "practices": list(test.practices)}
                    for test in section.tests
                ],
            }
            for section in model.sections
        ],
        "missing": [gap.practice for gap in model.gaps],
    }


def _details(component: ComponentResult) -> dict[str, Any]:
    return {
        "ladder": [_rung(item) for item in component.ladder],
        "practices": {item.id: _practice(item) for item in component.practices},
        "ahead": [{"practice": practice, "level": level} for practice, level in component.ahead],
        "gaps": [
            {
                "practice": gap.practice,
                "title": gap.title,
                "level": gap.level,
                "effort": gap.effort,
                "remedy": gap.remedy,
            }
            for gap in component.gaps
        ],
    }


def _rung(rung: LevelResult) -> dict[str, Any]:
    return {
        "level": rung.number,
        "name": rung.name,
        "reached": rung.reached,
        "rows": [_row(row) for row in rung.rows],
    }


def _row(row: RowResult) -> dict[str, Any]:
    return {
        "title": row.title,
        "met": row.met,
        "need": row.need,
        "practices": list(row.practices),
        "met_by": list(row.met_by),
        "weight": row.weight,
        "credit": row.credit,
        "minimum": None if row.minimum is None else row.minimum.value,
    }


def _practice(practice: PracticeResult) -> dict[str, Any]:
    return {
        "title": practice.title,
        "grade": practice.grade.value,
        "met": practice.met,
        "minimum": practice.minimum.value,
        "confidence": practice.confidence.value,
        "reason": practice.reason,
        "tools": list(practice.tools),
        "evidence": [_evidence(item) for item in practice.evidence],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    location = evidence.location
    return {
        "path": location.path,
        "line": location.line,
        "end_line": location.end_line,
        "role": evidence.role.value,
        "hop": evidence.hop.value,
        "text": evidence.text,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    location = finding.location
    return {
        "id": finding.id,
        "title": finding.title,
        "severity": finding.severity.value,
        "message": finding.message,
        "location": {"path": location.path, "line": location.line, "end_line": location.end_line},
        "related": [_evidence(item) for item in finding.related],
        "fingerprint": finding.fingerprint,
        "help_url": finding.help_url,
    }
