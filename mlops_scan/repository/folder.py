"""List a folder from disk: by a walk that honours .gitignore, or the names that git gave."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_scan.repository.files import Folder
from mlops_scan.repository.listed import Item, Listing

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_IGNORE_BYTES = 1_000_000  # of one .gitignore that are read
_TICK = 2_000_000_000  # nanoseconds
_MASK = (1 << 64) - 1
_NEVER_WALKED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
     ".ruff_cache"}
)  # fmt: skip


def walked(root: Path) -> Listing:
    """All regular files below `root` that no .gitignore on the way excludes."""
    unread: list[str] = []
    items = list(on_disk(root, walk(root, unread)))
    notice = f"{len(unread)} folders could not be read, the first is {unread[0]}" if unread else ""
    return Listing(items, notices=(notice,) if notice else ())


def on_disk(root: Path, names: Iterable[str]) -> Iterator[Item]:
    """The regular files among `names`, without links, folders, devices and what is gone or outside."""
    source, links, settled = Folder(str(root)), dict[str, bool](), _settled()
    before = f"{root}{os.sep}"
    for name in names:
        folder = name.rpartition("/")[0]
        if folder and (links[folder] if folder in links else through_link(root, folder, links)):
            continue
        try:
            status = os.lstat(before + name)
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            yield Item(name, status.st_size, source, _stamp(status) if status.st_ctime_ns < settled else 0)


def _settled() -> int:
    """Before which time a file must have changed last for its times to tell every later change.

    A change within the same tick of a file system's clock, of up to two seconds, does not show (git calls such files
    racily clean). Windows keeps no time of change that programs cannot set.
    """
    return 0 if sys.platform == "win32" else time.time_ns() - _TICK


def _stamp(status: os.stat_result) -> int:
    """What differs, for one path, once a file has been written to or another one has taken its place."""
    return (status.st_ino << 128) | (status.st_ctime_ns << 64) | (status.st_mtime_ns & _MASK)


def modified(root: Path, item: Item) -> int:
    """The time of an item of `on_disk` at which its bytes changed last, in nanoseconds.

    Raises:
        OSError: the file is gone.
    """
    return item.stamp & _MASK if item.stamp else os.lstat(f"{root}{os.sep}{item.path}").st_mtime_ns


def through_link(root: Path, folder: str, links: dict[str, bool]) -> bool:
    """Whether a folder, as an index may name it, leads over a link or out of `root`; `links` keeps the answers."""
    if not folder:
        return False
    if folder not in links:
        above, _, last = folder.rpartition("/")
        odd = last in ("", ".", "..") or os.path.islink(f"{root}{os.sep}{folder}")  # noqa: PTH114 -- of every folder
        links[folder] = odd or through_link(root, above, links)
    return links[folder]


def walk(root: Path, unread: list[str]) -> Iterator[str]:
    """Relative names of all files below `root` that no .gitignore on the way excludes.

    Folders that cannot be listed are added to `unread`. Virtual environments are left out and, below the root of a
    repository, other repositories.
    """
    foreign = {"pyvenv.cfg", ".git"} if (root / ".git").exists() else {"pyvenv.cfg"}
    stack: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [("", ())]
    while stack:
        folder, specs = stack.pop()
        specs = (*specs, *_ignore_file(root, folder))
        try:
            with os.scandir(root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            unread.append(folder)
            continue
        if folder and not foreign.isdisjoint(entry.name for entry in entries):
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if specs and _ignored(name, is_folder, specs):
                continue
            if is_folder:
                if entry.name not in _NEVER_WALKED:
                    stack.append((name, specs))
            elif entry.is_file(follow_symlinks=False):
                yield name


def _ignore_file(root: Path, folder: str) -> Iterator[tuple[str, GitIgnoreSpec]]:
    try:
        text = Folder(str(root / folder)).read(".gitignore", _IGNORE_BYTES).decode("utf-8", "replace")
    except OSError:
        return  # none, or a link, a pipe, a folder of that name
    from mlops_scan.repository.ignore import compiled_leniently

    yield folder, compiled_leniently(text.splitlines())


def _ignored(name: str, is_folder: bool, specs: tuple[tuple[str, GitIgnoreSpec], ...]) -> bool:
    verdict = False
    for base, spec in specs:
        relative = name[len(base) + 1 :] if base else name
        result = spec.check_file(relative + "/" if is_folder else relative)
        if result.include is not None:
            verdict = result.include
    return verdict
