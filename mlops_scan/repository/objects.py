"""Read trees and blobs out of a git object folder, without a checkout and without its repository's configuration.

git is run in an empty repository of our own whose objects are those of the scanned one. So there is no configuration
to distrust, there are no replace refs and no promisor remotes: an object that is not there is reported as missing.
Alternates that the object folder names are followed; an object has to be known by its hash before it can be read.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct, field

from mlops_scan.digests import sha1, sha256
from mlops_scan.repository import git
from mlops_scan.repository.files import Source

if TYPE_CHECKING:
    import tempfile

_SECONDS = 60.0  # that one answer may take
_STREAMED = 1_000_000  # bytes of a blob that are read to the end even when fewer are wanted
_HASHED = 4_000_000  # bytes of a file that are hashed to see whether it is its blob
_SHA1_DIGITS = 40
_UNKNOWN_SIZE = 1  # of a blob that is missing: not empty, that is all one can say
_CONFIGURATIONS = {
    "sha1": "[core]\nbare = true\n",
    "sha256": "[core]\nbare = true\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n",
}


class Entry(Struct, frozen=True):
    """One entry of a tree, recursively listed: `size` is None for a blob that is missing or broken."""

    mode: str
    object: str
    size: int | None
    path: str

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file, executable or not."""
        return self.mode.startswith("100")

    @property
    def is_submodule(self) -> bool:
        """Whether it is a commit of another repository."""
        return self.mode == "160000"


class ObjectStore:
    """The objects of one repository; close it when done."""

    def __init__(self, objects: Path, hash_name: str = "sha1") -> None:
        if hash_name not in _CONFIGURATIONS:
            raise git.GitError(f"objects named by {hash_name!r} are not supported")
        self._objects = objects
        self._hash_name = hash_name
        self._batch: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._process = os.getpid()  # the one that the batch answers to
        self._inherited: object = None  # that of the process we were forked from, held because it is not ours to end

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        import tempfile

        folder = tempfile.TemporaryDirectory(prefix="mlops-scan-")
        root = Path(folder.name)
        for name in ("refs", "objects"):
            (root / name).mkdir()
        (root / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        (root / "config").write_text(_CONFIGURATIONS[self._hash_name], encoding="ascii")
        return folder

    @property
    def _place(self) -> Mapping[str, str]:
        return {"GIT_DIR": self._folder.name, "GIT_OBJECT_DIRECTORY": str(self._objects)}

    def entries(self, tree: str) -> tuple[list[Entry], bool]:
        """Everything below a tree (or a commit's tree), and whether all of its folders could be read.

        Raises:
            GitError: the tree cannot be listed at all, or is too large to be.
        """
        arguments = ("ls-tree", "-r", "-z", "-l", tree)
        try:
            return list(_parsed(git.run(arguments, self._place))), True
        except git.GitError:
            return list(_parsed(git.run(arguments, self._place, partial=True))), False

    def folder(self, commit: str, path: str) -> str | None:
        """The tree of a folder in a commit, or None where there is none."""
        try:
            found = git.run(("rev-parse", "--verify", "--quiet", f"{commit}:{path}"), self._place)
            kind = git.run(("cat-file", "-t", found.decode("ascii").strip()), self._place)
        except git.GitError:
            return None
        return found.decode("ascii").strip() if kind.strip() == b"tree" else None

    def sizes(self, objects: Iterable[str]) -> dict[str, int]:
        """The sizes of those blobs that are there."""
        import tempfile

        wanted = sorted(set(objects))
        with tempfile.TemporaryFile() as names:
            names.write("".join(f"{name}\n" for name in wanted).encode("ascii"))
            names.seek(0)
            output = git.run(("cat-file", "--batch-check"), self._place, stdin=names)
        lines = (line.split() for line in output.decode("ascii", "replace").splitlines())
        return {line[0]: int(line[2]) for line in lines if len(line) == 3 and line[1] == "blob"}

    def read(self, name: str, limit: int) -> bytes:
        """At most `limit` bytes of a blob.

        Raises:
            OSError: it is missing or broken, or git is gone.
        """
        if self._process != os.getpid():  # a forked one, which needs answers of its own
            self._process, self._inherited = os.getpid(), self._batch
            self._batch, self._pending = None, b""
        if self._batch is None or self._batch.poll() is not None:
            self._start()
        assert self._batch is not None
        assert self._batch.stdin is not None
        try:
            self._batch.stdin.write(f"{name}\n".encode("ascii"))
            self._batch.stdin.flush()
            header = self._line().split()
            if len(header) != 3 or header[1] != b"blob":
                raise FileNotFoundError("its content is not in this repository (a partial clone, or a broken object)")
            size = int(header[2])
            if size > max(limit, _STREAMED):
                data = self._take(limit)
                self._stop()  # cheaper than to read the rest
                return data
            return self._take(size + 1)[: min(size, limit)]
        except (BrokenPipeError, EOFError, TimeoutError, ValueError) as error:
            self._stop()
            raise OSError(f"git cannot read its content: {error}") from error

    def _start(self) -> None:
        self._stop()
        try:
            self._batch = subprocess.Popen(  # noqa: S603 -- git by its full path, with arguments of ours
                [git.program(), *git.OPTIONS, "cat-file", "--batch"],
                env=git.environment(self._place),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, git.GitError) as error:
            raise OSError(f"git cannot be started: {error}") from error

    def _more(self) -> None:
        """Append what git has to say next to what is pending."""
        assert self._batch is not None
        assert self._batch.stdout is not None
        stream = self._batch.stdout.fileno()
        if sys.platform != "win32" and not select.select([stream], [], [], _SECONDS)[0]:
            raise TimeoutError(f"no answer within {_SECONDS:g} seconds")
        data = os.read(stream, 1 << 18)
        if not data:
            raise EOFError("git ended early")
        self._pending += data

    def _line(self) -> bytes:
        while b"\n" not in self._pending:
            self._more()
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _take(self, count: int) -> bytes:
        parts = []
        while count > len(self._pending):
            count -= len(self._pending)
            parts.append(self._pending)
            self._pending = b""
            self._more()
        parts.append(self._pending[:count])
        self._pending = self._pending[count:]
        return b"".join(parts)

    def _stop(self) -> None:
        if self._batch is not None:
            git.stop(self._batch)
        self._batch, self._pending = None, b""

    def close(self) -> None:
        """End the process and remove the empty repository."""
        self._stop()
        if "_folder" in self.__dict__:
            self._folder.cleanup()


class Blobs(Struct, frozen=True):
    """Listed files whose bytes are blobs of a store."""

    store: ObjectStore
    objects: dict[str, str] = field(default_factory=dict)  # path: name of the blob
    shared: ClassVar[bool] = True

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of the blob of that path."""
        return self.store.read(self.objects[path], limit)


class Clean(Struct, frozen=True):
    """Files of a work tree that have not changed since git knew them, whose blobs it may keep with other bytes.

    Most are the same all the same. Then the bytes are read from disk, which takes a fraction of the time.
    """

    blobs: Blobs
    sizes: Mapping[str, int]  # of the blobs by name
    disk: Source
    shared: ClassVar[bool] = True

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of the blob of that path."""
        name = self.blobs.objects[path]
        size = self.sizes[name]
        if size <= _HASHED:
            with suppress(OSError):
                data = self.disk.read(path, size + 1)
                if len(data) == size and object_name(data, len(name)) == name:
                    return data[:limit]
        return self.blobs.read(path, limit)


def object_name(data: bytes, digits: int) -> str:
    """What git calls a blob of these bytes, where the names of objects have so many digits."""
    digest = (sha1 if digits == _SHA1_DIGITS else sha256)(f"blob {len(data)}\0".encode("ascii"))
    digest.update(data)
    return digest.hexdigest()


def _parsed(listing: bytes) -> Iterator[Entry]:
    for record in os.fsdecode(listing).split("\0"):
        if not record:
            continue
        description, _, path = record.partition("\t")
        mode, _, name, size = description.split()
        yield Entry(mode, name, int(size) if size.isdecimal() else None, path)


def blob_size(entry: Entry) -> int:
    """The size of a file's blob, as far as it is known."""
    return entry.size if entry.size is not None else _UNKNOWN_SIZE
