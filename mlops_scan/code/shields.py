"""`try` statements that keep a failure from having an effect."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from mlops_scan.code.facts import Shield
from mlops_scan.code.guards import STOP_CALLS
from mlops_scan.code.scopes import Scope, name_of
from mlops_scan.code.syntax import Lines, identifiers

_ERRORS = frozenset({"Exception", "BaseException"})
_EXITS = frozenset({"BaseException", "SystemExit"})
_KEEPS = (".append", ".add", ".put", ".set", ".update", ".fail", ".abort", ".cancel", ".exit")
_MAX_STATEMENTS = 200  # of a handler
_MAX_NAMES = 12


def shield_of(node: ast.Try, scope: Scope, lines: Lines) -> Shield | None:
    """What a `try` shields from failing, or None where its failure still reaches somebody.

    A handler that returns, remembers the failure in a variable or hands it to a collection is none: who reads that may
    well act on it.
    """
    handler = next((item for item in node.handlers if _catches(item, _ERRORS)), None)
    if handler is None or not node.body:
        return None
    unless: list[str] = []
    for count, (statement, tests) in enumerate(_statements(handler.body, ())):
        if count > _MAX_STATEMENTS or _remembers(statement):
            return None
        if not _ends(statement, scope):
            continue
        if not tests:
            return None
        for test in tests:
            unless += _asked(test, scope)
    start, end = lines.of(node.body[0].lineno), lines.span(node.body[-1])[1]
    names = tuple(dict.fromkeys(unless))[:_MAX_NAMES]
    return Shield(start, end, scope.name, lines.of(handler.lineno), _catches(handler, _EXITS), names)


def _catches(handler: ast.ExceptHandler, names: frozenset[str]) -> bool:
    """Whether a handler catches any error of the classes called `names`; one without a class catches all."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in names for kind in kinds)


def _statements(
    body: Sequence[ast.stmt], tests: tuple[ast.expr, ...]
) -> Iterator[tuple[ast.stmt, tuple[ast.expr, ...]]]:
    """The statements of a handler, each with the conditions under which it runs."""
    stack = [(node, tests) for node in reversed(body)]
    while stack:
        node, under = stack.pop()
        yield node, under
        if isinstance(node, ast.If):
            inner = (*under, node.test)
            stack += [(child, inner) for child in reversed([*node.body, *node.orelse])]
        elif isinstance(node, (ast.With, ast.AsyncWith, ast.For, ast.AsyncFor, ast.While)):
            stack += [(child, under) for child in reversed(node.body)]
        elif isinstance(node, ast.Try):
            stack += [(child, under) for child in reversed([*node.body, *node.orelse, *node.finalbody])]


def _ends(statement: ast.stmt, scope: Scope) -> bool:
    if isinstance(statement, ast.Raise):
        return True
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and name_of(statement.value.func, scope) in STOP_CALLS
    )


def _remembers(statement: ast.stmt) -> bool:
    """Whether a statement lets later code know of the failure."""
    if isinstance(statement, (ast.Return, ast.AugAssign, ast.Match)):
        return True
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        plain = all(isinstance(target, ast.Name) for target in targets)
        return not plain or isinstance(statement.value, (ast.Constant, ast.Name, ast.Dict, ast.List))
    if isinstance(statement, ast.Expr) and isinstance(statement.value, (ast.Yield, ast.YieldFrom)):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        return isinstance(function, ast.Attribute) and f".{function.attr}".startswith(_KEEPS)
    return False


def _asked(test: ast.expr, scope: Scope) -> list[str]:
    """The identifiers of a test, and of what its variables were made of."""
    names = identifiers(test)
    for name in tuple(names):
        if name in scope.made_of:
            names += identifiers(scope.made_of[name])
    return names
