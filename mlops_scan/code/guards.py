"""Tests that compare something, and what their branches stop."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from itertools import islice

from mlops_scan.code.facts import Guard
from mlops_scan.code.scopes import Scope, name_of
from mlops_scan.code.syntax import Lines, identifiers, own_nodes, walk
from mlops_scan.regex import regex

_MAX_ORIGINS = 12  # identifiers of what a compared variable was made of
_MAX_BODY = 500  # statements of a branch looked at for what stops the program
PROCEEDS = regex(
    r"(deploy|promot|regist|accept|approv|bless|better|improve|challenger_wins|passe[sd]|qualif|"
    r"should_(deploy|replace|update))",
    re.I,
)
"""Names of flags that let a model proceed: `if is_accepted:` is worth a look although it compares nothing itself."""
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
STOP_CALLS = frozenset({"sys.exit", "exit", "quit", "os._exit", "pytest.fail"})
"""Calls that end the program with an error."""


def guard_of(
    node: ast.If | ast.Assert | ast.Compare, test: ast.expr, scope: Scope, lines: Lines, stopping: str
) -> Guard | None:
    """What a test compares with what, and what it stops (see `Guard.stops`); None for a plain branch."""
    compares, numbers = _compared(test)
    names = identifiers(test)
    plain = isinstance(node, ast.If) and not compares and stopping not in ("raise", "exit")
    if plain and not any(PROCEEDS.search(name) for name in names):
        return None
    for name in tuple(names):
        if name in scope.made_of:
            names.extend(identifiers(scope.made_of[name])[:_MAX_ORIGINS])
    for name in tuple(names):
        text = scope.constant(name) or ""
        numbers.extend(_as_number(text) if any(char.isdigit() for char in text) else ())
    start, end = lines.span(node)
    return Guard(
        line=start,
        end_line=start if isinstance(node, ast.If) else end,
        scope=scope.name,
        names=tuple(dict.fromkeys(names)),
        numbers=tuple(numbers),
        stops=stopping,
        compares=compares,
        trivial=isinstance(test, ast.Constant),
        body_end=end,
        ordered=any(
            isinstance(part, ast.Compare) and any(isinstance(op, _ORDER) for op in part.ops) for part in walk(test)
        ),
    )


def _compared(test: ast.expr) -> tuple[bool, list[float]]:
    """Whether a test compares anything, and the numbers in it."""
    compares = False
    numbers: list[float] = []
    signed: set[int] = set()  # operands of a minus that has been read with them; a node comes before its parts
    for node in walk(test):
        if isinstance(node, ast.Compare):
            compares = True
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            numbers.extend(-number for number in _number(node.operand))
            signed.add(id(node.operand))
        elif isinstance(node, (ast.Constant, ast.Call)) and id(node) not in signed:
            numbers.extend(_number(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            compares = compares or node.func.attr.startswith(("assert", "all", "any", "isclose"))
    return compares, numbers


def _number(node: ast.expr) -> list[float]:
    """The number that a constant, or `float("inf")`, is; nothing for other expressions."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return _as_number(node.value)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
        and len(node.args) == 1
    ):
        value = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return _as_number(value) if isinstance(value, str) else []
    return []


def _as_number(value: str | float) -> list[float]:
    """The value as a number, or nothing where it is none or has no place among them."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return []
    return [] if math.isnan(number) else [number]


def stops(body: Sequence[ast.stmt], scope: Scope) -> str:
    """How a branch ends what runs: "raise", "exit", "return", or "" where it goes on."""
    nodes = list(islice(own_nodes(body), _MAX_BODY))
    for node in nodes:
        if isinstance(node, ast.Raise):
            return "exit" if "SystemExit" in identifiers(node)[:1] else "raise"
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            name = name_of(node.value.func, scope)
            if name in STOP_CALLS or name.endswith((".cancel", ".exit", ".fail")):
                return "exit"
    return "return" if any(isinstance(node, ast.Return) for node in nodes) else ""
