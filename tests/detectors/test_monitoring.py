"""Monitoring in code: what computes drift or quality, the bound it is compared with, and who is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree

PERFORMANCE, DRIFT, ALERTS = "monitoring/performance-threshold", "monitoring/drift", "monitoring/alerts"
WATCH = """\
import os
import sys

import numpy as np
import pandas as pd
import requests


def psi(reference, live):
    expected, edges = np.histogram(reference, 10)
    actual, _ = np.histogram(live, edges)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def send_alert(message):
    requests.post(os.environ["SLACK_WEBHOOK"], json={"text": message}, timeout=10)


def check_drift(reference, live):
    value = psi(reference, live)
    if value > 0.2:
        send_alert("drift")
        sys.exit(1)


if __name__ == "__main__":
    check_drift(pd.read_parquet("a")["x"], pd.read_parquet("b")["x"])
"""
EVIDENTLY = """\
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset


def check():
    report = Report([DataDriftPreset()])
    result = report.run(pd.read_parquet("live"), pd.read_parquet("reference")).dict()
    TAIL


if __name__ == "__main__":
    check()
"""


def cron(run: str) -> Tree:
    """A scheduled workflow that runs one command."""
    text = (
        "on:\n  schedule:\n    - cron: '0 6 * * *'\njobs:\n  a:\n"
        f"    runs-on: ubuntu-latest\n    steps:\n      - run: {run}\n"
    )
    return {".github/workflows/watch.yml": text}


# -- drift -------------------------------------------------------------------------------------------------------------


def test_scheduled_drift_check_with_a_bound(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "watch.py": WATCH, **cron("python watch.py")})
    result = practice(report, DRIFT)
    assert result.grade is Grade.WIRED
    assert {place.partition(":")[0] for place in places(result.evidence)} == {"watch.py", ".github/workflows/watch.yml"}
    assert grade(report, ALERTS) is Grade.WIRED


@pytest.mark.parametrize(
    "files",
    [
        {},
        cron("echo python watch.py"),
        {
            ".github/workflows/a.yml": (
                "on: workflow_dispatch\njobs: {a: {runs-on: x, steps: [{run: python watch.py}]}}\n"
            )
        },
    ],
    ids=["nothing", "echo", "a person"],
)
def test_drift_check_that_no_clock_starts(tmp_path: Path, files: Tree) -> None:
    result = practice(scan_tree(tmp_path, {**ML, "watch.py": WATCH, **files}), DRIFT)
    assert result.grade is Grade.IMPLEMENTED
    assert result.met, "it is checked; level 4 asks for more"


def test_drift_on_every_push_is_no_watch_over_live_data(tmp_path: Path) -> None:
    files = {".github/workflows/a.yml": "on: push\njobs: {a: {runs-on: x, steps: [{run: python watch.py}]}}\n"}
    assert practice(scan_tree(tmp_path, {**ML, "watch.py": WATCH, **files}), DRIFT).grade is Grade.IMPLEMENTED


def test_drift_without_a_bound(tmp_path: Path) -> None:
    text = WATCH.replace(
        '    if value > 0.2:\n        send_alert("drift")\n        sys.exit(1)\n', "    print(value)\n"
    )
    result = practice(scan_tree(tmp_path, {**ML, "watch.py": text, **cron("python watch.py")}), DRIFT)
    assert result.grade is Grade.IMPLEMENTED
    assert "no bound" in result.reason


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("if result['dataset_drift'] == True:\n        raise SystemExit(1)", ""),
        ("if '<drift_table>' in str(result):\n        print(result)", "no bound"),
        ("drift_page = str(result)\n    if 'x' in drift_page:\n        print(result)", "no bound"),
    ],
    ids=["flag", "tag", "text of a report"],
)
def test_only_a_measure_or_a_flag_has_a_bound(tmp_path: Path, tail: str, expected: str) -> None:
    tree = {**ML, "watch.py": EVIDENTLY.replace("TAIL", tail), **cron("python watch.py")}
    result = practice(scan_tree(tmp_path, tree), DRIFT)
    assert expected in result.reason
    assert (result.grade is Grade.WIRED) is not bool(expected)


def test_drift_code_that_nothing_calls(tmp_path: Path) -> None:
    library = WATCH.partition("\n\nif __name__")[0] + "\n"
    report = scan_tree(tmp_path, {**ML, "watch.py": library})
    assert (grade(report, DRIFT), practice(report, DRIFT).reason) == (Grade.TRACE, "nothing calls this drift code")
    assert grade(report, ALERTS) is Grade.TRACE


@pytest.mark.parametrize(
    ("name", "parameters", "dead"),
    [("lambda_handler", "event, context", False), ("handler_of_nothing", "event, context", True)],
)
def test_drift_code_that_a_platform_calls(tmp_path: Path, name: str, parameters: str, dead: bool) -> None:
    library = WATCH.partition("\n\nif __name__")[0] + "\n"
    handler = f"from watch import check_drift\n\n\ndef {name}({parameters}):\n    return check_drift(*event)\n"
    result = practice(scan_tree(tmp_path, {**ML, "watch.py": library, "serve.py": handler}), DRIFT)
    assert (result.reason == "nothing calls this drift code") is dead
    assert (result.grade is Grade.TRACE) is dead


def test_drift_code_that_only_tests_call(tmp_path: Path) -> None:
    library = WATCH.partition("\n\nif __name__")[0] + "\n"
    test = (
        "import numpy as np\nfrom watch import check_drift\n\n\ndef test_a():\n"
        "    assert check_drift(np.ones(3), np.ones(3)) is None\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "watch.py": library, "tests/test_watch.py": test}), DRIFT) is Grade.TRACE


def test_report_of_a_drift_library(tmp_path: Path) -> None:
    quiet = scan_tree(
        tmp_path / "quiet", {**ML, "watch.py": EVIDENTLY.replace("TAIL", "print(result)"), **cron("python watch.py")}
    )
    loud_tail = "if result['metrics'][0]['drift_share'] > 0.3:\n        raise SystemExit(1)"
    loud = scan_tree(
        tmp_path / "loud", {**ML, "watch.py": EVIDENTLY.replace("TAIL", loud_tail), **cron("python watch.py")}
    )
    assert grade(quiet, DRIFT) is Grade.IMPLEMENTED
    assert grade(loud, DRIFT) is Grade.WIRED


def test_drift_in_a_notebook(tmp_path: Path) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": EVIDENTLY.replace("TAIL", "print(result)"),
    }
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})
    result = practice(scan_tree(tmp_path, {**ML, "drift.ipynb": text}), DRIFT)
    assert (result.grade, result.reason) == (Grade.TRACE, "drift is computed in a notebook only")


@pytest.mark.parametrize(
    "text",
    [
        (
            "import numpy as np\n\n\ndef portfolio_drift(weights, target):\n"
            "    return max(weights - target)\n\n\nif __name__ == '__main__':\n"
            "    if portfolio_drift(np.ones(2), np.zeros(2)) > 0.05:\n"
            "        raise SystemExit(1)\n"
        ),
        (
            "import time\n\nimport numpy\n\n\ndef clock_drift():\n"
            "    return time.time() - time.monotonic()\n\n\nif __name__ == '__main__':\n"
            "    if clock_drift() > 1:\n        raise SystemExit(1)\n"
        ),
        (
            "import subprocess\n\n\ndef drift():\n"
            "    return subprocess.run(['terraform', 'plan', '-detailed-exitcode']).returncode\n"
            "\n\nif __name__ == '__main__':\n    if drift() == 2:\n"
            "        raise SystemExit(1)\n"
        ),
        (
            "import numpy as np\n\n\ndef random_walk(n, drift):\n"
            "    return np.cumsum(np.random.normal(drift, 1, n))\n\n\n"
            "if __name__ == '__main__':\n    print(random_walk(10, 0.1))\n"
        ),
        "# psi drift check, runs daily\n'''Population stability index.'''\nimport numpy\n\nDRIFT_THRESHOLD = 0.2\n",
    ],
    ids=["portfolio", "clock", "terraform", "random walk", "words"],
)
def test_drift_of_something_else(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "watch.py": text, **cron("python watch.py")}), DRIFT) is Grade.ABSENT


# -- performance -------------------------------------------------------------------------------------------------------


INDEX = """\
import math

import pandas as pd


def psi(reference, live):
    total = 0.0
    for a, b in zip(reference, live):
        total += (b - a) * math.log(b / a)
    return total


if __name__ == "__main__":
    print(psi(pd.read_parquet("a")["x"], pd.read_parquet("b")["x"]))
"""


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        ("", "", True),
        ("psi(", "calculate_psi(", True),
        ("math.log(b / a)", "(b / a)", False),
        ("psi(reference, live)", "psi(reference, live=(1.0,))", True),
        ("def psi(reference, live):", "def psi(reference):\n    live = reference", False),
        ("psi(", "psi_to_bar(", False),
    ],
    ids=["itself", "computed", "no logarithm", "a default", "a function of one number", "a pressure"],
)
def test_stability_index_in_plain_python(tmp_path: Path, old: str, new: str, known: bool) -> None:
    report = scan_tree(tmp_path, {**ML, "stats.py": INDEX.replace(old, new)})
    assert grade(report, DRIFT) is (Grade.IMPLEMENTED if known else Grade.ABSENT)


QUALITY = """\
import os

import pandas as pd
import requests
from sklearn.metrics import accuracy_score


def notify(message):
    requests.post(os.environ["PAGERDUTY_URL"], json={"text": message}, timeout=10)


def check():
    frame = pd.read_parquet("labelled.parquet")
    accuracy = accuracy_score(frame["actual"], frame["predicted"])
    if accuracy < 0.8:
        notify("accuracy is too low")


if __name__ == "__main__":
    check()
"""


def test_live_quality_on_a_clock(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "monitor_live.py": QUALITY, **cron("python monitor_live.py")})
    assert grade(report, PERFORMANCE) is Grade.WIRED
    assert grade(report, ALERTS) is Grade.WIRED


def test_live_quality_by_hand(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "monitor_live.py": QUALITY})
    assert grade(report, PERFORMANCE) is Grade.IMPLEMENTED
    assert not practice(report, PERFORMANCE).met


def test_comparison_while_training_is_none_of_live_quality(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "evaluate.py": QUALITY, **cron("python evaluate.py")})
    assert grade(report, PERFORMANCE) is Grade.ABSENT
    training = QUALITY.replace("def check", "def train_step").replace("    check()", "    train_step()")
    report = scan_tree(tmp_path / "b", {**ML, "monitor_live.py": training, **cron("python monitor_live.py")})
    assert grade(report, PERFORMANCE) is Grade.ABSENT


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("model_monitoring/check.py", QUALITY, Grade.IMPLEMENTED),
        ("dags/model_performance_tracking.py", QUALITY, Grade.IMPLEMENTED),
        ("dags/performance.py", QUALITY, Grade.ABSENT),
        ("training/performance_tracking.py", QUALITY, Grade.ABSENT),
        ("production-demo/check.py", QUALITY, Grade.ABSENT),
        ("production-demo/training/monitor_live.py", QUALITY, Grade.ABSENT),
        ("monitor_live.py", QUALITY.replace("accuracy < 0.8", "accuracy != None"), Grade.ABSENT),
        ("monitor_live.py", QUALITY.replace("accuracy < 0.8", "accuracy is not None and 3"), Grade.ABSENT),
    ],
)
def test_what_a_bound_on_live_quality_is(tmp_path: Path, path: str, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, path: text}), PERFORMANCE) is expected


def test_threshold_that_is_never_compared(tmp_path: Path) -> None:
    text = QUALITY.replace(
        '    if accuracy < 0.8:\n        notify("accuracy is too low")\n', "    print(accuracy, ACCURACY_THRESHOLD)\n"
    )
    text = text.replace("import os\n", "import os\n\nACCURACY_THRESHOLD = 0.8\n")
    report = scan_tree(tmp_path, {**ML, "monitor_live.py": text, **cron("python monitor_live.py")})
    assert grade(report, PERFORMANCE) is Grade.ABSENT


def test_quality_check_that_nothing_calls(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "monitor_live.py": QUALITY.partition("\n\nif __name__")[0] + "\n"})
    assert grade(report, PERFORMANCE) is Grade.TRACE


# -- alerts ------------------------------------------------------------------------------------------------------------


def test_message_far_from_any_monitor_is_no_alert(tmp_path: Path) -> None:
    text = (
        "import os\n\nimport pandas\nimport requests\n\n\ndef send_alert(message):\n"
        "    requests.post(os.environ['SLACK_WEBHOOK'], json={'text': message})\n\n\n"
        "if __name__ == '__main__':\n    send_alert('build failed')\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "tell.py": text}), ALERTS) is Grade.ABSENT


def test_alert_in_a_module_of_its_own(tmp_path: Path) -> None:
    alerts = (
        "import os\n\nimport requests\n\n\ndef send_alert(message):\n"
        "    requests.post(os.environ['SLACK_WEBHOOK'], json={'text': message})\n"
    )
    head, _, rest = WATCH.partition("def send_alert")
    watch = head + rest.partition("timeout=10)\n\n\n")[2]
    called = scan_tree(
        tmp_path / "called", {**ML, "alerts.py": alerts, "watch.py": "from alerts import send_alert\n" + watch}
    )
    dead = scan_tree(
        tmp_path / "dead", {**ML, "alerts.py": alerts, "watch.py": watch.replace('        send_alert("drift")\n', "")}
    )
    assert practice(called, ALERTS).met
    assert not practice(dead, ALERTS).met


SERVICE = """\
from fastapi import FastAPI

from monitor_live import check

app = FastAPI()


@app.post("ROUTE")
def ask(row: dict):
    return check()
"""


@pytest.mark.parametrize(
    ("route", "expected"),
    [("/monitoring/check", Grade.IMPLEMENTED), ("/predict", Grade.WIRED)],
    ids=["check", "predict"],
)
def test_alert_that_is_sent_only_when_somebody_asks(tmp_path: Path, route: str, expected: Grade) -> None:
    tree = {
        **ML,
        "monitor_live.py": QUALITY.partition("\n\nif __name__")[0] + "\n",
        "app.py": SERVICE.replace("ROUTE", route),
        "Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["uvicorn", "app:app"]\n',
        "compose.yml": "services:\n  api:\n    build: .\n    ports: ['80:80']\n",
    }
    assert grade(scan_tree(tmp_path, tree), ALERTS) is expected


def test_request_to_some_other_address_is_no_alert(tmp_path: Path) -> None:
    text = (
        WATCH.replace("def send_alert", "def store")
        .replace("send_alert(", "store(")
        .replace("SLACK_WEBHOOK", "RESULTS_URL")
        .replace('"drift"', '"x"')
    )
    text = text.replace("def check_drift", "def measure_drift").replace("    check_drift(", "    measure_drift(")
    assert grade(scan_tree(tmp_path, {**ML, "watch.py": text}), ALERTS) is Grade.ABSENT


@pytest.mark.parametrize(("name", "expected"), [("fetch_page", Grade.ABSENT), ("page_the_team", Grade.IMPLEMENTED)])
def test_a_page_that_is_read_is_no_alert(tmp_path: Path, name: str, expected: Grade) -> None:
    text = QUALITY.replace("notify(", f"{name}(").replace("PAGERDUTY_URL", "ADDRESS")
    assert grade(scan_tree(tmp_path, {**ML, "monitor_live.py": text}), ALERTS) is expected


SCRIPT = (
    "import sys\n\nimport pandas as pd\nfrom scipy.stats import ks_2samp\n\n"
    "before, now = pd.read_csv('before.csv'), pd.read_csv('now.csv')\nfor name in before.columns:\n"
    "    statistic, p_value = ks_2samp(before[name], now[name])\n    if p_value < 0.05:\n"
    "        print('drift', name)\n        sys.exit(1)\n"
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("drift.py", Grade.WIRED), ("compare.py", Grade.ABSENT), ("tests/test_drift.py", Grade.ABSENT)],
)
def test_statistic_of_a_script_that_has_no_function(tmp_path: Path, path: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, path: SCRIPT, **cron(f"python {path}")}), DRIFT) is expected
