"""Every report format on real scans of the fixtures: valid by its schema, placed, and the same twice."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.reports import RenderOptions, render

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.parent.name for path in (ROOT / "fixtures").glob("*/expected.yaml"))


@cache
def report_of(name: str) -> Report:
    """The report of one fixture, scanned once."""
    return scan(ROOT / "fixtures" / name / "repo")


@cache
def schema(path: str) -> Any:
    """A JSON Schema of the project or of the tests."""
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_json_follows_the_published_schema(name: str) -> None:
    data = json.loads(render(report_of(name), "json", RenderOptions()))
    jsonschema.validate(data, schema("mlops_scan/reports/schema/report-v1.schema.json"))
    assert data["level"] == report_of(name).headline.level
    assert (data["level"] is None) == (not any(c["level"] for c in data["components"]))


@pytest.mark.parametrize("name", NAMES)
def test_sarif_is_valid_and_every_result_opens(name: str) -> None:
    data = json.loads(render(report_of(name), "sarif", RenderOptions()))
    jsonschema.validate(data, schema("tests/data/sarif-2.1.0.json"))
    (run,) = data["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    for result in run["results"]:
        assert result["ruleId"] in known
        place = result["locations"][0]["physicalLocation"]
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert place["region"]["startLine"] >= 1


@pytest.mark.parametrize("name", NAMES)
def test_every_place_exists(name: str) -> None:
    root = ROOT / "fixtures" / name / "repo"
    report = report_of(name)
    places = [finding.location for finding in report.findings]
    places += [e.location for finding in report.findings for e in finding.related]
    places += [e.location for c in report.components for result in c.practices for e in result.evidence]
    for place in places:
        path = root / place.path
        assert path.is_file(), place
        lines = path.read_bytes().count(b"\n") + 1
        assert place.line <= lines, place
        assert place.line <= place.end_line <= lines, place


@pytest.mark.parametrize("name", ["level4-full", "monorepo", "impostor", "broken"])
def test_the_same_tree_gives_the_same_bytes(name: str) -> None:
    again = scan(ROOT / "fixtures" / name / "repo", ScanOptions(jobs=2, cache=False))
    assert render(again, "json", RenderOptions()) == render(report_of(name), "json", RenderOptions())


@pytest.mark.parametrize("name", NAMES)
def test_a_practice_that_is_met_has_evidence_and_one_that_is_not_a_reason(name: str) -> None:
    for component in report_of(name).components:
        for result in component.practices:
            assert not result.met or result.evidence, result
            assert result.met or result.reason, result


def test_text_fits_80_columns_where_words_allow() -> None:
    text = render(report_of("level3-github"), "text", RenderOptions(width=80, unicode=False))
    assert text.isascii()
    for line in text.splitlines():
        assert len(line) <= 80 or " " not in line.strip(), line
