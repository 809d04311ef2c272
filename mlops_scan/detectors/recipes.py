"""MLflow recipes: the engine tracks, evaluates, registers and scores for every step that the recipe declares.

Facts: https://mlflow.org/docs/2.22/recipes/ (each run logs to the profile's experiment; `register` uses
`model_registry.model_name`; `predict` scores a batch). Before 2.0 the step itself named the model
(`steps.register.model_name`): https://mlflow.org/docs/1.30.0/pipelines.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.automation.model import Pipeline
from mlops_scan.detectors.base import Context
from mlops_scan.words import Evidence, Grade, Hop, Problem, Signal

_SERVES = {
    "train": ("experiment/tracking", "experiment/config"),
    "evaluate": ("model/evaluation",),
    "register": ("model/registry",),
    "predict": ("deploy/serving",),
}


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of the practices that a recipe's engine performs."""
    for pipeline in context.automation.pipelines:
        if pipeline.tool == "mlflow-recipes":
            yield from _recipe(context, pipeline)


def _recipe(context: Context, pipeline: Pipeline) -> Iterator[Signal]:
    experiment = _profile(context, pipeline, "experiment")
    registry = _profile(context, pipeline, "model_registry", "model_name")
    blank: Evidence | None = None
    if registry is None:
        registry, blank = _named_by_step(context, pipeline)
    for step in pipeline.steps:
        step_evidence = context.evidence(pipeline.path, step.line)
        for practice in _SERVES.get(step.name, ()):
            more: tuple[Evidence, ...] = ()
            if practice == "experiment/tracking":
                more = (experiment,) if experiment is not None else ()
            elif practice == "model/registry":
                if registry is None:
                    reason = "no profile names the registered model" if blank is None else "its `model_name` is empty"
                    place = blank or step_evidence
                    yield Signal(practice, pipeline.tool, Grade.TRACE, (place,), reason=reason, fixed=True)
                    continue
                more = (registry,)
            yield Signal(practice, pipeline.tool, Grade.IMPLEMENTED, (step_evidence, *more))


def _named_by_step(context: Context, pipeline: Pipeline) -> tuple[Evidence | None, Evidence | None]:
    """Where the registered model's name stands in a recipe of before 2.0, and where that name is left empty."""
    for document in context.documents.nodes(pipeline.path):
        node = document.path("steps", "register", "model_name")
        if node is not None and document.get("template") is not None:
            place = context.evidence(pipeline.path, node.at, Hop.USE)
            return (place, None) if node.string() or node.kind == "mapping" else (None, place)
    return None, None


def _profile(context: Context, pipeline: Pipeline, *keys: str) -> Evidence | None:
    """A setting in one of the recipe's profiles."""
    folder = pipeline.path.rpartition("/")[0]
    prefix = f"{folder}/profiles/" if folder else "profiles/"
    for file in context.ending((".yaml", ".yml", ".tmpl"), aside=True):
        path = file.path
        if path.startswith(prefix) and path.endswith((".yaml", ".yml", ".yaml.tmpl", ".yml.tmpl")):
            for document in context.documents.nodes(path):
                node = document.path(*keys)
                if node is not None and (node.kind == "mapping" or node.string()):
                    return context.evidence(path, node.at, Hop.USE)
    return None
