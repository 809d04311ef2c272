"""List a work tree as git sees it: tracked files, and untracked ones that are not ignored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.regex import regex
from mlops_scan.repository import git
from mlops_scan.repository.conversions import Conversions, conversions
from mlops_scan.repository.files import Folder
from mlops_scan.repository.folder import modified, on_disk, through_link
from mlops_scan.repository.head import plain_head
from mlops_scan.repository.listed import Item, Listing

_CACHED = ("ls-files", "-z", "-t", "-s", "--cached")
_OTHERS = ("--others", "--exclude-standard")
_MANY = 300_000  # bytes of an index; that of 3 000 files
_STATS = ("--literal-pathspecs", "ls-files", "-z", "-s", "--debug")
_MAX_DEPTH = 8  # submodules in submodules
_STAT = regex(
    r"\d+ (?P<blob>[0-9a-f]+) (?P<stage>\d)\t(?P<name>[^\0]*)\0\s+ctime: \S+\s+mtime: (?P<seconds>\d+):(?P<nano>\d+)\s"
    r"[^\0]*?\ssize: (?P<size>\d+)\s+flags: [0-9a-f]+\n"
)


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
        index, items = _listed(root, folder, meanwhile)
    except git.GitError:
        return None
    if index.empty and root != top:
        return None  # an ignored folder inside somebody else's repository
    present = {item.path for item in items}
    absent = {name: index.files[name] for name in index.sparse if name not in present}
    converting = conversions(root, top, head.objects.parent, present)
    wanted = [item for item in items if index.files[item.path] and converting.reach(item.path)] if converting else []
    result = Listing(items, head.commit)
    if absent or wanted:
        result = _from_objects(root, folder, result, head, absent, _Wanted(wanted, index, converting))
    if not submodules or depth >= _MAX_DEPTH:
        return result.joined([Listing([], skipped=tuple(index.submodules))])
    return result.joined(_inside(root, name, depth) for name in index.submodules)


def _listed(root: Path, folder: git.GitFolder, meanwhile: Callable[[], object] | None) -> tuple[_Index, list[Item]]:
    """What git knows below `root`, and which of it is there.

    Where there is much, this process looks at what git tracks while another git looks for what it does not track.

    Raises:
        GitError: see `git.run`.
    """
    index, items = _Index(), list[Item]()

    def add(listing: bytes) -> None:
        items.extend(on_disk(root, index.add(listing)))

    if _index_size(folder) < _MANY:
        add(git.run((*_CACHED, *_OTHERS), folder.place, root, meanwhile=meanwhile))
    else:

        def tracked() -> None:
            add(git.run(_CACHED, folder.place, root, meanwhile=meanwhile))

        add(git.run((*_CACHED[:3], *_OTHERS), folder.place, root, meanwhile=tracked))
    return index, items


def _index_size(folder: git.GitFolder) -> int:
    try:
        return os.stat(folder.place["GIT_INDEX_FILE"]).st_size  # noqa: PTH116 -- on the way of every scan
    except (KeyError, OSError):
        return 0


class _Index:
    """The parsed output of `git ls-files -z -t -s --others`: `tag mode object stage<TAB>name`, or `? name`."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}  # name: blob, empty for an untracked file
        self.sparse: list[str] = []  # left out by a sparse checkout
        self.submodules: list[str] = []
        self.empty = True

    def add(self, listing: bytes) -> dict[str, str]:
        """Take what git printed; the files that are new."""
        self.empty = self.empty and not listing
        files: dict[str, str] = {}
        for record in os.fsdecode(listing).split("\0"):
            if record.startswith("? "):
                files[record[2:]] = ""
                continue
            meta, tab, name = record.partition("\t")
            if not tab:
                continue
            tag, mode, blob, _ = meta.split(" ")
            if mode == "160000":
                self.submodules.append(name)
            elif mode != "120000":
                files[name] = blob
                if tag == "S":
                    self.sparse.append(name)
        new = {name: blob for name, blob in files.items() if name not in self.files} if self.files else files
        self.files.update(new)
        return new


def _from_objects(
    root: Path, folder: git.GitFolder, listing: Listing, head: git.Head, absent: dict[str, str], wanted: _Wanted
) -> Listing:
    """The listing with those files read from git's objects that are not on disk, or not as git keeps them.

    What converts line ends, keywords and large files changes the size of a file or nothing; of those converted anyhow
    nothing is known.
    """
    from mlops_scan.repository.objects import Blobs, Clean, ObjectStore

    found: list[dict[str, int]] = []
    try:
        store = ObjectStore(head.objects, head.hash_name)
    except git.GitError:
        return listing

    def measure() -> None:
        with suppress(git.GitError):
            found.append(store.sizes([*absent.values(), *(wanted.index.files[item.path] for item in wanted.items)]))

    converted = _clean(root, folder, wanted, measure) if wanted.items else {}
    if not found:
        measure()
    if not found:
        return listing
    sizes = found[0]
    if not wanted.converting.anyhow:
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


class _Wanted(Struct, frozen=True):
    """Files that may be converted."""

    items: list[Item]
    index: _Index
    converting: Conversions


def _clean(root: Path, folder: git.GitFolder, wanted: _Wanted, meanwhile: Callable[[], None]) -> dict[str, str]:
    """The blobs of files that may be converted and have not changed since git wrote or read them.

    These are taken from the objects, as any other clone has them, for the report must not depend on conversions. Their
    time and size are those that the index remembers. `meanwhile` is what to do until git has listed them.
    """
    folders = wanted.converting.folders
    try:
        arguments = (*_STATS, "--", *folders) if folders else _STATS
        text = os.fsdecode(git.run(arguments, folder.place, root, meanwhile=meanwhile))
    except git.GitError:
        return {}
    known = {name: (blob, seconds, nano, size) for name, blob, seconds, nano, size in _stats(text)}
    found = {}
    for item in wanted.items:
        blob, seconds, nano, size = known.get(item.path, ("", 0, 0, 0))
        if not blob or wanted.index.files[item.path] != blob or size != item.size & 0xFFFF_FFFF:
            continue
        with suppress(OSError):
            changed = modified(root, item)
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
