"""Registries of one's own: versions, a list of them, one that is in use; and classes that only have the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, practice, scan_tree

NAME = "model/registry"
STORE = """\
import json
import shutil
from pathlib import Path

import joblib

ROOT = Path("kept")


class ModelRegistry:
    def __init__(self):
        self.index = json.loads((ROOT / "index.json").read_text())

    def add(self, path, score):
        version = f"v{len(self.index) + 1}"
        shutil.copy(path, ROOT / version)
        self.index[version] = {"score": score}
        self.write()
        return version

    def promote(self, version):
        self.index["production"] = version
        self.write()

    def load(self):
        return joblib.load(ROOT / self.index["production"])

    def write(self):
        (ROOT / "index.json").write_text(json.dumps(self.index))
"""
USE = """\
from store import ModelRegistry
from train import train

if __name__ == "__main__":
    train("rows.csv")
    registry = ModelRegistry()
    registry.promote(registry.add("model.joblib", 0.9))
"""


def test_a_registry_of_its_own(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "store.py": STORE, "release.py": USE}), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert [place.location.line for place in result.evidence] == [16, 21]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def promote(", "def note("),
        ("        shutil.copy(path, ROOT / version)\n", "        # shutil.copy(path, ROOT / version)\n"),
        ("joblib.load(ROOT", "str(ROOT"),
        ("json.dumps(self.index)", "str(self.index)"),
        ("class ModelRegistry", "class Models"),
        ("version", "name"),
    ],
    ids=["chooses none", "keeps none", "reads none", "no list", "another name", "no versions"],
)
def test_half_of_a_registry(tmp_path: Path, old: str, new: str) -> None:
    files = {**ML, "store.py": STORE.replace(old, new), "release.py": USE.replace(old, new)}
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.ABSENT


def test_a_registry_that_nobody_uses(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "store.py": STORE}), NAME)
    assert result.grade is Grade.TRACE
    assert "nothing calls" in result.reason
