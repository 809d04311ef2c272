"""Training by hand: who starts it, what it can be told, and what was left in git."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import DATA, ML, TRAIN, Tree, findings, grade, practice, scan_tree, where

FIT_LINE = 12  # of `model.fit(x, y)` in TRAIN
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 900000\n".format("a" * 64)


def notebook(*cells: str) -> str:
    """A notebook with code cells."""
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [
                {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell}
                for cell in cells
            ],
        }
    )


NOTEBOOK = notebook(
    "from sklearn.linear_model import LogisticRegression",
    "model = LogisticRegression()\nmodel.fit([[0.0], [1.0]], [0, 1])",
)


# -- who starts it -----------------------------------------------------------------------------------------------------


def test_hand_run_script_is_level_one_and_said_so(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, ML)
    assert report.headline.level == 1
    assert where(report, "MLS101") == [f"train.py:{FIT_LINE}"]
    assert grade(report, "code/modular-training") is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("README.md", "# Churn\n\n```\npython train.py --epochs 50\n```\n", 4),
        ("README.md", "Run it:\n\n    $ python3 -m train --data x.csv\n", 3),
        ("run.sh", "#!/bin/sh\nset -e\npython train.py --data data.csv\n", 3),
        ("docs/usage.rst", "Usage\n=====\n\n   uv run python train.py\n", 4),
    ],
)
def test_documented_command_is_shown_with_the_finding(tmp_path: Path, path: str, text: str, line: int) -> None:
    found = findings(scan_tree(tmp_path, {**ML, path: text}), "MLS101")
    assert [str(item.location) for item in found[0].related] == [f"{path}:{line}"]
    assert "documented as `" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "# Churn\n\n```\npython serve.py --port 80\n```\n",
        "The file train.py holds the training.\n",
        "Never call `constrain.py`.\n",
    ],
)
def test_command_of_another_script_documents_nothing(tmp_path: Path, text: str) -> None:
    found = findings(scan_tree(tmp_path, {**ML, "README.md": text}), "MLS101")
    assert found[0].related == ()
    assert "documented" not in found[0].message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            ".github/workflows/train.yml",
            "on:\n  schedule:\n    - cron: '0 3 * * 1'\njobs:\n  train:\n    runs-on: ubuntu-latest\n    steps:\n"
            "      - uses: actions/checkout@v4\n      - run: python train.py --data data.csv\n",
        ),
        (
            "dvc.yaml",
            "stages:\n  prepare:\n    cmd: python data.py\n  train:\n    cmd: python train.py\n",
        ),
    ],
)
def test_training_that_something_starts_is_not_called_hand_run(tmp_path: Path, path: str, text: str) -> None:
    report = scan_tree(tmp_path, {**ML, path: text})
    assert findings(report, "MLS101") == []


def test_training_that_only_tests_start_is_still_hand_run(tmp_path: Path) -> None:
    test = (
        "from train import train\n\n\ndef test_train(tmp_path):\n"
        "    assert train('a.csv', tmp_path / 'm') is not None\n"
    )
    workflow = "on: push\njobs:\n  t:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pytest\n"
    report = scan_tree(tmp_path, {**ML, "tests/test_train.py": test, ".github/workflows/ci.yml": workflow})
    assert where(report, "MLS101") == [f"train.py:{FIT_LINE}"]


# -- what it can be told -----------------------------------------------------------------------------------------------


def test_constants_at_module_level_are_no_modular_training(tmp_path: Path) -> None:
    script = (
        "from sklearn.linear_model import LogisticRegression\nfrom data import read\n\n"
        "x, y = read('data.csv')\nmodel = LogisticRegression()\nmodel.fit(x, y)\n"
    )
    result = practice(scan_tree(tmp_path, {"train.py": script, "data.py": DATA}), "code/modular-training")
    assert result.grade is Grade.TRACE
    assert "without parameters" in result.reason


@pytest.mark.parametrize("library", ["argparse", "click", "hydra", "typer"])
def test_parameters_make_a_module_level_script_modular(tmp_path: Path, library: str) -> None:
    script = (
        f"import {library}\nfrom sklearn.linear_model import LogisticRegression\nfrom data import read\n\n"
        "x, y = read('data.csv')\nmodel = LogisticRegression()\nmodel.fit(x, y)\n"
    )
    report = scan_tree(tmp_path, {"train.py": script, "data.py": DATA})
    assert grade(report, "code/modular-training") is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("import yaml\nsettings = yaml.safe_load(open('params.yaml'))\n", Grade.IMPLEMENTED),
        ("from settings import load_config\nsettings = load_config()\n", Grade.IMPLEMENTED),
        ("import os\ndepth = int(os.environ.get('DEPTH', '3'))\n", Grade.IMPLEMENTED),
        ("import sys\npath = sys.argv[1]\n", Grade.IMPLEMENTED),
        ("import os\nos.environ.get('MLFLOW_TRACKING_URI')\n", Grade.TRACE),
        ("import os\nrank = int(os.environ.get('RANK', -1))\nsha = os.getenv('GITHUB_SHA')\n", Grade.TRACE),
        ("import sys\nsys.path.append('.')\n", Grade.TRACE),
        ("from settings import load_rows\nrows = load_rows()\n", Grade.TRACE),
        ("# import yaml\n# settings = yaml.safe_load(open('params.yaml'))\n", Grade.TRACE),
    ],
    ids=[
        "settings",
        "a helper",
        "environment",
        "arguments",
        "an address",
        "a place",
        "a path",
        "another helper",
        "commented out",
    ],
)
def test_what_a_script_asks_from_outside(tmp_path: Path, head: str, expected: Grade) -> None:
    script = (
        f"{head}from sklearn.linear_model import LogisticRegression\nfrom data import read\n\n"
        "x, y = read('data.csv')\nmodel = LogisticRegression()\nmodel.fit(x, y)\n"
    )
    helper = (
        "import json\n\nimport yaml\n\n\ndef load_config():\n    return yaml.safe_load(open('params.yaml'))\n\n\n"
        "def load_rows():\n    return json.load(open('rows.json'))\n"
    )
    report = scan_tree(tmp_path, {"train.py": script, "data.py": DATA, "settings.py": helper})
    assert grade(report, "code/modular-training") is expected


def test_notebook_only_training(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {"explore.ipynb": NOTEBOOK})
    assert report.headline.level == 1
    assert [finding.location.path for finding in findings(report, "MLS106")] == ["explore.ipynb"]
    assert findings(report, "MLS101") == []
    assert grade(report, "code/modular-training") is Grade.TRACE


def test_notebook_beside_a_script_is_not_the_only_entry(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "explore.ipynb": NOTEBOOK})
    assert findings(report, "MLS106") == []
    assert where(report, "MLS101") == [f"train.py:{FIT_LINE}"]


def test_fit_of_a_scaler_or_of_a_garment_is_no_training(tmp_path: Path) -> None:
    """`.fit` alone is a word: an unrelated object has it too."""
    report = scan_tree(tmp_path, {"size.py": "from tailor import Dress\n\nDress('M').fit(person)\n"})
    assert report.has_ml is False
    assert report.headline.level is None


# -- what was left in git ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/home/anna/data/train.csv",
        "/Users/anna/data/train.csv",
        "C:\\Users\\anna\\train.csv",
        "/content/drive/My Drive/a",
        "/home/ec2-user/train.csv",
        "/home/jupyterhub/train.csv",
    ],
)
def test_path_of_one_machine(tmp_path: Path, path: str) -> None:
    script = TRAIN.replace('"data.csv"', repr(path))
    assert where(scan_tree(tmp_path, {**ML, "train.py": script}), "MLS102") == ["train.py:19"]


@pytest.mark.parametrize(
    "path",
    [
        "data/home/train.csv",
        "/data/train.csv",
        "~/train.csv",
        "s3://bucket/home/anna/x",
        "/home",
        "/home/jupyter/data/train.csv",
        "/home/ec2-user/SageMaker/train.csv",
        "/home/jovyan/work/train.csv",
        "/content/sample_data/train.csv",
    ],
)
def test_path_that_others_have_too(tmp_path: Path, path: str) -> None:
    script = TRAIN.replace('"data.csv"', repr(path))
    assert findings(scan_tree(tmp_path, {**ML, "train.py": script}), "MLS102") == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("os.environ['PATH'] += os.pathsep + '/home/anna/.local/bin'", False),
        ("os.environ['DATA'] = '/home/anna/data'", True),
        ("sys.path.append('/home/anna/project')", True),
    ],
)
def test_one_more_place_to_look_for_programs(tmp_path: Path, line: str, found: bool) -> None:
    tree = {**ML, "train.py": TRAIN.replace("import joblib\n", f"import os\nimport sys\n\nimport joblib\n\n{line}\n")}
    assert bool(findings(scan_tree(tmp_path, tree), "MLS102")) is found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("x = os.environ.get('A') == '/home/ec2/java'", False),
        ("x = {'name': 'code', 'mountPath': '/home/ray/sample'}", False),
        ("x = '/home/anna/data' if os.name == 'posix' else ''", True),
        ("x = {'name': 'code', 'path': '/home/ray/sample'}", True),
    ],
)
def test_paths_compared_with_and_paths_of_a_container(tmp_path: Path, line: str, found: bool) -> None:
    tree = {**ML, "train.py": TRAIN.replace("import joblib\n", f"import os\n\nimport joblib\n\n{line}\n")}
    assert bool(findings(scan_tree(tmp_path, tree), "MLS102")) is found


def test_path_of_one_machine_in_a_test_is_none_of_training(tmp_path: Path) -> None:
    tree = {
        **ML,
        "tests/test_paths.py": "import pandas\n\nHOME = '/home/anna/data'\n\n\ndef test_a():\n    assert HOME\n",
    }
    assert findings(scan_tree(tmp_path, tree), "MLS102") == []


@pytest.mark.parametrize("name", ["model.pkl", "models/net.pt", "weights/net.pth", "model.onnx", "m.safetensors"])
def test_model_artifact_in_git(tmp_path: Path, name: str) -> None:
    found = findings(scan_tree(tmp_path, {**ML, name: b"\x80\x04\x95" + bytes(500)}), "MLS103")
    assert [finding.location.path for finding in found] == [name]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "with no record of the run that made it."),
        ({"best/MLmodel": "run_id: 7ea1\n"}, "of its run only the id is known, from `MLmodel` beside it."),
        ({"best/MLmodel": "flavors: {}\n"}, "with no record of the run that made it."),
        ({"other/MLmodel": "run_id: 7ea1\n"}, "with no record of the run that made it."),
    ],
    ids=["alone", "run", "no run", "another folder"],
)
def test_what_is_known_of_the_run_of_a_model_in_git(tmp_path: Path, more: Tree, told: str) -> None:
    tree = {**ML, "best/model.pkl": b"\x80\x04\x95" + bytes(500), **more}
    (finding,) = findings(scan_tree(tmp_path, tree), "MLS103")
    assert finding.message.endswith(told)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/content/drive/MyDrive/a.csv", "exists in one person's Google Drive only;"),
        ("/home/anna/a.csv", "exists on one machine only;"),
    ],
)
def test_where_a_path_exists(tmp_path: Path, path: str, told: str) -> None:
    script = TRAIN.replace('"data.csv"', repr(path))
    (finding,) = findings(scan_tree(tmp_path, {**ML, "train.py": script}), "MLS102")
    assert told in finding.message


SERVICE = """\
from fastapi import FastAPI
from learn import learn

app = FastAPI()


@app.post("/train")
def fit():
    learn("data.csv")
    return {}
"""
LEARN = TRAIN.partition("\n\nif __name__")[0].replace("def train(path, out)", "def learn(path, out='m')") + "\n"


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (SERVICE, "This training runs only when its service starts or is asked to;"),
        (SERVICE.replace('    learn("data.csv")\n', ""), "This training runs only when a person starts it;"),
        (SERVICE.replace("@app.post", "# @app.post"), "This training runs only when a person starts it;"),
    ],
    ids=["asked", "not called", "commented out"],
)
def test_training_inside_a_service(tmp_path: Path, service: str, told: str) -> None:
    report = scan_tree(tmp_path, {"learn.py": LEARN, "data.py": DATA, "app.py": service})
    (finding,) = findings(report, "MLS101")
    assert finding.message.startswith(told)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl", LFS),  # a pointer; the model is elsewhere
        ("src/project.pth", "/opt/project/src\n"),  # a path file of Python's site module
        ("model.pkl", ""),
        ("tests/fixtures/model.pkl", b"\x80\x04\x95" + bytes(500)),
        ("vendor/net/model.pt", b"\x80\x04\x95" + bytes(500)),
        ("model.pkl.dvc", "outs:\n- md5: d3b07384d113edec49eaa6238ad5ff00\n  path: model.pkl\n"),
    ],
)
def test_no_model_artifact(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert findings(scan_tree(tmp_path, {**ML, name: content}), "MLS103") == []


TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\nq\0("


@pytest.mark.parametrize(
    ("pickled", "count"),
    [(TENSOR, 0), (b"}q\0(X\5\0\0\0stateq\1" + TENSOR, 1), (b"c__main__\nNet\nq\0" + TENSOR, 1)],
    ids=["a tensor", "a dictionary", "a module"],
)
def test_a_single_tensor_is_no_model(tmp_path: Path, pickled: bytes, count: int) -> None:
    archive = b"PK\3\4" + bytes(26) + b"archive/data.pklFB\x0e\0" + b"Z" * 14 + b"\x80\2" + pickled + bytes(400)
    assert len(findings(scan_tree(tmp_path, {**ML, "data/mel.pt": archive}), "MLS103")) == count


def test_large_table_in_git_but_not_a_sample(tmp_path: Path) -> None:
    tree = {**ML, "data/train.csv": b"1,2,3\n" * 200_000, "data/sample.csv": b"1,2,3\n" * 1_000}
    assert [finding.location.path for finding in findings(scan_tree(tmp_path, tree), "MLS104")] == ["data/train.csv"]
