"""An R program as the syntax tree of the same program in Python, so that it gives facts as Python does.

Names tell the two languages apart: what a package exports is `R.package.function` (`glmnet::cv.glmnet` is
`R.glmnet.cv.glmnet`). A function that the file neither defines nor takes from a package by name is one of the packages
that are attached, of another file or of R itself: `R._.function`. The first part is a capital, as no Python
package's is, because many packages have the same name in both languages.

A generic function that R dispatches on its first argument is the method that it stands for: `predict(model, new)` is
`model.predict(new)`; so is a pipe: `model |> fit(x)` is `fit(model, x)`. The dots in the file's own names become
underscores, because names are dotted elsewhere.
https://cran.r-project.org/doc/manuals/r-release/R-lang.html#Method-dispatching
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from mlops_scan.documents.r import RNode
from mlops_scan.documents.r_calls import (
    ATTACHING,
    attached,
    functions,
    handed,
    joined,
    lists_packages,
    loads,
    piped,
    strings,
)
from mlops_scan.documents.r_names import ANONYMOUS, ROOT, UNKNOWN
from mlops_scan.regex import regex

_GENERICS = frozenset({"predict", "fit", "fit_xy", "fit_generator", "evaluate", "compile", "augment"})
_OF_ANY = frozenset({"stats", "generics", "base", "methods"})  # packages that only declare generics
_PACKAGE = regex(r"[A-Za-z][A-Za-z0-9.]*")
_CALLED = regex(r"\.(?=.)")
_COMPARES: Mapping[str, type[ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, ">": ast.Gt, "<=": ast.LtE, ">=": ast.GtE, "%in%": ast.In,
}  # fmt: skip
_PIPES = frozenset({"|>", "%>%", "%<>%", "%T>%", "%!>%"})
# Functions whose argument is a test of one value; in others `x > 1` chooses rows or recodes a column.
_DECIDING = ("any", "all", "isTRUE", "isFALSE", "expect_", "assert")
_Placed = TypeVar("_Placed", bound="ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias")
_VALUES: Mapping[str, object] = {"TRUE": True, "T": True, "FALSE": False, "F": False, "NULL": None}


def translated(statements: Sequence[RNode]) -> ast.Module:
    """The Python module that does what some R statements do."""
    return _Translator(statements).module(statements)


class _Translator:
    """Translates the statements of one file; what an expression needs beforehand goes into `_before`."""

    def __init__(self, statements: Sequence[RNode]) -> None:
        self._own = {_own(name) for name in functions(statements)}
        self._before: list[ast.stmt] = []
        self._imported: set[str] = set()
        self._count = 0
        self._within = 0  # how many calls are around in whose arguments a comparison decides nothing

    def module(self, statements: Sequence[RNode]) -> ast.Module:
        """The whole file; the first statement makes the root of all names known."""
        start = ast.Import([ast.alias(ROOT)], lineno=1, end_lineno=1, col_offset=0, end_col_offset=0)
        return ast.Module([start, *self._block(statements)], [])

    # -- statements --------------------------------------------------------------------------------------------------

    def _block(self, nodes: Iterable[RNode]) -> list[ast.stmt]:
        outer, self._before = self._before, []
        for node in nodes:
            self._run(node)
        found, self._before = self._before, outer
        return found

    def _run(self, node: RNode) -> None:
        made = self._statement(node)  # what it needs beforehand stands before it
        self._before.append(made)

    def _statement(self, node: RNode) -> ast.stmt:
        if node.kind == "assign":
            return self._assign(node)
        if node.kind == "if":
            test = self._expr(node.parts[0])
            otherwise = self._body(node.parts[2]) if len(node.parts) > 2 else []
            return _at(ast.If(test, self._body(node.parts[1]), otherwise), node)
        if node.kind == "for":
            values = self._expr(node.parts[0])
            target = _at(ast.Name(_own(node.text), ast.Store()), node)
            return _at(ast.For(target, values, self._body(node.parts[1]), []), node)
        if node.kind in ("while", "repeat"):
            test = self._expr(node.parts[0]) if node.kind == "while" else _at(ast.Constant(value=True), node)
            return _at(ast.While(test, self._body(node.parts[-1]), []), node)
        if node.kind == "jump":
            return _at(ast.Break() if node.text == "break" else ast.Continue(), node)
        if node.kind == "call" and (made := self._special(node)) is not None:
            return made
        return _at(ast.Expr(self._expr(node)), node)

    def _body(self, node: RNode) -> list[ast.stmt]:
        found = self._block(node.parts if node.kind == "block" and node.text == "{" else (node,))
        return found or [_at(ast.Pass(), node)]

    def _special(self, node: RNode) -> ast.stmt | None:
        """The calls that Python has a statement for."""
        name, values = node.parts[0].text, node.parts[1:]
        if node.parts[0].kind != "name":
            return None
        if name == "return":
            return _at(ast.Return(self._expr(values[0]) if values else None), node)
        if name in ("stop", "abort"):
            return _at(ast.Raise(self._call(node), None), node)
        if name == "test_that" and len(values) == 2:
            self._count += 1
            body = RNode("function", node.line, node.end, "", (values[1],))
            return self._function(f"test_that_{self._count}", body, node)
        if name == "stopifnot" and values:
            for value in values[:-1]:
                self._before.append(_at(ast.Assert(self._expr(value), None), value))
            return _at(ast.Assert(self._expr(values[-1]), None), node)
        return None

    def _assign(self, node: RNode) -> ast.stmt:
        target, value = node.parts
        if target.kind in ("name", "string") and value.kind == "function":
            return self._function(_own(target.text), value, node)
        made = self._expr(value)
        if target.kind in ("name", "string"):
            name = _at(ast.Name(_own(target.text), ast.Store()), target)
            if lists_packages(target.text):  # `packages <- c("caret", "glmnet")`
                self._attach(strings(value), node)
            return _at(ast.Assign([name], made), node)
        place = self._expr(target)
        return _at(ast.Assign([place], made), node)

    def _function(self, name: str, node: RNode, whole: RNode) -> ast.stmt:
        body, *defaults = node.parts
        given = [None if value.kind == "missing" else self._expr(value) for value in defaults]
        parameters = [_own(item) for item in node.names if item and item != "..."]
        optional = [
            value or _at(ast.Constant(value=...), node)
            for item, value in zip(node.names, given, strict=True)
            if item and item != "..." and value is not None
        ]
        required = [n for n, v in zip(node.names, given, strict=True) if n and n != "..." and v is None]
        ordered = [*map(_own, required), *(p for p in parameters if p not in set(map(_own, required)))]
        arguments = ast.arguments(
            posonlyargs=[], args=[_at(ast.arg(item), node) for item in ordered[: len(required) + len(optional)]],
            kwonlyargs=[], kw_defaults=[], defaults=optional,
        )  # fmt: skip
        statements = self._body(body)
        _return_last(statements)
        made = ast.FunctionDef(name=name, args=arguments, body=statements, decorator_list=[])
        return _at(made, whole)

    # -- expressions -------------------------------------------------------------------------------------------------

    def _expr(self, node: RNode) -> ast.expr:
        make = _EXPRESSIONS.get(node.kind)
        return make(self, node) if make is not None else self._statements(node)

    def _statements(self, node: RNode) -> ast.expr:
        """A statement where a value is asked for: it runs before."""
        if node.kind == "assign" and node.parts[0].kind in ("name", "string") and node.parts[1].kind != "function":
            self._run(node)
            return _at(ast.Name(_own(node.parts[0].text), ast.Load()), node)
        if node.kind == "if" and len(node.parts) == 3 and not any(p.kind == "block" for p in node.parts[1:]):
            test, then, otherwise = map(self._expr, node.parts)
            return _at(ast.IfExp(test, then, otherwise), node)
        self._run(node)
        return _nothing(node)

    def _name(self, node: RNode) -> ast.expr:
        return _at(ast.Name(_own(node.text), ast.Load()), node)

    def _string(self, node: RNode) -> ast.expr:
        return _at(ast.Constant(value=node.text), node)

    def _number(self, node: RNode) -> ast.expr:
        text = node.text.rstrip("Li")
        try:
            value: object = int(text, 0) if text.isdigit() or "x" in text.lower() else float(text)
        except ValueError:  # `007`, or more digits than Python reads
            value = 0
        return _at(ast.Constant(value=value), node)  # type: ignore[arg-type]

    def _constant(self, node: RNode) -> ast.expr:
        if node.text in _VALUES:
            return _at(ast.Constant(value=_VALUES[node.text]), node)  # type: ignore[arg-type]
        if node.text in ("Inf", "NaN"):
            return _at(ast.Constant(value=float(node.text)), node)
        return _nothing(node)

    def _get(self, node: RNode) -> ast.expr:
        return _at(ast.Attribute(self._expr(node.parts[0]), _own(node.text) or "_", ast.Load()), node)

    def _from(self, node: RNode) -> ast.expr:
        package = node.parts[0].text
        self._attach((package,), node)
        return _dotted(node, ROOT, package, node.text)

    def _index(self, node: RNode) -> ast.expr:
        self._within += 1
        inside = [self._expr(value) for value in node.parts[1:] if value.kind != "missing"]
        self._within -= 1
        where = inside[0] if len(inside) == 1 else _at(ast.Tuple(inside, ast.Load()), node)
        return _at(ast.Subscript(self._expr(node.parts[0]), where, ast.Load()), node)

    def _unary(self, node: RNode) -> ast.expr:
        if node.text in ("~", "?"):
            return _nothing(node)  # a formula: names of columns, nothing that runs
        operator = {"-": ast.USub, "+": ast.UAdd, "!": ast.Not}[node.text]()
        return _at(ast.UnaryOp(operator, self._expr(node.parts[0])), node)

    def _binary(self, node: RNode) -> ast.expr:
        left, right = node.parts
        if node.text == "~":
            return _nothing(node)
        if node.text in _PIPES:
            return self._expr(piped(left, right))
        first, second = self._expr(left), self._expr(right)
        if node.text in _COMPARES and not self._within:
            return _at(ast.Compare(first, [_COMPARES[node.text]()], [second]), node)
        if node.text in ("&&", "&", "||", "|"):
            operator = ast.And() if "&" in node.text else ast.Or()
            return _at(ast.BoolOp(operator, [first, second]), node)
        return _at(ast.BinOp(first, ast.Add(), second), node)

    def _inner_block(self, node: RNode) -> ast.expr:
        """`{ …; value }` as an argument: the statements before, and the value."""
        if not node.parts:
            return _nothing(node)
        within, self._within = self._within, self._within if node.text == "(" else 0
        for part in node.parts[:-1]:
            self._run(part)
        value = self._expr(node.parts[-1])
        self._within = within
        return value

    def _lambda(self, node: RNode) -> ast.expr:
        """A function without a name, as one with a name that is defined before."""
        self._count += 1
        name = f"{ANONYMOUS}{self._count}"
        within, self._within = self._within, 0
        self._before.append(self._function(name, node, node))
        self._within = within
        return _at(ast.Name(name, ast.Load()), node)

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, node: RNode) -> ast.expr:
        called, values = node.parts[0], node.parts[1:]
        name = called.text if called.kind in ("name", "from", "string") else ""
        plain = called.kind == "name"
        if name in ATTACHING or lists_packages(name):
            self._attach(attached(name, values), node)
        elif name in ("lapply", "sapply", "walk", "map", "invisible") and loads(values):
            self._attach(strings(values[0]), node)
        elif name == "tar_option_set":
            listed = [value for key, value in zip(node.names, values, strict=True) if key == "packages"]
            self._attach(strings(*listed), node)
        if (text := joined(name, values)) is not None:
            return _at(ast.Constant(value=text), node)
        if name in ("c", "list") and plain:
            return self._collection(node)
        if name == "do.call" and values and (call := handed(node)) is not None:
            return self._call(call)
        if name in ("q", "quit") and plain:
            return self._made(node, _dotted(node, "sys", "exit"), node.names, values)
        receiver = self._receiver(node)
        if receiver is not None:
            method = _at(ast.Attribute(self._expr(values[receiver]), name, ast.Load()), node)
            rest = values[:receiver] + values[receiver + 1 :]
            return self._made(node, method, node.names[:receiver] + node.names[receiver + 1 :], rest)
        if called.kind == "name" and _own(name) not in self._own:
            return self._made(node, _dotted(node, ROOT, UNKNOWN, name), node.names, values)
        return self._made(node, self._expr(called), node.names, values)

    def _receiver(self, node: RNode) -> int | None:
        """The position of the argument that a generic function is dispatched on."""
        called, values = node.parts[0], node.parts[1:]
        of_any = called.kind == "name" or (called.kind == "from" and called.parts[0].text in _OF_ANY)
        if not of_any or called.text not in _GENERICS or called.text in self._own or not values:
            return None
        named = node.names.index("object") if "object" in node.names else 0
        return named if values[named].kind != "missing" else None

    def _made(self, node: RNode, function: ast.expr, names: Sequence[str], values: Sequence[RNode]) -> ast.expr:
        arguments: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        filters = not (isinstance(function, ast.Attribute) and function.attr.startswith(_DECIDING))
        self._within += filters
        for name, value in zip(names, values, strict=True):
            if value.kind == "missing" or (value.kind == "name" and value.text == "..."):
                continue
            made = self._expr(value)
            if name:
                keywords.append(_at(ast.keyword(name, made), value))
            else:
                arguments.append(made)
        self._within -= filters
        return _at(ast.Call(function, arguments, keywords), node)

    def _collection(self, node: RNode) -> ast.expr:
        """`c(…)` and `list(…)`: a dictionary where every element has a name, else a list."""
        given = zip(node.names, node.parts[1:], strict=True)
        pairs = [(name, value) for name, value in given if value.kind != "missing"]
        made = [self._expr(value) for _, value in pairs]
        if pairs and all(name for name, _ in pairs):
            keys: list[ast.expr | None] = [_at(ast.Constant(value=name), value) for name, value in pairs]
            return _at(ast.Dict(keys, made), node)
        return _at(ast.List(made, ast.Load()), node)

    def _attach(self, packages: Iterable[str], node: RNode) -> None:
        for package in packages:
            if package not in self._imported and _PACKAGE.fullmatch(package):
                self._imported.add(package)
                self._before.append(_at(ast.Import([_at(ast.alias(f"{ROOT}.{package}"), node)]), node))


_EXPRESSIONS: Mapping[str, Callable[[_Translator, RNode], ast.expr]] = {
    "name": _Translator._name,
    "string": _Translator._string,
    "number": _Translator._number,
    "constant": _Translator._constant,
    "call": _Translator._call,
    "index": _Translator._index,
    "get": _Translator._get,
    "from": _Translator._from,
    "unary": _Translator._unary,
    "binary": _Translator._binary,
    "block": _Translator._inner_block,
    "function": _Translator._lambda,
}


def _at(made: _Placed, node: RNode) -> _Placed:
    """A node with the lines of what it stands for."""
    made.lineno, made.end_lineno = node.line, max(node.end, node.line)
    made.col_offset = made.end_col_offset = 0
    return made


def _nothing(node: RNode) -> ast.expr:
    """A value of which nothing is known."""
    return _at(ast.Constant(value=...), node)


def _own(name: str) -> str:
    return _CALLED.sub("_", name)


def _dotted(node: RNode, first: str, *rest: str) -> ast.expr:
    made: ast.expr = _at(ast.Name(first, ast.Load()), node)
    for part in rest:
        made = _at(ast.Attribute(made, part, ast.Load()), node)
    return made


def _return_last(statements: list[ast.stmt]) -> None:
    """Make the last expression of a body, which is the value of the function, what it returns."""
    last = statements[-1]
    if type(last) is ast.Expr:
        statements[-1] = ast.copy_location(ast.Return(last.value), last)
    elif type(last) is ast.If:
        _return_last(last.body)
        if last.orelse:
            _return_last(last.orelse)
