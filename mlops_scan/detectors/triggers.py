"""What starts a CI job behind its own triggers: the clock of another workflow, a push of data, a monitor that asks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from msgspec import Struct

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import Trigger, Workflow
from mlops_scan.code.facts import Call
from mlops_scan.detectors.base import ASSIGNED, Context
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.watched import asks_outcome
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Evidence, Hop

_DATA = regex(r"!?(\./)?(\*\*/)?((data|dataset|datasets)(/.*)?|(.*/)?(data|dataset|datasets)/.*|.*\.(dvc|csv|parquet))")
_SENSOR = regex(
    r"airflow\.([\w.]+\.)?(File|S3Key|S3KeysUnchanged|S3Prefix|GCSObjectExistence|GCSObjectUpdate\w*"
    r"|GCSObjectsWithPrefixExistence|WasbBlob|WasbPrefix|Sql|HivePartition|BigQueryTableExistence)Sensor",
    words=("airflow.",),
)
_ASKING = regex(
    r"gh workflow run +(?:(?:-[rfF]|--(?:ref|raw-field|field|repo))[ =][^ \n]{1,200} +|-R [^ \n]{1,200} +){0,5}"
    r"(?:\"([^\"\n]{1,100})\"|'([^'\n]{1,100})'|([\w./][\w./-]{0,100}))",
    words=("gh workflow run",),
)
_ELSEWHERE = regex(r"(?:-R|--repo)[ =][\"']?[\w.-]{1,60}/[\w.-]")  # a variable may well be this repository
_MONITORS = frozenset({"schedule", "external"})


def after_clock(context: Context, run: Run) -> bool:
    """Whether the workflow of a job runs after another one that a clock starts (`workflow_run` of GitHub)."""
    if "chained" not in run.start.triggers:
        return False
    after = [trigger for trigger in _triggers(context, run) if trigger.kind == "chained"]
    return any(
        trigger.kind == "schedule"
        for item in loaded(context)
        if item.path != run.start.workflow and any(follows(context, before, item.name) for before in after)
        for trigger in item.triggers
    )


def follows(context: Context, trigger: Trigger, name: str) -> bool:
    """Whether a trigger waits for the workflow of a name, and not only for another whose name has that one in it."""
    awaited = f" {trigger.detail} "
    if not name or f" {name} " not in awaited:
        return False
    for other in sorted((item.name for item in loaded(context)), key=len, reverse=True):
        if len(other) > len(name) and f" {name} " in f" {other} ":
            awaited = awaited.replace(f" {other} ", "  ")
    return f" {name} " in awaited


def on_data(context: Context, run: Run) -> Evidence | None:
    """The trigger of a job's workflow that only a change of data fires: a push with no other paths in its filter."""
    if "push" not in run.start.triggers:
        return None
    for trigger in _triggers(context, run):
        wanted = [path for path in trigger.paths if not path.startswith("!")]
        if trigger.kind == "push" and wanted and all(_is_data(context, path) for path in wanted):
            return context.evidence(run.start.workflow, trigger.line, Hop.TRIGGER)
    return None


def _is_data(context: Context, pattern: str) -> bool:
    """Whether a pattern is one of data by its name; `src/data/**` where code lies is none."""
    folder = pattern.removeprefix("./").rstrip("*/")
    return _DATA.fullmatch(pattern) is not None and not any(
        path.startswith(f"{folder}/") for path, _ in context.modules(notebooks=False)
    )


def waiting(context: Context, run: Run) -> Evidence | None:
    """Where a scheduled DAG of Airflow waits for data before its other tasks: a sensor for files or rows; or None.

    Fact: https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/sensors.html
    """
    for path, scope in run.entries if run.start.kind == "schedule" and not run.words else ():
        for call in context.index.calls_in(path, scope):
            if call.name.endswith("Sensor") and _SENSOR.fullmatch(call.name) and _stands_before(context, path, call):
                return context.evidence(path, call.line, Hop.TRIGGER)
    return None


def _stands_before(context: Context, path: str, task: Call) -> bool:
    """Whether other tasks come behind one, as far as that shows; one that no variable holds may be anywhere."""
    made = ASSIGNED.match(context.line(path, task.line))
    if made is None:
        return True
    name, text = re.escape(made.group(1)), context.documents.text(path)
    if has_any(text, ("set_upstream(", "set_downstream(", "chain(", "cross_downstream(")):
        return True
    behind = rf"\b{name}\b(?:[^\n>]{{0,200}}|[\s\])\\]{{0,99}})>>|<<[\s\[(\\]{{0,99}}[\w, ]{{0,200}}\b{name}\b"
    return re.search(behind, text) is not None


class Asked(Struct, frozen=True):
    """Where a job that a clock or a message starts asks for a workflow by a name, and whether on a condition."""

    name: str
    place: Evidence
    conditional: bool


def asked(context: Context, run: Run) -> Asked | None:
    """Where a job that a clock or a message starts asks for the workflow of a run, or None."""
    names = names_of(context, run.start.workflow)
    return next((found for found in _asking(context) if found.name in names), None)


def names_of(context: Context, path: str) -> frozenset[str]:
    """What a workflow is asked for by: its path, its file or its name."""
    return frozenset((path, path.rpartition("/")[2], *(item.name for item in loaded(context) if item.path == path)))


def workflows_asked_for(text: str) -> Iterator[str]:
    """The names, files or paths of the workflows that commands in a text ask for; no others than of this repository.

    Fact: https://cli.github.com/manual/gh_workflow_run
    """
    for match in _ASKING.finditer(text):
        end = text.find("\n", match.start())
        if not _ELSEWHERE.search(text, match.start(), end if end >= 0 else len(text)):
            yield next(filter(None, match.groups()))


@kept
def _asking(context: Context) -> tuple[Asked, ...]:
    """All that ask so."""
    found: list[Asked] = []
    for run in context.automation.runs:
        if run.words[:3] != ("gh", "workflow", "run") or run.start.kind != "ci" or run.start.blocked:
            continue
        if _MONITORS.isdisjoint(run.start.triggers):
            continue
        place = context.evidence(run.location.path, run.location.line, Hop.TRIGGER)
        names = workflows_asked_for(shlex.join(run.words))
        found += [Asked(name, place, _conditional(context, run)) for name in names]
    return tuple(found)


def _conditional(context: Context, run: Run) -> bool:
    """Whether the step that a command stands in, or its job, asks for what came out of another one."""
    for job in context.automation.declared(run.start.workflow, run.start.job):
        if asks_outcome(job.condition) or any(
            asks_outcome(s.condition) and s.line <= run.location.line <= s.end_line for s in job.steps
        ):
            return True
    return False


def _triggers(context: Context, run: Run) -> Iterator[Trigger]:
    return (t for item in loaded(context) if item.path == run.start.workflow for t in item.triggers)


def loaded(context: Context) -> Iterator[Workflow]:
    """The workflows that the provider reads."""
    return (item for item in context.automation.workflows if not item.unloaded)
