"""Grammars come without what their packages import beside them, or as packages where they are built differently."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from tree_sitter import Language, Parser

from mlops_scan.documents import trees

_TEXTS = {
    "bash": b"set -e\nmake train && ./deploy.sh",
    "bicep": b"resource a 'b@2020-01-01' = { name: 'c' }",
    "hcl": b'resource "a" "b" { c = 1 }',
    "python": b"def f(x):\n    return x\n",
    "typescript": b"new aws.s3.Bucket('b', { acl: 'private' });",
}


@pytest.mark.parametrize("name", sorted(_TEXTS))
def test_a_grammar_is_the_one_that_its_package_gives(name: str) -> None:
    package, function = trees._GRAMMARS[name]
    whole = Language(getattr(import_module(package), function)())
    own = trees._language(name)
    assert (own.node_kind_count, own.field_count) == (whole.node_kind_count, whole.field_count)
    assert str(Parser(own).parse(_TEXTS[name]).root_node) == str(Parser(whole).parse(_TEXTS[name]).root_node)


def test_the_package_itself_serves_where_it_has_no_such_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_scan.documents.trees.PathFinder", SimpleNamespace(find_spec=lambda *_: None))
    assert trees._grammar("tree_sitter_bash") is import_module("tree_sitter_bash")


def test_a_package_that_is_not_there_is_said() -> None:
    with pytest.raises(ImportError, match="tree_sitter_klingon"):
        trees._grammar("tree_sitter_klingon")


def test_reading_shell_imports_no_resources() -> None:
    code = (
        "import sys; from mlops_scan.documents import shell; print(len(shell.parse('make train').commands), "
        "sorted({'importlib.resources', 'tempfile', 'shutil'}.intersection(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "1 []"
