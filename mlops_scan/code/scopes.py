"""Names of one file: what a scope binds them to, and what expressions mean by them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from msgspec import Struct, field

from mlops_scan.code.facts import MAIN, MAX_PARTS

BUILTINS = frozenset(dir(builtins))
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MAX_TABLE = 100  # elements of a table of classes
_MAX_COPIES = 3
_MAX_WORDS = 60  # words of a command given as a list


class Scope(Struct):
    """Names visible in one scope; `parent` is the enclosing one."""

    name: str
    parent: Scope | None = None
    names: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    made_of: dict[str, ast.expr] = field(default_factory=dict)
    class_attributes: dict[str, str] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)  # every binding made: the name and what it held before
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)  # what else a name holds after branches

    def binding(self, name: str) -> Scope | None:
        """The nearest scope that binds a name, as seen from here; None where it is not bound."""
        if name in self.names:
            return self
        scope = self.parent
        while scope is not None:
            if name in scope.names and not scope.class_attributes:
                return scope
            scope = scope.parent
        return None

    def lookup(self, name: str) -> str | None:
        """What a name holds, empty where it is bound to something unknown, None where it is not bound."""
        scope = self.binding(name)
        return None if scope is None else scope.names[name]

    def constant(self, name: str) -> str | None:
        """The constant that a name stands for; a nearer binding to anything else hides it."""
        scope = self.binding(name)
        return None if scope is None else scope.constants.get(name)

    def bind(self, name: str, held: str = "") -> None:
        """Bind a name to something that is no constant."""
        self.log.append((name, self.names.get(name, "")))
        self.names[name] = held
        self.constants.pop(name, None)
        self.others.pop(name, None)

    @property
    def prefix(self) -> str:
        """What stands before the names of definitions made here."""
        return "@." if self.name in ("", MAIN) else f"@.{self.name}."


def is_telling(name: str) -> bool:
    """Whether a resolved name says what something is: known, and more than a builtin."""
    return bool(name) and not name.startswith(("?", "*")) and name not in BUILTINS


def name_of(node: ast.expr, scope: Scope) -> str:
    """The resolved name of an expression; a call is named after what it calls, "?" when nothing is known."""
    parts: list[str] = []
    while type(node) is not ast.Name:
        if len(parts) > MAX_PARTS:
            return ".".join(["?", *reversed(parts)])
        if type(node) is ast.Attribute:
            parts.append(node.attr)
            node = node.value
        elif held := elements(node, scope):
            return ".".join([held[0], *reversed(parts)])
        elif isinstance(node, ast.Call):
            if parts and isinstance(node.func, ast.Name) and node.func.id == "super":
                return _of_base(parts, scope)
            node = node.func
        elif isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
            node = node.value
        elif isinstance(node, ast.Subscript):
            # `partial[X](...)`, `Sequential[...]`: keep the base; an element of a container is unknown
            node = node.value
            if parts:
                return ".".join(["?", *reversed(parts)])
        else:
            return ".".join(["?", *reversed(parts)]) if parts else "?"
    base = _base(node.id, scope, parts) if len(parts) <= MAX_PARTS else "?"
    if len(base) > MAX_PARTS and base.count(".") > MAX_PARTS:
        base = "?"
    if not parts:
        return base
    return f"{base}.{parts[0]}" if len(parts) == 1 else ".".join([base, *reversed(parts)])


def elements(node: ast.expr, scope: Scope) -> tuple[str, ...]:
    """What `TABLE[key]` or `TABLE.get(key)` may be, where the file makes `TABLE` a dictionary of classes or functions.

    A constant key tells which one. Tables that hold anything else as well tell nothing. An element of what a class
    lists is one of its objects: `Endpoint.list(filter=name)[-1]`.
    """
    table: ast.expr | None = None
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript):
        if listed := _listed(node, scope):
            return (listed,)
        table, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        table, key = node.func.value, node.args[0]
    made, binding = _table(table, scope)
    if made is None or binding is None or not 0 < len(made.values) <= _MAX_TABLE:
        return ()
    if isinstance(key, ast.Constant):
        values = [value for name, value in zip(made.keys, made.values, strict=True) if _is_constant(name, key.value)]
    else:
        values = made.values
    if not all(map(_is_plain, values)):  # nothing in which a table is asked again
        return ()
    names = [name_of(value, binding) for value in values]
    known = all(_is_definition(name) or _is_imported(value, binding) for name, value in zip(names, values, strict=True))
    return tuple(dict.fromkeys(names)) if known else ()


def _listed(node: ast.Subscript, scope: Scope) -> str:
    """The class whose own `list()` gave what an element is taken of, empty where it is anything else.

    Fact: https://cloud.google.com/python/docs/reference/aiplatform/latest/google.cloud.aiplatform.Endpoint
    """
    held = node.value
    if isinstance(held, ast.Call):
        held = held.func
        if not isinstance(held, ast.Attribute) or held.attr != "list":
            return ""
    elif not isinstance(held, ast.Name):
        return ""
    if isinstance(node.slice, (ast.Slice, ast.Tuple)) or not is_telling(name := name_of(held, scope)):
        return ""
    owner, _, method = name.rpartition(".")
    return owner if method == "list" and owner.rpartition(".")[2][:1].isupper() else ""


def _table(node: ast.expr | None, scope: Scope) -> tuple[ast.Dict | None, Scope | None]:
    """The dictionary that a name was made of, a copy of one included, and the scope that binds it."""
    for _ in range(_MAX_COPIES):
        binding = scope.binding(node.id) if isinstance(node, ast.Name) else None
        made = binding.made_of.get(node.id) if binding is not None and isinstance(node, ast.Name) else None
        if isinstance(made, ast.Dict):
            return made, binding
        copied = isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr == "copy"
        if not copied or not isinstance(made, ast.Call) or not isinstance(made.func, ast.Attribute):
            break
        node = made.func.value
    return None, None


def _is_plain(node: ast.expr) -> bool:
    """Whether an expression is a dotted name, or a call of one."""
    node = node.func if type(node) is ast.Call else node
    while type(node) is ast.Attribute:
        node = node.value
    return type(node) is ast.Name


def _is_constant(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _is_definition(name: str) -> bool:
    """Whether a resolved name is that of a class, by its capital letter, or of a definition of the file."""
    return name.startswith("@.") or (is_telling(name) and name.rpartition(".")[2][:1].isupper())


def _is_imported(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is something of another module, as `mlflow.sklearn.load_model`, and not what it returns."""
    name = name_of(node, scope)
    while type(node) is ast.Attribute:
        node = node.value
    if not isinstance(node, ast.Name) or "." not in name or not is_telling(name):
        return False
    binding = scope.binding(node.id)
    return binding is not None and node.id not in binding.made_of


def _of_base(parts: list[str], scope: Scope) -> str:
    """`super().x` as the first base class's `x`; `super().__init__()` does nothing that is worth a name."""
    owner = _owner(scope)
    base = owner.class_attributes.get("__base__", "super") if owner is not None else "super"
    if parts[-1].startswith("__"):
        base = "super"
    return ".".join([base, *reversed(parts)])


def _base(name: str, scope: Scope, parts: list[str]) -> str:
    """What a name stands for; for `self` what the attribute of it holds, which is then taken from `parts`."""
    if parts and name in ("self", "cls"):
        owner = _owner(scope)
        if owner is not None and parts[-1] in owner.class_attributes:
            return owner.class_attributes[parts.pop()]
        if owner is not None:
            return f"@.{owner.name}"
    binding = scope if name in scope.names else scope.binding(name)
    if binding is not None:
        return binding.names[name] or "?"
    if name in BUILTINS:
        return "?" if parts else name  # a method of what a builtin returned
    return f"*.{name}"


def _owner(scope: Scope) -> Scope | None:
    current: Scope | None = scope
    while current is not None and not current.class_attributes.get("__class__"):
        current = current.parent
    return current


_ANYTHING = frozenset({"?", "typing.Any", "typing_extensions.Any", "typing.Optional", "typing.Union"})  # no type


def annotation(node: ast.expr | None, scope: Scope) -> str:
    """The resolved name of the type that an annotation states, empty where it states none."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return _quoted_annotation(node.value, scope)
    if isinstance(node, ast.BinOp):  # X | None
        sides: list[ast.expr] = []
        while isinstance(node, ast.BinOp):
            sides.append(node.right)
            node = node.left
        return next(filter(None, (annotation(side, scope) for side in (node, *reversed(sides)))), "")
    if isinstance(node, ast.Subscript):
        base = name_of(node.value, scope)
        if base.rpartition(".")[2] in ("Optional", "Type", "type"):  # a class is named as what calling it gives
            return annotation(node.slice, scope)
        if base.rpartition(".")[2] == "Annotated" and isinstance(node.slice, ast.Tuple):
            return annotation(node.slice.elts[0], scope)
        return ""
    name = name_of(node, scope)
    return "" if name in BUILTINS or name in _ANYTHING else name


def _quoted_annotation(value: object, scope: Scope) -> str:
    if not isinstance(value, str) or not value.replace(".", "").isidentifier():
        return ""
    first, dot, rest = value.partition(".")
    held = scope.lookup(first)
    return f"{held}{dot}{rest}" if held else ""


def constant(node: ast.expr | None, scope: Scope) -> str | None:
    """An expression's constant as text (`true`, `0.5`, `prod`), None where it is none."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return "none" if value is None else _number_text(value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = constant(node.operand, scope)
        return None if inner is None else f"-{inner}"
    if isinstance(node, ast.Name):
        return scope.constant(node.id)
    if isinstance(node, ast.JoinedStr):
        parts = [constant(v.value if isinstance(v, ast.FormattedValue) else v, scope) for v in node.values]
        return None if any(p is None for p in parts) else "".join(p or "" for p in parts)
    if isinstance(node, (ast.List, ast.Tuple)) and node.elts:
        return _words(node, scope)
    return None


def _words(node: ast.List | ast.Tuple, scope: Scope) -> str | None:
    """A list of words, as of a command line, joined; what is no constant becomes the shell's `$_`."""
    words = []
    for element in node.elts[:_MAX_WORDS]:
        text = (
            element.value
            if isinstance(element, ast.Constant) and isinstance(element.value, str)
            else constant(element, scope)
        )
        if text is None and isinstance(element, ast.Attribute) and element.attr == "executable":
            text = "python"
        words.append(text if text and " " not in text else f"'{text}'" if text else "$_")
    return " ".join(words) if any(word != "$_" for word in words) else None


def declare(body: Iterable[ast.stmt], scope: Scope) -> None:
    """Names of definitions are visible before their line, as at run time inside functions."""
    for node in body:
        if isinstance(node, DEFINITIONS):
            scope.names[node.name] = scope.prefix + node.name
        elif isinstance(node, (ast.If, ast.Try)):
            declare(node.body, scope)


def bind_loop(target: ast.expr, values: ast.expr, scope: Scope) -> None:
    """`for model in [A(), B()]`: a loop variable is taken for what the first element gives it, if that is known."""
    element = values.elts[0] if isinstance(values, (ast.List, ast.Tuple)) and values.elts else None
    if isinstance(target, (ast.Tuple, ast.List)):
        parts = element.elts if isinstance(element, (ast.Tuple, ast.List)) else []
        for position, item in enumerate(target.elts):
            _bind_to(item, parts[position] if position < len(parts) else None, scope)
    else:
        _bind_to(target, element, scope)


def _bind_to(target: ast.expr, value: ast.expr | None, scope: Scope) -> None:
    held = name_of(value, scope) if isinstance(value, ast.Call) else ""
    for name in ast.walk(target):
        if isinstance(name, ast.Name):
            scope.bind(name.id, held if name is target and not held.startswith(("?", "*")) else "")


def _number_text(value: object) -> str | None:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes
        return None
