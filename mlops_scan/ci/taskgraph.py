"""taskgraph: the kinds below `taskcluster/` from which a decision task makes a repository's tasks.

Facts: https://taskcluster-taskgraph.readthedocs.io/en/latest/howto/create-tasks.html . Transforms are Python code and
are not followed; what a task's `run:` and `worker:` say is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci.jsone import merged
from mlops_scan.ci.model import AUTOMATIC, Job, Step, Trigger, Workflow
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
_FIELD = regex(r"\{[^{}]{0,100}\}")  # filled in by a transform


class _Task(Struct, frozen=True):
    """A task with what it says of the tasks that it depends on: their labels and, all of theirs, kinds."""

    job: Job
    labels: tuple[str, ...]
    kinds: tuple[str, ...]


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
    decisions = [job for job in own.jobs if _decides(job)]  # often one for each event
    started = tuple(dict.fromkeys(trigger for job in decisions for trigger in own.triggers_of(job)))
    reason = "" if decisions else "no task of .taskcluster.yml runs `taskgraph decision`"
    read: list[tuple[str, int, str, list[_Task]]] = []
    for path in sorted(documents.files):
        match = _KIND.fullmatch(path[len(root) :]) if path.startswith(root) else None
        if match is None:
            continue
        for node in documents.nodes(path)[:1]:
            tasks = list(_tasks(documents, path, node, match.group(1), started, clock))
            read.append((path, node.line, match.group(1), tasks))
    handed = _handed([(name, tasks) for _, _, name, tasks in read])
    for path, line, name, tasks in read:
        jobs = tuple(_started(task.job, handed.get(id(task.job))) for task in tasks)
        triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
        yield Workflow(path, "taskcluster", line, f"taskgraph {name}", triggers, jobs, reason)


def _handed(read: Sequence[tuple[str, list[_Task]]]) -> Mapping[int, dict[str, Trigger]]:
    """What starts each task by itself, by kind: with a task that is started all run that it depends on."""
    labelled: defaultdict[str, list[_Task]] = defaultdict(list)
    of_kind: defaultdict[str, list[_Task]] = defaultdict(list)
    for kind, tasks in read:
        of_kind[kind] += tasks
        for task in tasks:
            labelled[_FIELD.sub("*", task.job.id)].append(task)
    handed = {
        id(task.job): {trigger.kind: trigger for trigger in task.job.triggers or () if trigger.kind in AUTOMATIC}
        for _, tasks in read
        for task in tasks
    }
    open_ = [(task, frozenset(found)) for _, tasks in read for task in tasks if (found := handed[id(task.job)])]
    told: set[tuple[str, frozenset[str]]] = set()  # kinds of tasks that all know of some triggers
    while open_:
        task, kinds = open_.pop()
        known = handed[id(task.job)]
        wanted = [other for label in task.labels for other in labelled.get(label, ())]
        for name in task.kinds:
            wanted += of_kind[name] if (name, kinds) not in told else []
            told.add((name, kinds))
        for other in wanted:
            own = handed[id(other.job)]
            new = frozenset(kinds - own.keys())
            own.update({kind: known[kind] for kind in new})
            if new:
                open_.append((other, new))
    return handed


def _started(job: Job, by: Mapping[str, Trigger] | None) -> Job:
    """A task with the triggers of those that depend on it; one that they start needs no person."""
    own = job.triggers or ()
    more = [trigger for kind, trigger in (by or {}).items() if all(kind != known.kind for known in own)]
    if not more:
        return job
    kept = (trigger for trigger in own if trigger.kind in AUTOMATIC)
    return replace(job, triggers=(*kept, *(replace(trigger, line=job.line) for trigger in more)))


def _decides(job: Job) -> bool:
    return any(_DECISION.search(step.script) for step in job.steps)


def _tasks(
    documents: Documents, path: str, kind: Node, name: str, started: tuple[Trigger, ...], clock: tuple[Trigger, ...]
) -> Iterator[_Task]:
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
            needs = words(_values(task.get("dependencies")))
            job = Job(
                id=label,
                line=node.at,
                end_line=max(node.at, node.end_line),
                steps=steps,
                needs=needs,
                triggers=_triggers(task, node.at, started, clock),
            )
            labels = tuple(_FIELD.sub("*", need) for need in needs)
            yield _Task(job, (*labels, *_fetched(task)), _grouped(kind, task))


def _fetched(task: Node) -> Iterator[str]:
    """The labels of the tasks that fetch or build what a task downloads first."""
    for kind in ("toolchain", "fetch"):
        names = task.path("fetches", kind)
        yield from (f"{kind}-{name}" for name in (names.strings() if names is not None else ()))


def _grouped(kind: Node, task: Node) -> tuple[str, ...]:
    """The kinds whose tasks a task is made from by the transform `from_deps`, and so depends on."""
    made = task.get("from-deps")
    if made is None:
        return ()
    return words(made.get("kinds")) or words(kind.get("kind-dependencies"))


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
