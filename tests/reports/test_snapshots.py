"""What each format looks like, on hand-built reports: a change of a format shows here, a change of a rule does not.

The hostile report shows the escapes of the formats in which people read scanned text. Text and SARIF have theirs beside
their own tests.
"""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion

from mlops_scan.reports import RenderOptions, render
from mlops_scan.reports.places import Forge, Places
from tests.reports import samples

OPTIONS = RenderOptions(
    places=Places(
        "models/a",
        forge=Forge("https://forge.example/a/b", "https://forge.example/a/b/blob/0123/{path}", "#L{first}-L{last}"),
    )
)


@pytest.mark.parametrize(
    "name", ["html", "markdown", "github", "gitlab-codequality", "junit", "csv", "cyclonedx", "badge", "shields"]
)
def test_full(name: str, snapshot: SnapshotAssertion) -> None:
    assert _shown(render(samples.report(), name, OPTIONS)) == snapshot


@pytest.mark.parametrize("name", ["html", "markdown", "junit", "cyclonedx", "shields"])
def test_without_ml(name: str, snapshot: SnapshotAssertion) -> None:
    assert _shown(render(samples.without_ml(), name, OPTIONS)) == snapshot


@pytest.mark.parametrize("name", ["markdown", "github", "csv"])
def test_hostile(name: str, snapshot: SnapshotAssertion) -> None:
    assert _shown(render(samples.hostile(), name, OPTIONS)) == snapshot


def _shown(text: str) -> str:
    """Without the style sheet, the script and their hashes, which are files of their own."""
    text = re.sub(r"(<(style|script)>).*?(</\2>)", r"\1…\3", text, flags=re.DOTALL)
    return re.sub(r"sha256-[\w+/=]+", "sha256-…", text)
