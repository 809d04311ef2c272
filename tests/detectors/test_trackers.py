"""Trackers that only a configuration, a condition or an option names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import grade, practice, scan_tree

NAME = "experiment/tracking"
HYDRA = """\
import hydra
import lightning as L
from hydra.utils import instantiate


@hydra.main(config_path="conf", config_name="train", version_base=None)
def main(cfg):
    trainer = L.Trainer(max_epochs=cfg.epochs, logger=instantiate(cfg.logger))
    trainer.fit(instantiate(cfg.net))


if __name__ == "__main__":
    main()
"""
WANDB = "_target_: lightning.pytorch.loggers.wandb.WandbLogger\nproject: churn\n"
TRAIN = """\
import argparse

from transformers import AutoModel, Trainer, TrainingArguments


def train(args):
    settings = TrainingArguments(output_dir="out", report_to=args.report_to)
    Trainer(model=AutoModel.from_pretrained("base"), args=settings).train()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--report_to", default="none")
    train(parser.parse_args())
"""
FROM_FILE = TRAIN.replace('output_dir="out", report_to=args.report_to', "**read('conf/train.yaml')")


@pytest.mark.parametrize(
    "defaults", ["- logger: wandb", "- override /logger: wandb.yaml", "- optional logger@run.logger: [csv, wandb]"]
)
def test_chosen_logger(tmp_path: Path, defaults: str) -> None:
    main = f"defaults:\n  {defaults}\nepochs: 3\n"
    files = {"train.py": HYDRA, "conf/train.yaml": main, "conf/logger/wandb.yaml": WANDB}
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.IMPLEMENTED


def test_logger_below_another_key(tmp_path: Path) -> None:
    main = "epochs: 3\nlogger:\n  _target_: lightning.pytorch.loggers.MLFlowLogger\n"
    text = HYDRA.replace('config_name="train"', 'config_name="train.yaml"')
    assert grade(scan_tree(tmp_path, {"train.py": text, "conf/train.yaml": main}), NAME) is Grade.IMPLEMENTED


def test_logger_that_nothing_chooses(tmp_path: Path) -> None:
    files = {"train.py": HYDRA, "conf/train.yaml": "defaults:\n  - logger: null\n", "conf/logger/wandb.yaml": WANDB}
    result = practice(scan_tree(tmp_path, files), NAME)
    assert result.grade is Grade.TRACE
    assert "choose" in result.reason


@pytest.mark.parametrize(
    "target", ["lightning.pytorch.loggers.CSVLogger", "lightning.pytorch.loggers.TensorBoardLogger", "net.WandbLoggers"]
)
def test_other_classes(tmp_path: Path, target: str) -> None:
    files = {
        "train.py": HYDRA,
        "conf/train.yaml": "defaults:\n  - logger: own\n",
        "conf/logger/own.yaml": f"_target_: {target}\n# _target_: lightning.pytorch.loggers.WandbLogger\n",
    }
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.ABSENT


@pytest.mark.parametrize(
    "text",
    [
        TRAIN.replace("report_to=args.report_to", 'report_to="wandb" if args.wandb else "none"'),
        TRAIN.replace("report_to=args.report_to", 'report_to=["mlflow"] if args.track else []'),
        TRAIN.replace('default="none"', 'default="wandb"'),
    ],
)
def test_told_in_code(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"train.py": text}), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [
        TRAIN,
        TRAIN.replace('default="none"', 'default="tensorboard"'),
        TRAIN.replace("report_to=args.report_to", 'report_to=[]  # report_to="wandb"'),
        TRAIN.replace("from transformers", "from trainers").replace('default="none"', 'default="wandb"'),
    ],
)
def test_told_nothing(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"train.py": text}), NAME) is Grade.ABSENT


def test_told_by_a_file(tmp_path: Path) -> None:
    files = {"train.py": FROM_FILE, "conf/train.yaml": "learning_rate: 1e-4\nreport_to: [tensorboard, wandb]\n"}
    result = practice(scan_tree(tmp_path, files), NAME)
    assert result.grade is Grade.IMPLEMENTED
    assert result.evidence[0].location.line == 2


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("conf/train.yaml", "report_to: tensorboard\n"),
        ("conf/train.yaml", "# report_to: wandb\nlearning_rate: 1e-4\n"),
        ("conf/unread.yaml", "report_to: wandb\n"),
    ],
)
def test_file_that_tells_nothing(tmp_path: Path, path: str, text: str) -> None:
    assert grade(scan_tree(tmp_path, {"train.py": FROM_FILE, path: text}), NAME) is Grade.ABSENT


def test_file_without_a_trainer(tmp_path: Path) -> None:
    text = 'import yaml\n\nprint(yaml.safe_load(open("conf/train.yaml")))\n'
    assert grade(scan_tree(tmp_path, {"show.py": text, "conf/train.yaml": "report_to: wandb\n"}), NAME) is Grade.ABSENT


HANDED = """\
from sklearn.linear_model import LogisticRegression


def experiment(mlflow, x, y):
    with mlflow.start_run():
        model = LogisticRegression().fit(x, y)
        mlflow.log_metric("score", model.score(x, y))
"""
HANDS = (
    "import mlflow\n\nfrom steps import experiment\n\nif __name__ == '__main__':\n    experiment(mlflow, [[1]], [1])\n"
)


@pytest.mark.parametrize("old", ["experiment(mlflow, [[1]], [1])", "experiment(y=[1], x=[[1]], mlflow=mlflow)"])
def test_module_that_is_handed_over(tmp_path: Path, old: str) -> None:
    files = {"steps.py": HANDED, "main.py": HANDS.replace("experiment(mlflow, [[1]], [1])", old)}
    assert grade(scan_tree(tmp_path, files), NAME) is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    ("steps", "main"),
    [
        (HANDED, HANDS.replace("experiment(mlflow, ", "experiment(None, ")),
        (HANDED.replace("start_run", "active_run").replace("log_metric", "show"), HANDS),
        (HANDED.replace("mlflow", "notes"), HANDS),
    ],
    ids=["nothing handed", "nothing logged", "another name"],
)
def test_module_that_is_not_handed_over(tmp_path: Path, steps: str, main: str) -> None:
    assert grade(scan_tree(tmp_path, {"steps.py": steps, "main.py": main}), NAME) is Grade.TRACE
