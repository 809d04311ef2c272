"""Checks of data that collect what is wrong and refuse it in the end, as functions, classes and programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import DATA, ML, grade, practice, scan_tree

NAME = "data/validation"
CLASS = """\
import pandas as pd


class DataValidator:
    def __init__(self):
        self.errors = []

    def check_nulls(self, frame):
        rate = frame.isnull().mean()
        for name in rate[rate > 0.1].index:
            self.errors.append(f"{name} is empty")

    def check_ranges(self, frame):
        if not frame["age"].between(0, 120).all():
            self.errors.append("age is out of range")

    def run(self, frame):
        self.check_nulls(frame)
        self.check_ranges(frame)
        if self.errors:
            raise ValueError("; ".join(self.errors))
"""
CALLED = DATA.replace("import pandas as pd\n", "import pandas as pd\n\nfrom checks import DataValidator\n").replace(
    "    return", "    DataValidator().run(frame)\n    return"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CLASS, Grade.IMPLEMENTED),
        (CLASS.replace("raise ValueError(", "print("), Grade.ABSENT),
        (CLASS.replace('        if not frame["age"].between(0, 120).all():\n', "        if frame:\n"), Grade.ABSENT),
        (CLASS.replace("self.errors:", "self.paused:"), Grade.ABSENT),
    ],
    ids=["raises", "prints", "one check", "another question"],
)
def test_class_that_collects_errors(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "data.py": CALLED, "checks.py": text}), NAME) is expected


def test_class_that_is_there_for_something_else(tmp_path: Path) -> None:
    data, text = (
        part.replace("DataValidator", "DataPlotter").replace("from checks", "from plots") for part in (CALLED, CLASS)
    )
    assert grade(scan_tree(tmp_path, {**ML, "data.py": data, "plots.py": text}), NAME) is Grade.ABSENT


def test_class_that_nothing_calls(tmp_path: Path) -> None:
    assert practice(scan_tree(tmp_path, {**ML, "checks.py": CLASS}), NAME).reason == "nothing calls this check"


SCRIPT = """\
import sys

import pandas as pd


def main():
    frame = pd.read_csv("data.csv")
    errors = []
    for name in ("age", "y"):
        if name not in frame.columns:
            errors.append(f"no {name}")
    if frame.isna().any().any():
        errors.append("empty values")
    if errors:
        print(errors)
        sys.exit(1)


if __name__ == "__main__":
    main()
"""
WORKFLOW = """\
on: push
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - run: python scripts/validate_data.py
      - run: python train.py
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("validate_data", SCRIPT, Grade.WIRED),
        ("prepare", SCRIPT, Grade.ABSENT),
        ("validate_data", SCRIPT.replace("        sys.exit(1)\n", ""), Grade.ABSENT),
        ("validate_data", SCRIPT.replace("frame.isna().any().any()", "frame.empty"), Grade.ABSENT),
    ],
    ids=["program", "another name", "goes on", "one check"],
)
def test_program_that_collects_errors(tmp_path: Path, name: str, text: str, expected: Grade) -> None:
    tree = {**ML, f"scripts/{name}.py": text, ".github/workflows/a.yml": WORKFLOW.replace("validate_data", name)}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("run.py", Grade.IMPLEMENTED), ("train_pipeline.py", Grade.IMPLEMENTED), ("weekly.py", Grade.IMPLEMENTED)],
)
def test_script_without_a_main_block_runs_the_check(tmp_path: Path, name: str, expected: Grade) -> None:
    tree = {
        **ML,
        "checks.py": CLASS,
        name: "import pandas as pd\n\nfrom checks import DataValidator\nfrom train import train\n\n"
        'DataValidator().run(pd.read_csv("data.csv"))\ntrain("data.csv", "model.joblib")\n',
    }
    assert grade(scan_tree(tmp_path, tree), NAME) is expected
