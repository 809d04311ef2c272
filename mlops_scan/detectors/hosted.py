"""Services that CI starts on a machine which the forge lends to the job: they end with it, so nothing is deployed."""

from __future__ import annotations

from mlops_scan.automation.images import composed, subcommand
from mlops_scan.automation.model import Run
from mlops_scan.detectors.base import Context
from mlops_scan.regex import has_any, regex

ENDS_WITH_JOB = "what it starts runs on the machine of the CI job and ends with it"

# https://docs.github.com/actions/reference/runners/github-hosted-runners; larger ones are mostly named after these
_HOSTED = regex(r"(?:ubuntu|windows|macos)-(?:latest|\d)\S*", words=("ubuntu-", "windows-", "macos-"))
# ways to have another machine's Docker do it: https://docs.docker.com/engine/manage-resources/contexts/
_REMOTE = ("docker_host", "docker context", "--context", "ssh")


def ends_with_job(context: Context, run: Run) -> bool:
    """Whether a command is `docker compose up` on a runner of GitHub, and nothing there speaks of another machine."""
    start = run.start
    if start.kind != "ci" or not run.words or subcommand(composed(run.words) or ())[:1] != ("up",):
        return False
    runners = [job.runner.split() for job in context.automation.declared(start.workflow, start.job)]
    if not runners or not all(len(labels) == 1 and _HOSTED.fullmatch(labels[0]) for labels in runners):
        return False
    files = {start.workflow, run.location.path}
    return not any(has_any(context.documents.text(path), _REMOTE) for path in files)
