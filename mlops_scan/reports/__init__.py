"""Report formats: one module each, imported when it is asked for. A report never decides anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from msgspec import Struct, field

from mlops_scan.reports.places import Places

if TYPE_CHECKING:
    from mlops_scan.engine.report import Report

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "text": "mlops_scan.reports.text",
        "json": "mlops_scan.reports.json",
        "sarif": "mlops_scan.reports.sarif",
        "html": "mlops_scan.reports.html",
        "markdown": "mlops_scan.reports.markdown",
        "github": "mlops_scan.reports.github",
        "gitlab-codequality": "mlops_scan.reports.gitlab_codequality",
        "junit": "mlops_scan.reports.junit",
        "csv": "mlops_scan.reports.csv",
        "cyclonedx": "mlops_scan.reports.cyclonedx",
        "badge": "mlops_scan.reports.badge",
        "shields": "mlops_scan.reports.shields",
    }
)


class RenderOptions(Struct, frozen=True):
    """How a report is to look; a format ignores what does not concern it.

    `unicode` says that the place it goes to can show more than ASCII, `links` that it makes something of OSC 8
    hyperlinks; `component` is the component the user chose, empty when the whole repository is meant; `target` is the
    level that a gate asks for, None without one; `places` says where the scanned files stand in their repository;
    `as_of` is the day to judge dates by, the only date that a report may carry.
    """

    width: int = 80
    color: bool = False
    verbose: bool = False
    quiet: bool = False
    unicode: bool = False
    links: bool = False
    component: str = ""
    target: int | None = None
    places: Places = field(default_factory=Places)
    as_of: date | None = None


def render(report: Report, format_name: str, options: RenderOptions) -> str:
    """The whole text of `report` in that format, ending in a newline; KeyError for an unknown format."""
    if format_name not in FORMATS:
        from mlops_scan.reports import plugins

        return plugins.render(format_name, report, options)
    return cast(str, import_module(FORMATS[format_name]).render(report, options))
