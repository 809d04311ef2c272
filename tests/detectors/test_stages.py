"""Stages of a release: environments that are filled in, and those that only commands and jobs name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.stages import environments
from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree

NAME = "cd/environments"
CI = ".github/workflows/release.yml"
BRANCH = "${{ github.ref == 'refs/heads/main' && 'production' || 'staging' }}"
CALLED: Tree = {
    ".github/workflows/deploy.yml": (
        "on:\n  workflow_call:\n    inputs:\n      where: {type: string, required: true}\njobs:\n  deploy:\n"
        "    environment: ${{ inputs.where }}\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: gcloud run deploy scorer --source .\n"
    )
}


def jobs(*given: tuple[str, str], on: str = "push") -> str:
    """A workflow with jobs one after the other, each with a name and a command."""
    text, before = f"on: {on}\njobs:\n", ""
    for name, command in given:
        needs = f"    needs: {before}\n" if before else ""
        text += f"  {name}:\n    runs-on: ubuntu-latest\n{needs}    steps:\n      - run: {command}\n"
        before = name
    return text


def calls(*environments: str) -> str:
    """A workflow that calls the one that deploys once for each environment."""
    return "on: push\njobs:\n" + "".join(
        f"  to{number}:\n    uses: ./.github/workflows/deploy.yml\n    with: {{where: {name}}}\n"
        for number, name in enumerate(environments)
    )


@pytest.mark.parametrize(
    "text",
    [
        jobs(("a", "databricks bundle deploy -t staging"), ("b", "databricks bundle deploy -t prod")),
        jobs(("a", "kubectl apply -f k8s/ --namespace=qa"), ("b", "kubectl apply -f k8s/ --namespace=production")),
        jobs(("deploy-dev", "kubectl apply -f k8s/"), ("deploy-prod", "kubectl apply -f k8s/")),
        jobs(("a", "gcloud run deploy scorer-dev --source ."), ("b", "gcloud run deploy scorer-prod --source .")),
        jobs(
            ("a", "helm upgrade scorer chart -f values-stg.yaml"), ("b", "helm upgrade scorer chart -f values-prd.yaml")
        ),
    ],
)
def test_commands_and_jobs_that_name_stages(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, CI: text}), NAME) is Grade.WIRED


@pytest.mark.parametrize(
    "text",
    [
        jobs(("a", "databricks bundle deploy -t prod")),
        jobs(("a", "serverless deploy --stage prod")),  # the name of an option
        jobs(("dev", "pytest"), ("production", "kubectl apply -f k8s/")),  # nothing is deployed for one of them
        jobs(("a", "docker push scorer:dev"), ("b", "docker push scorer:prod")),  # images are not put to work
        jobs(("a", "echo deploy to staging"), ("b", "echo deploy to production")),
        jobs(("a", "helm upgrade scorer chart -f dev/prod.yaml"), ("b", "fly deploy -a scorer-prod > /dev/null")),
    ],
)
def test_commands_that_name_no_two_stages(tmp_path: Path, text: str) -> None:
    assert grade(scan_tree(tmp_path, {**ML, CI: text}), NAME) is Grade.ABSENT


def test_stages_that_only_a_person_starts(tmp_path: Path) -> None:
    text = jobs(("a", "fly deploy -a dev-x"), ("b", "fly deploy -a prod-x"), on="workflow_dispatch")
    assert grade(scan_tree(tmp_path, {**ML, CI: text}), NAME) is Grade.IMPLEMENTED


def test_the_environment_that_a_called_workflow_is_given(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path / "two", {**ML, **CALLED, CI: calls("dev", "prod")}), NAME) is Grade.WIRED
    assert grade(scan_tree(tmp_path / "one", {**ML, **CALLED, CI: calls("prod", "prod")}), NAME) is Grade.TRACE


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (BRANCH, ("production", "staging")),
        ("${{ inputs.where || 'production' }}", ("${{ inputs.where || 'production' }}",)),
        ("production", ("production",)),
    ],
)
def test_environments_of_a_condition(written: str, expected: tuple[str, ...]) -> None:
    assert environments(written) == expected
