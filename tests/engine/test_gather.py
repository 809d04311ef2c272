"""From files to facts: what is read, and what is left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.engine import gather as module
from mlops_scan.engine.scan import ScanOptions, gather
from mlops_scan.repository.listing import open_repository
from mlops_scan.rulebook import load
from tests.trees import TRAIN, context_of, write_tree

JOB = "apiVersion: kubeflow.org/v1\nkind: PyTorchJob\nspec: {pytorchReplicaSpecs: {}}\n"


def test_of_very_many_definitions_in_tests_the_largest_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = {"train.py": TRAIN, "job.yaml": JOB + "#" * 500, "tests/a.yaml": JOB, "tests/b.yaml": JOB + "#" * 300}
    whole = context_of(tmp_path / "a", tree)
    assert {use.location.path for use in whole.uses} >= {"job.yaml", "tests/a.yaml", "tests/b.yaml"}
    assert not whole.repository.notices
    monkeypatch.setattr(module, "_TEST_DEFINITIONS", 200)
    part = context_of(tmp_path / "b", tree)
    assert {use.location.path for use in part.uses} >= {"job.yaml", "tests/a.yaml"}
    assert "tests/b.yaml" not in part.documents.parsed
    (notice,) = part.repository.notices
    assert "the 1 largest are left out" in notice


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
