"""Cloud Build: what a step's image, entry point and arguments run, and which triggers of the repository start it."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Step, Workflow
from tests.ci.trees import found

STEP = "steps:\n  - {name: python, entrypoint: pytest, args: [tests]}\n"


def build(text: str, **others: str) -> Workflow:
    """The workflow of a `cloudbuild.yaml` beside other files (`__` stands for `/`, `_` before the suffix for a dot)."""
    tree = {
        "cloudbuild.yaml": text,
        **{name.replace("__", "/").replace("_", "."): body for name, body in others.items()},
    }
    (workflow,) = [workflow for workflow in found(tree) if workflow.path == "cloudbuild.yaml"]
    return workflow


def steps(text: str) -> tuple[Step, ...]:
    """The steps of a build."""
    return build(f"steps:\n{text}").jobs[0].steps


@pytest.mark.parametrize(
    ("step", "script", "errexit"),
    [
        ("{name: python, entrypoint: bash, args: [-c, 'pip install . && pytest']}", "pip install . && pytest", False),
        ("{name: python, entrypoint: bash, args: ['-eEuo', pipefail, '-c', pytest]}", "pytest", True),
        ("{name: python, entrypoint: python, args: [-m, pytest]}", "python -m pytest", True),
        ("{name: gcr.io/cloud-builders/docker, args: [build, -t, x, .]}", "docker build -t x .", True),
        ("{name: 'gcr.io/cloud-builders/gcloud', args: [run, deploy, x]}", "gcloud run deploy x", True),
        ("{name: 'gcr.io/kaniko-project/executor:v1', args: ['--destination=x']}", "kaniko --destination=x", True),
        ("{name: 'python:3.12', args: [pytest, tests]}", "pytest tests", True),
        ("{name: gcr.io/p/cli, args: [-c, 'cli upload x.yaml && pytest']}", "cli upload x.yaml && pytest", False),
        ("{name: gcr.io/p/cli, args: [-ec, 'pytest tests']}", "pytest tests", True),
        ("{name: gcr.io/p/cli, args: [-c, settings.yaml, train]}", "-c settings.yaml train", True),
        ("{name: gcr.io/p/cli, args: [train, -c, 'a b']}", "train -c 'a b'", True),
        ("{name: gcr.io/p/cli, entrypoint: cli, args: [-c, 'a b']}", "cli -c 'a b'", True),
        ("{name: gcr.io/cloud-builders/docker, args: [-c, 'a b']}", "docker -c 'a b'", True),
        ("{name: gcr.io/p/cli, args: [-c]}", "-c", True),
        ("{name: ubuntu, script: make test}", "make test", False),
        ('{name: ubuntu, script: "#!/bin/bash -e\\nmake test"}', "#!/bin/bash -e\nmake test", True),
    ],
)
def test_what_a_step_runs(step: str, script: str, errexit: bool) -> None:
    assert [(s.script, s.errexit) for s in steps(f"  - {step}\n")] == [(script, errexit)]


@pytest.mark.parametrize(
    "step", ["{name: python, script: \"#!/usr/bin/env python\\nprint('pytest')\"}", "{name: ubuntu}"]
)
def test_steps_that_run_no_shell(step: str) -> None:
    assert steps(f"  - {step}\n") == ()


CLONE = "  - {name: gcr.io/cloud-builders/git, args: [clone, $_REPO_URL]}\n"


@pytest.mark.parametrize(
    ("first", "step", "folder"),
    [
        (CLONE, "{name: $_IMAGE, entrypoint: pytest, args: ['src/tests/x.py::test_a'], dir: churn}", ""),
        (CLONE, "{name: $_IMAGE, entrypoint: pytest, args: [tests], dir: churn}", "churn"),  # whose tests is not known
        (CLONE, "{name: $_IMAGE, entrypoint: pytest, args: [x.py], dir: churn}", "churn"),
        (CLONE, "{name: $_IMAGE, entrypoint: pytest, args: [src/other/x.py], dir: churn}", "churn"),
        (CLONE, "{name: $_IMAGE, entrypoint: pytest, args: [src/tests/x.py], dir: churn/sub}", "churn/sub"),
        ("", "{name: $_IMAGE, entrypoint: pytest, args: [src/tests/x.py], dir: churn}", "churn"),  # nothing is cloned
    ],
)
def test_the_folder_of_a_clone_that_has_our_files_is_the_root(first: str, step: str, folder: str) -> None:
    text = f"steps:\n{first}  - {step}\n"
    made = build(text, **{"src/tests/x.py": "def test_a(): assert 1\n"})
    assert made.jobs[0].steps[-1].folder == folder


def test_a_folder_that_the_repository_has_is_no_clone() -> None:
    text = f"steps:\n{CLONE}  - {{name: $_IMAGE, entrypoint: pytest, args: [src/tests/x.py], dir: churn}}\n"
    others = {"src/tests/x.py": "", "churn/src/tests/x.py": ""}
    assert build(text, **others).jobs[0].steps[-1].folder == "churn"


def test_a_block_keeps_its_lines() -> None:
    (step,) = steps(
        "  - name: python\n    entrypoint: bash\n    args:\n      - -c\n      - |\n        cd x\n        pytest\n"
    )
    assert (step.script, step.script_line) == ("cd x\npytest\n", 7)


def test_substitutions_folders_environment_and_images() -> None:
    workflow = build(
        "substitutions: {_IMAGE: eu.gcr.io/p/x, _DIR: app}\nimages: ['$_IMAGE']\n"
        "steps:\n  - {name: python, dir: '${_DIR}', env: ['A=${_DIR}'], args: [run, $_IMAGE, '$$HOME', $PROJECT_ID]}\n"
    )
    step, push = workflow.jobs[0].steps
    assert (step.folder, step.env) == ("app", {"A": "app"})
    assert step.script == "run eu.gcr.io/p/x '$HOME' '$PROJECT_ID'"
    assert push.script == "docker push eu.gcr.io/p/x"


def test_a_command_line_for_an_own_image_keeps_its_lines() -> None:
    (step,) = steps("  - name: gcr.io/p/cli\n    args:\n      - -c\n      - |\n        cd x\n        pytest\n")
    assert (step.script, step.script_line) == ("cd x\npytest\n", 6)


@pytest.mark.parametrize("extra", ["allowFailure: true", "allowExitCodes: [1]"])
def test_steps_whose_failure_stops_nothing(extra: str) -> None:
    assert steps(f"  - {{name: p, args: [pytest], {extra}}}\n")[0].may_fail
    assert not steps("  - {name: p, args: [pytest], allowExitCodes: [3], allowFailure: false}\n")[0].may_fail


TRIGGER = "name: t\nfilename: cloudbuild.yaml\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("trigger_yaml", TRIGGER + "github: {owner: a, name: b, push: {branch: ^main$}}\n", "push"),
        ("trigger_yaml", TRIGGER + "github: {push: {tag: v.*}}\n", "tag"),
        ("trigger_yaml", TRIGGER + "github: {pullRequest: {branch: .*}}\n", "pull_request"),
        ("trigger_yaml", TRIGGER + "triggerTemplate: {repoName: a, branchName: main}\n", "push"),
        ("trigger_yaml", TRIGGER + "pubsubConfig: {topic: t}\n", "external"),
        ("trigger_yaml", TRIGGER + "disabled: true\ngithub: {push: {branch: main}}\n", "server"),
        ("trigger_yaml", "filename: other.yaml\ngithub: {push: {branch: main}}\n", "server"),
        ("docs__trigger_yaml", TRIGGER + "github: {push: {branch: main}}\n", "server"),
        (
            "setup_sh",
            "gcloud builds triggers create github --name=x \\\n --branch-pattern=. --build-config=cloudbuild.yaml\n",
            "push",
        ),
        (
            "setup_sh",
            "gcloud beta builds triggers create github --pull-request-pattern=. --build-config cloudbuild.yaml\n",
            "pull_request",
        ),
        ("setup_sh", "gcloud builds triggers create github --build-config=other.yaml\n", "server"),
        ("setup_sh", "gcloud builds triggers list\n", "server"),
    ],
)
def test_what_starts_a_build(name: str, text: str, expected: str) -> None:
    assert [trigger.kind for trigger in build(STEP, **{name: text}).triggers] == [expected]


def test_each_build_has_its_own_triggers() -> None:
    trigger = "filename: PATH\ngithub: {push: {branch: main}}\n"
    tree = {
        "a/cloudbuild.yaml": STEP, "b/cloudbuild.yaml": STEP, "c/cloudbuild.yaml": STEP,
        "trigger.yaml": trigger.replace("PATH", "a/cloudbuild.yaml"),
        "setup.sh": "gcloud builds triggers create manual --build-config=b/cloudbuild.yaml\n",
    }  # fmt: skip
    kinds = {workflow.path[0]: [trigger.kind for trigger in workflow.triggers] for workflow in found(tree)}
    assert kinds == {"a": ["push"], "b": ["manual"], "c": ["server"]}


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("cloudbuild.yaml", True),
        ("services/a/cloudbuild-train.yaml", True),
        ("ci/train.cloudbuild.yml", True),
        ("cloudbuild/train.yaml", True),
        ("node_modules/x/cloudbuild.yaml", False),
        ("build.yaml", False),
    ],
)
def test_which_files_are_builds(path: str, read: bool) -> None:
    assert bool(found({path: STEP})) is read


@pytest.mark.parametrize("text", ["a: b\n", "steps: [1, 2]\n", "steps: {a: b}\n", "- x\n", ""])
def test_other_documents_of_that_name_are_none(text: str) -> None:
    assert found({"cloudbuild.yaml": text}) == []


DEPLOY = """\
    steps:
      - {name: gcr.io/cloud-builders/git, args: [clone, $_REPO]}
      - {name: $_CI_IMAGE, entrypoint: pytest, args: [tests]}
    """


def test_a_build_of_another_name() -> None:
    """The images of the builders tell what no name does; what starts it is set in the project."""
    (workflow,) = found({"build/deploy-model.yaml": DEPLOY})
    assert workflow.provider == "cloud-build"
    assert [trigger.kind for trigger in workflow.triggers] == ["server"]
    assert [step.script for step in workflow.jobs[0].steps] == ["git clone '$_REPO'", "pytest tests"]


@pytest.mark.parametrize(
    "text",
    [
        DEPLOY.replace("gcr.io/cloud-builders/git", "git"),
        "steps:\n  - {name: prepare, command: python prepare.py}\n  - {name: train, command: python train.py}\n",
        "steps: 3\n",
    ],
    ids=["other images", "a list of training steps", "no list"],
)
def test_steps_of_something_else(text: str) -> None:
    assert found({"build/deploy-model.yaml": text}) == []
