"""Load the rules data: tools, practices, maturity models and findings, checked while it is read.

The folder is `rules/` at the top of a source tree and `mlops_scan/rules_data/` in an installed wheel.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from mlops_scan import rulecache
from mlops_scan.digests import blake2b
from mlops_scan.errors import RuleError
from mlops_scan.ruletypes import (
    FINDS,
    FindingDefinition,
    Practice,
    RuleBook,
    Sample,
    Scaffold,
    Signature,
    Subject,
    Tool,
    Wrapper,
)

__all__ = [
    "FINDS",
    "FindingDefinition",
    "Practice",
    "RuleBook",
    "Sample",
    "Scaffold",
    "Signature",
    "Subject",
    "Tool",
    "Wrapper",
    "compiled",
    "load",
    "rules_path",
]


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


_Digest = TypeVar("_Digest", bound=_Hash)


def rules_path() -> Path:
    """The folder of the built-in rules.

    Raises:
        RuleError: this installation has none.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "rules_data", here.parent / "rules"):
        if (folder / "practices").is_dir():
            return folder
    raise RuleError(f"the built-in rules are missing beside {here}; reinstall mlops-scan")


def load(folder: Path | None = None, *, cache: bool = True, extra: Sequence[Path] = ()) -> RuleBook:
    """Read the rule files below `folder`, by default the built-in rules, and the files and folders `extra` beside them.

    The built-in rules come in the form that the build of the package compiled, as long as they are the same; where
    there is none, in that of the user's cache folder, unless `cache` is False; else from the files.

    Raises:
        RuleError: a file is no valid YAML or does not follow the format of `rules/README.md`.
    """
    root = folder or rules_path()
    texts = _texts(root)
    key = _key(texts)
    book = rulecache.find(key, RuleBook, users=cache) if folder is None else None
    if book is None:
        book = _read(root, texts)
        if folder is None and cache:
            rulecache.keep(key, book)
    return _with_own(book, extra) if extra else book


def compiled() -> bytes:
    """The built-in rules in the form that `load` finds beside the package.

    Raises:
        RuleError: as of `load`.
    """
    root = rules_path()
    texts = _texts(root)
    key = _key(texts)
    return rulecache.compiled(key, _read(root, texts))


def _texts(root: Path) -> dict[str, bytes]:
    """The content of every rule file, by its path below the folder, `SECTION/NAME.yaml`, in a steady order."""
    found: dict[str, bytes] = {}
    for section in sorted(_listed(f"{root}")):
        for name in sorted(_listed(f"{root}{os.sep}{section}")):
            if name.endswith(".yaml"):
                path = f"{root}{os.sep}{section}{os.sep}{name}"
                try:
                    with open(path, "rb", 0) as file:  # noqa: PTH123 -- dozens at each start
                        found[f"{section}/{name}"] = file.read()
                except OSError as error:
                    raise RuleError(f"{path}: cannot be read: {error}") from error
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []  # a file, or nothing


def _key(texts: dict[str, bytes]) -> bytes:
    """What tells these rules from all others, for the compiled form."""
    return _fed(blake2b(digest_size=32), texts).digest()


def _version(texts: dict[str, bytes]) -> str:
    """What reports name the rules by."""
    import hashlib  # only where rules are compiled: it loads OpenSSL

    return _fed(hashlib.sha256(), texts).hexdigest()[:12]


def _fed(digest: _Digest, texts: dict[str, bytes]) -> _Digest:
    for path, data in texts.items():
        digest.update(f"{path}\0{len(data)}\0".encode())
        digest.update(data)
    return digest


def _read(root: Path, texts: dict[str, bytes]) -> RuleBook:
    from mlops_scan.ruleentries import Reader
    from mlops_scan.rulereader import document

    reader = Reader()
    for below, data in texts.items():
        path = root / below
        reader.add(path.parent.name, path, document(path, data))
    return reader.book(_version(texts))


def _with_own(book: RuleBook, extra: Sequence[Path]) -> RuleBook:
    import hashlib

    from mlops_scan.ruleentries import Reader
    from mlops_scan.rulereader import user_documents

    reader = Reader(book)
    own = hashlib.sha256()
    for target in extra:
        for section, path, data in user_documents(target, own):
            reader.add_own(section, path, data)
    return reader.book(f"{book.version}+{own.hexdigest()[:8]}")
