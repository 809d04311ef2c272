"""Facts of expressions: calls, strings, comparisons, and the names that expressions bind."""

from __future__ import annotations

import ast

from mlops_scan.code.facts import Call, Guard
from mlops_scan.code.guards import guard_of
from mlops_scan.code.scopes import Scope, bind_loop, constant, is_telling, name_of
from mlops_scan.code.syntax import Lines, children

_MAX_STRING = 300  # characters of a string constant worth keeping
_MAX_ELEMENTS = 500  # elements of one literal looked at; longer ones are data
_SPECIAL = frozenset(
    {ast.Compare, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp}
)


class Collector:
    """Collects the facts of one file's expressions, in the order in which it is handed them."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.calls: list[Call] = []
        self.guards: list[Guard] = []
        self.strings: list[tuple[int, str]] = []

    def guard(self, node: ast.If | ast.Assert | ast.Compare, test: ast.expr, scope: Scope, stopping: str) -> None:
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
        stack: list[ast.AST] = [node]
        while stack:
            child = stack.pop()
            kind = type(child)
            if kind is ast.Constant:
                if isinstance(child.value, str) and 1 < len(child.value) <= _MAX_STRING:  # type: ignore[attr-defined]
                    self.strings.append((self.lines.of(child.lineno), child.value))  # type: ignore[attr-defined]
            elif kind is ast.Name:
                continue
            elif kind is ast.Call:
                self._call(child, scope)  # type: ignore[arg-type]
                stack.extend(keyword.value for keyword in reversed(child.keywords))  # type: ignore[attr-defined]
                stack.extend(reversed(child.args))  # type: ignore[attr-defined]
                stack.append(child.func)  # type: ignore[attr-defined]
            elif kind is ast.Attribute:
                stack.append(child.value)  # type: ignore[attr-defined]
            elif kind in (ast.List, ast.Tuple, ast.Set):
                stack.extend(reversed(child.elts[:_MAX_ELEMENTS]))  # type: ignore[attr-defined]
            elif kind is ast.Dict:
                pairs = zip(child.keys[:_MAX_ELEMENTS], child.values, strict=False)  # type: ignore[attr-defined]
                stack.extend(reversed([part for pair in pairs for part in pair if part is not None]))
            elif kind not in _SPECIAL or not self._special(child, scope, compares):
                stack.extend(reversed(children(child)))

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

    def _call(self, node: ast.Call, scope: Scope) -> None:
        start, end = self.lines.span(node)
        refs: list[str] = []
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            elements = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]
            for element in value.values if isinstance(value, ast.Dict) else elements:
                if isinstance(element, (ast.Name, ast.Attribute)):
                    name = name_of(element, scope)
                    if is_telling(name):
                        refs.append(name)
        self.calls.append(
            Call(
                name=name_of(node.func, scope),
                line=start,
                end_line=end,
                scope=scope.name,
                args=tuple(constant(argument, scope) for argument in node.args),
                keywords=tuple((k.arg, constant(k.value, scope)) for k in node.keywords if k.arg is not None),
                refs=tuple(refs),
            )
        )
