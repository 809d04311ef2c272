"""Which names are those of definitions, and what happens to definitions beyond a size."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.documents.definitions import is_definition
from mlops_scan.words import Grade
from tests.trees import ML, context_of, grade, scan_tree


@pytest.mark.parametrize(
    "name",
    [
        *("dvc.yaml", "dvc.lock", "MLproject", "docker-compose.prod.yml", "compose.yaml", "train_pipeline.json"),
        *("pipeline.yml", "flow.asl.json", "azuredeploy.json", "stack.template.json", "main.tf", "main.bicep"),
        *("pyproject.toml", "environment.yml", "kustomization.yaml", "{{name}}/pipeline.yaml", "pipeline.yaml.tmpl"),
    ],
)
def test_definition(name: str) -> None:
    assert is_definition(f"some/folder/{name}")


@pytest.mark.parametrize(
    "name", ["data.json", "users.yaml", "pipelined.json", "model.json", "dashboard.json", "package-lock.json", "a.py"]
)
def test_other_file(name: str) -> None:
    assert not is_definition(name)
    assert not is_definition(f"pipeline.yaml/{name}")


STAGES = "stages:\n  train:\n    cmd: python train.py\n  check:\n    cmd: python data.py\n"


def _padded(size: int) -> str:
    line = f"# {'x' * 97}\n"
    return STAGES + line * (size // len(line))


def test_definition_that_is_larger_than_others_is_read(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "dvc.yaml": _padded(1_200_000)})
    assert grade(report, "pipeline/orchestration") is not Grade.ABSENT
    assert report.incomplete == ()


@pytest.mark.parametrize("name", ["dvc.yaml", "flows/train_pipeline.yml", "compose.yaml"])
def test_definition_beyond_the_bound_of_its_parser_is_listed(tmp_path: Path, name: str) -> None:
    context = context_of(tmp_path, {**ML, name: _padded(6_000_000)})
    assert "larger than" in context.documents.incomplete[name].reason


def test_data_of_that_size_is_left_out_silently(tmp_path: Path) -> None:
    tree = {**ML, "export.yaml": _padded(2_100_000), "export.json": "[" + "1," * 1_100_000 + "1]"}
    assert not context_of(tmp_path, tree).documents.incomplete


@pytest.mark.parametrize(("name", "read"), [("train_pipeline.json", True), ("train.asl.json", True), ("x.json", False)])
def test_json_that_is_larger_than_one_writes_by_hand(tmp_path: Path, name: str, read: bool) -> None:
    text = '{"values": [' + "1," * 100_000 + "1]}"
    assert (name in context_of(tmp_path, {**ML, name: text}).documents.parsed) is read
