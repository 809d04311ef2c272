"""What the names of all modules of a repository stand for, followed across files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from mlops_scan.code.facts import Import, Module
from mlops_scan.code.names import ModuleNames
from mlops_scan.code.rnames import BARE, RFunctions

_MAX_RESOLVE = 12  # names followed one after the other
_MAX_STEPS = 300  # names followed in all to resolve one: classes of many bases, modules of many star imports
_OWN_ROOTS = frozenset({"@.", "?.", "*.", "@", "?", "*"})  # how names begin that are to be followed in their module

_UNKNOWN = frozenset({"?.", "?"})  # how names begin of which nothing but the last part is known


class Target(Struct, frozen=True):
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


class _Own(Struct, frozen=True):
    """What a module has for the names of others."""

    firsts: frozenset[str]  # the first segments of all that it defines or holds
    stars: tuple[Import, ...]


class Resolver:
    """Resolves names of modules by path; what has been resolved is kept."""

    def __init__(self, modules: Mapping[str, Module], names: ModuleNames | None = None) -> None:
        self.modules = modules
        self._names = names or ModuleNames(
            (path for path, module in modules.items() if not module.notebook),
            {
                path
                for path, module in modules.items()
                if any(call.name.startswith("sys.path.") for call in module.calls)
            },
        )
        self.r_functions = RFunctions(modules)
        self._resolved: dict[str, dict[str, Target]] = defaultdict(dict)
        self._everywhere: dict[str, Target] = {}  # names that mean the same in every module
        self._outside: dict[str, Target] = {}
        self._own: dict[str, _Own] = {}
        self._steps_left = 0
        self._overridden = {
            (base.rpartition(".")[2], method)
            for module in modules.values()
            for item in module.classes.values()
            for base in item.bases
            for method in item.methods
        }

    def find_module(self, dotted: str, importer: str) -> tuple[str, str] | None:
        """See `ModuleNames.find_module`."""
        return self._names.find_module(dotted, importer)

    def resolve(self, path: str, name: str) -> Target:
        """What `name`, as the facts of the module at `path` have it, stands for."""
        found = self._everywhere.get(name)
        if found is not None:
            return found
        known = self._resolved[path]
        found = known.get(name)
        if found is None:
            if name[:2] in _UNKNOWN or (not name.startswith(BARE) and self.is_foreign(name)):
                known = self._everywhere
            self._steps_left = _MAX_STEPS
            found = known[name] = self._resolve(path, name, 0)
        return found

    def is_foreign(self, name: str) -> bool:
        """Whether `name` means nothing of the repository, whichever module has it; not known of names of its own."""
        return name[:2] not in _OWN_ROOTS and self._names.is_foreign(name)

    def _external(self, name: str) -> Target:
        """The target of a name that is not the repository's; one for all the modules that use it."""
        found = self._outside.get(name)
        if found is None:
            found = self._outside[name] = Target(name)
        return found

    def _of(self, module: Module) -> _Own:
        own = self._own.get(module.path)
        if own is None:
            names = (*module.functions, *module.classes, *module.variables)
            own = self._own[module.path] = _Own(
                frozenset(name.partition(".")[0] for name in names), tuple(item for item in module.imports if item.star)
            )
        return own

    def _resolve(self, path: str, name: str, depth: int) -> Target:
        self._steps_left -= 1
        if depth > _MAX_RESOLVE or self._steps_left < 0:
            return self._external(_unknown(name))
        root, _, rest = name.partition(".")
        if root == "?":
            return self._external(_unknown(name))
        if root == "*":
            return self._resolve_star(self.modules[path], rest, depth)
        if root == "@":
            return self._resolve_local(self.modules[path], rest, depth)
        if name.startswith(BARE):
            return self._resolve_bare(path, name, depth)
        located = self._names.find_module(name, path)
        if located is None:
            return self._external(name)
        target_path, remainder = located
        there = self.modules.get(target_path)
        if there is None:  # first-party, but empty, or too far from any tool to be parsed: it is nobody else's
            return self._external(f"*.{name}")
        if not remainder:
            return self._hiding(name, path, target_path, depth) or Target(name, target_path, "")
        return self._resolve_local(there, remainder, depth + 1)

    def _hiding(self, name: str, path: str, submodule: str, depth: int) -> Target | None:
        """What a package has below the name of its own submodule: after `from .train import train` that function.

        Fact: https://docs.python.org/3/reference/import.html#submodules (the import binds the module in the package
        first, then the statement binds its name). `import package.train` changes nothing, as the module is loaded.
        """
        package, _, last = name.rpartition(".")
        located = self._names.find_module(package, path) if package else None
        there = self.modules.get(located[0]) if located is not None and not located[1] else None
        held = there.variables.get(last, "") if there is not None else ""
        if there is None or not held or held.startswith(("?", "*", "@")):
            return None
        source = self._names.find_module(held, there.path)
        if source is None or source[0] != submodule or not source[1]:
            return None
        return self._resolve(there.path, held, depth + 1)

    def _resolve_bare(self, path: str, name: str, depth: int) -> Target:
        """A function of R that another file may define."""
        found = self.r_functions.find(name, path)
        if found is None:
            return self._external(name)
        there, function, asked = found
        if asked:
            return self._resolve_returned(self.modules[there], function, [asked], depth)
        return Target(function, there, function)

    def _resolve_star(self, module: Module, rest: str, depth: int) -> Target:
        """A name that the code before its place does not bind: bound further down, or by a star import."""
        head = rest.partition(".")[0]
        if head in module.functions or head in module.classes or head in module.variables:
            return self._resolve_local(module, rest, depth + 1)
        external: list[str] = []
        self._steps_left -= 1
        for item in self._of(module).stars:
            if self._steps_left < 0 or depth > _MAX_RESOLVE:
                break
            located = self._names.find_module(item.name, module.path)
            if located is None or located[1]:
                external.append(item.name)
                continue
            if located[0] not in self.modules:
                continue
            target = self._resolve_local(self.modules[located[0]], rest, depth + 1)
            if target.first_party or not target.name.startswith("?"):
                return target
        if len(external) == 1:
            return self._external(f"{external[0]}.{rest}")
        return self._external(_unknown(f"?.{rest}") if "." in rest else f"*.{rest}")

    def _resolve_local(self, module: Module, name: str, depth: int) -> Target:
        own = self._of(module)
        end = len(name) if name.partition(".")[0] in own.firsts else 0
        while end > 0:  # the longest prefix first
            head, rest = name[:end], name[end + 1 :].split(".") if end < len(name) else []
            if head in module.functions:
                if not rest:
                    return Target(name, module.path, head)
                return self._resolve_returned(module, head, rest, depth)
            if head in module.classes:
                return self._resolve_member(module, head, rest, depth)
            end = name.rfind(".", 0, end)
            if end < 0 and head in module.variables and module.variables[head] != f"@.{head}":
                return self._resolve(module.path, ".".join([module.variables[head], *rest]), depth + 1)
        if own.stars:
            target = self._resolve_star(module, name, depth + 1)
            if not target.name.startswith(("?", "*")):
                return target
        return self._external(_unknown(f"?.{name}"))

    def _resolve_returned(self, module: Module, qualname: str, rest: list[str], depth: int) -> Target:
        """`rest` of what a function returns."""
        returns = module.functions[qualname].returns if qualname in module.functions else ""
        if not returns:
            return self._external(_unknown(".".join(["?", *rest])))
        found = self._resolve(module.path, ".".join([returns, *rest]), depth + 1)
        # what is returned may be of a class below the stated one, with a method of its own
        owner, _, method = found.qualname.rpartition(".")
        hidden = found.first_party and (owner.rpartition(".")[2], method) in self._overridden
        return self._external(_unknown(f"?.{method}")) if hidden else found

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
        return self._external(_unknown(f"?.{'.'.join(rest)}"))


def _unknown(name: str) -> str:
    last = name.rpartition(".")[2]
    return "?" if last in ("?", "") else f"?.{last}"
