"""Environments: exact dependency versions, containers for the model's code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.automation.images import is_compose, services
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import Context, folded
from mlops_scan.detectors.buildfolders import missing_from_build
from mlops_scan.detectors.containers import (
    inline,
    installed,
    installs,
    is_load_test,
    is_plain,
    makes_load,
    missing_list,
)
from mlops_scan.detectors.dependencies import Declared, declared_in
from mlops_scan.detectors.packages import own_packages
from mlops_scan.documents.requirements import normalised
from mlops_scan.documents.store import language_of
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Grade, Problem, Role, Signal

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile

LOCKS = frozenset(
    {
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "pipfile.lock",
        "conda-lock.yml",
        "pixi.lock",
        "renv.lock",
        "manifest.toml",
        "pylock.toml",
        "requirements.lock",
        "conda-linux-64.lock",
    }
)
_SIDE = frozenset(
    {"doc", "docs", "documentation", "dev", "devel", "develop", "development", "test", "tests", "testing", "lint",
     "linter", "linting", "ci", "cicd", "build", "typing", "style"}
)  # fmt: skip
"""Words in the names of lists of what only those need who work on the code."""

_WORDS = regex(r"[a-z0-9]+")
_ML_IMAGES = (
    "pytorch", "tensorflow", "nvidia", "azureml", "sagemaker", "vertex-ai", "huggingface", "jupyter", "mlflow", "spark",
)  # fmt: skip
_SERVERS = regex(
    r"(mlflow|psycopg|pymysql|mysqlclient|boto3|awscli|cryptography|google-cloud-storage|azure-storage-blob|minio|gunicorn|"
    r"waitress|prometheus|prefect|apache-airflow|dagster|jupyter|optuna-dashboard|tensorboard|s3fs|gcsfs)(?![a-z])",
    re.I,
)
"""Packages of tracking servers, orchestrators and their stores: an image of nothing else trains and serves no model."""

_REQUIRED = regex(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,.-]*\])?(?P<bound>[=<>!~].*)?")


class _PinList(Struct, frozen=True):
    """A list of dependencies: the component it belongs to, what it holds, and what of that has no exact version."""

    path: str
    component: str
    items: list[Declared]
    open: list[Declared]


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `env/pinned` and `env/containerized`."""
    yield from _pinned(context)
    yield from _containers(context)


# -- pins ------------------------------------------------------------------------------------------------------------


def _pinned(context: Context) -> Iterator[Signal | Problem]:
    frameworks = _frameworks(context)
    locked: set[str] = set()  # the components that have exact versions, an empty name for what all share
    for file in context.named_alike(LOCKS, aside=True):
        if file.role in (Role.SOURCE, Role.TEMPLATE) and file.size:
            text = context.documents.text(file.path).lower()
            prefix = "r-" if file.name == "renv.lock" else ""  # there R's packages have no `r-` before their names
            missing = not any(_is_locked(name.removeprefix(prefix), text) for names in frameworks for name in names)
            evidence = (context.evidence(file.path, 1),)
            context.documents.release((file.path,))
            if frameworks and missing:
                first = sorted(names[0] for names in frameworks)[:3]
                reason = f"the lock file does not hold {', '.join(first)}, which the code imports"
                yield Signal("env/pinned", file.name, Grade.TRACE, evidence, reason=reason, fixed=True)
            else:
                locked.add(context.component(file.path))
                yield Signal("env/pinned", file.name, Grade.IMPLEMENTED, evidence)
    loose: dict[str, list[Declared]] = {}
    lists = list(_pin_lists(context))
    settling = _settling(lists, frameworks)
    for listed in lists:
        open_items = listed.open
        top = next((item for item in listed.items if item.pinned), listed.items[0])
        if not open_items:
            if listed.path in settling:
                evidence = (context.evidence(listed.path, top.line),)
                yield Signal("env/pinned", top.manifest, Grade.IMPLEMENTED, evidence)
                locked.add(listed.component)
        else:
            loose.setdefault(listed.component, open_items)
            share = f"{len(listed.items) - len(open_items)} of {len(listed.items)} dependencies are pinned"
            evidence = (context.evidence(listed.path, open_items[0].line),)
            yield Signal("env/pinned", top.manifest, Grade.TRACE, evidence, reason=share, fixed=True)
    open_ = {
        name: items for name, items in loose.items() if "" not in locked and name not in locked and (name or not locked)
    }
    yield from folded(context, [_unpinned(context, items) for items in open_.values()])


def _pin_lists(context: Context) -> Iterator[_PinList]:
    """The lists of what the project itself runs with, in path order."""
    deciding = _deciding(context)
    for path, every in declared_in(context).items():
        if context.role(path) not in (Role.SOURCE, Role.TEMPLATE, Role.DATA) or is_load_test(path):
            continue
        items = [item for item in every if not item.optional]
        open_items = [item for item in items if not item.pinned]
        if not items or _is_side(path):
            continue
        if items[0].manifest == "pyproject" and (open_items or not any(item.name in deciding for item in items)):
            continue  # ranges are what a package declares; its lock file has the versions
        if len(open_items) * 10 <= len(items) and not any(item.name in deciding for item in open_items):
            open_items = []  # what decides a result is exact; a stray tool without a version changes nothing
        yield _PinList(path, context.component(path), items, open_items)


def _settling(lists: list[_PinList], frameworks: list[tuple[str, ...]]) -> frozenset[str]:
    """The exact lists that settle what a component runs with.

    Where some lists of a component name frameworks that the code uses, these count alone; and none does beside another
    one in its folder that leaves open a framework which no exact list there holds.
    """
    tool_of = {normalised(name): at for at, names in enumerate(frameworks) for name in names}
    named = {listed.path: _tools(listed.items, tool_of) for listed in lists}
    judged = {listed.component for listed in lists if named[listed.path]}
    open_, exact = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for listed in lists:
        folder = listed.path.rpartition("/")[0]
        (open_ if listed.open else exact)[folder].update(_tools(listed.open or listed.items, tool_of))
    return frozenset(
        path
        for path, folder, component in ((one.path, one.path.rpartition("/")[0], one.component) for one in lists)
        if component not in judged or (named[path] and open_[folder] <= exact[folder])
    )


def _tools(items: list[Declared], tool_of: Mapping[str, int]) -> set[int]:
    return {tool_of[item.name] for item in items if item.name in tool_of}


def _is_side(path: str) -> bool:
    """Whether a list is of what only those need who work on the code, by a whole word of its name."""
    name = path.rpartition("/")[2].lower().rpartition(".")[0].replace("requirements", " ")
    return not _SIDE.isdisjoint(_WORDS.findall(name))


def _unpinned(context: Context, items: Sequence[Declared]) -> Problem:
    """The finding for the dependencies of one list that have no exact version."""
    item, others = items[0], len({other.name for other in items}) - 1
    have = f"and {others} other{'s' if others > 1 else ''} have" if others else "has"
    message = f"`{item.name}` {have} no exact version here, and there is no lock file."
    return Problem("MLS105", message, context.evidence(item.path, item.line).location)


def _is_locked(name: str, text: str) -> bool:
    """Whether a lock file, in lower case, holds a distribution."""
    return name in text and (
        f'"{name}"' in text or f"name: {name}" in text or f"{name}=" in text or f"/{name}-" in text
    )


def _deciding(context: Context) -> frozenset[str]:
    """The dependencies whose version changes what is trained: the tools of the rules."""
    return frozenset(normalised(name) for tool in context.rules.tools.values() for name in tool.distributions)


def _frameworks(context: Context) -> list[tuple[str, ...]]:
    """Distribution names of the ML frameworks that main code really uses, one tuple of alternatives a tool."""
    tools = {
        use.tool
        for use in context.doing("train", "tune", "predict")
        if context.rules.tools[use.tool].family == "frameworks"
    }
    return [
        tuple(name.lower() for name in context.rules.tools[tool].distributions)
        for tool in sorted(tools)
        if context.rules.tools[tool].distributions
    ]


# -- containers ------------------------------------------------------------------------------------------------------


def _containers(context: Context) -> Iterator[Signal]:
    for file in context.written_in("dockerfile"):
        document = context.documents.dockerfile(file.path) if ".devcontainer" not in file.path else None
        if document is not None:
            yield _container(context, file.path, document)

    for path, folder in _named_recipes(context).items():
        if language_of(path) in ("yaml", "json"):
            yield from _declared_image(context, path, folder)
        else:
            document = context.documents.dockerfile(path)
            if document is not None and document.stages:
                yield _container(context, path, document)


def _named_recipes(context: Context) -> Mapping[str, str]:
    """What compose files build images from and no name gives away, each with the folder that is built from."""
    found = {}
    for file in context.written_in("yaml"):
        if is_compose(file.name):
            for service in services(file.path, context.documents, context.resolver.paths):
                if service.dockerfile and language_of(service.dockerfile) != "dockerfile":
                    found[service.dockerfile] = service.folder
    return found


def _declared_image(context: Context, path: str, folder: str) -> Iterator[Signal]:
    """A recipe that Blubber, a front end of BuildKit, makes an image of: YAML with the requirements of its variants."""
    for node in context.documents.nodes(path)[:1]:
        variants = node.get("variants")
        holders = (node, *(variant for _, variant in (variants.entries[:100] if variants is not None else ())))
        lists = [listed for one in holders if (listed := one.path("python", "requirements")) is not None]
        names = [join(folder, name) for listed in lists for name in listed.strings()]
        if variants is not None and names:
            items = [item for name in dict.fromkeys(names) for item in declared_in(context).get(name, ())]
            yield _reproducible(context, path, lists[0].at, items, Confidence.HIGH)


def _container(context: Context, path: str, document: Dockerfile) -> Signal:
    copies = next((i for i in document.instructions if i.name in ("COPY", "ADD") and "--from=" not in i.value), None)
    place = next((i for i in document.instructions if installs(i)), None)
    base = next((i for i in document.instructions if i.name == "FROM"), None)
    on_ml_image = base is not None and has_any(base.value, _ML_IMAGES)
    if makes_load(path, document):
        return _half(context, "the image is that of a load generator", (path, 1))
    if place is None and (copies is None or not on_ml_image):
        return _half(context, "the image installs and copies none of this code", (path, 1))
    place = place or copies
    assert place is not None
    missing = missing_list(context, path, document)
    if missing is not None:
        return _half(context, f"it installs `{missing[0]}`, which is not in the repository", (path, missing[1].line))
    missing = missing_from_build(context, path, document)
    if missing is not None:
        reason = f"its build needs `{missing[0]}`, which is not in the folder that it is built from"
        return _half(context, reason, (path, missing[1].line))
    if copies is None and _is_own_release(context, document):
        reason = "the image holds this repository's own package, in whatever version is released, and none of the code"
        return _half(context, reason, (path, place.line))
    listed = installed(context, path, document)
    named, more = inline(document) if copies is None and not listed else ([], True)
    if named and not more and is_plain(document) and all(_SERVERS.match(name) for name in named):
        return _half(context, "the image is that of a server, and holds none of this code", (path, place.line))
    if named and not more and not any("=" in name.replace(">=", "").replace("<=", "") for name in named):
        return _half(context, "the image copies none of this code, and installs no exact version", (path, place.line))
    confidence = Confidence.MEDIUM if copies is None else Confidence.HIGH
    return _reproducible(context, path, place.line, listed, confidence)


def _is_own_release(context: Context, document: Dockerfile) -> bool:
    """Whether an image installs what the repository itself publishes, by name and without an exact version."""
    own = own_packages(context)
    names = (match for word in inline(document)[0] if (match := _REQUIRED.fullmatch(word)) is not None)
    return any(normalised(match["name"]) in own and not (match["bound"] or "").startswith("=") for match in names)


def _reproducible(context: Context, path: str, line: int, listed: list[Declared], confidence: Confidence) -> Signal:
    """The signal of an image with the code, a trace where most of what it installs has no exact version."""
    loose = [item for item in listed if not item.pinned]
    if len(loose) * 2 > len(listed):
        exact = len(listed) - len(loose)
        reason = f"{exact} of the {len(listed)} dependencies that the image installs have an exact version"
        return _half(context, reason, (path, line), (loose[0].path, loose[0].line))
    evidence = (context.evidence(path, line),)
    return Signal("env/containerized", "docker", Grade.IMPLEMENTED, evidence, confidence)


def _half(context: Context, reason: str, *places: tuple[str, int]) -> Signal:
    evidence = tuple(context.evidence(*place) for place in places)
    return Signal("env/containerized", "docker", Grade.TRACE, evidence, reason=reason, fixed=True)
