"""Workspaces: the folders that a monorepo declares as its members.

Read are uv (https://docs.astral.sh/uv/concepts/projects/workspaces/), rye, Poetry's and uv's path dependencies, Nx
(`project.json`), Pants and Bazel (a `BUILD` file with something that can be started).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from posixpath import normpath

from mlops_scan.detectors.base import Context
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.words import Role

_PANTS, _BAZEL = frozenset({"pants.toml"}), frozenset({"WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"})
_BUILD_FILES = frozenset({"BUILD", "BUILD.bazel", "BUILD.pants"})
# Targets that can be started or shipped; a library target makes no component.
_EXECUTABLE = regex(
    r"^[ \t]*(pex_binary|pex_binaries|python_awslambda|python_aws_lambda_function|python_google_cloud_function|"
    r"py_binary|py_image|py3_image|py_image_layer|docker_image|oci_image)[ \t]*\(",
    re.M,
)


def members(context: Context) -> frozenset[str]:
    """Folders below the root that a workspace declares as projects of their own; empty where none is declared."""
    names = context.documents.files.keys()  # at the root a path is a name
    found: set[str] = set()
    if "pyproject.toml" in names:
        for document in context.documents.nodes("pyproject.toml"):
            found.update(_of_pyproject(document, _package_folders(context)))
    if "nx.json" in names:
        found.update(_holding(context, frozenset({"project.json"})))
    if not names.isdisjoint(_PANTS | _BAZEL):
        found.update(_executable(context))
    return frozenset(found - {"", "."})


def _package_folders(context: Context) -> list[str]:
    return list(_holding(context, frozenset({"pyproject.toml", "setup.py"})))


def _holding(context: Context, names: frozenset[str]) -> Iterator[str]:
    return (file.folder for file in context.named(*names) if file.folder and file.role is Role.SOURCE)


def _of_pyproject(document: Node, packages: Iterable[str]) -> Iterator[str]:
    for tool in ("uv", "rye"):
        table = document.path("tool", tool, "workspace")
        if table is not None:
            wanted = [normpath(glob) for glob in _strings(table.get("members"))]
            left_out = [normpath(glob) for glob in _strings(table.get("exclude"))]
            for folder in packages:
                if _matches(folder, wanted) and not _matches(folder, left_out):
                    yield folder
    for keys in (("tool", "poetry", "dependencies"), ("tool", "uv", "sources")):
        table = document.path(*keys)
        for _, value in table.entries if table is not None else ():
            path = value.get("path")
            if path is not None and path.string():
                yield normpath(path.string() or "")


def _matches(folder: str, globs: Iterable[str]) -> bool:
    """Whether a member glob names the folder; `*` stays within one name."""
    parts = folder.split("/")
    for glob in globs:
        wanted = glob.split("/")
        if len(wanted) == len(parts) and all(map(fnmatchcase, parts, wanted)):
            return True
    return False


def _strings(node: Node | None) -> tuple[str, ...]:
    return node.strings() if node is not None else ()


def _executable(context: Context) -> Iterator[str]:
    for file in context.named(*_BUILD_FILES):
        named = file.folder and file.role is Role.SOURCE
        if named and _EXECUTABLE.search(context.documents.text(file.path)):
            yield file.folder
