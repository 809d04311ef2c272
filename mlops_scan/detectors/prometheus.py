"""Alert rules of Prometheus and Grafana on a model: who emits the metric, what loads the rule, and who is told.

Facts: a rules file takes effect only when `rule_files` of prometheus.yml names it, or as a PrometheusRule object.
https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
Grafana evaluates the rules of its provisioning files by itself and tells the contact points of its policies.
https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.automation.images import is_compose
from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.documents.bounds import MAX_BYTES
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location, Problem, Signal

if TYPE_CHECKING:
    from mlops_scan.detectors.emitters import Emitter, Emitters

DRIFT, PERFORMANCE, ALERTS = "monitoring/drift", "monitoring/performance-threshold", "monitoring/alerts"

_MODEL_METRIC = regex(
    r"(drift|psi\b|accuracy|f1|auc|rmse|mae\b|prediction_(score|distribution|drift|confidence)"
    r"|model_(drift|performance|accuracy|quality|score)|data_quality)",
    re.I,
)
_NAME = regex(r"[a-zA-Z_:][\w:]{5,}")
_STARTS_TRAINING = regex(
    r"(/dispatches|dagRuns|/jobs/run-now|pipelineJobs|startPipeline|/trigger/pipeline|retrain)", re.I
)
_NEVER = regex(r"<=?\s*(0(\.0*)?|-\d[\d.]*)$")
_KEYS = frozenset({"groups", "serverFiles", "additionalPrometheusRulesMap", "rule_files"})
_KEYS_OF_RULES = ("alert:", 'alert":', "condition:", 'condition":')
_OUTERMOST_GROUPS = ("\ngroups", '"groups"', "'groups'", "{groups", "{ groups")  # as Grafana's rules have them
_MAX_RULES = 1000  # of one group
_MAX_JUDGED = 2000  # of a repository
_EMPTY = Node("sequence", 1, 1)


class _Rule(Struct, frozen=True):
    """One alert rule; `idle` says why nothing evaluates it, or is empty."""

    path: str
    line: int
    name: str
    expr: str
    idle: str
    grafana: bool = False


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of alert rules, and rules that cannot fire or tell nobody."""
    files = _files(context)
    rules = list(islice(_rules(context, files), _MAX_JUDGED + 1))
    if not rules:
        return
    if len(rules) > _MAX_JUDGED:
        context.documents.note(rules.pop().path, f"more than {_MAX_JUDGED} alert rules; the rest not judged")
    from mlops_scan.detectors.emitters import Emitters  # few repositories have a rule

    watched = _watched(rules, _recorded(context, files.recording))
    emitters = Emitters(context, (name for names in watched.values() for name in names))
    for rule in rules:
        yield from _each_once(_judged(context, rule, watched, emitters))
    if any(not rule.idle and _metric(rule) for rule in rules):
        yield from unique(_webhooks(context))


def _each_once(items: Iterable[Signal | Problem]) -> Iterator[Signal | Problem]:
    """The items without repeats, in their order."""
    return iter(dict.fromkeys(items))


# -- rules -----------------------------------------------------------------------------------------------------------


class _Files(Struct, frozen=True):
    """The YAML files whose text has what rules, recording rules or the configuration that loads them need."""

    alerting: tuple[str, ...]
    recording: tuple[str, ...]
    loading: tuple[str, ...]


def _files(context: Context) -> _Files:
    alerting: list[str] = []
    recording: list[str] = []
    loading: list[str] = []
    for file in context.written_in("yaml"):
        if not _may_matter(context, file.path):
            continue
        text = context.documents.text(file.path)  # once for all three; it may have to be read for it
        if _may_alert(text):
            alerting.append(file.path)
        if "record:" in text:
            recording.append(file.path)
        if "rule_files" in text:
            loading.append(file.path)
    return _Files(tuple(alerting), tuple(recording), tuple(loading))


def _may_matter(context: Context, path: str) -> bool:
    """Whether a file may be one of them; the text of a document that is known need not be read for it."""
    documents = context.documents
    return (path not in documents.parsed and path not in documents.left_out) or any(
        not _KEYS.isdisjoint(document.keys()) or document.path("spec", "groups") is not None
        for document in documents.nodes(path)
    )


def _rules(context: Context, files: _Files) -> Iterator[_Rule]:
    loaders = list(_loaders(context, files.loading)) if files.alerting else []
    for path in files.alerting:
        for document in context.documents.nodes(path):
            operator = (document.get("kind") or document).text == "PrometheusRule"
            yield from _grafana(path, document)
            for groups, idle in _groups(context, path, document, operator, loaders):
                for alert, expr in _alerts(groups):
                    yield _Rule(path, alert.at, alert.text, expr.text, idle)


def _may_alert(text: str) -> bool:
    """Whether a text has the words without which it holds no rule; large manifests speak of conditions, too.

    One with some of them that is too large for the parser is given to it all the same, which lists it as not read.
    """
    if not any(key in text for key in _KEYS_OF_RULES):
        return False
    if len(text) > MAX_BYTES:
        return True
    if "groups" not in text or "rules" not in text:
        return False
    if "alert" in text and "expr" in text:
        return True
    grafana = "title" in text and "data" in text and "apiVersion" in text
    return grafana and (text.startswith("groups") or any(groups in text for groups in _OUTERMOST_GROUPS))


def _groups(
    context: Context, path: str, document: Node, operator: bool, loaders: list[tuple[str, str]]
) -> Iterator[tuple[Node, str]]:
    """The groups of rules in a document, each with why nothing loads it."""
    if operator and (groups := document.path("spec", "groups")) is not None:
        yield groups, ""
    elif (groups := document.get("groups")) is not None:
        yield groups, _unloaded(context, path, loaders)
    helm = document.path("serverFiles", "alerting_rules.yml", "groups")  # values of the Prometheus chart
    if helm is not None:
        yield helm, ""
    extra = document.get("additionalPrometheusRulesMap")
    for _, named in extra.entries if extra is not None else ():
        if (groups := named.get("groups")) is not None:
            yield groups, ""


def _alerts(groups: Node) -> Iterator[tuple[Node, Node]]:
    for group in groups.items[:_MAX_RULES]:
        for rule in (group.get("rules") or _EMPTY).items[:_MAX_RULES]:
            alert, expr = rule.get("alert"), rule.get("expr")
            if alert is not None and expr is not None:
                yield alert, expr


def _recorded(context: Context, paths: Iterable[str]) -> dict[str, str]:
    """Recording rules by the name that they make."""
    found: dict[str, str] = {}
    for path in paths:
        for document in context.documents.nodes(path):
            for group in (document.get("groups") or document.path("spec", "groups") or _EMPTY).items:
                for rule in (group.get("rules") or _EMPTY).items[:_MAX_RULES]:
                    name, expr = rule.get("record"), rule.get("expr")
                    if name is not None and expr is not None:
                        found[name.text] = expr.text
    return found


def _grafana(path: str, document: Node) -> Iterator[_Rule]:
    """Rules of Grafana's own alerting."""
    if document.get("apiVersion") is None:
        return
    for group in (document.get("groups") or _EMPTY).items[:_MAX_RULES]:
        for rule in (group.get("rules") or _EMPTY).items[:_MAX_RULES]:
            data, title = rule.get("data"), rule.get("title")
            if data is None or title is None or rule.get("condition") is None:
                continue
            asked = [
                node.text
                for keys, node in data.walk(2000)
                if keys and keys[-1] in ("expr", "rawSql", "query", "expression", "type", "params") and node.text
            ]
            bounds = [node for keys, node in data.walk(2000) if "evaluator" in keys and node.number() is not None]
            paused = rule.get("isPaused")
            idle = "it is paused" if paused is not None and paused.value is True else ""
            expr = " ".join(asked) + (" >" if bounds else "")
            yield _Rule(path, title.at, title.text, expr, idle, True)


# -- what loads them -------------------------------------------------------------------------------------------------


def _loaders(context: Context, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Patterns of rule files that some Prometheus configuration names, with that configuration's path."""
    for path in paths:
        for document in context.documents.nodes(path):
            for listed in (document.get("rule_files"), document.path("serverFiles", "prometheus.yml", "rule_files")):
                for name in listed.strings() if listed is not None else ():
                    yield name, path


def _unloaded(context: Context, path: str, loaders: list[tuple[str, str]]) -> str:
    """Why no Prometheus evaluates a rules file, or empty."""
    name = path.rpartition("/")[2]
    if not any(fnmatchcase(name, pattern.rpartition("/")[2]) for pattern, _ in loaders):
        return "no Prometheus configuration of this repository loads this rules file"
    for file in context.written_in("yaml"):
        if not is_compose(file.name):
            continue
        for document in context.documents.nodes(file.path):
            services = document.get("services")
            for _, service in services.entries if services is not None else ():
                image, volumes = service.get("image"), service.get("volumes")
                if image is not None and "prom/prometheus" in image.text and volumes is not None and volumes.items:
                    folder = file.path.rpartition("/")[0]
                    if not any(_covers(folder, volume, path) for volume in volumes.items):
                        return f"the Prometheus service of {file.path} does not mount this rules file"
    return ""


def _covers(folder: str, volume: Node, path: str) -> bool:
    """Whether a volume of a compose service holds a file of the repository."""
    written = volume.get("source") if volume.kind == "mapping" else volume
    source = (written.text if written is not None else "").split(":")[0]
    if not source.startswith((".", "/")) and "/" not in source:
        return False  # a named volume
    from mlops_scan.automation.paths import join

    host = join(folder, source) if not source.startswith(("/", "$")) else source
    return host in ("", ".") or path == host or path.startswith(f"{host}/") or "$" in source


# -- judging ---------------------------------------------------------------------------------------------------------


def _metric(rule: _Rule) -> str:
    """The word for a model's metric in a rule that compares it with a number, or empty."""
    found = _MODEL_METRIC.search(f"{rule.expr} {rule.name}")
    compares = re.search(r"[<>]", rule.expr) is not None
    return found.group(1) if found is not None and compares and "latency" not in rule.expr else ""


def _judged(
    context: Context, rule: _Rule, watched: Mapping[str, tuple[str, ...]], emitters: Emitters
) -> Iterator[Signal | Problem]:
    tool = "grafana" if rule.grafana else "prometheus"
    place = context.evidence(rule.path, rule.line)
    metric = _metric(rule)
    if not metric:
        why = rule.idle or "it watches the service, not the model"
        yield Signal(ALERTS, tool, Grade.TRACE, (place,), Confidence.MEDIUM, why, fixed=True)
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
    yield from _told(context, tool, place)


def _watched(rules: Iterable[_Rule], recorded: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
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
    if not emitter.path:
        reason = "no code here was seen to emit the metric it watches"
        return Signal(practice, tool, Grade.IMPLEMENTED, (place,), Confidence.MEDIUM, reason, fixed=True)
    grade = Grade.IMPLEMENTED if emitter.idle else Grade.WIRED
    return Signal(practice, tool, grade, (place, emitter.evidence), Confidence.MEDIUM, emitter.idle, fixed=True)


# -- receivers -------------------------------------------------------------------------------------------------------


def _told(context: Context, tool: str, place: Evidence) -> Iterator[Signal | Problem]:
    receiver = _receiver(context, tool)
    if receiver is not None:
        evidence = (place, context.evidence(receiver.path, receiver.line, Hop.EFFECT))
        yield Signal(ALERTS, tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, fixed=True)
        return
    reason = "nothing here says who receives it"
    yield Signal(ALERTS, tool, Grade.TRACE, (place,), Confidence.MEDIUM, reason, fixed=True)
    message = "This alert on the model has no receiver: no Alertmanager or contact point here tells anybody."
    yield Problem("MLS505", message, place.location)


def _receiver(context: Context, tool: str) -> Location | None:
    """Where somebody is named who gets the alerts."""
    for use in context.uses:
        if "alert-receiver" in use.does and context.role(use.location.path) not in ASIDE:
            contact = use.name.startswith("contactPoints")
            if contact == (tool == "grafana"):
                return use.location
    return None


def _webhooks(context: Context) -> Iterator[Signal]:
    """Receivers that are no people: an Alertmanager webhook that starts the training."""
    for use in context.uses:
        if "alert-receiver" not in use.does or context.role(use.location.path) in ASIDE:
            continue
        for document in context.documents.nodes(use.location.path):
            for keys, node in document.walk(5000):
                if keys and keys[-1] == "url" and "webhook_configs" in keys and _STARTS_TRAINING.search(node.text):
                    evidence = (context.evidence(use.location.path, node.at, Hop.TRIGGER),)
                    yield Signal(
                        "retraining/triggered", "alertmanager", Grade.WIRED, evidence, Confidence.MEDIUM, fixed=True
                    )
