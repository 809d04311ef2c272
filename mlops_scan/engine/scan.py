"""One scan from end to end: list, parse, gather facts, detect, grade, judge, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan import __version__
from mlops_scan.detectors.base import Context
from mlops_scan.documents.store import Documents
from mlops_scan.engine import attest, placeholders, plugins, verdict
from mlops_scan.engine import components as component_rules
from mlops_scan.engine import findings as finding_rules
from mlops_scan.engine.entry import ScanOptions, begin, scan
from mlops_scan.engine.gather import gather
from mlops_scan.engine.grades import of_package, weigh, without_model
from mlops_scan.engine.inventory import inventory
from mlops_scan.engine.kind import Kind, decide
from mlops_scan.engine.report import BaselineResult, ComponentResult, Finding, Report, Statistics, Suppressed
from mlops_scan.errors import ScanError
from mlops_scan.repository.listing import Repository
from mlops_scan.rulebook import RuleBook
from mlops_scan.rulereader import hint
from mlops_scan.words import KINDS, Problem, Signal

if TYPE_CHECKING:
    from mlops_scan.cache import Cache
    from mlops_scan.engine.baseline import Baseline

__all__ = ["ScanOptions", "examine", "gather", "scan"]


def examine(
    path: str,
    options: ScanOptions,
    rules: RuleBook,
    repository: Repository,
    documents: Documents,
    cache: Cache | None,
) -> Report:
    """The report on a repository; `path` is how it shows where that lies.

    Raises:
        ScanError: an option names something unknown.
    """
    chosen = _model(options, rules)
    known = _baseline(options)
    context = gather(repository, rules, options, documents, cache)
    begin(options, "detect")
    kind = decide(context, options.kind)
    folders = verdict.declared(context, options.components)
    parts = component_rules.Components(folders) if folders else component_rules.find(context, kind)
    context.components = parts.folders
    notes: list[str] = []
    signals, problems = _detected(context, options, notes)
    begin(options, "grade")
    weighed = weigh(context, signals)
    judge = verdict.Judge(context, rules, chosen, kind, parts, _counted(context, kind, options, weighed))
    judged = tuple(judge.component(folder) for folder in parts.folders)
    problems += [*finding_rules.own(context), *placeholders.problems(context)]
    claims = attest.read(context, rules, options.attestations)
    attested = judge.attest(judged, claims, problems, options.as_of)
    problems += attest.findings(attested.results, claims, options.as_of)
    headline = judge.headline(attested.components, options.component)
    active = judged if judge.judged and repository.files else ()
    findings, suppressed = finding_rules.build(
        context, problems if active else (), active, options.select, options.ignore, options.per_path_ignores
    )
    compared = None
    if known is not None:
        from mlops_scan.engine import baseline

        findings, compared = baseline.compare(findings, known, rules.findings)
    outcome = _Outcome(kind, parts, weighed, headline, attested, findings, suppressed, compared, chosen, tuple(notes))
    return _report(path, context, options, outcome)


class _Outcome(Struct, frozen=True):
    """What a scan has judged, before it is put into the form of a report."""

    kind: Kind
    parts: component_rules.Components
    weighed: list[Signal]
    headline: ComponentResult
    attested: verdict.Attested
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    compared: BaselineResult | None
    model: str
    notes: tuple[str, ...]


def _report(path: str, context: Context, options: ScanOptions, found: _Outcome) -> Report:
    repository, rules = context.repository, context.rules
    kind, headline, attested = found.kind, found.headline, found.attested
    return Report(
        version=__version__,
        rules_version=rules.version,
        path=path,
        revision=repository.revision,
        kind=kind.name,
        kind_reason=kind.reason,
        kind_place=kind.where,
        has_ml=kind.has_ml,
        model=found.model,
        levels=tuple((item.id, item.value) for item in headline.models),
        attested_level=headline.attested_level,
        headline=headline,
        components=attested.components,
        findings=found.findings,
        incomplete=(
            *repository.incomplete,
            *(context.documents.incomplete[name] for name in sorted(context.documents.incomplete)),
        ),
        statistics=_statistics(context),
        rules=finding_rules.rules(rules),
        notices=_notices(context, options, found),
        every_model=options.model == verdict.EVERY,
        suppressed=found.suppressed,
        baseline=found.compared,
        attestations=attested.results,
        stack=verdict.stack(context),
        inventory=inventory(context, found.weighed),
    )


def _notices(context: Context, options: ScanOptions, found: _Outcome) -> tuple[str, ...]:
    told = verdict.notices(
        context,
        options.select,
        options.ignore,
        found.kind,
        found.parts,
        found.headline,
        options.component,
        found.findings,
        found.model,
    )
    disclosed = verdict.disclosures(found.suppressed, found.compared, found.attested)
    return (*options.notices, *found.notes, *told, *disclosed)


def _model(options: ScanOptions, rules: RuleBook) -> str:
    """The maturity model that the options choose, which are checked on the way.

    Raises:
        ScanError: an option names something unknown.
    """
    chosen = "default" if options.model == verdict.EVERY else options.model
    if chosen not in rules.models:
        raise ScanError(
            f"{chosen}: no such maturity model{hint(chosen, rules.models)}; known: {', '.join(rules.models)}"
        )
    if options.kind is not None and options.kind not in KINDS:
        raise ScanError(f"{options.kind}: no such kind of repository; known: {', '.join(KINDS)}")
    verdict.check_version(options.rules_version, rules.version)
    return chosen


def _detected(context: Context, options: ScanOptions, notes: list[str]) -> tuple[list[Signal], list[Problem]]:
    """What the detectors found; `notes` gets what plugins make worth saying."""
    signals: list[Signal] = []
    problems: list[Problem] = []
    for item in plugins.detect(context, options.plugins, notes, options.jobs):
        if isinstance(item, Signal):
            signals.append(item)
        else:
            problems.append(item)
    return signals, problems


def _counted(context: Context, kind: Kind, options: ScanOptions, weighed: list[Signal]) -> list[Signal]:
    """The signals that count in a repository of this kind."""
    if kind.name in ("non-ml", "data-pipeline") and not kind.has_ml:
        return without_model(context, weighed)
    if kind.name in ("library", "platform-tool") and not options.kind:
        return of_package(context, weighed)
    return weighed


def _statistics(context: Context) -> Statistics:
    documents = context.documents
    return Statistics(len(context.repository.files), documents.files_read, len(documents.parsed), documents.bytes_read)


def _baseline(options: ScanOptions) -> Baseline | None:
    """The baseline that the options name."""
    if options.baseline is None:
        return None
    from mlops_scan.engine import baseline

    return baseline.read(options.baseline)
