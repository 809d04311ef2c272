"""Jobs of CI that cannot succeed: they build an image, or fill in a definition, from a file that is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.automation.images import ENGINES, built
from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.ciruns import elsewhere, fetches
from mlops_scan.detectors.kept import kept
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Evidence, Hop, Location, Problem

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile, Instruction

_Job = tuple[str, str]

_GIVEN = {"aws-actions/amazon-ecs-render-task-definition": "task-definition="}
"""Actions that fail without a file, and the input that names it.

Fact: https://github.com/aws-actions/amazon-ecs-render-task-definition (`task-definition` is the path of a file)
"""

_BUILDS = "docker/build-push-action"
_PLAIN_ACTIONS = (
    "actions/checkout", "actions/setup-", "docker/", "aws-actions/", "azure/login", "google-github-actions/",
)  # fmt: skip
"""The beginnings of actions that leave no file where an image is built from."""
_PLAIN_COMMANDS = frozenset({"docker", "podman", "echo", "printf", "true", "export", "set", "sleep", "date", "pwd"})
MOVES = regex(r"(?:^|[\s;&(])(?:cd|pushd)\s")
_FROM_STAGE = regex(r"--from=(\S+)")
_NOT_PLAIN = ("$", "*", "?", "[", "{", "<", "://", '"', "'", "\\", "..")
_MAX_RUNS = 1_000  # commands of a job looked at


class Broken(Struct, frozen=True):
    """Why a job of CI fails, and where; of an image the file that it copies and the instruction that does."""

    reason: str
    place: Location | None = None  # None where it needs another job
    copied: str = ""
    instruction: Evidence | None = None
    dockerfile: str = ""  # what an action does not find; of commands the resolution tells that


def broken_build(context: Context, run: Run) -> str:
    """Why a run of CI does not happen: its job, or one that this needs, works on a file that is not there."""
    broken = _broken(context).get((run.start.workflow, run.start.job))
    if broken is None:
        return ""
    place = broken.place
    before = place is not None and place.path == run.location.path and run.location.line < place.line
    return "" if before else broken.reason


def incomplete_images(context: Context) -> Iterator[Problem]:
    """Images that CI builds without their Dockerfile, or with one that copies what is not there; each once."""
    seen = set()
    told = {run.location for run in context.automation.runs if run.missing}  # as what any command does not find
    for broken in _broken(context).values():
        if broken.dockerfile and broken.place is not None and broken.place not in told:
            message = f"This builds an image from `{broken.dockerfile}`, which is not in the repository."
            yield Problem("MLS303", message, broken.place)
        if broken.instruction is not None and broken.place is not None and broken.instruction.location not in seen:
            seen.add(broken.instruction.location)
            message = f"This builds an image that copies `{broken.copied}`, which is not in the repository."
            yield Problem("MLS303", message, broken.place, (broken.instruction,))


@kept
def _broken(context: Context) -> Mapping[_Job, Broken]:
    """The jobs that fail at a build or a definition of their own, and those that need them."""
    found: dict[_Job, Broken] = {}
    for run in context.automation.runs:
        job = (run.start.workflow, run.start.job)
        if run.start.kind == "ci" and not run.toothless and job not in found:
            broken = _without_file(context, run) or _without_copy(context, run)
            if broken is not None:
                found[job] = broken
    for workflow in context.automation.workflows if found else ():
        for _ in workflow.jobs:
            needing = {
                (workflow.path, job.id): Broken(f"it needs job `{name}`: {found[workflow.path, name].reason}")
                for job in workflow.jobs
                for name in job.needs
                if (workflow.path, name) in found and (workflow.path, job.id) not in found and not job.condition
            }
            if not needing:
                break
            found.update(needing)
    return found


def _without_file(context: Context, run: Run) -> Broken | None:
    """Why a build without its Dockerfile, or an action without its definition, fails."""
    what, missing, sure = "the image is built from", "", False
    if run.words[:1] and run.words[0] in ENGINES and "build" in run.words[:4]:
        missing = run.missing
    elif run.words[:2] == ("uses", _BUILDS):
        missing = _no_dockerfile(context, run)
        sure = "/" not in missing  # the root is no folder of a template that lies deeper
    elif run.words[:1] == ("uses",) and (name := _GIVEN.get(run.words[1])):
        what = "a step needs"
        given = next((word.removeprefix(name) for word in run.words[2:] if word.startswith(name)), "")
        if given and context.resolver.paths.existing(given, "", run.location.path) is None:
            missing = context.resolver.paths.missing(given, "", run.location.path)
    if not missing or (not sure and elsewhere(context, missing)) or fetches(context, run.start.workflow, run.start.job):
        return None
    reason = f"{what} `{missing}`, which is not in the repository"
    return Broken(reason, run.location, dockerfile=missing if run.words[1:2] == (_BUILDS,) else "")


def _no_dockerfile(context: Context, run: Run) -> str:
    """The Dockerfile that the action which builds an image does not find, or empty.

    Facts: without `file` it is that of the context, and `file` is a path of the repository;
    https://github.com/docker/build-push-action#inputs; where there is no `Dockerfile`, `dockerfile` is read as well:
    https://github.com/docker/buildx/blob/master/build/opt.go (`handleLowercaseDockerfile`)
    """
    given = dict(word.partition("=")[::2] for word in run.words[2:])
    root = given.get("context", ".")
    name = given.get("file") or f"{root.rstrip('/')}/Dockerfile"
    if has_any(f"{root} {name}", _NOT_PLAIN) or _may_make_files(context, run):
        return ""
    home = run.start.workflow.partition("/.")[0] if "/." in run.start.workflow else ""  # of a template, its folder
    path = join(home, name)
    beside = path.removesuffix("Dockerfile") + "dockerfile"
    known = path in context.documents.files or (not given.get("file") and beside in context.documents.files)
    return "" if known else path


# -- what images copy ------------------------------------------------------------------------------------------------


def _without_copy(context: Context, run: Run) -> Broken | None:
    """Why the build of an image fails that copies what is not there, in a job that makes no files before."""
    if not (run.words[:1] and run.words[0] in ENGINES) or run.missing or run.location.path != run.start.workflow:
        return None
    if any(word.startswith("--target") for word in run.words) or "$" in run.words[-1]:
        return None
    place = built(run.words, "", context.resolver.paths)
    document = context.documents.dockerfile(place[0]) if place is not None else None
    if place is None or document is None:
        return None
    for instruction in needed(document):
        source = next((s for s in plain_sources(instruction) if not _is_there(context, join(place[1], s))), "")
        if source and not _may_make_files(context, run):
            line = context.evidence(place[0], instruction.line, Hop.DEFINITION, instruction.end_line)
            reason = f"the image copies `{join(place[1], source)}`, which is not in the repository"
            return Broken(reason, run.location, join(place[1], source), line)
    return None


def needed(document: Dockerfile) -> Iterator[Instruction]:
    """The instructions that copy files from the folder of the build, in the stages that the last one needs."""
    stages: list[list[Instruction]] = []
    for instruction in document.instructions:
        if instruction.name == "FROM":
            stages.append([])
        if stages:
            stages[-1].append(instruction)
    numbers = {stage.name: number for number, stage in enumerate(document.stages) if stage.name}
    todo, seen = [len(stages) - 1] if len(stages) == len(document.stages) else [], set()
    while todo:
        number = todo.pop()
        if number in seen or not 0 <= number < len(stages):
            continue
        seen.add(number)
        asked = [document.stages[number].image]
        asked += [match.group(1) for item in stages[number][1:] for match in _FROM_STAGE.finditer(item.value)]
        todo += [numbers[name] for name in asked if name in numbers]
        todo += [int(name) for name in asked if name.isdecimal()]
    for number in sorted(seen):
        yield from (i for i in stages[number] if i.name == "COPY" and "--from" not in i.value)


def plain_sources(instruction: Instruction) -> Iterator[str]:
    """The files and folders that COPY names, without those that are patterns, variables or texts."""
    value = instruction.value
    if value.startswith("[") or "<<" in value or "--parents" in value:
        return
    words = [word for word in value.split() if not word.startswith("--")]
    for word in words[:-1]:
        if not has_any(word, _NOT_PLAIN):
            yield word.lstrip("/") or "."


def _is_there(context: Context, path: str) -> bool:
    return not path or path in context.documents.files or context.resolver.paths.is_folder(path)


def _may_make_files(context: Context, run: Run) -> bool:
    """Whether a step before a build may bring files, or another folder: anything but checking out and logging in."""
    workflow, name = run.start.workflow, run.start.job
    steps = [step for job in context.automation.declared(workflow, name) for step in job.steps]
    if not steps or any(
        step.folder.strip("./") or step.uses.startswith("./") or MOVES.search(step.script) for step in steps
    ):
        return True
    if context.has_named(".gitmodules") or context.has_named(".lfsconfig"):
        return True
    earlier = context.automation.runs_of_job(workflow, name)[:_MAX_RUNS]
    return any(  # what runs in other files, a command of the workflow leads to
        not _is_plain(other.words)
        for other in earlier
        if other.location.path == workflow and other.location.line < run.location.line
    )


def _is_plain(words: tuple[str, ...]) -> bool:
    if words[:1] == ("uses",):
        moved = words[1] == "actions/checkout" and any(map(_is_other_checkout, words[2:]))
        return words[1].startswith(_PLAIN_ACTIONS) and not moved
    return bool(words) and words[0] in _PLAIN_COMMANDS and words[1:2] not in (("run",), ("cp",), ("compose",))


def _is_other_checkout(given: str) -> bool:
    """Whether an input of `actions/checkout` asks for other files than these, or puts them in a folder."""
    name, _, value = given.partition("=")
    return name in ("repository", "path") or (name == "ref" and "$" not in value)
