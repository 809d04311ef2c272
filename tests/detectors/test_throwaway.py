"""CI jobs that train as a check of pull requests and hand nothing on are neither a pipeline nor retraining."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

CI = ".github/workflows/ci.yml"
ON = "on:\n  push:\n  pull_request:\n  schedule: [{cron: '0 0 * * *'}]\n"
STEPS = "      - run: python train.py\n      - run: python evaluate.py\n"
EVALUATE = (
    "import joblib\nfrom sklearn.metrics import accuracy_score\nfrom data import read\n\n\n"
    "def evaluate(path):\n    x, y = read(path)\n    return accuracy_score(y, joblib.load('m.joblib').predict(x))\n\n\n"
    "if __name__ == '__main__':\n    print(evaluate('data.csv'))\n"
)
PROJECT: Tree = {**ML, "evaluate.py": EVALUATE}


def _workflow(on: str = ON, job: str = "", steps: str = STEPS, after: str = "") -> str:
    return f"{on}jobs:\n  smoke:\n    runs-on: ubuntu-latest\n{job}    steps:\n{steps}{after}"


def _grades(folder: Path, text: str, files: Tree | None = None) -> tuple[Grade, Grade]:
    report = scan_tree(folder, {**PROJECT, **(files or {}), CI: text})
    return grade(report, "pipeline/orchestration"), grade(report, "retraining/scheduled")


OTHER = "  notify:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ secrets.HOOK }}\n"


@pytest.mark.parametrize(
    "text",
    [
        _workflow(),
        _workflow(after=OTHER),
        _workflow(steps=STEPS + "      # - uses: actions/upload-artifact@v4\n"),
        _workflow(steps="      - uses: actions/checkout@v4\n" + STEPS),
    ],
    ids=["alone", "another job has a secret", "commented out", "with an action"],
)
def test_smoke_run(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: text})
    for name in ("pipeline/orchestration", "retraining/scheduled"):
        result = practice(report, name)
        assert result.grade is Grade.TRACE
        assert "keeps nothing" in result.reason
    assert practice(report, "ci/model-tests").grade.strength >= Grade.IMPLEMENTED.strength


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("      - run: dvc repro\n", Grade.TRACE),
        ("      - run: dvc repro && dvc push\n", Grade.WIRED),
        ("      - run: dvc repro\n        env: {KEY: '${{ secrets.KEY }}'}\n", Grade.WIRED),
    ],
    ids=["in the job", "pushed", "with a secret"],
)
def test_declared_pipeline_that_runs_in_the_job(tmp_path: Path, steps: str, expected: Grade) -> None:
    stages = "stages:\n  train: {cmd: python train.py, deps: [train.py]}\n  evaluate: {cmd: python evaluate.py}\n"
    report = scan_tree(tmp_path, {**PROJECT, "dvc.yaml": stages, CI: _workflow(steps=steps)})
    assert grade(report, "retraining/scheduled") is expected
    assert practice(report, "pipeline/orchestration").met


@pytest.mark.parametrize(
    "text",
    [
        _workflow(on="on:\n  push:\n  schedule: [{cron: '0 0 * * *'}]\n"),
        _workflow(steps=STEPS + "      - uses: actions/upload-artifact@v4\n        with: {path: model.joblib}\n"),
        _workflow(job="    env: {TRACKER_KEY: '${{ secrets.TRACKER_KEY }}'}\n"),
        _workflow(on=ON + "env: {TRACKER_KEY: '${{ secrets.TRACKER_KEY }}'}\n"),
        _workflow(job="    permissions: {contents: write}\n"),
        _workflow(steps=STEPS + "      - run: git push\n"),
        _workflow(steps=STEPS + "      - run: bash keep.sh\n"),
        _workflow(steps=STEPS + "      - uses: ./.github/actions/keep\n"),
        _workflow().replace("ubuntu-latest", "[self-hosted, gpu]"),
    ],
    ids=[
        "no pull requests", "artifact", "secret of the job", "secret of all jobs", "may write", "pushes",
        "a script keeps", "an action keeps", "own runner",
    ],
)  # fmt: skip
def test_job_that_may_hand_something_on(tmp_path: Path, text: str) -> None:
    action = "runs:\n  using: composite\n  steps:\n    - {uses: actions/upload-artifact@v4, with: {path: m.joblib}}\n"
    files = {"keep.sh": "aws s3 cp model.joblib $BUCKET\n", ".github/actions/keep/action.yml": action}
    assert _grades(tmp_path, text, files) == (Grade.IMPLEMENTED, Grade.WIRED)


def test_step_of_the_schedule_alone(tmp_path: Path) -> None:
    only = "\n        if: github.event_name == 'schedule'\n"
    steps = f"      - run: python train.py{only}      - run: python evaluate.py{only}"
    assert _grades(tmp_path, _workflow(steps=steps)) == (Grade.IMPLEMENTED, Grade.WIRED)


def test_secrets_of_other_servers_are_in_no_file(tmp_path: Path) -> None:
    text = (
        "smoke:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n"
        "  script:\n    - python train.py\n    - python evaluate.py\n"
    )
    report = scan_tree(tmp_path, {**PROJECT, ".gitlab-ci.yml": text})
    assert grade(report, "pipeline/orchestration") is Grade.IMPLEMENTED
