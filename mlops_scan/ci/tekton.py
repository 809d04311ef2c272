"""Tekton: tasks, pipelines and runs as Kubernetes resources, with Pipelines as Code and Triggers that start them.

Facts: https://tekton.dev/docs/pipelines/pipelines/ , https://tekton.dev/docs/triggers/eventlisteners/ and
https://pipelinesascode.com/docs/guide/matchingevents/ . A script without a `#!` line runs under `set -e`; a run without
annotations or a listener is started by whoever applies it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import Script, entries, items, shell_text, text, vector, words
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import FOREIGN

_GROUP = regex(r"(?:triggers\.)?tekton\.dev/")
_PARAMETER = regex(r"\$\((?:tasks\.)?params\.([\w-]+)\)|\$\(params\[\"([\w-]+)\"\]\)|\$\(inputs\.params\.([\w-]+)\)")
_WORKSPACE = regex(r"\$\(workspaces\.[\w-]+\.path\)/?")
_LISTENED = {
    "incoming": "external",
    "push": "push", "pull_request": "pull_request", "Push Hook": "push", "Merge Request Hook": "pull_request",
    "Tag Push Hook": "tag", "release": "release", "create": "push", "repo:refs_changed": "push",
    "pullrequest:created": "pull_request", "repo:push": "push", "pr:opened": "pull_request",
}  # fmt: skip
_ON_EVENT = "pipelinesascode.tekton.dev/on-event"
_ON_CEL = "pipelinesascode.tekton.dev/on-cel-expression"
_ON_COMMENT = "pipelinesascode.tekton.dev/on-comment"
_CEL_EVENT = regex(r"event(?:_type)?\s*==\s*[\"'](\w+)[\"']")
_START = regex(r"\btkn\s+(?:p|pipeline|pipelines)\s+start\s+([\w.-]+)")
_MAX_SIZE, _MAX_TASKS = 500_000, 300
_NOT_HERE = "Pipelines as Code only loads .tekton at the root of the repository"


class _Resource(Struct, frozen=True):
    """One Kubernetes resource: its kind, its name, and where it stands."""

    kind: str
    name: str
    path: str
    node: Node

    @property
    def spec(self) -> Node:
        """What it says; the resource itself where it says nothing."""
        return self.node.get("spec") or self.node


class _Cluster(Struct):
    """The resources of a repository by kind and name, and what its other files start."""

    by_kind: dict[str, dict[str, _Resource]] = field(default_factory=lambda: defaultdict(dict))
    runs: list[_Resource] = field(default_factory=list)
    started: dict[str, list[Trigger]] = field(default_factory=lambda: defaultdict(list))


def find(documents: Documents) -> dict[str, list[Workflow]]:
    """The pipelines of a repository by the file of the run, or of the pipeline where nothing here runs it."""
    cluster = _Cluster()
    for path, file in documents.files.items():
        if file.role in FOREIGN or file.size > _MAX_SIZE or language_of(path) != "yaml":
            continue
        if documents.holds(path, "tekton.dev/"):
            for node in documents.nodes(path)[:200]:
                _collect(path, node, cluster)
        if documents.holds(path, "tkn") and documents.holds(path, "CronJob"):
            for node in documents.nodes(path)[:50]:
                _clock(node, cluster)
    found: dict[str, list[Workflow]] = {}
    used: set[str] = set()
    for run in cluster.runs:
        workflow = _of_run(run, cluster, used)
        found.setdefault(run.path, []).append(workflow)
    for pipeline in cluster.by_kind["Pipeline"].values():
        triggers = tuple(cluster.started.get(pipeline.name, ()))
        if pipeline.name not in used or triggers:
            started = triggers or (Trigger("server", pipeline.node.line, "no run or listener here starts it"),)
            jobs = tuple(_jobs(pipeline.spec, pipeline.path, cluster, {}))
            workflow = Workflow(pipeline.path, "tekton", pipeline.node.line, pipeline.name, started, jobs)
            found.setdefault(pipeline.path, []).append(workflow)
    return found


def _collect(path: str, node: Node, cluster: _Cluster) -> None:
    if not _GROUP.match(text(node.get("apiVersion"))):
        return
    metadata = node.get("metadata") or node
    name = text(metadata.get("name")) or text(metadata.get("generateName"))
    resource = _Resource(text(node.get("kind")), name, path, node)
    if _of_kubeflow(metadata):
        return
    if resource.kind in ("PipelineRun", "TaskRun"):
        cluster.runs.append(resource)
    elif name:
        cluster.by_kind["Task" if resource.kind == "ClusterTask" else resource.kind].setdefault(name, resource)
    if resource.kind == "TriggerTemplate":
        for item in items(resource.spec.get("resourcetemplates"))[:20]:
            if text(item.get("kind")) in ("PipelineRun", "TaskRun"):
                cluster.runs.append(_Resource(f"{text(item.get('kind'))} of {name}", name, path, item))


def _of_kubeflow(metadata: Node) -> bool:
    """Whether a Kubeflow compiler made a resource: a pipeline of data science that runs on Tekton, and no CI."""
    named = (name for holder in ("annotations", "labels") for name, _ in entries(metadata.get(holder)))
    return any(name.startswith("pipelines.kubeflow.org/") for name in named)


def _clock(node: Node, cluster: _Cluster) -> None:
    """A CronJob whose container starts a pipeline with `tkn`."""
    schedule = node.path("spec", "schedule")
    suspended = node.path("spec", "suspend")
    if text(node.get("kind")) != "CronJob" or schedule is None or (suspended is not None and suspended.value is True):
        return
    for _, scalar in node.walk(5_000):
        for name in _START.findall(text(scalar)) if scalar.kind == "scalar" else ():
            cluster.started[name].append(Trigger("schedule", 1, text(schedule)))


# -- runs ------------------------------------------------------------------------------------------------------------


def _of_run(run: _Resource, cluster: _Cluster, used: set[str]) -> Workflow:
    spec = run.spec
    reference = text(spec.path("pipelineRef", "name"))
    target = cluster.by_kind["Pipeline"].get(reference)
    given = _given(spec.get("params"))
    unknown = ""
    if target is not None:
        used.add(reference)
        jobs = tuple(_jobs(target.spec, target.path, cluster, given))
    elif spec.get("pipelineSpec") is not None:
        jobs = tuple(_jobs(spec.get("pipelineSpec") or spec, run.path, cluster, given))
    else:
        jobs = tuple(_task_jobs(spec, run, cluster, given))
        if spec.get("pipelineRef") is not None:
            unknown = f"the pipeline {reference or 'that a resolver fetches'} is not in the repository"
    triggers = tuple(_triggers(run, cluster))
    workflow = Workflow(run.path, "tekton", run.node.line, run.name or "run", triggers, jobs, unknown=unknown)
    return replace(workflow, unloaded=_unloaded(run))


def _task_jobs(spec: Node, run: _Resource, cluster: _Cluster, given: Mapping[str, str]) -> Iterator[Job]:
    """The one job of a TaskRun."""
    steps = tuple(_task_steps(spec, run.path, cluster, given))
    if steps:
        yield Job(run.name or "task", run.node.line, max(run.node.line, run.node.end_line), steps)


def _unloaded(run: _Resource) -> str:
    annotations = run.node.path("metadata", "annotations")
    marked = annotations is not None and bool({_ON_EVENT, _ON_CEL, _ON_COMMENT}.intersection(annotations.keys()))
    inside = re.fullmatch(r"\.tekton/.+", strip_template(run.path)[0]) is not None
    return _NOT_HERE if marked and not inside else ""


def _triggers(run: _Resource, cluster: _Cluster) -> Iterator[Trigger]:
    """What starts a run: its annotations, or the listeners that use its template."""
    annotations = run.node.path("metadata", "annotations")
    if annotations is not None:
        event, expression, comment = (annotations.get(key) for key in (_ON_EVENT, _ON_CEL, _ON_COMMENT))
        for name in re.findall(r"[\w-]+", " ".join(words(event))):
            yield Trigger(_LISTENED.get(name, "other"), event.at if event is not None else 1, name)
        if expression is not None:
            shown = text(expression)[:120]
            for name in _CEL_EVENT.findall(text(expression)) or ["push"]:
                yield Trigger(_LISTENED.get(name, "other"), expression.at, shown)
        if comment is not None:
            yield Trigger("manual", comment.at, "a comment")
        if event is not None or expression is not None or comment is not None:
            return
    template = run.kind.partition(" of ")[2]
    found = [
        kind
        for listener in cluster.by_kind["EventListener"].values()
        for kind in _listened(listener, template, cluster)
    ]
    for kind in dict.fromkeys(found):
        yield Trigger(kind, run.node.line, f"a listener of template {template}")
    if not found:
        detail = "no listener here uses this template" if template else "it runs when somebody applies it"
        yield Trigger("server" if template else "manual", run.node.line, detail)


def _listened(listener: _Resource, template: str, cluster: _Cluster) -> Iterator[str]:
    """The kinds of events at which a listener makes runs of a template."""
    for item in items(listener.spec.get("triggers"))[:100]:
        reference = text(item.get("triggerRef"))
        trigger = cluster.by_kind["Trigger"][reference].spec if reference in cluster.by_kind["Trigger"] else item
        named = text(trigger.path("template", "ref")) or text(trigger.path("template", "name"))
        if not template or named != template:
            continue
        kinds: list[str] = []
        for interceptor in items(trigger.get("interceptors")):
            for parameter in items(interceptor.get("params")):
                if text(parameter.get("name")) == "eventTypes":
                    kinds += [_LISTENED.get(name, "external") for name in words(parameter.get("value"))]
            for _, old in entries(interceptor):
                kinds += [_LISTENED.get(name, "external") for name in words(old.get("eventTypes"))]
        yield from kinds or ["external"]


# -- pipelines and tasks ---------------------------------------------------------------------------------------------


def _jobs(spec: Node, path: str, cluster: _Cluster, given: Mapping[str, str]) -> Iterator[Job]:
    outer = {**_defaults(spec.get("params")), **given}
    for key in ("tasks", "finally"):
        for item in items(spec.get(key))[:_MAX_TASKS]:
            own = {name: _filled(value, outer) for name, value in _given(item.get("params")).items()}
            steps = tuple(_task_steps(item, path, cluster, own))
            when = " and ".join(_condition(part) for part in items(item.get("when")))
            may_fail = "the task has `onError: continue`" if text(item.get("onError")) == "continue" else ""
            yield Job(
                id=text(item.get("name")) or "task",
                line=item.line,
                end_line=max(item.line, item.end_line),
                steps=steps,
                needs=words(item.get("runAfter")),
                condition=when,
                may_fail=may_fail,
                never=_impossible(item, outer),
            )


def _condition(part: Node) -> str:
    return (
        text(part.get("cel"))
        or f"{text(part.get('input'))} {text(part.get('operator'))} {' '.join(words(part.get('values')))}"
    )


def _impossible(item: Node, given: Mapping[str, str]) -> str:
    """Why a task with a condition on constants never runs, or empty."""
    for part in items(item.get("when")):
        left, right = _filled(text(part.get("input")), given), words(part.get("values"))
        if "$" in left or part.get("operator") is None or any("$" in value for value in right):
            continue
        if (left in right) != (text(part.get("operator")) == "in"):
            return f"its `when` compares {left or 'nothing'} with {' '.join(right)}"
    return ""


def _task_steps(item: Node, path: str, cluster: _Cluster, given: Mapping[str, str]) -> Iterator[Step]:
    """The steps of the task that a pipeline or a run names, or has inside."""
    inside = item.get("taskSpec")
    reference = text(item.path("taskRef", "name"))
    task = cluster.by_kind["Task"].get(reference)
    where = path if inside is not None or task is None else task.path
    body = inside or (task.spec if task is not None else None)
    if body is None:
        return
    values = {**_defaults(body.get("params")), **given}
    template = body.get("stepTemplate")
    for step in items(body.get("steps"))[:_MAX_TASKS]:
        folder = text(step.get("workingDir")) or (text(template.get("workingDir")) if template is not None else "")
        script = shell_text(step.get("script"), True) or vector([step.get("command"), step.get("args")])
        if step.get("script") is not None and shell_text(step.get("script"), True) is None:
            continue  # another language than a shell's
        if script is not None:
            yield _step(step, script, where, _filled(folder, values), values)


def _step(node: Node, script: Script, path: str, folder: str, values: Mapping[str, str]) -> Step:
    folder = _WORKSPACE.sub("", folder).strip("/")
    pairs = ((text(item.get("name")), _filled(text(item.get("value")), values)) for item in items(node.get("env")))
    return Step(
        line=node.line,
        end_line=max(node.line, node.end_line),
        name=text(node.get("name")),
        script=_filled(script.text, values),
        script_line=script.line,
        may_fail="the step has `onError: continue`" if text(node.get("onError")) == "continue" else "",
        folder="" if "$" in folder else folder,
        errexit=script.errexit,
        pipefail=script.pipefail,
        path=path,
        env={name: value for name, value in pairs if name and value},
    )


def _given(node: Node | None) -> dict[str, str]:
    return {text(item.get("name")): text(item.get("value")) for item in items(node) if text(item.get("value"))}


def _defaults(node: Node | None) -> dict[str, str]:
    return {text(item.get("name")): text(item.get("default")) for item in items(node) if text(item.get("default"))}


def _filled(value: str, values: Mapping[str, str]) -> str:
    return _PARAMETER.sub(lambda match: values.get(next(name for name in match.groups() if name), match.group()), value)
