"""Python modules of hyperparameters that code imports for something else that they define."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, TRAIN, grade, practice, scan_tree

NAME = "experiment/config"
CONFIG = """\
FOLDER = "out"

TRAINING = {
    "n_estimators": 300,
    "max_depth": 5,
}


class Model:
    learning_rate = 0.1
    epochs = 20


ALL = (TRAINING, Model)
"""


def tree(statement: str, config: str = CONFIG) -> dict[str, str | bytes]:
    """An application whose training begins with a statement that imports the configuration."""
    return {**ML, "config.py": config, "train.py": f"{statement}\n{TRAIN}"}


@pytest.mark.parametrize(
    "statement",
    [
        "from config import TRAINING",
        "import config\n\nprint(config.TRAINING)",
        "from config import *\n\nprint(TRAINING)",
        "from config import ALL",
        "import config\n\nprint(getattr(config, 'TRAIN' + 'ING'))",
        "import importlib\n\nimport config\n\nvalues = importlib.import_module('config')",
    ],
)
def test_settings_that_are_read(tmp_path: Path, statement: str) -> None:
    assert grade(scan_tree(tmp_path, tree(statement)), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize("statement", ["from config import FOLDER", "import config\n\nprint(config.FOLDER)"])
def test_settings_that_nothing_reads(tmp_path: Path, statement: str) -> None:
    result = practice(scan_tree(tmp_path, tree(statement)), NAME)
    assert (result.grade, result.reason) == (Grade.TRACE, "no code that imports this module mentions `TRAINING`")


def test_settings_through_their_package(tmp_path: Path) -> None:
    files = tree("from config import TRAINING")
    files["config/values.py"] = files.pop("config.py")
    files["config/__init__.py"] = "from config.values import *\n"
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.IMPLEMENTED


def test_import_by_name_far_from_training(tmp_path: Path) -> None:
    files = tree("from config import FOLDER")
    files["configs/a.py"] = CONFIG
    files["verify.py"] = "import importlib\n\nimportlib.import_module('pandas')\n"
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.TRACE
