"""SARIF as the platforms read it."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from jsonschema import Draft4Validator
from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from mlops_scan.engine.report import Report
from mlops_scan.reports import RenderOptions, render, sarif
from mlops_scan.reports.places import Places
from mlops_scan.reports.sarif import MAX_RESULTS
from mlops_scan.words import Evidence, Incomplete, Location, Severity
from tests.reports import samples

SCHEMA = Path(__file__).parent.parent / "data" / "sarif-2.1.0.json"
REPORTS = pytest.mark.parametrize(
    "report", [samples.report(), samples.without_ml(), samples.hostile()], ids=["full", "no ml", "hostile"]
)


def _run(report: Report, component: str = "") -> dict[str, Any]:
    runs: list[dict[str, Any]] = json.loads(render(report, "sarif", RenderOptions(component=component)))["runs"]
    assert len(runs) == 1
    return runs[0]


def test_snapshot(snapshot: SnapshotAssertion) -> None:
    assert render(samples.report(), "sarif", RenderOptions()) == snapshot


@REPORTS
def test_follows_the_published_schema(report: Report) -> None:
    Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(
        json.loads(render(report, "sarif", RenderOptions()))
    )


@REPORTS
def test_every_result_has_a_relative_location_and_a_level(report: Report) -> None:
    for result in _run(report)["results"]:
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        uri = urlsplit(place["artifactLocation"]["uri"])
        assert not uri.scheme
        assert not uri.netloc
        assert uri.path
        assert not uri.path.startswith("/")


@REPORTS
def test_every_rule_is_listed_and_complete(report: Report) -> None:
    rules = _run(report)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["MLS301", "MLS401", "MLS999"]
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 10


@REPORTS
def test_what_platforms_misread_is_left_out(report: Report) -> None:
    text = render(report, "sarif", RenderOptions())
    for word in ("security-severity", "suppressions", '"kind"', "primaryLocationLineHash"):
        assert word not in text


def test_uris_keep_every_name() -> None:
    results = _run(samples.hostile())["results"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]
    assert [unquote_to_bytes(uri).decode("utf-8", "surrogateescape") for uri in uris] == list(samples.HOSTILE)
    assert uris[4:7] == [
        "with%20space.py",
        "gro%C3%9Fes%20Modell/%C3%A9t%C3%A9.py",
        "%7B%7Bcookiecutter.name%7D%7D/train.py",
    ]


def test_the_chain_ends_at_the_primary_location() -> None:
    result = _run(samples.report())["results"][1]
    steps = [step["location"] for step in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert [step["message"]["text"].split(":")[0] for step in steps[:-1]] == ["definition", "use", "trigger"]
    assert steps[-1]["physicalLocation"] == result["locations"][0]["physicalLocation"]
    assert len(result["relatedLocations"]) == 3


def test_scanned_text_cannot_form_a_link() -> None:
    assert "](" not in _run(samples.report())["results"][1]["message"]["text"]


def test_what_could_not_be_read_is_a_notification() -> None:
    notifications = _run(samples.report())["invocations"][0]["toolExecutionNotifications"]
    assert [item["descriptor"]["id"] for item in notifications] == ["incomplete", "incomplete"]
    assert "locations" in notifications[0]
    assert "locations" not in notifications[1]


def test_a_chosen_component_has_its_own_category() -> None:
    assert _run(samples.report())["automationDetails"]["id"] == "mlops-scan/"
    assert _run(samples.report(), "services/my model")["automationDetails"]["id"] == "mlops-scan/services/my%20model/"


def test_truncation_keeps_the_most_severe_and_says_so() -> None:
    note, error = samples.FINDINGS
    many = tuple(replace(note, fingerprint=str(number)) for number in range(MAX_RESULTS))
    run = _run(replace(samples.report(), findings=(*many, error)))
    assert len(run["results"]) == MAX_RESULTS
    assert run["results"][-1]["level"] == Severity.ERROR.value
    assert run["invocations"][0]["toolExecutionNotifications"][-1]["descriptor"]["id"] == "truncated"


def test_a_finding_without_documentation_still_has_a_rule() -> None:
    run = _run(replace(samples.report(), rules=()))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["MLS301", "MLS401"]
    assert [result["ruleIndex"] for result in run["results"]] == [1, 0]


def test_a_file_that_would_be_refused_is_made_smaller_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(7)
    chain = tuple(
        Evidence(Location(f"{noise.getrandbits(400):x}.py", number), text=f"{noise.getrandbits(4000):x}")
        for number in range(1, 31)
    )
    error = samples.FINDINGS[1]
    many = tuple(
        replace(error, fingerprint=str(number), message=f"{noise.getrandbits(2000):x}", related=chain)
        for number in range(40)
    )
    report = replace(samples.report(), findings=many)
    shortened = _limited(monkeypatch, report, 120_000)
    assert len(shortened["results"]) == len(many)
    assert 0 < len(shortened["results"][0]["relatedLocations"]) < len(chain)
    assert _last_notification(shortened) == "shortened"
    fewer = _limited(monkeypatch, report, 8_000)
    assert 0 < len(fewer["results"]) < len(many)
    assert "codeFlows" not in fewer["results"][0]


def _limited(monkeypatch: pytest.MonkeyPatch, report: Report, size: int) -> dict[str, Any]:
    """The run when the platform takes files of `size` bytes."""
    monkeypatch.setattr(sarif, "_MAX_BYTES", size)
    text = render(report, "sarif", RenderOptions())
    assert len(gzip.compress(text.encode())) <= size + 100
    run: dict[str, Any] = json.loads(text)["runs"][0]
    return run


def _last_notification(run: dict[str, Any]) -> str:
    return str(run["invocations"][0]["toolExecutionNotifications"][-1]["descriptor"]["id"])


def test_many_unread_files_are_counted_not_listed() -> None:
    unread = tuple(Incomplete(f"{number}.yml", "a tab") for number in range(10_000))
    notifications = _run(replace(samples.report(), incomplete=unread))["invocations"][0]["toolExecutionNotifications"]
    assert len(notifications) == 501
    assert notifications[-1]["message"]["text"] == "9500 more files could not be read."


def test_paths_start_at_the_root_of_the_repository() -> None:
    options = RenderOptions(component="b", places=Places("models/a b"))
    run = json.loads(render(samples.report(), "sarif", options))["runs"][0]
    places = [run["results"][1]["locations"][0], *run["results"][1]["relatedLocations"]]
    assert all(place["physicalLocation"]["artifactLocation"]["uri"].startswith("models/a%20b/") for place in places)
    assert run["automationDetails"]["id"] == "mlops-scan/models/a%20b/b/"
