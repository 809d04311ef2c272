"""Ways back that are called so: a job or a command `rollback` that puts another version of the model to work."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_scan.automation.model import Run
from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import ASIDE, Context
from mlops_scan.detectors.ciruns import chain
from mlops_scan.detectors.live import dead
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Hop, Signal

_CALLED_SO = regex(r"(?<![a-z])roll[-_ ]?back|(?<![a-z])revert[-_](?:model|deployment|alias|version|to)", re.I)
_PUTS_TO_WORK = frozenset({"deploy-model", "promote"})
_DIVIDES = "deploy/progressive"  # what sets the traffic of an endpoint may give all of it to the version before
_NEAR = 4


def rollbacks(context: Context) -> Iterator[Signal]:
    """Signals for `deploy/rollback`: jobs of CI, and functions that something calls."""
    for run in context.leading():
        if run.start.kind != "ci" or not _is_called_so(run) or run.start.blocked.startswith("nothing"):
            continue
        use = next((use for use in run.uses if _puts_to_work(use)), None)
        use = use or context.does(context.automation.reached(run), _PUTS_TO_WORK)
        if use is not None and context.role(use.location.path) not in ASIDE:
            yield Signal(
                "deploy/rollback", use.tool, Grade.IMPLEMENTED, chain(context, run), Confidence.MEDIUM, fixed=True
            )
    yield from _functions(context)


def _functions(context: Context) -> Iterator[Signal]:
    """Functions that are called so and put a version to work; those that nothing calls are no way back."""
    for path, module in context.modules(notebooks=False):
        for name, function in module.functions.items():
            if function.stub or not _CALLED_SO.search(name.rpartition(".")[2]):
                continue
            use = context.reaches(((path, name),), _PUTS_TO_WORK, _NEAR)
            if use is None or dead(context, path, name) or not _is_called(context, path, name):
                continue
            evidence = (
                context.evidence(path, function.line),
                context.evidence(use.location.path, use.location.line, Hop.EFFECT),
            )
            yield Signal("deploy/rollback", use.tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, scope=name)


def _is_called(context: Context, path: str, name: str) -> bool:
    """Whether other code, or a decorator that makes it a command or a handler, runs a function."""
    sources = context.index.hops_to(((path, name),), 1)
    return any(source != (path, name) and source[1] != "" for source in sources) or bool(
        context.index.modules[path].functions[name].decorators or (path, MAIN) in sources
    )


def _is_called_so(run: Run) -> bool:
    """Whether a job, its workflow or a script that it runs is called a way back."""
    name = run.start.workflow.rpartition("/")[2]
    return any(_CALLED_SO.search(text) for text in (name, run.start.job, *run.words[1:3]))


def _puts_to_work(use: Use) -> bool:
    return not _PUTS_TO_WORK.isdisjoint(use.does) or _DIVIDES in use.serves
