"""What imports, functions and classes state beyond their own scope: bound names, returned values, attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from mlops_scan.code.facts import MAX_PARTS
from mlops_scan.code.scopes import Scope, annotation, elements, is_telling, name_of
from mlops_scan.code.syntax import of_self, own_nodes


def imported(node: ast.Import | ast.ImportFrom, path: str) -> Iterator[tuple[str, str, str]]:
    """For each name: what is bound (empty for a star), what it is bound to, what the file at `path` imports."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.count(".") > MAX_PARTS:
                continue
            root = alias.name.split(".", 1)[0]
            yield (alias.asname, alias.name, alias.name) if alias.asname else (root, root, alias.name)
        return
    base = absolute(path, node.module or "", node.level)
    if base.count(".") > MAX_PARTS:
        return
    for alias in node.names:
        if alias.name == "*":
            yield "", "", base
        else:
            name = f"{base}.{alias.name}" if base else alias.name
            yield alias.asname or alias.name, name, name


def absolute(path: str, module: str, level: int) -> str:
    """An import of the file at `path` as a dotted path; a relative one, `level` dots, from the repository's root."""
    if not level:
        return module
    folders = path.split("/")[:-1]
    folders = folders[: max(0, len(folders) - (level - 1))]
    return ".".join([*(f.replace(".", "_") for f in folders), *([module] if module else [])])


def returned(node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> str:
    """The resolved name of what a function returns by its statements, empty where they do not tell."""
    for child in own_nodes(node.body):
        if type(child) is not ast.Return:
            continue
        value = child.value.value if isinstance(child.value, ast.Await) else child.value
        if isinstance(value, (ast.Call, ast.Name)) or of_self(value) or (value is not None and elements(value, scope)):
            name = name_of(value, scope)
            if is_telling(name):
                return name
    return ""


def find_attributes(
    node: ast.ClassDef, methods: Sequence[ast.FunctionDef | ast.AsyncFunctionDef], scope: Scope, path: str
) -> None:
    """What `self.x` holds: assigned constructors and modules, annotated parameters, fields of the class.

    `path` is that of the file, from which relative imports are seen.
    """
    for child in node.body:
        if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name):
            _attribute(child.target.id, annotation(child.annotation, scope), scope)
        elif isinstance(child, ast.Assign) and isinstance(child.value, ast.Call):
            for target in child.targets:
                if isinstance(target, ast.Name):
                    _attribute(target.id, name_of(child.value, scope), scope)
    for method in methods:
        local = Scope(scope.name, scope)
        for argument in [*method.args.args, *method.args.kwonlyargs]:
            local.names[argument.arg] = annotation(argument.annotation, scope)
        for statement in own_nodes(method.body):
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                local.names.update((bound, name) for bound, name, _ in imported(statement, path) if bound)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                _own_assignment(statement, local, scope)


def _own_assignment(node: ast.Assign | ast.AnnAssign, local: Scope, scope: Scope) -> None:
    """What an assignment in a method tells of `self`; `scope` is the class, `local` the method."""
    if isinstance(node, ast.AnnAssign) and of_self(node.target):
        _attribute(node.target.attr, annotation(node.annotation, scope), scope)
    if not isinstance(node.value, (ast.Call, ast.Name)):
        return
    name = name_of(node.value, local)
    for target in node.targets if isinstance(node, ast.Assign) else (node.target,):
        if isinstance(target, ast.Name):
            local.names[target.id] = "" if name.startswith(("?", "*")) else name
        elif of_self(target):
            _attribute(target.attr, name, scope)


def _attribute(attribute: str, held: str, scope: Scope) -> None:
    if is_telling(held):
        scope.class_attributes.setdefault(attribute, held)
