"""Travis CI: `.travis.yml` at the root of the repository.

Facts: https://docs.travis-ci.com/user/job-lifecycle/ and https://config.travis-ci.com/ ; pushes and pull requests
start a build unless the settings say otherwise, crons are set there too; each command runs for itself, all of
`script` run and the job fails if one of them failed; what fails in `after_*` changes nothing.
https://docs.travis-ci.com/user/environment-variables/ : each item of `env` is one job of the matrix, with all the
variables of its line; those of `env.global` are in every job, and a listed job without any has the first item's.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shapes import action, condition, end_of, is_true, items, scalars, separate, text, within_bounds
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import has_any, regex

_PHASES = ("before_install", "install", "before_script", "script", "before_cache")
_AFTER = ("after_success", "after_failure", "after_script")
_KNOWN = frozenset({*_PHASES, *_AFTER, "language", "jobs", "matrix", "os", "dist", "env", "deploy", "python"})
_AXES = ("python", "env", "os", "dist", "arch", "compiler", "node_js", "r", "julia", "jdk", "scala", "rvm", "go")
_TYPES = {"cron": "schedule", "pull_request": "pull_request", "push": "push", "api": "external"}
_TYPE = regex(r"\btype\s*(=|!=|IS\s+NOT)\s*(\w+)", re.I)
_TYPE_IN = regex(r"\btype\s+(NOT\s+)?IN\s*\(([^)]{0,500})\)", re.I)
_TAG = regex(r"\btag\s*(IS\s+(present|NOT\s+blank)|=~|=)", re.I)
_MAX_COMBINATIONS = 200
_MAX_DEPLOYMENTS = 50
_MAX_VARIANTS = 8  # steps that one step of the matrix stands for
_VARIABLE = regex(r"\$(?:\{(\w{1,100})\}|(\w{1,100}))")


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """The one workflow of the file."""
    for document in documents.nodes(path)[:1]:
        if document.kind != "mapping" or not _KNOWN.intersection(document.keys()):
            continue
        build = _Build(document)
        jobs = within_bounds(build.jobs(), path, documents)
        triggers = tuple(dict.fromkeys(trigger for job in jobs for trigger in job.triggers or ()))
        imported = "it imports a configuration" if document.get("import") is not None else ""
        yield Workflow(path, "travis", document.line, "Travis CI", triggers, jobs, unknown=imported)


class _Build(Struct):
    """One configuration: what all jobs share, the jobs of the matrix, and those listed one by one."""

    root: Node

    def jobs(self) -> Iterator[Job]:
        """The job that stands for the matrix, then the listed jobs in order."""
        listed = self._matrix("include")
        axes = [key for key in _AXES if self.root.get(key) is not None]
        if self.root.get("script") is not None and (not listed or axes):
            yield from self._job(self.root, "script", self._allowed_all(), "test")
        stage = "test"
        for number, node in enumerate(listed, 1):
            stage = text(node.get("stage")) or stage
            name = text(node.get("name")) or (f"{stage} {number}" if len(listed) > 1 else stage)
            yield from self._job(node, name, self._allows([self._values(node, stage)]), stage)

    def _matrix(self, key: str) -> tuple[Node, ...]:
        found = (items(self.root.path(holder, key)) for holder in ("jobs", "matrix"))
        return tuple(node for nodes in found for node in nodes if node.kind == "mapping")

    # -- what may fail -----------------------------------------------------------------------------------------------

    def _allowed_all(self) -> str:
        axes: dict[str, tuple[str, ...]] = {}
        for key in _AXES:
            node = self.root.get(key)
            if key == "env" and node is not None and node.kind == "mapping":
                node = node.get("jobs") or node.get("matrix")
            if node is not None and node.strings():
                axes[key] = node.strings()
        found = islice(product(*axes.values()), _MAX_COMBINATIONS)
        return self._allows([dict(zip(axes, values, strict=True)) for values in found])

    def _values(self, node: Node, stage: str) -> dict[str, str]:
        shared = {key: found[0] for key in _AXES if (v := self.root.get(key)) is not None and (found := v.strings())}
        return {**shared, **scalars(node), "stage": stage}

    def _allows(self, combinations: list[dict[str, str]]) -> str:
        """Why a failure does not count: `allow_failures` names every one of these jobs by all of its keys."""
        rules = [scalars(node) for node in self._matrix("allow_failures")[:_MAX_COMBINATIONS]]
        for values in combinations:
            if not any(rule and all(values.get(key) == value for key, value in rule.items()) for rule in rules):
                return ""
        return "the job is listed in `allow_failures`" if rules and combinations else ""

    # -- jobs --------------------------------------------------------------------------------------------------------

    def _job(self, node: Node, name: str, allowed: str, stage: str) -> Iterator[Job]:
        asked = condition(node.get("if")) or self._stage_condition(stage) or condition(self.root.get("if"))
        where = node.get("if") or node
        shared, rows = self._shared(), self._rows(node)
        job = Job(
            id=name,
            line=node.at if node is not self.root else _line(self.root, "script"),
            end_line=end_of(node),
            steps=tuple(variant for step in self._steps(node) for variant in _variants(step, shared, rows)),
            condition=asked,
            may_fail=allowed,
            never="`if: false` is never true" if asked.strip().lower() == "false" else "",
            triggers=tuple(self._triggers(asked, where)),
        )
        yield job
        if text(node.get("script")) != "skip" or node.get("deploy") is not None:
            yield from self._deployments(node, job)

    def _rows(self, node: Node) -> tuple[Mapping[str, str], ...]:
        """The variables of each job that `node` stands for."""
        if node is self.root or (own := node.get("env")) is None:
            rows = _rows(self.root.get("env"))
            return rows if node is self.root else rows[:1]
        return (_variables(items(own)),)

    def _shared(self) -> Mapping[str, str]:
        """The variables that all jobs see."""
        env = self.root.get("env")
        return _variables(items(env.get("global"))) if env is not None and env.kind == "mapping" else {}

    def _stage_condition(self, stage: str) -> str:
        for node in items(self.root.get("stages")):
            if text(node.get("name")).lower() == stage.lower():
                return condition(node.get("if"))
        return ""

    def _triggers(self, asked: str, where: Node) -> Iterator[Trigger]:
        only = self.root.path("branches", "only")
        line = where.at if asked else only.at if only is not None else _line(self.root, "script")
        detail = asked or (" ".join(only.strings()) if only is not None else "every push and pull request")
        kinds = _kinds(asked)
        if _TAG.search(asked) and "push" in kinds:
            kinds = ["tag"]
        yield from (Trigger(kind, line, detail) for kind in kinds)

    def _steps(self, node: Node) -> Iterator[Step]:
        for phase in (*_PHASES, *_AFTER):
            own = node.get(phase)
            commands = own if own is not None else self.root.get(phase)
            if text(commands) in ("skip", "true", "false"):
                continue
            for step in separate(commands):
                reason = f"a failure in `{phase}` does not fail the job" if phase in _AFTER else ""
                yield replace(step, name=phase, may_fail=reason)

    def _deployments(self, node: Node, job: Job) -> Iterator[Job]:
        """Each `deploy` as a job of its own: it has its own condition, and never runs for pull requests."""
        deploy = node.get("deploy") if node is not self.root else self.root.get("deploy")
        if deploy is None and node is not self.root:
            deploy = self.root.get("deploy")
        for number, item in enumerate(items(deploy)[:_MAX_DEPLOYMENTS]):
            on = item.get("on") or item.get("true")  # YAML 1.1 reads a bare `on` as true
            tags = on is not None and is_true(on.get("tags"))
            kind = "tag" if tags else "push"
            found = tuple(t for t in job.triggers or () if t.kind in ("tag", "schedule"))
            started = any(t.kind in ("push", "tag") for t in job.triggers or ())
            own = (Trigger(kind, item.at, " ".join(on.get("branch").strings()) if on and on.get("branch") else ""),)  # type: ignore[union-attr]
            yield Job(
                id=f"{job.id} deploy" + (f" {number + 1}" if number else ""),
                line=item.at,
                end_line=end_of(item),
                steps=tuple(_deploy(item)),
                needs=(job.id,),
                condition=condition(on.get("condition")) if on is not None else "",
                never=job.never,
                triggers=(own if started else ()) + (() if tags else found),
            )


def _rows(env: Node | None) -> tuple[Mapping[str, str], ...]:
    """The variables of each job of the matrix; those of a mapping without `jobs` or `matrix` are all of one job."""
    if env is not None and env.kind == "mapping":
        listed = env.get("jobs") or env.get("matrix")
        env = listed if listed is not None or env.get("global") is not None else env
    return tuple(_variables((item,)) for item in items(env)[:_MAX_COMBINATIONS])


def _variables(nodes: Iterable[Node]) -> dict[str, str]:
    """The variables with constant values that items of `env` set: `A=1 B="a b"`, or a mapping."""
    found: dict[str, str] = {}
    for node in nodes:
        if node.kind == "mapping":
            found.update((name, value) for name, value in scalars(node).items() if name != "secure")
            continue
        try:
            words = shlex.split(text(node))
        except ValueError:  # an open quote
            continue
        found.update((name, value) for name, sign, value in (word.partition("=") for word in words) if sign)
    return {name: value for name, value in found.items() if name.isidentifier() and not has_any(value, ("$", "`"))}


def _variants(step: Step, shared: Mapping[str, str], rows: tuple[Mapping[str, str], ...]) -> tuple[Step, ...]:
    """The step as the jobs of a matrix run it: one for each different set of the variables that its script names."""
    named = {braced or plain for braced, plain in _VARIABLE.findall(step.script)}
    different = {tuple(row.get(name) for name in sorted(named)): row for row in reversed(rows)} if named else {}
    if not different or len(different) > _MAX_VARIANTS:
        return (replace(step, env=shared) if shared else step,)
    return tuple(replace(step, env={**shared, **row}) for row in reversed(different.values()))


def _kinds(asked: str) -> list[str]:
    """The kinds of builds for which an `if` on the build's type can hold."""
    usual = ["push", "pull_request"]
    equal = [_TYPES[name.lower()] for sign, name in _TYPE.findall(asked) if sign == "=" and name.lower() in _TYPES]
    unequal = {_TYPES.get(name.lower(), "") for sign, name in _TYPE.findall(asked) if sign != "="}
    for negated, names in _TYPE_IN.findall(asked):
        listed = [_TYPES[name.strip().lower()] for name in names.split(",") if name.strip().lower() in _TYPES]
        if negated:
            unequal.update(listed)
        else:
            equal.extend(listed)
    return [kind for kind in dict.fromkeys(equal or usual) if kind not in unequal]


def _deploy(item: Node) -> Iterator[Step]:
    provider = text(item.get("provider")) or text(item)
    script = item.get("script")
    if provider == "script" and script is not None:
        yield from separate(script)
    elif provider:
        inputs: Mapping[str, str] = scalars(item)
        yield action(item, f"travis/{provider}", inputs, f"deploy to {provider}")


def _line(root: Node, key: str) -> int:
    node = root.get(key)
    return node.at if node is not None else root.line
