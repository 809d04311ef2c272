"""What kind of repository a tree is, and whether it holds machine learning at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mlops_scan.engine.kind import JUDGED, decide, has_ml
from mlops_scan.engine.lessons import lesson_folders
from mlops_scan.engine.packaged import product_names, project_names, self_tools
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.repository.files import File, Texts
from mlops_scan.words import KINDS, Grade, Role
from tests.trees import ML, TRAIN, Tree, context_of, grade, scan_tree, write_tree

PYPROJECT = (
    '[project]\nname = "NAME"\nversion = "1.0"\n[build-system]\n'
    'requires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
)
PUBLISH: Tree = {
    ".github/workflows/release.yml": "on: {release: {types: [published]}}\njobs:\n  a:\n    runs-on: x\n    steps:\n"
    "      - run: python -m build\n      - run: twine upload dist/*\n"
}
NET = (
    "from sklearn.base import BaseEstimator\n"
    "from sklearn.linear_model import LogisticRegression\n\n\n"
    "class Ensemble(BaseEstimator):\n    def fit(self, x, y):\n"
    "        self.inner = LogisticRegression().fit(x, y)\n        return self\n"
)
LIBRARY: Tree = {
    "pyproject.toml": PYPROJECT.replace("NAME", "ensembles"),
    "ensembles/__init__.py": "",
    "ensembles/net.py": NET,
}
CHAT = (
    "import openai\n\nclient = openai.OpenAI()\n\n\ndef ask(text):\n"
    "    return client.chat.completions.create(model='gpt-4o', messages=[{'role': 'user', 'content': text}])\n"
    "\n\nif __name__ == '__main__':\n    ask('hello')\n"
)


NOTEBOOK = json.dumps(
    {
        "cells": [{"cell_type": "code", "source": "from sklearn.svm import SVC\nSVC().fit(x, y)", "outputs": []}],
        "nbformat": 4,
    }
)


def kind_of(folder: Path, tree: Tree) -> str:
    """The kind of a tree."""
    return decide(context_of(folder, tree)).name


# -- one of each, and what is near it ----------------------------------------------------------------------------------


def test_application(tmp_path: Path) -> None:
    assert kind_of(tmp_path, ML) == "application"


@pytest.mark.parametrize(
    ("tree", "kind", "place"),
    [
        (ML, "application", "train.py:12"),
        ({**ML, "a.ipynb": NOTEBOOK}, "application", "train.py:12"),
        ({"app.py": CHAT}, "llm-app", "app.py:7"),
        ({**ML, "README.md": "# Model\n\nOur entry for https://www.kaggle.com/c/x\n"}, "competition", "README.md:3"),
        ({**ML, "README.md": "# Model\n\n\n@article{x,\n}\n"}, "research", "README.md:4"),
        ({**ML, "README.md": "# A template\n"}, "template", "README.md:1"),
        ({"{{cookiecutter.x}}/train.py": TRAIN, "cookiecutter.json": "{}"}, "template", "cookiecutter.json:1"),
        ({"a/dbt_project.yml": "name: x\n"}, "data-pipeline", "a/dbt_project.yml:1"),
        ({"a.py": "print(1)\n"}, "non-ml", "None"),
    ],
)
def test_the_kind_has_a_place_that_shows_it(tmp_path: Path, tree: Tree, kind: str, place: str) -> None:
    found = decide(context_of(tmp_path, tree))
    assert (found.name, str(found.where)) == (kind, place)


def test_published_package_that_trains_nothing_itself_is_a_library(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**LIBRARY, **PUBLISH})
    assert report.kind == "library"
    assert report.headline.level is None
    assert report.findings == ()


@pytest.mark.parametrize(
    "tree",
    [
        LIBRARY,  # nothing publishes it
        {**LIBRARY, **PUBLISH, **ML},  # a script of its own trains
    ],
    ids=["not published", "trains itself"],
)
def test_package_that_is_no_library(tmp_path: Path, tree: Tree) -> None:
    assert kind_of(tmp_path, tree) == "application"


def test_published_mlops_tool(tmp_path: Path) -> None:
    tree = {
        "pyproject.toml": PYPROJECT.replace("NAME", "mlflow-tracker"),
        "src/tracker/a.py": "import mlflow\n\n\ndef log(x):\n    mlflow.log_metric('x', x)\n",
        **PUBLISH,
    }
    report = scan_tree(tmp_path, tree)
    assert report.kind == "platform-tool"
    assert report.headline.level is None


def lessons(*names: str) -> Tree:
    """Folders with a training script each."""
    return {f"{name}/{path}": text for name in names for path, text in ML.items()}


@pytest.mark.parametrize(
    "names",
    [("01-intro", "02-data", "03-model"), ("week1", "week2", "week3"), ("lesson_1", "lesson_2", "lesson_3", "notes")],
)
def test_course(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert kind_of(tmp_path, lessons(*names)) == "course"


@pytest.mark.parametrize("names", [("01-intro", "02-data"), ("src", "week", "lessons"), ("v1", "v2", "v3")])
def test_folders_that_are_no_course(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert kind_of(tmp_path, lessons(*names)) == "application"


def test_numbered_folders_without_a_model_are_no_course(tmp_path: Path) -> None:
    assert kind_of(tmp_path, {f"0{n}-sql/a.sql": "select 1;\n" for n in range(1, 5)}) == "non-ml"


def test_generator_for_others_inside_a_repository(tmp_path: Path) -> None:
    generator = {"tools/starter/cookiecutter.json": '{"name": "churn"}'}
    assert kind_of(tmp_path / "inside", {**ML, **generator}) == "application"
    filled = {f"tools/starter/{{{{ cookiecutter.name }}}}/{n}.py": TRAIN for n in range(3)}
    assert kind_of(tmp_path / "most", {**ML, **generator, **filled}) == "template"
    tool = {
        **ML,
        **filled,
        "pyproject.toml": '[project]\nname = "kedro"\nclassifiers = ["Programming Language :: C"]\n',
    }
    assert kind_of(tmp_path / "tool", tool) == "platform-tool"


def test_project_generator(tmp_path: Path) -> None:
    tree = {
        "cookiecutter.json": '{"name": "churn"}',
        "{{ cookiecutter.name }}/train.py": ML["train.py"],
        "{{ cookiecutter.name }}/data.py": ML["data.py"],
    }
    assert kind_of(tmp_path, tree) == "template"


def test_readme_that_says_template(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "a", {**ML, "README.md": "# Churn\n\nA project template for teams.\n"}) == "template"
    assert (
        kind_of(tmp_path / "b", {**ML, "README.md": "# Churn\n\n" + "text\n" * 30 + "e-mail template\n"})
        == "application"
    )


def test_made_from_a_template_is_no_template(tmp_path: Path) -> None:
    assert kind_of(tmp_path, {**ML, ".copier-answers.yml": "_src_path: gh:a/b\n_commit: v1\n"}) == "application"


def test_research_and_competition(tmp_path: Path) -> None:
    paper = "# Net\n\n```\n@inproceedings{a2026, title={Net}}\n```\n"
    assert kind_of(tmp_path / "paper", {**ML, "README.md": paper}) == "research"
    assert (
        kind_of(tmp_path / "kaggle", {**ML, "README.md": "# Solution\n\nhttps://www.kaggle.com/c/titanic\n"})
        == "competition"
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Place 3 of the public leaderboard.", "competition"),
        ("Our submission to the challenge, with its leaderboard score.", "competition"),
        ("It prints a leaderboard of the models that it has trained.", "application"),
        ("- **Report**: leaderboard table and training curves", "application"),
    ],
)
def test_a_leaderboard_is_one_of_a_competition_where_the_readme_says_so(tmp_path: Path, text: str, kind: str) -> None:
    assert kind_of(tmp_path, {**ML, "README.md": f"# Model\n\n{text}\n"}) == kind


def test_paper_cited_by_a_served_model_is_an_application(tmp_path: Path) -> None:
    app = (
        "import joblib\nfrom fastapi import FastAPI\n\napp = FastAPI()\n"
        "model = joblib.load('m')\n\n\n@app.post('/p')\ndef p(x: list):\n"
        "    return model.predict(x)\n"
    )
    assert (
        kind_of(tmp_path, {**ML, "app.py": app, "README.md": "See https://arxiv.org/abs/1706.03762\n"}) == "application"
    )


def workflow(command: str) -> Tree:
    """A workflow that runs one command on every push."""
    return {".github/workflows/w.yml": f"on: push\njobs:\n  a:\n    steps:\n      - run: {command}\n"}


@pytest.mark.parametrize(
    ("command", "kind"),
    [("ruff check", "research"), ("pytest tests", "research"), ("python train.py", "application")],
    ids=["lint", "tests", "training"],
)
def test_checks_in_ci_do_not_make_research_an_application(tmp_path: Path, command: str, kind: str) -> None:
    paper = {"README.md": "# Net\n\nSee https://arxiv.org/abs/1706.03762\n"}
    assert kind_of(tmp_path, {**ML, **paper, **workflow(command)}) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The file train.py reproduces GPT-2 on open text.", "research"),
        ("PyTorch implementation of a very deep net.", "research"),
        ("A reproducible pipeline for churn.", "application"),
        ("Our implementation, and how to reproduce it.", "application"),
        ("    requirements.txt <- The requirements file for reproducing the analysis environment", "application"),
        ("Code for reproducing the results of two earlier studies.", "research"),
    ],
)
def test_a_readme_that_says_what_it_reproduces(tmp_path: Path, text: str, kind: str) -> None:
    assert kind_of(tmp_path, {**ML, "README.md": f"# Net\n\n{text}\n"}) == kind


@pytest.mark.parametrize(
    ("readme", "kind"),
    [
        ("---\npage_type: sample\nlanguages:\n- python\n---\n\n# Churn\n", "template"),
        ("<!--\n" + "licence\n" * 15 + "-->\n# Churn\n\nA template for teams.\n", "template"),
        ("# Example MLflow project\n", "template"),
        ("# Churn\n\nAn auto-generated repository for the guide.\n", "template"),
        ("# Churn\n\nThe MLOps solution accelerator.\n", "template"),
        ("---\ntitle: Churn\n---\n\n# Churn\n\nFor example, a project may use it.\n", "application"),
        ("# Churn\n\n" + "text\n" * 15 + "page_type: sample\n", "application"),
    ],
)
def test_words_of_a_template_at_the_head_of_the_readme(tmp_path: Path, readme: str, kind: str) -> None:
    assert kind_of(tmp_path, {**ML, "README.md": readme}) == kind


def test_a_few_templates_in_a_program_are_no_generator(tmp_path: Path) -> None:
    prompts = {f"prompts/p{n}.jinja": "{{ question }}" for n in range(3)}
    modules = {f"app/m{n}.py": f"N = {n}\n" for n in range(40)}
    assert kind_of(tmp_path / "few", {**ML, **prompts, **modules}) == "application"
    files = {f"project/p{n}.py.jinja": "x = '{{ name }}'\n" for n in range(3)}
    assert kind_of(tmp_path / "most", {**ML, **files}) == "template"
    programs = {f"api/m{n}.go": "package api\n" for n in range(40)}
    assert kind_of(tmp_path / "few of all", {**ML, **files, **programs}) == "application"


def test_templates_of_resources_and_prompts_make_no_projects(tmp_path: Path) -> None:
    files = {f"infra/{name}.jinja": "{{ env }}" for name in ("cluster", "network", "storage", "prompt")}
    assert kind_of(tmp_path, {**ML, **files}) == "application"


@pytest.mark.parametrize(
    ("readme", "kind"),
    [
        ("# A\n\nThis project shows how to serve a model.\n", "template"),
        ("# A\n\nOur model of churn. This project shows churn.\n", "application"),
        ("# A\n\nPyTorch training code and pretrained models for **X**.\n", "research"),
        ("# A\n\nThe training code and pretrained models are in `s3://x`.\n", "application"),
        ("# A\n\nCode for our NeurIPS paper.\n", "research"),
    ],
)
def test_what_a_readme_says_of_itself(tmp_path: Path, readme: str, kind: str) -> None:
    assert kind_of(tmp_path, {**ML, "README.md": readme}) == kind


def collected(*folders: str) -> Tree:
    """A script that trains in each folder, and a README that speaks of examples."""
    readme: Tree = {"README.md": "# A\n\nThis repository contains examples of Spam with several libraries.\n"}
    return {**readme, **{f"{folder}/train.py": TRAIN for folder in folders}}


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        (collected("keras/a", "keras/b", "torch", "sklearn"), "course"),
        (collected("keras", "torch"), "application"),  # too few to be a collection
        ({**collected("a", "b", "c", "d"), "README.md": "# A\n\nSee the examples.\n"}, "application"),
        # parts of one program
        ({**collected("a", "b", "c", "d"), "a/train.py": "from b.train import main\n" + TRAIN}, "application"),
        ({**LIBRARY, **collected("examples/a", "examples/b", "examples/c")}, "course"),
        ({**LIBRARY, **PUBLISH, **collected("examples/a", "examples/b", "examples/c")}, "library"),
        ({**LIBRARY, **collected("examples/a")}, "application"),
    ],
)
def test_a_collection_of_examples(tmp_path: Path, tree: Tree, kind: str) -> None:
    assert kind_of(tmp_path, tree) == kind


@pytest.mark.parametrize(("suffix", "kind"), [("go", "application"), ("md", "template")])
def test_the_sources_of_a_program_in_another_language_count(tmp_path: Path, suffix: str, kind: str) -> None:
    """A platform may bring one project for its users to start from."""
    tree: dict[str, str] = {f"sdk/{{{{cookiecutter.name}}}}/f{n}.py": "x = 1\n" for n in range(3)}
    tree |= {f"api/f{n}.{suffix}": "package api\n" for n in range(40)}
    assert kind_of(tmp_path, {**ML, **tree}) == kind


SERVED_CHAT = (
    "import openai\nfrom fastapi import FastAPI\n\napp = FastAPI()\nclient = openai.OpenAI()\n\n\n"
    "@app.post('/chat')\ndef chat(text: str):\n"
    "    return client.chat.completions.create(model='gpt-4o', messages=[{'role': 'user', 'content': text}])\n"
)
CLASSIFIED = PYPROJECT.replace("NAME", "desk-chat") + 'classifiers = ["Programming Language :: Python :: 3"]\n'


@pytest.mark.parametrize(
    ("code", "more", "kind"),
    [
        (SERVED_CHAT, {}, "llm-app"),
        (SERVED_CHAT, PUBLISH, "llm-app"),
        (CHAT, PUBLISH, "library"),
    ],
    ids=["service with a description", "published service", "published package"],
)
def test_a_service_with_the_description_of_a_package(tmp_path: Path, code: str, more: Tree, kind: str) -> None:
    assert kind_of(tmp_path, {"pyproject.toml": CLASSIFIED, "desk_chat/app.py": code, **more}) == kind


def test_application_of_hosted_language_models(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {"app.py": CHAT})
    assert (report.kind, report.has_ml) == ("llm-app", True)


def test_training_beside_a_hosted_language_model_is_an_application(tmp_path: Path) -> None:
    assert kind_of(tmp_path, {**ML, "app.py": CHAT}) == "application"


def test_data_pipelines(tmp_path: Path) -> None:
    dag = (
        "from airflow import DAG\nfrom airflow.operators.bash import BashOperator\n\n"
        "with DAG('etl', schedule='@daily') as dag:\n"
        "    BashOperator(task_id='a', bash_command='ls')\n"
    )
    assert (
        kind_of(tmp_path / "dbt", {"dbt_project.yml": "name: shop\n", "models/a.sql": "select 1\n"}) == "data-pipeline"
    )
    assert kind_of(tmp_path / "airflow", {"dags/etl.py": dag}) == "data-pipeline"
    examples = {"examples/dags/etl.py": dag, "eda.ipynb": '{"cells": []}'}
    assert kind_of(tmp_path / "examples", examples) == "data-pipeline"
    assert kind_of(tmp_path / "tool", {**examples, "tool/a.py": "x = 1\n", "tool/b.py": "x = 1\n"}) == "non-ml"
    assert kind_of(tmp_path / "tests", {"tests/dags/etl.py": dag}) == "non-ml"


# -- no model ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tree",
    [
        {"app.py": "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route('/')\ndef a():\n    return 'a'\n"},
        {"models.py": "from django.db import models\n\n\nclass Model(models.Model):\n    name = models.TextField()\n"},
        {"cache.py": "import pickle\n\nprint(pickle.load(open('cache.pkl', 'rb')))\n"},
        {"README.md": "# A model\n\nIt trains with `model.fit(x, y)` and mlflow.\n"},
        {"requirements.txt": "scikit-learn==1.5.2\nmlflow\n"},
        {"tests/test_train.py": ML["train.py"], "vendor/net/train.py": ML["train.py"]},
        {"docs/conf.yaml": "steps:\n  - {name: a, script: train.py, params: {}}\n"},
    ],
    ids=["web", "ORM", "pickled cache", "prose", "dependency", "tests and vendored", "docs"],
)
def test_no_machine_learning(tmp_path: Path, tree: Tree) -> None:
    context = context_of(tmp_path, tree)
    assert not has_ml(context)
    assert decide(context).name == "non-ml"


def test_pretrained_model_is_machine_learning(tmp_path: Path) -> None:
    text = "from transformers import pipeline\n\nclassify = pipeline('sentiment-analysis')\nprint(classify('good'))\n"
    assert has_ml(context_of(tmp_path, {"app.py": text}))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("boto3.client('sagemaker').create_training_job(TrainingJobName='leaves', RoleArn=role)", True),
        ("boto3.client('bedrock-runtime').invoke_model(modelId='m', body=text)", True),
        ("boto3.client('batch').submit_job(jobName='leaves')  # no sagemaker", False),
        ("boto3.client('s3').put_object(Bucket='b', Key='sagemaker.csv')", False),
    ],
)
def test_machine_learning_by_nothing_but_a_client_for_many_services(tmp_path: Path, call: str, expected: bool) -> None:
    assert (
        has_ml(context_of(tmp_path, {"job.py": f"import boto3\n\n\ndef start(role, text):\n    {call}\n"})) is expected
    )


# -- the parts ---------------------------------------------------------------------------------------------------------


def test_the_users_word_wins(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, ML, ScanOptions(kind="research"))
    assert (report.kind, report.kind_reason) == ("research", "set by the user")
    assert report.headline.level == 1


def test_a_library_by_the_users_word_has_no_level(tmp_path: Path) -> None:
    assert scan_tree(tmp_path, ML, ScanOptions(kind="library")).headline.level is None


def test_judged_kinds_are_kinds() -> None:
    assert set(KINDS) >= JUDGED
    assert not {"non-ml", "library", "platform-tool", "data-pipeline"} & JUDGED


def files(*paths: str) -> tuple[File, ...]:
    """Files by path alone."""
    return tuple(File(path, 1, Role.SOURCE, Texts()) for path in paths)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("01-a/x", "02-b/x", "03-c/x"), ("01-a", "02-b", "03-c")),
        (("01-a/x", "01-a/y", "02-b/x"), ()),
        (("src/01-a/x", "src/02-b/x", "src/03-c/x"), ()),
        (("week 1/x", "week_2/x", "Week-3/x"), ()),
        (("day1.txt", "day2.txt", "day3.txt"), ()),
    ],
)
def test_lesson_folders(paths: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert lesson_folders(files(*paths)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mlflow", True), ("MLflow", True), ("churn-mlflow", False), ("mlflows", False)],
)
def test_self_tools(tmp_path: Path, name: str, expected: bool) -> None:
    context = context_of(tmp_path, {**ML, "pyproject.toml": PYPROJECT.replace("NAME", name)})
    assert ("mlflow" in self_tools(context)) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [(NET, False), ("import mlflow\n" + NET, True)],
    ids=["a company's name in front", "uses what it extends"],
)
def test_a_plug_in_uses_the_tool_whose_name_is_part_of_its_own(tmp_path: Path, code: str, expected: bool) -> None:
    tree = {**LIBRARY, **PUBLISH, "ensembles/net.py": code, "pyproject.toml": PYPROJECT.replace("NAME", "mlflow-nets")}
    context = context_of(tmp_path, tree)
    assert ("mlflow" in self_tools(context)) is expected
    assert decide(context).name == ("platform-tool" if expected else "library")


@pytest.mark.parametrize(("trainer", "expected"), [("train.py", False), ("examples/train.py", True)])
def test_a_demo_named_after_a_tool_that_trains_a_model_is_no_plug_in(
    tmp_path: Path, trainer: str, expected: bool
) -> None:
    tree = {
        **LIBRARY,
        **PUBLISH,
        "ensembles/net.py": "import mlflow\n" + NET,
        trainer: "import mlflow\n"
        + TRAIN.replace("    return model", "    mlflow.log_param('c', 1)\n    return model"),
        "pyproject.toml": PYPROJECT.replace("NAME", "mlflow-leaf-demo"),
    }
    context = context_of(tmp_path, tree)
    assert ("mlflow" in self_tools(context)) is expected
    assert decide(context).name == ("platform-tool" if expected else "application")


@pytest.mark.parametrize(
    ("name", "reason", "left_out"),
    [
        ("mlflow", "the package `mlflow` is MLflow itself", ["MLflow"]),
        ("pycaret", "the package `pycaret` is itself a known machine-learning library", ["pycaret"]),
        ("kfp", "the package `kfp` is itself a known MLOps tool", ["kfp"]),
        ("recommenders", "it trains or serves a model for a use of its own", []),  # what a rule is called is no package
    ],
)
def test_a_known_package_is_called_by_its_own_name(tmp_path: Path, name: str, reason: str, left_out: list[str]) -> None:
    context = context_of(tmp_path, {**ML, **PUBLISH, "pyproject.toml": PYPROJECT.replace("NAME", name)})
    assert decide(context).reason == reason
    assert product_names(context) == left_out


STARTER = "# MLOps starter\n\nA solution accelerator for machine learning projects.\n"
CLONES = (
    "# make a project\ngit clone --depth 1 https://example.org/skeleton.git $name\ncd $name\nrm -rf .git\ngit init\n"
)


def test_a_script_that_makes_projects_is_a_template_without_a_level(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {"README.md": STARTER, "new.sh": CLONES})
    assert (report.kind, report.has_ml, report.headline.level) == ("template", False, None)
    assert str(report.kind_place) == "new.sh:2"
    assert any("https://example.org/skeleton.git" in notice for notice in report.notices)


@pytest.mark.parametrize(
    ("readme", "script"),
    [
        ("# A template for web apps\n", CLONES),
        ("# Machine learning at us\n\nHow we work.\n", CLONES),
        (STARTER, "git clone https://example.org/tools.git\ncd tools\nmake install\n"),
        (STARTER, CLONES.replace("git clone", "# git clone")),
        (STARTER, "pip install cookiecutter\ncookiecutter --version\n"),
        (STARTER, "rm -rf .github\ngit clone https://example.org/tools.git\n"),
        ("# Notes on machine learning\n" + 12 * "\n" + "See also this template.\n", CLONES),
    ],
    ids=[
        "a web template",
        "no template",
        "a dependency",
        "comment",
        "installed only",
        "no new history",
        "mentions one",
    ],
)
def test_what_makes_no_projects_is_no_template(tmp_path: Path, readme: str, script: str) -> None:
    assert kind_of(tmp_path, {"README.md": readme, "new.sh": script}) == "non-ml"


def test_a_generator_that_a_script_asks_makes_projects(tmp_path: Path) -> None:
    script = "cookiecutter https://example.org/skeleton --no-input\n"
    assert kind_of(tmp_path, {"README.md": STARTER, "new.sh": script}) == "template"


OWN_MODEL = """\
import numpy as np


class Nearest:
    def fit(self, x, y):
        self.x, self.y = np.asarray(x), np.asarray(y)
        return self

    def predict(self, x):
        return self.y[np.argmin(np.abs(self.x - x))]
"""
OWN_TEST = """\
from sklearn.metrics import accuracy_score

from src.nearest import Nearest


def test_it_learns():
    model = Nearest().fit([1, 2, 3], [0, 1, 1])
    assert accuracy_score([model.predict(1)], [0]) > 0.9
"""
OWN: Tree = {"src/__init__.py": "", "src/nearest.py": OWN_MODEL, "tests/test_nearest.py": OWN_TEST}


def test_an_estimator_of_ones_own_is_a_model(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, OWN)
    assert (report.kind, report.has_ml, str(report.kind_place)) == ("application", True, "src/nearest.py:5")
    testing = next(item for item in report.headline.practices if item.id == "model/testing")
    assert testing.grade.value == "implemented"


@pytest.mark.parametrize(
    "changed",
    [
        {"src/nearest.py": OWN_MODEL.replace("def predict", "def transform")},
        {"src/nearest.py": OWN_MODEL.replace("import numpy as np", "import np")},
        {"src/nearest.py": re.sub(r"self.x, self.y =.*\n        return self", "raise NotImplementedError", OWN_MODEL)},
        {"tests/test_nearest.py": OWN_TEST.replace("Nearest()", "make()")},
        {"tests/test_nearest.py": OWN_TEST.replace("    model =", "    # model =")},
        {"src/nearest.py": "", "tests/fakes.py": OWN_MODEL},
    ],
    ids=["a transformer", "no arrays", "a stub", "never made", "commented out", "a fake of tests"],
)
def test_what_is_no_estimator_of_ones_own(tmp_path: Path, changed: Tree) -> None:
    assert kind_of(tmp_path, {**OWN, **changed}) == "non-ml"


def test_a_library_of_estimators_with_a_script_stays_one(tmp_path: Path) -> None:
    tree = {
        **OWN,
        **PUBLISH,
        "pyproject.toml": PYPROJECT.replace("NAME", "nearest"),
        "benchmarks.py": "from src.nearest import Nearest\n\nif __name__ == '__main__':\n    Nearest().fit([1], [2])\n",
    }
    assert kind_of(tmp_path, tree) == "library"


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"setup.py": "NAME = 'nets'\nsetup(name='deep-nets')\n"}, {"deep-nets"}),
        ({"setup.py": "PKG = 'nets'\nsetup(name=PKG)\n"}, {"nets"}),
        ({"setup.py": "# PKG = 'nets'\nsetup(name=PKG)\n"}, set()),
        ({"setup.py": "PKG = read_name()\nsetup(\n    name=PKG,\n)\n"}, set()),
        ({"setup.cfg": "[metadata]\nname = deep_nets\n"}, {"deep-nets"}),
    ],
)
def test_names_of_what_a_repository_builds(tmp_path: Path, files: Tree, names: set[str]) -> None:
    assert project_names(context_of(tmp_path, {**ML, **files})) == names


ASKS = "import torch\n\n\ndef ask(x):\n    return torch.load('net.pt')(x)\n"
LOGS = "import wandb\n\n\ndef log(x):\n    wandb.log({'x': x})\n\n\n"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ({"ensembles/net.py": f"import huggingface_hub\n{ASKS}"}, "library"),
        ({"ensembles/net.py": ASKS, "references/run.py": f"{LOGS}if __name__ == '__main__':\n    log(1)\n"}, "library"),
        ({"ensembles/net.py": LOGS}, "platform-tool"),
    ],
    ids=["a place for models", "a script beside the package", "a plug-in"],
)
def test_what_a_package_extends(tmp_path: Path, code: Tree, kind: str) -> None:
    assert kind_of(tmp_path, {**LIBRARY, **PUBLISH, **code}) == kind


_COMMAND = "import mlflow\n\n\ndef copy():\n    mlflow.register_model('runs:/a/m', 'b')\n\n\n"
_SCRIPT = "[project.scripts]\ncopy-model = 'ensembles.copying:main'\n"


@pytest.mark.parametrize(
    ("scripts", "path", "expected"),
    [
        (_SCRIPT, "ensembles/copying.py", Grade.TRACE),
        (_SCRIPT, "tools/copying.py", Grade.IMPLEMENTED),
        (_SCRIPT.replace("copying:", "other:"), "ensembles/copying.py", Grade.IMPLEMENTED),
        (f"# {_SCRIPT}".replace("\ncopy", "\n# copy"), "ensembles/copying.py", Grade.IMPLEMENTED),
    ],
    ids=["installed", "a script of the same name", "another command", "commented out"],
)
def test_what_a_command_of_a_package_does_is_its_users_practice(
    tmp_path: Path, scripts: str, path: str, expected: Grade
) -> None:
    code = f"{_COMMAND}def main():\n    copy()\n\n\nif __name__ == '__main__':\n    main()\n"
    tree = {**LIBRARY, **PUBLISH, path: code}
    report = scan_tree(tmp_path, {**tree, "pyproject.toml": f"{LIBRARY['pyproject.toml']!s}{scripts}"})
    assert report.kind in ("library", "platform-tool")
    assert grade(report, "model/registry") is expected


_PAGES: Tree = {
    "mkdocs.yml": "site_name: a\n",
    "README.md": "# MLOps for everyone\n",
    **{f"docs/{n}.md": "a\n" for n in range(12)},
}
_WITH_CI: Tree = {
    ".github/workflows/a.yml": "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n    - run: python translate.py\n"
}


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        ({**_PAGES, "translate.py": CHAT}, "course"),
        ({**_PAGES, "translate.py": CHAT, "README.md": "# Gardens\n"}, "non-ml"),
        ({**_PAGES, "app.py": SERVED_CHAT}, "llm-app"),
        ({**_PAGES, **_WITH_CI, "translate.py": CHAT + "\n\nask('a')\n"}, "llm-app"),
        ({**_PAGES, **{f"src/{n}.py": "x = 1\n" for n in range(4)}, "translate.py": CHAT}, "llm-app"),
        ({**{k: v for k, v in _PAGES.items() if k != "mkdocs.yml"}, "translate.py": CHAT}, "llm-app"),
    ],
    ids=["site", "another subject", "serves", "automated", "a program", "no site"],
)
def test_a_site_with_a_script_is_no_application(tmp_path: Path, tree: Tree, kind: str) -> None:
    assert kind_of(tmp_path, tree) == kind


@pytest.mark.parametrize(
    ("tree", "reason", "place"),
    [
        ({"README.md": "# Iris\n\nA solution accelerator for flowers\n"},
         "the README calls itself a template or sample: `solution accelerator`", "README.md:3"),
        ({"README.md": "# A template\n"}, "the README calls itself a template", "README.md:1"),
        ({"cookiecutter.json": "{}"}, "a project generator", "cookiecutter.json:1"),
        ({f"step/{{{{ cookiecutter.name }}}}/{n}.py": "x = 1\n" for n in "abc"},
         "files with placeholders, of which others are made", "step/{{ cookiecutter.name }}/a.py:1"),
    ],
    ids=["words", "template", "generator", "files"],
)  # fmt: skip
def test_why_it_is_a_template(tmp_path: Path, tree: Tree, reason: str, place: str) -> None:
    found = decide(context_of(tmp_path, {**ML, **tree}))
    assert (found.name, found.reason, str(found.where)) == ("template", reason, place)


@pytest.mark.parametrize(
    ("more", "expected"),
    [({}, Grade.TRACE), ({"a.py": "import joblib\n\njoblib.load('m').predict([1])\n"}, Grade.IMPLEMENTED)],
)
def test_where_there_is_no_model_nothing_deploys_one(tmp_path: Path, more: Tree, expected: Grade) -> None:
    tree = {"docker-compose.yml": "services:\n  web:\n    build: .\n", "Dockerfile": "FROM python:3.12\nCOPY . .\n"}
    tree["Dockerfile"] += "RUN git clone https://example.org/a\n"
    report = scan_tree(tmp_path, {**tree, **more})
    assert report.has_ml is bool(more)
    assert grade(report, "deploy/as-code") is expected


def test_the_genai_model_is_not_recommended_where_it_is_shown(tmp_path: Path) -> None:
    write_tree(tmp_path, {"app.py": CHAT})
    told = [
        any("--model genai" in n for n in scan(tmp_path, ScanOptions(model=m)).notices) for m in ("default", "genai")
    ]
    assert told == [True, False]


TRACKS = "import mlflow\n\n\ndef log(x):\n    mlflow.log_metric('x', x)\n\n\n"


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        ({"ensembles/log.py": TRACKS}, None, Grade.TRACE),
        ({"run.py": f"{TRACKS}if __name__ == '__main__':\n    log(1)\n"}, None, Grade.IMPLEMENTED),
        ({"ensembles/log.py": TRACKS}, "application", Grade.IMPLEMENTED),
    ],
    ids=["offered", "a script", "by the user's word"],
)
def test_what_a_package_offers_is_its_users_practice(
    tmp_path: Path, code: Tree, kind: str | None, expected: Grade
) -> None:
    report = scan_tree(tmp_path, {**LIBRARY, **PUBLISH, **code}, ScanOptions(kind=kind))
    assert grade(report, "experiment/tracking") is expected


def test_what_ci_releases_of_a_package_is_no_model(tmp_path: Path) -> None:
    push = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: docker push acme/ensembles:1\n"
    tree = {**LIBRARY, **PUBLISH, ".github/workflows/image.yml": push}
    report = scan_tree(tmp_path / "a", tree)
    assert (report.kind, grade(report, "cd/model-deploy")) == ("library", Grade.TRACE)
    report = scan_tree(tmp_path / "b", {**tree, **ML})
    assert (report.kind, grade(report, "cd/model-deploy")) == ("application", Grade.WIRED)
