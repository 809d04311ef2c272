"""Tools by their use: declared is not imported, imported is not used, and a tool's own repository proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, TRAIN, findings, grade, practice, scan_tree, where

TRACKING = "experiment/tracking"


def with_import(line: str, call: str = "") -> str:
    """The training script with an import and, after the fit, a call."""
    text = TRAIN.replace("import joblib\n", f"import joblib\n{line}\n")
    return text.replace("    model.fit(x, y)\n", f"    model.fit(x, y)\n    {call}\n") if call else text


def test_only_declared(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "requirements.txt": "scikit-learn==1.5.2\nmlflow==2.17.0\n"})
    result = practice(report, TRACKING)
    assert result.grade is Grade.TRACE
    assert result.reason == "`mlflow` is only declared as a dependency"
    assert where(report, "MLS107") == ["requirements.txt:2"]


def test_only_imported(tmp_path: Path) -> None:
    tree = {**ML, "train.py": with_import("import mlflow"), "requirements.txt": "mlflow==2.17.0\n"}
    report = scan_tree(tmp_path, tree)
    result = practice(report, TRACKING)
    assert result.grade is Grade.TRACE
    assert result.reason == "`mlflow` is imported, but no call of it that counts was found"
    assert findings(report, "MLS107") == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from azureml.core import Dataset", Grade.TRACE),
        ("from azureml.data import OutputFileDatasetConfig", Grade.TRACE),
        ("from azure.ai.ml.entities import Data", Grade.TRACE),
        # a workspace says nothing of data
        ("from azureml.core import Model, Workspace", Grade.ABSENT),
        ("from azure.ai.ml import MLClient", Grade.ABSENT),
        ("from azureml.core import Workspace  # Dataset", Grade.ABSENT),
    ],
)
def test_an_import_hints_at_what_it_names(tmp_path: Path, line: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "train.py": f"{line}\n{TRAIN}"}), "data/versioning") is expected


@pytest.mark.parametrize(
    ("line", "listed", "reported"),
    [
        ("import transformers", "accelerate==1.0.0", False),
        ("from diffusers import DiffusionPipeline", "peft==0.13.0", False),
        ("from lightning.pytorch.cli import LightningCLI", "jsonargparse[signatures]==4.0.0", False),
        ("from pytorch_lightning.cli import LightningCLI", "jsonargparse==4.0.0", False),
        ("from mlflow.recipes import Recipe", "shap==0.40.0", False),
        ("from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner", "kfp==2.7.0", False),
        ("import zenml", "kfp==2.7.0", False),
        ("import tensorflow_transform as tft", "apache-beam==2.14", False),
        ("from azure.ai.ml import MLClient", "azureml-mlflow==1.51", False),
        # beside another library, or the library that needs no command line, nothing uses it
        ("import mlflow", "shap==0.40.0", True),
        ("import torch  # tfx", "kfp==2.7.0", True),
        ("import torch", "accelerate==1.0.0", True),
        ("import torch  # transformers", "accelerate==1.0.0", True),
        ("from lightning import Trainer", "jsonargparse==4.0.0", True),
        # of the same tool, but used by nobody else
        ("import transformers", "trl==0.12.0", True),
    ],
)
def test_what_another_library_uses_by_itself(tmp_path: Path, line: str, listed: str, reported: bool) -> None:
    tree = {**ML, "train.py": with_import(line), "requirements.txt": f"scikit-learn==1.5.2\n{listed}\n"}
    report = scan_tree(tmp_path, tree)
    assert where(report, "MLS107") == (["requirements.txt:2"] if reported else [])
    hinted = ("genai/fine-tuning-config", "experiment/config", "model/explainability", "pipeline/orchestration")
    practices = (practice(report, name) for name in hinted)
    assert any("only declared" in result.reason for result in practices) is reported


@pytest.mark.parametrize(("left", "count"), [("more/fit.py", 1), ("job/fit.py", 0)])
def test_what_was_not_read_may_import_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str, count: int
) -> None:
    monkeypatch.setattr("mlops_scan.code.sweep.BUDGET", 100)
    monkeypatch.setattr("mlops_scan.code.sweep.HARD_BUDGET", len(TRAIN) + 100)
    tree = {"job/train.py": TRAIN}
    more = {"job/requirements.txt": "wandb==0.17.0\n", left: f"{TRAIN}\n" + "# more\n" * 50}
    report = scan_tree(tmp_path, {**tree, **more})
    assert len(findings(report, "MLS107")) == count
    assert any("than one scan parses" in notice for notice in report.notices)


def test_a_companion_that_is_used_counts(tmp_path: Path) -> None:
    config = "    peft.LoraConfig(r=8)"
    tree = {
        **ML,
        "train.py": with_import("import peft\nimport transformers", config.strip()),
        "requirements.txt": "scikit-learn==1.5.2\npeft==0.13.0\n",
    }
    assert grade(scan_tree(tmp_path, tree), "genai/fine-tuning-config") is not Grade.ABSENT


def test_used(tmp_path: Path) -> None:
    tree = {
        **ML,
        "train.py": with_import("import mlflow", "mlflow.log_metric('auc', 0.8)"),
        "requirements.txt": "mlflow==2.17.0\n",
    }
    report = scan_tree(tmp_path, tree)
    assert grade(report, TRACKING) is Grade.IMPLEMENTED
    assert practice(report, TRACKING).tools == ("mlflow",)
    assert findings(report, "MLS107") == []


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("# import mlflow", "# mlflow.log_metric('auc', 0.8)"),
        ("'''import mlflow'''", "'mlflow.log_metric(1)'"),
        ("import mlflow.exceptions", "mlflow = None"),
    ],
    ids=["comment", "strings", "shadowed"],
)
def test_named_in_words_only(tmp_path: Path, line: str, call: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, "train.py": with_import(line, call)}), TRACKING).met


def test_a_module_of_ones_own_is_not_the_tool_of_that_name(tmp_path: Path) -> None:
    tree = {
        **ML,
        "train.py": with_import("import mlflow", "mlflow.log_metric('auc', 0.8)"),
        "mlflow.py": "def log_metric(name, value):\n    print(name, value)\n",
    }
    assert grade(scan_tree(tmp_path, tree), TRACKING) is Grade.ABSENT


@pytest.mark.parametrize("folder", ["examples", "docs", "tests", "vendor/a"])
def test_used_aside_only(tmp_path: Path, folder: str) -> None:
    tree = {
        **ML,
        f"{folder}/train.py": with_import("import mlflow", "mlflow.log_metric('auc', 0.8)"),
        f"{folder}/data.py": ML["data.py"],
    }
    assert grade(scan_tree(tmp_path, tree), TRACKING) in (Grade.TRACE, Grade.ABSENT)


PYPROJECT = '[project]\nname = "NAME"\nversion = "1"\ndependencies = ["scikit-learn==1.5.2"]\n'


def test_the_repository_of_the_tool_itself(tmp_path: Path) -> None:
    tree = {
        **ML,
        "train.py": with_import("import mlflow", "mlflow.log_metric('auc', 0.8)"),
        "pyproject.toml": PYPROJECT.replace("NAME", "mlflow"),
    }
    report = scan_tree(tmp_path, tree)
    assert not practice(report, TRACKING).met
    assert any("MLflow" in notice for notice in report.notices)


def test_another_repository_of_a_similar_name(tmp_path: Path) -> None:
    tree = {
        **ML,
        "train.py": with_import("import mlflow", "mlflow.log_metric('auc', 0.8)"),
        "pyproject.toml": PYPROJECT.replace("NAME", "churn-mlflow"),
    }
    report = scan_tree(tmp_path, tree)
    assert practice(report, TRACKING).met
    assert report.notices == ()


def test_tracking_that_a_schedule_starts_is_wired(tmp_path: Path) -> None:
    tree = {
        **ML,
        "train.py": with_import("import mlflow", "mlflow.log_metric('auc', 0.8)"),
        ".github/workflows/a.yml": (
            "on: {schedule: [{cron: '0 3 * * 1'}]}\njobs: {a: {runs-on: x, steps: [{run: python train.py}]}}\n"
        ),
    }
    assert grade(scan_tree(tmp_path, tree), TRACKING) is Grade.WIRED


def test_what_a_resolver_wrote_is_not_reported_as_unused(tmp_path: Path) -> None:
    own = {**ML, "requirements.txt": "scikit-learn==1.5.2\noptuna==4.0.0\n"}
    resolved = {
        **ML,
        "requirements.txt": "scikit-learn==1.5.2\n    # via -r requirements.in\noptuna==4.0.0\n    # via x\n",
    }
    assert findings(scan_tree(tmp_path / "own", own), "MLS107")
    assert not findings(scan_tree(tmp_path / "resolved", resolved), "MLS107")


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("mlflow==2.17.0 \\\n    --hash=sha256:aa\n    # via platform\nplatform==1.0\n", Grade.ABSENT),
        ("mlflow==2.17.0\n    # via\n    #   other\n    #   platform\n", Grade.ABSENT),
        ("mlflow==2.17.0  # via platform\n", Grade.ABSENT),
        ("mlflow==2.17.0\n    # via -r requirements.in\n", Grade.TRACE),
        ("mlflow==2.17.0\n    # via\n    #   platform\n    #   leaves (pyproject.toml)\n", Grade.TRACE),
        ("mlflow==2.17.0\nplatform==1.0\n    # via other\n", Grade.TRACE),
        ("mlflow==2.17.0  # tracking\n", Grade.TRACE),
    ],
)
def test_what_a_resolver_added_for_others_is_not_declared(tmp_path: Path, listed: str, expected: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, "requirements.txt": f"# compiled\nscikit-learn==1.5.2\n{listed}"})
    assert grade(report, TRACKING) is expected


def test_a_distribution_of_several_tools_is_used_when_one_of_them_is(tmp_path: Path) -> None:
    pipeline = "stages:\n  train:\n    cmd: python train.py\n  evaluate:\n    cmd: python evaluate.py\n"
    tree = {**ML, "requirements.txt": "scikit-learn==1.5.2\ndvc==3.55.2\n", "dvc.yaml": pipeline}
    assert not findings(scan_tree(tmp_path, tree), "MLS107")


# -- what DVC tracks ---------------------------------------------------------------------------------------------------

VERSIONS, REGISTRY = "data/versioning", "model/registry"
PULLS = (
    "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: dvc pull TARGET\n      - run: python train.py\n"
)


def pointer(path: str) -> str:
    return f"outs:\n- md5: 22a1a2931c8370d3aeedd7183606fd7f\n  size: 14445097\n  path: {path}\n"


def test_a_pointer_of_a_model_is_no_version_of_data(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "trained.dvc": pointer("net.onnx")})
    assert (grade(report, VERSIONS), grade(report, REGISTRY)) == (Grade.ABSENT, Grade.IMPLEMENTED)


@pytest.mark.parametrize(
    ("target", "tree", "expected"),
    [
        ("", {"rows.csv.dvc": pointer("rows.csv")}, Grade.WIRED),
        ("rows.csv.dvc", {"rows.csv.dvc": pointer("rows.csv")}, Grade.WIRED),
        ("trained_model.dvc", {"trained_model.dvc": pointer("net.onnx")}, Grade.TRACE),
        ("", {"trained_model.dvc": pointer("net.onnx")}, Grade.TRACE),
        ("", {".dvc/config": "[core]\n    remote = s\n"}, Grade.TRACE),
        ("model.pkl", {"rows.csv.dvc": pointer("rows.csv")}, Grade.IMPLEMENTED),
        ("", {"dvc.lock": "schema: '2.0'\nstages:\n  a:\n    cmd: b\n    deps: [{path: c, md5: d}]\n"}, Grade.WIRED),
    ],
)
def test_what_is_fetched_decides(tmp_path: Path, target: str, tree: dict[str, str], expected: Grade) -> None:
    workflow = {".github/workflows/ci.yml": PULLS.replace("TARGET", target)}
    assert grade(scan_tree(tmp_path, {**ML, **tree, **workflow}), VERSIONS) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("random.seed(int(time.time()))", Grade.ABSENT),
        ("numpy.random.seed(os.getpid())", Grade.ABSENT),
        ("random.seed()", Grade.ABSENT),
        ("random.seed(arguments.seed); started = 0", Grade.IMPLEMENTED),
        ("started = time.time()\nrandom.seed(7)", Grade.IMPLEMENTED),
    ],
)
def test_a_seed_that_is_another_one_in_every_run(tmp_path: Path, line: str, expected: Grade) -> None:
    head = f"import os\nimport random\nimport time\n\nimport joblib\nimport numpy\n\n{line}\n"
    script = TRAIN.replace("import joblib\n", head)
    assert grade(scan_tree(tmp_path, {**ML, "train.py": script}), "experiment/reproducible") is expected
