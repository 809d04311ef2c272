"""The clocks of Mage pipelines, which stand in a file beside each.

Fact: https://docs.mage.ai/orchestration/triggers/configure-triggers-in-code (`pipelines/NAME/triggers.yaml`; a trigger
has a `schedule_type`: `time`, `api` or `event`, an interval of which `@once` comes but once, and a `status`; the
scheduler reads the file)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.pipelines.shapes import folder_of, text
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents

_FILE = "triggers.yaml"
_ONCE = "@once"
_MAX_TRIGGERS = 100


def clocked(pipelines: Iterable[Pipeline], documents: Documents) -> Iterator[Pipeline]:
    """The pipelines; those of Mage with their clock: the first that ticks, else the first."""
    for pipeline in pipelines:
        path = f"{folder_of(pipeline.path)}/{_FILE}"
        clocks = list(_clocks(path, documents)) if pipeline.tool == "mage" and path in documents.files else []
        if clocks:
            clock, off = next((found for found in clocks if not found[1]), clocks[0])
            pipeline = replace(
                pipeline, schedule=text(clock), schedule_line=clock.at, schedule_off=off, schedule_path=path
            )
        yield pipeline


def _clocks(path: str, documents: Documents) -> Iterator[tuple[Node, str]]:
    """The interval of each clock of a file, with the reason why it does not tick or an empty one."""
    for document in documents.nodes(path)[:1]:
        triggers = document.get("triggers")
        for trigger in triggers.items[:_MAX_TRIGGERS] if triggers is not None else ():
            interval = trigger.get("schedule_interval")
            if interval is None or text(trigger.get("schedule_type")) != "time" or text(interval) in ("", _ONCE):
                continue
            status = text(trigger.get("status"))
            yield interval, "" if status == "active" else f"`status: {status or 'inactive'}`"
