"""The automation of one repository: its runs, and for any piece of code, what starts it and by which way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from mlops_scan.automation.model import Pipeline, Run
from mlops_scan.ci.model import Workflow
from mlops_scan.code.index import CodeIndex, Node, Step
from mlops_scan.words import Evidence, Hop, Location

_MAX_SHOWN_HOPS = 5


class Started(Struct, frozen=True):
    """One way in which a node is started: the run, and the code hops from the run's entry to the node."""

    run: Run
    hops: tuple[Evidence, ...]

    @property
    def chain(self) -> tuple[Evidence, ...]:
        """Trigger, commands and code hops, in the order in which they happen."""
        command = (Evidence(self.run.location, Hop.USE, " ".join(self.run.words)[:160]),) if self.run.words else ()
        return (*self.run.chain, *command, *self.hops)


class Automation:
    """Runs with reachability; `started` answers what starts a node."""

    def __init__(
        self, index: CodeIndex, workflows: Sequence[Workflow], pipelines: Sequence[Pipeline], runs: Iterable[Run]
    ) -> None:
        self.index = index
        self.workflows = tuple(workflows)
        self.pipelines = tuple(pipelines)
        self.runs = tuple(runs)
        self._reached: dict[tuple[tuple[Node, ...], tuple[str, ...]], dict[Node, Step]] = {}
        self._of_pipeline: dict[Location, list[Run]] = defaultdict(list)
        for run in self.runs:
            if run.start.kind == "pipeline":
                self._of_pipeline[run.start.evidence.location].append(run)
        self._by_node: dict[Node, list[Run]] | None = None

    def entries(self, run: Run) -> tuple[Node, ...]:
        """The code a run enters directly; a test run enters every function of its test files."""
        nodes = list(run.entries)
        for path in run.tests:
            if path not in self.index.modules:
                continue  # it was not worth parsing: nothing in it leads to a tool
            nodes.append((path, ""))
            nodes.extend((path, qualname) for qualname in self.index.modules[path].functions)
        return tuple(nodes)

    def reached(self, run: Run) -> dict[Node, Step]:
        """Every node that a run reaches, with the step that led to it."""
        key = (run.entries, run.tests)
        if key not in self._reached:
            self._reached[key] = self.index.reach(self.entries(run))
        return self._reached[key]

    def pipeline_runs(self, place: Location) -> list[Run]:
        """The runs whose start is the pipeline declared at a place."""
        return self._of_pipeline.get(place, [])

    def started(self, node: Node) -> list[Started]:
        """All the ways in which a node is started, in the order of the runs."""
        if self._by_node is None:
            self._by_node = defaultdict(list)
            for run in self.runs:
                for reached in self.reached(run):
                    self._by_node[reached].append(run)
        return [Started(run, self._hops(run, node)) for run in self._by_node.get(node, ())]

    def _hops(self, run: Run, node: Node) -> tuple[Evidence, ...]:
        steps = self.reached(run)
        hops: list[Evidence] = []
        current: Node | None = node
        while current is not None and len(hops) < _MAX_SHOWN_HOPS * 3:
            step = steps[current]
            if step.source is not None and step.source[0] != current[0]:
                hops.append(Evidence(Location(step.source[0], max(1, step.line)), Hop.USE))
            current = step.source
        hops.reverse()
        return tuple(hops if len(hops) <= _MAX_SHOWN_HOPS else [*hops[:2], *hops[-(_MAX_SHOWN_HOPS - 2) :]])
