"""Buildkite: steps, plug-ins, blocks, conditions, soft failures, uploaded pipelines."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Workflow
from tests.ci.trees import found, job, placed

PATH = ".buildkite/pipeline.yml"


def read(text: str) -> Workflow:
    (workflow,) = found({PATH: text})
    return workflow


def test_command_steps() -> None:
    workflow = read(
        """\
        steps:
          - label: ":python: tests"
            key: tests
            commands:
              - pip install .
              - pytest tests
            plugins:
              - docker#v5.11.0: {image: "python:3.11"}
              - https://github.com/acme/notify-buildkite-plugin.git#v1: ~
          - make lint
          - wait
          - command: make deploy
        """
    )
    tests = job(workflow, "tests")
    docker, notify, shell = tests.steps
    assert (docker.uses, dict(docker.inputs), notify.uses) == (
        "buildkite-plugins/docker",
        {"image": "python:3.11"},
        "acme/notify",
    )
    assert placed(shell) == [(5, "pip install ."), (6, "pytest tests")]
    assert shell.errexit and not shell.pipefail
    assert [(j.steps[-1].script, j.needs) for j in workflow.jobs[1:]] == [
        ("make lint", ()),
        ("make deploy", ("tests", "step at line 10")),
    ]
    assert [(t.kind, t.assumed) for t in workflow.triggers] == [("push", True)]


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("soft_fail: true", True),
        ("soft_fail: [{exit_status: 1}]", True),
        ("soft_fail: [{exit_status: '*'}]", True),
        ("soft_fail: [{exit_status: 77}]", False),
        ("soft_fail: false", False),
        ("retry: {automatic: true}", False),
    ],
)
def test_soft_failures(key: str, allowed: bool) -> None:
    assert bool(read(f"steps:\n  - command: pytest\n    {key}\n").jobs[0].may_fail) is allowed


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ('build.source == "schedule"', ["schedule"]),
        ("build.source == 'ui'", ["manual"]),
        ("build.pull_request.id != null", ["pull_request"]),
        ("build.tag != null", ["tag"]),
        ("build.tag =~ /^v/", ["tag"]),
        ('build.branch == "main"', ["push"]),
        ('build.source != "schedule"', ["push"]),
    ],
)
def test_what_starts_a_step(condition: str, kinds: list[str]) -> None:
    workflow = read(f"steps:\n  - command: pytest\n    if: {condition}\n")
    assert [t.kind for t in workflow.triggers_of(workflow.jobs[0])] == kinds


@pytest.mark.parametrize(
    ("key", "never"),
    [("skip: true", True), ("skip: flaky", True), ("skip: false", False), ("skip: ''", False), ("if: 'false'", True)],
)
def test_steps_that_never_run(key: str, never: bool) -> None:
    assert bool(read(f"steps:\n  - command: pytest\n    {key}\n").jobs[0].never) is never


def test_blocks_hold_up_what_follows() -> None:
    workflow = read(
        """\
        steps:
          - {command: a, key: a}
          - {block: "Release?", key: gate}
          - {command: b, key: b}
          - {command: c, key: c, depends_on: ~}
          - {command: d, key: d, depends_on: a}
          - {command: e, key: e, depends_on: [b]}
          - {command: f, key: f, depends_on: [{step: gate}]}
        """
    )
    assert {j.id: j.manual for j in workflow.jobs} == {
        "a": False, "b": True, "c": False, "d": False, "e": True, "f": True,
    }  # fmt: skip


def test_a_block_for_some_builds_holds_up_nothing() -> None:
    assert not read("steps:\n  - block: x\n    branches: '!main'\n  - command: a\n").jobs[0].manual
    assert read("steps:\n  - block\n  - command: a\n").jobs[0].manual


def test_groups_and_matrices() -> None:
    workflow = read(
        """\
        steps:
          - group: tests
            if: build.pull_request.id != null
            steps:
              - {command: "tox -e {{matrix}}", matrix: [py310, py311]}
              - {command: "x {{matrix.a}}", matrix: {setup: {a: ["1", "2"], b: [y]}}}
        """
    )
    assert [[s.script for s in j.steps] for j in workflow.jobs] == [["tox -e py310", "tox -e py311"], ["x 1", "x 2"]]
    assert [t.kind for t in workflow.jobs[0].triggers or ()] == ["pull_request"]


def test_uploaded_pipelines_are_loaded() -> None:
    main = "steps:\n  - command: buildkite-agent pipeline upload .buildkite/tests.yml\n"
    other = "steps:\n  - command: pytest\n"
    uploaded, lost, first = (
        found({PATH: main, ".buildkite/tests.yml": other, ".buildkite/old.yml": other})[position]
        for position in (2, 0, 1)
    )
    assert (first.unloaded, uploaded.unloaded) == ("", "")
    assert "upload" in lost.unloaded and not lost.unknown


def test_without_a_file_read_by_default_the_site_may_name_any() -> None:
    (workflow,) = found({".buildkite/speed.yml": "steps:\n  - command: pytest\n"})
    assert not workflow.unloaded
    assert "set on its site" in workflow.unknown


def test_steps_that_a_program_makes_are_unknown() -> None:
    assert read("steps:\n  - command: ./steps.py | buildkite-agent pipeline upload\n").unknown
    assert not read("steps:\n  - command: buildkite-agent pipeline upload .buildkite/x.yml\n").unknown


@pytest.mark.parametrize("path", ["buildkite.yml", ".buildkite/pipeline.yaml", "buildkite/pipeline.json"])
def test_names_that_are_loaded(path: str) -> None:
    (workflow,) = found({path: '{"steps": [{"command": "pytest"}]}'})
    assert (workflow.provider, workflow.unloaded) == ("buildkite", "")


@pytest.mark.parametrize("text", ["a: b", "steps:", "- a: b", "env: {A: b}", "just text", "steps: [wait, {wait: ~}]"])
def test_what_runs_nothing(text: str) -> None:
    assert not any(step for workflow in found({PATH: text}) for one in workflow.jobs for step in one.steps)
