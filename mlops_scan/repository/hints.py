"""Give listed files the roles that the repository's own `.gitattributes` files claim for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.repository.files import File
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.repository.attributes import Hints

_NAME = ".gitattributes"
_ORDER = (Role.VENDORED, Role.GENERATED, Role.DOCS)  # which of several claims counts
_CODE = frozenset(
    {".py", ".pyi", ".js", ".jsx", ".ts", ".tsx", ".go", ".java", ".scala", ".r", ".c", ".cc", ".cpp", ".h"}
)


class Hinted(Struct, frozen=True):
    """The files with the roles claimed for them, those that shall not be counted, and what the reader should know."""

    files: tuple[File, ...]
    uncounted: frozenset[str]
    notices: tuple[str, ...]


def hinted(files: Sequence[File], catalogue: RoleCatalogue) -> Hinted:
    """Read the attribute files among `files` and apply what they say; at most `MAX_FILES` of them are read."""
    found = [
        file for file in files if file.path.endswith(_NAME) and file.name == _NAME and file.role is not Role.VENDORED
    ]
    if not found:
        return Hinted(tuple(files), frozenset(), ())
    from mlops_scan.repository.attributes import MAX_BYTES, MAX_FILES, Attributes

    notices = []
    if len(found) > MAX_FILES:
        notices.append(f"{len(found) - MAX_FILES} .gitattributes files beyond the first {MAX_FILES} are not honoured")
    texts = []
    for file in found[:MAX_FILES]:
        try:
            data = file.read(MAX_BYTES)
        except OSError as error:
            notices.append(f"{file.path} could not be read: {error.strerror or error}")
            continue
        if b"linguist-" in data:
            texts.append((file.folder, data.decode("utf-8", "replace")))
    attributes = Attributes(texts)
    if attributes.left_out:
        notices.append(f"{attributes.left_out} lines of .gitattributes are too many or not usable and are not honoured")
    if not attributes:
        return Hinted(tuple(files), frozenset(), tuple(notices))
    uncounted = set()
    changed = []
    for file in files:
        hints = attributes.of(file.path)
        if hints is not None:
            role = _role(file, hints, catalogue)
            if hints.uncounted or (role is file.role and any(hints.roles.values())):
                uncounted.add(file.path)
            file = replace(file, role=role) if role is not file.role else file
        changed.append(file)
    return Hinted(tuple(changed), frozenset(uncounted), tuple(notices))


def _role(file: File, hints: Hints, catalogue: RoleCatalogue) -> Role:
    """The role that the hints leave a file with.

    `linguist-generated` makes a forge fold a difference, which people ask for notebooks, lock files and compiled
    workflows too. These are in force whoever wrote them, so only code is taken for generated, and nothing below the
    root's dot folders changes at all.
    """
    if file.path.startswith("."):
        return file.role
    claimed = next((role for role in _ORDER if hints.roles.get(role)), None)
    if claimed is not None:
        return claimed if claimed is not Role.GENERATED or file.suffix in _CODE else file.role
    denied = frozenset(role for role, value in hints.roles.items() if not value)
    return catalogue.without(denied).role(file.path) if denied else file.role
