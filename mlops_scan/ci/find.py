"""Find the CI/CD definitions of a repository: those a provider loads, those in a place it does not, and unknown providers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlops_scan.ci import generic, github, gitlab
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import Role

# Definitions that are recognised by name but not read yet; reported as unknown, never as "no CI".
_NOT_READ = (
    ("Azure Pipelines", re.compile(r"(^|/)azure-pipelines[^/]*\.ya?ml$|(^|/)\.(azure-)?pipelines/.+\.ya?ml$|(^|/)\.(azuredevops|ado)/.+\.ya?ml$")),
    ("Jenkins", re.compile(r"(^|/)Jenkinsfile[^/]*$|\.jenkinsfile$", re.I)),
    ("CircleCI", re.compile(r"(^|/)\.circleci/config\.yml$")),
    ("Bitbucket Pipelines", re.compile(r"^bitbucket-pipelines\.yml$")),
    ("Travis CI", re.compile(r"^\.travis\.yml$")),
    ("Taskcluster", re.compile(r"^\.taskcluster\.yml$|^taskcluster/")),
    ("Buildkite", re.compile(r"^\.buildkite/.+\.ya?ml$")),
    ("Drone", re.compile(r"^\.drone\.yml$")),
    ("Woodpecker", re.compile(r"^\.woodpecker(\.ya?ml$|/)")),
    ("Google Cloud Build", re.compile(r"(^|/)cloudbuild[^/]*\.ya?ml$")),
    ("AWS CodeBuild", re.compile(r"(^|/)buildspec[^/]*\.ya?ml$")),
    ("AppVeyor", re.compile(r"^\.?appveyor\.yml$")),
    ("Tekton", re.compile(r"^\.?tekton/.+\.ya?ml$")),
)
_GENERIC_NAMES = re.compile(r"(^|/)[^/]*(ci|cd|pipeline|workflow|jenkins|build|deploy)[^/]*\.ya?ml$", re.I)
_SKIPPED = frozenset({Role.VENDORED, Role.GENERATED})


@dataclass(frozen=True, slots=True)
class UnreadProvider:
    """A CI provider whose definition is there but cannot be read yet."""

    provider: str
    path: str


def workflows(documents: Documents) -> Iterator[Workflow]:
    """Every CI/CD definition, in path order; `Workflow.unloaded` says why a provider does not load one."""
    for path, file in documents.files.items():
        local = strip_template(path)[0]
        if file.role in _SKIPPED:
            continue
        if language_of(path) != "yaml":
            if ".github/workflows/" in path and re.search(r"\.ya?ml\.[\w-]+$", local):
                yield Workflow(path, "github-actions", 1, local.rpartition("/")[2], (), (), unloaded="its name does not end in .yml or .yaml")
            continue
        if github.LOADED.fullmatch(local):
            yield from (github.parse(path, node) for node in documents.nodes(path)[:1])
        elif local == ".gitlab-ci.yml":
            yield gitlab.parse(path, documents.nodes(path), lambda name: documents.nodes(name) if name in documents.files else ())
        elif "/workflows/" in f"/{local}" or "github" in local:
            for node in documents.nodes(path)[:1]:
                if github.looks_like(node):
                    yield github.parse(path, node, unloaded="GitHub only loads workflows from .github/workflows at the root of the repository")
        elif not any(pattern.search(local) for _, pattern in _NOT_READ) and _GENERIC_NAMES.search(local):
            for node in documents.nodes(path):
                if (found := generic.find(path, node)) is not None:
                    yield found
                elif github.looks_like(node):
                    yield github.parse(path, node, unloaded="GitHub only loads workflows from .github/workflows at the root of the repository")


def unread_providers(documents: Documents) -> Iterator[UnreadProvider]:
    """Providers recognised by file name whose definitions are not read."""
    for path, file in documents.files.items():
        if file.role in _SKIPPED or file.role in (Role.DOCS, Role.EXAMPLE):
            continue
        local = strip_template(path)[0]
        for provider, pattern in _NOT_READ:
            if pattern.search(local):
                yield UnreadProvider(provider, path)
                break
