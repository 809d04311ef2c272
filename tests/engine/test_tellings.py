"""The kind of a repository where only words, pairs of files or how it is started tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.kind import decide
from mlops_scan.engine.readme import Telling
from mlops_scan.rulebook import load
from tests.engine.test_kind import LIBRARY, NOTEBOOK, PUBLISH
from tests.trees import ML, TRAIN, Tree, context_of

KINDS = load(cache=False).kinds
MIT = "Permission is hereby granted, to permit persons to whom the Software is\nfurnished to do so"
SETUP = "from setuptools import setup\n\nsetup(name='risks', classifiers=['Programming Language :: Python :: 3'])\n"
RISKS: Tree = {
    "setup.py": SETUP,
    "risks/__init__.py": "",
    "risks/run.py": "from sklearn.ensemble import RandomForestClassifier\n\n\ndef build(x, y):\n"
    "    return RandomForestClassifier().fit(x, y)\n",
    "scripts/test_all.py": "",
}
RUN = "# Risks\n\n    python3 -m risks.run --config c.yaml\n"
CLUSTER: Tree = {
    "pyproject.toml": '[project]\nname = "jobs"\nversion = "1"\n[project.scripts]\njobs = "jobs.cli:main"\n',
    "jobs/__init__.py": "",
    "jobs/cli.py": "import docker\nimport tensorflow\n\n\ndef main():\n    docker.from_env().containers.run('x')\n",
    **PUBLISH,
}
BRING: Tree = {
    "README.md": "# Spam\n\nAn extendable framework for managing ML pipelines.\n",
    "stacks/start.py": "import boto3\n\n\ndef main(event):\n"
    "    boto3.client('sagemaker').create_training_job(TrainingJobName=event['name'])\n",
}


def kind_of(folder: Path, tree: Tree) -> str:
    """The kind of a tree."""
    return decide(context_of(folder, tree)).name


@pytest.mark.parametrize(
    ("readme", "kind", "line"),
    [
        ("# Spam\n\nText.\n\nRead the accompanying [blog post](https://example.com) first.\n", "template", 5),
        ("# Spam\n\nThis repository shows various ways to serve.\n", "template", 3),
        ("# Example: Spam\n", "template", 1),
        ("# Spam\n\n" + "Text. " * 400 + "\n\n## Learning goals\n\n- a\n", "template", 5),
        ("# Spam\n\nIt is on our engineering blog. This service shows nothing.\n", "application", None),
        ("# Spam\n\n```\n# Example: Spam\n```\n\n<!-- the accompanying article -->\n", "application", None),
        ("# Spam\n\n" + "Text. " * 400 + "\n\nThe accompanying article.\n", "application", None),
        ("# Spam\n\n## The learning goals of our model\n", "application", None),
    ],
)
def test_words_of_a_readme(tmp_path: Path, readme: str, kind: str, line: int | None) -> None:
    found = decide(context_of(tmp_path, {**ML, "README.md": readme}))
    assert found.name == kind
    assert line is None or (found.where is not None and (found.where.path, found.where.line) == ("README.md", line))


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        (f"Copyright Spam\n\n{MIT}.\n\nTHE SOFTWARE", "template"),
        ("MIT No Attribution\n\nCopyright Spam", "template"),
        (f"MIT License\n\n{MIT}, subject to the following conditions:\n", "application"),
    ],
)
def test_a_licence_of_samples(tmp_path: Path, licence: str, kind: str) -> None:
    assert kind_of(tmp_path, {**ML, "LICENSE": licence}) == kind
    assert kind_of(tmp_path / "deeper", {**ML, "web/vendor/LICENSE": licence}) == "application"


def test_a_licence_of_samples_leaves_a_library_one(tmp_path: Path) -> None:
    assert kind_of(tmp_path, {**LIBRARY, **PUBLISH, "LICENSE": "MIT No Attribution"}) == "library"


def pairs(*names: str) -> Tree:
    """A notebook that trains under each name."""
    return {**ML, **dict.fromkeys(names, NOTEBOOK)}


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        (pairs("1_EXERCISE_a.ipynb", "1_SOLUTION_a.ipynb", "2_EXERCISE_b.ipynb", "2_SOLUTION_b.ipynb"), "course"),
        (pairs("exercises/a.ipynb", "solutions/a.ipynb", "exercises/b.ipynb", "solutions/b.ipynb"), "course"),
        (pairs("1_EXERCISE_a.ipynb", "1_SOLUTION_a.ipynb"), "application"),
        (pairs("1_EXERCISE_a.ipynb", "2_SOLUTION_a.ipynb", "3_EXERCISE_b.ipynb", "b_SOLUTION.ipynb"), "application"),
        (pairs("solution/a.ipynb", "solution/b.ipynb", "exerciser/a.ipynb", "exerciser/b.ipynb"), "application"),
        (pairs("lab-materials/01/a.ipynb", "lab-materials/02/a.ipynb", "lab-materials/03/a.ipynb"), "course"),
        (pairs("labels/01/a.ipynb", "labels/02/a.ipynb", "labels/03/a.ipynb"), "application"),
    ],
)
def test_exercises_and_labs(tmp_path: Path, tree: Tree, kind: str) -> None:
    assert kind_of(tmp_path, tree) == kind


@pytest.mark.parametrize(
    ("readme", "more", "kind"),
    [
        (RUN, {}, "application"),
        (f"{RUN}\n@article {{risks,\n}}\n", {}, "research"),
        (f"{RUN}\n    pip install risks\n", {}, "library"),
        (f"{RUN}\n    pip install git+https://github.com/spam/risks.git\n", {}, "library"),
        (f"{RUN}\n[![a](https://img.shields.io/pypi/v/risks.svg)](x)\n", {}, "library"),
        (RUN, PUBLISH, "library"),
        ("# Risks\n\nSee the docs.\n", {}, "library"),
        ("# Risks\n\n    python setup.py install\n    python -m pytest\n", {}, "library"),
        ("# Risks\n\n    python examples/a.py\n", {"examples/a.py": TRAIN}, "library"),
    ],
)
def test_a_package_that_is_run_from_its_checkout(tmp_path: Path, readme: str, more: Tree, kind: str) -> None:
    assert kind_of(tmp_path, {**RISKS, **more, "README.md": readme}) == kind


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "platform-tool"),
        ({"jobs/cli.py": "import tensorflow\n\n\ndef main():\n    pass\n"}, "library"),
        ({"jobs/cli.py": "import tensorflow\n", "tests/test_a.py": "import docker\n"}, "library"),
    ],
    ids=["drives containers", "drives nothing", "only tests do"],
)
def test_a_package_that_starts_jobs_of_others(tmp_path: Path, more: Tree, kind: str) -> None:
    assert kind_of(tmp_path, {**CLUSTER, **more}) == kind


def test_a_product_is_called_by_the_name_in_its_readme(tmp_path: Path) -> None:
    tree = {
        **CLUSTER,
        "it/a/setup.py": "from setuptools import setup\n\nsetup(name='a-job')\n",
        "README.md": "# Jobs\n",
    }
    assert "`jobs`" in decide(context_of(tmp_path, tree)).reason


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "platform-tool"),
        ({"README.md": "# Churn\n\nOur model.\n"}, "application"),
        ({"train.py": TRAIN}, "application"),
    ],
    ids=["of others", "does not say so", "a model of its own"],
)
def test_a_tool_for_the_models_of_others(tmp_path: Path, more: Tree, kind: str) -> None:
    assert kind_of(tmp_path, {**BRING, **more}) == kind


@pytest.mark.parametrize(
    ("readme", "needs", "kind"),
    [
        ("# Sky\n\nA library for retrieving, and storing satellite data.\n", "zarr==2.18\n", "data-pipeline"),
        ("# Sky\n\nA library for retrieving, and storing satellite data.\n", "click\n", "non-ml"),
        ("# Sky\n\nA web framework.\n", "pandas\n", "non-ml"),
    ],
)
def test_what_handles_data(tmp_path: Path, readme: str, needs: str, kind: str) -> None:
    assert kind_of(tmp_path, {"sky/app.py": "print(1)\n", "requirements.txt": needs, "README.md": readme}) == kind


def test_hostile_readmes_are_bounded() -> None:
    assert Telling("# " * 300_000 + "{" * 300_000).told(KINDS) is None
    assert Telling("#### a\n" * 100_000).told(KINDS) is None
