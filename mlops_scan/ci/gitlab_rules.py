"""When GitLab starts a job: `rules`, `only`, `except`, `when`, and `workflow: rules`.

Facts: https://docs.gitlab.com/ci/jobs/job_rules/ and https://docs.gitlab.com/ci/yaml/deprecated_keywords/
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci.model import Trigger
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_REFS = {
    "branches": "push", "pushes": "push", "tags": "tag", "schedules": "schedule", "merge_requests": "pull_request",
    "web": "manual", "chat": "manual", "triggers": "external", "api": "external", "pipelines": "external",
    "external": "external", "external_pull_requests": "pull_request",
}  # fmt: skip
_SOURCES = {
    "schedule": "schedule", "merge_request_event": "pull_request", "external_pull_request_event": "pull_request",
    "web": "manual", "trigger": "external", "pipeline": "external", "api": "external", "push": "push",
    "parent_pipeline": "chained",
}  # fmt: skip
_SOURCE = regex(r"\$CI_PIPELINE_SOURCE\s*(==|!=|=~|!~)\s*[\"'/]\^?(\w+)")
_TAG = regex(r"\$CI_COMMIT_TAG\b(?!\s*(==|!~)\s*(null|\"\"))")


class Started(Struct, frozen=True):
    """What starts a job, whether a person must do it, and why it can never start."""

    triggers: tuple[Trigger, ...]
    manual: bool = False
    never: str = ""


def started(keys: Mapping[str, Node], node: Node, created: tuple[Trigger, ...] | None) -> Started:
    """What starts a job with these keys; `created` are the triggers that `workflow: rules` allow, None for all."""
    when = keys.get("when")
    if when is not None and when.text == "never":
        return Started((), never="`when: never`")
    rules = keys.get("rules")
    if rules is not None:
        found = _rules(rules, when)
    else:
        found = _refs(keys, node)
        if when is not None and when.text == "manual":
            found = Started((Trigger("manual", when.at, "when: manual"),), True, found.never)
    return found if created is None or found.never else _created(found, created, "only" in keys or rules is not None)


def created(entries: Mapping[str, tuple[str, Node]]) -> tuple[Trigger, ...] | None:
    """The triggers for which `workflow: rules` creates a pipeline at all; None without such rules."""
    workflow = entries["workflow"][1] if "workflow" in entries else None
    rules = workflow.get("rules") if workflow is not None else None
    if rules is None or rules.kind != "sequence":
        return None
    return _rules(rules, None).triggers


def may_fail(keys: Mapping[str, Node]) -> str:
    """Why a failure of the job stops nothing, or empty."""
    rules = keys.get("rules")
    active = [rule for rule in rules.items if _word(rule, "when") != "never"] if rules is not None else []
    if active and all((flag := rule.get("allow_failure")) is not None and flag.value is True for rule in active):
        return "every rule of the job has `allow_failure: true`"
    allowed = keys.get("allow_failure")
    if allowed is None:
        return ""
    if allowed.value is True:
        return "the job has `allow_failure: true`"
    codes = allowed.get("exit_codes")
    return "the job has `allow_failure` for exit code 1" if codes is not None and "1" in codes.strings() else ""


def _rules(rules: Node, when: Node | None) -> Started:
    found: list[Trigger] = []
    manual: list[bool] = []
    for rule in rules.items[:200]:
        how = _word(rule, "when") or (when.text if when is not None else "")
        condition = rule.get("if")
        text = (condition.string() or condition.text) if condition is not None else ""
        if how != "never":
            manual.append(how == "manual")
            kind, detail = "manual" if how == "manual" else _kind(text), text or f"when: {how or 'on_success'}"
            found.append(Trigger(kind, rule.line, detail, paths=_changes(rule)))
        if condition is None and rule.get("changes") is None and rule.get("exists") is None and rule.kind == "mapping":
            break  # always true: later rules are never read
    if not found:
        return Started((), never="every rule says `when: never`" if rules.items else "`rules: []` starts nothing")
    return Started(tuple(found), all(manual))


def _refs(keys: Mapping[str, Node], node: Node) -> Started:
    only, unless = keys.get("only"), keys.get("except")
    words = _words(only)
    line = only.at if only is not None else node.at
    paths = _changes(only)
    triggers = [Trigger(_REFS.get(word, "push"), line, word, paths=paths) for word in words or ("every push",)]
    excluded = {_REFS[word] for word in _words(unless) if word in _REFS}
    names = set(_words(unless)) - set(_REFS)
    left = tuple(t for t in triggers if t.kind not in excluded and t.detail not in names)
    if not left and not words and "tag" not in excluded:
        left = (Trigger("tag", line, "every tag"),)
    return Started(left, never="" if left else "`except` rules out everything that would start it")


def _created(found: Started, created: tuple[Trigger, ...], limited: bool) -> Started:
    """A job's triggers as far as `workflow: rules` creates pipelines for them."""
    if not created:
        return Started((), never="`workflow: rules` never creates a pipeline")
    kept: list[Trigger] = []
    kinds = {trigger.kind for trigger in created}
    for trigger in found.triggers:
        if trigger.kind in kinds or trigger.kind == "manual":
            kept.append(trigger)
        elif trigger.kind == "push" and "$CI_PIPELINE_SOURCE" not in trigger.detail:
            # a condition on the branch holds in pipelines of any source
            kept.extend(
                replace(other, line=trigger.line, paths=trigger.paths)
                for other in created
                if not (limited and other.kind == "tag")
            )
    if not kept:
        return Started((), found.manual, "`workflow: rules` creates no pipeline for what would start it")
    return Started(tuple(dict.fromkeys(kept)), found.manual)


def _words(node: Node | None) -> tuple[str, ...]:
    refs = node.get("refs") if node is not None and node.kind == "mapping" else node
    return refs.strings() if refs is not None else ()


def _changes(node: Node | None) -> tuple[str, ...]:
    """The patterns of `changes`, of which a rule or a filter asks that one file has changed."""
    changes = node.get("changes") if node is not None and node.kind == "mapping" else None
    listed = changes.get("paths") if changes is not None and changes.kind == "mapping" else changes
    return listed.strings() if listed is not None else ()


def _word(node: Node, key: str) -> str:
    value = node.get(key)
    return value.text if value is not None else ""


def _kind(condition: str) -> str:
    """The kind of pipeline in which an `if` of a rule holds."""
    for operator, source in _SOURCE.findall(condition):
        if operator.startswith(("==", "=~")) and source in _SOURCES:
            return _SOURCES[source]
    if "$CI_MERGE_REQUEST_" in condition:
        return "pull_request"
    if _TAG.search(condition):
        return "tag"
    if not _SOURCE.search(condition) and re.search(r"\$\w*SCHEDULE", condition):
        return "schedule"
    return "push"
