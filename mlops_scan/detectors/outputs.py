"""Steps of GitHub Actions that release only on an output of an earlier one: `if: steps.gate.outputs.passed == 'true'`.

Fact: https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/passing-information-between-jobs
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_scan.ci.model import Job, Workflow
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Evidence, Hop

_ASKED = regex(r"\b(?:steps|needs)\.[\w-]+\.outputs\.([\w-]+)", words=("outputs.",))
_HANDED_ON = regex(
    r"(?<![\w-])([\w-]{1,80}):[ \t]{0,8}[\"']?\$\{\{\s*steps\.[\w-]+\.outputs\.([\w-]+)\s*\}\}",
    words=(".outputs.",),
)
_RELEASES = frozenset({"register", "promote", "deploy-model", "deploy-pipeline", "publish-image"})
_NAMED = regex(r"(?<![^\W_])(deploy|promot|regist|releas|publish)[a-z]{0,7}(?![^\W_])")
_OF_FIGURES = ("report", "result", "metric", "coverage", "comment", "docs", "runner")  # what else is published


@kept
def releasing_outputs(context: Context, path: str) -> Mapping[str, Evidence]:
    """The names of outputs on which a workflow releases something, each with the condition that asks for it."""
    workflow = next((item for item in context.automation.workflows if item.path == path), None)
    return dict(_asked(context, workflow)) if workflow is not None else {}


def _asked(context: Context, workflow: Workflow) -> Iterator[tuple[str, Evidence]]:
    for job in workflow.jobs:
        ends = [(job.condition, job.line, job.end_line, job.id)]
        ends += [(step.condition, step.line, step.end_line, step.name) for step in job.steps]
        for condition, line, last, name in ends:
            if "outputs." not in condition or not _releases(context, workflow, job, (line, last), name):
                continue
            asked = {match.group(1) for match in _ASKED.finditer(condition)}
            text = context.documents.text(workflow.path)
            asked.update(match.group(2) for match in _HANDED_ON.finditer(text) if match.group(1) in asked)
            for output in sorted(asked):
                yield output, context.evidence(workflow.path, line, Hop.EFFECT)


def _releases(context: Context, workflow: Workflow, job: Job, lines: tuple[int, int], name: str) -> bool:
    """Whether what stands in some lines of a job releases something, by what it runs or by its name."""
    if _NAMED.search(name.lower()) and not has_any(name, _OF_FIGURES):
        return True
    return any(
        _RELEASES.intersection(use.does) and lines[0] <= run.location.line <= lines[1]
        for run in context.automation.runs_of_job(workflow.path, job.id)
        for use in run.uses
    )
