"""Whole reports of earlier scans, kept in the cache: the same files, rules and options give the same report.

A kept report counts only when the listing is the same and every file that the scan read still has the same content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlops_scan.cache import Cache, program
from mlops_scan.digests import blake2b
from mlops_scan.documents.store import HEAD_LIMIT, TEXT_LIMIT, fingerprint
from mlops_scan.engine.report import Report
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository


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
            reads, heads, report = _unpickled(data)
        except Exception:  # noqa: BLE001 -- whatever is wrong with a cached value, the scan is done anew
            return None
        return report if isinstance(report, Report) and self._unchanged(reads, heads) else None

    def keep(self, report: Report, reads: Mapping[str, bytes], heads: Mapping[str, bytes]) -> None:
        """Keep a report, with the fingerprints of the files, and the first bytes of those, that it depends on."""
        if self._cache is not None:
            import pickle

            self._cache.put({self._key: pickle.dumps((dict(reads), dict(heads), report), protocol=5)})

    def _unchanged(self, reads: Mapping[str, bytes], heads: Mapping[str, bytes]) -> bool:
        return all(self._print(path) == value for path, value in reads.items()) and all(
            self._read(path, HEAD_LIMIT) == value for path, value in heads.items()
        )

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
