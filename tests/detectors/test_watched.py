"""What follows a check of drift outside its own code: training, messages, and the bound that a workflow sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

TRIGGERED, ALERTS, DRIFT = "retraining/triggered", "monitoring/alerts", "monitoring/drift"
CHECK = """\
import os
import sys

import pandas as pd
from scipy.stats import ks_2samp


def drifted(reference, live):
    return [c for c in reference if ks_2samp(reference[c], live[c]).pvalue < 0.05]


if __name__ == "__main__":
    if drifted(pd.read_csv("a.csv"), pd.read_csv("b.csv")):
        sys.exit(1)
"""
CRON = "on: {schedule: [{cron: '0 6 * * *'}]}"
TRAINS = (
    "jobs:\n  t:\n    runs-on: ubuntu-latest\nIF    steps:\n"
    "      - uses: actions/checkout@v4\n      - run: python train.py\n"
)
WATCH, TRAIN_FILE = ".github/workflows/watch.yml", ".github/workflows/train.yml"


def watch(*steps: str, on: str = CRON, run: str = "python drift.py", more: str = "") -> str:
    """A workflow whose first step is the check, with an id."""
    first = f"      - uses: actions/checkout@v4\n      - id: check\n        run: {run}\n"
    rest = "".join(f"      - {step}\n" for step in steps)
    return f"name: Drift check\n{on}\njobs:\n  watch:\n    runs-on: ubuntu-latest\n    steps:\n{first}{rest}{more}"


def train_on(on: str, condition: str = "") -> str:
    """A workflow that trains."""
    return f"name: Train\non: {on}\n{TRAINS.replace('IF', condition)}"


def scan_of(tmp_path: Path, files: Tree) -> dict[str, Grade]:
    """The grades of the three practices."""
    report = scan_tree(tmp_path, {**ML, "drift.py": CHECK, **files})
    return {name: grade(report, name) for name in (TRIGGERED, ALERTS, DRIFT)}


# -- training by another job or workflow -------------------------------------------------------------------------------

NEXT = (
    "  train:\n    needs: watch\n    if: CONDITION\n    runs-on: ubuntu-latest\n"
    "    steps:\n      - uses: actions/checkout@v4\n      - run: python train.py\n"
)


@pytest.mark.parametrize(
    ("condition", "run", "expected"),
    [
        ("needs.watch.outputs.drift_detected == 'true'", "python drift.py", Grade.WIRED),
        ("failure()", "python drift.py", Grade.WIRED),
        ("needs.watch.result == 'failure'", "python drift.py", Grade.WIRED),
        ("env.DRIFT_DETECTED == 'true'", "python drift.py", Grade.WIRED),
        ("needs.watch.outputs.result == 'data drift'", "python drift.py", Grade.WIRED),
        ("env.DEBUG == 'true'", "python drift.py", Grade.ABSENT),
        ("needs.watch.outputs.version != ''", "python drift.py", Grade.ABSENT),
        ("needs.watch.outputs.drift_detected == 'false'", "python drift.py", Grade.ABSENT),
        ("needs.watch.outputs.drift_detected != 'true'", "python drift.py", Grade.ABSENT),
        ("needs.watch.result == 'success'", "python drift.py", Grade.ABSENT),
        ("needs.quality-watch.result != 'cancelled'", "python drift.py", Grade.ABSENT),
        ("!failure() && !cancelled()", "python drift.py", Grade.ABSENT),
        ("env.ALERT_WEBHOOK != ''", "python drift.py", Grade.ABSENT),
        ("github.ref == 'refs/heads/main'", "python drift.py", Grade.ABSENT),
        ("needs.watch.outputs.drift_detected == 'true'", "echo drift", Grade.ABSENT),
    ],
)
def test_job_behind_the_check_that_trains(tmp_path: Path, condition: str, run: str, expected: Grade) -> None:
    text = watch(run=run, more=NEXT.replace("CONDITION", condition))
    assert scan_of(tmp_path, {WATCH: text})[TRIGGERED] is expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('if [ "$DRIFT" = "true" ]; then\n  python train.py\nfi', Grade.WIRED),
        ("python drift.py || python train.py", Grade.WIRED),
        ("python drift.py || true\npython train.py", Grade.ABSENT),
        ('if [ "$DRIFT" = "true" ]; then\n  echo moved\nfi\npython train.py', Grade.ABSENT),
        ('if [ "$NIGHT" = "true" ]; then\n  python train.py\nfi', Grade.ABSENT),
        ('if [ -n "$SLACK_URL" ]; then\n  python train.py drift\nfi', Grade.ABSENT),
        ('if [ "$DRIFT" = 1 ]; then\n  if [ -z "$URL" ]; then echo; fi\n  python train.py\nfi', Grade.WIRED),
    ],
)
def test_shell_that_trains_on_drift(tmp_path: Path, script: str, expected: Grade) -> None:
    step = "run: |\n" + "".join(f"          {line}\n" for line in script.split("\n"))
    assert scan_of(tmp_path, {WATCH: watch(step.rstrip())})[TRIGGERED] is expected


ASKS = "if: failure()\n        run: gh workflow run {}"
SCRIPT = (
    "if: steps.check.outcome == 'failure'\n        uses: actions/github-script@v7\n        with:\n          script: |\n"
    "            await github.rest.actions.createWorkflowDispatch({{owner, repo, workflow_id: '{}', ref: 'main'}})"
)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (ASKS.format("train.yml"), Grade.WIRED),
        (ASKS.format('"Train"'), Grade.WIRED),
        (SCRIPT.format("train.yml"), Grade.WIRED),
        (ASKS.format("--ref main .github/workflows/train.yml"), Grade.WIRED),
        (ASKS.format("train.yml --repo ${{ github.repository }}"), Grade.WIRED),
        (ASKS.format("train.yml --repo other/project"), Grade.ABSENT),
        (ASKS.format("other.yml"), Grade.ABSENT),
        ("run: gh workflow run train.yml", Grade.ABSENT),  # whatever the check says
        ("if: false\n        run: gh workflow run train.yml", Grade.ABSENT),
        ("# if: failure()\n        # run: gh workflow run train.yml\n        run: echo", Grade.ABSENT),
    ],
)
def test_workflow_that_the_check_asks_for(tmp_path: Path, step: str, expected: Grade) -> None:
    files = {WATCH: watch(step), TRAIN_FILE: train_on("workflow_dispatch")}
    assert scan_of(tmp_path, files)[TRIGGERED] is expected


@pytest.mark.parametrize(
    ("condition", "name", "expected"),
    [
        ("    if: github.event.workflow_run.conclusion == 'failure'\n", "Drift check", Grade.WIRED),
        ("    if: github.event.workflow_run.conclusion == 'success'\n", "Drift check", Grade.ABSENT),
        ("", "Drift check", Grade.ABSENT),
        ("    if: github.event.workflow_run.conclusion == 'failure'\n", "Tests", Grade.ABSENT),
        ("    if: github.event.workflow_run.conclusion == 'failure'\n", "No Drift checks", Grade.ABSENT),
    ],
)
def test_workflow_behind_the_one_that_checks(tmp_path: Path, condition: str, name: str, expected: Grade) -> None:
    on = f"{{workflow_run: {{workflows: [{name}], types: [completed]}}}}"
    files = {WATCH: watch(), TRAIN_FILE: train_on(on, condition)}
    assert scan_of(tmp_path, files)[TRIGGERED] is expected


# -- training by code --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('subprocess.run([sys.executable, "train.py"], check=True)', Grade.WIRED),
        ('os.system("python train.py")', Grade.WIRED),
        ('threading.Thread(target=train, args=("d.csv", "m")).start()', Grade.WIRED),
        ("again.delay()", Grade.WIRED),
        ('requests.post("http://trainer:8000/fit")', Grade.WIRED),
        ('requests.post("http://trainer:8000/other")', Grade.ABSENT),
        ('requests.get("http://trainer:8000/fit")', Grade.ABSENT),
        ('print("python train.py")', Grade.ABSENT),
        ('subprocess.run(["python", "data.py"])', Grade.ABSENT),
        ('tell("please run python train.py")', Grade.ABSENT),
    ],
)
def test_script_that_code_runs_on_drift(tmp_path: Path, body: str, expected: Grade) -> None:
    text = CHECK.replace("        sys.exit(1)", f"        {body}").replace(
        "import sys\n", "import subprocess\nimport sys\nimport threading\n"
    )
    text = text.replace(
        "import ks_2samp\n", "import ks_2samp\nimport requests\n\nfrom train import train\n\ntell = print\n"
    )
    text = text.replace("\n\ndef drifted", "\n\n@app.task\ndef again():\n    train('d.csv', 'm')\n\n\ndef drifted")
    files = {"drift.py": text, WATCH: watch(), "trainer.py": TRAINER}
    assert scan_of(tmp_path, files)[TRIGGERED] is expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [("accuracy >= deploy_threshold", Grade.ABSENT), ("drift_share >= threshold", Grade.IMPLEMENTED)],
)
def test_gate_that_hands_training_on(tmp_path: Path, names: str, expected: Grade) -> None:
    left, _, right = names.partition(" >= ")
    text = (
        f"from train import train\n\n\ndef decide({left}, {right}, submit):\n    if {names}:\n        submit(train)\n"
        "\n\nif __name__ == '__main__':\n    decide(0.9, 0.8, print)\n"
    )
    assert scan_of(tmp_path, {"decide.py": text})[TRIGGERED] is expected


TRAINER = """\
from fastapi import FastAPI

from train import train

app = FastAPI()


@app.post("/fit")
def fit():
    train("d.csv", "m.joblib")
"""
FEEDBACK = """\
from collections import deque

from train import train

ERRORS = deque(maxlen=100)


def add_feedback(predicted, actual):
    ERRORS.append(abs(predicted - actual))
    mae = sum(ERRORS) / len(ERRORS)
    if mae > 3.0:
        train("d.csv", "m.joblib")


if __name__ == "__main__":
    add_feedback(1.0, 2.0)
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [("feedback.py", True), ("search.py", False)],
)
def test_live_quality_that_starts_training(tmp_path: Path, path: str, expected: bool) -> None:
    text = FEEDBACK if path == "feedback.py" else FEEDBACK.replace("add_feedback", "tune")
    assert (scan_of(tmp_path, {path: text})[TRIGGERED] is Grade.IMPLEMENTED) is expected


DAGS = """\
from datetime import datetime

from airflow import DAG
from airflow.operators.python import PythonOperator, OPERATOR
from airflow.operators.trigger_dagrun import TriggerDagRunOperator

from WHAT import WORK

ARGS = {"email": [MAIL], "email_on_failure": MAILS}

with DAG("watch", schedule=CLOCK, start_date=datetime(2024, 1, 1), default_args=ARGS) as dag:
    check = OPERATOR(task_id="check", python_callable=WORK)
    check >> TriggerDagRunOperator(task_id="again", trigger_dag_id="training")
"""
TRAINING = """\
from datetime import datetime

from airflow import DAG
from airflow.operators.python import PythonOperator

from train import train

with DAG("training", schedule=None, start_date=datetime(2024, 1, 1)) as dag:
    PythonOperator(task_id="fit", python_callable=train)
"""


def dags(operator: str = "ShortCircuitOperator", work: str = "drifted", clock: str = '"@daily"') -> str:
    """A DAG that checks and starts another one."""
    what = "drift" if work == "drifted" else "data"
    text = DAGS.replace("OPERATOR", operator).replace("WHAT", what).replace("WORK", work).replace("CLOCK", clock)
    return text.replace("MAILS", "False").replace("MAIL", '"ml@corp.org"')


@pytest.mark.parametrize(
    ("dag", "expected"),
    [
        (dags(), Grade.WIRED),
        (dags("PythonOperator"), Grade.ABSENT),  # trains whatever the check says
        (dags(work="read"), Grade.ABSENT),
    ],
)
def test_dag_that_starts_training_on_drift(tmp_path: Path, dag: str, expected: Grade) -> None:
    assert scan_of(tmp_path, {"dags/watch.py": dag, "dags/training.py": TRAINING})[TRIGGERED] is expected


# -- messages ----------------------------------------------------------------------------------------------------------

SLACK = "uses: slackapi/slack-github-action@v2\n        with: {payload: drift}"
ISSUE = (
    "if: failure()\n        uses: actions/github-script@v7\n        with:\n          script: |\n"
    "            github.rest.issues.create({owner, repo, title: 'Drift'})"
)


@pytest.mark.parametrize(
    ("step", "run", "expected"),
    [
        (f"if: failure()\n        {SLACK}", "python drift.py", Grade.WIRED),
        (f"if: steps.check.outputs.drift == 'true'\n        {SLACK}", "python drift.py", Grade.WIRED),
        (ISSUE, "python drift.py", Grade.WIRED),
        ("if: failure()\n        run: curl -d drift $SLACK_WEBHOOK_URL", "python drift.py", Grade.WIRED),
        ("if: failure()\n        run: curl -O https://example.org/x", "python drift.py", Grade.ABSENT),
        ('run: if [ -n "$HOOK_URL" ]; then curl -d drift $SLACK_WEBHOOK_URL; fi', "python drift.py", Grade.ABSENT),
        (SLACK, "python drift.py", Grade.ABSENT),
        (f"if: failure()\n        {SLACK}", "python data.py", Grade.ABSENT),
        (f"if: failure()\n        {SLACK}", "pytest", Grade.ABSENT),
    ],
    ids=["failed", "output", "issue", "curl", "download", "address", "always sent", "other work", "tests"],
)
def test_message_of_a_step_behind_the_check(tmp_path: Path, step: str, run: str, expected: Grade) -> None:
    assert scan_of(tmp_path, {WATCH: watch(step, run=run)})[ALERTS] is expected


@pytest.mark.parametrize(
    ("mail", "mails", "work", "expected"),
    [
        ('"ml@corp.org"', "True", "drifted", Grade.WIRED),
        ('"ml@corp.org"', "False", "drifted", Grade.ABSENT),
        ('"ml@corp.org"', 'False}  # "email_on_failure": True', "drifted", Grade.ABSENT),
        ('"airflow@example.com"', "True", "drifted", Grade.TRACE),
        ('"ml@corp.org"', "True", "read", Grade.ABSENT),
    ],
)
def test_mail_that_airflow_sends(tmp_path: Path, mail: str, mails: str, work: str, expected: Grade) -> None:
    text = dags(work=work).replace('"ml@corp.org"', mail).replace('_failure": False', f'_failure": {mails}')
    assert scan_of(tmp_path, {"dags/watch.py": text})[ALERTS] is expected


# -- bounds and clocks -------------------------------------------------------------------------------------------------

REPORT = """\
import os

import pandas as pd
from evidently.metric_preset import DataDriftPreset
from evidently.report import Report


def main():
    report = Report(metrics=[DataDriftPreset()])
    report.run(reference_data=pd.read_csv("a.csv"), current_data=pd.read_csv("b.csv"))
    with open(os.environ["GITHUB_OUTPUT"], "a") as out:
        out.write(f"drift={report.as_dict()['metrics'][0]['result']['dataset_drift']}")


if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("if: steps.check.outputs.drift == 'True'\n        run: exit 1", Grade.WIRED),
        ("run: cat report.html", Grade.IMPLEMENTED),
    ],
)
def test_bound_that_a_workflow_sets(tmp_path: Path, step: str, expected: Grade) -> None:
    assert scan_of(tmp_path, {"drift.py": REPORT, WATCH: watch(step)})[DRIFT] is expected


LOOP = """\
import time

from drift import drifted


def forever():
    while True:
        if len(drifted({}, {})) > 0:
            print("drift")
        time.sleep(60)


if __name__ == "__main__":
    forever()
"""
ONCE = "    found = drifted({}, {})\n    while True:\n        if found"
COMPOSE = "services:\n  watch:\n    image: python:3.12\n    command: python loop.py\n    volumes: ['.:/app']\n"


@pytest.mark.parametrize(
    ("loop", "service", "expected"),
    [
        (LOOP, True, Grade.WIRED),
        (LOOP, False, Grade.IMPLEMENTED),
        (LOOP.replace("while True", "for _ in range(3)"), True, Grade.IMPLEMENTED),
        (LOOP.replace("while True", "while not stop.is_set()"), True, Grade.WIRED),
        (LOOP.replace("while True", "while not found()"), True, Grade.IMPLEMENTED),
        (LOOP.replace("        time.sleep(60)", "    time.sleep(60)"), True, Grade.IMPLEMENTED),
        (LOOP.replace("    while True:\n        if len(drifted({}, {})) > 0", ONCE), True, Grade.IMPLEMENTED),
    ],
    ids=["service", "by hand", "a few times", "until stopped", "until found", "sleep behind it", "check before it"],
)
def test_loop_without_an_end(tmp_path: Path, loop: str, service: bool, expected: Grade) -> None:
    compose = {"docker-compose.yml": COMPOSE} if service else {}
    assert scan_of(tmp_path, {"loop.py": loop, **compose})[DRIFT] is expected


ROUTE = """\
import pandas as pd
from fastapi import FastAPI

from drift import drifted

app = FastAPI()


@app.get("/monitoring/drift")
def answer():
    return {"drift_detected": len(drifted(pd.read_csv("a.csv"), pd.read_csv("b.csv"))) > 0}
"""
ASKED = "services:\n  api:\n    image: python:3.12\n    command: uvicorn api:app\n    volumes: ['.:/app']\n"


@pytest.mark.parametrize(
    ("run", "on", "expected"),
    [
        ("curl -f ${{ secrets.API }}/monitoring/drift", CRON, Grade.WIRED),
        ("curl -fsS $API_URL/monitoring/drift", CRON, Grade.WIRED),
        ("curl https://api.example.org/monitoring/drift", CRON, Grade.WIRED),
        ("curl $API_URL/monitoring/drift", "on: workflow_dispatch", Grade.IMPLEMENTED),
        ("curl $API_URL/health", CRON, Grade.IMPLEMENTED),
        ("echo $API_URL/monitoring/drift", CRON, Grade.IMPLEMENTED),
    ],
)
def test_route_that_a_clock_asks_for(tmp_path: Path, run: str, on: str, expected: Grade) -> None:
    steps = f"jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {run}\n"
    files = {"api.py": ROUTE, "docker-compose.yml": ASKED, WATCH: f"{on}\n{steps}"}
    assert scan_of(tmp_path, files)[DRIFT] is expected


LIVE = """\
import time

import pandas as pd
from sklearn.metrics import mean_squared_error


def live_error():
    rows = pd.read_csv("answers.csv").merge(pd.read_csv("labels.csv"), on="id")
    rmse = mean_squared_error(rows.y, rows.p) ** 0.5
    if NAME > 20:
        print("poor")


if __name__ == "__main__":
    while True:
        live_error()
        time.sleep(60)
"""


@pytest.mark.parametrize(("name", "expected"), [("rmse", Grade.WIRED), ("best_rmse", Grade.ABSENT)])
def test_live_quality_in_a_loop(tmp_path: Path, name: str, expected: Grade) -> None:
    text = LIVE.replace("NAME", name)
    report = scan_tree(tmp_path, {**ML, "loop.py": text, "docker-compose.yml": COMPOSE})
    assert grade(report, "monitoring/performance-threshold") is expected


# -- alerts in panels --------------------------------------------------------------------------------------------------

PANEL = """\
{"title": "Model", "panels": [{"title": "Drift", "targets": [{"rawSql": "SELECT t, drift_score FROM m"}],
 "alert": {"name": "Drift", "conditions": [{"evaluator": {"params": [0.3], "type": "gt"}}]}}]}
"""
PROVIDER = "apiVersion: 1\nproviders:\n  - name: d\n    options: {path: /dashboards}\n"


@pytest.mark.parametrize(
    ("panel", "provider", "expected"),
    [
        (PANEL, PROVIDER, Grade.IMPLEMENTED),
        (PANEL, "apiVersion: 1\ndatasources: []\n", Grade.TRACE),
        (PANEL.replace('"alert"', '"was"'), PROVIDER, Grade.ABSENT),
    ],
    ids=["provided", "loaded by nobody", "no alert"],
)
def test_alert_of_a_panel(tmp_path: Path, panel: str, provider: str, expected: Grade) -> None:
    files = {**ML, "grafana/dashboards/model.json": panel, "grafana/provisioning/dashboards/d.yml": provider}
    result = practice(scan_tree(tmp_path, files), ALERTS)
    assert result.grade is expected
