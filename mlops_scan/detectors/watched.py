"""What CI and orchestrators do because a check of drift or of live quality has found something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import Job, Step, Workflow
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.drift_sites import drift_sites
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.quality import quality_guards
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

_WORDS = ("drift", "degrad", "breach", "retrain", "psi", "alert", "violat", "perform", "quality", "shift")
_OUTPUT = regex(  # of a step or a job: what it found
    rf"(steps|needs)\.[\w-]{{0,60}}({'|'.join(_WORDS)})[\w-]{{0,60}}\."
    rf"|(\.outputs|env)\.[\w-]{{0,60}}({'|'.join(_WORDS)}|detected|triggered)"
    r"|\.outputs\.[\w-]{1,60} *== *'[\w -]{0,40}(drift|retrain)",
    words=("steps.", "needs.", ".outputs.", "env."),
)
_FAILED = regex(r"(?<!!)(?<!! )failure\(\)|(outcome|conclusion|result) *== *'failure'", words=("failure",))
_WELL = regex(  # what is asked for where all is well
    r"[\w.-]{1,150} {0,9}(== {0,9}('(false|success|skipped|cancelled|no|0)'|false)"
    r"|!= {0,9}('(true|failure|skipped|cancelled|yes|1)'|true))"
    r"|env\.[\w-]{1,100} {0,9}!= {0,9}''",  # that there is an address to tell something
    words=("==", "!="),
)
_STEPS = regex(r"(?<![\w.])(steps|needs|env)\.", words=("steps.", "needs.", "env."))
_BRANCH = regex(  # `if [ -n "$SLACK_URL" ]` asks only whether there is an address to tell something
    r"(?:^|[;&|]) *(?:(?P<asks>if )"
    r"(?P<set> *\[{1,2} *-[nz] +[\"']?\$\{?\w{0,60}?(?:url|hook|token|key|secret|slack|mail))?|fi(?![\w-]))",
    re.M,
    words=("if", "fi"),
)
_OR = regex(r"\|\| *(?!true|:|echo|exit|printf)\S", words=("||",))


def finding(text: str) -> bool:
    """Whether a condition of CI asks for what a check has found, or whether it has failed."""
    lower = _WELL.sub("", text.lower())
    return _OUTPUT.search(lower) is not None or _FAILED.search(lower) is not None


def asks_outcome(text: str) -> bool:
    """Whether a condition of CI asks what came out of a step or a job, but for whether all went well."""
    lower = _WELL.sub("", text.lower())
    return _STEPS.search(lower) is not None or _FAILED.search(lower) is not None


@kept
def monitors(context: Context) -> frozenset[Node]:
    """The code that computes drift or holds live quality to a bound."""
    sites = ((site.location.path, site.scope) for site in drift_sites(context))
    return frozenset(chain(sites, ((path, guard.scope) for path, guard in quality_guards(context))))


@kept
def watching(context: Context) -> tuple[Run, ...]:
    """The runs that reach such code and start by themselves; tests pass through it only."""
    nodes = monitors(context)
    if not nodes:
        return ()
    return tuple(
        run
        for run in context.leading()
        if run.entries and not run.tests and not run.start.blocked
        if not nodes.isdisjoint(context.automation.reached(run))
    )


@kept
def watching_jobs(context: Context) -> frozenset[tuple[str, str]]:
    """The jobs of CI that watch over a model, each with the file that declares it."""
    return frozenset((run.start.workflow, run.start.job) for run in watching(context) if run.start.kind == "ci")


def jobs_behind(context: Context, workflow: Workflow) -> Iterator[Job]:
    """The jobs of a workflow that watch, and those that wait for one which does."""
    behind = {job for path, job in watching_jobs(context) if path == workflow.path}
    for _ in workflow.jobs if behind else ():
        more = {job.id for job in workflow.jobs if not behind.isdisjoint(job.needs)} - behind
        if not more:
            break
        behind |= more
    yield from (job for job in workflow.jobs if job.id in behind)


def asked_by(job: Job, step: Step | None, line: int = 0) -> int:
    """The line of the condition by which a job or one of its steps runs because a check has found something, or 0.

    `line` is that of the command in question, in the script of the step.
    """
    if step is not None and (finding(step.condition) or _asks(step.script, line - step.script_line)):
        return step.line
    return job.line if finding(job.condition) else 0


def _asks(script: str, offset: int) -> bool:
    """Whether a shell text runs its line at an offset, or any where the offset is negative, as its tests say."""
    lines = script.lower().split("\n")
    if not any(word in line for line in lines for word in _WORDS) or offset >= len(lines):
        return False
    if offset < 0:
        return any(_opens(line) or _OR.search(line) for line in lines)
    above, here = "\n".join(lines[:offset]), lines[offset]
    return _opens(above, still=True) or _opens(here) or _OR.search(here) is not None


def _opens(text: str, still: bool = False) -> bool:
    """Whether a shell text begins a branch that asks for something found; `still`, one that it does not end."""
    branches: list[bool] = []
    for match in _BRANCH.finditer(text):
        if match["asks"]:
            branches.append(not match["set"])
        elif branches and still:
            branches.pop()
    return any(branches)


def step_of(job: Job, workflow: str, run: Run) -> Step | None:
    """The step of a job that a run comes from, or None."""
    lines = [run.location.line] if run.location.path == workflow else []
    lines += [item.location.line for item in run.chain if item.location.path == workflow]
    return next((step for step in job.steps for line in lines if step.line <= line <= step.end_line), None)


def line_in(run: Run, workflow: str) -> int:
    """The line of a workflow at which a run's command stands; behind all of a script where it is in another file."""
    return run.location.line if run.location.path == workflow else 1 << 30


def bound_in_ci(context: Context, path: str, scope: str) -> Evidence | None:
    """Where the workflow that runs a check makes something depend on what it has found, or None."""
    for run in (started.run for started in context.started(path, scope)):
        workflow = workflows(context).get(run.start.workflow) if run.start.kind == "ci" and not run.tests else None
        for job in jobs_behind(context, workflow) if workflow is not None else ():
            for step in (None, *job.steps):
                if line := asked_by(job, step):
                    return context.evidence(run.start.workflow, line, Hop.EFFECT)
    return None


def because(context: Context, run: Run) -> Evidence | None:
    """Where a job of CI makes a run depend on what a check in the same workflow has found; None where it does not."""
    start = run.start
    workflow = workflows(context).get(start.workflow) if start.kind == "ci" and watching_jobs(context) else None
    for job in jobs_behind(context, workflow) if workflow is not None else ():
        if job.id != start.job:
            continue
        line = asked_by(job, step_of(job, start.workflow, run), line_in(run, start.workflow))
        if line:
            return context.evidence(start.workflow, line, Hop.TRIGGER)
    return None


@kept
def workflows(context: Context) -> Mapping[str, Workflow]:
    """The workflows that are loaded, by their file."""
    return {workflow.path: workflow for workflow in context.automation.workflows if not workflow.unloaded}
