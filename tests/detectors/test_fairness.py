"""Fairness and metrics of slices that a project computes itself; words that only sound like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

NAME = "model/slice-evaluation"
PARITY = """\
import numpy as np


def demographic_parity_gap(answers, groups):
    rates = [answers[groups == group].mean() for group in np.unique(groups)]
    return max(rates) - min(rates)
"""
SLICES = """\
from sklearn.metrics import precision_score


def compute_slices(rows, column, answers):
    found = {}
    for value in rows[column].unique():
        kept = rows[column] == value
        found[value] = score(rows["y"][kept], answers[kept])
    return found


def score(y, answers):
    return precision_score(y, answers)
"""


def used(text: str, name: str) -> Tree:
    """A project whose evaluation calls a function of a module `groups`."""
    script = f"import json\n\nfrom groups import {name}\n\nif __name__ == '__main__':\n    print({name}(1, 2))\n"
    return {**ML, "groups.py": text, "evaluate.py": script}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PARITY, "demographic_parity_gap"),
        (PARITY.replace("demographic_parity_gap", "disparate_impact"), "disparate_impact"),
        (SLICES, "compute_slices"),
        (SLICES.replace("compute_slices", "subgroup_report"), "subgroup_report"),
        (SLICES.replace("compute_slices", "slice_metrics"), "slice_metrics"),
    ],
)
def test_measured(tmp_path: Path, text: str, name: str) -> None:
    assert grade(scan_tree(tmp_path, used(text, name)), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PARITY.replace("demographic_parity_gap", "parity_bit"), "parity_bit"),
        (SLICES.replace("score(rows", "sum(rows"), "compute_slices"),  # no metric
        (SLICES.replace("compute_slices", "slice_rows"), "slice_rows"),
        ("def demographic_parity(a, b):\n    raise NotImplementedError\n", "demographic_parity"),
        ("# def demographic_parity(a, b):\ndef share(a, b):\n    return a / b\n", "share"),
    ],
)
def test_not_measured(tmp_path: Path, text: str, name: str) -> None:
    assert grade(scan_tree(tmp_path, used(text, name)), NAME) is Grade.ABSENT


def test_called_by_nobody(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "groups.py": PARITY}), NAME)
    assert result.grade is Grade.TRACE
    assert "nothing calls" in result.reason


def test_called_by_a_test_only(tmp_path: Path) -> None:
    files = {**ML, "groups.py": PARITY, "tests/test_groups.py": "from groups import demographic_parity_gap\n"}
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.TRACE
