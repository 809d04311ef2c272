"""`mlops-scan cache`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mlops_scan import cache
from mlops_scan.cli.main import cli


def test_info_and_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "cache")
    opened = cache.open_cache()
    assert opened is not None
    opened.put({b"key": b"value"})
    opened.close()
    (tmp_path / "cache" / cache.REPOSITORIES / "x.git").mkdir(parents=True)
    assert "1 entries" in CliRunner().invoke(cli, ["cache", "info"]).output
    assert "freed" in CliRunner().invoke(cli, ["cache", "clear"]).output
    assert "0 entries" in CliRunner().invoke(cli, ["cache", "info"]).output
    assert not list((tmp_path / "cache").iterdir())
