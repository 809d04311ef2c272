"""The commit of the code beside a run or a model; commits of other things."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import grade, scan_tree

NAME = "pipeline/metadata"
RUN = """\
import json
import subprocess

import joblib
import mlflow
from sklearn.linear_model import LogisticRegression


def train(x, y):
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"]).decode()
    model = LogisticRegression().fit(x, y)
    with mlflow.start_run():
        mlflow.set_tag("git_commit", commit)
        mlflow.log_metric("score", model.score(x, y))


if __name__ == "__main__":
    train([[1]], [1])
"""
FILE = RUN.replace('mlflow.set_tag("git_commit", commit)', 'json.dump({"git_sha": commit}, open("run.json", "w"))')


@pytest.mark.parametrize("text", [RUN, FILE, RUN.replace('set_tag("git_commit"', 'log_param("code_version"')])
def test_recorded(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"train.py": text}), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [
        RUN.replace("git_commit", "stage"),
        RUN.replace('mlflow.set_tag("git_commit", commit)', 'print("git_commit", commit)').replace("start_run", "run"),
        RUN.replace("        mlflow.set_tag", "        # mlflow.set_tag"),
        RUN.replace("train([[1]], [1])", "print(1)"),
        'import json\n\n\ndef note(commit):\n    json.dump({"git_sha": commit}, open("a.json", "w"))\n\n\nnote("a")\n',
    ],
    ids=["another tag", "printed", "comment", "dead", "no model"],
)
def test_not_recorded(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"train.py": text}), NAME) is Grade.ABSENT
