"""Whole reports of earlier scans, kept in the cache: the same files, rules and options give the same report.

A kept report counts only when the listing is the same and every file that the scan read still has the same content:
what the listing says of it (`File.stamp`) shows that it was not touched, or it is read and has the same fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mlops_scan.cache import Cache, program
from mlops_scan.digests import blake2b
from mlops_scan.documents.store import HEAD_LIMIT, TEXT_LIMIT, fingerprint
from mlops_scan.engine.report import Report
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository


class _Kept(NamedTuple):
    """The files that a report depends on: their fingerprints, the first bytes of others, the stamps of both."""

    reads: dict[str, bytes]
    heads: dict[str, bytes]
    stamps: dict[str, int]


class Results:
    """The reports kept for one listing and one set of options.

    Args:
        cache: where they are kept; None keeps none.
        repository: the listing.
        asked: everything else that the report depends on: options, rules, the path as it was given.
    """

    def __init__(self, cache: Cache | None, repository: Repository, asked: Iterable[str]) -> None:
        self._cache = cache
        self._files = {file.path: file for file in repository.files}
        self._key = _key(repository, asked) if cache is not None else b""

    def find(self) -> Report | None:
        """The kept report, if it still holds."""
        if self._cache is None:
            return None
        data = self._cache.get([self._key]).get(self._key)
        if data is None:
            return None
        try:
            kept, report = _unpickled(data)
            kept = _Kept(*kept)
        except Exception:  # noqa: BLE001 -- whatever is wrong with a cached value, the scan is done anew
            return None
        if not isinstance(report, Report) or not self._unchanged(kept):
            return None
        stamps = self._stamps((*kept.reads, *kept.heads))
        if stamps != kept.stamps:  # files that were too fresh then, or copied; the next time they need not be read
            self._put(_Kept(kept.reads, kept.heads, stamps), report)
        return report

    def keep(self, report: Report, reads: Mapping[str, bytes], heads: Mapping[str, bytes]) -> None:
        """Keep a report, with the fingerprints of the files, and the first bytes of those, that it depends on."""
        if self._cache is not None:
            self._put(_Kept(dict(reads), dict(heads), self._stamps((*reads, *heads))), report)

    def _put(self, kept: _Kept, report: Report) -> None:
        if self._cache is not None:
            import pickle

            self._cache.put({self._key: pickle.dumps((tuple(kept), report), protocol=5)})

    def _stamps(self, paths: Iterable[str]) -> dict[str, int]:
        """The stamps of those of the listed files that have one."""
        found = ((path, self._files[path].stamp) for path in paths if path in self._files)
        return {path: stamp for path, stamp in found if stamp}

    def _unchanged(self, kept: _Kept) -> bool:
        return all(
            (value and self._untouched(path, kept)) or self._print(path) == value for path, value in kept.reads.items()
        ) and all(
            self._untouched(path, kept) or self._read(path, max(HEAD_LIMIT, len(value))) == value
            for path, value in kept.heads.items()
        )

    def _untouched(self, path: str, kept: _Kept) -> bool:
        stamp = kept.stamps.get(path, 0)
        return stamp != 0 and path in self._files and self._files[path].stamp == stamp

    def _print(self, path: str) -> bytes:
        data = self._read(path, TEXT_LIMIT)
        return b"" if data is None else fingerprint(data)

    def _read(self, path: str, limit: int) -> bytes | None:
        file: File | None = self._files.get(path)
        try:
            return file.read(limit) if file is not None else None
        except OSError:
            return None


def _unpickled(data: bytes) -> Any:
    """The value, which consists of nothing but this program's own classes."""
    import io
    import pickle

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            if module.split(".", 1)[0] != "mlops_scan":
                raise pickle.UnpicklingError(f"{module}.{name} has no place in a report")
            return super().find_class(module, name)

    return Unpickler(io.BytesIO(data)).load()


def _key(repository: Repository, asked: Iterable[str]) -> bytes:
    digest = blake2b(program(), digest_size=20)
    lacking = (f"{item.path} {item.reason}" for item in repository.incomplete)
    for text in (
        *asked,
        str(repository.revision),
        *repository.notices,
        *lacking,
        *sorted(repository.uncounted),
    ):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    for file in repository.files:
        digest.update(f"{file.path}\0{file.size}\0{file.role.value}\0{file.lfs}\n".encode("utf-8", "surrogatepass"))
    return digest.digest()
