"""Container images: what their files install, whether they hold something of a model, those of load generators."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING

from mlops_scan.automation.images import built
from mlops_scan.automation.model import Run
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.builds import MOVES
from mlops_scan.detectors.dependencies import Declared, declared_in
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.manifests import applies_no_service
from mlops_scan.detectors.packages import own_packages
from mlops_scan.documents.requirements import normalised
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile, Instruction

_PARTS = regex(r"&&|\||;|\n")
_MANAGER = regex(r"(?:\S*/)?(?:pip[\d.]*|uv|poetry|conda|mamba|micromamba|pdm|pixi|pipenv)")
_VERBS = frozenset({"install", "sync", "create", "env"})
_OTHERS = frozenset({"apt", "apt-get", "apk", "yum", "dnf", "microdnf", "brew", "npm", "curl", "wget", "echo"})
_BOOTSTRAP = frozenset(
    {"pip", "setuptools", "wheel", "uv", "poetry", "pipenv", "pdm", "hatch", "hatchling", "build", "pip-tools",
     "virtualenv", "conda", "mamba", "python", "cython"}
)  # fmt: skip
"""Distributions that only install others."""

_VALUES = frozenset(
    {"-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--trusted-host", "-t",
     "--target", "--prefix", "--progress-bar", "--timeout", "--retries", "--cache-dir", "-n", "--name", "-p",
     "--python", "--root-user-action", "--channel", "--proxy", "--default-timeout"}
)  # fmt: skip
LISTS = frozenset({"-r", "--requirement", "--requirements"})
_NAME = regex(r"[A-Za-z0-9][\w.-]*")
_LOCKED = regex(
    r"\b(?:uv sync|poetry install|pdm (?:sync|install)|pixi install|conda-lock)\b",
    words=("uv sync", "poetry install", "pdm ", "pixi install", "conda-lock"),
)
_FETCHES = regex(
    r"\b(?:git clone|wget|curl|dvc|gsutil|aws|gcloud|az|mlflow|huggingface-cli|hf|rsync|scp|svn|bentoml)\b"
)
_LOAD = regex(r"(?:load|stress|perf|performance)[-_]?tests?(?:ing)?|locust\w*|k6|jmeter|vegeta|gatling|artillery", re.I)
_LOAD_FILE = regex(r"(?:^|[-_.])(?:load[-_]?tests?|locust\w*|k6|jmeter|vegeta|gatling)(?:$|[-_.])", re.I)
_LOAD_IMAGES = ("locustio/locust", "grafana/k6", "loadimpact/k6", "jmeter", "vegeta", "gatling", "artilleryio")
# What images are made of that hold nothing but a system, a language or a server; others may bring a model.
_BARE = regex(
    r"(?:docker\.io/|public\.ecr\.aws/docker/)?(?:library/)?(?:scratch|python|ubuntu|debian|alpine|busybox|centos|fedora|"
    r"rockylinux|amazonlinux|node|nginx|httpd|caddy|traefik|haproxy|postgres|mysql|mariadb|mongo|redis|memcached|"
    r"rabbitmq|elasticsearch|kibana|golang|rust|ruby|php|openjdk|eclipse-temurin|maven|gradle|r-base|docker)(?:[:@]\S*)?"
    r"|(?:docker\.io/)?(?:continuumio|condaforge|mambaorg|bitnami|grafana|prom|postgis|adminer)/[\w.-]+(?:[:@]\S*)?"
    r"|(?:gcr\.io/distroless|ghcr\.io/astral-sh|public\.ecr\.aws/lambda)/[\w./-]+(?:[:@]\S*)?"
)
_DOES = frozenset(
    {"train", "tune", "predict", "load-model", "save-model", "evaluate", "check-model", "preprocess", "validate-data",
     "register", "promote", "deploy-model", "llm-call", "index-documents", "drift", "explain", "define-pipeline"}
)  # fmt: skip
_ASKED = ("train", "tune", "predict", "load-model", "llm-call")
_NEAR = 6  # hops from an interface to the model
_MAX_RUNS = 1_000  # commands of a job looked at
_COMPILED = (".go", ".rs", ".java", ".kt", ".scala", ".cpp", ".cc", ".c", ".cs", ".r", ".jl", ".swift", ".jar", ".whl")


def is_load_test(path: str) -> bool:
    """Whether a file is part of what makes load for tests, by its name or a folder on the way."""
    *folders, name = path.split("/")
    return any(map(_LOAD.fullmatch, folders)) or _LOAD_FILE.search(name) is not None


def makes_load(path: str, document: Dockerfile) -> bool:
    """Whether an image is that of a load generator."""
    return is_load_test(path) or bool(document.stages and has_any(document.stages[-1].image, _LOAD_IMAGES))


def is_plain(document: Dockerfile) -> bool:
    """Whether the last stage of an image begins with nothing but a system, a language or a server."""
    return bool(document.stages) and _BARE.fullmatch(document.stages[-1].image.lower()) is not None


# -- what is installed -----------------------------------------------------------------------------------------------


def installs(instruction: Instruction) -> bool:
    """Whether an instruction installs dependencies, more than what installs others."""
    return instruction.name == "RUN" and any(_is_real(words) for words in install_commands(instruction.value))


def install_commands(value: str) -> Iterator[list[str]]:
    """The commands of package managers in a RUN instruction, from the manager on."""
    for part in _PARTS.split(value):
        words = part.replace('"', "").replace("'", "").split()
        start = next((i for i, word in enumerate(words) if word[:1] != "-" and _MANAGER.fullmatch(word)), None)
        if start is not None and _OTHERS.isdisjoint(words[:start]):
            yield words[start:]


def _is_real(words: list[str]) -> bool:
    verb = next((i for i, word in enumerate(words[1:4], 1) if word in _VERBS), None)
    if verb is None or "config" in words[1:verb]:
        return False
    packages = _packages(words[verb + 1 :])
    return not packages or any(name not in _BOOTSTRAP for name in packages)


def _packages(words: list[str]) -> list[str]:
    """The packages among the arguments of an install command, in lower case; lists and folders as written."""
    found = []
    skip = False
    for word in words:
        if not skip and not word.startswith("-"):
            name = _NAME.match(word)
            found.append(name.group().lower() if name is not None else word)
        skip = word in _VALUES
    return found


def inline(document: Dockerfile) -> tuple[list[str], bool]:
    """The packages that an image's commands name, with their versions, and whether one names a list or a folder."""
    found: list[str] = []
    more = False
    for words in (words for i in document.instructions if i.name == "RUN" for words in install_commands(i.value)):
        verb = next((i for i, word in enumerate(words[1:4], 1) if word in _VERBS), None)
        if verb is None or not _is_real(words):
            continue
        rest = words[verb + 1 :]
        more = (
            more
            or not rest
            or words[verb] != "install"
            or any(
                word in LISTS or word.startswith((".", "/", "-r", "--requirement", "$", "-e")) or "://" in word
                for word in rest
            )
        )
        found += [word for word in rest if (name := _NAME.match(word)) and name.group().lower() not in _BOOTSTRAP]
    return found, more


def fetched(instruction: Instruction) -> bool:
    """Whether an instruction may bring files from elsewhere."""
    return _FETCHES.search(instruction.value) is not None


def missing_list(context: Context, path: str, document: Dockerfile) -> tuple[str, Instruction] | None:
    """A requirements file that an image installs, that the repository lacks and that nothing seen here makes."""
    if context.role(path) is Role.TEMPLATE or "{" in path:
        return None
    if not any(i.name in ("COPY", "ADD") for i in document.instructions):
        return None  # the image it begins with may have it
    for instruction in document.instructions:
        if instruction.name != "RUN":
            continue
        if fetched(instruction):
            return None
        for words in install_commands(instruction.value):
            for before, word in pairwise(words):
                name = word.rpartition("/")[2] if before in LISTS else ""
                if not name.endswith(".txt") or not re.fullmatch(r"[\w.-]+", name) or "://" in word:
                    continue
                if context.has_named(name) or brought(document, word, name) or is_made(context, name):
                    continue
                return name, instruction
    return None


def brought(document: Dockerfile, path: str, name: str) -> bool:
    """Whether an instruction writes a file, or it lies where only the image that this one begins with has put it."""
    targets = []
    for i in document.instructions:
        if i.name == "RUN":
            if any(name in part and LISTS.isdisjoint(part.split()) for part in _PARTS.split(i.value)):
                return True
        elif i.name in ("COPY", "ADD"):
            *sources, target = [word.strip('[],"') for word in i.value.split() if not word.startswith("--")] or [""]
            elsewhere = any(sign in i.value for sign in ("--from", "<<", "://"))
            if name in i.value and (elsewhere or not any(word.endswith(name) for word in sources)):
                return True
            targets.append(target.rstrip("/") + "/")
    return path.startswith("/") and not any(f"/{path.strip('/')}".startswith(target) for target in targets)


def is_made(context: Context, name: str) -> bool:
    """Whether a command or script of the repository may write a file of that name, or .gitignore leaves it out."""
    if any(any(name in word for word in words) and "-r" not in words for words in context.commands()):
        return True
    for file in (*context.named(".gitignore", aside=True), *context.written_in("shell", "makefile", aside=True)):
        text = context.documents.text(file.path)
        if file.name != ".gitignore":
            if name in text:
                return True
        elif any(fnmatchcase(name, line.strip().rstrip("/").rpartition("/")[2]) for line in text.split("\n")):
            return True
    return False


@kept
def _lists(context: Context) -> Mapping[str, list[tuple[int, str]]]:
    """The paths of dependency lists by the name of the file, each with its place among all of them."""
    by_name: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for place, path in enumerate(declared_in(context)):
        by_name[path.rpartition("/")[2]].append((place, path))
    return dict(by_name)


def installed(context: Context, path: str, document: Dockerfile) -> list[Declared]:
    """What the dependency lists declare that an image's commands name, where the repository has them; no locks."""
    named = {
        word.strip("'\"").rpartition("/")[2]
        for i in document.instructions
        if installs(i) and not _LOCKED.search(i.value)
        for word in re.split(r"[\s=]+", i.value)
        if word.endswith((".txt", ".yml", ".yaml"))
    }
    if not named:
        return []
    by_name, declared = _lists(context), declared_in(context)
    found = sorted(place for name in named for place in by_name.get(name, ()))
    lists = {path: declared[path] for _, path in found}
    copied = {word for i in document.instructions if i.name in ("COPY", "ADD") for word in i.value.split()}
    folder = path.rpartition("/")[0]
    near = [p for p in lists if p in copied] or [p for p in lists if p.rpartition("/")[0] == folder]
    chosen = near or (list(lists) if len(lists) == 1 else [])
    return [item for p in chosen for item in lists[p]]


# -- what is inside --------------------------------------------------------------------------------------------------


def may_hold_model(context: Context, path: str, root: str) -> bool:
    """Whether an image may hold code that makes or asks a model, or a model's file; yes where that cannot be told.

    `root` is the folder of the files that the build is given.
    """
    document = context.documents.dockerfile(path)
    if document is None or not document.stages:
        return True
    names = {stage.name for stage in document.stages if stage.name}
    for stage in document.stages:
        if stage.image not in names and not _BARE.fullmatch(stage.image.lower()):
            return True
    for i in document.instructions:
        if i.name == "RUN" and (_FETCHES.search(i.value) or "--mount=type=bind" in i.value):
            return True
        if i.name == "ONBUILD" or (i.name in ("COPY", "ADD") and _copies_model(context, i.value, root)):
            return True
        if i.name == "RUN" and any(_is_ours(context, words) for words in install_commands(i.value)):
            return True
    own = own_packages(context)
    homes = {own[item.name] for item in installed(context, path, document) if item.name in own}
    return any(has_models(context, home.rpartition("/")[0]) for home in homes)


def _is_ours(context: Context, words: list[str]) -> bool:
    """Whether a command installs a tool of machine learning, or a package of this repository's own name."""
    known = _distributions(context)
    return any(normalised(name) in known for name in _packages(words[2:]))


@kept
def _distributions(context: Context) -> frozenset[str]:
    tools = {normalised(name) for tool in context.rules.tools.values() for name in tool.distributions}
    own = {normalised(part) for path in context.index.modules for part in path.split("/")[:-1][:2]}
    return frozenset(tools | own)


def _copies_model(context: Context, value: str, root: str) -> bool:
    if "--from=" in value:
        return any(sign in value.partition("--from=")[2].split()[0] for sign in "/:$")  # another image than this
    words = value.strip("[]").replace('"', "").replace(",", " ").split() if value.startswith("[") else value.split()
    sources = [word for word in words if not word.startswith("--")][:-1]
    if not sources or "<<" in value or any("$" in word or "://" in word for word in sources):
        return True
    for source in sources:
        parts = [part for part in source.split("/") if part not in ("", ".")]
        if ".." in parts:
            return True
        inside = "/".join([*([root] if root else []), *parts])
        if has_models(context, inside):
            return True
    return False


def has_models(context: Context, place: str) -> bool:
    """Whether a file or folder (a pattern as in COPY) has code that makes or asks a model, or a model's file."""
    return any(_lies_in(found, place) for found in _of_models(context))


def _lies_in(path: str, pattern: str) -> bool:
    """Whether a file is what a COPY names, or lies in a folder that it names."""
    if not pattern or path == pattern or path.startswith(pattern + "/"):
        return True
    if not any(sign in pattern for sign in "*?["):
        return False
    depth = pattern.count("/") + 1
    return fnmatchcase("/".join(path.split("/")[:depth]), pattern)


@kept
def _of_models(context: Context) -> tuple[str, ...]:
    """The files that make or ask a model, or lead to one, hold one, or are in a language that is not read."""
    code = {use.location.path for use in context.uses if not _DOES.isdisjoint(use.does)}
    code |= _asking(context)
    others = {
        file.path
        for file in context.repository.files
        if file.role is Role.MODEL or (file.role not in ASIDE and file.name.lower().endswith(_COMPILED))
    }
    return tuple(sorted(code | others))


def _asking(context: Context) -> set[str]:
    """The files of main code that reach one which makes or asks a model: an interface to a package beside it."""
    models = {use.location.path for use in context.doing(*_ASKED)}
    found = {path for path, _ in context.index.hops_to_files(models, _NEAR)} if models else set()
    return {path for path in found if context.role(path) not in ASIDE}


# -- what a job pushes -----------------------------------------------------------------------------------------------


def pushes_no_model(context: Context, run: Run) -> bool:
    """Whether none of the images that the job of a run builds may hold something of a model.

    No where one of them, or the folder that it is built from, cannot be told.
    """
    return _holds_no_model(context, run.start.workflow, run.start.job)


def rolls_out_no_model(context: Context, run: Run) -> bool:
    """Whether a run rolls out, by its name, an image that its own job builds and that holds nothing of a model.

    Also whether it applies manifests that run no service.
    """
    if applies_no_service(context, run):
        return True
    images = {_image_of(word, before) for before, word in pairwise(("", *run.words))} - {""}
    if not images or not pushes_no_model(context, run):
        return False
    jobs = context.automation.runs_of_job(run.start.workflow, run.start.job)[:_MAX_RUNS]
    return any(not images.isdisjoint(other.words) for other in jobs if other.words[:1] == ("docker",))


def _image_of(word: str, before: str) -> str:
    """The image that an option of a command, or an input of an action, names; else empty."""
    if before == "--image":
        return word
    return next((word[len(name) :] for name in ("image=", "--image=") if word.startswith(name)), "")


@kept
def _holds_no_model(context: Context, workflow: str, job: str) -> bool:
    """Whether a job builds images, none of which may hold something of a model."""
    found = _built_in(context, workflow, job)
    return bool(found) and not any(may_hold_model(context, path, root) for path, root in found)


def _built_in(context: Context, workflow: str, name: str) -> set[tuple[str, str]]:
    """The Dockerfiles that a job builds, each with the folder of its files; empty where one is not known."""
    steps = [step for job in context.automation.declared(workflow, name) for step in job.steps]
    if not steps or any(step.folder.strip("./") or MOVES.search(step.script) for step in steps):
        return set()
    found: set[tuple[str, str]] = set()
    for run in context.automation.runs_of_job(workflow, name)[:_MAX_RUNS]:
        if not any("build-image" in use.does or "publish-image" in use.does for use in run.uses):
            continue
        if run.location.path != workflow:
            return set()  # a script may have gone elsewhere
        if "build" in run.words[:4]:
            place = built(run.words, "", context.resolver.paths) if "$" not in run.words[-1] else None
            if place is None:
                return set()
            found.add(place)
        elif run.words[:2] == ("uses", "docker/build-push-action"):
            if any("$" in word and word.startswith(("context=", "file=")) for word in run.words):
                return set()
        elif run.words[:2] != ("docker", "push"):
            return set()
    return found
