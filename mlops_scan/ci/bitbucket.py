"""Bitbucket Pipelines: `bitbucket-pipelines.yml` at the root of the repository.

Facts: https://support.atlassian.com/bitbucket-cloud/docs/bitbucket-pipelines-configuration-reference/ ; the commands
of a step run in one shell that stops at the first failure; what fails in `after-script` changes nothing; `custom`
pipelines are started by a person, or by a schedule that the repository's settings have.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shapes import action, end_of, entries, is_true, items, joined, named, scalars, text, within_bounds
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents

_BY_REF = {"branches": "push", "bookmarks": "push", "tags": "tag", "pull-requests": "pull_request"}
_EVENTS = {
    "repository-push": "push",
    "pullrequest-created": "pull_request",
    "pullrequest-updated": "pull_request",
    "pullrequest-push": "pull_request",
    "pullrequest-fulfilled": "push",
}
_NO_EFFECT = "a failure of `after-script` does not fail the step"
_MAX_NESTING = 5


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """The one workflow of the file: the steps of its pipelines, each with what starts its pipeline."""
    for document in documents.nodes(path)[:1]:
        pipelines = document.get("pipelines")
        if pipelines is None:
            continue
        started = list(_pipelines(pipelines, document))
        image = named(document.get("image"))
        jobs = within_bounds(
            (job for name, triggers, steps in started for job in _Pipeline(path, name, triggers, image).jobs(steps)),
            path,
            documents,
        )
        triggers = tuple(dict.fromkeys(trigger for _, found, _ in started for trigger in found))
        shared = next((key for key, node in entries(pipelines.get("custom")) if node.get("import") is not None), "")
        unknown = f"the pipeline `{shared}` is imported from another repository" if shared else ""
        yield Workflow(
            path, "bitbucket-pipelines", pipelines.at, "Bitbucket Pipelines", triggers, jobs, unknown=unknown
        )


def _pipelines(pipelines: Node, document: Node) -> Iterator[tuple[str, tuple[Trigger, ...], Node]]:
    """Every pipeline with its name and what starts it."""
    events = _events(document)
    for key, node in entries(pipelines):
        if key == "default":
            yield "default", (Trigger("push", node.at, "every push"),), node
        elif key in _BY_REF:
            for pattern, steps in entries(node):
                yield f"{key}: {pattern}", (Trigger(_BY_REF[key], steps.at, pattern),), steps
        elif key == "custom":
            for name, steps in entries(node):
                by_hand = Trigger("manual", steps.at, "custom: a person, or a schedule in the repository's settings")
                yield name, (*events.get(name, ()), by_hand), steps


def _events(document: Node) -> dict[str, tuple[Trigger, ...]]:
    """The events that `triggers:` connects with custom pipelines, by the pipelines' names."""
    found: dict[str, tuple[Trigger, ...]] = {}
    for event, rules in entries(document.get("triggers")):
        kind = _EVENTS.get(event)
        for rule in items(rules) if kind is not None else ():
            names = rule.get("pipelines")
            for name in names.strings() if names is not None else ():
                trigger = Trigger(kind or "", rule.at, text(rule.get("condition")) or event)
                found[name] = (*found.get(name, ()), trigger)
    return found


class _Pipeline(Struct):
    """Reads the steps of one pipeline in order; behind a manual step everything waits for a person."""

    path: str
    name: str
    triggers: tuple[Trigger, ...]
    image: str
    manual: bool = False
    before: tuple[str, ...] = ()

    def jobs(self, steps: Node) -> Iterator[Job]:
        """The steps of a pipeline as jobs."""
        held = steps.get("steps") if steps.kind == "mapping" else steps
        yield from self._list(held, "", "", 0)

    def _list(self, steps: Node | None, environment: str, condition: str, depth: int) -> Iterator[Job]:
        for item in items(steps):
            if depth > _MAX_NESTING or item.kind != "mapping":
                continue
            for key, node in item.entries:
                if key == "step":
                    job = self._job(node, environment, condition)
                    yield job
                    self.before = (job.id,)
                elif key == "parallel":
                    yield from self._parallel(node, environment, condition, depth)
                elif key == "stage":
                    self.manual = self.manual or text(node.get("trigger")) == "manual"
                    inner = named(node.get("deployment")) or environment
                    yield from self._list(node.get("steps"), inner, _condition(node) or condition, depth + 1)

    def _parallel(self, node: Node, environment: str, condition: str, depth: int) -> Iterator[Job]:
        """Steps beside each other: a manual one holds up what follows, not its neighbours."""
        held, before, names, manual = self.manual, self.before, [], self.manual
        for item in items(node.get("steps") if node.kind == "mapping" else node):
            self.manual, self.before = held, before
            for job in self._list(item if item.kind == "sequence" else _one(item), environment, condition, depth + 1):
                names.append(job.id)
                manual = manual or job.manual
                yield job
        self.manual, self.before = manual, tuple(names) or before

    def _job(self, node: Node, environment: str, condition: str) -> Job:
        self.manual = self.manual or text(node.get("trigger")) == "manual"
        label = text(node.get("name")) or f"step at line {node.at}"
        ignored = text(node.path("on-fail", "strategy")) == "ignore" or is_true(node.get("ignore-failure"))
        return Job(
            id=f"{self.name} / {label}",
            line=node.at,
            end_line=end_of(node),
            steps=tuple(self._steps(node)),
            needs=self.before,
            condition=_condition(node) or condition,
            environment=named(node.get("deployment")) or environment,
            may_fail="the step's failures are ignored (`on-fail: strategy: ignore`)" if ignored else "",
            manual=self.manual,
            image=named(node.get("image")) or self.image,
            triggers=_narrowed(self.triggers, node),
        )

    def _steps(self, node: Node) -> Iterator[Step]:
        yield from _script(self.path, node.get("script"))
        for step in _script(self.path, node.get("after-script")):
            yield replace(step, may_fail=_NO_EFFECT)


def _one(item: Node) -> Node:
    """A list of one entry."""
    return Node("sequence", item.line, item.end_line, items=(item,))


def _narrowed(triggers: tuple[Trigger, ...], node: Node) -> tuple[Trigger, ...]:
    """The triggers with the files of which a step asks that one has changed."""
    paths = node.path("condition", "changesets", "includePaths")
    return triggers if paths is None else tuple(replace(trigger, paths=paths.strings()) for trigger in triggers)


def _condition(node: Node) -> str:
    paths = node.path("condition", "changesets", "includePaths")
    return f"changes in {' '.join(paths.strings())}" if paths is not None else text(node.path("condition", "state"))


def _script(path: str, script: Node | None) -> Iterator[Step]:
    """The commands between pipes as steps of one shell, and each `pipe:` as an action."""
    group: list[Node] = []
    for item in items(script):
        if item.kind == "mapping" and item.get("pipe") is not None:
            yield from _shell(path, group)
            group = []
            name = text(item.get("pipe")).partition(":")[0]
            yield action(item, name, scalars(item.get("variables")), name)
        else:
            group.append(item)
    yield from _shell(path, group)


def _shell(path: str, group: list[Node]) -> Iterator[Step]:
    for step in joined(path, group):
        yield replace(step, pipefail=False)
