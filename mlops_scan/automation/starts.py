"""Everything that starts something: CI jobs, clocks, declared pipelines, services."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.automation import elsewhere, images
from mlops_scan.automation.clocks import code_schedules, deployments, paused, schedule_of
from mlops_scan.automation.handed import Command, Handed
from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.automation.paths import join
from mlops_scan.automation.resolve import Resolver
from mlops_scan.ci.model import AUTOMATIC, Job, Step, Workflow
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location, Role

__all__ = [
    "ci_runs",
    "ci_start",
    "code_pipeline_runs",
    "code_pipelines",
    "code_schedules",
    "deployments",
    "paused",
    "pipeline_runs",
    "schedule_of",
    "service_runs",
]

_EVENT = regex(r"github\.event_name\s*(==|!=)\s*'(\w+)'")
_INPUT = regex(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*(?:\|\|\s*'([^']{0,400})'\s*)?\}\}")
_PROCESS = regex(r"[A-Za-z0-9_-]+")
_SHELL_INPUTS = ("script", "inlineScript", "run", "command")  # of actions that run a text in a shell
_MAX_CALLS = 3
_MAX_PROCESSES = 100
UNKNOWN_START = "what starts it is set on the CI server, not in the repository"


# -- CI --------------------------------------------------------------------------------------------------------------


class _Call(Struct, frozen=True):
    """How a job was come to: the hops of reusable workflows and composite actions, and what they were given."""

    via: tuple[Evidence, ...] = ()
    inputs: Mapping[str, str] | None = None

    def deeper(self, hop: Evidence, inputs: Mapping[str, str], defaults: Mapping[str, str]) -> _Call:
        given = {name: self.filled(value) for name, value in inputs.items()}
        return _Call((*self.via, hop), {**defaults, **{name: value for name, value in given.items() if value}})

    def filled(self, text: str) -> str:
        """The text with the inputs filled in that were given; of `inputs.name || 'default'` else the default."""
        given = self.inputs or {}
        return _INPUT.sub(lambda m: given.get(m.group(1)) or (m.group() if m.group(2) is None else m.group(2)), text)


def ci_runs(workflows: Sequence[Workflow], resolver: Resolver, documents: Documents) -> Iterator[Run]:
    """What the jobs of all loaded CI definitions run."""
    jobs = _Jobs({workflow.path: workflow for workflow in workflows if not workflow.unloaded}, resolver, documents)
    for workflow in workflows:
        if workflow.unloaded:
            continue
        for job in workflow.jobs:
            start = ci_start(workflow, job)
            if start is not None:
                yield from jobs.runs(workflow, job, start, _Call())


def ci_start(workflow: Workflow, job: Job) -> Start | None:
    """The start that a job is; None for jobs of workflows that only others call."""
    triggers = [trigger for trigger in workflow.triggers_of(job) if trigger.kind != "called"]
    if not triggers and any(trigger.kind == "called" for trigger in workflow.triggers):
        return None
    kinds = _restricted({trigger.kind for trigger in triggers if trigger.kind != "never"}, job.condition)
    never = next((trigger for trigger in triggers if trigger.kind == "never"), None)
    chosen = next((trigger for trigger in triggers if trigger.kind in kinds & AUTOMATIC), None) or never
    chosen = chosen or next(
        (trigger for trigger in triggers if trigger.kind in kinds), triggers[0] if triggers else None
    )
    line = chosen.line if chosen is not None else job.line
    assumed = chosen is not None and chosen.assumed
    clock = f" ({chosen.detail})" if chosen is not None and (chosen.kind == "schedule" or assumed) else ""
    return Start(
        kind="ci",
        label=f"{workflow.name} / {job.id}",
        evidence=Evidence(Location(workflow.path, max(1, line)), Hop.TRIGGER, f"on: {_shown(kinds)}{clock}"),
        triggers=frozenset(kinds),
        blocked=_blocked(job, kinds, never.detail if never is not None else ""),
        may_fail=job.may_fail,
        workflow=workflow.path,
        job=job.id,
        environment=job.environment,
        approval=job.approval,
        assumed=assumed,
    )


def _shown(kinds: set[str]) -> str:
    named = sorted(kinds - {"server"})
    return ", ".join(named) or ("something set outside the repository" if kinds else "nothing")


def _blocked(job: Job, kinds: set[str], never: str = "") -> str:
    if job.never or job.manual:
        return job.never or "a person must start this job"
    if kinds & AUTOMATIC:
        return ""
    if "server" in kinds:
        return UNKNOWN_START
    found = "only a person can start it" if "manual" in kinds else "nothing starts it"
    return f"{found}: {never}" if never else found


def _restricted(kinds: set[str], condition: str) -> set[str]:
    """Trigger kinds left by a condition on `github.event_name`; every alternative of the condition must name one."""
    from mlops_scan.ci import github

    left: set[str] = set()
    for option in condition.split("||"):
        tests = [(operator, github.EVENTS.get(name, "other")) for operator, name in _EVENT.findall(option)]
        equal = {kind for operator, kind in tests if operator == "=="}
        unequal = {kind for operator, kind in tests if operator == "!="}
        left |= (kinds & equal if equal else kinds) - unequal
    return left


class _Jobs(Struct, frozen=True):
    """Follows jobs into the workflows and actions of the same repository."""

    by_path: Mapping[str, Workflow]
    resolver: Resolver
    documents: Documents
    actions: dict[str, tuple[tuple[Step, ...], Mapping[str, str]]] = field(default_factory=dict)
    """The steps of composite actions, and what their inputs are by default, by their files."""

    def runs(self, workflow: Workflow, job: Job, start: Start, call: _Call) -> Iterator[Run]:
        """What a job runs, whose own start, or whose caller's, is `start`."""
        if self.resolver.exhausted(start):
            return
        if not job.uses:
            for step in job.steps:
                yield from self._step(workflow.path, step, start, call)
            return
        where = Location(workflow.path, job.line)
        if not job.uses.startswith("./"):
            given = {name: call.filled(value) for name, value in job.inputs.items()}
            yield from elsewhere.reused(job, given, where, start, call.via, self.resolver)
            return
        called = self.by_path.get(job.uses[2:].partition("@")[0])
        if called is None or len(call.via) >= _MAX_CALLS:
            name = job.uses[2:].partition("@")[0]
            if called is None and name not in self.documents.files and "$" not in name:
                yield Run(start, ("uses", job.uses), where, (start.evidence, *call.via), missing=name)
            return
        deeper = call.deeper(Evidence(where, Hop.USE, f"uses: {job.uses}"), job.inputs, called.defaults)
        for inner in called.jobs:
            kinds = _restricted(set(start.triggers), inner.condition)
            own = replace(
                start,
                triggers=frozenset(kinds),
                may_fail=start.may_fail or inner.may_fail,
                blocked=start.blocked or _blocked(inner, kinds),
                environment=inner.environment or start.environment,
                approval=inner.approval or start.approval,
            )
            yield from self.runs(called, inner, own, deeper)

    def _step(self, path: str, step: Step, start: Start, call: _Call) -> Iterator[Run]:
        if not step.script and self.resolver.exhausted(start):
            return
        kinds = _restricted(set(start.triggers), step.condition)
        kinds = kinds if step.triggers is None else kinds & step.triggers
        if step.never or kinds != start.triggers:
            blocked = start.blocked or step.never or _blocked(_NO_JOB, kinds)
            start = replace(start, triggers=frozenset(kinds), blocked=blocked)
        if step.script:
            yield from self._script(path, step, call.filled(step.script), start, call)
        elif step.uses.startswith("./"):
            yield from self._action(path, step, start, call)
        elif step.uses:
            yield from self._uses(path, step, start, call)

    def _script(
        self, path: str, step: Step, text: str, start: Start, call: _Call, astray: bool = False
    ) -> Iterator[Run]:
        return self.resolver.script(
            text,
            step.path or path,
            step.script_line,
            start,
            folder=call.filled(step.folder),
            errexit=step.errexit,
            pipefail=step.pipefail,
            may_fail=step.may_fail,
            via=call.via,
            env={name: call.filled(value) for name, value in step.env.items()},
            astray=astray,
        )

    def _action(self, path: str, step: Step, start: Start, call: _Call) -> Iterator[Run]:
        """The steps of a composite action of the repository."""
        folder = join("", step.uses[2:].partition("@")[0] or ".")
        if len(call.via) >= _MAX_CALLS:
            return
        names = [join(folder, name) for name in ("action.yml", "action.yaml", "Dockerfile")]
        if "$" not in folder and not any(name in self.documents.files for name in names):
            where = Location(path, step.line)
            yield Run(start, ("uses", step.uses), where, (start.evidence, *call.via), missing=names[0])
            return
        from mlops_scan.ci import github

        hop = Evidence(Location(path, step.line), Hop.USE, f"uses: {step.uses}")
        for name in (join(folder, "action.yml"), join(folder, "action.yaml")):
            if name not in self.actions:
                nodes = self.documents.nodes(name)[:1] if name in self.documents.files else ()
                steps = tuple(inner for node in nodes for inner in github.parse_action(node, ""))
                self.actions[name] = (
                    steps,
                    {k: v for node in nodes for k, v in github.input_defaults(node.get("inputs")).items()},
                )
            steps, defaults = self.actions[name]
            deeper = call.deeper(hop, step.inputs, defaults)
            for inner in steps:
                own = replace(inner, may_fail=step.may_fail) if step.may_fail and not inner.may_fail else inner
                yield from self._step(name, own, start, deeper)

    def _uses(self, path: str, step: Step, start: Start, call: _Call) -> Iterator[Run]:
        """An action of another repository: its name and inputs, and the commands or the Dockerfile it is given."""
        given = {name: call.filled(value) for name, value in step.inputs.items()}
        script = next(filter(None, map(given.get, _SHELL_INPUTS)), "")
        folder = call.filled(step.folder)
        if "docker/build-push-action" in step.uses:
            context = given.get("context", ".")
            context = "." if "$" in context or "://" in context else context
            script = f"docker build -f {given.get('file') or join(context, 'Dockerfile')} {context}"
            folder = images.folder_of(tuple(script.split()), "", self.resolver.paths)
        yield from self.resolver.step(path, step.line, step.uses, given, start, step.may_fail, call.via, folder)
        script = self.resolver.wrappers.command(step.uses, given, self.documents) or script
        if script and "github-script" not in step.uses:
            yield from self._script(path, replace(step, script_line=step.line), script, start, call, "ssh" in step.uses)


_NO_JOB = Job("", 1, 1, ())


# -- declared pipelines ----------------------------------------------------------------------------------------------


def pipeline_runs(pipelines: Sequence[Pipeline], resolver: Resolver) -> Iterator[Run]:
    """What the steps of declared pipelines run, with the pipeline as the start."""
    for pipeline in pipelines:
        evidence = Evidence(Location(pipeline.path, pipeline.line), Hop.TRIGGER, f"{pipeline.tool}: {pipeline.name}")
        start = Start("pipeline", f"{pipeline.tool} pipeline {pipeline.name}", evidence)
        yield from resolver.pipeline_start(pipeline, start)


def code_pipelines(uses: Sequence[Use], index: CodeIndex) -> Iterator[tuple[Use, tuple[Node, ...]]]:
    """Pipelines that Python code defines: the defining use and the scopes its definition runs."""
    handed: _HandedTasks | None = None
    for use in uses:
        if "define-pipeline" not in use.does or use.location.path not in index.modules:
            continue
        module = index.modules[use.location.path]
        if use.scope in module.classes:
            item = module.classes[use.scope]
            yield use, tuple((module.path, f"{use.scope}.{method}") for method in item.methods)
        else:
            # a DAG built at module level, or a decorated or building function, with the steps that it is handed
            handed = handed or _HandedTasks(uses, index)
            made = tuple(handed.made_by_callers(use))
            yield from made or ((use, ((module.path, use.scope), *handed.to(module.path, use.scope))),)


class _HandedTasks:
    """Tasks given to a function that makes a pipeline, where it is called.

    Either the calls of tasks stand among its arguments (`flow(read=read(), fit=fit()).run()`), or the caller has made
    them before (`publish(workspace, steps=[prepare, fit])`).
    """

    def __init__(self, uses: Sequence[Use], index: CodeIndex) -> None:
        self._index = index
        self._tasks = {(use.location.path, use.scope) for use in uses if "define-task" in use.does}
        self._calls: dict[str, list[tuple[str, Call]]] = {}  # by the last part of their names, those of pipelines only
        for use in uses if self._tasks else ():
            if "define-pipeline" in use.does and self._takes_tasks(use.location.path, use.scope):
                self._calls[use.scope.rpartition(".")[2]] = []
        for path, module in index.modules.items() if self._calls else ():
            for call in module.calls:
                if (last := call.name.rpartition(".")[2]) in self._calls:
                    self._calls[last].append((path, call))

    def to(self, path: str, scope: str) -> tuple[Node, ...]:
        """The tasks that the callers of a function hand over."""
        found: dict[Node, None] = {}
        for caller, call in self._callers(path, scope):
            for inner in self._index.calls_in(caller, call.scope):
                if call.line <= inner.line <= call.end_line:
                    target = self._index.resolve(caller, inner.name)
                    if target.first_party and (target.path, target.qualname) in self._tasks:
                        found[(target.path, target.qualname)] = None
        return tuple(found)

    def made_by_callers(self, use: Use) -> Iterator[tuple[Use, tuple[Node, ...]]]:
        """A pipeline for each caller that makes tasks, of a helper that only puts together what it is given."""
        path, scope = use.location.path, use.scope
        if (path, scope) in self._tasks or not self._takes_tasks(path, scope):
            return
        if use.location.line <= self._index.modules[path].functions[scope].line:  # a decorator: it is the pipeline
            return
        for caller, call in self._callers(path, scope):
            if (caller, call.scope) in self._tasks and (caller, call.scope) != (path, scope):
                where = Location(caller, call.line, call.end_line)
                yield replace(use, location=where, scope=call.scope), ((caller, call.scope), (path, scope))

    def _callers(self, path: str, scope: str) -> Iterator[tuple[str, Call]]:
        """The calls of a function that takes tasks, with the modules that they stand in."""
        for caller, call in self._calls.get(scope.rpartition(".")[2], ()) if self._takes_tasks(path, scope) else ():
            if _is(self._index, caller, call.name, (path, scope)):
                yield caller, call

    def _takes_tasks(self, path: str, scope: str) -> bool:
        function = self._index.modules[path].functions.get(scope) if path in self._index.modules else None
        return function is not None and bool(function.parameters)


def _is(index: CodeIndex, caller: str, name: str, node: Node) -> bool:
    target = index.resolve(caller, name)
    return target.first_party and (target.path, target.qualname) == node


def code_pipeline_runs(uses: Sequence[Use], index: CodeIndex, resolver: Resolver, handed: Handed) -> Iterator[Run]:
    """What pipelines defined in Python code run, scripts that their tasks name included, with the pipeline as start."""
    tasks = task_scopes(uses)
    for use, entries in code_pipelines(uses, index):
        evidence = Evidence(use.location, Hop.TRIGGER, use.name)
        start = Start("pipeline", use.name, evidence)
        yield Run(start, (), use.location, (evidence,), entries=entries)
        for path, command in task_commands(entries, tasks, index, handed):
            yield from resolver.script(command.text, path, command.line, start, folder=command.folder)


def task_scopes(uses: Iterable[Use]) -> frozenset[Node]:
    """The functions that are tasks of pipelines."""
    return frozenset((use.location.path, use.scope) for use in uses if use.scope and "define-task" in use.does)


def task_commands(
    entries: Iterable[Node], tasks: Container[Node], index: CodeIndex, handed: Handed
) -> Iterator[tuple[str, Command]]:
    """The commands that a pipeline hands over, each with its file: in its definition, or in the tasks that it calls."""
    scopes = dict.fromkeys(entries)
    for path, scope in tuple(scopes):
        for call in index.calls_in(path, scope):
            target = index.resolve(path, call.name)
            if target.first_party and (target.path, target.qualname) in tasks:
                scopes[(target.path, target.qualname)] = None
    for path, scope in scopes:
        for command in handed.commands(path, scope):
            yield path, command


# -- services --------------------------------------------------------------------------------------------------------


def service_runs(documents: Documents, resolver: Resolver) -> Iterator[Run]:
    """What deployed images, compose services and the processes of a `Procfile` run."""
    for path, file in documents.files.items():
        if file.role in (Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST):
            continue
        if language_of(path) == "dockerfile":
            start = Start("service", path, Evidence(Location(path, 1), Hop.TRIGGER, "container image"))
            yield from resolver.service(path, start)
        elif file.name == "Procfile":
            yield from _processes(path, documents, resolver)
        elif images.is_compose(file.name):
            for service in images.services(path, documents, resolver.paths):
                label = f"compose service {service.name}"
                start = Start("service", label, Evidence(Location(path, service.line), Hop.TRIGGER, label))
                yield from resolver.compose_service(service, start)


def _processes(path: str, documents: Documents, resolver: Resolver) -> Iterator[Run]:
    """The processes that a platform starts from a folder's `Procfile`: `web: uvicorn app:app`."""
    for number, line in enumerate(documents.text(path).split("\n")[:_MAX_PROCESSES], 1):
        name, colon, command = line.partition(":")
        if colon and _PROCESS.fullmatch(name):
            label = f"process {name} of {path}"
            start = Start("service", label, Evidence(Location(path, number), Hop.TRIGGER, label))
            yield from resolver.script(command.strip(), path, number, start, folder=path.rpartition("/")[0])
