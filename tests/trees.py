"""Small literal trees for tests: written to a folder, then scanned or gathered into facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops_scan.detectors.base import Context
from mlops_scan.engine.report import Finding, PracticeResult, Report
from mlops_scan.engine.scan import ScanOptions, gather, scan
from mlops_scan.repository.listing import open_repository
from mlops_scan.rulebook import load
from mlops_scan.words import Evidence, Grade

Tree = Mapping[str, "str | bytes"]

TRAIN = """\
import argparse

import joblib
from sklearn.linear_model import LogisticRegression

from data import read


def train(path, out):
    x, y = read(path)
    model = LogisticRegression(C=1.0)
    model.fit(x, y)
    joblib.dump(model, out)
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="data.csv")
    parser.add_argument("--out", default="model.joblib")
    arguments = parser.parse_args()
    train(arguments.data, arguments.out)
"""

DATA = """\
import pandas as pd


def read(path):
    frame = pd.read_csv(path)
    return frame.drop(columns="y"), frame["y"]
"""

ML: dict[str, str | bytes] = {"train.py": TRAIN, "data.py": DATA}
"""The least application: a script that trains when a person starts it."""


def write_tree(folder: Path, tree: Tree) -> Path:
    """Write files below `folder`; text is written as it is, without newline translation."""
    for name, content in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return folder


def scan_tree(folder: Path, tree: Tree, options: ScanOptions | None = None) -> Report:
    """The report of a literal tree."""
    return scan(write_tree(folder, tree), options)


def context_of(folder: Path, tree: Tree) -> Context:
    """The facts of a literal tree, as detectors receive them."""
    return gather(open_repository(write_tree(folder, tree)), load())


def practice(report: Report, name: str) -> PracticeResult:
    """A practice of the headline component."""
    return next(result for result in report.headline.practices if result.id == name)


def grade(report: Report, name: str) -> Grade:
    """The grade of a practice of the headline component."""
    return practice(report, name).grade


def places(evidence: tuple[Evidence, ...]) -> list[str]:
    """Evidence as `path:line`."""
    return [str(item.location) for item in evidence]


def findings(report: Report, id_: str) -> list[Finding]:
    """The findings of one rule."""
    return [finding for finding in report.findings if finding.id == id_]


def where(report: Report, id_: str) -> list[str]:
    """The places of one rule's findings as `path:line`."""
    return [str(finding.location) for finding in findings(report, id_)]
