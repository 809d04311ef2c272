"""The benchmarks measure what they say: equal trees, a right slope, bounds that can fail."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bounds import check, exponent
from benchmarks.scan import listed, stages
from benchmarks.trees import SHAPES, contents, split, tree
from mlops_scan.documents.store import language_of
from tests.trees import scan_tree, write_tree


@pytest.mark.parametrize("shape", SHAPES)
def test_a_tree_has_its_size_and_is_the_same_every_time(shape: str) -> None:
    found = dict(contents(300, shape))
    assert len(found) == (6 if shape == "huge" else 300)
    assert found == dict(contents(300, shape))
    assert found != dict(contents(300, shape, seed=8))


@pytest.mark.parametrize(("shape", "language"), [("small", "python"), ("yaml", "yaml"), ("notebooks", "notebook")])
def test_most_files_of_a_shape_are_of_its_kind(shape: str, language: str) -> None:
    found = [path for path, _ in contents(200, shape)]
    assert sum(language_of(path) == language for path in found) > 0.7 * len(found)


def test_the_cells_of_notebooks_are_ordinary_code() -> None:
    notebooks = [json.loads(text) for path, text in contents(60, "notebooks") if path.endswith(".ipynb")]
    cells = ["".join(cell["source"]) for notebook in notebooks for cell in notebook["cells"]]
    assert all(ast.parse(cell).body for cell in cells)


def test_a_mixed_tree_is_mostly_not_machine_learning(tmp_path: Path) -> None:
    tree_ = dict(contents(120))
    assert sum("sklearn" in text for path, text in tree_.items() if path.endswith(".py")) < 0.1 * len(tree_)
    report = scan_tree(tmp_path, tree_)
    assert report.has_ml
    assert report.incomplete == ()


def test_a_tree_is_made_anew_when_something_else_is_wanted(tmp_path: Path) -> None:
    folder = tree(tmp_path / "t", 20)
    assert len(listed(folder)) == 20
    (folder / "requirements.txt").write_text("kept")
    assert (tree(tmp_path / "t", 20) / "requirements.txt").read_text() == "kept"
    assert (tree(tmp_path / "t", 21) / "requirements.txt").read_text() != "kept"
    assert len(listed(folder)) == 21


def test_parts_hold_every_file_once(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "root", {**{f"d{n}/f.py": str(n) for n in range(7)}, ".git/config": "x"})
    names = listed(root)
    assert len(names) == 7
    folders = split(names, root, tmp_path / "out", 3)
    assert sorted(name for folder in folders for name in listed(folder)) == names


def test_lines_of_stages() -> None:
    assert stages("list files 0.125\nnotice: 3 files\nparse 2\n\nlevel 2 of\n") == {"list files": 0.125, "parse": 2.0}


@pytest.mark.parametrize(("power", "expected"), [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)])
def test_the_exponent_of_growth(power: float, expected: float) -> None:
    found = exponent((size, 0.01 * size**power) for size in (100, 1_000, 20_000))
    assert found == pytest.approx(expected)


def test_one_size_has_no_growth() -> None:
    assert exponent([(100, 1.0), (100, 2.0)]) is None
    assert exponent([]) is None


def result(**more: Any) -> dict[str, Any]:
    """The figures of a tree that keeps every bound."""
    return {"name": "t", "files": 300, "first": 0.1, "cold": 1.0, "repeat": 0.1, "memory": 50.0, **more}


@pytest.mark.parametrize(
    ("figures", "failing"),
    [
        ({}, []),
        ({"first": 0.3}, ["t: seconds"]),
        ({"memory": 81.0}, ["t: MiB"]),
        ({"files": 20_000, "memory": 81.0, "first": 9.0}, []),
        ({"files": 20_000, "memory": 151.0}, ["t: MiB"]),
        ({"files": 59_000, "memory": 401.0}, ["t: MiB"]),
        ({"repeat": 0.5}, ["t: repeat / cold"]),
        ({"files": 5_000, "first": 13.0, "rg": 1.0}, ["t: scan / rg"]),
        ({"files": 4_000, "first": 13.0, "rg": 1.0}, []),
        ({"semgrep": 0.4}, ["t: scan / semgrep"]),
        ({"whole": 2.4, "parts": 2.0}, ["t: tree / sum of its parts"]),
        ({"first": float("nan")}, ["t: seconds"]),
    ],
)
def test_bounds(figures: dict[str, Any], failing: list[str]) -> None:
    found = check({"trees": [result(**figures)]})
    assert [item.what for item in found if item.verdict == "FAILS"] == failing


def test_startup_and_goals() -> None:
    verdicts = [check({"startup": {"ratio": ratio}, "trees": []})[0].verdict for ratio in (1.3, 1.8, 2.1)]
    assert verdicts == ["goal met", "ok", "FAILS"]


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "posix_spawn"), reason="POSIX only")
def test_figures_of_a_process() -> None:
    from benchmarks.processes import run

    big = run([sys.executable, "-c", "x = b'1' * 90_000_000; import time; time.sleep(0.2); raise SystemExit(3)"])
    assert big.code == 3
    assert big.seconds > 0.2
    assert big.memory > 90  # never less; a fork of a large process starts with the size of that one
    family = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', 'x = b\"1\" * 90_000_000; import time; time.sleep(1)'])"
    )
    watched = run([sys.executable, "-c", family], watched=True)
    assert watched.family >= watched.memory or sys.platform != "linux"
    assert watched.family > 85 or sys.platform != "linux"
