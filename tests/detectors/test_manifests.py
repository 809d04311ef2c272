"""Manifests that run no service, or only what others make for another purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

AS_CODE, CD = "deploy/as-code", "cd/model-deploy"
CI = ".github/workflows/ci.yml"


def workload(image: str, kind: str = "Deployment") -> str:
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: a}}\n"
        f"spec: {{template: {{spec: {{containers: [{{name: a, image: '{image}'}}]}}}}}}\n"
    )


def github(*lines: str) -> str:
    body = "".join(f"          {line}\n" for line in lines)
    return f"on: push\njobs:\n  up:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n{body}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (workload("postgres:16"), Grade.TRACE),
        (workload("docker.io/bitnami/redis:7", "StatefulSet"), Grade.TRACE),
        (workload("quay.io/prometheus/prometheus"), Grade.TRACE),
        (workload("team/scorer:1"), Grade.IMPLEMENTED),
        (workload("python:3.12"), Grade.IMPLEMENTED),  # with code that is mounted
        (f"{workload('postgres:16')}---\n{workload('team/scorer:1')}", Grade.IMPLEMENTED),
    ],
)
def test_workloads_of_stock_images(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "k8s/a.yaml": text}), AS_CODE) is expected


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ml}\n"
HERE = ("kubectl apply -f - <<EOF", "apiVersion: {0}", "kind: {1}", "metadata: {{name: a}}", "EOF")


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"k8s/a.yaml": NAMESPACE, CI: github("kubectl apply -f k8s/a.yaml")}, Grade.TRACE),
        ({"k8s/a.yaml": workload("redis"), CI: github("kubectl apply -f k8s/a.yaml")}, Grade.TRACE),
        ({"k8s/a.yaml": workload("team/scorer"), CI: github("kubectl apply -f k8s/a.yaml")}, Grade.WIRED),
        ({"k8s/a.yaml": NAMESPACE, CI: github("kubectl apply -f k8s/")}, Grade.WIRED),  # it may hold more
        ({CI: github(*(line.format("batch/v1", "Job") for line in HERE))}, Grade.TRACE),
        ({CI: github(*(line.format("apps/v1", "Deployment") for line in HERE))}, Grade.WIRED),
        ({CI: github("./render | kubectl apply -f -")}, Grade.WIRED),
    ],
)
def test_what_is_applied(tmp_path: Path, tree: Tree, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, **tree}), CD) is expected


FLOW = (
    "from prefect import flow\n\nfrom train import train\n\n\n@flow\ndef retrain():\n    train('data.csv', 'm')\n\n\n"
    "if __name__ == '__main__':\n    {}\n"
)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("retrain.deploy(name='r', work_pool_name='p', image='i')", Grade.WIRED),
        (
            "retrain.from_source(source='s', entrypoint='flow.py:retrain').deploy(name='r', work_pool_name='p')",
            Grade.WIRED,
        ),
        ("retrain.serve(name='r')", Grade.ABSENT),  # a process that ends with the job
        ("retrain()", Grade.ABSENT),
        ("# retrain.deploy(name='r')\n    pass", Grade.ABSENT),
        ("train.deploy(name='r')", Grade.ABSENT),  # no flow
    ],
)
def test_flows_that_ci_deploys(tmp_path: Path, call: str, expected: Grade) -> None:
    tree = {**ML, "flow.py": FLOW.format(call), CI: github("python flow.py")}
    assert grade(scan_tree(tmp_path, tree), "cd/pipeline-deploy") is expected
