"""Files that are copies by what lies beside them: packages installed into a folder, and what setuptools built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Role

_RECORD = ".dist-info/RECORD"
_BUILT = regex(r"((?:.*/)?)build/lib(?:\.[^/]+)?/([^/]+)(.*)", words=("build/lib",))
_MAX_RECORDS = 1_000
_MAX_BYTES = 2_000_000  # of one RECORD


def told_apart(files: Sequence[File]) -> list[File]:
    """The files, with the roles of those that are copies.

    What a `*.dist-info/RECORD` lists was installed into its folder (`pip install -t`) and is vendored; a package in
    `build/lib` that also stands beside `build` is generated.
    """
    found = dict.fromkeys(_installed(files), Role.VENDORED)
    found.update(dict.fromkeys(_built(files), Role.GENERATED))
    if not found:
        return list(files)
    return [replace(file, role=found[file.path]) if file.path in found else file for file in files]


def _installed(files: Iterable[File]) -> Iterator[str]:
    records = [file for file in files if file.path.endswith(_RECORD)]
    for record in records[:_MAX_RECORDS]:
        home = record.folder.rpartition("/")[0]
        try:
            text = record.read(_MAX_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        for line in text.splitlines():
            path = line.rsplit(",", 2)[0].strip('"')
            yield f"{home}/{path}" if home else path


def _built(files: Iterable[File]) -> Iterator[str]:
    found = [(file.path, match) for file in files if (match := _BUILT.fullmatch(file.path)) is not None]
    if not found:
        return
    known = {file.path for file in files}
    places = [(path, (match[1], match[2]), match[3]) for path, match in found]
    copied = {key for _, key, rest in places for src in ("", "src/") if f"{key[0]}{src}{key[1]}{rest}" in known}
    yield from (path for path, key, _ in places if key in copied)
