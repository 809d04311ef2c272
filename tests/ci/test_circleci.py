"""CircleCI: workflows, what starts them, commands and parameters filled in, orbs, approvals, setup configurations."""

from __future__ import annotations

from textwrap import dedent

import pytest

from mlops_scan.ci.model import Workflow
from tests.ci.trees import found, job, placed

MAIN = ".circleci/config.yml"


def read(text: str) -> Workflow:
    """The first workflow of a configuration."""
    return found({MAIN: text})[0]


JOBS = """\
version: 2.1
jobs:
  test:
    docker:
      - image: cimg/python:3.11
    working_directory: ~/project/ml
    steps:
      - checkout
      - run: pip install .
      - run:
          name: Tests
          command: |
            pytest tests
            ls
"""


def run(workflow: str, jobs: str = JOBS) -> Workflow:
    """The configuration with that text below `workflows:`."""
    return read(jobs + "workflows:\n" + "".join(f"  {line}\n" for line in dedent(workflow).splitlines()))


def test_steps_of_a_job() -> None:
    workflow = run("main:\n  jobs: [test]")
    steps = job(workflow, "test").steps
    assert [placed(step) for step in steps] == [[(9, "pip install .")], [(13, "pytest tests"), (14, "ls")]]
    assert all(step.errexit and step.pipefail and step.folder == "ml" for step in steps)
    assert (workflow.name, job(workflow, "test").image, workflow.unloaded) == ("main", "cimg/python:3.11", "")
    assert [t.kind for t in workflow.triggers] == ["push"]


def test_a_job_that_no_workflow_names_never_runs() -> None:
    main, rest = found({MAIN: JOBS + "  lint: {steps: [{run: ruff check}]}\nworkflows: {main: {jobs: [lint]}}\n"})
    assert [(j.id, bool(j.never)) for j in (*main.jobs, *rest.jobs)] == [("lint", False), ("test", True)]


def test_without_workflows_only_build_runs() -> None:
    text = "version: 2\njobs:\n  build: {steps: [{run: pytest}]}\n  other: {steps: [{run: pytest}]}\n"
    assert [(j.id, bool(j.never)) for j in read(text).jobs] == [("build", False), ("other", True)]


@pytest.mark.parametrize(
    ("workflow", "kinds"),
    [
        (
            "n:\n  triggers:\n    - schedule: {cron: '0 3 * * *', filters: {branches: {only: main}}}\n  jobs: [test]",
            ["schedule"],
        ),
        ("n:\n  when: false\n  jobs: [test]", []),
        ("n:\n  unless: true\n  jobs: [test]", []),
        ("n:\n  when: {equal: [scheduled_pipeline, << pipeline.trigger_source >>]}\n  jobs: [test]", ["schedule"]),
        ("n:\n  when: {not: {equal: [scheduled_pipeline, << pipeline.trigger_source >>]}}\n  jobs: [test]", ["push"]),
        ("n:\n  when: pipeline.trigger_source == 'scheduled_pipeline'\n  jobs: [test]", ["schedule"]),
        (
            "n:\n  when:\n    and:\n      - equal: [scheduled_pipeline, << pipeline.trigger_source >>]\n"
            "      - equal: [nightly, << pipeline.schedule.name >>]\n  jobs: [test]",
            ["schedule"],
        ),
        ("n:\n  when: {equal: [api, << pipeline.trigger_source >>]}\n  jobs: [test]", ["manual"]),
        ("n:\n  when: << pipeline.parameters.nightly >>\n  jobs: [test]", ["manual"]),
        ("n:\n  unless: << pipeline.parameters.nightly >>\n  jobs: [test]", ["push"]),
        (
            "n:\n  when: {or: [<< pipeline.parameters.nightly >>, << pipeline.parameters.always >>]}\n  jobs: [test]",
            ["push"],
        ),
        ("n:\n  when: {matches: {pattern: '^main$', value: << pipeline.git.branch >>}}\n  jobs: [test]", ["push"]),
        ("n:\n  jobs:\n    - test: {filters: {tags: {only: /v.*/}, branches: {ignore: /.*/}}}", ["tag"]),
        ("n:\n  jobs:\n    - test: {filters: {tags: {only: /v.*/}}}", ["push", "tag"]),
        ("n:\n  jobs:\n    - test: {filters: {branches: {only: main}}}", ["push"]),
    ],
)
def test_what_starts_a_job(workflow: str, kinds: list[str]) -> None:
    parameters = "parameters:\n  nightly: {type: boolean, default: false}\n  always: {type: boolean, default: true}\n"
    read_workflow = run(workflow, JOBS + parameters)
    (one,) = read_workflow.jobs
    assert [t.kind for t in read_workflow.triggers_of(one)] == kinds
    assert bool(one.never) is (kinds == [])


def test_jobs_behind_an_approval_wait_for_a_person() -> None:
    workflow = run(
        """\
        main:
          jobs:
            - test
            - hold: {type: approval, requires: [test]}
            - deploy: {requires: [hold], context: production}
            - smoke: {requires: [deploy]}
        """,
        JOBS + "  deploy: {steps: [{run: make deploy}]}\n  smoke: {steps: [{run: make smoke}]}\n",
    )
    assert [(j.id, j.manual, j.needs) for j in workflow.jobs] == [
        ("test", False, ()),
        ("deploy", True, ("hold",)),
        ("smoke", True, ("deploy",)),
    ]


COMMANDS = """\
version: 2.1
orbs:
  ecr: circleci/aws-ecr@9.0
  ours:
    commands:
      check: {steps: [{run: make check}]}
    jobs:
      lint: {steps: [check, {run: ruff check}]}
commands:
  suite:
    parameters:
      folder: {type: string, default: tests}
      verbose: {type: boolean, default: false}
      before: {type: steps, default: []}
    steps:
      - steps: << parameters.before >>
      - run: pytest <<# parameters.verbose >>-v<</ parameters.verbose >> << parameters.folder >>
      - when:
          condition: << parameters.verbose >>
          steps: [{run: pytest --durations 10}]
executors:
  py:
    parameters: {tag: {type: string, default: "3.12"}}
    docker: [{image: "cimg/python:<< parameters.tag >>"}]
jobs:
  test:
    parameters:
      python: {type: string, default: "3.11"}
    executor: {name: py, tag: << parameters.python >>}
    steps:
      - run: python<< parameters.python >> -m venv x
      - suite
      - suite: {folder: tests/model, verbose: true, before: [{run: dvc pull}]}
      - ours/check
      - ecr/build-and-push-image: {repo: scorer}
      - unknown-command
"""


def test_commands_parameters_and_orbs_are_filled_in() -> None:
    workflow = read(COMMANDS + "workflows: {main: {jobs: [{test: {python: '3.10'}}, ours/lint, ecr/build]}}\n")
    steps = job(workflow, "test").steps
    assert [" ".join((step.script or step.uses).split()) for step in steps] == [
        "python3.10 -m venv x",
        "pytest tests",
        "dvc pull",
        "pytest -v tests/model",
        "pytest --durations 10",
        "make check",
        "circleci/aws-ecr/build-and-push-image",
    ]
    assert dict(steps[6].inputs) == {"repo": "scorer"}
    assert [step.script for step in job(workflow, "ours/lint").steps] == ["make check", "ruff check"]
    assert job(workflow, "ecr/build").steps[0].uses == "circleci/aws-ecr/build"
    assert "outside the repository" in workflow.unknown


def test_a_matrix_gives_each_script_once() -> None:
    workflow = read(
        COMMANDS
        + "workflows: {main: {jobs: [{test: {name: t-<< matrix.python >>,"
        + " matrix: {parameters: {python: ['3.9', '3.10']}}}}]}}\n"
    )
    scripts = [step.script for step in job(workflow, "t").steps if "venv" in step.script]
    assert scripts == ["python3.9 -m venv x", "python3.10 -m venv x"]
    assert sum("durations" in step.script for step in job(workflow, "t").steps) == 1


def test_a_command_that_names_itself_ends() -> None:
    text = "commands: {a: {steps: [{run: x}, a, a]}}\njobs: {build: {steps: [a]}}\n"
    assert 1 <= len(read(text).jobs[0].steps) <= 2_000


@pytest.mark.parametrize(
    ("step", "errexit", "pipefail", "may_fail"),
    [
        ("{command: pytest}", True, True, ""),
        ("{command: pytest, shell: /bin/bash}", False, False, ""),
        ("{command: pytest, shell: /bin/bash -e}", True, False, ""),
        ("{command: pytest, shell: bash -eo pipefail}", True, True, ""),
        ("{command: pytest, when: on_fail}", True, True, "only after a failure"),
        ("{command: pytest, when: always}", True, True, ""),
        ("{command: pytest, background: true}", True, True, "background"),
    ],
)
def test_what_a_failing_step_does(step: str, errexit: bool, pipefail: bool, may_fail: str) -> None:
    (found_step,) = read(f"jobs: {{build: {{steps: [{{run: {step}}}]}}}}").jobs[0].steps
    assert (found_step.errexit, found_step.pipefail) == (errexit, pipefail)
    assert may_fail in found_step.may_fail and bool(found_step.may_fail) is bool(may_fail)


@pytest.mark.parametrize(
    "path", ["services/a/.circleci/config.yml", ".circleci/other.yml", "docs/.circleci/config.yml"]
)
def test_configurations_elsewhere_are_not_loaded(path: str) -> None:
    (workflow,) = found({path: "jobs: {build: {steps: [{run: pytest}]}}"})
    assert "root" in workflow.unloaded


def test_what_a_setup_workflow_continues_with_is_loaded() -> None:
    setup = "setup: true\njobs: {build: {steps: [{run: ./generate.sh}]}}\n"
    rest = "jobs: {build: {steps: [{run: pytest}]}}\n"
    main, other = found({MAIN: setup, ".circleci/continue_config.yml": rest})
    assert (main.unknown, other.unloaded) == ("", "")
    main, other = found({MAIN: setup + "x: [.circleci/tests.yml]", ".circleci/tests.yml": rest})
    assert (main.unknown, other.unloaded) == ("", "")
    (alone,) = found({MAIN: setup})
    assert "while it runs" in alone.unknown


@pytest.mark.parametrize("text", ["version: 2.1", "a: b", "- a", "just text", "jobs: [a]\nworkflows: x"])
def test_what_is_no_configuration(text: str) -> None:
    assert all(not workflow.jobs for workflow in found({MAIN: text}))
