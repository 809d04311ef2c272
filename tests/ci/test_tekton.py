"""Tekton: tasks that pipelines and runs name, what starts a run, and scripts of several shells."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Workflow
from tests.ci.trees import found, job

TASK = (
    "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: unit}\nspec:\n  params: [{name: suite, default: all}]\n"
    "  steps:\n    - name: run\n      image: python\n"
    "      script: |\n        pip install .\n        pytest $(params.suite)\n"
)
PIPELINE = (
    "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: check}\nspec:\n  tasks:\n"
    "    - name: tests\n      taskRef: {name: unit}\n      params: [{name: suite, value: tests/model}]\n"
    "    - name: ship\n      runAfter: [tests]\n"
    "      taskSpec:\n        steps: [{name: s, command: [make], args: [ship]}]\n"
)


def run(annotations: str = "", spec: str = "pipelineRef: {name: check}") -> str:
    """A PipelineRun."""
    marks = f", annotations: {{{annotations}}}" if annotations else ""
    return f"apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {{name: r{marks}}}\nspec: {{{spec}}}\n"


ON_PULL = "pipelinesascode.tekton.dev/on-event: '[pull_request]'"


def of_run(tree: dict[str, str]) -> Workflow:
    """The workflow of the run in a tree."""
    (workflow,) = [workflow for workflow in found(tree) if "PipelineRun" in tree[workflow.path]]
    return workflow


def kinds(workflow: Workflow) -> list[str]:
    """The kinds of a workflow's triggers."""
    return [trigger.kind for trigger in workflow.triggers]


def test_a_run_goes_through_its_pipeline_to_the_tasks() -> None:
    workflow = of_run({".tekton/pull.yaml": run(ON_PULL), "tekton/pipeline.yaml": PIPELINE, "tekton/task.yaml": TASK})
    tests, ship = workflow.jobs
    assert (kinds(workflow), workflow.unloaded) == (["pull_request"], "")
    (step,) = tests.steps
    assert (step.script, step.path, step.script_line) == ("pip install .\npytest tests/model\n", "tekton/task.yaml", 10)
    assert (step.errexit, ship.needs, ship.steps[0].script) == (True, ("tests",), "make ship")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ("pipelinesascode.tekton.dev/on-event: push", ["push"]),
        ("pipelinesascode.tekton.dev/on-event: '[push, pull_request]'", ["push", "pull_request"]),
        ("pipelinesascode.tekton.dev/on-event: incoming", ["external"]),
        ('pipelinesascode.tekton.dev/on-cel-expression: \'event == "push" && target_branch == "main"\'', ["push"]),
        ("pipelinesascode.tekton.dev/on-comment: ^/train", ["manual"]),
        ("", ["manual"]),
        ("other: x", ["manual"]),
    ],
)
def test_what_starts_a_run(annotations: str, expected: list[str]) -> None:
    assert kinds(of_run({".tekton/r.yaml": run(annotations) + "---\n" + PIPELINE})) == expected


def test_pipelines_as_code_only_looks_at_the_root() -> None:
    assert of_run({"services/a/.tekton/r.yaml": run(ON_PULL)}).unloaded
    assert not of_run({"deploy/r.yaml": run()}).unloaded


def test_a_listener_starts_the_runs_of_its_template() -> None:
    template = (
        "apiVersion: triggers.tekton.dev/v1beta1\nkind: TriggerTemplate\nmetadata: {name: tt}\nspec:\n"
        "  resourcetemplates:\n    - apiVersion: tekton.dev/v1\n      kind: PipelineRun\n"
        "      spec: {pipelineRef: {name: check}}\n"
    )
    listener = (
        "apiVersion: triggers.tekton.dev/v1beta1\nkind: EventListener\nmetadata: {name: el}\nspec:\n  triggers:\n"
        "    - interceptors:\n        - ref: {name: github}\n          params: [{name: eventTypes, value: [push]}]\n"
        "      template: {ref: tt}\n"
    )
    tree = {"t.yaml": template, "p.yaml": PIPELINE, "task.yaml": TASK}
    assert kinds(of_run(tree)) == ["server"]
    assert kinds(of_run({**tree, "l.yaml": listener})) == ["push"]
    assert kinds(of_run({**tree, "l.yaml": listener.replace("ref: tt", "ref: other")})) == ["server"]


def test_a_pipeline_that_nothing_runs_is_of_unknown_start_and_a_clock_is_one() -> None:
    clock = (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec:\n  schedule: '0 3 * * *'\n"
        "  jobTemplate: {spec: {template: {spec: {containers: [{command: [sh, -c, tkn pipeline start check]}]}}}}\n"
    )
    (alone,) = found({"p.yaml": PIPELINE})
    assert kinds(alone) == ["server"]
    (timed,) = [w for w in found({"p.yaml": PIPELINE, "c.yaml": clock}) if w.provider == "tekton"]
    assert [(t.kind, t.detail) for t in timed.triggers] == [("schedule", "0 3 * * *")]
    off = clock.replace("spec:\n  schedule", "spec:\n  suspend: true\n  schedule")
    (still,) = [w for w in found({"p.yaml": PIPELINE, "c.yaml": off}) if w.provider == "tekton"]
    assert kinds(still) == ["server"]


def test_a_pipeline_that_is_elsewhere_is_said_to_be() -> None:
    workflow = of_run({".tekton/r.yaml": run(ON_PULL)})
    assert "check" in workflow.unknown and workflow.jobs == ()
    assert not of_run({".tekton/r.yaml": run(ON_PULL), "p.yaml": PIPELINE}).unknown


@pytest.mark.parametrize(
    ("script", "errexit"),
    [("make", True), ("'#!/bin/sh\n\n  make'", False), ("'#!/usr/bin/env bash\n\n  set -e\n\n  make'", False)],
)
def test_the_shell_of_a_script(script: str, errexit: bool) -> None:
    spec = f"pipelineSpec: {{tasks: [{{name: a, taskSpec: {{steps: [{{script: {script}}}]}}}}]}}"
    (step,) = of_run({".tekton/r.yaml": run(ON_PULL, spec)}).jobs[0].steps
    assert step.errexit is errexit


def test_another_language_is_no_shell() -> None:
    spec = "pipelineSpec: {tasks: [{name: a, taskSpec: {steps: [{script: '#!/usr/bin/env python3\n\n  make'}]}}]}"
    assert of_run({".tekton/r.yaml": run(ON_PULL, spec)}).jobs[0].steps == ()


@pytest.mark.parametrize(
    ("when", "never"),
    [
        ("{input: 'no', operator: in, values: ['yes']}", True),
        ("{input: 'yes', operator: notin, values: ['yes']}", True),
        ("{input: 'yes', operator: in, values: ['yes']}", False),
        ("{input: $(params.go), operator: in, values: ['yes']}", False),
    ],
)
def test_conditions_on_constants(when: str, never: bool) -> None:
    spec = f"pipelineSpec: {{tasks: [{{name: a, when: [{when}], taskSpec: {{steps: [{{script: make}}]}}}}]}}"
    assert bool(job(of_run({".tekton/r.yaml": run(ON_PULL, spec)}), "a").never) is never


@pytest.mark.parametrize("level", ["task", "step"])
def test_failures_that_stop_nothing(level: str) -> None:
    flag = {"task": ("onError: continue, ", ""), "step": ("", ", onError: continue")}[level]
    spec = f"pipelineSpec: {{tasks: [{{name: a, {flag[0]}taskSpec: {{steps: [{{script: make{flag[1]}}}]}}}}]}}"
    (one,) = of_run({".tekton/r.yaml": run(ON_PULL, spec)}).jobs
    assert one.may_fail or one.steps[0].may_fail


@pytest.mark.parametrize("group", ["example.dev/v1", "argoproj.io/v1alpha1", "mlops.seldon.io/v1"])
def test_other_groups_are_not_tekton(group: str) -> None:
    text = PIPELINE.replace("tekton.dev/v1", group) + "# tekton.dev/\n"
    assert [workflow for workflow in found({"p.yaml": text}) if workflow.provider == "tekton"] == []


def test_pipelines_that_kubeflow_compiles_are_no_ci() -> None:
    spec = "pipelineSpec: {tasks: [{name: t, taskSpec: {steps: [{name: s, script: pytest}]}}]}"
    run = f"apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {{name: r}}\nspec: {{{spec}}}\n"
    assert len(found({"run.yaml": run})) == 1
    for marks in ("annotations: {pipelines.kubeflow.org/pipeline_spec: x}", "labels: {pipelines.kubeflow.org/gen: ''}"):
        assert found({"run.yaml": run.replace("{name: r}", f"{{name: r, {marks}}}")}) == []
