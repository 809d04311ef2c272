"""What CI starts on a machine of one's own: `docker run -d -p …` of the image that the same pipeline pushes, a service.

On a runner of the forge a container ends with the job, so there it is no more than a test.
"""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.images import ENGINES, takes_value
from mlops_scan.automation.model import Run
from mlops_scan.automation.remote import runs_remotely
from mlops_scan.ci.model import AUTOMATIC
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.ciruns import chain, graded
from mlops_scan.detectors.containers import pushes_no_model
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Signal

_DETACHED = regex(r"-[it]*d[itPp]*(?:\d\S*)?|--detach(?:=true)?")
_PUBLISHED = regex(r"-[dit]*p(?:\d\S*)?|-[dit]*P|--publish(?:-all)?(?:=.*)?|--net(?:work)?=host")
# A service that is started again with the files that the job has brought: `git pull && systemctl restart scorer`.
_RESTARTS = frozenset(
    {("systemctl", "restart"), ("systemctl", "reload-or-restart"), ("supervisorctl", "restart"), ("docker", "restart"),
     ("pm2", "restart"), ("pm2", "reload"), ("pm2", "start")}
)  # fmt: skip
_MANAGERS = frozenset({words[:1] for words in _RESTARTS} | {("service",)})
_BRINGS = frozenset(
    {("git", "pull"), ("git", "fetch"), ("git", "clone"), ("git", "reset"), ("docker", "pull"), ("rsync",), ("scp",)}
)
_COPIES = ("scp-", "rsync", "ssh-deploy", "sftp")  # in the names of actions
_NOT_OURS = regex(
    r"nginx|apache2?|httpd|docker|containerd|sshd?|caddy|traefik|postgres(?:ql)?(?:@\S+)?|mysqld?|mariadb|redis(?:-server)?"
    r"|mongo(?:d|db)?|rabbitmq-server|crond?|rsyslog|ufw|fail2ban|postfix|\S+[-_]exporter|promtail|loki|alertmanager"
    r"|systemd-\S+|network\S*|amazon-\S+|grafana\S*|prometheus|kubelet|k3s"
)
_MAX_SHOWN = 3
_SERVING = "deploy/serving"
_MAX_RUNS = 1_000  # commands of a job looked at


def rollouts(context: Context) -> Iterator[Signal]:
    """Signals for `deploy/as-code`: the commands that start what was pushed, where the machine outlives the job."""
    pushed = [
        run
        for run in context.leading()
        if run.start.kind == "ci" and any("publish-image" in use.does for use in run.uses)
    ]
    workflows = {run.start.workflow for run in pushed}
    for run in context.automation.runs if pushed else ():
        if run.start.kind != "ci" or run.start.workflow not in workflows:
            continue
        image = started(run.words)
        if not image or not _stays(context, run) or _is_stopped(context, run):
            continue
        source = next((p for p in pushed if _is_of(image, p, run) and not pushes_no_model(context, p)), None)
        if source is None:
            continue
        evidence: tuple[Evidence, ...] = (
            context.evidence(run.location.path, run.location.line),
            context.evidence(source.location.path, source.location.line),
            *(context.shown(e) for e in run.chain[:_MAX_SHOWN]),
        )
        grade = Grade.IMPLEMENTED if run.start.blocked else Grade.WIRED
        yield Signal("deploy/as-code", "docker", grade, evidence, Confidence.MEDIUM, fixed=True)


def restarted(context: Context) -> Iterator[Signal]:
    """Signals for `cd/model-deploy`: services that CI starts again where they stay, with what it has brought there.

    Only where the repository has a service at all: the unit of another one is not told by its name.
    """
    if not any("serve" in use.does or _SERVING in use.serves for use in context.uses):
        return
    for run in context.automation.runs:
        if (
            run.start.kind == "ci"
            and _starts_service(context, run)
            and _stays(context, run)
            and _is_brought(context, run)
        ):
            grade, reason = graded(run, frozenset(AUTOMATIC), blocking=False)
            evidence = chain(context, run)
            yield Signal("cd/model-deploy", "ci", grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _starts_service(context: Context, run: Run) -> bool:
    """Whether a command starts a service again, not one that others ship, or a server by ssh."""
    if run.words[:1] in _MANAGERS:
        words = tuple(word for word in run.words if not word.startswith("-"))
        if words[:2] in _RESTARTS:
            return not any(_NOT_OURS.fullmatch(word.removesuffix(".service")) for word in words[2:])
        if words[:1] == ("service",) and words[2:3] == ("restart",):
            return _NOT_OURS.fullmatch(words[1]) is None
    serves = any("serve" in use.does for use in run.uses) or any(
        "serve" in use.does for path, _ in run.entries for use in context.uses_in(path)
    )
    return serves and runs_remotely(run)


def _is_brought(context: Context, run: Run) -> bool:
    """Whether a step or command of the job brings code or an image to the machine."""
    for job in context.automation.declared(run.start.workflow, run.start.job):
        if any(has_any(step.uses, _COPIES) for step in job.steps):
            return True
        if "self-hosted" in job.runner.split() and any("actions/checkout" in step.uses for step in job.steps):
            return True
    others = context.automation.runs_of_job(run.start.workflow, run.start.job)[:_MAX_RUNS]
    return any(other.words[:1] in _BRINGS or other.words[:2] in _BRINGS for other in others)


def started(words: tuple[str, ...]) -> str:
    """The image of which a command starts a container in the background that answers on a port; else empty."""
    if len(words) < 3 or words[0] not in ENGINES or words[1] != "run":
        return ""
    detached = published = skip = False
    for position, word in enumerate(words[2:], 2):
        if skip:
            skip = False
        elif not word.startswith("-"):
            return word if detached and published else ""
        else:
            detached = detached or _DETACHED.fullmatch(word) is not None
            follows = words[position + 1 : position + 2] == ("host",)
            published = published or _PUBLISHED.fullmatch(word) is not None
            published = published or (word in ("--network", "--net") and follows)
            skip = takes_value(word)
    return ""


def _stays(context: Context, run: Run) -> bool:
    """Whether a command of CI runs on a machine of one's own: a self-hosted runner, or one reached by ssh."""
    for job in context.automation.declared(run.start.workflow, run.start.job):
        if "self-hosted" in job.runner.split():
            return True
        if any("ssh" in step.uses and step.line <= run.location.line <= step.end_line for step in job.steps):
            return True
    return runs_remotely(run)


def _is_stopped(context: Context, run: Run) -> bool:
    """Whether a later command of the job stops containers again, as behind a trial of an image."""
    later = context.automation.runs_of_job(run.start.workflow, run.start.job)[:_MAX_RUNS]
    return any(
        other.words[:1] == run.words[:1]
        and other.words[1:2] in (("stop",), ("rm",), ("kill",))
        and other.location.path == run.location.path
        and other.location.line > run.location.line
        for other in later
    )


def _is_of(image: str, push: Run, run: Run) -> bool:
    """Whether a container may be of the image that a command of the same workflow pushes.

    The address of a registry is mostly a secret, written in another way where the image is pulled.
    """
    if push.start.workflow != run.start.workflow:
        return False
    return "$" in _bare(image) or any(_bare(word) == _bare(image) for word in push.words[1:])


def _bare(image: str) -> str:
    """The name of an image without its registry and tag; of an input `tags=…` that of its image."""
    name = image.removeprefix("tags=").rpartition("/")[2]
    return name.partition(":")[0].partition("@")[0]
