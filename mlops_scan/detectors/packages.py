"""The distributions that the repository itself builds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mlops_scan.detectors.kept import kept
from mlops_scan.documents.requirements import normalised
from mlops_scan.regex import regex
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.code.index import Node
    from mlops_scan.detectors.base import Context

_COMMAND_HOPS = 20

_QUOTED = regex(r"\bname\s*=\s*[\"']([\w.-]+)")
_UNQUOTED = regex(r"\bname\s*=\s*([\w.-]+)")
_R_PACKAGE = regex(r"^Package:[ \t]*([A-Za-z][A-Za-z0-9.]*)[ \t]*$", re.M, words=("package:",))
_VARIABLE = regex(r"\bsetup\([^\0]{0,400}?\bname\s*=\s*([A-Za-z_]\w*)\s*[,)]", words=("setup(",))


@kept
def own_packages(context: Context) -> Mapping[str, str]:
    """The normalised names of what the repository's manifests build, each with the manifest that says so."""
    found: dict[str, str] = {}
    for file in context.named("pyproject.toml", "setup.py", "setup.cfg"):
        if file.role is Role.SOURCE:
            for name in _names(context, file.path):
                found.setdefault(normalised(name), file.path)
    for file in context.named("DESCRIPTION"):
        if (named := _R_PACKAGE.search(context.documents.text(file.path))) is not None:
            # as conda has it: many packages of R have the name of one of Python
            found.setdefault(normalised(f"r-{named.group(1)}"), file.path)
    return found


def _names(context: Context, path: str) -> Iterator[str]:
    if path.endswith(".toml"):
        for document in context.documents.nodes(path):
            for keys in (("project", "name"), ("tool", "poetry", "name")):
                node = document.path(*keys)
                if node is not None and node.string():
                    yield node.string() or ""
        return
    text = context.documents.text(path)
    found = (_UNQUOTED if path.endswith(".cfg") else _QUOTED).search(text)
    if found is None and (variable := _VARIABLE.search(text)) is not None:
        # a constant of the module
        found = re.search(rf"^{variable.group(1)}(?:\s*:\s*\w+)?\s*=\s*[\"']([\w.-]+)[\"']", text, re.M)
    if found is not None:
        yield found.group(1)


@kept
def installed(context: Context) -> frozenset[Node]:
    """What the console scripts that the repository's packages install reach."""
    nodes = [
        node
        for target in context.resolver.tasks.console_scripts().values()
        for node in context.resolver.object_nodes(target)
    ]
    return frozenset(context.index.reach(nodes, _COMMAND_HOPS))
