"""The automation of one repository: its runs, and for any piece of code, what starts it and by which way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from msgspec import Struct

from mlops_scan.automation.model import Pipeline, Run
from mlops_scan.ci.model import Job, Workflow
from mlops_scan.code.index import CodeIndex, Node, Step
from mlops_scan.words import Evidence, Hop, Location

_MAX_SHOWN_HOPS = 5
_MAX_ALIKE = 40  # runs of the same code whose starts do not differ in kind, triggers and effect


class Started(Struct, frozen=True):
    """One way in which a node is started: the run, and the code hops from the run's entry to the node."""

    run: Run
    hops: tuple[Evidence, ...]

    @property
    def chain(self) -> tuple[Evidence, ...]:
        """Trigger, commands and code hops, in the order in which they happen."""
        command = (Evidence(self.run.location, Hop.USE, " ".join(self.run.words)[:160]),) if self.run.words else ()
        return (*self.run.chain, *command, *self.hops)


def _kind(run: Run) -> tuple[object, ...]:
    """What makes a difference for the grade of what a run reaches."""
    start = run.start
    return start.kind, start.triggers, start.blocked, run.toothless, bool(run.tests), start.environment


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
        self._of_job: dict[tuple[str, str], list[Run]] = defaultdict(list)
        self._of_file: dict[str, list[Run]] = defaultdict(list)
        for run in self.runs:
            place = run.start.evidence.location
            if run.start.kind == "pipeline":
                self._of_pipeline[place].append(run)
                self._of_file[place.path].append(run)
            elif run.start.kind == "ci":
                self._of_job[(run.start.workflow, run.start.job)].append(run)
        self._by_node: dict[Node, list[tuple[int, Run]]] | None = None
        self._alternatives: frozenset[Location] | None = None  # projects whose entry points nothing asks for
        self._started: dict[Node, list[Started]] = {}
        self._steps: dict[int, dict[Node, Step]] = {}  # what a run at a place of `runs` reaches
        self._ways: dict[int, dict[Node, tuple[Evidence, ...]]] = {}  # to nodes, for all runs that enter the same code

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

    def idle(self, run: Run) -> bool:
        """Whether a run is an entry point of a project that the program which runs such projects does not ask for.

        They are alternatives: what no program chooses among a person starts, one by one.
        """
        if run.start.kind != "pipeline":
            return False
        if self._alternatives is None:
            led = self.index.led
            asked = {path for other in self.runs for path in other.pipelines}
            places = {Location(p.path, p.line): p.path for p in self.pipelines if p.entry_points}
            self._alternatives = frozenset(place for place, path in places.items() if led and path not in asked)
        if run.start.evidence.location not in self._alternatives:
            return False
        return self.index.led.isdisjoint(run.entries)

    def declared(self, workflow: str, job: str) -> Iterator[Job]:
        """The CI jobs of that name that a file declares: more than one where it declares several pipelines."""
        return (found for item in self.workflows if item.path == workflow for found in item.jobs if found.id == job)

    def runs_of_job(self, workflow: str, job: str) -> list[Run]:
        """The runs of one CI job."""
        return self._of_job.get((workflow, job), [])

    def runs_of_pipelines(self, path: str) -> list[Run]:
        """The runs whose start is a pipeline that one file declares."""
        return self._of_file.get(path, [])

    def started(self, node: Node) -> list[Started]:
        """The ways in which a node is started, in the order of the runs; of many alike the first ones."""
        if self._by_node is None:
            self._by_node = self._index()
        if node not in self._started:
            kept: list[tuple[int, Run]] = []
            alike: Counter[tuple[object, ...]] = Counter()
            for place, run in sorted(self._by_node.get(node, ()), key=itemgetter(0)):
                kind = _kind(run)
                alike[kind] += 1
                if alike[kind] <= _MAX_ALIKE:
                    kept.append((place, run))
            self._started[node] = [Started(run, self._hops(self._steps[place], node)) for place, run in kept]
        return self._started[node]

    def _index(self) -> dict[Node, list[tuple[int, Run]]]:
        """The runs that reach each node, with their places; of many alike that run the same code the first ones."""
        found: dict[Node, list[tuple[int, Run]]] = defaultdict(list)
        alike: Counter[tuple[object, ...]] = Counter()
        for place, run in enumerate(self.runs):
            if not run.entries and not run.tests:
                continue
            kind = (run.entries, run.tests, *_kind(run))
            alike[kind] += 1
            if alike[kind] <= _MAX_ALIKE:
                steps = self._steps[place] = self.reached(run)
                for reached in steps:
                    found[reached].append((place, run))
        return found

    def _hops(self, steps: dict[Node, Step], node: Node) -> tuple[Evidence, ...]:
        """The changes of file on the way to a node; `steps` is one of those that `reached` keeps."""
        ways = self._ways.setdefault(id(steps), {})
        if node not in ways:
            hops: list[Evidence] = []
            current: Node | None = node
            while current is not None and len(hops) < _MAX_SHOWN_HOPS * 3:
                step = steps[current]
                if step.source is not None and step.source[0] != current[0]:
                    hops.append(Evidence(Location(step.source[0], max(1, step.line)), Hop.USE))
                current = step.source
            hops.reverse()
            shown = hops if len(hops) <= _MAX_SHOWN_HOPS else [*hops[:2], *hops[-(_MAX_SHOWN_HOPS - 2) :]]
            ways[node] = tuple(shown)
        return ways[node]
