"""Suppressing comments and path patterns: they leave a finding out, say so, and are reported when they do nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import ScanOptions
from mlops_scan.engine.suppress import openers
from mlops_scan.reports import RenderOptions, render
from tests.trees import ML, scan_tree, where

CI = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: pytest || true{mark}
"""
TESTED = {
    **ML,
    "tests/test_train.py": "from train import train\n\n\ndef test_train():\n    assert train('a.csv', 'm')\n",
}


def scanned(
    tmp_path: Path, mark: str = "", options: ScanOptions | None = None, more: dict[str, str] | None = None
) -> Report:
    tree = {**TESTED, ".github/workflows/ci.yml": CI.replace("{mark}", mark), **(more or {})}
    return scan_tree(tmp_path, tree, options)


def test_without_a_comment_the_finding_is_there(tmp_path: Path) -> None:
    assert where(scanned(tmp_path), "MLS301") == [".github/workflows/ci.yml:6"]


@pytest.mark.parametrize(
    "mark",
    ["  # mlops-scan: ignore[MLS301] flaky until June", " # mlops-scan:ignore[MLS302, MLS301]: flaky until June"],
)
def test_a_comment_on_the_line_leaves_it_out_and_is_disclosed(tmp_path: Path, mark: str) -> None:
    report = scanned(tmp_path, mark)
    assert where(report, "MLS301") == []
    assert [(item.finding.id, item.by, item.reason) for item in report.suppressed] == [
        ("MLS301", ".github/workflows/ci.yml:6", "flaky until June")
    ]
    assert any("MLS301 at .github/workflows/ci.yml:6 is suppressed" in notice for notice in report.notices)
    data = json.loads(render(report, "json", RenderOptions()))
    assert data["suppressed"][0]["suppressed_by"] == ".github/workflows/ci.yml:6"
    sarif = json.loads(render(report, "sarif", RenderOptions()))
    assert "MLS301" not in {result["ruleId"] for result in sarif["runs"][0]["results"]}


def test_a_comment_of_its_own_line_speaks_of_the_next(tmp_path: Path) -> None:
    text = CI.replace("{mark}", "").replace(
        "      - run: pytest", "      # mlops-scan: ignore[MLS301] x\n\n      - run: pytest"
    )
    report = scanned(tmp_path, more={".github/workflows/ci.yml": text})
    assert where(report, "MLS301") == []
    assert where(report, "MLS001") == []


def test_a_comment_for_the_whole_file(tmp_path: Path) -> None:
    text = "# mlops-scan: ignore-file[MLS301] legacy\n" + CI.replace("{mark}", "")
    report = scanned(tmp_path, more={".github/workflows/ci.yml": text})
    assert where(report, "MLS301") == []


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("  # mlops-scan: ignore[MLS302] wrong one", "MLS302 is not found here"),
        ("  # mlops-scan: ignore", "names no finding"),
        ("  # mlops-scan: ignore[MSL301]", "did you mean `MLS301`?"),
    ],
)
def test_a_comment_without_effect_is_a_finding(tmp_path: Path, mark: str, said: str) -> None:
    report = scanned(tmp_path, mark)
    assert where(report, "MLS301") == [".github/workflows/ci.yml:6"]
    assert [f.message for f in report.findings if f.id == "MLS001" and said in f.message]


def test_what_is_no_comment_does_nothing(tmp_path: Path) -> None:
    text = "x = '# mlops-scan: ignore[MLS999]'\n"
    assert where(scanned(tmp_path / "a", more={"pyproject.toml": text}), "MLS001") == []
    text = "x = 1  # mlops-scan: ignore[MLS999]\n"
    assert where(scanned(tmp_path / "c", more={"pyproject.toml": text}), "MLS001") == ["pyproject.toml:1"]
    text = 'DOC = """\n# mlops-scan: ignore[MLS999]\n"""\n' + str(ML["train.py"])
    assert where(scanned(tmp_path / "b", more={"train.py": text}), "MLS001") == []


def test_an_unused_comment_can_itself_be_left_out(tmp_path: Path) -> None:
    report = scanned(tmp_path, "  # mlops-scan: ignore[MLS301,MLS302,MLS001] kept for the old runner")
    assert where(report, "MLS001") == []


def test_path_patterns(tmp_path: Path) -> None:
    options = ScanOptions(per_path_ignores=((".github/", ("MLS3",)),))
    report = scanned(tmp_path, options=options)
    assert where(report, "MLS301") == []
    assert [item.by for item in report.suppressed if item.finding.id == "MLS301"] == [".github/"]
    other = scanned(tmp_path, options=ScanOptions(per_path_ignores=(("src/", ("MLS3",)),)))
    assert where(other, "MLS301") == [".github/workflows/ci.yml:6"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", ("#",)),
        ("a/Makefile", ("#",)),
        ("Dockerfile.gpu", ("#",)),
        ("run.sh", ("#",)),
        ("pyproject.toml", ("#",)),
        ("Jenkinsfile", ("//",)),
        ("ci/x.groovy", ("//",)),
        ("main.tf", ("#", "//")),
        ("MODEL_CARD.md", ("<!--",)),
        ("data.json", ()),
        ("a.csv", ()),
    ],
)
def test_what_begins_a_comment(path: str, expected: tuple[str, ...]) -> None:
    assert openers(path) == expected


def test_a_suppression_changes_no_level(tmp_path: Path) -> None:
    plain, marked = scanned(tmp_path / "a"), scanned(tmp_path / "b", "  # mlops-scan: ignore[MLS301] x")
    assert (plain.headline.level, plain.headline.progress) == (marked.headline.level, marked.headline.progress)
