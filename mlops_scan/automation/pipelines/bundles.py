"""Databricks asset bundles: the variables of their jobs, and whether these jobs' clocks tick in any of the targets.

Facts: https://docs.databricks.com/aws/en/dev-tools/bundles/settings (`include`, `targets`, `variables`) and
https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes (a target in development mode pauses every
schedule that is not set to `UNPAUSED` itself; `presets: trigger_pause_status`)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import folder_of, text
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above

_BUNDLES = ("databricks.yml", "databricks.yaml")
_PAUSED = "PAUSED"
_MAX_TARGETS = 100
_VARIABLE = regex(r"\$\{(?:var|variables)\.(\w{1,200})(?:\.(?:value|default))?\}", words=("${var",))

_UPLOADED = regex(
    r"(?:/Workspace)?(?:/[^\s'\"]{1,300}/\.bundle/[^\s'\"]{1,200}/files|\$\{workspace\.file_path\}"
    r"|\$\{workspace\.root_path\}/files)/",
    words=("/files", "workspace.file_path"),
)


def settled(pipelines: Iterable[Pipeline], documents: Documents) -> Iterator[Pipeline]:
    """The pipelines; a job of a bundle with its variables filled in, and why its clock ticks in no target."""
    for pipeline in pipelines:
        asks = pipeline.schedule or any("${" in step.command for step in pipeline.steps)
        found = _bundle(pipeline.path, documents) if pipeline.tool == "databricks" and asks else None
        if found is None:
            yield pipeline
            continue
        steps = tuple(_filled(step, *found) for step in pipeline.steps)
        off = _off(pipeline, *found, documents) if pipeline.schedule else pipeline.schedule_off
        yield replace(pipeline, steps=steps, schedule_off=off)


def _filled(step: PipelineStep, path: str, root: Node) -> PipelineStep:
    """A step with the bundle's variables, and with files of the workspace as those of the folder they come from.

    Fact: a bundle's folder is uploaded to `files` below its place in the workspace;
    https://docs.databricks.com/aws/en/dev-tools/bundles/settings#workspace (`root_path`, `file_path`)
    """
    command = step.command
    for name in dict.fromkeys(_VARIABLE.findall(command)):
        value = _value(root.path("variables", name))
        command = command.replace(f"${{var.{name}}}", value) if value else command
    local = _UPLOADED.sub("", command)
    return replace(step, command=local, folder=folder_of(path)) if local != command else step


def _bundle(path: str, documents: Documents) -> tuple[str, Node] | None:
    """The bundle that a file of jobs belongs to: in its folder, or in the next one above that has one."""
    for folder in above(folder_of(path)):
        for name in _BUNDLES:
            own = f"{folder}/{name}" if folder else name
            if own in documents.files:
                root = next((node for node in documents.nodes(own) if node.get("bundle") is not None), None)
                return (own, root) if root is not None else None
    return None


def _off(pipeline: Pipeline, path: str, root: Node, documents: Documents) -> str:
    """Why a job's clock ticks in none of the targets of its bundle, or empty."""
    jobs = (document.path("resources", "jobs", pipeline.name) for document in documents.nodes(pipeline.path))
    job = next((job for job in jobs if job is not None), None)
    if job is None:
        return pipeline.schedule_off
    declared = root.get("targets")
    targets = declared.entries[:_MAX_TARGETS] if declared is not None and declared.kind == "mapping" else ()
    kind = "schedule" if job.get("schedule") is not None else "trigger"
    status = text(job.path(kind, "pause_status"))
    if not targets:
        return f"`pause_status: {_PAUSED}`" if _status(status, root, None) == _PAUSED else ""
    for _, target in targets:
        own = target.path("resources", "jobs", pipeline.name, kind, "pause_status")
        if _in_target(text(own) or status, root, target) != _PAUSED:
            return ""
    if status.upper() == _PAUSED:
        return f"`pause_status: {_PAUSED}`"
    return f"it is paused in every target of {path}"


def _in_target(status: str, root: Node, target: Node) -> str:
    """Whether a clock is paused in a target: by its own word, else by the target's presets or mode."""
    own = _status(status, root, target)
    if own:
        return own
    preset = _status(text(target.path("presets", "trigger_pause_status")), root, target)
    return preset or (_PAUSED if text(target.get("mode")) == "development" else "")


def _status(status: str, root: Node, target: Node | None) -> str:
    """A status in capitals, a variable of the bundle resolved; what only a deployment knows stays as written."""
    match = _VARIABLE.fullmatch(status.strip())
    if match is not None:
        own = _value(target.path("variables", match[1])) if target is not None else ""
        status = own or _value(root.path("variables", match[1])) or status
    return status.strip().upper()


def _value(variable: Node | None) -> str:
    """The value of a variable, given alone or as its `default`."""
    return text(variable) or text(variable.get("default") if variable is not None else None)
