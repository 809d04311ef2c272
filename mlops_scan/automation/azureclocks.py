"""Clocks that code of Azure ML sets for a pipeline that it loads: `JobSchedule(create_job=load_job("pipeline.yml"))`.

Fact: https://learn.microsoft.com/azure/machine-learning/how-to-schedule-pipeline-job
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.paths import join
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents
from mlops_scan.words import Evidence, Hop, Location

_SCHEDULE = "azure.ai.ml.entities.JobSchedule"
_LOADS = "azure.ai.ml.load_job"


def azure_clocks(index: CodeIndex, documents: Documents) -> Iterator[Run]:
    """What the clocks start whose pipeline is loaded in the same function, by the only such call there."""
    for path, module in index.modules.items():
        for call in module.calls if "azure" in module.roots else ():
            if call.name != _SCHEDULE or _LOADS not in call.refs:
                continue
            loads = [other for other in index.calls_in(path, call.scope) if other.name == _LOADS]
            found = _loaded(path, loads[0], documents) if len(loads) == 1 else ""
            if found:
                evidence = Evidence(Location(path, call.line), Hop.TRIGGER, "trigger=…")
                start = Start("schedule", "JobSchedule", evidence)
                yield Run(start, (), Location(path, call.line, call.end_line), (evidence,), pipelines=(found,))


def _loaded(path: str, call: Call, documents: Documents) -> str:
    """The file that a call loads: from the folder of its own file, or from the root; empty where it is not there."""
    name = call.keyword("source") or next(iter(call.args[:1]), None) or ""
    places = (join(path.rpartition("/")[0], name), join("", name)) if name else ()
    return next((place for place in places if place in documents.files), "")
