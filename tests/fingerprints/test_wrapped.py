"""Actions that run a command: how the rules fill in what they are given."""

from __future__ import annotations

import json

import pytest

from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.wrapped import Wrappers
from mlops_scan.rulebook import Tool, Wrapper, load

RUN = "Azure/aml-run@v1"


def wrappers(*found: Wrapper) -> Wrappers:
    tool = Tool("x", "x", "actions", "", (), (), (), (), (), (), wraps=found)
    return Wrappers([tool])


def command(text: str, inputs: dict[str, str], uses: str = "o/n@v1") -> str:
    return wrappers(Wrapper(("o/n",), (text,))).command(uses, inputs, Documents.of({}))


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        ("argo submit {file}", {"file": "a.yaml"}, "argo submit a.yaml"),
        ("argo submit {file}", {"FILE": "a.yaml"}, "argo submit a.yaml"),
        ("argo submit {file}", {"other": "a.yaml"}, ""),
        ("argo submit {file}", {"file": ""}, ""),
        ("argo submit {file}", {"file": "a" * 5_000}, ""),
        ("run {folder=.}", {}, "run ."),
        ("run {folder=.}", {"folder": "src"}, "run src"),
        ("run {a} [-e {b}]", {"a": "1"}, "run 1"),
        ("run {a} [-e {b}]", {"a": "1", "b": "2"}, "run 1 -e 2"),
        ("astro deploy", {}, "astro deploy"),
    ],
)
def test_what_is_filled_in(text: str, inputs: dict[str, str], expected: str) -> None:
    assert command(text, inputs) == expected


@pytest.mark.parametrize(
    ("uses", "known"), [("O/N", True), ("o/n@" + "a" * 40, True), ("o/n/sub@v1", False), ("o/name@v1", False)]
)
def test_which_actions(uses: str, known: bool) -> None:
    assert bool(command("x", {}, uses)) is known


@pytest.mark.parametrize("uses", ["docker://o/n", "docker://o/n:latest", "docker://o/n@sha256:ab"])
def test_an_image(uses: str) -> None:
    assert wrappers(Wrapper(("docker://o/n",), ("gcloud {args}",))).command(uses, {"args": "info"}, Documents.of({}))


CONFIG, PIPELINE, CODE = "code/train/run_config.yml", "code/train/pipeline.yml", "code/train/run_config.py"


@pytest.mark.parametrize(
    ("files", "settings", "inputs", "expected"),
    [
        ({CONFIG: "", CODE: ""}, {}, {}, f"az ml run submit-script -c {CONFIG}"),
        ({PIPELINE: "", CODE: ""}, {}, {}, f"az ml run submit-pipeline -y {PIPELINE}"),
        ({CODE: ""}, {}, {}, f"python {CODE}"),
        ({"p/train.yml": ""}, {"pipeline_yaml_file": "/p/train.yml"}, {}, "az ml run submit-pipeline -y p/train.yml"),
        ({"p/train.yml": ""}, {"pipeline_yaml_file": "p/other.yml"}, {}, ""),
        ({"p/train.yml": ""}, {"pipeline_yaml_file": "p/train.yml"}, {"parameters_file": "none.json"}, ""),
        ({}, {}, {}, ""),
    ],
)
def test_parameter_files(
    files: dict[str, str], settings: dict[str, str], inputs: dict[str, str], expected: str
) -> None:
    """The parameters of https://github.com/Azure/aml-run have defaults, and so has the file that they stand in."""
    documents = Documents.of({**files, ".cloud/.azure/run.json": json.dumps(settings)})
    assert Wrappers(load().tools.values()).command(RUN, inputs, documents) == expected


@pytest.mark.parametrize("text", ["[]", "[1, 2]", '"x"', "{", '{"runconfig_yaml_file": {"a": 1}}'])
def test_settings_of_another_shape(text: str) -> None:
    documents = Documents.of({".cloud/.azure/run.json": text})
    assert Wrappers(load().tools.values()).command(RUN, {}, documents) == ""
