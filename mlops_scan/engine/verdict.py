"""From graded signals to the verdict on each component, by every maturity model, and what the reader should know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci.find import UnreadProvider
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.documents.store import language_of
from mlops_scan.engine import attest, models
from mlops_scan.engine import components as component_rules
from mlops_scan.engine.attest import Attestation
from mlops_scan.engine.copies import distinct, originals
from mlops_scan.engine.grades import grade
from mlops_scan.engine.kind import JUDGED, Kind
from mlops_scan.engine.packaged import product_names
from mlops_scan.engine.report import (
    AttestationResult,
    BaselineResult,
    ComponentResult,
    Finding,
    ModelResult,
    PracticeResult,
    Suppressed,
)
from mlops_scan.errors import ScanError
from mlops_scan.rulebook import RuleBook
from mlops_scan.words import Problem, Signal

EVERY = "all"
"""The value of `--model` that shows every model; the headline is then by the default one."""

_OF_LANGUAGE_MODELS = "genai"  # the maturity model
_UNREAD = "MLS306"  # the finding for what of CI is not known


class Attested(Struct, frozen=True):
    """Components with their attested levels, the fate of each attestation, and why a level was denied."""

    components: tuple[ComponentResult, ...]
    results: tuple[AttestationResult, ...]
    denied: tuple[str, ...]


class Judge:
    """Judges the components of one scan by a chosen maturity model and, beside it, by all others."""

    def __init__(
        self,
        context: Context,
        rules: RuleBook,
        model: str,
        kind: Kind,
        parts: component_rules.Components,
        signals: list[Signal],
    ) -> None:
        self.context = context
        self.rules = rules
        self.model = model
        self.kind = kind
        self.parts = parts
        self.signals = signals
        self.judged = kind.has_ml and kind.name in JUDGED
        self._shares: tuple[component_rules.Share, ...] | None = None

    def component(self, folder: str) -> ComponentResult:
        """The verdict on one component."""
        course = self.kind.name == "course"
        if self._shares is None:
            ci = component_rules.ci_lines(self.context, self.parts)
            self._shares = tuple(component_rules.sharing(self.signals, self.parts, ci))
        own = [s for s, share in zip(self.signals, self._shares, strict=True) if share.belongs(folder, course)]
        return self._result(folder, grade(self.rules.practices, distinct(own, originals(self.context))))

    def attest(
        self,
        judged: tuple[ComponentResult, ...],
        given: tuple[Attestation, ...],
        problems: Iterable[Problem],
        as_of: date | None,
    ) -> Attested:
        """The components with the level that attestations give them, and what became of each attestation."""
        if not given:
            return Attested(judged, (), ())
        by_path = {item.path: {result.id: result for result in item.practices} for item in judged}
        results = attest.weigh(self.context, given, by_path, problems, as_of)
        model = self.rules.models[self.model]
        components, denied = [], []
        for item in judged:
            own = [result for result in results if result.component == item.path]
            if item.level is None or not own or model.scored:
                components.append(item)
                continue
            level, why = attest.level(model, by_path[item.path], own)
            components.append(replace(item, attested_level=max(level, item.level)))
            denied += [why] if why else []
        return Attested(tuple(components), results, tuple(denied))

    def headline(self, judged: tuple[ComponentResult, ...], wanted: str | None) -> ComponentResult:
        """The component that the level of the whole repository speaks of."""
        if wanted is not None:
            chosen = next((component for component in judged if component.path == wanted.strip("/")), None)
            if chosen is None:
                known = ", ".join(component.path for component in judged)
                raise ScanError(f"{wanted}: no such component; known: {known}")
            return chosen
        if self.kind.name == "course" and len(judged) > 1:
            return self._course(max(judged, key=_richness))
        return max(judged, key=lambda c: (component_rules.size(self.context, c.path), c.path))

    def _result(self, folder: str, practices: tuple[PracticeResult, ...]) -> ComponentResult:
        results = {result.id: result for result in practices}
        families = self._families(folder)
        every = tuple(
            models.judge(model, results, self.rules.practices, self.judged, families)
            for model in models.in_order(self.rules.models)
        )
        main = next(item for item in every if item.id == self.model)
        return ComponentResult(
            path=folder,
            kind=self.kind.name,
            level=main.level,
            level_name=main.level_name,
            next_level=main.next_level,
            progress=main.progress,
            ladder=main.ladder,
            practices=practices,
            ahead=main.ahead,
            gaps=main.gaps,
            models=every,
            attested_level=main.level,
        )

    def _families(self, folder: str) -> frozenset[str]:
        """The families of the tools that a component's own code really uses."""
        prefix = "" if folder == "." else folder + "/"
        tools = {
            use.tool
            for use in self.context.uses
            if use.location.path.startswith(prefix) and self.context.role(use.location.path) not in ASIDE
        }
        return frozenset(self.rules.tools[tool].family for tool in tools if tool in self.rules.tools)

    def _course(self, best: ComponentResult) -> ComponentResult:
        """A course as a whole: what anything in it shows, at the level of the best lesson: nothing connects them."""
        whole = self._result(best.path, grade(self.rules.practices, self.signals))
        every = tuple(_limited(item, limit) for item, limit in zip(whole.models, best.models, strict=True))
        main = next(item for item in every if item.id == self.model)
        return replace(
            best, practices=whole.practices, ladder=main.ladder, ahead=main.ahead, gaps=main.gaps, models=every
        )


def _richness(lesson: ComponentResult) -> tuple[int, float, int, list[str | int]]:
    """Sorts a lesson behind poorer ones; of equal ones the later lesson, as a reader counts them, has seen more."""
    met = sum(1 for practice in lesson.practices if practice.met)
    parts = re.split(r"(\d+)", lesson.path)
    number = [int(part) if place % 2 else part for place, part in enumerate(parts)]
    return lesson.level or 0, lesson.progress or 0.0, met, number


def _limited(whole: ModelResult, best: ModelResult) -> ModelResult:
    """The rows of all lessons together with the level of the best lesson."""
    if best.sections or best.level is None or whole.level is None:
        return best
    limit = best.level
    return replace(
        whole,
        level=best.level,
        level_name=best.level_name,
        next_level=best.next_level,
        progress=best.progress,
        ladder=tuple(replace(rung, reached=rung.number <= limit) for rung in whole.ladder),
        gaps=whole.gaps if whole.level == limit else best.gaps,
        ahead=whole.ahead,
    )


def notices(
    context: Context,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    kind: Kind,
    parts: component_rules.Components,
    headline: ComponentResult,
    wanted: str | None,
    findings: Sequence[Finding] = (),
    model: str = "",
) -> tuple[str, ...]:
    """What the reader should know and no finding says: exclusions, unknown CI providers, how other models count."""
    found = [*context.repository.notices, *_nothing_to_see(context, kind)]
    told = {(finding.location.path, finding.message) for finding in findings if finding.id == _UNREAD}
    unread = [item for item in context.unread_providers if not _is_told(item, told)]
    providers = sorted({item.provider for item in unread if not item.reason})
    found += [f"{name} definitions are present and not read yet; what they run is unknown" for name in providers]
    found += sorted({f"{i.provider}, {i.path}: {i.reason}" for i in unread if i.reason})
    if context.documents.unrendered:
        count = len(context.documents.unrendered)
        found.append(f"{count} template{'s' if count > 1 else ''} cannot be read without rendering")
    found += [f"`{copy}` is a copy of `{of}` and counts with it" for copy, of in sorted(parts.copies.items())]
    found += [kind.notice] if kind.notice else []
    if headline.level is not None and kind.name != "llm-app" and not _trains(context):
        found.append("no code was seen here that trains a model")
    if kind.name == "course" and len(parts.folders) > 1 and wanted is None:
        found.append("a course: the practices are those of the whole repository, the level is that of the best lesson")
    if select:
        found.append(f"only findings {', '.join(select)} are shown")
    if ignore:
        found.append(f"findings {', '.join(ignore)} are left out")
    if context.self_tools:
        found.append(
            f"uses of {', '.join(product_names(context))} are left out: they are this repository's own product"
        )
    if kind.name == "llm-app" and headline.level is not None and model != _OF_LANGUAGE_MODELS:
        found.append("an application of language models: the genai model judges that part (`--model genai`)")
    return tuple(found)


def _nothing_to_see(context: Context, kind: Kind) -> Iterator[str]:
    """Why no workload says little: there is nothing to look at, or the code that may hold one was not read."""
    if kind.name != "non-ml":
        return
    if not context.repository.files:
        yield "there is no file here that could be looked at; is it the right place?"
    elif any(language_of(path) in ("python", "notebook") for path in context.documents.incomplete):
        yield "code that could not be read may hold a model"


def _trains(context: Context) -> bool:
    """Whether anything trains a model: code, a command, a step of a declared pipeline, or what was too much to read."""
    return (
        any(context.doing(*LEARNS, aside=True))
        or any(LEARNS.intersection(use.does) for run in context.automation.runs for use in run.uses)
        or any(step.does & LEARNS for pipeline in context.automation.pipelines for step in pipeline.steps)
        or any(language_of(path) == "python" for path in context.documents.left_out)
    )


def _is_told(item: UnreadProvider, told: set[tuple[str, str]]) -> bool:
    """Whether a finding says the same, with a capital: of this file, or of the first of a provider that is not read."""
    if item.reason:
        return any(path == item.path and message[1:].startswith(item.reason[1:]) for path, message in told)
    return any(message.startswith(f"{item.provider} definitions are not read") for _, message in told)


def disclosures(
    suppressed: tuple[Suppressed, ...], compared: BaselineResult | None, attested: Attested
) -> tuple[str, ...]:
    """What was left out or added by people, so that no report hides it."""
    found = []
    for item in suppressed:
        why = f": {item.reason}" if item.reason else ", no reason given"
        found.append(f"{item.finding.id} at {item.finding.location} is suppressed by {item.by}{why}")
    if compared is not None:
        fixed = f", {len(compared.fixed)} of its findings are fixed" if compared.fixed else ""
        found.append(f"{len(compared.known)} findings are known from the baseline {compared.path}{fixed}")
    for result in attested.results:
        counts = "counts" if result.status == "applied" else "does not count"
        found.append(f"{result.by} attests {result.practice} ({result.location}); it {counts}: {result.reason}")
    return (*found, *(f"with attestations: {why}" for why in dict.fromkeys(attested.denied)))


def stack(context: Context) -> tuple[str, ...]:
    """The tools that the repository's own code uses and the CI providers that it has, in name order."""
    tools = {use.tool for use in context.uses if context.role(use.location.path) not in ASIDE}
    tools |= {pipeline.tool for pipeline in context.automation.pipelines}
    return tuple(sorted(tools | {workflow.provider for workflow in context.automation.workflows}))


def declared(context: Context, folders: tuple[str, ...]) -> tuple[str, ...]:
    """The components that the user names, in path order.

    Raises:
        ScanError: a folder is not in the repository.
    """
    wanted = tuple(sorted({folder.strip("/") or "." for folder in folders}))
    for folder in wanted:
        if folder != "." and not any(file.path.startswith(folder + "/") for file in context.repository.files):
            raise ScanError(f"{folder}: the configuration calls it a component, but there is no such folder")
    return wanted


def check_version(wanted: str | None, version: str) -> None:
    """Refuse to judge by other rules than those that the user pinned.

    Raises:
        ScanError: the versions differ; rules of the past are not kept, so an older program has to be installed.
    """
    if wanted is not None and wanted != version:
        raise ScanError(
            f"rules-version is pinned to {wanted}, but this program has the rules {version} and keeps no older ones; "
            "install the release that has them, or change the pin after reading what changed"
        )
