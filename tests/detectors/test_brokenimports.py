"""Imports that cannot succeed: what they name is not in the repository, and near misses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.brokenimports import broken_import
from tests.trees import ML, Tree, context_of

TEST = "tests/test_it.py"
USES = "import pandas\n"  # so that the file is worth a parse
OWN: Tree = {
    **ML,
    "src/churn/__init__.py": "import joblib\n",
    "src/churn/model.py": "import joblib\n\n\nclass Trainer:\n    pass\n",
}


def reason(tmp_path: Path, imports: str, more: Tree) -> str:
    """Why the imports of a test file cannot succeed."""
    return broken_import(
        context_of(tmp_path, {**OWN, **more, TEST: f"{USES}{imports}\n\ndef test_a():\n    assert 1\n"}), TEST
    )[1]


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ("from src.churn.model import Evaluator\n", "it imports `Evaluator`, which is not in src/churn/model.py"),
        ("from churn.model import Trainer, Evaluator\n", "it imports `Evaluator`, which is not in src/churn/model.py"),
    ],
    ids=["a class", "the second of two"],
)
def test_import_of_what_is_not_there(tmp_path: Path, imports: str, expected: str) -> None:
    assert reason(tmp_path, imports, {}) == expected
    assert reason(tmp_path / "b", imports, {".gitmodules": "\tpath = src/nlp\n"}) == expected


@pytest.mark.parametrize(
    ("imports", "more"),
    [
        ("from src.churn.model import Trainer\n", {}),
        ("from src.churn import model\n", {}),
        ("# from src.churn.model import Evaluator\n", {}),
        ("try:\n    from src.churn.model import Evaluator\nexcept ImportError:\n    Evaluator = None\n", {}),
        ("def late():\n    from src.churn.model import Evaluator\n", {}),
        ("from src.churn.model import Evaluator\n", {"src/churn/model.py": "from churn.base import *  # noqa\n"}),
        ("from src.churn.model import Evaluator\n", {"src/churn/model.py": "def __getattr__(name):\n    return 1\n"}),
        ("from src.churn.model import Evaluator\n", {"src/churn/model.py": "import joblib\nEvaluator = joblib\n"}),
        ("from src.churn.model import Evaluator\n", {"lib/churn/model.py": "import joblib\nEvaluator = joblib\n"}),
        ("from src.churn import _version\n", {}),
        ("from src.churn import model_pb2\n", {}),
        ("from src.churn import features\n", {}),
        ("from src.models.train import fit\n", {}),
        ("import sys\n\nsys.modules['src.churn.gpu'] = sys\nfrom src.churn.gpu import ask\n", {}),
        ("from src.churn.gpu import ask\n", {"tests/conftest.py": "import sys\n\nsys.modules['src.churn.gpu'] = 1\n"}),
        ("try: from src.churn.model import Evaluator\nexcept ImportError: pass\n", {}),
        ("from sklearn.linear_model import Ridge\n", {"sklearn/__init__.py": "import joblib\n"}),
        ("from queue import Queue\n", {"queue.py": "import joblib\n"}),
        ("from churn_core.model import Evaluator\n", {}),
        ("from deep.model import Evaluator\n", {"x/deep/__init__.py": "", "x/deep/model.py": "import joblib\n"}),
    ],
    ids=[
        "there", "a module", "commented out", "may fail", "only when called", "star", "getattr", "a variable",
        "another file of the name", "written by a build", "compiled messages", "of a package", "a folder",
        "stands in", "a fixture does", "one line", "a distribution",
        "the standard library", "not of the repository", "a folder that is not searched",
    ],
)  # fmt: skip
def test_import_that_may_succeed(tmp_path: Path, imports: str, more: Tree) -> None:
    assert reason(tmp_path, imports, more) == ""
