"""The jobs of CI definitions as starts, and what they run: reusable workflows and composite actions included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.automation import elsewhere, images
from mlops_scan.automation.installs import lacks_project, leaves_files
from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.paths import join
from mlops_scan.automation.resolve import Resolver
from mlops_scan.ci.model import AUTOMATIC, Job, Step, Workflow
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location

_EVENT = regex(r"github\.event_name\s*(==|!=)\s*'(\w+)'")
_INPUT = regex(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*(?:\|\|\s*'([^']{0,400})'\s*)?\}\}")
_SHELL_INPUTS = ("script", "inlineScript", "run", "command")  # of actions that run a text in a shell
_ON_BRANCH = regex(r"github\.ref(?:_name|_type)?\s*==|startsWith\(")
_TEST = regex(
    r"github\.(?:event_name|ref|ref_name|ref_type|repository|repository_owner)\s*[!=]=\s*'[^'\n]{0,200}'"
    r"|startsWith\(\s*github\.ref\s*,\s*'[^'\n]{0,200}'"
)
_MAX_TESTS = 12
_BUILDERS = ("docker/build-push-action", "docker/bake-action")
_STATUS = ("always()", "failure()", "cancelled()")
_MAX_CALLS = 3
_UNKNOWN_START = "what starts it is set on the CI server, not in the repository"


class _Call(Struct, frozen=True):
    """How a job was come to: the hops of reusable workflows and composite actions, and what they were given."""

    via: tuple[Evidence, ...] = ()
    inputs: Mapping[str, str] | None = None

    def deeper(self, hop: Evidence, inputs: Mapping[str, str], defaults: Mapping[str, str]) -> _Call:
        given = {name: self.filled(value) for name, value in inputs.items()}
        return _Call((*self.via, hop), {**defaults, **{name: value for name, value in given.items() if value}})

    def filled(self, text: str) -> str:
        """The text with the inputs filled in that were given; of `inputs.name || 'default'` else the default."""
        given = self.inputs or {}
        return _INPUT.sub(lambda m: given.get(m.group(1)) or (m.group() if m.group(2) is None else m.group(2)), text)


def ci_runs(workflows: Sequence[Workflow], resolver: Resolver, documents: Documents) -> Iterator[Run]:
    """What the jobs of all loaded CI definitions run."""
    jobs = _Jobs({workflow.path: workflow for workflow in workflows if not workflow.unloaded}, resolver, documents)
    for workflow in workflows:
        if workflow.unloaded:
            continue
        for job in workflow.jobs:
            start = ci_start(workflow, job)
            if start is not None:
                yield from jobs.runs(workflow, job, jobs.after(workflow, job, start), _Call())


def ci_start(workflow: Workflow, job: Job) -> Start | None:
    """The start that a job is; None for jobs of workflows that only others call."""
    triggers = [trigger for trigger in workflow.triggers_of(job) if trigger.kind != "called"]
    if not triggers and any(trigger.kind == "called" for trigger in workflow.triggers):
        return None
    kinds = _restricted({trigger.kind for trigger in triggers if trigger.kind != "never"}, job.condition)
    never = next((trigger for trigger in triggers if trigger.kind == "never"), None)
    together = _with_needed(workflow, job, kinds)
    apart = f"not all of {', '.join(job.needs)} run then" if together != kinds else ""
    kinds = together
    chosen = next((trigger for trigger in triggers if trigger.kind in kinds & AUTOMATIC), None) or never
    chosen = chosen or next(
        (trigger for trigger in triggers if trigger.kind in kinds), triggers[0] if triggers else None
    )
    line = chosen.line if chosen is not None else job.line
    assumed = chosen is not None and chosen.assumed
    clock = f" ({chosen.detail})" if chosen is not None and (chosen.kind == "schedule" or assumed) else ""
    return Start(
        kind="ci",
        label=f"{workflow.name} / {job.id}",
        evidence=Evidence(Location(workflow.path, max(1, line)), Hop.TRIGGER, f"on: {_shown(kinds)}{clock}"),
        triggers=frozenset(kinds),
        blocked=_blocked(job, kinds, never.detail if never is not None else apart),
        may_fail=job.may_fail,
        workflow=workflow.path,
        job=job.id,
        environment=job.environment,
        approval=job.approval,
        assumed=assumed,
    )


def _shown(kinds: set[str]) -> str:
    named = sorted(kinds - {"server"})
    return ", ".join(named) or ("something set outside the repository" if kinds else "nothing")


def _blocked(job: Job, kinds: set[str], never: str = "") -> str:
    if job.never or job.manual:
        return job.never or "a person must start this job"
    if kinds & AUTOMATIC:
        return ""
    if "server" in kinds:
        return _UNKNOWN_START
    found = "only a person can start it" if "manual" in kinds else "nothing starts it"
    return f"{found}: {never}" if never else found


def _restricted(kinds: set[str], condition: str) -> set[str]:
    """Trigger kinds left by a condition on `github.event_name`; every alternative of the condition must name one."""
    from mlops_scan.ci import github

    left: set[str] = set()
    for option in condition.split("||"):
        tests = [(operator, github.EVENTS.get(name, "other")) for operator, name in _EVENT.findall(option)]
        equal = {kind for operator, kind in tests if operator == "=="}
        unequal = {kind for operator, kind in tests if operator == "!="}
        left |= (kinds & equal if equal else kinds) - unequal
    return left


def _asks_status(condition: str) -> bool:
    """Whether a condition looks at the status itself, so that what failed or was skipped before does not decide."""
    return any(name in condition for name in _STATUS)


def _with_needed(workflow: Workflow, job: Job, kinds: set[str]) -> set[str]:
    """Trigger kinds for which the jobs that a job needs run as well: GitHub skips one whose needed job was skipped.

    A condition that asks for the status itself (`always()`) decides alone.
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds
    """
    if workflow.provider != "github-actions":
        return kinds
    by_id = {other.id: other for other in workflow.jobs}
    left, todo, seen = set(kinds), [job], {job.id}
    while todo and left:
        current = todo.pop()
        if _asks_status(current.condition):
            continue
        for needed in (by_id[name] for name in current.needs if name in by_id and name not in seen):
            seen.add(needed.id)
            left = set() if needed.never else _restricted(left, needed.condition)
            todo.append(needed)
    return left


def _pushing(kinds: set[str], push: str) -> set[str]:
    """Trigger kinds for which an expression such as `${{ github.event_name != 'pull_request' }}` is true.

    None for one that asks for something else than the event, the branch or tag, or the repository.
    """
    text = push.strip()
    inside = text[3:-2] if text.startswith("${{") and text.endswith("}}") else ""
    tests = inside.replace("&&", "||").split("||")
    left: set[str] = set()
    if len(tests) > _MAX_TESTS or not all(_TEST.fullmatch(test.strip(" ()")) for test in tests):
        return left
    for option in inside.split("||"):
        # a pull request has a branch of its own: refs/pull/1/merge
        left |= _restricted(kinds, option) - ({"pull_request"} if _ON_BRANCH.search(option) else set())
    return left


class _Jobs(Struct, frozen=True):
    """Follows jobs into the workflows and actions of the same repository."""

    by_path: Mapping[str, Workflow]
    resolver: Resolver
    documents: Documents
    actions: dict[str, tuple[tuple[Step, ...], Mapping[str, str]]] = field(default_factory=dict)
    """The steps of composite actions, and what their inputs are by default, by their files."""
    failing: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why the jobs fail of which an installation must, by file and job, and those that need them."""

    def after(self, workflow: Workflow, job: Job, start: Start) -> Start:
        """The start of a job, which is skipped where one that it needs must fail."""
        name = next((name for name in job.needs if (workflow.path, name) in self.failing), "")
        if not name or _asks_status(job.condition):
            return start
        reason = self.failing[workflow.path, job.id] = f"job `{name}` fails: {self.failing[workflow.path, name]}"
        return replace(start, blocked=start.blocked or reason)

    def runs(self, workflow: Workflow, job: Job, start: Start, call: _Call) -> Iterator[Run]:
        """What a job runs, whose own start, or whose caller's, is `start`."""
        if self.resolver.exhausted(start):
            return
        if not job.uses:
            yield from self._steps(workflow.path, job, start, call)
            return
        where = Location(workflow.path, job.line)
        if not job.uses.startswith("./"):
            given = {name: call.filled(value) for name, value in job.inputs.items()}
            yield from elsewhere.reused(job, given, where, start, call.via, self.resolver)
            return
        called = self.by_path.get(job.uses[2:].partition("@")[0])
        if called is None or len(call.via) >= _MAX_CALLS:
            name = job.uses[2:].partition("@")[0]
            if called is None and name not in self.documents.files and "$" not in name:
                yield Run(start, ("uses", job.uses), where, (start.evidence, *call.via), missing=name)
            return
        deeper = call.deeper(Evidence(where, Hop.USE, f"uses: {job.uses}"), job.inputs, called.defaults)
        for inner in called.jobs:
            kinds = _restricted(set(start.triggers), inner.condition)
            own = replace(
                start,
                triggers=frozenset(kinds),
                may_fail=start.may_fail or inner.may_fail,
                blocked=start.blocked or _blocked(inner, kinds),
                environment=deeper.filled(inner.environment) or start.environment,
                approval=inner.approval or start.approval,
            )
            yield from self.runs(called, inner, own, deeper)

    def _steps(self, path: str, job: Job, start: Start, call: _Call) -> Iterator[Run]:
        """What the steps of a job run; behind an installation that must fail only what asks for the status is run."""
        failed, known = "", True
        for step in job.steps:
            stopped = bool(failed) and not _asks_status(step.condition)
            own = replace(start, blocked=start.blocked or f"the job fails before: {failed}") if stopped else start
            for run in self._step(path, step, own, call):
                missing = lacks_project(run, step, self.resolver.paths) if known and not run.missing else ""
                yield replace(run, missing=missing) if missing else run
                failed = failed or (f"it installs the project without `{missing}`" if missing else "")
                known = known and not failed and not leaves_files(run)
        if failed:
            self.failing[path, job.id] = failed

    def _step(self, path: str, step: Step, start: Start, call: _Call) -> Iterator[Run]:
        if not step.script and self.resolver.exhausted(start):
            return
        kinds = _restricted(set(start.triggers), step.condition)
        kinds = kinds if step.triggers is None else kinds & step.triggers
        if step.never or kinds != start.triggers:
            blocked = start.blocked or step.never or _blocked(_NO_JOB, kinds)
            start = replace(start, triggers=frozenset(kinds), blocked=blocked)
        if step.script:
            yield from self._script(path, step, call.filled(step.script), start, call)
        elif step.uses.startswith("./"):
            yield from self._action(path, step, start, call)
        elif step.uses:
            yield from self._uses(path, step, start, call)

    def _script(
        self, path: str, step: Step, text: str, start: Start, call: _Call, astray: bool = False
    ) -> Iterator[Run]:
        return self.resolver.script(
            text,
            step.path or path,
            step.script_line,
            start,
            folder=call.filled(step.folder),
            errexit=step.errexit,
            pipefail=step.pipefail,
            may_fail=step.may_fail,
            via=call.via,
            env={name: call.filled(value) for name, value in step.env.items()},
            astray=astray,
        )

    def _action(self, path: str, step: Step, start: Start, call: _Call) -> Iterator[Run]:
        """The steps of a composite action of the repository."""
        folder = join("", step.uses[2:].partition("@")[0] or ".")
        if len(call.via) >= _MAX_CALLS:
            return
        names = [join(folder, name) for name in ("action.yml", "action.yaml", "Dockerfile")]
        if "$" not in folder and not any(name in self.documents.files for name in names):
            where = Location(path, step.line)
            yield Run(start, ("uses", step.uses), where, (start.evidence, *call.via), missing=names[0])
            return
        from mlops_scan.ci import github

        hop = Evidence(Location(path, step.line), Hop.USE, f"uses: {step.uses}")
        for name in (join(folder, "action.yml"), join(folder, "action.yaml")):
            if name not in self.actions:
                nodes = self.documents.nodes(name)[:1] if name in self.documents.files else ()
                steps = tuple(inner for node in nodes for inner in github.parse_action(node, ""))
                self.actions[name] = (
                    steps,
                    {k: v for node in nodes for k, v in github.input_defaults(node.get("inputs")).items()},
                )
            steps, defaults = self.actions[name]
            deeper = call.deeper(hop, step.inputs, defaults)
            for inner in steps:
                own = replace(inner, may_fail=step.may_fail) if step.may_fail and not inner.may_fail else inner
                yield from self._step(name, own, start, deeper)

    def _uses(self, path: str, step: Step, start: Start, call: _Call) -> Iterator[Run]:
        """An action of another repository: its name and inputs, and the commands or the Dockerfile it is given."""
        given = {name: call.filled(value) for name, value in step.inputs.items()}
        if step.uses.startswith(_BUILDERS) and (kinds := _pushing(set(start.triggers), given.get("push", ""))):
            given["push"] = "true"
            start = replace(start, triggers=frozenset(kinds), blocked=start.blocked or _blocked(_NO_JOB, kinds))
        script = next(filter(None, map(given.get, _SHELL_INPUTS)), "")
        folder = call.filled(step.folder)
        if "docker/build-push-action" in step.uses:
            given = _named_as_today(given)
            context = given.get("context", ".")
            context = "." if "$" in context or "://" in context else context
            script = f"docker build -f {given.get('file') or join(context, 'Dockerfile')} {context}"
            folder = images.folder_of(tuple(script.split()), "", self.resolver.paths)
        yield from self.resolver.step(path, step.line, step.uses, given, start, step.may_fail, call.via, folder)
        script = self.resolver.wrappers.command(step.uses, given, self.documents) or script
        if script and "github-script" not in step.uses:
            yield from self._script(path, replace(step, script_line=step.line), script, start, call, "ssh" in step.uses)


def _named_as_today(given: dict[str, str]) -> dict[str, str]:
    """The inputs of `docker/build-push-action` as its later versions name them.

    Fact: https://github.com/docker/build-push-action/tree/v1 (`repository` is required, and is no input from 2 on,
    where `push` is false unless it is given; in 1 it is true)
    """
    if "repository" not in given:
        return given
    renamed = {new: given[old] for old, new in (("path", "context"), ("dockerfile", "file")) if old in given}
    return {"push": "true", **given, **renamed}


_NO_JOB = Job("", 1, 1, ())
