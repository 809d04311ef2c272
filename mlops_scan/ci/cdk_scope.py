"""One function of a CDK program: the calls that it makes, and what its variables stand for.

Nothing is run: a variable is what it was last given in the function, whatever the path through it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from mlops_scan.documents.node import Node

_MAX_DEPTH = 12
_MAX_CALLS = 3_000  # of one function that are looked at
_Body = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def scopes(tree: ast.Module) -> Iterator[Scope]:
    """Every function and the module itself."""
    imports = _imports(tree)
    for owner, body in _bodies(tree):
        yield Scope(imports, owner, body)


class Scope(Struct, dict=True):
    """The names of one function, or of the module itself.

    `owner` is the class or function that other code names to have it run, empty for the module.
    """

    imports: Mapping[str, str]
    owner: str
    body: _Body

    def __post_init__(self) -> None:
        self.bound: dict[str, ast.expr] = {}
        self.calls: list[ast.Call] = []
        for node in _own_nodes(self.body):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self.bound[ast.unparse(node.targets[0])] = node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self.bound[ast.unparse(node.target)] = node.value
            if isinstance(node, ast.Call):
                self.calls.append(node)
        del self.calls[_MAX_CALLS:]
        self.calls.sort(key=lambda call: (call.lineno, call.col_offset))

    def variables(self, value: ast.expr) -> set[str]:
        """The variables that were last given this very expression."""
        return {name for name, given in self.bound.items() if given is value}

    def name(self, call: ast.Call) -> str:
        """The dotted name that a call has after imports are taken into account."""
        parts: list[str] = []
        node: ast.expr = call.func
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ".".join(reversed(parts))
        return ".".join([self.imports.get(node.id, node.id), *reversed(parts)])

    def resolved(self, node: ast.expr | None) -> ast.expr | None:
        """An expression, or what the variable that it is was last given in this function."""
        for _ in range(_MAX_DEPTH):
            if not isinstance(node, (ast.Name, ast.Attribute)):
                break
            node = self.bound.get(ast.unparse(node))
        return node

    def listed(self, node: ast.expr | None) -> list[ast.expr]:
        """The items of a list or tuple, or of the variable that holds it; of anything else none."""
        node = self.resolved(node)
        return list(node.elts) if isinstance(node, (ast.List, ast.Tuple)) else []

    def calls_in(self, node: ast.expr | None) -> Sequence[ast.Call]:
        """The items of a list that are calls, or variables that hold the result of one."""
        found = (self.resolved(item) for item in self.listed(node))
        return [item for item in found if isinstance(item, ast.Call)]

    def literal(self, node: ast.expr | None, depth: int = 0) -> Node | None:
        """A literal as a document: dictionaries, lists, strings; what is put in at run time stays a variable."""
        node = self.resolved(node)
        if node is None or depth > _MAX_DEPTH:
            return None
        line, end = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.Dict):
            pairs = (
                (constant(key), self.literal(value, depth + 1))
                for key, value in zip(node.keys, node.values, strict=True)
            )
            return Node(
                "mapping", line, end, entries=tuple((key, value) for key, value in pairs if key and value is not None)
            )
        if isinstance(node, (ast.List, ast.Tuple)):
            values = (self.literal(item, depth + 1) for item in node.elts)
            return Node("sequence", line, end, items=tuple(value for value in values if value is not None))
        shown = constant(node)
        return Node("scalar", line, end, value=shown, text=shown) if shown else None


def _imports(tree: ast.Module) -> dict[str, str]:
    """Local names with the dotted names that they were imported as."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
    return found


def _bodies(tree: ast.Module) -> Iterator[tuple[str, _Body]]:
    """Every function and the module itself, with the class that a function belongs to."""
    yield "", tree
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield node.name, item
    for item in tree.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield item.name, item


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions and classes inside it."""
    stack = list(ast.iter_child_nodes(scope))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def argument(call: ast.expr | None, name: str) -> ast.expr | None:
    """A keyword argument of a call, or the value of that key of a dictionary."""
    if isinstance(call, ast.Call):
        return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if isinstance(call, ast.Dict):
        first, *rest = name.split("_")
        names = (name, first + "".join(map(str.capitalize, rest)))
        pairs = zip(call.keys, call.values, strict=True)
        return next((value for key, value in pairs if key is not None and constant(key) in names), None)
    return None


def constant(node: ast.expr | None) -> str:
    """A string as far as it is constant, variables shown as such; a number as text."""
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (str, int, float))
        and not isinstance(node.value, bool)
    ):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "$VALUE"
            for part in node.values
        )
    return ""
