"""Training that another automation starts because it has found drift or a loss of quality.

Facts: a workflow is started by its file's name or its own (`gh workflow run`, `createWorkflowDispatch`), or by the end
of another one, of which it is told how it ended.
https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import Step
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.triggers import follows, names_of, workflows_asked_for
from mlops_scan.detectors.watched import asked_by, because, finding, jobs_behind, watching, watching_jobs, workflows
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Signal

_NAMED = (
    regex(r"/workflows/([\w.-]{1,100})/dispatches"),
    regex(r"workflow_id: *[\"']([\w.-]{1,100})"),
)
_CONDITIONAL = ("ShortCircuitOperator", "BranchPythonOperator", "task.branch", "task.short_circuit", "BranchOperator")


def dispatched(context: Context, run: Run, trained: Evidence) -> Iterator[Signal]:
    """The claim that such a run makes."""
    asked = _found(context, run)
    if asked is not None:
        evidence = (asked, context.shown(run.start.evidence), trained)
        yield Signal("retraining/triggered", "ci", Grade.WIRED, evidence, Confidence.MEDIUM, fixed=True)


def _found(context: Context, run: Run) -> Evidence | None:
    """Where a run that trains is made to depend on a check of the live model or its data; None where it is not."""
    if run.start.kind == "ci":
        return because(context, run) or _after(context, run) or _asked_for(context, run)
    return _handed_on(context, run) if run.start.kind == "schedule" else None


# -- workflows -------------------------------------------------------------------------------------------------------


def _asked_for(context: Context, run: Run) -> Evidence | None:
    """The step of a watching workflow that starts by name the one which trains."""
    workflow = workflows(context).get(run.start.workflow)
    if workflow is None or not run.start.triggers & {"manual", "external"}:
        return None
    names = names_of(context, workflow.path)
    return next((place for asked, place in _senders(context) if asked in names), None)


@kept
def _senders(context: Context) -> tuple[tuple[str, Evidence], ...]:
    """The workflows that are asked for because a check has found something, by name, with the place."""
    watching_files = dict.fromkeys(path for path, _ in sorted(watching_jobs(context)))
    return tuple(
        (name, context.evidence(path, asked_by(job, step), Hop.TRIGGER))
        for path in watching_files
        if path in workflows(context)
        for job in jobs_behind(context, workflows(context)[path])
        for step in job.steps
        if asked_by(job, step) and not step.never
        for name in _named(step)
    )


def _named(step: Step) -> Iterable[str]:
    texts = (step.script, *step.inputs.values())
    if "workflow-dispatch" in step.uses and (name := step.inputs.get("workflow")):
        yield name
    for text in texts:
        yield from workflows_asked_for(text)
        for pattern in _NAMED:
            yield from pattern.findall(text)


def _after(context: Context, run: Run) -> Evidence | None:
    """Where a workflow begins because one that watches has failed."""
    workflow = workflows(context).get(run.start.workflow)
    if workflow is None or "chained" not in run.start.triggers:
        return None
    asks = any(finding(job.condition) for job in workflow.jobs if job.id == run.start.job)
    trigger = next((trigger for trigger in workflow.triggers if trigger.kind == "chained"), None)
    if not asks or trigger is None:
        return None
    others = (workflows(context).get(path) for path, _ in sorted(watching_jobs(context)))
    if any(follows(context, trigger, other.name) for other in others if other is not None):
        return context.evidence(workflow.path, trigger.line, Hop.TRIGGER)
    return None


# -- Airflow ---------------------------------------------------------------------------------------------------------


def _handed_on(context: Context, run: Run) -> Evidence | None:
    """The task that hands a clock on from a DAG which watches, where a task of that DAG decides whether it does.

    A DAG that another one starts has the clock of that one: see `automation/chained.py`.
    """
    if len(run.chain) < 3:
        return None
    task = run.chain[-2]
    path = task.location.path
    if path not in context.index.modules or not _decides(context, path):
        return None
    watches = any(other.location.path == path and other.location != run.location for other in watching(context))
    return context.shown(task) if watches else None


def _decides(context: Context, path: str) -> bool:
    module = context.index.modules[path]
    names = {call.name for call in module.calls}.union(*(f.decorators for f in module.functions.values()))
    return any(name.endswith(_CONDITIONAL) for name in names)
