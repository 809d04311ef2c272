"""What a reader gets for the fixture repositories, in every format: snapshots to be read line by line when they change.

`test_snapshots.py` shows each format in full on a report made by hand; here it is the words that real scans give. So
what says the same again (the list of all rules, practices of which nothing was found) and what changes without a change
of meaning (versions, revisions, the hash of the rules) is left out.
"""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from mlops_scan.engine.report import Report
from mlops_scan.reports import FORMATS, RenderOptions, render
from tests.scanned import report_of

EVERY_SECTION = (
    "level1-manual",  # gaps of level 2, defects
    "level2-dvc",
    "level3-github",
    "level4-full",  # nothing left to do
    "monorepo",  # components
    "course",  # lessons
    "non-ml",
    "broken",  # files that cannot be read
    "impostor",  # many findings, traces
)
PLATFORMS = [
    ("level1-manual", "markdown"),
    ("monorepo", "markdown"),
    ("broken", "markdown"),
    ("non-ml", "markdown"),
    ("impostor", "github"),
    ("broken", "github"),
    ("level1-manual", "gitlab-codequality"),
    ("level2-dvc", "junit"),
    ("non-ml", "junit"),
    ("broken", "badge"),
    ("level4-full", "shields"),
]


def _settled(name: str) -> Report:
    """The report without what differs between two versions of this program or two checkouts."""
    return replace(
        report_of(name), version="0.0.0", rules_version="0123456789ab", path=f"fixtures/{name}/repo", revision=None
    )


def _rendered(name: str, format_name: str) -> str:
    return render(_settled(name), format_name, RenderOptions(unicode=True))


@pytest.mark.parametrize("name", EVERY_SECTION)
def test_text(name: str, snapshot: SnapshotAssertion) -> None:
    assert _rendered(name, "text") == snapshot


def test_text_with_all_evidence(snapshot: SnapshotAssertion) -> None:
    report = _settled("level2-dvc")
    assert render(report, "text", RenderOptions(unicode=True, verbose=True)) == snapshot


def test_one_line_each(snapshot: SnapshotAssertion) -> None:
    lines = [render(_settled(name), "text", RenderOptions(unicode=True, quiet=True)) for name in EVERY_SECTION]
    assert "".join(lines) == snapshot


@pytest.mark.parametrize(("name", "format_name"), PLATFORMS)
def test_platforms(name: str, format_name: str, snapshot: SnapshotAssertion) -> None:
    assert _rendered(name, format_name) == snapshot


@pytest.mark.parametrize("name", ["level1-manual", "monorepo", "broken", "non-ml"])
def test_html(name: str, snapshot: SnapshotAssertion) -> None:
    """The words of the page, a line a block, folded ones too."""
    page = _Words()
    page.feed(_rendered(name, "html"))
    page.close()
    assert page.text() == snapshot


def test_json(snapshot: SnapshotAssertion) -> None:
    data = json.loads(_rendered("level1-manual", "json"))
    del data["components"], data["models"]  # the headline again, and the same from other points of view
    for rung in data["ladder"]:
        rung["rows"] = [f"{row['title']}: {row['met_by']} of {row['need']}" for row in rung["rows"]]
    assert _lines(data) == snapshot


def test_sarif(snapshot: SnapshotAssertion) -> None:
    (run,) = json.loads(_rendered("impostor", "sarif"))["runs"]
    used = {result["ruleId"] for result in run["results"]}
    run["tool"]["driver"]["rules"] = [rule["id"] for rule in run["tool"]["driver"]["rules"] if rule["id"] in used]
    for result in run["results"]:
        del result["ruleIndex"]  # moves with every new rule
    del run["properties"]["levelsMapping"]
    assert _lines(run) == snapshot


def test_csv(snapshot: SnapshotAssertion) -> None:
    rows = csv.DictReader(io.StringIO(_rendered("level1-manual", "csv"), newline=""))
    assert [row for row in rows if row["grade"] != "absent"] == snapshot


def test_cyclonedx(snapshot: SnapshotAssertion) -> None:
    data = json.loads(_rendered("level2-dvc", "cyclonedx"))
    del data["serialNumber"]  # random by its nature, made of the contents
    assert _lines(data) == snapshot


def test_every_format_is_here() -> None:
    alone = {"text", "html", "json", "sarif", "csv", "cyclonedx"}
    assert {format_name for _, format_name in PLATFORMS} | alone == set(FORMATS)


def _lines(data: Any) -> str:
    """The data as YAML: every line a fact, so that a difference can be read."""
    return yaml.safe_dump(_brief(data), sort_keys=False, allow_unicode=True, width=110)


def _brief(value: Any) -> Any:
    """Data with places as `path:line`, without the practices of which nothing was found."""
    if isinstance(value, list):
        return [_brief(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) <= {"physicalLocation", "message", "id"} and "region" in value.get("physicalLocation", {}):
        place = value["physicalLocation"]
        where = f"{place['artifactLocation']['uri']}:{place['region']['startLine']}"
        return f"{where} {value['message']['text']}" if "message" in value else where
    value = {key: _brief(item) for key, item in value.items() if not _absent(item)}
    if {"path", "line"} <= set(value):
        value = {"at": f"{value.pop('path')}:{value.pop('line')}", **value}
    return value


def _absent(item: Any) -> bool:
    return isinstance(item, dict) and item.get("grade") == "absent"


class _Words(HTMLParser):
    """The text of a page, a line a block."""

    BLOCKS = frozenset(
        ("h1", "h2", "h3", "p", "li", "dt", "tr", "summary", "section", "details", "option", "title", "label", "div")
    )
    SILENT = frozenset({"style", "script"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent = self.silent or tag in self.SILENT
        if tag in self.BLOCKS:
            self.lines.append("# " if tag in ("h1", "h2", "h3") else "")
        elif tag in ("td", "th"):
            self.lines[-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        self.silent = self.silent and tag not in self.SILENT
        if tag in self.BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.lines[-1] += data

    def text(self) -> str:
        """The lines that say something more than that a practice was not found."""
        lines = (" ".join(line.split()) for line in self.lines)
        return "\n".join(line for line in lines if line and not line.startswith("absent ")) + "\n"
