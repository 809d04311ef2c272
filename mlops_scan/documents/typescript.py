"""Infrastructure programs in TypeScript (AWS CDK, Pulumi) as positioned nodes: which objects they make, and how.

`new sagemaker.CfnEndpoint(this, "Scoring", {…})` becomes `new."aws_cdk.aws_sagemaker.CfnEndpoint".Scoring` with the
options as its value; names go through the imports and are written as the same library's Python names. Method calls on
such objects stand below `call` with the names they were given. A file that imports no such library gives nothing. Of a
program that may declare how things are delivered there is also what it does, function by function.
https://docs.aws.amazon.com/cdk/v2/guide/work-with-cdk-typescript.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.documents.bounds import MAX_DEPTH, check_size, encodable, too_deep
from mlops_scan.documents.node import EXPRESSION, DocumentError, Node, Scalar
from mlops_scan.documents.spans import end_of, line_of, mapping_of

if TYPE_CHECKING:
    import ast

    from tree_sitter import Node as Tree

LIBRARIES = ("aws-cdk-lib", "@aws-cdk/", "@pulumi/")
"""What a program imports that declares infrastructure."""

_MAX_OBJECTS = 5000
_FOLLOWED = "ipeline"  # in a program that declares pipelines or makes such a stack: few of all, the others cost nothing


class Program(Struct, frozen=True):
    """A program that declares infrastructure: the document of its objects, and what it does where that is followed."""

    nodes: tuple[Node, ...] = ()
    tree: ast.Module | None = None  # see `typescript_syntax`


def parse(text: str) -> Program:
    """The objects of a program that declares infrastructure; nothing for any other text.

    Raises:
        DocumentError: too large, nested too deeply, or broken; `partial` then holds what could be read.
    """
    if not any(library in text for library in LIBRARIES):
        return Program()
    check_size(text)
    from mlops_scan.documents.trees import parse_tree, walk

    source = encodable(text).encode()
    root = parse_tree(source, "typescript").root_node
    reader = _Reader(source)
    trees = list(walk(root))
    for tree in trees:
        if tree.type == "import_statement":
            reader.take_import(tree)
    for tree in trees:
        if tree.type == "new_expression" and reader.seen < _MAX_OBJECTS:
            reader.take_object(tree)
        elif tree.type == "call_expression" and reader.seen < _MAX_OBJECTS:
            reader.take_call(tree)
    followed = None
    if reader.names and _FOLLOWED in text:
        from mlops_scan.documents.typescript_syntax import translated

        followed = translated(root, source, reader.names)
    program = Program(reader.documents(), followed)
    if root.has_error:
        broken = next((tree for tree in trees if tree.is_error or tree.is_missing), root)
        raise DocumentError("not valid TypeScript", line_of(broken), program)
    return program


class _Reader(Struct):
    source: bytes
    names: dict[str, str] = field(default_factory=dict)  # local name -> library name
    objects: dict[str, list[tuple[str, Node]]] = field(default_factory=dict)
    calls: list[tuple[str, Node]] = field(default_factory=list)
    seen: int = 0

    def text(self, tree: Tree) -> str:
        return self.source[tree.start_byte : tree.end_byte].decode("utf-8", "replace")

    def documents(self) -> tuple[Node, ...]:
        made = tuple((name, mapping_of(tuple(held))) for name, held in self.objects.items())
        if not made:
            return ()
        entries = [("new", mapping_of(made))]
        if self.calls:
            entries.append(("call", mapping_of(tuple(self.calls))))
        return (mapping_of(tuple(entries)),)

    def take_import(self, statement: Tree) -> None:
        """Remember what the local names of an import stand for."""
        required = next((c for c in statement.named_children if c.type == "import_require_clause"), None)
        held = (required or statement).named_children
        library = _library(next((self.text(c).strip("'\"") for c in held if c.type == "string"), ""))
        if not library:
            return
        if required is not None:  # import cdk = require("aws-cdk-lib")
            self.names[self.text(required.named_children[0])] = library
        for local, name in self._imported(statement):
            self.names[local] = f"{library}.{name}" if name else library

    def _imported(self, statement: Tree) -> Iterator[tuple[str, str]]:
        clause = next((c for c in statement.named_children if c.type == "import_clause"), None)
        for child in clause.named_children if clause is not None else ():
            if child.type == "identifier":
                yield self.text(child), ""
            elif child.type == "namespace_import" and child.named_children:
                yield self.text(child.named_children[0]), ""
            elif child.type == "named_imports":
                for item in child.named_children:
                    words = [self.text(part) for part in item.named_children]
                    if words:
                        yield words[-1], words[0].replace("-", "_")

    def resolved(self, tree: Tree) -> str:
        """The library name that an expression stands for; empty where it is none."""
        head, dot, rest = self.text(tree).partition(".")
        library = self.names.get(head)
        return f"{library}{dot}{rest}" if library else ""

    def take_object(self, tree: Tree) -> None:
        """One `new Library.Type(scope, id, options)`."""
        constructor = tree.child_by_field_name("constructor")
        name = self.resolved(constructor) if constructor is not None else ""
        given = tree.child_by_field_name("arguments")
        if not name or given is None:
            return
        self.seen += 1
        arguments = [child for child in given.named_children if child.type != "comment"]
        options = next((a for a in reversed(arguments) if a.type == "object"), None)
        entries = self.value(options, 0).entries if options is not None else ()
        label = next((self.text(a).strip("'\"`") for a in arguments if a.type == "string"), "")
        parent = tree.parent
        if parent is not None and parent.type in ("variable_declarator", "assignment_expression"):
            label = self.text(parent.named_children[0]).removeprefix("this.")
        node = Node("mapping", line_of(tree), end_of(tree), line_of(tree), entries=entries)
        self.objects.setdefault(name, []).append((label or f"line{line_of(tree)}", node))

    def take_call(self, tree: Tree) -> None:
        """One method call on some object: `rule.addTarget(new targets.LambdaFunction(retrain))`."""
        function, given = tree.child_by_field_name("function"), tree.child_by_field_name("arguments")
        if function is None or given is None or function.type != "member_expression":
            return
        self.seen += 1
        text = self.text(function).removeprefix("this.")
        if len(text) <= 200:
            items = tuple(self.value(child, 0) for child in given.named_children if child.type != "comment")
            self.calls.append((text, Node("sequence", line_of(tree), end_of(tree), line_of(tree), items=items)))

    def value(self, tree: Tree, depth: int) -> Node:
        """The value of an expression."""
        if depth > MAX_DEPTH:
            raise too_deep(line_of(tree))
        if tree.type == "object":
            pairs = (child for child in tree.named_children if child.type == "pair" and len(child.named_children) == 2)
            entries = tuple(
                (
                    self.text(pair.named_children[0]).strip("'\""),
                    replace(self.value(pair.named_children[1], depth + 1), key_line=line_of(pair)),
                )
                for pair in pairs
            )
            return Node("mapping", line_of(tree), end_of(tree), entries=entries)
        if tree.type == "array":
            items = tuple(self.value(c, depth + 1) for c in tree.named_children if c.type != "comment")
            return Node("sequence", line_of(tree), end_of(tree), items=items)
        text = self.text(tree)
        value: Scalar = text
        tag = ""
        if tree.type in ("string", "template_string"):
            value = text = text[1:-1]
        elif tree.type in ("true", "false"):
            value = text == "true"
        elif tree.type == "number" and text.replace(".", "", 1).isdigit() and len(text) < 20:
            value = float(text) if "." in text else int(text)
        elif tree.type in ("null", "undefined"):
            value = None
        else:
            tag = EXPRESSION
        return Node("scalar", line_of(tree), end_of(tree), value=value, text=text, tag=tag)


def _library(source: str) -> str:
    """A module's name as the Python package of the same library writes it; empty for other modules."""
    if source == "aws-cdk-lib":
        return "aws_cdk"
    for prefix, package in (("aws-cdk-lib/", "aws_cdk."), ("@aws-cdk/", "aws_cdk."), ("@pulumi/", "pulumi_")):
        if source.startswith(prefix):
            return package + source[len(prefix) :].replace("/", ".").replace("-", "_")
    return ""
