"""Find the CI/CD definitions of a repository: loaded ones, those in a place no provider looks, unknown providers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mlops_scan.ci import azure, generic, github, gitlab
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import Role

# Definitions that are recognised by name but not read yet; reported as unknown, never as "no CI".
_NOT_READ = tuple(
    (provider, re.compile(pattern, re.I if provider == "Jenkins" else 0))
    for provider, pattern in (
        ("Jenkins", r"(^|/)Jenkinsfile[^/]*$|\.jenkinsfile$"),
        ("CircleCI", r"(^|/)\.circleci/.+\.ya?ml$"),
        ("Bitbucket Pipelines", r"^bitbucket-pipelines\.yml$"),
        ("Travis CI", r"^\.travis\.ya?ml$"),
        ("Taskcluster", r"^\.taskcluster\.yml$|^taskcluster/"),
        ("Buildkite", r"^\.buildkite/.+\.ya?ml$|^buildkite\.ya?ml$"),
        ("Drone", r"^\.drone\.(ya?ml|jsonnet|star)$"),
        ("Woodpecker", r"^\.woodpecker(\.ya?ml$|/)"),
        ("Google Cloud Build", r"(^|/)cloudbuild[^/]*\.(ya?ml|json)$|\.cloudbuild\.ya?ml$"),
        ("AWS CodeBuild", r"(^|/)buildspec[^/]*\.ya?ml$"),
        ("AppVeyor", r"^\.?appveyor\.ya?ml$"),
        ("Tekton", r"^\.?tekton/.+\.ya?ml$"),
        ("TeamCity", r"^\.teamcity/"),
        ("Semaphore", r"^\.semaphore/.+\.ya?ml$"),
        ("Cirrus CI", r"^\.cirrus\.(ya?ml|star)$"),
        ("SourceHut", r"^\.build\.ya?ml$|^\.builds/.+\.ya?ml$"),
        ("Zuul", r"^\.?zuul\.ya?ml$|^\.?zuul\.d/"),
        ("Harness", r"^\.harness/"),
        ("Codefresh", r"^codefresh\.ya?ml$"),
        ("Screwdriver", r"^screwdriver\.ya?ml$"),
        ("GoCD", r"\.gocd\.(ya?ml|json)$"),
    )
)
_WORDS = r"(ci|cd|pipeline|workflow|jenkins|build|deploy)"
_GENERIC_YAML = re.compile(rf"{_WORDS}[^/]*(/[^/]*)?$", re.I)  # in the name of the file or of its folder
_GENERIC_JSON = re.compile(rf"(^|/)([^/]*[-_.])?{_WORDS}s?([-_.][^/]*)?\.json$", re.I)
_GITLAB_NAME = re.compile(r"(^|/|[\w-]\.)\.?gitlab-ci\.ya?ml$|^\.gitlab/.+\.ya?ml$")
_RENAMED = re.compile(r"\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml\.[\w-]+$")
_SKIPPED = frozenset({Role.VENDORED, Role.GENERATED})
_MAX_JSON = 200_000  # bytes of a JSON file that can be a pipeline written by hand
_ONLY_ROOT = "GitHub only loads workflows from .github/workflows at the root of the repository"
_GITLAB_ROOT = "GitLab only loads .gitlab-ci.yml at the root of the repository and what it includes"


@dataclass(frozen=True, slots=True)
class UnreadProvider:
    """A CI provider whose definition is there but cannot be read yet."""

    provider: str
    path: str


def workflows(documents: Documents) -> Iterator[Workflow]:
    """Every CI/CD definition, in path order; `Workflow.unloaded` says why a provider does not load one."""
    gitlab_workflows = _gitlab(documents)
    for path in sorted(documents.files):
        file = documents.files[path]
        if file.role in _SKIPPED:
            continue
        if path in gitlab_workflows:
            yield from gitlab_workflows[path]
        elif language_of(path) in ("yaml", "json"):
            yield from _in_file(path, documents)
        elif _RENAMED.search(path):
            name = path.rpartition("/")[2]
            yield Workflow(path, "github-actions", 1, name, (), (), unloaded="its name does not end in .yml or .yaml")


def _in_file(path: str, documents: Documents) -> Iterator[Workflow]:
    local = strip_template(path)[0]
    if language_of(path) == "json":
        if _GENERIC_JSON.search(local) and documents.files[path].size <= _MAX_JSON:
            yield from (found for node in documents.nodes(path) if (found := generic.find(path, node)) is not None)
    elif github.LOADED.fullmatch(local):
        yield from (github.parse(path, node) for node in documents.nodes(path)[:1])
    elif _GITLAB_NAME.search(local):
        pipelines = gitlab.parse(path, documents.nodes(path), lambda name: ())
        yield from (replace(workflow, unloaded=_GITLAB_ROOT) for workflow in pipelines if workflow.jobs)
    elif azure.NAMED.search(local):
        yield from (
            azure.parse(path, node, lambda name: documents.nodes(name) if name in documents.files else ())
            for node in documents.nodes(path)[:1]
            if azure.looks_like(node)
        )
    elif "/workflows/" in f"/{local}" or "github" in local:
        yield from (
            github.parse(path, n, unloaded=_ONLY_ROOT) for n in documents.nodes(path)[:1] if github.looks_like(n)
        )
    elif _GENERIC_YAML.search(local) and not provider_of(path):
        for node in documents.nodes(path):
            if (found := generic.find(path, node)) is not None:
                yield found
            elif github.looks_like(node):
                yield github.parse(path, node, unloaded=_ONLY_ROOT)


def _gitlab(documents: Documents) -> dict[str, list[Workflow]]:
    """The workflows of the GitLab pipelines at the root, or at a template's root, by the files that they stand in."""
    found: dict[str, list[Workflow]] = {}
    for path, file in documents.files.items():
        if file.role in _SKIPPED or strip_template(path)[0] != ".gitlab-ci.yml":
            continue
        root = path[: path.rfind(".gitlab-ci.yml")]

        def load(name: str, root: str = root) -> tuple[tuple[str, tuple[Node, ...]], ...]:
            wanted = root + name
            if "*" in name:
                paths = sorted(other for other in documents.files if _matches(other, wanted))
            else:
                paths = [wanted] if wanted in documents.files else []
            return tuple((other, documents.nodes(other)) for other in paths)

        for workflow in gitlab.parse(path, documents.nodes(path), load):
            found.setdefault(workflow.path, []).append(workflow)
    return found


def _matches(path: str, pattern: str) -> bool:
    """GitLab's wildcards: `*` stays in a folder, `**` does not."""
    return fnmatchcase(path, pattern) and ("**" in pattern or path.count("/") == pattern.count("/"))


def provider_of(path: str) -> str:
    """The CI provider whose definitions have this name and are not read, or empty."""
    local = strip_template(path)[0]
    return next((provider for provider, pattern in _NOT_READ if pattern.search(local)), "")


def unread_providers(documents: Documents) -> Iterator[UnreadProvider]:
    """Providers recognised by file name whose definitions are not read."""
    for path, file in documents.files.items():
        if file.role in _SKIPPED or file.role in (Role.DOCS, Role.EXAMPLE):
            continue
        provider = provider_of(path)
        if provider:
            yield UnreadProvider(provider, path)
