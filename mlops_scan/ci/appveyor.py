"""AppVeyor: `appveyor.yml` or `.appveyor.yml` at the root of the repository.

Facts: https://www.appveyor.com/docs/appveyor-yml/ and https://www.appveyor.com/docs/build-configuration/ ; every push
and pull request starts a build unless the settings say otherwise; each command runs for itself and stops the build
when it fails; what fails in `on_*` changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shapes import action, end_of, is_true, items, scalars, text, within_bounds
from mlops_scan.ci.windows import as_posix
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents

_PHASES = (
    "init", "install", "before_build", "build_script", "after_build", "before_test", "test_script", "after_test",
    "before_deploy", "deploy_script", "after_deploy",
)  # fmt: skip
_AFTER = ("on_success", "on_failure", "on_finish")
_SHELLS = ("cmd", "ps", "pwsh", "sh", "bash")
_KNOWN = frozenset({*_PHASES, *_AFTER, "build", "environment", "image", "version", "deploy", "matrix"})


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """The workflow of the file; a list of configurations and `for:` give one job each."""
    for document in documents.nodes(path)[:1]:
        configurations = document.items if document.kind == "sequence" else (document,)
        jobs = within_bounds(_jobs(configurations), path, documents)
        if jobs:
            triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
            yield Workflow(path, "appveyor", document.line, "AppVeyor", triggers, jobs)


def _jobs(configurations: tuple[Node, ...]) -> Iterator[Job]:
    """A job for each configuration, and one for each of its `for:` entries, which write over a part of it."""
    for number, root in enumerate(configurations, 1):
        if root.kind != "mapping" or not _KNOWN.intersection(root.keys()):
            continue
        name = "build" if len(configurations) == 1 else f"build {number}"
        yield _job(root, root, name)
        for index, special in enumerate(items(root.get("for")), 1):
            if special.kind == "mapping":
                yield _job(special, root, f"{name} for {index}")


def _job(node: Node, root: Node, name: str) -> Job:
    images = root.get("image")
    return Job(
        id=name,
        line=node.at,
        end_line=end_of(node),
        steps=tuple(_steps(node, root)),
        may_fail=_allowed(root),
        image=images.strings()[0] if images is not None and images.strings() else "",
        triggers=tuple(_triggers(node, root)),
    )


def _triggers(node: Node, root: Node) -> Iterator[Trigger]:
    only = next((found for one in (node, root) if (found := one.path("branches", "only")) is not None), None)
    line = only.at if only is not None else root.line
    detail = " ".join(only.strings()) if only is not None else "every push and pull request"
    if not is_true(root.get("skip_non_tags")):
        yield Trigger("push", line, detail)
        yield Trigger("pull_request", line, detail)
    elif not is_true(root.get("skip_tags")):
        skipped = root.get("skip_non_tags")
        yield Trigger("tag", skipped.at if skipped is not None else line, "every tag")


def _allowed(root: Node) -> str:
    """Why a failure does not count: `allow_failures` holds for every image of the build."""
    rules = [scalars(item) for item in items(root.path("matrix", "allow_failures"))]
    images = root.get("image")
    names = set(images.strings()) if images is not None else set()
    allowed = {rule["image"] for rule in rules if set(rule) == {"image"}}
    return "every image of the build is listed in `allow_failures`" if names and names <= allowed else ""


def _steps(node: Node, root: Node) -> Iterator[Step]:
    for phase in (*_PHASES, *_AFTER):
        own = node.get(phase)
        for step in _commands(own if own is not None else root.get(phase)):
            reason = f"a failure in `{phase}` does not fail the build" if phase in _AFTER else ""
            yield replace(step, name=phase, may_fail=reason)
    for item in items(root.get("deploy")):
        provider = text(item.get("provider"))
        if provider:
            yield action(item, f"appveyor/{provider}", scalars(item))


def _commands(node: Node | None) -> Iterator[Step]:
    """Each command as a step: a bare one is for `cmd`, the others name their shell."""
    folder = ""
    for item in items(node):
        shell, script = next(((key, found) for key in _SHELLS if (found := item.get(key)) is not None), ("cmd", item))
        if not text(script) or text(script).lower() in ("off", "false", "true"):
            continue
        plain = text(script) if shell in ("sh", "bash") else as_posix(text(script))
        yield Step(
            script.text_line, max(script.text_line, script.end_line), script=plain, script_line=script.text_line,
            folder=folder, errexit=False,
        )  # fmt: skip
        moved = re.fullmatch(r"\s*(?:cd|pushd)\s+(?:/d\s+)?([\w./-]+)\s*", plain)
        if moved is not None and not moved.group(1).startswith("/"):
            folder = f"{folder}/{moved.group(1)}" if folder else moved.group(1)
