"""Folders of paths as listings have them: relative to the root, with `/` between the parts, the root an empty text."""

from __future__ import annotations

from collections.abc import Iterator


def above(folder: str) -> Iterator[str]:
    """A folder and those above it, nearest first; of a file, the file itself and its folders."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def holds(folder: str, path: str) -> bool:
    """Whether a file or folder lies in a folder, at any depth."""
    return not folder or path.startswith(f"{folder}/")
