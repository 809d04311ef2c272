"""The files of a source: listed once, each with a role, its bytes on demand and bounded."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mlops_scan.words import Role

READ_LIMIT = 32_000_000  # bytes of one file that are ever read; larger files count by name and size only


@dataclass(frozen=True, slots=True)
class File:
    """One regular file of the scanned tree. `path` is relative with forward slashes; `size` is in bytes."""

    path: str
    size: int
    role: Role
    root: Path = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path of the folder, empty at the root."""
        return self.path.rpartition("/")[0]

    @property
    def suffix(self) -> str:
        """The extension in lower case with its dot, or empty."""
        return PurePosixPath(self.name).suffix.lower()

    def read(self, limit: int = READ_LIMIT) -> bytes:
        """At most `limit` bytes of the file.

        Links are not followed, so that nothing outside the tree is read.

        Raises:
            OSError: the file cannot be opened, or is no regular file any more.
        """
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.root / self.path, flags)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{self.path} is not a regular file")
            return stream.read(limit)
