"""Jenkins: a `Jenkinsfile`, declarative or scripted.

Which job runs a Jenkinsfile, and when, is set on the server. A file at the root is taken to be run by a multibranch
pipeline, the usual set-up, so that every push starts it; that is marked as assumed. A file of another name or in
another folder is started by what it declares itself (`triggers`, or conditions that only a multibranch pipeline knows);
where it declares nothing, what starts it is unknown. One among documentation, examples or tests is a sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_scan.ci.jenkins_model import Draft
from mlops_scan.ci.jenkins_steps import Walker
from mlops_scan.ci.model import Job, Trigger, Workflow
from mlops_scan.documents.groovy import Statement
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.roles import strip_template
from mlops_scan.words import Role

_ASSUMED = "assumed: a multibranch pipeline runs it on every push"
_SERVER = "which Jenkins job runs this file, and when, is set on the server"
_REFUSED = "a stage of its declarative pipeline stands outside `stages`, so Jenkins refuses the file"
"""Fact: https://www.jenkins.io/doc/book/pipeline/syntax/#stages (each `stage` is in `stages`, which is required)."""
_SAMPLE = "it stands among documentation, examples or tests, where no Jenkins job looks for it"
_MULTIBRANCH = regex(
    r"\b(BRANCH_NAME|BRANCH_IS_PRIMARY|CHANGE_ID|CHANGE_TARGET|changeRequest|buildingTag)\b"
    r"|\bbranch[ \t]*(?:\([ \t]*)?['\"]"
)


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """The pipeline of a Jenkinsfile, with a job for each stage that runs something."""
    if language_of(path) not in ("", "groovy"):
        return
    statements = documents.groovy(path)
    if not statements:
        return
    walker = Walker(path, documents)
    walker.run(statements)
    sample = documents.files[path].role in (Role.DOCS, Role.EXAMPLE, Role.TEST)
    if sample and not walker.jobs.drafts:
        return
    triggers = tuple(_triggers(path, documents, walker))
    jobs = tuple(_job(draft, triggers) for draft in walker.jobs.drafts)
    unknown = _unknown(walker)
    if any(trigger.kind == "server" for trigger in triggers):
        unknown = unknown or _SERVER
    name = path.rpartition("/")[2]
    unloaded = _SAMPLE if sample else _REFUSED if _misplaced(statements) else ""
    yield Workflow(path, "jenkins", 1, name, triggers, jobs, unloaded=unloaded, unknown=unknown)


def _misplaced(statements: Sequence[Statement]) -> bool:
    """Whether a stage stands right in the block `pipeline`, which has sections only."""
    for statement in statements:
        if [element.kind for element in statement] == ["name", "{"] and statement[0].text == "pipeline":
            return any(inner[0].kind == "name" and inner[0].text == "stage" for inner in statement[1].statements)
    return False


def _triggers(path: str, documents: Documents, walker: Walker) -> Iterator[Trigger]:
    yield from dict.fromkeys(walker.settings.triggers)
    if any(trigger.kind == "push" for trigger in walker.settings.triggers):
        return
    root = strip_template(path)[0].lower() == "jenkinsfile"
    if _MULTIBRANCH.search(documents.text(path)) or (root and not walker.settings.triggers):
        yield Trigger("push", 1, _ASSUMED, assumed=True)
    elif not walker.settings.triggers:
        yield Trigger("server", 1, _SERVER, assumed=True)


def _unknown(walker: Walker) -> str:
    """Why what the pipeline runs is not known: steps that nothing in the repository defines."""
    if not walker.unknown:
        return ""
    scripts = any(step.script for job in walker.jobs.drafts for step in job.steps)
    if scripts and not walker.library:
        return ""  # a step of a plug-in that is not known by name
    names = ", ".join(f"`{name}`" for name in list(walker.unknown)[:3])
    return f"it calls {names} of a shared library that is not in the repository"


def _job(draft: Draft, triggers: tuple[Trigger, ...]) -> Job:
    inside = draft.inside
    line = inside.when_line or draft.line
    return Job(
        id=draft.id,
        line=draft.line,
        end_line=draft.end_line,
        steps=tuple(draft.steps),
        needs=draft.needs,
        condition=inside.stage_condition,
        manual=draft.manual,
        never=inside.stage_never,
        image=inside.image,
        triggers=None if inside.kinds is None else tuple(_left(inside.kinds, triggers, line, inside.stage_condition)),
    )


def _left(kinds: frozenset[str], triggers: tuple[Trigger, ...], line: int, text: str) -> Iterator[Trigger]:
    """The triggers that a `when` leaves; in a multibranch pipeline pull requests and tags start it as pushes do."""
    found = [trigger for trigger in triggers if trigger.kind in kinds]
    pushed = any(trigger.kind == "push" for trigger in triggers)
    more = [kind for kind in ("pull_request", "tag") if pushed and kind in kinds and "push" not in kinds]
    found += [Trigger(kind, line, text, assumed=True) for kind in more]
    if not found:
        only = "manual" if kinds == {"manual"} else "server"
        found.append(Trigger(only, line, text, assumed=True))
    yield from found
