"""The schedules and sensors of Dagster, and what the jobs that they start run.

Facts: https://docs.dagster.io/guides/automate/schedules (`ScheduleDefinition(job=…, cron_schedule=…)`, the decorator
`schedule`, `default_status`), https://docs.dagster.io/guides/automate/sensors and
https://docs.dagster.io/guides/build/jobs/asset-jobs (`define_asset_job`: the assets of its `selection`, or all) and
https://docs.dagster.io/guides/automate/declarative-automation (`AutomationCondition` of an asset). A
schedule without a status has to be switched on in the interface, as a DAG of Airflow; one that is `STOPPED` is off.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mlops_scan.automation.model import Run, Start
from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above, holds
from mlops_scan.words import Evidence, Hop, Location

_SCHEDULES = ("ScheduleDefinition", "schedule", "build_schedule_from_partitioned_job")
_SENSORS = ("SensorDefinition", "sensor", "asset_sensor", "multi_asset_sensor")
_ASSET_JOB = "define_asset_job"
_ALL = ("*", "AssetSelection.all")
_STOPPED = ("DefaultScheduleStatus.STOPPED", "DefaultSensorStatus.STOPPED")
_ASSETS = frozenset({"dagster.asset", "dagster.multi_asset"})
_GROUPS = ".AssetSelection.groups"
_MARKS = "*+"  # `+model*`: what an asset is made of, or what is made of it, belongs to the selection, too
_CONDITIONS = {"on_cron": "schedule", "eager": "event"}  # of `AutomationCondition`, which an asset is given
_NAMED = regex(r"\b(?:job|job_name|target)\s*=\s*[\"']?([A-Za-z_]\w*)|build_schedule_from_partitioned_job\(\s*(\w+)")
_MAX_LINES = 40  # of one call


class _Job(Struct, frozen=True):
    """An asset job: the variable that holds it, its name, and the code of its assets; None where that is not known."""

    variable: str
    name: str
    entries: tuple[Node, ...] | None


class _Asset(Struct, frozen=True):
    """An asset: its name, the group that its decorator gives it, and its code."""

    name: str
    group: str
    node: Node


def dagster_starts(index: CodeIndex, documents: Documents) -> Iterator[Run]:
    """What the schedules and sensors of Dagster start; nothing for a job that cannot be told."""
    modules = {path: module for path, module in index.modules.items() if "dagster" in module.roots}
    assets = [asset for path, module in modules.items() for asset in _defined(path, module, index)]
    jobs = [job for path, module in modules.items() for job in _asset_jobs(path, module, index, documents, assets)]
    for path, module in modules.items():
        for call in module.calls:
            name = index.resolve(path, call.name).name
            kind, label = _kind(name, call)
            entries = _started(path, call, index, documents, jobs) if kind else ()
            if not kind and name.startswith("dagster.") and ".AutomationCondition." in name:
                label = name.rpartition(".")[2]
                kind, entries = _CONDITIONS.get(label, ""), _asset_of(path, module, call)
            if not kind or not entries:
                continue
            evidence = Evidence(Location(path, call.line), Hop.TRIGGER, label)
            off = "its `default_status` is `STOPPED`" if any(ref.endswith(_STOPPED) for ref in call.refs) else ""
            start = Start(kind, label, evidence, blocked=off)
            yield Run(start, (), Location(path, call.line, call.end_line), (evidence,), entries=entries)


def _kind(name: str, call: Call) -> tuple[str, str]:
    """What kind of start a call defines, with its label: "schedule", "event", or nothing."""
    last = name.rpartition(".")[2] if name.startswith("dagster.") else ""
    if last in _SENSORS:
        return "event", last
    cron = call.keyword("cron_schedule")
    clock = last.startswith("build_") or any(keyword == "cron_schedule" for keyword, _ in call.keywords)
    return ("schedule", f"cron_schedule={cron or '…'}") if last in _SCHEDULES and clock else ("", "")


def _asset_of(path: str, module: Module, condition: Call) -> tuple[Node, ...]:
    """The asset in whose decorator a condition stands."""
    decorators = [
        call
        for call in module.calls
        if call.line <= condition.line and condition.end_line <= call.end_line and call is not condition
    ]
    below = [
        function
        for function in module.functions.values()
        if function.line >= condition.line and any(call.name in function.decorators for call in decorators)
    ]
    nearest = min(below, key=lambda function: function.line, default=None)
    return ((path, nearest.qualname),) if nearest is not None else ()


def _started(path: str, call: Call, index: CodeIndex, documents: Documents, jobs: list[_Job]) -> tuple[Node, ...]:
    """The code that a schedule or sensor starts: the function of a job, or the assets of an asset job."""
    match = _NAMED.search(_text(path, call, documents))
    named = (match.group(1) or match.group(2)) if match is not None else ""
    if not named:
        return ()
    functions = [node for node in _functions(path, call.refs, index) if node[1].rpartition(".")[2] == named]
    if functions:
        return tuple(functions[:1])
    fitting = [job for job in jobs if job.variable == named] or [job for job in jobs if job.name == named]
    return fitting[0].entries or () if len(fitting) == 1 else ()


def _defined(path: str, module: Module, index: CodeIndex) -> Iterator[_Asset]:
    """The assets of a module."""
    for qualname, function in module.functions.items():
        own = [name for name in function.decorators if index.resolve(path, name).name in _ASSETS]
        if own:
            given = [
                call for call in module.calls if call.name in own and call.line <= function.line <= call.end_line + 1
            ]
            name = next((found for call in given if (found := call.keyword("name"))), qualname)
            group = next((found for call in given if (found := call.keyword("group_name"))), "")
            yield _Asset(name, group, (path, qualname))


def _asset_jobs(
    path: str, module: Module, index: CodeIndex, documents: Documents, assets: list[_Asset]
) -> Iterator[_Job]:
    for call in module.calls:
        if index.resolve(path, call.name).name != f"dagster.{_ASSET_JOB}":
            continue
        variable, equals, _ = documents.text(path).split("\n")[call.line - 1].partition("=")
        name = call.keyword("name") or next(iter(call.args[:1]), None) or ""
        held = variable.partition(":")[0].strip() if equals else ""
        yield _Job(held if held.isidentifier() else "", name, _assets(path, module, call, index, assets))


def _assets(path: str, module: Module, job: Call, index: CodeIndex, assets: list[_Asset]) -> tuple[Node, ...] | None:
    """The code of the assets that a job selects; that around its module where it takes all, None where unknown."""
    inside = [call for call in module.calls if job.line <= call.line and call.end_line <= job.end_line]
    functions = [node for call in inside for node in _functions(path, call.refs, index)]
    if functions:
        return tuple(dict.fromkeys(functions))
    near = _around(path, assets)
    selection = dict(job.keywords).get("selection", job.args[1] if len(job.args) > 1 else "*")
    if selection in _ALL or any(call.name.endswith(_ALL[1]) for call in inside):
        return ((path, ""), *(asset.node for asset in near))
    name = job.keyword("name") or next(iter(job.args[:1]), None) or ""
    named = {text.strip(_MARKS) for line, text in module.strings if job.line <= line <= job.end_line} - {name}
    grouped = any(call.name.endswith(_GROUPS) for call in inside)
    chosen = [asset.node for asset in near if (asset.group if grouped else asset.name) in named]
    return tuple(chosen) or None


def _around(path: str, assets: list[_Asset]) -> list[_Asset]:
    """The assets in the folder of a file, or in the nearest one above it that has any: a repository may hold many."""
    for folder in above(path.rpartition("/")[0]):
        near = [asset for asset in assets if holds(folder, asset.node[0])]
        if near:
            return near
    return []


def _functions(path: str, refs: tuple[str, ...], index: CodeIndex) -> Iterator[Node]:
    """The first-party functions among the names that a call hands over."""
    for name in refs:
        target = index.resolve(path, name)
        if target.first_party and index.defines(target.path, target.qualname):
            yield target.path, target.qualname


def _text(path: str, call: Call, documents: Documents) -> str:
    """The lines of a call."""
    last = min(call.end_line, call.line + _MAX_LINES)
    return "\n".join(documents.text(path).split("\n")[call.line - 1 : last])
