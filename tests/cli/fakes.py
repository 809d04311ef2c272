"""A scan that finds what the test wants."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from mlops_scan.engine.entry import ScanOptions
from mlops_scan.engine.report import Report


class FakeScan:
    """Stands in for the engine: returns a fixed report and remembers what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, report: Report | Callable[[], Report]) -> None:
        self.report = report
        self.path: Path | str = Path()
        self.options = ScanOptions()
        module = ModuleType("mlops_scan.engine.entry")
        module.__dict__.update(scan=self, ScanOptions=ScanOptions)
        monkeypatch.setitem(sys.modules, "mlops_scan.engine.entry", module)

    def __call__(self, path: Path | str, options: ScanOptions) -> Report:
        self.path, self.options = path, options
        return self.report if isinstance(self.report, Report) else self.report()
