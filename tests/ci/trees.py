"""Workflows of literal trees."""

from __future__ import annotations

from textwrap import dedent

from mlops_scan.ci.find import workflows
from mlops_scan.ci.model import Job, Step, Workflow
from mlops_scan.documents.store import Documents


def found(texts: dict[str, str]) -> list[Workflow]:
    """All workflows of a tree of dedented texts."""
    return list(workflows(Documents.of({path: dedent(text) for path, text in texts.items()})))


def github(text: str) -> Workflow:
    """The workflow of a text that GitHub loads."""
    (workflow,) = found({".github/workflows/ci.yml": text})
    return workflow


def gitlab(text: str, **included: str) -> Workflow:
    """The root pipeline of a text that GitLab loads; `included` are files `name.yml` beside it."""
    tree = {".gitlab-ci.yml": text, **{f"{name}.yml": body for name, body in included.items()}}
    return next(workflow for workflow in found(tree) if workflow.path == ".gitlab-ci.yml")


def job(workflow: Workflow, name: str) -> Job:
    """The job of that id."""
    (one,) = [job for job in workflow.jobs if job.id == name]
    return one


def codepipelines(tree: dict[str, str]) -> list[Workflow]:
    """The CodePipelines of a tree."""
    return [workflow for workflow in found(tree) if workflow.provider == "aws-codepipeline"]


def scripts(workflow: Workflow, name: str) -> list[str]:
    """The scripts of a job."""
    return [step.script for step in job(workflow, name).steps]


def placed(step: Step) -> list[tuple[int, str]]:
    """The non-empty lines of a step's script with their line numbers."""
    lines = enumerate(step.script.split("\n"), step.script_line)
    return [(number, line.strip()) for number, line in lines if line.strip()]
