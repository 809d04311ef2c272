"""Jobs and functions that are called a way back, variants that a service draws, and models in the shadow of another."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

NAME, PROGRESSIVE = "deploy/rollback", "deploy/progressive"
WORKFLOW = ".github/workflows/back.yml"
ALIAS = (
    "from mlflow import MlflowClient\n\n\ndef {}(version):\n"
    "    MlflowClient().set_registered_model_alias('m', 'champion', version)\n"
)
MAIN = "\n\nif __name__ == '__main__':\n    {}('1')\n"
SESSION = "def rollback(session):\n    session.rollback()\n\n\nif __name__ == '__main__':\n    rollback(object())\n"
HANDLER = (
    "from fastapi import FastAPI\nfrom mlflow import MlflowClient\n\napp = FastAPI()\n\n\n@app.post('/rollback')\n"
    "def roll_back(version: str):\n    MlflowClient().set_registered_model_alias('m', 'champion', version)\n"
)


def job(command: str, name: str = "rollback") -> str:
    return f"on: workflow_dispatch\njobs:\n  {name}:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {command}\n"


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({WORKFLOW: job("gcloud run services update-traffic scorer --to-revisions ${{ inputs.old }}=100")}, True),
        ({WORKFLOW: job("kubectl set image deployment/scorer api=r/scorer:${{ inputs.old }}")}, True),
        ({WORKFLOW: job("python point.py"), "point.py": ALIAS.format("point") + MAIN.format("point")}, True),
        ({"back.py": ALIAS.format("rollback") + MAIN.format("rollback")}, True),
        ({"app.py": HANDLER}, True),
        ({"back.py": ALIAS.format("rollback")}, False),  # nothing calls it
        ({"back.py": ALIAS.format("promote") + MAIN.format("promote")}, False),
        ({"back.py": SESSION}, False),
        ({WORKFLOW: job("kubectl set image deployment/scorer api=r/scorer", name="release")}, False),
        ({WORKFLOW: job("git revert HEAD && git push")}, False),
        ({WORKFLOW: job("echo kubectl set image deployment/scorer api=r/scorer")}, False),
    ],
)
def test_ways_back_that_are_called_so(tmp_path: Path, tree: Tree, expected: bool) -> None:
    found = grade(scan_tree(tmp_path, {**ML, **tree}), NAME)
    assert found is (Grade.IMPLEMENTED if expected else Grade.ABSENT) or (expected and found is Grade.WIRED)


SERVICE = (
    "import random\n\nimport joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
    "first, second = joblib.load('a'), joblib.load('b')\nSHARE = 0.1\n\n\n"
    "@app.post('/predict')\ndef predict(row: list):\n"
)
VARIANT = (
    "    variant = 'b' if random.random() < SHARE else 'a'\n"
    "    return (second if variant == 'b' else first).predict([row])\n"
)
CHOICE = (
    "    model_a, model_b = first, second\n"
    "    return random.choices([model_a, model_b], weights=[9, 1])[0].predict([row])\n"
)
SHADOW = "    y = first.predict([row])\n    challenger = second\n    print(challenger.predict([row]))\n    return y\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (VARIANT, Grade.IMPLEMENTED),
        (VARIANT.replace("< SHARE", "< 0.2"), Grade.IMPLEMENTED),
        (CHOICE, Grade.IMPLEMENTED),
        (SHADOW, Grade.IMPLEMENTED),
        (VARIANT.replace("variant", "other"), Grade.ABSENT),
        (VARIANT.replace("random.random()", "row[0]"), Grade.ABSENT),
        (CHOICE.replace(", weights=[9, 1]", ""), Grade.ABSENT),
        (SHADOW.replace("challenger.predict", "# challenger.predict"), Grade.ABSENT),
        ("    if random.random() < SHARE:\n        print(row)\n    return first.predict([row])\n", Grade.ABSENT),
    ],
)
def test_a_second_model_behind_a_service(tmp_path: Path, body: str, expected: Grade) -> None:
    body = body.replace("print(# challenger.predict([row]))", "print(row)")
    assert grade(scan_tree(tmp_path, {**ML, "app.py": SERVICE + body}), PROGRESSIVE) is expected


def test_a_challenger_that_is_only_compared_offline(tmp_path: Path) -> None:
    text = (
        "import joblib\n\nchallenger = joblib.load('b')\n\n\ndef compare(x, y):\n"
        "    return challenger.score(x, y) > joblib.load('a').score(x, y)\n\n\n"
        "if __name__ == '__main__':\n    compare([], [])\n"
    )
    app = SERVICE + "    return first.predict([row])\n"
    assert grade(scan_tree(tmp_path, {**ML, "app.py": app, "compare.py": text}), PROGRESSIVE) is Grade.ABSENT
