"""`kubectl apply -f -` of what makes no container is no deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.automation.fed import runs_nothing
from mlops_scan.documents.shell import parse
from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

TO = "--dry-run=client -o yaml | kubectl apply -f -"


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        (f"kubectl create namespace mlops {TO}", True),
        (f"kubectl -n mlops create secret generic db --from-literal=a=b {TO}", True),
        (f"sudo kubectl create configmap settings --from-file=a.yaml {TO}", True),
        ("kubectl create ns a --dry-run=client -o yaml \\\n  | kubectl label --local -f - a=b -o yaml \\\n"
         "  | kubectl apply -f -", True),
        (f"kubectl create deployment web --image=web:1 {TO}", False),
        (f"kubectl create job train --image=train:1 {TO}", False),
        (f"kubectl create -f web.yaml {TO}", False),
        (f'kubectl create "$KIND" a {TO}', False),
        ("kustomize build k8s | kubectl apply -f -", False),
        ("envsubst < web.yaml | kubectl apply -f -", False),
        ("kubectl apply -f web.yaml", False),
        ("kubectl create namespace mlops && kubectl apply -f web.yaml", False),
        ("kubectl create namespace mlops -o yaml | tee a.yaml; kubectl apply -f -", False),
        ("kubectl create namespace mlops -o name | xargs kubectl apply -f web.yaml", False),
    ],
)  # fmt: skip
def test_what_a_pipe_hands_to_kubectl(text: str, nothing: bool) -> None:
    assert runs_nothing(parse(text).commands[-1]) is nothing


@pytest.mark.parametrize(
    ("command", "found"),
    [(f"kubectl create namespace mlops {TO}", Grade.ABSENT), ("kustomize build k8s | kubectl apply -f -", Grade.WIRED)],
)
def test_a_namespace_is_no_deployment(tmp_path: Path, command: str, found: Grade) -> None:
    workflow = f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: {command}\n"
    assert grade(scan_tree(tmp_path, {**ML, ".github/workflows/a.yml": workflow}), "deploy/as-code") is found
