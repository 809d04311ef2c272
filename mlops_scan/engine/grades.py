"""From signals to a grade per practice: weigh by role, look for what starts it, take the best."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from mlops_scan.automation.graph import Started
from mlops_scan.ci.model import ON_CHANGE
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.packages import installed
from mlops_scan.engine import placeholders
from mlops_scan.engine.prominence import Prominence, Rank
from mlops_scan.engine.report import PracticeResult
from mlops_scan.rulebook import Practice, Subject
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Role, Signal

_MAX_EVIDENCE = 12
_RELEASED = "what is released is the package, no model of its own"
_OFFERED = "the package offers it to its users, and nothing here starts it"
_NO_MODEL = "nothing here trains, loads or scores a model"
_ASIDE_REASON = {
    Role.TEST: "only tests do it",
    Role.EXAMPLE: "only an example or an old copy does it",
    Role.DOCS: "only documentation shows it",
    Role.VENDORED: "it belongs to vendored code",
    Role.GENERATED: "it belongs to generated files",
}

_SHOWN = frozenset({Role.EXAMPLE, Role.DOCS, Role.VENDORED})


def weigh(context: Context, signals: Iterable[Signal]) -> list[Signal]:
    """Signals after the role of their file and what starts them are taken into account, in a stable order."""
    plain = [_by_role(context, signal) for signal in signals]
    weighed = [placeholders.lower(context, signal, _wired(context, signal)) for signal in plain]
    rank = Prominence(context).rank
    return sorted(weighed, key=lambda signal: _order(signal, rank(signal)))


def without_model(context: Context, signals: Iterable[Signal]) -> list[Signal]:
    """Signals where nothing trains, loads or scores a model: what deploys there deploys none, a trace at most."""
    of_models = {name for name, practice in context.rules.practices.items() if practice.subject is Subject.MODEL}
    return [
        replace(signal.lowered(Grade.TRACE, _NO_MODEL), fixed=True) if signal.practice in of_models else signal
        for signal in signals
    ]


def of_package(context: Context, signals: Iterable[Signal]) -> list[Signal]:
    """Signals of a package for others: what its code can do and nothing here starts is its users' practice.

    A script is no part of what a package offers, unless a command that it installs runs the same code. What CI
    releases of it is the package itself.
    """
    commands = {path for path, _ in installed(context)}

    def offered(signal: Signal) -> bool:
        first = signal.evidence[0] if signal.evidence else None
        if signal.grade is not Grade.IMPLEMENTED or signal.fixed or first is None or first.role is not Role.SOURCE:
            return False
        module = context.index.modules.get(first.location.path)
        return module is not None and (not module.main_line or module.path in commands)

    return [
        replace(signal.lowered(Grade.TRACE, _RELEASED), fixed=True)
        if signal.practice == "cd/model-deploy"
        else signal.lowered(Grade.TRACE, _OFFERED)
        if offered(signal)
        else signal
        for signal in signals
    ]


def _order(signal: Signal, rank: Rank) -> tuple[str, int, int, Rank, str, int, str]:
    where = signal.evidence[0].location if signal.evidence else None
    place = (where.path, where.line) if where is not None else ("", 0)
    return signal.practice, -signal.grade.strength, -signal.confidence.strength, rank, *place, signal.tool


def _by_role(context: Context, signal: Signal) -> Signal:
    if not signal.evidence:
        return signal
    role = context.role(signal.evidence[0].location.path)
    practice = context.rules.practices[signal.practice]
    if role not in _ASIDE_REASON or role.value in practice.at_home:
        return signal
    if role is Role.TEST and _is_loaded(context, signal.evidence[0].location.path):
        return signal  # a definition of CI that happens to lie in `tests`
    return replace(signal.lowered(Grade.TRACE, _ASIDE_REASON[role]), fixed=True)


def _is_loaded(context: Context, path: str) -> bool:
    return any(workflow.path == path and not workflow.unloaded for workflow in context.automation.workflows)


def _wired(context: Context, signal: Signal) -> Signal:
    """`implemented` becomes `wired` when something of the right kind starts the code and its outcome has an effect."""
    practice = context.rules.practices[signal.practice]
    if signal.fixed or signal.grade is not Grade.IMPLEMENTED or not practice.starts or not signal.evidence:
        return signal
    path, scope = signal.anchor or (signal.evidence[0].location.path, signal.scope)
    unstarted = "nothing seen in the repository starts it"
    if path not in context.index.modules:  # a definition: no call graph says who reads it
        return replace(signal, reason=signal.reason or "it is declared, and what uses it was not followed")
    reason = ""
    for started in sorted(context.started(path, scope), key=_preference):
        if not _kinds(started) & practice.starts:
            continue
        if started.run.tests and Role.TEST.value not in practice.at_home:
            continue  # a test that passes through code on sample data is not its operation
        start = started.run.start
        if start.kind != "ci" and context.role(start.evidence.location.path) in _SHOWN:
            continue  # an example of how to use the code is not its operation
        if start.kind == "pipeline" and start.evidence.location == signal.evidence[0].location:
            continue  # a pipeline does not start itself
        if context.automation.idle(started.run):
            reason = reason or "nothing seen in the repository starts this entry point of the project"
        elif start.blocked:
            reason = reason or start.held
        elif started.run.tests and started.run.unresolved:
            reason = reason or f"what it does with the tests is not seen: {started.run.unresolved}"
        elif practice.blocking and started.run.toothless:
            reason = reason or f"its failure has no effect: {started.run.toothless}"
        else:
            chain = tuple(context.shown(evidence) for evidence in started.chain)
            return replace(signal, grade=Grade.WIRED, evidence=(*signal.evidence, *chain), reason="")
    return replace(signal, reason=signal.reason or reason or unstarted)


def _preference(started: Started) -> tuple[bool, bool, int]:
    order = {"ci": 0, "schedule": 0, "event": 0, "pipeline": 1, "service": 2}
    return bool(started.run.start.blocked), bool(started.run.toothless), order.get(started.run.start.kind, 3)


def _kinds(started: Started) -> set[str]:
    start = started.run.start
    if start.kind != "ci":
        return {start.kind}
    kinds = {"schedule"} if "schedule" in start.triggers else set()
    if "external" in start.triggers:
        kinds.add("event")
    if start.triggers & (ON_CHANGE | {"tag", "release", "chained"}):
        kinds.add("ci")
    return kinds or {"ci"}


def grade(practices: Mapping[str, Practice], signals: Iterable[Signal]) -> tuple[PracticeResult, ...]:
    """The result of every practice, in the order of the rules."""
    by_practice: dict[str, list[Signal]] = defaultdict(list)
    for signal in signals:
        by_practice[signal.practice].append(signal)
    return tuple(_result(practice, by_practice.get(practice.id, [])) for practice in practices.values())


def _result(practice: Practice, signals: list[Signal]) -> PracticeResult:
    known = [signal for signal in signals if signal.grade.strength > 0]
    aside = [signal for signal in signals if signal.grade in (Grade.UNKNOWN, Grade.NOT_APPLICABLE)]
    if not known or (
        aside
        and max(s.grade.strength for s in known) < practice.minimum.strength
        and any(s.grade is Grade.UNKNOWN for s in aside)
    ):
        if aside:
            return _build(practice, aside, aside[0].grade)
        if not known:
            return PracticeResult(
                practice.id, practice.title, Grade.ABSENT, False, practice.minimum, Confidence.HIGH, "nothing was found"
            )
    best = max(known, key=lambda s: (_meets(practice, s), s.grade.strength, s.confidence.strength, _at_work(s)))
    return _build(
        practice, sorted(known, key=lambda s: (s is not best, -s.grade.strength, -s.confidence.strength)), best.grade
    )


def _at_work(signal: Signal) -> bool:
    """Of traces of main code, whether it has found what the practice is about, and so came nearer to it than others."""
    if signal.grade is not Grade.TRACE or not signal.evidence or signal.evidence[0].role in _ASIDE_REASON:
        return False
    return any(evidence.hop is Hop.USE for evidence in signal.evidence)


def _meets(practice: Practice, signal: Signal) -> bool:
    strong = 0 < signal.grade.strength >= practice.minimum.strength
    return strong and signal.confidence is not Confidence.LOW


def _build(practice: Practice, signals: list[Signal], grade_: Grade) -> PracticeResult:
    best = signals[0]
    met = _meets(practice, best)
    same = [signal for signal in signals if signal.grade is grade_]
    evidence: dict[tuple[str, int], Evidence] = {}
    for item in best.evidence:
        evidence.setdefault((item.location.path, item.location.line), item)
    files = {path for path, _ in evidence}
    for signal in signals[1:]:
        for item in signal.evidence[:1] if signal.grade is not Grade.WIRED else signal.evidence[:4]:
            strong = signal.grade is grade_ or signal.grade.strength >= Grade.IMPLEMENTED.strength
            if len(evidence) < _MAX_EVIDENCE and item.location.path not in files and strong:
                files.add(item.location.path)
                evidence.setdefault((item.location.path, item.location.line), item)
    return PracticeResult(
        id=practice.id,
        title=practice.title,
        grade=grade_,
        met=met,
        minimum=practice.minimum,
        confidence=best.confidence,
        reason=best.reason,
        tools=tuple(dict.fromkeys(signal.tool for signal in same)),
        evidence=_definition_first(evidence.values()),
    )


def _definition_first(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The chain begins where the practice is defined, also when a command that uses it was the stronger signal."""
    ordered = list(evidence)
    first = next((i for i, item in enumerate(ordered) if item.hop is Hop.DEFINITION), 0)
    return tuple([*ordered[first : first + 1], *ordered[:first], *ordered[first + 1 :]][:_MAX_EVIDENCE])


def primary(result: PracticeResult) -> Evidence | None:
    """The one piece of evidence to show for a practice."""
    return next(
        (e for e in result.evidence if e.hop is Hop.DEFINITION), result.evidence[0] if result.evidence else None
    )
