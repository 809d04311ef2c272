"""Tests that ask a web application of a model in their own process."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

TESTING, IN_CI = "model/testing", "ci/model-tests"
APP = (
    "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\nmodel = joblib.load('models/model.joblib')\n\n\n"
    "@app.get('/health')\ndef health():\n    return {'status': 'ok'}\n\n\n"
    "@app.post('/predict')\ndef predict(row: dict):\n    return {'probability': model.predict([row])[0]}\n"
)
TRAINS = (
    "from fastapi import FastAPI\nfrom sklearn.linear_model import Ridge\n\napp = FastAPI()\n"
    "model = Ridge()\nmodel.fit([[1]], [1])\n\n\n"
    "@app.post('/v1/predict')\ndef predict(row: dict):\n    return {'probability': model.predict([row])[0]}\n"
)
FLASK = (
    "import joblib\nfrom flask import Flask, request\n\napp = Flask(__name__)\n"
    "model = joblib.load('models/model.joblib')\n\n\n"
    "@app.route('/predict', methods=['POST'])\ndef predict():\n    return {'label': model.predict(request.json)[0]}\n"
)
TEST = (
    "from fastapi.testclient import TestClient\n\nfrom app import app\n\nclient = TestClient(app)\n\n\n"
    "def test_answer():\n    response = client.post('/predict', json={'a': 1})\n"
    "    assert response.status_code == 200\n    assert response.json()['probability'] > 0.5\n"
)
FIXTURE = (
    "import pytest\nfrom fastapi.testclient import TestClient\n\nfrom app import app\n\n\n"
    "@pytest.fixture\ndef client():\n    with TestClient(app) as client:\n        yield client\n"
)
WITH_FIXTURE = (
    "def test_answer(client):\n    payload = client.post('/predict', json={'a': 1}).json()\n"
    "    assert 0 <= payload['probability'] <= 1\n"
)
BY_FLASK = (
    "from app import app\n\n\ndef test_answer():\n    client = app.test_client()\n"
    "    data = client.post('/predict', json=[1]).get_json()\n    assert data['label'] == 'cat'\n"
)
TREE: dict[str, str | bytes] = {**ML, "app.py": APP, "models/model.joblib": b"\x80\x04model"}
CI = ".github/workflows/ci.yml"
WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: pytest tests\n"


@pytest.mark.parametrize(
    "text",
    [
        TEST,
        TEST.replace("fastapi.testclient", "starlette.testclient"),
        TEST.replace("response.json()['probability'] > 0.5", "response.json()['prediction'] in [0, 1]"),
        TEST.replace("'/predict'", "'/predict?threshold=1'"),
        TEST.replace("client.post(", "client.request('POST', "),
        TEST.replace("client.post('/predict'", "client.post(ROUTE").replace(
            "client = T", "ROUTE = '/predict'\nclient = T"
        ),
        TEST.replace("def test_answer():\n    response =", "def ask():\n    return").replace(
            "    assert response.status_code == 200", "\n\ndef test_answer():\n    response = ask()"
        ),
        f"{TEST}\n\ndef test_without():\n    with patch('app.model', None):\n        assert client.post('/predict')\n",
    ],
)
def test_an_answer_that_is_held_to_something(tmp_path: Path, text: str) -> None:
    tree = {**TREE, "tests/test_app.py": text, CI: WORKFLOW}
    assert grade(scan_tree(tmp_path, tree), TESTING) is Grade.WIRED
    assert grade(scan_tree(tmp_path, tree), IN_CI) is Grade.WIRED


@pytest.mark.parametrize(
    "text",
    [
        TEST.replace("    assert response.json", "    # assert response.json"),
        TEST.replace("response.json()['probability'] > 0.5", "'probability' in response.json()"),
        TEST.replace("response.json()['probability'] > 0.5", "len(response.json()['probability']) == 1"),
        TEST.replace("['probability'] > 0.5", "['detail'] == 'no prediction'"),
        TEST.replace("['probability'] > 0.5", "['model_version'] == 'v1'"),
        TEST.replace("'/predict'", "'/health'"),
        TEST.replace("'/predict'", "'/elsewhere'"),
        TEST.replace("'/predict'", "'/unpredict'"),
        TEST.replace("def test", "@pytest.mark.skip\ndef test").replace("from app", "import pytest\nfrom app"),
        TEST.replace("client = T", "app.state.model = Constant()\nclient = T"),
        TEST.replace("client = T", "app.dependency_overrides[get_model] = lambda: Constant()\nclient = T"),
        TEST.replace("def test_answer():", "def test_answer(monkeypatch):"),
        TEST.replace("def test_answer():", "@patch('app.model')\ndef test_answer(model):"),
        TEST.replace("client = T", "class DummyModel:\n    pass\n\n\nclient = T"),
        TEST.replace("TestClient", "Session").replace("fastapi.testclient", "remote"),
    ],
)
def test_what_asks_for_no_prediction_or_replaces_the_model(tmp_path: Path, text: str) -> None:
    tree = {**TREE, "tests/test_app.py": text, CI: WORKFLOW}
    assert grade(scan_tree(tmp_path, tree), TESTING) is Grade.ABSENT


def test_a_client_of_a_fixture_or_of_flask(tmp_path: Path) -> None:
    tree = {**TREE, "tests/conftest.py": FIXTURE, "tests/test_app.py": WITH_FIXTURE}
    assert grade(scan_tree(tmp_path / "a", tree), TESTING) is Grade.IMPLEMENTED
    mocked = {**tree, "tests/conftest.py": f"{FIXTURE}\n\n@pytest.fixture(autouse=True)\ndef fake_model():\n    ...\n"}
    assert grade(scan_tree(tmp_path / "b", mocked), TESTING) is Grade.ABSENT
    tree = {**TREE, "app.py": FLASK, "tests/test_app.py": BY_FLASK}
    assert grade(scan_tree(tmp_path / "c", tree), TESTING) is Grade.IMPLEMENTED


def test_a_model_that_is_there_or_trained_at_the_start(tmp_path: Path) -> None:
    missing = {path: text for path, text in TREE.items() if not path.startswith("models/")}
    assert grade(scan_tree(tmp_path / "a", {**missing, "tests/test_app.py": TEST}), TESTING) is Grade.ABSENT
    trained = {**missing, "app.py": TRAINS, "tests/test_app.py": TEST.replace("/predict", "/v1/predict")}
    assert grade(scan_tree(tmp_path / "b", trained), TESTING) is Grade.IMPLEMENTED
    command = TRAINS.replace("model.fit", "if __name__ == '__main__':\n    model.fit")
    assert grade(scan_tree(tmp_path / "c", {**trained, "app.py": command}), TESTING) is Grade.ABSENT
