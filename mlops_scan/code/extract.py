"""Turn a Python syntax tree into facts: one walk, names resolved as they are met."""

from __future__ import annotations

import ast
import builtins
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeGuard

from mlops_scan.code.facts import MAIN, Call, Class, Function, Guard, Import, Module

_BUILTINS = frozenset(dir(builtins))
_MAX_STRING = 300  # characters of a string constant worth keeping
_MAX_DEPTH = 150  # nested statements followed
_MAX_ELEMENTS = 500  # elements of one literal looked at; longer ones are data
_MAX_ORIGINS = 12  # identifiers of what a compared variable was made of
_MAX_WORDS = 60  # words of a command given as a list
_MAX_BODY = 500  # statements of a branch looked at for what stops the program
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
    log: list[tuple[str, str]] = field(default_factory=list)  # every binding made: the name and what it held before

    def lookup(self, name: str) -> str | None:
        """What a name holds, empty where it is bound to something unknown, None where it is not bound."""
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.class_attributes):
                return scope.names[name]
            scope = scope.parent
        return None

    def constant(self, name: str) -> str | None:
        """The constant that a name stands for; a nearer binding to anything else hides it."""
        scope: _Scope | None = self
        while scope is not None:
            if scope is self or not scope.class_attributes:
                if name in scope.constants:
                    return scope.constants[name]
                if name in scope.names:
                    return None
            scope = scope.parent
        return None

    def bind(self, name: str, held: str = "") -> None:
        """Bind a name to something that is no constant."""
        self.log.append((name, self.names.get(name, "")))
        self.names[name] = held
        self.constants.pop(name, None)

    @property
    def prefix(self) -> str:
        """What stands before the names of definitions made here."""
        return "@." if self.name in ("", MAIN) else f"@.{self.name}."


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

    # -- positions and names -----------------------------------------------------------------------------------------

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
                if parts and isinstance(node.func, ast.Name) and node.func.id == "super":
                    return self._of_base(parts, scope)
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

    def _of_base(self, parts: list[str], scope: _Scope) -> str:
        """`super().x` as the first base class's `x`; `super().__init__()` does nothing that is worth a name."""
        owner = self._owner(scope)
        base = owner.class_attributes.get("__base__", "super") if owner is not None else "super"
        if parts[-1].startswith("__"):
            base = "super"
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
        if name in _BUILTINS:
            return "?" if parts else name  # a method of what a builtin returned
        return f"*.{name}"

    @staticmethod
    def _owner(scope: _Scope) -> _Scope | None:
        current: _Scope | None = scope
        while current is not None and not current.class_attributes.get("__class__"):
            current = current.parent
        return current

    def _annotation(self, node: ast.expr | None, scope: _Scope) -> str:
        if node is None:
            return ""
        if isinstance(node, ast.Constant):
            return self._quoted_annotation(node.value, scope)
        if isinstance(node, ast.BinOp):  # X | None
            return self._annotation(node.left, scope) or self._annotation(node.right, scope)
        if isinstance(node, ast.Subscript):
            base = self.name_of(node.value, scope)
            if base.rpartition(".")[2] == "Optional":
                return self._annotation(node.slice, scope)
            if base.rpartition(".")[2] == "Annotated" and isinstance(node.slice, ast.Tuple):
                return self._annotation(node.slice.elts[0], scope)
            return ""
        name = self.name_of(node, scope)
        return "" if name in _BUILTINS or name == "?" else name

    def _quoted_annotation(self, value: object, scope: _Scope) -> str:
        if not isinstance(value, str) or not value.replace(".", "").isidentifier():
            return ""
        first, dot, rest = value.partition(".")
        held = scope.lookup(first)
        return f"{held}{dot}{rest}" if held else ""

    def _constant(self, node: ast.expr | None, scope: _Scope) -> str | None:
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, bool):
                return "true" if value else "false"
            return "none" if value is None else value if isinstance(value, str) else _number_text(value)
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
            text = (
                element.value
                if isinstance(element, ast.Constant) and isinstance(element.value, str)
                else self._constant(element, scope)
            )
            if text is None and isinstance(element, ast.Attribute) and element.attr == "executable":
                text = "python"
            words.append(text if text and " " not in text else f"'{text}'" if text else "$_")
        return " ".join(words) if any(word != "$_" for word in words) else None

    # -- declarations ------------------------------------------------------------------------------------------------

    def _declare(self, body: Iterable[ast.stmt], scope: _Scope) -> None:
        """Names of definitions are visible before their line, as at run time inside functions."""
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                scope.names[node.name] = scope.prefix + node.name
            elif isinstance(node, (ast.If, ast.Try)):
                self._declare(node.body, scope)

    # -- statements --------------------------------------------------------------------------------------------------

    def _block(self, body: Sequence[ast.stmt], scope: _Scope, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        for index, node in enumerate(body):
            if index == 0 and _is_docstring(node):
                continue
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
                    scope.bind(item.optional_vars.id, self.name_of(item.context_expr, scope))
            self._block(node.body, scope, depth + 1)
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._expression(node.iter, scope)
            self._bind_loop(node.target, node.iter, scope)
            self._branches([node.body, node.orelse], scope, depth)
        else:
            self._other(node, scope, depth)

    def _other(self, node: ast.stmt, scope: _Scope, depth: int) -> None:
        if isinstance(node, ast.While):
            self._expression(node.test, scope)
            self._branches([node.body, node.orelse], scope, depth)
        elif isinstance(node, ast.Try) or node.__class__.__name__ == "TryStar":
            handlers = [handler.body for handler in node.handlers]  # type: ignore[attr-defined]
            self._branches([node.body, *handlers], scope, depth, first_wins=True)  # type: ignore[attr-defined]
            self._block(node.orelse, scope, depth + 1)  # type: ignore[attr-defined]
            self._block(node.finalbody, scope, depth + 1)  # type: ignore[attr-defined]
        elif isinstance(node, ast.Match):
            self._expression(node.subject, scope)
            self._branches([case.body for case in node.cases], scope, depth)
        else:
            self._expressions(node, scope)

    def _branches(
        self, blocks: Sequence[Sequence[ast.stmt]], scope: _Scope, depth: int, first_wins: bool = False
    ) -> None:
        """Blocks one of which runs: what any of them, or the code before, binds a name to is kept over "unknown".

        With `first_wins` the first block's bindings are kept in any case: `try: import x` / `except: x = None`.
        """
        known: dict[str, str] = {}  # the first that a block binds a name to
        before: dict[str, str] = {}
        first: dict[str, str] = {}
        for number, block in enumerate(blocks):
            mark = len(scope.log)
            self._block(block, scope, depth + 1)
            for name, old in scope.log[mark:]:
                before.setdefault(name, old)
                if scope.names[name]:
                    known.setdefault(name, scope.names[name])
            if first_wins and number == 0:
                first = dict(known)
        for name, old in before.items():
            held = first.get(name) or scope.names[name] or known.get(name) or old
            if held != scope.names[name]:
                scope.bind(name, held)

    def _bind_loop(self, target: ast.expr, values: ast.expr, scope: _Scope) -> None:
        """`for model in [A(), B()]`: a loop variable is taken for what the first element gives it, if that is known."""
        element = values.elts[0] if isinstance(values, (ast.List, ast.Tuple)) and values.elts else None
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = element.elts if isinstance(element, (ast.Tuple, ast.List)) else []
            for position, item in enumerate(target.elts):
                self._bind_to(item, parts[position] if position < len(parts) else None, scope)
        else:
            self._bind_to(target, element, scope)

    def _bind_to(self, target: ast.expr, value: ast.expr | None, scope: _Scope) -> None:
        held = self.name_of(value, scope) if isinstance(value, ast.Call) else ""
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                scope.bind(name.id, held if name is target and not held.startswith(("?", "*")) else "")

    def _if(self, node: ast.If, scope: _Scope, depth: int) -> None:
        if _is_main(node.test):
            self.main_line = self.main_line or self._line(node.lineno)
            inner = _Scope(MAIN, scope)
            self._declare(node.body, inner)
            self._block(node.body, inner, depth + 1)
            self._block(node.orelse, scope, depth + 1)
            return
        if _never(node.test):
            for child in node.body:  # names that only annotations use
                for bound, name, _ in self._imported(child) if isinstance(child, (ast.Import, ast.ImportFrom)) else ():
                    if bound:
                        scope.bind(bound, name)
            self._block(node.orelse, scope, depth + 1)
            return
        blocks: list[Sequence[ast.stmt]] = []
        while True:
            stops = _stops(node.body, self, scope)
            if stops not in ("raise", "exit") and _stops(node.orelse, self, scope) in ("raise", "exit"):
                stops = _stops(node.orelse, self, scope)  # `if better: … else: run.cancel()`
            self._guard(node, node.test, scope, stops)
            self._expression(node.test, scope)
            blocks.append(node.body)
            following = node.orelse[0] if len(node.orelse) == 1 else None
            if not isinstance(following, ast.If) or _is_main(following.test) or _never(following.test):
                break
            node = following  # an `elif`: a long chain must not become deep
            self.statements += 1
        self._branches([*blocks, node.orelse], scope, depth)

    def _guard(self, node: ast.If | ast.Assert | ast.Compare, test: ast.expr, scope: _Scope, stops: str) -> None:
        compares, numbers = _compared(test)
        if isinstance(node, ast.If) and not compares and stops not in ("raise", "exit"):
            return  # a plain branch
        names = list(_identifiers(test))
        for name in tuple(names):
            if name in scope.made_of:
                names.extend(_identifiers(scope.made_of[name])[:_MAX_ORIGINS])
        for name in tuple(names):
            text = scope.constant(name) or ""
            numbers.extend(_as_number(text) if any(char.isdigit() for char in text) else ())
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
                        scope.bind(element.id)
                        if value is not None:
                            scope.made_of[element.id] = value
                continue
            held = self._annotation(node.annotation, scope) if isinstance(node, ast.AnnAssign) else ""
            if value is None or isinstance(node, ast.AugAssign):
                scope.bind(target.id, held or scope.names.get(target.id, ""))
                continue
            if isinstance(value, (ast.Call, ast.Name, ast.Attribute, ast.Await, ast.NamedExpr)):
                name = self.name_of(value, scope)
                held = held if name.startswith(("?", "*")) or name in _BUILTINS else name
            constant = self._constant(value, scope)
            scope.bind(target.id, held)
            if constant is not None and not isinstance(value, (ast.Name, ast.Tuple)):
                scope.constants[target.id] = constant
            scope.made_of[target.id] = value

    def _import(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        line = self._line(node.lineno)
        for bound, name, imported in self._imported(node):
            self.imports.append(Import(imported, line, scope.name, star=not bound))
            if bound:
                scope.bind(bound, name)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
        """For each name: what is bound (empty for a star), what it is bound to, what is imported."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.split(".", 1)[0]
                yield (alias.asname, alias.name, alias.name) if alias.asname else (root, root, alias.name)
            return
        base = self._absolute(node.module or "", node.level)
        for alias in node.names:
            if alias.name == "*":
                yield "", "", base
            else:
                name = f"{base}.{alias.name}" if base else alias.name
                yield alias.asname or alias.name, name, name

    def _absolute(self, module: str, level: int) -> str:
        """A relative import as a dotted path from the repository's root; absolute imports unchanged."""
        if not level:
            return module
        folders = self.path.split("/")[:-1]
        folders = folders[: max(0, len(folders) - (level - 1))]
        return ".".join([*(f.replace(".", "_") for f in folders), *([module] if module else [])])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: _Scope, depth: int) -> None:
        scope.bind(node.name, scope.prefix + node.name)
        qualname = scope.names[node.name].removeprefix("@.")
        decorators = tuple(self._decorator(d, scope) for d in node.decorator_list)
        inner = _Scope(qualname, scope)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            inner.names[argument.arg] = self._annotation(argument.annotation, scope)
        for collector in (node.args.vararg, node.args.kwarg):
            if collector is not None:
                inner.names[collector.arg] = ""
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
            value = child.value if isinstance(child, ast.Return) else None
            if isinstance(value, ast.Await):
                value = value.value
            if isinstance(value, (ast.Call, ast.Name)) or _of_self(value):
                name = self.name_of(value, scope)
                if name and not name.startswith(("?", "*")) and name not in _BUILTINS:
                    return name
        return ""

    def _class(self, node: ast.ClassDef, scope: _Scope, depth: int) -> None:
        scope.bind(node.name, scope.prefix + node.name)
        qualname = scope.names[node.name].removeprefix("@.")
        inner = _Scope(qualname, scope)
        inner.class_attributes["__class__"] = qualname
        decorators = tuple(self._decorator(d, scope) for d in node.decorator_list)
        bases = tuple(self.name_of(base, scope) for base in node.bases)
        if bases and not bases[0].startswith(("?", "*")):
            inner.class_attributes["__base__"] = bases[0]
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
            attributes={k: v for k, v in inner.class_attributes.items() if not k.startswith("__")},
            decorators=decorators,
        )

    def _attributes(
        self, node: ast.ClassDef, methods: Sequence[ast.FunctionDef | ast.AsyncFunctionDef], scope: _Scope
    ) -> None:
        """What `self.x` holds: assigned constructors, annotated parameters, fields of the class."""
        for child in node.body:
            if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
                self._attribute(child.target.id, self._annotation(child.annotation, scope), scope)
            elif isinstance(child, ast.Assign) and isinstance(child.value, ast.Call):
                for target in child.targets:
                    if isinstance(target, ast.Name):
                        self._attribute(target.id, self.name_of(child.value, scope), scope)
        for method in methods:
            local = _Scope(scope.name, scope)
            for argument in [*method.args.args, *method.args.kwonlyargs]:
                local.names[argument.arg] = self._annotation(argument.annotation, scope)
            for statement in _own_nodes(method.body):
                if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                    self._own_assignment(statement, local, scope)

    def _own_assignment(self, node: ast.Assign | ast.AnnAssign, local: _Scope, scope: _Scope) -> None:
        """What an assignment in a method tells of `self`; `scope` is the class, `local` the method."""
        if isinstance(node, ast.AnnAssign) and _of_self(node.target):
            self._attribute(node.target.attr, self._annotation(node.annotation, scope), scope)
        if not isinstance(node.value, (ast.Call, ast.Name)):
            return
        name = self.name_of(node.value, local)
        for target in node.targets if isinstance(node, ast.Assign) else (node.target,):
            if isinstance(target, ast.Name):
                local.names[target.id] = "" if name.startswith(("?", "*")) else name
            elif _of_self(target):
                self._attribute(target.attr, name, scope)

    @staticmethod
    def _attribute(attribute: str, held: str, scope: _Scope) -> None:
        if held and not held.startswith(("?", "*")) and held not in _BUILTINS:
            scope.class_attributes.setdefault(attribute, held)

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
                pairs = zip(child.keys[:_MAX_ELEMENTS], child.values, strict=False)  # type: ignore[attr-defined]
                stack.extend(reversed([part for pair in pairs for part in pair if part is not None]))
            elif not self._special(child, scope, compares):
                stack.extend(reversed(list(ast.iter_child_nodes(child))))

    def _special(self, node: ast.AST, scope: _Scope, compares: bool) -> bool:
        """Comparisons, and what binds names; true when the parts of `node` have been dealt with."""
        if isinstance(node, ast.Compare):
            if compares:
                self._guard(node, node, scope, "")
        elif isinstance(node, ast.NamedExpr):
            name = self.name_of(node.value, scope)
            scope.bind(node.target.id, "" if name.startswith(("?", "*")) else name)
        elif isinstance(node, ast.Lambda):
            inner = _Scope(scope.name, scope)
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    inner.names[argument.arg] = ""
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self._expression(default, scope, compares)
            self._expression(node.body, inner, compares)
            return True
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            self._comprehension(node, scope, compares)
            return True
        return False

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: _Scope, compares: bool
    ) -> None:
        inner = _Scope(scope.name, scope)
        for generator in node.generators:
            self._expression(generator.iter, inner, compares)
            self._bind_loop(generator.target, generator.iter, inner)
            for test in generator.ifs:
                self._expression(test, inner, compares)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self._expression(part, inner, compares)

    def _call(self, node: ast.Call, scope: _Scope) -> None:
        start, end = self._span(node)
        refs: list[str] = []
        for value in (*node.args, *(keyword.value for keyword in node.keywords)):
            elements = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [value]
            for element in value.values if isinstance(value, ast.Dict) else elements:
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
    compares = False
    numbers: list[float] = []
    signed: set[int] = set()  # operands of a minus that has been read with them; a node comes before its parts
    for node in ast.walk(test):
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


def _number_text(value: object) -> str | None:
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes
        return None


def _of_self(node: ast.expr | None) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`, either way round, alone or with further conditions."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_main(value) for value in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == [MAIN]


def _never(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return not test.value
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


def _stops(body: Sequence[ast.stmt], extractor: _Extractor, scope: _Scope) -> str:
    nodes = list(islice(_own_nodes(body), _MAX_BODY))
    for node in nodes:
        if isinstance(node, ast.Raise):
            return "raise"
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            name = extractor.name_of(node.value.func, scope)
            if name in _STOP_CALLS or name.endswith((".cancel", ".exit", ".fail")):
                return "exit"
    return "return" if any(isinstance(node, ast.Return) for node in nodes) else ""


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
                name = (
                    function.id
                    if isinstance(function, ast.Name)
                    else function.attr
                    if isinstance(function, ast.Attribute)
                    else ""
                )
                if name in _LOGGING:
                    continue
        return False
    return True
