"""The CI providers that are known: which files are their definitions, which of these they load, and who reads them.

To add a provider write a module with `parse(path, documents) -> Iterator[Workflow]` and add one line to `PROVIDERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mlops_scan.ci import (
    appveyor,
    azure,
    bitbucket,
    buildkite,
    circleci,
    cloudbuild,
    codebuild,
    codepipeline,
    drone,
    github,
    gitlab,
    jenkins,
    taskcluster,
    tekton,
    travis,
)
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.store import Documents
from mlops_scan.repository.roles import strip_template

Parse = Callable[[str, Documents], Iterable[Workflow]]
"""Gives the workflows of the definition at a path; `documents` has it, and the other files of the repository."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A CI provider: a path in which `named` is found is one of its definitions, and `parse` reads it.

    Both patterns see the path in the repository, in a template the path below the folder with a placeholder for a name.
    `named` is searched and finds definitions wherever they stand; a path that `loaded` does not match in full is not
    loaded by the provider, for the reason `elsewhere`. Without `loaded` every one is loaded. `own` says that no other
    format is looked for in these files.
    """

    name: str
    named: str
    parse: Parse
    loaded: str = ""
    elsewhere: str = ""
    own: bool = True

    def owns(self, local: str) -> bool:
        """Whether a path is a definition of this provider."""
        return re.search(self.named, local) is not None

    def workflows(self, path: str, documents: Documents) -> Iterator[Workflow]:
        """The workflows of a definition; those in a place that the provider does not load say so."""
        found = self.parse(path, documents)
        if self.loaded and not re.fullmatch(self.loaded, strip_template(path)[0]):
            found = (replace(workflow, unloaded=workflow.unloaded or self.elsewhere) for workflow in found)
        yield from found


def _github(path: str, documents: Documents) -> Iterator[Workflow]:
    yield from (github.parse(path, node) for node in documents.nodes(path)[:1])


def _gitlab(path: str, documents: Documents) -> Iterator[Workflow]:
    """A file by itself; `find` reads the pipeline at the root, with what it includes, before it looks here."""
    pipelines = gitlab.parse(path, documents.nodes(path), lambda name: ())
    yield from (workflow for workflow in pipelines if workflow.jobs)


def _azure(path: str, documents: Documents) -> Iterator[Workflow]:
    for node in documents.nodes(path)[:1]:
        if azure.looks_like(node):
            yield azure.parse(path, node, lambda name: documents.nodes(name) if name in documents.files else ())


def _root(provider: str, name: str) -> str:
    return f"{provider} only loads {name} at the root of the repository"


def _gathered(path: str, documents: Documents) -> Iterator[Workflow]:
    """Nothing more than what a reader of `GATHERED` finds in the file."""
    return iter(())


PROVIDERS = (
    # name, its definitions, reader, those of them that it loads, why it does not load the others
    Provider("GitHub Actions", rf"^{github.LOADED.pattern}$", _github, own=False),
    Provider(
        "GitLab CI",
        r"(^|/|[\w-]\.)\.?gitlab-ci\.ya?ml$|^\.gitlab/.+\.ya?ml$",
        _gitlab,
        r"\.gitlab-ci\.yml",
        "GitLab only loads .gitlab-ci.yml at the root of the repository and what it includes",
        own=False,
    ),
    Provider("Azure Pipelines", azure.NAMED.pattern, _azure, own=False),
    Provider("Jenkins", jenkins.NAMED, jenkins.parse),
    Provider("CircleCI", circleci.NAMED, circleci.parse),
    Provider(
        "Bitbucket Pipelines",
        r"(^|/)bitbucket-pipelines\.ya?ml$",
        bitbucket.parse,
        r"bitbucket-pipelines\.yml",
        _root("Bitbucket", "bitbucket-pipelines.yml"),
    ),
    Provider("Travis CI", r"(^|/)\.travis\.ya?ml$", travis.parse, r"\.travis\.yml", _root("Travis CI", ".travis.yml")),
    Provider(
        "AppVeyor", r"(^|/)\.?appveyor\.ya?ml$", appveyor.parse, r"\.?appveyor\.yml", _root("AppVeyor", "appveyor.yml")
    ),
    Provider("Buildkite", buildkite.NAMED, buildkite.parse),
    Provider("Drone", drone.DRONE, drone.drone),
    Provider("Woodpecker", drone.WOODPECKER, drone.woodpecker),
    Provider("Google Cloud Build", cloudbuild.NAMED.pattern, cloudbuild.parse),
    Provider("Taskcluster", r"^\.taskcluster\.yml$|^taskcluster/.+\.ya?ml$", _gathered),
    Provider("AWS CodeBuild", codebuild.NAMED.pattern, _gathered),
    Provider("Tekton", r"^\.?tekton/.+\.ya?ml$", _gathered),
)

GATHERED: tuple[Callable[[Documents], Mapping[str, list[Workflow]]], ...] = (
    taskcluster.find,
    codepipeline.find,
    tekton.find,
)
"""Readers of providers whose definitions are spread over several files: the workflows of a repository by file."""

NOT_READ = tuple(
    (provider, re.compile(pattern))
    for provider, pattern in (
        ("Drone", r"^\.drone\.(jsonnet|star)$"),
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
"""Definitions that are recognised by name but not read yet; reported as unknown, never as "no CI"."""
