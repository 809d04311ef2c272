"""Drone and Woodpecker, which grew from it: pipelines of steps in containers, filtered by events.

Facts: https://docs.drone.io/pipeline/docker/syntax/ and https://woodpecker-ci.org/docs/usage/workflow-syntax .
Commands run under `set -e`; schedules are defined on the server, a pipeline only says that it takes part in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product

from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import command_list, entries, items, named, scalars, text, words
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template

_EVENTS = {
    "push": "push", "pull_request": "pull_request", "pull_request_closed": "other", "tag": "tag",
    "release": "release", "cron": "schedule", "deployment": "manual", "deploy": "manual", "promote": "manual",
    "rollback": "manual", "custom": "manual", "manual": "manual", "pull_request_metadata": "other",
}  # fmt: skip
_DEFAULT = ("push", "pull_request", "tag")
_VARIABLE = regex(r"\$\{(\w+)\}|\$(\w+)")
_MAX_STEPS, _MAX_LEGS = 500, 8


def drone(path: str, documents: Documents) -> Iterator[Workflow]:
    """The pipelines of a `.drone.yml`: one document each; the file of Drone 0.8 is one pipeline."""
    nodes = documents.nodes(path)
    jobs: list[Job] = []
    for node in nodes[:100]:
        if node.get("pipeline") is not None and node.get("kind") is None:
            jobs.append(_job("default", node, _steps(node.get("pipeline"), path, {}), _filter(node.get("branches"))))
        elif text(node.get("kind")) == "pipeline":
            steps = _steps(node.get("steps"), path, {})
            jobs.append(_job(text(node.get("name")) or "default", node, steps, node.get("trigger")))
    if jobs:
        yield _workflow(path, "drone", nodes[0].line, tuple(jobs))


def woodpecker(path: str, documents: Documents) -> Iterator[Workflow]:
    """The workflow of a Woodpecker file; files beside a `.woodpecker/` folder, and below it, are not loaded."""
    for node in documents.nodes(path)[:1]:
        body = node.get("steps") or node.get("pipeline")
        if body is None:
            return
        name = path.rpartition("/")[2].rpartition(".")[0].lstrip(".")
        steps = [step for leg in _legs(node.get("matrix")) for step in _steps(body, path, leg)]
        distinct = {(step.line, step.script, step.folder): step for step in steps}
        job = _job(name, node, tuple(distinct.values()), node.get("when"))
        yield replace(_workflow(path, "woodpecker", node.line, (job,)), unloaded=_unloaded(path, documents))


def _unloaded(path: str, documents: Documents) -> str:
    local = strip_template(path)[0]
    root = path[: len(path) - len(local)]
    if local.count("/") > 1:
        return "Woodpecker does not look into folders below .woodpecker"
    folder = f"{root}.woodpecker/"
    others = any(other.startswith(folder) and other.count("/") == folder.count("/") for other in documents.files)
    return "Woodpecker loads the folder .woodpecker and not this file" if "/" not in local and others else ""


def _workflow(path: str, provider: str, line: int, jobs: tuple[Job, ...]) -> Workflow:
    triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
    return Workflow(path, provider, line, path.rpartition("/")[2], triggers, jobs)


def _job(name: str, node: Node, steps: tuple[Step, ...], when: Node | None) -> Job:
    return Job(
        id=name,
        line=node.at,
        end_line=max(node.at, node.end_line),
        steps=steps,
        needs=words(node.get("depends_on")),
        triggers=_triggers(when, node.at),
    )


def _filter(branches: Node | None) -> Node | None:
    """The branch filter of an old file as a `when` mapping."""
    return replace(branches, kind="mapping", items=(), entries=(("branch", branches),)) if branches else None


# -- events ----------------------------------------------------------------------------------------------------------


def _triggers(when: Node | None, line: int) -> tuple[Trigger, ...]:
    """The events that start a pipeline; a list of filters holds when one of them does."""
    found: list[Trigger] = []
    for part in _alternatives(when):
        detail = " ".join(words(_included(part.get("branch")))) or " ".join(words(part.get("cron")))
        paths = words(_included(part.get("path")))
        found += [Trigger(kind, part.at, detail or kind, paths=paths) for kind in _kinds(part)]
    if when is None:
        found = [Trigger(kind, line, "every " + kind) for kind in _DEFAULT]
    return tuple(dict.fromkeys(found))


def _alternatives(when: Node | None) -> tuple[Node, ...]:
    return () if when is None else when.items if when.kind == "sequence" else (when,)


def _kinds(part: Node) -> tuple[str, ...]:
    """The kinds of events that one filter lets through, in order."""
    event = part.get("event")
    chosen = words(_included(event))
    excluded = set(words(event.get("exclude"))) if event is not None else set()
    if not chosen:
        chosen = tuple(name for name in _DEFAULT if name not in excluded)
        if part.get("branch") is not None and text(part.get("branch")) != "*":
            chosen = tuple(name for name in chosen if name != "tag")
        if part.get("cron") is not None:
            chosen = ("cron",)
    return tuple(dict.fromkeys(_EVENTS.get(name, "other") for name in chosen))


def _included(node: Node | None) -> Node | None:
    return node.get("include") if node is not None and node.kind == "mapping" else node


# -- steps -----------------------------------------------------------------------------------------------------------


def _steps(body: Node | None, path: str, leg: Mapping[str, str]) -> tuple[Step, ...]:
    found: list[Step] = []
    for name, item in named(body)[:_MAX_STEPS]:
        found.extend(_step(name, item, path, leg))
    return tuple(found)


def _step(name: str, node: Node, path: str, leg: Mapping[str, str]) -> Iterator[Step]:
    """The shell texts of a step, or the plug-in that its image is."""
    when = node.get("when")
    parts = _alternatives(when)
    limit = frozenset(kind for part in parts for kind in _kinds(part)) if _names_events(parts) else None
    statuses = {status for part in parts for status in words(_included(part.get("status")))}
    never = "the step only runs after a failure" if statuses == {"failure"} else ""
    if parts and all(text(part.get("evaluate")).strip() == "false" for part in parts):
        never = "the step has `evaluate: false`"
    may_fail = "the step has `failure: ignore`" if text(node.get("failure")) == "ignore" else ""
    env = {key: _filled(value, leg) for key, value in scalars(node.get("environment")).items()}
    folder = _filled(text(node.get("directory")), leg)
    common = {"name": name, "triggers": limit, "never": never, "may_fail": may_fail, "env": env}
    commands = node.get("commands")
    if commands is None:
        settings = {**scalars(node), **scalars(node.get("settings"))}
        plain = {key: value for key, value in settings.items() if key not in ("name", "image", "pull")}
        image = text(node.get("image"))
        yield replace(
            Step(node.at, max(node.at, node.end_line), script_line=node.at, uses=image, inputs=plain, path=path),
            **common,
        )
        return
    for step in command_list([(path, commands)], "" if "$" in folder else folder.strip("/")):
        yield replace(step, script=_filled(step.script, leg), **common)


def _names_events(parts: tuple[Node, ...]) -> bool:
    return bool(parts) and all(part.get("event") is not None or part.get("cron") is not None for part in parts)


def _legs(matrix: Node | None) -> list[Mapping[str, str]]:
    """The variables of the first legs of a matrix; one without variables where there is none."""
    include = matrix.get("include") if matrix is not None else None
    if include is not None:
        return [scalars(item) for item in items(include)[:_MAX_LEGS]] or [{}]
    axes = {name: words(values) for name, values in entries(matrix)}
    if not axes:
        return [{}]
    return [dict(zip(axes, values, strict=True)) for values in islice(product(*axes.values()), _MAX_LEGS)] or [{}]


def _filled(value: str, leg: Mapping[str, str]) -> str:
    return (
        _VARIABLE.sub(lambda match: leg.get(match.group(1) or match.group(2), match.group()), value) if leg else value
    )
