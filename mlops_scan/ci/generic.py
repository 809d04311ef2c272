"""CI-shaped YAML of no provider we know: `pipeline: {model_test: {stage: test, script: run.sh, only: [master]}}`.

Home-grown runners and documents about pipelines use this shape. A mapping is taken for a pipeline when its jobs have a
`stage` and a `script` (or `commands`), so that a plain list of settings is not.
"""

from __future__ import annotations

from mlops_scan.ci.gitlab import _job
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.node import Node

_CONTAINERS = ("pipeline", "pipelines", "jobs", "ci", "cd", "ci_cd", "workflow")


def find(path: str, document: Node) -> Workflow | None:
    """The pipeline that a document declares, or None."""
    for name in _CONTAINERS:
        container = document.get(name)
        if container is not None and container.kind == "mapping" and _is_pipeline(container):
            return _workflow(path, container, name)
    if document.kind == "mapping" and _is_pipeline(document):
        return _workflow(path, document, path.rpartition("/")[2])
    return None


def _is_pipeline(node: Node) -> bool:
    jobs = [child for _, child in node.entries if child.kind == "mapping"]
    staged = [job for job in jobs if job.get("stage") is not None and (job.get("script") or job.get("commands")) is not None]
    return bool(staged) and len(staged) * 2 >= len(jobs)


def _workflow(path: str, container: Node, name: str) -> Workflow:
    entries = {key: (path, node) for key, node in container.entries}
    jobs = tuple(
        job
        for key, node in container.entries
        if node.kind == "mapping" and not key.startswith(".")
        for job in _job(key, _with_script(node), entries, None)
    )
    triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
    return Workflow(path, "generic", container.at, name, triggers, jobs)


def _with_script(node: Node) -> Node:
    if node.get("script") is not None or node.get("commands") is None:
        return node
    renamed = tuple(("script" if key == "commands" else key, value) for key, value in node.entries)
    return Node(node.kind, node.line, node.end_line, node.key_line, entries=renamed)
