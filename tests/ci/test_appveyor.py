"""AppVeyor: commands of several shells, what starts a build, allowed failures, Windows spelling."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Workflow
from mlops_scan.ci.windows import as_posix
from tests.ci.trees import found, placed


def read(text: str) -> Workflow:
    (workflow,) = found({"appveyor.yml": text})
    return workflow


def test_each_command_runs_for_itself() -> None:
    workflow = read(
        """\
        image: Visual Studio 2022
        build: off
        install:
          - "%PYTHON%\\\\python.exe -m pip install ."
          - ps: Write-Host "x"
        test_script:
          - cmd: |
              @echo off
              call activate ml
              %PYTHON%\\python.exe -m pytest tests\\model
          - sh: pytest tests/unit
        on_finish:
          - upload.cmd
        """
    )
    (job,) = workflow.jobs
    assert [placed(step) for step in job.steps] == [
        [(4, "${PYTHON}/python -m pip install .")],
        [(5, 'Write-Host "x"')],
        [(8, "echo off"), (9, "activate ml"), (10, "${PYTHON}/python -m pytest tests/model")],
        [(11, "pytest tests/unit")],
        [(13, "upload.cmd")],
    ]
    assert [bool(step.may_fail) for step in job.steps] == [False, False, False, False, True]
    assert job.image == "Visual Studio 2022"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", ["push", "pull_request"]),
        ("branches: {only: [main]}", ["push", "pull_request"]),
        ("skip_non_tags: true", ["tag"]),
        ("skip_non_tags: true\nskip_tags: true", []),
    ],
)
def test_what_starts_a_build(text: str, kinds: list[str]) -> None:
    workflow = read(f"test_script: pytest\n{text}\n")
    assert [t.kind for t in workflow.triggers] == kinds


def test_allowed_failures() -> None:
    allowed = "image: [a, b]\ntest_script: pytest\nmatrix: {allow_failures: [{image: a}, {image: b}]}"
    assert read(allowed).jobs[0].may_fail
    assert not read(allowed.replace(", {image: b}", "")).jobs[0].may_fail


def test_configurations_for_some_branches_and_lists_of_them() -> None:
    special = read("test_script: pytest\nfor:\n  - branches: {only: [main]}\n    test_script: make all\n")
    assert [job.steps[0].script for job in special.jobs] == ["pytest", "make all"]
    listed = read("- branches: {only: [main]}\n  test_script: make all\n- test_script: pytest\n")
    assert [job.steps[0].script for job in listed.jobs] == ["make all", "pytest"]


def test_deployments() -> None:
    workflow = read("test_script: pytest\ndeploy: [{provider: S3, bucket: x}]\ndeploy_script: [make deploy]\n")
    assert [step.script or step.uses for step in workflow.jobs[0].steps] == ["pytest", "make deploy", "appveyor/S3"]


@pytest.mark.parametrize(
    ("script", "plain"),
    [
        (r"%PYTHON%\Scripts\pytest.exe", "${PYTHON}/Scripts/pytest"),
        ("REM pytest", ""),
        (":: pytest", ""),
        ("@call run.bat", "run.bat"),
        ("remove x", "remove x"),
        ("a.exe.txt", "a.txt"),
    ],
)
def test_windows_spelling(script: str, plain: str) -> None:
    assert as_posix(script) == plain


@pytest.mark.parametrize("path", ["sub/appveyor.yml", "ci/.appveyor.yml", "appveyor.yaml"])
def test_files_elsewhere_are_not_loaded(path: str) -> None:
    (workflow,) = found({path: "test_script: pytest"})
    assert "root" in workflow.unloaded


@pytest.mark.parametrize("text", ["test_script: off", "test: off", "a: b", "- a", "# test_script: pytest\nimage: x"])
def test_what_runs_nothing(text: str) -> None:
    assert not any(step for workflow in found({"appveyor.yml": text}) for job in workflow.jobs for step in job.steps)
