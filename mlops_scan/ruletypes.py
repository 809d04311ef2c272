"""What rules say once they are read: tools with their fingerprints, practices, findings, scaffolds, the whole book."""

# No `from __future__ import annotations` here: to read the compiled rules msgspec would evaluate each as text. For
# the same reason, the few milliseconds of every scan, the structs are stored as arrays, without the names of fields.

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct, field

from mlops_scan.assetrules import AssetRule
from mlops_scan.kindrules import KindRule
from mlops_scan.rolerules import RoleRule
from mlops_scan.rulemodels import MaturityModel
from mlops_scan.words import Confidence, Grade, Severity

HELP_URL = "docs/rules/findings.md#{anchor}"  # in this project's tree, until it has a public address

FINDS = "finds:"
"""What stands before the id of a finding among the activities of a signature: each of its uses is reported."""


class Signature(Struct, frozen=True, array_like=True):
    """One way a tool shows that it is used. Lists are alternatives, the fields together a conjunction."""

    serves: tuple[str, ...] = ()
    does: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    all_calls: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()  # (path, value glob; "" where presence is enough)
    files: tuple[str, ...] = ()
    required: tuple[tuple[str, tuple[str, ...]], ...] = ()  # keyword -> accepted constants, empty: present
    refused: tuple[tuple[str, tuple[str, ...]], ...] = ()
    imports: tuple[str, ...] = ()
    min_args: int = 0  # arguments that the call must have
    grade: Grade = Grade.IMPLEMENTED
    confidence: Confidence = Confidence.HIGH
    note: str = ""


class Wrapper(Struct, frozen=True, array_like=True):
    """Actions of CI that run a command which their inputs say: a name for each input is filled in.

    `settings` is a file of the repository whose top-level values count like inputs. Of several commands the first one
    counts that names files which are there.
    """

    uses: tuple[str, ...]  # OWNER/NAME in lower case
    commands: tuple[str, ...]
    settings: str = ""


class Sample(Struct, frozen=True, array_like=True):
    """A file and what the tool must claim on it: practice ids and `does:ACTIVITY`; empty for must-not-match."""

    path: str
    text: str
    expect: frozenset[str]


class Tool(Struct, frozen=True, array_like=True):
    """A tool, library or platform and its fingerprints."""

    id: str
    name: str
    family: str
    url: str
    imports: tuple[str, ...]
    distributions: tuple[str, ...]
    hints: tuple[str, ...]
    engine: tuple[str, ...]  # practices that the tool itself performs for every pipeline that it runs
    signatures: tuple[Signature, ...]
    samples: tuple[Sample, ...]
    general: bool = False  # programs without a model use it as well
    clients: tuple[tuple[str, tuple[str, ...]], ...] = ()  # import root -> words beside which it belongs to the tool
    companions: tuple[tuple[str, tuple[str, ...]], ...] = ()  # distribution -> imports that use it by themselves
    wraps: tuple[Wrapper, ...] = ()


class Subject(Enum):
    """What a practice is done to, where that decides how its evidence is judged."""

    MODEL = "model"  # where nothing here makes or runs a model, it says nothing
    TRAINING = "training"  # of two pieces of evidence the one nearer to the code that fits a model is shown
    ANY = "any"


class Practice(Struct, frozen=True, array_like=True):
    """An observable practice: what it asks for, the grade that meets it, and how to get there."""

    id: str
    title: str
    minimum: Grade
    observability: str
    what: str
    counts: tuple[str, ...]
    does_not_count: tuple[str, ...]
    starts: frozenset[str]
    blocking: bool
    attestable: bool
    at_home: frozenset[str]  # roles in which its evidence is not lowered
    subject: Subject
    effort: str
    gap: str
    remedy: str
    snippets: Mapping[str, str]
    references: tuple[str, ...]


class FindingDefinition(Struct, frozen=True, array_like=True):
    """A finding's documentation. Gap findings are made from their practice."""

    id: str
    title: str
    severity: Severity
    why: str
    fix: str
    example: str
    tags: tuple[str, ...]
    contradicts: tuple[str, ...] = ()  # practices that nobody can attest where this is found

    @property
    def help_url(self) -> str:
        """The page of this finding."""
        return HELP_URL.format(anchor=self.id.lower())


class Scaffold(Struct, frozen=True, array_like=True):
    """A file, or a part of a YAML file, to begin with: it serves some practices where one of a stack is in use.

    `%train%` and `%retrain%` in the text stand for the repository's training script and the command that trains.
    """

    id: str
    practices: tuple[str, ...]
    stack: tuple[str, ...]  # tools and CI providers, any of which must be in use; empty: it fits everywhere
    path: str
    merge: bool
    text: str


class RuleBook(Struct, frozen=True, array_like=True):
    """All rules, by id, in the order of their files."""

    version: str
    tools: Mapping[str, Tool]
    practices: Mapping[str, Practice]
    models: Mapping[str, MaturityModel]
    findings: Mapping[str, FindingDefinition]
    scaffolds: tuple[Scaffold, ...] = ()
    after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # practice -> those that come before it
    roles: tuple[RoleRule, ...] = ()  # the first that matches wins
    assets: tuple[AssetRule, ...] = ()
    kinds: tuple[KindRule, ...] = ()
