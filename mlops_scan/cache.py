"""What earlier scans found out, kept in the user's cache folder: bounded, safe under concurrent runs, never needed.

A cache that cannot be opened, read or written (a read-only home, a full disk, a damaged file, another process that
holds the lock) is done without; a scan says the same with and without it. Nothing is ever written into a scanned tree.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan import __version__
from mlops_scan.digests import blake2b

if TYPE_CHECKING:
    import sqlite3

LIMIT = 256_000_000  # bytes of the cache file above which the entries not used for longest are dropped
REPOSITORIES = "repositories"  # the folder of what was fetched from URLs
_FORMAT = 1  # of the file's table; another one starts anew
_CHECK = 16  # bytes of the checksum before each value
_LOCK_SECONDS = 1.0
_DAY = 86_400
_BATCH = 500  # keys asked for in one statement


class CacheInfo(Struct, frozen=True):
    """The state of the cache: its file, its size in bytes (0 where there is none), its number of entries."""

    path: Path
    size: int
    entries: int


class Cache:
    """A table of bytes by key in one SQLite file. No method raises for what is wrong with the file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._today = int(time.time()) // _DAY  # decides only what is dropped first

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values of those keys that are there and whole."""
        import sqlite3

        found: dict[bytes, bytes] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            query = f"SELECT key, value FROM entries WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608 -- marks only
            try:
                rows = self._connection.execute(query, part).fetchall()
            except sqlite3.Error:
                return found
            for key, value in rows:
                if isinstance(value, bytes) and value[:_CHECK] == _checksum(value[_CHECK:]):
                    found[key] = value[_CHECK:]
        return found

    def put(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values, all or none of them; what makes the file too large pushes out the oldest."""
        import sqlite3

        rows = [(key, _checksum(value) + value, self._today) for key, value in items.items()]
        with suppress(sqlite3.Error, OSError):
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)
            if self._path.stat().st_size > LIMIT:
                self._shrink()

    def _shrink(self) -> None:
        with self._connection:
            self._connection.execute(
                "DELETE FROM entries WHERE rowid NOT IN "
                "(SELECT rowid FROM entries ORDER BY day DESC, rowid DESC LIMIT (SELECT COUNT(*) / 2 FROM entries))"
            )
        self._connection.execute("VACUUM")

    def count(self) -> int:
        """The number of entries."""
        import sqlite3

        with suppress(sqlite3.Error):
            return int(self._connection.execute("SELECT COUNT(*) FROM entries").fetchone()[0])
        return 0

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def folder() -> Path:
    """Where the cache lies: the platform's cache folder for this program."""
    from platformdirs import user_cache_path

    return user_cache_path("mlops-scan", appauthor=False)


def open_cache() -> Cache | None:
    """The user's cache, or None where there can be none. A damaged file is replaced."""
    path = _file()
    try:
        return _opened(path)
    except _Damaged:
        with suppress(OSError):
            path.unlink()
    except OSError:
        return None
    try:
        return _opened(path)
    except (_Damaged, OSError):
        return None


def clear() -> int:
    """Delete everything this program has cached; the number of bytes that were freed."""
    freed = 0
    root = folder()
    if not root.is_dir():
        return 0
    for entry in root.iterdir():
        if entry.is_file() and entry.name.startswith(("facts", "rules-")):
            with suppress(OSError):
                size = entry.stat().st_size
                entry.unlink()
                freed += size
    return freed + _clear_repositories(root / REPOSITORIES)


def _clear_repositories(root: Path) -> int:
    import shutil

    size = sum(entry.lstat().st_size for entry in root.rglob("*") if entry.is_file()) if root.is_dir() else 0
    shutil.rmtree(root, ignore_errors=True)
    return size


def info() -> CacheInfo:
    """What there is in the cache."""
    path = _file()
    if not path.is_file():
        return CacheInfo(path, 0, 0)
    cache = open_cache()
    entries = cache.count() if cache is not None else 0
    if cache is not None:
        cache.close()
    return CacheInfo(path, path.stat().st_size if path.is_file() else 0, entries)


@functools.cache
def program() -> bytes:
    """What tells this program, on this Python, from every other version of it, edited ones included."""
    root = Path(__file__).resolve().parent
    digest = blake2b(f"{__version__} {sys.version} {_FORMAT}".encode(), digest_size=16)
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            if name.endswith(".py"):
                status = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118 -- a hundred files at each start
                digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.digest()


class _Damaged(Exception):
    """The cache file is no database of ours."""


def _file() -> Path:
    return folder() / f"facts-{_FORMAT}.sqlite3"


def _checksum(value: bytes) -> bytes:
    return blake2b(value, digest_size=_CHECK).digest()


def _opened(path: Path) -> Cache:
    import sqlite3

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.is_symlink():
        raise OSError(f"{path} is a link")
    try:
        connection = sqlite3.connect(path, timeout=_LOCK_SECONDS)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    try:
        connection.execute("PRAGMA synchronous = OFF")  # what a power cut spoils, the checksum finds
        connection.execute("CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB, day INTEGER)")
        connection.execute("SELECT key, value, day FROM entries LIMIT 1").fetchall()
    except sqlite3.OperationalError as error:
        connection.close()
        raise (_Damaged if "no such column" in str(error) else OSError)(str(error)) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _Damaged(str(error)) from error
    return Cache(connection, path)
