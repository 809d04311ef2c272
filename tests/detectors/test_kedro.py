"""Pipelines that the registry of a Kedro project puts together of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, practice, scan_tree

PRACTICE = "pipeline/orchestration"
REGISTRY = "src/shop/pipeline_registry.py"
TABLE = "PARTS = {'prepare': prepare.create_pipeline, 'fit': fit.create_pipeline}\n\n\n"
HEAD = "from kedro.pipeline import Pipeline\nfrom shop.pipelines import fit, prepare\n\n\n"
FIND = "from kedro.framework.project import find_pipelines\n\n\n"


def part(name: str, body: str) -> Tree:
    """A package with a pipeline of one node."""
    folder = f"src/shop/pipelines/{name}"
    return {
        f"{folder}/__init__.py": "from .pipeline import create_pipeline\n",
        f"{folder}/nodes.py": body,
        f"{folder}/pipeline.py": (
            f"from kedro.pipeline import Pipeline, node\n\nfrom .nodes import {name}\n\n\n"
            f"def create_pipeline(**kwargs):\n    return Pipeline([node({name}, 'a', '{name}d')])\n"
        ),
    }


CLEAN = "def prepare(table):\n    return table.dropna()\n"
FIT = "from sklearn.linear_model import Ridge\n\n\ndef fit(table):\n    return Ridge().fit(table, table.y)\n"
PARTS = {**part("prepare", CLEAN), **part("fit", FIT)}


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}def register_pipelines():\n"
        "    a, b = prepare.create_pipeline(), fit.create_pipeline()\n    return {'__default__': a + b}\n",
        f"{HEAD}{TABLE}def register_pipelines():\n    made = {{n: make() for n, make in PARTS.items()}}\n"
        "    made['__default__'] = sum((made[n] for n in ('prepare', 'fit')), Pipeline([]))\n    return made\n",
        f"{FIND}def register_pipelines():\n    made = find_pipelines()\n"
        "    made['__default__'] = sum(made.values())\n    return made\n",
        "from kedro.pipeline import Pipeline\nfrom shop.pipelines.fit import create_pipeline as fit\n"
        "from shop.pipelines.prepare.pipeline import create_pipeline as prepare\n\n\n"
        "def register_pipelines():\n    return {'__default__': prepare() + fit()}\n",
    ],
    ids=["added", "table", "found", "functions"],
)
def test_pipelines_of_one_node_that_are_added_up(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**PARTS, REGISTRY: text})
    assert grade(report, PRACTICE) is Grade.IMPLEMENTED
    assert str(practice(report, PRACTICE).evidence[0].location).startswith(REGISTRY)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}def register_pipelines():\n"
        "    return {'prepare': prepare.create_pipeline(), 'fit': fit.create_pipeline()}\n",
        f"{HEAD}def register_pipelines():\n    return {{}}\n\n\n# a + b\n",
        f"{HEAD}def another():\n    return prepare.create_pipeline() + fit.create_pipeline()\n",
        "def find_pipelines():\n    return {}\n\n\n"
        "def register_pipelines():\n    return sum(find_pipelines().values())\n",
    ],
    ids=["apart", "comment", "another function", "without Kedro"],
)
def test_pipelines_of_one_node_that_are_not(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**PARTS, REGISTRY: text}), PRACTICE) is not Grade.IMPLEMENTED


def test_a_sum_without_a_model(tmp_path: Path) -> None:
    text = f"{FIND}def register_pipelines():\n    return {{'__default__': sum(find_pipelines().values())}}\n"
    parts = {**part("prepare", CLEAN), **part("fit", "def fit(table):\n    return table.head()\n")}
    assert grade(scan_tree(tmp_path, {**ML, **parts, REGISTRY: text}), PRACTICE) is not Grade.IMPLEMENTED
