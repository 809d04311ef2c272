"""State machines of AWS Step Functions, in the Amazon States Language, that hand work on a model to SageMaker.

Facts: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html and
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html (the resources of its tasks)
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import folder_of, text
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_SAGEMAKER = regex(r"arn:[\w${}:-]{1,60}:states:::(?:aws-sdk:)?sagemaker:(\w+)(?:\..{1,60})?")
_DOES = {
    "createtrainingjob": "train",
    "createhyperparametertuningjob": "train",
    "createprocessingjob": "preprocess",
    "createtransformjob": "predict",
}
_MAX_STATES = 300
_MAX_DEPTH = 4


def is_machine(document: Node) -> bool:
    """Whether this is a definition of a state machine that starts jobs of SageMaker."""
    if document.get("StartAt") is None or document.get("States") is None:
        return False
    return any(step.does for step in _steps("", document, 0))


def machine(path: str, document: Node) -> Iterator[Pipeline]:
    """The tasks of a state machine, those of its branches and of what it does for each item included."""
    states = document.get("States")
    if states is not None:
        name = text(document.get("Comment")) or path.rpartition("/")[2]
        yield Pipeline("step-functions-ml", name, path, states.at, tuple(_steps(folder_of(path), document, 0)))


def _steps(folder: str, document: Node, depth: int) -> Iterator[PipelineStep]:
    states = document.get("States")
    for name, state in states.entries[:_MAX_STATES] if states is not None else ():
        if text(state.get("Type")) == "Task":
            match = _SAGEMAKER.fullmatch(text(state.get("Resource")))
            does = _DOES.get(match.group(1).lower(), "") if match is not None else ""
            yield PipelineStep(name, state.at, does=frozenset({does} if does else ()), folder=folder)
        branches = state.get("Branches")
        inner = (
            *(branches.items[:50] if branches is not None else ()),
            state.get("Iterator"),
            state.get("ItemProcessor"),
        )
        for body in inner if depth < _MAX_DEPTH else ():
            if body is not None:
                yield from _steps(folder, body, depth + 1)
