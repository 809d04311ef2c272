"""Drift that the code works out itself: in flat scripts, under other names, by means and spreads; and its impostors."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

DRIFT, ALERTS = "monitoring/drift", "monitoring/alerts"
FLAT = """\
import numpy as np
from frouros.detectors.data_drift import KSTest

detector = KSTest()
_ = detector.fit(X=np.load("reference.npy"))
answer, _ = detector.compare(X=np.load("live.npy"))
if answer.p_value < 0.01:
    print("drift")
"""
LIBRARY = FLAT.partition("_ = ")[0] + "\n\ndef check(x):\n    return detector.compare(X=x)\n"
COMPARED = """\
import sys

import pandas as pd
from scipy import stats


def compare({a}, {b}):
    moved = [c for c in {a} if stats.ks_2samp({a}[c], {b}[c]).pvalue < 0.05]
    return moved


if __name__ == "__main__":
    if compare(pd.read_csv("one.csv"), pd.read_csv("two.csv")):
        sys.exit(1)
"""
MEANS = """\
import pandas as pd

BOUNDS = {"age": (41.2, 5.0)}


def NAME(frame):
    found = []
    for column, (REFERENCE, tolerance) in BOUNDS.items():
        if abs(frame[column].mean() - REFERENCE) > tolerance:
            found.append(column)
    return found


if __name__ == "__main__":
    print(NAME(pd.read_csv("requests.csv")))
"""


def cron(run: str) -> Tree:
    """A scheduled workflow that runs one command."""
    steps = f"    steps:\n      - uses: actions/checkout@v4\n      - run: {run}\n"
    text = f"on: {{schedule: [{{cron: '0 6 * * *'}}]}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n{steps}"
    return {".github/workflows/watch.yml": text}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"report.py": FLAT}, Grade.IMPLEMENTED),
        # a library that only makes an object when it is imported, which nobody does
        (
            {"report.py": LIBRARY},
            Grade.TRACE,
        ),
        # imported by code that nothing runs
        ({"report.py": FLAT, "helpers.py": "import report\n\n\ndef f():\n    return report.answer\n"}, Grade.TRACE),
        ({"tests/report.py": FLAT}, Grade.TRACE),
    ],
    ids=["run by hand", "library", "imported by dead code", "tests"],
)
def test_script_without_a_main_block(tmp_path: Path, files: Tree, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, **files}), DRIFT) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("reference", "production", Grade.WIRED),
        ("baseline_rows", "current_rows", Grade.WIRED),
        ("control", "variant", Grade.ABSENT),
        ("train", "test", Grade.ABSENT),
        ("treated", "untrained", Grade.ABSENT),
        ("reference", "simulated", Grade.ABSENT),
    ],
)
def test_statistic_of_a_reference_and_live_data(tmp_path: Path, a: str, b: str, expected: Grade) -> None:
    files = {"scripts/features.py": COMPARED.format(a=a, b=b), **cron("python scripts/features.py")}
    assert grade(scan_tree(tmp_path, {**ML, **files}), DRIFT) is expected


@pytest.mark.parametrize(
    ("name", "reference", "expected"),
    [
        ("detect_drift", "baseline", Grade.WIRED),
        ("check_feature_drift", "training_mean", Grade.WIRED),
        ("estimate_drift", "level", Grade.ABSENT),  # the trend of a price
        ("detect_drift", "level", Grade.ABSENT),
        ("detect_outliers", "baseline", Grade.ABSENT),
    ],
)
def test_mean_held_to_that_of_a_reference(tmp_path: Path, name: str, reference: str, expected: Grade) -> None:
    text = MEANS.replace("NAME", name).replace("REFERENCE", reference).replace("tolerance", "threshold")
    files = {"watch.py": text, **cron("python watch.py")}
    assert grade(scan_tree(tmp_path, {**ML, **files}), DRIFT) is expected


GET = "import requests\n\n\ndef notify(text):\n    requests.get('https://{}')\n"
NOTIFIED = """\
import pandas as pd
from scipy.stats import ks_2samp
from tell import notify


def check_drift(reference, live):
    if ks_2samp(reference, live).pvalue < 0.01:
        notify("drift")


if __name__ == "__main__":
    check_drift(pd.read_csv("a.csv")["x"], pd.read_csv("b.csv")["x"])
"""


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (
            GET.format("api.telegram.org/bot1/sendMessage"),
            True,
        ),
        (GET.format("status.example.org/alerts"), False),
        (
            "import boto3\n\n\nclass Topic:\n    def __init__(self, arn):\n        self.client = boto3.client('sns')\n"
            "        self.arn = arn\n\n    def send(self, text):\n"
            "        self.client.publish(TopicArn=self.arn, Message=text)\n\n\n"
            "def notify(text):\n    Topic('arn').send(text)\n",
            True,
        ),
        ("import logging\n\n\ndef notify(text):\n    logging.warning('alert: %s', text)\n", False),
    ],
    ids=["telegram", "a page is read", "a class behind", "a line in a log"],
)
def test_message_sent_behind_a_helper(tmp_path: Path, tell: str, expected: bool) -> None:
    report = scan_tree(tmp_path, {**ML, "drift.py": NOTIFIED, "tell.py": tell})
    assert (grade(report, ALERTS) in (Grade.IMPLEMENTED, Grade.WIRED)) is expected


HANDLERS = """\
import smtplib


class Mail:
    def send(self, text):
        smtplib.SMTP("localhost").sendmail("a@corp.org", ["b@corp.org"], text)


class Manager:
    def __init__(self):
        self.handlers = []

    def add_mail(self):
        self.handlers.append(Mail())

    def tell(self, text):
        for handler in self.handlers:
            handler.send(text)


manager = Manager()
SETUP


def notify(text):
    manager.tell(text)
"""


@pytest.mark.parametrize(("setup", "expected"), [("manager.add_mail()", True), ("", False)])
def test_handler_that_nobody_adds(tmp_path: Path, setup: str, expected: bool) -> None:
    tell = HANDLERS.replace("SETUP", setup)
    report = scan_tree(tmp_path, {**ML, "drift.py": NOTIFIED, "tell.py": tell})
    assert (grade(report, ALERTS) in (Grade.IMPLEMENTED, Grade.WIRED)) is expected
