"""Services that CI starts with `docker compose up`: on a lent machine they end with the job."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, practice, scan_tree

CI = ".github/workflows/ci.yml"
UP = "docker compose -f app.yml up --build -d"


def _workflow(step: str = f"run: {UP}", runner: str = "ubuntu-latest", more: str = "") -> str:
    return f"on: push\njobs:\n  up:\n    runs-on: {runner}\n{more}    steps:\n      - {step}\n"


@pytest.mark.parametrize(
    "text",
    [
        _workflow(),
        _workflow(runner="ubuntu-24.04"),
        _workflow(runner="ubuntu-latest-8-cores"),
        _workflow("run: docker-compose up -d"),
        _workflow("run: ./up.sh"),
    ],
    ids=["latest", "version", "larger", "standalone", "script"],
)
def test_services_that_end_with_the_job(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**ML, CI: text, "up.sh": f"set -e\n{UP}\n"})
    found = practice(report, "cd/model-deploy")
    assert found.grade is Grade.TRACE
    assert "ends with it" in found.reason
    assert practice(report, "deploy/as-code").grade is not Grade.WIRED


@pytest.mark.parametrize(
    "text",
    [
        _workflow(runner="self-hosted"),
        _workflow(runner="[self-hosted, ubuntu-latest]"),
        _workflow(runner="production"),
        _workflow(runner="${{ matrix.os }}"),
        _workflow(more="    env: {DOCKER_HOST: 'tcp://scoring.example.org:2376'}\n"),
        _workflow(f"run: docker context use production && {UP}"),
        _workflow("run: docker --context production compose up -d"),
        _workflow(f"run: ssh scoring.example.org '{UP}'"),
        _workflow("run: docker compose push"),
    ],
    ids=["own", "own of that name", "named", "matrix", "host", "context", "option", "ssh", "push"],
)
def test_what_may_stay(tmp_path: Path, text: str) -> None:
    found = practice(scan_tree(tmp_path, {**ML, CI: text}), "cd/model-deploy")
    assert "ends with it" not in found.reason


def test_the_services_are_still_deployment_as_code(tmp_path: Path) -> None:
    files = {
        **ML,
        "app.yml": "",
        "docker-compose.yml": "services: {api: {build: .}}\n",
        "Dockerfile": "FROM python:3.12\nCOPY . .\nCMD python train.py\n",
    }
    found = practice(scan_tree(tmp_path, {**files, CI: _workflow("run: docker compose up -d")}), "deploy/as-code")
    assert found.grade is Grade.IMPLEMENTED
    assert found.met
