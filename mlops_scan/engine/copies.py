"""Copies: the same content at several paths is counted once.

Of files with the same bytes the one with the fewest folders stands, then the one with the shortest and the first path.
Only files of equal size are compared, and their text has been read for other reasons.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.store import language_of
from mlops_scan.words import Signal

_MIN_BYTES = 64  # below it equal files are a coincidence: empty packages, one import
_MAX_ALIKE = 20  # folders with files of the same names and sizes that one is compared with


def rank(path: str) -> tuple[int, int, str]:
    """The order of standing: the lowest of equal files is the one that counts."""
    return path.count("/"), len(path), path


@kept
def originals(context: Context) -> Mapping[str, str]:
    """For each module of main code that is a copy, the path of the file that counts in its place."""
    by_size: dict[tuple[str, int], list[str]] = defaultdict(list)
    for path, _ in context.modules():
        file = context.documents.files.get(path)
        if file is not None and file.size >= _MIN_BYTES:
            by_size[(file.suffix, file.size)].append(path)
    copies = {}
    for paths in by_size.values():
        standing: dict[int, str] = {}
        for path in sorted(paths, key=rank) if len(paths) > 1 else ():
            original = standing.setdefault(context.documents.identity(path), path)
            if original != path:
                copies[path] = original
    return copies


def distinct(signals: Iterable[Signal], copies: Mapping[str, str]) -> list[Signal]:
    """The signals without those that only repeat, in a copy, what another one says of the same lines.

    Of such signals the strongest stays, so that a copy that is started counts where its original is not.
    """
    found: dict[object, Signal] = {}
    copied = {*copies, *copies.values()}
    for number, signal in enumerate(signals):
        first = signal.evidence[0].location if signal.evidence else None
        key: object = number
        if first is not None and first.path in copied:
            key = (signal.practice, signal.tool, signal.scope, copies.get(first.path, first.path), first.line)
        other = found.get(key)
        if other is None or _strength(signal, copies) > _strength(other, copies):
            found[key] = signal
    return list(found.values())


def _strength(signal: Signal, copies: Mapping[str, str]) -> tuple[int, int, bool]:
    return signal.grade.strength, signal.confidence.strength, signal.evidence[0].location.path not in copies


def copied_folders(context: Context, folders: Iterable[str]) -> dict[str, str]:
    """Folders with the same code and definitions at the same relative paths as another one, with that other one.

    Data and documents are not compared: they are the same project's.
    """
    standing: dict[frozenset[tuple[str, int]], list[str]] = defaultdict(list)
    copies: dict[str, str] = {}
    for folder in sorted(folders, key=rank):
        names = _definitions(context, folder)
        alike = standing[frozenset(names.items())]
        original = next((other for other in alike[:_MAX_ALIKE] if _same(context, folder, other, names)), None)
        if original is None:
            alike.append(folder)
        else:
            copies[folder] = original
    return copies


def _definitions(context: Context, folder: str) -> dict[str, int]:
    """Code and definitions below a folder: relative path and size."""
    start = folder + "/"
    return {
        file.path[len(start) :]: file.size
        for file in context.repository.files
        if file.path.startswith(start) and file.role not in ASIDE and language_of(file.path)
    }


def _same(context: Context, folder: str, other: str, names: Iterable[str]) -> bool:
    text = context.documents.identity
    return all(text(f"{folder}/{name}") == text(f"{other}/{name}") for name in names)
