"""Components: folders with an ML workload and dependencies of their own; a monorepo has several, each with a level."""

from __future__ import annotations

import re

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.pipelines import ml_step
from mlops_scan.engine.kind import Kind, lesson_folders
from mlops_scan.regex import regex
from mlops_scan.words import Role, Signal

_MANIFEST = regex(
    r"(pyproject\.toml|setup\.(py|cfg)|requirements[\w.-]*\.txt|environment[\w.-]*\.ya?ml|conda[\w-]*\.ya?ml|dvc\.yaml|mlproject|recipe\.ya?ml|pipfile)",
    re.I,
)


def find(context: Context, kind: Kind) -> tuple[str, ...]:
    """Component folders in path order; a single "." where the repository is one project."""
    working = {use.location.path for use in context.doing(*LEARNS)}
    working |= {
        p.path
        for p in context.automation.pipelines
        if context.role(p.path) is Role.SOURCE and ml_step(context, p) is not None
    }
    if kind.name == "course":
        lessons = [
            folder
            for folder in lesson_folders(context.repository.files)
            if any(path.startswith(folder + "/") for path in working)
        ]
        return tuple(lessons) if len(lessons) >= 2 else (".",)
    if kind.name == "template" and any(file.role is Role.TEMPLATE for file in context.repository.files):
        return (".",)
    folders = {
        file.folder
        for file in context.repository.files
        if file.folder and file.role is Role.SOURCE and _MANIFEST.fullmatch(file.name)
    }
    candidates = sorted(folder for folder in folders if any(path.startswith(folder + "/") for path in working))
    outermost = [folder for folder in candidates if not any(folder.startswith(other + "/") for other in candidates)]
    elsewhere = [
        path
        for path in working
        if not any(path.startswith(folder + "/") for folder in outermost) and context.role(path) is not Role.NOTEBOOK
    ]
    return tuple(outermost) if len(outermost) >= 2 and not elsewhere else (".",)


def belongs(signal: Signal, component: str, components: tuple[str, ...], course: bool = False) -> bool:
    """Whether a signal speaks of a component: its evidence lies there, or in a place that all components share.

    In a monorepo everything outside the components is shared. The lessons of a course share only the files at the root
    and the forge's own folders; what lies elsewhere is another lesson's.
    """
    if component == ".":
        return True
    paths = [evidence.location.path for evidence in signal.evidence]
    if any(path.startswith(component + "/") for path in paths):
        return True
    if course:
        return all("/" not in path or path.startswith(".") for path in paths)
    return not any(path.startswith(other + "/") for path in paths for other in components)


def size(context: Context, component: str) -> int:
    """Statements of first-party Python in a component: the measure of which one is the main one."""
    prefix = "" if component == "." else component + "/"
    return sum(module.statements for path, module in context.index.modules.items() if path.startswith(prefix))
