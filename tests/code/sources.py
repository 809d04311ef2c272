"""Facts and indexes of literal sources."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_scan.code.build import Source, build
from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex


def module_of(text: str, path: str = "m.py") -> Module:
    """The facts of one text."""
    built = build(Source(path, text, path.endswith(".ipynb")))
    assert built.module is not None, built.problem
    return built.module


def index_of(files: Mapping[str, str]) -> CodeIndex:
    """The index of a tree given as texts by path."""
    return CodeIndex([module_of(text, path) for path, text in files.items()])


def calls(text: str) -> list[str]:
    """The names of the calls of a text, in order."""
    return [call.name for call in module_of(text).calls]
