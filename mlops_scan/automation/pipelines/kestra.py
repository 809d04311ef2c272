"""The flows of Kestra: their tasks, those of nested tasks included, with the clock or the event that starts them.

Facts: https://kestra.io/docs/workflow-components/flow (`id`, `namespace`, `tasks`, `triggers`, `disabled`),
https://kestra.io/docs/workflow-components/triggers and https://kestra.io/plugins/plugin-script-python (`commands` and
`beforeCommands` of a `Commands` task, the `script` of a `Script` task). A trigger of a plugin for storage or messages
(`io.kestra.plugin.aws.s3.Trigger`) looks for new data; `Flow` and `Webhook` wait for others.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import command, embedded, switched_off, text
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

_NESTED = ("tasks", "then", "else", "defaults")
_CLOCK = regex(r"io\.kestra\.(?:plugin\.)?core\.(?:\w+\.){1,5}Schedule")
_NEW_DATA = regex(r"io\.kestra\.plugin\.(?!core\.)(?:\w+\.){1,6}\w*Trigger")
_PYTHON = ".python.Script"
_MAX_TASKS = 300
_MAX_DEPTH = 5


class _Trigger(Struct, frozen=True):
    at: int
    label: str
    on_data: bool
    off: str


def is_kestra(document: Node) -> bool:
    """Whether this is a flow of Kestra: an id, a namespace and tasks of its types."""
    tasks = document.get("tasks")
    if document.get("namespace") is None or tasks is None or tasks.kind != "sequence":
        return False
    return any(text(task.get("type")).startswith("io.kestra.") for task in tasks.items[:50])


def kestra(path: str, document: Node) -> Iterator[Pipeline]:
    """The tasks of a flow that run something. A flow has files of its own: commands run at the root of them."""
    tasks = document.get("tasks")
    steps = tuple(_steps(tasks, 0)) if tasks is not None else ()
    if not steps or tasks is None:
        return
    found = list(_triggers(document))
    trigger = next((item for item in found if not item.off), found[0] if found else None)
    yield Pipeline(
        "kestra",
        text(document.get("id")) or "flow",
        path,
        tasks.at,
        steps,
        schedule=trigger.label if trigger is not None else "",
        schedule_line=trigger.at if trigger is not None else 0,
        schedule_off=trigger.off if trigger is not None else "",
        schedule_on_data=trigger is not None and trigger.on_data,
    )


def _steps(tasks: Node, depth: int) -> Iterator[PipelineStep]:
    for task in tasks.items[:_MAX_TASKS]:
        name = text(task.get("id"))
        lines, line = command(task.get("commands"))
        source = task.get("script")
        if lines:
            yield PipelineStep(name, task.line, lines, line)
        elif source is not None and text(task.get("type")).endswith(_PYTHON):
            yield PipelineStep(name, task.line, does=embedded(text(source)))
        elif source is not None:
            yield PipelineStep(name, task.line, text(source), source.text_line)
        for key in _NESTED if depth < _MAX_DEPTH else ():
            inner = task.get(key)
            if inner is not None and inner.kind == "sequence":
                yield from _steps(inner, depth + 1)


def _triggers(document: Node) -> Iterator[_Trigger]:
    """What starts a flow by itself, with the reason why it does not or an empty one."""
    whole = switched_off(document.get("disabled"), "disabled")
    triggers = document.get("triggers")
    for trigger in triggers.items[:50] if triggers is not None else ():
        kind, cron = text(trigger.get("type")), trigger.get("cron")
        off = whole or switched_off(trigger.get("disabled"), "disabled")
        if cron is not None and _CLOCK.fullmatch(kind):
            yield _Trigger(cron.at, text(cron), False, off)
        elif _NEW_DATA.fullmatch(kind):
            yield _Trigger(trigger.line, kind, True, off)
