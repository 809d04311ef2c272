"""Azure Pipelines: stages, jobs and steps, with the templates of the same repository filled in.

Facts: https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/ ; without `trigger:` it runs on every push;
a `script:` or `bash:` step does not stop at the first failing command unless it says `set -e`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.documents.node import Node

Load = Callable[[str], tuple[Node, ...]]

# Azure takes any file that a person registers as a pipeline; these are the names in use.
NAMED = re.compile(r"(^|/)azure-pipelines[^/]*\.ya?ml$|(^|/)\.((azure-)?pipelines|azuredevops|azdo|ado)/.+\.ya?ml$")

_BODIES = ("stages", "jobs", "steps", "extends")
_SCRIPTS = ("script", "bash", "pwsh", "powershell")
_INLINE = ("inlineScript", "script", "InlineScript", "arguments")
_STRATEGIES = ("runOnce", "rolling", "canary")
_PHASES = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")
_MAX_TEMPLATES = 6


def looks_like(node: Node) -> bool:
    """Whether a document is a pipeline of its own and not a template: it says what starts it, or where it runs."""
    keys = set(node.keys())
    return bool(keys.intersection(_BODIES)) and bool(keys & {"trigger", "pr", "schedules", "resources", "pool"})


def parse(path: str, node: Node, load: Load) -> Workflow:
    """The facts of a pipeline; `load` gives the documents of another file of the repository, or nothing."""
    reader = _Reader(load)
    jobs = tuple(reader.stages(node, path))
    return Workflow(path, "azure-pipelines", node.line, path.rpartition("/")[2], _triggers(node), jobs)


def _triggers(node: Node) -> tuple[Trigger, ...]:
    found: list[Trigger] = []
    trigger, pull = node.get("trigger"), node.get("pr")
    if trigger is None:
        found.append(Trigger("push", node.line, "every push"))
    elif _text(trigger) != "none":
        found.append(Trigger("push", trigger.at, _branches(trigger)))
    if pull is not None and _text(pull) != "none":
        found.append(Trigger("pull_request", pull.at, _branches(pull)))
    for item in _items(node.get("schedules")):
        cron = item.get("cron")
        found.append(Trigger("schedule", (cron or item).at, _text(cron)))
    for item in _items(node.path("resources", "pipelines")):
        completed = item.get("trigger")
        if completed is not None and _text(completed) != "none":
            found.append(Trigger("chained", completed.at, _text(item.get("source")) or _text(item.get("pipeline"))))
    return tuple(found) or (Trigger("manual", (trigger or node).at, "trigger: none"),)


def _branches(node: Node) -> str:
    branches = node.path("branches", "include") or node.get("branches") or node
    return " ".join(branches.strings())


class _Reader:
    """Walks stages, jobs and steps, entering templates up to a fixed depth."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.depth = 0

    def _template(self, path: str, name: str) -> tuple[str, Node] | None:
        """The file and document of a template reference, relative to the file that names it or to the root."""
        if self.depth >= _MAX_TEMPLATES or ("@" in name and not name.endswith("@self")):
            return None
        clean = name.removesuffix("@self")
        for candidate in (posixpath.normpath(posixpath.join(posixpath.dirname(path), clean)), clean.lstrip("/")):
            documents = self.load(candidate)
            if documents:
                return candidate, documents[0]
        return None

    def stages(self, node: Node, path: str) -> Iterator[Job]:
        """The jobs of a pipeline or template document, in order."""
        extends = node.path("extends", "template")
        found = self._template(path, _text(extends)) if extends is not None else None
        if found is not None:
            self.depth += 1
            yield from self.stages(found[1], found[0])
            self.depth -= 1
        for stage in _items(node.get("stages")):
            if stage.get("template") is not None:
                yield from self._inside(path, stage, self.stages)
            else:
                condition = _text(stage.get("condition"))
                yield from self.jobs(stage, path, condition)
        if node.get("stages") is None:
            yield from self.jobs(node, path, "")

    def _inside(self, path: str, node: Node, read: Callable[[Node, str], Iterator[Job]]) -> Iterator[Job]:
        found = self._template(path, _text(node.get("template")))
        if found is not None:
            self.depth += 1
            yield from read(found[1], found[0])
            self.depth -= 1

    def jobs(self, node: Node, path: str, condition: str) -> Iterator[Job]:
        """The jobs of a stage; a document with bare `steps:` is one job."""
        if node.get("jobs") is None and node.get("steps") is not None:
            yield self._job(node, path, "job", condition)
        for job in _items(node.get("jobs")):
            if job.get("template") is not None:
                yield from self._inside(path, job, lambda inner, where: self.jobs(inner, where, condition))
            else:
                yield self._job(job, path, _text(job.get("job")) or _text(job.get("deployment")) or "job", condition)

    def _job(self, node: Node, path: str, name: str, condition: str) -> Job:
        condition = _text(node.get("condition")) or condition
        environment = node.get("environment")
        if environment is not None and environment.kind == "mapping":
            environment = environment.get("name")
        depends = node.get("dependsOn")
        bodies = [node]
        for strategy in _STRATEGIES:
            for phase in _PHASES:
                body = node.path("strategy", strategy, phase)
                bodies += [body] if body is not None else []
        return Job(
            id=name,
            line=node.at,
            end_line=max(node.at, node.end_line),
            steps=tuple(step for body in bodies for step in self.steps(body.get("steps"), path)),
            needs=depends.strings() if depends is not None else (),
            condition=condition,
            environment=_text(environment),
            may_fail="the job has `continueOnError: true`" if _is_true(node.get("continueOnError")) else "",
            never="`condition: false` is never true" if condition.lower() in ("false", "never()") else "",
        )

    def steps(self, node: Node | None, path: str) -> Iterator[Step]:
        """The steps of a list, templates filled in."""
        for item in _items(node):
            template = item.get("template")
            if template is None:
                yield _step(item, path)
                continue
            found = self._template(path, _text(template))
            if found is not None:
                self.depth += 1
                yield from self.steps(found[1].get("steps"), found[0])
                self.depth -= 1


def _step(node: Node, path: str) -> Step:
    script = next((found for key in _SCRIPTS if (found := node.get(key)) is not None), None)
    inputs = node.get("inputs")
    settings = {key: _text(value) for key, value in inputs.entries} if inputs is not None else {}
    inline = next((found for key in _INLINE[:3] if inputs is not None and (found := inputs.get(key)) is not None), None)
    body = script or inline
    may_fail = "the step has `continueOnError: true`" if _is_true(node.get("continueOnError")) else ""
    folder = _text(node.get("workingDirectory")) or settings.get("workingDirectory", "")
    return Step(
        line=node.at,
        end_line=max(node.at, node.end_line),
        name=_text(node.get("displayName")),
        script=_text(body) or _script_file(settings),
        script_line=body.text_line if body is not None else node.at,
        uses=_text(node.get("task")),
        inputs=settings,
        condition=_text(node.get("condition")),
        may_fail=may_fail
        or ("`enabled: false`" if node.get("enabled") is not None and not _is_true(node.get("enabled")) else ""),
        folder="" if "$" in folder else folder,
        errexit=False,
        path=path,
    )


def _script_file(settings: dict[str, str]) -> str:
    """A task that runs a script file: `scriptPath` or `filePath` with its arguments."""
    name = settings.get("scriptPath") or settings.get("filePath") or ""
    if name.endswith(".py"):
        name = f"python {name}"
    return f"{name} {settings.get('arguments', '')}".strip() if name else ""


def _items(node: Node | None) -> Iterator[Node]:
    """The entries of a list; those below a template condition (`- ${{ if … }}:`) count as entries too."""
    for item in node.items if node is not None else ():
        conditional = [value for key, value in item.entries if key.startswith("${{")]
        if conditional:
            for value in conditional:
                yield from _items(value)
        elif item.kind == "mapping":
            yield item


def _is_true(node: Node | None) -> bool:
    return node is not None and node.value is True


def _text(node: Node | None) -> str:
    if node is None or node.kind != "scalar":
        return ""
    return node.value if isinstance(node.value, str) else node.text
