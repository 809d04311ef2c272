"""`mlops-scan models` and `--model`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.cli.main import run
from tests.engine.test_models import OWN
from tests.trees import ML, write_tree


def test_list_shows_every_model_with_its_mapping(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "google: Google Cloud" in out
    assert "Google counts from 0" in out
    assert "  5  exceptional (score above 5)" in out


def test_check_accepts_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "acme.yaml"
    good.write_text(OWN, encoding="utf-8")
    assert run(["models", "check", str(good)]) == 0
    assert "`acme` is valid: 2 levels, 1 rows" in capsys.readouterr().out
    good.write_text(OWN.replace("ci/code-tests", "ci/code-test"), encoding="utf-8")
    assert run(["models", "check", str(good)]) == 2
    assert "did you mean `ci/code-tests`?" in capsys.readouterr().err
    good.write_text("id: [", encoding="utf-8")
    assert run(["models", "check", str(good)]) == 2
    assert f"{good}:1: not valid YAML" in capsys.readouterr().err
    assert run(["models", "check", str(tmp_path / "none.yaml")]) == 2


def test_crosswalk_names_the_level_that_first_asks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "crosswalk"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["practice", "aws", "default", "genai", "google", "microsoft", "ml-test-score"]
    row = next(line.split() for line in lines if line.startswith("pipeline/orchestration "))
    assert row[1:] == ["2", "2", "1", "2"], "the GenAI ladder and the ML Test Score do not ask for it"


def test_another_model_is_the_headline_and_all_shows_every_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path, ML)
    assert run([str(tmp_path), "--isolated", "--model", "google", "-f", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["level"], report["level_name"]) == ("google", 0, "Manual process")
    assert report["levels"] == {
        "default": 1, "google": 0, "microsoft": 0, "aws": 1, "ml-test-score": 0.0, "genai": None,
    }  # fmt: skip
    assert run([str(tmp_path), "--isolated", "--model", "all"]) == 0
    out = capsys.readouterr().out
    assert "Level 1 of 4" in out
    assert "Google counts from 0" in out
    assert run([str(tmp_path), "--isolated", "--model", "gogle"]) == 2
    assert "did you mean `google`?" in capsys.readouterr().err
