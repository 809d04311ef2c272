"""Which components a line of CI is about: by the folder in which it works, else by the files whose change starts it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from mlops_scan.ci.model import ON_CHANGE, Trigger
from mlops_scan.detectors.base import Context
from mlops_scan.regex import regex

Holder = Callable[[str], str]
"""The component that holds a path, or empty."""
Lines = Mapping[tuple[str, int], frozenset[str]]
"""Components by the file and line of a command or a job; a line that is about all of them is not there."""

_WILD = regex(r"[*?\[{+!]", words=tuple("*?[{+!"))
_OWN = (".github/", ".gitlab/", ".azure/", ".azuredevops/", ".azure-pipelines/", ".pipelines/", ".woodpecker/")


def lines(context: Context, holder: Holder) -> Lines:
    """The lines of CI that are about some of the components only.

    Several jobs may run one script: its line is about what any of them is about, and about all where one of them is.
    A job's own line is about what its commands are about, where each of them is about a component.
    """
    found: dict[tuple[str, int], dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    commands: dict[tuple[str, str], list[frozenset[str]]] = defaultdict(list)
    filters = _filters(context, holder)
    for run in context.automation.runs:
        if run.start.kind != "ci":
            continue
        key = (run.start.workflow, run.start.job)
        own = holder(f"{run.folder}/") if run.folder else ""
        about = frozenset((own,)) if own else filters.get(key, frozenset())
        found[(run.location.path, run.location.line)][key] |= about
        if run.words[:1] != ("uses",):
            commands[key].append(about)
    for workflow in context.automation.workflows:
        for job in workflow.jobs:
            several = commands.get((workflow.path, job.id), ())
            if several and all(several):
                found[(workflow.path, job.line)][(workflow.path, job.id)].update(*several)
    return {place: frozenset().union(*by_job.values()) for place, by_job in found.items() if all(by_job.values())}


def _filters(context: Context, holder: Holder) -> Mapping[tuple[str, str], frozenset[str]]:
    """The components in which the files lie whose change starts a job; jobs that other changes start are left out."""
    found = {}
    for workflow in context.automation.workflows:
        for job in workflow.jobs:
            about = _filtered(workflow.triggers_of(job), holder)
            if about:
                found[(workflow.path, job.id)] = about
    return found


def _filtered(triggers: Iterable[Trigger], holder: Holder) -> frozenset[str]:
    changes = [trigger for trigger in triggers if trigger.kind in ON_CHANGE]
    if not all(trigger.paths for trigger in changes):
        return frozenset()
    names = {name for trigger in changes for pattern in trigger.paths if (name := _place(pattern)) is not None}
    holders = {holder(name) for name in names}
    return frozenset() if "" in holders else frozenset(holders)


def _place(pattern: str) -> str | None:
    """What a pattern of files names before its first wildcard; None for exclusions and for definitions of CI itself."""
    path = pattern.strip().removeprefix("./").removeprefix("/")
    if path.startswith(("!", *_OWN)) or (path.endswith((".yml", ".yaml")) and "/" not in path):
        return None
    wild = _WILD.search(path)
    if wild is None:
        return f"{path}/"  # a folder, or a file of one
    return path[: wild.start()].rpartition("/")[0] + "/"
