"""HCL, the language of Terraform and OpenTofu, as positioned nodes.

The tree has the shape of Terraform's JSON syntax: `resource "TYPE" "NAME" { … }` is `resource.TYPE.NAME`, a nested
block is a mapping under its name, or a sequence of mappings where there are several. Nothing is evaluated: a reference,
a call or a condition is a scalar with the expression as its text and the tag `!expression`.
https://developer.hashicorp.com/terraform/language/syntax/json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.documents.bounds import MAX_DEPTH, check_size, encodable, too_deep
from mlops_scan.documents.node import EXPRESSION, DocumentError, Node, Scalar
from mlops_scan.documents.spans import end_of, line_of
from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node as Tree

_ENCODERS = frozenset({"jsonencode", "yamlencode"})
_MAX_LABELS = 4  # Terraform has two at most
_BLANKS = regex(r"[ \t]{200,}")
_ESCAPE = regex(r'\\(n|r|t|"|\\|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})')
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> tuple[Node, ...]:
    """The one document of an HCL text; none for a text without attributes and blocks.

    Raises:
        DocumentError: too large, nested too deeply, or broken; `partial` then holds what could be read.
    """
    check_size(text)
    from mlops_scan.documents.trees import parse_tree

    source = encodable(_BLANKS.sub(" ", text)).encode()  # long runs of blanks cost the grammar quadratic time
    root = parse_tree(source, "hcl").root_node
    body = next((child for child in root.children if child.type == "body"), None)
    reader = _Reader(source)
    document = reader.body(body, root, 0) if body is not None else None
    documents = (document,) if document is not None and document.entries else ()
    if root.has_error:
        raise DocumentError("not valid HCL", reader.first_error(root), documents)
    return documents


class _Block(Struct):
    """Blocks of one name while they are collected: by label, and the bodies of those without a label."""

    line: int
    labels: dict[str, _Block] = field(default_factory=dict)
    bodies: list[Node] = field(default_factory=list)

    def node(self, key_line: int) -> Node:
        if self.labels:
            entries = tuple((label, inner.node(inner.line)) for label, inner in self.labels.items())
            end = max(child.end_line for _, child in entries)
            return Node("mapping", self.line, end, key_line, entries=entries)
        if len(self.bodies) == 1:
            return replace(self.bodies[0], key_line=key_line)
        return Node("sequence", self.line, self.bodies[-1].end_line, key_line, items=tuple(self.bodies))


class _Reader(Struct, frozen=True):
    source: bytes

    def text(self, tree: Tree) -> str:
        return self.source[tree.start_byte : tree.end_byte].decode("utf-8", "replace")

    def first_error(self, root: Tree) -> int:
        from mlops_scan.documents.trees import walk

        broken = next((tree for tree in walk(root) if tree.is_error or tree.is_missing), root)
        return int(broken.start_point[0]) + 1

    def body(self, body: Tree | None, holder: Tree, depth: int) -> Node:
        """Attributes and blocks as one mapping, in the order in which each name first stands."""
        if depth > MAX_DEPTH:
            raise too_deep(line_of(holder))
        found: dict[str, Node | _Block] = {}
        for child in body.named_children if body is not None else ():
            if child.type == "attribute" and len(child.named_children) >= 2:
                name = self.text(child.named_children[0])
                found[name] = replace(self.value(child.named_children[1], depth + 1), key_line=line_of(child))
            elif child.type == "block":
                self._block(child, found, depth)
        entries = tuple(
            (name, item if isinstance(item, Node) else item.node(item.line)) for name, item in found.items()
        )
        return Node("mapping", line_of(holder), end_of(holder), entries=entries)

    def _block(self, block: Tree, found: dict[str, Node | _Block], depth: int) -> None:
        names = [child for child in block.named_children if child.type in ("identifier", "string_lit")]
        if not names or len(names) > _MAX_LABELS:
            return
        inner = next((child for child in block.named_children if child.type == "body"), None)
        content = self.body(inner, block, depth + 1)
        words = [self.text(names[0]), *(self._string(label) for label in names[1:])]
        if words[0] == "dynamic" and len(words) == 2:  # writes the block of that name, with `content` as its body
            words, content = words[1:], content.get("content") or content
        place = found.setdefault(words[0], _Block(line_of(block)))
        if isinstance(place, Node):
            return  # an attribute and a block of one name: not valid
        for word in words[1:]:
            place = place.labels.setdefault(word, _Block(line_of(block)))
        place.bodies.append(content)

    def value(self, tree: Tree, depth: int) -> Node:
        """The value of an expression; what is no literal and no collection stays text."""
        if depth > MAX_DEPTH:
            raise too_deep(line_of(tree))
        inner = _core(tree)
        if inner.type == "object":
            pairs = (child for child in inner.named_children if child.type == "object_elem")
            entries = [self._pair(pair, depth) for pair in pairs if len(pair.named_children) >= 2]
            return Node("mapping", line_of(inner), end_of(inner), entries=tuple(entries))
        if inner.type == "tuple":
            items = tuple(self.value(c, depth + 1) for c in inner.named_children if c.type == "expression")
            return Node("sequence", line_of(inner), end_of(inner), items=items)
        if inner.type == "function_call" and self.text(inner.named_children[0]) in _ENCODERS:
            given = next((c for c in inner.named_children if c.type == "function_arguments"), None)
            if given is not None and given.named_children:
                return self.value(given.named_children[0], depth + 1)
        return self._scalar(inner)

    def _pair(self, pair: Tree, depth: int) -> tuple[str, Node]:
        key, value = pair.named_children[0], pair.named_children[1]
        core = _core(key)
        name = self._string(core) if core.type in ("string_lit", "quoted_template") else self.text(key)
        return name, replace(self.value(value, depth + 1), key_line=line_of(pair))

    def _scalar(self, tree: Tree) -> Node:
        text = self.text(tree)
        value: Scalar = text
        tag = style = ""
        if tree.type in ("string_lit", "quoted_template"):
            value = text = self._string(tree)
            style = '"'
        elif tree.type == "heredoc_template":
            lines = text.split("\n")
            value = text = "\n".join(lines[1:-1])
            style = "|"
        elif tree.type == "bool_lit":
            value = text == "true"
        elif tree.type == "null_lit":
            value = None
        elif (number := _number(text)) is not None:
            value = number
        else:
            tag = EXPRESSION
        return Node("scalar", line_of(tree), end_of(tree), value=value, text=text, tag=tag, style=style)

    def _string(self, tree: Tree) -> str:
        text = self.text(tree)
        if len(text) >= 2 and text[0] == text[-1] == '"':
            text = text[1:-1]
        return _ESCAPE.sub(lambda match: _unescaped(match.group(1)), text) if "\\" in text else text


def _unescaped(escape: str) -> str:
    if escape[0] in "uU":
        return chr(min(int(escape[1:], 16), 0x10FFFF))
    return _ESCAPED.get(escape, escape)


_WRAPPERS = frozenset({"expression", "literal_value", "collection_value", "template_expr"})


def _core(tree: Tree) -> Tree:
    """The one thing that wrapping nodes and parentheses hold."""
    while tree.type in _WRAPPERS and len(tree.named_children) == 1:
        tree = tree.named_children[0]
    return tree


def _number(text: str) -> int | float | None:
    if not text or text[0] not in "-0123456789":
        return None
    try:
        return int(text) if text.lstrip("-").isdigit() and len(text) < 20 else float(text)
    except ValueError:
        return None
