"""Checks that a report shows scanned content and does not obey it: one function a format, written from the side of the
program that reads the format."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit
from xml.etree import ElementTree

import jsonschema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from markdown_it import MarkdownIt

from mlops_scan.engine.report import Report
from mlops_scan.reports.clean import visible
from mlops_scan.reports.csv import HEADER

DATA = Path(__file__).parent.parent / "data"
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def text(output: str, report: Report) -> None:
    """Nothing moves the cursor, hides or reorders."""
    assert not _CONTROL.search(output)
    output.encode("utf-8")


def json_(output: str, report: Report) -> None:
    """Strict JSON in UTF-8, every finding in it."""
    output.encode("utf-8")
    data = json.loads(output, parse_constant=_no_constant)
    assert len(data["findings"]) == len(report.findings)


def sarif(output: str, report: Report) -> None:
    """Valid, every place a relative URI that decodes to the path, no links in messages."""
    output.encode("utf-8")
    data = json.loads(output, parse_constant=_no_constant)
    _sarif_validator().validate(data)
    (run,) = data["runs"]
    assert len(run["results"]) == len(report.findings)
    for result, finding in zip(run["results"], report.findings, strict=True):
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        parts = urlsplit(uri)
        assert not parts.scheme
        assert not parts.netloc
        assert not uri.startswith("/")
        assert unquote_to_bytes(uri).decode("utf-8", "surrogateescape").endswith(finding.location.path)
        assert "](" not in result["message"]["text"]


@cache
def _sarif_validator() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads((DATA / "sarif-2.1.0.json").read_text(encoding="utf-8")))


class _Page(HTMLParser):
    """Everything of a page that could do something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: dict[str, int] = {}
        self.attributes: set[tuple[str, str]] = set()
        self.addresses: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


_HTML_TAGS = """
html head meta title link style body a header h1 h2 h3 p dl dt dd nav ul ol li main section span div details summary
label progress table thead tbody tr th td search form input select option optgroup button output strong em code pre
script
"""
_HTML_ATTRIBUTES = """
lang class charset http-equiv content name rel href id aria-label aria-labelledby aria-current for max value scope type
autocomplete tabindex role label data-state data-group open
"""


def html(output: str, report: Report) -> None:
    """Only the page's own elements and attributes; links to places on the page and to https only."""
    output.encode("utf-8")
    page = _Page()
    page.feed(output)
    page.close()
    assert set(page.tags) <= set(_HTML_TAGS.split()), page.tags
    assert {name for _, name in page.attributes} <= set(_HTML_ATTRIBUTES.split()), page.attributes
    assert page.tags["script"] == page.tags["style"] == page.tags["title"] == page.tags["form"] == 1
    assert all(address.startswith(("#", "https://")) or address == "data:," for address in page.addresses)
    assert not _CONTROL.search("".join(page.words))


_OWN_HTML = re.compile(r"<details><summary>[^<>]*</summary>|</?(?:details|sub)>")


def markdown(output: str, report: Report) -> None:
    """Only our own HTML; links to https only; outside code no mention, reference or bare address."""
    output.encode("utf-8")
    assert len(output) < 65_536
    folds = ""
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").parse(output):
        if token.type == "html_block":
            folds += token.content
            assert not _OWN_HTML.sub("", token.content).strip(), token.content
        assert token.type not in ("fence", "code_block", "table_open"), token.content
        for child in token.children or ():
            _inline(child.type, child.content, dict(child.attrs))
    assert folds.count("<details>") == folds.count("</details>")


def _inline(kind: str, content: str, attributes: dict[str, Any]) -> None:
    assert kind not in ("image", "s_open")
    if kind == "html_inline":
        assert _OWN_HTML.fullmatch(content), content
    elif kind == "link_open":
        assert str(attributes["href"]).startswith("https://")
    elif kind == "text":
        assert not re.search(r"@\w|#\d|://|\bwww\.|(?<!&)!\d", content), content
    assert not _CONTROL.search(content.replace("\u200b", ""))


_COMMAND = re.compile(r"::(error|warning|notice)(?: ([^\n]*?))?::(.*)", re.DOTALL)


def github(output: str, report: Report) -> None:
    """Read as the runner reads it: every line is one of our commands, and each finding has one with its file."""
    text(output, report)
    assert output.endswith("\n")
    named = [properties["file"] for line in output[:-1].split("\n") if "file" in (properties := _command(line))]
    shown = [visible(finding.location.path) for finding in report.findings]
    assert len(named) == len(shown)
    assert all(any(path.endswith(end) for path in named) for end in shown)


def _command(line: str) -> dict[str, str]:
    found = _COMMAND.fullmatch(line)
    assert found is not None, line
    assert "::set-" not in line.split("::", 2)[1]
    properties = {}
    for part in (found[2] or "").split(","):
        name, _, value = part.partition("=")
        assert name in ("file", "line", "endLine", "title"), line
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(code, character)
        properties[name] = value
    return properties


def gitlab_codequality(output: str, report: Report) -> None:
    """The shape that GitLab documents, fingerprints unique."""
    output.encode("utf-8")
    data = json.loads(output, parse_constant=_no_constant)
    jsonschema.validate(data, json.loads((DATA / "gitlab-codequality.json").read_text(encoding="utf-8")))
    assert len({issue["fingerprint"] for issue in data}) == len(data) == len(report.findings)


def junit(output: str, report: Report) -> None:
    """Well-formed XML with the counts that it claims."""
    root = ElementTree.fromstring(output.encode("utf-8"))
    known = "testsuites testsuite properties property testcase failure skipped system-out system-err"
    assert {element.tag for element in root.iter()} <= set(known.split())
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
        assert int(root.attrib[name]) == len(root.findall(f".//{tag}"))
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root.findall("testsuite"))


def csv_(output: str, report: Report) -> None:
    """A rectangle without formulas and without line breaks in cells."""
    output.encode("utf-8")
    rows = list(csv.reader(io.StringIO(output, newline=""), strict=True))
    components = report.components or (report.headline,)
    assert len(rows) == 1 + sum(len(component.practices) for component in components)
    assert tuple(rows[0]) == HEADER
    for row in rows:
        assert len(row) == len(HEADER)
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            assert not _CONTROL.search(cell)
            assert "\n" not in cell


def badge(output: str, report: Report) -> None:
    """Well-formed SVG that loads and runs nothing."""
    root = ElementTree.fromstring(output)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "clipPath", "rect", "g", "text"}


def shields(output: str, report: Report) -> None:
    """The keys that shields.io asks for."""
    data = json.loads(output)
    assert data["schemaVersion"] == 1
    assert {type(data[key]) for key in ("label", "message", "color")} == {str}


def cyclonedx(output: str, report: Report) -> None:
    """Valid in the strict sense of the library's own schema, every asset in it, no reference that leads nowhere."""
    output.encode("utf-8")
    data = json.loads(output, parse_constant=_no_constant)
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(output)
    assert error is None, error
    listed = [*data.get("components", ()), *data.get("services", ())]
    assert len(listed) == len(report.inventory)
    references = {item["bom-ref"] for item in listed}
    assert len(references) == len(listed)
    (root,) = (item for item in data["dependencies"] if item["ref"] == "repository")
    assert set(root.get("dependsOn", ())) == references
    for item in listed:
        for place in item.get("evidence", {}).get("occurrences", ()):
            assert not _CONTROL.search(place["location"] + place.get("additionalContext", ""))
        assert not _CONTROL.search(item["name"] + item.get("version", ""))


CHECKS: dict[str, Callable[[str, Report], None]] = {
    "text": text,
    "json": json_,
    "sarif": sarif,
    "html": html,
    "markdown": markdown,
    "github": github,
    "gitlab-codequality": gitlab_codequality,
    "junit": junit,
    "csv": csv_,
    "cyclonedx": cyclonedx,
    "badge": badge,
    "shields": shields,
}


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
