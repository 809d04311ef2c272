"""What starts a CI job behind its own triggers: the clock of another workflow, a push of data, a monitor that asks."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import Trigger, Workflow
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop

_DATA = regex(r"!?(\./)?(\*\*/)?((data|dataset|datasets)(/.*)?|(.*/)?(data|dataset|datasets)/.*|.*\.(dvc|csv|parquet))")
_SENSOR = regex(
    r"airflow\.([\w.]+\.)?(File|S3Key|S3KeysUnchanged|S3Prefix|GCSObjectExistence|GCSObjectUpdate\w*"
    r"|GCSObjectsWithPrefixExistence|WasbBlob|WasbPrefix|Sql|HivePartition|BigQueryTableExistence)Sensor",
    words=("airflow.",),
)
_ASKING = ("gh", "workflow", "run")
_MONITORS = frozenset({"schedule", "external"})


def after_clock(context: Context, run: Run) -> bool:
    """Whether the workflow of a job runs after another one that a clock starts (`workflow_run` of GitHub)."""
    if "chained" not in run.start.triggers:
        return False
    after = [f" {trigger.detail} " for trigger in _triggers(context, run) if trigger.kind == "chained"]
    return any(
        trigger.kind == "schedule"
        for item in _loaded(context)
        if item.path != run.start.workflow and any(f" {item.name} " in names for names in after)
        for trigger in item.triggers
    )


def on_data(context: Context, run: Run) -> Evidence | None:
    """The trigger of a job's workflow that only a change of data fires: a push with no other paths in its filter."""
    if "push" not in run.start.triggers:
        return None
    for trigger in _triggers(context, run):
        wanted = [path for path in trigger.paths if not path.startswith("!")]
        if trigger.kind == "push" and wanted and all(_DATA.fullmatch(path) for path in wanted):
            return context.evidence(run.start.workflow, trigger.line, Hop.TRIGGER)
    return None


def waiting(context: Context, run: Run) -> Evidence | None:
    """Where a scheduled DAG of Airflow waits for data before its other tasks: a sensor for files or rows; or None.

    Fact: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/sensors.html
    """
    for path, scope in run.entries if run.start.kind == "schedule" and not run.words else ():
        for call in context.index.calls_in(path, scope):
            if call.name.endswith("Sensor") and _SENSOR.fullmatch(call.name) is not None:
                return context.evidence(path, call.line, Hop.TRIGGER)
    return None


class Asked(Struct, frozen=True):
    """Where a job that a clock or a message starts asks for a workflow by a name, and whether on a condition."""

    name: str
    place: Evidence
    conditional: bool


def asked(context: Context, run: Run) -> Asked | None:
    """Where a job that a clock or a message starts asks for the workflow of a run, or None.

    Fact: https://cli.github.com/manual/gh_workflow_run (a workflow is told by its file, its path or its name)
    """
    names = {run.start.workflow, run.start.workflow.rpartition("/")[2]}
    names.update(item.name for item in _loaded(context) if item.path == run.start.workflow)
    return next((found for found in _asking(context) if found.name in names), None)


@kept
def _asking(context: Context) -> tuple[Asked, ...]:
    """All that ask so."""
    found = []
    for run in context.automation.runs:
        if run.words[:3] != _ASKING or run.start.kind != "ci" or run.start.blocked:
            continue
        if _MONITORS.isdisjoint(run.start.triggers):
            continue
        name = next((word for word in run.words[3:] if not word.startswith("-")), "")
        place = context.evidence(run.location.path, run.location.line, Hop.TRIGGER)
        found.append(Asked(name, place, _conditional(context, run)))
    return tuple(found)


def _conditional(context: Context, run: Run) -> bool:
    """Whether the step that a command stands in, or its job, has a condition."""
    for job in context.automation.declared(run.start.workflow, run.start.job):
        if job.condition or any(s.condition and s.line <= run.location.line <= s.end_line for s in job.steps):
            return True
    return False


def _triggers(context: Context, run: Run) -> Iterator[Trigger]:
    return (t for item in _loaded(context) if item.path == run.start.workflow for t in item.triggers)


def _loaded(context: Context) -> Iterator[Workflow]:
    return (item for item in context.automation.workflows if not item.unloaded)
