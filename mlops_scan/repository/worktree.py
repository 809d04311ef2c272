"""List a work tree as git sees it: tracked files, and untracked ones that are not ignored."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path

from msgspec.structs import replace

from mlops_scan.regex import regex
from mlops_scan.repository import git
from mlops_scan.repository.files import Folder
from mlops_scan.repository.folder import on_disk, through_link
from mlops_scan.repository.head import plain_head
from mlops_scan.repository.listed import Item, Listing

_LIST = ("ls-files", "-z", "-t", "-s", "--cached", "--others", "--exclude-standard")
_MAX_DEPTH = 8  # submodules in submodules
_SETTINGS_BYTES = 1_000_000  # of one attributes or configuration file that are looked at


def work_tree(
    root: Path, top: Path, submodules: bool, depth: int = 0, meanwhile: Callable[[], object] | None = None
) -> Listing | None:
    """The files below `root`, a folder of the work tree at `top`; None where git cannot be used or knows nothing of it.

    With `submodules` those that are checked out are entered. `meanwhile` is what to do while git lists; it may be
    called or not.
    """
    folder = git.GitFolder(top / ".git", top)
    try:
        head = plain_head(folder.path) or folder.resolve("HEAD")
        listing = git.run(_LIST, folder.place, root, meanwhile=meanwhile)
    except git.GitError:
        return None
    if not listing and root != top:
        return None  # an ignored folder inside somebody else's repository
    index = _Index(listing)
    items = list(on_disk(root, index.files))
    present = {item.path for item in items}
    absent = {name: index.files[name] for name in index.sparse if name not in present}
    converting = _converts(root, top, head.objects.parent, present)
    converted = _clean(root, folder, items, index) if converting else {}
    result = Listing(items, head.commit)
    if absent or converted:
        result = _from_objects(root, result, head, absent, converted, converting is _Converting.ANYHOW)
    if not submodules or depth >= _MAX_DEPTH:
        return result.joined([Listing([], skipped=tuple(index.submodules))])
    return result.joined(_inside(root, name, depth) for name in index.submodules)


class _Index:
    """The parsed output of `git ls-files -z -t -s --others`: `tag mode object stage<TAB>name`, or `? name`."""

    def __init__(self, listing: bytes) -> None:
        self.files: dict[str, str] = {}  # name: blob, empty for an untracked file
        self.sparse: list[str] = []  # left out by a sparse checkout
        self.submodules: list[str] = []
        for record in os.fsdecode(listing).split("\0"):
            if record.startswith("? "):
                self.files[record[2:]] = ""
                continue
            meta, tab, name = record.partition("\t")
            if not tab:
                continue
            tag, mode, blob, _ = meta.split(" ")
            if mode == "160000":
                self.submodules.append(name)
            elif mode != "120000":
                self.files[name] = blob
                if tag == "S":
                    self.sparse.append(name)


def _from_objects(
    root: Path, listing: Listing, head: git.Head, absent: dict[str, str], converted: dict[str, str], anyhow: bool
) -> Listing:
    """The listing with those files read from git's objects that are not on disk, or not as git keeps them.

    What converts line ends, keywords and large files changes the size of a file or nothing; of `anyhow` converted ones
    nothing is known.
    """
    from mlops_scan.repository.objects import Blobs, Clean, ObjectStore

    try:
        store = ObjectStore(head.objects, head.hash_name)
        sizes = store.sizes([*absent.values(), *converted.values()])
    except git.GitError:
        return listing
    if not anyhow:
        kept = {item.path: item.size for item in listing.items}
        converted = {name: blob for name, blob in converted.items() if sizes.get(blob) != kept.get(name)}
    blobs = Blobs(store, {**absent, **converted})
    clean = Clean(blobs, sizes, Folder(str(root)))
    items = [
        Item(item.path, sizes[blob], clean, int(blob, 16)) if (blob := converted.get(item.path, "")) in sizes else item
        for item in listing.items
    ]
    items += [Item(name, sizes.get(blob, 1), blobs, int(blob, 16)) for name, blob in absent.items()]
    notices = (f"{len(absent)} files outside the sparse checkout are read from git's objects",) if absent else ()
    return Listing(items, listing.revision, notices, close=(store.close,))


def _inside(root: Path, name: str, depth: int) -> Listing:
    """The files of a submodule by their path in the outer repository."""
    inner = root / name
    if through_link(root, name, {}) or not (inner / ".git").exists():
        return Listing([], skipped=(name,))
    found = work_tree(inner, inner, True, depth + 1)
    if found is None:
        return Listing([], skipped=(name,))
    return replace(found, revision=None).below(name)


# -- conversions -----------------------------------------------------------------------------------------------------
#
# A checkout can differ from what is committed: line ends (core.autocrlf, text, eol), keywords (ident), encodings and
# filters such as Git LFS. The report must not depend on that. So where something may convert, files that have not
# changed since git wrote or read them are taken from the objects, as any other clone has them.


class _Converting(Enum):
    """How files of a checkout may differ from their blobs."""

    NEVER = ""
    IN_SIZE = "in size"
    ANYHOW = "anyhow"

    def __bool__(self) -> bool:
        return self is not _Converting.NEVER


_CONVERTING = regex(
    rb"(?<![\w-])(?:text|eol|crlf|ident|filter|working-tree-encoding)\b",
    words=(b"text", b"eol", b"crlf", b"ident", b"filter", b"working-tree-encoding"),
)
_REWRITING = regex(
    rb"(?<![\w-])(?:filter(?!=lfs\b)|working-tree-encoding)\b", words=(b"filter", b"working-tree-encoding")
)
_CONVERTING_SETTING = regex(rb"(?i)\b(?:autocrlf|eol)\b", words=(b"autocrlf", b"eol"))
_STAT = regex(
    r"\d+ (?P<blob>[0-9a-f]+) (?P<stage>\d)\t(?P<name>[^\0]*)\0\s+ctime: \S+\s+mtime: (?P<seconds>\d+):(?P<nano>\d+)\s"
    r"[^\0]*?\ssize: (?P<size>\d+)\s+flags: [0-9a-f]+\n"
)


def _converts(root: Path, top: Path, common: Path, names: Iterable[str]) -> _Converting:
    """Whether any setting may make files of a checkout differ from their blobs."""
    inner = [name for name in names if name.endswith(".gitattributes")]
    attributes = [root / name for name in inner] + [common / "info" / "attributes"]
    attributes += [folder / ".gitattributes" for folder in (root, *root.parents) if folder.is_relative_to(top)]
    found = [path for path in attributes if _mentions(path, _CONVERTING)]
    if any(_mentions(path, _REWRITING) for path in found):
        return _Converting.ANYHOW
    if found or sys.platform == "win32":  # the installer of git sets core.autocrlf for all users
        return _Converting.IN_SIZE
    home = Path(os.environ.get("HOME", "/"))
    personal = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"
    settings = (common / "config", home / ".gitconfig", personal, Path("/etc/gitconfig"))
    return _Converting.IN_SIZE if any(_mentions(path, _CONVERTING_SETTING) for path in settings) else _Converting.NEVER


def _mentions(path: Path, words: re.Pattern[bytes]) -> bool:
    with suppress(OSError):
        return words.search(Folder(str(path.parent)).read(path.name, _SETTINGS_BYTES)) is not None
    return False


def _clean(root: Path, folder: git.GitFolder, items: list[Item], index: _Index) -> dict[str, str]:
    """The blobs of files whose time and size are those that the index remembers."""
    try:
        text = os.fsdecode(git.run(("ls-files", "-z", "-s", "--debug"), folder.place, root))
    except git.GitError:
        return {}
    known = {name: (blob, seconds, nano, size) for name, blob, seconds, nano, size in _stats(text)}
    found, before = {}, f"{root}{os.sep}"
    for item in items:
        blob, seconds, nano, size = known.get(item.path, ("", 0, 0, 0))
        if not blob or index.files.get(item.path) != blob or size != item.size & 0xFFFF_FFFF:
            continue
        with suppress(OSError):
            changed = os.lstat(before + item.path).st_mtime_ns
            if changed // 1_000_000_000 == seconds and nano in (0, changed % 1_000_000_000):
                found[item.path] = blob
    return found


def _stats(text: str) -> Iterator[tuple[str, str, int, int, int]]:
    """Name, blob, time (seconds, nanoseconds) and size of each unconflicted entry in `git ls-files -s --debug`."""
    position = 0
    while (match := _STAT.match(text, position)) is not None:
        position = match.end()
        if match["stage"] == "0":
            yield match["name"], match["blob"], int(match["seconds"]), int(match["nano"]), int(match["size"])
