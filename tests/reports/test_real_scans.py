"""Every format on real scans of fixtures, read from its reader's side; and every format offered where people look."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.cli.main import run
from mlops_scan.reports import FORMATS, RenderOptions, render
from tests.reports.inert import CHECKS
from tests.scanned import report_of

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("fixture", ["impostor", "level4-full", "monorepo", "broken", "non-ml"])
@pytest.mark.parametrize("name", FORMATS)
def test_readable(name: str, fixture: str) -> None:
    report = report_of(fixture)
    output = render(report, name, RenderOptions(unicode=True))
    CHECKS[name](output, report)
    assert output == render(report, name, RenderOptions(unicode=True)), "the same report gives the same bytes"


def test_the_page_explains_each_rule_once() -> None:
    report = report_of("impostor")
    page = render(report, "html", RenderOptions())
    ids = [finding.id for finding in report.findings]
    assert len(ids) > len(set(ids))
    for name in set(ids):
        assert page.count(f'id="about-{name}"') == 1
        assert page.count(f'href="#about-{name}"') == ids.count(name) - 1


@pytest.mark.parametrize("name", FORMATS)
def test_the_help_and_the_readme_name_every_format(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["scan", "--help"])
    assert name in capsys.readouterr().out
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")
