"""AWS CodeBuild: build specifications, in files of their own or inside a project's definition.

Facts: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html : the entries of `commands` run in one
shell and a phase stops at the first that fails; an entry of several lines is a shell text without `set -e`. Since
version 0.2 that shell is the one of all phases, so that a `cd` holds for the next phase, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath

from msgspec.structs import replace

from mlops_scan.ci import names
from mlops_scan.ci.gitlab_script import left_in
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shape import command_list, entries, scalars, text
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.repository.folders import above, holds

_PHASES = ("install", "pre_build", "build", "post_build")
UNKNOWN = "what starts a build is set in the AWS account"


def is_spec(node: Node) -> bool:
    """Whether a document has a build specification's shape."""
    return node.get("phases") is not None and node.get("version") is not None


def steps(path: str, node: Node, folder: str = "") -> tuple[Step, ...]:
    """What the phases of a specification run; `folder` is the root of the build's sources."""
    env = scalars(node.path("env", "variables"))
    phases = dict(entries(node.get("phases")))
    found: list[Step] = []
    place = folder
    shared = text(node.get("version")) != "0.1"
    for name in _PHASES:
        phase = phases.get(name)
        if phase is None:
            continue
        goes_on = text(phase.get("on-failure")).upper() == "CONTINUE"
        may_fail = f"phase `{name}` has `on-failure: CONTINUE`" if goes_on else ""
        for key in ("commands", "finally"):
            part = phase.get(key)
            if part is None:
                continue
            own = command_list([(path, part)], place, block_errexit=False)
            found.extend(replace(step, name=name, env=env, may_fail=may_fail, path=path) for step in own)
            place = normpath(left_in(own[-1].script, own[-1].folder)) if own and shared else place
            place = "" if place == "." else place
    return tuple(found)


def job(name: str, path: str, line: int, specification: tuple[Step, ...]) -> Job:
    """The job that a build is."""
    return Job(name, max(1, line), max(1, line), specification)


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """A specification that nothing in the repository starts: what does is not known."""
    for node in documents.nodes(path)[:1]:
        if is_spec(node):
            found = job("build", path, node.line, steps(path, node, path.rpartition("/")[0]))
            found = replace(found, end_line=max(node.line, node.end_line), unnamed=True)
            trigger = Trigger("server", node.line, UNKNOWN)
            yield Workflow(path, "aws-codebuild", node.line, path.rpartition("/")[2], (trigger,), (found,))


def located(name: str, documents: Documents, near: str = "", hints: frozenset[str] = frozenset()) -> str | None:
    """The file of a specification that a project names from the root of its sources.

    The sources are usually the repository itself; else the folder at `near`, the folder with a name in `hints`, or the
    one below `near`, or below the nearest folder above it, that has such a file; of several the one that holds the
    others.
    """
    clean = name.removeprefix("./")
    for folder in ("", near):
        candidate = f"{folder}/{clean}" if folder else clean
        if candidate in documents.files:
            return candidate
    found = [path for path in documents.files if path.endswith(f"/{clean}") and re.search(names.CODE_BUILD, path)]
    hinted = [path for path in found if path[: -len(clean) - 1].rpartition("/")[2] in hints]
    if len(hinted) == 1 or len(found) < 2:
        return next(iter(hinted or found), None)
    below = next(filter(None, ([path for path in found if holds(folder, path)] for folder in above(near))))
    outer = min(below, key=len)
    return outer if all(path.startswith(outer[: -len(clean)]) for path in below) else None
