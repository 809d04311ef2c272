"""Pipelines of a Kubernetes cluster: compiled Kubeflow pipelines, Argo Workflows, Kubeflow on Tekton, CronJobs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import embedded, listed, switched_off, text
from mlops_scan.documents.node import Node

_WORKFLOWS = frozenset({"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"})
_SHELLS = frozenset({"sh", "bash", "/bin/sh", "/bin/bash", "ash"})
_ELYRA_FILE = "elyra/node-file-name"
_ELYRA_LAUNCHER = "bootstrapper.py"  # fetches the file and runs it: https://github.com/elyra-ai/elyra
_MAX_STEPS = 500


def compiled(document: Node) -> Node | None:
    """The specification that a Kubeflow v2 compiler made: bare, in a PipelineJob, or in a PipelineVersion."""
    for spec in (document, document.get("pipelineSpec"), document.path("spec", "pipelineSpec")):
        if spec is not None and spec.get("pipelineInfo") is not None and spec.path("root", "dag", "tasks") is not None:
            return spec
    return None


def kubeflow(path: str, document: Node) -> Pipeline:
    """The tasks of a compiled Kubeflow v2 pipeline, with what the Python source embedded in them does."""
    tasks = document.path("root", "dag", "tasks")
    executors = document.path("deploymentSpec", "executors")
    components = document.get("components")
    assert tasks is not None
    steps = []
    for name, task in tasks.entries[:_MAX_STEPS]:
        component = text(task.path("componentRef", "name"))
        label = text(components.path(component, "executorLabel")) if components is not None else ""
        container = executors.path(label, "container") if executors is not None else None
        words = [
            word
            for key in ("command", "args")
            for word in listed(container.get(key) if container is not None else None)
        ]
        steps.append(PipelineStep(name, task.at, does=embedded("\n".join(words))))
    name = text(document.path("pipelineInfo", "name")) or "pipeline"
    return Pipeline("kubeflow-pipelines", name, path, tasks.at, tuple(steps))


def resource(path: str, document: Node) -> Iterator[Pipeline] | None:
    """What a Kubernetes resource declares of a kind that may be a pipeline; None for all other documents."""
    version = text(document.get("apiVersion"))
    if version.startswith("argoproj.io/"):
        return argo(path, document)
    if version.startswith("tekton.dev/"):
        return tekton(path, document)
    if version.startswith("batch/") and text(document.get("kind")) == "CronJob":
        return cron_job(path, document)
    return None


def argo(path: str, document: Node) -> Iterator[Pipeline]:
    """The templates of an Argo workflow with a container or a script; Kubeflow v1 compiles to one with annotations."""
    spec = document.path("spec", "workflowSpec") or document.get("spec")
    templates = spec.get("templates") if spec is not None else None
    if text(document.get("kind")) not in _WORKFLOWS or templates is None:
        return
    by_kubeflow = is_kubeflow(document)
    steps = tuple(step for template in templates.items[:_MAX_STEPS] if (step := _template(template, by_kubeflow)))
    if steps:
        clock = document.path("spec", "schedules") or document.path("spec", "schedule")
        metadata = document.get("metadata") or document
        yield Pipeline(
            "kubeflow-pipelines" if by_kubeflow else "argo-workflows",
            text(metadata.get("name")) or text(metadata.get("generateName")) or "workflow",
            path,
            document.line,
            steps,
            schedule=" ".join(listed(clock)),
            schedule_line=clock.at if clock is not None else 0,
            schedule_off=switched_off(document.path("spec", "suspend")),
        )


def is_kubeflow(document: Node) -> bool:
    """Whether a Kubernetes resource says in its annotations or labels that a Kubeflow compiler made it."""
    holders = (document.path("metadata", "annotations"), document.path("metadata", "labels"))
    marks = [name for holder in holders if holder is not None for name, _ in holder.entries]
    return any(name.startswith("pipelines.kubeflow.org/") for name in marks)


def tekton(path: str, document: Node) -> Iterator[Pipeline]:
    """The tasks of a pipeline that Kubeflow runs on Tekton, as OpenShift AI and Elyra do; other runs of Tekton are CI.

    Fact: https://github.com/kubeflow/kfp-tekton/blob/master/guides/kfp-user-guide/README.md
    """
    spec = document.path("spec", "pipelineSpec") or document.get("spec")
    tasks = spec.get("tasks") if spec is not None else None
    if text(document.get("kind")) not in ("Pipeline", "PipelineRun") or tasks is None or not is_kubeflow(document):
        return
    steps = tuple(step for task in tasks.items[:_MAX_STEPS] if (step := _task(task)) is not None)
    if steps:
        name = text(document.path("metadata", "name")) or text(document.path("metadata", "generateName"))
        yield Pipeline("kubeflow-pipelines", name or "pipeline", path, document.line, steps)


def _task(task: Node) -> PipelineStep | None:
    """One task with what its first step runs, which is all that the compiler makes of a component."""
    inner = task.path("taskSpec", "steps")
    body = inner.items[0] if inner is not None and inner.items else None
    if body is None:
        return None
    called, given = listed(body.get("command")), listed(body.get("args"))
    does = embedded("\n".join((*called, *given)))
    file = text(task.path("taskSpec", "metadata", "annotations", _ELYRA_FILE))
    if file.endswith((".py", ".ipynb", ".r", ".R")) and any(_ELYRA_LAUNCHER in word for word in given):
        program = "python" if file.endswith(".py") else "Rscript" if file[-1] in "rR" else "papermill"
        return PipelineStep(text(task.get("name")), task.line, shlex.join((program, file)), body.line)
    if len(called) == 2 and called[0] in _SHELLS and called[1].startswith("-") and "c" in called[1] and given:
        arguments = body.get("args")
        first = arguments.items[0] if arguments is not None and arguments.items else arguments
        return PipelineStep(text(task.get("name")), task.line, given[0], (first or body).text_line, does=does)
    if any("\n" in word for word in (*called, *given)):
        return PipelineStep(text(task.get("name")), task.line, "", body.line, does=does)  # Python source in a launcher
    return PipelineStep(text(task.get("name")), task.line, shlex.join((*called, *given)), body.line, does=does)


def _template(template: Node, by_kubeflow: bool) -> PipelineStep | None:
    body = template.get("container") or template.get("script")
    if body is None:
        return None
    words = (*listed(body.get("command")), *listed(body.get("args")))
    source = body.get("source")
    line, lines = body.line, shlex.join(words)
    if source is not None:
        shell = bool(words) and words[0] in _SHELLS
        line, lines = (source.text_line, text(source)) if shell else (line, "")
    elif by_kubeflow and any("\n" in word for word in words):
        lines = ""  # a launcher with the component's Python source in it
    elif (first := body.get("command") or body.get("args")) is not None:
        line = first.line
    does = embedded("\n".join((*words, text(source))))
    return PipelineStep(text(template.get("name")), template.line, lines, line, does=does)


def cron_job(path: str, document: Node) -> Iterator[Pipeline]:
    """A Kubernetes CronJob as a pipeline of its containers, with its clock."""
    containers = document.path("spec", "jobTemplate", "spec", "template", "spec", "containers")
    clock = document.path("spec", "schedule")
    steps = []
    for container in containers.items[:_MAX_STEPS] if containers is not None else ():
        words = (*listed(container.get("command")), *listed(container.get("args")))
        first = container.get("command") or container.get("args") or container
        own = "" if container.get("command") is not None else text(container.get("image"))
        step = PipelineStep(text(container.get("name")), container.line, shlex.join(words), first.line, image=own)
        steps.append(step)
    if steps and clock is not None:
        yield Pipeline(
            "kubernetes-cronjob",
            text(document.path("metadata", "name")) or "CronJob",
            path,
            document.line,
            tuple(steps),
            schedule=text(clock),
            schedule_line=clock.at,
            schedule_off=switched_off(document.path("spec", "suspend")),
        )
