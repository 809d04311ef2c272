"""The files whose change starts a job, as the providers that ask for them write it."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Trigger
from tests.ci.trees import found

GITHUB = "jobs:\n  a:\n    steps:\n      - run: make\n"
STEP = "script: [make]"


def triggers(path: str, text: str) -> list[Trigger]:
    """The triggers of the first job of a definition."""
    workflow = found({path: text})[0]
    return list(workflow.triggers_of(workflow.jobs[0]))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".github/workflows/a.yml", f"on:\n  push:\n    paths: [churn/**]\n{GITHUB}"),
        (
            ".github/workflows/a.yml",
            f"on:\n  pull_request:\n    branches: [main]\n    paths:\n    - churn/**\n{GITHUB}",
        ),
        ("azure-pipelines.yml", "trigger:\n  paths:\n    include: [churn/**]\npool: x\nsteps:\n- script: make\n"),
        (".gitlab-ci.yml", f"a:\n  {STEP}\n  rules:\n  - changes: [churn/**]\n"),
        (
            ".gitlab-ci.yml",
            f"a:\n  {STEP}\n  rules:\n  - if: $CI_COMMIT_BRANCH\n    changes:\n      paths: [churn/**]\n",
        ),
        (".gitlab-ci.yml", f"a:\n  {STEP}\n  only:\n    refs: [main]\n    changes: [churn/**]\n"),
        (
            "bitbucket-pipelines.yml",
            "pipelines:\n  default:\n  - step:\n      condition: {changesets: {includePaths: [churn/**]}}\n"
            "      script: [make]\n",
        ),
        (
            ".woodpecker.yml",
            "when:\n- event: push\n  path: {include: [churn/**]}\nsteps:\n- {name: a, image: x, commands: [make]}\n",
        ),
    ],
)
def test_filters_are_kept(path: str, text: str) -> None:
    assert {trigger.paths for trigger in triggers(path, text)} == {("churn/**",)}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".github/workflows/a.yml", f"on:\n  push:\n    paths-ignore: [churn/**]\n{GITHUB}"),
        (".github/workflows/a.yml", f"on:\n  push:\n    # paths: [churn/**]\n{GITHUB}"),
        ("azure-pipelines.yml", "trigger:\n  paths:\n    exclude: [churn/**]\npool: x\nsteps:\n- script: make\n"),
        (".gitlab-ci.yml", f"a:\n  {STEP}\n  rules:\n  - exists: [churn/**]\n"),
        (".gitlab-ci.yml", f"a:\n  {STEP}\n  except:\n    changes: [churn/**]\n"),
        ("bitbucket-pipelines.yml", "pipelines:\n  default:\n  - step:\n      script: [make]\n"),
    ],
)
def test_what_is_no_filter(path: str, text: str) -> None:
    assert {trigger.paths for trigger in triggers(path, text)} == {()}
