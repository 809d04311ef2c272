"""Pipelines of managed services: Databricks jobs, Azure ML pipeline jobs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import below, command, folder_of, listed, text
from mlops_scan.documents.node import Node

# `run_mode` is what the validation of Databricks' MLOps Stacks is called with
_TASKS = {"notebook_task": "notebook_path", "spark_python_task": "python_file", "python_wheel_task": "entry_point"}
# https://docs.databricks.com/api/workspace/jobs/create (`trigger`: `periodic`, `file_arrival`, `table_update`)
_ON_DATA = ("file_arrival", "table_update")
_MAX_PARAMETERS = 50
_MAX_WORD = 200  # characters of one


def is_databricks(document: Node) -> bool:
    """Whether this is an asset bundle with jobs, or a job as the Jobs API takes it."""
    if document.path("resources", "jobs") is not None:
        return True
    tasks = document.get("tasks")
    return tasks is not None and any(item.get("task_key") is not None for item in tasks.items[:50])


def databricks(path: str, document: Node) -> Iterator[Pipeline]:
    """The jobs of an asset bundle, or the one job of the file."""
    jobs = document.path("resources", "jobs")
    if jobs is None:
        yield _job(path, text(document.get("name")) or "job", document)
        return
    yield from (_job(path, name, job) for name, job in jobs.entries[:200])


def _job(path: str, name: str, job: Node) -> Pipeline:
    tasks = job.get("tasks")
    steps = [_task(path, task) for task in (tasks.items[:200] if tasks is not None else ())]
    trigger = job.get("trigger")
    clock = job.get("schedule") or trigger
    cron = clock.get("quartz_cron_expression") or clock.get("periodic") if clock is not None else None
    data = next((found for key in _ON_DATA if clock is not None and (found := clock.get(key)) is not None), None)
    status = text(clock.get("pause_status")) if clock is not None else ""
    started = cron or data
    return Pipeline(
        "databricks",
        name,
        path,
        job.at,
        tuple(steps),
        schedule=(text(cron) or _period(cron)) if cron is not None else "new data" if data is not None else "",
        schedule_line=started.at if started is not None else 0,
        schedule_off="`pause_status: PAUSED`" if status.upper() == "PAUSED" else "",
        schedule_on_data=cron is None and data is not None,
    )


def _period(periodic: Node) -> str:
    """The words of a period: `every 1 DAYS`."""
    return f"every {text(periodic.get('interval'))} {text(periodic.get('unit'))}" if periodic.entries else ""


def _task(path: str, task: Node) -> PipelineStep:
    # a template may offer the same key several times, one a condition
    lines: list[str] = []
    line = task.line
    for kind, body in task.entries:
        target = body.get(_TASKS[kind]) if kind in _TASKS else None
        if target is not None and text(target):
            line = line if lines else target.line
            started = text(target) if kind == "python_wheel_task" else f"python {_with_suffix(text(target))}"
            lines.append(f"{started}{_parameters(body)}")
    return PipelineStep(text(task.get("task_key")), task.line, "\n".join(lines), line, folder=folder_of(path))


def _parameters(body: Node) -> str:
    """What a task hands to its code, as words of a command: a notebook's parameters are written like options.

    Fact: https://docs.databricks.com/api/workspace/jobs/create (`base_parameters`, `named_parameters`, `parameters`)
    """
    words = list(listed(body.get("parameters")))
    for key in ("base_parameters", "named_parameters"):
        named = body.get(key)
        for name, value in named.entries if named is not None else ():
            if value.kind == "scalar":
                words.append(f"--{name}={value.text}")
    shown = [word for word in words[:_MAX_PARAMETERS] if len(word) < _MAX_WORD and "\n" not in word]
    return f" {shlex.join(shown)}" if shown else ""


def _with_suffix(target: str) -> str:
    """A notebook's path is written without its suffix."""
    return target if "." in target.rpartition("/")[2] else f"{target}.py"


# Of the first version of Azure ML, which names a script in a folder instead of a command:
# https://learn.microsoft.com/azure/machine-learning/v1/reference-pipeline-yaml
_SCRIPT_STEPS = frozenset({"PythonScriptStep", "EstimatorStep", "MpiStep", "ParallelRunStep", "HyperDriveStep"})


def is_azure_ml_v1(document: Node) -> bool:
    """Whether this is a pipeline of the first version of Azure ML: `pipeline: steps:` by name, each with its type."""
    steps = document.path("pipeline", "steps")
    return steps is not None and any(text(step.get("type")) in _SCRIPT_STEPS for _, step in steps.entries[:50])


def azure_ml_v1(path: str, document: Node) -> Pipeline:
    """The steps of such a pipeline. A folder with a leading slash is one of the repository."""
    steps = document.path("pipeline", "steps")
    assert steps is not None
    found = []
    for name, step in steps.entries[:200]:
        script, place = step.get("script_name"), text(step.get("source_directory"))
        folder = place.strip("/") if place.startswith("/") else below(folder_of(path), place)
        words = shlex.join(("python", text(script), *listed(step.get("arguments")))) if text(script) else ""
        line, params = (script or step).line, step.get("parameters") is not None
        found.append(
            PipelineStep(text(step.get("name")) or name, step.at, words, line, folder=folder, has_params=params)
        )
    return Pipeline("azure-ml", text(document.path("pipeline", "name")) or "pipeline", path, steps.at, tuple(found))


def is_azure_ml(document: Node) -> bool:
    """Whether this is an Azure ML pipeline job or component."""
    jobs = document.get("jobs")
    schema = text(document.get("$schema"))
    kind = text(document.get("type")) == "pipeline" or "pipelineJob" in schema or "pipelineComponent" in schema
    return kind and jobs is not None and jobs.kind == "mapping"


def azure_ml(path: str, document: Node) -> Pipeline:
    """The steps of an Azure ML pipeline job; one that uses a component says which, and has no command yet."""
    jobs = document.get("jobs")
    assert jobs is not None
    steps = tuple(azure_ml_step(path, name, job) for name, job in jobs.entries[:200])
    return Pipeline("azure-ml", text(document.get("display_name")) or "pipeline", path, jobs.at, steps)


def azure_ml_step(path: str, name: str, job: Node) -> PipelineStep:
    """What a job of a pipeline, or a component, runs: a command, the entry script of a parallel job, or AutoML.

    `component`, and `trial` of a sweep, name a component, or hold one. Facts:
    https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline,
    https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-sweep and
    https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-parallel
    """
    used = job.get("component") or job.get("trial")
    body = used if used is not None and used.kind == "mapping" else job
    task = body.get("task")
    lines, line = command(body.get("command"))
    parallel = task if task is not None and task.kind == "mapping" else None
    folder = below(folder_of(path), text((parallel or body).get("code")))
    entry = text(parallel.get("entry_script")) if parallel is not None else ""
    return PipelineStep(
        name,
        job.at,
        lines,
        line,
        does=frozenset({"train"} if text(body.get("type")) == "automl" else ()),
        folder=folder,
        has_params=job.get("inputs") is not None,
        calls_all_of=below(folder, entry) if entry.endswith(".py") else "",
        component=text(used),
    )
