from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.documents.store import Documents
from tests.fingerprints.books import in_documents, matcher_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kind: Service\nspec: {a: 1}\n", [("spec.a", "x.yaml:2")]),
        ("kind: Other\nspec: {a: 1}\n", []),
        ("spec: {a: 1}\n", []),
        ("kind: Service\n", []),
        ("kind: Other\n---\nkind: Service\nspec:\n  a: 1\n", [("spec.a", "x.yaml:5")]),
        ("kind: Service\n---\nspec: {a: 1}\n", []),
        ("kind: Service\nspec: {a: 1}\n---\nkind: Service\nspec: {a: 1}\n", [("spec.a", "x.yaml:2")]),
        ("[1, 2]\n", []),
        ("", []),
    ],
)
def test_all_keys_must_stand_in_one_document(tmp_path: Path, text: str, found: list[tuple[str, str]]) -> None:
    matcher = matcher_of(tmp_path, {"keys": {"spec.a": True, "kind": "Serv*"}})
    assert in_documents(matcher, "x.yaml", text) == found


def test_files_limit_keys(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"keys": {"a|b": True}, "files": ["/conf/*.toml"]})
    assert in_documents(matcher, "conf/x.toml", "b = 1\n") == [("a|b", "conf/x.toml:1")]
    assert in_documents(matcher, "other/conf/x.toml", "b = 1\n") == []
    assert list(matcher.in_names(list(Documents.of({"conf/x.toml": "b = 1\n"}).files.values()))) == []
