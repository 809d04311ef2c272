"""Google Cloud Build: `cloudbuild.yaml`, and the trigger files that `gcloud builds triggers import` reads.

Facts: https://cloud.google.com/build/docs/build-file-schema . Triggers usually live in the project, not in the files:
without one here, or a command of it, what starts a build is not known. A step's `script` runs in a shell without `-e`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import Script, is_true, items, scalars, shell_text, text, vector, words
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.words import FOREIGN, Role

_UNKNOWN = "triggers of Cloud Build are set in the project"
_BUILDERS = regex(r"(?:gcr\.io|(?<![\w-])[\w-]+-docker\.pkg\.dev)/cloud-builders/([\w-]+)")
_GOOGLE_IMAGE = regex(r"'?((\w+\.)?gcr\.io|[\w-]+-docker\.pkg\.dev)/(cloud-builders|google\.com/cloudsdktool)/")
_KANIKO = regex(r"kaniko-project/executor")
_CLONES = regex(r"\bgit\s+clone\b|\brepos\s+clone\b", words=("clone",))
_COMMAND = regex(r"-[elux]*c")  # the entry point is a shell then
_SUBSTITUTION = regex(r"\$\{(_?[A-Z][A-Z0-9_]*)\}|\$(_?[A-Z][A-Z0-9_]*)")
_CREATES = regex(r"gcloud\s+(?:(?:alpha|beta)\s+)?builds\s+triggers\s+create\s+([\w-]+)((?:\\\n|[^\n]){0,2000})", re.I)
_SKIPPED = FOREIGN | frozenset({Role.DOCS, Role.EXAMPLE, Role.TEST, Role.DATA})
_MAX_STEPS = 500
_MAX_TRIGGERS = 200_000  # bytes of a file that can declare or create some


def is_build(node: Node) -> bool:
    """Whether a document is a build: steps that name images."""
    return any(item.get("name") is not None for item in items(node.get("steps"))) and node.get("jobs") is None


def looks_like(node: Node) -> bool:
    """Whether a document under any name is a build: one of its steps names an image of Google's registries."""
    names = (text(item.get("name")) for item in items(node.get("steps")))
    return is_build(node) and any(_GOOGLE_IMAGE.match(name) for name in names)


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """The build that a file declares, started by the triggers of the repository that name it."""
    for node in documents.nodes(path)[:1]:
        if is_build(node):
            triggers = tuple(_triggers(path, documents)) or (Trigger("server", node.line, _UNKNOWN),)
            name = path.rpartition("/")[2]
            yield Workflow(path, "cloud-build", node.line, name, triggers, (job(path, node, documents),))


def job(path: str, node: Node, documents: Documents) -> Job:
    """The steps of a build as one job; images that it lists are pushed when all of them have succeeded."""
    values = dict(scalars(node.get("substitutions")))
    found = [step for item in items(node.get("steps"))[:_MAX_STEPS] if (step := _step(item, path, values)) is not None]
    found = _in_clone(found, documents)
    images = node.get("images")
    found += [
        Step(
            image.line,
            image.line,
            "images",
            f"docker push {shlex.quote(_filled(text(image), values))}",
            image.line,
            path=path,
        )
        for image in items(images)
    ]
    return Job("build", node.line, max(node.line, node.end_line), tuple(found), unnamed=True)


def _step(node: Node, path: str, values: Mapping[str, str]) -> Step | None:
    script = _script(node, values)
    if script is None:
        return None
    folder = _filled(text(node.get("dir")), values)
    may_fail = "the step has `allowFailure: true`" if is_true(node.get("allowFailure")) else ""
    if "1" in words(node.get("allowExitCodes")):
        may_fail = "the step has `allowExitCodes` with 1"
    pairs = (item.partition("=") for item in words(node.get("env")))
    return Step(
        line=node.line,
        end_line=max(node.line, node.end_line),
        name=text(node.get("id")),
        script=script.text,
        script_line=script.line,
        may_fail=may_fail,
        folder="" if "$" in folder or folder.startswith("/") else folder,
        errexit=script.errexit,
        pipefail=script.pipefail,
        path=path,
        env={name: _filled(value, values) for name, _, value in pairs},
    )


def _in_clone(steps: list[Step], documents: Documents) -> list[Step]:
    """The steps with the folder of a clone of the repository, which the build itself makes, taken for its root.

    A build that is submitted without a source clones the repository first, and its later steps have `dir: NAME`. The
    clone is this repository where a step in that folder names one of its files by a path; another one keeps its name.
    """
    cloned = {step.folder for step in steps if step.folder and _names_own(step, documents)}
    if not cloned or not any(_CLONES.search(step.script) for step in steps):
        return steps
    return [replace(step, folder="") if step.folder in cloned else step for step in steps]


def _names_own(step: Step, documents: Documents) -> bool:
    """Whether a step runs in a folder of one name that the repository does not have, on a file that it does have."""
    files = documents.files
    inside = (word.partition("::")[0] for word in step.script.split())
    return "/" not in step.folder and any(
        "/" in name and name in files and f"{step.folder}/{name}" not in files for name in inside
    )


def _script(node: Node, values: Mapping[str, str]) -> Script | None:
    """A step's shell text: its script, the text given to a shell, or the image's own program with its arguments."""
    if node.get("script") is not None:
        return shell_text(node.get("script"), False)
    image = text(node.get("name"))
    entrypoint, arguments = _with_values(node.get("entrypoint"), values), _with_values(node.get("args"), values)
    if entrypoint is not None:
        return vector([entrypoint, arguments])
    own = _BUILDERS.search(image)
    program = own.group(1) if own is not None else "kaniko" if _KANIKO.search(image) else ""
    given = vector([arguments]) if program else _own_program(arguments)
    if given is None or not program:
        return given
    line = node.line if arguments is None else given.line
    return Script(f"{program} {shlex.join(words(arguments))}", line)


def _own_program(arguments: Node | None) -> Script | None:
    """What an image with an unknown program runs: the command line behind `-c`, else its arguments.

    Of one word the former may be the name of a configuration file.
    """
    flags = items(arguments)
    if len(flags) > 1 and _COMMAND.fullmatch(text(flags[0])) and len(text(flags[1]).split()) > 1:
        return Script(text(flags[1]), flags[1].text_line, "e" in text(flags[0]))
    return vector([arguments])


def _with_values(node: Node | None, values: Mapping[str, str]) -> Node | None:
    """A word or a list of words with the substitutions filled in."""
    if node is None or node.kind == "mapping":
        return None
    if node.kind == "sequence":
        parts = (_with_values(item, values) for item in node.items)
        return replace(node, items=tuple(part for part in parts if part is not None))
    return replace(node, value=_filled(text(node), values))


def _filled(value: str, values: Mapping[str, str]) -> str:
    """A text with the substitutions filled in that the file gives a value; `$$` is a dollar sign for the shell."""

    def fill(match: re.Match[str]) -> str:
        return values.get(match.group(1) or match.group(2), match.group())

    return "$".join(_SUBSTITUTION.sub(fill, part) for part in value.split("$$"))


# -- triggers --------------------------------------------------------------------------------------------------------


def _triggers(path: str, documents: Documents) -> Iterator[Trigger]:
    """The triggers of the repository for a build file: imported ones, and those that a script creates.

    Their lines are in other files, so the build's first line stands for them.
    """
    for other, declared in documents.once(_may_trigger):
        if other == path or not documents.holds(other, path):
            continue
        if declared:
            for node in documents.nodes(other)[:20]:
                if text(node.get("filename")) == path and not is_true(node.get("disabled")):
                    yield from _imported(node)
        else:
            for kind, rest in _CREATES.findall(documents.text(other)):
                if re.search(rf"--build-config[=\s]+[\"']?{re.escape(path)}\b", rest):
                    yield Trigger(_created(kind, rest), 1, f"gcloud builds triggers create {kind}")


def _may_trigger(documents: Documents) -> tuple[tuple[str, bool], ...]:
    """The few files in which triggers of builds can stand, each with whether they are declared or created there."""
    found = []
    for path, file in documents.files.items():
        language = language_of(path)
        declared = language in ("yaml", "json")
        if file.role in _SKIPPED or file.size > _MAX_TRIGGERS or not (declared or language in ("shell", "makefile")):
            continue
        if documents.holds(path, "filename" if declared else "triggers"):
            found.append((path, declared))
    return tuple(found)


def _imported(node: Node) -> Iterator[Trigger]:
    source = node.get("github") or node.get("repositoryEventConfig") or node.get("bitbucketServerTriggerConfig")
    pushed = source.get("push") if source is not None else node.get("triggerTemplate")
    included = node.get("includedFiles")
    paths = included.strings() if included is not None else ()
    if source is not None and source.get("pullRequest") is not None:
        yield Trigger("pull_request", 1, text(source.path("pullRequest", "branch")), paths=paths)
    if pushed is not None:
        tag = pushed.get("tag") or pushed.get("tagName")
        name = tag or pushed.get("branch") or pushed.get("branchName")
        yield Trigger("tag" if tag is not None else "push", 1, text(name), paths=paths)
    for key in ("pubsubConfig", "webhookConfig"):
        if node.get(key) is not None:
            yield Trigger("external", 1, key)
    if node.get("sourceToBuild") is not None and node.get("pubsubConfig") is None and node.get("webhookConfig") is None:
        yield Trigger("manual", 1, "a manual trigger")


def _created(kind: str, rest: str) -> str:
    if kind in ("pubsub", "webhook"):
        return "external"
    if kind == "manual":
        return "manual"
    return "pull_request" if "--pull-request-pattern" in rest else "tag" if "--tag-pattern" in rest else "push"
