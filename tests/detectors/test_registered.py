"""Models that a service loads from a registry, which nothing in the repository writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, practice, scan_tree

NAME = "model/registry"
SERVE = """\
import mlflow


def load(name, version):
    uri = f"models:/{name}/{version}"
    return mlflow.pyfunc.load_model(uri)
"""


@pytest.mark.parametrize(
    "text",
    [
        SERVE,
        SERVE.replace("load_model(uri)", "load_model(model_uri=f'models:/{name}@champion')"),
        'import mlflow.sklearn\n\nmodel = mlflow.sklearn.load_model("models:/churn/3")\n',
    ],
)
def test_loaded_by_name(tmp_path: Path, text: str) -> None:
    result = practice(scan_tree(tmp_path, {"serve.py": text}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert result.reason.startswith("this loads what somebody registered")


@pytest.mark.parametrize(
    "text",
    [
        SERVE.replace("models:/{name}/{version}", "runs:/{name}/model"),
        SERVE.replace("models:/{name}/{version}", "models:/{name}"),  # a logged model by its id
        SERVE.replace('f"models:/{name}/{version}"', '"model"  # "models:/churn/3"'),
        SERVE.replace("mlflow.pyfunc.load_model", "print"),
        SERVE.replace("import mlflow\n", "import joblib\n").replace("mlflow.pyfunc.load_model", "joblib.load"),
    ],
)
def test_nothing_loaded_by_name(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"serve.py": text}), NAME) is Grade.ABSENT


def test_training_registers_nothing(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "serve.py": SERVE}), NAME)
    assert result.grade is Grade.TRACE
    assert result.reason.endswith("was not seen here")


def test_only_a_test_loads(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path, {"tests/test_serve.py": SERVE}), NAME) is Grade.ABSENT
