"""From files to facts: what is read, and what is left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.engine import gather as module
from mlops_scan.engine.scan import ScanOptions, gather
from mlops_scan.repository.listing import open_repository
from mlops_scan.rulebook import load
from mlops_scan.words import Grade
from tests.trees import TRAIN, context_of, practice, scan_tree, write_tree

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
    definitions = {path for path in tree if path.endswith("yaml")}
    whole = context_of(tmp_path / "a", tree)
    assert {use.location.path for use in whole.uses} >= definitions
    assert not whole.repository.notices
    steps = (
        ("_TEST_DEFINITIONS", 200, {"tests/b.yaml"}),
        ("_DEFINITIONS", 200, {"tests/b.yaml"}),  # what people may have written is always read
        ("_WRITTEN", 100, {"tests/b.yaml", "large.yaml"}),
    )
    for limit, value, left in steps:
        monkeypatch.setattr(module, limit, value)
        part = context_of(tmp_path / limit, tree)
        assert {use.location.path for use in part.uses} & definitions == definitions - left
        assert left.isdisjoint(part.documents.parsed)
        assert [workflow.path for workflow in part.automation.workflows] == [".github/workflows/ci.yml"]
        (notice,) = part.repository.notices
        assert f"left out: {len(left)} file{'s' if len(left) > 1 else ''} (1 of them tests), the largest;" in notice


def test_what_is_left_out_is_parsed_by_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEFINITIONS", 200)
    monkeypatch.setattr(module, "_WRITTEN", 100)
    rules = "groups:\n- name: m\n  rules:\n  - {alert: A, expr: model_accuracy < 0.8}\n" + "#" * 300
    tree = {"train.py": TRAIN, "alerts.yml": rules, "params.yaml": "train: {learning_rate: 0.1}\n" + "#" * 300}
    report = scan_tree(tmp_path, tree)
    assert practice(report, "monitoring/performance-threshold").grade is Grade.ABSENT
    assert practice(report, "experiment/config").grade is Grade.ABSENT
    assert not report.incomplete


def test_a_definition_too_large_for_its_parser_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEFINITIONS", 200)
    monkeypatch.setattr(module, "_WRITTEN", 100)
    report = scan_tree(tmp_path, {"train.py": TRAIN, "pipeline.yaml": JOB + "#" * 2_000_000})
    assert [item.path for item in report.incomplete] == ["pipeline.yaml"]


def test_of_very_many_notebooks_those_outside_the_main_code_and_the_deepest_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": TRAIN}]})
    names = ("train.ipynb", "docs/train.ipynb", "churn/v1/train.ipynb", "churn/train.ipynb")
    tree = dict.fromkeys(names, notebook)
    assert sorted(context_of(tmp_path / "a", tree).index.modules) == sorted(names)
    monkeypatch.setattr(module, "_NOTEBOOKS", 2)
    part = context_of(tmp_path / "b", tree)
    assert sorted(part.index.modules) == ["churn/train.ipynb", "train.ipynb"]
    (notice,) = part.repository.notices
    assert "more notebooks than one scan reads: 2," in notice


@pytest.mark.parametrize("jobs", [1, 3])
def test_definitions_are_read_once_whoever_parses_code(tmp_path: Path, jobs: int) -> None:
    write_tree(tmp_path, {"train.py": TRAIN, "eval.py": TRAIN, "job.yaml": JOB})
    with open_repository(tmp_path) as repository:
        context = gather(repository, load(), ScanOptions(jobs=jobs))
    assert [use.location.path for use in context.uses if use.location.path == "job.yaml"] == ["job.yaml"]
    assert sorted(context.index.modules) == ["eval.py", "train.py"]
    assert context.documents.files_read == 3


@pytest.mark.parametrize("text", [TRAIN, "import json\n"])
def test_the_number_of_processes_changes_nothing_that_is_counted(tmp_path: Path, text: str) -> None:
    write_tree(tmp_path, {"a.py": text, "b.py": text, "run.sh": "python a.py\n", "Makefile": "all:\n\tpython b.py\n"})
    counted = []
    for jobs in (1, 2):
        with open_repository(tmp_path) as repository:
            documents = gather(repository, load(), ScanOptions(jobs=jobs)).documents
        counted.append((documents.files_read, documents.bytes_read, documents.parsed, documents.reads))
    assert counted[0] == counted[1]
