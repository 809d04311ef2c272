"""Which files of a checkout may have other bytes than git keeps of them.

A checkout can differ from what is committed: line ends (core.autocrlf, text, eol), keywords (ident), encodings and
filters such as Git LFS. Who asks for that is found in the attributes and settings; which files a line of attributes
speaks of is told roughly, by where it stands and how its pattern ends.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from mlops_scan.regex import regex
from mlops_scan.repository.files import Folder

_SETTINGS_BYTES = 1_000_000  # of one attributes or configuration file that are looked at
_MAX_ENDINGS = 100  # of the patterns of one attributes file that are told apart
_MAX_SCOPES = 50  # attributes files that are
_BOM = b"\xef\xbb\xbf"
_CONVERTING = regex(
    rb"(?<![\w-])(?:text|eol|crlf|ident|filter|working-tree-encoding)\b",
    words=(b"text", b"eol", b"crlf", b"ident", b"filter", b"working-tree-encoding"),
)
_REWRITING = regex(
    rb"(?<![\w-])(?:filter(?!=lfs\b)|working-tree-encoding)\b", words=(b"filter", b"working-tree-encoding")
)
_CONVERTING_SETTING = regex(rb"(?i)\b(?:autocrlf|eol)\b", words=(b"autocrlf", b"eol"))


class Scope(Struct, frozen=True):
    """What one attributes file speaks of: the files below a folder whose paths end in one of some ways."""

    folder: str = ""
    """With its slash; empty at the root."""
    endings: tuple[str, ...] = ("",)
    """In the form that `casefold` gives: a repository may ask git to ignore case."""


class Conversions(Struct, frozen=True):
    """Which files may differ from their blobs, and whether they may do so without another size."""

    scopes: tuple[Scope, ...] = ()
    anyhow: bool = False

    def __bool__(self) -> bool:
        return bool(self.scopes)

    def reach(self, path: str) -> bool:
        """Whether a file may differ."""
        folded = ""
        for scope in self.scopes:
            if path.startswith(scope.folder):
                folded = folded or path.casefold()
                if folded.endswith(scope.endings):
                    return True
        return False

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders below which all such files lie; empty where that is the root."""
        folders = tuple(dict.fromkeys(scope.folder for scope in self.scopes))
        return () if "" in folders else folders


def conversions(root: Path, top: Path, common: Path, names: Iterable[str]) -> Conversions:
    """What the attributes and settings ask for in a checkout.

    Args:
        root: the folder that is listed.
        top: the work tree that it lies in.
        common: the git folder.
        names: the files below `root`.
    """
    outer = [common / "info" / "attributes"]
    outer += [folder / ".gitattributes" for folder in root.parents if folder.is_relative_to(top)]
    places = [("", path) for path in outer]
    places += [(name[: -len(".gitattributes")], root / name) for name in names if name.endswith(".gitattributes")]
    found = [(folder, text) for folder, path in places if _CONVERTING.search(text := _read(path))]
    anyhow = any(_REWRITING.search(text) for _, text in found)
    if len(found) > _MAX_SCOPES or sys.platform == "win32" or _set_for_all(common):
        return Conversions((Scope(),), anyhow)  # on Windows the installer of git sets core.autocrlf for all users
    scopes = (Scope(folder, endings) for folder, text in found if (endings := _endings(text)))
    return Conversions(tuple(scopes), anyhow)


def _set_for_all(common: Path) -> bool:
    home = Path(os.environ.get("HOME", "/"))
    personal = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"
    settings = (common / "config", home / ".gitconfig", personal, Path("/etc/gitconfig"))
    return any(_CONVERTING_SETTING.search(_read(path)) for path in settings)


def _read(path: Path) -> bytes:
    with suppress(OSError):
        return Folder(str(path.parent)).read(path.name, _SETTINGS_BYTES)
    return b""


def _endings(text: bytes) -> tuple[str, ...]:
    """How the paths end that the converting lines of an attributes file speak of; one that is empty where any may."""
    lines = (line.strip(b" \t\r") for line in text.removeprefix(_BOM).split(b"\n"))
    endings = set(_of_lines(line for line in lines if not line.startswith(b"#") and _CONVERTING.search(line)))
    return ("",) if "" in endings or len(endings) > _MAX_ENDINGS else tuple(sorted(endings))


def _of_lines(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        pattern = re.split(rb"[ \t\r]", line, maxsplit=1)[0]
        if pattern.startswith((b'"', b"[attr]")) or b"\\" in pattern or b"\0" in line:
            yield ""  # quoted, a name for attributes, escaped: not worth the reading
        else:
            yield os.fsdecode(re.split(rb"[]/*?]", pattern)[-1]).casefold()
