"""Drone and Woodpecker: documents, events, filters of steps, matrices, and which files are loaded."""

from __future__ import annotations

import pytest

from mlops_scan.ci.find import unread_providers
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.store import Documents
from tests.ci.trees import found, job

STEPS = "steps:\n  - name: test\n    image: python\n    commands:\n      - pip install .\n      - pytest\n"


def drone(text: str) -> Workflow:
    """The workflow of a `.drone.yml` with one pipeline."""
    (workflow,) = found({".drone.yml": f"kind: pipeline\ntype: docker\nname: default\n{text}"})
    return workflow


def woodpecker(text: str) -> Workflow:
    """The workflow of a `.woodpecker.yml`."""
    (workflow,) = found({".woodpecker.yml": text})
    return workflow


def kinds(workflow: Workflow) -> list[str]:
    """The kinds of the triggers of the first job."""
    return [trigger.kind for trigger in workflow.triggers_of(workflow.jobs[0])]


def test_commands_are_one_script_with_its_lines() -> None:
    (step,) = drone(STEPS).jobs[0].steps
    assert (step.script, step.script_line, step.errexit, step.pipefail) == ("pip install .\npytest", 8, True, False)


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("", ["push", "pull_request", "tag"]),
        ("trigger: {event: push}\n", ["push"]),
        ("trigger: {event: [pull_request]}\n", ["pull_request"]),
        ("trigger: {event: {include: [tag]}}\n", ["tag"]),
        ("trigger: {event: {exclude: [pull_request]}}\n", ["push", "tag"]),
        ("trigger: {branch: [main]}\n", ["push", "pull_request"]),
        ("trigger: {event: cron, cron: nightly}\n", ["schedule"]),
        ("trigger: {cron: [nightly]}\n", ["schedule"]),
        ("trigger: {event: [promote], target: [production]}\n", ["manual"]),
        ("trigger: {event: [custom]}\n", ["manual"]),
    ],
)
def test_what_starts_a_drone_pipeline(trigger: str, expected: list[str]) -> None:
    assert kinds(drone(trigger + STEPS)) == expected


def test_a_file_of_several_pipelines() -> None:
    text = (
        f"kind: pipeline\nname: a\n{STEPS}---\nkind: secret\nname: s\n---\nkind: pipeline\nname: b\ndepends_on: [a]\n"
    )
    (workflow,) = found({".drone.yml": text + "trigger: {event: tag}\n" + STEPS})
    assert [(j.id, j.needs) for j in workflow.jobs] == [("a", ()), ("b", ("a",))]
    assert [t.kind for t in workflow.triggers_of(job(workflow, "b"))] == ["tag"]


def test_the_old_format_is_one_pipeline() -> None:
    (workflow,) = found(
        {".drone.yml": "pipeline:\n  test:\n    image: python\n    commands: [pytest]\nbranches: [main]\n"}
    )
    assert (workflow.jobs[0].steps[0].script, kinds(workflow)) == ("pytest", ["push", "pull_request"])


@pytest.mark.parametrize(
    ("extra", "attribute"),
    [("failure: ignore", "may_fail"), ("when: {status: [failure]}", "never"), ("when: {evaluate: 'false'}", "never")],
)
def test_steps_without_effect(extra: str, attribute: str) -> None:
    (step,) = drone(STEPS + f"    {extra}\n").jobs[0].steps
    assert getattr(step, attribute)
    assert not getattr(drone(STEPS).jobs[0].steps[0], attribute)


def test_a_step_is_limited_to_its_events_and_a_branch_is_no_event() -> None:
    assert drone(STEPS + "    when: {event: [tag]}\n").jobs[0].steps[0].triggers == frozenset({"tag"})
    assert drone(STEPS + "    when: {branch: [main]}\n").jobs[0].steps[0].triggers is None


def test_a_plugin_is_an_action_with_its_settings() -> None:
    (step,) = (
        drone("steps:\n  - {name: push, image: plugins/docker, settings: {repo: a/b, dry_run: false}}\n").jobs[0].steps
    )
    assert (step.uses, step.inputs["repo"], step.script) == ("plugins/docker", "a/b", "")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", ["push", "pull_request", "tag"]),
        ("when:\n  - event: push\n    branch: main\n  - event: tag\n", ["push", "tag"]),
        ("when: {event: cron, cron: weekly}\n", ["schedule"]),
        ("when: {event: [manual, deployment]}\n", ["manual"]),
        ("when: {event: pull_request_closed}\n", ["other"]),
    ],
)
def test_what_starts_a_woodpecker_workflow(when: str, expected: list[str]) -> None:
    assert kinds(woodpecker(when + STEPS)) == expected


def test_named_steps_a_folder_and_a_matrix() -> None:
    workflow = woodpecker(
        "matrix: {SUITE: [unit, model]}\nsteps:\n  test:\n    image: python\n    directory: app\n"
        "    commands: pytest tests/${SUITE}\n"
    )
    assert [(s.script, s.folder) for s in workflow.jobs[0].steps] == [
        ("pytest tests/unit", "app"),
        ("pytest tests/model", "app"),
    ]


def test_the_folder_is_loaded_and_then_not_the_file_and_never_a_folder_below() -> None:
    tree = {".woodpecker.yml": STEPS, ".woodpecker/test.yaml": STEPS, ".woodpecker/old/test.yaml": STEPS}
    assert {w.path: bool(w.unloaded) for w in found(tree)} == {
        ".woodpecker.yml": True,
        ".woodpecker/test.yaml": False,
        ".woodpecker/old/test.yaml": True,
    }


@pytest.mark.parametrize("path", ["ci/.drone.yml", "drone.yml", "ci/.woodpecker.yml", "woodpecker/test.yml"])
def test_other_places_are_not_loaded(path: str) -> None:
    assert [workflow for workflow in found({path: f"kind: pipeline\n{STEPS}"}) if workflow.provider != "generic"] == []


def test_a_configuration_that_is_a_program_stays_unknown() -> None:
    documents = Documents.of({".drone.jsonnet": "[{kind: 'pipeline'}]"})
    assert [item.provider for item in unread_providers(documents)] == ["Drone"]
