"""Airflow DAGs in which a test of a metric says whether the task runs that releases a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

GATE = "model/quality-gate"
HEAD = """\
from datetime import datetime

import mlflow
from airflow import DAG
from airflow.operators.bash import BashOperator
from airflow.operators.empty import EmptyOperator
from airflow.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator

from train import train


def decide(ti):
    accuracy = ti.xcom_pull(task_ids="train", key="accuracy")
BODY

def register():
    mlflow.register_model("runs:/1/model", "churn")


with DAG("train", schedule="@daily", start_date=datetime(2024, 1, 1)) as dag:
    first = PythonOperator(task_id="train", python_callable=train, op_args=["data.csv", "model.joblib"])
    choice = BranchPythonOperator(task_id="decide", python_callable=decide)
    yes = PythonOperator(task_id="yes", python_callable=register)
    no = EmptyOperator(task_id="no")
    first >> choice >> [yes, no]
"""
BRANCH = HEAD.replace("BODY", "    if accuracy >= 0.8:\n        return 'yes'\n    return 'no'\n")
FLOW = """\
import mlflow
from airflow.decorators import dag, task

from train import train


@dag(schedule="@daily")
def weekly():
    @task
    def fit():
        train("data.csv", "model.joblib")
        return 0.9

    @task.branch
    def decide(accuracy):
        if accuracy < 0.8:
            return "skip"
        return "release"

    @task
    def release():
        mlflow.register_model("runs:/1/model", "churn")

    @task
    def skip():
        print("not good enough")

    decide(fit()) >> [release(), skip()]


weekly()
"""
YES = 'PythonOperator(task_id="yes", python_callable=register)'


def scanned(folder: Path, dag: str) -> Grade:
    return grade(scan_tree(folder, {**ML, "dags/train.py": dag}), GATE)


@pytest.mark.parametrize(
    "dag",
    [
        BRANCH,
        HEAD.replace("BODY", "    return 'yes' if accuracy >= 0.8 else 'no'\n"),
        HEAD.replace("BODY", "    if accuracy < 0.8:\n        return 'no'\n    return 'yes'\n"),
        HEAD.replace("BODY", "    return accuracy >= 0.8\n").replace("= BranchPython", "= ShortCircuit"),
        BRANCH.replace(YES, 'BashOperator(task_id="yes_deploy", bash_command="./deploy.sh")').replace(
            "'yes'", "'yes_deploy'"
        ),
        FLOW,
    ],
    ids=["if", "expression", "returns before", "short circuit", "a command", "decorators"],
)
def test_branch_is_a_gate(tmp_path: Path, dag: str) -> None:
    assert scanned(tmp_path, dag) is Grade.WIRED


@pytest.mark.parametrize(
    "dag",
    [
        BRANCH.replace(YES, 'EmptyOperator(task_id="yes_deploy")').replace("'yes'", "'yes_deploy'"),
        BRANCH.replace(YES, 'BashOperator(task_id="yes_deploy", bash_command="echo deploy")').replace(
            "'yes'", "'yes_deploy'"
        ),
        BRANCH.replace("    mlflow.register_model(", "    print("),
        BRANCH.replace("return 'yes'", "return 'no'"),
        BRANCH.replace("= BranchPythonOperator(", "= PythonOperator("),
        BRANCH.replace("accuracy", "rows"),
        BRANCH.replace("    choice = Branch", "    choice = first  # Branch"),
        FLOW.replace("    @task.branch\n", "    @task\n"),
    ],
    ids=[
        "nothing to do",
        "only an echo",
        "releases nothing",
        "always the other task",
        "nobody reads the answer",
        "no metric",
        "commented out",
        "a plain task",
    ],
)
def test_branch_is_no_gate(tmp_path: Path, dag: str) -> None:
    assert scanned(tmp_path, dag) is Grade.ABSENT
