"""Tools written as the rules write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.use import Use
from mlops_scan.rulebook import RuleBook, load
from tests.code.sources import index_of

PRACTICE: dict[str, Any] = {
    "id": "a/one",
    "title": "One",
    "minimum": "wired",
    "what": "It is one.",
    "gap": "MLS301",
    "remedy": "Do one.",
}


def write_book(folder: Path, files: Mapping[str, object]) -> Path:
    """Write rule files (text, or data that becomes YAML) below `folder`, with the practice `a/one` among them."""
    for name, content in {"practices/a.yaml": {"practices": [PRACTICE]}, **files}.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        target.write_text(text, encoding="utf-8")
    return folder


def book_of(folder: Path, *signals: Mapping[str, object]) -> RuleBook:
    """A book of the tool `t` with the given signals; each serves `a/one` unless it says otherwise."""
    complete = [
        signal if "serves" in signal or "does" in signal else {"serves": "a/one", **signal} for signal in signals
    ]
    return load(write_book(folder, {"tools/t.yaml": {"family": "f", "tools": [{"id": "t", "signals": complete}]}}))


def matcher_of(folder: Path, *signals: Mapping[str, object]) -> Matcher:
    """A matcher for these signals."""
    return Matcher(book_of(folder, *signals).tools.values())


def uses(matcher: Matcher, files: Mapping[str, str] | str, path: str = "m.py") -> list[Use]:
    """The uses in a module of a tree given as texts."""
    index = index_of({path: files} if isinstance(files, str) else files)
    return list(matcher.in_module(index, index.modules[path]))


def in_documents(matcher: Matcher, path: str, text: str) -> list[tuple[str, str]]:
    """The uses of the matcher in a document, as their names and places."""
    documents = Documents.of({path: text})
    found = matcher.in_documents(documents.files[path], documents.nodes(path))
    return [(use.name, str(use.location)) for use in found]
