"""Baselines: the findings and the level of an earlier scan, matched by content, so that only news are reported.

Gaps are not kept: what the next level asks for changes when a level is reached, and is no news of something broken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from mlops_scan.engine.report import BaselineResult, Finding, Known, Report
from mlops_scan.errors import ScanError
from mlops_scan.given import read_text
from mlops_scan.regex import regex
from mlops_scan.rulebook import FindingDefinition

VERSION = 1
FILE_NAME = "mlops-scan-baseline.json"
GAP_TAG = "maturity-gap"
_MAX_BYTES = 20_000_000
_FINGERPRINT = regex(r"[0-9a-f]{32}")


class Baseline(Struct, frozen=True):
    """A baseline as its file holds it."""

    path: Path
    model: str
    level: float | None
    rules_version: str
    findings: tuple[Known, ...]


def read(path: Path) -> Baseline:
    """Read a baseline file.

    Raises:
        ScanError: it cannot be read or is no baseline.
    """
    try:
        data = json.loads(read_text(path, _MAX_BYTES, "the baseline"))
    except json.JSONDecodeError as error:
        raise ScanError(f"{path}:{error.lineno}: the baseline is not valid JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise ScanError(f"the baseline {path} is not valid JSON: {error}") from error
    if not isinstance(data, dict) or data.get("baseline_version") != VERSION:
        raise ScanError(f"{path} is no baseline of version {VERSION}; write one with `mlops-scan baseline write`")
    level, entries = data.get("level"), data.get("findings")
    if not isinstance(entries, list) or isinstance(level, bool) or not isinstance(level, (int, float, type(None))):
        raise ScanError(f"{path}: a baseline needs `level` and a list `findings`; write it anew")
    return Baseline(
        path=path,
        model=str(data.get("model", "default")),
        level=level,
        rules_version=str(data.get("rules_version", "")),
        findings=tuple(_entry(entry, number, path) for number, entry in enumerate(entries, 1)),
    )


def _entry(entry: Any, number: int, path: Path) -> Known:
    if not isinstance(entry, Mapping) or not _FINGERPRINT.fullmatch(str(entry.get("fingerprint", ""))):
        raise ScanError(f"{path}: finding {number} of the baseline has no fingerprint; write the baseline anew")
    return Known(str(entry["fingerprint"]), str(entry.get("id", "")), str(entry.get("path", "")))


def compare(
    findings: Iterable[Finding], baseline: Baseline, definitions: Mapping[str, FindingDefinition]
) -> tuple[tuple[Finding, ...], BaselineResult]:
    """The findings to report (new ones, and all gaps) and the comparison."""
    past = {entry.fingerprint for entry in baseline.findings}
    now: set[str] = set()
    kept, known, new = [], [], []
    for finding in findings:
        now.add(finding.fingerprint)
        if GAP_TAG in definitions[finding.id].tags:
            kept.append(finding)
        elif finding.fingerprint in past:
            known.append(finding)
        else:
            kept.append(finding)
            new.append(finding)
    fixed = tuple(entry for entry in baseline.findings if entry.fingerprint not in now)
    result = BaselineResult(str(baseline.path), baseline.model, baseline.level, tuple(known), fixed, tuple(new))
    return tuple(kept), result


def text(report: Report, old: Baseline | None = None) -> str:
    """The baseline of a report that was made without one. With an old one only what is in both stays: a ratchet."""
    gaps = {rule.id for rule in report.rules if GAP_TAG in rule.tags}
    past = {entry.fingerprint for entry in old.findings} if old is not None else None
    entries = [
        {"fingerprint": item.fingerprint, "id": item.id, "path": item.location.path, "message": item.message}
        for item in report.findings
        if item.id not in gaps and (past is None or item.fingerprint in past)
    ]
    model = old.model if old is not None else report.model
    level = dict(report.levels).get(model)
    if old is not None and old.level is not None:
        level = max(old.level, level if level is not None else old.level)
    data = {
        "baseline_version": VERSION,
        "rules_version": report.rules_version,
        "model": model,
        "level": level,
        "findings": sorted(entries, key=lambda entry: (entry["path"], entry["id"], entry["fingerprint"])),
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
