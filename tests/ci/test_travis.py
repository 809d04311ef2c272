"""Travis CI: phases, the matrix, listed jobs, conditions, deployments."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.ci.model import Workflow
from mlops_scan.words import Grade
from tests.ci.trees import found, job, placed
from tests.trees import ML, grade, scan_tree

PATH = ".travis.yml"


def read(text: str) -> Workflow:
    (workflow,) = found({PATH: text})
    return workflow


def test_each_command_runs_for_itself() -> None:
    workflow = read(
        """\
        language: python
        before_install: skip
        install:
          - pip install .
        script:
          - cd ml
          - pytest tests
          - |
            make a
            make b
        after_success: codecov
        """
    )
    (one,) = workflow.jobs
    assert [placed(step) for step in one.steps] == [
        [(4, "pip install .")],
        [(6, "cd ml")],
        [(7, "pytest tests")],
        [(9, "make a"), (10, "make b")],
        [(11, "codecov")],
    ]
    assert [(step.folder, step.errexit, bool(step.may_fail)) for step in one.steps[2:]] == [
        ("ml", False, False),
        ("ml", False, False),
        ("", False, True),
    ]
    assert [t.kind for t in workflow.triggers] == ["push", "pull_request"]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("python: ['3.9']\nscript: pytest\nmatrix: {allow_failures: [{python: '3.9'}]}", True),
        ("python: ['3.9', '3.10']\nscript: pytest\njobs: {allow_failures: [{python: '3.9'}]}", False),
        ("env: [A=1, A=2]\nscript: pytest\njobs: {allow_failures: [{env: A=1}, {env: A=2}]}", True),
        ("script: pytest", False),
        ("script: pytest\njobs: {allow_failures: []}", False),
        ("jobs: {include: [{name: a, script: pytest}], allow_failures: [{name: a}]}", True),
        ("jobs: {include: [{name: a, script: pytest}], allow_failures: [{name: b}]}", False),
        ("jobs: {include: [{stage: x, script: pytest}], allow_failures: [{stage: x}]}", True),
        ("os: linux\njobs: {include: [{name: a, script: pytest}], allow_failures: [{os: linux, name: a}]}", True),
    ],
)
def test_allowed_failures(text: str, allowed: bool) -> None:
    jobs = [one for one in read(text).jobs if any(step.script == "pytest" for step in one.steps)]
    assert bool(jobs[-1].may_fail) is allowed


def test_listed_jobs_inherit_and_replace_phases() -> None:
    workflow = read(
        "install: pip install .\njobs:\n  include:\n    - {stage: test, script: pytest}\n"
        "    - {script: make lint, install: skip}\n    - {stage: train, script: python train.py, if: type = cron}\n"
    )
    assert [[s.script for s in j.steps] for j in workflow.jobs] == [
        ["pip install .", "pytest"],
        ["make lint"],
        ["pip install .", "python train.py"],
    ]
    assert [j.id for j in workflow.jobs] == ["test 1", "test 2", "train 3"]


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ("type = cron", ["schedule"]),
        ("type = pull_request", ["pull_request"]),
        ("type != pull_request", ["push"]),
        ("type IN (push, api)", ["push", "external"]),
        ("type NOT IN (pull_request)", ["push"]),
        ("branch = main", ["push", "pull_request"]),
        ("tag IS present", ["tag"]),
        ("tag =~ ^v", ["tag"]),
    ],
)
def test_what_starts_a_job(condition: str, kinds: list[str]) -> None:
    workflow = read(f"jobs: {{include: [{{name: a, if: '{condition}', script: pytest}}]}}")
    assert [t.kind for t in workflow.triggers_of(job(workflow, "a"))] == kinds


def test_conditions_of_stages_and_of_the_build() -> None:
    workflow = read(
        "stages: [test, {name: train, if: type = cron}]\njobs: {include: [{stage: train, name: t, script: make t}]}"
    )
    assert [t.kind for t in workflow.triggers_of(job(workflow, "t"))] == ["schedule"]
    assert read("if: false\nscript: pytest").jobs[0].never
    assert not read("if: branch = main\nscript: pytest").jobs[0].never


def test_deployments_are_jobs_of_their_own() -> None:
    workflow = read(
        "script: pytest\ndeploy:\n  - provider: script\n    script: bash deploy.sh\n    on: {branch: main}\n"
        "  - provider: pypi\n    on: {tags: true}\n"
    )
    _, script, pypi = workflow.jobs
    assert (script.steps[0].script, [t.kind for t in script.triggers or ()]) == ("bash deploy.sh", ["push"])
    assert (pypi.steps[0].uses, [t.kind for t in pypi.triggers or ()]) == ("travis/pypi", ["tag"])
    assert script.needs == ("script",)


def test_imports_are_unknown() -> None:
    assert read("import: ours/ci:python.yml\nscript: pytest").unknown


@pytest.mark.parametrize("path", ["sub/.travis.yml", ".travis.yaml"])
def test_files_elsewhere_are_not_loaded(path: str) -> None:
    (workflow,) = found({path: "script: pytest"})
    assert "root" in workflow.unloaded


@pytest.mark.parametrize("text", ["a: b", "- a", "language: python", "script: skip", "# script: pytest\nlanguage: x"])
def test_what_runs_nothing(text: str) -> None:
    assert not any(step for workflow in found({PATH: text}) for one in workflow.jobs for step in one.steps)


# -- variables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("env: [T=test, T=lint]", [{"T": "test"}, {"T": "lint"}]),
        ("env: ['T=test A=\"a b\"', 'T=test A=c']", [{"T": "test", "A": "a b"}]),  # the script names `T` only
        ("env: T=test", [{"T": "test"}]),
        ("env: {T: test, A: 1}", [{"T": "test", "A": "1"}]),
        ("env: {jobs: [T=test, T=lint], global: [A=1, secure: x]}", [{"A": "1", "T": "test"}, {"A": "1", "T": "lint"}]),
        ("env: {matrix: [T=test], global: T=all}", [{"T": "test"}]),
        ("env: {global: {T: test}}", [{"T": "test"}]),
        ("env: [{T: test}, {secure: x}]", [{"T": "test"}, {}]),
        ("env: ['T=$OTHER', 'T=`x`', 'T=\"open', 'test', '1=2']", [{}]),
        ("# env: [T=test]", [{}]),
        ("env:", [{}]),
        ("env: [T=1, T=2, T=3, T=4, T=5, T=6, T=7, T=8, T=9]", [{}]),  # too many to follow each
    ],
)
def test_variables_of_the_matrix(text: str, seen: list[dict[str, str]]) -> None:
    (one,) = read(f"script: make ${{T}}\n{text}\n").jobs
    assert [dict(step.env) for step in one.steps] == seen


def test_a_step_that_names_no_variable_stands_for_all_jobs() -> None:
    (one,) = read("env: {jobs: [T=a, T=b], global: G=1}\nscript: [make all, make $T]\n").jobs
    assert [(step.script, dict(step.env)) for step in one.steps] == [
        ("make all", {"G": "1"}),
        ("make $T", {"G": "1", "T": "a"}),
        ("make $T", {"G": "1", "T": "b"}),
    ]


@pytest.mark.parametrize(
    ("own", "seen"),
    [
        ("env: T=test A=1", {"T": "test", "A": "1"}),
        ("env: [T=test, A=1]", {"T": "test", "A": "1"}),
        ("env: {T: test}", {"T": "test"}),
        ("name: x", {"T": "first"}),  # the first value of the matrix
        ("env: {}", {}),
    ],
)
def test_variables_of_a_listed_job(own: str, seen: dict[str, str]) -> None:
    text = f"env: [T=first, T=second]\nscript: make $T\njobs:\n  include:\n    - {own}\n"
    assert [dict(step.env) for step in read(text).jobs[-1].steps] == [seen]


@pytest.mark.parametrize(("value", "tested"), [("check", True), ("lint", False), ("$OTHER", False)])
def test_a_task_that_a_variable_names(tmp_path: Path, value: str, tested: bool) -> None:
    report = scan_tree(
        tmp_path,
        {
            **ML,
            PATH: f"jobs:\n  include:\n    - env: task={value}\nscript:\n  - make $task\n",
            "Makefile": "check:\n\tpytest\nlint:\n\truff check\n",
            "tests/test_a.py": "from train import train\n\n\ndef test_a():\n    assert 1 + 1 == 2\n",
        },
    )
    assert (grade(report, "ci/code-tests") is Grade.WIRED) is tested
