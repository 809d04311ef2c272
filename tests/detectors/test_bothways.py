"""Branches on a metric that are no gate, because the model is released whichever way they go."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.detectors.test_gates import GATE, script
from tests.trees import ML, grade, scan_tree

REGISTER = "mlflow.register_model('runs:/1/model', '{}')"
STAGE = "client.transition_model_version_stage('churn', 3, '{}')"
CLIENT = "client = mlflow.MlflowClient()\n"


def program(body: str) -> str:
    return script(body).replace("def main", f"def push(name):\n    {REGISTER.format('m')}\n\n\ndef main")


@pytest.mark.parametrize(
    "body",
    [
        f"if accuracy < 0.8:\n    {REGISTER.format('tuned')}\nelse:\n    {REGISTER.format('plain')}",
        f"if accuracy < 0.8:\n    {REGISTER.format('weak')}\n{REGISTER.format('churn')}",
        f"if accuracy > 0.8:\n    {REGISTER.format('churn')}\n    return\n{REGISTER.format('churn')}",
        "if accuracy < 0.8:\n    push('tuned')\nelse:\n    push('plain')",
        f"if accuracy < 0.8:\n    {REGISTER.format('weak')}\nwith mlflow.start_run():\n    {REGISTER.format('churn')}",
        f"{CLIENT}if accuracy > 0.8:\n    {STAGE.format('Production')}\nelse:\n    {STAGE.format('Production')}",
    ],
    ids=["both branches", "what follows", "after a return", "a helper", "what follows in a block", "the same stage"],
)
def test_release_on_either_way(tmp_path: Path, body: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "evaluate.py": program(body)}), GATE) is Grade.ABSENT


@pytest.mark.parametrize(
    "body",
    [
        f"{CLIENT}if accuracy > 0.8:\n    {STAGE.format('Production')}\nelse:\n    {STAGE.format('Archived')}",
        f"if accuracy > 0.8:\n    {REGISTER.format('churn')}\nelif input() == 'force':\n    {REGISTER.format('churn')}",
        f"if accuracy > 0.8:\n    {REGISTER.format('churn')}\nif input() == 'force':\n    {REGISTER.format('churn')}",
        f"{CLIENT}{REGISTER.format('churn')}\nif accuracy > 0.8:\n    {STAGE.format('Production')}",
        f"{CLIENT}if accuracy > 0.8:\n    {REGISTER.format('churn')}\n    {STAGE.format('Production')}\n"
        f"else:\n    {REGISTER.format('churn')}",
        f"if accuracy < 0.8:\n    print('low')\n    return\n{REGISTER.format('churn')}",
        f"if accuracy < 0.8:\n    print('low')\nelse:\n    {REGISTER.format('churn')}",
        "if accuracy > 0.8:\n    push('champion')\nelse:\n    push('challenger')",
    ],
    ids=["another stage", "elif", "under a further test", "a stage later", "a stage more", "return", "else", "names"],
)
def test_release_on_one_way(tmp_path: Path, body: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "evaluate.py": program(body)}), GATE) is Grade.IMPLEMENTED
