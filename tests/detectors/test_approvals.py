"""Code that asks for an approval before a model is promoted; approvals of other things."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, places, practice, scan_tree

NAME = "governance/approval"
TAG = """\
import sys

from mlflow import MlflowClient

client = MlflowClient()
version = client.get_model_version("churn", sys.argv[1])
if version.tags.get("approval_status") != "approved":
    raise SystemExit("nobody has approved this version")
client.set_registered_model_alias("churn", "champion", version.version)
"""
FLAG = """\
from train import train


def swap_model(folder, approved):
    if not approved:
        raise PermissionError("a person must approve")
    folder.rename("active")


if __name__ == "__main__":
    swap_model(train("rows.csv"), False)
"""


@pytest.mark.parametrize(("text", "line"), [(TAG, 7), (FLAG, 5)])
def test_asked(tmp_path: Path, text: str, line: int) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "promote.py": text}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence)[0] == f"promote.py:{line}"


@pytest.mark.parametrize(
    "text",
    [
        TAG.replace("approval_status", "stage").replace('"approved"', '"ready"'),
        TAG.replace('raise SystemExit("nobody has approved this version")', 'print("nobody has approved this")'),
        TAG.replace('client.set_registered_model_alias("churn", "champion", version.version)\n', ""),
        FLAG.replace("swap_model", "decide_loan"),
        FLAG.replace("    swap_model(train", "    print(train"),
    ],
    ids=["another tag", "only told", "promotes nothing", "a loan", "dead"],
)
def test_not_asked(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "promote.py": text}), NAME) is Grade.ABSENT
