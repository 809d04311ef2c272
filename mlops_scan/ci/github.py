"""GitHub Actions, and Gitea and Forgejo, which read the same format.

Facts: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

EVENTS = {
    "push": "push", "pull_request": "pull_request", "pull_request_target": "pull_request", "merge_group": "merge_queue",
    "schedule": "schedule", "workflow_dispatch": "manual", "workflow_call": "called", "workflow_run": "chained",
    "repository_dispatch": "external", "release": "release", "create": "push", "issue_comment": "manual",
    "deployment": "external", "deployment_status": "external", "registry_package": "external", "issues": "other",
}  # fmt: skip
_ASKS = frozenset({"trstringer/manual-approval"})
_FALSE = regex(r"\s*(?:\$\{\{\s*)?(?:false|0)\s*(?:&&[^|]*|\}\}\s*)?", words=("false", "0"))
_ERREXIT = regex(r"\s-[a-z]*e|\s-o\s+errexit\b")
_PIPEFAIL = regex(r"\bpipefail\b")
_MATRIX = regex(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_ENV = regex(r"\$\{\{\s*env\.([\w-]{1,100})\s*\}\}")
_MAX_COMBINATIONS = 24
_MAX_VARIANTS = 8  # steps that one step of a matrix job stands for


def looks_like(node: Node) -> bool:
    """Whether a document has the shape of a workflow, wherever it stands."""
    return node.get("on") is not None and node.get("jobs") is not None


def parse(path: str, node: Node, unloaded: str = "") -> Workflow:
    """A workflow file's facts; parts that have another shape than documented are left out."""
    jobs = node.get("jobs")
    defaults = node.path("defaults", "run")
    env = _mapping(node.get("env"))
    return Workflow(
        path=path,
        provider="github-actions",
        line=node.line,
        name=_text(node.get("name")) or path.rpartition("/")[2],
        triggers=_triggers(node.get("on")),
        jobs=_approved(tuple(_job(name, job, defaults, env) for name, job in _entries(jobs) if job.kind == "mapping")),
        unloaded=unloaded,
        defaults=input_defaults(node.path("on", "workflow_call", "inputs")),
    )


def input_defaults(inputs: Node | None) -> Mapping[str, str]:
    """The values that inputs of a workflow or an action have where nobody gives them."""
    found = ((name, item.get("default")) for name, item in _entries(inputs))
    return {name: _text(value) for name, value in found if value is not None and value.kind == "scalar"}


def parse_action(node: Node, folder: str) -> tuple[Step, ...]:
    """The steps of a composite action (`action.yml`)."""
    steps = node.path("runs", "steps")
    return tuple(_step(step, folder, "", {}) for step in _items(steps) if step.kind == "mapping")


# -- triggers --------------------------------------------------------------------------------------------------------


def _triggers(node: Node | None) -> tuple[Trigger, ...]:
    if node is None:
        return ()
    if node.kind == "mapping":
        return tuple(trigger for name, event in node.entries for trigger in _event(name, event))
    names = node.items if node.kind == "sequence" else (node,)
    return tuple(Trigger(EVENTS.get(_text(item), "other"), item.line, _text(item)) for item in names if _text(item))


def _event(name: str, event: Node) -> Iterator[Trigger]:
    if name == "schedule":
        for item in event.items:
            cron = item.get("cron")
            if cron is not None and _text(cron):
                yield Trigger("schedule", cron.at, _text(cron))
        return
    kind, detail = EVENTS.get(name, "other"), name
    if name == "push":
        branches = event.get("branches") or event.get("branches-ignore")
        tags, ignored = event.get("tags"), event.get("tags-ignore")
        if tags is not None:
            yield Trigger("tag", tags.at, " ".join(tags.strings()))
        elif branches is None and ignored is not None and "**" in ignored.strings():
            yield Trigger("never", ignored.at, "its `push` has only a filter of tags, which leaves out all of them")
        elif branches is None and ignored is not None:
            yield Trigger("tag", ignored.at, "all but " + " ".join(ignored.strings()))
        if branches is None and (tags is not None or ignored is not None):
            return  # a push with tag filters only is not started by branches
    narrowed = event.get("workflows") or event.get("branches") or event.get("types")
    if narrowed is not None and narrowed.strings():
        detail = " ".join(narrowed.strings())
    yield Trigger(kind, event.at, detail, paths=_strings(event.get("paths")))


# -- jobs and steps --------------------------------------------------------------------------------------------------


def _job(name: str, node: Node, defaults: Node | None, outer: Mapping[str, str]) -> Job:
    condition, environment = _text(node.get("if")), node.get("environment")
    folder = _text(node.path("defaults", "run", "working-directory")) or _text(_get(defaults, "working-directory"))
    shell = _text(node.path("defaults", "run", "shell")) or _text(_get(defaults, "shell"))
    combinations = _combinations(node.path("strategy", "matrix"))
    env = {**outer, **_mapping(node.get("env"))}
    return Job(
        id=name,
        line=node.at,
        end_line=max(node.end_line, node.at),
        steps=tuple(
            variant
            for step in _items(node.get("steps"))
            if step.kind == "mapping"
            for variant in _variants(_step(step, folder, shell, env), combinations)
        ),
        needs=_strings(node.get("needs")),
        condition=condition,
        environment=_named(environment, "name"),
        environment_line=environment.at if environment is not None else 0,
        may_fail=_may_fail(node, "the job has `continue-on-error: true`"),
        never=f"`if: {condition}` is never true" if _FALSE.fullmatch(condition) else "",
        uses=_text(node.get("uses")),
        inputs=_mapping(node.get("with")) if node.get("uses") is not None else {},
        image=_named(node.get("container"), "image"),
        runner=" ".join(_strings(node.path("runs-on", "labels") or node.get("runs-on"))),
    )


def _approved(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """The jobs, those that wait for an issue in which somebody agrees with that as their approval.

    It is asked by a step of the job itself or of one that it needs; https://github.com/trstringer/manual-approval
    """
    asking = {job.id: step.line for job in jobs for step in job.steps if step.uses.partition("@")[0] in _ASKS}
    found = ((job, min(asking.keys() & {job.id, *job.needs}, default="")) for job in jobs) if asking else ()
    approved = {
        job.id: replace(job, approval=f"job `{name}`", approval_line=asking[name]) for job, name in found if name
    }
    return tuple(approved.get(job.id, job) for job in jobs)


def _step(node: Node, folder: str, shell: str, outer: Mapping[str, str]) -> Step:
    run = node.get("run")
    env = {**outer, **_mapping(node.get("env"))}
    shell = _text(node.get("shell")) or shell
    condition = _text(node.get("if"))
    return Step(
        line=node.at,
        end_line=max(node.at, node.end_line),
        name=_text(node.get("name")),
        script="" if shell.startswith("python") else _with_env(_text(run), env),  # that would be Python, not shell
        script_line=run.text_line if run is not None else node.at,
        uses=_text(node.get("uses")),
        inputs=_mapping(node.get("with")),
        condition=condition,
        may_fail=_may_fail(node, "the step has `continue-on-error: true`"),
        never=f"the step's `if: {condition}` is never true" if _FALSE.fullmatch(condition) else "",
        folder=_with_env(_text(node.get("working-directory")) or folder, env),
        env=env,
        errexit="{0}" not in shell or not re.match(r"\S*sh\b", shell) or _ERREXIT.search(shell) is not None,
        pipefail=shell == "bash" or _PIPEFAIL.search(shell) is not None,
    )


def _combinations(matrix: Node | None) -> tuple[Mapping[str, str], ...]:
    """The literal values of a job's matrix; the first ones of a large matrix, none where expressions make it."""
    axes = {
        name: values.strings()
        for name, values in _entries(matrix)
        if name not in ("include", "exclude") and values.kind == "sequence" and values.strings()
    }
    found = (
        [dict(zip(axes, values, strict=False)) for values in islice(product(*axes.values()), _MAX_COMBINATIONS)]
        if axes
        else []
    )
    for item in _items(matrix.get("include") if matrix is not None else None)[:_MAX_COMBINATIONS]:
        extra = _mapping(item)
        added = False
        for combination in found:
            if all(combination.get(name, value) == value for name, value in extra.items() if name in axes):
                combination.update({name: value for name, value in extra.items() if name not in axes})
                added = True
        if not added:
            found.append(dict(extra))
    return tuple(found)


def _variants(step: Step, combinations: tuple[Mapping[str, str], ...]) -> tuple[Step, ...]:
    """The step as a matrix job runs it: one for each different text of its script and folder.

    Those may also name a variable to which the workflow gives a value of the matrix.
    """
    text = f"{step.script}\n{step.folder}"
    named = [name for name, value in step.env.items() if name in text and _MATRIX.search(value)] if combinations else []
    if not combinations or not (named or _MATRIX.search(text)):
        return (step,)
    texts: dict[tuple[str, str, tuple[str, ...]], None] = {}
    for values in combinations:
        given = {name: _filled(step.env[name], values) for name in named}
        script, folder = (_with_env(_filled(part, values), given) for part in (step.script, step.folder))
        texts[script, folder, tuple(given.values())] = None
    return tuple(
        replace(step, script=script, folder=folder, env={**step.env, **dict(zip(named, given, strict=True))})
        for script, folder, given in list(texts)[:_MAX_VARIANTS]
    )


def _with_env(text: str, env: Mapping[str, str]) -> str:
    """The text with `${{ env.NAME }}` filled in where the workflow gives a constant."""

    def fill(match: re.Match[str]) -> str:
        value = env.get(match.group(1), "$")
        return match.group() if "$" in value or "\n" in value else value

    return _ENV.sub(fill, text) if "env." in text else text


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _MATRIX.sub(lambda match: values.get(match.group(1), match.group()), text)


# -- small shapes ----------------------------------------------------------------------------------------------------


def _may_fail(node: Node, reason: str) -> str:
    flag = node.get("continue-on-error")
    return reason if flag is not None and (flag.value is True or _text(flag) in ("true", "${{ true }}")) else ""


def _text(node: Node | None) -> str:
    if node is None or node.kind != "scalar":
        return ""
    return node.value if isinstance(node.value, str) else node.text


def _named(node: Node | None, key: str) -> str:
    """A scalar, or the scalar that a mapping has under `key`."""
    return _text(node.get(key) if node is not None and node.kind == "mapping" else node)


def _get(node: Node | None, key: str) -> Node | None:
    return node.get(key) if node is not None else None


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if node is not None else ()


def _entries(node: Node | None) -> tuple[tuple[str, Node], ...]:
    return node.entries if node is not None else ()


def _strings(node: Node | None) -> tuple[str, ...]:
    return () if node is None else node.strings()


def _mapping(node: Node | None) -> Mapping[str, str]:
    return {name: _text(value) for name, value in _entries(node) if value.kind == "scalar"}
