"""A configuration of hyperparameters needs a model that it configures."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

CONFIG = "from omegaconf import OmegaConf\n\n\ndef read():\n    return OmegaConf.load('settings.yaml')\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, Grade.TRACE),
        ({"sort.py": "import numpy as np\n\nprint(np.sort([2, 1]))\n"}, Grade.TRACE),
        (ML, Grade.IMPLEMENTED),
        ({"net.py": "import torch\n\n\ndef half(x):\n    return torch.relu(x) / 2\n"}, Grade.IMPLEMENTED),
        ({"Makefile": "train:\n\tyolo train data=coco.yaml model=yolov8n.pt\n"}, Grade.IMPLEMENTED),
    ],
)
def test_configuration_without_a_model(tmp_path: Path, more: Tree, expected: Grade) -> None:
    tree = {"read.py": CONFIG, "settings.yaml": "owner: me\n", **more}
    assert grade(scan_tree(tmp_path, tree), "experiment/config") is expected
