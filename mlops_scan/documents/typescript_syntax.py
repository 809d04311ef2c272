"""What a CDK program in TypeScript makes, as the syntax tree of the same program in Python.

The CDK is one library in both languages: an object of options is what Python writes as keywords, and methods and
options have the same names in snake case. Assignments and calls of each function are translated, with the lines that
they stand on; any other expression becomes a name that nothing is bound to. The tree is for reading, not to be run.
https://docs.aws.amazon.com/cdk/v2/guide/work-with-cdk-python.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from mlops_scan.documents.spans import end_of, line_of
from mlops_scan.regex import regex

if TYPE_CHECKING:
    from tree_sitter import Node as Tree

_MAX_DEPTH = 40  # of an expression
_MAX_STATEMENTS = 20_000  # of a program
_WORDS = regex(r"(?<=[a-z0-9])(?=[A-Z])")
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r"}
_WRAPPED = frozenset(
    {
        "parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "await_expression",
    }
)  # fmt: skip
_BLOCKS = frozenset(
    {
        "program", "statement_block", "export_statement", "lexical_declaration", "variable_declaration", "if_statement",
        "else_clause", "for_statement", "for_in_statement", "while_statement", "do_statement", "try_statement",
        "catch_clause", "finally_clause", "switch_statement", "switch_body", "switch_case", "switch_default",
    }
)  # fmt: skip
_CLASSES = frozenset({"class_declaration", "abstract_class_declaration"})
_FUNCTIONS = frozenset({"arrow_function", "function_expression"})
_VALUES: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "undefined": None}
_PLAIN = ("from_object", "from_json")  # methods whose object is a value, not options
_Placed = TypeVar("_Placed", bound="ast.expr | ast.stmt")


def translated(root: Tree, source: bytes, imported: Mapping[str, str]) -> ast.Module:
    """The program as Python would have it; `imported` are the library's names by the local ones."""
    imports: list[ast.stmt] = [ast.Import([ast.alias(name, local)]) for local, name in imported.items()]
    return ast.Module([*imports, *_Writer(source).program(root)], [])


class _Writer(Struct):
    source: bytes
    left: int = _MAX_STATEMENTS

    def text(self, tree: Tree) -> str:
        return self.source[tree.start_byte : tree.end_byte].decode("utf-8", "replace")

    def field(self, tree: Tree, name: str) -> str:
        child = tree.child_by_field_name(name)
        return self.text(child) if child is not None else ""

    # -- statements --------------------------------------------------------------------------------------------------

    def program(self, root: Tree) -> Iterator[ast.stmt]:
        """The statements of the module, its functions, and its classes with their methods."""
        for tree in _within(root):
            body = tree.child_by_field_name("body")
            value = tree.child_by_field_name("value")
            if tree.type in _CLASSES and body is not None:
                held = [(self.field(item, "name"), item.child_by_field_name("value") or item) for item in _given(body)]
                methods = [self.function(name, item) for name, item in held]
                yield _at(tree, _class(self.field(tree, "name"), [made for made in methods if made is not None]))
            elif tree.type == "function_declaration" or (value is not None and value.type in _FUNCTIONS):
                made = self.function(self.field(tree, "name"), tree if value is None else value)
                if made is not None:
                    yield made
            else:
                yield from self.statement(tree)

    def function(self, name: str, tree: Tree) -> ast.stmt | None:
        """A function or method with what it does itself; None for what is none."""
        body = tree.child_by_field_name("body")
        if body is None:
            return None
        return _at(tree, _function(name, [made for inner in _within(body) for made in self.statement(inner)]))

    def statement(self, tree: Tree) -> Iterator[ast.stmt]:
        """An assignment or a call."""
        self.left -= 1
        if self.left < 0:
            return
        if tree.type == "variable_declarator":
            name, value = tree.child_by_field_name("name"), tree.child_by_field_name("value")
            if name is not None and value is not None:
                yield _at(tree, ast.Assign([self.value(name)], self.value(value)))
        elif tree.type in ("expression_statement", "return_statement"):
            for child in tree.named_children[:1]:
                done = _bare(child)
                target, value = done.child_by_field_name("left"), done.child_by_field_name("right")
                if done.type == "assignment_expression" and target is not None and value is not None:
                    yield _at(done, ast.Assign([self.value(target)], self.value(value)))
                else:
                    yield _at(done, ast.Expr(self.value(done)))

    # -- expressions -------------------------------------------------------------------------------------------------

    def value(self, tree: Tree, depth: int = 0) -> ast.expr:
        """An expression; a name that stands for nothing where it is of another kind, or nested too deeply."""
        tree = _bare(tree)
        if depth < _MAX_DEPTH:
            if tree.type in ("new_expression", "call_expression"):
                return self.call(tree, depth)
            if tree.type == "member_expression":
                held = tree.child_by_field_name("object")
                if held is not None:
                    name = _snake(self.field(tree, "property"))
                    return _at(tree, ast.Attribute(self.value(held, depth + 1), name, ast.Load()))
            if tree.type == "array":
                items = [self.value(item, depth + 1) for item in _given(tree)]
                return _at(tree, ast.List(items, ast.Load()))
            if tree.type == "object":
                pairs = list(self.pairs(tree, depth))
                keys: list[ast.expr | None] = [_at(value, ast.Constant(key)) for key, value, _ in pairs]
                return _at(tree, ast.Dict(keys, [made for _, _, made in pairs]))
        return self.scalar(tree)

    def scalar(self, tree: Tree) -> ast.expr:
        if tree.type in ("string", "template_string"):
            return _at(tree, ast.Constant(self.string(tree)))
        if tree.type in _VALUES:
            return _at(tree, ast.Constant(_VALUES[tree.type]))
        text = "self" if tree.type == "this" else self.text(tree) if tree.end_byte - tree.start_byte < 200 else "..."
        if tree.type == "number" and text.isascii() and text.isdigit() and len(text) < 20:
            return _at(tree, ast.Constant(int(text)))
        return _at(tree, ast.Name(" ".join(text.split()), ast.Load()))

    def string(self, tree: Tree) -> str:
        """The text of a string; what is put in at run time stays a variable."""
        found = []
        for part in tree.named_children:
            text = self.text(part) if part.type != "template_substitution" else "$VALUE"
            found.append(_ESCAPES.get(text, text[1:]) if part.type == "escape_sequence" else text)
        return "".join(found)

    def call(self, tree: Tree, depth: int) -> ast.expr:
        """A call, or what `new` makes: the object at its end are keywords."""
        made = tree.child_by_field_name("constructor" if tree.type == "new_expression" else "function")
        function = self.value(made, depth + 1) if made is not None else _at(tree, ast.Name("", ast.Load()))
        arguments = tree.child_by_field_name("arguments")
        given = _given(arguments) if arguments is not None and arguments.type == "arguments" else []
        keywords: list[ast.keyword] = []
        plain = isinstance(function, ast.Attribute) and function.attr.startswith(_PLAIN)
        if given and not plain and _bare(given[-1]).type == "object":
            options = self.pairs(_bare(given.pop()), depth)
            keywords = [ast.keyword(_snake(key), value) for key, _, value in options]
        return _at(tree, ast.Call(function, [self.value(item, depth + 1) for item in given], keywords))

    def pairs(self, tree: Tree, depth: int) -> Iterator[tuple[str, Tree, ast.expr]]:
        """The entries of an object with the keys as written."""
        for item in tree.named_children:
            key, value = item.child_by_field_name("key"), item.child_by_field_name("value")
            if item.type == "shorthand_property_identifier":
                yield self.text(item), item, _at(item, ast.Name(self.text(item), ast.Load()))
            elif key is not None and value is not None and key.type in ("property_identifier", "string"):
                yield self.text(key).strip("'\""), value, self.value(value, depth + 1)


def _within(body: Tree) -> Iterator[Tree]:
    """The statements of a block and of the blocks in it, in order; functions and classes in it are not entered."""
    stack = [body]
    while stack:
        tree = stack.pop()
        if tree.type in _BLOCKS:
            stack.extend(reversed(tree.named_children))
        else:
            yield tree


def _bare(tree: Tree) -> Tree:
    """An expression without what only the types need: `(await make()) as Role`."""
    while tree.type in _WRAPPED and tree.named_children:
        tree = tree.named_children[0]
    return tree


def _given(tree: Tree) -> list[Tree]:
    return [child for child in tree.named_children if child.type != "comment"]


def _at(tree: Tree, node: _Placed) -> _Placed:
    """A node with the place of the tree that it stands for."""
    node.lineno, node.col_offset = line_of(tree), tree.start_point[1]
    node.end_lineno, node.end_col_offset = end_of(tree), tree.end_point[1]
    return node


def _snake(name: str) -> str:
    """A method's or option's name as Python has it; those of classes and constants stay."""
    return _WORDS.sub("_", name).lower() if name[:1].islower() else name


def _function(name: str, body: Iterable[ast.stmt]) -> ast.FunctionDef:
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.FunctionDef(name=name, args=nothing, body=list(body), decorator_list=[])


def _class(name: str, body: Iterable[ast.stmt]) -> ast.ClassDef:
    return ast.ClassDef(name=name, bases=[], keywords=[], body=list(body), decorator_list=[])
