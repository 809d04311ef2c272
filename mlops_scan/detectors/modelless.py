"""Repositories in which nothing is seen to make or to ask a model."""

from __future__ import annotations

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.kept import kept

_WORKS = LEARNS | {"evaluate", "predict", "load-model", "save-model", "llm-call", "serve", "define-pipeline"}
_FAMILIES = frozenset({"frameworks", "llm", "tracking"})
NO_MODEL = "nothing here makes or asks a model that it could configure"


@kept
def without_model(context: Context) -> bool:
    """Whether no code works on a model or imports what models are made with, and no command or pipeline trains."""
    if any(not _WORKS.isdisjoint(use.does) for use in context.uses):
        return False
    if any(not LEARNS.isdisjoint(use.does) for run in context.leading() for use in run.uses):
        return False
    if any(not LEARNS.isdisjoint(step.does) for pipeline in context.automation.pipelines for step in pipeline.steps):
        return False
    tools = (tool for tool in context.rules.tools.values() if tool.family in _FAMILIES)
    roots = {name.partition(".")[0] for tool in tools for name in tool.imports}
    return all(module.roots.isdisjoint(roots) for module in context.index.modules.values())
