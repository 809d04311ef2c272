"""Git-LFS pointers: short texts that stand in the place of large files (docs/spec.md of git-lfs)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Role

_LARGE = frozenset({Role.MODEL, Role.DATA})
_SHORTEST, _LONGEST = 60, 1024  # bytes; the specification limits a pointer to less than 1024
_ATTRIBUTES_BYTES = 1_000_000
_POINTER = regex(
    rb"version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?size (\d{1,18})\n"
)


def with_stated_sizes(files: Iterable[File]) -> list[File]:
    """The files, each pointer of a model or data file with the size of what it points to.

    Nothing is looked at where no .gitattributes of the tree hands files to LFS.
    """
    known = list(files)
    if not any(_hands_to_lfs(file) for file in known if file.path.endswith(".gitattributes")):
        return known
    return [_stated(file) for file in known]


def is_pointer(data: bytes) -> bool:
    """Whether the bytes of a file are a pointer."""
    return len(data) < _LONGEST and data.startswith(b"version http") and _POINTER.match(data) is not None


def _hands_to_lfs(file: File) -> bool:
    try:
        return b"filter=lfs" in file.read(_ATTRIBUTES_BYTES)
    except OSError:
        return False


def _stated(file: File) -> File:
    if file.role not in _LARGE or not _SHORTEST <= file.size < _LONGEST:
        return file
    try:
        match = _POINTER.match(file.read(_LONGEST))
    except OSError:
        return file
    return file if match is None else replace(file, size=int(match[1]), lfs=True)
