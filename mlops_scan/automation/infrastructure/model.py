"""One vocabulary for what infrastructure as code declares, whatever the language it is written in."""

from __future__ import annotations

import re
from functools import cached_property

from msgspec import Struct

from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_MAX_NODES = 5000
_REFERENCE = regex(r"(?<![\w.])([a-z]\w*)\.([\w-]+)")
_TOKEN = regex(r"[\w-]+")

# Kinds of resources that matter for a loop around a model, by the end of a type's name in any of the languages:
# `aws_cloudwatch_metric_alarm`, `AWS::CloudWatch::Alarm`, `aws_cdk.aws_cloudwatch.CfnAlarm`, `microsoft.insights/…`.
_MAX_TYPE = 200  # characters of the type of a resource
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("alarm", regex(
        r".*(cloudwatch_(cfn)?(composite_?)?(metric_?)?alarm|metric_create_alarm|azurerm_monitor_metric_alert"
        r"|azurerm_monitor_scheduled_query_rules_alert(_v2)?|monitoring_alert_?policy"
        r"|insights_(metricalerts|scheduledqueryrules)|datadog_monitor|grafana_rule_group)",
        words=("alarm", "alert", "scheduledqueryrules", "datadog_monitor", "grafana_rule_group"))),
    ("topic", regex(
        r".*(sns_(cfn)?topic|azurerm_monitor_action_group|insights_actiongroups|monitoring_notification_?channel"
        r"|grafana_contact_point)",
        words=("topic", "action_group", "actiongroups", "notification", "grafana_contact_point"))),
    ("subscription", regex(r".*(sns_(topic_?)?(cfn)?subscription|sns_subscriptions_\w+)", words=("subscription",))),
    ("rule", regex(r".*(cloudwatch_event_?rule|events_(cfn)?rule|eventbridge_rule)", words=("rule",))),
    ("target", regex(r".*(cloudwatch_event_?target|events_targets_\w+)", words=("target",))),
    ("clock", regex(
        r".*(aws_scheduler_(cfn)?schedule|pulumi_aws_scheduler_schedule|cloud_?scheduler_job)", words=("schedule",))),
    ("pipeline", regex(r".*sagemaker_(cfn)?pipeline", words=("pipeline",))),
    ("machine", regex(
        r".*(sfn_state_?machine|stepfunctions_(cfn)?statemachine|serverless_statemachine)", words=("machine",))),
    ("function", regex(
        r".*(aws_lambda_(cfn)?function|lambda_(cfn|dockerimage)?function|lambda_python_alpha_pythonfunction"
        r"|serverless_function"
        r"|google_cloudfunctions2?_function)",
        words=("function",))),
    ("monitor", regex(
        r".*(sagemaker_(cfn)?monitoring_?schedule|databricks_(quality|lakehouse)_?monitor)", words=("monitor",))),
    ("checks", regex(
        r".*sagemaker_(cfn)?(data_?quality|model_?quality|model_?bias|model_?explainability)_?job_?definition",
        words=("definition",))),
    ("bucket-event", regex(r".*s3_bucket_?notification", words=("notification",))),
)  # fmt: skip


class Resource(Struct, frozen=True, dict=True):
    """One declared resource.

    `language` is "terraform", "cloudformation", "program" (CDK or Pulumi, Python or TypeScript), "bicep" or "arm";
    `kind` one of the words above, or empty; `off` says why it is not created (an uncalled module, `count = 0`).
    """

    language: str
    type: str
    name: str
    path: str
    line: int
    body: Node
    kind: str = ""
    scope: str = ""
    off: str = ""
    beside: str = ""  # what a program says about the object after it made it

    @cached_property
    def text(self) -> str:
        """All the scalars of the body in one text, keys included, for questions about what it refers to."""
        words = []
        for keys, node in self.body.walk(_MAX_NODES):
            if keys and not keys[-1].startswith("["):
                words.append(keys[-1])
            if node.kind == "scalar":
                words.append(node.text or str(node.value))
        return " ".join((*words, self.beside))

    def get(self, *names: str) -> Node | None:
        """The first property of one of the names, at any depth; names in snake case, as `metric_name`."""
        for keys, node in self.body.walk(_MAX_NODES):
            if keys and snake(keys[-1]) in names:
                return node
        return None

    def own(self, name: str) -> Node | None:
        """A property of the resource itself, not of a part of it."""
        for held in (self.body, self.body.get("Properties"), self.body.get("properties")):
            for key, node in held.entries if held is not None else ():
                if snake(key) == name:
                    return node
        return None

    def says(self, *names: str) -> str:
        """The text of the first property of one of the names that has one; for a list its parts in one text."""
        for keys, node in self.body.walk(_MAX_NODES):
            if keys and snake(keys[-1]) in names and node.kind != "mapping":
                return node.text if node.kind == "scalar" else " ".join(node.strings())
        return ""

    def mentions(self, other: Resource) -> bool:
        """Whether this resource refers to another one of the same stack."""
        if other is self or self.path.rpartition("/")[0] != other.path.rpartition("/")[0]:
            return False
        if self.language == "terraform":
            return (other.type, other.name) in self._references
        if self.path != other.path:
            return False
        if other.name and other.name in self._tokens:
            return True
        return self.language == "program" and other.type in self.text

    @cached_property
    def _references(self) -> frozenset[tuple[str, str]]:
        """Every `TYPE.NAME` that the body names."""
        return frozenset(_REFERENCE.findall(self.text))

    @cached_property
    def _tokens(self) -> frozenset[str]:
        return frozenset(_TOKEN.findall(self.text))


def kind_of(type_: str) -> str:
    """What a type of resource is for, or empty."""
    flat = type_.replace("::", "_").replace(".", "_").replace("/", "_").lower()
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(flat[:_MAX_TYPE])), "")


def snake(key: str) -> str:
    """A property's name in snake case: `MetricName`, `metricName` and `metric_name` are one."""
    parted = key if key == key.lower() else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return parted.replace("-", "_").lower()
