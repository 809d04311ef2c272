"""What the smaller formats promise beyond being inert."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from msgspec.structs import replace

from mlops_scan.reports import RenderOptions, render
from mlops_scan.reports.places import Forge, Places
from mlops_scan.words import Incomplete, Location
from tests.reports import samples

BELOW = RenderOptions(places=Places("models/a"))


# -- GitHub annotations ------------------------------------------------------------------------------------------------


def test_annotations_name_file_line_and_rule_and_start_with_the_most_severe() -> None:
    verdict, first, *_ = render(samples.report(), "github", BELOW).splitlines()
    assert verdict.startswith("::notice title=mlops-scan::level 2 (ML Pipeline Automation)")
    assert first.startswith(
        "::error file=models/a/Makefile,line=12,endLine=12,title=MLS301%3A A test or gate cannot fail::"
    )


def test_annotations_escape_what_would_end_them() -> None:
    finding = replace(samples.FINDINGS[0], location=Location("a,b:c%::error::.py", 1), message="50% of\nit")
    line = render(replace(samples.report(), findings=(finding,)), "github", RenderOptions()).splitlines()[1]
    assert "file=a%2Cb%3Ac%25%3A%3Aerror%3A%3A.py,line=1" in line
    assert "::50%25 of it" in line


# -- GitLab Code Quality -----------------------------------------------------------------------------------------------


def test_code_quality_of_two_folders_does_not_collide() -> None:
    def fingerprints(prefix: str) -> set[str]:
        data = json.loads(render(samples.report(), "gitlab-codequality", RenderOptions(places=Places(prefix))))
        return {issue["fingerprint"] for issue in data}

    assert fingerprints("") == {finding.fingerprint for finding in samples.FINDINGS}
    assert not fingerprints("a") & fingerprints("b")


def test_code_quality_severities_and_paths() -> None:
    issues = json.loads(render(samples.report(), "gitlab-codequality", BELOW))
    assert [(issue["severity"], issue["location"]["path"]) for issue in issues] == [
        ("info", "models/a/pyproject.toml"),
        ("critical", "models/a/Makefile"),
    ]


def test_code_quality_without_findings_is_an_empty_list() -> None:
    assert json.loads(render(samples.without_ml(), "gitlab-codequality", RenderOptions())) == []


# -- JUnit -------------------------------------------------------------------------------------------------------------


def _cases(target: int | None) -> dict[str, bool]:
    """Each test case and whether it passes, as junitparser reads the file."""
    suites = JUnitXml.fromstring(render(samples.report(), "junit", RenderOptions(target=target)).encode())
    return {case.name: case.is_passed for suite in suites for case in suite}


def test_one_case_a_row_up_to_the_next_level() -> None:
    assert _cases(None) == {
        "a pipeline or a schedule that trains": True,
        "tracked": True,
        "model tests in CI": False,
        "automated deployment": False,
    }


def test_the_gate_says_which_rows() -> None:
    assert list(_cases(2)) == ["a pipeline or a schedule that trains", "tracked"]
    assert list(_cases(4))[-1] == "drift"
    assert _cases(1) == {"has a level": True}


@pytest.mark.parametrize(("target", "tag"), [(None, "skipped"), (2, "failure")])
def test_without_a_level_only_a_gate_fails(target: int | None, tag: str) -> None:
    root = ElementTree.fromstring(render(samples.without_ml(), "junit", RenderOptions(target=target)).encode())
    assert [element.tag for element in root.iter() if element.tag in ("skipped", "failure")] == [tag]


def test_a_failure_says_what_is_there_and_what_to_do() -> None:
    failure = ElementTree.fromstring(render(samples.report(), "junit", RenderOptions()).encode()).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"] == "ci/model-tests is not met"
    assert "ci/model-tests implemented tests/model/test_model.py:8\n    needs wired: the script" in (failure.text or "")
    assert "set -euo pipefail" in (failure.text or "")


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_csv_has_every_practice_of_every_component() -> None:
    rows = list(csv.DictReader(io.StringIO(render(samples.report(), "csv", RenderOptions()), newline="")))
    assert {row["component"] for row in rows} == {"services/scoring", "services/ranking"}
    first = next(row for row in rows if row["practice"] == "ci/model-tests")
    assert (first["grade"], first["met"], first["minimum"], first["asked_for_by_level"]) == (
        "implemented",
        "no",
        "wired",
        "3",
    )
    assert (first["path"], first["line"]) == ("tests/model/test_model.py", "8")


# -- badges ------------------------------------------------------------------------------------------------------------


def test_badges_say_the_level_and_that_a_scan_is_incomplete() -> None:
    complete = replace(samples.report(), incomplete=())
    assert json.loads(render(complete, "shields", RenderOptions()))["message"] == "level 2 of 4"
    assert json.loads(render(samples.report(), "shields", RenderOptions()))["message"] == "level 2 of 4, incomplete"
    assert json.loads(render(samples.without_ml(), "shields", RenderOptions()))["message"] == "no ML"
    assert 'aria-label="MLOps maturity: level 2 of 4"' in render(complete, "badge", RenderOptions())


@pytest.mark.parametrize("level", [0, 1, 2, 3, 4])
def test_every_level_has_a_badge(level: int) -> None:
    report = replace(samples.report(), headline=replace(samples.HEADLINE, level=level), incomplete=())
    assert f"level {level} of 4" in render(report, "badge", RenderOptions())


# -- HTML --------------------------------------------------------------------------------------------------------------


def test_the_policy_allows_exactly_the_style_and_the_script() -> None:
    page = render(samples.hostile(), "html", RenderOptions())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    directives = policy[1].replace("&#39;", "'")
    assert "default-src 'none'" in directives
    assert "unsafe" not in directives
    for tag in ("style", "script"):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in directives.replace("&#43;", "+")
    assert " style=" not in page


def test_the_page_shows_levels_of_other_models_components_and_what_was_not_read() -> None:
    page = render(samples.report(), "html", RenderOptions())
    for words in ("ml-test-score", "services/ranking", "charts/values.yaml", "2 files were left out by --exclude"):
        assert words in page


def test_links_lead_to_the_forge_only_when_it_is_known() -> None:
    forge = Forge("https://f.example/r", "https://f.example/r/blob/1/{path}", "#L{first}-L{last}")
    known = RenderOptions(places=Places("models/a", forge=forge))
    for name in ("html", "markdown"):
        assert "https://f.example/r/blob/1/models/a/Makefile#L12-L12" in render(samples.report(), name, known)
        assert "blob" not in render(samples.report(), name, RenderOptions())


# -- Markdown ----------------------------------------------------------------------------------------------------------


def test_a_large_report_fits_a_comment_and_says_what_is_missing() -> None:
    many = tuple(replace(samples.FINDINGS[1], fingerprint=str(number), message="x" * 300) for number in range(3000))
    unread = tuple(Incomplete(f"{number}.yml", "broken " * 20) for number in range(3000))
    text = render(replace(samples.report(), findings=many, incomplete=unread), "markdown", RenderOptions())
    assert 30_000 < len(text) < 65_536
    assert text.count("<details>") == text.count("</details>")
    assert "The rest is left out here" in text
