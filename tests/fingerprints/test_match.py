from __future__ import annotations

from pathlib import Path

from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.globs import matches
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.rulebook import Tool
from mlops_scan.words import Location
from tests.fingerprints.books import in_documents, matcher_of, uses


def test_names(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"files": ["uv.lock", "*.dvc", "/.github/CODEOWNERS"]})
    paths = ["uv.lock", "a/uv.lock", "data/x.csv.dvc", ".github/CODEOWNERS", "a/.github/CODEOWNERS", "xuv.lock"]
    files = list(Documents.of(dict.fromkeys(paths, "x") | {"empty.dvc": ""}).files.values())
    assert [str(use.location) for use in matcher.in_names(files)] == [
        "uv.lock:1",
        "a/uv.lock:1",
        "data/x.csv.dvc:1",
        ".github/CODEOWNERS:1",
    ]
    assert matches("a/b.dvc", ("*.dvc",))


def test_a_matcher_without_tools_finds_nothing() -> None:
    tools: list[Tool] = []
    matcher = Matcher(tools)
    assert uses(matcher, "import a\na.b()") == []
    assert in_documents(matcher, "x.yaml", "a: 1\n") == []
    assert list(matcher.in_names([])) == []
    assert matcher.in_command(("a",), Location("x", 1)) == []
