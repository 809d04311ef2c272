"""Facts of expressions: calls, strings, comparisons, and the names that expressions bind."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from mlops_scan.code.facts import MAX_PARTS, Call, Guard
from mlops_scan.code.guards import ENDS, guard_of, status_test
from mlops_scan.code.scopes import Scope, bind_loop, constant, elements, is_telling, name_of
from mlops_scan.code.syntax import Lines, children

_MAX_STRING = 300  # characters of a string constant worth keeping
_MAX_ELEMENTS = 500  # elements of one literal looked at; longer ones are data
_MAX_SHARES = 10
_PARTS: Mapping[type[ast.AST], Callable[[Any], Iterable[ast.expr]]] = {
    ast.BinOp: attrgetter("right", "left"),
    ast.IfExp: attrgetter("orelse", "body", "test"),
    ast.Subscript: attrgetter("slice", "value"),
    ast.BoolOp: lambda node: reversed(node.values),
    ast.JoinedStr: lambda node: reversed(node.values),
    ast.List: lambda node: reversed(node.elts[:_MAX_ELEMENTS]),
    ast.Tuple: lambda node: reversed(node.elts[:_MAX_ELEMENTS]),
    ast.Set: lambda node: reversed(node.elts[:_MAX_ELEMENTS]),
    ast.Dict: lambda node: reversed(
        [
            part
            for pair in zip(node.keys[:_MAX_ELEMENTS], node.values, strict=False)
            for part in pair
            if part is not None
        ]
    ),
    ast.FormattedValue: lambda node: (node.format_spec, node.value) if node.format_spec else (node.value,),
    ast.Starred: lambda node: (node.value,),
    ast.UnaryOp: lambda node: (node.operand,),
}
"""The parts of expressions of the common kinds, last ones first."""
_SPECIAL = frozenset(
    {ast.Compare, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp}
)


class Collector:
    """Collects the facts of one file's expressions, in the order in which it is handed them."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.calls: list[Call] = []
        self._names: dict[str, str] = {}
        self.guards: list[Guard] = []
        self.strings: list[tuple[int, str]] = []

    def guard(
        self,
        node: ast.stmt | ast.expr,
        test: ast.expr,
        scope: Scope,
        stopping: str,
    ) -> None:
        """Collect the guard that a test is, if it is one."""
        guard = guard_of(node, test, scope, self.lines, stopping)
        if guard is not None:
            self.guards.append(guard)

    def expressions(self, node: ast.stmt, scope: Scope) -> None:
        """Collect from the expressions that stand directly in a statement."""
        for child in children(node):
            if isinstance(child, ast.expr):
                self.expression(child, scope, compares=not isinstance(node, ast.Assert))

    def expression(self, node: ast.expr, scope: Scope, compares: bool = False) -> None:
        """Collect calls, strings and, where `compares`, comparisons of an expression."""
        stack: list[Any] = [node]
        same = self.lines.same
        while stack:
            child = stack.pop()
            kind = type(child)
            if kind is ast.Constant:
                value = child.value
                if type(value) is str and 1 < len(value) <= _MAX_STRING:
                    self.strings.append((child.lineno if same else self.lines.of(child.lineno), value))
            elif kind is ast.Call:
                self._call(child, scope, stack)
            elif kind is ast.Attribute:
                stack.append(child.value)
            elif kind is ast.Name:
                continue
            elif kind in _PARTS:
                stack += _PARTS[kind](child)
            elif kind not in _SPECIAL or not self._special(child, scope, compares):
                stack += reversed(children(child))

    def _special(self, node: ast.AST, scope: Scope, compares: bool) -> bool:
        """Comparisons, and what binds names; true when the parts of `node` have been dealt with."""
        if isinstance(node, ast.Compare):
            if compares:
                self.guard(node, node, scope, "")
        elif isinstance(node, ast.NamedExpr):
            name = name_of(node.value, scope)
            scope.bind(node.target.id, "" if name.startswith(("?", "*")) else name)
        elif isinstance(node, ast.Lambda):
            inner = Scope(scope.name, scope)
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    inner.names[argument.arg] = ""
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self.expression(default, scope, compares)
            self.expression(node.body, inner, compares)
            return True
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            self._comprehension(node, scope, compares)
            return True
        return False

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope, compares: bool
    ) -> None:
        inner = Scope(scope.name, scope)
        for generator in node.generators:
            self.expression(generator.iter, inner, compares)
            bind_loop(generator.target, generator.iter, inner)
            for test in generator.ifs:
                self.expression(test, inner, compares)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.expression(part, inner, compares)

    def _call(self, node: ast.Call, scope: Scope, stack: list[Any]) -> None:
        """Collect a call, and put its parts on the stack, the first one on top."""
        start, end = self.lines.span(node)
        refs: list[str] = []
        parts: list[ast.expr] = []
        args = [self._argument(value, scope, refs, parts) for value in node.args]
        keywords: list[tuple[str, str | None]] = []
        for keyword in node.keywords:
            text = self._argument(keyword.value, scope, refs, parts)
            if keyword.arg is not None:
                keywords.append((keyword.arg, text))
            else:
                keywords += _spread(keyword.value, scope)
        parts.reverse()
        stack += parts
        function = node.func
        while type(function) is ast.Attribute:
            function = function.value
        if type(function) is ast.Name:
            binding = scope.binding(function.id)
            if binding is not None:
                if function is node.func:
                    _hand_on(function.id, binding, refs)
                if function.id in binding.others:
                    refs += _called_else(node.func, scope)
        else:
            stack.append(function)
            refs += _called_else(node.func, scope)
        name = name_of(node.func, scope)
        name = self._names.setdefault(name, name)  # the same few objects: a third of the calls repeat a name
        # by position: some 30 % faster than by keyword, and there are as many calls as lines
        self.calls.append(Call(name, start, end, scope.name, tuple(args), tuple(keywords), tuple(refs)))
        test = status_test(node.args[0], ends=True) if name in ENDS and node.args else None
        if test is not None:  # `sys.exit(0 if passed else 1)`
            self.guard(node, test, scope, "exit")

    def _argument(self, value: ast.expr, scope: Scope, refs: list[str], parts: list[ast.expr]) -> str | None:
        """An argument's constant; adds the names that it hands over to `refs`, and itself to `parts` if it has any."""
        kind = type(value)
        if kind is ast.Constant:
            text = constant(value, scope)
            if text:  # strings are collected with the parts
                parts.append(value)
            return text
        if isinstance(value, ast.Name):
            binding = scope.binding(value.id)
            if binding is None:
                refs += _telling(value, scope)
                return None
            if binding.names[value.id]:
                refs += _telling(value, scope)
            return binding.constants.get(value.id)
        parts.append(value)
        if kind is ast.Call:
            return None
        if kind is ast.Attribute:
            refs += _telling(value, scope)
            return None
        if isinstance(value, (ast.List, ast.Tuple, ast.Dict)):
            for element in value.values if isinstance(value, ast.Dict) else value.elts:
                if isinstance(element, (ast.Name, ast.Attribute)):
                    refs += _telling(element, scope)
            if isinstance(value, ast.Dict):
                return _shares(value)
        return constant(value, scope)


def _spread(value: ast.expr, scope: Scope) -> Iterator[tuple[str, str | None]]:
    """The keywords that `**value` gives where it is a literal dictionary, or a variable that was made one."""
    binding = scope.binding(value.id) if isinstance(value, ast.Name) else None
    made = binding.made_of.get(value.id) if binding is not None and isinstance(value, ast.Name) else value
    if isinstance(made, ast.Dict):
        for key, given in zip(made.keys[:_MAX_ELEMENTS], made.values, strict=False):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, constant(given, binding or scope)
    elif isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id == "dict":
        for item in made.keywords[:_MAX_ELEMENTS]:
            if item.arg is not None:
                yield item.arg, constant(item.value, binding or scope)


def _shares(node: ast.Dict) -> str | None:
    """A small literal of words and numbers, such as the traffic of versions, as `{0: 20, 7: 80}`; else None."""
    if not 0 < len(node.keys) <= _MAX_SHARES:
        return None
    parts = []
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(value, ast.Constant)):
            return None
        if not isinstance(key.value, (str, int)) or not isinstance(value.value, (int, float)):
            return None
        parts.append(f"{key.value}: {value.value}")
    return f"{{{', '.join(parts)}}}"


def _hand_on(called: str, binding: Scope, refs: list[str]) -> None:
    """Add what a call made a called variable of: after `op = to_component(train)` what `op()` runs is `train`.

    `binding` is the scope that binds the variable.
    """
    made = binding.made_of.get(called)
    if type(made) is not ast.Call or binding.names[called][:2] in ("", "@."):
        return
    for value in (*made.args, *(keyword.value for keyword in made.keywords)):
        if isinstance(value, (ast.Name, ast.Attribute)):
            refs += [name for name in _telling(value, binding) if name not in refs]


def _called_else(called: ast.expr, scope: Scope) -> list[str]:
    """What a call may mean besides its name: what branches bind the name that it begins with to, or a table holds."""
    parts: list[str] = []
    others: tuple[str, ...] = ()
    for _ in range(MAX_PARTS):
        if type(called) is ast.Attribute:
            parts.append(called.attr)
            called = called.value
        elif type(called) is not ast.Call or (others := elements(called, scope)[1:]):
            break
        else:
            called = called.func
    if isinstance(called, ast.Name):
        binding = scope.binding(called.id)
        others = binding.others.get(called.id, ()) if binding is not None else ()
    elif isinstance(called, ast.Subscript):
        others = elements(called, scope)[1:]
    return [name for other in others if is_telling(name := ".".join([other, *reversed(parts)]))]


def _telling(node: ast.expr, scope: Scope) -> tuple[str, ...]:
    """The resolved name of an expression if it says what that is, or if only a star import can: `node(train, "x")`."""
    name = name_of(node, scope)
    return (name,) if is_telling(name) or name.startswith("*.") else ()
