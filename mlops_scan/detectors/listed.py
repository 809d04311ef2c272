"""The files of a repository by name, by ending and by language, so that who wants a few need not look at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import itemgetter

from msgspec import Struct

from mlops_scan.documents.store import language_of
from mlops_scan.repository.files import File

_Places = dict[str, list[tuple[int, File]]]


class Listed(Struct, frozen=True):
    """Files with their places in the listing, by what is asked for."""

    names: Mapping[str, list[tuple[int, File]]]
    lower: Mapping[str, list[tuple[int, File]]]  # by the name in lower case
    suffixes: Mapping[str, list[tuple[int, File]]]
    languages: Mapping[str, list[tuple[int, File]]]


def listed(files: Iterable[File]) -> Listed:
    """The files by name, suffix and language."""
    names: _Places = defaultdict(list)
    languages: _Places = defaultdict(list)
    for place, file in enumerate(files):
        item = (place, file)
        names[file.path.rpartition("/")[2]].append(item)
        languages[language_of(file.path)].append(item)
    lower: _Places = defaultdict(list)
    suffixes: _Places = defaultdict(list)
    for name, items in names.items():
        lower[name.lower()] += items
        suffixes[items[0][1].suffix] += items
    return Listed(dict(names), dict(lower), dict(suffixes), dict(languages))


def chosen(known: Mapping[str, list[tuple[int, File]]], keys: Iterable[str]) -> list[File]:
    """The files under some keys, in the order of the listing."""
    found = [item for key in dict.fromkeys(keys) for item in known.get(key, ())]
    found.sort(key=itemgetter(0))
    return [file for _, file in found]
