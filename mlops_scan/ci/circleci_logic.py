"""When a CircleCI workflow runs: its `when` and `unless`, evaluated for what can start a pipeline.

Facts: https://circleci.com/docs/reference/configuration-reference/#logic-statements ; a pipeline is started by a
webhook (a push), by a schedule that is set on the server, or by a person or a program through the API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_scan.ci.model import Trigger
from mlops_scan.ci.shapes import condition as condition_text
from mlops_scan.ci.shapes import text
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_EXPRESSION = regex(r"<<\s*([\w.-]+)\s*>>")
_COMPARED = regex(r"(?<![\w.-])([\w.-]+)\s*(==|!=)\s*[\"']?([\w./-]+)[\"']?")
_SOURCE = "pipeline.trigger_source"
_MAX_DEPTH = 12

Values = Mapping[str, str]
"""The values of expressions by name, `pipeline.trigger_source` and the defaults of the pipeline's parameters."""


def triggers(workflow: Node, defaults: Values) -> tuple[tuple[Trigger, ...], str]:
    """What starts a workflow, and why it never starts, or empty."""
    clocks = tuple(_clocks(workflow))
    if clocks:
        return clocks, ""
    condition = workflow.get("when") or workflow.get("unless")
    if condition is None:
        return (Trigger("push", workflow.at, "every push"),), ""
    negated = workflow.get("when") is None
    holds = {
        source: _negated(evaluate(condition, {**defaults, _SOURCE: source}), negated)
        for source in ("webhook", "scheduled_pipeline", "api")
    }
    if holds["webhook"] is not False:
        return (Trigger("push", condition.at, "every push"),), ""
    if holds["scheduled_pipeline"] is not False:
        return (Trigger("schedule", condition.at, "a schedule that is set on the server"),), ""
    if holds["api"] is not False:
        return (Trigger("manual", condition.at, "started through the API or by a person"),), ""
    if not _EXPRESSION.search(_all_text(condition)) and "pipeline." not in _all_text(condition):
        return (), "the workflow's condition never holds"
    return (Trigger("manual", condition.at, "only with pipeline parameters that are not the default"),), ""


def _clocks(workflow: Node) -> list[Trigger]:
    """The schedules of a workflow's `triggers:`; with one, a push does not start it."""
    listed = workflow.get("triggers")
    found = []
    for item in listed.items if listed is not None else ():
        cron = item.path("schedule", "cron")
        if cron is not None and text(cron):
            found.append(Trigger("schedule", cron.at, text(cron)))
    return found


def evaluate(condition: Node, values: Values, depth: int = 0) -> bool | None:
    """A logic statement's value, or None where it depends on something that is not known."""
    if depth > _MAX_DEPTH:
        return None
    if condition.kind == "mapping":
        for key, node in condition.entries[:1]:
            if key == "equal":
                return _equal([_value(item, values) for item in node.items])
            if key == "not":
                return _negated(evaluate(node, values, depth + 1), True)
            if key in ("and", "or"):
                return _joined(key, [evaluate(item, values, depth + 1) for item in node.items[:50]])
        return None
    return _truth(condition, values)


def _truth(node: Node, values: Values) -> bool | None:
    written = condition_text(node).strip()
    compared = _COMPARED.findall(written)
    if compared and "<<" not in written:
        parts = [_compare(name, sign, wanted, values) for name, sign, wanted in compared]
        negated = re.search(r"\bnot\b", written) is not None
        whole = _joined("or" if re.search(r"\bor\b", written) else "and", parts)
        return None if negated and len(parts) > 1 else _negated(whole, negated)
    value = _value(node, values)
    if value is None:
        return None
    return value.lower() not in ("", "false", "0", "null", "no")


def _compare(name: str, sign: str, wanted: str, values: Values) -> bool | None:
    value = values.get(name)
    return None if value is None else (value == wanted) is (sign == "==")


def _value(node: Node, values: Values) -> str | None:
    """The text of a value with its expressions filled in; None where one of them is not known."""
    written = text(node)
    if written.strip().startswith("pipeline.") and " " not in written.strip():
        return values.get(written.strip())
    names = _EXPRESSION.findall(written)
    if any(name not in values for name in names):
        return None
    return _EXPRESSION.sub(lambda match: values[match.group(1)], written)


def _equal(found: list[str | None]) -> bool | None:
    known = {value for value in found if value is not None}
    if len(known) > 1:
        return False
    return None if None in found or not known else True


def _joined(word: str, found: list[bool | None]) -> bool | None:
    decisive = word == "or"
    if decisive in found:
        return decisive
    return None if None in found or not found else not decisive


def _negated(value: bool | None, negate: bool) -> bool | None:
    return value if value is None or not negate else not value


def _all_text(node: Node) -> str:
    return " ".join(text(found) for _, found in node.walk(500))
