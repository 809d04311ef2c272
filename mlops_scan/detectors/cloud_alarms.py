"""Monitors and alarms that infrastructure as code declares, paired with who emits the metric and who is told.

Facts: SageMaker Model Monitor publishes to the namespaces `aws/sagemaker/Endpoints/data-metrics` and `…/model-metrics`;
the operation of an endpoint is in `AWS/SageMaker`.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-cloudwatch.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlops_scan.automation.infrastructure import Resource
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.infrastructure import declared, idle
from mlops_scan.documents.node import EXPRESSION, Node
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

if TYPE_CHECKING:
    from mlops_scan.detectors.emitters import Emitter, Emitters

DRIFT, PERFORMANCE, ALERTS = "monitoring/drift", "monitoring/performance-threshold", "monitoring/alerts"

ALARM_STATE = "CloudWatch Alarm State Change"
"""The detail type of the event that a CloudWatch alarm sends when it changes."""

_DRIFT_METRIC = regex(r"(drift|(^|[^a-z])psi($|[^a-z])|population_stability|skew|distribution)", re.I)
_QUALITY_METRIC = regex(
    r"((^|[^a-z])(accuracy|f1|auc|pr-?auc|roc-?auc|rmse|mae|mape|wape|precision|recall|logloss|brier)($|[^a-z])"
    r"|model[-_ ]?(quality|performance|accuracy|score)|prediction[-_ ]?(error|quality|accuracy))",
    re.I,
)
_OPERATION = regex(r"(latency|5xx|4xx|invocation|cpu|memory|disk|throttl|duration|heartbeat)", re.I)
_NOBODY = regex(r"(^$|todo|changeme|replace[_-]?me|<your|example\.com$|your[-_.]?(e-?mail|name)|^null$)", re.I)
_ACTS = regex(r"(scal(e|ing)|:automate:)", re.I)  # on machines, and tells nobody
_ACTIONS = ("alarm_actions", "notification_channels", "actions", "action", "action_group_id", "message")
_COSTS = ("AWS/Billing", "AWS/Usage")
_VARIABLE = regex(r"var\.(\w+)")
_QUALITY = regex(r"model_?quality", re.I)
_DATA = regex(r"data_?quality", re.I)
_FILTER = regex(r"metric\.type\s*=\s*\"([\w./-]+)\"")  # in an alert policy of Google Cloud Monitoring
_SERVICE_SPACES = (("data-metrics", DRIFT), ("bias-metrics", DRIFT), ("explainability-metrics", DRIFT),
                   ("model-metrics", PERFORMANCE))  # fmt: skip


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of declared monitors and alarms; alarms that tell nobody or that watch nothing."""
    if not declared(context, "alarm", "monitor"):
        return
    yield from unique(
        _monitor(context, monitor, practice)
        for monitor in declared(context, "monitor")
        for practice in _watched(context, monitor)
    )
    alarms = declared(context, "alarm")
    if alarms:
        from mlops_scan.detectors.emitters import Emitters  # few repositories have an alarm

        emitters = Emitters(context, filter(None, map(metric_of, alarms)))
        for alarm in alarms:
            yield from _alarm(context, alarm, emitters)


# -- monitors --------------------------------------------------------------------------------------------------------


def _watched(context: Context, monitor: Resource) -> tuple[str, ...]:
    """The practices that a monitor serves.

    One schedule may stand for several kinds of jobs, of which an argument chooses: then it serves those declared beside
    it. Fact: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sagemaker-modelqualityjobdefinition.html
    """
    if _QUALITY.search(monitor.text):
        return (PERFORMANCE,)
    kind = monitor.get("monitoring_type")
    if kind is not None and kind.tag == EXPRESSION:
        jobs = [job for job in declared(context, "checks") if job.path == monitor.path and not idle(context, job)]
        if any(_QUALITY.search(job.type) and job.get("ground_truth_s3_input") is not None for job in jobs):
            return (DRIFT, PERFORMANCE) if any(_DATA.search(job.type) for job in jobs) else (PERFORMANCE,)
    return (DRIFT,)


def _monitor(context: Context, monitor: Resource, practice: str) -> Signal:
    evidence = [context.evidence(monitor.path, monitor.line)]
    off = idle(context, monitor)
    if off:
        return Signal(practice, monitor.type, Grade.TRACE, tuple(evidence), reason=off, fixed=True)
    clock, reason = _clock(monitor)
    bound = monitor.get("baseline_config", "constraints_resource", "monitoring_job_definition_name",
                        "baseline_constraints_uri", "threshold")  # fmt: skip
    alarm = next((a for a in declared(context, "alarm") if model_practice(a) and not idle(context, a)), None)
    if not reason and bound is None and alarm is None:
        reason = "no baseline, constraint or alarm bounds what it computes"
    if clock is not None:
        evidence.append(context.evidence(monitor.path, clock.at, Hop.TRIGGER))
    if alarm is not None:
        evidence.append(context.evidence(alarm.path, alarm.line, Hop.EFFECT))
    grade = Grade.IMPLEMENTED if reason else Grade.WIRED
    return Signal(practice, monitor.type, grade, tuple(evidence), reason=reason, fixed=True)


def _clock(monitor: Resource) -> tuple[Node | None, str]:
    """The schedule of a monitor, and why it does not run again and again, or empty."""
    clock = monitor.get("schedule_expression", "quartz_cron_expression") or monitor.get("schedule_config", "schedule")
    if clock is None:
        return None, "it has no schedule"
    return clock, "`NOW` runs it once" if clock.text == "NOW" else ""


# -- alarms ----------------------------------------------------------------------------------------------------------


def model_practice(alarm: Resource) -> str:
    """The practice that an alarm serves because its metric is about the model; empty for the service's own health."""
    space = alarm.says("namespace").lower()
    for ending, practice in _SERVICE_SPACES:
        if space.endswith(ending):
            return practice
    told = " ".join(
        alarm.says(name)
        for name in ("metric_name", "filter", "query", "expr", "alarm_name", "display_name", "condition_threshold")
    )
    metric = metric_of(alarm) or told
    if _OPERATION.search(metric):
        return ""
    if _DRIFT_METRIC.search(metric) or (not metric_of(alarm) and _DRIFT_METRIC.search(told)):
        return DRIFT
    return PERFORMANCE if _QUALITY_METRIC.search(metric) else ""


def metric_of(alarm: Resource) -> str:
    """The constant name of the metric that an alarm watches; empty where it is computed."""
    named = _FILTER.search(alarm.says("filter"))
    if named is not None:
        return named.group(1).rpartition("/")[2]
    node = alarm.get("metric_name")
    if node is None or node.kind != "scalar" or node.tag or "${" in node.text:
        return ""
    return node.text


def _alarm(context: Context, alarm: Resource, emitters: Emitters) -> Iterator[Signal | Problem]:
    place = context.evidence(alarm.path, alarm.line)
    practice = model_practice(alarm)
    off = idle(context, alarm)
    if not practice:
        if not off:
            yield from _on_service(context, alarm, place)
        return
    if off:
        for served in (practice, ALERTS):
            yield Signal(served, alarm.type, Grade.TRACE, (place,), reason=off, fixed=True)
        if "switched off" in off:
            yield Problem("MLS501", f"This alarm on the model is declared, and {off}.", place.location)
        return
    if _never_breached(alarm):
        yield Signal(practice, alarm.type, Grade.TRACE, (place,), reason="its bound can never be broken", fixed=True)
        yield Problem("MLS301", "This alarm can never fire: no quality is below its bound.", place.location)
        return
    emitter = _emitter(context, alarm, emitters)
    yield _bounded(alarm, practice, place, emitter)
    if emitter is not None and not emitter.path:
        message = f"Nothing in this repository emits {emitter.what}, the metric that this alarm watches."
        yield Problem("MLS507", message, place.location)
    yield from _told(context, alarm, place)


def _never_breached(alarm: Resource) -> bool:
    """Whether an alarm asks for a value below zero or less of a metric that has none."""
    threshold = alarm.get("threshold", "threshold_value")
    number = threshold.number() if threshold is not None else None
    below = re.search(r"less|_lt\b", alarm.says("comparison_operator", "comparison", "operator"), re.I)
    return number is not None and number <= 0 and below is not None


def _emitter(context: Context, alarm: Resource, emitters: Emitters) -> Emitter | None:
    """Who emits the metric; None where its name is not known, an emitter without a path where nobody does."""
    from mlops_scan.detectors.emitters import Emitter

    if any(alarm.says("namespace").lower().endswith(ending) for ending, _ in _SERVICE_SPACES):
        monitor = next((m for m in declared(context, "monitor") if not idle(context, m)), None)
        if monitor is not None:
            place = context.evidence(monitor.path, monitor.line, Hop.USE)
            return Emitter("the monitor's metric", monitor.path, monitor.line, _clock(monitor)[1], place)
        use = next((u for u in context.doing("drift") if "onitor" in u.name), None)
        if use is not None:
            return Emitter("the monitor's metric", use.location.path, use.location.line, "")
        return Emitter("a metric of SageMaker Model Monitor", "", 0, "")
    metric = metric_of(alarm)
    return emitters.of(metric) if metric else None


def _bounded(alarm: Resource, practice: str, place: Evidence, emitter: Emitter | None) -> Signal:
    evidence: tuple[Evidence, ...] = (place,)
    reason = ""
    if emitter is None:
        reason = "the name of the metric that it watches is not a constant"
    elif not emitter.path:
        reason = "no code here was seen to emit the metric it watches"
    else:
        evidence += (emitter.evidence,) if emitter.source is not None else ()
        reason = emitter.idle
    grade = Grade.IMPLEMENTED if reason else Grade.WIRED
    return Signal(practice, alarm.type, grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _on_service(context: Context, alarm: Resource, place: Evidence) -> Iterator[Signal]:
    """What an alarm on the service, its machines or its jobs is worth; one that only scales tells nobody."""
    if alarm.says("namespace") == "AWS/SageMaker":
        yield Signal("monitoring/service-metrics", alarm.type, Grade.IMPLEMENTED, (place,), fixed=True)
    if alarm.says("namespace") in _COSTS:
        return
    receiver, reason = _receiver(context, alarm)
    if receiver is not None:
        evidence = (place, context.evidence(receiver.path, receiver.line, Hop.EFFECT))
        yield Signal(ALERTS, alarm.type, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, fixed=True)
    elif reason and not _ACTS.search(alarm.says(*_ACTIONS)):
        yield Signal(ALERTS, alarm.type, Grade.IMPLEMENTED, (place,), Confidence.MEDIUM, reason, fixed=True)


# -- receivers -------------------------------------------------------------------------------------------------------


def _told(context: Context, alarm: Resource, place: Evidence) -> Iterator[Signal | Problem]:
    receiver, reason = _receiver(context, alarm)
    if receiver is not None:
        evidence = (place, context.evidence(receiver.path, receiver.line, Hop.EFFECT))
        yield Signal(ALERTS, alarm.type, Grade.WIRED, evidence, Confidence.MEDIUM, fixed=True)
    elif reason:
        yield Signal(ALERTS, alarm.type, Grade.IMPLEMENTED, (place,), Confidence.MEDIUM, reason, fixed=True)
    else:
        why = "it has no action, and nothing listens to its events"
        yield Signal(ALERTS, alarm.type, Grade.TRACE, (place,), reason=why, fixed=True)
        message = "This alarm on the model tells nobody: it has no action with a receiver."
        yield Problem("MLS505", message, place.location)


def _receiver(context: Context, alarm: Resource) -> tuple[Resource | None, str]:
    """The resource that is told, or why a receiver is likely though it is not seen; neither where there is none."""
    for topic in declared(context, "topic"):
        if alarm.mentions(topic) and not topic.off:
            told = _subscriber(context, topic)
            if told is not None:
                return told, ""
    for function in declared(context, "function", "machine"):
        if alarm.mentions(function) and not function.off:
            return function, ""
    for rule in declared(context, "rule"):
        if ALARM_STATE in rule.text and not idle(context, rule):
            return rule, ""
    actions = alarm.get(*_ACTIONS)
    if actions is None or (actions.kind != "scalar" and not actions.items and not actions.entries):
        return None, ""
    text = alarm.says(*_ACTIONS)
    own = [topic for topic in declared(context, "topic") if alarm.mentions(topic)]
    if own or _NOBODY.search(text.strip()):
        return None, ""
    if (alarm.type.startswith("datadog") and "@" not in text) or _left_empty(context, alarm, text):
        return None, ""
    return None, "its receiver is given from outside the repository"


def _left_empty(context: Context, alarm: Resource, actions: str) -> bool:
    """Whether the actions are one variable of Terraform whose default is nothing, and which nothing here sets."""
    variable = _VARIABLE.fullmatch(actions.strip())
    if variable is None or alarm.language != "terraform":
        return False
    folder, name, default = alarm.path.rpartition("/")[0], variable[1], None
    for file in context.written_in("hcl"):
        for document in context.documents.nodes(file.path):
            modules = document.get("module")
            given = [document, *(called for _, called in (modules.entries if modules is not None else ()))]
            if any(held.get(name) is not None for held in given):
                return False
            if file.folder == folder:
                default = document.path("variable", name, "default") or default
    return default is not None and not (default.items or default.entries or default.string())


def _subscriber(context: Context, topic: Resource) -> Resource | None:
    """Somebody who gets what is sent to a topic; a channel or an action group is a receiver itself."""
    for subscription in declared(context, "subscription"):
        endpoint = subscription.says("endpoint", "email_address", "url")
        if subscription.mentions(topic) and not subscription.off and not _NOBODY.search(endpoint.strip() or "?"):
            return subscription
    if re.search(r"add_?subscription", topic.beside, re.I):
        return topic
    inline = topic.get("subscription", "subscriptions")
    if inline is not None and any(
        not _NOBODY.search(n.text or "?") for k, n in inline.walk(100) if k[-1:] == ("Endpoint",)
    ):
        return topic
    if "sns" in topic.type.lower():
        return None
    held = topic.says("email_address", "email_receiver", "webhook_receiver", "labels", "url", "settings")
    named = bool(held) or topic.get("labels", "email_receiver") is not None
    return topic if named and not _NOBODY.search(held or "?") else None
