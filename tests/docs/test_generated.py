"""The committed pages of docs/rules and the sample in README.md are what docs/generate.py writes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_scan.rulebook import load

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "rules").glob("*.md"))
TEXTS = [*PAGES, *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")), ROOT / "rules" / "README.md"]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _anchors(path: Path) -> list[str]:
    """The anchors of a page's headings, those in code blocks left out."""
    prose = re.sub(r"^(`{3,}).*?^\1$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [_anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)]


def test_the_committed_pages_are_the_generated_ones() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


def test_every_finding_and_every_practice_has_a_section() -> None:
    book = load()
    findings = _anchors(ROOT / "docs" / "rules" / "findings.md")
    assert set(findings) >= {id_.lower() for id_ in book.findings}
    practices = _anchors(ROOT / "docs" / "rules" / "practices.md")
    assert set(practices) >= {_anchor(id_) for id_ in book.practices}
    assert len(practices) == len(set(practices)), "two sections share an anchor"


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, fragment = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not fragment or fragment in _anchors(file), f"{page.name} links to {target}"
