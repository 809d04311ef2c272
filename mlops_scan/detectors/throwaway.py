"""CI jobs that check a change by training once and throw away what they made: no pipeline and no retraining."""

from __future__ import annotations

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import Job, Workflow
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any

KEEPS_NOTHING = "the job also runs on pull requests and keeps nothing of what it makes"

_RELEASES = frozenset(
    {"deploy-model", "deploy-pipeline", "deploy-infra", "publish-image", "publish-package", "register", "promote"}
)  # fmt: skip
_HANDS_ON = (
    "upload-artifact", "git push", "dvc push", "docker push", "gh release", "huggingface-cli", "hf upload", "cml ",
    "aws ", "gsutil ", "gcloud ", "az ", "azcopy ", "kubectl ", "rclone ", "rsync ", "scp ", "ssh ", "s3://", "gs://",
    "curl -x post", "--upload-file", "tracking_uri",
)  # fmt: skip
_MAY_HAND_ON = (  # what a job needs to leave something outside, in the words of GitHub's workflows
    "secrets", "github.token", "vars.", "self-hosted", "write-all", "contents: write", "packages: write",
    "id-token: write",
)  # fmt: skip


def keeps_nothing(context: Context, run: Run) -> bool:
    """Whether a run belongs to a CI job that also runs on pull requests and leaves nothing behind when it has ended.

    Asked of GitHub's workflows only: they have to name each secret that a job gets. Anything that may hand something
    on counts as if it did.
    """
    start = run.start
    if start.kind != "ci" or "pull_request" not in start.triggers:
        return False
    return _keeps_nothing(context, start.workflow, start.job)


@kept
def _keeps_nothing(context: Context, path: str, name: str) -> bool:
    workflow = next(
        (w for w in context.automation.workflows if w.path == path and w.provider == "github-actions"), None
    )
    job = next((job for job in workflow.jobs if job.id == name), None) if workflow is not None else None
    if workflow is None or job is None or has_any(_text(context, workflow, job), (*_HANDS_ON, *_MAY_HAND_ON)):
        return False
    for run in context.automation.runs_of_job(path, name):
        if any(_RELEASES.intersection(use.does) for use in run.uses):
            return False
        if has_any(" ".join((*run.words, "")), _HANDS_ON):
            return False
    return True


def _text(context: Context, workflow: Workflow, job: Job) -> str:
    """The lines of a workflow that speak of one job: its own, and those of no job, without comments."""
    others = [(other.line, other.end_line) for other in workflow.jobs if other.id != job.id]
    lines = enumerate(context.documents.text(workflow.path).split("\n"), 1)
    return "\n".join(
        line
        for number, line in lines
        if not line.lstrip().startswith("#") and not any(first <= number <= last for first, last in others)
    )
