"""Which file a dotted name means: the modules of a repository by name, known from their paths alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

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
        self._own: dict[str, str] = {}  # the last part of the name that a file itself has
        self._prefixes: dict[str, tuple[tuple[str, str], ...]] = {}
        self._files: dict[str, dict[str, str]] = {}  # by the name, and the folder or file that asks for it
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
                self._own[path] = parts[-1].replace(".", "_")
                self._by_last[self._own[path]].append((parts, path))

    def find_module(self, dotted: str, importer: str) -> tuple[str, str] | None:
        """The file that the longest prefix of `dotted` names as seen from `importer`, and the rest of the name."""
        for prefix, rest in self._known(dotted):
            path = self._seen_from(prefix, importer)
            if path:
                return path, rest
        return None

    def is_foreign(self, dotted: str) -> bool:
        """Whether `find_module` finds nothing, whoever asks."""
        return not self._known(dotted)

    def _known(self, dotted: str) -> tuple[tuple[str, str], ...]:
        prefixes = self._prefixes.get(dotted)
        if prefixes is None:
            prefixes = self._prefixes[dotted] = tuple(self._known_prefixes(dotted))
        return prefixes

    def _known_prefixes(self, dotted: str) -> Iterator[tuple[str, str]]:
        """The prefixes of a name that some file has, longest first, each with the rest; none for most names."""
        parts = dotted.split(".")
        if parts[0] == PLACEHOLDER and len(parts) > 1:
            parts = parts[1:]  # the package's name is the template's to fill in
        for length in range(min(len(parts), self._deepest), 0, -1):  # no longer name can be a file's
            if parts[length - 1] in self._by_last and self._named(prefix := ".".join(parts[:length])):
                yield prefix, ".".join(parts[length:])

    def _seen_from(self, dotted: str, importer: str) -> str:
        """The file that a whole dotted name means to `importer`, empty where there is none."""
        folder = importer.rpartition("/")[0]
        # only these two ask for more than the importer's folder
        special = importer in self._extends_path or self._own.get(importer) == dotted
        known = self._files.setdefault(dotted, {})
        place = importer if special else folder
        if place not in known:
            known[place] = self._nearest(dotted, importer, folder)
        return known[place]

    def _nearest(self, dotted: str, importer: str, folder: str) -> str:
        candidates, length = self._named(dotted), dotted.count(".") + 1
        fitting = [item for item in candidates if self._fits(item, importer, length)]
        if not fitting and len(candidates) == 1 and importer in self._extends_path:
            fitting = candidates
        if not fitting:
            return ""
        return max(fitting, key=lambda item: (_common(item[1], folder), -len(item[0]), item[0]))[0]

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
