"""Pipelines of home-grown runners: a list (or mapping) of steps, each with a script or command and parameters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import command, folder_of, listed, text
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template

_LISTS = ("steps", "stages", "tasks")
_NAMES = ("name", "id", "step", "stage", "task")
_COMMANDS = ("command", "cmd", "run", "script", "entrypoint", "entry_point")
_FILES = ("module", "notebook", "path", "file")
_PARAMETERS = ("params", "parameters", "args", "inputs", "with", "config")
_CODE = regex(r"\S+\.(py|ipynb|sh|R|r|jl|sql)(\s.*)?", re.DOTALL)
_MODULE = regex(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_MAX_STEPS = 300

# Task runners, editors, actions and CI systems have lists of that shape too.
_OTHERS = regex(
    r"(^|/)(taskfile[^/]*\.ya?ml|pixi\.toml|\.?mise\.toml|pyproject\.toml|package\.json|poe_tasks\.\w+|action\.ya?ml"
    r"|(docker-)?compose[^/]*\.ya?ml|mkdocs\.ya?ml|\.pre-commit-[^/]*)$|(^|/)\.(github|gitlab|gitea|vscode|devcontainer)/",
    re.I,
)
_KUBERNETES = regex(r"(v\d\w*|apps/.*|batch/.*|[\w.-]*(tekton\.dev|k8s\.io|argoproj\.io|kubeflow\.org)/.*)")


def find(path: str, document: Node) -> Iterator[Pipeline]:
    """`steps:` as a list of {name, script | command, params}, at the top or below one key such as `pipeline:`."""
    for key, holder in (("", document), *document.entries):
        lists = ((name, holder.get(name)) for name in _LISTS) if holder.kind == "mapping" else ((key, holder),)
        for name, node in lists:
            if node is None or (node is holder and key not in ("pipeline", "workflow")):
                continue
            steps = tuple(step for named in _named(node) if (step := _step(*named, path)) is not None)
            if len(steps) >= 2:
                if _is_another(path, document):
                    return
                label = text(holder.get("name")) or text(document.get("name")) or name
                yield Pipeline("steps-yaml", label, path, node.at, steps)
                return


def _is_another(path: str, document: Node) -> bool:
    """Whether the list of steps is one of a CI system, an action, a task runner or a Kubernetes object."""
    from mlops_scan.ci import cloudbuild, generic
    from mlops_scan.ci.find import provider_of

    local = strip_template(path)[0]
    if _OTHERS.search(local) or provider_of(local) or document.get("jobs") is not None:
        return True
    if document.path("runs", "using") is not None or document.get("services") is not None:
        return True
    if cloudbuild.looks_like(document):
        return True
    version = text(document.get("apiVersion"))
    if version and document.get("kind") is not None and _KUBERNETES.fullmatch(version):
        return True
    return generic.find(path, document) is not None


def _named(node: Node) -> Iterator[tuple[str, Node]]:
    for item in node.items[:_MAX_STEPS]:
        name = next((found for key in _NAMES if (found := text(item.get(key)))), "")
        if item.kind == "mapping" and not name and len(item.entries) == 1 and item.entries[0][1].kind == "mapping":
            yield item.entries[0]
        else:
            yield name, item
    yield from node.entries[:_MAX_STEPS]


def _step(name: str, node: Node, path: str) -> PipelineStep | None:
    if node.kind != "mapping" or not name or node.get("uses") is not None or node.get("image") is not None:
        return None
    lines, line = _command(node)
    if not lines:
        return None
    params = any(node.get(key) is not None for key in _PARAMETERS)
    return PipelineStep(name, node.at, lines, line, folder=folder_of(path), has_params=params)


def _command(node: Node) -> tuple[str, int]:
    for key in _COMMANDS:
        lines, line = command(node.get(key))
        if lines:
            words = listed(node.get("args"))
            return (f"{lines} {shlex.join(words)}" if words and "\n" not in lines else lines), line
    for key in _FILES:
        value = node.get(key)
        target = text(value)
        if value is not None and _CODE.fullmatch(target):
            return target, value.line
        if value is not None and key == "module" and _MODULE.fullmatch(target):
            return f"python -m {target}", value.line
    return "", 0
