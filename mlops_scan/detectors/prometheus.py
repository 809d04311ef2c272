"""Alert rules of Prometheus and Grafana: what they watch, who emits the metric, and who is told.

A rule on the model bounds its drift or its quality; one on the service, the machines or the jobs is an alert only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING

from mlops_scan.detectors.alert_rules import Files, Held, Rule, files, recorded, rules
from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.detectors.panel_alerts import panel_rules
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

if TYPE_CHECKING:
    from mlops_scan.detectors.emitters import Emitter, Emitters

DRIFT, PERFORMANCE, ALERTS = "monitoring/drift", "monitoring/performance-threshold", "monitoring/alerts"

_MODEL_METRIC = regex(
    r"(drift|psi\b|accuracy|f1|auc|rmse|mae\b|prediction_(score|distribution|drift|confidence|entropy)"
    r"|(?<![a-z])confidence(?![a-z])|model_(drift|performance|accuracy|quality|score)|data_quality)",
    re.I,
)
_NAME = regex(r"[a-zA-Z_:][\w:]{5,}")
_STARTS_TRAINING = regex(
    r"(/dispatches|dagRuns|/jobs/run-now|pipelineJobs|startPipeline|/trigger/pipeline|retrain)", re.I
)
_OWN_BODY = regex(r"(/dispatches|dagRuns|/jobs/run-now|pipelineJobs|startPipeline)", re.I)
"""Addresses that refuse what Alertmanager posts, which only says what has fired, unless `payload` is set.

Facts: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config (the body), `event_type` of
https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event, and the fields of a DAG run, others being
refused: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""
_REFUSED = "what Alertmanager posts is not the request that this address takes"
_NEVER = regex(r"<=?\s*(0(\.0*)?|-\d[\d.]*)$")
_MAX_JUDGED = 2000  # rules of a repository
_NOBODY, _UNKNOWN = "its Alertmanager here names nobody", "nothing here says who receives it"


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of alert rules, and rules that cannot fire or tell nobody."""
    found = files(context)
    judged = list(islice(chain(rules(context, found), panel_rules(context)), _MAX_JUDGED + 1))
    if not judged:
        return
    if len(judged) > _MAX_JUDGED:
        context.documents.note(judged.pop().path, f"more than {_MAX_JUDGED} alert rules; the rest not judged")
    from mlops_scan.detectors.emitters import Emitters  # few repositories have a rule

    watched = _watched(judged, recorded(found))
    emitters = Emitters(context, (name for names in watched.values() for name in names))
    told = {tool: _told_by(context, found, tool) for tool in ("prometheus", "grafana")}
    for rule in judged:
        yield from _each_once(_judged(context, rule, watched, emitters, told))
    if any(not rule.idle and _metric(rule) for rule in judged):
        yield from unique(_webhooks(context))


def _each_once(items: Iterable[Signal | Problem]) -> Iterator[Signal | Problem]:
    """The items without repeats, in their order."""
    return iter(dict.fromkeys(items))


# -- judging ---------------------------------------------------------------------------------------------------------


def _metric(rule: Rule) -> str:
    """The word for a model's metric in a rule that compares it with a number, or empty."""
    found = _MODEL_METRIC.search(f"{rule.expr} {rule.name}")
    compares = re.search(r"[<>]", rule.expr) is not None
    return found.group(1) if found is not None and compares and "latency" not in rule.expr else ""


def _judged(
    context: Context,
    rule: Rule,
    watched: Mapping[str, tuple[str, ...]],
    emitters: Emitters,
    told: Mapping[str, Evidence | str],
) -> Iterator[Signal | Problem]:
    tool = "grafana" if rule.grafana else "prometheus"
    place = context.evidence(rule.path, rule.line)
    metric = _metric(rule)
    if not metric:
        if rule.idle:
            yield Signal(ALERTS, tool, Grade.TRACE, (place,), Confidence.MEDIUM, rule.idle, fixed=True)
        else:
            yield _alert(tool, place, told[tool])
        return
    practice = DRIFT if metric.lower() in ("drift", "psi") or "drift" in rule.expr.lower() else PERFORMANCE
    if rule.idle:
        for served in (practice, ALERTS):
            yield Signal(served, tool, Grade.TRACE, (place,), Confidence.MEDIUM, rule.idle, fixed=True)
        finding = "MLS501" if rule.grafana else "MLS508"
        yield Problem(finding, f"This alert on the model is never evaluated: {rule.idle}.", place.location)
        return
    if _NEVER.search(rule.expr.strip()):
        yield Signal(practice, tool, Grade.TRACE, (place,), reason="its bound can never be broken", fixed=True)
        yield Problem("MLS301", "This alert can never fire: no quality is below its bound.", place.location)
        return
    emitter = emitters.of(*watched[rule.expr])
    yield _bounded(practice, tool, place, emitter, by_query=rule.grafana and "select" in rule.expr.lower())
    if emitter.what and not emitter.path and not (rule.grafana and "select" in rule.expr.lower()):
        message = f"Nothing in this repository emits {emitter.what}, which this alert watches."
        yield Problem("MLS507", message, place.location)
    yield _alert(tool, place, told[tool])
    if isinstance(told[tool], str):
        message = "This alert on the model has no receiver: no Alertmanager or contact point here tells anybody."
        yield Problem("MLS505", message, place.location)


def _watched(rules: Iterable[Rule], recorded: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """For the expression of each rule on a model that may fire the names of the metrics that it watches."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if rule.expr in found or rule.idle or not _metric(rule):
            continue
        names = _NAME.findall(rule.expr)
        for name in list(names)[:50]:
            names += _NAME.findall(recorded.get(name, ""))
        base = [re.sub(r"_(bucket|sum|count|total)$", "", name) for name in names]
        found[rule.expr] = tuple(name for name in dict.fromkeys([*names, *base]) if "_" in name or ":" in name)
    return found


def _bounded(practice: str, tool: str, place: Evidence, emitter: Emitter, by_query: bool) -> Signal:
    if by_query:
        reason = "it asks a database; what writes there was not followed"
        return Signal(practice, tool, Grade.IMPLEMENTED, (place,), Confidence.MEDIUM, reason, fixed=True)
    if not emitter.path:  # a check of drift counts by itself, and this rule makes none
        reason = "no code here was seen to emit the metric it watches"
        grade = Grade.TRACE if practice == DRIFT and emitter.what else Grade.IMPLEMENTED
        return Signal(practice, tool, grade, (place,), Confidence.MEDIUM, reason, fixed=True)
    grade = Grade.IMPLEMENTED if emitter.idle else Grade.WIRED
    return Signal(practice, tool, grade, (place, emitter.evidence), Confidence.MEDIUM, emitter.idle, fixed=True)


# -- receivers -------------------------------------------------------------------------------------------------------


def _alert(tool: str, place: Evidence, told: Evidence | str) -> Signal:
    """What an alert that is evaluated is worth: it shows where it is evaluated also when nobody here is told."""
    if not isinstance(told, str):
        return Signal(ALERTS, tool, Grade.IMPLEMENTED, (place, told), Confidence.MEDIUM, fixed=True)
    grade = Grade.TRACE if told == _NOBODY else Grade.IMPLEMENTED
    return Signal(ALERTS, tool, grade, (place,), Confidence.MEDIUM, told, fixed=True)


def _told_by(context: Context, found: Files, tool: str) -> Evidence | str:
    """Where somebody is named who gets the alerts of a tool, or why nobody is known to."""
    for use in context.uses:
        if "alert-receiver" in use.does and context.role(use.location.path) not in ASIDE:
            contact = use.name.startswith("contactPoints")
            if contact == (tool == "grafana"):
                return context.evidence(use.location.path, use.location.line, Hop.EFFECT)
    routed = False
    for held in found.receiving:
        receiver = _receiver(held, tool)
        if receiver is not None:
            return context.evidence(held.path, receiver.at + held.above, Hop.EFFECT)
        routed = routed or (not held.idle and held.document.path("route", "receiver") is not None)
    return _NOBODY if routed and tool == "prometheus" else _UNKNOWN


def _receiver(held: Held, tool: str) -> Node | None:
    """Who is told in an entry of a ConfigMap; what stands in a file of its own is a use."""
    if not held.above or held.idle:
        return None
    key = "contactPoints" if tool == "grafana" else "receivers"
    named = held.document.get(key)
    for item in named.items if named is not None else ():
        if tool == "grafana":
            receivers = item.get("receivers")
            if receivers is not None and any(receiver.get("type") is not None for receiver in receivers.items):
                return item
        elif any(name.endswith("_configs") and config.items for name, config in item.entries):
            return item
    return None


def _webhooks(context: Context) -> Iterator[Signal]:
    """Receivers that are no people: an Alertmanager webhook that starts the training."""
    for use in context.uses:
        if "alert-receiver" not in use.does or context.role(use.location.path) in ASIDE:
            continue
        for document in context.documents.nodes(use.location.path):
            for keys, node in document.walk(5000):
                if keys and keys[-1] == "webhook_configs":
                    yield from (_webhook(context, use.location.path, item) for item in node.items if _trains(item))


def _trains(webhook: Node) -> bool:
    url = webhook.get("url")
    return url is not None and _STARTS_TRAINING.search(url.text) is not None


def _webhook(context: Context, path: str, webhook: Node) -> Signal:
    url = webhook.get("url") or webhook
    evidence = (context.evidence(path, url.at, Hop.TRIGGER),)
    refused = _OWN_BODY.search(url.text) is not None and webhook.get("payload") is None
    grade, reason = (Grade.TRACE, _REFUSED) if refused else (Grade.WIRED, "")
    return Signal("retraining/triggered", "alertmanager", grade, evidence, Confidence.MEDIUM, reason, fixed=True)
