"""Tasks that are made before the pipeline which calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

ORCHESTRATION, SCHEDULED = "pipeline/orchestration", "retraining/scheduled"
AZURE = (
    "from azure.ai.ml import MLClient, command, dsl, load_component\n"
    "from azure.ai.ml.entities import JobSchedule, RecurrenceTrigger\n\n"
    "prepare = command(name='prepare', code='./src', command='python prepare.py', environment='a@latest')\n"
    "train = {made}\n\n\n@dsl.pipeline()\ndef training():\n    prepare()\n    {call}\n\n\n"
    "JobSchedule(name='a', trigger=RecurrenceTrigger(frequency='week', interval=1), create_job=training())\n"
)
COMPONENT = "name: train\ntype: command\ncode: ../src\ncommand: python train.py\nenvironment: azureml:a@latest\n"
SRC = {f"src/{name}": text for name, text in ML.items()}


@pytest.mark.parametrize(
    ("made", "call", "found"),
    [
        ("command(name='t', code='./src', command='python train.py', environment='a@latest')", "train(x=1)", True),
        ("load_component(source='parts/train.yml')", "train()", True),
        ("load_component('./parts/train.yml')", "fitted = train()", True),
        ("command(name='t', code='./src', command='python train.py', environment='a@latest')", "prepare(x=1)", False),
        ("command(name='t', code='./src', command='python data.py', environment='a@latest')", "train()", False),
        ("load_component(source='parts/gone.yml')", "train()", False),
        ("load_component(source=PATH)", "train()", False),
    ],
)
def test_tasks_of_azure_ml(tmp_path: Path, made: str, call: str, found: bool) -> None:
    text = AZURE.format(made=made, call=call)
    report = scan_tree(tmp_path, {**SRC, "src/prepare.py": "print(1)\n", "pipe.py": text, "parts/train.yml": COMPONENT})
    assert (grade(report, ORCHESTRATION) in (Grade.IMPLEMENTED, Grade.WIRED)) is found
    assert (grade(report, SCHEDULED) is Grade.WIRED) is found


def test_a_task_of_another_file(tmp_path: Path) -> None:
    steps = "from azure.ai.ml import command\n\ntrain = command(code='src', command='python train.py')\n"
    text = (
        "from azure.ai.ml import command, dsl\nfrom steps import train\n\n\n@dsl.pipeline()\ndef training():\n"
        "    prepare = command(code='src', command='python data.py')\n    prepare()\n    train()\n"
    )
    report = scan_tree(tmp_path, {**SRC, "pipe.py": text, "steps.py": steps})
    assert grade(report, ORCHESTRATION) is Grade.IMPLEMENTED


@pytest.mark.parametrize(("script", "found"), [("/app/train.py", True), ("/app/other.py", False)])
def test_components_of_kubeflow(tmp_path: Path, script: str, found: bool) -> None:
    parts = {
        f"parts/{name}/component.yaml": (
            f"name: {name}\nimplementation:\n  container:\n    image: a/{name}\n    command: [python, {file}]\n"
        )
        for name, file in (("load", "load.py"), ("fit", script))
    }
    text = (
        "from kfp import compiler, components, dsl\n\n"
        "load = components.load_component_from_file('parts/load/component.yaml')\n"
        "fit = components.load_component_from_file('parts/fit/component.yaml')\n\n\n@dsl.pipeline(name='a')\n"
        "def training():\n    rows = load()\n    fit(rows.output)\n\n\n"
        "compiler.Compiler().compile(training, 'a.yaml')\n"
    )
    tree = {f"parts/fit/{name}": body for name, body in ML.items()}
    report = scan_tree(tmp_path, {**tree, **ML, **parts, "parts/load/load.py": "print(1)\n", "pipe.py": text})
    assert (grade(report, ORCHESTRATION) is Grade.IMPLEMENTED) is found
