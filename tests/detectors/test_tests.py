"""Tests: what counts as a test of code, and what counts as a test of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree, where

UNIT, MODEL = "code/unit-tests", "model/testing"
PREDICT = (
    "import joblib\n\n\ndef load(path='model.joblib'):\n    return joblib.load(path)\n\n\n"
    "def score(rows):\n    return load().predict_proba(rows)[:, 1]\n"
)
PROJECT: Tree = {**ML, "predict.py": PREDICT}
FIXTURE = (
    "import pytest\n\nfrom predict import load\n\n\n@pytest.fixture(scope='session')\ndef model():\n    return load()\n"
)


@pytest.mark.parametrize(
    ("test", "more"),
    [
        (
            (
                "from train import train\n\n\ndef test_a():\n"
                "    model = train('s.csv', 'm')\n    assert model.score([[0]], [0]) > 0.8\n"
            ),
            {},
        ),
        ("from predict import score\n\n\ndef test_a():\n    assert score([[1]])[0] > score([[0]])[0]\n", {}),
        ("def test_a(model):\n    assert model.predict([[1.0]])[0] == 1\n", {"tests/conftest.py": FIXTURE}),
        (
            "import numpy as np\n\n\ndef test_a(model):\n    assert model.predict(np.ones((1, 1)))[0] == 1\n",
            {"tests/conftest.py": FIXTURE},
        ),
        (
            "import unittest\nfrom predict import score\n\n\n"
            "class TestModel(unittest.TestCase):\n    def test_a(self):\n"
            "        self.assertGreater(score([[1]])[0], 0.5)\n",
            {},
        ),
        (
            "import unittest\nfrom predict import load\n\n\nclass TestModel(unittest.TestCase):\n    def setUp(self):\n"
            "        self.model = load()\n\n    def test_a(self):\n"
            "        self.assertEqual(list(self.model.predict([[1]])), [1])\n",
            {},
        ),
        (
            "import numpy as np\nfrom predict import score\n\n\ndef test_a():\n"
            "    np.testing.assert_allclose(score([[1]]), [0.93], atol=0.01)\n",
            {},
        ),
    ],
    ids=["trains", "direction", "fixture only", "fixture", "unittest", "setUp", "golden"],
)
def test_test_of_a_model(tmp_path: Path, test: str, more: Tree) -> None:
    result = practice(scan_tree(tmp_path, {**PROJECT, **more, "tests/test_model.py": test}), MODEL)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence)[0].startswith("tests/test_model.py:")


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("from predict import score\n\n\ndef test_a():\n    print(score([[1]]))\n", "asserts nothing"),
        ("from predict import score\n\n\ndef test_a():\n    score([[1]])\n    assert True\n", "asserts nothing"),
        (
            "from unittest.mock import MagicMock\nimport predict\n\n\ndef test_a():\n    predict.load = MagicMock()\n"
            "    assert predict.score([[1]]) == [1]\n",
            "mocks",
        ),
        (
            "from unittest.mock import patch\nimport predict\n\n\n@patch('predict.load')\ndef test_a(load):\n"
            "    assert predict.score([[1]]) == [1]\n",
            "mocks",
        ),
        (
            (
                "import pytest\nfrom predict import score\n\n\n@pytest.mark.skip\n"
                "def test_a():\n    assert score([[1]])[0] > 0.5\n"
            ),
            "skipped",
        ),
        (
            "import pytest\nfrom predict import score\n\n\n@pytest.mark.skip(reason='no model')\ndef test_a():\n"
            "    assert score([[1]])[0] > 0.5\n",
            "skipped",
        ),
    ],
    ids=["prints", "assert True", "mocked load", "patch", "skip", "skip with reason"],
)
def test_test_that_only_touches_a_model(tmp_path: Path, test: str, reason: str) -> None:
    result = practice(scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": test}), MODEL)
    assert result.grade is Grade.TRACE
    assert reason in result.reason


@pytest.mark.parametrize(
    "test",
    [
        "from data import read\n\n\ndef test_a():\n    x, y = read('s.csv')\n    assert x.shape == (3, 2)\n",
        "def test_model():\n    assert 'model' in 'my model'\n",
        "'''Tests of the model: accuracy must be above 0.9.'''\n",
        "from unittest.mock import MagicMock\n\n\ndef test_a():\n"
        "    model = MagicMock()\n    model.predict.return_value = [1]\n"
        "    assert model.predict([[1]]) == [1]\n",
    ],
    ids=["shape of the data", "word", "docstring", "nothing but a mock"],
)
def test_test_that_reaches_no_model(tmp_path: Path, test: str) -> None:
    assert not practice(scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": test}), MODEL).met


def test_a_real_test_beside_a_weak_one_decides(tmp_path: Path) -> None:
    text = (
        "from predict import score\n\n\ndef test_prints():\n    print(score([[1]]))\n\n\n"
        "def test_good():\n    assert score([[1]])[0] > 0.5\n"
    )
    result = practice(scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": text}), MODEL)
    assert result.grade is Grade.IMPLEMENTED
    assert places(result.evidence)[0] == "tests/test_model.py:8"


def test_model_test_outside_a_test_file_is_none(tmp_path: Path) -> None:
    text = "from predict import score\n\n\ndef test_good():\n    assert score([[1]])[0] > 0.5\n"
    report = scan_tree(tmp_path, {**PROJECT, "checks.py": text})
    assert grade(report, MODEL) is Grade.ABSENT


@pytest.mark.parametrize("name", ["tests/test_data.py", "tests/data_test.py", "data_test.py", "tests.py"])
def test_unit_test_of_first_party_code(tmp_path: Path, name: str) -> None:
    text = "from data import read\n\n\ndef test_read():\n    x, y = read('s.csv')\n    assert len(x) == len(y)\n"
    assert grade(scan_tree(tmp_path, {**PROJECT, name: text}), UNIT) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("text", "grades"),
    [
        ("from data import read\n\n\ndef test_read():\n    read('s.csv')\n", {Grade.TRACE}),
        ("import pandas\n\n\ndef test_pandas():\n    assert pandas.DataFrame().empty\n", {Grade.TRACE}),
        ("def test_one():\n    assert 1 + 1 == 2\n", {Grade.TRACE, Grade.ABSENT}),
        ("from web import page\n\n\ndef test_page():\n    assert page() == '<html>'\n", {Grade.TRACE, Grade.ABSENT}),
        ("from data import read\n\n\ndef helper():\n    assert read('s.csv')\n", {Grade.ABSENT}),
    ],
    ids=["asserts nothing", "somebody else's code", "arithmetic", "web layer", "never collected"],
)
def test_no_unit_test_of_the_model_code(tmp_path: Path, text: str, grades: set[Grade]) -> None:
    tree = {**PROJECT, "web.py": "def page():\n    return '<html>'\n", "tests/test_a.py": text}
    assert grade(scan_tree(tmp_path, tree), UNIT) in grades


def test_assertion_in_a_helper_of_the_test_counts(tmp_path: Path) -> None:
    text = (
        "from data import read\n\n\ndef check_rows(rows):\n    assert rows is not None\n\n\n"
        "def test_read():\n    check_rows(read('s.csv'))\n"
    )
    assert grade(scan_tree(tmp_path, {**PROJECT, "tests/test_a.py": text}), UNIT) is Grade.IMPLEMENTED


def test_first_party_helper_named_check_is_the_tested_code_and_no_assertion(tmp_path: Path) -> None:
    """`check_data` of the repository returns something; calling it without an assertion proves nothing."""
    tree = {
        **PROJECT,
        "quality.py": "import pandas as pd\n\n\ndef check_data(path):\n    return len(pd.read_csv(path))\n",
        "tests/test_a.py": "from quality import check_data\n\n\ndef test_a():\n    check_data('s.csv')\n",
    }
    assert grade(scan_tree(tmp_path, tree), UNIT) is Grade.TRACE


@pytest.mark.parametrize(
    "body",
    ["with pytest.raises(ValueError):\n        read('')", "pytest.fail('no') if not read('s.csv') else None"],
    ids=["raises", "fail"],
)
def test_other_ways_to_assert(tmp_path: Path, body: str) -> None:
    text = f"import pytest\n\nfrom data import read\n\n\ndef test_read():\n    {body}\n"
    assert grade(scan_tree(tmp_path, {**PROJECT, "tests/test_a.py": text}), UNIT) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("command", "expected"),
    [("pytest tests/model_tests.py::test_a", Grade.WIRED), ("pytest tests", Grade.ABSENT)],
    ids=["named", "not collected"],
)
def test_a_file_that_pytest_does_not_collect_by_itself(tmp_path: Path, command: str, expected: Grade) -> None:
    test = "from predict import score\n\n\ndef test_a():\n    assert score([[1]])[0] > score([[0]])[0]\n"
    workflow = f"on: push\njobs:\n  t:\n    steps:\n      - run: {command}\n"
    tree = {**PROJECT, "tests/model_tests.py": test, ".github/workflows/w.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), MODEL) is expected


TOY = (
    "import mlflow\nfrom sklearn.linear_model import LinearRegression\n\n\ndef test_a():\n"
    "    model = LinearRegression()\n    model.fit([[1], [2]], [1, 2])\n    assert model.predict([[3]])[0] > 2\n"
)
STORE = "import mlflow\n\n\ndef save(model, path):\n    mlflow.sklearn.save_model(model, path)\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"store.py": STORE}, Grade.TRACE),
        ({"store.py": STORE, "examples/train.py": ML["train.py"]}, Grade.TRACE),
        ({"store.py": STORE, "model.onnx": b"\x08\x07"}, Grade.IMPLEMENTED),
        ({"predict.py": PREDICT}, Grade.IMPLEMENTED),
        ({**ML}, Grade.IMPLEMENTED),
        ({"dvc.yaml": "stages:\n  train:\n    cmd: python -m xgboost.train\n", **ML}, Grade.IMPLEMENTED),
    ],
    ids=["stores models of others", "an example trains", "keeps a model", "loads its model", "trains", "pipeline"],
)
def test_model_that_only_the_test_makes(tmp_path: Path, more: Tree, expected: Grade) -> None:
    result = practice(scan_tree(tmp_path, {**more, "tests/test_model.py": TOY}), MODEL)
    assert result.grade is expected
    assert ("has none of its own" in result.reason) is (expected is Grade.TRACE)


@pytest.mark.parametrize(
    ("imports", "met"),
    [
        ("from tests.fixtures import model\n", True),
        ("from tests.fixtures import *\n", True),
        ("from .fixtures import model\n", True),
        ("# from tests.fixtures import model\n", False),
        ("from tests.fixtures import helper as model\n", False),
    ],
)
@pytest.mark.parametrize("name", ["tests/test_model.py", "tests/conftest.py"])
def test_a_fixture_that_is_imported(tmp_path: Path, imports: str, met: bool, name: str) -> None:
    test = "import pandas\n\n\ndef test_a(model):\n    assert model.n_features_in_ == 1\n"
    tree = {
        **PROJECT,
        "tests/__init__.py": "",
        "tests/fixtures.py": FIXTURE + "\n\ndef helper():\n    return load()\n",
        "tests/test_model.py": test,
    }
    tree[name] = "import pandas\n" + imports + (test if name.endswith("test_model.py") else "")
    assert (grade(scan_tree(tmp_path, tree), MODEL) is Grade.IMPLEMENTED) is met


STUBBED = "import predict\n\n\ndef test_a():\n    assert predict.score([[1]]) == [1]\n"
PATCHED = "import predict\n\n\ndef test_a(monkeypatch):\n    {}\n    assert predict.score([[1]]) == [1]\n"
OWNER = "import joblib\n\n\nclass Scorer:\n    def __init__(self):\n        self.model = joblib.load('m')\n\n"
OWNER += "    def score(self, rows):\n        return self.model.predict_proba(rows)\n"
NEW = (
    "from scorer import Scorer\n\n\nclass Fake:\n    def predict_proba(self, rows):\n        return rows\n\n\n"
    "def test_a():\n    scorer = MADE\n    scorer.model = Fake()\n    assert scorer.score([1]) == [1]\n"
)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"tests/test_model.py": "import sys\n\nsys.modules['joblib'] = object()\n" + STUBBED}, "`joblib` by a stub"),
        (
            {"tests/test_model.py": "import sys\n\nsys.modules.setdefault('joblib.numpy', object())\n" + STUBBED},
            "`joblib` by a stub",
        ),
        (
            {
                "tests/test_model.py": "import sys\n\n\ndef stub(names):\n    for name in names:\n"
                "        sys.modules[name] = object()\n\n\nstub(['joblib', 'torch'])\n" + STUBBED
            },
            "`joblib` by a stub",
        ),
        (
            {
                "tests/conftest.py": "import sys\n\nimport pandas\n\nsys.modules.update({'joblib': object()})\n",
                "tests/test_model.py": STUBBED,
            },
            "`joblib` by a stub",
        ),
        (
            {
                "tests/test_model.py": "import sys\n"
                + PATCHED.format("monkeypatch.setitem(sys.modules, 'joblib', object())")
            },
            "`joblib` by a stub",
        ),
        (
            {"tests/test_model.py": PATCHED.format("monkeypatch.setattr(predict, 'load', lambda: None)")},
            "replaces parts by mocks",
        ),
        (
            {"tests/test_model.py": PATCHED.format("monkeypatch.setattr('predict.joblib.load', lambda path: None)")},
            "replaces parts by mocks",
        ),
        (
            {
                "tests/test_model.py": "import pytest\nfrom predict import score\n\n\ndef test_a():\n"
                "    with pytest.raises(ValueError):\n        score([[1]])\n"
            },
            "only that an error is raised",
        ),
        (
            {
                "tests/test_model.py": "from predict import score\n\n\ndef test_a():\n    found = score([[1]])\n"
                "    assert found is not None\n    assert isinstance(found, list) and hasattr(found, 'append')\n"
            },
            "of which type something is",
        ),
        (
            {
                "tests/test_model.py": "import unittest\nfrom predict import score\n\n\n"
                "class TestScore(unittest.TestCase):\n    def test_a(self):\n"
                "        self.assertIsInstance(score([[1]]), list)\n"
            },
            "of which type something is",
        ),
        ({"scorer.py": OWNER, "tests/test_model.py": NEW.replace("MADE", "Scorer.__new__(Scorer)")}, "`__init__`"),
        ({"scorer.py": OWNER, "tests/test_model.py": NEW.replace("MADE", "Scorer()")}, "its own `Fake`"),
    ],
    ids=[
        "module",
        "setdefault",
        "helper",
        "conftest",
        "setitem",
        "function",
        "library",
        "raises",
        "types",
        "type of a case",
        "__new__",
        "attribute",
    ],
)
def test_a_test_that_replaces_the_model(tmp_path: Path, tree: Tree, reason: str) -> None:
    result = practice(scan_tree(tmp_path, {**PROJECT, **tree}), MODEL)
    assert result.grade is Grade.TRACE
    assert reason in result.reason


@pytest.mark.parametrize(
    "tree",
    [
        {"tests/test_model.py": "import sys\n\nsys.modules['wandb'] = object()\n" + STUBBED},
        {"tests/test_model.py": "import sys\n\n# sys.modules['joblib'] = object()\n" + STUBBED},
        {
            "tests/test_model.py": "import importlib.util\nimport sys\n\n\ndef load(name):\n"
            "    spec = importlib.util.spec_from_file_location(name, name)\n"
            "    module = importlib.util.module_from_spec(spec)\n    sys.modules[name] = module\n\n\n"
            "load('train')\nprint('joblib')\n" + STUBBED
        },
        {
            "tests/test_model.py": "import sys\n"
            + STUBBED
            + "\n\ndef test_b(monkeypatch):\n    monkeypatch.setitem(sys.modules, 'joblib', object())\n"
        },
        {"tests/test_model.py": PATCHED.format("monkeypatch.setattr('data.read', lambda path: None)")},
        {
            "tests/test_model.py": "import torch\n"
            + PATCHED.format("monkeypatch.setattr(torch.cuda, 'is_available', 0)")
        },
        {"tests/test_model.py": PATCHED.format("monkeypatch.setenv('joblib', 'x')")},
        {
            "tests/test_model.py": "import pytest\nfrom predict import score\n\n\ndef test_a():\n"
            "    with pytest.raises(ValueError):\n        score([])\n    assert score([[1]])[0] > 0.5\n"
        },
    ],
    ids=["another library", "comment", "loads files", "another test", "data", "device", "environment", "and"],
)
def test_a_test_that_replaces_something_else(tmp_path: Path, tree: Tree) -> None:
    assert grade(scan_tree(tmp_path, {**PROJECT, **tree}), MODEL) is Grade.IMPLEMENTED


_KEEPS = "import pickle\n\nfrom train import train\n\n\ndef test_a():\n    kept = pickle."


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (f"{_KEEPS}loads(pickle.dumps({{'a': 1}}))\n    assert kept == {{'a': 1}}\n", Grade.ABSENT),
        (
            f"{_KEEPS}loads(pickle.dumps(train('s.csv', 'm')))\n    assert kept.score([[0]], [0]) > 0.8\n",
            Grade.IMPLEMENTED,
        ),
        (
            f"{_KEEPS}load(open('model.pkl', 'rb'))\n    assert kept.predict([[0]])[0]\n",
            Grade.IMPLEMENTED,
        ),
    ],
    ids=["anything", "a trained model", "a file"],
)
def test_what_a_test_pickles_itself_may_be_anything(tmp_path: Path, test: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": test}), MODEL) is expected


NET = (
    "import pytorch_lightning as pl\nfrom transformers import AutoModel\n\n\nclass Net(pl.LightningModule):\n"
    "    def __init__(self):\n        super().__init__()\n        self.body = AutoModel.from_pretrained('bert')\n\n\n"
    "def evaluate(path):\n    model = Net.load_from_checkpoint(path)\n    fresh = Net()\n"
    "    trainer = pl.Trainer()\n    trainer.fit(fresh)\n    return trainer.test(model)\n"
)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ("monkeypatch.setattr(net.pl, 'Trainer', lambda: None)", Grade.TRACE),
        ("monkeypatch.setattr(net.pl, 'seed_everything', lambda seed: None)", Grade.WIRED),
    ],
)
def test_what_a_library_trains_with_is_replaced(tmp_path: Path, patch: str, expected: Grade) -> None:
    test = f"import net\n\n\ndef test_a(monkeypatch):\n    {patch}\n    assert net.evaluate('m.ckpt')[0] > 0.8\n"
    workflow = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: pytest}]}}\n"
    tree = {**ML, "net.py": NET, "tests/test_net.py": test, ".github/workflows/ci.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), MODEL) is expected


@pytest.mark.parametrize(
    ("conftest", "expected"),
    [
        (FIXTURE, Grade.IMPLEMENTED),
        ("import pytest\n\n\n@pytest.fixture\ndef model():\n    return []\n", Grade.TRACE),
        (FIXTURE.replace("def model()", "def other()"), Grade.TRACE),
    ],
    ids=["of the project", "of its own", "another fixture"],
)
def test_what_a_fixture_makes_is_tested_by_who_asks_for_it(tmp_path: Path, conftest: str, expected: Grade) -> None:
    test = "def test_a(model):\n    assert list(model) == []\n"
    tree = {**PROJECT, "tests/conftest.py": conftest, "tests/test_a.py": test}
    assert grade(scan_tree(tmp_path, tree), UNIT) in (expected, Grade.ABSENT if expected is Grade.TRACE else expected)


SET = (
    "import torch\nfrom torch.utils.data import Dataset\n\n\nclass {}(Dataset):\n    def __init__(self):\n"
    "        self.x = torch.load('x.pt')\n"
)


@pytest.mark.parametrize("base", ["Dataset", "Module"])
def test_data_set_that_loads_tensors_is_no_model(tmp_path: Path, base: str) -> None:
    test = "from rows import Rows\n\n\ndef test_a():\n    assert Rows().x[0] > 0\n"
    tree = {**ML, "rows.py": SET.format("Rows").replace("(Dataset)", f"({base})"), "tests/test_rows.py": test}
    assert grade(scan_tree(tmp_path, tree), MODEL) is (Grade.ABSENT if base == "Dataset" else Grade.IMPLEMENTED)


SHAPE = "import predict\n\n\ndef test_a():\n    found = predict.score([[1]])\n    {}\n"


@pytest.mark.parametrize(
    ("check", "grade_"),
    [
        ("assert found.shape == (1,)", Grade.TRACE),
        ("assert len(found) == 1 and isinstance(found, list)", Grade.TRACE),
        ("assert 'label' in found", Grade.TRACE),
        ("assert set(found.keys()) == {'label'}", Grade.TRACE),
        ("assert found.returncode == 0", Grade.TRACE),
        ("assert all(x is not None for x in found)", Grade.TRACE),
        ("assert found[0] == 1", Grade.IMPLEMENTED),
        ("assert 0 <= found[0] <= 1", Grade.IMPLEMENTED),
        ("assert 'Not spam' in found", Grade.IMPLEMENTED),
        ("assert found[0] in (0, 1)", Grade.IMPLEMENTED),
        ("assert found.shape == (1,) and found[0] > 0.5", Grade.IMPLEMENTED),
        ("from train import train\n    assert len(train('s.csv', 'm')) == 1", Grade.IMPLEMENTED),
    ],
    ids=["shape", "length", "key", "keys", "status", "there", "value", "range", "answer", "class", "both", "trains"],
)
def test_form_of_an_answer_is_no_value(tmp_path: Path, check: str, grade_: Grade) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": SHAPE.format(check)})
    assert grade(report, "model/testing") is grade_


@pytest.mark.parametrize(
    ("check", "grade_"),
    [
        ("self.assertEqual(found.shape, (1,))", Grade.TRACE),
        ("self.assertIn('label', found)", Grade.TRACE),
        ("self.assertEqual(found[0], 1)", Grade.IMPLEMENTED),
    ],
)
def test_form_of_an_answer_in_unittest(tmp_path: Path, check: str, grade_: Grade) -> None:
    text = (
        "import unittest\nimport predict\n\n\nclass TestModel(unittest.TestCase):\n    def test_a(self):\n"
        f"        found = predict.score([[1]])\n        {check}\n"
    )
    assert grade(scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": text}), "model/testing") is grade_


@pytest.mark.parametrize(("name", "met"), [("score", True), ("score_all", False)])
def test_file_that_cannot_be_imported(tmp_path: Path, name: str, met: bool) -> None:
    text = f"from predict import {name}\n\n\ndef test_a():\n    assert {name}([[1]])[0] > 0.5\n"
    report = scan_tree(tmp_path, {**PROJECT, "tests/test_model.py": text})
    assert practice(report, "model/testing").met is met
    assert practice(report, "code/unit-tests").met is met
    assert where(report, "MLS317") == ([] if met else ["tests/test_model.py:1"])
