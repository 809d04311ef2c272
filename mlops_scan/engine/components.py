"""Components: folders with an ML workload and dependencies of their own; a monorepo has several, each with a level."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from msgspec import Struct, field

from mlops_scan.code.facts import MAIN
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.pipelines import ml_step
from mlops_scan.engine.ciplaces import Lines, lines
from mlops_scan.engine.copies import copied_folders, originals
from mlops_scan.engine.kind import Kind
from mlops_scan.engine.lessons import beside, is_manifest, lessons, project_folders
from mlops_scan.engine.workspaces import members
from mlops_scan.regex import regex
from mlops_scan.words import Role, Signal

ROOT = "."
_MANIFEST = regex(
    r"(pyproject\.toml|setup\.(py|cfg)|requirements[\w.-]*\.(txt|in)|environment[\w.-]*\.ya?ml|conda[\w-]*\.ya?ml|"
    r"dvc\.yaml|mlproject|recipe\.ya?ml|pipfile|pixi\.toml)",
    re.I,
    (
        "pyproject.toml",
        "setup.",
        "requirements",
        "environment",
        "conda",
        "dvc.",
        "mlproject",
        "recipe.",
        "pipfile",
        "pixi.",
    ),
)
# Folders that are a part of the project in which they lie, even with a dependency file of their own.
_PARTS = frozenset(
    {
        "api", "app", "backend", "binder", "build", "ci", "code", "conda", "conf", "config", "configs", "container",
        "containers", "deploy", "deployment", "docker", "env", "environment", "environments", "envs", "frontend",
        "inference", "infra", "install", "lib", "notebook", "notebooks", "python", "requirements", "reqs", "scripts",
        "serve", "serving", "setup", "source", "src", "train", "training", "web",
    }
)  # fmt: skip
# Folders that the lessons of a course share.
_SHARED = frozenset(
    {"common", "core", "data", "datasets", "helper", "helpers", "libs", "library", "models", "shared", "test", "tests",
     "tools", "util", "utilities", "utils"}
)  # fmt: skip
_MAX_PLACES = 300  # folders with dependency files whose entry points are followed


class Components(Struct, frozen=True):
    """The folders that are judged apart, a single "." for one project, and the copies that count with another one."""

    folders: tuple[str, ...] = (ROOT,)
    copies: Mapping[str, str] = field(default_factory=dict)  # copied folder -> the one that stands
    files: Mapping[str, str] = field(default_factory=dict)  # copied file -> the one that stands

    def standing(self, path: str) -> str:
        """The path, or outside the components the one in them that it is a copy of."""
        if any(path.startswith(folder + "/") for folder in self.folders):
            return path
        for copy, original in self.copies.items():
            if path.startswith(copy + "/"):
                return original + path[len(copy) :]
        return self.files.get(path, path)


def find(context: Context, kind: Kind) -> Components:
    """The components in path order."""
    learns = {use.location.path for use in context.doing(*LEARNS)}
    declares = {
        p.path
        for p in context.automation.pipelines
        if context.role(p.path) is Role.SOURCE and ml_step(context, p) is not None
    }
    if kind.name == "course":
        named = lessons(context) or project_folders(context)
        found = {folder for folder in named if any(path.startswith(folder + "/") for path in learns | declares)}
        if len(found) < 2:
            return Components()  # the lessons are not what its work is divided into
        found |= beside(context, named, learns | declares, _PARTS | _SHARED)
        return Components(tuple(sorted(found)))
    if kind.name == "template" and any(file.role is Role.TEMPLATE for file in context.repository.files):
        return Components()
    places = _places(context)
    if len(places) < 2 or len(places) > _MAX_PLACES:
        return Components()
    active = _active(context, places, learns) | {_place(path, places) for path in declares}
    parts = _parts("", [place for place in places if place in active or _holds(place, active)], active)
    if len(parts) < 2:
        return Components()
    copies = copied_folders(context, parts)
    standing = tuple(sorted(part for part in parts if part not in copies))
    return Components(standing if len(standing) >= 2 else (ROOT,), copies, originals(context))


def _places(context: Context) -> frozenset[str]:
    """Folders below the root that have dependencies of their own or that a workspace declares."""
    declared = members(context)
    found = set(declared)
    for file in context.repository.files:
        if file.folder and file.role is Role.SOURCE and (is_manifest(file.name) or _MANIFEST.fullmatch(file.name)):
            folder = file.folder
            while folder and folder not in declared and folder.rpartition("/")[2].lower() in _PARTS:
                folder = folder.rpartition("/")[0]
            found.add(folder)
    return frozenset(found - {""})


def _place(path: str, places: frozenset[str]) -> str:
    """The innermost place that holds a file; empty for none."""
    folder = path.rpartition("/")[0]
    while folder and folder not in places:
        folder = folder.rpartition("/")[0]
    return folder


def _holds(place: str, others: Iterable[str]) -> bool:
    return any(other.startswith(place + "/") for other in others)


def _active(context: Context, places: frozenset[str], learns: set[str]) -> set[str]:
    """The places that start something that fits a model, wherever that code lies; empty stands for the rest.

    Code that fits a model and that only another place starts is a library. Where nothing is known to start it, it
    belongs to its own place. A place that fits nothing of its own and is the only other one to start what the rest do
    orchestrates them and is shared. Outside all places notebooks and copies are nobody's.
    """
    copies = originals(context)
    loose = {p for p in (*context.index.modules, *copies) if not _place(p, places)}
    skipped = {p for p in loose if p in copies or context.role(p) is Role.NOTEBOOK}
    homes: dict[str, set[str]] = {}  # of what each place starts
    reached: set[str] = set()
    for place, entries in _entries(context, places, skipped).items():
        found = {
            use.location.path
            for node in context.index.reach(entries)
            for use in context.by_node.get(node, ())
            if use.location.path in learns and LEARNS.intersection(use.does)
        }
        if found:
            homes[place] = {_place(path, places) for path in found}
            reached |= found
    active = homes.keys() | {_place(path, places) for path in learns - reached - skipped}
    return active - {place for place in homes if place and _orchestrates(place, homes)}


def _orchestrates(place: str, homes: Mapping[str, set[str]]) -> bool:
    """Whether all that a place starts lies in others that start it too, and in none that a third one starts."""
    own = homes[place]
    starters = {home: {other for other, known in homes.items() if home in known} for home in own}
    return place not in own and all(found == {place, home} for home, found in starters.items())


def _entries(context: Context, places: frozenset[str], skipped: set[str]) -> dict[str, list[Node]]:
    """What can be started in each place: scripts, notebooks, console scripts, and what automation runs."""
    found: dict[str, list[Node]] = defaultdict(list)
    modules = dict(context.modules())
    for path, module in modules.items():
        if path not in skipped and (module.main_line or module.notebook or _fits_at_top(context, path)):
            found[_place(path, places)] += [(path, ""), (path, MAIN)]
    others = [
        node
        for target in context.resolver.tasks.console_scripts().values()
        for node in context.resolver.object_nodes(target)
    ]
    others += [node for run in context.leading() if not run.tests for node in run.entries]
    for node in others:
        if node[0] in modules and node[0] not in skipped:
            found[_place(node[0], places)].append(node)
    return found


def _fits_at_top(context: Context, path: str) -> bool:
    return any(LEARNS.intersection(use.does) for use in context.by_node.get((path, ""), ()))


def _parts(folder: str, places: Iterable[str], active: set[str]) -> list[str]:
    """The components in a folder: what lies in it when it only holds several, else the folder itself."""
    within = [place for place in places if place != folder and (not folder or place.startswith(folder + "/"))]
    tops = [place for place in within if not any(place.startswith(other + "/") for other in within)]
    parts = [part for top in tops for part in _parts(top, within, active)]
    return parts if len(parts) >= 2 and folder not in active else [folder or ROOT]


def belongs(signal: Signal, component: str, components: Components, course: bool = False) -> bool:
    """Whether a signal speaks of a component: its evidence lies there, or in a place that all components share.

    In a monorepo everything outside the components is shared. The lessons of a course share only the files at the root
    and the forge's own folders; what lies elsewhere is another lesson's.
    """
    return next(sharing([signal], components)).belongs(component, course)


class Share(Struct, frozen=True):
    """What tells to which components a signal belongs: those that hold its evidence, and whether all may share it."""

    holders: frozenset[str]
    common: bool  # the evidence lies at the root or in the forge's own folders

    def belongs(self, component: str, course: bool) -> bool:
        """See `belongs`."""
        return component == ROOT or component in self.holders or (self.common if course else not self.holders)


def ci_lines(context: Context, components: Components) -> Lines:
    """The lines of CI that are about some of the components only."""

    @cache  # many commands run in few folders
    def holder(path: str) -> str:
        standing = components.standing(path)
        return next((folder for folder in reversed(components.folders) if standing.startswith(folder + "/")), "")

    return lines(context, holder) if len(components.folders) > 1 else {}


def sharing(signals: Iterable[Signal], components: Components, ci: Lines | None = None) -> Iterator[Share]:
    """For each signal where it belongs; asked once for all components.

    `ci` are the lines of CI that are about some components only: a command in such a line whose signal shows nothing
    that lies in a component belongs to those.
    """
    known: dict[str, Share] = {}
    for signal in signals:
        shares = []
        for evidence in signal.evidence:
            path = evidence.location.path
            if path not in known:
                standing = components.standing(path)
                holders = frozenset(f for f in components.folders if standing.startswith(f + "/"))
                known[path] = Share(holders, "/" not in standing or standing.startswith("."))
            shares.append(known[path])
        shown: frozenset[str] = frozenset().union(*(share.holders for share in shares))
        first = signal.evidence[0].location if signal.evidence else None
        about = ci.get((first.path, first.line)) if ci and first is not None and not shown else None
        yield Share(about or shown, not about and all(share.common for share in shares))


def size(context: Context, component: str) -> int:
    """Statements of first-party Python in a component, each file once: the measure of which one is the main one."""
    prefix = "" if component == ROOT else component + "/"
    left_out = context.repository.uncounted
    copies = originals(context)
    return sum(
        module.statements
        for path, module in context.index.modules.items()
        if path.startswith(prefix)
        and path not in left_out
        and not (path in copies and copies[path].startswith(prefix))  # of two in other components each counts
    )
