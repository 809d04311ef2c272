"""Everything that starts something: CI jobs, clocks, declared pipelines, services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.automation.resolve import Resolver
from mlops_scan.ci import github
from mlops_scan.ci.model import AUTOMATIC, Job, Step, Workflow
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.node import Node as Value
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Use
from mlops_scan.words import Evidence, Hop, Location, Role

_EVENT = re.compile(r"github\.event_name\s*(==|!=)\s*'(\w+)'")
_MAX_CALLS = 3


# -- CI ----------------------------------------------------------------------------------------------------------------


def ci_runs(workflows: Sequence[Workflow], resolver: Resolver, documents: Documents) -> Iterator[Run]:
    """What the jobs of all loaded CI definitions run."""
    by_path = {workflow.path: workflow for workflow in workflows}
    for workflow in workflows:
        if workflow.unloaded:
            continue
        for job in workflow.jobs:
            start = ci_start(workflow, job)
            if start is not None:
                yield from _job(workflow, job, start, by_path, resolver, documents, 0)


def ci_start(workflow: Workflow, job: Job) -> Start | None:
    """The start that a job is; None for jobs of workflows that only others call."""
    triggers = [trigger for trigger in workflow.triggers_of(job) if trigger.kind != "called"]
    if not triggers and any(trigger.kind == "called" for trigger in workflow.triggers):
        return None
    kinds = _restricted({trigger.kind for trigger in triggers}, job.condition)
    chosen = next(
        (trigger for trigger in triggers if trigger.kind in kinds & AUTOMATIC), triggers[0] if triggers else None
    )
    line = chosen.line if chosen is not None else job.line
    blocked = job.never or ("a person must start this job" if job.manual else "")
    if not blocked and not kinds & AUTOMATIC:
        blocked = "only a person can start it" if "manual" in kinds else "nothing starts it"
    label = f"{workflow.name} / {job.id}"
    text = f"on: {', '.join(sorted(kinds)) or 'nothing'}" + (
        f" ({chosen.detail})" if chosen is not None and chosen.kind == "schedule" else ""
    )
    return Start(
        kind="ci",
        label=label,
        evidence=Evidence(Location(workflow.path, line), Hop.TRIGGER, text),
        triggers=frozenset(kinds),
        blocked=blocked,
        may_fail=job.may_fail,
        workflow=workflow.path,
        job=job.id,
        environment=job.environment,
    )


def _restricted(kinds: set[str], condition: str) -> set[str]:
    """Trigger kinds left by a job's `if: github.event_name == '…'`."""
    names = {"workflow_dispatch": "manual", "repository_dispatch": "external", "workflow_run": "chained"}
    equal = {names.get(name, name) for operator, name in _EVENT.findall(condition) if operator == "=="}
    unequal = {names.get(name, name) for operator, name in _EVENT.findall(condition) if operator == "!="}
    if equal and "||" not in condition.replace("'", "").partition("event_name")[0]:
        kinds = kinds & equal if kinds & equal or "refs/" not in condition else kinds
    return kinds - unequal


def _job(
    workflow: Workflow,
    job: Job,
    start: Start,
    by_path: Mapping[str, Workflow],
    resolver: Resolver,
    documents: Documents,
    depth: int,
) -> Iterator[Run]:
    if job.uses.startswith("./") and depth < _MAX_CALLS:
        called = by_path.get(job.uses[2:].partition("@")[0])
        if called is not None:
            for inner in called.jobs:
                yield from _job(
                    called,
                    inner,
                    replace(start, may_fail=start.may_fail or inner.may_fail),
                    by_path,
                    resolver,
                    documents,
                    depth + 1,
                )
        return
    if job.uses:
        where = Location(workflow.path, job.line)
        yield Run(
            start,
            ("uses", job.uses),
            where,
            (start.evidence,),
            unresolved=f"the reusable workflow {job.uses} is in another repository",
        )
    for step in job.steps:
        yield from _step(workflow.path, step, start, resolver, documents, depth)


def _step(path: str, step: Step, start: Start, resolver: Resolver, documents: Documents, depth: int) -> Iterator[Run]:
    if step.script:
        yield from resolver.script(
            step.script, path, step.script_line, start, folder=step.folder, errexit=step.errexit, may_fail=step.may_fail
        )
    elif step.uses.startswith("./") and depth < _MAX_CALLS:
        folder = step.uses[2:].strip("/")
        for name in (f"{folder}/action.yml", f"{folder}/action.yaml"):
            for node in documents.nodes(name) if name in documents.files else ():
                for inner in github.parse_action(node, ""):
                    yield from _step(name, inner, start, resolver, documents, depth + 1)
    elif step.uses:
        yield from resolver.step(path, step.line, step.uses, dict(step.inputs), start, step.may_fail)
        script = step.inputs.get("script") or step.inputs.get("inlineScript") or step.inputs.get("run")
        if script and "github-script" not in step.uses:
            yield from resolver.script(script, path, step.line, start, may_fail=step.may_fail)


# -- declared pipelines ------------------------------------------------------------------------------------------------


def pipeline_runs(pipelines: Sequence[Pipeline], resolver: Resolver) -> Iterator[Run]:
    """What the steps of declared pipelines run, with the pipeline as the start."""
    for pipeline in pipelines:
        evidence = Evidence(Location(pipeline.path, pipeline.line), Hop.TRIGGER, f"{pipeline.tool}: {pipeline.name}")
        start = Start("pipeline", f"{pipeline.tool} pipeline {pipeline.name}", evidence)
        yield from resolver.pipeline_start(pipeline, start)


def code_pipelines(uses: Sequence[Use], index: CodeIndex) -> Iterator[tuple[Use, tuple[Node, ...]]]:
    """Pipelines that Python code defines: the defining use and the scopes its definition runs."""
    for use in uses:
        if "define-pipeline" not in use.does or use.location.path not in index.modules:
            continue
        module = index.modules[use.location.path]
        if use.scope in module.classes:
            item = module.classes[use.scope]
            yield use, tuple((module.path, f"{use.scope}.{method}") for method in item.methods)
        else:
            # a DAG built at module level, or a decorated or building function
            yield use, ((module.path, use.scope),)


def code_pipeline_runs(uses: Sequence[Use], index: CodeIndex) -> Iterator[Run]:
    """What pipelines defined in Python code run, with the pipeline as the start."""
    for use, entries in code_pipelines(uses, index):
        evidence = Evidence(use.location, Hop.TRIGGER, use.name)
        yield Run(Start("pipeline", use.name, evidence), (), use.location, (evidence,), entries=entries)


# -- clocks ------------------------------------------------------------------------------------------------------------

_SCHEDULE_KEYWORDS = ("schedule", "schedule_interval", "timetable", "cron", "cron_schedule", "schedule_cron_expression", "cron_expression", "interval", "rrule", "quartz_cron_expression")  # fmt: skip
_NEVER = frozenset({"none", "@once", "false", "", "null"})
_LOOP = re.compile(
    r"schedule\.every(\..+)?\.do|.*\.add_job|.*\.serve|.*\.deploy|.*\.create_schedule|.*\.create_recurring_run"
)


def schedule_of(call: Call) -> tuple[str, str] | None:
    """The (keyword, value) with which a call sets a clock; the value is empty when it is no constant. None without one."""
    given = dict(call.keywords)
    for name in _SCHEDULE_KEYWORDS:
        if name in given:
            return name, given[name] or ""
    return None


def paused(call: Call) -> str:
    """Why a schedule set by this call is off, or empty."""
    given = dict(call.keywords)
    if given.get("is_paused_upon_creation") == "true" or given.get("paused") == "true":
        return "it is paused when created"
    found = schedule_of(call)
    if found is not None and found[1].lower() in _NEVER and given.get(found[0]) is not None:
        return f"`{found[0]}={found[1]}` never fires by itself"
    return ""


def code_schedules(uses: Sequence[Use], index: CodeIndex) -> Iterator[Run]:
    """Code that a clock starts: scheduled DAGs and flows, `schedule.every().day.do(job)`, APScheduler, deployments."""
    defined = {(use.location.path, use.location.line): use for use in uses if "define-pipeline" in use.does}
    for path, module in index.modules.items():
        for call in module.calls:
            definition = defined.get((path, call.line))
            loop = _LOOP.fullmatch(index.resolve(path, call.name).name) if definition is None else None
            if definition is None and loop is None:
                continue
            clock = schedule_of(call)
            if definition is not None and clock is None and not _airflow2_default(definition, module.roots):
                continue
            if loop is not None and clock is None and not call.name.endswith((".do", ".add_job")):
                continue
            label = (
                f"{clock[0]}={clock[1] or '…'}" if clock else "default schedule" if definition else "scheduled in code"
            )
            evidence = Evidence(Location(path, call.line), Hop.TRIGGER, label)
            start = Start("schedule", label, evidence, blocked=paused(call))
            yield Run(
                start, (), Location(path, call.line, call.end_line), (evidence,), entries=_scheduled(path, call, index)
            )


def _airflow2_default(definition: Use, roots: frozenset[str]) -> bool:
    return False  # an omitted schedule means daily in Airflow 2 and none in 3; without the version it is not claimed


def _scheduled(path: str, call: Call, index: CodeIndex) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for name in (call.name.rpartition(".")[0], *call.refs):
        target = index.resolve(path, name) if name else None
        if target is not None and target.first_party:
            nodes.append((target.path, target.qualname))
    decorated = [
        f
        for f in index.modules[path].functions.values()
        if call.line <= f.line <= call.end_line + 3 and any(f.decorators)
    ]
    nodes.extend((path, f.qualname) for f in decorated)
    return tuple(dict.fromkeys([*nodes, (path, call.scope)] if not nodes or call.scope == "" else nodes))


# -- services ----------------------------------------------------------------------------------------------------------


def service_runs(documents: Documents, resolver: Resolver) -> Iterator[Run]:
    """What deployed images and compose services run."""
    for path, file in documents.files.items():
        if file.role in (Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST):
            continue
        if language_of(path) == "dockerfile":
            start = Start("service", path, Evidence(Location(path, 1), Hop.TRIGGER, "container image"))
            yield from resolver.service(path, start)
        elif re.fullmatch(r"(docker-)?compose[^/]*\.ya?ml", file.name):
            for document in documents.nodes(path):
                yield from _compose(path, document, resolver)


def _compose(path: str, document: Value, resolver: Resolver) -> Iterator[Run]:
    services = document.get("services")
    for name, service in services.entries if services is not None else ():
        evidence = Evidence(Location(path, service.at), Hop.TRIGGER, f"compose service {name}")
        start = Start("service", f"compose service {name}", evidence)
        command = service.get("command") or service.get("entrypoint")
        if command is not None:
            yield from resolver.script(
                " ".join(command.strings()), path, command.line, start, folder=path.rpartition("/")[0]
            )
        else:
            build = service.get("build")
            context = build.get("context") if build is not None and build.kind == "mapping" else build
            file = build.get("dockerfile") if build is not None and build.kind == "mapping" else None
            if context is not None:
                folder = "/".join(p for p in (path.rpartition("/")[0], (context.string() or "").strip("./")) if p)
                target = "/".join(p for p in (folder, (file.string() if file is not None else "Dockerfile") or "") if p)
                if target in resolver.documents.files:
                    yield from resolver.service(target, start)
