"""Which Python files deserve a parse: those that import a known tool, those that lead to one, and what those import.

One regular expression over the text finds the imports and the scripts that a file names; a file that no chain of
imports connects with a tool can prove nothing about machine learning.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from mlops_scan.repository.roles import strip_template

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t(]*([\w, \t]*)|import[ \t]+([\w., \t]+))", re.M)
_SCRIPT_END = re.compile(r"\.py\b")
_LAST_WORD = re.compile(r"\w+$")
_MODULE_NAME = re.compile(r"[\"'](\w+(?:\.\w+)+)[\"']")
_MODULE_RUN = re.compile(r"-m\s+([\w.]+)")
_RUNS_MODULES = ("_module", "runpy", '"-m"', "'-m'")
_WORD = re.compile(r"\w+")

# What glues code together without being a tool of machine learning itself.
_GLUE = frozenset({"pickle", "subprocess", "schedule", "yaml", "numpy", "pandas", "polars", "scipy", "pyspark"})


def worth_parsing(texts: Mapping[str, str], roots: Iterable[str], commands: Iterable[str] = ()) -> set[str]:
    """The paths among `texts` that import one of `roots`, that import or name such a file, or that those import.

    Where there is any, the files that other texts (`commands`: workflows, scripts, pipelines) name count too: a gate
    may import nothing but `json`. With a `conftest.py` come the tests that it serves.
    """
    wanted = ({root.split(".", 1)[0] for root in roots} - sys.stdlib_module_names) | _GLUE
    mentioned: dict[str, set[str]] = {}
    chosen: set[str] = set()
    for path, text in texts.items():
        imported, names = _imports(text)
        if imported & wanted:
            chosen.add(path)
        mentioned[path] = names
    by_stem: dict[str, list[str]] = defaultdict(list)
    users: dict[str, list[str]] = defaultdict(list)
    for path, names in mentioned.items():
        by_stem[_stem(path)].append(path)
        for name in names:
            users[name].append(path)
    if chosen:
        named = {word for text in commands for word in _named(text)}
        chosen |= {path for path in texts if _stem(path) in named}
    leading = _closure(chosen, lambda path: users.get(_stem(path), ()))
    found = _closure(leading, lambda path: (other for name in mentioned[path] for other in by_stem.get(name, ())))
    served = tuple(path[: -len("conftest.py")] for path in found if path.endswith("conftest.py"))
    return found | {path for path in texts if served and path.startswith(served)}


def _named(text: str) -> set[str]:
    """The stems of the Python files and modules that commands in a text run."""
    words = set()
    for end in _SCRIPT_END.finditer(text):
        word = _LAST_WORD.search(text, max(0, end.start() - 60), end.start())
        if word is not None:
            words.add(word.group())
    words.update(dotted.rpartition(".")[2] for dotted in _MODULE_RUN.findall(text))
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


def _imports(text: str) -> tuple[set[str], set[str]]:
    """Import roots, and every word that may name a first-party module."""
    roots: set[str] = set()
    words = _named(text)
    if any(marker in text for marker in _RUNS_MODULES):
        words.update(dotted.rpartition(".")[2] for dotted in _MODULE_NAME.findall(text))
    for source, names, plain in _IMPORT.findall(text):
        if source:
            roots.add(source.split(".", 1)[0])
            words.update(_WORD.findall(source))
            words.update(_WORD.findall(names))
        for part in plain.split(","):
            roots.add(part.strip().split(".", 1)[0].split(" ", 1)[0])
            words.update(_WORD.findall(part))
    return roots, words


def _stem(path: str) -> str:
    """The name by which other files import this one: a package's folder, else the file's stem."""
    parts = strip_template(path)[0].split("/")
    stem = parts[-1].split(".", 1)[0]
    return parts[-2] if stem in ("__init__", "__main__") and len(parts) > 1 else stem
