"""The reports of the fixture repositories, each scanned once in a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import scan

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


@cache
def report_of(name: str) -> Report:
    """The report of one fixture with the default options. Reports are frozen, so that tests can share them."""
    return scan(FIXTURES / name / "repo")
