"""The pipelines that a Kedro project puts together of others in its registry.

Fact: https://docs.kedro.org/en/stable/build/pipeline_registry/ (`register_pipelines` of `pipeline_registry.py` gives
the pipelines by name, most of them sums of what the packages in `pipelines` create; `find_pipelines` finds these)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlops_scan.automation.pipelines.shapes import folder_of
from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Confidence, Grade, Location

_FILE = "pipeline_registry.py"
_REGISTER = "register_pipelines"
_CREATE = "create_pipeline"
_FIND = "find_pipelines"
_FOLDER = "pipelines"
_SUMS = frozenset({"sum", "reduce"})
_MAX_PARTS = 200


def registered_pipelines(index: CodeIndex, documents: Documents) -> Iterator[Use]:
    """The definition of a pipeline for each registry that adds some up; the graph of the code is led on to their parts.

    Each package creates a pipeline of its own, often of one node: together they are the pipeline that a run takes.
    """
    for path, module in index.modules.items():
        function = module.functions.get(_REGISTER) if path.rpartition("/")[2] == _FILE else None
        if function is None or "kedro" not in module.roots or not _adds(path, documents):
            continue
        parts = list(dict.fromkeys(_parts(module, index)))[:_MAX_PARTS]
        if len(parts) < 2:
            continue
        index.lead((path, _REGISTER), parts, function.line)
        where = Location(path, function.line, function.line)
        does = ("define-pipeline",)
        yield Use("kedro", _REGISTER, where, _REGISTER, (), does, Grade.IMPLEMENTED, Confidence.HIGH, "")


def _adds(path: str, documents: Documents) -> bool:
    """Whether a registry adds pipelines up: `a + b`, `sum(pipelines.values())`."""
    document = documents.python(path)
    for node in ast.walk(document.tree) if document is not None else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _SUMS:
            return True
    return False


def _parts(module: Module, index: CodeIndex) -> Iterator[Node]:
    """The functions that create the pipelines which a registry imports, or finds."""
    for item in module.imports:
        for name in (item.name, f"{item.name}.{_CREATE}"):
            target = index.resolve(module.path, name)
            if target.first_party and target.qualname == _CREATE:
                yield target.path, target.qualname
    if any(call.name.rpartition(".")[2] == _FIND for call in module.calls):
        top = f"{folder_of(module.path)}/{_FOLDER}/".lstrip("/")
        for path in index.modules:
            # `pipelines/train.py`, `pipelines/train/pipeline.py`
            if path.startswith(top) and path.count("/") <= top.count("/") + 1 and index.defines(path, _CREATE):
                yield path, _CREATE
