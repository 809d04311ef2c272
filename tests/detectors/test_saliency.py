"""Grad-CAM written by hand explains predictions; a function of that name alone does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, grade, places, practice, scan_tree

EXPLAINED = "model/explainability"
TORCH = """\
import torch

def gradcam_heatmap(model, image, layer):
    kept = []
    def hook(module, given, made):
        kept.append(made[0])
    handle = layer.register_full_backward_hook(hook)
    score = model(image).max()
    score.backward()
    handle.remove()
    return kept[0].mean(dim=[2, 3])

def explain(model, image):
    return gradcam_heatmap(model, image, model.features[-1])
"""
KERAS = """\
import tensorflow as tf

class GradCAM:
    def __init__(self, model, layer):
        self.model = tf.keras.models.Model(model.inputs, [model.get_layer(layer).output, model.output])

    def heatmap(self, image):
        with tf.GradientTape() as tape:
            maps, classes = self.model(image)
            score = classes[:, 0]
        return tape.gradient(score, maps)

def explain(model, image):
    return GradCAM(model, "conv5").heatmap(image)
"""


@pytest.mark.parametrize(("text", "line"), [(TORCH, 3), (KERAS, 7)])
def test_gradients_of_a_class_are_an_explanation(tmp_path: Path, text: str, line: int) -> None:
    report = scan_tree(tmp_path, {**ML, "explain.py": text})
    assert grade(report, EXPLAINED) is Grade.IMPLEMENTED
    assert places(practice(report, EXPLAINED).evidence)[0] == f"explain.py:{line}"


@pytest.mark.parametrize(
    "text",
    [
        TORCH.replace("gradcam_heatmap", "clip_gradients"),  # of something else
        TORCH.replace("layer.register_full_backward_hook(hook)", "open('x')").replace("score.backward()", "pass"),
        "def make_gradcam_heatmap(image):\n    raise NotImplementedError\n\nmake_gradcam_heatmap(1)\n",
        "def show_gradcam(path):\n    return open(path)\n\nshow_gradcam('x')\n",
        "\n".join(f"# {line}" for line in TORCH.split("\n")),
    ],
)
def test_what_is_no_explanation(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "explain.py": text}), EXPLAINED) is Grade.ABSENT


def test_uncalled_and_tested_only(tmp_path: Path) -> None:
    report = scan_tree(tmp_path / "a", {**ML, "explain.py": TORCH.partition("def explain")[0]})
    assert grade(report, EXPLAINED) is Grade.TRACE
    assert practice(report, EXPLAINED).reason == "nothing calls `gradcam_heatmap`"
    assert not practice(scan_tree(tmp_path / "b", {**ML, "tests/test_cam.py": TORCH}), EXPLAINED).met
