"""Turn a Python syntax tree into facts: one walk, names resolved as they are met."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mlops_scan.code.facts import MAIN, Call, Class, Function, Guard, Import, Module

_BUILTINS = frozenset(dir(builtins))
_MAX_STRING = 300  # characters of a string constant worth keeping
_MAX_DEPTH = 150  # nested statements followed
_MAX_ELEMENTS = 500  # elements of one literal looked at; longer ones are data
_MAX_ORIGINS = 12  # identifiers of what a compared variable was made of
_MAX_WORDS = 60  # words of a command given as a list
_MAX_IDENTIFIERS = 80  # nodes of an expression looked at for identifiers
_STOP_CALLS = frozenset({"sys.exit", "exit", "quit", "os._exit", "pytest.fail"})
_LOGGING = frozenset({"print", "info", "debug", "warning", "error", "echo", "success", "log"})


@dataclass
class _Scope:
    """Names visible in one scope; `parent` is the enclosing one."""

    name: str
    parent: _Scope | None = None
    names: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    made_of: dict[str, ast.expr] = field(default_factory=dict)
    class_attributes: dict[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> str | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def constant(self, name: str) -> str | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.constants:
                return scope.constants[name]
            scope = scope.parent
        return None


def extract(path: str, tree: ast.Module, lines: Sequence[int] = (), notebook: bool = False) -> Module:
    """The facts of one parsed file.

    Args:
        path: its path in the repository, used for relative imports.
        tree: the syntax tree.
        lines: for a notebook, the file's line for each line of the tree (index 0 is line 1).
        notebook: whether the tree holds notebook cells.
    """
    return _Extractor(path, lines, notebook).run(tree)


class _Extractor:
    def __init__(self, path: str, lines: Sequence[int], notebook: bool) -> None:
        self.path = path
        self.lines = lines
        self.notebook = notebook
        self.imports: list[Import] = []
        self.calls: list[Call] = []
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, Class] = {}
        self.guards: list[Guard] = []
        self.strings: list[tuple[int, str]] = []
        self.main_line = 0
        self.statements = 0

    def run(self, tree: ast.Module) -> Module:
        module = _Scope("")
        self._declare(tree.body, module)
        self._block(tree.body, module, 0)
        return Module(
            path=self.path,
            imports=tuple(self.imports),
            calls=tuple(self.calls),
            functions=self.functions,
            classes=self.classes,
            variables={k: v for k, v in module.names.items() if v},
            constants=dict(module.constants),
            guards=tuple(self.guards),
            strings=tuple(self.strings),
            main_line=self.main_line,
            statements=self.statements,
            notebook=self.notebook,
        )

    # -- positions and names ---------------------------------------------------------------------------------------

    def _line(self, line: int) -> int:
        return self.lines[min(line, len(self.lines)) - 1] if self.lines else line

    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self._line(node.lineno)  # type: ignore[attr-defined]
        return start, max(start, self._line(getattr(node, "end_lineno", None) or node.lineno))  # type: ignore[attr-defined]

    def name_of(self, node: ast.expr, scope: _Scope) -> str:
        """The resolved name of an expression; a call is named after what it calls, "?" when nothing is known."""
        parts: list[str] = []
        while True:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call):
                node = node.func
            elif isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
                node = node.value
            elif isinstance(node, ast.Subscript):
                # `partial[X](...)`, `Sequential[...]`: keep the base; an element of a container is unknown
                node = node.value
                if parts:
                    return ".".join(["?", *reversed(parts)])
            else:
                break
        if not isinstance(node, ast.Name):
            return ".".join(["?", *reversed(parts)]) if parts else "?"
        base = self._base(node.id, scope, parts)
        if base == "?" and not parts:
            return "?"
        return ".".join([base, *reversed(parts)])

    def _base(self, name: str, scope: _Scope, parts: list[str]) -> str:
        if name in ("self", "cls") and parts:
            owner = self._owner(scope)
            if owner is not None:
                attribute = parts[-1]
                if attribute in owner.class_attributes:
                    parts.pop()
                    return owner.class_attributes[attribute]
                return f"@.{owner.name}"
        found = scope.lookup(name)
        if found is not None:
            return found or "?"
        return name if name in _BUILTINS else f"*.{name}"

    @staticmethod
    def _owner(scope: _Scope) -> _Scope | None:
        current: _Scope | None = scope
        while current is not None and not current.class_attributes.get("__class__"):
            current = current.parent
        return current

    def _annotation(self, node: ast.expr | None, scope: _Scope) -> str:
        if node is None:
            return ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return ""
        if isinstance(node, ast.BinOp):  # X | None
            return self._annotation(node.left, scope)
        if isinstance(node, ast.Subscript):
            base = self.name_of(node.value, scope)
            if base.rpartition(".")[2] == "Optional":
                return self._annotation(node.slice, scope)
            if base.rpartition(".")[2] == "Annotated" and isinstance(node.slice, ast.Tuple):
                return self._annotation(node.slice.elts[0], scope)
            return ""
        name = self.name_of(node, scope)
        return "" if name in _BUILTINS or name == "?" else name

    def _constant(self, node: ast.expr | None, scope: _Scope) -> str | None:
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, bool):
                return "true" if value else "false"
            return "none" if value is None else value if isinstance(value, str) else str(value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self._constant(node.operand, scope)
            return None if inner is None else f"-{inner}"
        if isinstance(node, ast.Name):
            return scope.constant(node.id)
        if isinstance(node, ast.JoinedStr):
            parts = [self._constant(v.value if isinstance(v, ast.FormattedValue) else v, scope) for v in node.values]
            return None if any(p is None for p in parts) else "".join(p or "" for p in parts)
        if isinstance(node, (ast.List, ast.Tuple)) and node.elts:
            return self._words(node, scope)
        return None

    def _words(self, node: ast.List | ast.Tuple, scope: _Scope) -> str | None:
        """A list of words, as of a command line, joined; what is no constant becomes the shell's `$_`."""
        words = []
        for element in node.elts[:_MAX_WORDS]:
            text = element.value if isinstance(element, ast.Constant) and isinstance(element.value, str) else self._constant(element, scope)
            if text is None and isinstance(element, ast.Attribute) and element.attr == "executable":
                text = "python"
            words.append(text if text and " " not in text else f"'{text}'" if text else "$_")
        return " ".join(words) if any(word != "$_" for word in words) else None

    # -- declarations ------------------------------------------------------------------------------------------------

    def _declare(self, body: Iterable[ast.stmt], scope: _Scope) -> None:
        """Names of definitions are visible before their line, as at run time inside functions."""
        prefix = f"@.{scope.name}." if scope.name and scope.name != MAIN else "@."
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                scope.names[node.name] = prefix + node.name
            elif isinstance(node, (ast.If, ast.Try)):
                self._declare(node.body, scope)

    # -- statements --------------------------------------------------------------------------------------------------

    def _block(self, body: Sequence[ast.stmt], scope: _Scope, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        for index, node in enumerate(body):
            if index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                continue  # a docstring
            self._statement(node, scope, depth)
            if isinstance(node, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
                return  # what follows in this block cannot run

    def _statement(self, node: ast.stmt, scope: _Scope, depth: int) -> None:
        self.statements += 1
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(node, scope, depth)
        elif isinstance(node, ast.ClassDef):
            self._class(node, scope, depth)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, scope)
        elif isinstance(node, ast.If):
            self._if(node, scope, depth)
        elif isinstance(node, ast.Assert):
            self._guard(node, node.test, scope, "assert")
            self._expressions(node, scope)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            self._assign(node, scope)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._expression(item.context_expr, scope)
                if isinstance(item.optional_vars, ast.Name):
                    scope.names[item.optional_vars.id] = self.name_of(item.context_expr, scope)
            self._block(node.body, scope, depth + 1)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._expression(node.iter, scope)
            self._bind_loop(node, scope)
            self._block(node.body, scope, depth + 1)
            self._block(node.orelse, scope, depth + 1)
        elif isinstance(node, ast.While):
            self._expression(node.test, scope)
            self._block(node.body, scope, depth + 1)
            self._block(node.orelse, scope, depth + 1)
        elif isinstance(node, ast.Try) or node.__class__.__name__ == "TryStar":
            self._block(node.body, scope, depth + 1)  # type: ignore[attr-defined]
            for handler in node.handlers:  # type: ignore[attr-defined]
                self._block(handler.body, scope, depth + 1)
            self._block(node.orelse, scope, depth + 1)  # type: ignore[attr-defined]
            self._block(node.finalbody, scope, depth + 1)  # type: ignore[attr-defined]
        elif isinstance(node, ast.Match):
            self._expression(node.subject, scope)
            for case in node.cases:
                self._block(case.body, scope, depth + 1)
        else:
            self._expressions(node, scope)

    def _bind_loop(self, node: ast.For | ast.AsyncFor, scope: _Scope) -> None:
        """`for model in [A(), B()]`: the loop variable is taken for the first element; otherwise unknown."""
        targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
        first = ""
        if isinstance(node.iter, (ast.List, ast.Tuple)) and node.iter.elts:
            element = node.iter.elts[0]
            if isinstance(element, ast.Call):
                first = self.name_of(element, scope)
        for target in targets:
            if isinstance(target, ast.Name):
                scope.names[target.id] = first

    def _if(self, node: ast.If, scope: _Scope, depth: int) -> None:
        if _is_main(node.test):
            self.main_line = self.main_line or self._line(node.lineno)
            inner = _Scope(MAIN, scope)
            self._declare(node.body, inner)
            self._block(node.body, inner, depth + 1)
            return
        if _never(node.test):
            self._block(node.orelse, scope, depth + 1)
            return
        self._guard(node, node.test, scope, _stops(node.body, self, scope))
        self._expression(node.test, scope)
        self._block(node.body, scope, depth + 1)
        self._block(node.orelse, scope, depth + 1)

    def _guard(self, node: ast.If | ast.Assert | ast.Compare, test: ast.expr, scope: _Scope, stops: str) -> None:
        compares, numbers = _compared(test)
        if isinstance(node, ast.If) and not compares and stops not in ("raise", "exit"):
            return  # a plain branch
        names = list(_identifiers(test))
        for name in tuple(names):
            if name in scope.made_of:
                names.extend(_identifiers(scope.made_of[name])[:_MAX_ORIGINS])
        for name in tuple(names):
            constant = scope.constant(name)
            try:
                numbers.extend([float(constant)] if constant else [])
            except ValueError:
                continue
        start, end = self._span(node)
        self.guards.append(
            Guard(
                line=start,
                end_line=start if isinstance(node, ast.If) else end,
                scope=scope.name,
                names=tuple(dict.fromkeys(names)),
                numbers=tuple(numbers),
                stops=stops,
                compares=compares,
                trivial=isinstance(test, ast.Constant),
                body_end=end,
            )
        )

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, scope: _Scope) -> None:
        value = node.value
        if value is not None:
            self._expression(value, scope, compares=True)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                for element in target.elts if isinstance(target, (ast.Tuple, ast.List)) else ():
                    if isinstance(element, ast.Name):
                        scope.names[element.id] = ""
                        if value is not None:
                            scope.made_of[element.id] = value
                continue
            if isinstance(node, ast.AnnAssign):
                held = self._annotation(node.annotation, scope)
                if held:
                    scope.names[target.id] = held
            if value is None or isinstance(node, ast.AugAssign):
                continue
            constant = self._constant(value, scope)
            if constant is not None and not isinstance(value, (ast.Name, ast.Tuple)):
                scope.constants[target.id] = constant
            if isinstance(value, (ast.Call, ast.Name, ast.Attribute, ast.Await)):
                name = self.name_of(value, scope)
                scope.names[target.id] = "" if name.startswith(("?", "*")) else name
            else:
                scope.names[target.id] = ""
            scope.made_of[target.id] = value

    def _import(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        line = self._line(node.lineno)
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.imports.append(Import(alias.name, line, scope.name))
                if alias.asname:
                    scope.names[alias.asname] = alias.name
                else:
                    root = alias.name.split(".", 1)[0]
                    scope.names[root] = root
            return
        base = self._absolute(node.module or "", node.level)
        for alias in node.names:
            if alias.name == "*":
                self.imports.append(Import(base, line, scope.name, star=True))
                continue
            name = f"{base}.{alias.name}" if base else alias.name
            self.imports.append(Import(name, line, scope.name))
            scope.names[alias.asname or alias.name] = name

    def _absolute(self, module: str, level: int) -> str:
        """A relative import as a dotted path from the repository's root; absolute imports unchanged."""
        if not level:
            return module
        folders = self.path.split("/")[:-1]
        folders = folders[: len(folders) - (level - 1)] if level > 1 else folders
        return ".".join([*(f.replace(".", "_") for f in folders), *([module] if module else [])])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: _Scope, depth: int) -> None:
        qualname = node.name if scope.name in ("", MAIN) else f"{scope.name}.{node.name}"
        decorators = tuple(self._decorator(d, scope) for d in node.decorator_list)
        inner = _Scope(qualname, scope)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            inner.names[argument.arg] = self._annotation(argument.annotation, scope)
        for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
            self._expression(default, scope)
        self._declare(node.body, inner)
        self._block(node.body, inner, depth + 1)
        start, end = self._span(node)
        self.functions[qualname] = Function(
            qualname=qualname,
            line=start,
            end_line=end,
            decorators=decorators,
            returns=self._returned(node, inner) or self._annotation(node.returns, scope),
            parameters=tuple(argument.arg for argument in arguments),
            stub=_is_stub(node.body),
        )

    def _decorator(self, node: ast.expr, scope: _Scope) -> str:
        if isinstance(node, ast.Call):
            self._expression(node, scope)
        return self.name_of(node, scope)

    def _returned(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: _Scope) -> str:
        for child in _own_nodes(node.body):
            if isinstance(child, ast.Return) and isinstance(child.value, (ast.Call, ast.Name)):
                name = self.name_of(child.value, scope)
                if name and not name.startswith(("?", "*")) and name not in _BUILTINS:
                    return name
        return ""

    def _class(self, node: ast.ClassDef, scope: _Scope, depth: int) -> None:
        qualname = node.name if scope.name in ("", MAIN) else f"{scope.name}.{node.name}"
        inner = _Scope(qualname, scope)
        inner.class_attributes["__class__"] = qualname
        decorators = tuple(self._decorator(d, scope) for d in node.decorator_list)
        bases = tuple(self.name_of(base, scope) for base in node.bases)
        for keyword in node.keywords:
            self._expression(keyword.value, scope)
        methods = [child for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))]
        self._attributes(node, methods, inner)
        # class-level names are not visible inside methods without `self`
        body_scope = _Scope(qualname, scope, class_attributes=inner.class_attributes)
        self._block(node.body, body_scope, depth + 1)
        start, end = self._span(node)
        self.classes[qualname] = Class(
            qualname=qualname,
            line=start,
            end_line=end,
            bases=bases,
            methods=tuple(method.name for method in methods),
            attributes={k: v for k, v in inner.class_attributes.items() if k != "__class__"},
            decorators=decorators,
        )

    def _attributes(self, node: ast.ClassDef, methods: Sequence[ast.FunctionDef | ast.AsyncFunctionDef], scope: _Scope) -> None:
        """What `self.x` holds: assigned constructors, annotated parameters, annotated class fields."""
        for child in node.body:
            if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
                held = self._annotation(child.annotation, scope)
                if held:
                    scope.class_attributes[child.target.id] = held
        for method in methods:
            local = _Scope(scope.name, scope)
            for argument in [*method.args.args, *method.args.kwonlyargs]:
                local.names[argument.arg] = self._annotation(argument.annotation, scope)
            for child in _own_nodes(method.body):
                if not isinstance(child, ast.Assign) or not isinstance(child.value, (ast.Call, ast.Name)):
                    continue
                name = self.name_of(child.value, local)
                for target in child.targets:
                    if isinstance(target, ast.Name):
                        local.names[target.id] = "" if name.startswith(("?", "*")) else name
                    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                        if name and not name.startswith(("?", "*")) and name not in _BUILTINS:
                            scope.class_attributes.setdefault(target.attr, name)

    # -- expressions -------------------------------------------------------------------------------------------------

    def _expressions(self, node: ast.stmt, scope: _Scope) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child, scope, compares=not isinstance(node, ast.Assert))

    def _expression(self, node: ast.expr, scope: _Scope, compares: bool = False) -> None:
        """Collect calls, strings and, where `compares`, comparisons of an expression."""
        stack: list[ast.AST] = [node]
        while stack:
            child = stack.pop()
            kind = type(child)
            if kind is ast.Constant:
                if isinstance(child.value, str) and 1 < len(child.value) <= _MAX_STRING:  # type: ignore[attr-defined]
                    self.strings.append((self._line(child.lineno), child.value))  # type: ignore[attr-defined]
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
                pairs = zip(child.keys[:_MAX_ELEMENTS], child.values)  # type: ignore[attr-defined]
                stack.extend(reversed([part for pair in pairs for part in pair if part is not None]))
            else:
                self._special(child, scope, compares)
                stack.extend(reversed(list(ast.iter_child_nodes(child))))

    def _special(self, node: ast.AST, scope: _Scope, compares: bool) -> None:
        if isinstance(node, ast.Compare) and compares:
            self._guard(node, node, scope, "")
        elif isinstance(node, ast.Lambda):
            for argument in node.args.args:
                scope.names.setdefault(argument.arg, "")
        elif isinstance(node, ast.comprehension):
            for target in ast.walk(node.target):
                if isinstance(target, ast.Name):
                    scope.names[target.id] = ""

    def _call(self, node: ast.Call, scope: _Scope) -> None:
        start, end = self._span(node)
        refs: list[str] = []
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            for element in value.elts if isinstance(value, (ast.List, ast.Tuple)) else (value,):
                if isinstance(element, (ast.Name, ast.Attribute)):
                    name = self.name_of(element, scope)
                    if name and not name.startswith(("?", "*")) and name not in _BUILTINS:
                        refs.append(name)
        self.calls.append(
            Call(
                name=self.name_of(node.func, scope),
                line=start,
                end_line=end,
                scope=scope.name,
                args=tuple(self._constant(argument, scope) for argument in node.args),
                keywords=tuple((k.arg, self._constant(k.value, scope)) for k in node.keywords if k.arg is not None),
                refs=tuple(refs),
            )
        )


def _identifiers(node: ast.AST) -> list[str]:
    """Names, attributes and string subscripts of an expression, in order."""
    found: list[str] = []
    for child in islice(ast.walk(node), _MAX_IDENTIFIERS):
        if isinstance(child, ast.Name):
            found.append(child.id)
        elif isinstance(child, ast.Attribute):
            found.append(child.attr)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and len(child.value) < 60:
            found.append(child.value)
    return found


def _own_nodes(body: Sequence[ast.stmt]) -> Iterable[ast.stmt]:
    """All statements below `body`, not entering nested functions and classes."""
    stack = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        children: list[ast.stmt] = []
        for name in ("body", "orelse", "finalbody"):
            children.extend(child for child in getattr(node, name, ()) if isinstance(child, ast.stmt))
        for handler in getattr(node, "handlers", ()):
            children.extend(handler.body)
        stack.extend(reversed(children))


def _compared(test: ast.expr) -> tuple[bool, list[float]]:
    """Whether a test compares anything, and the numbers in it."""
    compares, numbers = False, []
    for node in ast.walk(test):
        if isinstance(node, ast.Compare):
            compares = True
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
                numbers.append(float(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            compares = compares or node.func.attr.startswith(("assert", "all", "any", "isclose"))
    return compares, numbers


def _is_main(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
        and len(test.comparators) == 1
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == MAIN
    )


def _never(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return not test.value
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def _stops(body: Sequence[ast.stmt], extractor: _Extractor, scope: _Scope) -> str:
    for node in _own_nodes(body):
        if isinstance(node, ast.Raise):
            return "raise"
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            name = extractor.name_of(node.value.func, scope)
            if name in _STOP_CALLS or name.endswith((".cancel", ".exit", ".fail")):
                return "exit"
    return "return" if any(isinstance(node, ast.Return) for node in _own_nodes(body)) else ""


def _is_stub(body: Sequence[ast.stmt]) -> bool:
    for node in body:
        if isinstance(node, ast.Pass):
            continue
        if isinstance(node, ast.Raise) and "NotImplementedError" in _identifiers(node):
            continue
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant):
                continue
            if isinstance(node.value, ast.Call):
                function = node.value.func
                name = function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
                if name in _LOGGING:
                    continue
        return False
    return True
