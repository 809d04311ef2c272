"""What a long scan shows, and that a short one shows nothing."""

from __future__ import annotations

import time

import pytest

from mlops_scan.cli import progress


def test_the_stages_add_up() -> None:
    stages = progress.Stages()
    stages.begin("list")
    stages.begin("code")
    stages.begin("list")
    stages.end()
    assert list(stages.seconds) == ["list", "code", "total"]
    assert sum(stages.seconds.values()) <= 2 * stages.seconds["total"] + 1e-6


def test_a_short_scan_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stages = progress.Stages(shown=True)
    stages.begin("list")
    stages.end()
    assert capsys.readouterr().err == ""


def test_a_long_scan_names_its_stage_and_wipes_it_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_PATIENCE", 0.01)
    monkeypatch.setattr(progress, "_PERIOD", 0.01)
    stages = progress.Stages(shown=True)
    stages.begin("code")
    time.sleep(0.3)
    stages.end()
    shown = capsys.readouterr().err
    assert "reading code" in shown
    assert shown.endswith("\r\x1b[2K")
