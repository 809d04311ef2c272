"""What the tree-sitter based parsers share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.machinery import ExtensionFileLoader, PathFinder
from typing import TYPE_CHECKING

from mlops_scan.documents.node import DocumentError

if TYPE_CHECKING:
    from types import ModuleType

    from tree_sitter import Language, Node, Tree

_SLOW_ON_ERRORS = frozenset({"hcl", "bicep"})  # their recovery takes quadratic time on some broken texts
_MAX_READS = 300_000  # pieces asked for in all, some 3 s; valid files ask for each about once
_PIECE = 2048  # bytes handed to the grammar at a time
_ASCII = bytes(range(128)) + b"_" * 128


# language -> the package of its grammar, and the function that gives it
_GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "bicep": ("tree_sitter_bicep", "language"),
    "hcl": ("tree_sitter_hcl", "language"),
    "python": ("tree_sitter_python", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}


@cache
def _language(name: str) -> Language:
    from tree_sitter import Language

    package, function = _GRAMMARS[name]
    return Language(getattr(_grammar(package), function)())


def _grammar(package: str) -> ModuleType:
    """The extension module with a grammar; the package itself where that does not have it as its `_binding`.

    What else the package does when it is imported is to prepare queries for editors, by means of `importlib.resources`:
    that takes 8 ms, more than most repositories' shell commands.
    """
    from importlib.util import find_spec, module_from_spec

    found = find_spec(package)
    spec = PathFinder.find_spec(f"{package}._binding", found.submodule_search_locations) if found is not None else None
    if spec is not None and isinstance(spec.loader, ExtensionFileLoader):
        with suppress(ImportError):
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    return import_module(package)


def parse_tree(source: bytes, language: str) -> Tree:
    """The tree of a source text; broken parts become ERROR nodes.

    `language` is "python", "bash", "hcl", "typescript" or "bicep".

    The grammar sees `_` for every byte outside ASCII: the scanner of tree-sitter-bash looks wide characters up in a
    table of 256 and can crash the process (its issue 337). Offsets do not change, so take the text of a node from
    `source`, not from the node.

    Raises:
        DocumentError: the text makes the grammar go over it again and again (only grammars that can).
    """
    from tree_sitter import Parser

    plain = source.translate(_ASCII)
    if language not in _SLOW_ON_ERRORS:
        return Parser(_language(language)).parse(plain)
    reads = 0  # counted, not timed: the same file is read or refused on every machine

    def read(offset: int, _: object) -> bytes:
        nonlocal reads
        reads += 1
        return b"" if reads > _MAX_READS else plain[offset : offset + _PIECE]

    tree = Parser(_language(language)).parse(read)
    if reads > _MAX_READS:
        raise DocumentError("so broken that the grammar goes over it again and again, not read")
    return tree


def walk(root: Node) -> Iterator[Node]:
    """Every node below and including `root` in document order, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
