"""Tests of figures that training has written to a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, TRAIN, grade, scan_tree

TESTING = "model/testing"
WRITES = {**ML, "train.py": TRAIN.replace("import joblib\n", "import json\n\nimport joblib\n").replace(
    "    return model\n", "    json.dump({'r2': model.score(x, y)}, open('out/metrics.json', 'w'))\n    return model\n"
)}  # fmt: skip
READS = (
    "import json\n\n\ndef test_quality():\n    with open('out/metrics.json') as file:\n"
    "        metrics = json.load(file)\n    assert metrics['r2'] > 0.8\n"
)
CASE = (
    "import json\nimport unittest\n\n\nclass Quality(unittest.TestCase):\n    FILE = 'out/metrics.json'\n\n"
    "    def test_error(self):\n        with open(self.FILE) as file:\n            metrics = json.load(file)\n"
    "        self.assertLessEqual(metrics['loss'], 0.8)\n"
)
FIXTURE = (
    "import json\n\nimport pytest\n\n\n@pytest.fixture\ndef figures():\n    "
    "return json.load(open('metrics.json'))\n\n\ndef test_quality(figures):\n    assert figures['accuracy'] >= 0.7\n"
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/test_model.py", READS),
        ("tests/test_model.py", CASE),
        ("test/test.py", CASE),
        ("tests/test_model.py", FIXTURE),
    ],
)
def test_recorded_figures_are_held_to_bounds(tmp_path: Path, name: str, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**WRITES, name: text}), TESTING) is Grade.IMPLEMENTED


def test_ci_that_runs_it_tests_the_model(tmp_path: Path) -> None:
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: python train.py\n      - run: pytest tests\n"
    )
    report = scan_tree(tmp_path, {**WRITES, "tests/test_model.py": READS, ".github/workflows/ci.yml": workflow})
    assert grade(report, "ci/model-tests") is Grade.WIRED


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (ML, READS),
        (WRITES, READS.replace("    assert", "    # assert")),
        (WRITES, READS.replace("> 0.8", "> 0")),
        (WRITES, READS.replace("> 0.8", "== 0.8")),
        (WRITES, READS.replace("metrics['r2']", "metrics['latency_ms']")),
        (WRITES, READS.replace("test_quality()", "test_quality(tmp_path)")),
        (
            WRITES,
            READS.replace("    with open", "    json.dump({'r2': 0.9}, open('out/metrics.json', 'w'))\n    with open"),
        ),
        (WRITES, READS.replace("import json\n", "import json\nfrom unittest import mock\n")),
        (WRITES, READS.replace("def test_quality", "import pytest\n\n\n@pytest.mark.skip\ndef test_quality")),
        (WRITES, READS.replace("metrics.json", "other_metrics.json")),
        (WRITES, CASE.replace("0.8", "self.bound")),
    ],
    ids=[
        "nothing writes it",
        "commented out",
        "what every model keeps",
        "an exact figure",
        "a speed",
        "a file of the test",
        "a file that the test writes",
        "mocks",
        "skipped",
        "another file",
        "a bound that is not known",
    ],
)
def test_what_is_no_test_of_recorded_figures(tmp_path: Path, tree: dict[str, str], text: str) -> None:
    assert grade(scan_tree(tmp_path, {**tree, "tests/test_model.py": text}), TESTING) is Grade.ABSENT


def test_pytest_takes_no_file_of_that_name(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path, {**WRITES, "test/test.py": READS}), TESTING) is Grade.ABSENT
