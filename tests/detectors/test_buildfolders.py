"""Images whose dependency list is not in the folder that they are built from, and those built from another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, practice, scan_tree

IMAGE = "env/containerized"
LIST = "scikit-learn==1.5.2\n"
ACTION = "{uses: docker/build-push-action@v6, with: {context: docs, file: Dockerfile}}"
TEXT = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python train.py\n"


def workflow(step: str) -> str:
    """A workflow on push with one step that builds."""
    return f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - {step}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TEXT, 4),
        (TEXT.replace("COPY . .", "COPY requirements.txt ./"), 3),
        (TEXT.replace("COPY . .", 'COPY ["requirements.txt", "train.py", "./"]'), 4),
        (TEXT.replace("COPY . .", "COPY src/ ./src/\nCOPY . ."), 5),
        (TEXT.replace("COPY . .", "COPY . .\nWORKDIR /app/docs/api"), 5),
        ("FROM python:3.12\nCOPY uv.lock .\nRUN uv sync --locked\nCOPY . .\n", 2),
    ],
    ids=["all is copied", "by its name", "as a list", "two folders", "another folder", "a lock file"],
)
def test_a_list_that_lies_elsewhere(tmp_path: Path, text: str, line: int) -> None:
    tree = {**ML, "docs/requirements.txt": LIST, "src/a.py": "", "ml/uv.lock": "version = 1\n", "Dockerfile": text}
    result = practice(scan_tree(tmp_path, tree), IMAGE)
    assert (result.grade, [e.location.line for e in result.evidence]) == (Grade.TRACE, [line])
    assert "which is not in the folder that it is built from" in result.reason


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (TEXT, {"requirements.txt": LIST}),
        (TEXT.replace("COPY . .", "COPY docs/requirements.txt ."), {}),
        (TEXT.replace("COPY . .", "COPY docs /app"), {}),
        (TEXT.replace("COPY . .", "COPY . .\nWORKDIR docs"), {}),
        (TEXT.replace("RUN pip", "RUN cd docs && pip"), {}),
        (TEXT.replace("COPY . .", "COPY requirements*.txt ./"), {}),
        (TEXT.replace("COPY . .", "ARG ROOT\nCOPY ${ROOT} ."), {}),
        (TEXT, {".gitmodules": "[submodule]\n"}),
        (TEXT, {".gitignore": "requirements.txt\n"}),
        (TEXT, {"build.sh": "cp docs/requirements.txt .\ndocker build .\n"}),
        (TEXT, {".github/workflows/a.yml": workflow("run: docker build -f Dockerfile docs")}),
        (TEXT, {".github/workflows/a.yml": workflow("run: docker build -f Dockerfile $FOLDER")}),
        (TEXT, {".github/workflows/a.yml": workflow(ACTION)}),
        (TEXT, {"compose.yaml": "services:\n  a:\n    build: {context: docs, dockerfile: ../Dockerfile}\n"}),
        (TEXT.replace("FROM python:3.12", "FROM python:3.12 AS base\nFROM base"), {}),
        (TEXT.replace("-r requirements.txt", "-r /base/requirements.txt"), {}),
    ],
    ids=[
        "at the root", "copied from there", "its folder is copied", "its folder", "moved to", "pattern", "variable",
        "submodule", "ignored", "copied before", "built from there", "built from a variable", "action", "compose",
        "of another stage", "of the base",
    ],
)  # fmt: skip
def test_a_list_that_may_be_there(tmp_path: Path, text: str, more: dict[str, str]) -> None:
    tree = {**ML, "docs/requirements.txt": LIST, "Dockerfile": text, **more}
    assert grade(scan_tree(tmp_path, tree), IMAGE) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("compose", "expected"),
    [("", Grade.IMPLEMENTED), ("services:\n  a:\n    build: {context: docker}\n", Grade.TRACE)],
    ids=["nobody knows from where", "from its own folder"],
)
def test_an_image_in_a_folder_of_its_own(tmp_path: Path, compose: str, expected: Grade) -> None:
    tree = {**ML, "ml/requirements.txt": LIST, "docker/Dockerfile": TEXT, "compose.yaml": compose}
    assert grade(scan_tree(tmp_path, tree), IMAGE) is expected


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ("mlflow==2.16.0 psycopg2-binary==2.9.9 boto3==1.35.0", Grade.TRACE),
        ("mlflow==2.16.0 scikit-learn==1.5.2", Grade.IMPLEMENTED),
        ("mlflow==2.16.0 -r requirements.txt", Grade.IMPLEMENTED),
    ],
    ids=["server", "with a framework", "with a list"],
)
def test_image_of_a_tracking_server(tmp_path: Path, packages: str, expected: Grade) -> None:
    tree = {**ML, "requirements.txt": LIST, "mlflow/Dockerfile": f"FROM python:3.12\nRUN pip install {packages}\n"}
    assert grade(scan_tree(tmp_path, tree), IMAGE) is expected
