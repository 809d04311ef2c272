"""Which definitions are read, and what is left out and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine import definitions
from mlops_scan.words import Grade
from tests.trees import TRAIN, context_of, practice, scan_tree

JOB = "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nspec: {pytorchReplicaSpecs: {}}\n"


def test_of_very_many_definitions_the_largest_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = {
        "train.py": TRAIN,
        "job.yaml": JOB,
        "large.yaml": JOB + "#" * 500,
        "tests/a.yaml": JOB,
        "tests/b.yaml": JOB + "#" * 300,
        ".github/workflows/ci.yml": "on: push\njobs: {a: {runs-on: x, steps: [{run: python train.py}]}}\n" + "#" * 900,
    }
    declaring = {path for path in tree if path.endswith("yaml")}
    whole = context_of(tmp_path / "a", tree)
    assert {use.location.path for use in whole.uses} >= declaring
    assert not whole.repository.notices
    steps = (
        ("_TEST_DEFINITIONS", 200, {"tests/b.yaml"}),
        ("_DEFINITIONS", 200, {"tests/b.yaml"}),  # what people may have written is always read
        ("_WRITTEN", 100, {"tests/b.yaml", "large.yaml"}),
    )
    for limit, value, left in steps:
        monkeypatch.setattr(definitions, limit, value)
        part = context_of(tmp_path / limit, tree)
        assert {use.location.path for use in part.uses} & declaring == declaring - left
        assert left.isdisjoint(part.documents.parsed)
        assert [workflow.path for workflow in part.automation.workflows] == [".github/workflows/ci.yml"]
        (notice,) = part.repository.notices
        assert f"left out: {len(left)} file{'s' if len(left) > 1 else ''} (1 of them tests), the largest;" in notice


def test_what_is_left_out_is_parsed_by_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "_DEFINITIONS", 200)
    monkeypatch.setattr(definitions, "_WRITTEN", 100)
    rules = "groups:\n- name: m\n  rules:\n  - {alert: A, expr: model_accuracy < 0.8}\n" + "#" * 300
    tree = {"train.py": TRAIN, "alerts.yml": rules, "params.yaml": "train: {learning_rate: 0.1}\n" + "#" * 300}
    report = scan_tree(tmp_path, tree)
    assert practice(report, "monitoring/performance-threshold").grade is Grade.ABSENT
    assert practice(report, "experiment/config").grade is Grade.ABSENT
    assert not report.incomplete


def test_a_definition_too_large_for_its_parser_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "_DEFINITIONS", 200)
    monkeypatch.setattr(definitions, "_WRITTEN", 100)
    report = scan_tree(tmp_path, {"train.py": TRAIN, "pipeline.yaml": JOB + "#" * 2_000_000})
    assert [item.path for item in report.incomplete] == ["pipeline.yaml"]
