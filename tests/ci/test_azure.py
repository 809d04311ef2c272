"""Azure Pipelines: triggers, templates, deployment jobs, and what a step really runs."""

from __future__ import annotations

import re

import pytest

from mlops_scan.ci import names
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
        ("trigger:\n- none", ["manual"]),
        ("trigger: [none]\npr: [none]", ["manual"]),
        ("trigger: [none]\npr: [main]", ["pull_request"]),
        ("trigger:\n  branches:\n    include: [none]", ["manual"]),
        ("trigger:\n  branches:\n    include: [none]\n  tags:\n    include: [v*]", ["tag"]),
        ("trigger: [main, none]", ["push"]),
        ("trigger: [nonesuch]", ["push"]),
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
    for path in (
        "azure-pipelines.yml", "ci/azure-pipelines-train.yaml", ".pipelines/ci.yml", ".azuredevops/a/b.yml",
        "azure-pipelines/train.yml", "x/azure_pipelines/train.yml", "devops-pipelines/train.yml", "azdo/a/train.yml",
    ):  # fmt: skip
        documents = Documents.of({path: text})
        assert [workflow.provider for workflow in workflows(documents)] == ["azure-pipelines"], path
        assert list(unread_providers(documents)) == []
    for path in ("deploy/pipelines/ci.yml", "my-azure-pipelines/a.yml", "ado/a.yml", "azure-pipelines/a.json"):
        assert re.search(names.AZURE, path) is None, path


MARKED = {
    "pool": "trigger: [main]\npool:\n  vmImage: ubuntu-latest\nsteps:\n- script: pytest\n",
    "task": "trigger: [main]\nsteps:\n- task: AzureCLI@2\n  inputs:\n    inlineScript: pytest\n",
    "deployment": "pr: none\npool: own\njobs:\n- deployment: prod\n  environment: prod\n",
    "template": "trigger: none\nstages:\n- stage: a\n  jobs:\n  - template: jobs.yml\n",
    "condition": "trigger: [main]\nsteps:\n- ${{ if eq(variables.x, 'y') }}:\n  - task: PublishTestResults@2\n",
}
OTHERS = {
    "Drone": "kind: pipeline\ntrigger:\n  branch: [main]\nsteps:\n- name: a\n  image: python\n  commands: [pytest]\n",
    "Harness": "pipeline:\n  stages:\n  - stage: {spec: {execution: {steps: [{step: {type: Run}}]}}}\n",
    "a job of Azure ML": "type: pipeline\njobs:\n  a:\n    type: command\n    command: python train.py\n",
    "a list of jobs": "trigger: daily\njobs:\n- name: a\n  task: train\n- name: b\n  task: me@example.org\n",
    "a template": "parameters:\n- name: a\nsteps:\n- task: AzureCLI@2\n- template: more.yml\n",
    "a comment": "trigger: [main]\nsteps:\n# - task: AzureCLI@2\n- script: pytest\n",
}


@pytest.mark.parametrize("text", MARKED.values(), ids=MARKED)
@pytest.mark.parametrize("path", ["pipelines/train.yml", "infra/PIPELINE-0-setup.yml", "x/deploy/a.yaml"])
def test_pipelines_under_any_name(text: str, path: str) -> None:
    (workflow,) = workflows(Documents.of({path: text}))
    assert (workflow.provider, workflow.path, workflow.unloaded) == ("azure-pipelines", path, "")


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_files_of_others_that_look_like_a_pipeline(text: str) -> None:
    assert [w for w in workflows(Documents.of({"pipelines/a.yml": text})) if w.provider == "azure-pipelines"] == []


def test_github_is_asked_first() -> None:
    text = "on: push\njobs:\n  a:\n    pool: {vmImage: x}\n    steps:\n    - run: pytest\n"
    assert [workflow.provider for workflow in workflows(Documents.of({"ci/a.yml": text}))] == ["github-actions"]


def test_what_another_file_includes_is_no_definition() -> None:
    template = "pool:\n  vmImage: x\nsteps:\n- script: pytest\n"
    caller = "trigger: [main]\npool: x\nsteps:\n- template: steps.yml\n"
    found = list(workflows(Documents.of({"azure-pipelines/a.yml": caller, "azure-pipelines/steps.yml": template})))
    assert [(workflow.path, workflow.jobs[0].steps[0].script) for workflow in found] == [
        ("azure-pipelines/a.yml", "pytest")
    ]
    alone = workflows(Documents.of({"azure-pipelines/steps.yml": template}))
    assert [workflow.path for workflow in alone] == ["azure-pipelines/steps.yml"]


@pytest.mark.parametrize("body", ["steps: x", "jobs: {a: b}", "stages:\n- 3", "jobs:\n- job: [1]\n  steps: {a: b}"])
def test_broken_shapes_do_not_raise(body: str) -> None:
    list(workflows(Documents.of({"azure-pipelines.yml": f"trigger: [main]\npool: x\n{body}\n"})))


# -- variables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "script", "expected"),
    [
        ("variables: {entry: train.py}", "python $(entry)", "python train.py"),
        ("variables: {Entry: train.py}", "python $(ENTRY)", "python train.py"),
        ("variables:\n- name: dir\n  value: src\n- name: entry\n  value: $(dir)/train.py", "$(entry)", "src/train.py"),
        ("variables: {entry: train.py}", "python ${{ variables.entry }}", "python train.py"),
        ("variables: {entry: train.py}", "python ${{ variables['entry'] }}", "python train.py"),
        ("variables:\n- group: secrets", "python $(entry)", "python $(entry)"),  # only the service knows
        ("variables: {entry: '$[ dependencies.a.outputs.x ]'}", "python $(entry)", "python $(entry)"),
        ("variables: {entry: \"$[coalesce(variables['MINE'], 'train.py')]\"}", "python $(entry)", "python train.py"),
        ("variables: {entry: \"$[coalesce(variables['A'], variables['B'])]\"}", "python $(entry)", "python $(entry)"),
        ("variables: {entry: \"$[lower('train.py')]\"}", "python $(entry)", "python $(entry)"),
        ("variables: {a: $(b), b: $(a)}", "echo $(a)", None),  # ends
        ("", "echo $(pwd) $(cat x)", "echo $(pwd) $(cat x)"),
    ],
)
def test_variables_are_filled_in(variables: str, script: str, expected: str | None) -> None:
    (job,) = read(
        f"trigger: [main]\npool: x\n{variables}\nsteps:\n- script: '{script.replace(chr(39), chr(39) * 2)}'\n"
    ).jobs
    assert expected is None or job.steps[0].script == expected


def test_inner_variables_win_and_reach_inputs_folders_and_the_environment() -> None:
    workflow = read(
        "trigger: [main]\npool: x\nvariables: {dir: outer, my.name: a, secret: $(unknown)}\nstages:\n- stage: s\n"
        "  variables: {dir: stage}\n  jobs:\n  - job: a\n    variables: {dir: job}\n    steps:\n"
        "    - task: Bash@3\n      inputs: {filePath: $(dir)/run.sh}\n"
        "    - script: make\n      workingDirectory: $(dir)\n"
        "      env: {B: $(dir)}\n  - job: b\n    steps: [{script: echo $(dir)}]\n"
    )
    a, b = workflow.jobs
    assert (a.steps[0].script, a.steps[1].folder) == ("job/run.sh", "job")
    assert dict(a.steps[1].env) == {"DIR": "job", "MY_NAME": "a", "B": "job"}
    assert b.steps[0].script == "echo stage"


def test_variables_and_parameters_of_templates() -> None:
    workflow = read(
        "trigger: [main]\npool: x\nvariables:\n- template: vars.yml\nsteps:\n"
        "- template: run.yml\n  parameters: {suite: $(suite)}\n- template: run.yml\n",
        vars="variables:\n- name: suite\n  value: tests/model\n",
        run="parameters:\n- name: suite\n  default: tests\nsteps:\n- script: pytest ${{ parameters.suite }}\n",
    )
    assert [step.script for step in workflow.jobs[0].steps] == ["pytest tests/model", "pytest tests"]


def test_parameters_of_the_pipeline_itself() -> None:
    """A change starts it with their defaults; those without one are not known."""
    (job,) = read(
        "trigger: [main]\npool: x\nparameters:\n- name: suite\n  default: tests/model\n- name: other\nsteps:\n"
        "- script: pytest ${{ parameters.suite }}\n- script: pytest ${{ parameters.other }}\n"
    ).jobs
    assert [step.script for step in job.steps] == ["pytest tests/model", "pytest ${{ parameters.other }}"]


def test_a_matrix_gives_each_leg_its_variables() -> None:
    (job,) = read(
        "trigger: [main]\npool: x\nstrategy:\n  matrix:\n    a: {suite: unit}\n    b: {suite: model}\nsteps:\n"
        "- script: pip install .\n- script: pytest tests/$(suite)\n"
    ).jobs
    assert [step.script for step in job.steps] == ["pip install .", "pytest tests/unit", "pytest tests/model"]


def test_a_manual_validation_is_the_approval_of_what_needs_it() -> None:
    workflow = read(
        "trigger: [main]\npool: x\njobs:\n- job: ask\n  pool: server\n  steps: [{task: ManualValidation@0}]\n"
        "- job: ship\n  dependsOn: ask\n  steps: [{script: make ship}]\n- job: other\n  steps: [{script: make}]\n"
    )
    assert [job.approval for job in workflow.jobs] == ["", "job `ask`", ""]


def test_a_disabled_step_never_runs() -> None:
    (job,) = read("trigger: [main]\npool: x\nsteps:\n- script: pytest\n  enabled: false\n- script: make\n").jobs
    assert [bool(step.never) for step in job.steps] == [True, False]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ("webhooks: [{webhook: w, connection: c}]", ["external"]),
        ("containers: [{container: c, image: i, trigger: true}]", ["external"]),
        ("containers: [{container: c, image: i}]", ["manual"]),
        ("repositories: [{repository: r, trigger: none}]", ["manual"]),
    ],
)
def test_resources_that_start_a_pipeline(resources: str, expected: list[str]) -> None:
    assert kinds(f"trigger: none\nresources: {{{resources}}}") == expected


def test_templates_that_multiply_are_cut() -> None:
    texts = {f"t{n}.yml": "jobs:\n" + f"- template: t{n + 1}.yml\n" * 50 for n in range(5)}
    texts["t5.yml"] = "jobs:\n- job: a\n  steps:\n  - script: python train.py\n"
    texts["azure-pipelines.yml"] = "trigger: [main]\njobs:\n- template: t0.yml\n"
    documents = Documents.of(texts)
    (found,) = workflows(documents)
    assert 100 < len(found.jobs) < 2_000
    assert "more steps than are followed" in documents.incomplete["azure-pipelines.yml"].reason
