"""Home-made data versions: copies under a recorded identifier, and what only has the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, scan_tree

SNAPSHOT = """\
import json
import shutil

import pandas as pd


def keep(version, sources):
    for source in sources:
        shutil.copy2(source, f"versions/{version}/")
    manifest = {"dataset_version": version, "sources": sources}
    with open(f"versions/{version}/manifest.json", "w") as file:
        json.dump(manifest, file)


if __name__ == "__main__":
    keep("ds_1", ["train.csv"])
"""
BY_HAND = SNAPSHOT.replace('shutil.copy2(source, f"versions/{version}/")', "copy(source, version)").replace(
    "def keep",
    "def copy(source, version):\n    with open(source, 'rb') as a, open(version, 'wb') as b:\n"
    "        b.write(a.read())\n\n\ndef keep",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SNAPSHOT, Grade.IMPLEMENTED),
        (BY_HAND, Grade.IMPLEMENTED),
        (SNAPSHOT.replace("shutil.copy2(source", "print(source"), Grade.TRACE),
        (SNAPSHOT.replace('    keep("ds_1", ["train.csv"])', "    pass"), Grade.TRACE),
        (SNAPSHOT.replace("dataset_version", "model_version"), Grade.ABSENT),
        (SNAPSHOT.replace("json.dump(manifest, file)", "pass"), Grade.ABSENT),
        (SNAPSHOT.replace("copy2(source", "copy2(model_path"), Grade.TRACE),
        (SNAPSHOT.replace("shutil.copy2(source, ", "pd.DataFrame(source).copy("), Grade.TRACE),
        (SNAPSHOT.replace('copy2(source, f"versions/{version}/")', 'copy2(source, "figures/")'), Grade.TRACE),
        (SNAPSHOT.replace("copy2(", "copy("), Grade.IMPLEMENTED),
        (SNAPSHOT.replace("copy2(source", "copy2(model_data_path"), Grade.IMPLEMENTED),
        (SNAPSHOT.replace('"dataset_version": version, ', "").replace("keep(", "dataset_version("), Grade.ABSENT),
    ],
    ids=[
        "copies",
        "bytes by hand",
        "recorded only",
        "never called",
        "of a model",
        "not recorded",
        "of a model's file",
        "in memory",
        "elsewhere",
        "plain copies",
        "of data for a model",
        "a name only",
    ],
)
def test_snapshot(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "versions.py": text}), "data/versioning") is expected


def test_snapshot_of_a_test_is_none(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "tests/test_versions.py": SNAPSHOT}), "data/versioning") is Grade.ABSENT
