"""Tests that compare something, and what their branches stop."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from mlops_scan.code.facts import Call, Guard
from mlops_scan.code.scopes import Scope, name_of
from mlops_scan.code.syntax import MAX_IDENTIFIERS, NAMING, Lines, children, identifiers, name_in, own_nodes
from mlops_scan.regex import has_any, regex

_MAX_ORIGINS = 12  # identifiers of what a compared variable was made of
_MAX_BODY = 500  # statements of a branch looked at for what stops the program
PROCEEDS = (
    "deploy", "promot", "regist", "accept", "approv", "bless", "better", "improve", "challenger_wins", "passes",
    "passed", "qualif", "should_replace", "should_update",
)  # fmt: skip
"""Names of flags that let a model proceed: `if is_accepted:` is worth a look although it compares nothing itself."""
_ADDS = frozenset({"append", "add", "extend"})
_KIND_TESTS = frozenset({"isinstance", "hasattr", "callable", "issubclass"})
_THERE = frozenset({"exists", "isfile", "is_file", "isdir", "is_dir"})
_FORMS = frozenset({"shape", "ndim", "dtype", "size", "columns", "status_code", "returncode", "exit_code", "__class__"})
_FORM_CALLS = frozenset({"size", "dim", "keys", "numel"})
_WRAPS = frozenset({"tuple", "list", "set", "sorted"})
KEY = regex(r"[a-z_][a-z0-9_]*")
"""A text that is a key of a mapping, and no answer of a model: `"label" in answer`."""
_ALARMS = ("drift", "degrad", "should_retrain", "needs_retrain", "need_retrain", "retrain_needed", "retraining_needed")
"""Names of flags on which training may begin."""
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_STOPPING = frozenset({"exit", "_exit", "fail", "cancel"})  # the last parts of names that stop
CODE, ONLY_CODE = "code", "only code"
"""What a branch does that returns a number other than 0, until `exit_codes` knows what becomes of it."""
STOP_CALLS = frozenset({"sys.exit", "exit", "quit", "os._exit", "pytest.fail"})
"""Calls that end the program with an error."""
ENDS = frozenset({"sys.exit", "exit", "quit", "os._exit", "SystemExit"})
"""Calls whose argument is the program's status."""


def guard_of(
    node: ast.stmt | ast.expr,
    test: ast.expr,
    scope: Scope,
    lines: Lines,
    stopping: str,
) -> Guard | None:
    """What a test compares with what, and what it stops (see `Guard.stops`); None for a plain branch."""
    compares, ordered, numbers, names = _compared(test)
    plain = isinstance(node, ast.If) and not compares and stopping not in ("raise", "exit")
    if plain and not has_any(" ".join(names), PROCEEDS + _ALARMS):
        if stopping != CODE:
            return None
        stopping = ONLY_CODE
    for name in tuple(names):
        if name in scope.made_of:
            names.extend(identifiers(scope.made_of[name])[:_MAX_ORIGINS])
    for name in tuple(names):
        text = scope.constant(name)
        if text and any(char.isdigit() for char in text):
            numbers += _as_number(text)
    start, end = lines.span(node)
    return Guard(
        line=start,
        end_line=start if isinstance(node, (ast.If, ast.With, ast.AsyncWith)) else end,
        scope=scope.name,
        names=tuple(dict.fromkeys(names)),
        numbers=tuple(numbers),
        stops=stopping,
        compares=compares,
        trivial=isinstance(test, ast.Constant),
        body_end=end,
        ordered=ordered,
        vague=stopping == "assert" and _is_vague(test),
        formal=stopping == "assert" and _is_formal(test),
    )


def _compared(test: ast.expr) -> tuple[bool, bool, list[float], list[str]]:
    """Whether a test compares anything, whether by size, the numbers in it and its `identifiers`; in one walk."""
    compares = ordered = False
    numbers: list[float] = []
    names: list[str] = []
    signed: set[int] = set()  # operands of a minus that has been read with them; a node comes before its parts
    todo: list[ast.AST] = [test]
    for count, node in enumerate(todo):
        kind = type(node)
        if kind in NAMING:
            if count < MAX_IDENTIFIERS:
                name_in(node, names)
            if isinstance(node, ast.Attribute):
                todo.append(node.value)
            elif isinstance(node, ast.Constant) and id(node) not in signed:
                numbers += _number(node)
            continue
        if isinstance(node, ast.Compare):
            compares = True
            ordered = ordered or any(isinstance(op, _ORDER) for op in node.ops)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            numbers += [-number for number in _number(node.operand)]
            signed.add(id(node.operand))
        elif isinstance(node, ast.Call):
            numbers += _number(node) if id(node) not in signed else ()
            compares = compares or _asserts(node.func)
        todo += children(node)
    return compares, ordered, numbers, names


def _is_vague(test: ast.expr) -> bool:
    """Whether a test asks no more than whether something is there, or of which type it is."""
    if isinstance(test, ast.BoolOp):
        return all(map(_is_vague, test.values))
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Name) and test.func.id in _KIND_TESTS
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    other = test.comparators[0]
    return isinstance(test.ops[0], ast.IsNot) and isinstance(other, ast.Constant) and other.value is None


def _is_formal(test: ast.expr) -> bool:
    """Whether a test asks no more than which form something has: its shape, its length, its keys, that it is there."""
    if isinstance(test, ast.BoolOp):
        return all(map(_is_formal, test.values))
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _is_formal(test.operand)
    if isinstance(test, ast.Call):
        function = test.func
        if isinstance(function, ast.Name) and function.id in ("all", "any") and test.args:
            inner = test.args[0]
            return isinstance(inner, (ast.GeneratorExp, ast.ListComp)) and _is_formal(inner.elt)
        return _is_vague(test) or (isinstance(function, ast.Attribute) and function.attr in _THERE)
    if not isinstance(test, ast.Compare):
        return False
    if isinstance(test.ops[0], (ast.In, ast.NotIn)):
        return isinstance(test.left, ast.Constant) and KEY.fullmatch(str(test.left.value)) is not None
    return _is_vague(test) or any(map(_measures_form, (test.left, *test.comparators)))


def _measures_form(node: ast.expr) -> bool:
    """Whether an expression is a size, a type or the keys of something: `y.shape[0]`, `set(answer.keys())`."""
    if isinstance(node, ast.Subscript):
        return _measures_form(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr in _FORMS or (node.attr == "name" and _measures_form(node.value))
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr in _FORM_CALLS
    wraps = isinstance(function, ast.Name) and function.id in _WRAPS and len(node.args) == 1
    return (isinstance(function, ast.Name) and function.id in ("len", "type")) or (
        wraps and _measures_form(node.args[0])
    )


def orders(test: ast.expr) -> bool:
    """Whether a test is a comparison by size, or one of several."""
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    return any(isinstance(part, ast.Compare) and any(isinstance(op, _ORDER) for op in part.ops) for part in parts)


def flags_set(block: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that a branch sets to true or false, or adds to: `if score < best: promote = False`."""
    for node in block:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, bool):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            added = node.value.func  # `failures.append(name)`
            if isinstance(added, ast.Attribute) and added.attr in _ADDS and isinstance(added.value, ast.Name):
                yield added.value.id


def status_test(value: ast.expr | None, ends: bool) -> ast.expr | None:
    """The test that a program's status tells of: `0 if test else 1`; None for another value.

    Where the value `ends` the program itself, `not test` does as well; as a return value it may be anybody's.
    """
    if isinstance(value, ast.IfExp):
        codes = [part.value for part in (value.body, value.orelse) if isinstance(part, ast.Constant)]
        told = len(codes) == 2 and all(type(code) is int for code in codes) and (codes[0] == 0) != (codes[1] == 0)
        either = isinstance(value.test, ast.BoolOp) and isinstance(value.test.op, ast.Or)  # `passed or on_a_laptop`
        return value.test if told and not either else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "int" and value.args:
        value, ends = value.args[0], True
    return value.operand if ends and isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not) else None


def _asserts(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr.startswith(("assert", "all", "any", "isclose"))


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
    """How a branch ends what runs: "raise", "exit", "return", `CODE`, or "" where it goes on."""
    returns = ""
    for node in islice(own_nodes(body), _MAX_BODY):
        if isinstance(node, ast.Return):
            returns = CODE if returns == CODE or _is_code(node.value) else "return"
        elif isinstance(node, ast.Raise):
            return "exit" if "SystemExit" in identifiers(node)[:1] else "raise"
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _may_stop(node.value.func):
            name = name_of(node.value.func, scope)
            if name in STOP_CALLS or name.endswith((".cancel", ".exit", ".fail")):
                return "exit"
    return returns


def _is_code(value: ast.expr | None) -> bool:
    """Whether what is returned would be an error as the status of a program."""
    return isinstance(value, ast.Constant) and type(value.value) is int and value.value != 0


def exit_codes(guards: Iterable[Guard], calls: Sequence[Call]) -> Iterator[Guard]:
    """The guards of a module, those settled whose branches return a number.

    They exit where the module ends with what the function returns, `sys.exit(main())`; else they return like others.
    """
    ends = {(call.line, call.scope) for call in calls if call.name in ENDS and call.args == (None,)}
    ending = {call.name for call in calls if (call.line, call.scope) in ends} if ends else set()
    for guard in guards:
        if guard.stops not in (CODE, ONLY_CODE):
            yield guard
        elif f"@.{guard.scope}" in ending:
            yield replace(guard, stops="exit")
        elif guard.stops == CODE:
            yield replace(guard, stops="return")


def _may_stop(function: ast.expr) -> bool:
    """Whether the resolved name of a called function may be one that stops: it ends with the attribute called.

    What an attribute of `self` holds may have any name.
    """
    if not isinstance(function, ast.Attribute) or function.attr in _STOPPING:
        return True
    receiver = function.value
    return receiver.id in ("self", "cls") if isinstance(receiver, ast.Name) else not isinstance(receiver, ast.Attribute)
