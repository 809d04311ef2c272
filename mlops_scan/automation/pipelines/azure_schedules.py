"""The clocks of Azure ML pipelines, each in a file of its own that names the pipeline or holds it.

Fact: https://learn.microsoft.com/azure/machine-learning/reference-yaml-schedule (`trigger`: `cron` or `recurrence`;
`create_job`: the file of a pipeline, the same below `job` with settings of its own, or the pipeline itself)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.automation.model import Pipeline
from mlops_scan.automation.paths import join
from mlops_scan.automation.pipelines.cloud import azure_ml, is_azure_ml
from mlops_scan.automation.pipelines.shapes import folder_of, text
from mlops_scan.documents.node import Node

_TRIGGERS = frozenset({"cron", "recurrence"})
_FILE = "file:"


class Clock(Struct, frozen=True):
    """A clock in a file, and the file of the pipeline that it starts; empty where it holds the pipeline itself."""

    path: str
    line: int
    label: str
    pipeline: str


def is_schedule(document: Node) -> bool:
    """Whether this is a schedule of Azure ML."""
    return text(document.path("trigger", "type")) in _TRIGGERS and document.get("create_job") is not None


def clock_of(path: str, document: Node) -> Clock | None:
    """The clock that a file sets, or None."""
    trigger, job = document.get("trigger"), document.get("create_job")
    if not is_schedule(document) or trigger is None or job is None:
        return None
    named = text(job if job.kind != "mapping" else job.get("job")).removeprefix(_FILE)
    known = named.endswith((".yml", ".yaml")) and ":" not in named and "$" not in named
    every = " ".join(text(trigger.get(key)) for key in ("interval", "frequency")).strip()
    label = text(trigger.get("expression")) or f"every {every}"
    return Clock(path, trigger.at, label, join(folder_of(path), named) if known else "")


def held(path: str, document: Node) -> Iterator[Pipeline]:
    """The pipeline that a schedule holds itself, with its clock."""
    job, clock = document.get("create_job"), clock_of(path, document)
    if job is not None and clock is not None and is_azure_ml(job):
        yield replace(azure_ml(path, job), schedule=clock.label, schedule_line=clock.line)


def scheduled(pipelines: Iterable[Pipeline], clocks: Mapping[str, Clock]) -> Iterator[Pipeline]:
    """The pipelines; those of Azure ML with their clock, told by the file that it names."""
    for pipeline in pipelines:
        clock = clocks.get(pipeline.path) if pipeline.tool == "azure-ml" and not pipeline.schedule else None
        if clock is not None:
            pipeline = replace(pipeline, schedule=clock.label, schedule_line=clock.line, schedule_path=clock.path)
        yield pipeline
