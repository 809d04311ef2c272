"""Turn a Python syntax tree into facts: one walk, names resolved as they are met."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from mlops_scan.code.definitions import find_attributes, imported, returned
from mlops_scan.code.expressions import Collector
from mlops_scan.code.facts import MAIN, Call, Class, Function, Import, Module, Shield
from mlops_scan.code.guards import CODE, ONLY_CODE, exit_codes, flags_set, orders, status_test, stops
from mlops_scan.code.scopes import BUILTINS, Scope, annotation, bind_loop, constant, declare, elements, name_of
from mlops_scan.code.shields import shield_of
from mlops_scan.code.syntax import Lines, is_docstring, is_main, is_stub, never, none_by_default
from mlops_scan.regex import regex

_MAX_OTHERS = 20  # of what branches bind one name to
_MAX_DEPTH = 150  # nested statements followed


def extract(path: str, tree: ast.Module, lines: Sequence[int] = (), notebook: bool = False) -> Module:
    """The facts of one parsed file.

    Args:
        path: its path in the repository, used for relative imports.
        tree: the syntax tree.
        lines: for a notebook, the file's line for each line of the tree (index 0 is line 1).
        notebook: whether the tree holds notebook cells.
    """
    return _Extractor(path, lines, notebook).run(tree)


_HELD = regex(r"\.[A-Z]\w*(?:\.[a-z_]\w*)+$")  # an attribute of what a class makes
# What makes whatever a configuration says; the annotation of its result tells what that is.
_MAKERS = frozenset({"hydra.utils.instantiate", "hydra.utils.call", "hydra_zen.instantiate", "copy.deepcopy"})


class _Extractor:
    """The walk over the statements of one file."""

    def __init__(self, path: str, lines: Sequence[int], notebook: bool) -> None:
        self.path = path
        self.lines = Lines(lines)
        self.notebook = notebook
        self.imports: list[Import] = []
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, Class] = {}
        self.shields: list[Shield] = []
        self.found = Collector(self.lines)
        self.main_line = 0
        self.statements = 0

    def run(self, tree: ast.Module) -> Module:
        module = Scope("")
        declare(tree.body, module)
        self._block(tree.body, module, 0)
        return Module(
            path=self.path,
            imports=tuple(self.imports),
            calls=tuple(self.found.calls),
            functions=self.functions,
            classes=self.classes,
            variables={k: v for k, v in module.names.items() if v},
            constants=dict(module.constants),
            guards=tuple(exit_codes(self.found.guards, self.found.calls)),
            strings=tuple(self.found.strings),
            main_line=self.main_line,
            statements=self.statements,
            notebook=self.notebook,
            shields=tuple(self.shields),
        )

    # -- statements --------------------------------------------------------------------------------------------------

    def _block(self, body: Sequence[ast.stmt], scope: Scope, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        for node in body[1:] if body and is_docstring(body[0]) else body:
            self.statements += 1
            kind = type(node)
            handle = _HANDLERS.get(kind)
            if handle is not None:
                handle(self, node, scope, depth)
            else:
                self.found.expressions(node, scope)
            if kind in _LEAVING:
                return  # what follows in this block cannot run

    def _value(self, node: ast.Expr | ast.Return, scope: Scope, depth: int) -> None:
        if node.value is not None:
            self.found.expression(node.value, scope, compares=True)
            test = status_test(node.value, ends=False) if isinstance(node, ast.Return) else None
            if test is not None:
                self.found.guard(node, test, scope, ONLY_CODE)

    def _assert(self, node: ast.Assert, scope: Scope, depth: int) -> None:
        self.found.guard(node, node.test, scope, "assert")
        self.found.expressions(node, scope)

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope, depth: int) -> None:
        for item in node.items:
            self.found.expression(item.context_expr, scope)
            opened = item.context_expr.args[:1] if isinstance(item.context_expr, ast.Call) else ()
            for test in opened:
                if isinstance(test, ast.Compare):  # `with dsl.If(accuracy > 0.8):`
                    self.found.guard(node, test, scope, "")
            if isinstance(item.optional_vars, ast.Name):
                scope.bind(item.optional_vars.id, name_of(item.context_expr, scope))
        self._block(node.body, scope, depth + 1)

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope, depth: int) -> None:
        self.found.expression(node.iter, scope)
        bind_loop(node.target, node.iter, scope)
        self._branches([node.body, node.orelse], scope, depth)

    def _while(self, node: ast.While, scope: Scope, depth: int) -> None:
        self.found.expression(node.test, scope)
        self._branches([node.body, node.orelse], scope, depth)

    def _try(self, node: ast.Try, scope: Scope, depth: int) -> None:
        handlers = [handler.body for handler in node.handlers]
        self._branches([node.body, *handlers], scope, depth, first_wins=True)
        shield = shield_of(node, scope, self.lines)
        if shield is not None:
            self.shields.append(shield)
        self._block(node.orelse, scope, depth + 1)
        self._block(node.finalbody, scope, depth + 1)

    def _match(self, node: ast.Match, scope: Scope, depth: int) -> None:
        self.found.expression(node.subject, scope)
        self._branches([case.body for case in node.cases], scope, depth)

    def _branches(
        self, blocks: Sequence[Sequence[ast.stmt]], scope: Scope, depth: int, first_wins: bool = False
    ) -> None:
        """Blocks one of which runs: what any of them, or the code before, binds a name to is kept over "unknown".

        With `first_wins` the first block's bindings are kept in any case: `try: import x` / `except: x = None`. Else
        all are remembered: `if a: from x import run` / `else: from y import run` makes `run()` a call of either.
        """
        known: dict[str, list[str]] = {}  # what the blocks bind a name to
        before: dict[str, str] = {}
        first: dict[str, str] = {}
        for number, block in enumerate(blocks):
            mark = len(scope.log)
            self._block(block, scope, depth + 1)
            for name, old in scope.log[mark:]:
                before.setdefault(name, old)
                if scope.names[name]:
                    known.setdefault(name, []).append(scope.names[name])
            if first_wins and number == 0:
                first = {name: held[0] for name, held in known.items()}
        for name, old in before.items():
            found = known.get(name, [])
            held = first.get(name) or scope.names[name] or (found[0] if found else old)
            if held != scope.names[name]:
                scope.bind(name, held)
            if not first_wins and len(found) > 1:
                scope.others[name] = tuple(dict.fromkeys(other for other in found if other != held))[:_MAX_OTHERS]

    def _if(self, node: ast.If, scope: Scope, depth: int) -> None:
        if is_main(node.test):
            self.main_line = self.main_line or self.lines.of(node.lineno)
            inner = Scope(MAIN, scope)
            declare(node.body, inner)
            self._block(node.body, inner, depth + 1)
            self._block(node.orelse, scope, depth + 1)
            return
        if never(node.test):
            for child in node.body:  # names that only annotations use
                if isinstance(child, (ast.Import, ast.ImportFrom)):
                    self._bind_imported(child, scope)
            self._block(node.orelse, scope, depth + 1)
            return
        blocks: list[Sequence[ast.stmt]] = []
        decided: list[tuple[ast.expr, Sequence[ast.stmt]]] = []  # what tests by size decide
        while True:
            stopping = stops(node.body, scope)
            if stopping not in ("raise", "exit") and node.orelse:
                otherwise = stops(node.orelse, scope)  # `if better: … else: run.cancel()`
                stopping = otherwise if otherwise in ("raise", "exit", CODE) else stopping
            self.found.guard(node, node.test, scope, stopping)
            self.found.expression(node.test, scope)
            blocks.append(node.body)
            if orders(node.test):
                decided += (node.test, node.body), (node.test, node.orelse)
            following = node.orelse[0] if len(node.orelse) == 1 else None
            if not isinstance(following, ast.If) or is_main(following.test) or never(following.test):
                break
            node = following  # an `elif`: a long chain must not become deep
            self.statements += 1
        self._branches([*blocks, node.orelse], scope, depth)
        for test, block in decided:
            for name in flags_set(block):
                held = scope.made_of.get(name)
                if not isinstance(held, (ast.List, ast.Tuple)) or not held.elts:  # nothing that it may run is in it
                    scope.made_of[name] = test

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, scope: Scope, depth: int) -> None:
        value = node.value
        if value is not None:
            self.found.expression(value, scope, compares=True)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                if isinstance(target, ast.Subscript):
                    self._put(target, scope)
                for element in target.elts if isinstance(target, (ast.Tuple, ast.List)) else ():
                    if isinstance(element, ast.Name):
                        scope.bind(element.id)
                        if value is not None:
                            scope.made_of[element.id] = value
                continue
            held = annotation(node.annotation, scope) if isinstance(node, ast.AnnAssign) else ""
            if value is None or isinstance(node, ast.AugAssign):
                scope.bind(target.id, held or scope.names.get(target.id, ""))
                continue
            if isinstance(value, (ast.Call, ast.Name, ast.Attribute, ast.Await, ast.NamedExpr, ast.Subscript)):
                name = name_of(value, scope) if type(value) is not ast.Subscript or elements(value, scope) else "?"
                unknown = name.startswith(("?", "*")) or name in BUILTINS or (held and name in _MAKERS)
                # of what an object of a class holds nothing is known: `model: Churn = request.app.state.model`
                part = held and type(value) is ast.Attribute and _HELD.search(name) is not None
                held = held if unknown or part else name
            text = constant(value, scope)
            scope.bind(target.id, held)
            if text is not None and not isinstance(value, (ast.Name, ast.Tuple)):
                scope.constants[target.id] = text
            scope.made_of[target.id] = value
            if type(value) in (ast.Subscript, ast.Call) and len(also := elements(value, scope)) > 1:
                scope.others[target.id] = also[1:]

    def _put(self, target: ast.Subscript, scope: Scope) -> None:
        """`sys.modules[name] = x`, which is kept as the call that it is."""
        holder = target.value
        if isinstance(holder, ast.Attribute) and holder.attr == "modules" and name_of(holder, scope) == "sys.modules":
            start, end = self.lines.span(target)
            key = constant(target.slice, scope)
            self.found.calls.append(Call("sys.modules.__setitem__", start, end, scope.name, (key, None)))

    # -- definitions -------------------------------------------------------------------------------------------------

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope, depth: int) -> None:
        line = self.lines.of(node.lineno)
        for bound, name, whole in imported(node, self.path):
            self.imports.append(Import(whole, line, scope.name, not bound))
            if bound:
                scope.bind(bound, name)

    def _bind_imported(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for bound, name, _ in imported(node, self.path):
            if bound:
                scope.bind(bound, name)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, depth: int) -> None:
        scope.bind(node.name, scope.prefix + node.name)
        qualname = scope.names[node.name].removeprefix("@.")
        decorators = tuple(self._decorator(d, scope) for d in node.decorator_list)
        inner = Scope(qualname, scope)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            inner.names[argument.arg] = annotation(argument.annotation, scope)
        for collector in (node.args.vararg, node.args.kwarg):
            if collector is not None:
                inner.names[collector.arg] = ""
        for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
            self.found.expression(default, scope)
        declare(node.body, inner)
        self._block(node.body, inner, depth + 1)
        start, end = self.lines.span(node)
        self.functions[qualname] = Function(
            qualname=qualname,
            line=start,
            end_line=end,
            decorators=decorators,
            returns=returned(node, inner) or annotation(node.returns, scope),
            parameters=tuple(argument.arg for argument in arguments),
            stub=is_stub(node.body),
            optional=none_by_default(node.args),
        )

    def _decorator(self, node: ast.expr, scope: Scope) -> str:
        if isinstance(node, ast.Call):
            self.found.expression(node, scope)
        return name_of(node, scope)

    def _class(self, node: ast.ClassDef, scope: Scope, depth: int) -> None:
        scope.bind(node.name, scope.prefix + node.name)
        qualname = scope.names[node.name].removeprefix("@.")
        inner = Scope(qualname, scope)
        inner.class_attributes["__class__"] = qualname
        decorators = tuple(self._decorator(d, scope) for d in node.decorator_list)
        bases = tuple(name_of(base, scope) for base in node.bases)
        if bases and not bases[0].startswith(("?", "*")):
            inner.class_attributes["__base__"] = bases[0]
        for keyword in node.keywords:
            self.found.expression(keyword.value, scope)
        methods = [child for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))]
        find_attributes(node, methods, inner, self.path)
        # class-level names are not visible inside methods without `self`
        body_scope = Scope(qualname, scope, class_attributes=inner.class_attributes)
        self._block(node.body, body_scope, depth + 1)
        start, end = self.lines.span(node)
        self.classes[qualname] = Class(
            qualname=qualname,
            line=start,
            end_line=end,
            bases=bases,
            methods=tuple(method.name for method in methods),
            attributes={k: v for k, v in inner.class_attributes.items() if not k.startswith("__")},
            decorators=decorators,
        )


_LEAVING = frozenset({ast.Return, ast.Raise, ast.Continue, ast.Break})
_HANDLERS: Mapping[type[ast.stmt], Callable[..., None]] = {
    ast.Expr: _Extractor._value,
    ast.Return: _Extractor._value,
    ast.FunctionDef: _Extractor._function,
    ast.AsyncFunctionDef: _Extractor._function,
    ast.ClassDef: _Extractor._class,
    ast.Import: _Extractor._import,
    ast.ImportFrom: _Extractor._import,
    ast.If: _Extractor._if,
    ast.Assert: _Extractor._assert,
    ast.Assign: _Extractor._assign,
    ast.AnnAssign: _Extractor._assign,
    ast.AugAssign: _Extractor._assign,
    ast.With: _Extractor._with,
    ast.AsyncWith: _Extractor._with,
    ast.For: _Extractor._for,
    ast.AsyncFor: _Extractor._for,
    ast.While: _Extractor._while,
    ast.Try: _Extractor._try,
    getattr(ast, "TryStar", ast.Try): _Extractor._try,  # Python 3.11 and later
    ast.Match: _Extractor._match,
}
