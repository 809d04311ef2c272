"""Find the CI/CD definitions of a repository: loaded ones, those in a place no provider looks, unknown providers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from mlops_scan.ci.model import Workflow
from mlops_scan.ci.providers import gathered, provider_named, unread_provider, unread_shape
from mlops_scan.documents.definitions import is_definition
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import FOREIGN, Role

_WORDS = ("ci", "cd", "pipeline", "workflow", "jenkins", "build", "deploy")
_WORD = f"({'|'.join(_WORDS)})"
_GENERIC_YAML = regex(rf"{_WORD}[^/]*(/[^/]*)?$", re.I, _WORDS)  # in the name of the file or of its folder
_GENERIC_JSON = regex(rf"(^|/)([^/]*[-_.])?{_WORD}s?([-_.][^/]*)?\.json$", re.I, _WORDS)
_TESTS_CI = regex(r"^tests?/(?:ci|cicd|ci-cd)/(?:[^/]+/)?[^/]+\.ya?ml$", re.I, ("test",))  # not what tests read
_RENAMED = regex(r"\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml\.[\w-]+$", words=("/workflows/",))
_MAX_JSON = 200_000  # bytes of a JSON file that can be a pipeline written by hand
_ONLY_ROOT = "GitHub only loads workflows from .github/workflows at the root of the repository"


class UnreadProvider(Struct, frozen=True):
    """A CI definition of which something cannot be told from files: `reason`, or that the provider is not read."""

    provider: str
    path: str
    reason: str = ""
    line: int = 1


def workflows(documents: Documents) -> Iterator[Workflow]:
    """Every CI/CD definition, in path order; `Workflow.unloaded` says why a provider does not load one.

    What Azure fills in where another of its files names it is a template, and no definition of its own.
    """
    found = tuple(_all(documents))
    filled = {name for workflow in found for name in workflow.includes if name != workflow.path}
    return (workflow for workflow in found if workflow.path not in filled)


def _all(documents: Documents) -> Iterator[Workflow]:
    claimed = _gitlab(documents)
    for gathering in gathered(documents):
        claimed.update(gathering.workflows(documents))
    for path in sorted(documents.files):
        file = documents.files[path]
        if file.role in FOREIGN:
            continue
        if path in claimed:
            yield from claimed[path]
        elif (provider := provider_named(path)) is not None:
            yield from provider.workflows(path, documents)
        elif language_of(path) in ("yaml", "json") and file.role is not Role.TEST:
            yield from _by_shape(path, documents)
        elif file.role is Role.TEST and _TESTS_CI.search(path):
            yield from _registered(path, documents)
        elif _RENAMED.search(path):
            name = path.rpartition("/")[2]
            yield Workflow(path, "github-actions", 1, name, (), (), unloaded="its name does not end in .yml or .yaml")


def _registered(path: str, documents: Documents) -> Iterator[Workflow]:
    """A pipeline of Azure in `tests/ci`: any file can be registered as one, and that folder is meant for them."""
    from mlops_scan.ci import azure

    if any(azure.looks_like(node) and azure.is_marked(node) for node in documents.nodes(path)[:1]):
        yield from azure.read(path, documents)


def _by_shape(path: str, documents: Documents) -> Iterator[Workflow]:
    """Definitions that no name gives away: GitHub's in another place, and those of the usual CI shape."""
    local = strip_template(path)[0]
    tail = "/".join(local.rsplit("/", 2)[-2:])  # its name and that of its folder, most of which have none of the words
    if language_of(path) == "json":
        small = documents.files[path].size <= _MAX_JSON or is_definition(path)
        if small and _GENERIC_JSON.search(tail) and not provider_of(path):
            from mlops_scan.ci import generic

            yield from (found for node in documents.nodes(path) if (found := generic.find(path, node)) is not None)
    elif "/workflows/" in f"/{local}" or "github" in local:
        from mlops_scan.ci import github

        yield from (
            github.parse(path, n, unloaded=_ONLY_ROOT) for n in documents.nodes(path)[:1] if github.looks_like(n)
        )
    elif _GENERIC_YAML.search(tail) and not provider_of(path):
        from mlops_scan.ci import azure, cloudbuild, generic, github

        for node in documents.nodes(path):
            if (found := generic.find(path, node)) is not None:
                yield found
            elif github.looks_like(node):
                yield github.parse(path, node, unloaded=_ONLY_ROOT)
            elif azure.looks_like(node) and azure.is_marked(node):
                yield from azure.read(path, documents)
            elif cloudbuild.looks_like(node):
                yield from cloudbuild.parse(path, documents)


def _gitlab(documents: Documents) -> dict[str, list[Workflow]]:
    """The workflows of the GitLab pipelines at the root, or at a template's root, by the files that they stand in."""
    found: dict[str, list[Workflow]] = {}
    for path, file in documents.files.items():
        if file.role in FOREIGN or strip_template(path)[0] != ".gitlab-ci.yml":
            continue
        from mlops_scan.ci import gitlab

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
    """The CI provider whose definitions alone have this name, read or not, or empty."""
    provider = provider_named(path)
    return provider.name if provider is not None and provider.own else unread_provider(path)


def unread_providers(documents: Documents, found: Iterable[Workflow] = ()) -> Iterator[UnreadProvider]:
    """Definitions of providers that are not read, and those among `found` that leave open what they run."""
    found = tuple(found)
    read = {workflow.path for workflow in found}
    for path, file in documents.files.items():
        if file.role in FOREIGN or file.role in (Role.DOCS, Role.EXAMPLE):
            continue
        provider = unread_provider(path) or ("" if path in read else unread_shape(path, documents))
        if provider:
            yield UnreadProvider(provider, path)
    for workflow in found:
        owner = provider_named(workflow.path)
        if workflow.unknown and not workflow.unloaded:
            name = owner.name if owner is not None else workflow.provider
            yield UnreadProvider(name, workflow.path, workflow.unknown, workflow.line)
