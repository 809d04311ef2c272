"""Environments: exact versions, containers with the model's code, infrastructure as code."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, places, practice, scan_tree, where

PINNED, IMAGE, INFRA = "env/pinned", "env/containerized", "env/infra-as-code"
LOCK = (
    'version = 1\n\n[[package]]\nname = "scikit-learn"\nversion = "1.5.2"\n\n'
    '[[package]]\nname = "pandas"\nversion = "2.2.3"\n'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "scikit-learn==1.5.2\npandas==2.2.3\njoblib==1.4.2\n"),
        (
            "requirements.txt",
            "-i https://pypi.org/simple\nscikit-learn==1.5.2 \\\n    --hash=sha256:" + "a" * 64 + "\npandas==2.2.3\n",
        ),
        (
            "environment.yml",
            "name: a\ndependencies:\n  - python=3.12\n  - scikit-learn=1.5.2\n  - pip:\n      - pandas==2.2.3\n",
        ),
        ("uv.lock", LOCK),
        ("poetry.lock", LOCK),
        ("requirements.lock", "joblib==1.4.2\nscikit-learn==1.5.2\npandas==2.2.3\n"),
        (
            "conda-linux-64.lock",
            "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/scikit-learn-1.5.2-py312h7a48858_1.conda#0a\n",
        ),
        ("pyproject.toml", '[project]\nname = "a"\ndependencies = ["scikit-learn==1.5.2", "pandas==2.2.3"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "3.12"\nscikit-learn = "1.5.2"\npandas = "2.2.3"\n'),
    ],
    ids=[
        "requirements", "hashes", "conda", "uv", "poetry", "requirements.lock", "conda's explicit list", "pyproject",
        "poetry without a lock",
    ],
)  # fmt: skip
def test_exact_versions(tmp_path: Path, name: str, text: str) -> None:
    report = scan_tree(tmp_path, {**ML, name: text})
    assert grade(report, PINNED) is Grade.IMPLEMENTED
    assert findings(report, "MLS105") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "scikit-learn>=1.5\npandas\n"),
        ("requirements.txt", "scikit-learn\n" + "".join(f"package{n}==1.0\n" for n in range(30))),
        ("requirements.txt", "scikit-learn==1.*\npandas~=2.2\n"),
        ("environment.yml", "name: a\ndependencies:\n  - python=3.12\n  - scikit-learn\n  - pandas\n"),
    ],
    ids=["ranges", "all but the framework", "wildcards", "conda"],
)
def test_open_versions(tmp_path: Path, name: str, text: str) -> None:
    report = scan_tree(tmp_path, {**ML, name: text})
    assert grade(report, PINNED) is Grade.TRACE
    assert [finding.location.path for finding in findings(report, "MLS105")] == [name]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "a"\ndependencies = ["scikit-learn==1.5.2", "pandas>=2"]\n',
            Grade.ABSENT,
        ),
        ("pyproject.toml", '[project]\nname = "a"\ndependencies = ["rich==13.9.4"]\n', Grade.ABSENT),
        ("pyproject.toml", '[tool.poetry.dependencies]\nscikit-learn = "^1.5.2"\n', Grade.ABSENT),
        ("requirements.lock", "rich==13.9.4\n", Grade.TRACE),
    ],
    ids=["one range", "no framework", "a caret", "a lock without the framework"],
)
def test_manifests_that_fix_nothing(tmp_path: Path, name: str, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, name: text}), PINNED) is expected


def test_what_mlflow_writes_beside_a_model_is_not_the_projects(tmp_path: Path) -> None:
    pins = "scikit-learn==1.5.2\npandas==2.2.3\njoblib==1.4.2\n"
    tree = {**ML, "exported/requirements.txt": pins, "requirements.txt": "scikit-learn>=1.5\n"}
    model = {"exported/MLmodel": "flavors: {python_function: {loader_module: mlflow.sklearn}}\n"}
    assert grade(scan_tree(tmp_path / "a", tree), PINNED) is Grade.IMPLEMENTED
    assert grade(scan_tree(tmp_path / "b", {**tree, **model}), PINNED) is Grade.TRACE


def test_what_mlflow_writes_beside_a_model_declares_nothing_of_the_project(tmp_path: Path) -> None:
    files = {
        "exported/conda.yaml": "name: a\ndependencies:\n  - pip:\n      - fairlearn==0.7.0\n      - shap==0.44.0\n",
        "requirements.txt": "scikit-learn==1.5.2\npandas==2.2.3\n",
    }
    with_model = {**files, "exported/MLmodel": "flavors: {python_function: {loader_module: mlflow.sklearn}}\n"}
    elsewhere = {**files, "other/MLmodel": "flavors: {python_function: {loader_module: mlflow.sklearn}}\n"}
    assert findings(scan_tree(tmp_path / "a", {**ML, **with_model}), "MLS107") == []
    assert {item.location.path for item in findings(scan_tree(tmp_path / "b", {**ML, **elsewhere}), "MLS107")} == {
        "exported/conda.yaml"
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scikit-learn\n", "`scikit-learn` has no exact version here"),
        ("scikit-learn\npandas\n", "`scikit-learn` and 1 other have no exact version here"),
        ("pandas==2.2.3\nscikit-learn>=1.5\njoblib\nnumpy\n", "`scikit-learn` and 2 others have no exact version here"),
    ],
)
def test_how_many_versions_are_open(tmp_path: Path, text: str, told: str) -> None:
    (finding,) = findings(scan_tree(tmp_path, {**ML, "requirements.txt": text}), "MLS105")
    assert finding.message.startswith(told)


def test_pins_are_shown_at_one(tmp_path: Path) -> None:
    text = (
        "# build\nsetuptools>=70.0.0\n"
        + "scikit-learn==1.5.2\npandas==2.2.3\n"
        + "".join(f"pack{n}==1.0\n" for n in range(10))
    )
    result = practice(scan_tree(tmp_path, {**ML, "requirements.txt": text}), PINNED)
    assert (result.grade, places(result.evidence)) == (Grade.IMPLEMENTED, ["requirements.txt:3"])


def test_lock_file_makes_up_for_ranges(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "requirements.txt": "scikit-learn>=1.5\n", "uv.lock": LOCK})
    assert practice(report, PINNED).met
    assert findings(report, "MLS105") == []


def test_lock_file_without_the_framework(tmp_path: Path) -> None:
    lock = 'version = 1\n\n[[package]]\nname = "flask"\nversion = "3.0.0"\n'
    result = practice(scan_tree(tmp_path, {**ML, "uv.lock": lock}), PINNED)
    assert result.grade is Grade.TRACE
    assert "scikit-learn" in result.reason


@pytest.mark.parametrize("name", ["package-lock.json", "frontend/yarn.lock", "uv.lock"])
def test_lock_file_of_something_else(tmp_path: Path, name: str) -> None:
    text = "" if name == "uv.lock" else '{"name": "ui", "lockfileVersion": 3}'
    assert not practice(scan_tree(tmp_path, {**ML, name: text}), PINNED).met


@pytest.mark.parametrize("name", ["requirements-dev.txt", "docs/requirements.txt", "requirements-lint.txt"])
def test_pins_of_tools_are_not_pins_of_the_model(tmp_path: Path, name: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, name: "ruff==0.6.0\n"}), PINNED).met


@pytest.mark.parametrize("name", ["conda_dependencies.yml", "requirements-docker.txt", "requirements_latest.txt"])
def test_a_word_within_a_word_makes_no_list_one_of_tools(tmp_path: Path, name: str) -> None:
    text = "scikit-learn==1.5.2\n" if name.endswith(".txt") else "name: a\ndependencies: [scikit-learn=1.5.2]\n"
    assert practice(scan_tree(tmp_path, {**ML, name: text}), PINNED).met


_UI = {"frontend/requirements.txt": "streamlit==1.40.0\nrequests==2.32.3\n"}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        # a list without a framework settles nothing while another one has those that the code uses
        ({**_UI, "requirements_api.txt": "scikit-learn\nfastapi==0.115.0\n"}, Grade.TRACE),
        ({**_UI, "requirements_api.txt": "scikit-learn==1.5.2\nuvloop\n"}, Grade.TRACE),
        ({**_UI, "requirements_api.txt": "# scikit-learn\nuvloop\n"}, Grade.IMPLEMENTED),
        ({**_UI, "requirements_api.txt": "torch\n"}, Grade.IMPLEMENTED),  # which the code does not use
        ({**_UI, "requirements_api.txt": "scikit-learn==1.5.2\n"}, Grade.IMPLEMENTED),
        # projects of one collection, each with its own list
        ({"a/requirements.txt": "scikit-learn==1.5.2\n", "b/requirements.txt": "scikit-learn\n"}, Grade.IMPLEMENTED),
        # what a resolver made of loose bounds holds them
        ({"requirements.txt": "scikit-learn\npandas\n", "requirements-exact.txt": "scikit-learn==1.5.2\n"},
         Grade.IMPLEMENTED),
        ({**_UI, "requirements.txt": "scikit-learn\n", "uv.lock": LOCK}, Grade.IMPLEMENTED),
    ],
)  # fmt: skip
def test_the_lists_with_the_frameworks_decide(tmp_path: Path, lists: dict[str, str], expected: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, **lists})
    assert grade(report, PINNED) is expected
    assert bool(findings(report, "MLS105")) is (expected is Grade.TRACE)


def test_an_exact_list_with_one_of_two_frameworks_is_not_enough(tmp_path: Path) -> None:
    other = "import xgboost\n\nmodel = xgboost.XGBClassifier()\nmodel.fit([[1]], [1])\n"
    tree = {**ML, "boost.py": other, "extra.txt": "", "xgb-requirements.txt": "xgboost==2.1.0\n"}
    loose = {"requirements.txt": "scikit-learn\nxgboost\n"}
    assert practice(scan_tree(tmp_path / "a", tree), PINNED).met
    assert not practice(scan_tree(tmp_path / "b", {**tree, **loose}), PINNED).met


@pytest.mark.parametrize(
    "text",
    [
        (
            "FROM python:3.12-slim\nCOPY requirements.txt .\n"
            "RUN pip install -r requirements.txt\nCOPY . .\nCMD python train.py\n"
        ),
        "FROM pytorch/pytorch:2.4.0\nCOPY train.py .\n",
        (
            "FROM python:3.12 AS build\nRUN uv sync --frozen\nFROM python:3.12\n"
            "COPY --from=build /app /app\nCOPY train.py .\n"
        ),
    ],
    ids=["pip", "framework image", "stages"],
)
def test_image_with_the_code(tmp_path: Path, text: str) -> None:
    tree = {**ML, "Dockerfile": text, "requirements.txt": "scikit-learn==1.5.2\n"}
    assert practice(scan_tree(tmp_path, tree), IMAGE).met


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", "FROM postgres:16\nENV POSTGRES_DB=a\n"),
        (".devcontainer/Dockerfile", "FROM python:3.12\nRUN pip install x\nCOPY . .\n"),
        ("docker-compose.yml", "services:\n  db:\n    image: postgres:16\n"),
        ("docs/Dockerfile", "FROM python:3.12\nRUN pip install x\nCOPY . .\n"),
        ("Dockerfile", "FROM python:3.12\nRUN pip install --upgrade pip setuptools wheel\nCOPY . .\n"),
        ("Dockerfile", "FROM ubuntu:24.04\nRUN apt-get update && apt-get install -y python3-pip\nCOPY . .\n"),
        (
            "Dockerfile",
            "FROM python:3.12\nRUN pip install poetry && poetry config virtualenvs.create false\nCOPY . .\n",
        ),
        ("Dockerfile", 'FROM python:3.12\nRUN "/opt/env/bin/pip" install "leaf[full]>=3.3"\n'),
        ("load_test/Dockerfile", "FROM python:3.12\nRUN pip install locust==2.1\nCOPY locustfile.py .\n"),
        ("perf/Dockerfile", "FROM locustio/locust:2.1\nRUN pip install faker==1.0\nCOPY locustfile.py .\n"),
        ("Dockerfile", "FROM python:3.12\nCOPY . .\nRUN pip install -r reqs_prod.txt\n"),
        ("Dockerfile", "FROM python:3.12\nCOPY reqs_prod.txt .\nRUN pip install -r reqs_prod.txt\n"),
    ],
    ids=[
        "database",
        "editor",
        "compose",
        "docs",
        "only pip",
        "pip of the system",
        "only poetry",
        "quoted",
        "load test",
        "load generator",
        "missing list",
        "missing list is copied",
    ],
)
def test_image_without_the_code(tmp_path: Path, name: str, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, name: text}), IMAGE).met


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("RUN pip install 'leaf[full]>=3.3' ${EXTRA}\n", Grade.TRACE),
        ("RUN pip install leaf ${EXTRA}\n", Grade.TRACE),
        ("RUN pip install leaf==3.3 ${EXTRA}\n", Grade.IMPLEMENTED),
        ("RUN pip install leaf-extras ${EXTRA}\n", Grade.IMPLEMENTED),
        ("RUN pip install leaf ${EXTRA}\nCOPY . .\n", Grade.IMPLEMENTED),
        ("# RUN pip install leaf\nRUN pip install tree==1 ${EXTRA}\n", Grade.IMPLEMENTED),
    ],
    ids=["range", "any", "exact", "another", "with the code", "commented out"],
)
def test_image_of_what_the_repository_releases(tmp_path: Path, text: str, found: Grade) -> None:
    tree = {**ML, "setup.py": "from setuptools import setup\n\nsetup(name='leaf')\n"}
    assert grade(scan_tree(tmp_path, {**tree, "Dockerfile": f"FROM python:3.12\n{text}"}), IMAGE) is found


RECIPE = (
    "# syntax=example.org/blubber/buildkit:v1\nversion: v4\nbase: example.org/bookworm:1\nvariants:\n  build:\n"
    "    python:\n      requirements: [requirements.txt]\n  production:\n    includes: [build]\n"
)
IMAGE_TEXT = "FROM python:3.12\nRUN pip install -r requirements.txt\nCOPY . .\n"


@pytest.mark.parametrize(
    ("recipe", "text", "pins", "expected"),
    [
        ("deploy/scorer.image", IMAGE_TEXT, "scikit-learn==1.5.2\n", "deploy/scorer.image:2"),
        ("deploy/image.yaml", RECIPE, "scikit-learn==1.5.2\n", "deploy/image.yaml:7"),
        ("deploy/scorer.image", "FROM postgres:16\n", "scikit-learn==1.5.2\n", ""),
        ("deploy/scorer.image", "# FROM python:3.12\n# RUN pip install x\n", "scikit-learn==1.5.2\n", ""),
        ("deploy/image.yaml", RECIPE.replace("      req", "      # req"), "scikit-learn==1.5.2\n", ""),
        ("deploy/image.yaml", RECIPE.replace("variants", "settings"), "scikit-learn==1.5.2\n", ""),
        ("deploy/image.yaml", RECIPE, "scikit-learn\npandas\n", ""),
    ],
    ids=["dockerfile", "blubber", "database", "comment", "nothing installed", "other yaml", "no versions"],
)
def test_image_recipes_that_a_compose_file_names(
    tmp_path: Path, recipe: str, text: str, pins: str, expected: str
) -> None:
    compose = f"services:\n  scorer:\n    build:\n      context: .\n      dockerfile: {recipe}\n"
    tree = {**ML, recipe: text, "requirements.txt": pins}
    report = scan_tree(tmp_path / "named", {**tree, "docker-compose.yml": compose})
    found = practice(report, IMAGE)
    assert [str(e.location) for e in found.evidence if found.met] == ([expected] if expected else [])
    for line in (f"# dockerfile: {recipe}", "image: postgres:16"):
        other = compose.replace(f"dockerfile: {recipe}", line)
        report = scan_tree(tmp_path / line[:1], {**tree, "docker-compose.yml": other})
        assert not practice(report, IMAGE).met


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("COPY . .\nRUN pip install -r reqs_prod.txt", {".gitignore": "build/\nreqs_*.txt\n"}),
        ("COPY . .\nRUN pip install -r reqs_prod.txt", {"build.sh": "pip-compile -o reqs_prod.txt\n"}),
        ("COPY . .\nRUN uv export > reqs_prod.txt && pip install -r reqs_prod.txt", {}),
        ("COPY --from=other /out/reqs_prod.txt .\nRUN pip install -r reqs_prod.txt", {}),
        ("COPY reqs/base.txt reqs_prod.txt\nRUN pip install -r reqs_prod.txt", {}),
        ("COPY . .\nRUN git clone x && pip install -r reqs_prod.txt", {}),
        ("COPY . .\nRUN pip install -r ${LIST}.txt", {}),
        ("COPY . .\nRUN pip install -r /base/reqs_prod.txt", {}),
        (
            "COPY . /app\nRUN pip install -r /app/reqs_prod.txt",
            {
                "docker/reqs_prod.txt": "scikit-learn==1.5.2\n",
                "compose.yaml": "services:\n  a:\n    build: {context: docker, dockerfile: ../Dockerfile}\n",
            },
        ),
        ("COPY . .\nRUN pip install --upgrade pip\nRUN '/opt/bin/pip' install scikit-learn==1.5.2", {}),
    ],
)
def test_a_list_that_something_makes_is_not_missing(tmp_path: Path, text: str, more: dict[str, str]) -> None:
    report = scan_tree(tmp_path, {**ML, "Dockerfile": f"FROM python:3.12\n{text}\n", **more})
    assert grade(report, IMAGE) is Grade.IMPLEMENTED


def test_the_missing_list_is_named(tmp_path: Path) -> None:
    text = "FROM python:3.12\nCOPY . .\nRUN pip install --upgrade pip\nRUN pip install -r reqs_prod.txt\n"
    result = practice(scan_tree(tmp_path, {**ML, "Dockerfile": text}), IMAGE)
    assert result.reason == "it installs `reqs_prod.txt`, which is not in the repository"
    assert [e.location.line for e in result.evidence] == [4]


def test_what_installs_more_than_pip_is_shown(tmp_path: Path) -> None:
    text = "FROM python:3.12\nCOPY . .\nRUN pip install -U pip\nRUN pip install scikit-learn==1.5.2\n"
    result = practice(scan_tree(tmp_path, {**ML, "Dockerfile": text}), IMAGE)
    assert [e.location.line for e in result.evidence] == [4]


@pytest.mark.parametrize("folder", ["load_test", "loadtests", "locust", "tools/k6"])
def test_pins_of_a_load_generator_are_not_those_of_the_model(tmp_path: Path, folder: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, f"{folder}/requirements.txt": "locust==2.1\n"}), PINNED).met


@pytest.mark.parametrize("folder", ["download_test_data", "stress", "performance"])
def test_folders_that_make_no_load(tmp_path: Path, folder: str) -> None:
    assert practice(scan_tree(tmp_path, {**ML, f"{folder}/requirements.txt": "scikit-learn==1.5.2\n"}), PINNED).met


def test_resource_of_the_platform_is_infrastructure_and_a_comment_is_none(tmp_path: Path) -> None:
    resource = 'resource "aws_sagemaker_endpoint" "scoring" {\n  name = "scoring"\n}\n'
    commented = "".join(f"# {line}\n" for line in resource.splitlines())
    real = scan_tree(tmp_path / "real", {**ML, "infra/main.tf": "# scoring\n" + resource})
    assert where(real, "MLS122") == []
    assert grade(real, INFRA) is Grade.IMPLEMENTED
    assert [e.location.line for e in practice(real, INFRA).evidence] == [2]
    assert grade(scan_tree(tmp_path / "comment", {**ML, "infra/main.tf": commented}), INFRA) is Grade.ABSENT


def test_local_module_call_is_a_trace(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": 'module "a" {\n  source = "./modules/a"\n}\n'})
    assert grade(report, INFRA) is Grade.TRACE


def test_bicep_resource_is_infrastructure_at_its_own_line(tmp_path: Path) -> None:
    resource = "resource endpoint 'Microsoft.MachineLearningServices/workspaces@2024-04-01' = {\n}\n"
    real = scan_tree(tmp_path / "real", {**ML, "infra/main.bicep": "param name string\n\n" + resource})
    assert grade(real, INFRA) is Grade.IMPLEMENTED
    assert [e.location.line for e in practice(real, INFRA).evidence] == [3]
    commented = scan_tree(tmp_path / "comment", {**ML, "infra/main.bicep": f"// {resource}"})
    assert grade(commented, INFRA) is Grade.ABSENT


_LOOSE = "scikit-learn>=1.3\npandas>=2\n"
_EXACT = "scikit-learn==1.5.2\npandas==2.2.3\njoblib>=1\n"


@pytest.mark.parametrize(
    ("dockerfile", "lists", "expected"),
    [
        ("COPY r* .\nRUN pip install -r requirements.txt\nCOPY . .", {"requirements.txt": _EXACT}, Grade.IMPLEMENTED),
        ("COPY . .\nRUN pip install -r requirements.txt", {"requirements.txt": _LOOSE}, Grade.TRACE),
        # the list of another image, a lock, and a list that is not in the repository say nothing against this image
        ("COPY . .\nRUN pip install -r requirements.txt", {"ui/requirements.txt": _LOOSE, "requirements.txt": _EXACT},
         Grade.IMPLEMENTED),
        ("COPY . .\nRUN uv sync --frozen", {"requirements.txt": _LOOSE, "uv.lock": LOCK}, Grade.IMPLEMENTED),
        ("COPY . .\nRUN pip install -r /base/constraints.txt", {"requirements.txt": _LOOSE}, Grade.IMPLEMENTED),
    ],
)  # fmt: skip
def test_an_image_is_as_reproducible_as_the_list_it_installs(
    tmp_path: Path, dockerfile: str, lists: dict[str, str], expected: Grade
) -> None:
    report = scan_tree(tmp_path, {**ML, "Dockerfile": f"FROM python:3.12\n{dockerfile}\n", **lists})
    assert grade(report, IMAGE) is expected
