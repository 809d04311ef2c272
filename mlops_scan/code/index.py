"""All Python modules of a repository together: names resolved across files, and what running something reaches."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from mlops_scan.code.facts import Call, Module
from mlops_scan.code.names import ModuleNames
from mlops_scan.code.reach import FAR, MAX_HOPS, Node, Reach, Step
from mlops_scan.code.resolve import Resolver, Target
from mlops_scan.code.rnames import BARE

__all__ = ["CodeIndex", "Node", "Step", "Target"]


class CodeIndex:
    """Modules by path, with cross-file resolution and reachability. Build it once a scan; queries are cached."""

    def __init__(self, modules: Iterable[Module], names: ModuleNames | None = None) -> None:
        """`names` knows also the files that have no module because nothing in them matters."""
        self.modules: Mapping[str, Module] = {module.path: module for module in modules}
        self._names = Resolver(self.modules, names)
        self._reach = Reach(self._names)

    # -- names -------------------------------------------------------------------------------------------------------

    def find_module(self, dotted: str, importer: str) -> tuple[str, str] | None:
        """The file that the longest prefix of `dotted` names as seen from `importer`, and the rest of the name."""
        return self._names.find_module(dotted, importer)

    @property
    def r_packages(self) -> Collection[str]:
        """The packages that any R file attaches or names."""
        return self._names.r_functions.packages

    def is_foreign(self, name: str) -> bool:
        """Whether `name`, in whatever module, stands for itself: it is neither its own nor that of another module."""
        return self._names.is_foreign(name)

    def defines(self, path: str, function: str) -> bool:
        """Whether the file at `path` was parsed and has that function."""
        module = self.modules.get(path)
        return module is not None and function in module.functions

    def resolve(self, path: str, name: str) -> Target:
        """What `name`, as the facts of the module at `path` have it, stands for."""
        return self._names.resolve(path, name)

    def resolve_bare(self, name: str) -> Node | None:
        """The function of an R file that a call by this name means where no file says it, as in a command."""
        found = self._names.r_functions.find(name, "") if name.startswith(BARE) else None
        return found[:2] if found is not None and not found[2] else None

    # -- reachability ------------------------------------------------------------------------------------------------

    def calls_in(self, path: str, scope: str) -> Iterator[Call]:
        """The calls made directly in one scope of a module."""
        return self._reach.calls_in(path, scope)

    def edges(self, node: Node) -> list[tuple[Node, int]]:
        """What running `node` may run next, each once: (node, line of the first call or import in this file)."""
        return self._reach.edges(node)

    def run_after(self, node: Node, line: int) -> Iterable[Node]:
        """What running `node` may run next behind a line of its file."""
        return self._reach.run_after(node, line)

    def script(self, name: str) -> str | None:
        """The one Python file whose path ends with `name`, or None."""
        return self._reach.script(name)

    def reach(self, entries: Iterable[Node], max_hops: int = MAX_HOPS) -> dict[Node, Step]:
        """Everything that running the entries may run, nearest first, each with the step that led to it."""
        return self._reach.reach(entries, max_hops)

    def lead(self, node: Node, targets: Iterable[Node], line: int, chosen: bool = True) -> None:
        """Add to the graph what a line of `node` runs in a way that the code alone does not show.

        `chosen` tells that the code chooses it of alternatives, as an entry point of a project: it is among `led`.
        """
        self._reach.lead(node, targets, line, chosen)

    def hold(self, functions: Iterable[Node], calls: Iterable[tuple[str, int]]) -> None:
        """Take from the graph what only seems to run: decorated functions, and what calls at a line are handed."""
        self._reach.hold(functions, calls)

    @property
    def led(self) -> AbstractSet[Node]:
        """What `lead` was told to be run, and what runs it; not a copy."""
        return self._reach.led

    def connect(self) -> None:
        """Find out at once what runs what, which else is done file by file as it is asked for."""
        self._reach.connect()

    def hops_to(self, wanted: Iterable[Node], limit: int = FAR) -> dict[Node, int]:
        """For every node from which one of some nodes can be reached, in `limit` hops, the hops to the nearest."""
        return self._reach.hops_to(wanted, limit)

    def hops_to_files(self, paths: Container[str], limit: int) -> dict[Node, int]:
        """For every node from which something that lies in one of the files can be reached how many hops it takes."""
        return self._reach.hops_to_files(paths, limit)

    def nearest(
        self, entries: Iterable[Node], wanted: Container[Node], hops: Mapping[Node, int], max_hops: int
    ) -> Node | None:
        """The first of the nodes wanted that `reach` gives; `hops` are those that `hops_to` counts for them."""
        return self._reach.nearest(entries, wanted, hops, max_hops)

    def script_entries(self, path: str) -> tuple[Node, ...]:
        """What `python path` runs: the module's statements and its main block."""
        return self._reach.script_entries(path)

    def all_of(self, path: str) -> tuple[Node, ...]:
        """A module's statements and all of its functions, for an engine that calls what it finds in a file."""
        module = self.modules.get(path)
        return () if module is None else ((path, ""), *((path, name) for name in module.functions))
