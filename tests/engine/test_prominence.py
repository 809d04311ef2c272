"""Which of equal pieces of evidence is shown first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trees import ML, places, practice, scan_tree

TEST = (
    "from train import train\n\n\ndef test_train(tmp_path):\n    assert train('data.csv', tmp_path / 'm') is not None\n"
)


@pytest.mark.parametrize("folder", ["integration", "e2e", "functional"])
def test_a_unit_test_comes_before_one_of_the_whole(tmp_path: Path, folder: str) -> None:
    tree = {**ML, f"tests/{folder}/test_all.py": TEST, "tests/unit/test_train.py": TEST}
    result = practice(scan_tree(tmp_path / "a", tree), "code/unit-tests")
    assert places(result.evidence)[0] == "tests/unit/test_train.py:4"
    only = {**ML, f"tests/{folder}/test_all.py": TEST}
    result = practice(scan_tree(tmp_path / "b", only), "code/unit-tests")
    assert places(result.evidence)[0] == f"tests/{folder}/test_all.py:4"


def test_a_certain_training_tells_what_the_repository_is(tmp_path: Path) -> None:
    spark = (
        "from pyspark.ml import Pipeline\nfrom pyspark.ml.feature import StandardScaler\n\n\n"
        "def scale(frame):\n    return Pipeline(stages=[StandardScaler()]).fit(frame)\n"
    )
    report = scan_tree(tmp_path, {**ML, "a_features.py": spark})
    assert str(report.kind_place) == "train.py:12"
    assert places(practice(report, "code/modular-training").evidence)[0] == "train.py:12"


def test_what_predicts_comes_before_other_handlers(tmp_path: Path) -> None:
    handler = (
        "import joblib\nfrom fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n"
        "@router.post('/x')\ndef {}(row: list):\n    return joblib.load('m.joblib').predict([row]).tolist()\n"
    )
    tree = {**ML, "api/admin.py": handler.format("reload"), "api/ask.py": handler.format("predict_row")}
    result = practice(scan_tree(tmp_path, tree), "deploy/serving")
    assert places(result.evidence)[0] == "api/ask.py:8"
