"""Gates whose failure somebody minds, and gates whose failure changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, practice, scan_tree

GATE = "model/quality-gate"
RECIPE = {
    "checks.py": (
        "from sklearn.metrics import accuracy_score\n\n\ndef check(model, x, y):\n"
        "    accuracy = accuracy_score(y, model.predict(x))\n    if accuracy < 0.8:\n        {stop}\n"
    )
}


def gate(main: str, stop: str = "raise ValueError(accuracy)") -> Tree:
    """A gate in `checks.py` that `run.py` calls, and CI runs `run.py` on every push."""
    lines = "".join(f"    {line}\n" for line in main.split("\n"))
    return {
        **ML,
        "checks.py": RECIPE["checks.py"].format(stop=stop),
        "run.py": (
            "import argparse\nimport mlflow\nfrom checks import check\n\n\n"
            f"def main(model, x, y):\n{lines}\n\nmain(1, 2, 3)\n"
        ),
    }


def ci(command: str) -> Tree:
    """A workflow that runs one command on every push."""
    return {
        ".github/workflows/a.yml": (
            f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {command}\n"
        )
    }


CAUGHT = "try:\n    check(model, x, y)\nexcept Exception as error:\n    print(error)"
ASKED = (
    "dry_run = argparse.ArgumentParser().parse_args().dry_run\ntry:\n    check(model, x, y)\n"
    "except Exception as error:\n    if not dry_run:\n        raise\n    print(error)"
)


@pytest.mark.parametrize(
    ("tree", "command", "reason"),
    [
        (gate(CAUGHT), "python run.py", "the `except` at run.py:9 catches its failure and goes on"),
        (gate(CAUGHT.replace("Exception as error", "BaseException")), "python run.py", "catches its failure"),
        (
            gate(CAUGHT.replace("Exception as error", "BaseException"), "exit(1)"),
            "python run.py",
            "catches its failure",
        ),
        (gate(ASKED), "python run.py --dry-run", "`--dry-run` makes the `except` at run.py:10 go on"),
        (gate(ASKED), "python run.py --dry-run=true", "`--dry-run=true` makes"),
        (gate(ASKED.replace("dry_run", "mode")), "python run.py --mode dry_run", "`--mode dry_run` makes"),
        (gate(ASKED.replace("dry_run", "mode")), "python run.py --mode=disabled", "`--mode=disabled` makes"),
    ],
)
def test_failure_that_an_except_swallows(tmp_path: Path, tree: Tree, command: str, reason: str) -> None:
    result = practice(scan_tree(tmp_path, {**tree, **ci(command)}), GATE)
    assert result.grade is Grade.IMPLEMENTED
    assert not result.met
    assert reason in result.reason


@pytest.mark.parametrize(
    ("tree", "command"),
    [
        (gate("check(model, x, y)"), "python run.py"),
        (gate(f"{CAUGHT}\n    raise"), "python run.py"),
        (gate(CAUGHT.replace("Exception", "KeyError")), "python run.py"),
        (gate(CAUGHT, "raise SystemExit(1)"), "python run.py"),
        (gate("try:\n    print(x)\nexcept Exception:\n    print(y)\ncheck(model, x, y)"), "python run.py"),
        (gate(ASKED), "python run.py"),
        (gate(ASKED), "python run.py --dry-run=false"),
        (gate(ASKED.replace("dry_run", "mode")), "python run.py --mode=enabled"),
        (gate(ASKED), "python run.py --verbose --model dry_run"),
    ],
    ids=[
        "nothing catches it",
        "raised again",
        "another error",
        "an exit is no error",
        "beside the try",
        "not asked for",
        "switched on",
        "another mode",
        "another option",
    ],
)
def test_failure_that_counts(tmp_path: Path, tree: Tree, command: str) -> None:
    assert practice(scan_tree(tmp_path, {**tree, **ci(command)}), GATE).grade is Grade.WIRED


def test_branch_that_releases_needs_no_error(tmp_path: Path) -> None:
    body = (
        "try:\n    accuracy = mlflow.evaluate(model).metrics['accuracy']\n    if accuracy > 0.8:\n"
        "        mlflow.register_model('runs:/1/model', 'm')\nexcept Exception as error:\n    print(error)"
    )
    assert practice(scan_tree(tmp_path, {**gate(body), **ci("python run.py")}), GATE).grade is Grade.WIRED


PROJECT = "name: churn\nentry_points:\n  main:\n    command: python run.py\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("check(model, x, y)", Grade.IMPLEMENTED),
        ("mlflow.register_model('runs:/1/model', 'm')\ncheck(model, x, y)", Grade.IMPLEMENTED),
        ("check(model, x, y)\nmlflow.register_model('runs:/1/model', 'm')", Grade.WIRED),
    ],
    ids=["alone", "after the registration", "before the registration"],
)
def test_gate_in_an_entry_point_of_its_own(tmp_path: Path, body: str, expected: Grade) -> None:
    result = practice(scan_tree(tmp_path, {**gate(body), "MLproject": PROJECT}), GATE)
    assert result.grade is expected
    assert ("entry point of its own" in result.reason) is (expected is Grade.IMPLEMENTED)


def test_a_step_that_others_follow_stops_them(tmp_path: Path) -> None:
    stages = "stages:\n  check:\n    cmd: python run.py\n  publish:\n    cmd: python train.py\n"
    assert practice(scan_tree(tmp_path, {**gate("check(model, x, y)"), "dvc.yaml": stages}), GATE).grade is Grade.WIRED


VALIDATES = (
    "import mlflow\n\n\ndef main(data, mode):\n    try:\n"
    "        mlflow.evaluate(data=data, validation_thresholds={{'accuracy': 1}})\n"
    "    except Exception as error:\n        {handler}\n\n\nmain(1, 2)\n"
)


@pytest.mark.parametrize(
    ("handler", "expected"), [("print(error)", Grade.IMPLEMENTED), ("raise ValueError from error", Grade.WIRED)]
)
def test_bounds_of_an_evaluation_library(tmp_path: Path, handler: str, expected: Grade) -> None:
    tree = {**ML, "check.py": VALIDATES.format(handler=handler), **ci("python check.py")}
    assert practice(scan_tree(tmp_path, tree), GATE).grade is expected


NOTEBOOK_JOB = """\
resources:
  jobs:
    train:
      tasks:
        - task_key: check
          notebook_task:
            notebook_path: ../check.py
            base_parameters: {{mode: {mode}}}
        - task_key: release
          notebook_task: {{notebook_path: ../train.py}}
"""


@pytest.mark.parametrize(("mode", "expected"), [("dry_run", Grade.IMPLEMENTED), ("enabled", Grade.WIRED)])
def test_parameters_of_a_notebook_task_decide(tmp_path: Path, mode: str, expected: Grade) -> None:
    handler = "if mode != 'dry_run':\n            raise\n        print(error)"
    tree = {**ML, "check.py": VALIDATES.format(handler=handler), "resources/jobs.yml": NOTEBOOK_JOB.format(mode=mode)}
    result = practice(scan_tree(tmp_path, tree), GATE)
    assert result.grade is expected
