"""Which file a dotted name means: the modules of a repository by name, known from their paths alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

_SOURCE_ROOTS = frozenset({"", "src", "lib", "python", "app", "source", "code"})
_SUFFIXES = (".py", ".py.tmpl", ".py.jinja", ".py.j2")
PLACEHOLDER = "TEMPLATE"  # what a `{{ name }}` of a template is read as


class ModuleNames:
    """The Python files of a repository by the dotted names that may mean them; answers are kept.

    Args:
        paths: the Python files.
        extends_path: those of them that change `sys.path`, so that any folder may serve their imports.
    """

    def __init__(self, paths: Iterable[str], extends_path: Collection[str] = ()) -> None:
        self._extends_path = extends_path
        self._packages: set[str] = set()
        self._by_last: dict[str, list[tuple[list[str], str]]] = defaultdict(list)
        self._candidates: dict[str, list[tuple[str, str]]] = {}
        self._deepest = 0
        self._found: dict[tuple[str, str], tuple[str, str] | None] = {}
        for path in paths:
            if not path.endswith(_SUFFIXES):
                continue
            if path.endswith("/__init__.py"):
                self._packages.add(path.rpartition("/")[0])
            parts = path.split("/")
            stem = parts[-1].split(".", 1)[0]
            parts = parts[:-1] if stem == "__init__" else [*parts[:-1], stem]
            if parts:
                self._deepest = max(self._deepest, len(parts))
                self._by_last[parts[-1].replace(".", "_")].append((parts, path))

    def find_module(self, dotted: str, importer: str) -> tuple[str, str] | None:
        """The file that the longest prefix of `dotted` names as seen from `importer`, and the rest of the name."""
        key = (dotted, importer)
        if key not in self._found:
            self._found[key] = self._find(dotted, importer)
        return self._found[key]

    def _find(self, dotted: str, importer: str) -> tuple[str, str] | None:
        parts = dotted.split(".")
        if parts[0] == PLACEHOLDER and len(parts) > 1:
            parts = parts[1:]  # the package's name is the template's to fill in
        for length in range(min(len(parts), self._deepest), 0, -1):  # no longer name can be a file's
            if parts[length - 1] not in self._by_last:
                continue
            candidates = self._named(".".join(parts[:length]))
            if not candidates:
                continue
            folder = importer.rpartition("/")[0]
            fitting = [item for item in candidates if self._fits(item, importer, length)]
            if not fitting and len(candidates) == 1 and importer in self._extends_path:
                fitting = candidates
            if fitting:
                best = max(fitting, key=lambda item: (_common(item[1], folder), -len(item[0]), item[0]))
                return best[0], ".".join(parts[length:])
        return None

    def _named(self, dotted: str) -> list[tuple[str, str]]:
        """The files whose dotted path ends with a name, each with the folder that the name is relative to."""
        found = self._candidates.get(dotted)
        if found is None:
            names = dotted.split(".")
            length = len(names)
            found = self._candidates[dotted] = [
                (path, "/".join(parts[:-length]))
                for parts, path in self._by_last.get(names[-1], ())
                # folders as relative imports have them
                if len(parts) >= length and [part.replace(".", "_") for part in parts[-length:]] == names
            ]
        return found

    def _fits(self, candidate: tuple[str, str], importer: str, length: int) -> bool:
        """Whether a module may be what `importer` means by the first `length` names of an import."""
        path, base = candidate
        folder = importer.rpartition("/")[0]
        if length == 1 and path == importer:
            return False  # `xgboost.py` that imports xgboost
        if base in self._packages and base != folder and path.endswith("/__init__.py"):
            package = path.rpartition("/")[0]
            if folder == package or folder.startswith(package + "/"):
                return False  # `models/xgboost/train.py` that imports xgboost
        if length == 1 or _importable(base, folder):
            return _importable(base, folder)
        return base not in self._packages


def _importable(base: str, folder: str) -> bool:
    """Whether a module directly below `base` can be imported by its bare name from a file in `folder`."""
    if base == folder or base == "" or folder.startswith(base + "/"):
        return True
    parent, _, last = base.rpartition("/")
    return last in _SOURCE_ROOTS and (parent == "" or folder == parent or folder.startswith(parent + "/"))


def _common(first: str, second: str) -> int:
    count = 0
    for a, b in zip(first.split("/"), second.split("/"), strict=False):
        if a != b:
            break
        count += 1
    return count
