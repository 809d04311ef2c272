"""Where an image starts: the folder of the repository that is copied to its working folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import grade, scan_tree

APP = """\
import joblib
from fastapi import FastAPI

app = FastAPI()
model = joblib.load("model.joblib")


@app.post("/predict")
def predict(x: float):
    return model.predict([[x]])
"""
START = 'CMD ["uvicorn", "main:app"]\n'


@pytest.mark.parametrize(
    ("lines", "started"),
    [
        ("WORKDIR /srv\nCOPY ./api /srv\n", True),
        ("WORKDIR /srv\nCOPY requirements.txt .\nCOPY --chown=1 api/ ./\n", True),
        ('WORKDIR /srv\nADD ["api", "."]\n', True),
        ("WORKDIR /srv\nCOPY . .\nWORKDIR api\n", True),
        ("WORKDIR /srv\nCOPY . .\n", False),
        ("WORKDIR /srv\nCOPY api /srv/api\n", False),  # `main` is not found there
        ("WORKDIR /srv\nCOPY --from=build api /srv\n", False),
        ("WORKDIR /srv\n# COPY api /srv\n", False),
        ("WORKDIR /srv\nCOPY api /srv\nCOPY tools /srv\n", False),  # which of them is not told
        ("FROM x AS first\nWORKDIR /srv\nCOPY api /srv\nFROM y\n", False),  # of another stage
    ],
)
def test_what_is_copied_to_the_working_folder_is_what_starts(tmp_path: Path, lines: str, started: bool) -> None:
    tree = {"api/main.py": APP, "tools/a.py": "A = 1\n", "requirements.txt": "fastapi==0.115.0\n"}
    report = scan_tree(tmp_path, {**tree, "Dockerfile": f"FROM python:3.12\n{lines}{START}"})
    assert (grade(report, "deploy/serving") is Grade.WIRED) is started
