"""What the steps of Azure ML pipelines run that use components: each in a file of its own, or one that is registered.

Facts: https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline (`component: ./train.yml`,
`component: azureml:train@latest`) and https://learn.microsoft.com/azure/machine-learning/reference-yaml-component-command
(`code`, the folder in which `command` runs, lies relative to the component's file)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.paths import join
from mlops_scan.automation.pipelines.cloud import azure_ml_step
from mlops_scan.automation.pipelines.shapes import folder_of, text
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents

_FILE = "file:"
_REGISTERED = "azureml:"
_SUFFIXES = (".yaml", ".yml")


def component_name(document: Node) -> str:
    """The name of the component that a file defines, or empty."""
    of_one = "Component.schema" in text(document.get("$schema"))
    return text(document.get("name")) if of_one and document.get("jobs") is None else ""


def completed(
    pipelines: Iterable[Pipeline], documents: Documents, named: Mapping[str, str | None]
) -> Iterator[Pipeline]:
    """The pipelines, steps of components with what those run.

    `named` are the files of the components by name, None for a name that several have.
    """
    for pipeline in pipelines:
        if any(step.component for step in pipeline.steps):
            steps = tuple(_completed(pipeline.path, step, documents, named) for step in pipeline.steps)
            pipeline = replace(pipeline, steps=steps)
        yield pipeline


def _completed(path: str, step: PipelineStep, documents: Documents, named: Mapping[str, str | None]) -> PipelineStep:
    file = _file(path, step.component, named)
    for document in documents.nodes(file)[:1] if file in documents.files else ():
        if document.kind == "mapping":
            found = azure_ml_step(file, step.name, document)
            return replace(found, line=step.line, has_params=step.has_params, command_path=file, component="")
    return step


def _file(path: str, component: str, named: Mapping[str, str | None]) -> str:
    """The file of a component, as a step of the pipeline at `path` names it; empty where it cannot be told."""
    if component.startswith(_REGISTERED) and "/" not in component:
        name = component.removeprefix(_REGISTERED).partition("@")[0].partition(":")[0]
        return named.get(name) or ""
    file = component.removeprefix(_FILE)
    known = file.endswith(_SUFFIXES) and "$" not in file and ":" not in file
    return join(folder_of(path), file) if known else ""
