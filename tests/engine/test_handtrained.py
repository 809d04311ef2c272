"""Training by command lines of scripts and makefiles, in repositories without code that fits a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.engine.kind import decide, has_ml
from tests.trees import TRAIN, Tree, context_of


def notebook(*sources: str) -> str:
    """A notebook of code cells."""
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": []} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4}, indent=1)


RECIPE = "model.bin: rows.txt\n\tcat $< | fasttext supervised -input /dev/stdin -output $@\n"


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("Makefile", f"all: model.bin\n\n{RECIPE}", 4),
        ("train.sh", "#!/bin/sh\nset -e\nrevscoring cv_train \\\n  models.Boosting lists.enwiki > out\n", 3),
        ("scripts/train.sh", "B=build\nfor d in a b; do\n  $B/fasttext supervised -input $d -output $d\ndone\n", 3),
        ("train.sh", "python3 -u -m sockeye.train --prepared-data rows --output model\n", 1),
    ],
)
def test_a_command_line_that_trains(tmp_path: Path, path: str, text: str, line: int) -> None:
    context = context_of(tmp_path, {path: text})
    kind = decide(context)
    assert kind.name == "application"
    assert kind.where is not None and (kind.where.path, kind.where.line) == (path, line)


@pytest.mark.parametrize(
    "source",
    [
        "!yolo task=detect mode=train model=yolov8s.pt data=plates.yaml epochs=20",
        "import os\n!cd work && ./darknet detector train obj.data \\\n  obj.cfg darknet53.conv.74\n",
        "%%bash\npython -m spacy train config.cfg --output out\n",
    ],
)
def test_a_notebook_whose_shell_trains(tmp_path: Path, source: str) -> None:
    context = context_of(tmp_path, {"train.ipynb": notebook("%pip install ultralytics", source)})
    kind = decide(context)
    assert kind.name == "application"
    assert kind.where is not None and kind.where.path == "train.ipynb"


@pytest.mark.parametrize(
    "source",
    [
        "# !yolo task=detect mode=train data=plates.yaml",
        "print('!yolo task=detect mode=train')",
        "!pip install ultralytics\n!yolo checks",
        "%%writefile train.sh\nyolo task=detect mode=train data=plates.yaml",
    ],
)
def test_a_notebook_whose_shell_does_not(tmp_path: Path, source: str) -> None:
    assert not has_ml(context_of(tmp_path, {"train.ipynb": notebook(source)}))


@pytest.mark.parametrize(
    "tree",
    [
        {"Makefile": "# model.bin: rows.txt\n#\tfasttext supervised -input rows.txt -output $@\n"},
        {"train.sh": "# fasttext supervised -input rows.txt -output model\necho done\n"},
        {"train.sh": 'echo "fasttext supervised -input rows.txt"\n'},
        {"setup.sh": "git clone https://github.com/facebookresearch/fastText\nmake fasttext\n"},
        {"help.sh": "fasttext supervised --help\n"},
        {"run.sh": "torchrun job.py\n"},  # may launch anything
        {"run.sh": "train() {\n  fasttext supervised -input rows.txt -output model\n}\nfasttext print-ngrams m w\n"},
        {"docs/train.sh": "fasttext supervised -input rows.txt -output model\n"},
        {"tests/train.sh": "fasttext supervised -input rows.txt -output model\n"},
        {"examples/Makefile": RECIPE},
        {"requirements.txt": "fasttext==0.9.2\n"},
        {"README.md": "```sh\nfasttext supervised -input rows.txt -output model\n```\n"},
    ],
)
def test_what_is_near_it(tmp_path: Path, tree: Tree) -> None:
    assert not has_ml(context_of(tmp_path, tree))


def test_code_that_trains_is_shown_instead(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"train.py": TRAIN, "Makefile": RECIPE})
    assert {use.location.path for use in context.doing("train")} == {"train.py"}


def test_a_script_that_carries_data_is_not_parsed_for_it(tmp_path: Path) -> None:
    """An installer with its manifests inside is megabytes of text; a makefile of that size is read line by line."""
    data = "cat > a.yaml <<EOF\n" + "key: value\n" * 20_000 + "EOF\n"
    script = f"{data}fasttext supervised -input rows.txt -output model\n"
    assert not has_ml(context_of(tmp_path / "a", {"install.sh": script}))
    assert has_ml(context_of(tmp_path / "b", {"Makefile": "# rows\n" * 40_000 + RECIPE}))
