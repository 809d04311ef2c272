"""Bitbucket Pipelines: what starts a pipeline, steps, pipes, stages, manual steps."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Workflow
from tests.ci.trees import found, placed

PATH = "bitbucket-pipelines.yml"


def read(text: str) -> Workflow:
    (workflow,) = found({PATH: text})
    return workflow


def test_a_step_runs_its_lines_in_one_shell_that_stops() -> None:
    workflow = read(
        """\
        image: python:3.11
        pipelines:
          default:
            - step:
                name: Test
                script:
                  - cd ml
                  - pip install .
                  - |
                    pytest tests
                  - pipe: atlassian/aws-ecs-deploy:1.6.0
                    variables: {CLUSTER: prod}
                  - make after
                after-script:
                  - ./report.sh
        """
    )
    (job,) = workflow.jobs
    shell, pipe, after, report = job.steps
    assert placed(shell) == [(7, "cd ml"), (8, "pip install ."), (10, "pytest tests")]
    assert shell.errexit and not shell.pipefail
    assert (pipe.uses, dict(pipe.inputs)) == ("atlassian/aws-ecs-deploy", {"CLUSTER": "prod"})
    assert (after.script, after.may_fail) == ("make after", "")
    assert "after-script" in report.may_fail
    assert (job.id, job.line, job.image) == ("default / Test", 4, "python:3.11")


STEP = "[{step: {script: [pytest]}}]"


@pytest.mark.parametrize(
    ("pipelines", "kinds"),
    [
        (f"{{default: {STEP}}}", ["push"]),
        (f"{{branches: {{main: {STEP}}}}}", ["push"]),
        (f"{{tags: {{'v*': {STEP}}}}}", ["tag"]),
        (f"{{pull-requests: {{'**': {STEP}}}}}", ["pull_request"]),
        (f"{{custom: {{nightly: {STEP}}}}}", ["manual"]),
    ],
)
def test_what_starts_a_pipeline(pipelines: str, kinds: list[str]) -> None:
    workflow = read(f"pipelines: {pipelines}")
    assert [t.kind for t in workflow.triggers_of(workflow.jobs[0])] == kinds


def test_events_start_custom_pipelines() -> None:
    workflow = read(
        "triggers: {pullrequest-created: [{condition: x, pipelines: [check]}]}\n"
        f"pipelines: {{custom: {{check: {STEP}}}}}"
    )
    assert [t.kind for t in workflow.triggers_of(workflow.jobs[0])] == ["pull_request", "manual"]


def test_manual_steps_hold_up_what_follows() -> None:
    workflow = read(
        """\
        pipelines:
          branches:
            main:
              - step: {name: a, script: [make a]}
              - parallel:
                  - step: {name: b, script: [make b]}
                  - step: {name: c, trigger: manual, script: [make c]}
              - stage:
                  name: Release
                  deployment: production
                  steps:
                    - step: {name: d, script: [make d]}
        """
    )
    assert [(j.id[-1], j.manual, j.environment) for j in workflow.jobs] == [
        ("a", False, ""),
        ("b", False, ""),
        ("c", True, ""),
        ("d", True, "production"),
    ]
    assert [len(j.needs) for j in workflow.jobs] == [0, 1, 1, 2]


def test_steps_by_alias_keep_their_lines_and_names_are_told_apart() -> None:
    workflow = read(
        "definitions:\n  steps:\n    - step: &t\n        script:\n          - pytest\n"
        "pipelines:\n  default:\n    - step: *t\n    - step: {script: [make]}\n    - step: {script: [ls]}\n"
    )
    assert placed(workflow.jobs[0].steps[0]) == [(5, "pytest")]
    assert len({job.id for job in workflow.jobs}) == 3


def test_failures_that_are_ignored() -> None:
    assert read("pipelines: {default: [{step: {on-fail: {strategy: ignore}, script: [pytest]}}]}").jobs[0].may_fail
    assert not read("pipelines: {default: [{step: {on-fail: {strategy: fail}, script: [pytest]}}]}").jobs[0].may_fail


def test_imported_pipelines_are_unknown() -> None:
    assert "imported" in read("pipelines: {custom: {shared: {import: 'shared:main:build'}}}").unknown


@pytest.mark.parametrize("path", ["services/a/bitbucket-pipelines.yml", "bitbucket-pipelines.yaml"])
def test_files_elsewhere_are_not_loaded(path: str) -> None:
    (workflow,) = found({path: f"pipelines: {{default: {STEP}}}"})
    assert "root" in workflow.unloaded


@pytest.mark.parametrize("text", ["image: x", "pipelines:", "- a", "definitions: {steps: []}"])
def test_what_has_no_pipelines(text: str) -> None:
    assert all(not workflow.jobs for workflow in found({PATH: text}))
