"""taskgraph: the kinds below `taskcluster/` from which a decision task makes a repository's tasks.

Facts: https://taskcluster-taskgraph.readthedocs.io/en/latest/howto/create-tasks.html . Transforms are Python code and
are not followed; what a task's `run:` and `worker:` say is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from mlops_scan.ci.jsone import merged
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import Script, entries, items, scalars, shell_text, text, vector, words
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

_KIND = regex(r"taskcluster/(?:ci|kinds)/([^/]+)/kind\.yml")
_DECISION = regex(r"\btaskgraph\b[^\n]{0,500}\bdecision\b|\btaskgraph\s{1,20}decision|-taskgraph-decision")
_EVENTS = {
    "github-push": "push", "github-pull-request": "pull_request", "github-pull-request-untrusted": "pull_request",
    "github-release": "release", "cron": "schedule", "hg-push": "push", "git-push": "push",
}  # fmt: skip
_DEFAULTS = ("task-defaults", "job-defaults")
_MAX_TASKS = 500


def crons(documents: Sequence[Node]) -> tuple[Trigger, ...]:
    """The times at which a `.cron.yml` starts decision tasks."""
    found = []
    for node in documents[:1]:
        for item in items(node.get("jobs"))[:100]:
            for when in items(item.get("when"))[:50]:
                day = text(when.get("weekday")) or text(when.get("day"))
                at = f"{text(when.get('hour')) or '*'}:{text(when.get('minute')).zfill(2)} {day}".strip()
                found.append(Trigger("schedule", when.line, f"{text(item.get('name'))} {at}".strip()))
    return tuple(found)


def kinds(documents: Documents, root: str, own: Workflow, clock: tuple[Trigger, ...]) -> Iterator[Workflow]:
    """The tasks of all kinds below `root`, as the decision task of the root's `.taskcluster.yml` creates them."""
    decision = next((job for job in own.jobs if _decides(job)), None)
    started = own.triggers_of(decision) if decision is not None else ()
    for path in sorted(documents.files):
        match = _KIND.fullmatch(path[len(root) :]) if path.startswith(root) else None
        if match is None:
            continue
        reason = "" if decision is not None else "no task of .taskcluster.yml runs `taskgraph decision`"
        for node in documents.nodes(path)[:1]:
            jobs = tuple(_jobs(documents, path, node, match.group(1), started, clock))
            triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
            yield Workflow(path, "taskcluster", node.line, f"taskgraph {match.group(1)}", triggers, jobs, reason)


def _decides(job: Job) -> bool:
    return any(_DECISION.search(step.script) for step in job.steps)


def _jobs(
    documents: Documents, path: str, kind: Node, name: str, started: tuple[Trigger, ...], clock: tuple[Trigger, ...]
) -> Iterator[Job]:
    defaults = next((node for key in _DEFAULTS if (node := kind.get(key)) is not None), None)
    listed = [(path, key, node) for where in ("tasks", "jobs") for key, node in entries(kind.get(where))]
    folder = path.rpartition("/")[0]
    for more in (*words(kind.get("tasks-from")), *words(kind.get("jobs-from")))[:50]:
        other = f"{folder}/{more}"
        for node in documents.nodes(other)[:1] if other in documents.files else ():
            own = node.get("task-defaults") or node.get("job-defaults")
            listed += [
                (other, key, merged(task, [own, task]) if own is not None else task)
                for key, task in node.entries
                if key not in _DEFAULTS
            ]
    for where, key, node in listed[:_MAX_TASKS]:
        if node.kind == "mapping":
            task = merged(node, [defaults, node]) if defaults is not None else node
            steps = tuple(_steps(documents, task, where if where != path or _own(node) else path, path))
            label = key if key.startswith(name) else f"{name}-{key}"
            yield Job(
                id=label,
                line=node.at,
                end_line=max(node.at, node.end_line),
                steps=steps,
                needs=words(_values(task.get("dependencies"))),
                triggers=_triggers(task, node.at, started, clock),
            )


def _own(node: Node) -> bool:
    return node.get("run") is not None


def _triggers(task: Node, line: int, started: tuple[Trigger, ...], clock: tuple[Trigger, ...]) -> tuple[Trigger, ...]:
    """What starts the decision task, as far as the task takes part; clocks have a choice of tasks of their own."""
    wanted = words(_chosen(task.get("run-on-tasks-for")))
    if task.get("run-on-tasks-for") is not None and not wanted:
        return (Trigger("manual", line, "run-on-tasks-for: []"),)
    kinds = {_EVENTS.get(name, "other") for name in wanted} if wanted and "all" not in wanted else None
    found = [trigger for trigger in started if kinds is None or trigger.kind in kinds]
    if clock and (kinds is None or "schedule" in kinds):
        found = [trigger for trigger in found if trigger.kind != "schedule"] + list(clock)
    return tuple(replace(trigger, line=line) for trigger in found) or (Trigger("manual", line, "no event"),)


def _steps(documents: Documents, task: Node, path: str, kind: str) -> Iterator[Step]:
    run = task.get("run")
    worker = task.get("worker")
    command = _chosen(run.get("command")) if run is not None else None
    command = command or (_chosen(worker.get("command")) if worker is not None else None)
    env = scalars(worker.get("env")) if worker is not None else {}
    script: Script | None = None
    if run is not None and run.get("script") is not None:
        name = text(_chosen(run.get("script")))
        script = Script(f"taskcluster/scripts/toolchain/{name}", (run.get("script") or run).line)
    elif run is not None and run.get("mach") is not None:
        words_ = _chosen(run.get("mach"))
        script = Script(f"./mach {text(words_)}", (words_ or run).line)
    elif command is not None:
        script = shell_text(command, True) if command.kind == "scalar" else vector(items(command))
    if script is None or not script.text.strip():
        return
    at = command or run or task
    folder = text(run.get("cwd")) if run is not None else ""
    yield Step(
        line=at.at,
        end_line=max(at.at, at.end_line),
        script=re.sub(r"\$VCS_PATH/|\{checkout\}/", "", script.text),
        script_line=script.line,
        errexit=script.errexit,
        pipefail=script.pipefail,
        folder="" if "{" in folder or "$" in folder else folder,
        path=path if path in documents.files else kind,
        env=env,
    )


def _chosen(node: Node | None) -> Node | None:
    """A value that may depend on something (`by-level: {3: x, default: y}`): its default, else its first."""
    for _ in range(5):
        key = next((key for key in (node.keys() if node is not None else ()) if key.startswith("by-")), None)
        if node is None or key is None:
            return node
        cases = node.get(key)
        node = (cases.get("default") or (cases.entries[0][1] if cases.entries else None)) if cases else None
    return node


def _values(node: Node | None) -> Node | None:
    """The values of a mapping as a list."""
    if node is None or node.kind != "mapping":
        return node
    return replace(node, kind="sequence", entries=(), items=tuple(value for _, value in node.entries))
