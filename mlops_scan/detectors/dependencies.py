"""The dependencies that a repository's manifests declare, each with its file and line, and how tightly it is pinned."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.node import Node
from mlops_scan.documents.requirements import Requirement, normalised
from mlops_scan.documents.store import language_of
from mlops_scan.regex import regex
from mlops_scan.words import FOREIGN

_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = regex(r"[=\s]*([0-9][0-9A-Za-z.!+_-]*)")
MODEL_FILE = "MLmodel"
"""What describes a model that MLflow has saved, in the folder of the model. https://mlflow.org/docs/latest/ml/model/"""

_CONDA = regex(r"(conda[\w-]*|environment[\w.-]*|[\w-]*conda_dependencies)\.ya?ml")


class Declared(Struct, frozen=True):
    """One declared dependency. `manifest` is the kind of file: requirements, pyproject, conda or pipfile."""

    name: str
    path: str
    line: int
    pinned: bool
    manifest: str
    optional: bool = False
    version: str = ""  # the exact version, where the manifest states one


@kept
def declared(context: Context) -> tuple[Declared, ...]:
    """Every declared dependency, in path order."""
    return tuple(_declared(context))


@kept
def declared_in(context: Context) -> Mapping[str, list[Declared]]:
    """The declared dependencies by the file that declares them, in path order."""
    found: dict[str, list[Declared]] = defaultdict(list)
    for item in declared(context):
        found[item.path].append(item)
    return dict(found)


def _declared(context: Context) -> Iterator[Declared]:
    for file in context.repository.files:
        if file.role in FOREIGN or not _may_declare(file.path.lower()):
            continue
        if f"{file.folder}/{MODEL_FILE}".lstrip("/") in context.documents.files:
            continue  # MLflow writes it beside a model: what that model needs, not what this project declares
        name = context.local(file.path).rpartition("/")[2].lower()
        if language_of(file.path) == "requirements" or (name.endswith(".txt") and "requirement" in file.path.lower()):
            for item in context.documents.requirements(file.path):
                if item.kind in ("package", "url") and item.name:
                    yield _of(item, file.path, "requirements")
        elif name == "pyproject.toml" or name == "pipfile" or _CONDA.fullmatch(name):
            reader = {"pyproject.toml": _pyproject, "pipfile": _pipfile}.get(name, _conda)
            for document in context.documents.nodes(file.path):
                yield from reader(file.path, document)


def _may_declare(path: str) -> bool:
    """Whether a path, in lower case, has a word without which it is none of a manifest."""
    return (
        "requirement" in path
        or "pyproject" in path
        or "environment" in path
        or "conda" in path
        or "constraints" in path
        or "pipfile" in path
    )


def _pipfile(path: str, document: Node) -> Iterator[Declared]:
    for table in ("packages", "dev-packages"):
        yield from _table(path, document.get(table), "pipfile", table != "packages")


def _conda(path: str, document: Node) -> Iterator[Declared]:
    from mlops_scan.documents.requirements import parse_conda

    for item in parse_conda(document):
        if item.name and item.name not in ("python", "pip"):
            yield _of(item, path, "conda")


def _of(item: Requirement, path: str, manifest: str) -> Declared:
    return Declared(item.name, path, item.line, item.pinned, manifest, version=_exact(item.specifier, item.pinned))


def _exact(specifier: str, pinned: bool) -> str:
    """The version of `==1.2`, `=1.2=build` or `1.2`; empty where it is a range."""
    found = _VERSION.match(specifier) if pinned else None
    return found.group(1) if found else ""


def _pyproject(path: str, document: Node) -> Iterator[Declared]:
    yield from _strings(path, document.path("project", "dependencies"), False)
    groups_at: tuple[tuple[str, ...], ...] = (("project", "optional-dependencies"), ("dependency-groups",))
    for keys in groups_at:
        node = document.path(*keys)
        for _, group in node.entries if node is not None else ():
            yield from _strings(path, group, True)
    yield from _table(path, document.path("tool", "poetry", "dependencies"), "pyproject", False)
    groups = document.path("tool", "poetry", "group")
    for _, group in groups.entries if groups is not None else ():
        yield from _table(path, group.get("dependencies"), "pyproject", True)


def _strings(path: str, node: Node | None, optional: bool) -> Iterator[Declared]:
    for item in node.items if node is not None else ():
        text = item.string() or ""
        match = _NAME.match(text)
        if match:
            pinned = "==" in text and "*" not in text.partition("==")[2].partition(";")[0]
            version = _exact(text.partition("==")[2].strip(), pinned)
            yield Declared(normalised(match.group()), path, item.line, pinned, "pyproject", optional, version)


def _table(path: str, node: Node | None, manifest: str, optional: bool) -> Iterator[Declared]:
    for name, value in node.entries if node is not None else ():
        if name.lower() == "python":
            continue
        version = (value.get("version") if value.kind == "mapping" else value) or value
        text = version.string() or ""
        pinned = text.startswith("==") or bool(re.fullmatch(r"\d+(\.\d+)+", text))
        yield Declared(normalised(name), path, value.at, pinned, manifest, optional, _exact(text, pinned))
