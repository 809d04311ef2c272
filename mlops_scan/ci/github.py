"""GitHub Actions, and Gitea and Forgejo, which read the same format.

Facts: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.documents.node import Node

LOADED = re.compile(r"\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml")

_EVENTS = {
    "push": "push", "pull_request": "pull_request", "pull_request_target": "pull_request", "merge_group": "merge_queue",
    "schedule": "schedule", "workflow_dispatch": "manual", "workflow_call": "called", "workflow_run": "chained",
    "repository_dispatch": "external", "release": "release", "create": "push", "issue_comment": "manual",
    "deployment": "external", "deployment_status": "external", "registry_package": "external", "issues": "other",
}  # fmt: skip
_FALSE = re.compile(r"\s*(\$\{\{\s*)?(false|0)(\s*\}\})?\s*")


def looks_like(node: Node) -> bool:
    """Whether a document has the shape of a workflow, wherever it stands."""
    return node.get("on") is not None and node.get("jobs") is not None


def parse(path: str, node: Node, unloaded: str = "") -> Workflow:
    """A workflow file's facts; parts that have another shape than documented are left out."""
    jobs_node = node.get("jobs")
    defaults = _text(node.path("defaults", "run", "working-directory"))
    jobs = tuple(_job(name, job, defaults) for name, job in (jobs_node.entries if jobs_node else ()) if job.kind == "mapping")
    name = node.get("name")
    return Workflow(
        path=path,
        provider="github-actions",
        line=node.line,
        name=_text(name) or path.rpartition("/")[2],
        triggers=_triggers(node.get("on")),
        jobs=jobs,
        unloaded=unloaded,
    )


def parse_action(node: Node, folder: str) -> tuple[Step, ...]:
    """The steps of a composite action (`action.yml`)."""
    steps = node.path("runs", "steps")
    return tuple(_step(step, folder) for step in steps.items if step.kind == "mapping") if steps else ()


def _triggers(node: Node | None) -> tuple[Trigger, ...]:
    if node is None:
        return ()
    if node.kind == "scalar":
        return (Trigger(_EVENTS.get(node.text, "other"), node.line, node.text),)
    if node.kind == "sequence":
        return tuple(Trigger(_EVENTS.get(item.text, "other"), item.line, item.text) for item in node.items)
    found: list[Trigger] = []
    for name, event in node.entries:
        kind = _EVENTS.get(name, "other")
        if name == "schedule":
            crons = [(item.get("cron"), item) for item in event.items]
            found.extend(Trigger("schedule", (cron or item).at, _text(cron)) for cron, item in crons)
        elif name == "push" and event.get("tags") is not None and event.get("branches") is None:
            found.append(Trigger("tag", event.at, " ".join((event.get("tags") or event).strings())))
        else:
            branches = event.get("branches") or event.get("workflows")
            found.append(Trigger(kind, event.at, " ".join(branches.strings()) if branches else name))
    return tuple(found)


def _job(name: str, node: Node, defaults: str) -> Job:
    condition = _text(node.get("if"))
    folder = _text(node.path("defaults", "run", "working-directory")) or defaults
    steps = node.get("steps")
    environment = node.get("environment")
    return Job(
        id=name,
        line=node.at,
        end_line=max(node.end_line, node.at),
        steps=tuple(_step(step, folder) for step in steps.items if step.kind == "mapping") if steps else (),
        needs=_strings(node.get("needs")),
        condition=condition,
        environment=_text(environment.get("name") if environment is not None and environment.kind == "mapping" else environment),
        may_fail=_may_fail(node, "the job has `continue-on-error: true`"),
        never=f"`if: {condition}` is never true" if _FALSE.fullmatch(condition) else "",
        uses=_text(node.get("uses")),
        image=_text(node.get("container")),
    )


def _step(node: Node, folder: str) -> Step:
    run = node.get("run")
    script = _text(run)
    line = node.at
    # A block scalar's text begins on the line after its `|`
    first = (run.line + (1 if "\n" in script and run.end_line > run.line else 0)) if run is not None else line
    inputs = node.get("with")
    shell = _text(node.get("shell"))
    condition = _text(node.get("if"))
    return Step(
        line=line,
        end_line=max(line, node.end_line),
        name=_text(node.get("name")),
        script=script,
        script_line=first,
        uses=_text(node.get("uses")),
        inputs=_mapping(inputs),
        condition=condition,
        may_fail=_may_fail(node, "the step has `continue-on-error: true`") or ("`if: false`" if _FALSE.fullmatch(condition) and condition else ""),
        folder=_text(node.get("working-directory")) or folder,
        errexit="{0}" not in shell or "-e" in shell,
    )


def _may_fail(node: Node, reason: str) -> str:
    flag = node.get("continue-on-error")
    return reason if flag is not None and flag.value is True else ""


def _text(node: Node | None) -> str:
    if node is None or node.kind != "scalar":
        return ""
    return node.value if isinstance(node.value, str) else node.text


def _strings(node: Node | None) -> tuple[str, ...]:
    return () if node is None else node.strings()


def _mapping(node: Node | None) -> Mapping[str, str]:
    return {} if node is None else {name: _text(value) for name, value in node.entries if value.kind == "scalar"}
