"""The vocabulary every layer shares: grades, roles, evidence, signals.

Nothing here reads a file, knows a tool or decides anything. All positions are 1-based lines.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct
from msgspec.structs import force_setattr, replace

KINDS = (
    "application",
    "template",
    "research",
    "competition",
    "course",
    "library",
    "platform-tool",
    "data-pipeline",
    "non-ml",
    "llm-app",
)
"""What a repository can be; the values of `--kind` and of the report's `kind`."""


class Grade(str, Enum):
    """How far a practice got; the order of the first four is the order of strength."""

    WIRED = "wired"
    IMPLEMENTED = "implemented"
    TRACE = "trace"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "n/a"

    @property
    def strength(self) -> int:
        """3 for wired down to 0 for absent; unknown and n/a have no strength and give 0."""
        return _STRENGTH.get(self._value_, 0)  # what `value` gives, without the detour


_STRENGTH = {"wired": 3, "implemented": 2, "trace": 1}


class Confidence(str, Enum):
    """high: parsed and resolved; medium: parsed, one hop not resolved; low: a text match."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def strength(self) -> int:
        """2 for high, 1 for medium, 0 for low."""
        return _CERTAINTY[self._value_]


_CERTAINTY = {"high": 2, "medium": 1, "low": 0}


class Role(str, Enum):
    """What a file is in its repository; decides how much its evidence weighs."""

    SOURCE = "source"
    TEST = "test"
    EXAMPLE = "example"
    DOCS = "docs"
    VENDORED = "vendored"
    GENERATED = "generated"
    NOTEBOOK = "notebook"
    TEMPLATE = "template"
    DATA = "data"
    MODEL = "model artifact"


FOREIGN = frozenset({Role.VENDORED, Role.GENERATED})
"""Roles of files that nobody wrote for the repository."""


class Hop(str, Enum):
    """The place of one piece of evidence in the chain that earns `wired`."""

    DEFINITION = "definition"
    USE = "use"
    TRIGGER = "trigger"
    EFFECT = "effect"


class Severity(str, Enum):
    """SARIF's result levels that this tool uses."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """2 for error, 1 for warning, 0 for note."""
        return {"error": 2, "warning": 1, "note": 0}[self.value]


class Location(Struct, frozen=True, order=True):
    """A place in a scanned file. `path` is relative to the scanned root, with forward slashes."""

    path: str
    line: int
    end_line: int = 0

    def __post_init__(self) -> None:
        if not self.path or self.line < 1:
            raise ValueError(f"a location needs a path and a line of at least 1, got {self.path!r}:{self.line}")
        if self.end_line < self.line:
            force_setattr(self, "end_line", self.line)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Evidence(Struct, frozen=True):
    """One line range that a person can open and agree with."""

    location: Location
    hop: Hop = Hop.DEFINITION
    text: str = ""
    role: Role = Role.SOURCE


class Signal(Struct, frozen=True):
    """A detector's claim: this tool or construct serves this practice here.

    `grade` is the most that the evidence itself can bear (`absent` is not a claim); the engine may lower it for the
    file's role or raise `implemented` to `wired` when it finds what starts it. `fixed` says that the detector has
    already followed the chain (a CI job, a schedule) and that the engine must not raise it further. `scope` is the
    dotted name of the enclosing function or class, empty at module level. `anchor` is the (path, scope) of the code
    whose start makes the practice happen, where that is not the place of the first evidence (a file that code reads).
    """

    practice: str
    tool: str
    grade: Grade
    evidence: tuple[Evidence, ...]
    confidence: Confidence = Confidence.HIGH
    reason: str = ""
    scope: str = ""
    fixed: bool = False
    anchor: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.evidence and self.grade not in (Grade.NOT_APPLICABLE, Grade.UNKNOWN):
            raise ValueError(f"a signal for {self.practice} by {self.tool} has no evidence")

    def lowered(self, grade: Grade, reason: str) -> Signal:
        """This signal with a grade of at most `grade`; `reason` is kept only when something changed."""
        if self.grade.strength <= grade.strength:
            return self
        return replace(self, grade=grade, reason=reason)


class Problem(Struct, frozen=True):
    """A detector's report of something broken or without effect; becomes a finding of rule `finding`."""

    finding: str
    message: str
    location: Location
    related: tuple[Evidence, ...] = ()


class Incomplete(Struct, frozen=True):
    """A file, or a part of one, that could not be read; nothing else is lost with it."""

    path: str
    reason: str
