"""MLflow recipes: what the engine does for each step, and what the profiles or the steps must name for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import Tree, places, practice, scan_tree

PRACTICE = "model/registry"
STEPS = "steps:\n  train: {estimator_method: train.fit}\n  evaluate: {}\n"
OLD = f"template: regression/v1\n{STEPS}  register:\n    model_name: taxi\n"
NEW = f"recipe: regression/v1\n{STEPS}  register:\n    allow_non_validated_model: false\n"
PROFILE: Tree = {"profiles/local.yaml": "experiment: {name: taxi}\nmodel_registry:\n  model_name: taxi\n"}
TRAIN: Tree = {
    "steps/train.py": "from sklearn.linear_model import SGDRegressor\n\n\ndef fit():\n    return SGDRegressor()\n"
}


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"pipeline.yaml": OLD}, "pipeline.yaml:6"),
        ({"recipe.yaml": NEW, **PROFILE}, "profiles/local.yaml:3"),
        # a variable that a profile fills in
        ({"pipeline.yaml": OLD.replace("taxi", "{{MODEL_NAME}}")}, "pipeline.yaml:6"),
    ],
    ids=["step", "profile", "variable"],
)
def test_registered_models(tmp_path: Path, tree: Tree, line: str) -> None:
    result = practice(scan_tree(tmp_path, {**TRAIN, **tree}), PRACTICE)
    assert result.grade is Grade.IMPLEMENTED
    assert line in places(result.evidence)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"pipeline.yaml": OLD.replace("taxi", '""')}, "its `model_name` is empty"),
        ({"pipeline.yaml": OLD.replace("    model_name", "    # model_name")}, "no profile names"),
        ({"recipe.yaml": NEW}, "no profile names"),
        # the step of a recipe of today has no such setting
        ({"recipe.yaml": OLD.replace("template", "recipe")}, "no profile names"),
    ],
    ids=["empty", "comment", "no profile", "setting of before"],
)
def test_models_without_a_name(tmp_path: Path, tree: Tree, reason: str) -> None:
    result = practice(scan_tree(tmp_path, {**TRAIN, **tree}), PRACTICE)
    assert (result.grade, result.reason[: len(reason)]) == (Grade.TRACE, reason)
