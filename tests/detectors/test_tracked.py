"""What is kept elsewhere, a model or data: names of what DVC tracks, artifacts that come back as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.tracked import is_model
from mlops_scan.words import Grade
from tests.trees import ML, context_of, grade, scan_tree

MODELS = (
    "models", "06_models", "best_model", "net.onnx", "models/net.pt", "weights/last.ckpt", "a.joblib", "BERT_Model",
    "net.safetensors", "net.h5",
)  # fmt: skip
DATA = ("rows.csv", "car_models.csv", "data", "05_model_input", "raw/images.zip", "model_prices.parquet", "a/b.npy")


@pytest.mark.parametrize(("path", "expected"), [*((p, True) for p in MODELS), *((p, False) for p in DATA)])
def test_a_suffix_tells_a_model_and_else_the_word(tmp_path: Path, path: str, expected: bool) -> None:
    assert is_model(context_of(tmp_path, ML), path) is expected


@pytest.mark.parametrize(
    ("path", "practice"), [*((p, "model/registry") for p in MODELS), *((p, "data/versioning") for p in DATA)]
)
def test_the_rule_of_pointers_tells_them_apart_in_the_same_way(tmp_path: Path, path: str, practice: str) -> None:
    pointer = f"outs:\n- md5: c2f5c0a1e94bdf1ccf42a5f1ac8ce7fe\n  size: 1\n  path: {path}\n"
    context = context_of(tmp_path, {**ML, "kept.dvc": pointer})
    served = {p for use in context.uses if use.tool == "dvc-data" for p in use.serves}
    assert served == {practice}


LOGGED = """\
import wandb


def log_artifact(run, name, kind, path):
    artifact = wandb.Artifact(name, type=kind)
    artifact.add_file(path)
    run.log_artifact(artifact)
"""
READER = """\
import pandas as pd
import wandb


def go(name):
    run = wandb.init(job_type="clean")
    return pd.read_csv(run.use_artifact(name).file())
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (READER, Grade.IMPLEMENTED),
        (READER.replace("pd.read_csv(", "joblib.load("), Grade.TRACE),
        (READER.replace("run.use_artifact(name).file()", "name"), Grade.TRACE),
        (READER.replace("    return", "    # return"), Grade.TRACE),
    ],
    ids=["a table comes back", "a model comes back", "no artifact", "commented out"],
)
def test_artifacts_whose_kind_the_callers_give(tmp_path: Path, text: str, expected: Grade) -> None:
    tree = {**ML, "helper.py": LOGGED, "clean.py": text}
    assert grade(scan_tree(tmp_path, tree), "data/versioning") is expected


RECORDED = """\
import mlflow


class Training:
    def __init__(self, spark):
        self.data_version = GIVEN

    def record(self, frame):
        rows = mlflow.data.from_spark(frame, table_name="sales.rows", version=self.data_version)
        mlflow.log_input(rows, context="training")
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("spark.sql('DESCRIBE HISTORY sales.rows').first().version", Grade.IMPLEMENTED),
        ('"3"', Grade.IMPLEMENTED),
        ('"0"  # describe history', Grade.TRACE),
        ("None", Grade.TRACE),
        ("0\n        self.data_version = str(spark.version)", Grade.IMPLEMENTED),
    ],
    ids=["asked", "pinned", "zero", "none", "set later"],
)
def test_version_that_is_always_the_same_placeholder(tmp_path: Path, given: str, expected: Grade) -> None:
    tree = {**ML, "fit.py": RECORDED.replace("GIVEN", given)}
    assert grade(scan_tree(tmp_path, tree), "data/versioning") is expected
