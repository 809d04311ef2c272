"""Signatures of documents: key paths, and the values at them, that a YAML, JSON or TOML file must have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.globs import matches
from mlops_scan.fingerprints.patterns import accepts, find_path, split_path
from mlops_scan.fingerprints.use import Use, use_of
from mlops_scan.repository.files import File
from mlops_scan.rulebook import Signature, Tool
from mlops_scan.words import Location


class _Document(Struct, frozen=True):
    """A signature of key paths. `heads` has for each of them the top-level keys one of which a document must have.

    `scalars` are the names and the values of the top-level scalars that it asks for.
    """

    tool: str
    signature: Signature
    heads: tuple[frozenset[str], ...]
    scalars: tuple[tuple[frozenset[str], str], ...]

    def may_fit(self, document: Node, top: frozenset[str]) -> bool:
        """Whether a document with these top-level keys has them, and such scalars."""
        if any(head.isdisjoint(top) for head in self.heads):
            return False
        return all(
            any(name in names and accepts(node, value) for name, node in document.entries)
            for names, value in self.scalars
        )


_Shape = tuple[frozenset[str], tuple[tuple[str, type, object, str], ...]]  # top-level keys, and scalars that matter


class KeyPathSignatures:
    """The signatures of documents of all tools."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._documents = [
            _Document(tool.id, signature, _heads(signature), tuple(_scalars(signature)))
            for tool in tools
            for signature in tool.signatures
            if signature.keys
        ]
        self._by_head: dict[str, set[int]] = defaultdict(set)  # top-level key -> documents' signatures that ask for it
        self._headless: set[int] = set()
        self._valued: set[str] = set()  # top-level keys of which a signature asks for the value
        self._by_shape: dict[_Shape, frozenset[int]] = {}
        self._index()

    def _index(self) -> None:
        """By those of the top-level keys that the fewest signatures ask for: `kind` and `apiVersion` tell little."""
        common = Counter(key for item in self._documents for head in item.heads for key in head)
        for number, item in enumerate(self._documents):
            self._valued.update(*(names for names, _ in item.scalars))
            if not item.heads:
                self._headless.add(number)
            for key in min(item.heads, key=lambda head: sum(common[key] for key in head), default=()):
                self._by_head[key].add(number)

    def in_documents(self, file: File, documents: Sequence[Node]) -> Iterator[Use]:
        """The uses that the structure of a YAML, JSON or TOML file shows."""
        fitting = [self._fitting(document) for document in documents]
        for number in sorted(frozenset().union(*fitting)):
            item = self._documents[number]
            signature = item.signature
            if signature.files and not matches(file.path, signature.files):
                continue
            for document, numbers in zip(documents, fitting, strict=True):
                found = _found(document, signature) if number in numbers else {}
                if found:
                    # the deepest path says most; the first of equals
                    telling = max(found, key=lambda path: len(split_path(path)))
                    yield use_of(item.tool, signature, telling, Location(file.path, found[telling].at), "")
                    break

    def _fitting(self, document: Node) -> frozenset[int]:
        """The signatures that a document may fit, told by its top-level keys and the scalars under those that matter.

        Many documents are alike in these (objects of Kubernetes by their `kind`), so answers are kept.
        """
        top = frozenset(document.keys())
        values = tuple(
            (name, node.value.__class__, node.value, node.text)
            for name, node in document.entries
            if name in self._valued and node.kind == "scalar"
        )
        found = self._by_shape.get((top, values))
        if found is None:
            asked = self._headless.union(*(self._by_head.get(key, ()) for key in top))
            found = self._by_shape[top, values] = frozenset(
                number for number in asked if self._documents[number].may_fit(document, top)
            )
        return found


def _found(document: Node, signature: Signature) -> dict[str, Node]:
    """The nodes at the key paths of a signature; empty where one is missing."""
    found = {}
    for path, value in signature.keys:
        node = find_path(document, path, value)
        if node is None:
            return {}
        found[path] = node
    return found


def _scalars(signature: Signature) -> Iterator[tuple[frozenset[str], str]]:
    """The top-level scalars that a signature asks the value of: the names that each may have, and the value."""
    for path, value in signature.keys:
        segments = split_path(path)
        if value and "*" not in path and len(segments) == 1:
            yield frozenset(segments[0].split("|")), value


def _first(path: str) -> str:
    first = path.partition(".")[0]
    return first if first and '"' not in first else split_path(path)[0]


def _heads(signature: Signature) -> tuple[frozenset[str], ...]:
    """For each key path the top-level keys one of which a document must have; wildcards ask for nothing."""
    firsts = [_first(path).split("|") for path, _ in signature.keys]
    return tuple(frozenset(options) for options in firsts if not any("*" in option for option in options))
