"""The files of a repository by name, by ending and by language, so that who wants a few need not look at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter

from msgspec import Struct

from mlops_scan.documents.store import Documents, language_of
from mlops_scan.repository.files import File

_Files = dict[str, list[File]]


class Listed(Struct, frozen=True):
    """Files in the order of their paths, by what is asked for."""

    names: Mapping[str, list[File]]
    lower: Mapping[str, list[File]]  # by the name in lower case
    suffixes: Mapping[str, list[File]]
    languages: Mapping[str, list[File]]


def listed(documents: Documents) -> Listed:
    """The files by name, suffix and language; made once for all who ask."""
    return documents.once(_listed)


def _listed(documents: Documents) -> Listed:
    names: _Files = defaultdict(list)
    languages: _Files = defaultdict(list)
    for path, file in documents.files.items():
        names[path.rpartition("/")[2]].append(file)
        languages[language_of(path)].append(file)
    lower: _Files = defaultdict(list)
    suffixes: _Files = defaultdict(list)
    for name, files in names.items():
        lower[name.lower()] += files
        suffixes[files[0].suffix] += files
    return Listed(dict(names), dict(lower), dict(suffixes), dict(languages))


def chosen(known: Mapping[str, list[File]], keys: Iterable[str]) -> list[File]:
    """The files under some keys, in the order of their paths."""
    found = [file for key in dict.fromkeys(keys) for file in known.get(key, ())]
    found.sort(key=attrgetter("path"))
    return found
