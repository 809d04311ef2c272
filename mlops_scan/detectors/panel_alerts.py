"""Alerts in the panels of Grafana's dashboards, as its first alerting had them.

They are evaluated where a provider of dashboards loads the file (Grafana before 11 only). Facts:
https://grafana.com/docs/grafana/v8.5/alerting/old-alerting/create-alerts/ and
https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mlops_scan.detectors.alert_rules import Rule
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.node import Node

_MAX_SIZE = 1_000_000  # bytes of a dashboard
_MAX_PANELS = 500
_FOLDERS = ("grafana", "dashboard")
_ASKS = ("expr", "rawSql", "query", "target")


def panel_rules(context: Context) -> Iterator[Rule]:
    """The alerts of the dashboards, each with why nothing evaluates it."""
    for file in context.written_in("json"):
        if file.size > _MAX_SIZE or not any(word in file.path.lower() for word in _FOLDERS):
            continue
        text = context.documents.text(file.path)
        if '"panels"' not in text or '"alert"' not in text or '"evaluator"' not in text:
            continue
        idle = "" if _provided(context) else "no provider of this repository's Grafana loads its dashboard"
        for document in context.documents.nodes(file.path):
            for panel in islice(_panels(document), _MAX_PANELS):
                rule = _rule(file.path, panel, idle)
                if rule is not None:
                    yield rule


def _panels(document: Node) -> Iterator[Node]:
    """The panels of a dashboard; rows hold some."""
    held = [document]
    row = document.get("rows")
    held += row.items if row is not None else ()
    for holder in held:
        panels = holder.get("panels")
        for panel in panels.items if panels is not None else ():
            yield panel
            inner = panel.get("panels")
            yield from inner.items if inner is not None else ()


def _rule(path: str, panel: Node, idle: str) -> Rule | None:
    alert, targets = panel.get("alert"), panel.get("targets")
    conditions = alert.get("conditions") if alert is not None else None
    if alert is None or conditions is None or not conditions.items or targets is None:
        return None
    asked = [node.text for keys, node in targets.walk(1000) if keys and keys[-1] in _ASKS and node.text]
    name = alert.get("name") or panel.get("title")
    return Rule(path, alert.at, name.text if name is not None else "", " ".join((*asked, ">")), idle, True)


@kept
def _provided(context: Context) -> bool:
    """Whether a file says from which folder Grafana takes its dashboards."""
    return any(
        provider.path("options", "path") is not None
        for file in context.written_in("yaml")
        if file.path in context.documents.parsed
        for document in context.documents.nodes(file.path)
        if (providers := document.get("providers")) is not None
        for provider in providers.items
    )
