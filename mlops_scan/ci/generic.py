"""CI-shaped YAML or JSON of no known provider: `pipeline: {model_test: {stage: test, script: run.sh, only: [master]}}`.

Home-grown runners and documents about pipelines use this shape. What is taken for a pipeline has jobs, at least half
of which have a `stage` and a `script` (or `commands`): a mapping of jobs, a list of jobs with names, or jobs one level
below the stages' names. So a mapping of settings, an ingest pipeline or a list of training steps is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_scan.ci import gitlab
from mlops_scan.ci.model import Job, Trigger, Workflow
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_CONTAINERS = ("pipeline", "pipelines", "jobs", "ci", "cd", "ci_cd", "cicd", "workflow")
_SCRIPTS = ("script", "scripts", "commands", "command")
_NAMES = ("name", "job", "id")
_STAGE = regex(
    r"(.*[-_])?(build|compile|lint|style|checks?|quality|tests?|testing|verify|validat(e|ion)|package|release|publish|deploy(ment)?"
    r"|staging|prod(uction)?|security|train(ing)?|evaluat(e|ion)|model)([-_].*)?",
    re.I,
    ("build", "compile", "lint", "style", "check", "quality", "test", "verify", "validat", "package", "release",
     "publish", "deploy", "staging", "prod", "security", "train", "evaluat", "model"),
)  # fmt: skip
_MAX_JOBS = 500


def find(path: str, document: Node) -> Workflow | None:
    """The pipeline that a document declares, or None."""
    for name in _CONTAINERS:
        container = document.get(name)
        jobs = _jobs(container) if container is not None else {}
        if container is not None and jobs:
            return _workflow(path, container, name, jobs, document)
    jobs = _jobs(document) if document.kind == "mapping" else {}
    return _workflow(path, document, path.rpartition("/")[2], jobs, document) if jobs else None


def _jobs(container: Node) -> dict[str, Node]:
    """The jobs of a container by name; empty where it does not look like a pipeline."""
    if container.kind == "sequence":
        listed = dict(_listed(container))
        return listed if _is_pipeline(listed) and len(listed) * 2 > len(container.items) else {}
    direct = {
        name: _with_script(node)
        for name, node in container.entries[:_MAX_JOBS]
        if node.kind == "mapping" and name not in gitlab.KEYWORDS
    }
    if _is_pipeline(direct):
        return direct
    staged = [(name, node) for name, node in container.entries if node.kind == "mapping" and _STAGE.fullmatch(name)]
    nested = {
        job: _with_script(_with_stage(node, stage))
        for stage, node_of_stage in staged
        for job, node in node_of_stage.entries[:_MAX_JOBS]
        if node.kind == "mapping"
    }
    others = sum(1 for name, node in container.entries if node.kind == "mapping" and name not in gitlab.KEYWORDS)
    return nested if others == len(staged) and _is_pipeline(nested) else {}


def _listed(container: Node) -> Iterator[tuple[str, Node]]:
    for item in container.items[:_MAX_JOBS]:
        if item.kind != "mapping":
            continue
        name = next((text for key in _NAMES if (text := _text(item.get(key)))), "")
        only = item.entries[0] if len(item.entries) == 1 else ("", item)
        if name:
            yield name, _with_script(item)
        elif only[1].kind == "mapping" and only[0]:
            yield only[0], _with_script(only[1])


def _is_pipeline(jobs: dict[str, Node]) -> bool:
    staged = [job for job in jobs.values() if job.get("stage") is not None and _runs(job)]
    return bool(staged) and len(staged) * 2 >= len(jobs)


def _runs(job: Node) -> bool:
    script = job.get("script")
    return script is not None and script.kind != "mapping" and bool(script.strings())


def _with_script(node: Node) -> Node:
    key = next((key for key in _SCRIPTS if node.get(key) is not None), "script")
    return (
        node
        if key == "script"
        else replace(node, entries=tuple(("script" if k == key else k, v) for k, v in node.entries))
    )


def _with_stage(node: Node, stage: str) -> Node:
    if node.get("stage") is not None:
        return node
    return replace(
        node, entries=(*node.entries, ("stage", Node("scalar", node.line, node.line, value=stage, text=stage)))
    )


def _workflow(path: str, container: Node, name: str, jobs: dict[str, Node], document: Node) -> Workflow:
    shared = {
        key: (path, node) for holder in (document, container) for key, node in holder.entries if key in gitlab.KEYWORDS
    }
    configuration = gitlab.Configuration({**shared, **{key: (path, node) for key, node in jobs.items()}})
    found = (gitlab.job(key, configuration) for key in jobs if not key.startswith("."))
    clock = _clock(container) or _clock(document)
    timed = tuple(_timed(job, _clock(jobs[job.id]) or clock) for job in found if job is not None)
    triggers = tuple(dict.fromkeys(trigger for job in timed for trigger in job.triggers or ()))
    return Workflow(path, "generic", max(1, container.at), name, triggers, timed)


def _clock(node: Node) -> Trigger | None:
    """The cron expression that a job or a pipeline carries."""
    for key in ("schedule", "cron"):
        value = node.get(key)
        value = value.get("cron") if value is not None and value.kind == "mapping" else value
        if value is not None and len(_text(value).split()) >= 5:
            return Trigger("schedule", value.at, _text(value))
    return None


def _timed(job: Job, clock: Trigger | None) -> Job:
    return job if clock is None or job.manual else replace(job, triggers=(*(job.triggers or ()), clock))


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")
