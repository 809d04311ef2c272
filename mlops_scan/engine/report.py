"""The finished result of a scan: what every report format prints and none of them changes."""

from __future__ import annotations

from msgspec import Struct

from mlops_scan.words import Confidence, Evidence, Grade, Incomplete, Location, Severity


class PracticeResult(Struct, frozen=True):
    """One practice's grade in one component. `minimum` is the weakest grade that meets it."""

    id: str
    title: str
    grade: Grade
    met: bool
    minimum: Grade
    confidence: Confidence
    reason: str
    tools: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class RowResult(Struct, frozen=True):
    """One requirement of a level: `need` of `practices` must be met; `credit` of `weight` was earned."""

    title: str
    practices: tuple[str, ...]
    met_by: tuple[str, ...]
    need: int
    weight: float
    credit: float
    minimum: Grade | None = None  # the row's own minimum, where it has one

    @property
    def met(self) -> bool:
        """Whether enough of the practices are met."""
        return len(self.met_by) >= self.need


class LevelResult(Struct, frozen=True):
    """One rung of the ladder. `reached` is cumulative: all rows of this and of every lower level are met."""

    number: int
    name: str
    reached: bool
    rows: tuple[RowResult, ...]


class Gap(Struct, frozen=True):
    """A practice that the next level still asks for, with the cheapest way to it."""

    practice: str
    title: str
    level: int
    effort: str  # "low" | "medium" | "high"
    remedy: str


class TestScore(Struct, frozen=True):
    """One test of a rubric: its points from files, and at most if everything unseen were done."""

    id: str
    title: str
    practices: tuple[str, ...]
    points: float
    bound: float


class SectionScore(Struct, frozen=True):
    """One section of a rubric with its sums."""

    name: str
    points: float
    bound: float
    tests: tuple[TestScore, ...]


class ModelResult(Struct, frozen=True):
    """The verdict by one maturity model. A score has sections, and its levels are bands."""

    id: str
    name: str
    mapping: str  # how to read its numbers beside those of other models
    level: int | None
    level_name: str
    top: int
    next_level: int | None
    progress: float | None
    ladder: tuple[LevelResult, ...]
    gaps: tuple[Gap, ...]
    ahead: tuple[tuple[str, int], ...] = ()
    score: float | None = None
    bound: float | None = None  # the score if all that files cannot show were done
    sections: tuple[SectionScore, ...] = ()

    @property
    def value(self) -> float | None:
        """The number for the vector of all models: the score, or the level."""
        return self.score if self.sections else self.level


class Finding(Struct, frozen=True):
    """A stable rule id with a place; it cannot be built without a location."""

    id: str
    title: str
    severity: Severity
    message: str
    location: Location
    fingerprint: str
    help_url: str
    related: tuple[Evidence, ...] = ()


class Suppressed(Struct, frozen=True):
    """A finding that is left out, by a comment or by a path pattern of the configuration."""

    finding: Finding
    by: str  # `PATH:LINE` of the comment, or the pattern
    reason: str


class Known(Struct, frozen=True):
    """One finding of a baseline."""

    fingerprint: str
    id: str
    path: str


class BaselineResult(Struct, frozen=True):
    """How the scan compares with a baseline: findings already known, findings that are gone, and the level then."""

    path: str
    model: str
    level: float | None
    known: tuple[Finding, ...]
    fixed: tuple[Known, ...]
    new: tuple[Finding, ...]


class AttestationResult(Struct, frozen=True):
    """What somebody attests about a practice, and whether it counts. `status` is applied, expired, future, stale,
    contradicted, undated (the scan has no date) or observed (the files show it anyway).
    """

    practice: str
    component: str
    claim: str
    by: str
    status: str
    reason: str
    location: Location


class ComponentResult(Struct, frozen=True):
    """The verdict on one component; `level` is None where there is no model to judge."""

    path: str
    kind: str
    level: int | None
    level_name: str
    next_level: int | None
    progress: float | None  # share of the way to the next level, 0.0 to 0.99; None at the top or without a level
    ladder: tuple[LevelResult, ...]
    practices: tuple[PracticeResult, ...]  # every practice of the rules, in the rules' order
    ahead: tuple[tuple[str, int], ...]  # practices met that belong to a level above the next: (practice, level)
    gaps: tuple[Gap, ...]  # cheapest first
    models: tuple[ModelResult, ...] = ()  # the verdict by every maturity model, the default one first
    attested_level: int | None = None  # the level with what people attest added; the observed one without attestations


class Asset(Struct, frozen=True):
    """Something that a bill of materials lists. `evidence` are the places that show it, the first the most telling.

    `kind`: "model", "dataset", "framework", "service" or "pipeline". `origin` says what is known of where it is from:
    for models and data sets "file", "pointer" (its content lies elsewhere), "hub", "hosted" (called at a provider),
    "served", "registered" or "feature-store"; for frameworks "pypi". `version` is exact (a pin, a revision) or empty.
    """

    kind: str
    name: str
    origin: str
    tool: str = ""
    version: str = ""
    digest: tuple[str, str] = ("", "")  # algorithm and hexadecimal digest of the content, where a pointer states it
    evidence: tuple[Evidence, ...] = ()
    files: int = 1  # a folder of data is one asset


class Statistics(Struct, frozen=True):
    """What the scan read; counts and bytes, no clock."""

    files: int
    files_read: int
    files_parsed: int
    bytes_read: int


class FindingRule(Struct, frozen=True):
    """A finding's documentation, as the rules data has it; SARIF lists every one of them."""

    id: str
    title: str
    severity: Severity
    why: str
    fix: str
    help_url: str
    tags: tuple[str, ...] = ()
    example: str = ""


class Report(Struct, frozen=True):
    """The whole result. `headline` is the component that the top-level level speaks of."""

    version: str
    rules_version: str
    path: str
    revision: str | None
    kind: str
    kind_reason: str
    has_ml: bool
    model: str
    levels: tuple[tuple[str, float | None], ...]
    attested_level: int | None
    headline: ComponentResult
    components: tuple[ComponentResult, ...]
    findings: tuple[Finding, ...]
    incomplete: tuple[Incomplete, ...]
    statistics: Statistics
    rules: tuple[FindingRule, ...] = ()
    kind_place: Location | None = None  # a place that shows the kind
    notices: tuple[str, ...] = ()  # what the reader should know: exclusions, unknown CI providers, fallbacks
    every_model: bool = False  # the user asked to see all maturity models
    suppressed: tuple[Suppressed, ...] = ()
    baseline: BaselineResult | None = None
    attestations: tuple[AttestationResult, ...] = ()
    stack: tuple[str, ...] = ()  # tools and CI providers in use, for advice that fits
    inventory: tuple[Asset, ...] = ()  # by kind, name and version

    @property
    def levelled(self) -> ComponentResult:
        """The component as it was judged by itself; the headline of a course shows what the whole course has."""
        return next((item for item in self.components if item.path == self.headline.path), self.headline)
