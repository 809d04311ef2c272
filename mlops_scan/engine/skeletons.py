"""Repositories without code for a model whose script makes a project from a skeleton that lies elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_scan.regex import regex
from mlops_scan.words import Location

if TYPE_CHECKING:
    from mlops_scan.detectors.base import Context

_SCRIPTS = (".sh", ".bash", ".ps1", ".bat")
_MAX_SCRIPT = 100_000  # bytes
_GENERATES = ("cookiecutter ", "copier copy ", "databricks bundle init ")
# what is cloned becomes a project of its own: its history is thrown away, or it goes to a new place
_ANEW = regex(
    r"(^|[;&|]\s*)(rm -\w+ (\S*/)?\.git/?(\s|$)|git init\b|gh repo create\b)", words=(".git", "git init", "gh repo")
)
_ADDRESS = regex(r"(?:https?://|git@)[\w.:/@~-]+", words=("http", "git@"))


def copied_skeleton(context: Context) -> tuple[Location, str] | None:
    """Where a script of the repository makes a project from a skeleton, and the skeleton's address if it is said."""
    for file in context.ending(_SCRIPTS):
        if file.size > _MAX_SCRIPT:
            continue
        lines = [line.strip() for line in context.documents.text(file.path).split("\n")]
        anew = any(_ANEW.search(line) for line in lines if not line.startswith("#"))
        for number, line in enumerate(lines, start=1):
            cloned = anew and line.startswith("git clone")
            if cloned or (line.startswith(_GENERATES) and not line.endswith((" --help", " --version"))):
                here = _ADDRESS.search(line) or next(filter(None, map(_ADDRESS.search, lines)), None)
                return Location(file.path, number), here.group() if here is not None else ""
    return None
