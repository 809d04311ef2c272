"""Whether the settings of a Python module are read: code may import it for something else that it defines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex

_SETS = regex(r"""\s*["']?([A-Za-z_]\w*)["']?\s*(?::[^=]{0,80}=(?!=)|[:=](?!=))""")
_HOLDS = regex(r"(?:class|def|async\s+def)\s+([A-Za-z_]\w*)|([A-Za-z_]\w*)\s*(?::[^=]{0,80})?=(?!=)")
_WORD = regex(r"[A-Za-z_]\w*")
_LOOKS_UP = frozenset({"getattr", "vars", "__dict__", "import_module", "__import__", "globals", "asdict", "dir"})
"""Ways of reading what no name says."""

_ROUNDS = 3  # of what is made of what: `class Model`, `class All: model = Model()`, `settings = All()`
_MAX_IMPORTERS = 200


def unread(context: Context, path: str, names: Collection[str]) -> str:
    """The name that holds some settings of a module and that no module importing it mentions; empty where one does.

    `names` are the settings. Where it cannot be known who reads them they count as read.
    """
    blocks = list(_blocks(context.documents.text(path).split("\n")))
    held: dict[str, None] = {}
    for name, lines in blocks:
        sets = (_SETS.match(line) for line in lines)
        if any(match is not None and match.group(1) in names for match in sets):
            held[name] = None
    if not held or "" in held or not held.keys().isdisjoint(names):  # what is handed the module itself may read those
        return ""
    first = next(iter(held))
    words = [(name, set(_WORD.findall("\n".join(lines)))) for name, lines in blocks]
    for _ in range(_ROUNDS):
        held.update({name: None for name, inside in words if name and not inside.isdisjoint(held)})
    importers = list(_importers(context, path))
    if not importers or len(importers) > _MAX_IMPORTERS:
        return ""
    for importer, itself in importers:
        mentioned = set(_WORD.findall(context.documents.text(importer)))
        if not mentioned.isdisjoint(held) or (itself and not mentioned.isdisjoint(_LOOKS_UP)):
            return ""
    return first


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The statements of a module, each with its lines and the name that it binds, empty where it binds none.

    A line at the margin that begins nothing (a bracket, a decorator) belongs to the one above.
    """
    name, inside = "", list[str]()
    for line in lines:
        if line[:1].isalpha() or line[:1] == "_":
            if inside:
                yield name, inside
            match = _HOLDS.match(line)
            name = (match.group(1) or match.group(2)) if match is not None else ""
            inside = []
        inside.append(line)
    if inside:
        yield name, inside


def _importers(context: Context, path: str) -> Iterator[tuple[str, bool]]:
    """The other main modules that import a module, or else the package around it, and which of the two."""
    package = f"{path.rpartition('/')[0]}/__init__.py"
    known = _importing(context)
    itself = known.get(path, {})
    for other in {**itself, **known.get(package, {})}:
        if other not in (path, package):
            yield other, other in itself


@kept
def _importing(context: Context) -> Mapping[str, Mapping[str, None]]:
    """For each file the main modules that import it or something of it."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for other, module in context.modules():
        for item in module.imports:
            place = context.index.find_module(item.name, other)
            if place is not None:
                found[place[0]][other] = None
    return dict(found)
