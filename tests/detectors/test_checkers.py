"""Programs that check data and end with an error where it is bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

VALIDATION = "data/validation"
PROGRAM = (
    "import sys\n\nimport pandas as pd\n\n\n"
    "class Checker:\n    def __init__(self):\n        self.errors = []\n\n"
    "    def check_columns(self, frame):\n        if 'age' not in frame.columns:\n"
    "            self.errors.append('no age')\n            return False\n        return True\n\n"
    "    def check_range(self, frame):\n        ok = True\n        if frame['age'].min() < 0:\n"
    "            ok = False\n        return ok\n\n"
    "    def validate(self, path):\n        frame = pd.read_csv(path)\n"
    "        return all([self.check_columns(frame), self.check_range(frame)])\n\n\n"
    "def main():\n    checker = Checker()\n    passed = checker.validate('data.csv')\n"
    "    sys.exit(0 if passed else 1)\n\n\nif __name__ == '__main__':\n    main()\n"
)
STATUS = "    sys.exit(0 if passed else 1)\n"
CI = ".github/workflows/ci.yml"
WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: python scripts/validate_data.py\n"


@pytest.mark.parametrize(
    "text",
    [
        PROGRAM,
        PROGRAM.replace(STATUS, "    if not passed:\n        sys.exit(1)\n"),
        PROGRAM.replace(STATUS, "    sys.exit(1 if not passed else 0)\n"),
        PROGRAM.replace(STATUS, "    sys.exit(not passed)\n"),
        PROGRAM.replace(STATUS, "    raise SystemExit(int(not passed))\n"),
        PROGRAM.replace(STATUS, "").replace("passed = checker.validate('data.csv')", "")
        + "    sys.exit(0 if Checker().validate('data.csv') else 1)\n",
        PROGRAM.replace("pd.read_csv(path)", "pd.DataFrame(json.load(open(path)))").replace(
            "import sys", "import json\nimport sys"
        ),
    ],
)
def test_a_program_that_ends_by_what_its_checks_give(tmp_path: Path, text: str) -> None:
    tree = {**ML, "scripts/validate_data.py": text, CI: WORKFLOW}
    assert grade(scan_tree(tmp_path / "a", tree), VALIDATION) is Grade.WIRED
    assert grade(scan_tree(tmp_path / "b", {**tree, CI: ""}), VALIDATION) is Grade.IMPLEMENTED
    ignored = {**tree, CI: WORKFLOW.replace("data.py", "data.py || true")}
    assert grade(scan_tree(tmp_path / "c", ignored), VALIDATION) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scripts/validate_data.py", PROGRAM.replace(STATUS, "    print(passed)\n")),
        ("scripts/validate_data.py", PROGRAM.replace(STATUS, f"#{STATUS}")),
        ("scripts/validate_data.py", PROGRAM.replace(STATUS, "    sys.exit(0)\n")),
        ("scripts/validate_data.py", PROGRAM.replace(STATUS, "    sys.exit(0 if other else 1)\n")),
        ("scripts/validate_data.py", PROGRAM.replace("if frame['age'].min() < 0:", "if self.strict > 0:")),
        ("scripts/validate_data.py", PROGRAM.replace("pd.read_csv(path)", "pd.DataFrame(path)")),
        ("scripts/validate_config.py", PROGRAM),
        ("scripts/prepare_data.py", PROGRAM),
        ("docs/validate_data.py", PROGRAM),
        ("tests/validate_data.py", PROGRAM),
    ],
    ids=[
        "printed", "commented out", "always good", "another outcome", "one check", "no data", "of settings",
        "another purpose", "docs", "tests",
    ],
)  # fmt: skip
def test_what_checks_no_data_or_ends_well(tmp_path: Path, path: str, text: str) -> None:
    tree = {**ML, path: text, CI: WORKFLOW.replace("scripts/validate_data.py", path)}
    assert grade(scan_tree(tmp_path, tree), VALIDATION) in (Grade.ABSENT, Grade.TRACE)
