"""What a report says of files that one scan does not read, because there are too many."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mlops_scan.documents.store import Documents
from mlops_scan.words import Role


def notices(
    documents: Documents, python: Collection[str], definitions: Collection[str], notebooks: int, r_files: int
) -> Iterator[str]:
    """A notice for each kind of files of which some are left out: their paths or their number."""
    if python:
        yield (
            "there is more Python around the use of known tools than one scan parses; left out: "
            f"{_counted(python, documents)}, the furthest from it; scan a folder of this repository for more"
        )
    if definitions:
        yield (
            "there are more YAML, JSON, TOML and infrastructure files than one scan parses; left out: "
            f"{_counted(definitions, documents)}, the largest; scan a folder of this repository for more"
        )
    if notebooks:
        yield (
            f"there are more notebooks than one scan reads: {notebooks}, those outside the main code first and then "
            "those furthest from the root, are left out; scan a folder of this repository for more"
        )
    if r_files:
        yield f"there is more R than one scan parses: {r_files} files are left out"


def _counted(left: Collection[str], documents: Documents) -> str:
    """How many files are left out, and how many of them are tests, if any."""
    tests = sum(1 for path in left if documents.files[path].role is Role.TEST)
    return f"{len(left)} file{'s' if len(left) > 1 else ''}{f' ({tests} of them tests)' if tests else ''}"
