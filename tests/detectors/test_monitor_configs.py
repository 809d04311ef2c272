"""Declared monitoring: a declaration is as good as what reads it, starts it and receives its alerts."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_scan.words import Grade
from tests.trees import ML, Tree, findings, grade, places, practice, scan_tree, where

PERFORMANCE, DRIFT, ALERTS = "monitoring/performance-threshold", "monitoring/drift", "monitoring/alerts"
DECLARED: dict[str, Any] = {
    "monitoring": {
        "model_performance": {"metric": "accuracy", "threshold": 0.8, "alerts": [{"type": "slack", "channel": "#ml"}]},
        "data_drift": {"enabled": True, "schedule": "0 6 * * *"},
    }
}
TOML = """\
[monitoring.model_performance]
metric = "accuracy"
threshold = 0.8
alerts = [{type = "slack", channel = "#ml"}]

[monitoring.data_drift]
enabled = true
schedule = "0 6 * * *"
"""
READER = """\
import json
import os

import pandas as pd
import requests
import yaml


def read(path):
    with open(path) as stream:
        return yaml.safe_load(stream)["monitoring"]


def accuracy(frame):
    return (frame["predicted"] == frame["actual"]).mean()


def send_alert(message):
    requests.post(os.environ["SLACK_WEBHOOK"], json={"text": message}, timeout=10)


def main():
    settings = read("config/NAME")
    frame = pd.read_parquet("live.parquet")
    if accuracy(frame) < settings["model_performance"]["threshold"]:
        send_alert("live accuracy is too low")


if __name__ == "__main__":
    main()
"""
CRON = (
    "on:\n  schedule:\n    - cron: '0 6 * * *'\njobs:\n  a:\n"
    "    runs-on: ubuntu-latest\n    steps:\n      - run: python watch.py\n"
)
FORMATS = ["monitoring.json", "monitoring.yaml", "monitoring.toml"]


def declared(name: str, data: dict[str, Any] | None = None) -> str:
    """The declaration in the format that the name asks for."""
    if name.endswith(".toml"):
        assert data is None, "only the full declaration is there as TOML"
        return TOML
    wanted = DECLARED if data is None else data
    return json.dumps(wanted, indent=2) if name.endswith(".json") else yaml.safe_dump(wanted, sort_keys=False)


def tree(name: str, data: dict[str, Any] | None = None, *, read: bool = True, scheduled: bool = True) -> Tree:
    """An application with the declaration, with code that reads it, and a clock that starts that code."""
    files: dict[str, str | bytes] = {**ML, f"config/{name}": declared(name, data)}
    if read:
        files["watch.py"] = READER.replace("NAME", name)
    if scheduled:
        files[".github/workflows/watch.yml"] = CRON
    return files


def changed(**changes: Any) -> dict[str, Any]:
    """The declaration with other values; `performance__threshold=None` takes a key away."""
    data = copy.deepcopy(DECLARED)
    for key, value in changes.items():
        section, _, name = key.partition("__")
        target = data["monitoring"]["model_performance" if section == "performance" else "data_drift"]
        if value is None:
            target.pop(name)
        else:
            target[name] = value
    return data


@pytest.mark.parametrize("name", FORMATS)
def test_read_and_scheduled(tmp_path: Path, name: str) -> None:
    report = scan_tree(tmp_path, tree(name))
    for practice_ in (PERFORMANCE, ALERTS):
        assert grade(report, practice_) is Grade.WIRED, practice_
    for practice_ in (PERFORMANCE, DRIFT, ALERTS):
        assert any(place.startswith(f"config/{name}:") for place in places(practice(report, practice_).evidence)), (
            practice_
        )
    for id_ in ("MLS501", "MLS502", "MLS503", "MLS505"):
        assert findings(report, id_) == [], id_


@pytest.mark.parametrize("name", FORMATS)
def test_read_but_not_scheduled(tmp_path: Path, name: str) -> None:
    report = scan_tree(tmp_path, tree(name, scheduled=False))
    assert grade(report, PERFORMANCE) is Grade.IMPLEMENTED
    assert not practice(report, PERFORMANCE).met
    assert grade(report, DRIFT) is Grade.IMPLEMENTED
    assert findings(report, "MLS503") == []


@pytest.mark.parametrize("name", FORMATS)
def test_nobody_reads_it(tmp_path: Path, name: str) -> None:
    report = scan_tree(tmp_path, tree(name, read=False))
    for practice_ in (PERFORMANCE, DRIFT, ALERTS):
        assert grade(report, practice_) is Grade.TRACE, practice_
    assert [finding.location.path for finding in findings(report, "MLS503")] == [f"config/{name}"]


@pytest.mark.parametrize("folder", ["tests", "examples", "docs"])
def test_a_reader_that_is_only_shown_reads_nothing(tmp_path: Path, folder: str) -> None:
    files = {**tree("monitoring.yaml", read=False), f"{folder}/watch.py": READER.replace("NAME", "monitoring.yaml")}
    report = scan_tree(tmp_path, files)
    assert grade(report, PERFORMANCE) is Grade.TRACE
    assert len(findings(report, "MLS503")) == 1


@pytest.mark.parametrize("name", ["monitoring.json", "monitoring.yaml"])
@pytest.mark.parametrize("off", [False, "false", "off"])
def test_switched_off(tmp_path: Path, name: str, off: object) -> None:
    report = scan_tree(tmp_path, tree(name, changed(drift__enabled=off)))
    assert grade(report, DRIFT) is Grade.TRACE
    assert "switched off" in practice(report, DRIFT).reason
    (finding,) = findings(report, "MLS501")
    assert "data_drift" in (tmp_path / finding.location.path).read_text().splitlines()[finding.location.line - 1]
    assert grade(report, PERFORMANCE) is Grade.WIRED


def test_whole_section_switched_off(tmp_path: Path) -> None:
    data = copy.deepcopy(DECLARED)
    data["monitoring"]["enabled"] = False
    report = scan_tree(tmp_path, tree("monitoring.yaml", data, scheduled=False))
    assert len(findings(report, "MLS501")) == 2
    assert not practice(report, DRIFT).met


@pytest.mark.parametrize("bound", [None, 0, "", float("inf")])
def test_without_a_threshold(tmp_path: Path, bound: object) -> None:
    files = tree("monitoring.yaml", changed(performance__threshold=bound), scheduled=False)
    report = scan_tree(tmp_path, files)
    assert [finding.location.path for finding in findings(report, "MLS502")] == ["config/monitoring.yaml"]


def test_threshold_of_minus_one_is_none(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, tree("monitoring.yaml", changed(performance__threshold=-1), scheduled=False))
    assert len(findings(report, "MLS502")) == 1


@pytest.mark.parametrize("receivers", [[], "", "none", [""], {"email": []}, {"slack": {"channel": ""}}])
def test_alerts_without_a_receiver(tmp_path: Path, receivers: object) -> None:
    report = scan_tree(tmp_path, tree("monitoring.yaml", changed(performance__alerts=receivers)))
    (finding,) = findings(report, "MLS505")
    assert finding.location.path == "config/monitoring.yaml"


@pytest.mark.parametrize(
    "receivers", [["ml@example.org"], "#ml", {"email": ["a@example.org"]}, [{"type": "slack", "channel": "#ml"}]]
)
def test_alerts_with_a_receiver(tmp_path: Path, receivers: object) -> None:
    report = scan_tree(tmp_path, tree("monitoring.yaml", changed(performance__alerts=receivers)))
    assert findings(report, "MLS505") == []
    assert grade(report, ALERTS) is Grade.WIRED


def test_alerts_that_nothing_sends(tmp_path: Path) -> None:
    files = dict(tree("monitoring.yaml"))
    files["watch.py"] = READER.replace("NAME", "monitoring.yaml").replace(
        'requests.post(os.environ["SLACK_WEBHOOK"], json={"text": message}, timeout=10)', "print(message)"
    )
    report = scan_tree(tmp_path, files)
    assert grade(report, ALERTS) is Grade.TRACE
    assert practice(report, ALERTS).reason == "no code here sends anything"


@pytest.mark.parametrize(
    "keys",
    [("modelPerformance", "dataDrift"), ("model-performance", "data-drift"), ("model_quality", "drift_detection")],
    ids=["camel", "kebab", "other words"],
)
def test_other_spellings(tmp_path: Path, keys: tuple[str, str]) -> None:
    sections = DECLARED["monitoring"]
    data = {"monitoring": {keys[0]: sections["model_performance"], keys[1]: sections["data_drift"]}}
    report = scan_tree(tmp_path, tree("monitoring.yaml", data))
    for practice_ in (PERFORMANCE, DRIFT):
        assert any(place.startswith("config/") for place in places(practice(report, practice_).evidence)), practice_


# -- near misses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "config/portfolio.yaml",
            "portfolio:\n  drift_threshold: 0.05\n  rebalance:\n    drift: {threshold: 0.05, schedule: monthly}\n",
        ),
        ("config/terraform_drift.yaml", "drift:\n  enabled: true\n  schedule: daily\n  threshold: 3\n"),
        ("config/app.yaml", "database:\n  performance: {threshold: 200, alerts: [dba@example.org]}\n"),
        ("config/clock.yaml", "monitoring:\n  clock:\n    drift: {threshold: 0.5}\n"),
        ("infra/monitor.yaml", "monitoring:\n  schema_drift: {enabled: true, threshold: 1}\n"),
        ("config/monitoring.yaml", "monitoring:\n  notes: watch data drift and performance\n"),
    ],
    ids=["portfolio", "terraform", "database", "clock", "schema", "prose"],
)
def test_drift_and_performance_of_something_else(tmp_path: Path, path: str, text: str) -> None:
    name = path.rpartition("/")[2]
    script = READER.replace("config/NAME", path)
    report = scan_tree(
        tmp_path,
        {**ML, path: text, "reader.py": f"import yaml\n\nyaml.safe_load(open('{name}'))\n", "other.py": script},
    )
    for id_ in ("MLS501", "MLS502", "MLS503", "MLS505"):
        assert findings(report, id_) == [], id_
    assert grade(report, DRIFT) is Grade.ABSENT
    assert not any(place.startswith(path) for place in places(practice(report, PERFORMANCE).evidence))


def test_scheduled_drift_check_of_infrastructure(tmp_path: Path) -> None:
    text = (
        "on:\n  schedule:\n    - cron: '0 6 * * *'\njobs:\n  drift:\n"
        "    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: terraform plan -detailed-exitcode\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, ".github/workflows/drift.yml": text}), DRIFT) is Grade.ABSENT


def test_disabled_finding_points_at_its_line(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "config/monitoring.toml": TOML.replace("enabled = true", "enabled = false")})
    assert where(report, "MLS501") == ["config/monitoring.toml:6"]


def test_section_that_the_reader_never_asks_for(tmp_path: Path) -> None:
    reader = 'import yaml\n\nwith open("config/settings.yaml") as stream:\n    rate = yaml.safe_load(stream)["rate"]\n'
    text = yaml.safe_dump({**DECLARED, "rate": 1})
    report = scan_tree(tmp_path, {**ML, "config/settings.yaml": text, "jobs.py": reader})
    assert grade(report, PERFORMANCE) is Grade.TRACE
    assert "asks for" in practice(report, PERFORMANCE).reason
    assert findings(report, "MLS503")
    asking = reader.replace('["rate"]', '["monitoring"]')
    asked = scan_tree(tmp_path / "asked", {**ML, "config/settings.yaml": text, "jobs.py": asking})
    assert grade(asked, PERFORMANCE) is Grade.IMPLEMENTED
    assert not findings(asked, "MLS503")
