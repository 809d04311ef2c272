"""Flows of Prefect that a command deploys with a clock: `prefect deploy flow.py:main --cron "0 3 * * *"`.

Facts: https://docs.prefect.io/v3/api-ref/cli/deploy and, for Prefect 2,
https://docs-2.prefect.io/latest/guides/prefect-deploy/ (`prefect deployment build`)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from mlops_scan.automation.model import Run, Start
from mlops_scan.code.index import CodeIndex
from mlops_scan.words import Evidence, Hop

_COMMANDS = (("prefect", "deploy"), ("prefect", "--no-prompt", "deploy"), ("prefect", "deployment", "build"))
_PROGRAM = ("prefect",)
_CLOCKS = frozenset({"--cron", "--interval", "--rrule"})


def flow_clocks(runs: Iterable[Run], index: CodeIndex) -> Iterator[Run]:
    """What the clocks start with which commands deploy flows; the commands are those that something runs."""
    for run in runs:
        if run.words[:1] != _PROGRAM or run.start.blocked:
            continue
        if not any(run.words[: len(words)] == words for words in _COMMANDS):
            continue
        given = [(flag, value) for flag, value in pairwise(run.words) if flag in _CLOCKS]
        given += [
            (flag, value) for flag, _, value in (w.partition("=") for w in run.words) if flag in _CLOCKS and value
        ]
        file, _, name = next((word for word in run.words if ".py:" in word), "").partition(":")
        path = index.script(file) if file else None
        if path is None or not given or name not in index.modules[path].functions:
            continue
        label = f"{given[0][0]} {given[0][1]}"
        evidence = Evidence(run.location, Hop.TRIGGER, label)
        yield Run(Start("schedule", label, evidence), (), run.location, (evidence,), entries=((path, ""), (path, name)))
