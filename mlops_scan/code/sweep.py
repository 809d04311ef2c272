"""Which Python files deserve a parse: those that import a known tool, those that lead to one, and what those import.

A look at the text finds the imports and the scripts that a file names; a file that no chain of imports connects with a
tool can prove nothing about machine learning. A tool is known by its whole dotted name: of the
files that import from `google.cloud`, those of `google.cloud.aiplatform` matter.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import accumulate

from msgspec import Struct

from mlops_scan.code.look import Look, Parts
from mlops_scan.code.names import ModuleNames
from mlops_scan.documents.bounds import MAX_BYTES
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template

_CELL_IMPORTS = (regex(rb"import[ \t]+(\w+)"), regex(rb"from[ \t]+(\w+)"))
_FEW = 8  # files of one name that may all be meant, wherever they lie
_TAILS = (3, 2)  # last parts of a path that tell files of one name from each other
_LAST_CHARACTER = "\U0010ffff"
_FAR = 1_000  # steps; further than any file that is connected
_BEHIND = 2  # steps that what is only imported stands behind the ways to a tool
_FOR_TESTS = 4  # one part in so many of the budget is for tests

BUDGET = 3_000_000
"""Characters of Python that are parsed in all. Repositories that build models have less; libraries have far more."""
HARD_BUDGET = 6_000_000
"""Characters up to which main code that uses a tool, or that a command runs, is parsed."""
GENERAL_BUDGET = 1_000_000
"""What stands for BUDGET where the only tools are such as programs without a model use as well."""

# What glues code together without being a tool of machine learning itself.
_GLUE = frozenset({"pickle", "subprocess", "schedule", "yaml", "numpy", "pandas", "polars", "scipy", "pyspark"})


class Sweep(Struct, frozen=True):
    """What the texts of the Python files show before any of them is parsed."""

    chosen: frozenset[str]
    """The files that deserve a parse and are within the budget."""
    names: ModuleNames
    """All Python files by the names that other files may import them by."""
    left: frozenset[str] = frozenset()
    """The files that deserve a parse as well, but are beyond the budget."""


def sweep(
    files: Mapping[str, Look],
    roots: Iterable[str],
    commands: Iterable[tuple[str, Iterable[Parts]]] = (),
    notebooks: Iterable[bytes] = (),
    tests: Collection[str] = (),
    general: Collection[str] = (),
) -> Sweep:
    """Choose among Python files by their path and what a look at them has shown.

    Where no file and no notebook imports one of `roots`, or uses a client for one of their services, nothing is worth a
    parse. Otherwise these are: the files that do or import what glues tools together, those that other texts name
    (`commands` is what `run_in` finds in workflows, scripts and pipelines, each with its path; a gate may import
    nothing but `json`), those that import or name such a file, all that those import, and with a `conftest.py` the
    tests that it serves.

    Of more than BUDGET characters of such files, the nearest to tools are taken: those that use one or that a command
    names (these up to HARD_BUDGET), the other ways to them, what they import; a quarter is for `tests`. A file that
    does not fit is left out, and one that is too large for the parser costs nothing.

    Where only tools of the roots `general` are used, which say nothing of a model, glue is worth nothing and less of
    the rest is parsed.
    """
    tools = _Tools(roots, general)
    graph = _Graph(files, tools)
    special = graph.special or tools.in_cells(notebooks)
    if not graph.users_of_tools and not special:
        return Sweep(frozenset(), graph.names)
    if not special:
        graph.users_of_glue.clear()
    mentioned = _Mentioned(files)
    graph.add_mentions(mentioned)
    named = {path for origin, written in commands for parts in written for path in mentioned.find(parts, origin)}
    chosen = graph.users_of_tools | graph.users_of_glue | named
    leading = set(_distances(chosen, lambda path: graph.users.get(path, ())))
    found = set(_distances(leading, lambda path: graph.imported.get(path, ())))
    served = tuple(path[: -len("conftest.py")] for path in found if path.endswith("conftest.py"))
    found |= {path for path in files if served and path.startswith(served)}
    found -= {path for path in found if files[path].blank}
    budget = BUDGET if special else GENERAL_BUDGET
    if sum(_cost(files[path]) for path in found) > budget:
        within = frozenset(_nearest(found, graph, graph.users_of_tools | named, files, frozenset(tests), budget))
    else:
        within = frozenset(found)
    return Sweep(within, graph.names, frozenset(found) - within)


def _nearest(
    found: set[str], graph: _Graph, first: set[str], files: Mapping[str, Look], tests: frozenset[str], budget: int
) -> Iterator[str]:
    """Those of the files `found` that are nearest to the files `first`, as far as the budget goes."""
    above = _distances(first, lambda path: graph.users.get(path, ()))
    below = _distances(set(above), lambda path: graph.imported.get(path, ()))

    def order(path: str) -> tuple[int, str]:
        steps = above.get(path, below.get(path, _FAR) + _BEHIND)
        return min(steps, 1) if path in graph.users_of_glue else steps, path

    nearest = sorted(found, key=order)
    spent = 0
    left: list[str] = []
    for path in (path for path in nearest if path in tests):
        if spent + _cost(files[path]) <= budget // _FOR_TESTS:
            spent += _cost(files[path])
            yield path
        else:
            left.append(path)
    for path in [*(path for path in nearest if path not in tests), *left]:
        all_spent = spent + _cost(files[path])
        if all_spent <= (HARD_BUDGET if path in first and path not in tests else budget):
            spent = all_spent
            yield path


def _cost(seen: Look) -> int:
    """The characters that the parser has to read."""
    return seen.size if seen.size <= MAX_BYTES else 0


def _distances(seeds: set[str], neighbours: Callable[[str], Iterable[str]]) -> dict[str, int]:
    """How many steps each file is away from the nearest seed; only those that can be reached."""
    found = dict.fromkeys(seeds, 0)
    todo = list(seeds)
    for path in todo:
        for other in neighbours(path):
            if other not in found:
                found[other] = found[path] + 1
                todo.append(other)
    return found


class _Tools:
    """The dotted names of tools, by their first segment; those of the standard library say nothing."""

    def __init__(self, roots: Iterable[str], general: Collection[str]) -> None:
        self._general = frozenset(general)
        self._by_first: dict[str, list[str]] = defaultdict(list)
        self._known: dict[str, bool] = {}
        for root in sorted(set(roots)):  # `a.b` before `a.b.c`, which it makes superfluous
            first = root.partition(".")[0]
            if first not in sys.stdlib_module_names and not any(
                root.startswith(f"{shorter}.") for shorter in self._by_first[first]
            ):
                self._by_first[first].append(root)

    def uses(self, dotted: str) -> bool:
        """Whether an imported name is a tool, lies in one or leads to one."""
        if dotted not in self._known:
            inside = f"{dotted}."
            self._known[dotted] = any(
                root == dotted or root.startswith(inside) or dotted.startswith(f"{root}.")
                for root in self._by_first.get(dotted.partition(".")[0], ())
            )
        return self._known[dotted]

    def is_special(self, dotted: str) -> bool:
        """Whether a name that `uses` knows is that of a tool that programs without a model do not use."""
        return self._general.isdisjoint(accumulate(dotted.split("."), "{}.{}".format))

    def in_cells(self, notebooks: Iterable[bytes]) -> bool:
        """Whether a notebook seems to import such a one."""
        firsts = {first.encode() for first in self._by_first.keys() - self._general}
        return any(not firsts.isdisjoint(words.findall(data)) for data in notebooks for words in _CELL_IMPORTS)


class _Graph:
    """Which Python file imports, or names, which, and which import tools."""

    def __init__(self, files: Mapping[str, Look], tools: _Tools) -> None:
        # an empty `tests/mlflow/__init__.py` must not be taken for what `import mlflow` means
        named = (path for path, seen in files.items() if not seen.blank)
        self.names = ModuleNames(
            named,
            {path for path, seen in files.items() if seen.extends_path},
            {path for path, seen in files.items() if seen.spread},
        )
        self.imported: dict[str, set[str]] = defaultdict(set)
        self.users: dict[str, set[str]] = defaultdict(set)
        self.users_of_tools: set[str] = set()
        self.special = False  # whether one of these tools is for models
        self.users_of_glue: set[str] = set()
        self._files = files
        self._outside: dict[str, tuple[bool, bool]] = {}  # imports of no file: a tool, glue
        for path, seen in files.items():
            self._add(path, seen, tools)

    def _add(self, path: str, seen: Look, tools: _Tools) -> None:
        if seen.clients:
            self.users_of_tools.add(path)
            self.special = True
        located: dict[int, str] = {}  # by the identity of prefixes: what is imported from one module has the same
        for names, whole in (seen.imports, True), (seen.packages, False):
            for name in names:
                kind = self._outside.get(name)
                if kind is None:
                    prefixes = self.names.prefixes(name)
                    other = located.get(id(prefixes)) if prefixes else ""
                    if other is None:
                        other = located[id(prefixes)] = self.names.find_first(prefixes, path)[0]
                        if other:
                            self._link(path, other)
                    if other:
                        continue
                    kind = tools.uses(name), name.partition(".")[0] in _GLUE
                    if not prefixes:
                        self._outside[name] = kind
                if kind[0] and whole:
                    self.users_of_tools.add(path)
                    self.special = self.special or tools.is_special(name)
                if kind[1]:
                    self.users_of_glue.add(path)

    def add_mentions(self, mentioned: _Mentioned) -> None:
        """Add what files name in other ways than by an import."""
        for path, seen in self._files.items():
            for parts in seen.scripts:
                for other in mentioned.find(parts, path):
                    self._link(path, other)
            for dotted in seen.modules:
                located = self.names.find_module(dotted, path)
                if located is not None and not located[1]:
                    self._link(path, located[0])

    def _link(self, path: str, other: str) -> None:
        if other != path:
            self.imported[path].add(other)
            self.users[other].add(path)


class _Mentioned:
    """Python files by the paths and dotted names that a text may write for them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_stem: dict[Parts, list[str]] = defaultdict(list)
        self._by_tail: dict[Parts, list[str]] = defaultdict(list)  # of names that many files have
        parts = {path: _parts(path) for path in sorted(paths)}
        for path, own in parts.items():
            self._by_stem[own[-1:]].append(path)
        for path, own in parts.items():
            if len(self._by_stem[own[-1:]]) > _FEW:
                for length in _TAILS:
                    self._by_tail[own[-length:]].append(path)

    def find(self, written: Parts, origin: str) -> list[str]:
        """The files that a path written in the file `origin` may mean.

        Where many have that name: those that share most of the path. Of many of these, those nearest to the origin,
        which lie below the first folder above it that has one.
        """
        known = self._by_stem.get(written[-1:], [])
        for length in _TAILS if len(known) > _FEW else ():
            if len(written) >= length and (fitting := self._by_tail.get(written[-length:])):
                known = fitting
                break
        return known if len(known) <= _FEW else _below(known, _home(origin))


def _below(paths: list[str], folder: str) -> list[str]:
    """Those of some sorted paths that lie in a folder, or in the first one above it that has some."""
    while True:
        first = bisect_left(paths, folder)
        last = bisect_left(paths, folder + _LAST_CHARACTER) if folder else len(paths)
        if first < last or not folder:
            return paths[first:last]
        folder = folder[: folder.rfind("/", 0, -1) + 1]


def _home(path: str) -> str:
    """The folder that names without one are relative to, with a slash: for `.github/…` the one that holds it."""
    folders = path.split("/")[:-1]
    hidden = next((number for number, name in enumerate(folders) if name.startswith(".")), len(folders))
    return "".join(f"{name}/" for name in folders[:hidden])


def _parts(path: str) -> Parts:
    """A path by which commands name a file: of a package the folder, else the file without its ending."""
    parts = strip_template(path)[0].split("/")
    last = parts[-1].split(".", 1)[0]
    return tuple(parts[:-1] if last in ("__init__", "__main__") and len(parts) > 1 else [*parts[:-1], last])
