from __future__ import annotations

import pytest

from mlops_scan.ci.model import Trigger
from tests.ci.trees import found, github, job, placed

JOBS = "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make test\n"


def triggers(on: str) -> list[tuple[str, int, str]]:
    return [(t.kind, t.line, t.detail) for t in github(on + JOBS).triggers]


def test_triggers_as_string_list_and_mapping() -> None:
    assert triggers("on: push") == [("push", 1, "push")]
    assert triggers("'on': push") == [("push", 1, "push")]
    assert triggers("on: [push, pull_request]") == [("push", 1, "push"), ("pull_request", 1, "pull_request")]
    assert triggers("on:\n  - push\n  - workflow_dispatch") == [("push", 2, "push"), ("manual", 3, "workflow_dispatch")]
    assert triggers("on:\n  push:\n    branches: [main, dev]\n  pull_request:\n  merge_group:") == [
        ("push", 2, "main dev"),
        ("pull_request", 4, "pull_request"),
        ("merge_queue", 5, "merge_group"),
    ]


def test_every_cron_is_a_trigger_with_its_line() -> None:
    on = "on:\n  schedule:\n    - cron: '0 2 * * *'\n    # nightly\n    - cron: \"30 4 * * 1\"\n"
    assert triggers(on) == [("schedule", 3, "0 2 * * *"), ("schedule", 5, "30 4 * * 1")]


@pytest.mark.parametrize("schedule", ["", " []", "\n    # - cron: '0 2 * * *'", "\n    - {}", " daily"])
def test_a_schedule_without_a_cron_starts_nothing(schedule: str) -> None:
    assert triggers(f"on:\n  push:\n  schedule:{schedule}") == [("push", 2, "push")]


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        ("tags: ['v*']", ["tag"]),
        ("tags: ['v*']\n    branches: [main]", ["tag", "push"]),
        ("tags: ['v*']\n    branches-ignore: [wip]", ["tag", "push"]),
        ("tags-ignore: ['v*']", ["tag"]),
        ("tags-ignore: ['**']", ["never"]),
        ("tags-ignore: ['**']\n    branches: ['**']", ["push"]),
        ("tags-ignore: ['v*']\n    branches: [main]", ["push"]),
        ("paths: [src/**]", ["push"]),
        ("branches-ignore: [wip]", ["push"]),
    ],
)
def test_push_filters(filters: str, kinds: list[str]) -> None:
    assert [kind for kind, _, _ in triggers(f"on:\n  push:\n    {filters}")] == kinds


def test_events_that_other_things_fire() -> None:
    on = (
        "on:\n  workflow_run:\n    workflows: [Train, Test]\n    branches: [main]\n"
        "  workflow_dispatch:\n  workflow_call:\n  repository_dispatch:\n    types: [drift]\n"
        "  release:\n  issues:\n  fork:"
    )
    assert [(kind, detail) for kind, _, detail in triggers(on)] == [
        ("chained", "Train Test"),
        ("manual", "workflow_dispatch"),
        ("called", "workflow_call"),
        ("external", "drift"),
        ("release", "release"),
        ("other", "issues"),
        ("other", "fork"),
    ]


def test_jobs() -> None:
    workflow = github(
        """\
        name: CI
        on: push
        jobs:
          test:
            runs-on: ubuntu-latest
            if: github.ref == 'refs/heads/main'
            container: python:3.12
            steps:
              - uses: actions/checkout@v4
              - name: Tests
                if: success()
                run: pytest
          deploy:
            needs: test
            environment: staging
            container: {image: "node:20"}
            steps: [{run: ./deploy.sh}]
          prod:
            needs: [test, deploy]
            environment:
              name: production
              url: https://example.com
            steps: []
        """
    )
    assert (workflow.name, workflow.provider, workflow.unloaded) == ("CI", "github-actions", "")
    test, deploy, prod = workflow.jobs
    assert (test.line, test.condition, test.image, test.never) == (
        4,
        "github.ref == 'refs/heads/main'",
        "python:3.12",
        "",
    )
    assert (test.steps[0].uses, test.steps[1].name, test.steps[1].condition) == (
        "actions/checkout@v4",
        "Tests",
        "success()",
    )
    assert (test.steps[1].line, test.steps[1].end_line, test.steps[1].script_line) == (10, 12, 12)
    assert (deploy.needs, deploy.environment, deploy.image) == (("test",), "staging", "node:20")
    assert (prod.needs, prod.environment, prod.steps) == (("test", "deploy"), "production", ())


def test_failures_that_stop_nothing() -> None:
    workflow = github(
        """\
        on: push
        jobs:
          a:
            continue-on-error: true
            steps:
              - run: pytest
                continue-on-error: true
              - run: pytest
                continue-on-error: ${{ matrix.experimental }}
          b:
            continue-on-error: false
            steps: [{run: pytest}]
        """
    )
    assert [bool(one.may_fail) for one in workflow.jobs] == [True, False]
    assert [bool(step.may_fail) for step in workflow.jobs[0].steps] == [True, False]


@pytest.mark.parametrize("condition", ["false", "${{ false }}", "'false'", "${{ false && github.ref }}", "0"])
def test_conditions_that_are_never_true(condition: str) -> None:
    workflow = github(
        f"on: push\njobs:\n  a:\n    if: {condition}\n    steps:\n      - run: x\n        if: {condition}\n"
    )
    assert workflow.jobs[0].never and workflow.jobs[0].steps[0].never


@pytest.mark.parametrize(
    "condition", ["true", "${{ always() }}", "github.event_name == 'push'", "false || true", "${{ vars.X }}"]
)
def test_conditions_that_can_be_true(condition: str) -> None:
    workflow = github(
        f"on: push\njobs:\n  a:\n    if: {condition}\n    steps:\n      - run: x\n        if: {condition}\n"
    )
    assert not workflow.jobs[0].never and not workflow.jobs[0].steps[0].never


def test_script_lines_are_those_of_the_file() -> None:
    workflow = github(
        """\
        on: push
        jobs:
          a:
            steps:
              - run: |
                  pip install .

                  pytest
              - run: make test
              - run: >-
                  python train.py
                  --epochs 3
              - run: |-
                  one
              - run: "quoted"
              - run: 'single'
              - run: plain
                  continued
              - name: x
                run: |2
                    indented
              - {run: flow}
        """
    )
    assert [placed(step) for step in workflow.jobs[0].steps] == [
        [(6, "pip install ."), (8, "pytest")],
        [(9, "make test")],
        [(11, "python train.py --epochs 3")],
        [(14, "one")],
        [(15, "quoted")],
        [(16, "single")],
        [(17, "plain continued")],
        [(21, "indented")],
        [(22, "flow")],
    ]


def test_working_directories() -> None:
    workflow = github(
        """\
        on: push
        defaults: {run: {working-directory: app}}
        jobs:
          a:
            steps: [{run: x}, {run: x, working-directory: other}]
          b:
            defaults: {run: {working-directory: b}}
            steps: [{run: x}]
        """
    )
    assert [[step.folder for step in one.steps] for one in workflow.jobs] == [["app", "other"], ["b"]]


@pytest.mark.parametrize(
    ("shell", "errexit", "pipefail"),
    [
        ("", True, False),
        ("bash", True, True),
        ("sh", True, False),
        ("bash {0}", False, False),
        ("bash -l {0}", False, False),
        ("bash -el {0}", True, False),
        ("bash -leo pipefail {0}", True, True),
        ("bash -o errexit {0}", True, False),
        ("pwsh", True, False),
        ("micromamba-shell {0}", True, False),
    ],
)
def test_shells(shell: str, errexit: bool, pipefail: bool) -> None:
    step = github(f"on: push\njobs:\n  a:\n    steps:\n      - run: x\n        shell: {shell}\n").jobs[0].steps[0]
    assert (step.errexit, step.pipefail) == (errexit, pipefail)
    defaults = github(f"on: push\ndefaults: {{run: {{shell: '{shell}'}}}}\njobs:\n  a:\n    steps: [{{run: x}}]\n")
    assert defaults.jobs[0].steps[0].errexit == errexit


def test_python_in_a_step_is_no_shell() -> None:
    step = (
        github("on: push\njobs:\n  a:\n    steps:\n      - shell: python\n        run: |\n          import os\n")
        .jobs[0]
        .steps[0]
    )
    assert (step.script, step.line) == ("", 5)


def test_a_matrix_runs_every_value() -> None:
    workflow = github(
        """\
        on: push
        jobs:
          a:
            strategy:
              matrix:
                target: [train, evaluate]
                python: ["3.10", 3.11]
                include:
                  - {target: train, flag: --fast}
                  - {target: deploy, flag: --now}
            steps:
              - run: make ${{ matrix.target }}
              - run: python -V
                working-directory: ${{matrix.target}}
              - run: ./x.sh ${{ matrix.target }} ${{ matrix.flag }} ${{ matrix.unknown }}
          b:
            strategy: {matrix: "${{ fromJSON(needs.a.outputs.m) }}"}
            steps: [{run: "make ${{ matrix.target }}"}]
        """
    )
    scripts = [step.script for step in workflow.jobs[0].steps]
    assert scripts[:3] == ["make train", "make evaluate", "make deploy"]
    assert [step.folder for step in workflow.jobs[0].steps[3:6]] == ["train", "evaluate", "deploy"]
    assert scripts[6] == "./x.sh train --fast ${{ matrix.unknown }}"
    assert workflow.jobs[1].steps[0].script == "make ${{ matrix.target }}"


def test_a_variable_holds_a_value_of_the_matrix() -> None:
    workflow = github(
        """\
        on: push
        env: {ROOT: work}
        jobs:
          a:
            strategy: {matrix: {folder: [first, second]}}
            env: {FOLDER: "${{ matrix.folder }}", OTHER: "${{ matrix.folder }}", UNKNOWN: "${{ matrix.nothing }}"}
            steps:
              - run: cd $FOLDER && make
              - run: make
                working-directory: ${{ env.ROOT }}/${{ env.FOLDER }}
              - run: make ${{ env.UNKNOWN }}
              - run: make plain
        """
    )
    steps = workflow.jobs[0].steps
    assert [(step.script, step.env["FOLDER"]) for step in steps[:2]] == [
        ("cd $FOLDER && make", "first"),
        ("cd $FOLDER && make", "second"),
    ]
    assert [step.folder for step in steps[2:4]] == ["work/first", "work/second"]
    assert [step.script for step in steps[4:]] == ["make ${{ env.UNKNOWN }}", "make plain"]


def test_large_matrices_stay_small() -> None:
    axes = "".join(f"        a{i}: [{', '.join(map(str, range(50)))}]\n" for i in range(6))
    workflow = github(
        f"on: push\njobs:\n  a:\n    strategy:\n      matrix:\n{axes}    steps:\n      - run: x ${{{{ matrix.a5 }}}}\n"
    )
    assert 1 < len(workflow.jobs[0].steps) < 30


def test_reusable_workflows() -> None:
    workflow = github(
        """\
        on: push
        jobs:
          a:
            uses: ./.github/workflows/b.yml
            with: {folder: tests}
          b:
            uses: org/repo/.github/workflows/x.yml@v1
            steps: none
        """
    )
    assert job(workflow, "a").uses == "./.github/workflows/b.yml" and dict(job(workflow, "a").inputs) == {
        "folder": "tests"
    }
    assert job(workflow, "b").uses == "org/repo/.github/workflows/x.yml@v1"


def test_inputs_of_actions() -> None:
    step = (
        github("on: push\njobs:\n  a:\n    steps:\n      - uses: o/r@v1\n        with: {a: 1, b: [x], c: 'y'}\n")
        .jobs[0]
        .steps[0]
    )
    assert dict(step.inputs) == {"a": "1", "c": "y"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "on: push",
        "jobs: {a: {steps: [{run: x}]}}",
        "[]",
        "on: 3\njobs: 4",
        "on: {push: [1], schedule: {cron: x}}\njobs: [a]",
        (
            "on: [[push], {a: b}]\n"
            "jobs: {a: 1, b: [], c: {steps: {run: x}}, d: {steps: [1, [], {run: [x]}, {run: {a: b}}]}}"
        ),
        (
            "on: push\n"
            "jobs: {a: {needs: {a: b}, environment: [x], container: [], strategy: 3, if: {a: b}, steps: [{with: 3}]}}"
        ),
        "on: push\njobs:\n  a:\n   steps:\n  - run: broken\n :",
        "on: push\njobs: {a: {strategy: {matrix: {x: [], include: [3, {a: [1]}]}}, steps: [{run: '${{ matrix.x }}'}]}}",
    ],
)
def test_broken_shapes_give_what_can_be_read(text: str) -> None:
    for workflow in found({".github/workflows/ci.yml": text}):
        assert all(step.line > 0 for one in workflow.jobs for step in one.steps)


def test_gitea_and_forgejo_read_the_same() -> None:
    text = "on: push" + JOBS
    loaded = found({".gitea/workflows/a.yaml": text, ".forgejo/workflows/b.yml": text})
    assert [workflow.unloaded for workflow in loaded] == ["", ""]
    assert loaded[0].triggers == (Trigger("push", 1, "push"),)


@pytest.mark.parametrize(
    ("top", "own", "script", "expected"),
    [
        ("env: {SUITE: unit}\n", "", "pytest tests/${{ env.SUITE }}", "pytest tests/unit"),
        ("env: {SUITE: unit}\n", "env: {SUITE: model}, ", "pytest ${{ env.SUITE }}", "pytest model"),
        ("env: {SUITE: '${{ vars.SUITE }}'}\n", "", "pytest ${{ env.SUITE }}", "pytest ${{ env.SUITE }}"),
        ("", "", "pytest ${{ env.SUITE }}", "pytest ${{ env.SUITE }}"),
    ],
)
def test_constant_variables_are_filled_in(top: str, own: str, script: str, expected: str) -> None:
    workflow = github(f"on: push\n{top}jobs: {{a: {{{own}steps: [{{run: '{script}'}}]}}}}\n")
    assert workflow.jobs[0].steps[0].script == expected


def test_the_variables_of_a_step_are_its_own_above_those_of_the_job() -> None:
    workflow = github(
        "on: push\nenv: {A: 1}\njobs: {a: {env: {B: x}, steps: [{run: make, env: {B: y}}, {run: make}]}}\n"
    )
    assert [dict(step.env) for step in workflow.jobs[0].steps] == [{"A": "1", "B": "y"}, {"A": "1", "B": "x"}]
