"""A drift check needs two different data sets, and something that asks for its answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, scan_tree, where

DRIFT = "monitoring/drift"
CHECK = """\
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset


def check():
    reference = pd.read_csv("data/train.csv")
    current = pd.read_csv("data/live.csv")
    report = Report([DataDriftPreset(drift_share=0.3)], include_tests=True)
    result = report.run(current, reference).dict()
    if result["drift_share"] > 0.3:
        raise SystemExit("drift")


if __name__ == "__main__":
    check()
"""
DAILY = """\
on: {schedule: [{cron: "0 5 * * *"}]}
jobs:
  drift:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: python drift.py
"""


def test_two_data_sets(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "drift.py": CHECK, ".github/workflows/drift.yml": DAILY})
    assert grade(report, DRIFT) is Grade.WIRED
    assert not findings(report, "MLS506")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("run(current, reference)", "run(reference, reference)", 10),
        ("run(current, reference)", "run(reference_data=current, current_data=current)", 10),
        ("data/live.csv", "data/train.csv", 10),
    ],
    ids=["same variable", "same variable by keyword", "same file"],
)
def test_the_same_data_twice(tmp_path: Path, old: str, new: str, line: int) -> None:
    tree = {**ML, "drift.py": CHECK.replace(old, new), ".github/workflows/drift.yml": DAILY}
    report = scan_tree(tmp_path, tree)
    assert grade(report, DRIFT) is Grade.TRACE
    assert where(report, "MLS506") == [f"drift.py:{line}"]


SERVICE = """\
import numpy as np
from fastapi import FastAPI
from scipy.stats import ks_2samp

app = FastAPI()
REFERENCE = np.load("reference.npy")


def drift_score(values):
    return ks_2samp(REFERENCE, values).statistic


@app.get("/drift")
def drift():
    score = drift_score(np.load("live.npy"))
    return {"score": score, "drifted": bool(score > 0.2)}
"""
IMAGE = 'FROM python:3.12\nCOPY . .\nRUN pip install fastapi\nCMD ["uvicorn", "service:app"]\n'
DASHBOARD = {"refresh": "5m", "panels": [{"title": "Drift", "targets": [{"url": "http://drift.ml.svc:8000/drift"}]}]}


def _polled(tmp_path: Path, dashboard: object) -> Grade:
    tree = {**ML, "service.py": SERVICE, "Dockerfile": IMAGE, "grafana/drift.json": json.dumps(dashboard)}
    return grade(scan_tree(tmp_path, tree), DRIFT)


def test_service_that_a_dashboard_polls(tmp_path: Path) -> None:
    assert _polled(tmp_path, DASHBOARD) is Grade.WIRED


@pytest.mark.parametrize(
    "dashboard",
    [
        {**DASHBOARD, "refresh": ""},
        {"refresh": "5m", "panels": [{"targets": [{"url": "http://drift.ml.svc:8000/health"}]}]},
        {"refresh": "5m", "panels": []},
    ],
    ids=["no refresh", "another route", "empty"],
)
def test_service_that_nobody_asks(tmp_path: Path, dashboard: object) -> None:
    assert _polled(tmp_path, dashboard) is Grade.IMPLEMENTED
