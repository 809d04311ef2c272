"""Gradual rollouts in chart templates, with the values that the chart brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.progressive import splits
from mlops_scan.documents import yaml
from mlops_scan.words import Grade
from tests.trees import ML, grade, practice, scan_tree

PROGRESSIVE, ROLLBACK = "deploy/progressive", "deploy/rollback"
CHART = "apiVersion: v2\nname: scoring\nversion: 0.1.0\n"
TEMPLATE = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {{ .Values.name }}
spec:
  predictor:
    {{- if .Values.canary.enabled }}
    canaryTrafficPercent: {{ .Values.canary.percent }}
    {{- end }}
    model:
      storageUri: {{ .Values.uri | quote }}
"""
VALUES = "name: scoring\nuri: s3://models/1\ncanary:\n  enabled: true\n  percent: 20\n"


def _chart(template: str = TEMPLATE, values: str = VALUES) -> dict[str, str | bytes]:
    return {**ML, "chart/Chart.yaml": CHART, "chart/values.yaml": values, "chart/templates/service.yaml": template}


def test_share_from_the_values_of_the_chart(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, _chart())
    assert grade(report, PROGRESSIVE) is Grade.IMPLEMENTED
    assert {str(e.location) for e in practice(report, PROGRESSIVE).evidence} == {
        "chart/templates/service.yaml:8",
        "chart/values.yaml:5",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [("enabled: true", "enabled: false"), ("percent: 20", "percent: 100"), ("percent: 20", "percent: 0")],
)
def test_share_that_divides_nothing(tmp_path: Path, old: str, new: str) -> None:
    assert grade(scan_tree(tmp_path, _chart(values=VALUES.replace(old, new))), PROGRESSIVE) is Grade.TRACE


def test_commented_share_is_none(tmp_path: Path) -> None:
    template = TEMPLATE.replace("    canaryTraffic", "    # canaryTraffic")
    assert grade(scan_tree(tmp_path, _chart(template)), PROGRESSIVE) is Grade.ABSENT


def test_same_text_outside_a_chart_is_none(tmp_path: Path) -> None:
    tree = {name: text for name, text in _chart().items() if name != "chart/Chart.yaml"}
    assert not practice(scan_tree(tmp_path, tree), PROGRESSIVE).met


ROUTES = """\
kind: VirtualService
spec:
  http:
    - route:
        - destination: {host: blue}
          weight: {{ .Values.weight.blue }}
        - destination: {host: green}
          weight: {{ .Values.weight.green }}
"""


@pytest.mark.parametrize(
    ("values", "share", "off"),
    [
        ("weight: {blue: 10, green: 90}", 10, False),
        ("weight: {blue: 100, green: 0}", 100, True),
        ("other: 1", None, False),
    ],
)
def test_weights_of_two_routes(values: str, share: float | None, off: bool) -> None:
    (found,) = splits(ROUTES, yaml.parse(values)[0])
    assert (found.kind, found.line, found.share, bool(found.off)) == ("VirtualService", 6, share, off)


def test_weight_of_another_kind_is_none() -> None:
    assert list(splits("kind: PriorityClass\nweight: 10\n", None)) == []


def test_analysis_of_a_rollout_takes_it_back(tmp_path: Path) -> None:
    template = (
        "kind: Rollout\nspec:\n  strategy:\n    canary:\n      steps:\n"
        "        - setWeight: 20\n        - analysis:\n            templates: []\n"
    )
    report = scan_tree(tmp_path, _chart(template + "      name: {{ .Values.name }}\n"))
    assert practice(report, PROGRESSIVE).met
    assert practice(report, ROLLBACK).met


ROUTER = """\
import random

import joblib
from fastapi import FastAPI

app = FastAPI()


class Router:
    def __init__(self, canary_percent):
        self.canary_percent = canary_percent
        self.stable, self.canary = joblib.load("stable"), joblib.load("canary")

    def choose(self):
        if random.random() * 100 < self.canary_percent:
            return self.canary
        return self.stable


router = Router(10)


@app.post("/predict")
def predict(row: list[float]):
    return router.choose().predict([row])
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", Grade.IMPLEMENTED),
        ("random.random() * 100", "hash('user') % 100", Grade.IMPLEMENTED),
        ("random.random() * 100", "self.seen", Grade.ABSENT),
        ("canary_percent", "test_split", Grade.ABSENT),
        ("canary_percent", "canary_errors", Grade.ABSENT),
        ("        if random", "        # if random", Grade.ABSENT),
        ("return router.choose().predict([row])", "return joblib.load('stable').predict([row])", Grade.ABSENT),
        ('@app.post("/predict")', "# nobody asks", Grade.ABSENT),
    ],
    ids=["drawn", "by hash", "counted", "rows", "another bound", "comment", "not asked", "no service"],
)
def test_a_share_that_the_service_draws(tmp_path: Path, old: str, new: str, expected: Grade) -> None:
    text = ROUTER.replace(old, new) if old else ROUTER
    if "# if" in text:
        text = text.replace("            return self.canary\n", "")
    if "nobody" in text:
        text = text.replace("app = FastAPI()", "app = None")
    assert grade(scan_tree(tmp_path, {**ML, "service.py": text}), PROGRESSIVE) is expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('az ml online-endpoint update --name churn --traffic "blue=90 green=10"', True),
        ('az ml online-endpoint update --name churn --traffic "$NEW=10"', True),
        ('az ml online-endpoint update --name churn --traffic "blue=0 green=100"', True),  # blue and green
        ('az ml online-endpoint update --name churn --traffic "$SHARES"', True),
        ('az ml online-endpoint update --name churn --traffic "$NAME=0"', False),
        ("az ml online-endpoint update --name churn --traffic=main=100", False),
        ("gcloud run services update-traffic churn --to-revisions new=10", True),
        ("gcloud run services update-traffic churn --to-revisions=new=100", False),
        ("gcloud run services update-traffic churn --to-latest", False),
    ],
)
def test_traffic_that_a_command_divides(tmp_path: Path, command: str, expected: bool) -> None:
    workflow = f"on: push\njobs: {{a: {{runs-on: ubuntu-latest, steps: [{{run: '{command}'}}]}}}}\n"
    report = scan_tree(tmp_path, {**ML, ".github/workflows/cd.yml": workflow})
    assert grade(report, PROGRESSIVE) is (Grade.WIRED if expected else Grade.TRACE)
