"""Pipelines: a declared workflow with a step that trains, in whatever tool's words, and what only looks like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, TRAIN, Tree, findings, grade, places, practice, scan_tree, where

PRACTICE = "pipeline/orchestration"
EVALUATE = (
    "import joblib\nfrom sklearn.metrics import accuracy_score\nfrom data import read\n\n\n"
    "def evaluate(path):\n    model = joblib.load('model.joblib')\n    x, y = read(path)\n"
    "    return accuracy_score(y, model.predict(x))\n\n\nif __name__ == '__main__':\n    print(evaluate('data.csv'))\n"
)
PREPARE = "import pandas as pd\n\nframe = pd.read_csv('raw.csv')\nframe.dropna().to_csv('data.csv')\n"
PROJECT: Tree = {**ML, "evaluate.py": EVALUATE, "prepare.py": PREPARE}


# -- lists of steps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        # the shape of the project's own description
        "pipeline:\n  name: churn\n  steps:\n    - name: prepare\n"
        "      script: prepare.py\n      params:\n        rows: 10\n"
        "    - name: train_model\n      script: train.py\n      params:\n        epochs: 50\n",
        (
            "name: churn\nsteps:\n  - name: prepare\n    command: python prepare.py\n"
            "  - name: train\n    command: python train.py --data d.csv\n"
        ),
        (
            "steps:\n  - prepare:\n      script: prepare.py\n      params: {rows: 10}\n"
            "  - train:\n      script: train.py\n      params: {epochs: 5}\n"
        ),
        "stages:\n  prepare:\n    cmd: python prepare.py\n  train:\n    cmd: python train.py\n",
        "tasks:\n  - id: prepare\n    run: python -m prepare\n  - id: train\n    run: python -m train\n",
        (
            "pipeline:\n  steps:\n    prepare:\n      entrypoint: python prepare.py\n"
            "    train:\n      entrypoint: python train.py\n"
        ),
    ],
    ids=["described", "commands", "single-key items", "stages", "task ids", "mapping"],
)
def test_list_of_steps_that_trains(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "pipeline.yaml": text})
    result = practice(report, PRACTICE)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence)[0].startswith("pipeline.yaml:")
    assert any(place.startswith("train.py:") for place in places(result.evidence))


@pytest.mark.parametrize(
    ("text", "grades"),
    [
        # one step is a command, not a pipeline
        ("steps:\n  - name: train\n    script: train.py\n    params: {epochs: 5}\n", {Grade.TRACE, Grade.ABSENT}),
        # no step works on a model
        (
            (
                "steps:\n  - name: fetch\n    script: prepare.py\n    params: {a: 1}\n"
                "  - name: clean\n    script: data.py\n    params: {b: 2}\n"
            ),
            {Grade.TRACE},
        ),
        # names without anything to run
        ("steps:\n  - name: prepare\n  - name: train\n", {Grade.ABSENT}),
        # a list of words
        ("steps: [prepare, train, evaluate]\n", {Grade.ABSENT}),
        # actions of somebody else
        ("steps:\n  - name: a\n    uses: actions/checkout@v4\n  - name: train\n    uses: x/train@v1\n", {Grade.ABSENT}),
    ],
    ids=["one step", "no model", "names only", "words", "actions"],
)
def test_list_of_steps_that_is_no_ml_pipeline(tmp_path: Path, text: str, grades: set[Grade]) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "pipeline.yaml": text})
    assert grade(report, PRACTICE) in grades
    assert not practice(report, PRACTICE).met


def test_steps_in_json(tmp_path: Path) -> None:
    steps: list[dict[str, object]] = [
        {"name": name, "script": f"{name}.py", "params": {}} for name in ("prepare", "train")
    ]
    report = scan_tree(tmp_path, {**PROJECT, "pipeline.json": json.dumps({"pipeline": {"steps": steps}})})
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED


@pytest.mark.parametrize("folder", ["docs", "examples", "tests"])
def test_pipeline_that_is_only_shown(tmp_path: Path, folder: str) -> None:
    text = (
        "steps:\n  - name: prepare\n    script: prepare.py\n    params: {a: 1}\n"
        "  - name: train\n    script: train.py\n    params: {b: 2}\n"
    )
    copies = {f"{folder}/{name}": content for name, content in PROJECT.items()}
    report = scan_tree(tmp_path, {**PROJECT, **copies, f"{folder}/pipeline.yaml": text})
    assert grade(report, PRACTICE) in (Grade.TRACE, Grade.ABSENT)


# -- MLflow projects, DVC ----------------------------------------------------------------------------------------------


def test_mlproject_with_two_entry_points(tmp_path: Path) -> None:
    text = (
        "name: churn\nentry_points:\n  prepare:\n    command: python prepare.py\n  main:\n    parameters:\n"
        "      data: {type: path, default: data.csv}\n    command: python train.py --data {data}\n"
    )
    assert grade(scan_tree(tmp_path, {**PROJECT, "MLproject": text}), PRACTICE) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (("-e check",), Grade.IMPLEMENTED),  # entry points are alternatives
        (("-e main",), Grade.WIRED),
        (("",), Grade.WIRED),
        (("-e check", "-e main"), Grade.WIRED),
    ],
)
def test_mlproject_of_which_ci_asks_for_an_entry_point(tmp_path: Path, runs: tuple[str, ...], expected: Grade) -> None:
    text = (
        "name: churn\nentry_points:\n  check:\n    command: python evaluate.py\n  main:\n    command: python train.py\n"
    )
    steps = "".join(f"      - run: mlflow run . {run}\n" for run in runs)
    workflow = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"
    tree = {**PROJECT, "MLproject": text, ".github/workflows/ci.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), PRACTICE) is expected


def test_mlproject_with_one_entry_point_is_one_command(tmp_path: Path) -> None:
    text = "name: churn\nentry_points:\n  main:\n    command: python train.py\n"
    result = practice(scan_tree(tmp_path, {**PROJECT, "MLproject": text}), PRACTICE)
    assert (result.grade, result.reason) == (Grade.TRACE, "it has a single step")


DVC = "stages:\n  prepare:\n    cmd: python prepare.py\n  train:\n    cmd: python train.py\n    deps: [train.py]\n"


def test_dvc_is_wired_when_ci_runs_it(tmp_path: Path) -> None:
    workflow = (
        "on:\n  push:\n    branches: [main]\njobs:\n  repro:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: dvc repro\n"
    )
    report = scan_tree(tmp_path, {**PROJECT, "dvc.yaml": DVC, ".github/workflows/train.yml": workflow})
    result = practice(report, PRACTICE)
    assert result.grade is Grade.WIRED
    assert any(place.startswith(".github/workflows/train.yml:") for place in places(result.evidence))


@pytest.mark.parametrize("command", ["dvc pull", "dvc dag", "echo dvc repro", "pip install dvc"])
def test_dvc_is_not_wired_by_another_command(tmp_path: Path, command: str) -> None:
    workflow = f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {command}\n"
    report = scan_tree(tmp_path, {**PROJECT, "dvc.yaml": DVC, ".github/workflows/train.yml": workflow})
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED


def test_dvc_with_one_stage_is_a_trace(tmp_path: Path) -> None:
    assert (
        grade(scan_tree(tmp_path, {**PROJECT, "dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n"}), PRACTICE)
        is Grade.TRACE
    )


def test_dvc_without_a_model_is_a_defect(tmp_path: Path) -> None:
    text = "stages:\n  fetch:\n    cmd: python prepare.py\n  clean:\n    cmd: python data.py\n"
    report = scan_tree(tmp_path, {**PROJECT, "dvc.yaml": text})
    assert grade(report, PRACTICE) is Grade.TRACE
    assert grade(report, "data/pipeline") is Grade.IMPLEMENTED
    assert where(report, "MLS201") == ["dvc.yaml:1"] or where(report, "MLS201") == ["dvc.yaml:2"]


@pytest.mark.parametrize(
    ("work", "found"),
    [("train.py", []), ("prepare.py", ["dvc.yaml:1", "incoming/dvc.yaml:1"])],
    ids=["beside training", "another one of data"],
)
def test_dvc_for_new_data_beside_a_pipeline_that_trains(tmp_path: Path, work: str, found: list[str]) -> None:
    text = "stages:\n  fetch:\n    cmd: python ../prepare.py\n  clean:\n    cmd: python ../data.py\n"
    both = f"stages:\n  fetch:\n    cmd: python prepare.py\n  work:\n    cmd: python {work}\n"
    report = scan_tree(tmp_path, {**PROJECT, "dvc.yaml": both, "incoming/dvc.yaml": text})
    assert where(report, "MLS201") == found


def test_step_of_a_missing_script(tmp_path: Path) -> None:
    text = DVC + "  report:\n    cmd: python report.py\n"
    assert where(scan_tree(tmp_path, {**PROJECT, "dvc.yaml": text}), "MLS202") == ["dvc.yaml:8"]


@pytest.mark.parametrize(
    "step",
    [
        "  report:\n    cmd: python tools/report.py\n    wdir: tools\n",  # moved: the name exists elsewhere
        "  report:\n    cmd: python $SCRIPT\n",
        "  report:\n    cmd: python -m json.tool metrics.json\n",
        "  report:\n    cmd: nbconvert report.ipynb\n",
    ],
)
def test_step_that_is_not_known_to_be_missing(tmp_path: Path, step: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "tools/report.py": "print(1)\n", "dvc.yaml": DVC + step})
    assert findings(report, "MLS202") == []


@pytest.mark.parametrize(("line", "count"), [("svn export https://x.org/trunk/kit", 0), ("echo kit", 1)])
def test_script_that_fetches_what_it_runs(tmp_path: Path, line: str, count: int) -> None:
    tree = {"get.sh": f"#!/bin/bash\nset -e\n{line}\nbash kit/get-all.sh\n"}
    report = scan_tree(tmp_path, {**PROJECT, **tree, "dvc.yaml": DVC + "  get:\n    cmd: bash get.sh\n"})
    assert len(findings(report, "MLS202")) == count


# -- Kubeflow ----------------------------------------------------------------------------------------------------------


KFP_STEPS = (
    "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.12')\n"
    "def prepare(rows: int) -> int:\n    return rows\n\n\n"
    "@dsl.component(packages_to_install=['scikit-learn'])\ndef fit(rows: int) -> float:\n"
    "    from sklearn.linear_model import LogisticRegression\n\n    model = LogisticRegression()\n"
    "    model.fit([[0.0], [1.0]], [0, 1])\n    return 1.0\n\n\n"
)
KFP = KFP_STEPS + (
    "@dsl.pipeline(name='churn')\ndef churn(rows: int = 10):\n"
    "    first = prepare(rows=rows)\n    fit(rows=first.output)\n"
)


def test_kubeflow_pipeline_in_code(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {"pipeline.py": KFP}), PRACTICE)
    assert result.grade is Grade.IMPLEMENTED
    assert result.tools == ("kubeflow-pipelines",) or "kfp" in result.tools


def test_kubeflow_components_without_a_pipeline(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {"pipeline.py": KFP_STEPS})
    assert not practice(report, PRACTICE).met


COMPILED_V2 = """\
pipelineInfo:
  name: churn
components:
  comp-prepare: {executorLabel: exec-prepare}
  comp-fit: {executorLabel: exec-fit}
deploymentSpec:
  executors:
    exec-prepare:
      container:
        image: python:3.12
        command: [sh, -c, "import pandas"]
    exec-fit:
      container:
        image: python:3.12
        command: [sh, -c, "model = LogisticRegression(); model.CALL(x, y)"]
root:
  dag:
    tasks:
      prepare:
        componentRef: {name: comp-prepare}
      fit:
        componentRef: {name: comp-fit}
"""
COMPILED_V1 = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: churn-
  annotations: {pipelines.kubeflow.org/kfp_sdk_version: 1.8.0}
spec:
  entrypoint: churn
  templates:
    - name: churn
      dag: {tasks: [{name: prepare, template: prepare}, {name: fit, template: fit}]}
    - name: prepare
      container: {image: python, command: [python, -c, "print(1)"]}
    - name: fit
      container:
        image: python
        command: [sh, -ec, "model = LogisticRegression()\\nmodel.CALL(x, y)"]
"""


@pytest.mark.parametrize("compiled", [COMPILED_V1, COMPILED_V2], ids=["v1", "v2"])
def test_compiled_kubeflow_pipeline(tmp_path: Path, compiled: str) -> None:
    report = scan_tree(tmp_path, {**ML, "churn.yaml": compiled.replace("CALL", "fit")})
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED
    assert "kubeflow-pipelines" in practice(report, PRACTICE).tools


@pytest.mark.parametrize("compiled", [COMPILED_V1, COMPILED_V2], ids=["v1", "v2"])
def test_compiled_workflow_without_a_model(tmp_path: Path, compiled: str) -> None:
    report = scan_tree(tmp_path, {**ML, "churn.yaml": compiled.replace("CALL", "describe")})
    assert grade(report, PRACTICE) is Grade.TRACE


# -- orchestrators in code ---------------------------------------------------------------------------------------------


def dag(callable_: str, schedule: str = "None") -> str:
    """An Airflow DAG of two Python tasks."""
    return (
        "from datetime import datetime\n\nfrom airflow import DAG\n"
        "from airflow.operators.python import PythonOperator\n\n"
        "from data import read\nfrom train import train\n\n\n"
        f"with DAG('churn', schedule={schedule}, start_date=datetime(2026, 1, 1)) as dag:\n"
        "    first = PythonOperator(task_id='first', python_callable=read)\n"
        f"    second = PythonOperator(task_id='second', python_callable={callable_})\n    first >> second\n"
    )


def test_airflow_dag_that_trains(tmp_path: Path) -> None:
    report = scan_tree(
        tmp_path, {**ML, "dags/churn.py": dag("train"), "dags/train.py": ML["train.py"], "dags/data.py": ML["data.py"]}
    )
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED


def test_airflow_dag_with_a_schedule_is_wired(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "churn_dag.py": dag("train", "'@daily'")})
    assert grade(report, PRACTICE) is Grade.WIRED


def test_airflow_dag_that_only_moves_data(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "churn_dag.py": dag("read", "'@daily'")})
    assert grade(report, PRACTICE) is Grade.TRACE
    assert practice(report, "data/pipeline").met


def flow(tasks: int) -> str:
    """A Prefect flow with the training as its last task."""
    more = "@task\ndef prepare(path):\n    return read(path)\n\n\n" if tasks > 1 else ""
    call = "    prepare('data.csv')\n" if tasks > 1 else ""
    return (
        "from prefect import flow, task\n\nfrom data import read\nfrom train import train\n\n\n"
        f"{more}@task\ndef fit():\n    return train('data.csv', 'model')\n\n\n@flow\n"
        f"def churn():\n{call}    return fit()\n"
    )


@pytest.mark.parametrize(("tasks", "expected"), [(2, Grade.IMPLEMENTED), (1, Grade.TRACE)])
def test_prefect_needs_two_tasks(tmp_path: Path, tasks: int, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "flow.py": flow(tasks)}), PRACTICE) is expected


def test_the_flow_that_trains_is_shown_first(tmp_path: Path) -> None:
    flow = (
        "from prefect import flow, task\n\nfrom {0} import {1}\n\n\n@task\ndef one(path):\n    return {1}(path)\n\n\n"
    )
    flow += "@task\ndef two(path):\n    return path\n\n\n@flow\ndef weekly():\n    one(two('d.csv'))\n"
    tree = {**PROJECT, "a_check.py": flow.format("evaluate", "evaluate"), "b_fit.py": flow.format("train", "train")}
    assert practice(scan_tree(tmp_path, tree), PRACTICE).evidence[0].location.path == "b_fit.py"


METAFLOW = (
    "from metaflow import FlowSpec, step\n\nfrom data import read\n"
    "from train import train\n\n\nclass Churn(FlowSpec):\n"
    "    @step\n    def start(self):\n        self.x = read('data.csv')\n        self.next(self.fit)\n\n"
    "    @step\n    def fit(self):\n        BODY\n        self.next(self.end)\n\n"
    "    @step\n    def end(self):\n        pass\n\n\nif __name__ == '__main__':\n    Churn()\n"
)


def test_metaflow(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "flow.py": METAFLOW.replace("BODY", "self.model = train('data.csv', 'm')")})
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED


def test_metaflow_without_a_model(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "flow.py": METAFLOW.replace("BODY", "self.rows = len(self.x)")})
    assert grade(report, PRACTICE) is Grade.TRACE


@pytest.mark.parametrize(
    "text",
    [
        "from sklearn.pipeline import Pipeline\n"
        "from sklearn.linear_model import LogisticRegression\n\n\ndef build(x, y):\n"
        "    model = Pipeline([('m', LogisticRegression())])\n    model.fit(x, y)\n    return model\n",
        "from transformers import pipeline\n\nclassify = pipeline('sentiment-analysis')\nprint(classify('good'))\n",
        "from celery import Celery\nfrom train import train\n\napp = Celery('a')\n\n\n"
        "@app.task\ndef fit():\n    train('a', 'b')\n\n\n"
        "@app.task\ndef other():\n    fit()\n",
        (
            "from invoke import task\nfrom train import train\n\n\n@task\ndef fit(c):\n"
            "    train('a', 'b')\n\n\n@task\ndef other(c):\n    fit(c)\n"
        ),
        "def pipeline():\n    '''steps: prepare, train'''\n    raise NotImplementedError\n",
    ],
    ids=["sklearn Pipeline", "transformers pipeline()", "Celery", "Invoke", "stub"],
)
def test_pipeline_by_word_only(tmp_path: Path, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, "pipeline.py": text}), PRACTICE).met


# -- chains ------------------------------------------------------------------------------------------------------------


def test_make_target_that_chains_training_and_evaluation(tmp_path: Path) -> None:
    text = "all: train evaluate\n\ntrain:\n\tpython train.py\n\nevaluate: train\n\tpython evaluate.py\n"
    result = practice(scan_tree(tmp_path, {**PROJECT, "Makefile": text}), PRACTICE)
    assert result.grade is Grade.IMPLEMENTED
    assert any(place.startswith("Makefile:") for place in places(result.evidence))


@pytest.mark.parametrize(
    "text",
    [
        "train:\n\tpython train.py\n\nevaluate:\n\tpython evaluate.py\n",  # two targets, no chain
        "all: lint train\n\nlint:\n\truff check .\n\ntrain:\n\tpython train.py\n",  # one ML step
        "all:\n\techo python train.py\n\techo python evaluate.py\n",  # prints
        "all:\n\tpython train.py --data a.csv\n\tpython train.py --data b.csv\n",  # one stage at two lines
    ],
    ids=["unchained", "one ML step", "echo", "twice"],
)
def test_make_targets_that_are_no_pipeline(tmp_path: Path, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**PROJECT, "Makefile": text}), PRACTICE).met


def test_script_chain_counts_only_when_automation_starts_it(tmp_path: Path) -> None:
    script = "#!/bin/bash\nset -e\npython train.py\npython evaluate.py\n"
    workflow = (
        "on: {schedule: [{cron: '0 3 * * *'}]}\njobs:\n  a:\n"
        "    runs-on: ubuntu-latest\n    steps:\n      - run: ./all.sh\n"
    )
    alone = scan_tree(tmp_path / "alone", {**PROJECT, "all.sh": script})
    started = scan_tree(tmp_path / "started", {**PROJECT, "all.sh": script, ".github/workflows/a.yml": workflow})
    assert not practice(alone, PRACTICE).met
    assert practice(started, PRACTICE).met


@pytest.mark.parametrize(
    ("first", "second", "met"),
    [
        ("python train.py", "python train.py", False),
        ("python train.py", "python evaluate.py", True),
        ("python train.py --stage fit", "python train.py --stage score", True),
    ],
    ids=["the same script twice", "two scripts", "two stages of one script"],
)
def test_environments_of_a_test_runner_are_a_chain_of_what_they_run(
    tmp_path: Path, first: str, second: str, met: bool
) -> None:
    tox = f"[testenv:fit]\ncommands =\n    {first}\n\n[testenv:publish]\ncommands =\n    {second}\n"
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: tox -e fit\n      - run: tox -e publish\n"
    )
    report = scan_tree(tmp_path, {**PROJECT, "tox.ini": tox, ".github/workflows/a.yml": workflow})
    assert practice(report, PRACTICE).met is met


@pytest.mark.parametrize(("argument", "met"), [(" $usage_job", True), ("", False)], ids=["passed on", "dropped"])
def test_one_task_that_is_given_the_stage(tmp_path: Path, argument: str, met: bool) -> None:
    mise = (
        '[tasks.all]\nrun = ["mise run job fit", "mise run job score"]\n\n'
        f"[tasks.job]\nrun = 'python train.py{argument}'\n"
    )
    assert practice(scan_tree(tmp_path, {**PROJECT, "mise.toml": mise}), PRACTICE).met is met


HANDED = """\
from sklearn.svm import SVC
from zenml.pipelines import pipeline
from zenml.steps import step


@step
def read():
    return [], []


@step
def fit(x, y):
    SVC().fit(x, y)


@pipeline
def training(reading, fitting):
    x, y = reading()
    fitting(x, y)


if __name__ == "__main__":
    training(reading=read(), fitting=fit()).run()
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HANDED, Grade.IMPLEMENTED),
        (HANDED.replace("training(reading=read(), fitting=fit()).run()", "pass"), Grade.TRACE),
        (HANDED.replace("fitting=fit()", "fitting=None"), Grade.TRACE),
    ],
    ids=["handed over", "never called", "without the step that fits"],
)
def test_steps_handed_to_a_pipeline_function(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "flow.py": text}), "pipeline/orchestration") is expected


CONTAINERS = """\
from kfp import dsl


@dsl.component
def read(rows: dsl.Output[dsl.Dataset]):
    pass


@dsl.container_component
def fit(rows: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    return dsl.ContainerSpec(
        image="leaves", command=["python"], args=["-m", "training", "--data", rows.path, "--out", model.path]
    )


@dsl.pipeline
def weekly():
    fit(rows=read().outputs["rows"])
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONTAINERS, Grade.IMPLEMENTED),
        (
            CONTAINERS.replace('["python"], args=["-m",', '["sh", "-c"], args=["python -m training", "sh",'),
            Grade.IMPLEMENTED,
        ),
        (CONTAINERS.replace('["python"]', '["echo", "python"]'), Grade.TRACE),
        (CONTAINERS.replace('command=["python"], ', ""), Grade.TRACE),  # whatever the image starts
        (CONTAINERS.replace("fit(rows=read()", "print(read()"), Grade.TRACE),
    ],
    ids=["module", "shell", "only printed", "no command", "not called"],
)
def test_tasks_that_are_containers(tmp_path: Path, text: str, expected: Grade) -> None:
    tree = {"jobs/pipeline.py": text, "model/training/__main__.py": TRAIN, "model/training/data.py": "def read(x): ..."}
    assert grade(scan_tree(tmp_path, tree), PRACTICE) is expected


HELPER = """\
from azureml.pipeline.core import Pipeline


def publish(workspace, name, steps):
    pipeline = Pipeline(workspace=workspace, steps=steps)
    return pipeline.publish(name=name)
"""
BUILD = """\
from azureml.core import Workspace
from azureml.pipeline.steps import PythonScriptStep

from helper import publish


def build():
    prepare = PythonScriptStep(name="prepare", script_name="prepare.py")
    fit = PythonScriptStep(name="train", script_name="train.py")
    publish(Workspace.from_config(), "weekly", steps=[prepare, fit])


if __name__ == "__main__":
    build()
"""


def test_steps_made_before_they_are_handed_to_a_helper(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "helper.py": HELPER, "build.py": BUILD})
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED
    assert places(practice(report, PRACTICE).evidence)[0] == "build.py:10"


@pytest.mark.parametrize(
    "build",
    [
        BUILD.replace("    publish(", "    # publish("),
        BUILD.replace("from helper import publish", "from elsewhere import publish"),
        BUILD.replace('    fit = PythonScriptStep(name="train", script_name="train.py")\n', "    fit = None\n"),
        # the tasks of another function are not those that are handed over
        BUILD.replace("    publish(", "\n\ndef other(prepare, fit):\n    publish("),
    ],
    ids=["commented out", "a stranger's helper", "without the step that fits", "made elsewhere"],
)
def test_helper_of_a_pipeline_that_gets_no_tasks(tmp_path: Path, build: str) -> None:
    assert grade(scan_tree(tmp_path, {**PROJECT, "helper.py": HELPER, "build.py": build}), PRACTICE) is Grade.TRACE


def test_function_that_is_the_pipeline_itself_owns_no_other_code_of_its_caller(tmp_path: Path) -> None:
    text = """\
import mlflow
from azure.ai.ml import load_component
from azure.ai.ml.dsl import pipeline

fit = load_component(source="fit.yml")
mlflow.log_param("a", 1)


@pipeline()
def weekly(rows):
    fit(rows=rows)


weekly(rows="rows.csv")
"""
    report = scan_tree(tmp_path, {**ML, "weekly.py": text})
    assert grade(report, "experiment/tracking") is Grade.IMPLEMENTED


ETL = """\
import pandas as pd
from prefect import flow, task


@task
def read():
    return pd.read_csv("raw.csv").dropna()


@task
def write(rows):
    rows.to_csv("rows.csv")


@flow
def prepare():
    write(read())


if __name__ == "__main__":
    prepare()
"""
DAILY = (
    "on: {schedule: [{cron: '0 3 * * *'}]}\njobs:\n  a:\n"
    "    runs-on: ubuntu-latest\n    steps:\n      - run: python etl.py\n"
)


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [(DAILY, Grade.WIRED), (DAILY.replace("python etl.py", "echo python etl.py"), Grade.IMPLEMENTED)],
    ids=["a clock starts it", "nothing starts it"],
)
def test_pipeline_does_not_start_itself(tmp_path: Path, workflow: str, expected: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, "etl.py": ETL, ".github/workflows/a.yml": workflow})
    assert grade(report, "data/pipeline") is expected


# -- Mage and spaCy ----------------------------------------------------------------------------------------------------

LOAD = (
    "from mage_ai.data_preparation.decorators import data_loader\nimport pandas as pd\n\n\n"
    "@data_loader\ndef load():\n    return pd.read_csv('raw.csv')\n"
)
FIT = (
    "from mage_ai.data_preparation.decorators import custom\nfrom sklearn.linear_model import LogisticRegression\n\n\n"
    "@custom\ndef fit(frame):\n    return LogisticRegression().fit(frame.drop(columns='y'), frame.y)\n"
)
BLOCKS = (
    "blocks:\n- {uuid: rows, type: data_loader}\n- {uuid: fit, type: custom, upstream_blocks: [rows]}\nname: weekly\n"
)


def test_mage_pipeline_that_trains(tmp_path: Path) -> None:
    tree = {"pipelines/weekly/metadata.yaml": BLOCKS, "data_loaders/rows.py": LOAD, "custom/fit.py": FIT}
    report = scan_tree(tmp_path, tree)
    result = practice(report, PRACTICE)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence) == ["pipelines/weekly/metadata.yaml:1", "custom/fit.py:7"]


def test_mage_pipeline_of_data_beside_a_model(tmp_path: Path) -> None:
    """The block that fits is not in the pipeline."""
    blocks = BLOCKS.replace("uuid: fit,", "uuid: store,")
    store = FIT.replace("LogisticRegression().fit(frame.drop(columns='y'), frame.y)", "frame.to_csv('data.csv')")
    store = store.replace("from sklearn.linear_model import LogisticRegression\n", "")
    tree = {"pipelines/weekly/metadata.yaml": blocks, "data_loaders/rows.py": LOAD, "custom/store.py": store}
    report = scan_tree(tmp_path, {**tree, "custom/fit.py": FIT})
    assert grade(report, PRACTICE) <= Grade.TRACE


def test_spacy_project_that_trains(tmp_path: Path) -> None:
    text = (
        "commands:\n  - name: corpus\n    script: [python corpus.py]\n"
        "  - name: train\n    script: [python -m spacy train config.cfg]\n"
        "workflows:\n  all: [corpus, train]\n"
    )
    tree = {"project.yml": text, "corpus.py": "import spacy\n\nspacy.blank('en')\n"}
    assert grade(scan_tree(tmp_path / "a", tree), PRACTICE) is Grade.IMPLEMENTED
    workflow = "on: {schedule: [{cron: '0 3 * * 1'}]}\njobs:\n  t:\n    steps:\n      - run: python -m spacy project "
    started = {**tree, ".github/workflows/w.yml": f"{workflow}run all\n"}
    assert grade(scan_tree(tmp_path / "b", started), PRACTICE) is Grade.WIRED
    other = {**tree, ".github/workflows/w.yml": f"{workflow}assets\n"}
    assert grade(scan_tree(tmp_path / "c", other), PRACTICE) is Grade.IMPLEMENTED


# -- Ploomber, Snakemake, Nextflow -------------------------------------------------------------------------------------

SNAKE = 'rule rows:\n    shell: "python prepare.py"\n\nrule fit:\n    shell: "python train.py --out {output}"\n'
FLOW = (
    "process ROWS {\n    script:\n    '''\n    python prepare.py\n    '''\n}\n"
    "process FIT {\n    script:\n    '''\n    python train.py\n    '''\n}\n"
)
TASKS = "tasks:\n  - {source: prepare.py, product: data.csv}\n  - {source: train.py, product: model.joblib}\n"


@pytest.mark.parametrize(
    ("path", "text", "command"),
    [
        ("Snakefile", SNAKE, "snakemake --cores 2"),
        ("main.nf", FLOW, "nextflow run main.nf"),
        ("pipeline.yaml", TASKS, "ploomber build"),
    ],
    ids=["Snakemake", "Nextflow", "Ploomber"],
)
def test_pipelines_in_languages_of_their_own(tmp_path: Path, path: str, text: str, command: str) -> None:
    tree = {**PROJECT, path: text}
    workflow = f"on: {{schedule: [{{cron: '0 3 * * 1'}}]}}\njobs:\n  t:\n    steps:\n      - run: {command}\n"
    assert grade(scan_tree(tmp_path / "a", tree), PRACTICE) is Grade.IMPLEMENTED
    assert grade(scan_tree(tmp_path / "b", {**tree, ".github/workflows/w.yml": workflow}), PRACTICE) is Grade.WIRED
    data = {**PROJECT, "load.py": PREPARE, path: text.replace("train.py", "load.py")}
    assert grade(scan_tree(tmp_path / "c", data), PRACTICE) <= Grade.TRACE


# -- functions and classes that become tasks without a decorator -------------------------------------------------------

_STEPS = (
    "import pandas as pd\n{imports}\n\n\ndef read(path):\n    pd.read_csv(path).dropna().to_csv('clean.csv')\n\n\n"
    "def fit(path):\n    from sklearn.linear_model import LogisticRegression\n"
    "    LogisticRegression().fit(pd.read_csv(path), [1])\n\n\n"
)
_OPS = (
    _STEPS.format(imports="from kfp import components, compiler, dsl")
    + "read_op = components.create_component_from_func(read)\nfit_op = components.func_to_container_op(func=fit)\n\n\n"
)
_DECORATED = "@dsl.pipeline(name='churn')\n"
_FLOW = "def flow(path='raw.csv'):\n    first = read_op(path)\n    fit_op('clean.csv').after(first)\n\n\n"
_COMPILE = "if __name__ == '__main__':\n    compiler.Compiler().compile(flow, 'flow.yaml')\n"


@pytest.mark.parametrize(
    "text",
    [
        _OPS + _DECORATED + _FLOW,
        _OPS + _FLOW + _COMPILE,
        _OPS + _FLOW + "import kfp\n\nkfp.Client().create_run_from_pipeline_func(flow, arguments={})\n",
    ],
    ids=["decorated", "compiled", "run"],
)
def test_functions_that_are_made_to_tasks_at_module_level(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"flow.py": text}), PRACTICE) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # nothing says that this function is a pipeline
        (_OPS + _FLOW + "if __name__ == '__main__':\n    flow()\n", Grade.ABSENT),
        (_OPS + _FLOW + _COMPILE.replace("    compiler", "    pass  # compiler"), Grade.ABSENT),
        # the task that fits a model is made and not used
        (_OPS + _DECORATED + _FLOW.replace("    fit_op", "    read_op"), Grade.TRACE),
        (_OPS.replace("fit_op = ", "fit_op = None  # ") + _DECORATED + _FLOW, Grade.TRACE),
    ],
)
def test_functions_that_are_no_tasks(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {"flow.py": text}), PRACTICE) is expected


_CLASSES = (
    _STEPS.format(imports="from kfp import dsl")
    + "class Read(dsl.ContainerOp):\n    def __init__(self, path):\n        super().__init__(name='read', image='r')\n"
    "        read(path)\n\n\n"
    "class Fit(dsl.ContainerOp):\n    def __init__(self, path):\n        super().__init__(name='fit', image='f')\n"
    "        fit(path)\n\n\n@dsl.pipeline(name='churn')\ndef flow(path='raw.csv'):\n    first = Read(path)\n"
)


@pytest.mark.parametrize(
    ("more", "expected"), [("    Fit('clean.csv').after(first)\n", Grade.IMPLEMENTED), ("    fit(path)\n", Grade.TRACE)]
)
def test_classes_that_are_tasks(tmp_path: Path, more: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {"flow.py": _CLASSES + more}), PRACTICE) is expected


# -- MLflow projects that code runs ------------------------------------------------------------------------------------


def _project(entry: str, script: str) -> str:
    return f"name: {entry}\nentry_points:\n  {entry}:\n    command: python {script}\n"


def _projects(body: str, more: str = "") -> Tree:
    return {
        "src/prepare/MLproject": _project("main", "prepare.py"),
        "src/prepare/prepare.py": PREPARE,
        "src/fit/MLproject": _project("main", "fit.py"),
        "src/fit/fit.py": TRAIN,
        "main.py": f"import os\n\nimport mlflow\n\n{more}\n\ndef go(config):\n{body}\n\n"
        "if __name__ == '__main__':\n    go({})\n",
        "requirements.txt": "mlflow==2.9\nscikit-learn==1.4\n",
    }


def _runs(*folders: str) -> str:
    return "".join(f"    mlflow.run({folder})\n" for folder in folders)


@pytest.mark.parametrize(
    "folders",
    [
        ("'src/prepare', 'main'", "'src/fit', entry_point='main'"),
        ("uri='src/prepare'", "uri='./src/fit'"),
        ("os.path.join(os.getcwd(), 'src', 'prepare'), 'main'", "os.path.join(os.getcwd(), 'src', 'fit'), 'main'"),
        (
            "\n        f\"{config['root']}/prepare\",\n        'main',\n        parameters={'a': 1},\n    ",
            'f\'{config["root"]}/fit\', "main"',
        ),
    ],
    ids=["constants", "keywords", "joined", "formatted"],
)
def test_projects_that_code_runs_one_after_the_other(tmp_path: Path, folders: tuple[str, str]) -> None:
    report = scan_tree(tmp_path, _projects(_runs(*folders)))
    result = practice(report, PRACTICE)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence)[0] == "main.py:8"
    assert any(place.startswith("src/fit/fit.py:") for place in places(result.evidence))
    assert not findings(report, "MLS101")


def test_projects_that_code_runs_are_wired_where_ci_runs_the_code(tmp_path: Path) -> None:
    ci = "on: push\njobs:\n  run:\n    runs-on: x\n    steps:\n      - run: python main.py\n"
    tree = _projects(_runs("'src/prepare'", "'src/fit'"))
    assert grade(scan_tree(tmp_path, {**tree, ".github/workflows/run.yml": ci}), PRACTICE) is Grade.WIRED


@pytest.mark.parametrize(
    "body",
    [
        _runs("'src/fit'"),
        _runs("'src/fit'", "'src/fit', 'main'"),
        _runs("'src/fit'", "'src/missing'"),
        _runs("'src/fit'") + "    # mlflow.run('src/prepare')\n",
        _runs("'src/fit'", "'https://github.com/someone/steps#prepare'"),
        _runs("'src/fit'", "config['step']"),
        "    pass\n",
    ],
    ids=["one", "one twice", "one is missing", "commented out", "of another repository", "not known", "gaps"],
)
def test_projects_that_code_does_not_chain(tmp_path: Path, body: str) -> None:
    assert grade(scan_tree(tmp_path, _projects(body)), PRACTICE) is Grade.TRACE


def test_chained_projects_without_a_model_are_no_ml_pipeline(tmp_path: Path) -> None:
    tree = {**_projects(_runs("'src/prepare'", "'src/fit'")), "src/fit/fit.py": PREPARE, "train.py": TRAIN}
    assert grade(scan_tree(tmp_path, tree), PRACTICE) is Grade.TRACE


# -- pipelines of data -------------------------------------------------------------------------------------------------


def _flow(*tasks: tuple[str, str], imports: str = "") -> str:
    """A Prefect flow of tasks, each with its body."""
    made = "".join(f"@task\ndef {name}(rows=None):\n    {body}\n\n\n" for name, body in tasks)
    calls = "".join(f"    {name}()\n" for name, _ in tasks)
    return f"from prefect import flow, task\n{imports}\n\n{made}@flow\ndef weekly():\n{calls}"


DRIFT = "Report(metrics=[DataDriftPreset()]).run(reference_data=rows, current_data=rows)"
EVIDENTLY = "from evidently.report import Report\nfrom evidently.metric_preset import DataDriftPreset\n"


@pytest.mark.parametrize(
    "text",
    [
        _flow(("clean_rows", "return rows"), ("publish", "return rows")),
        _flow(("first", "pd.read_sql('a', 'b').to_parquet('c')"), imports="import pandas as pd\n"),
        _flow(("load_orders", "return rows"), ("publish", "return rows")),
        _flow(("clean_rows", "return rows"), ("look", DRIFT), imports=EVIDENTLY),
    ],
    ids=["named", "writes a table", "reads", "prepares and watches"],
)
def test_flow_that_prepares_data(tmp_path: Path, text: str) -> None:
    assert practice(scan_tree(tmp_path, {**ML, "flows/weekly.py": text}), "data/pipeline").met


@pytest.mark.parametrize(
    "text",
    [
        _flow(("load_orders", "return rows"), ("look", DRIFT), imports=EVIDENTLY),
        _flow(("release", "mlflow.register_model('runs:/a/b', 'churn')"), imports="import mlflow\n"),
        _flow(("say_hello", "return rows"), ("send_alert", "return rows")),
        _flow(("deploy_model", "return rows"), ("# clean_rows", "")).replace("@task\ndef # ", "# def "),
    ],
    ids=["watches drift", "registers", "says hello", "commented out"],
)
def test_flow_that_prepares_no_data(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**ML, "flows/weekly.py": text})
    assert grade(report, "data/pipeline") is Grade.ABSENT
    assert grade(report, PRACTICE) is Grade.TRACE


@pytest.mark.parametrize(("name", "met"), [("prepare", True), ("greet", False)])
def test_declared_pipeline_prepares_data_or_not(tmp_path: Path, name: str, met: bool) -> None:
    text = f"stages:\n  {name}:\n    cmd: python hello.py\n  say:\n    cmd: python hello.py\n"
    report = scan_tree(tmp_path, {**ML, "dvc.yaml": text, "hello.py": "import pandas as pd\n\nprint(pd)\n"})
    assert practice(report, "data/pipeline").met is met


def test_flow_that_prepares_data_for_its_training(tmp_path: Path) -> None:
    fit = ("fit", "train('data.csv', 'model')")
    for folder, prepare, met in (("a", "clean_rows", True), ("b", "greet", False)):
        text = _flow((prepare, "return rows"), fit, imports="from train import train\n")
        report = scan_tree(tmp_path / folder, {**ML, "weekly.py": text})
        assert grade(report, PRACTICE) is Grade.IMPLEMENTED
        assert practice(report, "data/pipeline").met is met


def test_project_that_the_running_code_does_not_ask_for_wires_nothing(tmp_path: Path) -> None:
    push = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: mlflow run src/fit\n"
    asked = _projects(_runs("'src/prepare'", "'src/fit'"))
    idle = _projects(_runs("'src/prepare'") + "    # mlflow.run('src/fit')\n")
    for folder, content, expected in (
        ("asked", asked, Grade.WIRED),
        ("not asked", idle, Grade.IMPLEMENTED),
        ("in CI", {**idle, ".github/workflows/a.yml": push}, Grade.WIRED),
        ("commented out", {**idle, ".github/workflows/a.yml": push.replace("run: ", "run: true #")}, Grade.IMPLEMENTED),
        ("by a person", {**idle, "main.py": "print('hello')\n"}, Grade.WIRED),
    ):
        assert grade(scan_tree(tmp_path / folder, content), "code/modular-training") is expected


def test_script_of_a_task_that_is_not_in_the_repository_is_the_reason(tmp_path: Path) -> None:
    text = (
        "from azureml.pipeline.core import Pipeline\nfrom azureml.pipeline.steps import PythonScriptStep\n\n"
        "first = PythonScriptStep(name='evaluate', script_name='evaluation.py', source_directory='src')\n"
        "second = PythonScriptStep(name='fit', script_name='train_model.py', source_directory='src')\n"
        "pipeline = Pipeline(workspace=None, steps=[first, second])\n"
    )
    for folder, more, reason in (
        ("a", {}, "`src/train_model.py`, which a task runs, is not in the repository"),
        (
            "b",
            {"src/train_model.py": "print('nothing yet')\n", "src/evaluation.py": "print('nothing yet')\n"},
            "no task of it was seen to train, evaluate or score a model",
        ),
    ):
        result = practice(scan_tree(tmp_path / folder, {**ML, "deploy.py": text, **more}), PRACTICE)
        assert (result.grade, result.reason) == (Grade.TRACE, reason)


def test_the_pipeline_that_came_nearest_gives_the_reason(tmp_path: Path) -> None:
    tree = {
        **ML,
        "a.py": _flow(("say_hello", "return rows")),
        "b.py": _flow(("fit", "train('a.csv', 'b')"), imports="from train import train\n"),
    }
    result = practice(scan_tree(tmp_path, tree), PRACTICE)
    assert (result.grade, result.reason) == (Grade.TRACE, "it has a single step")


PROGRAM = (
    "import sys\n\nfrom data import read\nfrom train import train\n\n\ndef check():\n    return len(read('data.csv'))"
    "\n\n\nif __name__ == '__main__':\n    train('data.csv', 'm') if sys.argv[1] == 'train' else check()\n"
)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("python run.py train", "python run.py check", Grade.IMPLEMENTED),
        ("python run.py train", "python run.py train", Grade.ABSENT),
        ("python run.py --fast", "python run.py --slow", Grade.ABSENT),
        ("python run.py train 1", "python run.py train 2", Grade.ABSENT),
    ],
)
def test_jobs_with_other_subcommands_of_one_program(tmp_path: Path, first: str, second: str, expected: Grade) -> None:
    workflow = (
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n"
        f"      - run: {first}\n  b:\n    needs: a\n    runs-on: x\n    steps:\n      - run: {second}\n"
    )
    tree = {**ML, "run.py": PROGRAM, ".github/workflows/ml.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), PRACTICE) is expected


# -- tasks handed over by names that only a star import binds ---------------------------------------------------------


@pytest.mark.parametrize(
    ("imported", "expected"),
    [
        ("from .nodes import *", Grade.IMPLEMENTED),
        ("from .nodes import clean, fit", Grade.IMPLEMENTED),
        ("from .other import *", Grade.TRACE),  # another file has functions of these names
        ("from elsewhere import *", Grade.TRACE),
        ("# from .nodes import *", Grade.TRACE),
    ],
)
def test_nodes_that_a_star_import_brings(tmp_path: Path, imported: str, expected: Grade) -> None:
    definition = (
        f"from kedro.pipeline import Pipeline, node\n{imported}\n\n\n"
        "def create_pipeline(**kwargs):\n    return Pipeline([\n"
        "        node(func=clean, inputs='raw', outputs='rows'),\n"
        "        node(func=fit, inputs='rows', outputs='model'),\n    ])\n"
    )
    nodes = "from sklearn.svm import SVC\n\n\ndef clean(raw):\n    return raw.dropna()\n\n\ndef fit(rows):\n"
    report = scan_tree(
        tmp_path,
        {
            "src/churn/pipeline.py": definition,
            "src/churn/__init__.py": "",
            "src/churn/nodes.py": nodes + "    return SVC().fit(rows[0], rows[1])\n",
            "src/churn/other.py": "def clean(raw):\n    return raw\n\n\ndef fit(rows):\n    return rows\n",
        },
    )
    assert grade(report, PRACTICE) is expected


# -- components in files of their own ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"), [("python train.py --data d.csv", Grade.WIRED), ("python data.py", Grade.TRACE)]
)
def test_azure_ml_pipeline_of_components(tmp_path: Path, command: str, expected: Grade) -> None:
    schema = "$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\n"
    report = scan_tree(
        tmp_path,
        {
            **ML,
            "jobs/pipeline.yml": "type: pipeline\njobs:\n  a: {component: ./a.yml}\n  b: {component: ./b.yml}\n",
            "jobs/a.yml": f"{schema}name: a\ncode: ..\ncommand: python data.py\n",
            "jobs/b.yml": f"{schema}name: b\ncode: ..\ncommand: {command}\n",
            ".github/workflows/a.yml": (
                "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
                "      - uses: actions/checkout@v4\n      - run: az ml job create --file jobs/pipeline.yml\n"
            ),
        },
    )
    assert grade(report, "pipeline/orchestration") is expected


# -- commands that code puts together ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("f'python {FOLDER}/train.py {given[0]}'", Grade.IMPLEMENTED),
        ("f'python {given[0]}/jobs/train.py'", Grade.IMPLEMENTED),
        ("f'cd {given[0]} && python jobs/train.py'", Grade.IMPLEMENTED),
        ("f'python {FOLDER}/{given[0]}'", Grade.TRACE),
        ("f'python {given[0]}.py'", Grade.TRACE),
        ("f'echo python {FOLDER}/train.py {given[0]}'", Grade.TRACE),
        ("f'{given[0]}'", Grade.TRACE),
    ],
)
def test_command_of_a_task_that_is_partly_known(tmp_path: Path, command: str, expected: Grade) -> None:
    dag_ = (
        "import sys\n\nfrom airflow import DAG\nfrom airflow.operators.bash import BashOperator\n\n"
        "FOLDER = '/opt/airflow/jobs'\ngiven = sys.argv\n\n"
        "with DAG('churn', schedule=None) as dag:\n"
        "    first = BashOperator(task_id='first', bash_command='python /opt/airflow/jobs/data.py')\n"
        f"    second = BashOperator(task_id='second', bash_command={command})\n    first >> second\n"
    )
    report = scan_tree(tmp_path, {"jobs/train.py": TRAIN, "jobs/data.py": ML["data.py"], "dags/churn.py": dag_})
    assert grade(report, PRACTICE) is expected


def test_a_job_handed_to_a_service_and_its_script_are_one_step(tmp_path: Path) -> None:
    report = scan_tree(
        tmp_path,
        {
            **ML,
            "job.yaml": "workerPoolSpecs:\n- containerSpec: {imageUri: x, command: [python, train.py]}\n",
            ".github/workflows/a.yml": (
                "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
                "      - run: gcloud ai custom-jobs create --config=job.yaml\n"
            ),
        },
    )
    assert not practice(report, PRACTICE).met
    assert grade(report, "code/modular-training") is Grade.WIRED


def test_flows_that_a_flow_calls_are_its_tasks(tmp_path: Path) -> None:
    head = "from prefect import flow\nfrom data import read\nfrom train import train\n\n\n"
    flows = "@flow\ndef load():\n    read('a')\n\n\n@flow\ndef fit():\n    train('a', 'b')\n\n\n"
    both = f"{head}{flows}@flow\ndef main():\n    load()\n    fit()\n"
    assert practice(scan_tree(tmp_path / "a", {**ML, "flow.py": both}), "pipeline/orchestration").met
    assert not practice(scan_tree(tmp_path / "b", {**ML, "flow.py": head + flows}), "pipeline/orchestration").met
