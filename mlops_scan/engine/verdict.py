"""From graded signals to the verdict on each component, by every maturity model, and what the reader should know."""

from __future__ import annotations

from dataclasses import replace

from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.engine import components as component_rules
from mlops_scan.engine import models
from mlops_scan.engine.grades import grade
from mlops_scan.engine.kind import JUDGED, Kind
from mlops_scan.engine.report import ComponentResult, ModelResult, PracticeResult
from mlops_scan.errors import ScanError
from mlops_scan.rulebook import RuleBook
from mlops_scan.words import Signal

EVERY = "all"
"""The value of `--model` that shows every model; the headline is then by the default one."""


class Judge:
    """Judges the components of one scan by a chosen maturity model and, beside it, by all others."""

    def __init__(
        self,
        context: Context,
        rules: RuleBook,
        model: str,
        kind: Kind,
        folders: tuple[str, ...],
        signals: list[Signal],
    ) -> None:
        self.context = context
        self.rules = rules
        self.model = model
        self.kind = kind
        self.folders = folders
        self.signals = signals
        self.judged = kind.has_ml and kind.name in JUDGED

    def component(self, folder: str) -> ComponentResult:
        """The verdict on one component."""
        course = self.kind.name == "course"
        own = [signal for signal in self.signals if component_rules.belongs(signal, folder, self.folders, course)]
        return self._result(folder, grade(self.rules.practices, own))

    def headline(self, judged: tuple[ComponentResult, ...], wanted: str | None) -> ComponentResult:
        """The component that the level of the whole repository speaks of."""
        if wanted is not None:
            chosen = next((component for component in judged if component.path == wanted.strip("/")), None)
            if chosen is None:
                known = ", ".join(component.path for component in judged)
                raise ScanError(f"{wanted}: no such component; known: {known}")
            return chosen
        if self.kind.name == "course" and len(judged) > 1:
            return self._course(max(judged, key=lambda c: (c.level or 0, c.progress or 0.0)))
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
        """A course as a whole: what any lesson shows, at the level of the best lesson: nothing connects them."""
        whole = self._result(best.path, grade(self.rules.practices, self.signals))
        every = tuple(_limited(item, limit) for item, limit in zip(whole.models, best.models, strict=True))
        main = next(item for item in every if item.id == self.model)
        return replace(
            best, practices=whole.practices, ladder=main.ladder, ahead=main.ahead, gaps=main.gaps, models=every
        )


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
    components: tuple[str, ...],
    headline: ComponentResult,
) -> tuple[str, ...]:
    """What the reader should know: exclusions, unknown CI providers, how other models count."""
    found = list(context.repository.notices)
    providers = sorted({item.provider for item in context.unread_providers})
    found += [f"{name} definitions are present and not read yet; what they run is unknown" for name in providers]
    if context.documents.unrendered:
        found.append(f"{len(context.documents.unrendered)} chart templates cannot be read without rendering them")
    if kind.name == "course" and len(components) > 1:
        found.append("a course: the practices are those of all lessons together, the level is that of the best lesson")
    if select:
        found.append(f"only findings {', '.join(select)} are shown")
    if ignore:
        found.append(f"findings {', '.join(ignore)} are left out")
    if context.self_tools:
        found.append(
            f"uses of {', '.join(sorted(context.self_tools))} are left out: they are this repository's own product"
        )
    if kind.name == "llm-app" and headline.level is not None:
        found.append("an application of language models: the genai model judges that part (`--model genai`)")
    return tuple(found)
