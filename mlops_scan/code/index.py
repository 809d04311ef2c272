"""All Python modules of a repository together: names resolved across files, and what running something reaches."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlops_scan.code.facts import MAIN, Call, Module
from mlops_scan.repository.roles import strip_template

Node = tuple[str, str]  # (path, scope): one function, or a module's own statements

_SOURCE_ROOTS = frozenset({"", "src", "lib", "python", "app", "source", "code"})
_COMMON_METHODS = frozenset(
    {"run", "get", "fit", "predict", "train", "load", "save", "close", "start", "update", "append", "add", "execute",
     "transform", "evaluate", "__init__"}
)  # fmt: skip
# Decorators that neither call the function nor hand it to somebody who does.
_INERT_DECORATORS = frozenset(
    {"staticmethod", "classmethod", "property", "abstractmethod", "contextmanager", "asynccontextmanager", "lru_cache",
     "cache", "wraps", "dataclass", "overload", "fixture", "setter", "cached_property", "override", "njit", "jit",
     "total_ordering", "singledispatch", "no_grad", "inference_mode", "enable_grad", "function", "retry", "vectorize",
     "typechecked", "beartype", "deprecated", "cache_data", "cache_resource"}
)  # fmt: skip
# Base classes that call none of the methods of the classes below them.
_PLAIN_BASES = frozenset(
    {"object", "Exception", "abc.ABC", "typing.Generic", "typing.Protocol", "typing.NamedTuple", "typing.TypedDict",
     "enum.Enum", "enum.IntEnum", "enum.StrEnum"}
)  # fmt: skip
_NAMING_ONLY = frozenset(
    {"open", "read_text", "exists", "isfile", "is_file", "join", "joinpath", "print", "info", "debug", "warning",
     "error", "exception", "Path", "endswith", "startswith", "write", "add_argument", "getLogger", "parametrize",
     "append", "format", "replace", "getenv", "get", "environ"}
)  # fmt: skip
PLACEHOLDER = "TEMPLATE"  # what a `{{ name }}` of a template is read as
_MAX_HOPS = 14
_MAX_RESOLVE = 12  # names followed one after the other
_MAX_STEPS = 300  # names followed in all to resolve one: classes of many bases, modules of many star imports
_MAX_WORDS = 80


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


@dataclass(frozen=True, slots=True)
class Step:
    """How a node was reached: from `source` (None for the entry), by the line `line` of the source's file."""

    source: Node | None
    line: int


class CodeIndex:
    """Modules by path, with cross-file resolution and reachability. Build it once a scan; queries are cached."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules: Mapping[str, Module] = {module.path: module for module in modules}
        self._suffixes = _suffix_table(self.modules)
        self._packages = {path.rpartition("/")[0] for path in self.modules if path.endswith("/__init__.py")}
        self._resolved: dict[tuple[str, str], Target] = {}
        self._steps_left = 0
        self._by_scope: dict[str, dict[str, list[Call]]] = {}
        self._edges: dict[str, dict[str, list[tuple[Node, int]]]] = {}
        self._methods: dict[str, list[Node]] = defaultdict(list)
        self._dispatched: dict[str, tuple[Node, ...]] = {}
        self._by_name: dict[str, list[tuple[str, str]]] = defaultdict(list)  # file name -> (path once rendered, path)
        for path, module in self.modules.items():
            rendered = strip_template(path)[0]
            self._by_name[rendered.rpartition("/")[2]].append((rendered, path))
            for qualname, item in module.classes.items():
                for method in item.methods:
                    self._methods[method].append((path, f"{qualname}.{method}"))

    # -- names -------------------------------------------------------------------------------------------------------

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

    # -- reachability ------------------------------------------------------------------------------------------------

    def calls_in(self, path: str, scope: str) -> Iterator[Call]:
        """The calls made directly in one scope of a module."""
        if path not in self._by_scope:
            grouped: dict[str, list[Call]] = defaultdict(list)
            for call in self.modules[path].calls:
                grouped[call.scope].append(call)
            self._by_scope[path] = grouped
        yield from self._by_scope[path].get(scope, ())

    def edges(self, node: Node) -> list[tuple[Node, int]]:
        """What running `node` may run next: (node, line of the call or import in this file)."""
        path, scope = node
        if path not in self._edges:
            self._edges[path] = self._module_edges(self.modules[path])
        return self._edges[path].get(scope, [])

    def _module_edges(self, module: Module) -> dict[str, list[tuple[Node, int]]]:
        edges: dict[str, list[tuple[Node, int]]] = defaultdict(list)
        imported = {module.path}
        for item in module.imports:
            located = self.find_module(item.name, module.path)
            if located is not None:
                imported.add(located[0])
                edges[item.scope].append(((located[0], ""), item.line))
        for call in module.calls:
            for name in (call.name, *call.refs):
                for target in self._runs(module.path, name, imported):
                    edges[call.scope].append((target, call.line))
            for target in self._named_in(module.path, call):
                edges[call.scope].append((target, call.line))
        for qualname, function in module.functions.items():
            if any(self._registers(module.path, name) for name in function.decorators):
                owner = qualname.rpartition(".")[0]
                edges[owner if owner in module.functions else ""].append(((module.path, qualname), function.line))
        return edges

    def _named_in(self, path: str, call: Call) -> Iterator[Node]:
        """First-party scripts and modules whose path or dotted name a call is handed as text, to run them."""
        if call.name.rpartition(".")[2] in _NAMING_ONLY:
            return
        for text in (*call.args, *(value for _, value in call.keywords)):
            for word in (text or "").split()[:_MAX_WORDS]:
                clean = word.strip("'\"")
                target = self.script(clean) if clean.endswith((".py", ".ipynb")) else self._dotted(clean, path)
                if target is not None and target != path:
                    yield target, ""
                    yield target, MAIN

    def script(self, name: str) -> str | None:
        """The one Python file whose path ends with `name`, or None."""
        tail = name.lstrip("./")
        found = self._by_name.get(tail.rpartition("/")[2], ())
        while True:
            fitting = [path for rendered, path in found if rendered == tail or rendered.endswith("/" + tail)]
            if fitting or "/" not in tail:
                return fitting[0] if len(fitting) == 1 else None
            tail = tail.partition("/")[2]

    def _dotted(self, name: str, path: str) -> str | None:
        if name.count(".") < 1 or not name.replace(".", "").replace("_", "").isalnum() or name[0].isdigit():
            return None
        located = self.find_module(name, path)
        return located[0] if located is not None and not located[1] else None

    def _registers(self, path: str, decorator: str) -> bool:
        if decorator.rpartition(".")[2] in _INERT_DECORATORS or decorator.startswith("pytest.mark."):
            return False
        return not self.resolve(path, decorator).first_party

    def _runs(self, path: str, name: str, imported: set[str]) -> Iterator[Node]:
        target = self.resolve(path, name)
        if target.first_party:
            module = self.modules[target.path]
            item = module.classes.get(target.qualname)
            if item is None:
                yield target.path, target.qualname
                return
            yield from self._methods_run(module, target.qualname)
        elif target.name.startswith("?."):
            method = target.name[2:]
            candidates = [node for node in self._methods.get(method, ()) if node[0] in imported]
            if not candidates and method not in _COMMON_METHODS:
                candidates = self._methods.get(method, [])
            if 0 < len(candidates) <= 3:
                yield from candidates
            else:
                if method not in self._dispatched:
                    self._dispatched[method] = tuple(self._overrides(method))
                yield from self._dispatched[method]

    def _overrides(self, method: str) -> Iterator[Node]:
        """All implementations of a method that one abstract first-party class declares: what `job.run()` may be."""
        every = self._methods.get(method, [])
        for path, qualname in every:
            function = self.modules[path].functions.get(qualname)
            if function is None:
                continue
            if function.stub or any(name.endswith("abstractmethod") for name in function.decorators):
                base = (path, qualname.rpartition(".")[0])
                yield from (node for node in every if node != (path, qualname) and self._derives(node, base))

    def _derives(self, method: Node, base: Node) -> bool:
        """Whether the class of a method is `base` or inherits from it, a few classes up."""
        todo = [(method[0], method[1].rpartition(".")[0])]
        seen: set[Node] = set()
        while todo and len(seen) < _MAX_RESOLVE:
            current = todo.pop()
            if current == base:
                return True
            seen.add(current)
            item = self.modules[current[0]].classes.get(current[1])
            for name in item.bases if item is not None else ():
                target = self.resolve(current[0], name)
                if target.first_party and (target.path, target.qualname) not in seen:
                    todo.append((target.path, target.qualname))
        return False

    def _methods_run(self, module: Module, qualname: str) -> Iterator[Node]:
        """What making an object of a class may run: its special methods, and all where a framework calls them."""
        todo, seen = [(module.path, qualname)], set()
        while todo:
            path, name = todo.pop()
            item = self.modules[path].classes.get(name)
            if item is None or (path, name) in seen:
                continue
            seen.add((path, name))
            bases = [self.resolve(path, base) for base in item.bases]
            framework = any(not base.first_party and base.name not in _PLAIN_BASES for base in bases)
            for method in item.methods:
                if framework or method.startswith("__"):
                    yield path, f"{name}.{method}"
            todo.extend((base.path, base.qualname) for base in reversed(bases) if base.first_party)

    def reach(self, entries: Iterable[Node], max_hops: int = _MAX_HOPS) -> dict[Node, Step]:
        """Everything that running the entries may run, nearest first, each with the step that led to it."""
        steps: dict[Node, Step] = {}
        queue: deque[tuple[Node, int]] = deque()
        for entry in entries:
            if entry[0] in self.modules and entry not in steps:
                steps[entry] = Step(None, 0)
                queue.append((entry, 0))
        while queue:
            node, hops = queue.popleft()
            if hops >= max_hops:
                continue
            for target, line in self.edges(node):
                if target not in steps:
                    steps[target] = Step(node, line)
                    queue.append((target, hops + 1))
        return steps

    def script_entries(self, path: str) -> tuple[Node, ...]:
        """What `python path` runs: the module's statements and its main block."""
        return ((path, ""), (path, MAIN)) if path in self.modules else ()


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
