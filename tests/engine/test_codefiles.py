"""Which files of code are parsed, and what is left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.engine import codefiles
from tests.trees import TRAIN, context_of


def test_of_very_many_notebooks_those_outside_the_main_code_and_the_deepest_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": TRAIN}]})
    names = ("train.ipynb", "docs/train.ipynb", "churn/v1/train.ipynb", "churn/train.ipynb")
    tree = dict.fromkeys(names, notebook)
    assert sorted(context_of(tmp_path / "a", tree).index.modules) == sorted(names)
    monkeypatch.setattr(codefiles, "_NOTEBOOKS", 2)
    part = context_of(tmp_path / "b", tree)
    assert sorted(part.index.modules) == ["churn/train.ipynb", "train.ipynb"]
    (notice,) = part.repository.notices
    assert "more notebooks than one scan reads: 2," in notice
