"""The CI providers that are known: which files are their definitions, which of these they load, and who reads them.

To add a provider write a module with `parse(path, documents) -> Iterator[Workflow]` and add one line to `PROVIDERS`.
Readers are imported when there is something for them to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci import names
from mlops_scan.ci.cdk_programs import MARKS
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.programs import own_programs
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import FOREIGN, Role

_ENDS = (".yml", ".yaml", ".json")  # of all definitions but Jenkins'
_GATHERED_IN = frozenset({"yaml", "json", *MARKS})  # languages
_MAX_GATHERED = 500_000  # bytes of a file that can be such a definition

Parse = Callable[[str, Documents], Iterable[Workflow]]
"""Gives the workflows of the definition at a path; `documents` has it, and the other files of the repository."""


class Provider(Struct, frozen=True):
    """A CI provider: a path in which `named` is found is one of its definitions, and `parse` reads it.

    The patterns see the path in the repository, in a template the path below the folder with a placeholder for a name.
    `named` is searched and finds definitions wherever they stand; a path that `loaded` does not match in full is not
    loaded by the provider, for the reason `elsewhere`. Without `loaded` every one is loaded. `own` says that no other
    format is looked for in these files.
    """

    name: str
    named: re.Pattern[str]
    parse: Parse
    loaded: str = ""
    elsewhere: str = ""
    own: bool = True

    def owns(self, local: str) -> bool:
        """Whether a path is a definition of this provider."""
        return self.named.search(local) is not None

    def workflows(self, path: str, documents: Documents) -> Iterator[Workflow]:
        """The workflows of a definition; those in a place that the provider does not load say so."""
        found = self.parse(path, documents)
        if self.loaded and not re.fullmatch(self.loaded, strip_template(path)[0]):
            found = (replace(workflow, unloaded=workflow.unloaded or self.elsewhere) for workflow in found)
        yield from found


def _reader(module: str, function: str = "parse") -> Parse:
    def parse(path: str, documents: Documents) -> Iterable[Workflow]:
        found: Iterable[Workflow] = getattr(import_module(f"mlops_scan.ci.{module}"), function)(path, documents)
        return found

    return parse


def _github(path: str, documents: Documents) -> Iterator[Workflow]:
    from mlops_scan.ci import github

    yield from (github.parse(path, node) for node in documents.nodes(path)[:1])


def _gitlab(path: str, documents: Documents) -> Iterator[Workflow]:
    """A file by itself; `find` reads the pipeline at the root, with what it includes, before it looks here."""
    from mlops_scan.ci import gitlab

    pipelines = gitlab.parse(path, documents.nodes(path), lambda name: ())
    yield from (workflow for workflow in pipelines if workflow.jobs)


def provider_named(path: str) -> Provider | None:
    """The provider that has definitions of this name and is read."""
    local = strip_template(path)[0]
    if not may_be_named(local):
        return None
    return next((provider for provider in PROVIDERS if provider.owns(local)), None)


def may_be_named(local: str) -> bool:
    """Whether a path looks like the definition of a provider; most do not, and the patterns take longer to say so."""
    lower = local.lower().rstrip("\n")  # `$` in the patterns allows one
    if not lower.endswith(_ENDS):
        return "jenkinsfile" in lower
    return any(map(lower.__contains__, _words())) or not lower.isascii()  # other letters may count as equal


@lru_cache(maxsize=1)
def _words() -> tuple[str, ...]:
    """The words of all providers' patterns, one of which is in the path of every definition."""
    return tuple(word for provider in PROVIDERS for word in getattr(provider.named, "words", ("",)))


def _root(provider: str, name: str) -> str:
    return f"{provider} only loads {name} at the root of the repository"


def _gathered(path: str, documents: Documents) -> Iterator[Workflow]:
    """Nothing more than what a reader of `GATHERED` finds in the file."""
    return iter(())


PROVIDERS = (
    # name, its definitions, reader, those of them that it loads, why it does not load the others
    Provider("GitHub Actions", regex(rf"^{names.GITHUB}$", words=("/workflows/",)), _github, own=False),
    Provider(
        "GitLab CI",
        regex(r"(^|/|[\w-]\.)\.?gitlab-ci\.ya?ml$|^\.gitlab/.+\.ya?ml$", words=("gitlab-ci.", ".gitlab/")),
        _gitlab,
        r"\.gitlab-ci\.yml",
        "GitLab only loads .gitlab-ci.yml at the root of the repository and what it includes",
        own=False,
    ),
    Provider(
        "Azure Pipelines",
        regex(names.AZURE, words=("azure-pipelines", "pipelines/", "devops/", "azdo/", "ado/")),
        _reader("azure", "read"),
        own=False,
    ),
    Provider("Jenkins", regex(names.JENKINS, words=("jenkinsfile",)), _reader("jenkins")),
    Provider("CircleCI", regex(names.CIRCLECI, words=(".circleci/",)), _reader("circleci")),
    Provider(
        "Bitbucket Pipelines",
        regex(r"(^|/)bitbucket-pipelines\.ya?ml$", words=("bitbucket-pipelines.",)),
        _reader("bitbucket"),
        r"bitbucket-pipelines\.yml",
        _root("Bitbucket", "bitbucket-pipelines.yml"),
    ),
    Provider(
        "Travis CI",
        regex(r"(^|/)\.travis\.ya?ml$", words=(".travis.",)),
        _reader("travis"),
        r"\.travis\.yml",
        _root("Travis CI", ".travis.yml"),
    ),
    Provider(
        "AppVeyor",
        regex(r"(^|/)\.?appveyor\.ya?ml$", words=("appveyor.",)),
        _reader("appveyor"),
        r"\.?appveyor\.yml",
        _root("AppVeyor", "appveyor.yml"),
    ),
    Provider("Buildkite", regex(names.BUILDKITE, words=("buildkite",)), _reader("buildkite")),
    Provider("Drone", regex(names.DRONE, words=(".drone.",)), _reader("drone", "drone")),
    Provider("Woodpecker", regex(names.WOODPECKER, words=(".woodpecker",)), _reader("drone", "woodpecker")),
    Provider(
        "Google Cloud Build",
        regex(names.CLOUD_BUILD, words=("cloudbuild", "cloud-build", "cloud_build")),
        _reader("cloudbuild"),
    ),
    Provider("Taskcluster", regex(r"^\.taskcluster\.yml$|^taskcluster/.+\.ya?ml$", words=("taskcluster",)), _gathered),
    Provider("AWS CodeBuild", regex(names.CODE_BUILD, words=("buildspec",)), _gathered),
    Provider("Tekton", regex(r"^\.?tekton/.+\.ya?ml$", words=("tekton/",)), _gathered),
)


class Gathered(Struct, frozen=True):
    """A provider whose definitions are spread over several files, read by `find(documents)` of its module.

    It is asked where a path matches `named`, or a YAML or JSON file holds one of `marks`; or a program the mark of its
    language, where definitions may be `programmed`.
    """

    module: str
    named: re.Pattern[str]
    marks: tuple[str, ...]
    programmed: Mapping[str, str] = {}

    def workflows(self, documents: Documents) -> Mapping[str, list[Workflow]]:
        """The workflows of a repository by file."""
        found: Mapping[str, list[Workflow]] = import_module(f"mlops_scan.ci.{self.module}").find(documents)
        return found


GATHERED = (
    Gathered(
        "taskcluster", regex(r"(^|/)\.taskcluster\.yml$", words=(".taskcluster.",)), ("triggerSchema", "provisionerId")
    ),
    Gathered(
        "codepipeline",
        regex(names.CODE_BUILD, words=("buildspec",)),
        ("AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project", '"actionTypeId"', "aws_cdk"),
        programmed=MARKS,
    ),
    Gathered("tekton", regex(r"^\.?tekton/.+\.ya?ml$", words=("tekton/",)), ("tekton.dev/", "tkn")),
)


def gathered(documents: Documents) -> list[Gathered]:
    """Those of `GATHERED` for which there is something to read."""
    open_ones = {item.module: item for item in GATHERED}
    wanted = set()
    own = documents.once(own_programs)
    for path, file in documents.files.items():
        if file.role in FOREIGN or file.size > _MAX_GATHERED:
            continue
        language = language_of(path)
        if language not in _GATHERED_IN or (language == "json" and file.role is Role.DATA):
            continue
        if language == "typescript" and path not in own:
            continue
        code = language in MARKS
        local = strip_template(path)[0] if not code else ""
        may_be = may_be_named(local)
        for item in tuple(open_ones.values()):
            marks = (item.programmed[language],) if language in item.programmed else () if code else item.marks
            named = may_be and item.named.search(local) is not None
            if named or any(documents.swept_holds(path, mark) for mark in marks):
                wanted.add(open_ones.pop(item.module).module)
        if not open_ones:
            break
    return [item for item in GATHERED if item.module in wanted]


NOT_READ = tuple(
    (provider, regex(pattern))
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
        ("Prow", r"^prow_config\.ya?ml$|^\.prow\.ya?ml$|^(\.prow|prowjobs)/.+\.ya?ml$"),
        ("GoCD", r"^(?s:.*)\.gocd\.(ya?ml|json)$"),
    )
)
"""Definitions that are recognised by name but not read yet; reported as unknown, never as "no CI".

The patterns are matched from the start of the path, which is told at once for nearly all paths.
"""

SHARED_NAMES = ((regex(r"^\.pipeline/config\.ya?ml$"), "Wikimedia PipelineLib", ("pipelines:", "stages:")),)
"""Definitions that are not read and whose names others use as well: the provider, and what stands in its files."""

_BEGINNINGS = (
    ".drone.", ".teamcity/", ".semaphore/", ".cirrus.", ".build", "zuul", ".zuul", ".harness/", "codefresh.",
    "screwdriver.", "prow_config.", "prowjobs/", ".prow",
)  # fmt: skip
_ENDINGS = (".gocd.yml", ".gocd.yaml", ".gocd.json")


def unread_provider(path: str) -> str:
    """The provider whose definitions have this name and are not read, or empty."""
    local = strip_template(path)[0]
    if not local.startswith(_BEGINNINGS) and not local.rstrip("\n").endswith(_ENDINGS):
        return ""
    return next((provider for provider, pattern in NOT_READ if pattern.match(local)), "")


def unread_shape(path: str, documents: Documents) -> str:
    """The provider whose definitions are not read and can be told by name and content only, or empty."""
    if not path.endswith(("/config.yaml", "/config.yml")):
        return ""
    local = strip_template(path)[0]
    for pattern, provider, marks in SHARED_NAMES:
        if pattern.match(local) and all(documents.holds(path, mark) for mark in marks):
            return provider
    return ""
