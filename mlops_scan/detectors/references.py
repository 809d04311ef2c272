"""Is the reference of a drift check really other data than the current one?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mlops_scan.code.syntax import children, walk
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex

_REFERENCE = regex(
    r"(x_ref|ref|reference|baseline|expected|training|train)(_?(data|df|frame|view|dataset|set|values))?",
    words=("ref", "baseline", "expected", "train"),
)
_CURRENT = regex(
    r"(x|cur|current|actual|analysis|live|production|prod|target)(_?(data|df|frame|view|dataset|set|values))?"
)
_COMPARES = regex(
    r"(run|calculate|compare|psi|ks_2samp|kstest|wasserstein_distance|jensenshannon|chi2_contingency|(?=\w*(?:drift|psi))\w+)",
    re.I,
)
_MAX_CALLS = 5000


@kept
def same_data(context: Context, path: str) -> int:
    """The line of the first comparison in a Python file whose two sides are the same data; 0 without one."""
    document = context.documents.python(path) if path.endswith(".py") else None
    return next(_same(document.tree), 0) if document is not None else 0


def _same(tree: ast.Module) -> Iterator[int]:
    for scope in (n for n in walk(tree) if isinstance(n, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef))):
        calls = [node for node in _own(scope) if isinstance(node, ast.Call)][:_MAX_CALLS]
        pairs = [(call.lineno, pair) for call in calls if (pair := _sides(call)) is not None]
        if not pairs:
            continue
        sources = _sources(scope)
        for line, (reference, current) in pairs:
            first, second = _source(reference, sources), _source(current, sources)
            if first == second and not isinstance(reference, ast.Constant):
                yield line


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions in it."""
    stack = children(scope)
    while stack:
        node = stack.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node
            stack += children(node)


def _sides(call: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    """What a call compares with what, by its keywords, or by position where its name says that it compares."""
    reference = next((k.value for k in call.keywords if k.arg and _REFERENCE.fullmatch(k.arg)), None)
    current = next((k.value for k in call.keywords if k.arg and _CURRENT.fullmatch(k.arg)), None)
    if reference is not None and current is not None:
        return reference, current
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if _COMPARES.fullmatch(name) and len(call.args) >= 2 and not any(isinstance(a, ast.Starred) for a in call.args):
        return call.args[0], call.args[1]
    return None


def _sources(scope: ast.AST) -> dict[str, str]:
    """Variables of a scope that are set once, with what they are read from."""
    found: dict[str, list[str]] = {}
    for node in _own(scope):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            reads = any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in walk(node.value))
            held = found.setdefault(node.targets[0].id, [])
            held.append(ast.unparse(node.value) if isinstance(node.value, ast.Call) and reads else "")
    return {name: texts[0] for name, texts in found.items() if len(texts) == 1 and texts[0]}


def _source(value: ast.expr, sources: dict[str, str]) -> str:
    if isinstance(value, ast.Name):
        return sources.get(value.id, value.id)
    return ast.unparse(value)
