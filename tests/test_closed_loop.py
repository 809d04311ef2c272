"""The closed loop of fixtures/closed-loop is worth level 4; cut at any one link, it is worth less."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlops_scan.engine.scan import scan

REPO = Path(__file__).resolve().parent.parent / "fixtures" / "closed-loop" / "repo"
ALARMS, RETRAIN = "infra/modules/watch/alarms.tf", "infra/modules/watch/retrain.tf"
WATCH, WATCH_CI, RETRAIN_CI = "src/returns/watch.py", ".github/workflows/watch.yml", ".github/workflows/retrain.yml"
HANDLER = "infra/lambda/start_training.py"

Edit = tuple[str, str, str]  # file, text, replacement; without a text the file is removed

CUTS: dict[str, tuple[Edit, ...]] = {
    "accuracy metric renamed in the code": ((WATCH, '"live_accuracy"', '"quality"'),),
    "drift metric renamed in the code": ((WATCH, '"feature_drift_psi"', '"moved"'),),
    "metrics printed, not published": ((WATCH, "    publish(", "    print("),),
    "publisher never called": ((WATCH, '\n\nif __name__ == "__main__":\n    main()\n', "\n"),),
    "publisher is gone": ((WATCH, "", ""),),
    "publisher started by hand": ((WATCH_CI, '  schedule:\n    - cron: "0 6 * * *"', "  workflow_dispatch:"),),
    "publisher only echoed": ((WATCH_CI, "python -m returns.watch", "echo python -m returns.watch"),),
    "publishing workflow is gone": ((WATCH_CI, "", ""),),
    "alarm on the machine, not on accuracy": ((ALARMS, '"live_accuracy"', '"CPUUtilization"'),),
    "alarm on the disk, not on drift": ((ALARMS, '"feature_drift_psi"', '"DiskSpace"'),),
    "alarms without action": ((ALARMS, "  alarm_actions       = [aws_sns_topic.model.arn]\n", ""),),
    "actions switched off": ((ALARMS, "  alarm_actions  ", "  actions_enabled     = false\n  alarm_actions  "),),
    "subscription to another topic": ((ALARMS, "topic_arn = aws_sns_topic.model", "topic_arn = aws_sns_topic.other"),),
    "placeholder as receiver": ((ALARMS, "endpoint  = var.email", 'endpoint  = "TODO"'),),
    "alarms never made": ((ALARMS, "  alarm_name ", "  count      = 0\n  alarm_name "),),
    "alarms are gone": ((ALARMS, "", ""),),
    "module not called": (("infra/main.tf", '"./modules/watch"', '"./modules/other"'),),
    "rule disabled": ((RETRAIN, '"ENABLED"', '"DISABLED"'),),
    "rule without schedule": ((RETRAIN, '  schedule_expression = "cron(0 2 ? * SUN *)"\n', ""),),
    "target of another rule": ((RETRAIN, "aws_cloudwatch_event_rule.weekly.name", '"other"'),),
    "target is another function": ((RETRAIN, "aws_lambda_function.retrain.arn", "aws_lambda_function.cleanup.arn"),),
    "handler is gone": ((HANDLER, "", ""),),
    "handler does something else": ((HANDLER, "/dispatches", "/issues"),),
    "nobody listens": ((RETRAIN_CI, "  repository_dispatch:\n    types: [retrain]", "  workflow_dispatch:"),),
    "retraining does not train": ((RETRAIN_CI, "dvc repro --force", "dvc status"),),
    "training stage only echoes": (("dvc.yaml", "python -m returns.train", "echo train"),),
    "gate cannot fail": (("src/returns/gate.py", "        sys.exit(1)\n", ""),),
    "data without version": (("data/orders.csv.dvc", "", ""), ("dvc.lock", "", "")),
    "model never registered": (
        ("src/returns/train.py", "mlflow.register_model(", "print("),
        ("src/returns/train.py", ", MODEL_NAME).version", ")"),
        ("dvc.lock", "work/model.joblib", "work/output.bin"),  # a model that DVC keeps has a version, too
    ),
    "versions not pinned": (("requirements.txt", "==", ">="),),
    "no model card": (("MODEL_CARD.md", "", ""),),
    "tests only echoed": ((".github/workflows/ci.yml", "pytest -q tests", "echo pytest -q tests"),),
    "no release": ((".github/workflows/deploy.yml", "", ""),),
}
"""Every link of the loop, cut in a way that is seen in real repositories."""


def _level(folder: Path) -> int | None:
    return scan(folder).headline.level


def test_the_whole_loop_is_level_four() -> None:
    assert _level(REPO) == 4


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_a_loop_that_is_cut_is_none(tmp_path: Path, cut: tuple[Edit, ...]) -> None:
    folder = tmp_path / "repo"
    shutil.copytree(REPO, folder)
    for path, old, new in cut:
        file = folder / path
        if old:
            text = file.read_text(encoding="utf-8")
            assert old in text
            file.write_text(text.replace(old, new), encoding="utf-8")
        else:
            file.unlink()
    level = _level(folder)
    assert level is not None and level < 4
