"""The commit of HEAD where a repository keeps it in plain files: to start git for it costs more than a small list."""

from __future__ import annotations

from pathlib import Path

from mlops_scan.regex import regex
from mlops_scan.repository.files import Folder
from mlops_scan.repository.git import Head, is_bare

_BYTES = 4_000_000  # of the list of packed refs, the longest of the files
_NAME = regex(rb"ref: (refs/[\w-][\w.-]*(?:/[\w-][\w.-]*)*)\s*")  # no folder above, no hidden one
_COMMIT = regex(rb"([0-9a-f]{40})\s*")


def plain_head(folder: Path) -> Head | None:
    """HEAD of the git folder at `folder`; None where git has to be asked.

    That is so for work trees and submodules whose git folder lies elsewhere, for other hashes and kinds of ref storage
    (both need `extensions` in the configuration), and where HEAD names no commit.
    """
    files = Folder(str(folder))
    try:
        if not is_bare(folder) or (folder / "commondir").exists() or b"extensions" in _read(files, "config").lower():
            return None
        commit = _commit(files, _read(files, "HEAD"))
    except OSError:
        return None
    return None if commit is None else Head(commit, folder / "objects", "sha1")


def _commit(files: Folder, head: bytes) -> str | None:
    found = _COMMIT.fullmatch(head)
    if found is None:
        name = _NAME.fullmatch(head)
        if name is None:
            return None
        try:
            found = _COMMIT.fullmatch(_read(files, name[1].decode("ascii")))
        except FileNotFoundError:
            packed = b"\n" + _read(files, "packed-refs")
            end = packed.find(b" " + name[1] + b"\n")
            found = _COMMIT.fullmatch(packed[packed.rfind(b"\n", 0, max(end, 0)) + 1 : end]) if end > 0 else None
    return None if found is None else found[1].decode("ascii")


def _read(files: Folder, name: str) -> bytes:
    """A file of the git folder; none is followed when it is a link, and none is cut off unseen."""
    data = files.read(name, _BYTES)
    if len(data) == _BYTES:
        raise OSError(f"{name} is too long")
    return data
