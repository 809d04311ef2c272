"""Continuous delivery: what CI jobs release, to which environments, and whether they ask somebody before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import AUTOMATIC
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.builds import broken_build
from mlops_scan.detectors.ciruns import chain, graded
from mlops_scan.detectors.containers import pushes_no_model, rolls_out_no_model
from mlops_scan.detectors.gitops import synced
from mlops_scan.detectors.hosted import ENDS_WITH_JOB, ends_with_job
from mlops_scan.detectors.lambdas import deployed_function
from mlops_scan.detectors.rollouts import restarted
from mlops_scan.detectors.stacks import deployed, deployed_pipeline
from mlops_scan.detectors.stages import environments, stage_of, staged
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Signal

DEPLOYS = frozenset({"deploy-model", "promote"})
"""Activities that put a model to work."""

_RELEASES = DEPLOYS | {"deploy-pipeline", "publish-image"}
_INFRASTRUCTURE = frozenset({"deploy-infra"})
_PRODUCTION = regex(r"prod|live|release", re.I)


def delivered(context: Context, runs: list[Run]) -> Iterator[Signal]:
    """Signals of the family cd, and approvals of releases, that the runs of CI and applications of Argo CD show."""
    ending = [run for run in runs if ends_with_job(context, run)]
    runs = [run for run in runs if run not in ending] if ending else runs
    yield from unique(signal for run in runs for signal in _deployments(context, run))
    yield from unique(_ended(context, ending))
    yield from unique(synced(context))
    yield from unique(restarted(context))
    yield from unique(_approvals(context, runs))
    yield from _environments(context, runs)


def _deployments(context: Context, run: Run) -> Iterator[Signal]:
    stack, workflow = _stack(context, run), deployed_pipeline(context, run)
    wanted = frozenset(AUTOMATIC)
    broken = broken_build(context, run)
    for use in _released(context, run, stack, workflow):
        does = set(use.does)
        grade, reason = graded(run, wanted, blocking=False)
        where = (
            ()
            if use.location == run.location
            else (context.evidence(use.location.path, use.location.line, Hop.EFFECT),)
        )
        evidence = chain(context, run, *where)
        image_only = "publish-image" in does and not does & (DEPLOYS | {"register", "deploy-pipeline"})
        if broken and (does & (DEPLOYS | {"publish-image", "build-image"}) or use is stack):
            yield Signal("cd/model-deploy", use.tool, Grade.TRACE, evidence, reason=broken, fixed=True)
        elif image_only and pushes_no_model(context, run):
            reason = "the image that is pushed holds nothing that makes or asks a model"
            yield Signal("cd/model-deploy", use.tool, Grade.TRACE, evidence, reason=reason, fixed=True)
        elif does & DEPLOYS and use is not stack and rolls_out_no_model(context, run):
            reason = "what is rolled out holds nothing that makes or asks a model"
            yield Signal("cd/model-deploy", use.tool, Grade.TRACE, evidence, reason=reason, fixed=True)
        elif does & DEPLOYS or use is stack or "publish-image" in does or ("register" in does and run.words):
            yield Signal("cd/model-deploy", use.tool, grade, evidence, Confidence.MEDIUM, reason, fixed=True)
        elif "build-image" in does:
            yield Signal(
                "cd/model-deploy",
                use.tool,
                Grade.TRACE,
                evidence,
                reason="an image is built but not pushed or rolled out",
                fixed=True,
            )
        if "deploy-pipeline" in does or use is workflow:
            yield Signal("cd/pipeline-deploy", use.tool, grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _ended(context: Context, runs: list[Run]) -> Iterator[Signal]:
    """Services that run no longer than the job that starts them, as for tests."""
    for run in runs:
        use = next((use for use in run.uses if not DEPLOYS.isdisjoint(use.does)), None)
        if use is not None:
            evidence = chain(context, run)
            yield Signal("cd/model-deploy", use.tool, Grade.TRACE, evidence, reason=ENDS_WITH_JOB, fixed=True)


def _stack(context: Context, run: Run) -> Use | None:
    """What serves a model in what a command of infrastructure as code brings up; or None."""
    return deployed(context, run) or deployed_function(context, run)


def _released(context: Context, run: Run, *brought: Use | None) -> Iterator[Use]:
    """The uses by which a run may release something: its commands, the code they reach, the template they deploy.

    `brought` is what that template brings (see `deployed` and `deployed_pipeline`).
    """
    yield from run.uses
    sought = DEPLOYS | {"deploy-pipeline"}
    code = None if run.tests else context.does(context.automation.reached(run), sought)
    code = code or context.does(run.entries, sought)  # programs in other languages have no calls to follow
    yield from (use for use in dict.fromkeys((code, *brought)) if use is not None)


def _releases(context: Context, run: Run, activities: frozenset[str]) -> bool:
    """Whether a run does one of the activities, or deploys a template that brings a model's service."""
    brought = [use for use in (_stack(context, run), deployed_pipeline(context, run)) if use is not None]
    return any(
        any(use is one for one in brought) or not activities.isdisjoint(use.does)
        for use in _released(context, run, *brought)
    )


def _approvals(context: Context, runs: list[Run]) -> Iterator[Signal]:
    """Deployments before which the pipeline itself asks a person."""
    for run in runs:
        if run.start.approval and not run.start.blocked and _releases(context, run, _RELEASES | {"deploy-infra"}):
            evidence = (*_asked(context, run), *chain(context, run))
            yield Signal("governance/approval", "ci", Grade.WIRED, evidence, fixed=True)


def _asked(context: Context, run: Run) -> Iterator[Evidence]:
    """The place at which the pipeline of a run asks a person, where that is known."""
    start = run.start
    for job in context.automation.declared(start.workflow, start.job):
        if job.approval == start.approval and job.approval_line:
            yield context.evidence(start.workflow, job.approval_line)
            return


def _environments(context: Context, runs: list[Run]) -> Iterator[Signal]:
    """Signals for what environments say that jobs name: several are stages, one in production may ask a reviewer."""
    deploying = [r for r in runs if r.start.environment and _releases(context, r, _RELEASES)]
    names = dict.fromkeys(name for run in deploying for name in environments(run.start.environment))
    places = _jobs_of(context, deploying)
    if len(names) >= 2:
        yield Signal("cd/environments", "ci", Grade.WIRED, places, reason="", fixed=True)
    elif (unnamed := _unnamed_stages(context, runs)) is not None:
        yield unnamed
    elif names:
        name = next(iter(names))
        computed = f"`{name}` is filled in when the job runs; whether it stands for several environments is not seen"
        reason = computed if "$" in name else "one named environment; a staged promotion needs two"
        yield Signal("cd/environments", "ci", Grade.TRACE, places, reason=reason, fixed=True)
    if not names:  # then what the service runs on, where that is set up by code
        deploying = [r for r in runs if r.start.environment and _releases(context, r, _INFRASTRUCTURE)]
        names = dict.fromkeys(run.start.environment for run in deploying)
        places = _jobs_of(context, deploying)
    if names:
        name = next(iter(names))
        reason = (
            f"a job deploys to the environment `{name}`; whether a reviewer must approve is set in the forge, not here"
        )
        guarded = any(_PRODUCTION.search(name) for name in names)
        yield Signal(
            "governance/approval",
            "ci",
            Grade.IMPLEMENTED if guarded else Grade.TRACE,
            places,
            Confidence.MEDIUM,
            reason,
            fixed=True,
        )


def _unnamed_stages(context: Context, runs: list[Run]) -> Signal | None:
    """The signal that releases to production follow some to another stage, where only commands or jobs say so."""
    found = staged(r for r in runs if stage_of(r) and _releases(context, r, DEPLOYS | {"deploy-pipeline"}))
    if found is None:
        return None
    evidence = tuple(context.evidence(run.location.path, run.location.line) for run in (found.before, found.last))
    grade, reason = graded(found.before, frozenset(AUTOMATIC), blocking=False)
    return Signal("cd/environments", "ci", grade, evidence, Confidence.MEDIUM, reason, fixed=True)


def _jobs_of(context: Context, runs: list[Run]) -> tuple[Evidence, ...]:
    """The first jobs of some runs, where each names its environment if that line is known."""
    lines = {(w.path, job.id): job.environment_line or job.line for w in context.automation.workflows for job in w.jobs}
    jobs = dict.fromkeys((run.start.workflow, run.start.job) for run in runs)
    return tuple(context.evidence(job[0], lines.get(job, 1)) for job in list(jobs)[:3])
