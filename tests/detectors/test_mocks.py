"""Tests with mocks: which of them still test the real model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import Tree, practice, scan_tree

MODEL = "model/testing"
TRAINER = (
    "import logging\n\nimport joblib\nimport mlflow\nimport pandas as pd\nfrom sklearn.linear_model import Ridge\n\n"
    "ROUNDS = 100\nlogger = logging.getLogger(__name__)\n\n\ndef fit(path):\n    rows = pd.read_csv(path)\n"
    "    model = Ridge().fit(rows[['a']], rows['y'])\n    joblib.dump(model, 'model.joblib')\n"
    "    logger.info('done')\n    return model\n\n\nclass Service:\n    def __init__(self, model=None):\n"
    "        self.model = model or joblib.load('model.joblib')\n\n    def predict(self, rows):\n"
    "        return self.model.predict(rows)\n"
)
HEAD = "from unittest.mock import MagicMock, Mock, patch\n\nimport trainer\nfrom trainer import Service, fit\n\n\n"
TEST = "def test_a({}):\n    assert fit('a.csv').score([[1]], [1]) > 0.5\n"
LOGGED = "@patch('trainer.logger')\ndef test_a(log):\n    fit('a')\n"


def graded(tmp_path: Path, test: str) -> tuple[Grade, str]:
    tree: Tree = {"requirements.txt": "scikit-learn\npytest\n", "trainer.py": TRAINER, "tests/test_a.py": HEAD + test}
    result = practice(scan_tree(tmp_path, tree), MODEL)
    return result.grade, result.reason


@pytest.mark.parametrize(
    "test",
    [
        "@patch('trainer.logger')\n" + TEST.format("log"),
        "@patch('trainer.logger')\n@patch('trainer.mlflow')\n" + TEST.format("flow, log"),
        "@patch.object(trainer, 'logger')\n" + TEST.format("log"),
        "@patch('trainer.ROUNDS', 2)\n" + TEST.format(""),
        "@patch('trainer.joblib.dump')\n" + TEST.format("dump"),
        "@patch('trainer.pd.read_csv')\n" + TEST.format("read"),
        "import os\n\n\n@patch.dict(os.environ, {'A': 'b'})\n" + TEST.format(""),
        "def test_a(mocker):\n    mocker.patch('trainer.logger')\n    assert fit('a').score([[1]], [1]) > 0.5\n",
        "def test_a():\n    with patch('trainer.logger') as log:\n        model = fit('a')\n"
        "        log.info.assert_called_once()\n    assert model.coef_[0] > 0\n",
        "def test_a(monkeypatch):\n    log = MagicMock()\n    monkeypatch.setattr(trainer, 'logger', log)\n"
        "    assert fit('a').coef_[0] > 0\n",
        "class Rows:\n    def rows(self):\n        return [[1]]\n\n\ndef test_a():\n"
        "    assert Service().predict(Rows().rows()) == [1]\n",
    ],
    ids=[
        "logger",
        "tracker",
        "object",
        "setting",
        "what is written",
        "data",
        "environment",
        "mocker",
        "with",
        "made",
        "class",
    ],
)
def test_mock_of_something_else(tmp_path: Path, test: str) -> None:
    assert graded(tmp_path, test) == (Grade.IMPLEMENTED, "nothing seen in the repository starts it")


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("@patch('trainer.Ridge')\n" + TEST.format("ridge"), "replaces parts by mocks"),
        ("@patch('trainer.logger')\n@patch('trainer.fit')\n" + TEST.format("made, log"), "replaces parts by mocks"),
        ("@patch('trainer.joblib.load')\ndef test_a(load):\n    assert Service().predict([1]) == 1\n", "by mocks"),
        ("def test_a():\n    assert Service(MagicMock()).predict([1]) == 1\n", "replaces parts by mocks"),
        ("def test_a(mocker):\n    assert Service(mocker.Mock()).predict([1]) == 1\n", "replaces parts by mocks"),
        ("model = Mock()\n\n\ndef test_a():\n    assert Service(model).predict([1]) == 1\n", "replaces parts by mocks"),
        (
            "def make():\n    return Mock()\n\n\nmodel = make()\n\n\ndef test_a():\n"
            "    assert Service(model).predict([1]) == 1\n",
            "replaces parts by mocks",
        ),
        ("@patch('trainer.logger')\ndef test_a(log):\n    fit('a')\n    assert log.info.called\n", "how its mocks"),
        (
            "@patch('trainer.logger')\ndef test_a(log):\n    fit('a')\n    log.info.assert_called_once()\n",
            "how its mocks",
        ),
        (
            "class ModelMock:\n    def predict(self, rows):\n        return [1]\n\n\ndef test_a():\n"
            "    assert Service(ModelMock()).predict([1]) == [1]\n",
            "its own `ModelMock` in the place of the model",
        ),
        (
            "import pytest\n\n\nclass Fake:\n    def predict(self, rows):\n        return [1]\n\n\n@pytest.fixture\n"
            "def service():\n    return Service(Fake())\n\n\ndef test_a(service):\n"
            "    assert service.predict([1]) == [1]\n",
            "its own `Fake` in the place of the model",
        ),
    ],
    ids=[
        "class",
        "function",
        "load",
        "object",
        "of mocker",
        "shared",
        "helper",
        "called",
        "assert_called",
        "own class",
        "fixture",
    ],
)
def test_mock_of_the_model(tmp_path: Path, test: str, reason: str) -> None:
    grade, why = graded(tmp_path, test)
    assert grade is Grade.TRACE
    assert reason in why


TASKS = (
    "from prefect import task\nfrom sklearn.linear_model import Ridge\n\n\n@task\ndef clean(rows):\n    return rows\n"
    "\n\n@task\ndef fit(rows):\n    return Ridge().fit(rows, [1, 2])\n"
)
MADE = "from sklearn.linear_model import Ridge\n\nmodel = Ridge().fit([[1], [2]], [1, 2])\nrows = [[1]]\n"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("from made import model\n\n\ndef test_a():\n    assert model.score([[1]], [1]) > 0.8\n", Grade.IMPLEMENTED),
        ("import made\n\n\ndef test_a():\n    assert made.model.predict([[1]])[0] > 0\n", Grade.IMPLEMENTED),
        ("from made import rows\n\n\ndef test_a():\n    assert len(rows) == 1\n", Grade.ABSENT),
        ("from flow import clean\n\n\ndef test_a():\n    assert clean.fn([1]) == [1]\n", Grade.ABSENT),
    ],
    ids=["imported", "of the module", "something else", "a task beside the one that trains"],
)
def test_model_that_the_import_makes(tmp_path: Path, test: str, expected: Grade) -> None:
    tree: Tree = {"requirements.txt": "scikit-learn\n", "made.py": MADE, "flow.py": TASKS, "tests/test_a.py": test}
    assert practice(scan_tree(tmp_path, tree), MODEL).grade is expected
