"""GitLab CI: `.gitlab-ci.yml`, what it includes from the same repository, and its child pipelines.

Facts: https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.ci import gitlab_rules
from mlops_scan.ci.gitlab_script import steps
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.documents.node import Node

KEYWORDS = frozenset(
    {"after_script", "before_script", "cache", "default", "image", "include", "services", "spec", "stages", "types",
     "variables", "workflow"}
)  # fmt: skip
_MAX_INCLUDES = 50
_MAX_EXTENDS = 11  # GitLab's own limit
_MAX_CHILDREN = 2

Load = Callable[[str], tuple[tuple[str, tuple[Node, ...]], ...]]
"""The repository's files, with their documents, that a path of an `include`, which may have wildcards, names."""


class Configuration(Struct):
    """The keys of a pipeline and of all it includes, each with its file; `below` has what was written over."""

    entries: dict[str, tuple[str, Node]] = field(default_factory=dict)
    below: dict[str, list[tuple[str, Node]]] = field(default_factory=lambda: defaultdict(list))
    _merged: dict[str, dict[str, tuple[str, Node]]] = field(default_factory=dict)

    def job_keys(self, name: str, depth: int = 0) -> Mapping[str, tuple[str, Node]]:
        """A job's keys with those of the jobs that it extends; its own win."""
        if name in self._merged or name not in self.entries or depth > _MAX_EXTENDS:
            return self._merged.get(name, {})
        layers = [*self.below.get(name, ()), self.entries[name]]
        self._merged[name] = {}  # cuts cycles
        keys: dict[str, tuple[str, Node]] = {}
        extends = next((found for _, node in reversed(layers) if (found := node.get("extends")) is not None), None)
        for parent in extends.strings()[:50] if extends is not None else ():
            keys.update(self.job_keys(parent, depth + 1))
        for path, node in layers:
            keys.update({key: (path, value) for key, value in node.entries})
        self._merged[name] = keys
        return keys

    def default(self, key: str) -> tuple[str, Node] | None:
        """What `default:` gives every job, or the same key at the top, which does the same."""
        if "default" in self.entries:
            path, node = self.entries["default"]
            value = node.get(key)
            if value is not None:
                return path, value
        return self.entries.get(key)


def parse(path: str, documents: tuple[Node, ...], load: Load, depth: int = 0) -> tuple[Workflow, ...]:
    """The facts of a GitLab pipeline: one workflow for each file that jobs stand in, the pipeline's own first."""
    configuration = Configuration()
    _collect(path, documents, load, configuration, set())
    stages = configuration.entries.get("stages")
    created = gitlab_rules.created(configuration.entries)
    jobs: dict[str, list[Job]] = defaultdict(list)
    children: list[Workflow] = []
    for name, (where, node) in configuration.entries.items():
        if name in KEYWORDS or name.startswith(".") or node.kind != "mapping":
            continue
        found = job(name, configuration, created)
        if found is not None:
            jobs[where].append(found)
            if depth < _MAX_CHILDREN:
                children.extend(_children(found, configuration.job_keys(name), load, depth))
    own = jobs.pop(path, [])
    line = stages[1].at if stages is not None and stages[0] == path else 1
    workflows = [_workflow(path, line, own), *(_workflow(where, 1, found) for where, found in jobs.items())]
    return (*workflows, *children)


def _workflow(path: str, line: int, jobs: list[Job]) -> Workflow:
    triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
    return Workflow(path, "gitlab-ci", line, "GitLab CI", triggers, tuple(jobs))


def _collect(path: str, documents: tuple[Node, ...], load: Load, into: Configuration, seen: set[str]) -> None:
    """Included files first, so that the including file's keys win."""
    seen.add(path)
    for document in documents:
        for name in _included(document.get("include")):
            for where, included in load(name):
                if where not in seen and len(seen) < _MAX_INCLUDES:
                    _collect(where, included, load, into, seen)
        for key, node in document.entries:
            if key in into.entries:
                into.below[key].append(into.entries[key])
            into.entries[key] = (path, node)


def _included(node: Node | None) -> tuple[str, ...]:
    """The paths of the local files that an `include` names."""
    if node is None:
        return ()
    found: list[str] = []
    for item in node.items if node.kind == "sequence" else (node,):
        local = item.get("local") if item.kind == "mapping" else item
        found.extend(name.lstrip("/") for name in (local.strings() if local is not None else ()) if "://" not in name)
    return tuple(name for name in found if name)


def job(name: str, configuration: Configuration, created: tuple[Trigger, ...] | None = None) -> Job | None:
    """One job, or None where the entry has nothing to run. `created` are the triggers that `workflow: rules` allow."""
    path, node = configuration.entries[name]
    placed = configuration.job_keys(name)
    keys = {key: value for key, (_, value) in placed.items()}
    if "script" not in keys and "run" not in keys and "trigger" not in keys:
        return None
    started = gitlab_rules.started(keys, node, created)
    triggers = started.triggers
    if any(key in placed and placed[key][0] != path for key in ("rules", "only", "except", "when")):
        triggers = tuple(replace(trigger, line=node.at) for trigger in triggers)  # those lines are of another file
    environment = keys.get("environment")
    common = configuration.entries.get("variables")
    env = {**_variables(common[1] if common is not None else None), **_variables(keys.get("variables"))}
    return Job(
        id=name,
        line=node.at,
        end_line=max(node.at, node.end_line),
        steps=tuple(replace(step, env=env) for step in _steps(placed, configuration)),
        needs=_needs(keys.get("needs")),
        environment="" if _text(_key(environment, "action")) == "stop" else _named(environment),
        may_fail=gitlab_rules.may_fail(keys),
        manual=started.manual,
        never=started.never,
        image=_named(keys.get("image")),
        triggers=triggers,
    )


def _steps(placed: Mapping[str, tuple[str, Node]], configuration: Configuration) -> tuple[Step, ...]:
    inherit = placed["inherit"][1].get("default") if "inherit" in placed else None
    inherits = inherit is None or inherit.value is not False
    before, after = (
        placed.get(key) or (configuration.default(key) if inherits else None)
        for key in ("before_script", "after_script")
    )
    parts = [part for part in (before, placed.get("script")) if part is not None]
    found = steps(parts, configuration.entries)
    if after is not None:
        reason = "a failure of `after_script` does not fail the job"
        found += tuple(replace(step, may_fail=reason) for step in steps([after], configuration.entries))
    return found


def _variables(node: Node | None) -> dict[str, str]:
    """The variables of a pipeline or a job; one with a description has its value inside."""
    pairs = ((name, _text(value.get("value") if value.kind == "mapping" else value)) for name, value in _pairs(node))
    return {name: value for name, value in pairs if value}


def _pairs(node: Node | None) -> tuple[tuple[str, Node], ...]:
    return node.entries if node is not None else ()


def _children(parent: Job, keys: Mapping[str, tuple[str, Node]], load: Load, depth: int) -> list[Workflow]:
    """The pipelines that a job starts with `trigger: include`, started by whatever starts the job."""
    trigger = keys["trigger"][1] if "trigger" in keys else None
    found: list[Workflow] = []
    for name in _included(trigger.get("include") if trigger is not None else None)[:5]:
        for path, documents in load(name):
            for workflow in parse(path, documents, load, depth + 1):
                jobs = tuple(_started_by(parent, child) for child in workflow.jobs)
                triggers = tuple(dict.fromkeys(t for child in jobs for t in child.triggers or ()))
                found.append(replace(workflow, jobs=jobs, triggers=triggers))
    return found


def _started_by(parent: Job, child: Job) -> Job:
    triggers = tuple(replace(trigger, line=child.line) for trigger in parent.triggers or ())
    return replace(child, triggers=triggers, manual=child.manual or parent.manual, never=child.never or parent.never)


def _needs(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    names = (_text(item.get("job") if item.kind == "mapping" else item) for item in node.items)
    return tuple(name for name in names if name)


def _key(node: Node | None, key: str) -> Node | None:
    return node.get(key) if node is not None else None


def _named(node: Node | None) -> str:
    return _text(node.get("name") if node is not None and node.kind == "mapping" else node)


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")
