"""Custom jobs of Vertex AI that a command creates: the code that their containers run.

Fact: https://docs.cloud.google.com/sdk/gcloud/reference/ai/custom-jobs/create (`--config` names a file with
`workerPoolSpecs`; `--worker-pool-spec` has the same in one line, a local package with its script among it). A pool's
container runs its `command`, else what its image starts with; the image is one of the repository where exactly one
Dockerfile is built under the last part of its name.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from mlops_scan.automation import images
from mlops_scan.automation.paths import Paths, normal
from mlops_scan.ci import cloudbuild
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.words import Role

_JOBS = frozenset({"custom-jobs", "hp-tuning-jobs"})
_POOL = "--worker-pool-spec"
_BUILD = regex(r"\b(?:docker|podman)[ \t]+(?:buildx[ \t]+)?build\b(?:\\\r?\n|[^\n;&|]){0,2000}", words=("build",))
_SKIPPED = frozenset({Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST, Role.DATA})
_LANGUAGES = frozenset({"yaml", "shell", "makefile"})
_MAX_TEXT = 200_000  # characters of a file in which an image may be built
_MAX_POOLS = 20


class VertexJob(Struct, frozen=True):
    """What a pool of workers runs: a command line, or what an image starts with, built from a Dockerfile in a folder.

    `path` and `line` are where the pool is declared, empty for the command itself.
    """

    text: str = ""
    folder: str | None = None
    dockerfile: str = ""
    path: str = ""
    line: int = 0


def creates(words: tuple[str, ...]) -> bool:
    """Whether a command line creates such a job: `gcloud [beta] ai custom-jobs create …`."""
    return words[0] == "gcloud" and "ai" in words[1:3] and "create" in words[3:5] and not _JOBS.isdisjoint(words[2:4])


def jobs(words: tuple[str, ...], folder: str, paths: Paths) -> Iterator[VertexJob]:
    """What the pools of a job run that a command line creates."""
    for word, after in pairwise((*words, "")):
        flag, _, value = word.partition("=")
        value = value or after
        if flag == "--config" and (path := paths.existing(value, folder)) is not None:
            for document in paths.documents.nodes(path)[:1]:
                yield from _configured(path, document, paths)
        elif flag == _POOL:
            yield from _inline(value, folder, paths)


def _configured(path: str, document: Node, paths: Paths) -> Iterator[VertexJob]:
    pools = document.get("workerPoolSpecs") or document.path("trialJobSpec", "workerPoolSpecs")
    for pool in (pools.items[:_MAX_POOLS] or (pools,)) if pools is not None else ():
        container, module = pool.get("containerSpec"), pool.path("pythonPackageSpec", "pythonModule")
        if module is not None and module.string():
            yield VertexJob(shlex.join(("python", "-m", module.string() or "")), path=path, line=module.line)
        command = container.get("command") if container is not None else None
        image = container.get("imageUri") if container is not None else None
        if command is not None and container is not None:
            given = container.get("args")
            text = shlex.join((*command.strings(), *(given.strings() if given is not None else ())))
            yield VertexJob(text, path=path, line=command.line)
        elif image is not None and (found := _built(image.string() or "", paths)) is not None:
            yield VertexJob(dockerfile=found[0], folder=found[1], path=path, line=image.line)


def _inline(spec: str, folder: str, paths: Paths) -> Iterator[VertexJob]:
    """`machine-type=…,local-package-path=src,script=trainer/task.py`, `…,container-image-uri=…`."""
    pairs = (part.partition("=") for part in spec.split(","))
    given = {name.strip(): value.strip("\"' ") for name, _, value in pairs}
    place = given.get("local-package-path", "")
    inside = None if "$" in place else normal(f"{folder}/{place}".strip("/"))
    if given.get("script"):
        yield VertexJob(shlex.join(("python", given["script"])), inside)
    elif given.get("python-module"):
        yield VertexJob(shlex.join(("python", "-m", given["python-module"])), inside)
    elif (found := _built(given.get("container-image-uri", ""), paths)) is not None:
        yield VertexJob(dockerfile=found[0], folder=found[1])


# -- images of the repository ------------------------------------------------------------------------------------------


def _built(image: str, paths: Paths) -> tuple[str, str] | None:
    """The Dockerfile, and the folder of its build, of the only image of that name that the repository builds."""
    name = _name(image)
    found = paths.documents.once(_builds).get(name, frozenset()) if name else frozenset()
    return next(iter(found)) if len(found) == 1 else None


def _name(image: str) -> str:
    """The last part of an image's name, without its tag; empty where it is not known."""
    last = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return "" if "$" in last or "{" in last else last


def _builds(documents: Documents) -> Mapping[str, frozenset[tuple[str, str]]]:
    """The Dockerfiles and folders by the names under which commands of the repository build them."""
    paths = Paths(documents)
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for path, file in documents.files.items():
        known = language_of(path) in _LANGUAGES and file.role not in _SKIPPED and file.size <= _MAX_TEXT
        if not known or not documents.holds(path, "build"):
            continue
        for words in _build_lines(path, documents):
            built = images.built(words, "", paths)
            for name in {_name(tag) for tag in _tags(words)} - {""}:
                if built is not None:
                    found[name].add(built)
    return {name: frozenset(places) for name, places in found.items()}


def _build_lines(path: str, documents: Documents) -> Iterator[tuple[str, ...]]:
    """The command lines of a file that build images, those of Cloud Build's steps with their substitutions."""
    texts = [documents.text(path)]
    if documents.holds(path, "steps") and language_of(path) == "yaml":
        for document in documents.nodes(path)[:1]:
            if cloudbuild.is_build(document):
                texts = [step.script for step in cloudbuild.job(path, document, documents).steps]
    for text in texts:
        for match in _BUILD.finditer(text):
            if not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].lstrip().startswith("#"):
                yield tuple(match.group().replace("\\\n", " ").split())


def _tags(words: tuple[str, ...]) -> Iterator[str]:
    for word, after in pairwise((*words, "")):
        if word in ("-t", "--tag"):
            yield after.strip("\"'")
        elif word.startswith("--tag="):
            yield word.partition("=")[2].strip("\"'")
