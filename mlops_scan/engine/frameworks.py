"""The libraries of machine learning that code imports, each with the exact version that a manifest or lock states."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.dependencies import Declared, declared_in
from mlops_scan.documents.requirements import normalised
from mlops_scan.engine.report import Asset
from mlops_scan.regex import regex
from mlops_scan.rulebook import Tool
from mlops_scan.words import Evidence, Hop, Role

_FAMILIES = frozenset(
    {"frameworks", "llm", "tracking", "pipelines", "serving", "monitoring", "data", "responsible", "configuration"}
)
_LOCKS = frozenset({"uv.lock", "poetry.lock", "pdm.lock"})
_LOCKED = regex(r'\n(?:\[\[package\]\]|(name|version) = "([^"\n]{1,200})")')  # behind a line feed: it is found fast


def frameworks(context: Context) -> Iterator[Asset]:
    """One asset for each library and version; a library that is declared and not imported is none."""
    listed: dict[str, list[Declared]] = defaultdict(list)
    for path, items in declared_in(context).items():
        if context.role(path) not in (Role.TEST, Role.EXAMPLE, Role.DOCS):
            for item in items:
                listed[item.name].append(item)
    used = _used(context)
    names = {root: _distribution(context, tool, root, listed) for root, (tool, _) in used.items()}
    locked = _locks(context, set(names.values()))
    of_name: dict[str, tuple[Tool, Evidence]] = {}
    for root, name in names.items():
        of_name.setdefault(name, used[root])
    for name, (tool, use) in of_name.items():
        places: dict[str, list[Evidence]] = defaultdict(list)
        for item in listed.get(name, ()):
            places[item.version].append(context.evidence(item.path, item.line))
        for version, place in locked.get(name, ()):
            places[version].append(place)
        if any(places):
            places.pop("", None)  # a range says less than the version that another file states
        for version in sorted(places) or [""]:
            shown = places.get(version) or [context.evidence(i.path, i.line) for i in listed.get(name, ())]
            yield Asset("framework", name, "pypi", tool.id, version, evidence=(*shown, use))


def _used(context: Context) -> dict[str, tuple[Tool, Evidence]]:
    """The import roots of tools in main code, each with its tool and the first import."""
    tools = [tool for tool in context.rules.tools.values() if tool.family in _FAMILIES and tool.distributions]
    of_root = {
        root: tool
        for tool in reversed(tools)
        for root in tool.imports
        if tool.id not in context.self_tools and root not in sys.stdlib_module_names
    }
    heads = {root.partition(".")[0] for root in of_root}
    found: dict[str, tuple[Tool, Evidence]] = {}
    known: dict[str, str] = {}  # the root of each name that modules import, or empty
    for path, module in sorted(context.modules(), key=lambda pair: pair[0]):
        for item in module.imports:
            root = known.get(item.name)
            if root is None:
                parts = item.name.split(".") if item.name.partition(".")[0] in heads else []
                roots = [name for name in accumulate(parts, "{}.{}".format) if name in of_root]
                root = known[item.name] = roots[-1] if roots else ""
            if root and root not in found and context.index.find_module(item.name, path) is None:
                found[root] = (of_root[root], context.evidence(path, item.line, Hop.USE))
    return found


def _distribution(context: Context, tool: Tool, root: str, listed: Mapping[str, object]) -> str:
    """The distribution that an import root comes from: of the same name, else one that is declared, else the usual."""
    names = [normalised(name) for name in tool.distributions]
    same = normalised(root)
    if same in listed:
        return same
    family = same.split("-")[0]
    possible = names if len(tool.imports) == 1 else [name for name in names if name.split("-")[0] == family]
    chosen = next((name for name in possible if name in listed), None)
    return chosen or (names[0] if root == tool.imports[0] else same)


def _locks(context: Context, wanted: set[str]) -> dict[str, list[tuple[str, Evidence]]]:
    """The versions that lock files of Python state, by normal name. They are written by machines, one key a line."""
    found: dict[str, list[tuple[str, Evidence]]] = defaultdict(list)
    for file in context.named(*_LOCKS):
        name, line, above = "", 0, 0
        text = "\n" + context.documents.text(file.path)
        for match in _LOCKED.finditer(text):
            if match.group(1) is None:
                name = ""
            elif match.group(1) == "name":
                name = normalised(match.group(2))
            elif name in wanted:
                line, above = line + text.count("\n", above, match.end()), match.end()
                found[name].append((match.group(2), context.evidence(file.path, line)))
                name = ""
    return found
