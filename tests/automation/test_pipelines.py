from __future__ import annotations

import json
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines import declared, rulefiles
from mlops_scan.documents.store import Documents


def pipelines(path: str, text: str) -> list[Pipeline]:
    documents = Documents.of({path: dedent(text)})
    return list(declared(path, documents.nodes(path)))


def pipeline(path: str, text: str) -> Pipeline:
    (one,) = pipelines(path, text)
    return one


def brief(steps: tuple[PipelineStep, ...]) -> list[tuple[str, int, str, int]]:
    return [(step.name, step.line, step.command.strip(), step.command_line) for step in steps]


# -- DVC --------------------------------------------------------------------------------------------------------------


def test_dvc() -> None:
    found = pipeline(
        "ml/dvc.yaml",
        """\
        vars: [params.yaml]
        stages:
          prepare:
            cmd: python src/prepare.py
            params: [split]
          train:
            wdir: ../src
            cmd:
              - python train.py
              - >-
                python evaluate.py
                --x
          report:
            cmd: |
              one
              two
          broken: {deps: [x]}
        """,
    )
    assert (found.tool, found.line, found.path) == ("dvc", 2, "ml/dvc.yaml")
    assert brief(found.steps) == [
        ("prepare", 3, "python src/prepare.py", 4),
        ("train", 6, "python train.py\n\npython evaluate.py --x", 9),
        ("report", 13, "one\ntwo", 15),
    ]
    assert [(step.folder, step.has_params) for step in found.steps] == [("ml", True), ("src", False), ("ml", False)]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("foreach: [a, b]\n    do: {cmd: 'python ${item}.py'}", ["python a.py", "python b.py"]),
        (
            "foreach: {x: {f: a}, y: {f: b}}\n    do: {cmd: 'python ${item.f}.py ${key}'}",
            ["python a.py x", "python b.py y"],
        ),
        ("foreach: ${models}\n    do: {cmd: 'python t.py ${item}'}", ["python t.py ${item}"]),
        ("matrix: {m: [a, b], s: [1]}\n    cmd: python ${item.m}.py ${item.s}", ["python a.py 1", "python b.py 1"]),
        ("foreach: [a, b]\n    do: {cmd: python t.py}", ["python t.py"]),
    ],
)
def test_dvc_loops(stage: str, expected: list[str]) -> None:
    found = pipeline("dvc.yaml", f"stages:\n  s:\n    {stage}\n")
    assert [step.command for step in found.steps] == expected


@pytest.mark.parametrize(
    "text",
    [
        "plots: [a.csv]\nmetrics: [m.json]\n",
        "stages: {}",
        "stages: [a]",
        "stages: {a: 1, b: {cmd: }}",
        "artifacts: {m: {path: x, type: model}}",
        "3",
    ],
)
def test_dvc_without_stages(text: str) -> None:
    assert pipelines("dvc.yaml", text) == []


def test_a_template_of_a_dvc_yaml() -> None:
    assert pipeline("{{ cookiecutter.x }}/dvc.yaml", "stages: {a: {cmd: python a.py}}").tool == "dvc"
    assert pipeline("dvc.yaml.jinja", "stages: {a: {cmd: python a.py}}").tool == "dvc"


# -- MLflow -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MLproject", "mlproject", "MLPROJECT", "sub/MLProject"])
def test_mlproject(name: str) -> None:
    found = pipeline(
        name,
        (
            "name: churn\npython_env: e.yaml\nentry_points:\n  main:\n"
            "    parameters: {a: float}\n    command: python train.py {a}\n  b: {command: x}\n"
        ),
    )
    assert (found.tool, found.name, found.entry_points) == ("mlflow-projects", "churn", True)
    assert brief(found.steps) == [("main", 4, "python train.py {a}", 6), ("b", 7, "x", 7)]
    assert [step.has_params for step in found.steps] == [True, False]


def test_mlproject_without_commands() -> None:
    assert pipelines("MLproject", "name: x\n") == [] == pipelines("MLproject", "entry_points: {main: {parameters: {}}}")


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("recipe.yaml", 'recipe: "regression/v1"'),
        ("recipe.yaml", "recipe: classification/v1"),
        ("pipeline.yaml", "template: regression/v1"),
        ("training/recipe.yaml.tmpl", "recipe: regression/v1"),
    ],
)
def test_recipes(path: str, head: str) -> None:
    found = pipeline(
        path,
        (
            f"{head}\nprimary_metric: {{{{PRIMARY_METRIC}}}}\nsteps:\n"
            f"  ingest: {{{{INGEST_CONFIG}}}}\n  split:\n    split_ratios: {{{{SPLIT}}}}\n"
            f"  train: {{using: custom}}\n  evaluate: {{}}\n  register: {{}}\n"
        ),
    )
    assert found.tool == "mlflow-recipes" and found.line == 3
    assert [(step.name, sorted(step.does)) for step in found.steps] == [
        ("ingest", []),
        ("split", ["preprocess"]),
        ("train", ["train"]),
        ("evaluate", ["evaluate"]),
        ("register", ["register"]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "schema_version: 1\ncontext: {name: x}\npackage: {name: x}\nbuild: {number: 0}\n",
        "recipe: {name: x, version: 1}\nbuild: {script: make}\n",
        "recipe: soup\nsteps: {train: {}}\n",
        "name: image\nbase-image: x\nmodules: [{type: files}]\n",
    ],
)
def test_other_recipes(text: str) -> None:
    assert pipelines("recipe.yaml", text) == []


# -- clusters ---------------------------------------------------------------------------------------------------------

IR = """\
# PIPELINE DEFINITION
components:
  comp-train: {executorLabel: exec-train}
deploymentSpec:
  executors:
    exec-train: {container: {image: x, command: [sh, -c, "def train():\\n  m.fit(x)\\n"], args: [--x]}}
    exec-other: {container: {image: x}}
pipelineInfo: {name: churn}
root:
  dag:
    tasks:
      train: {componentRef: {name: comp-train}}
      load: {componentRef: {name: comp-load}}
schemaVersion: 2.1.0
sdkVersion: kfp-2.4.0
---
platforms: {kubernetes: {deploymentSpec: {executors: {}}}}
"""


def test_kubeflow_v2() -> None:
    found = pipeline("p.yaml", IR)
    assert (found.tool, found.name, found.line) == ("kubeflow-pipelines", "churn", 11)
    assert [(step.name, step.line, sorted(step.does)) for step in found.steps] == [
        ("train", 12, ["train"]),
        ("load", 13, []),
    ]


def test_kubeflow_v2_wrapped() -> None:
    spec = {"pipelineInfo": {"name": "p"}, "root": {"dag": {"tasks": {"a": {}}}}}
    assert pipeline("p.json", json.dumps({"displayName": "x", "pipelineSpec": spec})).name == "p"
    assert (
        pipeline(
            "p.json",
            json.dumps(
                {
                    "apiVersion": "pipelines.kubeflow.org/v2beta1",
                    "kind": "PipelineVersion",
                    "spec": {"pipelineSpec": spec},
                }
            ),
        ).tool
        == "kubeflow-pipelines"
    )


@pytest.mark.parametrize(
    "text",
    [
        "schemaVersion: 2.0.0\ncomponents: {}\nroot: {}\n",
        "openapi: 3.0.0\ninfo: {}\npaths: {}\ncomponents: {schemas: {}}\n",
        "pipelineInfo: {name: x}\nroot: {}\n",
    ],
)
def test_what_looks_like_kubeflow(text: str) -> None:
    assert pipelines("x.yaml", text) == []


ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: {kind}
metadata: {{generateName: train-, annotations: {annotations}}}
spec:
  {clock}
  {body}
"""
TEMPLATES = """templates:
  - name: dag
    dag: {tasks: [{name: a, template: train}]}
  - name: train
    container:
      image: x
      command: [python, "my train.py"]
      args: [--x]
  - name: score
    script:
      image: x
      command: [bash]
      source: |
        set -e
        python score.py
  - name: fit
    script: {image: x, command: [python], source: "m.fit(x)"}
"""


def argo(kind: str = "Workflow", annotations: str = "{}", clock: str = "entrypoint: dag", nested: bool = False) -> str:
    body = TEMPLATES.replace("\n", "\n  ")
    if nested:
        body = "workflowSpec:\n    " + TEMPLATES.replace("\n", "\n    ")
    return ARGO.format(kind=kind, annotations=annotations, clock=clock, body=body)


def test_plain_argo() -> None:
    found = pipeline("wf.yaml", argo())
    assert (found.tool, found.name, found.schedule) == ("argo-workflows", "train-", "")
    assert brief(found.steps) == [
        ("train", 9, "python 'my train.py' --x", 12),
        ("score", 14, "set -e\npython score.py", 19),
        ("fit", 21, "", 22),
    ]
    assert [sorted(step.does) for step in found.steps] == [[], [], ["train"]]


def test_kubeflow_v1() -> None:
    annotations = "{pipelines.kubeflow.org/kfp_sdk_version: 1.8.22, pipelines.kubeflow.org/pipeline_spec: '{}'}"
    assert pipeline("p.yaml", argo(annotations=annotations)).tool == "kubeflow-pipelines"
    embedded = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n"
        "metadata: {labels: {pipelines.kubeflow.org/kfp_sdk_version: 1.8}}\nspec:\n"
        "  templates:\n  - name: t\n    container:\n      command: [sh, -ec, 'x']\n"
        "      args: ['def f():\n\n  m.fit(x)']\n"
    )
    (step,) = pipeline("p.yaml", embedded).steps
    assert (step.command, sorted(step.does)) == ("", ["train"])


@pytest.mark.parametrize(
    ("clock", "schedule", "off"),
    [
        ('schedule: "0 2 * * *"', "0 2 * * *", ""),
        ('schedules: ["0 2 * * *"]', "0 2 * * *", ""),
        ('schedule: "0 2 * * *"\n  suspend: true', "0 2 * * *", "`suspend: true`"),
        ('schedule: "0 2 * * *"\n  suspend: false', "0 2 * * *", ""),
    ],
)
def test_cron_workflows(clock: str, schedule: str, off: str) -> None:
    found = pipeline("cron.yaml", argo("CronWorkflow", clock=clock, nested=True))
    assert (found.schedule, found.schedule_line, found.schedule_off, len(found.steps)) == (schedule, 5, off, 3)


@pytest.mark.parametrize("kind", ["Application", "Rollout", "Sensor"])
def test_other_kinds_of_argo(kind: str) -> None:
    assert pipelines("x.yaml", argo(kind)) == []
    assert pipelines("x.yaml", argo().replace("argoproj.io/v1alpha1", "kubeflow.org/v1beta1")) == []


CRON_JOB = """\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: retrain}}
spec:
  schedule: "0 3 * * 0"
  suspend: {suspend}
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: train
              command: ["sh", "-c", "cd /app && python train.py"]
"""


def test_cron_jobs() -> None:
    found = pipeline("k8s/cron.yaml", CRON_JOB.format(suspend="false"))
    assert (found.tool, found.name, found.schedule, found.schedule_line, found.schedule_off) == (
        "kubernetes-cronjob",
        "retrain",
        "0 3 * * 0",
        5,
        "",
    )
    assert brief(found.steps) == [("train", 12, "sh -c 'cd /app && python train.py'", 13)]
    assert pipeline("k8s/cron.yaml", CRON_JOB.format(suspend="true")).schedule_off
    assert pipelines("k8s/x.yaml", CRON_JOB.format(suspend="false").replace("CronJob", "Job")) == []
    assert pipelines("k8s/x.yaml", "apiVersion: batch/v1\nkind: CronJob\nspec: {schedule: x}\n") == []


def test_ploomber() -> None:
    found = pipeline(
        "flow/pipeline.yaml",
        """\
        executor: parallel
        tasks:
          - source: tasks.raw.get
            product: out/raw.csv
          - source: scripts/fit.py
            name: fit-[[model]]-[[depth]]
            product: {nb: "out/fit-[[model]].html"}
            grid:
              - {model: [forest], depth: [1, 2]}
          - source: plot.ipynb
            product: out/plot.html
            params: {a: 1}
          - source: clean.sql
            product: [clean, table]
          - source: "../x; rm -rf /.py"
            product: y
        """,
    )
    assert (found.tool, found.line, {step.folder for step in found.steps}) == ("ploomber", 2, {"flow"})
    assert [(step.name, step.command, step.has_params) for step in found.steps] == [
        ("tasks.raw.get", "python -c 'from tasks.raw import get; get()'", False),
        ("fit-[[model]]-[[depth]]", "python scripts/fit.py", True),
        ("plot.ipynb", "python plot.ipynb", True),
        ("clean.sql", "", False),
        ("../x; rm -rf /.py", "python '../x; rm -rf /.py'", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "tasks:\n  - source: a.py\n",
        "tasks:\n  - {source: a.py, product: x}\n  - {name: lint, sources: [b]}\n",
        "tasks: {source: a.py, product: x}\n",
        "tasks: []\n",
    ],
)
def test_what_is_no_ploomber_spec(text: str) -> None:
    assert pipelines("pipeline.yaml", text) == []


# -- managed services -------------------------------------------------------------------------------------------------


def test_databricks() -> None:
    found = pipeline(
        "resources/jobs.yml",
        """\
        resources:
          jobs:
            retrain:
              name: x
              schedule:
                quartz_cron_expression: "0 0 2 * * ?"
                pause_status: PAUSED
              tasks:
                - task_key: train
                  notebook_task:
                    notebook_path: ../src/train
                - task_key: check
                  depends_on: [{task_key: train}]
                  spark_python_task: {python_file: ../src/check.py}
                - task_key: wheel
                  python_wheel_task: {package_name: a, entry_point: run-a}
                - task_key: sql
                  sql_task: {}
        """,
    )
    assert (found.tool, found.name, found.schedule, found.schedule_line) == ("databricks", "retrain", "0 0 2 * * ?", 6)
    assert found.schedule_off == "`pause_status: PAUSED`"
    assert [(name, command, line) for name, _, command, line in brief(found.steps)] == [
        ("train", "python ../src/train.py", 11),
        ("check", "python ../src/check.py", 14),
        ("wheel", "run-a", 16),
        ("sql", "", 17),
    ]
    assert {step.folder for step in found.steps} == {"resources"}


def test_parameters_of_databricks_tasks() -> None:
    found = pipeline(
        "resources/jobs.yml",
        """\
        resources:
          jobs:
            j:
              tasks:
                - task_key: a
                  notebook_task:
                    notebook_path: ../a.py
                    base_parameters: {mode: dry_run, share: 0.5, strict: true, query: "SELECT `x` FROM t; rm -rf /"}
                - task_key: b
                  spark_python_task: {python_file: ../b.py, parameters: [--env, "${bundle.target}"]}
                - task_key: c
                  python_wheel_task: {entry_point: run, named_parameters: {k: v}}
                - task_key: d
                  notebook_task: {notebook_path: ../d.py, base_parameters: {long: "%s", nested: {a: 1}}}
        """
        % ("x" * 300),
    )
    assert [step.command for step in found.steps] == [
        "python ../a.py --mode=dry_run --share=0.5 --strict=true '--query=SELECT `x` FROM t; rm -rf /'",
        "python ../b.py --env '${bundle.target}'",
        "run --k=v",
        "python ../d.py",
    ]


def test_a_databricks_job_of_the_api() -> None:
    job = {
        "name": "j",
        "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "x.ipynb"}}],
        "schedule": {"quartz_cron_expression": "0 0 1 * * ?", "pause_status": "UNPAUSED"},
    }
    found = pipeline("job.json", json.dumps(job))
    assert (found.name, found.schedule_off, found.steps[0].command) == ("j", "", "python x.ipynb")


AZURE = (
    "$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json\n"
    "{kind}display_name: churn\njobs:\n  train:\n    type: command\n    code: ../src\n"
    "    command: >-\n      python train.py\n      --a ${{{{inputs.a}}}}\n"
    "    inputs: {{a: 1}}\n  eval:\n    component: file:./eval.yml\n"
)


@pytest.mark.parametrize("kind", ["type: pipeline\n", ""])
def test_azure_ml(kind: str) -> None:
    found = pipeline("jobs/pipeline.yml", AZURE.format(kind=kind))
    assert (found.tool, found.name, [step.name for step in found.steps]) == ("azure-ml", "churn", ["train", "eval"])
    train = found.steps[0]
    assert (train.folder, train.has_params, train.command) == ("src", True, "python train.py --a ${{inputs.a}}")


@pytest.mark.parametrize("text", ["type: pipeline\njobs: [a]\n", "type: command\njobs: {a: {command: x}}\n"])
def test_what_is_no_azure_ml_pipeline(text: str) -> None:
    assert pipelines("x.yml", text) == []


AZURE_V1 = (
    "pipeline:\n  name: churn\n  steps:\n    First:\n      type: {kind}\n      name: train\n"
    "      script_name: train.py\n      source_directory: {folder}\n      parameters: {{A: 1}}\n"
)


@pytest.mark.parametrize(
    ("folder", "expected"), [("/code/train/", "code/train"), ("train", "p/train"), ('"D:\\\\x"', "p"), ('""', "p")]
)
def test_azure_ml_of_the_first_version(folder: str, expected: str) -> None:
    found = pipeline("p/train.yml", AZURE_V1.format(kind="PythonScriptStep", folder=folder))
    assert (found.tool, found.name, found.line) == ("azure-ml", "churn", 3)
    assert [(s.name, s.command, s.folder, s.has_params) for s in found.steps] == [
        ("train", "python train.py", expected, True)
    ]


@pytest.mark.parametrize(
    "text", [AZURE_V1.format(kind="Deploy", folder="/a"), "pipeline: {steps: [{type: MpiStep}]}\n"]
)
def test_other_steps_by_name(text: str) -> None:
    assert pipelines("p/train.yml", text) == []


# -- lists of steps ---------------------------------------------------------------------------------------------------


STEPS = {
    "top": (
        "steps:\n  - name: prepare\n    script: prepare.py\n  - name: train\n"
        "    script: train.py\n    params: {lr: 0.1}\n"
    ),
    "below": (
        "pipeline:\n  name: churn\n  steps:\n    - {name: prepare, script: prepare.py}\n"
        "    - {name: train, script: train.py, params: {a: 1}}\n"
    ),
    "mapping": "pipeline:\n  steps:\n    prepare: {script: prepare.py}\n    train: {script: train.py, args: [--a]}\n",
    "stages": (
        "stages:\n  - {name: prepare, command: python prepare.py}\n  - {name: train, command: [python, train.py]}\n"
    ),
    "tasks": (
        "workflow:\n  tasks:\n    - {id: prepare, run: python prepare.py}\n    - {id: train, cmd: python train.py}\n"
    ),
    "single keys": "steps:\n  - prepare: {script: prepare.py}\n  - train: {script: train.py}\n",
    "modules": "steps:\n  - {name: prepare, module: a.prepare}\n  - {name: train, file: train.py}\n",
    "direct": "pipeline:\n  - {name: prepare, script: prepare.py}\n  - {name: train, script: train.py}\n",
    "own kind": (
        "apiVersion: mlops/v1\nkind: Pipeline\nspec:\n  steps:\n"
        "    - {name: prepare, script: prepare.py}\n    - {name: train, script: train.py}\n"
    ),
}


@pytest.mark.parametrize("text", STEPS.values(), ids=STEPS.keys())
def test_step_lists(text: str) -> None:
    found = pipeline("conf/pipeline.yaml", text)
    assert (found.tool, [step.name for step in found.steps]) == ("steps-yaml", ["prepare", "train"])
    assert all(step.folder == "conf" and ("prepare" in step.command or "train" in step.command) for step in found.steps)


def test_commands_of_step_lists() -> None:
    found = pipeline(
        "p.yaml",
        (
            "steps:\n  - name: a\n    command: python\n    args: [a.py, 'x y']\n  - name: b\n"
            "    run: |\n      one\n      two\n  - {name: c, module: m.c}\n"
        ),
    )
    assert brief(found.steps) == [
        ("a", 2, "python a.py 'x y'", 3),
        ("b", 5, "one\ntwo", 7),
        ("c", 9, "python -m m.c", 9),
    ]
    assert [step.has_params for step in found.steps] == [True, False, False]


TWO = "- {name: a, script: a.py}\n- {name: b, script: b.py}\n"
NO_PIPELINES = {
    "action.yml": (
        "name: x\nruns:\n  using: composite\n  steps:\n    - {name: a, run: a, shell: bash}\n"
        "    - {name: b, run: b, shell: bash}\n"
    ),
    "actions/x/other.yml": "runs:\n  using: composite\n  steps:\n    - {name: a, run: a}\n    - {name: b, run: b}\n",
    "ci/flow.yml": "on: push\njobs: {a: {steps: [{name: a, run: a}, {name: b, run: b}]}}\n",
    "jobs.yml": "jobs: {steps: [{name: a, run: a}, {name: b, run: b}]}\n",
    "docker-compose.yml": "services:\n  a: {command: python a.py}\n  b: {command: python b.py}\n",
    "stack.yml": "services: {steps: [{name: a, command: a}, {name: b, command: b}]}\n",
    "playbook.yml": "- hosts: all\n  tasks:\n    - {name: a, command: a}\n    - {name: b, script: b.sh}\n",
    "cloudbuild.yaml": "steps:\n  - {name: gcr.io/x, entrypoint: bash}\n  - {name: gcr.io/y, entrypoint: bash}\n",
    "Taskfile.yml": "tasks: {a: {cmd: x}, b: {cmd: y}}\n",
    "pixi.toml": "[tasks]\na = {cmd = 'x'}\nb = {cmd = 'y'}\n",
    ".vscode/tasks.json": '{"tasks": [{"name": "a", "command": "x"}, {"name": "b", "command": "y"}]}',
    "task.yaml": "apiVersion: tekton.dev/v1\nkind: Task\nspec: {steps: [{name: a, script: x}, {name: b, script: y}]}\n",
    "build/release.yaml": (
        "steps:\n  - {name: gcr.io/cloud-builders/git, entrypoint: git, args: [clone]}\n"
        "  - {name: image, entrypoint: pytest, args: [tests]}\n"
    ),
    "ci.yaml": "pipeline:\n  - {name: a, stage: test, script: x}\n  - {name: b, stage: test, script: y}\n",
    "drone.yml": "steps:\n  - {name: a, image: x, commands: [a]}\n  - {name: b, image: y, run: b}\n",
    "one.yml": "steps:\n  - {name: a, script: a.py}\n",
    "tour.json": '{"steps": [{"name": "a", "file": "a.md"}, {"name": "b", "path": "docs"}]}',
    "settings.yml": "steps: {a: {epochs: 3}, b: {lr: 1}}\nstages: [a, b]\n",
    "uses.yml": "steps:\n  - {name: a, uses: x, run: y}\n  - {name: b, uses: x, run: y}\n",
    "words.yml": "steps: [a, b]\npipeline: {steps: 3}\n",
    "scoring.yml": "model: {steps: [[a, b], [c]]}\n",
}


@pytest.mark.parametrize(("path", "text"), NO_PIPELINES.items(), ids=NO_PIPELINES.keys())
def test_other_lists_of_steps(path: str, text: str) -> None:
    assert pipelines(path, text) == []


@pytest.mark.parametrize("path", ["dvc.yaml", "MLproject", "recipe.yaml", "x.yaml", "prefect.yaml"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        (
            "stages: {a: [1], b: {cmd: {x: y}}, c: {foreach: 3, do: 4}, d: {matrix: [a], cmd: [[x]]}}\n"
            "entry_points: {a: 1}"
        ),
        "recipe: regression/v1\nsteps: {train: 3}",
        "pipelineInfo: 3\nroot: {dag: {tasks: [a]}}\ndeploymentSpec: 3\ncomponents: []",
        "apiVersion: argoproj.io/v1\nkind: Workflow\nspec: {templates: {a: b}}\nmetadata: 3",
        "apiVersion: argoproj.io/v1\nkind: Workflow\nspec: {templates: [1, {container: 3}, {script: {source: [x]}}]}",
        (
            "apiVersion: batch/v1\nkind: CronJob\n"
            "spec: {schedule: [x], jobTemplate: {spec: {template: {spec: {containers: [1, {command: x}]}}}}}"
        ),
        "resources: {jobs: {a: 3, b: {tasks: [1, {notebook_task: 3}], schedule: 3}}}",
        "resources: {jobs: 3}",
        "type: pipeline\njobs: {a: 3, b: {command: [x, y], code: [z]}}",
        "steps: [1, [2], {a: {script: [x, [y]]}}, {name: b, script: {c: d}}]",
    ],
)
def test_broken_shapes_do_not_raise(path: str, text: str) -> None:
    for found in pipelines(path, text):
        assert found.line >= 1 and all(step.line >= 1 for step in found.steps)


# -- Bodywork ----------------------------------------------------------------------------------------------------------

BODYWORK = """\
    version: "1.1"
    pipeline: {name: churn, docker_image: "a/b:1", DAG: "prepare >> fit, tune >> score"}
    stages:
      prepare: {executable_module_path: prepare.py}
      fit:
        executable_module_path: stages/fit.py
        args: [--rows, "10"]
      score: {executable_module_path: stages/score.py, service: {port: 5000}}
      unused: {executable_module_path: unused.py}
    """


@pytest.mark.parametrize("head", ["pipeline", "project"])
def test_bodywork(head: str) -> None:
    found = pipeline("deploy/bodywork.yaml", BODYWORK.replace("pipeline:", f"{head}:"))
    assert (found.tool, found.name) == ("bodywork", "churn")
    assert brief(found.steps) == [
        ("prepare", 4, "python prepare.py", 4),
        ("fit", 5, "python fit.py --rows 10", 6),
        ("score", 8, "python score.py", 8),
    ]
    assert [step.folder for step in found.steps] == ["deploy", "deploy/stages", "deploy/stages"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bodywork.yaml", "pipeline: {name: a}\nstages: {a: {executable_module_path: a.py}}\n"),
        ("bodywork.yaml", "pipeline: {DAG: a >> b}\nstages: {c: {executable_module_path: a.py}}\n"),
        ("bodywork.yaml", "pipeline: {DAG: a}\n# stages: {a: {executable_module_path: a.py}}\n"),
        ("other.yaml", "pipeline: {DAG: a}\nstages: {a: {executable_module_path: a.py}}\n"),
    ],
    ids=["no graph", "stages that the graph does not name", "commented out", "another file"],
)
def test_no_bodywork_pipeline(path: str, text: str) -> None:
    assert pipelines(path, text) == []


# -- spaCy projects ----------------------------------------------------------------------------------------------------

SPACY = """\
    title: tagger
    vars: {gpu: -1}
    commands:
      - name: corpus
        script: ["python scripts/corpus.py"]
      - name: train
        script:
          - "spacy train configs/config.cfg --gpu-id ${vars.gpu}"
      - name: clean
        script: ["rm -rf training"]
    workflows:
      all: [corpus, train, absent]
    """


def test_spacy_project() -> None:
    found = pipeline("tagger/project.yml", SPACY)
    assert (found.tool, found.name, found.line) == ("spacy-projects", "all", 12)
    assert brief(found.steps) == [
        ("corpus", 4, "python scripts/corpus.py", 5),
        ("train", 6, "spacy train configs/config.cfg --gpu-id ${vars.gpu}", 8),
    ]
    assert {step.folder for step in found.steps} == {"tagger"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("project.yml", "title: x\ncommands: {build: make}\nworkflows: {all: [build]}\n"),
        ("project.yml", "commands: [{name: build, run: make}]\nworkflows: {all: [build]}\n"),
        ("project.yml", "commands: [{name: build, script: [make]}]\n"),
        ("commands.yml", SPACY),
    ],
    ids=["commands as a mapping", "no scripts", "no workflow", "another name"],
)
def test_not_a_spacy_project(path: str, text: str) -> None:
    assert pipelines(path, text) == []


# -- Mage --------------------------------------------------------------------------------------------------------------

MAGE = """\
    blocks:
      - {uuid: load_rows, type: data_loader, language: python, downstream_blocks: [fit]}
      - {uuid: fit, type: custom, language: python, upstream_blocks: [load_rows]}
      - uuid: export
        type: data_exporter
        configuration: {file_source: {path: data_exporters/nested/export.py}}
      - {uuid: note, type: markdown}
    name: weekly
    """


def test_mage() -> None:
    found = pipeline("churn/pipelines/weekly/metadata.yaml", MAGE)
    assert (found.tool, found.name, found.line) == ("mage", "weekly", 1)
    assert [(step.name, step.line, step.calls_all_of) for step in found.steps] == [
        ("load_rows", 2, "churn/data_loaders/load_rows.py"),
        ("fit", 3, "churn/custom/fit.py"),
        ("export", 4, "churn/data_exporters/nested/export.py"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("churn/weekly/metadata.yaml", MAGE),
        ("churn/pipelines/weekly/blocks.yaml", MAGE),
        ("pipelines/weekly/metadata.yaml", "blocks: [{uuid: a, type: markdown}]\nname: weekly\n"),
        ("pipelines/weekly/metadata.yaml", "blocks: 3\n"),
    ],
    ids=["not below pipelines", "another name", "no block that runs", "no list"],
)
def test_not_mage(path: str, text: str) -> None:
    assert pipelines(path, text) == []


# -- Snakemake and Nextflow --------------------------------------------------------------------------------------------

SNAKEFILE = '''\
configfile: "config.yaml"

rule all:
    input: "report.html"

rule rows:
    output: "rows.csv"
    shell:
        """
        python src/rows.py \\\\
            --out {output}
        """

checkpoint fit:
    input: "rows.csv"
    output: "model.joblib"
    # how it is fitted
    script: "scripts/fit.py"

rule score:
    output: "score.json"
    run:
        model.fit(x, y)

rule plot:
    shell: "Rscript " + SCRIPT

rule chart:
    notebook: "charts/chart.ipynb"

def helper(x):
    shell: "python no.py"
'''


def rulefile(path: str, text: str) -> list[Pipeline]:
    return list(rulefiles.declared(path, text))


def test_rules_of_a_snakefile() -> None:
    (found,) = rulefile("workflow/Snakefile", SNAKEFILE)
    assert (found.tool, found.line) == ("snakemake", 6)
    assert [(step.name, step.line, step.folder) for step in found.steps] == [
        ("rows", 6, ""),
        ("fit", 14, "workflow"),
        ("score", 20, ""),
        ("chart", 28, "workflow"),
    ]
    assert found.steps[0].command.startswith("python src/rows.py")
    assert [step.command for step in found.steps[1:]] == ["python scripts/fit.py", "", "papermill charts/chart.ipynb"]
    assert found.steps[2].does == {"train"}


@pytest.mark.parametrize(
    "text",
    ["rule all:\n    input: 'a'\n", "# rule fit:\n#     shell: 'python fit.py'\n", "rule = {'a': 1}\n", "", "rule x:"],
    ids=["targets only", "comment", "assignment", "empty", "cut off"],
)
def test_a_snakefile_that_runs_nothing(text: str) -> None:
    assert rulefile("Snakefile", text) == []


NEXTFLOW = '''\
params.rows = "rows.csv"

process ROWS {
    output: path "rows.csv"
    script:
    """
    rows.py --out rows.csv
    """
}

process FIT {
    input: path rows
    script:
    \'\'\'
    python ${projectDir}/src/fit.py
    \'\'\'
}

process NOTHING {
    output: stdout
}

workflow { ROWS | FIT }
'''


def test_processes_of_nextflow() -> None:
    (found,) = rulefile("main.nf", NEXTFLOW)
    assert (found.tool, found.line) == ("nextflow", 3)
    assert [(step.name, step.line, step.command.strip()) for step in found.steps] == [
        ("ROWS", 3, "bin/rows.py --out rows.csv"),
        ("FIT", 11, "python src/fit.py"),
    ]


@given(st.text(alphabet="rule: fit\n\"'()shelproc{}/#\\ \t", max_size=400))
def test_rule_files_of_any_text(text: str) -> None:
    for path in ("Snakefile", "main.nf"):
        for found in rulefile(path, text):
            assert found.steps and all(step.line >= 1 for step in found.steps)


# -- Kubeflow on Tekton ------------------------------------------------------------------------------------------------

TEKTON = """\
apiVersion: tekton.dev/v1beta1
kind: PipelineRun
metadata:
  name: score
  annotations: {pipelines.kubeflow.org/pipeline_spec: '{"name": "score"}'}
spec:
  pipelineSpec:
    tasks:
    - name: fetch
      taskSpec:
        steps:
        - name: main
          image: example.org/score
          command: [sh, -c]
          args:
          - |
            cd src
            python fetch.py
          - $(inputs.params.day)
    - name: score
      taskSpec:
        steps:
        - {name: main, image: example.org/score, command: [python, score.py], args: [--all]}
    - name: fit
      taskSpec:
        steps:
        - name: main
          command: [sh, -ec, "program_path=$(mktemp); python3 -u $program_path"]
          args: ["def fit(rows):\\n    model.fit(rows)\\n"]
    - name: run-a-file
      taskSpec:
        steps:
        - name: main
          command: [sh, -c]
          args: ["curl -O bootstrapper.py && python3 bootstrapper.py --file 'work/report.ipynb'"]
        metadata:
          annotations: {elyra/node-file-name: work/report.ipynb}
"""


def test_kubeflow_on_tekton() -> None:
    found = pipeline("score.yaml", TEKTON)
    assert (found.tool, found.name, found.line) == ("kubeflow-pipelines", "score", 1)
    assert brief(found.steps) == [
        ("fetch", 9, "cd src\npython fetch.py", 17),
        ("score", 20, "python score.py --all", 23),
        ("fit", 24, "", 27),
        ("run-a-file", 30, "papermill work/report.ipynb", 33),
    ]
    assert [set(step.does) for step in found.steps] == [set(), set(), {"train"}, set()]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{pipelines.kubeflow.org/pipeline_spec: \'{"name": "score"}\'}', "{tekton.dev/template: ''}"),
        ("kind: PipelineRun", "kind: TaskRun"),
        ("    tasks:", "    finally:"),
        ("tekton.dev/v1beta1", "example.org/v1"),
    ],
)
def test_other_runs_of_tekton_are_no_pipelines_of_kubeflow(old: str, new: str) -> None:
    assert old in TEKTON
    assert pipelines("score.yaml", TEKTON.replace(old, new)) == []


def test_a_file_that_elyra_does_not_run_is_not_run() -> None:
    """The annotation stays where somebody has written another script into the task."""
    found = pipeline("score.yaml", TEKTON.replace("bootstrapper.py", "start.py"))
    assert found.steps[-1].command == "curl -O start.py && python3 start.py --file 'work/report.ipynb'"
