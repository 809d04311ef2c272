"""Automation that cannot do what it says: jobs that never start, gates that nothing waits for, bounds that all keep."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import AUTOMATIC, ON_CHANGE, Job, Workflow
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.ciruns import job_of
from mlops_scan.detectors.gates import declared_gates, gates
from mlops_scan.detectors.tests import test_modules
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location, Problem, Signal

_RELEASES = frozenset({"deploy-model", "promote", "deploy-pipeline"})
_WORK = _RELEASES | LEARNS | {"test", "publish-image", "run-pipeline"}
_SHIPS = frozenset({"deploy-model", "promote"})  # a candidate may well be registered, or its pipeline deployed, first
_REHEARSAL = regex(
    r"(?<![a-z])(test|stag|dev|canary|shadow|preview|qa|uat|integration|challenger|candidate)",
    re.I,
    words=("test", "stag", "dev", "canary", "shadow", "preview", "qa", "uat", "integration", "challenger", "candidate"),
)
_PURPOSE = regex(r"(test|train|deploy|evaluat|validat|monitor|drift|gate|promot|release)", re.I)
_RETRAINS = regex(r"(^|[^a-z])re-?train", re.I)
_QUOTED = regex(r"'(?:[^']|'')*'")
_EXPRESSION = regex(r"(?<![\w.-])(secrets|env)\.[A-Za-z_]")
_COMMENTS = regex(
    r"(cml (comment|send-comment|pr comment)|cml-send-comment|gh (pr|issue) comment"
    r"|uses \S*(comment-pull-request|create-or-update-comment|sticky-pull-request-comment)\b)"
)
_SPEAKS = ("cml", "gh", "uses")
_TRIVIAL = frozenset(
    {"echo", "printf", "pip", "pip3", "ls", "pwd", "date", "mkdir", "export", "true", ":", "sleep", "cat", "set"}
)
_HARMLESS_ACTIONS = ("actions/checkout", "actions/setup-", "actions/cache", "actions/upload-artifact")
_WILDCARD = regex(r"[*?\[+]")
_ERRORS = regex(r"(?<![a-z])(rmse|mse|mae|mape|wmape|smape|rmsle|log_?loss)(?![a-z])", re.I)  # bounded from above
_ANY_SIGN = 2  # a and -a are apart by twice the larger of both
_FRACTIONS = regex(r"(?<![a-z])(accuracy|f1|auc|roc_auc|precision|recall)(?![a-z])", re.I)

Jobs = dict[tuple[str, str], list[Run]]


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Defects of CI definitions and gates that can be shown from the files alone."""
    jobs: Jobs = defaultdict(list)
    for run in context.leading():
        if run.start.kind == "ci":
            jobs[(run.start.workflow, run.start.job)].append(run)
    loaded = [w for w in context.automation.workflows if not w.unloaded and context.role(w.path) not in ASIDE]
    for workflow in loaded:
        yield from _refused(context, workflow)
        yield from _never(context, workflow, jobs)
        yield from _bypassed(context, workflow, jobs)
        yield from _idle(context, workflow)
    yield from _dead_triggers(context, loaded)
    yield from _vacuous(context)
    yield from _tolerant(context)
    guarded = frozenset((gate.path, gate.scope) for gate in gates(context) if not gate.weak) | {
        (use.location.path, use.scope) for use in context.uses if "model/quality-gate" in use.serves
    }
    comments = frozenset(words for words in context.commands() if _comments(words))
    for job, runs in jobs.items():
        yield from _too_late(context, runs, guarded)
        if comments:
            yield from _reported(context, job, runs, guarded, comments)


# -- what cannot start -----------------------------------------------------------------------------------------------


def _github(workflow: Workflow) -> bool:
    """Whether GitHub itself reads the file; its rules below are not those of every service that reads the format."""
    return workflow.provider == "github-actions" and ".github/workflows/" in workflow.path


def _refused(context: Context, workflow: Workflow) -> Iterator[Problem]:
    """What makes GitHub refuse the whole file.

    Facts: `needs` names jobs of the same file (workflow-syntax, `jobs.<job_id>.needs`); which contexts a condition
    may use: https://docs.github.com/actions/reference/workflows-and-actions/contexts#context-availability
    """
    if not _github(workflow):
        return
    names = {job.id for job in workflow.jobs}
    for job in workflow.jobs:
        for name in job.needs:
            if name not in names and "$" not in name:
                message = f"Job `{job.id}` needs `{name}`, which is no job of this workflow; GitHub refuses the file."
                yield Problem("MLS308", message, context.evidence(workflow.path, job.line).location)
        if name := _unavailable(job.condition, ("secrets", "env")):
            yield _invalid(context, workflow, job.line, f"job `{job.id}`", name)
        for step in job.steps:
            if name := _unavailable(step.condition, ("secrets",)):
                yield _invalid(context, workflow, step.line, f"a step of job `{job.id}`", name)


def _unavailable(condition: str, contexts: tuple[str, ...]) -> str:
    """The first context that a condition names although it is not there, or empty."""
    if not any(name in condition for name in contexts):
        return ""
    found = (match.group(1) for match in _EXPRESSION.finditer(_QUOTED.sub("''", condition)))
    return next((name for name in found if name in contexts), "")


def _invalid(context: Context, workflow: Workflow, line: int, what: str, name: str) -> Problem:
    message = f"The `if:` of {what} uses `{name}`, which GitHub does not offer there; it refuses the whole file."
    return Problem("MLS308", message, context.evidence(workflow.path, line).location)


def _never(context: Context, workflow: Workflow, jobs: Jobs) -> Iterator[Problem]:
    """Jobs and steps that never run although, by name or by work, they would test, train or release something."""
    for job in workflow.jobs:
        works = (run for run in jobs.get((workflow.path, job.id), ()) if job.never)
        if job.never and (_PURPOSE.search(job.id) or any(_works(context, run) for run in works)):
            message = f"Job `{job.id}` never starts: {job.never}."
            yield Problem("MLS308", message, context.evidence(workflow.path, job.line).location)
        for step in job.steps if not job.never else ():
            if step.never and _PURPOSE.search(f"{step.name} {step.script.strip().partition(chr(10))[0]}"):
                message = f"A step of job `{job.id}` never runs: {step.never}."
                yield Problem("MLS308", message, context.evidence(workflow.path, step.line).location)


def _works(context: Context, run: Run) -> bool:
    """Whether a run tests, trains or ships something, by itself or in the code that it reaches."""
    if run.tests or any(_WORK.intersection(use.does) for use in run.uses):
        return True
    return context.does(context.automation.reached(run), _WORK) is not None


def _dead_triggers(context: Context, workflows: list[Workflow]) -> Iterator[Problem]:
    """Triggers of GitHub that name a workflow or folder which is not there."""
    names = [workflow.name for workflow in workflows]
    for workflow in workflows:
        if not _github(workflow) or context.local(workflow.path) != workflow.path:
            continue
        for document in context.documents.nodes(workflow.path)[:1]:
            chained = document.path("on", "workflow_run", "workflows")
            wanted = chained.strings() if chained is not None else ()
            if chained is not None and wanted and not any(_named(name, names) for name in wanted):
                message = f"This waits for the workflow `{wanted[0]}`, and no workflow of the repository has that name."
                yield Problem("MLS308", message, context.evidence(workflow.path, chained.at).location)
            for event in ("push", "pull_request"):
                paths = document.path("on", event, "paths")
                patterns = [text for text in paths.strings() if not text.startswith("!")] if paths is not None else []
                if paths is not None and patterns and not any(_matches_something(context, text) for text in patterns):
                    message = f"No file of the repository is under `{patterns[0]}`, so a {event} never starts this."
                    yield Problem("MLS308", message, context.evidence(workflow.path, paths.at).location)


def _named(name: str, names: list[str]) -> bool:
    return "$" in name or _WILDCARD.search(name) is not None or any(known in (name, f"{name}.yml") for known in names)


def _matches_something(context: Context, pattern: str) -> bool:
    """Whether the part of a path filter before its first wildcard leads to files; filters of any place always do."""
    wild = _WILDCARD.search(pattern)
    if wild is None:
        return pattern in context.documents.files or context.resolver.paths.is_folder(pattern.rstrip("/"))
    folder = pattern[: wild.start()].rpartition("/")[0]
    return "$" in pattern or context.resolver.paths.is_folder(folder.removeprefix("./"))


def _idle(context: Context, workflow: Workflow) -> Iterator[Problem]:
    """A clock that starts a workflow called retraining in which every command is known and none does any work."""
    clock = next((trigger for trigger in workflow.triggers if trigger.kind == "schedule"), None)
    if clock is None or workflow.unknown or not (_RETRAINS.search(workflow.name) or _RETRAINS.search(workflow.path)):
        return
    runs = [run for job in workflow.jobs for run in context.automation.runs_of_job(workflow.path, job.id)]
    if any(job.uses for job in workflow.jobs) or not runs or not all(_idles(run) for run in runs):
        return
    message = f"This clock starts `{workflow.name}`, in which no command trains, starts or calls anything."
    related = tuple(context.evidence(run.location.path, run.location.line, Hop.USE) for run in runs[-3:])
    yield Problem("MLS315", message, context.evidence(workflow.path, clock.line).location, related)


def _idles(run: Run) -> bool:
    if run.words[:1] == ("uses",):
        return run.words[1].startswith(_HARMLESS_ACTIONS)
    return bool(run.words) and run.words[0] in _TRIVIAL and not run.uses


# -- gates without effect --------------------------------------------------------------------------------------------


def _bypassed(context: Context, workflow: Workflow, jobs: Jobs) -> Iterator[Problem]:
    """Deployments in a workflow whose tests run beside them: jobs of GitHub run at once unless one needs the other."""
    if not _github(workflow):
        return
    tested = {job.id: run for job in workflow.jobs if (run := _test_of(jobs, workflow, job)) is not None}
    earlier, numbers = _order(workflow) if tested else ({}, {})
    tests = sum(1 << numbers[name] for name in tested)
    for job in workflow.jobs if tested else ():
        if job.id in tested or earlier[job.id] & tests:
            continue
        released = next((run for run in jobs.get((workflow.path, job.id), ()) if _releases(run)), None)
        if released is None or released.start.blocked:
            continue
        own = 1 << numbers[job.id]
        beside = (run for name, run in tested.items() if not earlier[name] & own)
        test = next((run for run in beside if run.start.triggers & released.start.triggers & AUTOMATIC), None)
        if test is not None:
            message = f"Job `{job.id}` deploys without waiting for job `{test.start.job}`, which tests the same change."
            related = (context.evidence(test.location.path, test.location.line, Hop.USE),)
            yield Problem("MLS309", message, released.location, related)


def _order(workflow: Workflow) -> tuple[dict[str, int], dict[str, int]]:
    """For each job those that must be over before it starts, as bits, and the bit of each job."""
    numbers = {job.id: number for number, job in enumerate(workflow.jobs)}
    needs = {job.id: [name for name in job.needs if name in numbers] for job in workflow.jobs}
    earlier: dict[str, int] = {}
    for first in numbers:
        stack = [first]
        open_: set[str] = set()
        while stack:
            name = stack[-1]
            left = [other for other in needs[name] if other not in earlier and other not in open_]
            open_.add(name)
            if left and name not in earlier:
                stack.append(left[0])
                continue
            stack.pop()
            if name not in earlier:
                earlier[name] = 0
                for other in needs[name]:
                    earlier[name] |= 1 << numbers[other] | earlier.get(other, 0)
    return earlier, numbers


def _test_of(jobs: Jobs, workflow: Workflow, job: Job) -> Run | None:
    """The first run of a job that collects tests and could fail the job."""
    runs = jobs.get((workflow.path, job.id), ())
    return next((run for run in runs if run.tests and not run.start.blocked and not run.toothless), None)


def _releases(run: Run) -> bool:
    return not run.tests and not _rehearses(run) and any(_RELEASES.intersection(use.does) for use in run.uses)


def _too_late(context: Context, runs: list[Run], guarded: frozenset[tuple[str, str]]) -> Iterator[Problem]:
    """A command that ships a model, and the gate only behind it in the same job."""
    live = [run for run in runs if not run.start.blocked and not run.tests] if guarded else []
    checks = [i for i, run in enumerate(live) if run.entries and _gated(context, run, guarded)]
    if not checks:
        return
    gate = live[checks[0]]
    if any(_ships(run) for run in live[checks[0] :]):
        return  # the first release was a rehearsal
    for run in live[: checks[0]]:
        if _ships(run) and not _rehearses(run) and run.location != gate.location:
            message = f"{job_of(context, run.start)} releases the model here, before the check that could stop it."
            related = (context.evidence(gate.location.path, gate.location.line, Hop.EFFECT),)
            yield Problem("MLS314", message, run.location, related)
            return


def _ships(run: Run) -> bool:
    return any(_SHIPS.intersection(use.does) for use in run.uses)


def _rehearses(run: Run) -> bool:
    """Whether what is released goes to an environment that is there for trying it."""
    return _REHEARSAL.search(f"{' '.join(run.words)} {run.start.environment} {run.start.job}") is not None


def _gated(context: Context, run: Run, guarded: frozenset[tuple[str, str]]) -> bool:
    return not context.automation.reached(run).keys().isdisjoint(guarded)


def _comments(words: tuple[str, ...]) -> bool:
    """Whether a command writes a comment on a change."""
    if not words or not words[0].startswith(_SPEAKS):
        return False
    text = " ".join(words[:3])
    return "comment" in text and _COMMENTS.match(text) is not None


def _on_change(run: Run) -> bool:
    return not run.start.blocked and not run.start.triggers.isdisjoint(ON_CHANGE)


def _reported(
    context: Context,
    job: tuple[str, str],
    runs: list[Run],
    guarded: frozenset[tuple[str, str]],
    comments: frozenset[tuple[str, ...]],
) -> Iterator[Problem]:
    """An evaluation on a change whose figures go into a comment and nowhere else."""
    live = [run for run in runs if _on_change(run)]
    every = context.automation.runs_of_job(*job) if live else ()
    comment = next((run for run in every if run.words in comments and _on_change(run)), None)
    if comment is None or any(run.tests or _gated(context, run, guarded) for run in live):
        return
    if any(context.learns(run) is not None for run in live):
        return  # MLS307 says it
    for run in live:
        use = next((u for u in run.uses if "evaluate" in u.does), None)
        use = use or context.does(context.automation.reached(run), {"evaluate"})
        if use is not None:
            subject = job_of(context, run.start)
            message = f"{subject} evaluates the model and only comments the result; no figure can stop it."
            related = (_at(context, use.location), _at(context, comment.location))
            yield Problem("MLS316", message, run.location, related)
            return


def _at(context: Context, location: Location) -> Evidence:
    return context.evidence(location.path, location.line, Hop.EFFECT, location.end_line)


def _vacuous(context: Context) -> Iterator[Problem]:
    """Gates whose bound every model keeps: infinite ones, and fractions that may not fall below zero."""
    for gate in gates(context):
        module = context.index.modules[gate.path]
        if not gate.weak or module.notebook:
            continue
        guard = next((guard for guard in reversed(module.guards) if guard.line == gate.line), None)
        if guard is None or not guard.numbers:
            continue
        names = " ".join(guard.names)
        infinite = all(math.isinf(number) for number in guard.numbers) and _ERRORS.search(names)
        below = all(number < 0 for number in guard.numbers) and _FRACTIONS.search(names)
        if infinite or below:
            place = context.evidence(gate.path, gate.line, Hop.DEFINITION, gate.end_line).location
            yield Problem("MLS301", "This bound stops no model: no value of the metric can break it.", place)
    for gate in declared_gates(context):
        if gate.weak:
            place = context.evidence(gate.path, gate.line, Hop.DEFINITION, gate.end_line).location
            yield Problem("MLS301", f"These criteria stop no model: {gate.weak}.", place)


def _tolerant(context: Context) -> Iterator[Problem]:
    """Tests by `math.isclose` that all values pass: its tolerance is relative to the larger of both.

    That of pytest and numpy is relative to one of them, so that a value far above it still fails.
    """
    for path, module in test_modules(context):
        for call in module.calls:
            if not call.name.endswith("isclose") or call.keyword("rel_tol") is None:
                continue
            tolerance = _number(call.keyword("rel_tol"))
            if tolerance >= 1 and context.index.resolve(path, call.name).name == "math.isclose":
                which = "two numbers" if tolerance >= _ANY_SIGN else "two numbers of one sign"
                message = (
                    f"With `rel_tol={call.keyword('rel_tol')}` any {which} are close, so no wrong value can fail this."
                )
                yield Problem("MLS301", message, context.evidence(path, call.line, end_line=call.end_line).location)


def _number(text: str | None) -> float:
    """A constant as a number; none where it is no number."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
