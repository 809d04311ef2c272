"""Pairs of a practice and what only looks like it, over whole scans: pipelines, data, models, environments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, context_of, grade, practice, scan_tree

PIPELINE, TRACKING = "pipeline/orchestration", "experiment/tracking"
REGISTRY, VERSIONS, CHECKED = "model/registry", "data/versioning", "data/validation"
MODEL_TESTS, GATE, PINNED, FEATURES = "model/testing", "model/quality-gate", "env/pinned", "data/feature-store"

MET = (Grade.IMPLEMENTED, Grade.WIRED)


def met(tmp_path: Path, tree: Tree, name: str) -> bool:
    """Whether a scan of the tree finds the practice implemented."""
    return grade(scan_tree(tmp_path, tree), name) in MET


# -- pipelines ---------------------------------------------------------------------------------------------------------

ARGO = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
    "metadata:\n  generateName: churn-\n  annotations: ANNOTATIONS\n"
    "spec:\n  entrypoint: all\n  templates:\n"
    "    - {name: prepare, container: {image: x, command: [python, data.py]}}\n"
    "    - {name: fit, container: {image: x, command: [python, train.py]}}\n"
)
COMPILED = "{pipelines.kubeflow.org/kfp_sdk_version: 1.8.22, pipelines.kubeflow.org/pipeline_spec: '{}'}"


@pytest.mark.parametrize(("annotations", "tool"), [(COMPILED, "kubeflow-pipelines"), ("{owner: ml}", "argo-workflows")])
def test_compiled_kubeflow_and_a_plain_workflow_that_trains(tmp_path: Path, annotations: str, tool: str) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "flow.yaml": ARGO.replace("ANNOTATIONS", annotations)}), PIPELINE)
    assert (result.grade, result.tools) == (Grade.IMPLEMENTED, (tool,))


COMPILED_V2 = (
    "# PIPELINE DEFINITION\npipelineInfo: {name: churn}\nschemaVersion: 2.1.0\nsdkVersion: kfp-2.7.0\n"
    "components:\n  comp-prepare: {executorLabel: exec-prepare}\n  comp-fit: {executorLabel: exec-fit}\n"
    "deploymentSpec:\n  executors:\n"
    "    exec-prepare: {container: {command: [sh, -c], args: ['frame.to_csv(out)']}}\n"
    "    exec-fit: {container: {command: [sh, -c], args: ['model.fit(x, y)']}}\n"
    "root:\n  dag:\n    tasks:\n      prepare: {componentRef: {name: comp-prepare}}\n"
    "      fit: {componentRef: {name: comp-fit}, dependentTasks: [prepare]}\n"
    "---\nplatforms: {kubernetes: {deploymentSpec: {executors: {}}}}\n"
)
OPENAPI = (
    "openapi: 3.0.0\nschemaVersion: 2.1.0\ninfo: {title: churn}\ncomponents: {schemas: {Row: {type: object}}}\n"
    "root: /api\npaths: {/predict: {post: {}}}\n"
)


@pytest.mark.parametrize(("text", "found"), [(COMPILED_V2, True), (OPENAPI, False)], ids=["compiled", "OpenAPI"])
def test_compiled_kubeflow_and_an_interface_description(tmp_path: Path, text: str, found: bool) -> None:
    assert met(tmp_path, {**ML, "churn.yaml": text}, PIPELINE) is found


RECIPE = (
    'recipe: "regression/v1"\ntarget_col: fare\nsteps:\n  ingest: {{INGEST_CONFIG}}\n  split: {ratio: 0.2}\n'
    "  train: {using: custom}\n  evaluate:\n    validation_criteria:\n      - {metric: rmse, threshold: 10}\n"
)
CONDA_RECIPE = (
    "schema_version: 1\ncontext: {version: 1.0.0}\npackage: {name: churn, version: '${{ version }}'}\n"
    "build: {script: python train.py}\nsteps: {train: {}}\n"
)


@pytest.mark.parametrize(("text", "found"), [(RECIPE, True), (CONDA_RECIPE, False)], ids=["MLflow", "conda"])
def test_recipes_of_two_tools(tmp_path: Path, text: str, found: bool) -> None:
    assert (
        met(tmp_path, {"steps/train.py": ML["train.py"], "data.py": ML["data.py"], "recipe.yaml": text}, PIPELINE)
        is found
    )


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("dvc.yaml", "stages:\n  data: {cmd: python data.py}\n  train: {cmd: python train.py}\n", True),
        ("dvclive/dvc.yaml", "metrics: [metrics.json]\nplots: [plots/metrics/loss.tsv]\n", False),
    ],
    ids=["stages", "plots"],
)
def test_stages_and_plots_of_dvc(tmp_path: Path, path: str, text: str, found: bool) -> None:
    assert met(tmp_path, {**ML, path: text}, PIPELINE) is found


SAGEMAKER = (
    "from sagemaker.workflow.pipeline import Pipeline\n"
    "from sagemaker.workflow.steps import ProcessingStep, TrainingStep\n\n"
    "rows = ProcessingStep(name='rows', step_args=arguments)\n"
    "fit = TrainingStep(name='fit', step_args=estimator)\n"
    "pipeline = Pipeline(name='churn', steps=[rows, fit])\n"
)
SAGEMAKER_3 = SAGEMAKER.replace("sagemaker.workflow.pipeline", "sagemaker.mlops.workflow.pipeline").replace(
    "sagemaker.workflow.steps", "sagemaker.mlops.workflow.steps"
)
OWN = {
    "sagemaker/__init__.py": "",
    "sagemaker/workflow/__init__.py": "",
    "sagemaker/workflow/pipeline.py": (
        "class Pipeline:\n    def __init__(self, name, steps):\n        self.steps = steps\n"
    ),
    "sagemaker/workflow/steps.py": "class ProcessingStep(dict):\n    pass\n\n\nclass TrainingStep(dict):\n    pass\n",
}


@pytest.mark.parametrize(
    ("code", "more", "found"),
    [(SAGEMAKER, {}, True), (SAGEMAKER_3, {}, True), (SAGEMAKER, OWN, False)],
    ids=["version 2", "version 3", "a package of the repository"],
)
def test_sagemaker_and_a_local_package_of_that_name(tmp_path: Path, code: str, more: Tree, found: bool) -> None:
    assert met(tmp_path, {**ML, "pipeline.py": code, **more}, PIPELINE) is found


DAG = (
    "from airflow import DAG\nfrom airflow.operators.bash import BashOperator\n\n"
    "with DAG('weekly'):\n    a = BashOperator(task_id='a', bash_command='python data.py')\n"
    "    b = BashOperator(task_id='b', bash_command='python {script}')\n    a >> b\n"
)


@pytest.mark.parametrize(("script", "found"), [("train.py", True), ("load.py", False)], ids=["trains", "loads"])
def test_a_dag_that_trains_and_one_that_moves_data(tmp_path: Path, script: str, found: bool) -> None:
    tree = {
        **ML,
        "load.py": "import pandas as pd\n\npd.read_csv('a').to_csv('b')\n",
        "dags/weekly.py": DAG.replace("{script}", script),
    }
    assert met(tmp_path, tree, PIPELINE) is found


# -- data and models ---------------------------------------------------------------------------------------------------

POINTER = "outs:\n- md5: 22a1a2931c8370d3aeedd7183606fd7f\n  size: 14445097\n  hash: md5\n  path: rows.csv\n"


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"dvcfiles/rows.dvc": "wdir: ../data\n" + POINTER, ".dvc/config": "[core]\n    remote = s\n"}, True),
        ({".dvc/config": "[core]\n    remote = s\n", ".dvc/.gitignore": "/cache\n", ".dvcignore": "# none\n"}, False),
    ],
    ids=["pointer elsewhere", "skeleton"],
)
def test_dvc_pointer_and_skeleton(tmp_path: Path, tree: Tree, found: bool) -> None:
    assert met(tmp_path, {**ML, **tree}, VERSIONS) is found


LOGS = (
    "\n\ndef record(value):\n    import mlflow\n\n    with mlflow.start_run():\n"
    "        mlflow.log_metric('auc', value)\n"
)
TRAINS_AND_LOGS = (
    str(ML["train.py"])
    .replace("    joblib.dump(model, out)\n", "    joblib.dump(model, out)\n    record(model.score(x, y))\n")
    .replace("\n\nif __name__", LOGS + "\n\nif __name__")
)


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"train.py": TRAINS_AND_LOGS}, True),
        ({"mlruns/0/meta.yaml": "experiment_id: '0'\nname: Default\n", "mlflow.db": b"SQLite format 3\0"}, False),
        (
            {
                "compose.yaml": (
                    "services:\n  mlflow:\n    image: ghcr.io/mlflow/mlflow:v2.9.2\n    command: mlflow server\n"
                )
            },
            False,
        ),
    ],
    ids=["calls", "a store that is left over", "a server"],
)
def test_tracking_by_calls_and_what_is_left_of_it(tmp_path: Path, tree: Tree, found: bool) -> None:
    assert met(tmp_path, {**ML, **tree}, TRACKING) is found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        (
            "from feast import Entity, FeatureStore, FeatureView\n\n"
            "rows = FeatureView(name='rows', entities=[Entity(name='id')])\n"
            "store = FeatureStore(repo_path='.')\n"
            "store.get_historical_features(entity_df=frame, features=['rows:age'])\n",
            True,
        ),
        ("", False),
    ],
    ids=["views that training reads", "scaffold"],
)
def test_feature_store_and_its_scaffold(tmp_path: Path, code: str, found: bool) -> None:
    config = "project: churn\nregistry: data/registry.db\nprovider: local\nonline_store: {type: sqlite}\n"
    tree = {**ML, "features/feature_store.yaml": config, **({"features/views.py": code} if code else {})}
    assert met(tmp_path, tree, FEATURES) is found


SUITE = {
    "expectation_suite_name": "rows",
    "expectations": [{"expectation_type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}],
}
CHECKPOINT = (
    "import great_expectations as gx\n\ncontext = gx.get_context()\n"
    "result = context.run_checkpoint(checkpoint_name='rows')\nif not result.success:\n    raise SystemExit(1)\n"
)


@pytest.mark.parametrize(
    ("suite", "code", "expected"),
    [
        (SUITE, CHECKPOINT, Grade.WIRED),
        (SUITE, CHECKPOINT.partition("if ")[0], Grade.IMPLEMENTED),
        (SUITE, "", Grade.TRACE),
        ({**SUITE, "expectations": []}, "", Grade.ABSENT),
    ],
    ids=["run in CI", "its result is not read", "suite only", "empty suite"],
)
def test_expectations(tmp_path: Path, suite: dict[str, object], code: str, expected: Grade) -> None:
    workflow = "on: push\njobs:\n  a:\n    steps:\n      - run: python check.py\n"
    tree: dict[str, str | bytes] = {**ML, "gx/expectations/rows.json": json.dumps(suite)}
    if code:
        tree |= {"check.py": code, ".github/workflows/w.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), CHECKED) is expected


# -- tests and gates ---------------------------------------------------------------------------------------------------

QUALITY = (
    "import joblib\nfrom sklearn.metrics import f1_score\n\n\ndef test_quality():\n"
    "    model = joblib.load('model.joblib')\n"
    "    assert f1_score([0, 1], model.predict([[0], [1]])) > 0.8\n"
)
ORM = (
    "from app.models import Customer\n\n\ndef test_customer():\n    customer = Customer(name='a')\n"
    "    assert customer.save() and customer.name == 'a'\n"
)
MODELS = (
    "import sqlalchemy\n\n\nclass Customer:\n    def __init__(self, name):\n"
    "        self.name = name\n\n    def save(self):\n        return True\n"
)


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [("tests/model/test_quality.py", QUALITY, True), ("tests/models/test_customer.py", ORM, False)],
    ids=["a model", "a table"],
)
def test_tests_of_a_model_and_of_a_table(tmp_path: Path, path: str, text: str, found: bool) -> None:
    assert met(tmp_path, {**ML, "app/models.py": MODELS, path: text}, MODEL_TESTS) is found


# -- training ----------------------------------------------------------------------------------------------------------

SCORING = (
    "import torch\n\nmodel = torch.load('m.pt')\nmodel.eval()\nmodel.train()\n"
    "with torch.no_grad():\n    print(model(torch.ones(1)))\n"
)
LOOP = (
    "import torch\n\nmodel = torch.nn.Linear(1, 1)\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
    "for x, y in batches:\n    loss = ((model(x) - y) ** 2).mean()\n    loss.backward()\n    optimizer.step()\n"
)
SCALES = "from sklearn.preprocessing import StandardScaler\n\nStandardScaler().fit(rows)\n"
FITS = "from sklearn.linear_model import Ridge\n\nRidge().fit(rows, target)\n"


@pytest.mark.parametrize(
    ("code", "trains"),
    [(LOOP, True), (SCORING, False), (FITS, True), (SCALES, False)],
    ids=["loop", "mode switches", "estimator", "scaler"],
)
def test_what_trains(tmp_path: Path, code: str, trains: bool) -> None:
    assert any(True for _ in context_of(tmp_path, {"step.py": code}).doing("train")) is trains


# -- environments ------------------------------------------------------------------------------------------------------

HASHED = "scikit-learn==1.5.2 \\\n    --hash=sha256:" + "a" * 64 + "\n"


@pytest.mark.parametrize(
    ("path", "content", "found"),
    [
        ("requirements.txt", HASHED, True),
        ("requirements.txt", "scikit-learn==1.5.2\r\npandas==2.2.3\r\n".encode("utf-16"), True),
        ("docs/requirements.txt", "sphinx==7.2.6\n", False),
    ],
    ids=["hashes", "UTF-16", "of the documentation"],
)
def test_requirements(tmp_path: Path, path: str, content: str | bytes, found: bool) -> None:
    assert met(tmp_path, {**ML, path: content}, PINNED) is found
