"""Every provider from its definition to the practices: model tests, deployment, and what only looks like them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.words import Confidence, Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree, where

CODE, MODEL, CD = "ci/code-tests", "ci/model-tests", "cd/model-deploy"
MODEL_TEST = (
    "from train import train\n\n\ndef test_learns(tmp_path):\n    model = train('sample.csv', tmp_path / 'm')\n"
    "    assert model.score([[0.0], [1.0]], [0, 1]) >= 0.8\n"
)
PROJECT: Tree = {**ML, "tests/test_model.py": MODEL_TEST}

TASKCLUSTER = (
    "version: 1\ntasks:\n  - $if: 'tasks_for == \"github-push\"'\n    then:\n      metadata: {name: tests}\n"
    "      payload:\n        command: [bash, -cx, 'git clone ${repository} && cd app && COMMAND']\n"
)
DRONE = "kind: pipeline\nname: default\nsteps:\n  - name: tests\n    image: python\n    commands:\n      - COMMAND\n"
WOODPECKER = "when: {event: push}\nsteps:\n  tests:\n    image: python\n    commands:\n      - COMMAND\n"
TEKTON = (
    "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata:\n  name: pull\n"
    "  annotations: {pipelinesascode.tekton.dev/on-event: '[pull_request]'}\n"
    "spec:\n  pipelineSpec:\n    tasks:\n      - name: tests\n        taskSpec:\n          steps:\n"
    "            - image: python\n              script: COMMAND\n"
)
CLOUD_BUILD = "steps:\n  - {name: python, entrypoint: bash, args: [-c, COMMAND]}\n"
CLOUD_TRIGGER = "filename: cloudbuild.yaml\ngithub: {owner: a, name: b, push: {branch: ^main$}}\n"
BUILDSPEC = "version: 0.2\nphases:\n  build:\n    commands:\n      - COMMAND\n"
CFN = (
    "Resources:\n  Tests:\n    Type: AWS::CodeBuild::Project\n    Properties:\n"
    "      Triggers: {Webhook: true}\n      Source: {Type: GITHUB}\n"
)
CDK = """\
from aws_cdk import Stack, pipelines


class Release(Stack):
    def __init__(self, scope, name):
        source = pipelines.CodePipelineSource.git_hub("a/b", "main")
        synth = pipelines.ShellStep("Synth", input=source, commands=["COMMAND"])
        pipelines.CodePipeline(self, "Pipeline", synth=synth)
"""
PROGRAM = """\
import { App, Stack } from 'aws-cdk-lib';
import { CodePipeline, CodePipelineSource, ShellStep } from 'aws-cdk-lib/pipelines';

class Release extends Stack {
  constructor(scope: App, name: string) {
    super(scope, name);
    const input = CodePipelineSource.gitHub('a/b', 'main');
    new CodePipeline(this, 'Pipeline', { synth: new ShellStep('Synth', { input, commands: ['COMMAND'] }) });
  }
}

new Release(new App(), 'release');
"""
AZURE = "trigger: [main]\npool: x\nvariables: {cmd: COMMAND}\nsteps:\n- script: $(cmd)\n"
PROVIDERS = {
    "Taskcluster": {".taskcluster.yml": TASKCLUSTER},
    "Drone": {".drone.yml": DRONE},
    "Woodpecker": {".woodpecker/test.yml": WOODPECKER},
    "Tekton": {".tekton/pull.yml": TEKTON},
    "Cloud Build": {"cloudbuild.yaml": CLOUD_BUILD, "triggers/main.yaml": CLOUD_TRIGGER},
    "CodeBuild": {"buildspec.yml": BUILDSPEC, "infra/ci.yml": CFN},
    "CDK": {"release.py": CDK, "app.py": "from release import Release\n\nRelease(None, 'r')\n"},
    "CDK in TypeScript": {"infra/cdk.json": '{"app": "npx ts-node app.ts"}', "infra/app.ts": PROGRAM},
    "Azure": {"azure-pipelines.yml": AZURE},
}


def tree(provider: str, command: str, change: tuple[str, str] = ("", "")) -> Tree:
    """A project whose CI of a provider runs a command, with one text of its definition changed."""
    files = {path: text.replace("COMMAND", command) for path, text in PROVIDERS[provider].items()}
    assert not change[0] or any(change[0] in text for text in files.values())
    return {**PROJECT, **{path: text.replace(*change) if change[0] else text for path, text in files.items()}}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ci_runs_the_model_tests(tmp_path: Path, provider: str) -> None:
    report = scan_tree(tmp_path, tree(provider, "pytest tests"))
    assert (grade(report, CODE), grade(report, MODEL)) == (Grade.WIRED, Grade.WIRED)
    assert "tests/test_model.py:4" in places(practice(report, MODEL).evidence)
    assert where(report, "MLS306") == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ci_deploys_the_model(tmp_path: Path, provider: str) -> None:
    report = scan_tree(tmp_path, tree(provider, "az ml online-deployment update -f d.yml"))
    assert grade(report, CD) is Grade.WIRED
    assert grade(report, MODEL) is Grade.ABSENT


@pytest.mark.parametrize("provider", PROVIDERS)
def test_ci_that_only_installs_does_neither(tmp_path: Path, provider: str) -> None:
    report = scan_tree(tmp_path, tree(provider, "pip install pytest"))
    assert {grade(report, name) for name in (CODE, MODEL, CD)} == {Grade.ABSENT}


@pytest.mark.parametrize(
    ("provider", "change"),
    [
        ("Taskcluster", ("'tasks_for == \"github-push\"'", "'false'")),
        ("Taskcluster", ("'tasks_for == \"github-push\"'", "'tasks_for == \"action\"'")),
        ("Drone", ("name: default\n", "name: default\ntrigger: {event: [promote]}\n")),
        ("Drone", ("    image: python\n", "    image: python\n    when: {event: [rollback]}\n")),
        ("Drone", ("kind: pipeline", "kind: template")),
        ("Woodpecker", ("event: push", "event: manual")),
        ("Woodpecker", ("    image: python\n", "    image: python\n    when: {evaluate: 'false'}\n")),
        ("Tekton", ("on-event: '[pull_request]'", "on-comment: ^/test")),
        ("Tekton", ("name: tests\n", "name: tests\n        when: [{input: a, operator: in, values: [b]}]\n")),
        ("Azure", ("trigger: [main]", "trigger: none")),
        ("Azure", ("script: $(cmd)\n", "script: $(cmd)\n  enabled: false\n")),
    ],
)
def test_what_no_change_starts_is_a_trace_at_most(tmp_path: Path, provider: str, change: tuple[str, str]) -> None:
    report = scan_tree(tmp_path, tree(provider, "pytest tests", change))
    assert grade(report, MODEL) in (Grade.TRACE, Grade.ABSENT)
    assert not practice(report, CODE).met


@pytest.mark.parametrize(
    ("provider", "change"),
    [
        ("Drone", ("    image: python\n", "    image: python\n    failure: ignore\n")),
        ("Woodpecker", ("    image: python\n", "    image: python\n    failure: ignore\n")),
        ("Tekton", ("script: ", "onError: continue\n              script: ")),
        ("Cloud Build", ("args: ", "allowFailure: true, args: ")),
        ("CodeBuild", ("    commands:", "    on-failure: CONTINUE\n    commands:")),
        ("Taskcluster", ("pytest tests", "(pytest tests || true)")),
        ("Azure", ("script: $(cmd)\n", "script: $(cmd)\n  continueOnError: true\n")),
    ],
)
def test_a_failure_without_effect_is_implemented_and_a_finding(
    tmp_path: Path, provider: str, change: tuple[str, str]
) -> None:
    report = scan_tree(tmp_path, tree(provider, "pytest tests", change))
    assert grade(report, MODEL) is Grade.IMPLEMENTED
    assert len(where(report, "MLS301")) == 1


@pytest.mark.parametrize(
    ("provider", "removed"), [("Cloud Build", "triggers/main.yaml"), ("CodeBuild", "infra/ci.yml")]
)
def test_what_a_build_does_that_nothing_here_starts_is_implemented_and_not_wired(
    tmp_path: Path, provider: str, removed: str
) -> None:
    tests = {path: text for path, text in tree(provider, "pytest tests").items() if path != removed}
    report = scan_tree(tmp_path / "a", tests)
    assert {grade(report, CODE), grade(report, MODEL)} == {Grade.IMPLEMENTED}
    assert practice(report, CODE).confidence is not Confidence.HIGH
    assert "CI server" in practice(report, CODE).reason
    deploys = {
        path: text
        for path, text in tree(provider, "az ml online-deployment update -f d.yml").items()
        if path != removed
    }
    assert grade(scan_tree(tmp_path / "b", deploys), CD) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("provider", "before", "after"),
    [
        ("Taskcluster", ".taskcluster.yml", "docs/.taskcluster.yml"),
        ("Drone", ".drone.yml", "docs/drone.yml"),
        ("Woodpecker", ".woodpecker/test.yml", ".woodpecker/old/test.yml"),
        ("Tekton", ".tekton/pull.yml", "docs/.tekton/pull.yml"),
        ("Cloud Build", "cloudbuild.yaml", "docs/cloudbuild.yaml"),
        ("CodeBuild", "buildspec.yml", "node_modules/x/buildspec.yml"),
        ("CDK", "app.py", "tests/test_app.py"),
    ],
)
def test_a_definition_in_the_wrong_place_is_none(tmp_path: Path, provider: str, before: str, after: str) -> None:
    files = dict(tree(provider, "pytest tests"))
    files[after] = files.pop(before)
    assert not practice(scan_tree(tmp_path, files), CODE).met


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_definition_that_is_commented_out_is_none(tmp_path: Path, provider: str) -> None:
    files = dict(PROJECT)
    for path, text in tree(provider, "pytest tests").items():
        if path not in PROJECT:
            assert isinstance(text, str)
            files[path] = "".join(f"# {line}\n" for line in text.splitlines())
    assert grade(scan_tree(tmp_path, files), CODE) is Grade.ABSENT


# -- chains that are particular to a provider ------------------------------------------------------------------------

APP = """\
from aws_cdk import App, Stack, aws_sagemaker as sagemaker


class Scoring(Stack):
    def __init__(self, scope, name):
        super().__init__(scope, name)
        sagemaker.CfnEndpoint(self, "Endpoint", endpoint_config_name="config")


Scoring(App(), "scoring")
"""
PUSH = "on: push\njobs:\n  ship:\n    runs-on: x\n    steps:\n      - run: npx cdk {verb} --require-approval never\n"


@pytest.mark.parametrize(
    ("verb", "expected"), [("deploy", Grade.WIRED), ("synth", Grade.ABSENT), ("diff", Grade.ABSENT)]
)
def test_deploying_a_cdk_app_reaches_its_endpoint(tmp_path: Path, verb: str, expected: Grade) -> None:
    files = {"cdk.json": '{"app": "python3 stack.py"}', "stack.py": APP}
    report = scan_tree(tmp_path, {**PROJECT, **files, ".github/workflows/x.yml": PUSH.format(verb=verb)})
    assert grade(report, CD) is expected


SCORING = """\
import { App, Stack } from 'aws-cdk-lib';
import * as sagemaker from 'aws-cdk-lib/aws-sagemaker';

export class Scoring extends Stack {
  constructor(scope: App, name: string) {
    super(scope, name);
    new sagemaker.CfnEndpoint(this, 'Endpoint', { endpointConfigName: 'config' });
  }
}
"""
MAIN = "import { App } from 'aws-cdk-lib';\nimport { Scoring } from '../lib/scoring';\nnew Scoring(new App(), 's');\n"


@pytest.mark.parametrize(
    ("verb", "change", "expected"),
    [
        ("deploy", ("", ""), Grade.WIRED),
        ("synth", ("", ""), Grade.ABSENT),
        ("deploy", ("import { Scoring }", "// import { Scoring }"), Grade.ABSENT),
        ("deploy", ("new sagemaker.CfnEndpoint(", "// new sagemaker.CfnEndpoint("), Grade.ABSENT),
        ("deploy", ("npx ts-node bin/app.ts", "npx ts-node bin/site.ts"), Grade.ABSENT),
    ],
)
def test_deploying_a_cdk_app_in_typescript(tmp_path: Path, verb: str, change: tuple[str, str], expected: Grade) -> None:
    files = {"cdk.json": '{"app": "npx ts-node bin/app.ts"}', "bin/app.ts": MAIN, "lib/scoring.ts": SCORING}
    changed = {path: text.replace(*change) if change[0] else text for path, text in files.items()}
    assert not change[0] or changed != files
    report = scan_tree(tmp_path, {**PROJECT, **changed, ".github/workflows/x.yml": PUSH.format(verb=verb)})
    assert grade(report, CD) is expected


DATA_JOB = "import pandas as pd\n\npd.read_csv('raw.csv').dropna().to_csv('data.csv')\n"
HOOK = {
    "metadata": {"name": "weekly"},
    "schedule": ["0 0 * * 1"],
    "task": {"provisionerId": "p", "workerType": "w", "payload": {"command": ["python", "spawn.py", "graph.yml"]}},
    "triggerSchema": {},
}
GRAPH = (
    "tasks:\n  - ID: data\n    workerType: w\n    payload: {command: [python, prepare.py]}\n"
    "  - ID: train\n    workerType: w\n    NEEDSpayload: {command: [python, train.py]}\n"
)


@pytest.mark.parametrize(("needs", "expected"), [("dependencies: [data]\n    ", Grade.IMPLEMENTED), ("", Grade.ABSENT)])
def test_a_graph_of_jobs_that_trains_is_a_pipeline(tmp_path: Path, needs: str, expected: Grade) -> None:
    files = {
        "prepare.py": DATA_JOB,
        "hook.json": json.dumps(HOOK),
        "graph.yml": GRAPH.replace("NEEDS", needs),
        "deploy.sh": "taskboot build-hook hook.json project weekly\n",
    }
    report = scan_tree(tmp_path, {**PROJECT, **files})
    assert grade(report, "pipeline/orchestration") is expected
    assert grade(report, "retraining/scheduled") is Grade.WIRED


SETTINGS = """\
import os


class Settings:
    entry = os.environ.get("TRAIN_SCRIPT")
    folder = os.environ.get("SOURCES")
"""
BUILD = """\
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
from settings import Settings


def main():
    s = Settings()
    check = PythonScriptStep(script_name="check.py", compute_target="cpu")
    train = PythonScriptStep(script_name=s.entry, source_directory=s.folder, compute_target="cpu")
    Pipeline(workspace=None, steps=[check, train]).publish(name="train")


if __name__ == "__main__":
    main()
"""
GATE = "import sys\nfrom sklearn.metrics import accuracy_score\n\nif accuracy_score([1], [1]) < 0.8:\n    sys.exit(1)\n"
PIPELINE = (
    "trigger: [main]\npool: x\nvariables: {TRAIN_SCRIPT: gate.py, SOURCES: steps}\nsteps:\n- script: python build.py\n"
)


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (PIPELINE, Grade.WIRED),
        (PIPELINE.replace("gate.py", "other.py"), Grade.IMPLEMENTED),
        (PIPELINE.replace("TRAIN_SCRIPT: gate.py, ", ""), Grade.IMPLEMENTED),
        (PIPELINE.replace("azure", "x").replace("variables: ", "# variables: "), Grade.IMPLEMENTED),
    ],
    ids=["set", "another script", "not set", "commented"],
)
def test_a_script_that_a_step_gets_through_a_variable_of_the_ci(tmp_path: Path, pipeline: str, expected: Grade) -> None:
    files = {"settings.py": SETTINGS, "build.py": BUILD, "steps/gate.py": GATE, "azure-pipelines.yml": pipeline}
    assert grade(scan_tree(tmp_path, {**PROJECT, **files}), "model/quality-gate") is expected


STAGES = (
    "trigger: [main]\npool: x\njobs:\n- job: ask\n  pool: server\n  steps: [{task: ManualValidation@0}]\n"
    "- job: ship\n  dependsOn: NEEDS\n  steps: [{script: az ml online-deployment update -f d.yml}]\n"
)


@pytest.mark.parametrize(("needs", "expected"), [("ask", Grade.WIRED), ("other", Grade.ABSENT)])
def test_a_deployment_that_waits_for_a_person_is_approved_and_still_automatic(
    tmp_path: Path, needs: str, expected: Grade
) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "azure-pipelines.yml": STAGES.replace("NEEDS", needs)})
    assert (grade(report, "governance/approval"), grade(report, CD)) == (expected, Grade.WIRED)


def test_a_pipeline_of_azure_beside_the_tests_runs_them(tmp_path: Path) -> None:
    text = "trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps:\n  - bash: pytest tests\n"
    test = "from train import train\n\n\ndef test_it():\n    assert train('d.csv', 'm').coef_[0] > 0\n"
    tests = {"tests/test_train.py": test}
    report = scan_tree(tmp_path, {**ML, **tests, "tests/ci/unit.yml": text})
    assert {grade(report, CODE), grade(report, MODEL)} == {Grade.WIRED}
