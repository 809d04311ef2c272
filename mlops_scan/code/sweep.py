"""Which Python files deserve a parse: those that import a known tool, those that lead to one, and what those import.

One regular expression over the text finds the imports and the scripts that a file names; a file that no chain of
imports connects with a tool can prove nothing about machine learning.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.code.definitions import absolute
from mlops_scan.code.names import ModuleNames
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template

_IMPORT = regex(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t]*(\([^)]{0,4000}|[\w, \t]*)|import[ \t]+([\w., \t]+))", re.M
)
_COMMENT = regex(r"#[^\n]*")
_CELL_IMPORT = regex(r"\b(?:from|import)[ \t]+(\w+)")
_SCRIPT_END = regex(r"\.py\b")
_LAST_WORD = regex(r"\w+$")
_MODULE_NAME = regex(r"[\"'](\w+(?:\.\w+)+)[\"']")
_MODULE_RUN = regex(r"-m\s+([\w.]+)")
_RUNS_MODULES = ("_module", "runpy", '"-m"', "'-m'")

# What glues code together without being a tool of machine learning itself.
_GLUE = frozenset({"pickle", "subprocess", "schedule", "yaml", "numpy", "pandas", "polars", "scipy", "pyspark"})


class Sweep(Struct, frozen=True):
    """What the texts of the Python files show before any of them is parsed."""

    chosen: frozenset[str]
    """The files that deserve a parse."""
    names: ModuleNames
    """All Python files by the names that other files may import them by."""


def sweep(
    texts: Mapping[str, str], roots: Iterable[str], commands: Iterable[str] = (), notebooks: Iterable[str] = ()
) -> Sweep:
    """Choose among the Python files `texts` by path.

    Where no file and no notebook imports one of `roots`, nothing is worth a parse. Otherwise these are: the files that
    import one of them or what glues tools together, those that other texts name (`commands`: workflows, scripts,
    pipelines; a gate may import nothing but `json`), those that import or name such a file, all that those import, and
    with a `conftest.py` the tests that it serves.
    """
    tools = {root.split(".", 1)[0] for root in roots} - sys.stdlib_module_names
    graph = _Graph(texts, tools)
    if not graph.users_of_tools and not _in_cells(notebooks, tools):
        return Sweep(frozenset(), graph.names)
    graph.add_mentions()
    named = {word for text in commands for word in _named(text)}
    chosen = graph.users_of_tools | graph.users_of_glue | {path for path in texts if stem(path) in named}
    leading = _closure(chosen, lambda path: graph.users.get(path, ()))
    found = _closure(leading, lambda path: graph.imported.get(path, ()))
    served = tuple(path[: -len("conftest.py")] for path in found if path.endswith("conftest.py"))
    return Sweep(frozenset(found | {path for path in texts if served and path.startswith(served)}), graph.names)


class _Graph:
    """Which Python file imports, or names, which, and which import tools."""

    def __init__(self, texts: Mapping[str, str], tools: set[str]) -> None:
        # an empty `tests/mlflow/__init__.py` must not be taken for what `import mlflow` means
        named = (path for path, text in texts.items() if text.strip())
        self.names = ModuleNames(named, {path for path, text in texts.items() if "sys.path." in text})
        self.imported: dict[str, set[str]] = defaultdict(set)
        self.users: dict[str, set[str]] = defaultdict(set)
        self.users_of_tools: set[str] = set()
        self.users_of_glue: set[str] = set()
        self._texts = texts
        for path, text in texts.items():
            for dotted in set(_imports(path, text)):
                located = self.names.find_module(dotted, path)
                if located is not None:
                    self._link(path, located[0])
                    continue
                root = dotted.partition(".")[0]
                if root in tools:
                    self.users_of_tools.add(path)
                if root in _GLUE:
                    self.users_of_glue.add(path)

    def add_mentions(self) -> None:
        """Add what files name in other ways than by an import."""
        by_stem: dict[str, list[str]] = defaultdict(list)
        for path in self._texts:
            by_stem[stem(path)].append(path)
        for path, text in self._texts.items():
            for word in _named(text, code=True):
                for other in by_stem.get(word, ()):
                    self._link(path, other)

    def _link(self, path: str, other: str) -> None:
        if other != path:
            self.imported[path].add(other)
            self.users[other].add(path)


def _in_cells(notebooks: Iterable[str], tools: set[str]) -> bool:
    return any(not tools.isdisjoint(_CELL_IMPORT.findall(text)) for text in notebooks)


def _named(text: str, code: bool = False) -> set[str]:
    """The stems of the Python files and modules that a text runs; in code also those named to be imported."""
    words = set()
    for end in _SCRIPT_END.finditer(text):
        word = _LAST_WORD.search(text, max(0, end.start() - 60), end.start())
        if word is not None:
            words.add(word.group())
    if "-m" in text:
        words.update(dotted.rpartition(".")[2] for dotted in _MODULE_RUN.findall(text))
    if code and any(marker in text for marker in _RUNS_MODULES):
        words.update(dotted.rpartition(".")[2] for dotted in _MODULE_NAME.findall(text))
    return words


def _closure(seeds: set[str], neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    found = set(seeds)
    todo = list(seeds)
    while todo:
        for other in neighbours(todo.pop()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _imports(path: str, text: str) -> Iterator[str]:
    """The dotted names that a file imports, relative ones as from the repository's root."""
    for source, names, plain in _IMPORT.findall(text):
        if source:
            module = source.lstrip(".")
            base = absolute(path, module, len(source) - len(module))
            yield base
            for part in _COMMENT.sub("", names).split(","):
                name = part.strip("( \t\r\n\\").partition(" ")[0]
                if name:
                    yield f"{base}.{name}" if base else name
        for part in plain.split(","):
            name = part.strip().partition(" ")[0]
            if name:
                yield name


def stem(path: str) -> str:
    """The name by which commands name a file: a package's folder, else the file's stem."""
    parts = strip_template(path)[0].split("/")
    last = parts[-1].split(".", 1)[0]
    return parts[-2] if last in ("__init__", "__main__") and len(parts) > 1 else last
