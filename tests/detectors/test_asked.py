"""Tests that ask a running service of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, scan_tree

TESTING, IN_CI = "model/testing", "ci/model-tests"
APP = (
    "import joblib\nfrom flask import Flask, request\n\napp = Flask(__name__)\n"
    "model = joblib.load('model.joblib')\n\n\n"
    "@app.route('/predict', methods=['POST'])\ndef predict():\n"
    "    return {'label': model.predict(request.json)[0]}\n\n\nif __name__ == '__main__':\n    app.run()\n"
)
SERVES = {**ML, "app.py": APP, "Dockerfile": "FROM python:3.12\nCOPY . .\nCMD python app.py\n"}
ASKS = (
    "import requests\n\nURL = 'http://localhost:5000/predict'\n\n\ndef test_answer():\n"
    "    response = requests.post(URL, json=[1, 2])\n    assert response.status_code == 200\n"
    "    assert response.json()['probability'] > 0.9\n"
)
WORKFLOW = (
    "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: docker build -t scoring .\n"
    "      - run: docker run -d -p 5000:5000 scoring\n      - run: pytest tests\n"
)
CI = ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    "text",
    [
        ASKS,
        ASKS.replace("['probability'] > 0.9", "['label'] == 'cat'"),
        ASKS.replace("requests.post(URL, json", "requests.Session().post(URL, json"),
        ASKS.replace("requests", "httpx"),
        ASKS.replace("5000/predict", "5000").replace("post(URL", "post(f'{URL}/v1/models/score:predict'"),
        ASKS.replace("def test_answer():\n    response =", "def ask():\n    return").replace(
            "    assert response.status", "\n\ndef test_answer():\n    response = ask()\n    assert response.status"
        ),
    ],
)
def test_an_answer_that_is_held_to_something(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**SERVES, "tests/test_service.py": text}), TESTING) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [
        ASKS.replace("    assert response.json", "    # assert response.json"),
        ASKS.replace("['probability'] > 0.9", "['status'] == 'ok'"),
        ASKS.replace("response.json()['probability'] > 0.9", "len(response.json()['label']) > 0"),
        ASKS.replace("response.json()['probability'] > 0.9", "'label' in response.json()"),
        ASKS.replace("/predict", "/metadata"),
        ASKS.replace("localhost", "api.example.org"),
        ASKS.replace("import requests", "import requests\nimport requests_mock"),
        ASKS.replace("def test", "@pytest.mark.skip\ndef test").replace("import req", "import pytest\nimport req"),
        ASKS.replace("requests.post(URL, json=[1, 2])", "queue.post(URL)").replace("requests", "queue"),
    ],
)
def test_what_asks_for_no_prediction_or_checks_none(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**SERVES, "tests/test_service.py": text}), TESTING) is Grade.ABSENT


def test_a_repository_without_a_service_of_a_model(tmp_path: Path) -> None:
    tree = {**SERVES, "app.py": APP.replace("joblib.load('model.joblib')", "Client()")}
    assert grade(scan_tree(tmp_path, {**tree, "tests/test_service.py": ASKS}), TESTING) is Grade.ABSENT


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", Grade.WIRED),
        ("docker run -d -p 5000:5000 scoring", "python app.py &", Grade.WIRED),
        ("docker run -d -p 5000:5000 scoring", "docker compose up -d", Grade.WIRED),
        ("docker run -d -p 5000:5000 scoring", "docker images", Grade.ABSENT),
        ("docker build -t scoring .", "echo build", Grade.ABSENT),
        ("pytest tests", "pytest tests || true", Grade.IMPLEMENTED),
    ],
)
def test_ci_that_starts_the_service_before(tmp_path: Path, old: str, new: str, expected: Grade) -> None:
    tree = {**SERVES, "tests/test_service.py": ASKS, CI: WORKFLOW.replace(old, new) if old else WORKFLOW}
    assert grade(scan_tree(tmp_path, tree), IN_CI) is expected


def test_a_file_that_only_a_command_names(tmp_path: Path) -> None:
    tree = {**SERVES, "tests/test.py": ASKS, CI: WORKFLOW.replace("pytest tests", "pytest tests/test.py")}
    assert grade(scan_tree(tmp_path, tree), IN_CI) is Grade.WIRED


def test_one_job_of_a_matrix_may_fail(tmp_path: Path) -> None:
    """The same command stops the other jobs."""
    travis = "language: python\nscript: pytest tests\nmatrix:\n  include:\n    - env: A=1\n    - env: A=2\n"
    allowed = "  allow_failures:\n    - env: A=2\n"
    tests = {**SERVES, "tests/test_train.py": "import train\n\n\ndef test_it():\n    assert train.train('a', 'b')\n"}
    assert findings(scan_tree(tmp_path / "one", {**tests, ".travis.yml": travis + allowed}), "MLS301") == []
    both = travis + allowed + "    - env: A=1\n"
    assert len(findings(scan_tree(tmp_path / "both", {**tests, ".travis.yml": both}), "MLS301")) == 1
