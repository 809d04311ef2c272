"""The files of a source: listed once, each with a role, its bytes on demand and bounded."""

from __future__ import annotations

import os
import stat
from typing import ClassVar, Protocol

from msgspec import Struct, field

from mlops_scan.words import Role

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
READ_LIMIT = 32_000_000  # bytes of one file that are ever read; larger files count by name and size only


class Source(Protocol):
    """Where the bytes of listed files come from: a folder, git objects, an archive."""

    @property
    def shared(self) -> bool:
        """Whether a process forked from this one can read it without being in our way."""

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of the file at `path`.

        Raises:
            OSError: the bytes cannot be had; the message says why.
        """


class Folder(Struct, frozen=True):
    """Files on disk below `root`. Links are not followed, so that nothing outside the tree is read."""

    root: str
    shared: ClassVar[bool] = True

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a regular file."""
        descriptor = os.open(f"{self.root}{os.sep}{path}", _FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{path} is not a regular file")
            wanted = min(limit, status.st_size)
            data = os.read(descriptor, wanted)
            while len(data) < wanted and (more := os.read(descriptor, wanted - len(data))):
                data += more
        finally:
            os.close(descriptor)
        return data


class Texts(Struct, frozen=True):
    """Literal contents by path; what is not among them cannot be read."""

    contents: dict[str, bytes] = field(default_factory=dict)
    shared: ClassVar[bool] = True

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of the content given for `path`."""
        if path not in self.contents:
            raise FileNotFoundError(f"{path} has no content")
        return self.contents[path][:limit]


class File(Struct, frozen=True):
    """One regular file of the scanned tree.

    `path` is relative with forward slashes; `size` is in bytes, for a Git-LFS pointer the size that it states. The same
    `stamp` on the same path in a later listing means the same bytes; 0 means that they have to be read to know.
    """

    path: str
    size: int
    role: Role
    source: Source
    lfs: bool = False  # a Git-LFS pointer stands in the place of the content
    stamp: int = 0

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
        name = self.path.rpartition("/")[2]
        dot = name.rfind(".")
        return name[dot:].lower() if 0 < dot < len(name) - 1 else ""

    def read(self, limit: int = READ_LIMIT) -> bytes:
        """At most `limit` bytes of the file; of a Git-LFS pointer, the pointer.

        Raises:
            OSError: the file cannot be opened, or is no regular file any more.
        """
        return self.source.read(self.path, limit)
