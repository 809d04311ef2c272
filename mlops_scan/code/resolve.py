"""What the names of all modules of a repository stand for, followed across files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from mlops_scan.code.facts import Module

_SOURCE_ROOTS = frozenset({"", "src", "lib", "python", "app", "source", "code"})
PLACEHOLDER = "TEMPLATE"  # what a `{{ name }}` of a template is read as
_MAX_RESOLVE = 12  # names followed one after the other
_MAX_STEPS = 300  # names followed in all to resolve one: classes of many bases, modules of many star imports


@dataclass(frozen=True, slots=True)
class Target:
    """What a name means: a first-party definition, or an external dotted name.

    `path` is the definition's file and `qualname` its name there, "" for the module itself.
    """

    name: str
    path: str = ""
    qualname: str = ""

    @property
    def first_party(self) -> bool:
        """Whether the definition stands in the scanned repository."""
        return bool(self.path)


class Resolver:
    """Resolves names of modules by path; what has been resolved is kept."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self._suffixes = _suffix_table(modules)
        self._packages = {path.rpartition("/")[0] for path in modules if path.endswith("/__init__.py")}
        self._resolved: dict[tuple[str, str], Target] = {}
        self._steps_left = 0

    def find_module(self, dotted: str, importer: str) -> tuple[str, str] | None:
        """The file that the longest prefix of `dotted` names as seen from `importer`, and the rest of the name."""
        parts = dotted.split(".")
        if parts[0] == PLACEHOLDER and len(parts) > 1:
            parts = parts[1:]  # the package's name is the template's to fill in
        for length in range(len(parts), 0, -1):
            candidates = self._suffixes.get(".".join(parts[:length]))
            if not candidates:
                continue
            folder = importer.rpartition("/")[0]
            fitting = [item for item in candidates if self._fits(item, importer, length)]
            if not fitting and len(candidates) == 1 and self._extends_path(importer):
                fitting = candidates
            if fitting:
                best = max(fitting, key=lambda item: (_common(item[1], folder), -len(item[0]), item[0]))
                return best[0], ".".join(parts[length:])
        return None

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

    def _extends_path(self, importer: str) -> bool:
        """Whether a module changes `sys.path`, so that any folder may serve its imports."""
        module = self.modules.get(importer)
        return module is not None and any(call.name.startswith("sys.path.") for call in module.calls)

    def resolve(self, path: str, name: str) -> Target:
        """What `name`, as the facts of the module at `path` have it, stands for."""
        key = (path, name)
        found = self._resolved.get(key)
        if found is None:
            self._steps_left = _MAX_STEPS
            found = self._resolved[key] = self._resolve(path, name, 0)
        return found

    def _resolve(self, path: str, name: str, depth: int) -> Target:
        self._steps_left -= 1
        if depth > _MAX_RESOLVE or self._steps_left < 0:
            return Target(_unknown(name))
        root, _, rest = name.partition(".")
        module = self.modules[path]
        if root == "?":
            return Target(_unknown(name))
        if root == "*":
            return self._resolve_star(module, rest, depth)
        if root == "@":
            return self._resolve_local(module, rest, depth)
        located = self.find_module(name, path)
        if located is None:
            return Target(name)
        target_path, remainder = located
        if not remainder:
            return Target(name, target_path, "")
        return self._resolve_local(self.modules[target_path], remainder, depth + 1)

    def _resolve_star(self, module: Module, rest: str, depth: int) -> Target:
        """A name that the code before its place does not bind: bound further down, or by a star import."""
        head = rest.partition(".")[0]
        if head in module.functions or head in module.classes or head in module.variables:
            return self._resolve_local(module, rest, depth + 1)
        external: list[str] = []
        self._steps_left -= 1
        for item in module.imports:
            if not item.star or self._steps_left < 0 or depth > _MAX_RESOLVE:
                continue
            located = self.find_module(item.name, module.path)
            if located is None or located[1]:
                external.append(item.name)
                continue
            target = self._resolve_local(self.modules[located[0]], rest, depth + 1)
            if target.first_party or not target.name.startswith("?"):
                return target
        if len(external) == 1:
            return Target(f"{external[0]}.{rest}")
        return Target(_unknown(f"?.{rest}") if "." in rest else f"*.{rest}")

    def _resolve_local(self, module: Module, name: str, depth: int) -> Target:
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            head, rest = ".".join(parts[:length]), parts[length:]
            if head in module.functions:
                if not rest:
                    return Target(name, module.path, head)
                return self._resolve_returned(module, head, rest, depth)
            if head in module.classes:
                return self._resolve_member(module, head, rest, depth)
            if length == 1 and head in module.variables and module.variables[head] != f"@.{head}":
                return self._resolve(module.path, ".".join([module.variables[head], *rest]), depth + 1)
        if any(item.star for item in module.imports):
            target = self._resolve_star(module, name, depth + 1)
            if not target.name.startswith(("?", "*")):
                return target
        return Target(_unknown(f"?.{name}"))

    def _resolve_returned(self, module: Module, qualname: str, rest: list[str], depth: int) -> Target:
        """`rest` of what a function returns."""
        returns = module.functions[qualname].returns if qualname in module.functions else ""
        if not returns:
            return Target(_unknown(".".join(["?", *rest])))
        return self._resolve(module.path, ".".join([returns, *rest]), depth + 1)

    def _resolve_member(self, module: Module, name: str, rest: list[str], depth: int) -> Target:
        item = module.classes[name]
        if not rest:
            return Target(name, module.path, name)
        member = rest[0]
        if member in item.methods:
            qualname = f"{name}.{member}"
            if len(rest) == 1:
                return Target(qualname, module.path, qualname)
            return self._resolve_returned(module, qualname, rest[1:], depth)
        if member in item.attributes:
            return self._resolve(module.path, ".".join([item.attributes[member], *rest[1:]]), depth + 1)
        for base in item.bases:
            if base.startswith("?") or base == f"@.{name}":
                continue
            target = self._resolve(module.path, ".".join([base, *rest]), depth + 1)
            if not target.first_party and len(rest) > 2:
                break  # what a foreign method returned: nothing is known about it
            if not target.name.startswith(("?", "*")):
                return target
        return Target(_unknown(f"?.{'.'.join(rest)}"))


def _unknown(name: str) -> str:
    last = name.rpartition(".")[2]
    return "?" if last in ("?", "") else f"?.{last}"


def _suffix_table(modules: Mapping[str, Module]) -> dict[str, list[tuple[str, str]]]:
    """Dotted suffix -> [(file, folder the dotted name is relative to)]."""
    table: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, module in modules.items():
        if module.notebook or not path.endswith((".py", ".py.tmpl", ".py.jinja", ".py.j2")):
            continue
        parts = path.split("/")
        stem = parts[-1].split(".", 1)[0]
        parts = parts[:-1] if stem == "__init__" else [*parts[:-1], stem]
        names = [part.replace(".", "_") for part in parts]  # as relative imports have them
        for start in range(len(parts)):
            table[".".join(names[start:])].append((path, "/".join(parts[:start])))
    return table


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
