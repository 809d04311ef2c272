"""Retraining without a person: on a clock, on an event, or because a monitor found something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from mlops_scan.automation.clocks import NO_CLOCK, paused
from mlops_scan.automation.model import Run
from mlops_scan.code.facts import Call, Guard, Module
from mlops_scan.code.index import Node
from mlops_scan.detectors import polled
from mlops_scan.detectors.base import LEARNS, Context, unique
from mlops_scan.detectors.branches import lets_train
from mlops_scan.detectors.ciruns import chain
from mlops_scan.detectors.dispatch import dispatching, sender, training_of, trains
from mlops_scan.detectors.dispatched import dispatched
from mlops_scan.detectors.loops import looped
from mlops_scan.detectors.pipelines import ml_step
from mlops_scan.detectors.quality import quality_guards
from mlops_scan.detectors.requested import ASKING, asks_to_train, requested_training
from mlops_scan.detectors.throwaway import KEEPS_NOTHING, keeps_nothing
from mlops_scan.detectors.triggers import after_clock, asked, on_data, waiting
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

_REASONS = ("drift", "degrad", "psi", "retrain", "performance", "threshold", "breach")
_FOUND = ("drift", "degrad", "breach")
_UNLESS = regex(r"\s*(?:el)?if\b.{0,200}?(\bnot\b|\bno_\w{0,40}drift|[=i]s?=? ?False\b|<)", words=("if",))
_RUNS = regex(r"subprocess\.(run|call|check_call|check_output|Popen)|os\.(system|popen)|runpy\.run_path")
_TRIGGER_HOPS = 6
_TRIGGERS_TRAINING = LEARNS | {"run-pipeline"}


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `retraining/scheduled` and `retraining/triggered`; schedules that never fire."""
    yield from unique(signal for run in context.leading() for signal in _scheduled(context, run))
    yield from unique(_posted(context))
    yield from unique(looped(context))
    yield from unique(_declared_schedules(context))
    yield from unique(_triggered(context))
    yield from _off(context)


def _scheduled(context: Context, run: Run) -> Iterator[Signal]:
    start = run.start
    clock = start.kind == "schedule" or (
        start.kind == "ci" and ("schedule" in start.triggers or after_clock(context, run))
    )
    event = start.kind == "event" or (start.kind == "ci" and "external" in start.triggers)
    by_hand = start.kind == "ci" and start.triggers == {"manual"}
    pushed = on_data(context, run) if start.kind == "ci" else None
    if not (clock or event or by_hand or pushed or "chained" in start.triggers):
        return
    trained = training_of(context, run) if run.uses or run.entries or run.pipelines else None
    if trained is None:
        yield from _requested(context, run) if clock else ()
        return
    if not keeps_nothing(context, run):
        yield from dispatched(context, run, trained)
    evidence = chain(context, run, trained) if run.words else (context.shown(start.evidence), trained)
    tool = start.kind if start.kind != "ci" else "ci"
    if by_hand:
        yield _by_hand(context, run, evidence)
        return
    grade, reason = (Grade.TRACE, start.blocked) if start.blocked else (Grade.WIRED, "")
    if not reason and keeps_nothing(context, run):
        grade, reason = Grade.TRACE, KEEPS_NOTHING
    if clock:
        yield Signal("retraining/scheduled", tool, grade, evidence, reason=reason, fixed=True)
        waits = waiting(context, run)
        if waits is not None:
            found = (waits, *evidence)
            yield Signal("retraining/triggered", tool, grade, found, Confidence.MEDIUM, reason, fixed=True)
    if pushed is not None:
        yield Signal("retraining/triggered", tool, grade, (pushed, trained), Confidence.MEDIUM, reason, fixed=True)
    if event:
        if start.kind == "ci" and not clock and not reason:
            source = sender(context)
            if source is None:
                grade, reason = Grade.IMPLEMENTED, "nothing seen in the repository sends the event that starts it"
            else:
                evidence = (source, *evidence)
        yield Signal("retraining/triggered", tool, grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _by_hand(context: Context, run: Run, evidence: tuple[Evidence, ...]) -> Signal:
    """A workflow that only a person starts, or a job that a clock starts and that looks whether it is needed."""
    monitor = asked(context, run)
    if monitor is None:
        reason = "training starts only when a person asks for it"
        return Signal("retraining/scheduled", "ci", Grade.TRACE, evidence, reason=reason, fixed=True)
    practice = "retraining/triggered" if monitor.conditional else "retraining/scheduled"
    grade, reason = (Grade.TRACE, KEEPS_NOTHING) if keeps_nothing(context, run) else (Grade.WIRED, "")
    return Signal(practice, "ci", grade, (monitor.place, *evidence), Confidence.MEDIUM, reason, fixed=True)


def _requested(context: Context, run: Run) -> Iterator[Signal]:
    """A clock whose job asks a service of the repository to train."""
    asked = requested_training(context, run)
    if asked is not None:
        grade, reason = (Grade.TRACE, run.start.blocked) if run.start.blocked else (Grade.WIRED, "")
        if not reason and not asked.served:
            grade, reason = (
                Grade.IMPLEMENTED,
                "nothing seen here starts the service that is asked to train",
            )
        evidence = (context.shown(run.start.evidence), *asked.evidence)
        yield Signal("retraining/scheduled", "http", grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _posted(context: Context) -> Iterator[Signal]:
    """Clocks whose job asks for training by a command: `curl -X POST http://trainer/train` in a crontab."""
    for run in context.automation.runs:
        start = run.start
        if run.words[:1] in ASKING and (start.kind == "schedule" or "schedule" in start.triggers):
            yield from _requested(context, run)


def _declared_schedules(context: Context) -> Iterator[Signal]:
    """Clocks, and triggers on new data, that pipeline declarations carry: Databricks jobs, CronWorkflows, CronJobs."""
    for pipeline in context.automation.pipelines:
        if not pipeline.schedule:
            continue
        work = ml_step(context, pipeline)
        if work is None or not trains(context, pipeline):
            continue
        definition = context.evidence(pipeline.schedule_path or pipeline.path, pipeline.schedule_line, Hop.TRIGGER)
        grade, reason = (Grade.TRACE, pipeline.schedule_off) if pipeline.schedule_off else (Grade.WIRED, "")
        practice = "retraining/triggered" if pipeline.schedule_on_data else "retraining/scheduled"
        yield Signal(practice, pipeline.tool, grade, (definition, work), reason=reason, fixed=True)


def _triggered(context: Context) -> Iterator[Signal]:
    """Code that starts training because a comparison on drift or performance says so."""
    live = frozenset(quality_guards(context))
    for path, module in context.modules():
        for guard in module.guards:
            names = " ".join(guard.names)
            told = has_any(names, _FOUND) or (path, guard) in live
            if guard.stops == "assert" or not (told or has_any(names, _REASONS)):
                continue
            dispatches = dispatching(context, path)
            line = next((number for number in dispatches if guard.line <= number <= guard.body_end), 0)
            if not line:
                line = _calls_training(context, path, guard.scope, guard.line, guard.body_end, handed=told)
            line = line or _behind(context, module, guard, dispatches) or lets_train(context, module, guard)
            if line:
                evidence = (context.evidence(path, guard.line), context.evidence(path, line, Hop.EFFECT))
                yield Signal(
                    "retraining/triggered", "python", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=guard.scope
                )
                service = polled.on_data(context, (path, guard.scope))
                if service is not None:
                    found = (*evidence, service)
                    yield Signal("retraining/triggered", "python", Grade.WIRED, found, Confidence.MEDIUM, fixed=True)
                break


def _behind(context: Context, module: Module, guard: Guard, dispatches: Collection[int]) -> int:
    """The line behind `if not drifted: return` that starts training, in the same function; 0 without one.

    What returns where there is drift is a check of the data, so that the test has to be a negation or an upper bound.
    """
    function = module.functions.get(guard.scope)
    if function is None or guard.stops != "return" or not has_any(" ".join(guard.names), _FOUND):
        return 0
    if not _UNLESS.match(context.line(module.path, guard.line)):
        return 0
    line = next((number for number in dispatches if guard.body_end < number <= function.end_line), 0)
    return line or _calls_training(context, module.path, guard.scope, guard.body_end, function.end_line)


def _calls_training(context: Context, path: str, scope: str, first: int, last: int, handed: bool = True) -> int:
    """The line of a call between two lines that leads to training, or to a dispatch of it; 0 without one."""
    for use in context.uses_in(path):
        if use.scope == scope and first < use.location.line <= last and "run-pipeline" in use.does:
            return use.location.line
    for call in context.index.calls_in(path, scope):
        if not first < call.line <= last:
            continue
        entries = tuple(_run_by(context, path, call, handed))
        if asks_to_train(context, path, call):
            return call.line
        if entries and (
            context.reaches(entries, _TRIGGERS_TRAINING, _TRIGGER_HOPS) is not None or _dispatches(context, entries)
        ):
            return call.line
    return 0


def _run_by(context: Context, path: str, call: Call, handed: bool) -> Iterator[Node]:
    """The code of the repository that a call runs: itself, what it hands on to be called, or a script."""
    named = call.name.removesuffix(".delay").removesuffix(".apply_async")  # of a task of Celery
    for name in (named, *(call.refs if handed else ())):
        target = context.index.resolve(path, name)
        if target.first_party:
            yield target.path, target.qualname
    if _RUNS.fullmatch(context.index.resolve(path, call.name).name):
        for word in " ".join(filter(None, call.args)).split():
            script = context.index.script(word) if word.endswith(".py") else None
            yield from context.index.script_entries(script) if script else ()


def _dispatches(context: Context, entries: Collection[Node]) -> bool:
    """Whether some code asks for a workflow elsewhere."""
    for where, name in context.index.reach(entries, _TRIGGER_HOPS):
        module = context.index.modules.get(where)
        function = module.functions.get(name) if module is not None else None
        if function is not None and any(function.line <= n <= function.end_line for n in dispatching(context, where)):
            return True
    return False


def _off(context: Context) -> Iterator[Problem]:
    """Clocks that are switched off or broken; one that was left out on purpose (`schedule=None`) is no defect."""
    for run in context.leading():
        off = run.start.blocked if run.start.kind == "schedule" else ""
        if off and not off.endswith(NO_CLOCK) and training_of(context, run) is not None:
            message = f"Training is scheduled here, but the schedule is off: {off}."
            yield Problem("MLS504", message, run.start.evidence.location)
    for use in context.doing("define-pipeline"):
        module = context.index.modules.get(use.location.path)
        for call in module.calls if module is not None else ():
            if call.line == use.location.line and (reason := paused(call)) and not reason.endswith(NO_CLOCK):
                yield Problem("MLS504", f"This pipeline has a schedule that does nothing: {reason}.", use.location)
    for pipeline in context.automation.pipelines:
        if pipeline.schedule and pipeline.schedule_off:
            place = context.evidence(pipeline.schedule_path or pipeline.path, pipeline.schedule_line).location
            yield Problem("MLS504", f"The schedule of `{pipeline.name}` is off: {pipeline.schedule_off}.", place)
