"""State machines that hand work on a model to SageMaker."""

from __future__ import annotations

import json

import pytest

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines import declared
from mlops_scan.documents.store import Documents

TRAIN = "arn:aws:states:::sagemaker:createTrainingJob.sync"


def machine(*resources: str, inside: bool = False) -> list[Pipeline]:
    """The pipelines of a definition with a task for each of some resources, in branches or not."""
    states = {f"s{n}": {"Type": "Task", "Resource": resource, "End": True} for n, resource in enumerate(resources)}
    body: object = {"StartAt": "s0", "States": states}
    if inside:
        body = {"StartAt": "all", "States": {"all": {"Type": "Parallel", "Branches": [body], "End": True}}}
    documents = Documents.of({"a.asl.json": json.dumps(body)})
    return list(declared("a.asl.json", documents.nodes("a.asl.json")))


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    ("resource", "does"),
    [
        (TRAIN, {"train"}),
        ("arn:${AWS::Partition}:states:::sagemaker:createTrainingJob", {"train"}),
        ("arn:aws:states:::aws-sdk:sagemaker:createProcessingJob", {"preprocess"}),
        ("arn:aws:states:::sagemaker:createTransformJob.sync", {"predict"}),
    ],
)
def test_states(resource: str, does: set[str], inside: bool) -> None:
    (found,) = machine("arn:aws:states:::lambda:invoke", resource, inside=inside)
    assert (found.tool, [step.name for step in found.steps]) == ("step-functions-ml", ["s0", "s1"])
    assert [set(step.does) for step in found.steps] == [set(), does]


@pytest.mark.parametrize(
    "resource",
    ["arn:aws:states:::lambda:invoke", "arn:aws:states:::sagemaker:createEndpoint", "arn:aws:states:::glue:x"],
)
def test_a_machine_without_work_on_a_model(resource: str) -> None:
    assert machine(resource, resource) == []
