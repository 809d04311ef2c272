"""Models that a service loads from a registry, which nothing in the repository writes, and those that DVC locks."""

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


LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    outs:
    - path: out/PATH
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 12
"""
REMOTE = "[core]\n    remote = store\n['remote \"store\"']\n    url = s3://bucket/churn\n"


@pytest.mark.parametrize("name", ["net.onnx", "model.joblib", "models"])
def test_locked_model(tmp_path: Path, name: str) -> None:
    result = practice(scan_tree(tmp_path, {"dvc.lock": LOCK.replace("PATH", name), ".dvc/config": REMOTE}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert [item.location.path for item in result.evidence] == ["dvc.lock", ".dvc/config"]


@pytest.mark.parametrize(
    ("lock", "remote"),
    [
        (LOCK.replace("PATH", "rows.parquet"), REMOTE),
        (LOCK.replace("PATH", "model_metrics.json"), REMOTE),
        (LOCK.replace("PATH", "net.onnx"), REMOTE.replace("s3://bucket", "/tmp")),
        (LOCK.replace("PATH", "net.onnx"), "[core]\n    analytics = false\n"),
        (LOCK.replace("PATH", "net.onnx").replace("hash: ", "kind: ").replace("md5: 0", "# md5: 0"), REMOTE),
    ],
    ids=["rows", "figures", "a folder", "no remote", "no version"],
)
def test_locked_without_a_model_or_a_store(tmp_path: Path, lock: str, remote: str) -> None:
    assert grade(scan_tree(tmp_path, {"dvc.lock": lock, ".dvc/config": remote}), NAME) is Grade.ABSENT
