"""Which file a dotted name means: the modules of a repository by name, known from their paths alone."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from mlops_scan.repository.folders import above

_SOURCE_ROOTS = frozenset({"", "src", "lib", "python", "app", "source", "code"})
_SUFFIXES = (".py", ".py.tmpl", ".py.jinja", ".py.j2")
_FEW = 16  # files of one name that are looked at one by one for each folder that asks
_AFTER_SLASH = "0"
_NOWHERE = ("", "")
PLACEHOLDER = "TEMPLATE"  # what a `{{ name }}` of a template is read as
_PLACEHOLDER = f"{PLACEHOLDER}."


class ModuleNames:
    """The Python files of a repository by the dotted names that may mean them; answers are kept.

    Args:
        paths: the Python files.
        extends_path: those of them that change `sys.path`, so that any folder may serve their imports.
        spread: packages that have parts in several folders.
    """

    def __init__(self, paths: Iterable[str], extends_path: Collection[str] = (), spread: Collection[str] = ()) -> None:
        self._extends_path = extends_path
        self._spread = spread
        self._packages: set[str] = set()
        # by the last part: the dotted path, which begins with a dot, the path without its ending, the path
        self._by_last: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._candidates: dict[str, list[tuple[str, str]]] = {}
        self._many: dict[str, _Many] = {}
        self._deepest = 0
        self._own: dict[str, str] = {}  # the last part of the name that a file itself has
        self._prefixes: dict[str, tuple[str, ...]] = {}
        # by the name, and the folder or file that asks for it: the path and the folder that the name is relative to
        self._files: dict[str, dict[str, tuple[str, str]]] = {}
        for path in paths:
            if not path.endswith(_SUFFIXES):
                continue
            folder, slash, name = path.rpartition("/")
            if slash and name == "__init__.py":
                self._packages.add(folder)
            stem = name.partition(".")[0]
            if stem != "__init__":
                folder += slash + stem
            elif not slash:
                continue
            self._deepest = max(self._deepest, folder.count("/") + 1)
            dotted = "." + folder.replace(".", "_").replace("/", ".")  # folders as relative imports have them
            self._own[path] = last = dotted.rpartition(".")[2]
            self._by_last[last].append((dotted, folder, path))

    def find_module(self, dotted: str, importer: str) -> tuple[str, str] | None:
        """The file that the longest prefix of `dotted` names as seen from `importer`, and the rest of the name."""
        path, prefix = self.find_first(self.prefixes(dotted), importer)
        return (path, dotted.removeprefix(_PLACEHOLDER)[len(prefix) + 1 :]) if path else None

    def find_first(self, prefixes: tuple[str, ...], importer: str) -> tuple[str, str]:
        """The file that the first of some `prefixes` names that names one for `importer`, and that prefix; or empty.

        As Python does, all of them are looked for in the package that the first segment means, if it means one: what
        `from steps import train` does not find in the project's own `steps` is a name in it, no module of another
        project.
        """
        home = self._home(prefixes[-1], importer) if len(prefixes) > 1 else None
        for prefix in prefixes:
            found = self._seen_from(prefix, importer)
            if found[0] and (home is None or found[1] == home or not self._is_strange(prefix, found, home, importer)):
                return found[0], prefix
        return "", ""

    def _home(self, first: str, importer: str) -> str | None:
        """The folder with the whole package that a first segment means to `importer`, None where there is none."""
        if "." in first or importer in self._extends_path:
            return None
        path, base = self._seen_from(first, importer)
        return base if path.endswith("/__init__.py") and path not in self._spread else None

    def _is_strange(self, prefix: str, found: tuple[str, str], home: str, importer: str) -> bool:
        """Whether what was found for a prefix is of another package than the one in the folder `home`.

        The last segment must be one that may be a name in a module there.
        """
        package = prefix.rpartition(".")[0]
        if not package or self._seen_from(package, importer)[1] != home:
            return False
        base, folder = found[1], importer.rpartition("/")[0]
        if not _importable(base, folder):
            return True
        # a folder within a package is searched only by what is started there
        return home not in self._packages and common_folders(base, folder) < common_folders(home, folder)

    def is_foreign(self, dotted: str) -> bool:
        """Whether `find_module` finds nothing, whoever asks."""
        return not self.prefixes(dotted)

    def prefixes(self, dotted: str) -> tuple[str, ...]:
        """The prefixes of a name that some file has, longest first; none for most names.

        For all that is in one module it is the same object.
        """
        dotted = dotted.removeprefix(_PLACEHOLDER)  # the package's name is the template's to fill in
        found = self._prefixes.get(dotted)
        if found is None:
            found = self._prefixes[dotted] = self._known_prefixes(dotted)
        return found

    def _known_prefixes(self, dotted: str) -> tuple[str, ...]:
        if dotted.count(".") >= self._deepest:
            dotted = ".".join(dotted.split(".")[: self._deepest])  # no longer name can be a file's
        package, dot, last = dotted.rpartition(".")
        shorter = self._prefixes.get(package) if dot else ()
        if shorter is None:  # asked for once: much is imported from one module
            shorter = self._prefixes[package] = tuple(self._prefixes_of(package.split(".")))
        return (dotted, *shorter) if last in self._by_last and self._named(dotted) else shorter

    def _prefixes_of(self, parts: list[str]) -> Iterator[str]:
        for length in range(len(parts), 0, -1):
            if parts[length - 1] in self._by_last and self._named(prefix := ".".join(parts[:length])):
                yield prefix

    def _seen_from(self, dotted: str, importer: str) -> tuple[str, str]:
        """The file that a whole dotted name means to `importer`, empty where there is none, and what it is below."""
        folder = importer.rpartition("/")[0]
        # only these two ask for more than the importer's folder
        special = importer in self._extends_path or self._own.get(importer) == dotted
        known = self._files.setdefault(dotted, {})
        place = importer if special else folder
        if place not in known:
            known[place] = self._nearest(dotted, importer, folder)
        return known[place]

    def _nearest(self, dotted: str, importer: str, folder: str) -> tuple[str, str]:
        candidates, length = self._named(dotted), dotted.count(".") + 1
        if len(candidates) == 1:
            only = candidates[0]
            return only if importer in self._extends_path or self._fits(only, importer, folder, length) else _NOWHERE
        near = candidates
        if len(candidates) > _FEW:
            many = self._many.get(dotted)
            if many is None:
                many = self._many[dotted] = _Many(candidates, self._packages)
            near = many.near(folder)
        fitting = [item for item in near if self._fits(item, importer, folder, length)]
        if not fitting:
            return _NOWHERE
        if len(fitting) == 1:
            return fitting[0]
        return max(
            fitting,
            key=lambda item: (common_folders(item[1], folder), _importable(item[1], folder), -len(item[0]), item[0]),
        )

    def _named(self, dotted: str) -> list[tuple[str, str]]:
        """The files whose dotted path ends with a name, each with the folder that the name is relative to."""
        found = self._candidates.get(dotted)
        if found is None:
            end, length = f".{dotted}", dotted.count(".") + 1
            found = self._candidates[dotted] = [
                (path, whole.rsplit("/", length)[0] if len(own) > len(end) else "")
                for own, whole, path in self._by_last.get(dotted.rpartition(".")[2], ())
                if own.endswith(end)
            ]
        return found

    def _fits(self, candidate: tuple[str, str], importer: str, folder: str, length: int) -> bool:
        """Whether a module may be what `importer` in `folder` means by the first `length` names of an import."""
        path, base = candidate
        if length == 1 and path == importer:
            return False  # `xgboost.py` that imports xgboost
        if base in self._packages and base != folder and path.endswith("/__init__.py"):
            package = path.rpartition("/")[0]
            if folder == package or folder.startswith(package + "/"):
                return False  # `models/xgboost/train.py` that imports xgboost
        parent, _, last = base.rpartition("/")
        if "{{" in last and _importable(parent, folder):
            return True  # the package that a template names by a placeholder: `prefixes` has taken that name away
        return _importable(base, folder) or (length > 1 and base not in self._packages)


class _Many:
    """Many files of one name, by the folders that the name is relative to."""

    def __init__(self, files: Collection[tuple[str, str]], packages: Collection[str]) -> None:
        self._by_base: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for file in files:
            self._by_base[file[1]].append(file)
        # outside packages, where every file may be meant: those of one folder stand together
        self._open = sorted((f"{base}/" if base else "", path, base) for path, base in files if base not in packages)
        self._first: dict[str, tuple[str, str]] = {}

    def near(self, folder: str) -> list[tuple[str, str]]:
        """Those among which is the one that a file in `folder` means."""
        found: list[tuple[str, str]] = []
        below: tuple[str, str] | None = None
        for outer in above(folder):
            below = below or self._first_below(outer)
            for root in _SOURCE_ROOTS:
                base = f"{outer}/{root}" if outer and root else outer or root
                found += self._by_base.get(base, ())
        return found if below is None else [*found, below]

    def _first_below(self, folder: str) -> tuple[str, str] | None:
        """The first choice among those outside packages that a name means below a folder."""
        start = bisect_left(self._open, (f"{folder}/",)) if folder else 0
        end = bisect_left(self._open, (f"{folder}{_AFTER_SLASH}",)) if folder else len(self._open)
        if start == end:
            return None
        first = self._first.get(folder)
        if first is None:
            best = max(self._open[start:end], key=lambda item: (-len(item[1]), item[1]))
            first = self._first[folder] = best[1:]
        return first


def _importable(base: str, folder: str) -> bool:
    """Whether a module directly below `base` can be imported by its bare name from a file in `folder`."""
    if base == folder or base == "" or folder.startswith(base + "/"):
        return True
    parent, _, last = base.rpartition("/")
    return last in _SOURCE_ROOTS and (parent == "" or folder == parent or folder.startswith(parent + "/"))


def common_folders(first: str, second: str) -> int:
    """How many folders two folders have in common from the root down, which counts where both are the root."""
    count = 0
    for a, b in zip(first.split("/"), second.split("/"), strict=False):
        if a != b:
            break
        count += 1
    return count
