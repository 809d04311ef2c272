"""Bicep, the language of Azure deployments, as positioned nodes.

`resource NAME 'TYPE@VERSION' = {…}` becomes `resource.TYPE.NAME`, `module NAME 'PATH' = {…}` becomes `module.NAME` with
its path as `source`. References to what exists already (`existing`) are left out: they declare nothing. Expressions are
scalars with their text and the tag `!expression`.
https://learn.microsoft.com/azure/azure-resource-manager/bicep/resource-declaration
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from mlops_scan.documents.bounds import MAX_DEPTH, check_size, encodable, too_deep
from mlops_scan.documents.node import EXPRESSION, DocumentError, Node, Scalar
from mlops_scan.documents.spans import end_of, line_of, mapping_of

if TYPE_CHECKING:
    from tree_sitter import Node as Tree

_Found = dict[str, dict[str, Node]]


def parse(text: str) -> tuple[Node, ...]:
    """The one document of a Bicep text; none where it declares neither resource nor module.

    Raises:
        DocumentError: too large, nested too deeply, or broken; `partial` then holds what could be read.
    """
    check_size(text)
    from mlops_scan.documents.trees import parse_tree, walk

    source = encodable(text).encode()
    root = parse_tree(source, "bicep").root_node
    reader = _Reader(source)
    for child in root.named_children:
        reader.declaration(child, "", 0)
    documents = reader.documents()
    if root.has_error:
        broken = next((tree for tree in walk(root) if tree.is_error or tree.is_missing), root)
        raise DocumentError("not valid Bicep", line_of(broken), documents)
    return documents


class _Reader(Struct):
    source: bytes
    resources: _Found = field(default_factory=dict)
    modules: dict[str, Node] = field(default_factory=dict)

    def text(self, tree: Tree) -> str:
        return self.source[tree.start_byte : tree.end_byte].decode("utf-8", "replace")

    def documents(self) -> tuple[Node, ...]:
        types = tuple((name, mapping_of(tuple(found.items()))) for name, found in self.resources.items())
        parts = [("resource", types), ("module", tuple(self.modules.items()))]
        entries = tuple((name, mapping_of(held)) for name, held in parts if held)
        return (mapping_of(entries),) if entries else ()

    def declaration(self, tree: Tree, parent: str, depth: int) -> None:
        """One `resource` or `module`, and the resources nested in it."""
        if depth > MAX_DEPTH:
            raise too_deep(line_of(tree))
        if tree.type not in ("resource_declaration", "module_declaration"):
            return
        name, kind = tree.child_by_field_name("name") or _first(tree, "identifier"), _first(tree, "string")
        body = _body(tree)
        if name is None or kind is None or body is None or any(c.type == "existing" for c in tree.children):
            return
        written = self.text(kind).strip("'")
        if tree.type == "module_declaration":
            source = Node("scalar", line_of(kind), line_of(kind), value=written, text=written)
            held = self.value(body, depth + 1)
            entries = (("source", source), *held.entries)
            self.modules[self.text(name)] = Node("mapping", line_of(tree), end_of(tree), line_of(tree), entries=entries)
            return
        type_ = written.partition("@")[0]
        type_ = f"{parent}/{type_}" if parent else type_
        held = self.value(body, depth + 1)
        placed = Node("mapping", line_of(tree), end_of(tree), line_of(tree), entries=held.entries)
        self.resources.setdefault(type_, {})[self.text(name)] = placed
        for item in body.named_children:
            for inner in item.named_children if item.type == "object_property" else (item,):
                self.declaration(inner, type_, depth + 1)

    def value(self, tree: Tree, depth: int) -> Node:
        """The value of an expression."""
        if depth > MAX_DEPTH:
            raise too_deep(line_of(tree))
        if tree.type == "object":
            pairs = (c for c in tree.named_children if c.type == "object_property" and len(c.named_children) >= 2)
            entries = tuple(self._pair(pair, depth) for pair in pairs)
            return Node("mapping", line_of(tree), end_of(tree), entries=entries)
        if tree.type == "array":
            items = tuple(self.value(c, depth + 1) for c in tree.named_children if c.type != "comment")
            return Node("sequence", line_of(tree), end_of(tree), items=items)
        text = self.text(tree)
        value: Scalar = text
        tag = ""
        if tree.type == "string":
            value = text = text.strip("'")
        elif tree.type == "boolean":
            value = text == "true"
        elif tree.type == "number" and text.lstrip("-").isdigit() and len(text) < 20:
            value = int(text)
        elif tree.type == "null":
            value = None
        else:
            tag = EXPRESSION
        return Node("scalar", line_of(tree), end_of(tree), value=value, text=text, tag=tag)

    def _pair(self, pair: Tree, depth: int) -> tuple[str, Node]:
        key, value = pair.named_children[0], pair.named_children[1]
        node = self.value(value, depth + 1)
        placed = Node(
            node.kind,
            node.line,
            node.end_line,
            line_of(pair),
            value=node.value,
            text=node.text,
            tag=node.tag,
            entries=node.entries,
            items=node.items,
        )
        return self.text(key).strip("'"), placed


def _body(tree: Tree) -> Tree | None:
    """The object of a declaration, also below `if (…)` and `[for … : …]`."""
    for child in tree.named_children:
        if child.type == "object":
            return child
        if child.type in ("if_statement", "for_statement"):
            return next((inner for inner in child.named_children if inner.type == "object"), None)
    return None


def _first(tree: Tree, kind: str) -> Tree | None:
    return next((child for child in tree.named_children if child.type == kind), None)
