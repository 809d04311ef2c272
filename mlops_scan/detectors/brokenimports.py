"""Imports of the repository's own code that cannot succeed: what they name is not there.

Only what the files prove is told: a module of the repository without a trace of the name. Names that something may add
as it runs, what a package lacks, and modules that may be another's, are left alone.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.dependencies import declared
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.stubs import conftests
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above
from mlops_scan.words import Role

_MADE = regex(r"(_?version|.*_pb2(_grpc)?|__\w+__)")  # written by a build, or by Python itself
# what gives a module names that it does not spell out
_DYNAMIC = regex(
    r"__getattr__|globals\(\)|sys\.modules|setattr\(|exec\(|__path__|lazy|import_module|__import__"
    r"|^[ \t]{0,20}from[ \t]{1,5}[\w.]{1,200}[ \t]{1,5}import[ \t]{0,5}\(?[ \t]{0,5}\*",
    re.M,
)
_ROOTS = ("", "src", "lib", "app", "python")  # where packages lie in a project
_STATEMENTS = ("import ", "from ")
_WRITTEN = frozenset({Role.VENDORED, Role.GENERATED})


@kept
def broken_import(context: Context, path: str) -> tuple[int, str]:
    """The line of the first import of a module that cannot succeed, and why; 0 and empty where none is known."""
    module = context.index.modules.get(path) if context.role(path) is not Role.TEMPLATE else None
    if module is None or _stands_in(context, path):
        return 0, ""
    own = [item for item in module.imports if not item.scope and not item.star]
    lines = context.documents.text(path).split("\n") if own else []
    for item in own:
        line = lines[item.line - 1] if item.line <= len(lines) else " "
        # one that does not begin its line stands under a condition or in a `try`
        reason = _reason(context, path, item.name) if line.startswith(_STATEMENTS) else ""
        if reason:
            return item.line, reason
    return 0, ""


def _stands_in(context: Context, path: str) -> bool:
    """Whether a test file, or the fixtures that it sees, put modules of their own in the place of others."""
    return any(p in context.documents.files and "sys.modules" in context.documents.text(p) for p in conftests(path))


def _reason(context: Context, path: str, name: str) -> str:
    target, rest = context.index.find_module(name, path) or ("", "")
    missing = rest.partition(".")[0]
    if not missing or target in ("", path) or _MADE.fullmatch(missing) or context.role(target) in _WRITTEN:
        return ""
    if target.endswith("/__init__.py"):  # what a package lacks may be a link, a submodule, compiled or generated
        return ""
    module = name[: len(name) - len(rest)].rstrip(".")
    if not _is_own(context, path, target, module) or _may_have(context, target, missing):
        return ""
    return f"it imports `{missing}`, which is not in {target}"


def _is_own(context: Context, path: str, target: str, module: str) -> bool:
    """Whether a dotted name can mean to the importer no other module than that of the repository."""
    if module.partition(".")[0] in _outside(context):
        return False
    places = {
        "/".join(part for part in (folder, root, module.replace(".", "/")) if part)
        for folder in above(path.rpartition("/")[0])
        for root in _ROOTS
    }
    return target.removesuffix(".py") in places


@kept
def _outside(context: Context) -> frozenset[str]:
    """What other distributions and Python itself are imported by."""
    tools = (name.partition(".")[0] for tool in context.rules.tools.values() for name in tool.imports)
    lists = (item.name.replace("-", "_") for item in declared(context))
    return frozenset((*sys.stdlib_module_names, *tools, *lists))


def _may_have(context: Context, target: str, name: str) -> bool:
    """Whether a module, or another of its name, may have a name: it spells it out, or names come to it as it runs."""
    for path in (target, *_modules_by_name(context).get(_last(target), ())):
        text = context.documents.text(path)
        if _spells_out(text, name) or _DYNAMIC.search(text) is not None:
            return True
    return False


def _spells_out(text: str, name: str) -> bool:
    """Whether a name stands in a text as a word of its own; much faster than an expression, as most do."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not _is_part(text[at - 1 : at]) and not _is_part(text[end : end + 1]):
            return True
        at = text.find(name, end)
    return False


def _is_part(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _last(path: str) -> str:
    """The last part of the dotted name of a Python file."""
    return path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]


@kept
def _modules_by_name(context: Context) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for file in context.repository.files:
        if file.suffix == ".py":
            found[_last(file.path)].append(file.path)
    return dict(found)
