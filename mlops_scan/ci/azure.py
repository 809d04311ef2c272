"""Azure Pipelines: stages, jobs and steps, with the templates of the same repository filled in.

Facts: https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/ ; without `trigger:` it runs on every push;
a `script:` or `bash:` step does not stop at the first failing command unless it says `set -e`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from msgspec.structs import replace

from mlops_scan.ci.azure_variables import Given
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shapes import TOO_MANY
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

Load = Callable[[str], tuple[Node, ...]]

_BODIES = ("stages", "jobs", "steps", "extends")
_SCRIPTS = ("script", "bash", "pwsh", "powershell")
_INLINE = ("inlineScript", "script", "InlineScript", "arguments")
_STRATEGIES = ("runOnce", "rolling", "canary")
_PHASES = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")
_MAX_TEMPLATES = 6
_MAX_ENTERED = 2_000  # uses of templates that one pipeline is followed into
_MAX_LEGS = 8  # of a matrix
_MAX_LOOKED_AT = 500  # stages, jobs and steps
_TASK = regex(r"[\w.-]+@\d+(\.[\d.]+)?")


def looks_like(node: Node) -> bool:
    """Whether a document is a pipeline of its own and not a template: it says what starts it, or where it runs."""
    keys = set(node.keys())
    return bool(keys.intersection(_BODIES)) and bool(keys & {"trigger", "pr", "schedules", "resources", "pool"})


def is_marked(node: Node) -> bool:
    """Whether a pipeline under any name is Azure's: a pool of its images, one of its tasks, templates or deployments.

    Others have steps and triggers as well (Drone, Harness), and any file can be registered as a pipeline of Azure.
    """
    open_ = [node]
    for current in open_:  # grows
        if current.path("pool", "vmImage") is not None or current.get("deployment") is not None:
            return True
        if current is not node and (_text(current.get("template")) or _TASK.fullmatch(_text(current.get("task")))):
            return True
        for key in _BODIES[:3]:
            open_.extend(islice(_items(current.get(key)), max(0, _MAX_LOOKED_AT - len(open_))))
    return False


def read(path: str, documents: Documents) -> Iterator[Workflow]:
    """The pipeline of a file; a template, which nothing starts, is none."""
    for node in documents.nodes(path)[:1]:
        if looks_like(node):
            yield parse(
                path,
                node,
                lambda name: documents.nodes(name) if name in documents.files else (),
                lambda reason: documents.note(path, reason),
            )


def parse(path: str, node: Node, load: Load, cut: Callable[[str], None] = lambda reason: None) -> Workflow:
    """The facts of a pipeline; `load` gives the documents of another file of the repository, or nothing.

    `cut` is told the reason where templates that use one another stand for more than is followed.
    """
    reader = _Reader(load, cut)
    jobs = tuple(reader.stages(node, path, Given().with_parameters(node, node)))  # its own defaults, as when pushed
    name, included = path.rpartition("/")[2], tuple(sorted(reader.included))
    return Workflow(path, "azure-pipelines", node.line, name, _triggers(node), _approved(jobs), includes=included)


def _approved(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """The jobs, those that need a job with a manual validation with it as their approval."""
    steps = ((job.id, step.line) for job in jobs for step in job.steps if step.uses.startswith("ManualValidation@"))
    asking = dict(steps)
    found = ((job, min(asking.keys() & set(job.needs), default="")) for job in jobs)
    return tuple(
        replace(job, approval=f"job `{name}`", approval_line=asking[name]) if name else job for job, name in found
    )


def _triggers(node: Node) -> tuple[Trigger, ...]:
    found: list[Trigger] = []
    trigger, pull = node.get("trigger"), node.get("pr")
    if trigger is None:
        found.append(Trigger("push", node.line, "every push"))
    elif not _is_none(trigger):
        found.append(Trigger("push", trigger.at, _branches(trigger), paths=_paths(trigger)))
    elif (tags := trigger.path("tags", "include") or trigger.get("tags")) is not None:
        found.append(Trigger("tag", trigger.at, " ".join(tags.strings())))
    if pull is not None and not _is_none(pull):
        found.append(Trigger("pull_request", pull.at, _branches(pull), paths=_paths(pull)))
    for item in _items(node.get("schedules")):
        cron = item.get("cron")
        found.append(Trigger("schedule", (cron or item).at, _text(cron)))
    for item in _items(node.path("resources", "pipelines")):
        completed = item.get("trigger")
        if completed is not None and not _is_none(completed):
            found.append(Trigger("chained", completed.at, _text(item.get("source")) or _text(item.get("pipeline"))))
    for key in ("webhooks", "containers", "repositories", "builds", "packages"):
        for item in _items(node.path("resources", key)):
            started = item.get("trigger")
            if key == "webhooks" or (started is not None and not _is_none(started)):
                found.append(Trigger("external", item.line, f"{key}: {_text(item.entries[0][1])}"))
    return tuple(found) or (Trigger("manual", (trigger or node).at, "trigger: none"),)


def _is_none(node: Node) -> bool:
    """Whether a trigger is switched off: `none`, or no other branch than one of that name, which nobody has."""
    return _branches(node) == "none"


def _branches(node: Node) -> str:
    branches = node.path("branches", "include") or node.get("branches") or node
    return " ".join(branches.strings())


def _paths(node: Node) -> tuple[str, ...]:
    included = node.path("paths", "include")
    return included.strings() if included is not None else ()


class _Reader:
    """Walks stages, jobs and steps, entering templates up to a fixed depth, with the variables and parameters there."""

    def __init__(self, load: Load, cut: Callable[[str], None]) -> None:
        self.load = load
        self.depth = 0
        self.entered = 0
        self.included: set[str] = set()
        self.cut = cut

    def _template(self, path: str, name: str) -> tuple[str, Node] | None:
        """The file and document of a template reference, relative to the file that names it or to the root."""
        if self.depth >= _MAX_TEMPLATES or ("@" in name and not name.endswith("@self")):
            return None
        clean = name.removesuffix("@self")
        for candidate in (posixpath.normpath(posixpath.join(posixpath.dirname(path), clean)), clean.lstrip("/")):
            documents = self.load(candidate)
            if documents:
                self.entered += 1
                if self.entered > _MAX_ENTERED:
                    self.cut(TOO_MANY)
                    return None
                self.included.add(candidate)
                return candidate, documents[0]
        return None

    def given(self, node: Node, path: str, outer: Given) -> Given:
        """What is given inside a pipeline, stage or job: the outer variables with its own on top."""
        return outer.with_variables(dict(self._variables(node.get("variables"), path, outer)))

    def _variables(self, node: Node | None, path: str, given: Given) -> Iterator[tuple[str, str]]:
        """Variables in either form; groups live in the service, so their values are not known."""
        if node is not None and node.kind == "mapping":
            yield from ((name, _text(value)) for name, value in node.entries if value.kind == "scalar")
        for item in _items(node):
            template = item.get("template")
            if template is not None:
                found = self._template(path, given.filled(_text(template)))
                if found is not None:
                    self.depth += 1
                    inside = given.with_parameters(item, found[1])
                    yield from self._variables(found[1].get("variables"), found[0], inside)
                    self.depth -= 1
            elif item.get("name") is not None:
                yield _text(item.get("name")), given.filled(_text(item.get("value")))

    def stages(self, node: Node, path: str, outer: Given) -> Iterator[Job]:
        """The jobs of a pipeline or template document, in order."""
        given = self.given(node, path, outer)
        extends = node.get("extends")
        if extends is not None:
            yield from self._inside(path, extends, given, self.stages)
        for stage in _items(node.get("stages")):
            if stage.get("template") is not None:
                yield from self._inside(path, stage, given, self.stages)
            else:
                yield from self.jobs(stage, path, self.given(stage, path, given), _text(stage.get("condition")))
        if node.get("stages") is None:
            yield from self.jobs(node, path, given, "")

    def _inside(
        self, path: str, node: Node, given: Given, read: Callable[[Node, str, Given], Iterator[Job]]
    ) -> Iterator[Job]:
        found = self._template(path, given.filled(_text(node.get("template"))))
        if found is not None:
            self.depth += 1
            yield from read(found[1], found[0], given.with_parameters(node, found[1]))
            self.depth -= 1

    def jobs(self, node: Node, path: str, given: Given, condition: str) -> Iterator[Job]:
        """The jobs of a stage; a document with bare `steps:` is one job."""
        if node.get("jobs") is None and node.get("steps") is not None:
            yield replace(self._job(node, path, "job", given, condition), unnamed=True)
        for job in _items(node.get("jobs")):
            if job.get("template") is not None:
                yield from self._inside(
                    path, job, given, lambda inner, where, own: self.jobs(inner, where, own, condition)
                )
            else:
                name = _text(job.get("job")) or _text(job.get("deployment"))
                found = self._job(job, path, given.filled(name or "job"), self.given(job, path, given), condition)
                yield found if name else replace(found, unnamed=True)

    def _job(self, node: Node, path: str, name: str, given: Given, condition: str) -> Job:
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
        legs = [given.with_variables(leg) for leg in _matrix(node)] or [given]
        found = [step for leg in legs for body in bodies for step in self.steps(body.get("steps"), path, leg)]
        return Job(
            id=name,
            line=node.at,
            end_line=max(node.at, node.end_line),
            steps=tuple({_key(step): step for step in found}.values()),
            needs=depends.strings() if depends is not None else (),
            condition=condition,
            environment=given.filled(_text(environment)),
            may_fail="the job has `continueOnError: true`" if _is_true(node.get("continueOnError")) else "",
            never="`condition: false` is never true" if condition.lower() in ("false", "never()") else "",
        )

    def steps(self, node: Node | None, path: str, given: Given) -> Iterator[Step]:
        """The steps of a list, templates filled in."""
        environment = given.environment()
        for item in _items(node):
            template = item.get("template")
            if template is None:
                yield _step(item, path, given, environment)
                continue
            found = self._template(path, given.filled(_text(template)))
            if found is not None:
                self.depth += 1
                yield from self.steps(found[1].get("steps"), found[0], given.with_parameters(item, found[1]))
                self.depth -= 1


def _matrix(node: Node) -> list[dict[str, str]]:
    """The variables of the first legs of a job's matrix."""
    legs = node.path("strategy", "matrix")
    return [_scalars(leg) for _, leg in (legs.entries if legs is not None else ())][:_MAX_LEGS]


def _key(step: Step) -> tuple[int, str, str, str, tuple[tuple[str, str], ...]]:
    """What tells the steps of a matrix's legs apart; legs that do not change a step count once."""
    return step.line, step.path, step.script, step.folder, tuple(step.inputs.items())


def _scalars(node: Node | None) -> dict[str, str]:
    return {name: _text(value) for name, value in (node.entries if node is not None else ()) if value.kind == "scalar"}


def _step(node: Node, path: str, given: Given, environment: Mapping[str, str]) -> Step:
    script = next((found for key in _SCRIPTS if (found := node.get(key)) is not None), None)
    inputs = node.get("inputs")
    settings = {key: given.filled(value) for key, value in _scalars(inputs).items()}
    inline = next((found for key in _INLINE[:3] if inputs is not None and (found := inputs.get(key)) is not None), None)
    body = script or inline
    folder = given.filled(_text(node.get("workingDirectory"))) or settings.get("workingDirectory", "")
    enabled = node.get("enabled")
    return Step(
        line=node.at,
        end_line=max(node.at, node.end_line),
        name=_text(node.get("displayName")),
        script=given.filled(_text(body)) or _script_file(settings),
        script_line=body.text_line if body is not None else node.at,
        uses=_text(node.get("task")),
        inputs=settings,
        condition=_text(node.get("condition")),
        may_fail="the step has `continueOnError: true`" if _is_true(node.get("continueOnError")) else "",
        never="the step has `enabled: false`" if enabled is not None and _text(enabled).lower() == "false" else "",
        folder="" if "$" in folder else folder,
        errexit=False,
        path=path,
        env={**environment, **{key: given.filled(value) for key, value in _scalars(node.get("env")).items()}},
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
