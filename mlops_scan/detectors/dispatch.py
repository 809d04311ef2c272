"""Messages between automations: who asks for a workflow from outside, and which workflow listens and trains."""

from __future__ import annotations

import ast

from mlops_scan.automation.model import Pipeline, Run
from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import ASIDE, LEARNS, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.pipelines import ml_step
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

DISPATCH = regex(
    r"(repository_dispatch|/dispatches|gh workflow run|dagRuns|trigger_dag|start_pipeline_execution|/jobs/run-now"
    r"|pipelineJobs)"
)
"""What code or a command says that starts a workflow, a DAG or a pipeline elsewhere."""

_TO_CI = regex(r"(repository_dispatch|/dispatches|gh workflow run)")
_COMMAND = regex(r"(/dispatches\b|\bgh workflow run\b|repository-dispatch)")
_STARTS = frozenset({"schedule", "service", "event", "pipeline", "ci"})


@kept
def dispatching(context: Context, path: str) -> tuple[int, ...]:
    """The lines of a module at which a string asks for a workflow."""
    return tuple(line for line, text in context.index.modules[path].strings if DISPATCH.search(text))


def training_of(context: Context, run: Run) -> Evidence | None:
    """Where a run trains; test runs train toy models and do not count."""
    if run.tests:
        return None
    use = next((u for u in run.uses if LEARNS.intersection(u.does)), None) or context.learns(run)
    if use is not None and context.role(use.location.path) not in ASIDE:
        return context.evidence(use.location.path, use.location.line, Hop.EFFECT)
    for pipeline in context.automation.pipelines if run.pipelines else ():
        if pipeline.path in run.pipelines and trains(context, pipeline):
            return ml_step(context, pipeline)
    return None


def trains(context: Context, pipeline: Pipeline) -> bool:
    """Whether a step of a declared pipeline fits a model; evaluation and scoring alone do not."""
    if any(step.does & LEARNS for step in pipeline.steps):
        return True
    return _runs_train(context, pipeline.path)


@kept
def _runs_train(context: Context, path: str) -> bool:
    """Whether a run of the pipelines that a file declares fits a model."""
    return any(
        any(LEARNS.intersection(use.does) for use in run.uses) or context.learns(run) is not None
        for run in context.automation.runs_of_pipelines(path)
    )


@kept
def sender(context: Context) -> Evidence | None:
    """Where something that runs asks for a workflow of this repository, or None."""
    for run in context.automation.runs:
        if not run.start.blocked and _COMMAND.search(" ".join(run.words)):
            return context.evidence(run.location.path, run.location.line, Hop.TRIGGER)
    for path, module in context.modules(notebooks=False):
        for line, text in module.strings:
            if not _TO_CI.search(text):
                continue
            inside = [f for f in module.functions.values() if f.line <= line <= f.end_line]
            scopes = [min(inside, key=lambda f: f.end_line - f.line).qualname] if inside else ["", MAIN]
            started = [s for scope in scopes for s in context.started(path, scope)]
            if any(s.run.start.kind in _STARTS and not s.run.start.blocked and not s.run.tests for s in started):
                return context.evidence(path, line, Hop.TRIGGER)
    return None


def listener(context: Context) -> Evidence | None:
    """Where a workflow that is asked for from outside trains, or None."""
    for run in context.leading():
        if run.start.kind == "ci" and "external" in run.start.triggers and not run.start.blocked:
            trained = training_of(context, run)
            if trained is not None:
                return trained
    return None


def asks_for_training(context: Context, path: str, first: int = 1, last: int = 10**9) -> Evidence | None:
    """The line between two of a Python file that starts training elsewhere; None also where nothing would listen."""
    for line, text in _strings(context, path):
        if first <= line <= last and DISPATCH.search(text):
            if _TO_CI.search(text) and listener(context) is None:
                continue
            return context.evidence(path, line, Hop.EFFECT)
    return None


def _strings(context: Context, path: str) -> list[tuple[int, str]]:
    """String constants and called names of a file; small helpers outside the index are parsed for it."""
    module = context.index.modules.get(path)
    if module is not None:
        return [*module.strings, *((call.line, call.name) for call in module.calls)]
    document = context.documents.python(path)
    found: list[tuple[int, str]] = []
    for node in ast.walk(document.tree) if document is not None else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.Attribute):
            found.append((node.lineno, node.attr))
    return found
