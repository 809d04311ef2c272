"""A scan for commands that want its report and not its printed form."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from mlops_scan.cli import config
from mlops_scan.engine.entry import ScanOptions, scan
from mlops_scan.engine.report import Report


def scan_for(path: Path, settings: config.Config, trust: bool, as_of: date | None) -> Report:
    """The report of a scan by these settings, without their selection of findings and without their baseline."""
    settings, notices = config.owned(settings, path, trust)
    return scan(
        path,
        ScanOptions(
            model=settings.model or "default",
            kind=settings.kind,
            component=settings.component,
            exclude=settings.exclude or (),
            ignore=settings.ignore or (),
            as_of=as_of,
            rules=settings.rules or (),
            rules_version=settings.rules_version,
            components=settings.components or (),
            per_path_ignores=settings.per_path_ignores or (),
            attestations=settings.attestations,
            plugins=settings.plugins is not False,
            notices=notices,
        ),
    )
