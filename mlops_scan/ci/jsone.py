"""JSON-e as far as tasks are defined with it: which parts of a template are there under given facts.

A condition that the facts do not decide leaves both branches. Facts: https://json-e.js.org/language.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

Facts = Mapping[str, object]
"""Dotted names with their values: `{"tasks_for": "github-push", "event.ref": "refs/heads/main"}`."""


class _Unknown:
    """A value that the facts do not tell."""


UNKNOWN = _Unknown()
_MAX_DEPTH = 60
_MAX_NODES = 20_000
_MAX_EXPRESSION = 2_000
_WHOLE = regex(r"\$\{([^{}]{1,2000})\}")
_OPERATORS = ((regex(r"&&"), " and "), (regex(r"\|\|"), " or "), (regex(r"!(?!=)"), " not "))


class Scope(Struct, frozen=True):
    """The facts, and what `$let` has bound on the way."""

    facts: Facts
    bound: Mapping[str, Node]

    def let(self, node: Node) -> Scope:
        """The scope inside `$let`."""
        return replace(self, bound={**self.bound, **dict(node.entries)})


class Renderer:
    """Renders one template under one set of facts; gives up quietly at its bounds."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.left = _MAX_NODES

    def render(self, node: Node) -> tuple[Node, ...]:
        """The values that a template may become: several where a condition stays open, none where it is dropped."""
        return tuple(self._render(node, Scope(self.facts, {}), 0))

    def _render(self, node: Node, scope: Scope, depth: int) -> Iterator[Node]:
        self.left -= 1
        if depth > _MAX_DEPTH or self.left < 0:
            return
        if node.kind == "sequence":
            found = [value for item in node.items for value in self._render(item, scope, depth + 1)]
            yield replace(node, items=tuple(found))
        elif node.kind == "mapping":
            yield from self._mapping(node, scope, depth)
        else:
            yield self._filled(node, scope)

    def _mapping(self, node: Node, scope: Scope, depth: int) -> Iterator[Node]:
        keys = dict(node.entries)
        if "$let" in keys and "in" in keys:
            yield from self._render(keys["in"], scope.let(keys["$let"]), depth + 1)
        elif "$if" in keys:
            truth = evaluate(keys["$if"].string() or "", scope)
            branches = ["then"] if truth is UNKNOWN or truth else []
            branches += ["else"] if truth is UNKNOWN or not truth else []
            for branch in branches:
                if branch in keys:
                    yield from self._render(keys[branch], scope, depth + 1)
        elif "$match" in keys or "$switch" in keys:
            yield from self._cases(keys, scope, depth)
        elif "$eval" in keys:
            yield from self._bound(keys["$eval"].string() or "", node, scope, depth)
        elif "$map" in keys or "$flatten" in keys or "$flattenDeep" in keys:
            yield from self._listed(node, scope, depth)
        elif "$merge" in keys or "$mergeDeep" in keys:
            parts = keys.get("$merge") or keys["$mergeDeep"]
            rendered = [part for whole in self._render(parts, scope, depth + 1) for part in whole.items]
            yield merged(node, rendered)
        else:
            yield self._plain(node, scope, depth)

    def _plain(self, node: Node, scope: Scope, depth: int) -> Node:
        found = []
        for name, value in node.entries:
            rendered = next(iter(self._render(value, scope, depth + 1)), None)
            if rendered is not None:
                found.append((name[1:] if name.startswith("$$") else name, rendered))
        return replace(node, entries=tuple(found))

    def _cases(self, keys: Mapping[str, Node], scope: Scope, depth: int) -> Iterator[Node]:
        """`$match` gives a list of all values whose condition holds, `$switch` the one, or the default."""
        cases = keys.get("$match") or keys["$switch"]
        found: list[Node] = []
        settled = False
        for condition, value in cases.entries:
            truth = UNKNOWN if condition == "$default" else evaluate(condition, scope)
            if (condition == "$default" and settled) or (truth is not UNKNOWN and not truth):
                continue
            found.extend(self._render(value, scope, depth + 1))
            if truth is not UNKNOWN:
                settled = True
        if "$match" in keys:
            yield replace(cases, kind="sequence", entries=(), items=tuple(found))
        else:
            yield from found

    def _listed(self, node: Node, scope: Scope, depth: int) -> Iterator[Node]:
        keys = dict(node.entries)
        source = next(keys[key] for key in ("$map", "$flatten", "$flattenDeep") if key in keys)
        found: list[Node] = []
        if "$map" in keys:
            bodies = [(name, body) for name, body in node.entries if re.fullmatch(r"each\(.*\)", name)]
            for whole in self._render(source, scope, depth + 1):
                for item in whole.items:
                    for name, body in bodies:
                        variable = name[5:-1].partition(",")[0].strip()
                        inside = replace(scope, bound={**scope.bound, variable: item})
                        found.extend(self._render(body, inside, depth + 1))
        else:
            for whole in self._render(source, scope, depth + 1):
                for item in whole.items:
                    found.extend(item.items if item.kind == "sequence" else (item,))
        yield replace(node, kind="sequence", entries=(), items=tuple(found))

    def _bound(self, expression: str, node: Node, scope: Scope, depth: int) -> Iterator[Node]:
        """What `$eval` gives: a bound value, a constant, or a scalar of unknown text."""
        if expression in scope.bound:
            yield from self._render(scope.bound[expression], scope, depth + 1)
            return
        value = evaluate(expression, scope, depth)
        shown = value if isinstance(value, str) else f"${{{expression}}}"
        yield Node("scalar", node.line, node.end_line, node.key_line, shown, shown)

    def _filled(self, node: Node, scope: Scope) -> Node:
        """A scalar with the expressions filled in that are known."""
        if not isinstance(node.value, str) or "${" not in node.value:
            return node

        def fill(match: re.Match[str]) -> str:
            value = evaluate(match.group(1), scope)
            return value if isinstance(value, str) else match.group()

        return replace(node, value=_WHOLE.sub(fill, node.value))


def merged(node: Node, parts: list[Node]) -> Node:
    """Mappings laid over each other, later ones on top; mappings under the same key are merged, lists joined."""
    keys: dict[str, Node] = {}
    for part in parts:
        for name, value in part.entries:
            before = keys.get(name)
            if before is not None and before.kind == value.kind == "mapping":
                keys[name] = merged(value, [before, value])
            elif before is not None and before.kind == value.kind == "sequence":
                keys[name] = replace(value, items=(*before.items, *value.items))
            else:
                keys[name] = value
    return replace(parts[-1] if parts else node, kind="mapping", items=(), entries=tuple(keys.items()))


def evaluate(expression: str, scope: Scope, depth: int = 0) -> object:
    """An expression's value, or UNKNOWN. The operators are Python's, apart from `&&`, `||` and `!`."""
    if len(expression) > _MAX_EXPRESSION or depth > _MAX_DEPTH:
        return UNKNOWN
    for pattern, operator in _OPERATORS:
        expression = pattern.sub(operator, expression)
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        return _value(tree.body, scope, depth)
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
        return UNKNOWN


def _value(node: ast.expr, scope: Scope, depth: int) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Name, ast.Attribute)) or (
        isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice)
    ):
        return _looked_up(node, scope, depth)
    if isinstance(node, ast.Subscript):
        return _sliced(node, scope, depth)
    if isinstance(node, ast.List):
        values = [_value(item, scope, depth + 1) for item in node.elts]
        return UNKNOWN if UNKNOWN in values else values
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        value = _value(node.operand, scope, depth + 1)
        return UNKNOWN if value is UNKNOWN else not value
    if isinstance(node, ast.BoolOp):
        return _joined(node, scope, depth)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node, scope, depth)
    return UNKNOWN


def _joined(node: ast.BoolOp, scope: Scope, depth: int) -> object:
    """`and` and `or` of three values."""
    values = [_value(value, scope, depth + 1) for value in node.values]
    decisive = isinstance(node.op, ast.Or)
    if any(value is not UNKNOWN and bool(value) is decisive for value in values):
        return decisive
    return UNKNOWN if UNKNOWN in values else not decisive


def _compared(node: ast.Compare, scope: Scope, depth: int) -> object:
    left, right = _value(node.left, scope, depth + 1), _value(node.comparators[0], scope, depth + 1)
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    operator = node.ops[0]
    if isinstance(operator, ast.Eq):
        return left == right
    if isinstance(operator, ast.NotEq):
        return left != right
    if isinstance(operator, ast.In) and (isinstance(right, list) or (isinstance(right, str) and isinstance(left, str))):
        return left in right
    return UNKNOWN


def _sliced(node: ast.Subscript, scope: Scope, depth: int) -> object:
    value = _value(node.value, scope, depth + 1)
    assert isinstance(node.slice, ast.Slice)
    lower, upper = (
        _value(edge, scope, depth + 1) if edge is not None else None for edge in (node.slice.lower, node.slice.upper)
    )
    if (
        not isinstance(value, str)
        or not isinstance(lower, (int, type(None)))
        or not isinstance(upper, (int, type(None)))
    ):
        return UNKNOWN
    return value[lower:upper]


def _looked_up(node: ast.expr, scope: Scope, depth: int) -> object:
    """A name, `event.ref` or `event["ref"]`: a fact, or what `$let` has bound to the name."""
    dotted = _dotted(node)
    if dotted in scope.facts:
        return scope.facts[dotted]
    if dotted in ("true", "false"):
        return dotted == "true"
    bound = scope.bound.get(dotted)
    if bound is None or depth > _MAX_DEPTH:
        return UNKNOWN
    while bound.get("$if") is not None and depth < _MAX_DEPTH:
        truth = evaluate((bound.get("$if") or bound).string() or "", scope, depth + 1)
        chosen = None if truth is UNKNOWN else bound.get("then" if truth else "else")
        if chosen is None:
            return UNKNOWN
        bound, depth = chosen, depth + 1
    if bound.get("$eval") is not None:
        return evaluate((bound.get("$eval") or bound).string() or "", scope, depth + 10)
    if not isinstance(bound.value, str):
        return UNKNOWN
    whole = _WHOLE.fullmatch(bound.value)
    if whole is not None:
        return evaluate(whole.group(1), scope, depth + 10)
    return UNKNOWN if "${" in bound.value else bound.value


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            parts.append(str(node.slice.value))
            node = node.value
        else:
            return ""
    return ".".join([node.id, *reversed(parts)])
