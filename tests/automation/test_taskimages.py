"""Tasks that are images of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

ORCHESTRATION = "pipeline/orchestration"
DAG = (
    "from airflow import DAG\nfrom airflow.providers.docker.operators.docker import DockerOperator\n\n"
    "with DAG('a', schedule=None) as dag:\n"
    "    load = DockerOperator(task_id='load', image='model-load', command='--day {{{{ ds }}}}')\n"
    "    fit = DockerOperator(task_id='fit', image={image!r}, command={command!r})\n    load >> fit\n"
)
IMAGE = 'FROM python:3.12\nCOPY . /app\nENTRYPOINT ["python", "/app/train.py"]\n'
COMPOSE = "services:\n  trainer:\n    build: ./parts/fit\n    image: registry.example.org/ml/model-fit:latest\n"


def found(folder: Path, image: str, files: Tree, command: str = "--epochs 3") -> bool:
    """Whether the DAG is seen to train, of which a task is an image."""
    base = {f"parts/fit/{name}": text for name, text in ML.items()}
    dag = DAG.format(image=image, command=command)
    report = scan_tree(folder, {**base, "train.py": "print('another one')\n", "dags/a.py": dag, **files})
    return grade(report, ORCHESTRATION) in (Grade.IMPLEMENTED, Grade.WIRED)


@pytest.mark.parametrize("image", ["model-fit", "registry.example.org/ml/model-fit:v3", "model_fit@sha256:0"])
def test_image_of_a_service(tmp_path: Path, image: str) -> None:
    assert found(tmp_path, image, {"compose.yaml": COMPOSE, "parts/fit/Dockerfile": IMAGE})


def test_image_of_a_folder(tmp_path: Path) -> None:
    files = {f"model_fit/{name}": text for name, text in {**ML, "Dockerfile": IMAGE}.items()}
    assert found(tmp_path, "ml/model-fit", files)


@pytest.mark.parametrize(
    ("image", "files", "command"),
    [
        ("other", {"compose.yaml": COMPOSE, "parts/fit/Dockerfile": IMAGE}, "--epochs 3"),
        ("model-fit", {"compose.yaml": COMPOSE.replace("model-fit", "x"), "parts/fit/Dockerfile": IMAGE}, "--epochs 3"),
        ("model-fit", {"compose.yaml": COMPOSE, "parts/fit/Dockerfile": IMAGE}, "python data.py"),
        ("model-fit", {"compose.yaml": COMPOSE, "parts/fit/Dockerfile": IMAGE.replace("train", "data")}, ""),
        ("fit", {"a/fit/Dockerfile": IMAGE, "b/fit/Dockerfile": IMAGE, "parts/fit/Dockerfile": IMAGE}, ""),
        ("{{ image }}", {"parts/fit/Dockerfile": IMAGE}, ""),
    ],
    ids=["other name", "other image", "own command", "no training", "two of that name", "template"],
)
def test_what_is_not_known(tmp_path: Path, image: str, files: Tree, command: str) -> None:
    assert not found(tmp_path, image, files, command)
