"""Which R files deserve a parse: all within a budget, where one of them names a package that a rule knows.

R has no modules: `source` and a package's namespace make one space of names of all files. So a file that names no
package may still call what another one attached.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from msgspec import Struct

from mlops_scan.documents.bounds import MAX_BYTES
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Role

BUDGET = 1_500_000
"""Bytes of R that are parsed in all; of more the files that name a known package come first, then the small ones."""
_MAX_FILES = 3_000  # that are looked at
_NAMED = regex(
    r"(?:library|require|p_load|requireNamespace)\(\s*([A-Za-z][\w.]{0,60})|(?<![\w.])([A-Za-z][\w.]{0,60}):::?"
    r"|[\"']([A-Za-z][\w.]{0,60})[\"']"
)
_ASIDE = frozenset({Role.DOCS, Role.EXAMPLE, Role.TEST})


class RSweep(Struct, frozen=True):
    """The R files that deserve a parse and are within the budget, and the number of the others that do."""

    chosen: frozenset[str]
    left: int = 0


def r_sweep(files: Iterable[File], text: Callable[[str], str], packages: Collection[str]) -> RSweep:
    """Choose among R files; none of them where no file attaches, calls or quotes one of `packages`.

    Args:
        files: the R scripts and the documents with R code.
        text: gives the text of a path.
        packages: the names of packages that say something of models.
    """
    small = sorted((f for f in files if f.size <= MAX_BYTES), key=lambda f: (f.role in _ASIDE, f.size, f.path))
    naming = {file.path for file in small[:_MAX_FILES] if _names(text(file.path), packages)}
    if not naming:
        return RSweep(frozenset())
    chosen: set[str] = set()
    spent = left = 0
    for file in sorted(small, key=lambda f: (f.path not in naming, f.role in _ASIDE, f.size, f.path)):
        if spent + file.size > BUDGET:
            left += 1
            continue
        spent += file.size
        chosen.add(file.path)
    return RSweep(frozenset(chosen), left)


def _names(text: str, packages: Collection[str]) -> bool:
    return any(name in packages for found in _NAMED.findall(text) for name in found if name)
