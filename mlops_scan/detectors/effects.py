"""What a failing check in code has an effect on: who catches its error, and what would have come after it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from mlops_scan.automation.graph import Started
from mlops_scan.automation.model import Run
from mlops_scan.code.facts import Shield
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import Context
from mlops_scan.regex import regex
from mlops_scan.words import Role

CHECKS = "check-model"
"""The activity of calls that raise an error on a bad figure."""
RELEASES = frozenset({"register", "promote", "deploy-model", "deploy-pipeline", "save-model", "publish-image"})
"""What lets a model proceed."""
_OFF = regex(r"(dry[-_ ]?run|disabled?|off|warn(ing)?|report([-_ ]only)?|log([-_ ]only)?|audit|none|skip)", re.I)
_DRY = regex(r"(dry[-_]?run|no[-_]?fail|skip[-_]?\w{1,30}|warn[-_]?only|report[-_]?only)", re.I)
_YES = frozenset({"", "true", "1", "yes", "on"})
_MAX_HOPS = 14


class Check(Struct, frozen=True):
    """A place in code that raises an error, or exits, when something is not good enough."""

    path: str
    scope: str
    line: int
    exits: bool = False


def lost(context: Context, practice: str, check: Check, holds_back: frozenset[str] = RELEASES) -> str:
    """Why no run that would count for a practice minds the failure of a check; empty where one does, or none runs it.

    `holds_back` are the activities that the check is there to keep from happening.
    """
    rule = context.rules.practices[practice]
    reason = ""
    for started in context.started(check.path, check.scope):
        start = started.run.start
        if start.kind not in rule.starts or start.blocked or started.run.toothless:
            continue
        if started.run.tests and Role.TEST.value not in rule.at_home:
            continue
        here = _swallowed(context, started, check) or _last(context, started, check, holds_back)
        if not here:
            return ""
        reason = reason or here
    return reason


def _way(context: Context, started: Started, check: Check) -> Iterator[tuple[Node, int, bool]]:
    """The places that the run has passed at the check, nearest first: scope, line, whether the check exits there."""
    steps = context.automation.reached(started.run)
    node: Node | None = (check.path, check.scope)
    line = check.line
    for _ in range(_MAX_HOPS + 1):
        if node is None:
            return
        yield node, line, check.exits
        step = steps.get(node)
        if step is None:
            return
        node, line = step.source, step.line


def _swallowed(context: Context, started: Started, check: Check) -> str:
    """The `except` that keeps the error of a check from ending the run, or empty."""
    for node, line, exits in _way(context, started, check):
        module = context.index.modules.get(node[0])
        for shield in module.shields if module is not None else ():
            if shield.scope != node[1] or not shield.line <= line <= shield.end_line or (exits and not shield.exits):
                continue
            if not shield.unless:
                return f"the `except` at {_place(context, node[0], shield)} catches its failure and goes on"
            if off := _switched_off(shield, started.run):
                return f"`{off}` makes the `except` at {_place(context, node[0], shield)} go on after a failure"
    return ""


def _place(context: Context, path: str, shield: Shield) -> str:
    return f"{context.local(path).rpartition('/')[2]}:{shield.handler}"


def _switched_off(shield: Shield, run: Run) -> str:
    """The word of a command that keeps a conditional handler from raising: `--dry-run`, `--mode=dry_run`."""
    names = {name.lower().replace("-", "_") for name in shield.unless}
    for place, word in enumerate(run.words):
        key, equals, value = word.lstrip("-").partition("=")
        if not (equals or word.startswith("-")) or key.lower().replace("-", "_") not in names:
            continue
        following = run.words[place + 1] if place + 1 < len(run.words) else ""
        given = value if equals else "" if following.startswith("-") else following
        if _OFF.fullmatch(given) or (_DRY.fullmatch(key) and given.lower() in _YES):
            return word if equals or not given else f"{word} {given}"
    return ""


def _last(context: Context, started: Started, check: Check, holds_back: frozenset[str]) -> str:
    """Why nothing is left that a failing check could keep from happening, or empty.

    The entry points of a project are alternatives, of which a person or a program starts one: no step of a pipeline
    waits behind them. So only what the code itself does after the check counts.
    """
    run = started.run
    if run.start.kind != "pipeline" or not _alternative(context, run):
        return ""
    for node, line, _ in _way(context, started, check):
        if context.reaches(context.index.run_after(node, line), holds_back) is not None:
            return ""
        if any(use.location.line > line and holds_back.intersection(use.does) for use in context.by_node.get(node, ())):
            return ""
    return "it runs as an entry point of its own, and nothing that it could hold back comes after it"


def _alternative(context: Context, run: Run) -> bool:
    place = run.start.evidence.location
    return any(
        pipeline.entry_points and (pipeline.path, pipeline.line) == (place.path, place.line)
        for pipeline in context.automation.pipelines
    )
