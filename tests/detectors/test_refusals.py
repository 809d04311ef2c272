"""Readers that refuse a bad table, and checks that put a bad file aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import DATA, ML, TRAIN, grade, practice, scan_tree

NAME = "data/validation"
READER = """\
import pandas as pd


def read(path):
    frame = pd.read_csv(path)
    missing = [name for name in ("age", "y") if name not in frame.columns]
    if missing:
        raise ValueError(f"no columns {missing}")
    if frame["y"].isna().any():
        raise ValueError("y has empty values")
    return frame.drop(columns="y"), frame["y"]
"""
SORTER = """\
import shutil
from os import listdir

import pandas as pd


def columns_fit(folder, expected):
    for name in listdir(folder):
        frame = pd.read_csv(f"{folder}/{name}")
        if frame.shape[1] == expected:
            continue
        else:
            shutil.move(f"{folder}/{name}", "data/Bad_Raw")


def read(path):
    columns_fit("data/raw", 12)
    frame = pd.read_csv(path)
    return frame.drop(columns="y"), frame["y"]
"""


MOVE = '            shutil.move(f"{folder}/{name}", "data/Bad_Raw")'


@pytest.mark.parametrize(
    "text",
    [
        READER,
        READER.replace("isna().any()", "duplicated().any()"),
        READER.replace("isna().any()", "isin((0, 1)).all() is False"),
        SORTER,
        SORTER.replace('"data/Bad_Raw"', "self.rejected_dir"),
        SORTER.replace(
            '            shutil.move(f"{folder}/{name}", "data/Bad_Raw")',
            '            target = f"quarantine/{name}"\n            store.move_data(name, target)',
        ),
    ],
)
def test_implemented(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "data.py": text}), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [
        READER.replace("raise ValueError(", "print("),
        READER.replace('    if missing:\n        raise ValueError(f"no columns {missing}")\n', ""),
        READER.replace('frame["y"].isna().any()', "frame.empty"),
        READER.replace("    frame = pd.read_csv(path)\n", "    frame = path\n"),  # an estimator checks what it gets
        READER.replace("ValueError(", "HTTPException(400, "),
        SORTER.replace("Bad_Raw", "archive"),
        SORTER.replace("Bad_Raw", "badges"),
        SORTER.replace("frame.shape[1] == expected", "name == expected"),
        SORTER.replace("shutil.move(", "print("),
        SORTER.replace(MOVE, "            bad = frame[frame.y.isna()].copy()"),
        SORTER.replace(MOVE, "            frame = frame.rename(columns={'bad': 'y'})"),
        SORTER.replace(MOVE, "            frame = frame.rename({'bad': 'y'})"),
        SORTER.replace("            shutil.move(", "            # shutil.move(").replace(
            "else:", "else:\n            pass"
        ),
        SORTER.replace(
            '            shutil.move(f"{folder}/{name}", "data/Bad_Raw")',
            '            print("bad file")\n            shutil.copy(f"{folder}/{name}", "data/all")',
        ),
    ],
    ids=[
        "prints",
        "values only",
        "columns only",
        "reads nothing",
        "answers a request",
        "no place for bad files",
        "another word",
        "no question about a table",
        "moves nothing",
        "a copy of rows",
        "another name for a column",
        "another name for a column of polars",
        "commented out",
        "the word is in a message",
    ],
)
def test_no_validation(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "data.py": text}), NAME) is Grade.ABSENT


def test_reader_that_nothing_calls(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "old.py": READER}), NAME)
    assert (result.grade, result.reason) == (Grade.TRACE, "nothing calls this check")


def test_reader_in_tests(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "tests/helpers.py": READER}), NAME) is Grade.ABSENT


def test_reader_whose_error_is_swallowed(tmp_path: Path) -> None:
    script = "from old import read\n\ntry:\n    read('a.csv')\nexcept Exception:\n    print('bad')\n"
    run = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: python check.py\n"
    tree = {**ML, "old.py": READER, "check.py": script, ".github/workflows/a.yml": run}
    result = practice(scan_tree(tmp_path, tree), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert "catches its failure" in result.reason


CACHE = """\
import numpy as np


def verify_cache(folder):
    stats = measure(folder)
    good = stats.n_cols == 19 and stats.columns == ["age", "y"]
    return good, stats
"""
BUILD = """\
import sys

from data.cache import verify_cache


def main():
    good, stats = verify_cache("out")
    print(stats)
    if not good:
        print("FAIL")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (BUILD, Grade.IMPLEMENTED),
        (BUILD.replace("sys.exit(main())", "raise SystemExit(main())"), Grade.IMPLEMENTED),
        (BUILD.replace("return 1", "return 0"), Grade.ABSENT),
        (BUILD.replace("sys.exit(main())", "main()"), Grade.ABSENT),
        (BUILD.replace("if not good", "if not stats.parsed").replace("good, stats =", "ok ="), Grade.ABSENT),
    ],
    ids=["exit", "SystemExit", "always well", "nobody reads the code", "of something else"],
)
def test_status_that_ends_the_program(tmp_path: Path, build: str, expected: Grade) -> None:
    files = {"train.py": TRAIN.replace("from data import", "from rows import"), "rows.py": DATA}
    tree: dict[str, str | bytes] = {**files, "data/cache.py": CACHE, "build.py": build}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected
