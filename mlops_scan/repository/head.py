"""The commit of HEAD where a repository keeps it in plain files: to start git for it costs more than a small list."""

from __future__ import annotations

from pathlib import Path

from mlops_scan.repository.files import Folder
from mlops_scan.repository.git import Head, is_bare

_BYTES = 4_000_000  # of the list of packed refs, the longest of the files
_HEX = b"0123456789abcdef"
_WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


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
    found = _hash(head)
    if found is None:
        name = _name(head)
        if name is None:
            return None
        try:
            found = _hash(_read(files, name.decode("ascii")))
        except FileNotFoundError:
            packed = b"\n" + _read(files, "packed-refs")
            end = packed.find(b" " + name + b"\n")
            found = _hash(packed[packed.rfind(b"\n", 0, max(end, 0)) + 1 : end]) if end > 0 else None
    return found


def _hash(data: bytes) -> str | None:
    """The commit that a file names."""
    found = data.rstrip()
    return found.decode("ascii") if len(found) == 40 and not found.translate(None, _HEX) else None


def _name(head: bytes) -> bytes | None:
    """The ref that a HEAD names: a path below `refs` of plain names, none of which leads upwards or is hidden."""
    name = head.removeprefix(b"ref: ").rstrip()
    parts = name.split(b"/")
    plain = all(part and not part.startswith(b".") and not part.translate(None, _WORD) for part in parts)
    return name if head.startswith(b"ref: refs/") and len(parts) > 1 and plain else None


def _read(files: Folder, name: str) -> bytes:
    """A file of the git folder; none is followed when it is a link, and none is cut off unseen."""
    data = files.read(name, _BYTES)
    if len(data) == _BYTES:
        raise OSError(f"{name} is too long")
    return data
