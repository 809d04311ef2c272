"""CircleCI: `.circleci/config.yml` and the configuration that a setup workflow continues with.

Facts: https://circleci.com/docs/reference/configuration-reference/ and
https://circleci.com/docs/reference/reusing-config/ ; a `run` step is `bash -eo pipefail` unless it names a shell; a
job that no workflow names never runs; without workflows only the job `build` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.ci import circleci_logic as logic
from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shapes import (
    TOO_MANY,
    action,
    child,
    end_of,
    entries,
    is_true,
    items,
    named,
    scalars,
    stops_at_errors,
    text,
)
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

_MAIN = ".circleci/config.yml"
_ELSEWHERE = "CircleCI only loads .circleci/config.yml at the root of the repository"
_BUILT_IN = frozenset(
    {"run", "checkout", "when", "unless", "steps", "store_artifacts", "store_test_results", "save_cache",
     "restore_cache", "persist_to_workspace", "attach_workspace", "setup_remote_docker", "add_ssh_keys", "deploy",
     "setup_docker_engine"}
)  # fmt: skip
_PARAMETER = regex(r"<<\s*(?:parameters|matrix)\.([\w-]+)\s*>>")
_CONDITIONAL = regex(r"<<([#^])\s*parameters\.([\w-]+)\s*>>(.{0,2000}?)<</\s*parameters\.\2\s*>>", re.DOTALL)
_MATRIX_PART = regex(r"[-_. ]?<<[^<>]*>>")  # of a job's name, which a matrix fills in
_HOME = regex(r"^(~/project|/home/circleci/project|\$CIRCLE_WORKING_DIRECTORY)(/|$)|^~$")
_MAX_DEPTH = 8
_MAX_STEPS = 2_000
_MAX_VARIANTS = 8
_MAX_FILLED = 20_000  # characters of a text in which parameters are filled in


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """One workflow for each of the configuration's workflows."""
    document = next(iter(documents.nodes(path)), None)
    if document is None or document.kind != "mapping":
        return
    if document.get("jobs") is None and document.get("workflows") is None:
        return
    configuration = _Configuration(path, document)
    for workflow in configuration.workflows():
        unloaded = workflow.unloaded or _unloaded(path, documents)
        unknown = workflow.unknown
        if not unloaded and is_true(document.get("setup")) and not _continued(path, documents):
            unknown = unknown or "a setup workflow makes the rest of the CircleCI configuration while it runs"
        yield replace(workflow, unloaded=unloaded, unknown=unknown)
    if configuration.budget < 0:
        documents.note(path, TOO_MANY)


def _unloaded(path: str, documents: Documents) -> str:
    root, _, local = path.rpartition(".circleci/")
    if root and not root.endswith("}}/"):  # the root, or that of a template
        return _ELSEWHERE
    return "" if local == "config.yml" or path in _continued(f"{root}{_MAIN}", documents) else _ELSEWHERE


def _continued(main: str, documents: Documents) -> tuple[str, ...]:
    """The configurations of the repository that the setup workflow of the main one can continue with."""
    first = next(iter(documents.nodes(main)), None) if main in documents.files else None
    if first is None or not is_true(first.get("setup")):
        return ()
    folder, written = main.rpartition("/")[0], documents.text(main)
    others = (
        other for other in documents.files if other.startswith(f"{folder}/") and other.endswith((".yml", ".yaml"))
    )
    usual = f"{folder}/continue_config.yml"
    return tuple(
        other for other in sorted(others) if other != main and (other == usual or other[len(folder) + 1 :] in written)
    )


class _Scope(Struct, frozen=True):
    """Where names are looked up: the configuration, or an orb that it defines itself."""

    node: Node
    orbs: Mapping[str, str | Node]

    def find(self, kind: str, name: str) -> tuple[Node, _Scope] | None:
        """The definition of a job, command or executor, with the scope that it stands in."""
        own = self.node.path(kind, name)
        if own is not None:
            return own, self
        orb, _, rest = name.partition("/")
        held = self.orbs.get(orb)
        if isinstance(held, Node) and rest:
            inner = held.path(kind, rest)
            return (inner, _Scope(held, _orbs(held))) if inner is not None else None
        return None

    def published(self, name: str) -> str:
        """`aws-ecr/build` with the orb's published name: `circleci/aws-ecr/build`; empty where it is no orb's."""
        orb, _, rest = name.partition("/")
        held = self.orbs.get(orb)
        return f"{held.partition('@')[0]}/{rest}" if isinstance(held, str) and rest else ""


def _orbs(node: Node) -> dict[str, str | Node]:
    return {name: value if value.kind == "mapping" else text(value) for name, value in entries(node.get("orbs"))}


class _Given(Struct, frozen=True):
    """The parameters in force: texts, and lists of steps with the scope that they were written in."""

    texts: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, tuple[Node, _Scope, _Given]] = field(default_factory=dict)

    def filled(self, written: str) -> str:
        """A text with the parameters put in; a value of several lines leaves the parameter standing."""
        if "<<" not in written or len(written) > _MAX_FILLED:
            return written
        written = _CONDITIONAL.sub(self._section, written)
        return _PARAMETER.sub(lambda match: self._value(match.group(1), match.group()), written)

    def _value(self, name: str, written: str) -> str:
        value = self.texts.get(name)
        return written if value is None or "\n" in value else value

    def _section(self, match: re.Match[str]) -> str:
        holds = self.texts.get(match.group(2), "").lower() not in ("", "false")
        return match.group(3) if holds is (match.group(1) == "#") and "\n" not in match.group(3) else ""


class _Configuration:
    """Reads workflows, jobs and steps, with commands and parameters filled in."""

    def __init__(self, path: str, node: Node) -> None:
        self.path = path
        self.node = node
        self.scope = _Scope(node, _orbs(node))
        self.budget = _MAX_STEPS

    def workflows(self) -> Iterator[Workflow]:
        """The workflows in order, then the jobs that none of them names."""
        defaults = {
            f"pipeline.parameters.{name}": text(p.get("default")) for name, p in entries(self.node.get("parameters"))
        }
        declared = [(name, node) for name, node in entries(self.node.get("workflows")) if node.kind == "mapping"]
        used: set[str] = set()
        for name, node in declared:
            started, never = logic.triggers(node, defaults)
            jobs = tuple(self._jobs(node, started, never, used))
            yield Workflow(self.path, "circleci", node.at, name, started, jobs, unknown=self._unknown(node))
        rest = tuple(self._unused(used, bool(declared)))
        if rest:
            every = (Trigger("push", self.node.line, "every push"),)
            yield Workflow(self.path, "circleci", rest[0].line, "CircleCI", every, rest)

    def _unknown(self, workflow: Node) -> str:
        """An orb's job that is not in this repository, and does what is not seen."""
        for name, _ in self._listed(workflow):
            published = self.scope.published(name)
            if published:
                return f"the job `{published}` of an orb is defined outside the repository"
        return ""

    def _unused(self, used: set[str], declared: bool) -> Iterator[Job]:
        for name, node in entries(self.node.get("jobs")):
            if name not in used and node.kind == "mapping":
                never = "" if name == "build" and not declared else "no workflow names this job"
                yield replace(self._job(node, self.scope, name, _Given(_defaults(node, {}))), never=never)

    @staticmethod
    def _listed(workflow: Node) -> Iterator[tuple[str, Node]]:
        for item in items(workflow.get("jobs")):
            if item.kind == "mapping":
                yield from item.entries[:1]
            elif text(item):
                yield text(item), item

    def _jobs(self, workflow: Node, started: tuple[Trigger, ...], never: str, used: set[str]) -> Iterator[Job]:
        """The jobs of a workflow; those that wait for an approval need a person."""
        held: set[str] = set()
        waiting: dict[str, tuple[str, ...]] = {}
        found: list[Job] = []
        for name, given in self._listed(workflow):
            label = _MATRIX_PART.sub("", text(given.get("name"))) or name
            needs = tuple(named for one in items(given.get("requires")) if (named := _required(one)))
            waiting[label] = needs
            if text(given.get("type")) == "approval" or text(self.node.path("jobs", name, "type")) == "approval":
                held.add(label)
                used.add(name)
                continue
            used.add(name)
            found.extend(
                replace(job, needs=needs, never=job.never or never, triggers=_filtered(started, given))
                for job in self._invoked(name, label, given)
            )
        held = _behind(held, waiting)
        for job in found:
            yield replace(job, manual=job.id in held)

    def _invoked(self, name: str, label: str, given: Node) -> Iterator[Job]:
        """A job as a workflow names it: its definition filled in, once for each combination of a matrix."""
        definition = self.scope.find("jobs", name)
        if definition is None:
            uses = self.scope.published(name)
            own = (action(given, uses, scalars(given)),) if uses else ()
            yield Job(label, given.at, end_of(given), own)
            return
        node, scope = definition
        before, after = (self._extra(given, key) for key in ("pre-steps", "post-steps"))
        jobs = [self._job(node, scope, label, self._given(node, given, values)) for values in _matrix(given)]
        variants = dict.fromkeys(step for job in jobs for step in map(_Same, job.steps))
        steps = tuple(same.step for same in variants)
        yield replace(jobs[0], steps=(*before, *steps, *after))

    def _extra(self, given: Node, key: str) -> tuple[Step, ...]:
        return tuple(self._steps(given.get(key), self.scope, _Given(), "", True, 0))

    def _given(self, node: Node, call: Node, values: Mapping[str, str]) -> _Given:
        steps = {
            n: (v, self.scope, _Given()) for n, v in entries(call) if v.kind == "sequence" and n not in ("requires",)
        }
        return _Given(_defaults(node, {**scalars(call), **values}), {**_default_steps(node, self.scope), **steps})

    def _job(self, node: Node, scope: _Scope, label: str, given: _Given) -> Job:
        executor = node.get("executor")
        held = scope.find("executors", given.filled(named(executor))) if executor is not None else None
        images = items(node.get("docker"))
        if held is not None and not images:
            images = items(held[0].get("docker"))
            given = replace(given, texts={**_defaults(held[0], scalars(executor)), **given.texts})
        shell = text(node.get("shell"))
        folder = given.filled(text(node.get("working_directory")))
        return Job(
            id=label,
            line=node.at,
            end_line=end_of(node),
            steps=tuple(self._steps(node.get("steps"), scope, given, folder, not shell or stops_at_errors(shell), 0)),
            image=given.filled(named(images[0], "image")) if images else "",
        )

    def _steps(
        self, listed: Node | None, scope: _Scope, given: _Given, folder: str, strict: bool, depth: int
    ) -> Iterator[Step]:
        """The steps of a list, with commands, conditions and parameters of steps opened."""
        for item in items(listed):
            self.budget -= 1
            if depth > _MAX_DEPTH or self.budget < 0:
                return
            name, settings = item.entries[0] if item.entries else (text(item), item)
            if name in ("when", "unless"):
                condition = settings.get("condition")
                value = logic.evaluate(condition, _named_values(given)) if condition is not None else None
                if value is None or value is (name == "when"):
                    yield from self._steps(settings.get("steps"), scope, given, folder, strict, depth + 1)
            elif name == "steps" or _PARAMETER.fullmatch(name.strip()):
                match = _PARAMETER.fullmatch((text(settings) if name == "steps" else name).strip())
                held = given.steps.get(match.group(1)) if match is not None else None
                if held is not None:
                    yield from self._steps(held[0], held[1], held[2], folder, strict, depth + 1)
            elif name in ("run", "deploy"):
                yield _run(settings, given, folder, strict)
            elif name not in _BUILT_IN:
                yield from self._command(name, settings, scope, given, folder, strict, depth)

    def _command(
        self, name: str, call: Node, scope: _Scope, given: _Given, folder: str, strict: bool, depth: int
    ) -> Iterator[Step]:
        found = scope.find("commands", name)
        if found is None:
            uses = scope.published(name)
            if uses:
                inputs = {key: given.filled(value) for key, value in scalars(call).items()}
                yield action(call, uses, inputs, name)
            return
        node, inner = found
        texts = _defaults(node, {key: given.filled(value) for key, value in scalars(call).items()})
        steps = {key: (value, scope, given) for key, value in entries(call) if value.kind == "sequence"}
        own = _Given(texts, {**_default_steps(node, inner), **steps})
        yield from self._steps(node.get("steps"), inner, own, folder, strict, depth + 1)


class _Same(Struct, frozen=True):
    """A step that is equal to another one that runs the same at the same place."""

    step: Step

    def __hash__(self) -> int:
        return hash((self.step.line, self.step.script, self.step.uses))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and (self.step.line, self.step.script, self.step.uses, self.step.folder) == (
            other.step.line, other.step.script, other.step.uses, other.step.folder
        )  # fmt: skip


def _run(node: Node, given: _Given, folder: str, strict: bool) -> Step:
    command = node.get("command") if node.kind == "mapping" else node
    shell = given.filled(text(node.get("shell")))
    own = given.filled(text(node.get("working_directory"))) or folder
    may_fail = ""
    if text(node.get("when")) == "on_fail":
        may_fail = "the step runs only after a failure (`when: on_fail`)"
    elif is_true(node.get("background")):
        may_fail = "the step runs in the background"
    python = shell.split()[:1] and "python" in shell.split()[0]
    return Step(
        line=node.at,
        end_line=end_of(node),
        name=given.filled(text(node.get("name"))),
        script="" if python else given.filled(text(command)),
        script_line=command.text_line if command is not None else node.at,
        may_fail=may_fail,
        folder=_HOME.sub("", own),
        errexit=stops_at_errors(shell) if shell else strict,
        pipefail="pipefail" in shell if shell else strict,
    )


def _named_values(given: _Given) -> dict[str, str]:
    return {f"parameters.{name}": value for name, value in given.texts.items()}


def _defaults(node: Node, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters' defaults, with what a call gives written over."""
    declared = {
        name: text(found) for name, p in entries(node.get("parameters")) if (found := p.get("default")) is not None
    }
    return {**declared, **given}


def _default_steps(node: Node, scope: _Scope) -> dict[str, tuple[Node, _Scope, _Given]]:
    return {
        name: (default, scope, _Given())
        for name, p in entries(node.get("parameters"))
        if (default := p.get("default")) is not None and default.kind == "sequence"
    }


def _matrix(given: Node) -> Iterator[Mapping[str, str]]:
    """The combinations of a job's matrix; one empty combination without one."""
    axes = {name: values.strings() for name, values in entries(given.path("matrix", "parameters")) if values.strings()}
    yield from (dict(zip(axes, chosen, strict=True)) for chosen in islice(product(*axes.values()), _MAX_VARIANTS))


def _required(item: Node) -> str:
    """`- build`, or `- build: [success]`."""
    return item.entries[0][0] if item.entries else text(item)


def _behind(held: set[str], waiting: Mapping[str, tuple[str, ...]]) -> set[str]:
    """The jobs that wait, over any number of others, for one of these."""
    while True:
        more = {name for name, needs in waiting.items() if name not in held and held.intersection(needs)}
        if not more:
            return held
        held = held | more


def _filtered(started: tuple[Trigger, ...], given: Node) -> tuple[Trigger, ...]:
    """A workflow's triggers as far as the job's filters let them through."""
    filters = given.get("filters")
    if filters is None or filters.kind != "mapping":
        return started
    branches, tags = filters.get("branches"), filters.get("tags")
    ignored = child(branches, "ignore")
    only = child(branches, "only")
    none = ignored is not None and any(name in ("/.*/", "/^.*$/", "/^.*/", "/.+/") for name in ignored.strings())
    found: list[Trigger] = []
    for trigger in started:
        if not none:
            detail = " ".join(only.strings()) if only is not None and trigger.kind == "push" else trigger.detail
            found.append(replace(trigger, detail=detail, line=only.at if only is not None and detail else trigger.line))
        elif trigger.kind == "schedule":
            found.append(trigger)
    if tags is not None and child(tags, "only") is not None and any(t.kind == "push" for t in started):
        found.append(Trigger("tag", tags.at, " ".join(child(tags, "only").strings())))  # type: ignore[union-attr]
    return tuple(found)
