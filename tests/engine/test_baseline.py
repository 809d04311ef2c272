"""Baselines: matched by content, fixed findings leave, levels only rise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.cli.main import run
from mlops_scan.engine import baseline
from mlops_scan.errors import ScanError
from tests.engine.test_suppress import CI, TESTED
from tests.trees import write_tree

YML = ".github/workflows/ci.yml"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return write_tree(tmp_path / "repo", {**TESTED, YML: CI.replace("{mark}", "")})


def written(repo: Path) -> Path:
    file = repo.parent / "base.json"
    assert run(["baseline", "write", str(repo), "--isolated", "-o", str(file)]) == 0
    return file


def gate(repo: Path, file: Path) -> int:
    return run([str(repo), "--isolated", "-q", "--baseline", str(file), "--no-regression"])


def test_known_findings_are_not_reported_and_disclosed(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(repo)
    capsys.readouterr()
    assert run([str(repo), "--isolated", "-f", "json", "--baseline", str(file), "--fail-on", "warning"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {item["id"] for item in report["findings"]}.isdisjoint({"MLS301"})
    assert len(report["baseline"]["known"]) == len(json.loads(file.read_text())["findings"]) > 0
    assert (report["baseline"]["new"], report["baseline"]["fixed"]) == ([], [])
    assert any("known from the baseline" in notice for notice in report["notices"])
    assert run([str(repo), "--isolated", "-q", "--fail-on", "warning"]) == 1


def test_matched_by_content_and_not_by_line(repo: Path) -> None:
    file = written(repo)
    path = repo / YML
    path.write_text("# a comment\n\n" + path.read_text().replace("pytest || true", "pytest   || true"))
    assert gate(repo, file) == 0


def test_a_new_finding_fails_the_gate(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(repo)
    path = repo / YML
    path.write_text(path.read_text() + "      - run: pytest tests || true\n")
    assert gate(repo, file) == 1
    assert "1 findings are not in the baseline" in capsys.readouterr().err


def test_the_same_line_twice_is_a_new_finding(repo: Path) -> None:
    file = written(repo)
    path = repo / YML
    path.write_text(path.read_text() + "      - run: pytest || true\n")
    assert gate(repo, file) == 1


def test_a_fixed_finding_is_named_and_leaves_the_baseline_for_good(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(repo)
    path = repo / YML
    broken = path.read_text()
    path.write_text(broken.replace(" || true", ""))
    assert run([str(repo), "--isolated", "-f", "json", "--baseline", str(file)]) == 0
    out = capsys.readouterr().out
    assert [item["id"] for item in json.loads(out[out.index("{") :])["baseline"]["fixed"]] == ["MLS301"]
    assert run(["baseline", "write", str(repo), "--isolated", "-o", str(file), "--prune"]) == 0
    assert "MLS301" not in file.read_text()
    path.write_text(broken)
    assert gate(repo, file) == 1


def test_pruning_adds_nothing_and_lowers_nothing(repo: Path) -> None:
    file = written(repo)
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "level": 3, "findings": []}))
    assert run(["baseline", "write", str(repo), "--isolated", "-o", str(file), "--prune"]) == 0
    after = json.loads(file.read_text())
    assert (after["level"], after["findings"]) == (3, [])


def test_a_level_below_the_baselines_fails_the_gate(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(repo)
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "level": 2}))
    assert gate(repo, file) == 1
    assert "level 1 (default) is below the baseline's 2" in capsys.readouterr().err


def test_gaps_are_no_news(repo: Path) -> None:
    file = written(repo)
    (repo / "dvc.yaml").write_text("stages:\n  train:\n    cmd: python train.py\n    outs: [model.joblib]\n")
    (repo / "requirements.txt").write_text("scikit-learn==1.4.0\njoblib==1.3.2\npandas==2.1.0\n")
    assert gate(repo, file) == 0
    assert "maturity" not in file.read_text()


def test_show(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["baseline", "show", str(written(repo))]) == 0
    assert "MLS301  .github/workflows/ci.yml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", ":1: the baseline is not valid JSON"),
        ("[]", "is no baseline of version 1"),
        ('{"baseline_version": 2}', "is no baseline of version 1"),
        ('{"baseline_version": 1, "level": "x", "findings": []}', "needs `level` and a list `findings`"),
        ('{"baseline_version": 1, "level": 1, "findings": [{}]}', "finding 1 of the baseline has no fingerprint"),
    ],
)
def test_what_is_no_baseline_is_refused(repo: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = repo.parent / "b.json"
    file.write_text(text)
    with pytest.raises(ScanError) as caught:
        baseline.read(file)
    assert said in str(caught.value)
    assert gate(repo, file) == 2
    assert gate(repo, repo / "none.json") == 2


def test_no_regression_needs_a_baseline(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([str(repo), "--isolated", "--no-regression"]) == 2
    assert "needs a baseline" in capsys.readouterr().err
