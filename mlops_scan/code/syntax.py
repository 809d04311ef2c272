"""What a syntax tree tells by itself, before any name is resolved: lines, shapes of statements, identifiers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from mlops_scan.code.facts import MAIN

MAX_IDENTIFIERS = 50  # nodes of an expression looked at for identifiers
_MAX_IDENTIFIER = 60  # characters of a string that may be one
NAMING = frozenset({ast.Name, ast.Attribute, ast.Constant})
"""The kinds of nodes that `name_in` reads."""
_LOGGING = frozenset({"print", "info", "debug", "warning", "error", "echo", "success", "log"})


class Lines:
    """Where nodes stand in their file; a notebook's cells have lines of their own.

    Args:
        lines: for a notebook, the file's line for each line of the tree (index 0 is line 1).
    """

    def __init__(self, lines: Sequence[int] = ()) -> None:
        self.same = not lines
        """Whether the lines of the tree are those of the file."""
        self._lines = lines

    def of(self, line: int) -> int:
        """The file's line for a line of the tree."""
        return line if self.same else self._lines[min(line, len(self._lines)) - 1]

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The file's first and last line of a node."""
        start, end = node.lineno, node.end_lineno or node.lineno
        if self.same:
            return start, end
        start = self.of(start)
        return start, max(start, self.of(end))


# Fields of the kinds of nodes that hold nodes worth a look: no contexts, operators, names or positions.
_PLAIN = frozenset(
    {"ctx", "op", "ops", "id", "attr", "arg", "name", "names", "kind", "type_comment", "lineno", "level"}
)
_FIELDS = {
    kind: tuple(field for field in kind._fields if field not in _PLAIN)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and kind is not ast.Constant
}
_MIXED = frozenset({"keys", "kw_defaults", "kwd_attrs"})  # lists that hold None or text as well
_BLOCKS = {
    kind: tuple(field for field in ("body", "orelse", "finalbody", "handlers") if field in kind._fields)
    for kind in vars(ast).values()
    if isinstance(kind, type)
    and issubclass(kind, ast.stmt)
    and "body" in kind._fields
    and kind not in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
}


def children(node: ast.AST) -> list[ast.AST]:
    """The parts of a node in the order of the text; `ast.iter_child_nodes` without contexts and operators, faster."""
    found: list[ast.AST] = []
    for name in _FIELDS.get(type(node), ()):
        value = getattr(node, name, None)
        if value.__class__ is list:
            found += value if name not in _MIXED else [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all its parts, nearest first."""
    todo = [node]
    for current in todo:
        yield current
        todo += children(current)


def identifiers(node: ast.AST) -> list[str]:
    """Names, attributes and string subscripts of an expression, in order."""
    found: list[str] = []
    todo = [node]
    for count, current in enumerate(todo):  # nearest first
        if count == MAX_IDENTIFIERS:
            break
        if type(current) in NAMING:
            name_in(current, found)
            if isinstance(current, ast.Attribute):
                todo.append(current.value)
        else:
            todo += children(current)
    return found


def name_in(node: ast.AST, found: list[str]) -> None:
    """Add the identifier that a name, an attribute or a short string is."""
    if isinstance(node, ast.Name):
        found.append(node.id)
    elif isinstance(node, ast.Attribute):
        found.append(node.attr)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < _MAX_IDENTIFIER:
        found.append(node.value)


def own_nodes(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements below `body`, not entering nested functions and classes."""
    stack = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if type(node) not in _BLOCKS:
            continue
        inside: list[ast.stmt] = []
        for name in _BLOCKS[type(node)]:
            if name == "handlers":
                for handler in node.handlers:  # type: ignore[attr-defined]
                    inside += handler.body
            else:
                inside += getattr(node, name)
        inside.reverse()
        stack += inside


def is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`, either way round, alone or with further conditions."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(is_main(value) for value in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == [MAIN]


def never(test: ast.expr) -> bool:
    """Whether a test fails whenever the program runs: a false constant, or `TYPE_CHECKING`."""
    if isinstance(test, ast.Constant):
        return not test.value
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is nothing but a string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_stub(body: Sequence[ast.stmt]) -> bool:
    """Whether a body does nothing: a docstring, `pass`, `...`, a log line or `raise NotImplementedError`."""
    for node in body:
        if isinstance(node, ast.Pass):
            continue
        if isinstance(node, ast.Raise) and "NotImplementedError" in identifiers(node):
            continue
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant):
                continue
            if isinstance(node.value, ast.Call):
                function = node.value.func
                name = (
                    function.id
                    if isinstance(function, ast.Name)
                    else function.attr
                    if isinstance(function, ast.Attribute)
                    else ""
                )
                if name in _LOGGING:
                    continue
        return False
    return True


def none_by_default(arguments: ast.arguments) -> tuple[str, ...]:
    """The names of the parameters whose default is None."""
    placed = [*arguments.posonlyargs, *arguments.args]
    defaults = arguments.defaults
    pairs: list[tuple[ast.arg, ast.expr | None]] = list(
        zip(placed[len(placed) - len(defaults) :], defaults, strict=True)
    )
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return tuple(arg.arg for arg, value in pairs if isinstance(value, ast.Constant) and value.value is None)


def of_self(node: ast.expr | None) -> TypeGuard[ast.Attribute]:
    """Whether an expression is `self.x`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
