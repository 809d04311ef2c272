"""Names of what DVC tracks: models or data."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.tracked import is_model
from tests.trees import ML, context_of

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
