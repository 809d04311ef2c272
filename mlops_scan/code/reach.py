"""What running a piece of code may run next: calls, imports, registered functions, methods of first-party classes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator, Mapping

from msgspec import Struct

from mlops_scan.code.facts import MAIN, Call, Module
from mlops_scan.code.inherited import derives, hooks
from mlops_scan.code.resolve import Resolver
from mlops_scan.code.rnames import BARE
from mlops_scan.documents.languages import R_SUFFIXES
from mlops_scan.repository.roles import strip_template

Node = tuple[str, str]  # (path, scope): one function, or a module's own statements

# Names of methods by which a call on an unknown object means one of a file that is imported, or none: those of the
# built-in types (`text.split(",")`) and those that every other library has.
_COMMON_METHODS = frozenset(
    {"run", "fit", "predict", "train", "load", "save", "close", "start", "execute", "transform", "evaluate", "__init__"}
).union(*(vars(kind) for kind in (str, bytes, list, dict, set)))
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
_SCRIPTS = (".py", ".ipynb", *R_SUFFIXES)
MAX_HOPS = 14
FAR = 1 << 30
"""More hops than there can be."""
_MAX_WORDS = 80


class Step(Struct, frozen=True):
    """How a node was reached: from `source` (None for the entry), by the line `line` of the source's file."""

    source: Node | None
    line: int


class Reach:
    """The graph of what runs what, made file by file as it is asked for; `names` resolves what is called."""

    def __init__(self, names: Resolver) -> None:
        self._names = names
        self._modules = names.modules
        self._by_scope: dict[str, dict[str, list[Call]]] = {}
        self._edges: dict[str, dict[str, list[tuple[Node, int]]]] = {}
        self._sources: dict[Node, list[Node]] | None = None  # what runs each node
        self._methods: dict[str, list[Node]] = defaultdict(list)
        self._foreign: set[str] = set()  # names that run nothing of the repository, whoever calls them
        # what `lead` has added, by file, and all that it leads to or from
        self._led: dict[str, list[tuple[str, tuple[Node, ...], int]]] = defaultdict(list)
        self.led: set[Node] = set()
        self._held: frozenset[Node] = frozenset()  # see `hold`
        self._idle: frozenset[tuple[str, int]] = frozenset()
        self._made: dict[Node, tuple[Node, ...]] = {}
        self._dispatched: dict[str, tuple[Node, ...]] = {}
        self._by_name: dict[str, list[tuple[str, str]]] = defaultdict(list)  # file name -> (path once rendered, path)
        for path, module in self._modules.items():
            rendered = strip_template(path)[0]
            self._by_name[rendered.rpartition("/")[2]].append((rendered, path))
            for qualname, item in module.classes.items():
                for method in item.methods:
                    self._methods[method].append((path, f"{qualname}.{method}"))

    def calls_in(self, path: str, scope: str) -> Iterator[Call]:
        """The calls made directly in one scope of a module."""
        if path not in self._by_scope:
            grouped: dict[str, list[Call]] = defaultdict(list)
            module = self._modules.get(path)
            for call in module.calls if module is not None else ():
                grouped[call.scope].append(call)
            self._by_scope[path] = grouped
        yield from self._by_scope[path].get(scope, ())

    def edges(self, node: Node) -> list[tuple[Node, int]]:
        """What running `node` may run next, each once: (node, line of the first call or import in this file)."""
        path, scope = node
        if path not in self._edges:
            module = self._modules.get(path)
            self._edges[path] = self._module_edges(module) if module is not None else {}
        return self._edges[path].get(scope, [])

    def run_after(self, node: Node, line: int) -> dict[Node, None]:
        """What running `node` may run next behind a line."""
        module = self._modules.get(node[0])
        found: dict[Node, None] = {}
        for scope, _, targets, at in self._runs_of(module) if module is not None else ():
            if scope == node[1] and at > line:
                found.update(dict.fromkeys(targets))
        return found

    def _module_edges(self, module: Module) -> dict[str, list[tuple[Node, int]]]:
        edges: dict[str, dict[Node, int]] = defaultdict(dict)
        known: set[tuple[str, str]] = set()  # a scope calls the same few names again and again
        for scope, name, targets, line in self._runs_of(module):
            if name:
                if (scope, name) in known:
                    continue
                known.add((scope, name))
            to = edges[scope]
            for target in targets:
                if target not in to:
                    to[target] = line
        # files that were not parsed have no facts that could be asked for
        modules = self._modules
        return {scope: [item for item in to.items() if item[0][0] in modules] for scope, to in edges.items()}

    def _runs_of(self, module: Module) -> Iterator[tuple[str, str, tuple[Node, ...], int]]:
        """What the statements of a module run: scope, the name that is called or empty, the nodes and the line.

        Nothing is given for the many names that run no code of the repository.
        """
        imported = {module.path}
        for item in module.imports:
            located = self._names.find_module(item.name, module.path)
            if located is not None:
                imported.add(located[0])
                yield item.scope, "", ((located[0], ""),), item.line
        known = self._known(module, imported)
        for call in module.calls:
            name = call.name
            if name in known:
                yield call.scope, name, known[name], call.line
            for ref in call.refs:
                if ref not in known or name.endswith(".__new__"):  # which runs no `__init__`
                    continue
                if (module.path, call.line) not in self._idle:
                    yield call.scope, ref, known[ref], call.line
            # most calls are handed no constant
            texts = _texts(call) if call.keywords or any(call.args) else ()
            if texts and name.rpartition(".")[2] not in _NAMING_ONLY:
                named = tuple(self._named_in(module.path, texts))
                if named:
                    yield call.scope, "", named, call.line
        yield from self._registered(module)
        for scope, targets, line in self._led.get(module.path, ()):
            yield scope, "", targets, line

    def _known(self, module: Module, imported: set[str]) -> dict[str, tuple[Node, ...]]:
        """The names that a module calls or hands over and that run code of the repository, each with that code."""
        names = {call.name for call in module.calls}
        names.update(*[call.refs for call in module.calls if call.refs])
        names -= self._foreign
        return {name: targets for name in names if (targets := self._runs(module, name, imported))}

    def _registered(self, module: Module) -> Iterator[tuple[str, str, tuple[Node, ...], int]]:
        """The functions that a decorator, or the function around them, hands to somebody who calls them."""
        for qualname, function in module.functions.items():
            inner = function.returns[2:] if function.returns.startswith(f"@.{qualname}.") else ""
            if inner in module.functions:  # `def on_start(app): def start(): …; return start`
                yield qualname, "", ((module.path, inner),), function.line
            if not function.decorators or (module.path, qualname) in self._held:
                continue
            if any(self._registers(module.path, name) for name in function.decorators):
                owner = qualname.rpartition(".")[0]
                yield owner if owner in module.functions else "", "", ((module.path, qualname),), function.line

    def _named_in(self, path: str, texts: Iterable[str]) -> Iterator[Node]:
        """First-party scripts and modules whose path or dotted name a call is handed as text, to run them."""
        for text in texts:
            for word in text.split()[:_MAX_WORDS]:
                if "." not in word:
                    continue
                clean = word.strip("'\"")
                target = self.script(clean) if clean.endswith(_SCRIPTS) else self._dotted(clean, path)
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
        located = self._names.find_module(name, path)
        return located[0] if located is not None and not located[1] else None

    def _registers(self, path: str, decorator: str) -> bool:
        if decorator.rpartition(".")[2] in _INERT_DECORATORS or decorator.startswith("pytest.mark."):
            return False
        return not self._names.resolve(path, decorator).first_party

    def _runs(self, module: Module, name: str, imported: set[str]) -> tuple[Node, ...]:
        """The code of the repository that a call by this name may run."""
        root, _, rest = name.partition(".")
        if root == "?":
            method = rest.rpartition(".")[2]
            if method in self._methods:
                return self._methods_called(method, imported)
            self._foreign.add(name)
            return ()
        if root == "@":
            if rest in module.functions and rest not in module.classes:
                return ((module.path, rest),)
        elif root != "*" and not name.startswith(BARE):
            located = self._names.find_module(name, module.path)
            if located is None or located[0] not in self._modules:
                if located is None and self._names.is_foreign(name):
                    self._foreign.add(name)
                return ()  # of most names, and less to ask than what they stand for
        target = self._names.resolve(module.path, name)
        if not target.first_party:
            return self._methods_called(target.name[2:], imported) if target.name.startswith("?.") else ()
        there = self._modules.get(target.path)
        key = (target.path, target.qualname)
        if there is None or target.qualname not in there.classes:
            return (key, *hooks(self._names, self.calls_in, (module.path, name.rpartition(".")[0]), key))
        if key not in self._made:
            self._made[key] = tuple(self._methods_run(there, target.qualname))
        return self._made[key]

    def _methods_called(self, method: str, imported: set[str]) -> tuple[Node, ...]:
        """The methods of that name that a call on an unknown object may run; `imported` are files that it knows."""
        every = self._methods.get(method)
        if not every:
            return ()
        candidates = [node for node in every if node[0] in imported]
        if not candidates and method not in _COMMON_METHODS:
            candidates = every
        if 0 < len(candidates) <= 3:
            return tuple(candidates)
        if method not in self._dispatched:
            self._dispatched[method] = tuple(self._overrides(method))
        return self._dispatched[method]

    def _overrides(self, method: str) -> Iterator[Node]:
        """All implementations of a method that one abstract first-party class declares: what `job.run()` may be."""
        every = self._methods.get(method, [])
        for path, qualname in every:
            function = self._modules[path].functions.get(qualname)
            if function is None:
                continue
            if function.stub or any(name.endswith("abstractmethod") for name in function.decorators):
                base = (path, qualname.rpartition(".")[0])
                yield from (node for node in every if node != (path, qualname) and derives(self._names, node, base))

    def _methods_run(self, module: Module, qualname: str) -> Iterator[Node]:
        """What making an object of a class may run: its special methods, and all where a framework calls them."""
        todo, seen = [(module.path, qualname)], set()
        while todo:
            path, name = todo.pop()
            item = self._modules[path].classes.get(name)
            if item is None or (path, name) in seen:
                continue
            seen.add((path, name))
            bases = [self._names.resolve(path, base) for base in item.bases]
            framework = any(not base.first_party and base.name not in _PLAIN_BASES for base in bases)
            for method in item.methods:
                if framework or method.startswith("__"):
                    yield path, f"{name}.{method}"
            todo.extend((base.path, base.qualname) for base in reversed(bases) if base.path in self._modules)

    def reach(self, entries: Iterable[Node], max_hops: int = MAX_HOPS) -> dict[Node, Step]:
        """Everything that running the entries may run, nearest first, each with the step that led to it."""
        steps: dict[Node, Step] = {}
        queue: deque[tuple[Node, int]] = deque()
        for entry in entries:
            if entry[0] in self._modules and entry not in steps:
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

    def lead(self, node: Node, targets: Iterable[Node], line: int, chosen: bool = True) -> None:
        """Add to the graph what a line of `node` runs in a way that the code alone does not show."""
        self._led[node[0]].append((node[1], tuple(targets), line))
        if chosen:
            self.led.update((node, (node[0], ""), *self._led[node[0]][-1][1]))
        self._edges.pop(node[0], None)
        self._sources = None

    def hold(self, functions: Iterable[Node], calls: Iterable[tuple[str, int]]) -> None:
        """Take from the graph what only seems to run: decorated functions, and what calls at a line are handed."""
        self._held, self._idle = frozenset(functions), frozenset(calls)
        for path in {path for path, _ in (*self._held, *self._idle)}:
            self._edges.pop(path, None)
        self._sources = None

    def connect(self) -> None:
        """Make the whole graph at once."""
        self._sources_of_all()

    def hops_to(self, wanted: Iterable[Node], limit: int = FAR) -> dict[Node, int]:
        """For every node from which one of some nodes can be reached, in `limit` hops, the hops to the nearest."""
        sources = self._sources_of_all()
        found = dict.fromkeys(wanted, 0)
        queue = deque(found)
        while queue:
            node = queue.popleft()
            hops = found[node] + 1
            if hops > limit:
                break
            for source in sources.get(node, ()):
                if source not in found:
                    found[source] = hops
                    queue.append(source)
        return found

    def hops_to_files(self, paths: Container[str], limit: int) -> dict[Node, int]:
        """The same for whatever lies in one of some files and is run by something."""
        return self.hops_to([node for node in self._sources_of_all() if node[0] in paths], limit)

    def _sources_of_all(self) -> Mapping[Node, list[Node]]:
        if self._sources is None:
            sources = self._sources = defaultdict(list)
            for path in self._modules:
                self.edges((path, ""))
                for scope, edges in self._edges[path].items():
                    source = (path, scope)
                    for target, _ in edges:
                        sources[target].append(source)
        return self._sources

    def nearest(
        self, entries: Iterable[Node], wanted: Container[Node], hops: Mapping[Node, int], max_hops: int
    ) -> Node | None:
        """The first of the nodes wanted that `reach` gives, without following what does not lead to one in time.

        `hops` are those that `hops_to` counts for the nodes wanted.
        """
        level = [entry for entry in entries if entry[0] in self._modules and hops.get(entry, max_hops + 1) <= max_hops]
        seen = set(level)
        for left in range(max_hops, -1, -1):
            following: list[Node] = []
            for node in level:
                if node in wanted:
                    return node
                for target, _ in self.edges(node):
                    if target not in seen and hops.get(target, left) < left:
                        seen.add(target)
                        following.append(target)
            level = following
        return None

    def script_entries(self, path: str) -> tuple[Node, ...]:
        """What `python path` runs: the module's statements and its main block."""
        return ((path, ""), (path, MAIN)) if path in self._modules else ()


def _texts(call: Call) -> list[str]:
    """The constants that a call is handed and that may name a file or a module."""
    texts = [text for text in call.args if text and "." in text]
    if call.keywords:
        texts += [text for _, text in call.keywords if text and "." in text]
    return texts
