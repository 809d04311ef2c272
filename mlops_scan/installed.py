"""Entry points that other installed packages offer to this program."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_METADATA = (".dist-info", ".egg-info")


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, sorted by name and value.

    The standard library reads the metadata of every package to find them, which takes longer than a small scan. It is
    asked only where some metadata names the group, or lies where only the library can look.
    """
    if not any(group.encode() in text for text in _texts()):
        return ()
    from importlib import metadata

    return tuple(sorted(metadata.entry_points(group=group), key=lambda entry: (entry.name, entry.value)))


def _texts() -> Iterator[bytes]:
    """What the installed packages say of their entry points, in the places that the import system knows.

    A place that cannot be looked into here (a zip archive, an egg, another finder) stands for any text.
    """
    if any(_finds_packages(finder) for finder in sys.meta_path):
        yield _Anything()
    for place in dict.fromkeys(sys.path):
        try:
            entries = list(os.scandir(place or "."))
        except NotADirectoryError:
            yield _Anything()
            continue
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(_METADATA):
                with suppress(OSError), open(os.path.join(entry.path, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123 -- hundreds at each start
                    yield file.read()
            elif entry.name.endswith(".egg"):
                yield _Anything()


class _Anything(bytes):
    """A text that may hold every word."""

    def __contains__(self, part: object) -> bool:
        return True


def _finds_packages(finder: object) -> bool:
    """Whether a finder other than the standard one for paths offers metadata of packages."""
    return hasattr(finder, "find_distributions") and getattr(finder, "__module__", "") not in (
        "_frozen_importlib_external",
        "importlib._bootstrap_external",
    )
