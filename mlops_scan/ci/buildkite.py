"""Buildkite: `.buildkite/pipeline.yml` and the files that its steps upload.

Facts: https://buildkite.com/docs/pipelines/configure/step-types ; the agent runs a step's commands with `bash -e -c`,
and `buildkite-agent pipeline upload` without a file takes the first of the names in `DEFAULT`. What starts a pipeline
is set on the server: builds of every push are its usual setting, and assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger, Workflow
from mlops_scan.ci.shapes import action, condition, end_of, entries, items, joined, named, scalars, text, within_bounds
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

DEFAULT = regex(r"buildkite\.(ya?ml|json)|\.?buildkite/pipeline\.(ya?ml|json)")
_NOT_UPLOADED = "Buildkite reads .buildkite/pipeline.yml, and other files only where a step of it uploads them"
# The first step of a pipeline is set there, and may name any file: https://buildkite.com/docs/pipelines/configure/defining-steps
_NAMED_THERE = "there is no .buildkite/pipeline.yml, and which file Buildkite reads instead is set on its site"
_MADE = "a program makes steps of the Buildkite pipeline while it runs"
_UPLOAD = regex(r"buildkite-agent\s+pipeline\s+upload\b(?P<rest>[^\n|;&]*)")
_GENERATED = regex(r"\|\s*buildkite-agent\s+pipeline\s+upload\b")
_SOURCES = {"schedule": "schedule", "ui": "manual", "trigger_job": "chained", "api": "external", "webhook": "push"}
_SOURCE = regex(r"build\.source\s*(==|!=)\s*[\"'](\w+)[\"']")
_PULL = regex(r"build\.pull_request\.(id|base_branch|number)\s*!=\s*null|build\.pull_request\.base_branch\s*==")
_TAG = regex(r"build\.tag\s*(!=\s*(null|\"\"|'')|=~|==\s*[\"'])")
_MATRIX = regex(r"\{\{\s*matrix(?:\.([\w-]+))?\s*\}\}")
_MAX_VARIANTS = 8
_MAX_NESTING = 4


def parse(path: str, documents: Documents) -> Iterator[Workflow]:
    """The pipeline of a file; not loaded where no step of the default file uploads it, unknown without such a file."""
    node = next(iter(documents.nodes(path)), None)
    if node is None or (node.kind != "sequence" and node.get("steps") is None):
        return
    push = Trigger("push", node.line, "assumed: Buildkite's usual setting builds every push", assumed=True)
    steps = node if node.kind == "sequence" else node.get("steps")
    reader = _Reader(path, (push,))
    jobs = within_bounds(reader.jobs(steps), path, documents)
    scripts = [step.script for job in jobs for step in job.steps]
    made = any(_GENERATED.search(script) for script in scripts)
    defaults, loaded = _loaded(path, documents)
    yield Workflow(
        path, "buildkite", node.line, "Buildkite", (push,), jobs,
        unloaded=_NOT_UPLOADED if defaults and not loaded else "",
        unknown=_MADE if made else "" if loaded or defaults else _NAMED_THERE,
    )  # fmt: skip


def _loaded(path: str, documents: Documents) -> tuple[bool, bool]:
    """Whether there is a file that is read by default, and whether this one is it or uploaded by it."""
    root = path[: re.search(r"\.?buildkite", path).start()]  # type: ignore[union-attr]  # its name has matched
    local = path[len(root) :]
    if DEFAULT.fullmatch(local):
        return True, True
    defaults = [other for other in documents.files if other.startswith(root) and DEFAULT.fullmatch(other[len(root) :])]
    return bool(defaults), any(
        local in match.group("rest").split() for other in defaults for match in _UPLOAD.finditer(documents.text(other))
    )


class _Reader(Struct):
    """Reads steps in order and remembers what holds them up."""

    path: str
    triggers: tuple[Trigger, ...]
    held: bool = False  # a block step stands before
    gates: set[str] = field(default_factory=set)  # keys of block steps, and of steps behind one
    before: tuple[str, ...] = ()
    since: list[str] = field(default_factory=list)

    def jobs(self, steps: Node | None, outer: str = "", depth: int = 0) -> Iterator[Job]:
        """The jobs of a list of steps, groups opened."""
        for item in items(steps):
            word = text(item) or (item.entries[0][0] if len(item.entries) == 1 else "")
            if word in ("wait", "waiter") or item.get("wait") is not None:
                self._wait()
            elif word in ("block", "input") or item.get("block") is not None or item.get("input") is not None:
                self._gate(item)
            elif item.get("group") is not None and depth < _MAX_NESTING:
                yield from self.jobs(item.get("steps"), condition(item.get("if")) or outer, depth + 1)
            elif item.kind == "mapping" or word:
                job = self._job(item, outer)
                self.since.append(job.id)
                if job.manual:
                    self.gates.add(job.id)
                yield job

    def _wait(self) -> None:
        self.before, self.since = tuple(self.since) or self.before, []

    def _gate(self, item: Node) -> None:
        """A block or input step; one with a condition holds up some builds only."""
        self._wait()
        if item.get("if") is None and item.get("branches") is None:
            self.held = True
            self.gates.add(text(item.get("key")) or text(item.get("id")))

    def _job(self, item: Node, outer: str) -> Job:
        key = next((found for name in ("key", "id", "identifier") if (found := text(item.get(name)))), "")
        label = key or text(item.get("label")) or text(item.get("name")) or f"step at line {item.at}"
        asked = condition(item.get("if")) or outer
        depends = item.get("depends_on")
        needs = tuple(named(one, "step") for one in items(depends)) if depends is not None else self.before
        skip = item.get("skip")
        skipped = skip is not None and skip.value not in (None, False, "", "false")
        return Job(
            id=label,
            line=item.at,
            end_line=end_of(item),
            steps=tuple(self._steps(item)),
            needs=needs,
            condition=asked,
            may_fail=_soft(item.get("soft_fail")),
            manual=self.held if depends is None else bool(self.gates.intersection(needs)),
            never="the step has `skip`" if skipped else "`if: false` is never true" if asked == "false" else "",
            image=text(item.get("image")),
            triggers=tuple(self._triggers(item, asked)),
        )

    def _triggers(self, item: Node, asked: str) -> Iterator[Trigger]:
        where = item.get("if") or item
        equal = [_SOURCES[source] for sign, source in _SOURCE.findall(asked) if sign == "==" and source in _SOURCES]
        if equal:
            yield from (Trigger(kind, where.at, asked) for kind in dict.fromkeys(equal))
        elif _PULL.search(asked):
            yield Trigger("pull_request", where.at, asked)
        elif _TAG.search(asked):
            yield Trigger("tag", where.at, asked)
        else:
            branches = item.get("branches")
            for trigger in self.triggers:
                names = " ".join(branches.strings()) if branches is not None else ""
                yield replace(trigger, detail=f"{trigger.detail}, for {names}") if names else trigger

    def _steps(self, item: Node) -> Iterator[Step]:
        if item.kind != "mapping":  # a bare string is a command
            yield from joined(self.path, [item])
            return
        commands = next((found for key in ("command", "commands") if (found := item.get(key)) is not None), None)
        values = _combinations(item.get("matrix"))
        for plugin in items(item.get("plugins")):
            yield from _plugin(plugin)
        if item.get("trigger") is not None:
            yield action(item, f"buildkite/trigger-{text(item.get('trigger'))}", {})
        for step in joined(self.path, list(items(commands))):
            step = replace(step, pipefail=False)
            texts = dict.fromkeys(_filled(step.script, one) for one in values) if values else {step.script: None}
            yield from (replace(step, script=script) for script in list(texts)[:_MAX_VARIANTS])


def _plugin(node: Node) -> Iterator[Step]:
    """A plugin with its settings, as the action OWNER/NAME; `docker#v5` is `buildkite-plugins/docker`."""
    pairs = entries(node) if node.kind == "mapping" else ((text(node), node),)
    for name, settings in pairs:
        plain = re.sub(r"-buildkite-plugin$", "", name.partition("#")[0].removesuffix(".git"))
        plain = plain.rpartition("github.com/")[2]
        owner = "" if "/" in plain else "buildkite-plugins/"
        if plain:
            yield action(node, f"{owner}{plain}", scalars(settings))


def _soft(node: Node | None) -> str:
    """Why a failure of the step does not fail the build, or empty; single exit codes other than 1 leave tests alone."""
    if node is None:
        return ""
    if text(node).lower() == "true":
        return "the step has `soft_fail: true`"
    codes = {text(item.get("exit_status")) for item in node.items}
    return "the step has `soft_fail` for exit status 1" if codes & {"1", "*"} else ""


def _combinations(matrix: Node | None) -> tuple[Mapping[str, str], ...]:
    """The values of a matrix; the plain form has one axis without a name."""
    if matrix is None:
        return ()
    setup = matrix.get("setup") if matrix.kind == "mapping" else matrix
    if setup is None:
        return ()
    axes = (
        {"": setup.strings()} if setup.kind != "mapping" else {name: value.strings() for name, value in setup.entries}
    )
    chosen = islice(product(*axes.values()), _MAX_VARIANTS)
    return tuple(dict(zip(axes, values, strict=True)) for values in chosen)


def _filled(script: str, values: Mapping[str, str]) -> str:
    return _MATRIX.sub(lambda match: values.get(match.group(1) or "", match.group()), script)
