"""Pipelines that files declare: DVC, MLflow, Mage, Kestra, Kubeflow, Argo, Databricks, Azure ML, step lists and more.

A pipeline here is only a declaration with steps. Whether it is an *ML* pipeline is decided later, from what its steps
reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import azure_schedules, cloud, cluster, kestra, machines, projects, steplists
from mlops_scan.documents.node import Node
from mlops_scan.repository.roles import strip_template

__all__ = ["declared", "is_rule_file"]


def is_rule_file(name: str) -> bool:
    """Whether a file of that name has rules or processes, which `rulefiles` reads."""
    return name == "Snakefile" or name.endswith((".smk", ".nf"))


_SHAPES: tuple[tuple[Callable[[Node], bool], Callable[[str, Node], Iterator[Pipeline]]], ...] = (
    (cloud.is_databricks, cloud.databricks),
    (cloud.is_azure_ml, lambda path, document: iter((cloud.azure_ml(path, document),))),
    (cloud.is_azure_ml_v1, lambda path, document: iter((cloud.azure_ml_v1(path, document),))),
    (azure_schedules.is_schedule, azure_schedules.held),
    (kestra.is_kestra, kestra.kestra),
    (machines.is_machine, machines.machine),
    (projects.is_ploomber, projects.ploomber),
)  # of documents that are told by their keys alone, the first that fits


def declared(path: str, documents: tuple[Node, ...]) -> Iterator[Pipeline]:
    """The pipelines that one YAML or JSON file declares."""
    name = strip_template(path)[0].rpartition("/")[2].lower()
    for document in documents:
        if document.kind != "mapping" or name == "dvc.lock":  # the lock repeats the stages of dvc.yaml
            continue
        if (own := projects.named(name, path, document)) is not None:
            yield from own
        elif projects.is_recipe(document):
            yield projects.recipe(path, document)
        elif (compiled := cluster.compiled(document)) is not None:
            yield cluster.kubeflow(path, compiled)
        elif (resource := cluster.resource(path, document)) is not None:
            yield from resource
        else:
            read = next((read for fits, read in _SHAPES if fits(document)), steplists.find)
            yield from read(path, document)
