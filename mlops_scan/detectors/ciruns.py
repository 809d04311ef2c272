"""What a run of CI is worth as evidence: does it start by itself, does its failure count, and what shows it."""

from __future__ import annotations

from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.programs import SERVERS
from mlops_scan.ci.model import ON_CHANGE
from mlops_scan.detectors.base import Context
from mlops_scan.words import Confidence, Evidence, Grade, Hop

_ANSWERS = frozenset({"load-model", "predict", "llm-call"})
_MANY = 4  # kinds of triggers that a sentence does not name one by one
_TESTING = "model/testing"
_FETCHES = ("git", "svn", "wget", "curl", "gh", "unzip", "tar", "dvc", "aws", "gsutil", "az")


def graded(run: Run, wanted: frozenset[str], blocking: bool = True) -> tuple[Grade, str]:
    """The grade that a CI run's start and effect allow, with the reason when it is below wired.

    A check that must happen on every change (`blocking`) is a trace when only a person can start it; a deployment is
    then still implemented. Where what starts a build is set on the server (Cloud Build, CodeBuild), what it does is
    implemented and never wired; of a definition that a server may not even load (`assumed`) a check is unknown.
    """
    start = run.start
    if start.unknown:
        open_ = blocking and start.assumed
        return (Grade.UNKNOWN if open_ else Grade.IMPLEMENTED), start.held
    if start.blocked:
        by_hand = start.blocked.startswith(("only a person", "a person"))
        return (Grade.IMPLEMENTED if by_hand and not blocking else Grade.TRACE), start.held
    if not start.triggers & wanted:
        reason = f"{start.named} is not started by {_wanted(wanted)}"
        return (Grade.TRACE if blocking else Grade.IMPLEMENTED), reason
    if blocking and run.tests and run.unresolved:
        return Grade.IMPLEMENTED, f"what it does with the tests is not seen: {run.unresolved}"
    if blocking and run.toothless:
        return Grade.IMPLEMENTED, f"its failure has no effect: {run.toothless}"
    return Grade.WIRED, ""


def _wanted(kinds: frozenset[str]) -> str:
    """Triggers as the object of a sentence."""
    if kinds == ON_CHANGE:
        return "a push or a pull request"
    return " or ".join(f"a {kind.replace('_', ' ')}" for kind in sorted(kinds)) if len(kinds) < _MANY else "automation"


def confidence_of(run: Run, found: Confidence) -> Confidence:
    """The confidence of a claim about a run: medium at most where what starts it, or runs its tests, is not seen."""
    unsure = run.start.assumed or run.start.unknown or bool(run.tests and run.unresolved)
    return Confidence.MEDIUM if unsure and found is Confidence.HIGH else found


def chain(context: Context, run: Run, *more: Evidence) -> tuple[Evidence, ...]:
    """The evidence of a CI run: the command first, then the trigger, the hops between, and what it reaches."""
    command = context.evidence(run.location.path, run.location.line, Hop.USE, run.location.end_line)
    return (command, *(context.shown(e) for e in run.chain), *more)


def evaluates(context: Context, run: Run) -> Evidence | None:
    """Where code that a run reaches evaluates, or has a library test, what a model answers that it loads or asks."""
    reached = context.automation.reached(run) if run.entries else {}
    if context.does(reached, _ANSWERS) is None:
        return None
    use = context.does(reached, {"evaluate"}) or next(
        (use for node in reached for use in context.by_node.get(node, ()) if _TESTING in use.serves), None
    )
    return context.evidence(use.location.path, use.location.line, Hop.EFFECT) if use is not None else None


def serves(run: Run) -> bool:
    """Whether a command starts a service, which does its work only when somebody asks for it."""
    return run.words[:1] != () and (run.words[0] in SERVERS or any("serve" in use.does for use in run.uses))


def job_of(context: Context, start: Start, path: str = "") -> str:
    """The job of a start as the subject of a sentence; where the file gives it no name, the pipeline.

    `path` is the file that the sentence is about; the workflow is named where that is another one.
    """
    unnamed = any(job.unnamed for job in context.automation.declared(start.workflow, start.job))
    if path and path != start.workflow:
        workflow = start.workflow.rpartition("/")[2]
        return f"The pipeline of `{workflow}`" if unnamed else f"Job `{start.job}` of `{workflow}`"
    return "This pipeline" if unnamed else f"Job `{start.job}`"


def fetches(context: Context, workflow: str, job: str) -> bool:
    """Whether a command of a job brings files that are not in the repository."""
    return any(map(brings_files, {run.words for run in context.automation.runs_of_job(workflow, job)}))


def brings_files(words: tuple[str, ...]) -> bool:
    """Whether a command, or the check-out of another repository, brings files from elsewhere."""
    if words[:1] == ("uses",):
        return any(word.startswith(("repository=", "path=")) for word in words)
    return bool(words) and words[0] in _FETCHES


def elsewhere(context: Context, path: str) -> bool:
    """Whether a file of the name is elsewhere: the command may run in a folder that was not followed.

    Many files are called `Dockerfile`: of these the folder has to be the same as well.
    """
    folder, _, name = path.rpartition("/")
    if name == "Dockerfile" and folder:
        return context.resolver.paths.has(f"{folder.rpartition('/')[2]}/{name}")
    return context.has_named(name)
