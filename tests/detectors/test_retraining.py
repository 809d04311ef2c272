"""Retraining without a person: a clock, an event or a monitor must reach the real training."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, places, practice, scan_tree, where

SCHEDULED, TRIGGERED = "retraining/scheduled", "retraining/triggered"
CI = ".github/workflows/a.yml"
CRON = "{schedule: [{cron: '0 3 * * 1'}]}"
TEST = (
    "from train import train\n\n\ndef test_a(tmp_path):\n"
    "    assert train('s.csv', tmp_path / 'm').score([[0]], [0]) > 0.5\n"
)


def workflow(run: str, on: str = CRON, job: str = "") -> str:
    """A workflow with one job."""
    return (
        f"on: {on}\njobs:\n  a:\n    runs-on: ubuntu-latest\n{job}    steps:\n"
        f"      - uses: actions/checkout@v4\n      - run: {run}\n"
    )


# -- a clock -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", ["python train.py --data d.csv", "make train", "./retrain.sh", "dvc repro"])
def test_ci_clock_that_trains(tmp_path: Path, run: str) -> None:
    files = {
        "Makefile": "train:\n\tpython train.py\n",
        "retrain.sh": "#!/bin/sh\nset -e\npython train.py\n",
        "dvc.yaml": "stages:\n  prepare:\n    cmd: python data.py\n  train:\n    cmd: python train.py\n",
    }
    result = practice(scan_tree(tmp_path, {**ML, **files, CI: workflow(run)}), SCHEDULED)
    assert result.grade is Grade.WIRED
    assert any(place.startswith("train.py:") for place in places(result.evidence))
    assert any(place.startswith(CI) for place in places(result.evidence))


@pytest.mark.parametrize(
    ("run", "on", "job"),
    [
        ("ruff check .", CRON, ""),
        ("pytest", CRON, ""),
        ("echo python train.py", CRON, ""),
        ("python data.py", CRON, ""),
        ("python train.py", "push", ""),
        ("python train.py", CRON, "    if: false\n"),
        ("python train.py", "{schedule: []}", ""),
    ],
    ids=["lint", "tests", "echo", "data only", "push", "if false", "empty schedule"],
)
def test_ci_clock_that_does_not_train(tmp_path: Path, run: str, on: str, job: str) -> None:
    report = scan_tree(tmp_path, {**ML, "tests/test_a.py": TEST, CI: workflow(run, on, job)})
    assert not practice(report, SCHEDULED).met


def test_commented_schedule(tmp_path: Path) -> None:
    text = workflow("python train.py", "\n  workflow_dispatch:\n  # schedule:\n  #   - cron: '0 3 * * 1'")
    result = practice(scan_tree(tmp_path, {**ML, CI: text}), SCHEDULED)
    assert result.grade is Grade.TRACE
    assert "only when a person" in result.reason


def test_gitlab_schedule(tmp_path: Path) -> None:
    text = 'train:\n  script: [python train.py]\n  rules:\n    - if: $CI_PIPELINE_SOURCE == "schedule"\n'
    report = scan_tree(tmp_path, {**ML, ".gitlab-ci.yml": text})
    assert grade(report, SCHEDULED) is Grade.WIRED


def dag(schedule: str, more: str = "", task: str = "train") -> str:
    """An Airflow DAG."""
    return (
        "from datetime import datetime\n\nfrom airflow import DAG\n"
        "from airflow.operators.python import PythonOperator\n\n"
        "from data import read\nfrom train import train\n\n\n"
        f"with DAG('churn', schedule={schedule}, start_date=datetime(2026, 1, 1){more}) as dag:\n"
        "    first = PythonOperator(task_id='first', python_callable=read)\n"
        f"    second = PythonOperator(task_id='second', python_callable={task})\n    first >> second\n"
    )


@pytest.mark.parametrize("schedule", ["'@daily'", "'0 3 * * 1'", "timedelta(days=1)"])
def test_airflow_clock_that_trains(tmp_path: Path, schedule: str) -> None:
    report = scan_tree(tmp_path, {**ML, "churn_dag.py": dag(schedule)})
    assert grade(report, SCHEDULED) is Grade.WIRED
    assert findings(report, "MLS504") == []


DECORATED = """\
from airflow.decorators import dag, task

from train import train


@dag(
    dag_id="churn",
    schedule="@daily",
)
def churn():
    @task
    def fit():
        train("data.csv", "model.joblib")

    fit()


@dag(schedule=None)
def other():
    pass


churn()
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DECORATED, Grade.WIRED),
        (DECORATED.replace('(\n    dag_id="churn",\n    schedule="@daily",\n)', '(schedule="@daily")'), Grade.WIRED),
        (
            DECORATED.replace('"@daily"', "None").replace("schedule=None)\ndef other", 'schedule="@daily")\ndef other'),
            None,
        ),
        (DECORATED.replace('    schedule="@daily"', '    # schedule="@daily"'), None),
    ],
    ids=["lines", "a line", "the clock of another", "commented out"],
)
def test_decorated_airflow_clock(tmp_path: Path, text: str, expected: Grade | None) -> None:
    found = grade(scan_tree(tmp_path, {**ML, "churn_dag.py": text}), SCHEDULED)
    assert (found is Grade.WIRED) is (expected is Grade.WIRED)


@pytest.mark.parametrize("schedule", ["None", "'@once'"])
def test_airflow_without_a_clock(tmp_path: Path, schedule: str) -> None:
    report = scan_tree(tmp_path, {**ML, "churn_dag.py": dag(schedule)})
    assert not practice(report, SCHEDULED).met
    assert findings(report, "MLS504") == []  # nobody has switched off anything


def test_paused_dag(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "churn_dag.py": dag("'@daily'", ", is_paused_upon_creation=True")})
    assert not practice(report, SCHEDULED).met
    assert where(report, "MLS504") == ["churn_dag.py:10"]


def test_scheduled_dag_that_only_reads_data(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "churn_dag.py": dag("'@daily'", task="read")})
    assert grade(report, SCHEDULED) is Grade.ABSENT


CRONJOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: retrain}
spec:
  schedule: "0 3 * * 1"
  SUSPEND
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: train
              image: r.example/churn
              command: [python, train.py]
"""


def test_kubernetes_clock(tmp_path: Path) -> None:
    on = scan_tree(
        tmp_path / "on",
        {**ML, "k8s/retrain.yaml": CRONJOB.replace("SUSPEND", "suspend: false").replace("train.py", "../train.py")},
    )
    off = scan_tree(
        tmp_path / "off",
        {**ML, "k8s/retrain.yaml": CRONJOB.replace("SUSPEND", "suspend: true").replace("train.py", "../train.py")},
    )
    assert grade(on, SCHEDULED) is Grade.WIRED
    assert grade(off, SCHEDULED) is Grade.TRACE
    assert where(off, "MLS504") == ["k8s/retrain.yaml:5"]


# -- an event ----------------------------------------------------------------------------------------------------------


def test_dispatch_from_outside(tmp_path: Path) -> None:
    text = workflow("python train.py", "{repository_dispatch: {types: [drift]}}")
    tree = {**ML, CI: text}
    alone = scan_tree(tmp_path / "alone", tree)
    assert grade(alone, TRIGGERED) is Grade.IMPLEMENTED
    assert "sends the event" in practice(alone, TRIGGERED).reason
    asks = 'on: {schedule: [{cron: "0 5 * * *"}]}\njobs:\n  ask:\n    runs-on: ubuntu-latest\n    steps:\n'
    asks += "      - run: gh api repos/a/b/dispatches -f event_type=drift\n"
    asked = scan_tree(tmp_path / "asked", {**tree, ".github/workflows/watch.yml": asks})
    assert grade(asked, TRIGGERED) is Grade.WIRED
    issues = scan_tree(
        tmp_path / "issues", {**tree, ".github/workflows/watch.yml": asks.replace("dispatches", "issues")}
    )
    assert grade(issues, TRIGGERED) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("run", "on"),
    [
        ("python train.py", "workflow_dispatch"),
        ("ruff check .", "{repository_dispatch: {types: [drift]}}"),
        ("python train.py", "push"),
    ],
    ids=["a person", "does not train", "push"],
)
def test_no_trigger(tmp_path: Path, run: str, on: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, CI: workflow(run, on)}), TRIGGERED).met


WATCH = """\
import os

import pandas as pd
import requests


def drift_share():
    return float(pd.read_parquet("live.parquet").mean().max())


def start_retraining():
    requests.post("https://api.github.com/repos/a/b/dispatches", json={"event_type": "drift"}, timeout=10)


def tell():
    requests.post(os.environ["SLACK_WEBHOOK"], json={"text": "drift"}, timeout=10)


def main():
    drift = drift_share()
    if drift > 0.3:
        ACTION()


if __name__ == "__main__":
    main()
"""


def test_guard_on_drift_that_calls_the_dispatch(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "watch.py": WATCH.replace("ACTION", "start_retraining")}), TRIGGERED)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence)[0] == "watch.py:21"
    scheduled = {CI: workflow("python watch.py")}
    report = scan_tree(tmp_path / "b", {**ML, "watch.py": WATCH.replace("ACTION", "start_retraining"), **scheduled})
    assert practice(report, TRIGGERED).grade is Grade.WIRED


BEHIND = """\
import kfp

from data import drift_report

LIMIT = 0.2


def main():
    drift = drift_report()
    TEST
        return None
    client = kfp.Client(host="https://kfp.example")
    ACTION


if __name__ == "__main__":
    main()
"""
STARTS = 'return client.run_pipeline(experiment_id="e", job_name="retrain", pipeline_id="p")'


@pytest.mark.parametrize(
    ("test", "action", "on", "expected"),
    [
        ("if not drift:", STARTS, CRON, Grade.WIRED),
        ("if drift.passed or not drift.failures:", STARTS, CRON, Grade.WIRED),
        ("if drift < LIMIT:", STARTS, CRON, Grade.WIRED),
        ("if not drift:", STARTS, "workflow_dispatch", Grade.IMPLEMENTED),
        ("if drift > LIMIT:", STARTS, CRON, Grade.ABSENT),
        ("if not client_id:", STARTS, CRON, Grade.ABSENT),
        ("if not drift:", "# " + STARTS + "\n    return client", CRON, Grade.ABSENT),
        ("if not drift:", 'return client.upload_pipeline("p.yaml", pipeline_name="p")', CRON, Grade.ABSENT),
    ],
    ids=["not", "passed", "bound", "by hand", "stops where there is drift", "other test", "commented out", "uploads"],
)
def test_training_behind_a_return_where_nothing_drifts(
    tmp_path: Path, test: str, action: str, on: str, expected: Grade
) -> None:
    text = BEHIND.replace("TEST", test).replace("ACTION", action)
    report = scan_tree(tmp_path, {**ML, "watch.py": text, CI: workflow("python watch.py", on)})
    assert grade(report, TRIGGERED) is expected


def test_guard_on_drift_that_only_tells_people(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "watch.py": WATCH.replace("ACTION", "tell")}), TRIGGERED) is Grade.ABSENT


def test_guard_on_drift_that_trains(tmp_path: Path) -> None:
    text = WATCH.replace("ACTION()", "train('d.csv', 'm')").replace(
        "import requests\n", "import requests\n\nfrom train import train\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "watch.py": text}), TRIGGERED) is Grade.IMPLEMENTED


def test_guard_on_something_else_that_calls_the_dispatch(tmp_path: Path) -> None:
    text = (
        WATCH.replace("ACTION", "start_retraining")
        .replace("drift = drift_share()", "size = disk_share()")
        .replace("if drift >", "if size >")
    )
    text = text.replace("def drift_share", "def disk_share")
    assert grade(scan_tree(tmp_path, {**ML, "watch.py": text}), TRIGGERED) is Grade.ABSENT


@pytest.mark.parametrize(
    ("schedule", "practice_"),
    [('[Asset("orders")]', TRIGGERED), ("[ORDERS]", TRIGGERED), ('"@daily"', SCHEDULED)],
    ids=["an asset", "a named asset", "a clock"],
)
def test_dag_that_data_or_a_clock_starts(tmp_path: Path, schedule: str, practice_: str) -> None:
    dag = f"""\
from airflow import DAG
from airflow.operators.python import PythonOperator
from airflow.sdk import Asset

from train import train

ORDERS = Asset("orders")

with DAG("retrain", schedule={schedule}) as dag:
    PythonOperator(task_id="train", python_callable=train)
"""
    report = scan_tree(tmp_path, {**ML, "dags/retrain.py": dag})
    other = SCHEDULED if practice_ == TRIGGERED else TRIGGERED
    assert grade(report, practice_) is Grade.WIRED
    assert grade(report, other) is Grade.ABSENT


AZUREML = (
    "from azureml.pipeline.core import Pipeline, Schedule, ScheduleRecurrence\n"
    "from azureml.pipeline.steps import PythonScriptStep\n\n\n"
    "def publish(ws, store):\n"
    "    steps = [\n        PythonScriptStep(script_name='data.py', compute_target='cpu'),\n"
    "        PythonScriptStep(script_name='{script}', compute_target='cpu'),\n    ]\n"
    "    published = Pipeline(workspace=ws, steps=steps).publish(name='fit')\n"
    "    Schedule.create(ws, name='again', pipeline_id=published.id, {clock})\n"
)


@pytest.mark.parametrize(
    ("clock", "script", "scheduled", "triggered"),
    [
        ("recurrence=ScheduleRecurrence(frequency='Week', interval=1)", "train.py", Grade.WIRED, Grade.ABSENT),
        ("datastore=store, path_on_datastore='rows'", "train.py", Grade.ABSENT, Grade.WIRED),
        ("recurrence=ScheduleRecurrence(frequency='Week', interval=1)", "data.py", Grade.ABSENT, Grade.ABSENT),
        ("experiment_name='fit'", "train.py", Grade.ABSENT, Grade.ABSENT),
    ],
    ids=["clock", "new data", "nothing trains", "neither"],
)
def test_schedules_of_azureml(tmp_path: Path, clock: str, script: str, scheduled: Grade, triggered: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, "publish.py": AZUREML.format(clock=clock, script=script)})
    assert (grade(report, SCHEDULED), grade(report, TRIGGERED)) == (scheduled, triggered)


def test_a_schedule_of_one_of_several_pipelines_is_not_known(tmp_path: Path) -> None:
    text = AZUREML.format(clock="recurrence=weekly", script="train.py").replace(
        "    published =", "    Pipeline(workspace=ws, steps=steps[:1]).publish(name='score')\n    published ="
    )
    assert grade(scan_tree(tmp_path, {**ML, "publish.py": text}), SCHEDULED) is Grade.ABSENT


# -- a clock beside a pipeline -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "block", "expected"),
    [
        ("active", "fit", Grade.WIRED),
        ("inactive", "fit", Grade.TRACE),
        ("active", "clean", Grade.ABSENT),
    ],
)
def test_trigger_of_a_mage_pipeline(tmp_path: Path, status: str, block: str, expected: Grade) -> None:
    report = scan_tree(
        tmp_path,
        {
            **ML,
            "ml/transformers/fit.py": "from train import train\n\n\n@transformer\ndef fit(x):\n    return train(x)\n",
            "ml/transformers/clean.py": "@transformer\ndef clean(data):\n    return data.dropna()\n",
            "ml/pipelines/weekly/metadata.yaml": (
                f"blocks:\n- {{type: transformer, uuid: {block}}}\n- {{type: transformer, uuid: clean}}\n"
            ),
            "ml/pipelines/weekly/triggers.yaml": (
                f"triggers:\n- {{name: a, schedule_type: time, schedule_interval: '@weekly', status: {status}}}\n"
            ),
        },
    )
    assert grade(report, SCHEDULED) is expected
    off = ["ml/pipelines/weekly/triggers.yaml"] if status == "inactive" else []
    assert [finding.location.path for finding in findings(report, "MLS504")] == off


@pytest.mark.parametrize(
    ("job", "status", "expected"),
    [
        ("training", "RUNNING", Grade.WIRED),
        ("training", "STOPPED", Grade.TRACE),
        ("loading", "RUNNING", Grade.ABSENT),
    ],
)
def test_schedule_of_dagster(tmp_path: Path, job: str, status: str, expected: Grade) -> None:
    defs = (
        "import dagster as dg\n\nfrom train import train\n\n\n@dg.asset\ndef rows(): ...\n\n\n"
        "@dg.asset(deps=[rows])\ndef model():\n    train('data.csv', 'model.pkl')\n\n\n"
        "loading = dg.define_asset_job('loading', selection=[rows])\n"
        "training = dg.define_asset_job('training', selection=[rows, model])\n"
        f"nightly = dg.ScheduleDefinition(job={job}, cron_schedule='0 3 * * *', "
        f"default_status=dg.DefaultScheduleStatus.{status})\n"
        "defs = dg.Definitions(assets=[rows, model], jobs=[loading, training], schedules=[nightly])\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "defs.py": defs}), "retraining/scheduled") is expected


# -- behind a workflow's own triggers ----------------------------------------------------------------------------------

FIRST = "name: first\non: {on}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - {step}\n"
KEPT = "python train.py && dvc push && git commit -am m && git push"


@pytest.mark.parametrize(
    ("first", "names", "met"),
    [
        (CRON, "[first]", True),
        (CRON, "[other, first]", True),
        ("push", "[first]", False),
        (CRON, "[other]", False),
        (CRON, "[firs]", False),
    ],
)
def test_workflow_behind_one_with_a_clock(tmp_path: Path, first: str, names: str, met: bool) -> None:
    on = f"{{workflow_run: {{workflows: {names}, types: [completed]}}}}"
    before = FIRST.format(on=first, step="run: python data.py")
    report = scan_tree(tmp_path, {**ML, CI: workflow(KEPT, on), ".github/workflows/b.yml": before})
    assert practice(report, SCHEDULED).met is met


@pytest.mark.parametrize(
    ("on", "met"),
    [
        ("{push: {branches: [main], paths: ['data/**']}}", True),
        ("{push: {paths: ['data/raw/*.csv', data.dvc, '**/*.dvc', '!data/README.md']}}", True),
        ("{push: {paths: ['data/**', 'src/**']}}", False),
        ("{push: {paths: ['src/data/**']}}", False),
        ("{push: {paths: ['database/**']}}", False),
        ("{push: {paths: [dvc.lock, params.yaml]}}", False),
        ("{push: {branches: [main]}}", False),
        ("{pull_request: {paths: ['data/**']}}", False),
    ],
)
def test_push_of_data(tmp_path: Path, on: str, met: bool) -> None:
    files = {"data/raw/a.csv": "x\n1\n", "src/data/make.py": "import pandas\n"}
    report = scan_tree(tmp_path, {**ML, **files, CI: workflow(KEPT, on)})
    assert practice(report, TRIGGERED).met is met


@pytest.mark.parametrize(
    ("on", "step", "practices"),
    [
        (CRON, "{if: steps.d.outputs.drift == 'true', run: gh workflow run a.yml}", {TRIGGERED}),
        (CRON, "{if: failure(), run: gh workflow run retrain --ref main}", {TRIGGERED}),
        (CRON, "{run: gh workflow run .github/workflows/a.yml}", {SCHEDULED}),
        (CRON, "{if: github.ref == 'refs/heads/main', run: gh workflow run --ref main a.yml}", {SCHEDULED}),
        (CRON, "{if: steps.d.outcome == 'success', run: gh workflow run a.yml}", {SCHEDULED}),
        (CRON, "{if: failure(), run: gh workflow run a.yml -R other/project}", set()),
        ("push", "{if: steps.d.outputs.drift == 'true', run: gh workflow run a.yml}", set()),
        ("workflow_dispatch", "{if: always(), run: gh workflow run a.yml}", set()),
        (CRON, "{if: always(), run: gh workflow run other.yml}", set()),
        (CRON, "{if: always(), run: gh workflow list a.yml}", set()),
    ],
)
def test_monitor_that_asks_for_a_workflow(tmp_path: Path, on: str, step: str, practices: set[str]) -> None:
    listening = f"name: retrain\n{workflow(KEPT, 'workflow_dispatch')}"
    tree = {**ML, CI: listening, ".github/workflows/b.yml": FIRST.format(on=on, step=step)}
    report = scan_tree(tmp_path, tree)
    assert {name for name in (SCHEDULED, TRIGGERED) if practice(report, name).met} == practices


@pytest.mark.parametrize(
    ("trigger", "practices"),
    [
        ("{periodic: {interval: 1, unit: DAYS}}", {SCHEDULED}),
        ("{file_arrival: {url: 's3://a/new/'}}", {TRIGGERED}),
        ("{pause_status: PAUSED, file_arrival: {url: 's3://a/new/'}}", set()),
        ("{pause_status: UNPAUSED}", set()),
    ],
)
def test_triggers_of_a_databricks_job(tmp_path: Path, trigger: str, practices: set[str]) -> None:
    job = (
        "bundle: {name: a}\nresources:\n  jobs:\n    retrain:\n"
        f"      trigger: {trigger}\n      tasks:\n        - task_key: train\n"
        f"          spark_python_task: {{python_file: train.py}}\n"
    )
    report = scan_tree(tmp_path, {**ML, "databricks.yml": job})
    assert {name for name in (SCHEDULED, TRIGGERED) if practice(report, name).met} == practices


# -- tasks of Airflow that decide or wait ------------------------------------------------------------------------------

HEAD = (
    "from airflow import DAG\nfrom airflow.operators.empty import EmptyOperator\n"
    "from airflow.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator\n"
    "from airflow.operators.trigger_dagrun import TriggerDagRunOperator\n"
    "from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor\n"
    "from airflow.sensors.external_task import ExternalTaskSensor\nfrom airflow.sensors.filesystem import FileSensor\n"
    "from train import train\n\n\ndef fit():\n    train('a', 'b')\n\n\n"
)
BRANCH = "BranchPythonOperator(task_id='c', python_callable=choose)"


def deciding(function: str, task: str, schedule: str = "'@daily'", fit: str = "") -> str:
    """A DAG of a task before the one that trains, with the function that it calls."""
    fit = fit or "PythonOperator(task_id='retrain', python_callable=fit)"
    return (
        f"{HEAD}def choose():\n    {function}\n\n\nwith DAG('a', schedule={schedule}) as dag:\n    first = {task}\n"
        f"    last = {fit}\n    rest = EmptyOperator(task_id='rest')\n    first >> [last, rest]\n"
    )


@pytest.mark.parametrize(
    ("function", "task", "met"),
    [
        ("return 'retrain' if drift_share() > 0.3 else 'rest'", BRANCH, True),
        ("if drift_share() > 0.3:\n        return 'retrain'\n    return 'rest'", BRANCH, True),
        ("return drift_share() > 0.3", "ShortCircuitOperator(task_id='c', python_callable=choose)", True),
        ("return 'rest' if missing_share() > THRESHOLD else 'retrain'", BRANCH, False),
        ("return 'other' if drift_share() > 0.3 else 'rest'", BRANCH, False),
        (
            "return 'retrain' if drift_share() > 0.3 else 'rest'",
            "PythonOperator(task_id='c', python_callable=choose)",
            False,
        ),
        ("pass", "FileSensor(task_id='c', filepath='a.csv')", True),
        ("pass", "S3KeySensor(task_id='c', bucket_key='a.csv')", True),
        ("pass", "ExternalTaskSensor(task_id='c', external_dag_id='b')", False),
    ],
)
def test_tasks_before_the_training(tmp_path: Path, function: str, task: str, met: bool) -> None:
    report = scan_tree(tmp_path, {**ML, "dags/a.py": deciding(function, task)})
    assert practice(report, TRIGGERED).met is met


def test_a_sensor_behind_the_training(tmp_path: Path) -> None:
    text = deciding("pass", "FileSensor(task_id='c', filepath='m.joblib')")
    for order, met in (("last >> first", False), ("[first, rest] >> last", True), ("last << [rest, first]", True)):
        dag = text.replace("first >> [last, rest]", order)
        report = scan_tree(tmp_path / order.replace(" ", ""), {**ML, "dags/a.py": dag})
        assert practice(report, TRIGGERED).met is met


def test_a_branch_that_nothing_starts(tmp_path: Path) -> None:
    text = deciding("return 'retrain' if drift_share() > 0.3 else 'rest'", BRANCH, "None")
    assert not practice(scan_tree(tmp_path, {**ML, "dags/a.py": text}), TRIGGERED).met


@pytest.mark.parametrize(("name", "met"), [("training", True), ("loading", False), ("gone", False)])
def test_a_branch_that_starts_another_dag(tmp_path: Path, name: str, met: bool) -> None:
    start = f"TriggerDagRunOperator(task_id='retrain', trigger_dag_id={name!r})"
    first = deciding("return 'retrain' if drift_share() > 0.3 else 'rest'", BRANCH, fit=start)
    other = HEAD + "with DAG('training', schedule=None):\n    PythonOperator(task_id='a', python_callable=fit)\n"
    third = "from airflow import DAG\nwith DAG('loading', schedule=None):\n    print(1)\n"
    report = scan_tree(tmp_path, {**ML, "dags/a.py": first, "dags/b.py": other, "dags/c.py": third})
    assert practice(report, TRIGGERED).met is met


# -- services that train with what comes in ----------------------------------------------------------------------------

SERVICE = 'FROM python:3.12\nCOPY . .\nCMD ["{}", "{}"]\n'
RETRAIN = (
    "from train import train\n\nTHRESHOLD = 100\n\n\ndef again(rows):\n    if len(rows) > THRESHOLD:\n"
    "        train('a', 'b')\n"
)
API = (
    "from fastapi import FastAPI\nfrom again import again\n\napp = FastAPI()\n\n\n@app.post('{}')\n"
    "def call(rows):\n    again(rows)\n"
)


@pytest.mark.parametrize(
    ("route", "met"),
    [
        ("/feedback", True),
        ("/predict", True),
        ("/retrain", False),
        ("/check-drift", False),
        ("/simulate", False),
        ("/run", False),
    ],
)
def test_routes_that_train_with_new_rows(tmp_path: Path, route: str, met: bool) -> None:
    tree = {**ML, "again.py": RETRAIN, "api.py": API.format(route), "Dockerfile": SERVICE.format("uvicorn", "api:app")}
    assert practice(scan_tree(tmp_path, tree), TRIGGERED).met is met
    del tree["Dockerfile"]
    assert not practice(scan_tree(tmp_path / "b", tree), TRIGGERED).met


def test_a_route_that_somebody_asks_for_beside_a_queue(tmp_path: Path) -> None:
    api = API.format("/run").replace("import again\n", "import again\nfrom kafka import KafkaProducer\n")
    again = f"import kafka\n{RETRAIN}"
    tree = {**ML, "again.py": again, "api.py": api, "Dockerfile": SERVICE.format("uvicorn", "api:app")}
    assert not practice(scan_tree(tmp_path, tree), TRIGGERED).met


@pytest.mark.parametrize(
    ("imports", "rows", "met"),
    [
        ("from kafka import KafkaConsumer", "list(KafkaConsumer('rows'))", True),
        ("from kafka import KafkaProducer", "[KafkaProducer().send('rows', b'1')]", False),
        ("import argparse", "[1]", False),
    ],
    ids=["reads a queue", "writes to one", "neither"],
)
def test_programs_that_train_with_new_rows(tmp_path: Path, imports: str, rows: str, met: bool) -> None:
    program = f"{imports}\n{RETRAIN}\n\nif __name__ == '__main__':\n    again({rows})\n"
    tree = {**ML, "again.py": program, "Dockerfile": SERVICE.format("python", "again.py")}
    assert practice(scan_tree(tmp_path, tree), TRIGGERED).met is met


@pytest.mark.parametrize(
    ("command", "met"),
    [('ssh me@box "crontab /srv/jobs.cron"', True), ("crontab jobs.cron", False), ("echo crontab jobs.cron", False)],
)
def test_crontab_that_ci_hands_over(tmp_path: Path, command: str, met: bool) -> None:
    step = command.replace('"', "'")  # the machine of the job itself is gone before night
    tree = {**ML, "jobs.cron": "0 3 * * * python train.py\n", CI: workflow(step, "push")}
    assert practice(scan_tree(tmp_path, tree), SCHEDULED).met is met


# -- commands that are put together ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "met"),
    [
        ("f'cd {HOME} && python train.py'", True),
        ("f'python {HOME}/train.py --day {{{{ ds }}}}'", True),
        ("'cd /opt/a && dvc repro'", True),
        ("f'cd {HOME} && python data.py'", False),
        ("f'echo {HOME}/train.py'", False),
    ],
)
def test_commands_of_a_dag(tmp_path: Path, command: str, met: bool) -> None:
    text = (
        "import os\nfrom airflow import DAG\nfrom airflow.operators.bash import BashOperator\n\n"
        "HOME = os.getenv('HOME_OF_IT', '/opt/airflow/a')\n\nwith DAG('a', schedule='@weekly'):\n"
        f"    load = BashOperator(task_id='load', bash_command='python data.py')\n"
        f"    fit = BashOperator(task_id='fit', bash_command={command})\n"
    )
    stages = "stages:\n  load: {cmd: python data.py}\n  train: {cmd: python train.py}\n"
    report = scan_tree(tmp_path, {**ML, "dags/a.py": text, "dvc.yaml": stages})
    assert practice(report, SCHEDULED).met is met


# -- cron jobs of a cluster that run an image --------------------------------------------------------------------------

JOB = (
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: a}}\nspec:\n  schedule: '0 3 * * *'\n"
    "  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n"
    "          containers: [{{name: a, {}}}]\n"
)


@pytest.mark.parametrize(
    ("container", "met"),
    [
        ("image: 'example.org/ml/trainer:1'", True),
        ("image: trainer, args: [--full]", True),
        ("image: trainer, command: [python, data.py]", False),
        ("image: loader", False),
        ("image: other", False),
    ],
)
def test_cron_job_of_an_image(tmp_path: Path, container: str, met: bool) -> None:
    image = 'FROM python:3.12\nCOPY . .\nENTRYPOINT ["python", "{}"]\n'
    tree = {f"trainer/{name}": text for name, text in ML.items()}
    tree |= {f"loader/{name}": text for name, text in ML.items()}
    tree |= {"trainer/Dockerfile": image.format("train.py"), "loader/Dockerfile": image.format("data.py")}
    report = scan_tree(tmp_path, {**tree, "k8s/job.yaml": JOB.format(container)})
    assert practice(report, SCHEDULED).met is met
