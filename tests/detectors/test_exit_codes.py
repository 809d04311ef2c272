"""Quality gates whose outcome is a number that the program ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

GATE = """\
import sys

import joblib
from sklearn.metrics import accuracy_score

from data import read


def main():
    x, y = read("data.csv")
    accuracy = accuracy_score(y, joblib.load("model.joblib").predict(x))
    if accuracy < 0.8:
        print("not good enough")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
"""
PUSHED = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: python gate.py\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GATE, Grade.WIRED),
        (GATE.replace("sys.exit(main())", "raise SystemExit(main())"), Grade.WIRED),
        (GATE.replace("accuracy < 0.8", "accuracy >= 0.8").replace("return 1", "return 0\n    else:\n        return 2"),
         Grade.WIRED),
        (GATE.replace("sys.exit(main())", "main()"), Grade.ABSENT),
        (GATE.replace("sys.exit(main())", "print(main())\n    sys.exit(0)"), Grade.ABSENT),
        (GATE.replace("return 1", "return 0"), Grade.ABSENT),
        (GATE.replace("return 1", "return False"), Grade.ABSENT),  # Python ends with 0
        (GATE.replace("        return 1", "        # return 1"), Grade.ABSENT),
    ],
    ids=["exit", "SystemExit", "else", "nobody reads it", "another status", "always well", "false", "commented out"],
)  # fmt: skip
def test_status_of_a_program(tmp_path: Path, text: str, expected: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, "gate.py": text, ".github/workflows/a.yml": PUSHED})
    assert grade(report, "model/quality-gate") is expected


def test_status_that_ci_ignores(tmp_path: Path) -> None:
    tree = {**ML, "gate.py": GATE, ".github/workflows/a.yml": PUSHED.replace("gate.py", "gate.py || true")}
    assert grade(scan_tree(tmp_path, tree), "model/quality-gate") is Grade.IMPLEMENTED
