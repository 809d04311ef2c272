"""Stages of a release that no job names as its environment: what the commands that deploy, or their jobs, are called.

`databricks bundle deploy -t staging`, `kubectl apply -n production`, `gcloud run deploy scorer-dev`, a job `to-prod`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from mlops_scan.automation.model import Run
from mlops_scan.regex import regex

_STAGE = regex(
    r"(?<![a-z0-9])(?:(?P<before>dev|develop|development|staging|stage|stg|qa|uat|preprod|acceptance)|"
    r"(?P<last>prod|prd|production))(?![a-z0-9])",
    re.I,
)
_BEFORE, _LAST = "before", "last"
# the results of a condition: `github.ref == 'refs/heads/main' && 'production' || 'staging'`
_RESULT = regex(r"(?:&&|\|\|)\s*'([^'\n]{1,60})'")


class Stages(Struct, frozen=True):
    """A run that deploys to a stage before production, and one that deploys to production."""

    before: Run
    last: Run


def environments(written: str) -> tuple[str, ...]:
    """The environments that a job can have: the one it names, or the results of the condition that names it."""
    results = tuple(dict.fromkeys(_RESULT.findall(written))) if written.startswith("${{") else ()
    return results if len(results) > 1 else (written,)


def staged(runs: Iterable[Run]) -> Stages | None:
    """The first two of some runs that deploy, of which one is for production and the other for a stage before it."""
    found: dict[str, Run] = {}
    for run in runs:
        if stage := stage_of(run):
            found.setdefault(stage, run)
    return Stages(found[_BEFORE], found[_LAST]) if len(found) == 2 else None


def stage_of(run: Run) -> str:
    """Which stage the words of a command that deploys mean, or else its job's name; empty where that is not clear."""
    said = {_stages(_value(word)) for word in run.words[1:]} - {""}
    if len(said) == 1:
        return said.pop()
    return "" if said else _stages(run.start.job)


def _value(word: str) -> str:
    """The part of a word that a user wrote: of an option its value, for `--stage` alone is the name of one."""
    if word.startswith("-"):
        return word.partition("=")[2]
    return "" if word.startswith("/dev/") else word


def _stages(text: str) -> str:
    """The stage that a text names; empty for none, and for one that names both."""
    named = {match.lastgroup or "" for match in _STAGE.finditer(text)}
    return named.pop() if len(named) == 1 else ""
