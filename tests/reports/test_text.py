"""The report for people."""

from __future__ import annotations

import os
import re
from unittest.mock import patch

from msgspec.structs import replace
from syrupy.assertion import SnapshotAssertion

from mlops_scan.reports import RenderOptions, render
from mlops_scan.words import Incomplete
from tests.reports import samples

_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")


def test_default(snapshot: SnapshotAssertion) -> None:
    assert render(samples.report(), "text", RenderOptions()) == snapshot


def test_verbose(snapshot: SnapshotAssertion) -> None:
    assert render(samples.report(), "text", RenderOptions(verbose=True, unicode=True)) == snapshot


def test_without_ml(snapshot: SnapshotAssertion) -> None:
    assert render(samples.without_ml(), "text", RenderOptions()) == snapshot


def test_quiet_is_one_line() -> None:
    assert render(samples.report(), "text", RenderOptions(quiet=True)) == (
        "level 2 (ML Pipeline Automation), 25% of the way to level 3 (4 steps left); "
        "1 error, 0 warnings, 0 notes, 2 not read\n"
    )
    assert render(samples.without_ml(), "text", RenderOptions(quiet=True)).startswith("no ML workload found (non-ml")


def test_plain_output_is_ascii_at_80_columns() -> None:
    text = render(samples.report(), "text", RenderOptions())
    assert text.isascii()
    too_long = [line for line in text.splitlines() if len(line) > 80]
    assert all(":140" in line for line in too_long), "only a path may be longer than the line"


def test_color_does_not_change_the_words() -> None:
    colored = render(samples.report(), "text", RenderOptions(color=True))
    assert "\x1b[" in colored
    plain = "\n".join(line.rstrip() for line in re.sub("\x1b\\[[0-9;]*m", "", colored).splitlines()) + "\n"
    assert plain == render(samples.report(), "text", RenderOptions())


def test_hostile_names_are_shown_not_obeyed() -> None:
    for options in (RenderOptions(), RenderOptions(verbose=True, unicode=True), RenderOptions(quiet=True)):
        text = render(samples.hostile(), "text", options)
        assert not _FORBIDDEN.search(text)
        text.encode("utf-8")
    text = render(samples.hostile(), "text", RenderOptions())
    assert "error   MLS301 new\\nline.py:1" in text
    assert "[bold red]markup[/].py:1" in text
    assert "esc\\x1b[31mred\\x1b[0m.py:1" in text


def test_environment_does_not_change_the_text() -> None:
    expected = render(samples.report(), "text", RenderOptions())
    with patch.dict(os.environ, {"COLUMNS": "200", "FORCE_COLOR": "1", "TERM": "xterm-256color"}):
        assert render(samples.report(), "text", RenderOptions()) == expected


def test_what_was_not_found_is_folded() -> None:
    text = render(samples.report(), "text", RenderOptions(verbose=True))
    assert "  cd/ absent: model-deploy, pipeline-deploy\n" in text
    assert text.count("monitoring/drift") == 1, "only the next step names it in full"


def test_a_practice_that_is_not_met_says_what_it_needs() -> None:
    text = render(samples.report(), "text", RenderOptions())
    assert "needs wired: the script has no `set -e`" in " ".join(text.split())
    assert "implemented: real code or configuration does it" in " ".join(text.split())


def test_a_long_path_that_could_not_be_read_stays_in_one_piece() -> None:
    path = "a/" * 60 + "x.yml"
    report = replace(samples.report(), incomplete=(Incomplete(path, "line 3: found a tab"),))
    lines = render(report, "text", RenderOptions()).splitlines()
    assert f"  {path}" in lines
    assert "      line 3: found a tab" in lines
