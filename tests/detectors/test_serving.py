"""Serving: an interface in front of a model of one's own, and interfaces in front of something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree

NAME = "deploy/serving"
LOAD = (
    "import joblib\n\n\ndef load():\n    return joblib.load('model.joblib')\n\n\n"
    "def score(rows):\n    return load().predict(rows)\n"
)


@pytest.mark.parametrize(
    ("app", "more"),
    [
        (
            (
                "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
                "model = joblib.load('m')\n\n\n@app.post('/p')\ndef p(x: list):\n"
                "    return model.predict(x)\n"
            ),
            {},
        ),
        (
            (
                "from fastapi import FastAPI\n\nfrom model import score\n\napp = FastAPI()\n"
                "\n\n@app.post('/p')\ndef p(x: list):\n    return score(x)\n"
            ),
            {"model.py": LOAD},
        ),
        (
            (
                "from flask import Flask, request\n\nfrom model import score\n\n"
                "app = Flask(__name__)\n\n\n@app.route('/p')\ndef p():\n"
                "    return score(request.json)\n"
            ),
            {"model.py": LOAD},
        ),
        (
            (
                "import joblib\nfrom flask import Flask, request\n\napp = Flask(__name__)\n\n\n"
                "@app.route('/p')\ndef p():\n    return model.predict(request.json)\n\n\n"
                "if __name__ == '__main__':\n    model = joblib.load('m')\n    app.run()\n"
            ),
            {},
        ),
        (
            (
                "from contextlib import asynccontextmanager\n\nimport joblib\nfrom fastapi import FastAPI\n\n\n"
                "def create_app():\n    @asynccontextmanager\n    async def lifespan(app):\n"
                "        app.state.model = joblib.load('m')\n        yield\n\n    app = FastAPI(lifespan=lifespan)\n\n"
                "    @app.post('/p')\n    def p(x: list):\n        return app.state.model.predict(x)\n\n"
                "    return app\n"
            ),
            {},
        ),
    ],
    ids=["loads itself", "through a module", "Flask", "loaded by the main block", "loaded by the factory"],
)
def test_service_in_front_of_a_model(tmp_path: Path, app: str, more: Tree) -> None:
    result = practice(scan_tree(tmp_path, {**ML, **more, "app.py": app}), NAME)
    assert result.grade.strength >= Grade.IMPLEMENTED.strength
    assert any(place.startswith("app.py:") for place in places(result.evidence))


def test_the_handler_that_predicts_is_shown(tmp_path: Path) -> None:
    app = (
        "import joblib\nfrom fastapi import FastAPI\n\nfrom model import score\n\napp = FastAPI()\n"
        "model = joblib.load('m')\n"
        "\n\n@app.get('/health')\ndef health():\n    return 'ok'\n\n\n@app.post('/price')\ndef price(x: list):\n"
        "    return score(x)\n"
    )
    result = practice(scan_tree(tmp_path, {**ML, "model.py": LOAD, "app.py": app}), NAME)
    assert places(result.evidence)[0] == "app.py:16"


def test_a_handler_that_trains_is_not_shown_for_the_one_that_predicts(tmp_path: Path) -> None:
    app = (
        "from fastapi import FastAPI\n\nfrom model import score\nfrom train import train\n\napp = FastAPI()\n"
        "\n\n@app.post('/train')\ndef start():\n    train('data.csv', 'm')\n    return score([])\n\n\n"
        "@app.post('/predict')\ndef predict(x: list):\n    return score(x)\n"
    )
    result = practice(scan_tree(tmp_path, {**ML, "model.py": LOAD, "app.py": app}), NAME)
    assert places(result.evidence)[0] == "app.py:16"


@pytest.mark.parametrize(
    "app",
    [
        "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/health')\ndef health():\n    return 'ok'\n",
        "import openai\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        "client = openai.OpenAI()\n\n\n@app.post('/chat')\ndef chat(text: str):\n"
        "    return client.chat.completions.create(model='gpt-4o', messages=[{'role': 'user', 'content': text}])\n",
        "import pickle\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/session')\ndef session():\n"
        "    return pickle.load(open('session.pkl', 'rb'))['user']\n",
        (
            "import requests\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
            "@app.post('/predict')\ndef predict(x: list):\n"
            "    return requests.post('https://m.example', json=x).json()\n"
        ),
        (
            "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route('/p')\ndef p():\n    return 'ok'\n\n\n"
            "if __name__ == '__main__':\n    # model = joblib.load('m')\n    app.run()\n"
        ),
        (
            "import joblib\nfrom fastapi import FastAPI\n\n\ndef create_app():\n    app = FastAPI()\n\n"
            "    @app.get('/p')\n    def p():\n        return 'ok'\n\n    return app\n\n\n"
            "def offline():\n    return joblib.load('m').predict([])\n"
        ),
    ],
    ids=["health", "hosted language model", "pickled session", "proxy", "main block without a model", "other function"],
)
def test_service_in_front_of_something_else(tmp_path: Path, app: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, "app.py": app}), NAME).met


def test_service_in_front_of_a_pickled_model(tmp_path: Path) -> None:
    app = (
        "import pickle\nfrom fastapi import FastAPI\n\napp = FastAPI()\nmodel = pickle.load(open('m.pkl', 'rb'))\n\n\n"
        "@app.post('/p')\ndef p(x: list):\n    return model.predict(x)\n"
    )
    assert practice(scan_tree(tmp_path, {**ML, "app.py": app}), NAME).met


@pytest.mark.parametrize("folder", ["examples", "tests", "docs", "vendor/a"])
def test_service_of_an_example(tmp_path: Path, folder: str) -> None:
    app = (
        "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        "model = joblib.load('m')\n\n\n@app.post('/p')\ndef p(x: list):\n"
        "    return model.predict(x)\n"
    )
    assert not practice(scan_tree(tmp_path, {**ML, f"{folder}/app.py": app}), NAME).met


def test_scoring_script_of_a_platform(tmp_path: Path) -> None:
    text = (
        "import joblib\n\n\ndef model_fn(model_dir):\n"
        "    return joblib.load(model_dir + '/model.joblib')\n\n\n"
        "def predict_fn(data, model):\n    return model.predict(data)\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "inference.py": text}), NAME).strength >= Grade.IMPLEMENTED.strength


def test_handler_without_a_model_is_no_scoring_script(tmp_path: Path) -> None:
    text = "import boto3\n\n\ndef lambda_handler(event, context):\n    return boto3.client('s3').list_buckets()\n"
    assert grade(scan_tree(tmp_path, {**ML, "handler.py": text}), NAME) is Grade.ABSENT


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("model = joblib.load('m')", Grade.IMPLEMENTED),
        ("# model = joblib.load('m')", Grade.ABSENT),
        ("def never(): return joblib.load('m')", Grade.ABSENT),
    ],
)
def test_handler_whose_module_loads_the_model(tmp_path: Path, before: str, expected: Grade) -> None:
    text = f"import joblib\n\n{before}\n\n\ndef lambda_handler(event, context):\n    return model(event['row'])\n"
    assert grade(scan_tree(tmp_path, {**ML, "function.py": text}), NAME) is expected


def test_handler_of_a_module_that_unpickles_something_else(tmp_path: Path) -> None:
    text = (
        "import pickle\n\nnames = pickle.load(open('n', 'rb'))\n\n\n"
        "def lambda_handler(event, context):\n    return names\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "function.py": text}), NAME) is Grade.ABSENT


BATCH = (
    LOAD.replace("def score", "def run").replace("def run(rows)", "def run(rows)")
    + "\n\nif __name__ == '__main__':\n    run([[1.0]])\n"
)


@pytest.mark.parametrize(
    ("command", "expected"),
    [("python page.py", Grade.WIRED), ("streamlit run page.py", Grade.TRACE)],
)
def test_page_of_a_demo_in_an_image_is_no_scoring_job(tmp_path: Path, command: str, expected: Grade) -> None:
    files = {
        "predict.py": LOAD,
        "page.py": "from predict import score\n\nprint(score([[1.0]]))\n",
        "Dockerfile": f"FROM python:3.12\nCOPY . .\nCMD {command}\n",
    }
    assert grade(scan_tree(tmp_path, {**ML, **files}), NAME) is expected


def cron(run: str) -> str:
    """A scheduled workflow."""
    return (
        "on:\n  schedule:\n    - cron: '0 5 * * *'\njobs:\n  a:\n"
        f"    runs-on: ubuntu-latest\n    steps:\n      - run: {run}\n"
    )


def test_scheduled_batch_scoring(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "predict.py": BATCH, ".github/workflows/score.yml": cron("python predict.py")})
    result = practice(report, NAME)
    assert result.met
    assert any(place.startswith(".github/workflows/score.yml:") for place in places(result.evidence))


@pytest.mark.parametrize(
    "files", [{}, {".github/workflows/score.yml": cron("echo python predict.py")}], ids=["nothing", "echo"]
)
def test_batch_scoring_that_a_person_starts(tmp_path: Path, files: Tree) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "predict.py": BATCH, **files}), NAME)
    assert result.grade is Grade.TRACE
    assert "nothing but a person" in result.reason


# -- stored predictions ------------------------------------------------------------------------------------------------


def test_stored_predictions(tmp_path: Path) -> None:
    app = (
        "import sqlite3\n\nimport joblib\nfrom fastapi import FastAPI\n\n"
        "app = FastAPI()\nmodel = joblib.load('m')\n\n\n"
        "@app.post('/p')\ndef p(x: list):\n    y = model.predict(x)\n    db = sqlite3.connect('p.db')\n"
        "    db.execute('insert into predictions (at, version, x, y) values (1, 2, 3, 4)')\n    return y\n"
    )
    assert practice(scan_tree(tmp_path / "a", {**ML, "app.py": app}), "monitoring/prediction-logging").met
    other = app.replace("insert into predictions", "insert into users")
    assert not practice(scan_tree(tmp_path / "b", {**ML, "app.py": other}), "monitoring/prediction-logging").met


def test_function_that_stores_predictions_must_be_called_and_do_something(tmp_path: Path) -> None:
    store = (
        "import pandas as pd\n\n\ndef log_prediction(x, y):\n"
        "    pd.DataFrame({'x': x, 'y': y}).to_parquet('log.parquet')\n"
    )
    app = (
        "import joblib\n\nfrom store import log_prediction\n\n"
        "model = joblib.load('m')\n\n\ndef p(x):\n    y = model.predict(x)\n"
        "    log_prediction(x, y)\n    return y\n"
    )
    name = "monitoring/prediction-logging"
    assert practice(scan_tree(tmp_path / "called", {**ML, "store.py": store, "app.py": app}), name).met
    assert not practice(
        scan_tree(
            tmp_path / "dead", {**ML, "store.py": store, "app.py": app.replace("    log_prediction(x, y)\n", "")}
        ),
        name,
    ).met
    stub = "def log_prediction(x, y):\n    '''Later.'''\n    pass\n"
    assert not practice(scan_tree(tmp_path / "stub", {**ML, "store.py": stub, "app.py": app}), name).met


# -- deployment as code ------------------------------------------------------------------------------------------------


def test_compose_service_that_is_built_here(tmp_path: Path) -> None:
    built = "services:\n  api:\n    build: .\n    ports: ['80:80']\n"
    image = "services:\n  db:\n    image: postgres:16\n"
    assert practice(scan_tree(tmp_path / "built", {**ML, "docker-compose.yml": built}), "deploy/as-code").met
    assert not practice(scan_tree(tmp_path / "image", {**ML, "docker-compose.yml": image}), "deploy/as-code").met


@pytest.mark.parametrize(
    ("dockerfile", "files", "service", "found"),
    [
        ("FROM postgres:16\n", {}, "", False),
        ("FROM postgres:16\nCOPY init.sql /docker-entrypoint-initdb.d/\n", {"init.sql": "select 1;\n"}, "", False),
        ("FROM nginx:1.27\nCOPY . /usr/share/nginx/html\n", {"index.html": "<p>a</p>\n"}, "", False),
        ("FROM postgres:16\n# COPY ../train.py .\n", {}, "    volumes: ['./db/init:/init']\n", False),
        ("FROM python:3.12\nCOPY . .\n", {"app.py": "import joblib\n\njoblib.load('m').predict([1])\n"}, "", True),
        ("FROM nginx:1.27\nCOPY m.onnx /models/\n", {"m.onnx": "x"}, "", True),
        ("FROM python:3.12\nRUN git clone https://example.org/a && pip install ./a\n", {}, "", True),
        ("FROM python:3.12\nRUN pip install mlflow==2.1\n", {}, "", True),
        ("FROM registry.example.org/scoring:1\n", {}, "", True),
        ("ARG BASE\nFROM ${BASE}\n", {}, "", True),
        ("FROM python:3.12\n", {}, "    volumes: ['.:/app']\n", True),
        ("FROM python:3.12\n", {}, "    volumes: ['${HOME}/a:/app']\n", True),
    ],
)
def test_compose_service_whose_image_holds_a_model(
    tmp_path: Path, dockerfile: str, files: dict[str, str], service: str, found: bool
) -> None:
    compose = f"services:\n  db:\n    build: ./db\n{service}"
    tree = {**ML, "db/Dockerfile": dockerfile, **{f"db/{name}": text for name, text in files.items()}}
    assert practice(scan_tree(tmp_path, {**tree, "docker-compose.yml": compose}), "deploy/as-code").met is found


@pytest.mark.parametrize(
    ("dockerfile", "service", "found"),
    [
        ("FROM jupyter/scipy-notebook:lab-4.0\nCOPY . .\n", "", False),
        ("FROM quay.io/jupyter/base-notebook\nCOPY . .\n", "    volumes: ['.:/home/jovyan']\n", False),
        ("FROM python:3.12\nCOPY . .\n", "    command: jupyter lab --ip 0.0.0.0\n", False),
        ('FROM python:3.12\nCOPY . .\nCMD ["jupyter", "notebook"]\n', "", False),
        ("FROM python:3.12\nCOPY . .\nCMD jupyter-lab --no-browser\n", "", False),
        ("FROM python:3.12\nCOPY . .\nCMD start-notebook.sh\n", "", False),
        ("FROM jupyter/scipy-notebook:lab-4.0\nCOPY . .\nCMD python train.py\n", "", True),
        ("FROM jupyter/scipy-notebook:lab-4.0\nCOPY . .\n", "    command: python train.py\n", True),
        ("FROM python:3.12\nCOPY . .\nCMD jupyter nbconvert --execute a.ipynb\n", "", True),
        ("FROM python:3.12\n# FROM jupyter/scipy-notebook\nCOPY . .\n", "", True),
        ("FROM jupyter/scipy-notebook AS build\nFROM python:3.12\nCOPY . .\n", "", True),
    ],
)
def test_compose_service_in_which_notebooks_are_written(
    tmp_path: Path, dockerfile: str, service: str, found: bool
) -> None:
    tree = {**ML, "Dockerfile": dockerfile, "docker-compose.yml": f"services:\n  work:\n    build: .\n{service}"}
    assert practice(scan_tree(tmp_path, tree), "deploy/as-code").met is found


_CALLS = "from scoring.model import answer\n\n\ndef handle(rows):\n    return answer(rows)\n"
_MODEL = "import joblib\n\n\ndef answer(rows):\n    return joblib.load('m').predict(rows)\n"
_LIST = "FROM python:3.12\nCOPY ./main.py ./requirements.txt ./\nRUN pip install -r requirements.txt\n"


@pytest.mark.parametrize(
    ("files", "met"),
    [
        ({"api/main.py": _CALLS}, True),
        ({"api/main.py": "# from scoring.model import answer\n\n\ndef handle(rows):\n    return rows\n"}, False),
        ({"api/main.py": "x = 1\n", "api/tests/test_main.py": _CALLS.replace("handle", "test_handle")}, False),
        ({"api/main.py": "x = 1\n", "api/Dockerfile": _LIST, "api/requirements.txt": "scoring_model==1.0\n"}, True),
        ({"api/main.py": "x = 1\n", "api/Dockerfile": _LIST, "api/requirements.txt": "# scoring-model\na\n"}, False),
        ({"api/main.py": "x = 1\n", "api/Dockerfile": _LIST, "ui/requirements.txt": "scoring-model==1.0\n",
          "api/requirements.txt": "flask\n"}, False),
        ({"api/main.py": "x = 1\n", "api/Dockerfile": _LIST, "api/requirements.txt": "scoring-model==1.0\n",
          "packages/scoring/setup.py": "NAME = 'other'\nsetup(name=NAME)\n"}, False),
    ],
    ids=["a package beside it", "comment", "test", "listed", "not listed", "another list", "another package"],
)  # fmt: skip
def test_compose_service_that_asks_a_package_of_the_repository(
    tmp_path: Path, files: dict[str, str], met: bool
) -> None:
    tree = {
        "packages/scoring/scoring/model.py": _MODEL,
        "packages/scoring/scoring/__init__.py": "",
        "packages/scoring/setup.py": "NAME = 'scoring-model'\nsetup(\n    name=NAME,\n)\n",
        "api/Dockerfile": "FROM python:3.12\nCOPY . .\n",
        "docker-compose.yml": "services:\n  api:\n    build: ./api\n",
    }
    assert practice(scan_tree(tmp_path, {**tree, **files}), "deploy/as-code").met is met


def test_the_service_that_holds_the_model_is_shown(tmp_path: Path) -> None:
    compose = "services:\n  db:\n    build: ./db\n  scoring:\n    build: .\n"
    image = "FROM python:3.12\nCOPY . .\nCMD python train.py\n"
    tree = {**ML, "db/Dockerfile": "FROM postgres:16\n", "Dockerfile": image, "docker-compose.yml": compose}
    assert places(practice(scan_tree(tmp_path, tree), "deploy/as-code").evidence) == ["docker-compose.yml:4"]


@pytest.mark.parametrize(("folder", "met"), [("k8s/load_tests", False), ("k8s/scoring", True)])
def test_a_manifest_of_a_load_generator(tmp_path: Path, folder: str, met: bool) -> None:
    manifest = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n"
        "      containers: [{name: a, image: 'example.org/a:1'}]\n"
    )
    assert practice(scan_tree(tmp_path, {**ML, f"{folder}/a.yaml": manifest}), "deploy/as-code").met is met


def test_score_of_an_evaluation_is_no_logged_prediction(tmp_path: Path) -> None:
    code = """\
import json

import joblib


class Evaluation:
    def run(self):
        model = joblib.load("model.joblib")
        self.save_score(model.predict([[1]]))

    def save_score(self, value):
        with open("scores.json", "w") as stream:
            json.dump(float(value[0]), stream)


if __name__ == "__main__":
    Evaluation().run()
"""
    name = "monitoring/prediction-logging"
    assert not practice(scan_tree(tmp_path / "evaluation", {**ML, "evaluation.py": code}), name).met
    serving = code.replace("Evaluation", "Scoring")
    assert practice(scan_tree(tmp_path / "scoring", {**ML, "scoring.py": serving}), name).met


LOADERS = (
    "import mlflow\n\n\nclass Loader:\n    def load_version(self, uri):\n        return mlflow.pyfunc.load_model(uri)\n"
)
JOB = (
    "from loaders import Loader\n\n\nclass InferenceJob:\n    loader: Loader\n\n    def run(self, rows):\n"
    "        model = self.loader.load_version('models:/churn@champion')\n        return model.predict(rows)\n"
)
START = "from inference import InferenceJob\n\nif __name__ == '__main__':\n    InferenceJob().run(open('rows.csv'))\n"
PROJECT_FILE = "name: churn\nentry_points:\n  main:\n    command: python start.py\n"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"MLproject": PROJECT_FILE}, Grade.IMPLEMENTED),
        ({}, Grade.TRACE),
        ({"MLproject": PROJECT_FILE, "inference.py": JOB.replace("model.predict(rows)", "model")}, Grade.ABSENT),
        (
            {"MLproject": PROJECT_FILE, "loaders.py": LOADERS.replace("mlflow.pyfunc.load_model(uri)", "uri")},
            Grade.ABSENT,
        ),
    ],
    ids=["job of a project", "by hand", "only loads", "loads no model"],
)
def test_scoring_job_with_a_loader_of_its_own(tmp_path: Path, more: Tree, expected: Grade) -> None:
    tree = {**ML, "loaders.py": LOADERS, "inference.py": JOB, "start.py": START, **more}
    assert grade(scan_tree(tmp_path, tree), "deploy/serving") is expected


HANDED = (
    "from loaders import Loader\n\n\ndef forecast(model, rows):\n    return model.predict(rows)\n\n\n"
    "def predict(rows):\n    model = Loader().load_version('models:/churn@champion')\n"
    "    return forecast(model, rows)\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HANDED, Grade.IMPLEMENTED),
        (HANDED.replace("def predict", "def check"), Grade.ABSENT),
        (HANDED.replace("return forecast(model, rows)", "return model"), Grade.ABSENT),
        (HANDED.replace("Loader().load_version('models:/churn@champion')", "rows"), Grade.ABSENT),
    ],
    ids=["handed over", "by another name", "never asked", "not loaded"],
)
def test_scoring_with_a_model_that_the_caller_loads(tmp_path: Path, text: str, expected: Grade) -> None:
    start = "from batch import *\n\nif __name__ == '__main__':\n    predict(open('rows.csv'))\n    check(1)\n"
    tree = {**ML, "loaders.py": LOADERS, "batch.py": text, "start.py": start, "MLproject": PROJECT_FILE}
    assert grade(scan_tree(tmp_path, tree), "deploy/serving") is expected


@pytest.mark.parametrize(
    ("command", "expected"), [("score_rows.py", Grade.IMPLEMENTED), ("fit_and_score.py", Grade.TRACE)]
)
def test_scoring_in_an_image_that_trains_is_no_service(tmp_path: Path, command: str, expected: Grade) -> None:
    scoring = "import joblib\n\n\ndef score(rows):\n    return joblib.load('m').predict(rows)\n"
    tree: Tree = {
        **ML,
        "scoring.py": scoring,
        "score_rows.py": "from scoring import score\n\nscore([1])\n",
        "fit_and_score.py": "from sklearn.linear_model import LogisticRegression\n\nfrom scoring import score\n\n"
        "LogisticRegression().fit([[1]], [1])\nscore([1])\n",
        "Dockerfile": f'FROM python:3.12\nCOPY . .\nCMD ["python", "{command}"]\n',
    }
    result = practice(scan_tree(tmp_path, tree), NAME)
    assert (result.grade is Grade.TRACE) is (expected is Grade.TRACE)
    assert result.grade is not Grade.ABSENT


# -- functions of a cloud ----------------------------------------------------------------------------------------------

FUNCTION = (
    "import joblib\n\nmodel = joblib.load('m')\n\n\ndef predict(request):\n    return model.predict(request.json)\n"
)
DEPLOY = "on: [push]\njobs:\n  a:\n    steps:\n      - run: gcloud functions deploy {}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ("predict --runtime python312 --source=$GITHUB_WORKSPACE/fn", FUNCTION, Grade.WIRED),
        ("score --source fn --entry-point predict", FUNCTION, Grade.WIRED),
        ("score --source fn", FUNCTION, Grade.TRACE),  # no function of that name
        ("predict --source other", FUNCTION, Grade.TRACE),
        ("predict --source fn", FUNCTION.replace("model", "client").replace("joblib", "json"), Grade.ABSENT),
        ("predict --source fn # later", "def predict(request):\n    return 1\n", Grade.ABSENT),
    ],
)
def test_a_deployed_function(tmp_path: Path, arguments: str, code: str, expected: Grade) -> None:
    tree: Tree = {**ML, "fn/main.py": code, ".github/workflows/deploy.yml": DEPLOY.format(arguments)}
    assert grade(scan_tree(tmp_path, tree), NAME) is expected


def test_a_function_that_only_a_person_deploys(tmp_path: Path) -> None:
    text = DEPLOY.format("predict --source fn").replace("[push]", "[workflow_dispatch]")
    assert grade(scan_tree(tmp_path, {**ML, "fn/main.py": FUNCTION, ".github/workflows/d.yml": text}), NAME) is (
        Grade.IMPLEMENTED
    )


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("stages:\n  score:\n    cmd: python score_rows.py\n", Grade.IMPLEMENTED),
        ("stages:\n  fit:\n    cmd: python train.py\n  score:\n    cmd: python score_rows.py\n", Grade.TRACE),
    ],
    ids=["of predictions", "of training"],
)
def test_scoring_in_a_pipeline_that_trains_is_its_evaluation(tmp_path: Path, steps: str, expected: Grade) -> None:
    scoring = "import joblib\n\n\ndef score(rows):\n    return joblib.load('m').predict(rows)\n"
    tree: Tree = {
        **ML,
        "scoring.py": scoring,
        "score_rows.py": "from scoring import score\n\nscore([1])\n",
        "dvc.yaml": steps,
    }
    result = practice(scan_tree(tmp_path, tree), NAME)
    assert result.grade is expected
    assert ("its evaluation" in result.reason) is (expected is Grade.TRACE)


SNAPSHOT = (
    "from zenml import pipeline\n\n\n@pipeline\ndef fit():\n    pass\n\n\n"
    "fit.with_options().create_snapshot(name='fit')\n"
)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"build.py": SNAPSHOT}, Grade.IMPLEMENTED),
        ({"build.py": SNAPSHOT.replace("fit.with", "# fit.with")}, Grade.ABSENT),
        ({"examples/build.py": SNAPSHOT}, Grade.ABSENT),
    ],
    ids=["code", "comment", "example"],
)
def test_code_that_brings_a_pipeline_to_its_platform(tmp_path: Path, files: Tree, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, **files}), "deploy/as-code") is expected


@pytest.mark.parametrize(
    ("status", "name", "steps", "expected"),
    [
        ("active", "predict_rows", ["predict_rows"], Grade.IMPLEMENTED),
        ("inactive", "predict_rows", ["predict_rows"], Grade.ABSENT),
        ("active", "predict_rows", ["clean"], Grade.ABSENT),
        ("active", "rows", ["rows"], Grade.ABSENT),
        ("active", "predict_rows", ["fit", "predict_rows"], Grade.TRACE),
    ],
    ids=["on a clock", "off", "another step", "no scoring by its name", "with training"],
)
def test_step_on_a_clock_that_is_handed_its_model(
    tmp_path: Path, status: str, name: str, steps: list[str], expected: Grade
) -> None:
    blocks = "".join(f"- {{type: transformer, uuid: {step}}}\n" for step in steps)
    score = f"import mlflow\n\n\n@transformer\ndef {name}(rows, model):\n    return model.predict(rows)\n"
    report = scan_tree(
        tmp_path,
        {
            **ML,
            f"ml/transformers/{name}.py": score,
            "ml/transformers/clean.py": "@transformer\ndef clean(rows):\n    return rows.dropna()\n",
            "ml/transformers/fit.py": "from train import train\n\n\n@transformer\ndef fit(x):\n    return train(x)\n",
            "ml/pipelines/daily/metadata.yaml": f"blocks:\n- {{type: transformer, uuid: clean}}\n{blocks}",
            "ml/pipelines/daily/triggers.yaml": (
                f"triggers:\n- {{name: a, schedule_type: time, schedule_interval: '@daily', status: {status}}}\n"
            ),
        },
    )
    assert grade(report, "deploy/serving") is expected


EVENTS = (
    "from churn import Churn\n\n\ndef on_start(app):\n    def start():\n        app.state.model = Churn()\n\n"
    "    return start\n"
)
CHURN = (
    "import joblib\n\n\nclass Churn:\n    def __init__(self):\n        self.model = joblib.load('m')\n\n"
    "    def predict(self, rows):\n        return self.model.predict(rows)\n"
)
SPREAD: Tree = {
    "churn.py": CHURN,
    "events.py": EVENTS,
    "routes.py": (
        "from fastapi import APIRouter, Request\n\nfrom churn import Churn\n\nrouter = APIRouter()\n\n\n"
        "@router.post('/predict')\ndef predict(request: Request, rows: list):\n"
        "    model: Churn = request.app.state.model\n    return model.predict(rows)\n"
    ),
    "main.py": (
        "from fastapi import FastAPI\n\nfrom events import on_start\nfrom routes import router\n\napp = FastAPI()\n"
        "app.include_router(router)\napp.add_event_handler('startup', on_start(app))\n"
    ),
}


def test_model_that_is_put_into_the_application_when_it_starts(tmp_path: Path) -> None:
    found = practice(scan_tree(tmp_path, {**ML, **SPREAD}), NAME)
    assert found.grade is Grade.IMPLEMENTED
    assert {"main.py:6", "routes.py:9"} <= set(places(found.evidence))
    untyped = str(SPREAD["routes.py"]).replace("model: Churn =", "model =")
    found = practice(scan_tree(tmp_path / "x", {**ML, **SPREAD, "routes.py": untyped}), NAME)
    assert (found.grade, places(found.evidence)[0]) == (Grade.IMPLEMENTED, "main.py:6")


def test_application_that_gets_something_else_when_it_starts(tmp_path: Path) -> None:
    other = CHURN.replace("joblib.load('m')", "open('m')").replace(".predict(rows)", ".read()")
    assert grade(scan_tree(tmp_path, {**ML, **SPREAD, "churn.py": other}), NAME) is Grade.ABSENT
