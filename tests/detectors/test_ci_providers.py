"""The same project under every CI provider: its tests of the model count where CI really runs them, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.scan import ScanOptions
from mlops_scan.words import Confidence, Grade
from tests.detectors.test_ci import CD, CODE, MODEL, PROJECT
from tests.trees import Tree, findings, grade, places, practice, scan_tree, where

RETRAIN = "retraining/scheduled"
MAKE: Tree = {"Makefile": "check:\n\tpytest tests/model\n"}


def stage(name: str, body: str) -> str:
    return f"    stage('{name}') {{\n{body}\n    }}\n"


def jenkins(*stages: str, more: str = "") -> Tree:
    return {"Jenkinsfile": f"pipeline {{\n  agent any\n{more}\n  stages {{\n{''.join(stages)}  }}\n}}\n"}


def circle(workflow: str, run: str = "pytest tests/model") -> Tree:
    jobs = f"version: 2.1\njobs:\n  t: {{steps: [checkout, {{run: {run}}}]}}\n"
    return {".circleci/config.yml": f"{jobs}workflows:\n{workflow}"}


TEST_STAGE = stage("Test", "      steps {\n        sh 'make check'\n      }")
STEP = "step: {name: t, script: [make check]}"

RUNS: dict[str, Tree] = {
    "jenkins": jenkins(TEST_STAGE),
    "jenkins scripted": {"Jenkinsfile": "node {\n  checkout scm\n  stage('t') {\n    sh 'make check'\n  }\n}\n"},
    "jenkins function": {"Jenkinsfile": "def t() {\n  sh 'make check'\n}\nnode {\n  t()\n}\n"},
    "circleci": circle("  main: {jobs: [t]}\n", "make check"),
    "circleci command": {
        ".circleci/config.yml": "commands: {c: {steps: [{run: make check}]}}\njobs: {build: {steps: [c]}}\n"
    },
    "bitbucket": {"bitbucket-pipelines.yml": f"pipelines:\n  default:\n    - {STEP}\n"},
    "bitbucket pull requests": {
        "bitbucket-pipelines.yml": f"pipelines:\n  pull-requests:\n    '**':\n      - {STEP}\n"
    },
    "travis": {".travis.yml": "language: python\nscript:\n  - make check\n  - ls\n"},
    "travis listed": {".travis.yml": "jobs:\n  include:\n    - stage: model\n      script: make check\n"},
    "appveyor": {"appveyor.yml": "build: off\ntest_script:\n  - make check\n"},
    "buildkite": {".buildkite/pipeline.yml": "steps:\n  - label: t\n    command: make check\n"},
}


@pytest.mark.parametrize("ci", RUNS.values(), ids=RUNS)
def test_ci_that_runs_the_model_tests(tmp_path: Path, ci: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **MAKE, **ci})
    result = practice(report, MODEL)
    assert (result.grade, grade(report, CODE)) == (Grade.WIRED, Grade.WIRED)
    shown = places(result.evidence)
    assert any(place.startswith("tests/model/test_quality.py:") for place in shown)
    assert any(place.partition(":")[0] in ci for place in shown)
    assert findings(report, "MLS306") == []


IMPOSTORS: dict[str, Tree] = {
    "jenkins: commented stage": jenkins("/*" + TEST_STAGE + "*/", stage("Lint", "steps { sh 'ruff check' }")),
    "jenkins: never": jenkins(stage("T", "when { expression { false } }\nsteps { sh 'pytest' }")),
    "jenkins: approval before": jenkins(stage("A", "steps { input 'go?' }"), stage("T", "steps { sh 'pytest' }")),
    "jenkins: docs": {f"docs/{path}": text for path, text in jenkins(TEST_STAGE).items()},
    "jenkins: example": {f"examples/a/{path}": text for path, text in jenkins(TEST_STAGE).items()},
    "jenkins: text": jenkins(stage("T", "steps { echo 'pytest'; writeFile file: 'a.sh', text: 'pytest' }")),
    "jenkins: function nobody calls": {"Jenkinsfile": "def t() { sh 'pytest' }\nnode { sh 'make build' }\n"},
    "jenkins: only started by a person": jenkins(
        stage("T", "when { triggeredBy 'UserIdCause' }\nsteps { sh 'pytest' }")
    ),
    "circleci: other place": {"ci/.circleci/config.yml": circle("  main: {jobs: [t]}\n")[".circleci/config.yml"]},
    "circleci: hold": circle("  main: {jobs: [{hold: {type: approval}}, {t: {requires: [hold]}}]}\n"),
    "circleci: no workflow": circle("  main: {jobs: []}\n"),
    "circleci: never": circle("  main: {when: false, jobs: [t]}\n"),
    "bitbucket: custom": {"bitbucket-pipelines.yml": "pipelines: {custom: {t: [{step: {script: [pytest]}}]}}\n"},
    "bitbucket: manual": {
        "bitbucket-pipelines.yml": "pipelines: {default: [{step: {trigger: manual, script: [pytest]}}]}\n"
    },
    "bitbucket: other place": {"app/bitbucket-pipelines.yml": "pipelines: {default: [{step: {script: [pytest]}}]}\n"},
    "travis: other place": {"sub/.travis.yml": "script: pytest\n"},
    "travis: comment": {".travis.yml": "language: python\n# script: pytest\nscript: make lint\n"},
    "travis: never": {".travis.yml": "if: false\nscript: pytest\n"},
    "appveyor: other place": {"sub/appveyor.yml": "test_script: pytest\n"},
    "appveyor: off": {"appveyor.yml": "build: off\ntest: off\ntest_script:\n  - pip install pytest\n"},
    "buildkite: block": {".buildkite/pipeline.yml": "steps:\n  - block: go?\n  - command: pytest\n"},
    "buildkite: skip": {".buildkite/pipeline.yml": "steps:\n  - command: pytest\n    skip: true\n"},
    "buildkite: not uploaded": {
        ".buildkite/pipeline.yml": "steps:\n  - command: ls\n",
        ".buildkite/old.yml": "steps:\n  - command: pytest\n",
    },
}


@pytest.mark.parametrize("ci", IMPOSTORS.values(), ids=IMPOSTORS)
def test_ci_that_only_seems_to_run_them(tmp_path: Path, ci: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **MAKE, **ci})
    assert not practice(report, MODEL).met and not practice(report, CODE).met


TOOTHLESS: dict[str, Tree] = {
    "jenkins: catchError": jenkins(stage("T", "steps { catchError(buildResult: 'SUCCESS') { sh 'pytest' } }")),
    "jenkins: status": jenkins(stage("T", "steps { sh(script: 'pytest', returnStatus: true) }")),
    "jenkins: or true": jenkins(stage("T", "steps { sh 'pytest || true' }")),
    "jenkins: try": {"Jenkinsfile": "node { try { sh 'pytest' } catch (e) { echo 'x' } }\n"},
    "circleci: or true": circle("  main: {jobs: [t]}\n", "pytest || true"),
    "circleci: background": {
        ".circleci/config.yml": "jobs: {build: {steps: [{run: {command: pytest, background: true}}]}}\n"
    },
    "bitbucket: after": {
        "bitbucket-pipelines.yml": "pipelines: {default: [{step: {script: [ls], after-script: [pytest]}}]}\n"
    },
    "travis: allowed": {".travis.yml": "python: '3.9'\nscript: pytest\njobs: {allow_failures: [{python: '3.9'}]}\n"},
    "travis: after": {".travis.yml": "script: make lint\nafter_success: pytest\n"},
    "appveyor: after": {"appveyor.yml": "test_script: make lint\non_success: pytest\n"},
    "buildkite: soft": {".buildkite/pipeline.yml": "steps:\n  - command: pytest\n    soft_fail: true\n"},
}


@pytest.mark.parametrize("ci", TOOTHLESS.values(), ids=TOOTHLESS)
def test_tests_whose_failure_changes_nothing(tmp_path: Path, ci: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **ci})
    assert grade(report, CODE) is Grade.IMPLEMENTED
    assert len(findings(report, "MLS301")) == 1


def test_an_assumed_trigger_is_claimed_with_less_confidence(tmp_path: Path) -> None:
    assumed = practice(scan_tree(tmp_path / "a", {**PROJECT, **MAKE, **RUNS["jenkins"]}), CODE)
    declared = practice(scan_tree(tmp_path / "b", {**PROJECT, **MAKE, **RUNS["circleci"]}), CODE)
    assert (assumed.confidence, declared.confidence) == (Confidence.MEDIUM, Confidence.HIGH)


@pytest.mark.parametrize(
    ("ci", "expected"),
    [
        (jenkins(stage("T", "steps { sh 'python train.py' }"), more="triggers { cron('H 2 * * 0') }"), Grade.WIRED),
        (jenkins(stage("T", "steps { sh 'python train.py' }"), more="// triggers { cron('H 2 * * 0') }"), Grade.ABSENT),
        (
            circle("  n:\n    triggers: [{schedule: {cron: '0 2 * * 0'}}]\n    jobs: [t]\n", "python train.py"),
            Grade.WIRED,
        ),
        (circle("  n:\n    jobs: [t]\n", "python train.py"), Grade.ABSENT),
        ({".travis.yml": "jobs: {include: [{if: type = cron, script: python train.py}]}\n"}, Grade.WIRED),
        (
            {".buildkite/pipeline.yml": "steps:\n  - command: python train.py\n    if: build.source == 'schedule'\n"},
            Grade.WIRED,
        ),
    ],
    ids=["jenkins", "jenkins: comment", "circleci", "circleci: push", "travis", "buildkite"],
)
def test_training_on_a_clock(tmp_path: Path, ci: Tree, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**PROJECT, **ci}), RETRAIN) is expected


PIPE = "pipe: 'atlassian/aws-ecs-deploy:1.0.0'"


@pytest.mark.parametrize(
    "ci",
    [
        jenkins(TEST_STAGE, stage("D", "steps { sh 'kubectl apply -f k8s/scorer.yaml' }")),
        jenkins(TEST_STAGE, stage("D", "steps { kubernetesDeploy configs: 'k8s/*.yaml' }")),
        circle("  main: {jobs: [t]}\n", "kubectl apply -f k8s/scorer.yaml"),
        {"bitbucket-pipelines.yml": f"pipelines: {{branches: {{main: [{{step: {{script: [{{{PIPE}}}]}}}}]}}}}\n"},
        {
            ".circleci/config.yml": "orbs: {ecs: circleci/aws-ecs@4}\njobs: {}\n"
            "workflows: {d: {jobs: [ecs/deploy_service_update]}}\n"
        },
        {".travis.yml": "script: pytest\ndeploy: {provider: heroku, app: scorer}\n"},
    ],
    ids=["jenkins", "jenkins step", "circleci", "bitbucket pipe", "circleci orb", "travis"],
)
def test_deployments(tmp_path: Path, ci: Tree) -> None:
    assert practice(scan_tree(tmp_path, {**PROJECT, **ci}), CD).grade in (Grade.WIRED, Grade.IMPLEMENTED)


def test_an_approval_before_a_deployment_is_governance(tmp_path: Path) -> None:
    deploy = stage("D", "steps { sh 'kubectl apply -f k8s/scorer.yaml' }")
    asked = scan_tree(tmp_path / "a", {**PROJECT, **jenkins(stage("A", "steps { input 'go?' }"), deploy)})
    result = practice(asked, "governance/approval")
    assert (result.grade, result.tools) == (Grade.IMPLEMENTED, ("jenkins",))
    free = scan_tree(tmp_path / "b", {**PROJECT, **jenkins(deploy)})
    assert grade(free, "governance/approval") is Grade.ABSENT


def test_a_library_elsewhere_leaves_ci_unknown(tmp_path: Path) -> None:
    tree = {**PROJECT, "Jenkinsfile": "@Library('ours') _\nmlPipeline(project: 'x')\n"}
    report = scan_tree(tmp_path / "a", tree)
    assert grade(report, CODE) is Grade.UNKNOWN
    (finding,) = findings(report, "MLS306")
    assert "`mlPipeline`" in finding.message
    assert not any("`mlPipeline`" in notice for notice in report.notices)  # the finding has said it
    left_out = scan_tree(tmp_path / "b", tree, ScanOptions(ignore=("MLS306",)))
    assert any("`mlPipeline`" in notice for notice in left_out.notices)


def test_a_second_file_that_no_finding_names_is_a_notice(tmp_path: Path) -> None:
    text = jenkins(TEST_STAGE)["Jenkinsfile"]
    report = scan_tree(tmp_path, {**PROJECT, **MAKE, "ci/a/Jenkinsfile": text, "ci/b/Jenkinsfile": text})
    assert where(report, "MLS306") == ["ci/a/Jenkinsfile:1"]
    assert [notice for notice in report.notices if "ci/a/" in notice] == []
    assert len([notice for notice in report.notices if "ci/b/Jenkinsfile" in notice]) == 1


def test_a_jenkinsfile_of_another_name_is_unknown_and_not_absent(tmp_path: Path) -> None:
    text = jenkins(TEST_STAGE)["Jenkinsfile"]
    report = scan_tree(tmp_path, {**PROJECT, **MAKE, "ci/Jenkinsfile.check": text})
    assert not practice(report, CODE).met
    assert len(findings(report, "MLS306")) == 1
