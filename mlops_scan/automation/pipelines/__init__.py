"""Pipelines that files declare: DVC, MLflow, Ploomber, spaCy, Mage, Kubeflow, Argo, Databricks, Azure ML, step lists.

A pipeline here is only a declaration with steps. Whether it is an *ML* pipeline is decided later, from what its steps
reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import cloud, cluster, projects, steplists
from mlops_scan.documents.node import Node
from mlops_scan.repository.roles import strip_template

__all__ = ["declared", "is_rule_file"]


def is_rule_file(name: str) -> bool:
    """Whether a file of that name has rules or processes, which `rulefiles` reads."""
    return name == "Snakefile" or name.endswith((".smk", ".nf"))


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
        elif cloud.is_databricks(document):
            yield from cloud.databricks(path, document)
        elif cloud.is_azure_ml(document):
            yield cloud.azure_ml(path, document)
        elif cloud.is_azure_ml_v1(document):
            yield cloud.azure_ml_v1(path, document)
        elif projects.is_ploomber(document):
            yield from projects.ploomber(path, document)
        else:
            yield from steplists.find(path, document)
