"""Taskcluster: `.taskcluster.yml` at the root, hooks, task graphs that a task creates from a file, taskgraph's kinds.

Facts: https://docs.taskcluster.net/docs/reference/integrations/github/taskcluster-yml-v1 and
https://taskcluster-taskgraph.readthedocs.io . A command is a list of words, on generic workers a list of such lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.ci import taskgraph
from mlops_scan.ci.jsone import Facts, Renderer
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import Script, items, scalars, shell_text, text, vector, words
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import FOREIGN, Role

NAME = ".taskcluster.yml"
_PUSH = {"tasks_for": "github-push", "event.ref": "refs/heads/main", "event.base_ref": ""}
_PULL = {
    "tasks_for": "github-pull-request", "event.action": "synchronize", "event.pull_request.merged": False,
    "event.pull_request.draft": False,
}  # fmt: skip
_EVENTS: tuple[tuple[str, Facts], ...] = (
    ("push", _PUSH),
    ("tag", {**_PUSH, "event.ref": "refs/tags/v1.0.0"}),
    ("pull_request", _PULL),
    ("release", {"tasks_for": "github-release", "event.action": "published"}),
    ("schedule", {"tasks_for": "cron"}),
    ("manual", {"tasks_for": "action"}),
)
_OLD_EVENTS = {"push": "push", "release": "release", "tag": "tag"}  # version 0; those of pull requests have a dot
_CHECKOUT = regex(
    r"\bgit\s+clone\b((?:\s+-[^\s&|;]+)*)\s+(\S*(?:\$\{?\w*repo|\$GITHUB_HEAD_REPO|\$\{)[^\s&|;]*)(\s+[\w./-]+)?", re.I
)
_ENTER = regex(r"\bcd\s+(/?[\w.-]+)(?=\s|$|;|&)")
_SKIPPED = FOREIGN | frozenset({Role.DOCS, Role.EXAMPLE, Role.TEST, Role.DATA})
_MARKS = ("triggerSchema", "provisionerId")  # one of which a hook has; `providers` has them too
_NAMING = frozenset({"yaml", "shell", "makefile", "python"})  # languages in which a hook's file can be named
_MAX_TASKS = 500
_MAX_GRAPHS = 20


class _Task(Struct):
    """A task of a file, with the kinds of events under which it is created, each with the line that decides."""

    node: Node
    kinds: dict[str, None] = field(default_factory=dict)


def find(documents: Documents) -> dict[str, list[Workflow]]:
    """The Taskcluster definitions of a repository by file."""
    found: dict[str, list[Workflow]] = {}
    hooks: dict[str, Workflow] = {}
    for path, file in documents.files.items():
        if file.role in FOREIGN:
            continue
        if strip_template(path)[0] == NAME and documents.nodes(path):
            own = parse(path, documents.nodes(path)[0], bool(documents.files.get(_beside(path, ".cron.yml"))))
            clock = _beside(path, ".cron.yml")
            crons = taskgraph.crons(documents.nodes(clock)) if clock in documents.files else ()
            found[path] = [own]
            for kind in taskgraph.kinds(documents, path[: -len(NAME)], own, crons):
                found.setdefault(kind.path, []).append(kind)
        elif language_of(path) in ("json", "yaml") and file.role not in _SKIPPED and file.size < 200_000:
            hook = _hook(path, documents)
            if hook is not None:
                found.setdefault(path, []).append(hook)
                hooks[path] = hook
    for path in hooks.keys() - _named_elsewhere(hooks, documents):
        lost = replace(hooks[path], unloaded="nothing in the repository creates this hook")
        found[path] = [lost if workflow is hooks[path] else workflow for workflow in found[path]]
    for graph in _graphs([w for known in found.values() for w in known], documents):
        found.setdefault(graph.path, []).append(graph)
    return found


def _beside(path: str, name: str) -> str:
    return path.rpartition("/")[0] + "/" + name if "/" in path else name


# -- .taskcluster.yml ------------------------------------------------------------------------------------------------


def parse(path: str, node: Node, has_clock: bool = False) -> Workflow:
    """The tasks of a `.taskcluster.yml`; `has_clock` says whether a `.cron.yml` beside it starts some."""
    tasks = node.get("tasks")
    if tasks is None:
        return Workflow(path, "taskcluster", node.line, "Taskcluster", (), ())
    if text(node.get("version")) in ("", "0"):
        jobs = [_job(item, path, _old_triggers(item)) for item in items(tasks)[:_MAX_TASKS] if item.get("payload")]
    else:
        by_task: dict[tuple[int, str], _Task] = {}
        for kind, facts in _EVENTS:
            if kind == "schedule" and not has_clock:
                continue
            for task in _tasks(tasks, facts):
                by_task.setdefault((_place(task), _name(task)), _Task(task)).kinds[kind] = None
        jobs = [_job(task.node, path, _triggers(task, tasks.at)) for task in by_task.values()]
    triggers = tuple(dict.fromkeys(t for job in jobs for t in job.triggers or ()))
    return Workflow(path, "taskcluster", tasks.at, "Taskcluster", triggers, tuple(jobs))


def _tasks(template: Node, facts: Facts) -> Iterator[Node]:
    """The tasks that a template creates under one event."""
    stack = list(Renderer(facts).render(template))
    seen = 0
    while stack and seen < _MAX_TASKS:
        node = stack.pop(0)
        if node.kind == "sequence":
            stack[:0] = node.items
        elif node.kind == "mapping" and node.get("payload") is not None:
            seen += 1
            yield node


def _triggers(task: _Task, line: int) -> tuple[Trigger, ...]:
    found = [Trigger(kind, line, "tasks_for") for kind in task.kinds if kind != "manual"]
    return tuple(found) or (Trigger("manual", line, "an action"),)


def _old_triggers(task: Node) -> tuple[Trigger, ...]:
    """Version 0 names the events under each task's `extra.github`."""
    events = task.path("extra", "github", "events")
    kinds = [
        "pull_request" if name.startswith("pull_request") else _OLD_EVENTS.get(name, "other") for name in words(events)
    ]
    return tuple(Trigger(kind, events.at if events else task.line, kind) for kind in dict.fromkeys(kinds))


def _place(task: Node) -> int:
    """The line that tells a task from others: its command's, for merged defaults share everything else."""
    command = task.path("payload", "command")
    return command.line if command is not None else task.line


def _name(task: Node) -> str:
    shown = next((text(found) for key in ("ID", "taskId") if (found := task.get(key)) is not None), "")
    return text(task.path("metadata", "name")) or shown or "task"


def _job(task: Node, path: str, triggers: tuple[Trigger, ...]) -> Job:
    payload = task.get("payload") or task
    image = payload.get("image")
    return Job(
        id=_name(task),
        line=_place(task),
        end_line=max(_place(task), task.end_line),
        steps=steps(payload, path),
        needs=words(task.get("dependencies")),
        image=text(image),
        triggers=triggers,
    )


def steps(payload: Node, path: str) -> tuple[Step, ...]:
    """What a task's payload runs."""
    command = payload.get("command")
    parts = items(command)
    nested = [part for part in parts if part.kind == "sequence"]
    if command is None:
        return ()
    if command.kind == "scalar":
        scripts = [shell_text(command, False)]
    elif nested and len(nested) == len(parts):
        scripts = [vector([part]) for part in nested]
    else:
        scripts = [vector(parts)]
    env = scalars(payload.get("env"))
    return tuple(_step(script, command, path, env) for script in scripts if script is not None)


def _step(script: Script, command: Node, path: str, env: object) -> Step:
    return Step(
        line=command.at,
        end_line=max(command.at, command.end_line),
        script=in_checkout(script.text),
        script_line=script.line,
        errexit=script.errexit,
        pipefail=script.pipefail,
        path=path,
        env=dict(env) if isinstance(env, dict) else {},
    )


def in_checkout(script: str) -> str:
    """The text with the folder that it clones its own repository to named as such: that is the root of the files."""
    match = _CHECKOUT.search(script)
    if match is None:
        return script
    target = (match.group(3) or "").strip()
    enter = _ENTER.search(script, match.end())
    if enter is None or (target and enter.group(1) != target):
        return script
    return f"{script[: enter.start(1)]}$WORKSPACE{script[enter.end(1) :]}"


# -- hooks and task graphs in files ----------------------------------------------------------------------------------


def _hook(path: str, documents: Documents) -> Workflow | None:
    """A hook's definition: a task with a schedule, or bindings to messages, or neither."""
    if not any(documents.holds(path, mark) for mark in _MARKS):
        return None
    raw = documents.text(path)
    if '"triggerSchema"' not in raw and "triggerSchema:" not in raw and "provisionerId" not in raw:
        return None
    for node in documents.nodes(path)[:1]:
        task = node.get("task")
        if task is None or task.get("payload") is None or node.get("metadata") is None:
            return None
        clock, bindings = node.get("schedule"), node.get("bindings")
        triggers = [Trigger("schedule", clock.at, cron) for cron in words(clock)[:20] if clock is not None]
        triggers += [Trigger("external", bindings.at, "a message")] if items(bindings) and bindings is not None else []
        started = tuple(triggers) or (Trigger("manual", node.line, "by hand or by its API"),)
        name = text(node.path("metadata", "name")) or path.rpartition("/")[2]
        job = replace(_job(task, path, started), id=name)
        return Workflow(path, "taskcluster", node.line, name, started, (job,))
    return None


def _named_elsewhere(hooks: Iterable[str], documents: Documents) -> set[str]:
    """Those of some files that another definition or script of the repository names.

    Who names a file mostly stands near it, so the files are looked at in that order, all of them once at the most.
    """
    wanted = {path: path.rpartition("/")[2] for path in hooks}
    found: set[str] = set()
    others = [
        path
        for path, file in (documents.files.items() if wanted else ())
        if file.role not in _SKIPPED and file.size < 500_000 and language_of(path) in _NAMING
    ]
    for other in _nearest_first(others, {folder for path in wanted for folder in _folders(path)}):
        text_of = documents.text(other)
        found.update(path for path, name in wanted.items() if name in text_of and path != other)
        if len(found) == len(wanted):
            break
    return found


def _nearest_first(paths: Iterable[str], around: set[str]) -> list[str]:
    """Paths, first those that have the longest folder of `around` above them."""
    known: dict[str, int] = {}
    for folder in {path.rpartition("/")[0] for path in paths}:
        known[folder] = next((len(outer) for outer in _folders(f"{folder}/") if outer in around), 0)
    return sorted(paths, key=lambda path: -known[path.rpartition("/")[0]])


def _folders(path: str) -> Iterator[str]:
    """The folders that a file lies in, the innermost one first."""
    while path := path.rpartition("/")[0]:
        yield path


def _graphs(known: Sequence[Workflow], documents: Documents) -> Iterator[Workflow]:
    """Files of tasks that a command of a task names: that task creates them, under its own triggers."""
    done: set[str] = set()
    for workflow in known:
        if workflow.unloaded:
            continue
        for job in workflow.jobs:
            for name in _yaml_words(job):
                path = _by_name(name, documents)
                if path is None or path in done or len(done) >= _MAX_GRAPHS:
                    continue
                done.add(path)
                graph = _graph(path, documents, workflow.triggers_of(job), name)
                if graph is not None:
                    yield graph


def _yaml_words(job: Job) -> Iterator[str]:
    for step in job.steps:
        yield from re.findall(r"[\w./-]{1,200}\.ya?ml\b", step.script)


def _by_name(name: str, documents: Documents) -> str | None:
    base = name.rpartition("/")[2]
    found = [path for path in documents.files if path.rpartition("/")[2] == base]
    return found[0] if len(found) == 1 else None


def _graph(path: str, documents: Documents, triggers: tuple[Trigger, ...], name: str) -> Workflow | None:
    for node in documents.nodes(path)[:1]:
        tasks = node.get("tasks")
        if tasks is None or strip_template(path)[0] == NAME:
            return None
        found = [task for task in _tasks(tasks, {}) if task.path("payload", "command") is not None]
        marked = [
            task for task in found if task.get("provisionerId") or task.get("taskQueueId") or task.get("workerType")
        ]
        if not marked:
            return None
        started = tuple(replace(trigger, line=tasks.at) for trigger in triggers)
        jobs = tuple(replace(_job(task, path, started), id=text(task.get("ID")) or _name(task)) for task in marked)
        return Workflow(path, "taskcluster", tasks.at, name.rpartition("/")[2], started, jobs)
    return None
