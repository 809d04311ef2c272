"""Clocks that ask a service of the repository to train, and requests that lead to nothing of the kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

NAME = "retraining/scheduled"
SERVICE = """\
from fastapi import BackgroundTasks, FastAPI

from train import train

app = FastAPI()


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/train")
def start(tasks: BackgroundTasks):
    tasks.add_task(train, "rows.csv", "model")
    return {"status": "accepted"}
"""
DAG = """\
import os

import requests
from airflow.decorators import dag, task


@dag(schedule="@daily")
def weekly():
    @task
    def ask():
        endpoint = f"{os.environ['TRAINER']}/train"
        requests.post(endpoint, json={"mode": "full"}, timeout=30).raise_for_status()

    ask()


weekly()
"""
OPERATOR = """\
from airflow import DAG
from airflow.providers.http.operators.http import HttpOperator

with DAG("weekly", schedule="@weekly") as dag:
    HttpOperator(task_id="fit", method="POST", http_conn_id="trainer", endpoint="api/v1/train")
"""
TREE: Tree = {
    **ML,
    "service.py": SERVICE,
    "Dockerfile": "FROM python:3.12\nCOPY . .\nCMD uvicorn service:app\n",
    "dags/weekly.py": DAG,
}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({}, Grade.WIRED),
        ({"dags/weekly.py": OPERATOR}, Grade.WIRED),
        ({"dags/weekly.py": DAG.replace("/train", "/v1/train")}, Grade.WIRED),
        ({"Dockerfile": "FROM python:3.12\nCOPY . .\nCMD sleep 1\n"}, Grade.IMPLEMENTED),
        ({"dags/weekly.py": DAG.replace("@daily", "@once")}, Grade.TRACE),
        ({"dags/weekly.py": DAG.replace("/train", "/health")}, Grade.ABSENT),
        ({"dags/weekly.py": DAG.replace("/train", "/retrain")}, Grade.ABSENT),
        ({"dags/weekly.py": DAG.replace("requests.post(", "print(").replace(".raise_for_status()", "")}, Grade.ABSENT),
        ({"service.py": SERVICE.replace('tasks.add_task(train, "rows.csv", "model")', "pass")}, Grade.ABSENT),
        ({"service.py": SERVICE.replace('@app.post("/train")', '# @app.post("/train")')}, Grade.ABSENT),
        ({"dags/weekly.py": OPERATOR.replace("    Http", "    # Http") + "    pass\n"}, Grade.ABSENT),
    ],
    ids=[
        "post", "operator", "prefix", "no service", "once", "probe", "another route", "no request", "no training",
        "no route", "comment",
    ],
)  # fmt: skip
def test_a_clock_that_asks_a_service_to_train(tmp_path: Path, tree: Tree, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**TREE, **tree}), NAME) is expected
