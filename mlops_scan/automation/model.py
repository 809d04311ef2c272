"""What starts by itself, or as a step of something, and what it runs."""

from __future__ import annotations

from msgspec import Struct

from mlops_scan.code.index import Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Evidence, Location

# How `blocked` begins, and how a sentence that names the start says the same.
_CLAUSES = {
    "only a person can start it": "only a person can start {}",
    "a person must start this job": "a person must start {}",
    "nothing starts it": "nothing starts {}",
    "what starts it is set": "what starts {} is set",
}


class Start(Struct, frozen=True):
    """Something that runs commands or code.

    `kind`: "ci" (a CI job), "schedule" (an orchestrator's or library's clock), "event" (a sensor, a message),
    "pipeline" (a step of a declared pipeline, whoever starts it), "service" (a deployed process), "person"
    (documented or scripted for a person to start). `triggers` are trigger kinds as in `ci.model` for CI, else
    empty. `blocked` says why it cannot start by itself, `may_fail` why its failure has no effect; both empty when
    fine.
    """

    kind: str
    label: str
    evidence: Evidence
    triggers: frozenset[str] = frozenset()
    blocked: str = ""
    may_fail: str = ""
    workflow: str = ""
    job: str = ""
    environment: str = ""
    assumed: bool = False  # the triggers are the usual setting of a CI server, which files cannot show
    approval: str = ""  # what asks a person in the course of the pipeline, before this

    @property
    def unknown(self) -> bool:
        """Whether what starts it is not in the repository, so that it may well start by itself."""
        return bool(self.blocked) and "server" in self.triggers

    @property
    def named(self) -> str:
        """What a sentence calls it: "job `deploy` of `Release`" for a job of CI, else its label."""
        workflow, slash, job = self.label.rpartition(" / ")
        return f"job `{job}` of `{workflow}`" if self.kind == "ci" and slash else f"`{self.label}`"

    @property
    def held(self) -> str:
        """Why it does not start by itself, as a clause with a subject of its own; empty where it does."""
        for said, clause in _CLAUSES.items():
            if self.blocked.startswith(said):
                return clause.format(self.named) + self.blocked[len(said) :]
        return f"{self.named} does not start by itself: {self.blocked}" if self.blocked else ""


class Run(Struct, frozen=True):
    """One command or entry point that a start runs, with the hops that led there.

    `folder` is the one in which it runs, or of the image that it builds; empty for the root.
    """

    start: Start
    words: tuple[str, ...]
    location: Location
    chain: tuple[Evidence, ...]
    uses: tuple[Use, ...] = ()
    entries: tuple[Node, ...] = ()
    tests: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    missing: str = ""
    unresolved: str = ""
    swallowed: str = ""
    folder: str = ""

    @property
    def toothless(self) -> str:
        """Why a failure of this command has no effect, or empty."""
        return self.start.may_fail or self.swallowed


class PipelineStep(Struct, frozen=True):
    """A step of a declared pipeline: a command, first-party code, or what the engine itself does (`does`)."""

    name: str
    line: int
    command: str = ""
    command_line: int = 0
    entries: tuple[Node, ...] = ()
    does: frozenset[str] = frozenset()
    folder: str = ""
    has_params: bool = False
    calls_all_of: str = ""  # a file of which the engine calls the functions (a Mage block)
    command_path: str = ""  # the file that the command stands in, where it is not that of the pipeline
    component: str = ""  # a file, or a registered name, that says what the step runs (Azure ML)
    image: str = ""  # the name of the image whose own command it runs


class Pipeline(Struct, frozen=True):
    """A declared workflow of steps, whatever the tool. `entry_points` are alternatives, not a sequence (MLproject)."""

    tool: str
    name: str
    path: str
    line: int
    steps: tuple[PipelineStep, ...]
    entry_points: bool = False
    schedule: str = ""  # a cron expression or interval that the declaration carries
    schedule_line: int = 0
    schedule_off: str = ""  # why that schedule does not fire, or empty
    schedule_path: str = ""  # the file of the schedule, where it is not that of the pipeline
    schedule_on_data: bool = False  # it is new data that starts it, not a clock
