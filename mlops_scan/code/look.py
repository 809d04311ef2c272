"""What the text of one Python file shows before anybody parses it: what it imports, and the scripts that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import intern
from typing import NamedTuple

from mlops_scan.code.definitions import absolute
from mlops_scan.regex import has_any, regex

# Asked at the lines that have the word `import` only: of all lines that takes four times as long.
_IMPORT = regex(r"[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t]*(\([^)]{0,4000}|[\w, \t]*)|import[ \t]+([\w., \t]+))")
_COMMENT = regex(r"#[^\n]*")
_SCRIPT_END = regex(r"\.py\b")
_WRITTEN = regex(r"[\w./-]*\w$")
_WRITTEN_LENGTH = 120  # characters of a written path that are looked at, the last ones
_DOTTED = regex(r"\w+(?:\.\w+)+")
_MODULE_RUN = regex(r"-m\s+([\w.]+)")
_MODULE_OPTION = regex(r"-m(?:\s+([\w.]+)|[\"'])")  # one look for both: with a name, or an argument by itself
_RUNS_MODULES: tuple[str, ...] = ("_module", "runpy")
_MODULE_OPTIONS = ('"-m"', "'-m'")

Parts = tuple[str, ...]
"""Of a path or a dotted name; the last is the stem of the file."""
Clients = Iterable[tuple[str, tuple[str, ...]]]
"""Import roots, each with words in lower case."""


class Look(NamedTuple):
    """What is kept of the text of one Python file; a tuple of what can be marshalled."""

    size: int
    blank: bool
    extends_path: bool
    imports: tuple[str, ...]
    """Dotted names that it imports; relative ones as from the repository's root."""
    packages: tuple[str, ...]
    """What it imports something from: of `from google.cloud import storage`, which imports `google.cloud.storage`,
    `google.cloud`."""
    scripts: tuple[Parts, ...]
    modules: tuple[str, ...]
    clients: tuple[str, ...] = ()
    """The import roots of clients for many services that it uses for one that was asked for."""
    spread: bool = False
    """Whether it is a package that changes where its parts are searched."""


def look(path: str, text: str, clients: Clients = ()) -> Look:
    """Look at the text of a Python file for what other files, and tools, it leads to.

    `clients` are import roots that say nothing by themselves, with the words one of which stands in a file that uses
    them for what is asked for.
    """
    imports: dict[str, None] = {}
    packages: dict[str, None] = {}
    for source, names, plain in _statements(text):
        if source:
            _add_members(_origin(path, source), names, imports, packages)
        elif plain:
            for part in plain.split(","):
                name = part.strip().partition(" ")[0]
                if name:
                    imports[intern(name)] = None
    return Look(
        len(text),
        not text or text.isspace(),
        "sys.path." in text,
        tuple(imports),
        tuple(packages),
        tuple(scripts(text)),
        tuple(_modules(text)),
        tuple(root for root, words in clients if _imports(root, imports, packages) and has_any(text, words)),
        "__path__" in text and path.endswith("__init__.py"),
    )


def _imports(root: str, imports: Iterable[str], packages: Iterable[str]) -> bool:
    inside = f"{root}."
    return any(name == root or name.startswith(inside) for name in (*imports, *packages))


def run_in(text: str) -> dict[Parts, None]:
    """The Python files that a text other than code runs, as parts of paths."""
    return scripts(text) | dict.fromkeys(tuple(name.split(".")) for name in _MODULE_RUN.findall(text))


def scripts(text: str) -> dict[Parts, None]:
    """The Python files whose path is written in a text, as parts of it; a comment may say how to run one."""
    found: dict[Parts, None] = {}
    for end in _SCRIPT_END.finditer(text):
        written = _WRITTEN.search(text, max(0, end.start() - _WRITTEN_LENGTH), end.start())
        if written is not None:
            found[tuple(part for part in written.group().split("/") if part.strip("."))] = None
    return found


def _modules(text: str) -> dict[str, None]:
    """The dotted names that code hands to something that runs modules."""
    found: dict[str, None] = dict.fromkeys(_MODULE_OPTION.findall(text))
    marks = _RUNS_MODULES
    if "" in found:
        del found[""]
        marks += _MODULE_OPTIONS
    if any(mark in text for mark in marks):
        found.update(dict.fromkeys(_quoted_names(text)))
    return found


def _quoted_names(text: str) -> Iterator[str]:
    """The dotted names between two quotes, each of which ends or begins one of them only."""
    pieces = text.replace("'", '"').split('"')
    last = 0
    for number, piece in enumerate(pieces):
        if "." in piece and last < number < len(pieces) - 1 and _DOTTED.fullmatch(piece):
            yield piece
            last = number + 1


def _statements(text: str) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Of each statement that imports: what from, the names written behind that, or else the modules.

    The text is gone through once, however long its lines are.
    """
    tried = -1  # where the last line begins that was looked at
    line = searched = 0  # where the line begins that `searched` lies in
    at = text.find("import")
    while at >= 0:
        line = text.rfind("\n", searched, at) + 1 or line
        searched = at
        if line > tried:
            tried = line
            match = _IMPORT.match(text, line)
            if match is not None:
                yield match.groups()  # type: ignore[misc]
                searched = match.end()
        at = text.find("import", max(searched, at + 6))


def _origin(path: str, source: str) -> str:
    """The dotted name of what a file imports from."""
    if source[0] != ".":
        return source
    module = source.lstrip(".")
    return absolute(path, module, len(source) - len(module))


def _add_members(base: str, names: str | None, imports: dict[str, None], packages: dict[str, None]) -> None:
    """Add what is imported from `base`: the members whose `names` are written, or all of it."""
    written = names or ""
    if "#" in written:
        written = _COMMENT.sub("", written)
    before = f"{base}." if base else ""
    whole = True
    for part in written.split(","):
        name = part.strip("( \t\r\n\\").partition(" ")[0]
        if name:
            imports[intern(before + name)] = None
            whole = False
    (imports if whole else packages)[intern(base)] = None
