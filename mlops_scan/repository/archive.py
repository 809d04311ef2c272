"""List zip and tar archives without unpacking them to disk: members are read one at a time, within bounds.

An archive is taken as it is: what is in it counts, ignored or not. Only regular files are read. A folder that holds all
the rest, as in the archives that code hosts hand out, is left away.
"""

from __future__ import annotations

import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, TypeVar, cast

from msgspec import Struct

from mlops_scan.errors import ScanError
from mlops_scan.repository.listed import Item, Listing, usable

if TYPE_CHECKING:
    from gzip import GzipFile

MAX_MEMBERS = 1_000_000
MAX_BYTES = 4_000_000_000  # of all members unpacked
MAX_RATIO = 200  # unpacked to packed, once more than _SMALL is unpacked
_SMALL = 100_000_000
_CHUNK = 1 << 20
_HEADER_BYTES = 1 << 20  # of an extended header; it holds a name, an owner, a comment
_XZ_MEMORY = 256_000_000  # bytes that a decoder may ask for; `xz -9` needs 65 MB

_ZIP_UTF8, _ZIP_DOS = 0x800, 0  # flag and system of the zip format (APPNOTE.TXT, 4.4.4 and 4.4.2)

_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # LZMA takes the memory a file names

# What the libraries raise for archives that they cannot read; RuntimeError for a locked one or an unknown version.
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, ValueError, RuntimeError)

KINDS = "zip, tar, tar.gz, tar.bz2 or tar.xz"


def archive(path: Path) -> Listing:
    """The files of an archive.

    Raises:
        ScanError: it is none, is broken, or exceeds a bound.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _zip(path)
        unpacked = _unpacked(path, head)
        if unpacked is None:
            raise ScanError(f"{path} is a file and no archive ({KINDS}); give the path of a repository")
        return _tar(path, unpacked)
    except (*_BROKEN, OSError) as error:
        raise ScanError(f"{path} is no archive that can be read: {' '.join(str(error).split())}") from error


# -- zip -------------------------------------------------------------------------------------------------------------


class Zip(Struct, frozen=True):
    """The members of an open zip file by the paths of the listing."""

    file: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]
    shared: ClassVar[bool] = False  # where it reads is the same for all processes

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a member."""
        member = self.members[path]
        if member.compress_type not in _ZIP_METHODS:
            raise OSError(f"the archive cannot give it: compression method {member.compress_type} is not supported")
        try:
            with self.file.open(member) as stream:
                return stream.read(limit)
        except _BROKEN as error:
            raise OSError(f"the archive cannot give it: {error}") from error


def _zip(path: Path) -> Listing:
    file = zipfile.ZipFile(path)
    try:
        members = file.infolist()
        _bounded(path, len(members), sum(member.file_size for member in members))
        files = {}
        refused = 0
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)
            name = _zip_name(member)
            if name.endswith("/") or kind not in (0, stat.S_IFREG):
                continue
            if usable(name):
                files[name] = member
            else:
                refused += not _of_git(name)
        stripped = _stripped(files)
        source = Zip(file, stripped)
        items = [Item(name, member.file_size, source) for name, member in stripped.items()]
        return Listing(items, notices=_refused(refused), close=(file.close,))
    except BaseException:
        file.close()
        raise


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name as its bytes are in a repository; zipfile reads code page 437 where no flag says UTF-8."""
    name = member.filename
    if not member.flag_bits & _ZIP_UTF8:
        with suppress(UnicodeEncodeError):
            name = name.encode("cp437").decode("utf-8", "surrogateescape")
    return name.replace("\\", "/") if member.create_system == _ZIP_DOS else name


# -- tar -------------------------------------------------------------------------------------------------------------


class Tar(Struct, frozen=True):
    """The members of an open, uncompressed tar file by the paths of the listing: where they start and end."""

    stream: IO[bytes]
    members: Mapping[str, tuple[int, int]]
    shared: ClassVar[bool] = False

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a member."""
        start, size = self.members[path]
        self.stream.seek(start)
        return self.stream.read(min(size, limit))


class _Headers:
    """A stream for reading headers only: one that claims to be long (`tarfile` takes its word) is not read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        if size > _HEADER_BYTES:
            raise ValueError(f"a header of {size} bytes")
        return self._stream.read(size)


def _tar(path: Path, stream: IO[bytes]) -> Listing:
    try:
        files: dict[str, tuple[int, int]] = {}
        refused = count = total = 0
        with tarfile.open(
            fileobj=cast("IO[bytes]", _Headers(stream)), mode="r:", encoding="utf-8", errors="surrogateescape"
        ) as tar:
            for member in tar:
                count, total = count + 1, total + member.size
                tar.members = []  # type: ignore[attr-defined] # a list of all that were seen, which nothing here needs
                _bounded(path, count, total)
                name = member.name.removeprefix("./")
                if not member.isreg() or member.issparse():
                    continue
                if usable(name):
                    files[name] = (member.offset_data, member.size)
                else:
                    refused += not _of_git(name)
        stripped = _stripped(files)
        source = Tar(stream, stripped)
        items = [Item(name, size, source) for name, (_, size) in stripped.items()]
        return Listing(items, notices=_refused(refused), close=(stream.close,))
    except BaseException:
        stream.close()
        raise


def _unpacked(path: Path, head: bytes) -> IO[bytes] | None:
    """The tar file as a stream that can seek, a compressed one in a temporary file; None where it is no tar file."""
    if head[257:262] == b"ustar":
        return path.open("rb")
    chunks = _decompressed(path, head)
    if chunks is None:
        return None
    packed, total = path.stat().st_size, 0
    target = tempfile.TemporaryFile()  # noqa: SIM115 -- the listing closes it
    try:
        for chunk in chunks:
            total += len(chunk)
            if total > MAX_BYTES or (total > _SMALL and total > MAX_RATIO * packed):
                raise ScanError(f"{path} unpacks to more than {total // 1_000_000} MB, too much for its size")
            target.write(chunk)
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


def _decompressed(path: Path, head: bytes) -> Iterator[bytes] | None:
    if head.startswith(b"\x1f\x8b"):
        import gzip

        return _chunks(gzip.open(path, "rb"))
    if head.startswith(b"BZh"):
        import bz2

        return _chunks(bz2.open(path, "rb"))
    return _xz(path) if head.startswith(b"\xfd7zXZ\0") else None


def _chunks(stream: IO[bytes] | GzipFile) -> Iterator[bytes]:
    with stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _xz(path: Path) -> Iterator[bytes]:
    """Unpack with a limit to the decoder's memory, which the file itself names."""
    import lzma

    with path.open("rb") as stream:
        data = stream.read(_CHUNK)
        while data:
            decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)
            while not decoder.eof:
                try:
                    yield decoder.decompress(data, _CHUNK)
                except lzma.LZMAError as error:
                    raise ValueError(str(error)) from error
                data = b""
                if decoder.needs_input and not decoder.eof:
                    data = stream.read(_CHUNK)
                    if not data:
                        raise EOFError("it ends early")
            data = (decoder.unused_data or stream.read(_CHUNK)).lstrip(b"\0")


# -- both ------------------------------------------------------------------------------------------------------------


def _bounded(path: Path, members: int, total: int) -> None:
    if members > MAX_MEMBERS:
        raise ScanError(f"{path} has more than {MAX_MEMBERS} members")
    if total > MAX_BYTES or (total > _SMALL and total > MAX_RATIO * path.stat().st_size):
        raise ScanError(f"{path} claims to hold {total // 1_000_000} MB, too much for its size")


_T = TypeVar("_T")


def _stripped(files: dict[str, _T]) -> dict[str, _T]:
    """The files without the folder that holds all of them, if there is one; a hidden folder is part of the tree."""
    top = {name.partition("/")[0] for name in files if "/" in name}
    if len(top) != 1 or any("/" not in name for name in files) or min(top).startswith("."):
        return files
    return {name.partition("/")[2]: member for name, member in files.items()}


def _refused(count: int) -> tuple[str, ...]:
    return (f"{count} members of the archive have names that lead out of it; they are left out",) if count else ()


def _of_git(name: str) -> bool:
    return ".git" in name.split("/")
