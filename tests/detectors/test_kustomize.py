"""Manifests that a kustomization lists, leaves out, or has in a comment."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, practice, scan_tree

MONITOR = """\
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: scoring}
spec:
  selector: {matchLabels: {app: scoring}}
  endpoints: [{port: http}]
"""
METRICS = "monitoring/service-metrics"
DEFAULT = "resources:\n- ../manager\nCOMMENT\n"
MANAGER = {"config/manager/kustomization.yaml": "resources: [manager.yaml]\n"}


@pytest.mark.parametrize(
    "tree",
    [
        {"k8s/monitor.yaml": MONITOR},
        {"k8s/monitor.yaml": MONITOR, "k8s/kustomization.yaml": "resources:\n- monitor.yaml\n"},
        {"k8s/monitor.yaml": MONITOR, "k8s/kustomization.yaml": "resources: [./monitor.yaml]\n"},
        {
            "k8s/monitor.yaml": MONITOR,
            "k8s/kustomization.yaml": "resources: [service.yaml]\n",
            "prod/kustomization.yaml": "resources: [../k8s, ../k8s/monitor.yaml]\n",
        },
        {"k8s/monitor.yaml": MONITOR, "k8s/kustomization.yaml": "images: [{name: a, newTag: b}]\n"},
        {"k8s/monitors/monitor.yaml": MONITOR, "k8s/kustomization.yaml": "resources: [monitors/monitor.yaml]\n"},
        {
            "k8s/monitor.yaml": MONITOR,
            "k8s/kustomization.yaml": "resources: [service.yaml]\n",
            "Makefile": "deploy:\n\tkubectl apply -f k8s/\n",
            ".github/workflows/cd.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: make deploy}]\n",
        },
        {
            "config/prometheus/monitor.yaml": MONITOR,
            "config/prometheus/kustomization.yaml": "resources: [monitor.yaml]\n",
            "config/default/kustomization.yaml": DEFAULT.replace("COMMENT", "- ../prometheus"),
            "config/test/kustomization.yaml": DEFAULT.replace("COMMENT", "# - ../prometheus"),
            **MANAGER,
        },
    ],
)
def test_a_manifest_that_is_applied_or_may_be(tmp_path: Path, tree: Tree) -> None:
    assert practice(scan_tree(tmp_path, {**ML, **tree}), METRICS).grade is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (
            {"k8s/monitor.yaml": MONITOR, "k8s/kustomization.yaml": "resources:\n- service.yaml\n# - monitor.yaml\n"},
            "does not list it",
        ),
        (
            {
                "config/prometheus/monitor.yaml": MONITOR,
                "config/prometheus/kustomization.yaml": "resources: [monitor.yaml]\n",
                "config/default/kustomization.yaml": DEFAULT.replace("COMMENT", "#- ../prometheus"),
                **MANAGER,
            },
            "`config/default/kustomization.yaml` has its folder in a comment only",
        ),
    ],
)
def test_a_manifest_that_is_left_out(tmp_path: Path, tree: Tree, reason: str) -> None:
    result = practice(scan_tree(tmp_path, {**ML, **tree}), METRICS)
    assert result.grade is Grade.TRACE
    assert reason in result.reason
