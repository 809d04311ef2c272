"""What the steps of Azure ML pipelines run that use components."""

from __future__ import annotations

import pytest

from mlops_scan.automation.model import PipelineStep
from mlops_scan.automation.pipelines import declared
from mlops_scan.automation.pipelines.azure_components import completed, component_name
from mlops_scan.documents.store import Documents

PIPELINE = "jobs/pipeline.yml"
COMPONENT = (
    "$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\n"
    "name: train_model\ntype: command\ncode: ../src\ncommand: >-\n  python train.py\n  --a ${{inputs.a}}\n"
)
PARALLEL = (
    "$schema: https://azuremlschemas.azureedge.net/latest/parallelComponent.schema.json\n"
    "name: score\ntype: parallel\ntask:\n  type: run_function\n  code: ../src\n  entry_script: score.py\n"
)


def step(job: str, named: dict[str, str | None] | None = None) -> PipelineStep:
    """The one step of a pipeline whose job has a body in flow style."""
    text = f"type: pipeline\njobs:\n  train: {job}\n"
    documents = Documents.of({PIPELINE: text, "parts/train.yml": COMPONENT, "parts/score.yml": PARALLEL})
    found = completed(declared(PIPELINE, documents.nodes(PIPELINE)), documents, named or {})
    return next(iter(found)).steps[0]


@pytest.mark.parametrize(
    "job",
    [
        "{component: ../parts/train.yml, inputs: {a: 1}}",
        "{component: 'file:../parts/train.yml', inputs: {a: 1}}",
        "{component: 'azureml:train_model@latest', inputs: {a: 1}}",
        "{component: 'azureml:train_model:3', inputs: {a: 1}}",
        "{type: sweep, trial: ../parts/train.yml, inputs: {a: 1}}",
    ],
)
def test_a_step_of_a_component_runs_its_command(job: str) -> None:
    found = step(job, {"train_model": "parts/train.yml"})
    assert (found.command, found.folder, found.command_path) == (
        "python train.py --a ${{inputs.a}}",
        "src",
        "parts/train.yml",
    )
    assert (found.line, found.command_line, found.has_params) == (3, 6, True)


@pytest.mark.parametrize(
    "job",
    [
        "{component: ../parts/gone.yml}",
        "{component: 'azureml:another@latest'}",
        "{component: 'azureml:twice@latest'}",
        "{component: 'azureml://registries/azureml/components/train_model/versions/1'}",
        "{component: '${{parent.inputs.part}}.yml'}",
        "{inputs: {a: 1}}",
    ],
)
def test_a_component_that_is_not_in_the_repository(job: str) -> None:
    found = step(job, {"train_model": "parts/train.yml", "twice": None})
    assert (found.command, found.command_path, found.calls_all_of) == ("", "", "")


def test_a_component_within_the_pipeline() -> None:
    found = step("{component: {type: command, code: ../src, command: python train.py}}")
    assert (found.command, found.folder, found.command_path) == ("python train.py", "src", "")


@pytest.mark.parametrize(
    "job", ["{component: ../parts/score.yml}", "{type: parallel, task: {code: ../src, entry_script: score.py}}"]
)
def test_an_entry_script_of_a_parallel_job_is_called(job: str) -> None:
    assert step(job).calls_all_of == "src/score.py"


def test_automl_trains() -> None:
    assert step("{type: automl, task: classification}").does == {"train"}
    assert step("{type: command, task: classification}").does == frozenset()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (COMPONENT, "train_model"),
        (COMPONENT.replace("commandComponent", "commandJob"), ""),
        ("$schema: a/pipelineComponent.schema.json\nname: all\njobs: {}\n", ""),
        ("name: x\n", ""),
    ],
)
def test_the_name_of_a_component(text: str, name: str) -> None:
    documents = Documents.of({"a.yml": text})
    assert component_name(documents.nodes("a.yml")[0]) == name
