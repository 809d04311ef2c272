"""Azure Pipelines: triggers, templates, deployment jobs, and what a step really runs."""

from __future__ import annotations

import pytest

from mlops_scan.ci import azure
from mlops_scan.ci.find import unread_providers, workflows
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.store import Documents


def read(text: str, **others: str) -> Workflow:
    """The workflow of a pipeline file, with other files of the repository by name (`__` stands for `/`)."""
    texts = {"azure-pipelines.yml": text, **{name.replace("__", "/") + ".yml": body for name, body in others.items()}}
    (workflow,) = workflows(Documents.of(texts))
    return workflow


def kinds(text: str) -> list[str]:
    """The kinds of the triggers of a pipeline with one step."""
    return [trigger.kind for trigger in read(f"{text}\npool: x\nsteps:\n- script: pytest\n").triggers]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["push"]),  # without `trigger:` every push starts it
        ("trigger: none", ["manual"]),
        ("trigger: [main]", ["push"]),
        ("trigger:\n  branches:\n    include: [main]", ["push"]),
        ("trigger: none\npr:\n  branches:\n    include: [main]", ["pull_request"]),
        ("trigger: none\npr: none", ["manual"]),
        ("trigger: none\nschedules:\n- cron: '0 3 * * *'\n  branches: {include: [main]}", ["schedule"]),
        (
            "trigger: none\nresources:\n  pipelines:\n  - pipeline: train\n    source: train\n    trigger: true",
            ["chained"],
        ),
        (
            "trigger: none\nresources:\n  pipelines:\n  - pipeline: train\n    source: train\n    trigger: none",
            ["manual"],
        ),
    ],
)
def test_what_starts_a_pipeline(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_stages_jobs_and_steps() -> None:
    workflow = read(
        "trigger: [main]\npool: x\nstages:\n- stage: test\n  jobs:\n  - job: unit\n    steps:\n"
        "    - script: |\n        pip install .\n        pytest tests\n      displayName: tests\n"
        "    - bash: exit 1\n      continueOnError: true\n"
        "- stage: off\n  condition: false\n  jobs:\n  - job: never\n    steps:\n    - script: make deploy\n"
    )
    unit, never = workflow.jobs
    assert [job.id for job in workflow.jobs] == ["unit", "never"]
    assert unit.steps[0].script.splitlines() == ["pip install .", "pytest tests"]
    assert unit.steps[0].script_line == 9
    assert not unit.steps[0].errexit  # a failing command in the middle does not stop the step
    assert unit.steps[1].may_fail
    assert never.never


def test_steps_without_jobs_are_one_job() -> None:
    (job,) = read("trigger: [main]\npool: x\nsteps:\n- script: pytest\n").jobs
    assert job.steps[0].script == "pytest"


def test_templates_of_the_repository_are_filled_in() -> None:
    workflow = read(
        "trigger: [main]\njobs:\n- job: a\n  steps:\n  - template: ci/checks.yml\n  - template: other.yml@shared\n"
        "- template: ci/jobs.yml\n",
        ci__checks="steps:\n- script: pytest\n- template: more.yml\n",
        ci__more="steps:\n- script: make model-test\n",
        ci__jobs="jobs:\n- job: b\n  steps:\n  - script: make deploy\n",
    )
    assert [[step.script for step in job.steps] for job in workflow.jobs] == [
        ["pytest", "make model-test"],
        ["make deploy"],
    ]
    assert [step.path for step in workflow.jobs[0].steps] == ["ci/checks.yml", "ci/more.yml"]


def test_a_template_that_names_itself_ends() -> None:
    workflow = read(
        "trigger: [main]\nsteps:\n- template: loop.yml\n", loop="steps:\n- script: a\n- template: loop.yml\n"
    )
    assert 1 <= len(workflow.jobs[0].steps) < 20


def test_deployment_jobs_with_an_environment() -> None:
    (job,) = read(
        "trigger: [main]\njobs:\n- deployment: roll_out\n  environment: {name: production}\n  strategy:\n    runOnce:\n"
        "      deploy:\n        steps:\n        - script: kubectl apply -f k8s/\n"
    ).jobs
    assert (job.id, job.environment) == ("roll_out", "production")
    assert job.steps[0].script == "kubectl apply -f k8s/"


def test_tasks_with_inline_scripts_and_script_files() -> None:
    steps = (
        read(
            "trigger: [main]\npool: x\nsteps:\n- task: AzureCLI@2\n  inputs:\n    scriptLocation: inlineScript\n"
            "    inlineScript: az ml job create -f job.yml\n"
            "- task: PythonScript@0\n  inputs:\n    scriptPath: src/train.py\n    arguments: --epochs 3\n"
            "- task: PublishTestResults@2\n  inputs: {testResultsFiles: '*.xml'}\n"
        )
        .jobs[0]
        .steps
    )
    assert [step.script for step in steps] == ["az ml job create -f job.yml", "python src/train.py --epochs 3", ""]
    assert steps[2].uses == "PublishTestResults@2"


def test_steps_below_a_template_condition_count() -> None:
    (job,) = read(
        "trigger: [main]\npool: x\nsteps:\n- ${{ if eq(variables.x, 'y') }}:\n  - script: pytest\n- script: make lint\n"
    ).jobs
    assert [step.script for step in job.steps] == ["pytest", "make lint"]


@pytest.mark.parametrize(
    "text",
    [
        "steps:\n- script: pytest\n",  # a template: nothing starts it
        "variables:\n- name: a\n  value: b\n",
        "trigger: none\n",
        "just text",
        "- a\n- b\n",
    ],
)
def test_what_is_no_pipeline_of_its_own(text: str) -> None:
    assert list(workflows(Documents.of({"azure-pipelines.yml": text}))) == []


def test_file_names_in_use() -> None:
    text = "trigger: [main]\npool: x\nsteps:\n- script: pytest\n"
    for path in ("azure-pipelines.yml", "ci/azure-pipelines-train.yaml", ".pipelines/ci.yml", ".azuredevops/a/b.yml"):
        documents = Documents.of({path: text})
        assert [workflow.provider for workflow in workflows(documents)] == ["azure-pipelines"], path
        assert list(unread_providers(documents)) == []
    assert azure.NAMED.search("deploy/pipelines/ci.yml") is None


@pytest.mark.parametrize("body", ["steps: x", "jobs: {a: b}", "stages:\n- 3", "jobs:\n- job: [1]\n  steps: {a: b}"])
def test_broken_shapes_do_not_raise(body: str) -> None:
    list(workflows(Documents.of({"azure-pipelines.yml": f"trigger: [main]\npool: x\n{body}\n"})))
