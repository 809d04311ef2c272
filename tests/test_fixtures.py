"""Whole scans of the fixture repositories against what a careful reviewer expects of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.scanned import FIXTURES, report_of

NAMES = sorted(path.parent.name for path in FIXTURES.glob("*/expected.yaml"))


def expected_of(name: str) -> dict[str, Any]:
    """What the fixture's author expects."""
    data: dict[str, Any] = yaml.safe_load((FIXTURES / name / "expected.yaml").read_text(encoding="utf-8"))
    return data


def _alternatives(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def disagreements(name: str) -> list[str]:
    """Every way in which the report differs from the expectation, one line each."""
    report, expected = report_of(name), expected_of(name)
    results = {result.id: result for result in report.headline.practices}
    found: list[str] = []
    if expected.get("kind", "any") != "any" and report.kind not in _alternatives(expected["kind"]):
        found.append(f"kind {report.kind} ({report.kind_reason}), expected {expected['kind']}")
    if report.headline.level not in _alternatives(expected["level"]):
        rows = [f"{r.title} {r.met_by}" for rung in report.headline.ladder for r in rung.rows if not r.met][:4]
        found.append(f"level {report.headline.level}, expected {expected['level']}; unmet: {rows}")
    levels = {component.path: component.level for component in report.components}
    for path, level in (expected.get("components") or {}).items():
        if levels.get(path) != level:
            found.append(f"component {path} at {levels.get(path)}, expected {level}; all: {levels}")
    for practice, grades in (expected.get("practices") or {}).items():
        result = results[practice]
        if result.grade.value not in _alternatives(grades):
            found.append(f"{practice} {result.grade.value} ({result.reason}), expected {grades}")
    for practice in expected.get("not_met") or ():
        result = results[practice]
        if result.met:
            found.append(f"{practice} is met by {[str(e.location) for e in result.evidence[:3]]}, must not be")
    ids = {finding.id for finding in report.findings}
    found += [f"finding {id_} is missing" for id_ in expected.get("findings") or () if id_ not in ids]
    for id_ in expected.get("no_findings") or ():
        found += [f"finding {f.id} at {f.location}: {f.message}" for f in report.findings if f.id == id_]
    for practice, where in (expected.get("evidence") or {}).items():
        places = {p for e in results[practice].evidence for p in (e.location.path, str(e.location))}
        found += [
            f"{practice} lacks evidence {place}; has {sorted(places)[:6]}"
            for place in _alternatives(where)
            if place not in places
        ]
    listed = {item.path for item in report.incomplete}
    found += [f"{path} is not listed as incomplete" for path in expected.get("incomplete") or () if path not in listed]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_fixture_gets_its_expected_result(name: str) -> None:
    assert disagreements(name) == []


def test_every_level_and_the_impostor_have_a_fixture() -> None:
    levels = {level for name in NAMES for level in _alternatives(expected_of(name)["level"])}
    assert levels >= {None, 1, 2, 3, 4}
    assert expected_of("impostor")["level"] == 1
    assert len(NAMES) >= 8
