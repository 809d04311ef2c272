"""Pipelines: declared in files, defined in code, or chained by a task runner; with a step on a model, ML pipelines."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from mlops_scan.automation.codepipelines import code_pipelines, task_commands, task_scopes
from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.code.index import Node
from mlops_scan.detectors.base import ASIDE, LEARNS, Context, unique
from mlops_scan.detectors.ciruns import brings_files
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.preparing import step_prepares, tasks_prepare
from mlops_scan.detectors.throwaway import KEEPS_NOTHING, keeps_nothing
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location, Problem, Signal

_SCORES = frozenset({"predict", "evaluate", "load-model"})
_STAGES = frozenset({"preprocess", "validate-data", "train", "tune", "evaluate", "predict", "register"})
_LEARNS_BY_NAME = regex(r"(train|fit|finetun|learn)", re.I)
_FLOWS = frozenset({"prefect"})  # whose pipelines call one another: https://docs.prefect.io/v3/concepts/flows
_MAX_BESIDE = 1_000  # commands of a job looked at
_ONE_STEP = "it has a single step"


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `pipeline/orchestration` and `data/pipeline`, and broken pipeline definitions."""
    yield from unique(signal for pipeline in context.automation.pipelines for signal in _declared(context, pipeline))
    yield from unique(_in_code(context))
    yield from unique(_chains(context))
    yield from unique(_job_graphs(context))
    yield from _problems(context)


def _by_engine(context: Context, tool: str, evidence: tuple[Evidence, ...]) -> Iterator[Signal]:
    """What the pipeline's engine does for every run by itself, such as recording its inputs, outputs and parameters."""
    for practice in context.rules.tools[tool].engine if tool in context.rules.tools else ():
        yield Signal(practice, tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM, "the engine does it for every run")


def runs_of(context: Context, pipeline: Pipeline) -> list[Run]:
    """The runs whose start is this pipeline itself."""
    return context.automation.pipeline_runs(Location(pipeline.path, pipeline.line))


def ml_step(context: Context, pipeline: Pipeline) -> Evidence | None:
    """Where a step of the pipeline trains, or else scores or evaluates, a model."""
    runs = runs_of(context, pipeline)
    for wanted in (LEARNS, _SCORES):
        for step in pipeline.steps:
            if step.does & wanted:
                return context.evidence(pipeline.path, step.line, Hop.USE)
        for run in runs:
            use = next((u for u in run.uses if wanted.intersection(u.does)), None) or context.does(
                context.automation.reached(run), wanted
            )
            if use is not None:
                return context.evidence(use.location.path, use.location.line, Hop.USE)
    return None


def starts_of(context: Context, path: str) -> list[Run]:
    """CI runs and schedules that execute the pipeline declared at `path`, by its tool or by code that reads it."""
    readers = _readers(context).get(path.rpartition("/")[2])
    found = []
    for run in context.leading():
        if run.start.kind in ("pipeline", "service") or run.tests or not (run.entries or run.pipelines):
            continue
        if path in run.pipelines or (readers and any(node[0] in readers for node in context.automation.reached(run))):
            found.append(run)
    return found


@kept
def _readers(context: Context) -> Mapping[str, set[str]]:
    """For the name of each file that declares a pipeline the main modules that name it."""
    names = {pipeline.path.rpartition("/")[2] for pipeline in context.automation.pipelines}
    found: dict[str, set[str]] = {}
    for path, module in context.modules() if names else ():
        for _, text in module.strings:
            name = text.rpartition("/")[2]
            if name in names:
                found.setdefault(name, set()).add(path)
    return found


def _declared(context: Context, pipeline: Pipeline) -> Iterator[Signal]:
    definition = context.evidence(pipeline.path, pipeline.line)
    work = ml_step(context, pipeline)
    if work is None:
        reason = "no step was seen to train, evaluate or score a model"
        if step_prepares(context, pipeline, runs_of(context, pipeline), beside=False):
            yield Signal("data/pipeline", pipeline.tool, Grade.IMPLEMENTED, (definition,), Confidence.MEDIUM)
        yield Signal("pipeline/orchestration", pipeline.tool, Grade.TRACE, (definition,), reason=reason, fixed=True)
        return
    if len(pipeline.steps) < 2:
        yield Signal(
            "pipeline/orchestration", pipeline.tool, Grade.TRACE, (definition, work), reason=_ONE_STEP, fixed=True
        )
        return
    yield from _by_engine(context, pipeline.tool, (definition,))
    started = [run for run in starts_of(context, pipeline.path) if not run.start.blocked]
    started = [run for run in started if not _asks_for_other(context, pipeline, run)]
    if started:
        use = tuple(context.shown(e) for e in started[0].chain)
        yield Signal("pipeline/orchestration", pipeline.tool, Grade.WIRED, (definition, work, *use), fixed=True)
    else:
        yield Signal("pipeline/orchestration", pipeline.tool, Grade.IMPLEMENTED, (definition, work), fixed=True)
    if step_prepares(context, pipeline, runs_of(context, pipeline), beside=True):
        yield Signal("data/pipeline", pipeline.tool, Grade.IMPLEMENTED, (definition,), Confidence.MEDIUM)


def _asks_for_other(context: Context, pipeline: Pipeline, run: Run) -> bool:
    """Whether a command of CI asks a project only for entry points that train nothing: they are alternatives."""
    if not pipeline.entry_points or run.start.kind != "ci":
        return False
    every = context.automation.runs_of_job(run.start.workflow, run.start.job)[:_MAX_BESIDE]
    asked = [other for other in every if any(e.location == run.location for e in other.chain)]
    return bool(asked) and all(context.learns(other) is None for other in asked)


# -- pipelines in code -----------------------------------------------------------------------------------------------


class Coded(Struct, frozen=True):
    """A pipeline that code defines: its definition and entries, where it works on a model, how many tasks it has.

    `data` tells that one of them prepares data, `missing` is a script that one runs and that is not there.
    """

    use: Use
    entries: tuple[Node, ...]
    work: Use | None
    tasks: int
    data: bool
    missing: str


@kept
def coded(context: Context) -> tuple[Coded, ...]:
    """The pipelines that code defines; the work of one that trains is the training."""
    known: dict[tuple[Node, ...], tuple[Use | None, int, bool, str]] = {}  # many pipelines may be defined in one scope
    steps = task_scopes(context.uses)
    found = []
    for use, entries in code_pipelines(context.uses, context.index):
        if use.tool in context.self_tools:
            continue
        if entries not in known:
            nodes, missing = _with_scripts(context, entries, steps)
            reached = context.index.reach(nodes)
            work = context.does(reached, LEARNS) or context.does(reached, _SCORES)
            data = tasks_prepare(context, entries, reached, beside=work is not None)
            known[entries] = work, _tasks(context, entries, reached), data, missing
        found.append(Coded(use, entries, *known[entries]))
    return tuple(found)


def _in_code(context: Context) -> Iterator[Signal]:
    for pipeline in sorted(coded(context), key=lambda p: p.work is None or LEARNS.isdisjoint(p.work.does)):
        use, entries, work, tasks = pipeline.use, pipeline.entries, pipeline.work, pipeline.tasks
        path = use.location.path
        definition = context.evidence(path, use.location.line, Hop.DEFINITION, use.location.end_line)
        preparing = Signal(
            "data/pipeline", use.tool, Grade.IMPLEMENTED, (definition,), Confidence.MEDIUM, scope=use.scope
        )
        if work is None:
            if pipeline.data:
                yield preparing
            reason = "no task of it was seen to train, evaluate or score a model"
            if pipeline.missing:
                reason = f"`{pipeline.missing}`, which a task runs, is not in the repository"
            yield Signal("pipeline/orchestration", use.tool, Grade.TRACE, (definition,), reason=reason, fixed=True)
            continue
        evidence = (definition, context.evidence(work.location.path, work.location.line, Hop.USE))
        yield from _by_engine(context, use.tool, (definition,))
        if tasks < 2:
            yield Signal("pipeline/orchestration", use.tool, Grade.TRACE, evidence, reason=_ONE_STEP, fixed=True)
        else:
            yield Signal(
                "pipeline/orchestration",
                use.tool,
                Grade.IMPLEMENTED,
                evidence,
                work.confidence,
                scope=use.scope,
                anchor=entries[0],
            )
            if pipeline.data:
                yield preparing


def _with_scripts(context: Context, entries: tuple[Node, ...], tasks: Container[Node]) -> tuple[tuple[Node, ...], str]:
    """The entries plus the scripts and commands that their tasks name as constants, and a script that is not there."""
    if not entries:
        return entries, ""
    missing: list[str] = []
    nodes = list(entries)
    start = Start("pipeline", "task", context.evidence(entries[0][0], 1, Hop.TRIGGER))
    for path, command in task_commands(entries, tasks, context.index, context.handed):
        for run in context.resolver.script(command.text, path, command.line, start, folder=command.folder):
            nodes.extend(run.entries)
            missing += [run.missing] if run.missing else []
    lost = next((name for name in missing if _LEARNS_BY_NAME.search(name.rpartition("/")[2])), "")
    return tuple(dict.fromkeys(nodes)), lost or next(iter(missing), "")


def _tasks(context: Context, entries: tuple[Node, ...], reached: Iterable[Node]) -> int:
    """How many tasks a pipeline has: task definitions that it reaches, at distinct places, and flows that it calls.

    Of a class that is one (`class Train(ContainerOp)`) a method is reached where an object of it is made.
    """
    nodes = dict.fromkeys(reached)
    methods = [(path, scope.rpartition(".")[0]) for path, scope in nodes if "." in scope]
    nodes.update((node, None) for node in methods if node[1] in context.index.modules[node[0]].classes)
    places = {
        (use.location.path, use.location.line)
        for node in nodes
        for use in context.by_node.get(node, ())
        if "define-task" in use.does or (use.tool in _FLOWS and "define-pipeline" in use.does and node not in entries)
    }
    return len(places)


# -- chains ----------------------------------------------------------------------------------------------------------


def _chains(context: Context) -> Iterator[Signal]:
    """Task-runner targets that chain at least two ML stages, and scripts that automation starts and that do."""
    for path, name, line in context.resolver.tasks.named():
        if context.role(path) in ASIDE:
            continue
        start = Start("person", name, context.evidence(path, line, Hop.TRIGGER))
        folder = path.rpartition("/")[0]
        runner = "make" if path.rpartition("/")[2].lower().endswith("makefile") else "mise run"
        runs = list(context.resolver.script(f"{runner} {name}", path, line, start, folder=folder))
        stages = _stages(context, runs)
        if stages is not None:
            yield Signal(
                "pipeline/orchestration",
                "task-runner",
                Grade.IMPLEMENTED,
                (context.evidence(path, line), *stages),
                Confidence.MEDIUM,
                fixed=True,
            )
    by_job: dict[tuple[str, str], list[Run]] = {}
    for run in context.leading():
        if run.start.kind == "ci" and not run.start.blocked and not run.tests:
            by_job.setdefault((run.start.workflow, run.start.job), []).append(run)
    for job, runs in by_job.items():
        stages = _stages(context, runs)
        if stages is None:
            continue
        every = context.automation.runs_of_job(*job)
        first = next(run for run in every if not run.start.blocked and not run.tests)
        lasting = [run for run in runs if not keeps_nothing(context, run)]
        grade, reason = Grade.IMPLEMENTED, "a chain of commands in a CI job, not a declared pipeline"
        if len(lasting) < len(runs) and _stages(context, lasting) is None:
            grade, reason = Grade.TRACE, KEEPS_NOTHING
        yield Signal(
            "pipeline/orchestration",
            "script-chain",
            grade,
            (*stages, first.start.evidence),
            Confidence.MEDIUM,
            reason=reason,
            fixed=True,
        )


def _stages(context: Context, runs: list[Run]) -> tuple[Evidence, ...] | None:
    """Evidence of two or more separate commands on a model or its data, one of which trains; None otherwise."""
    found: dict[tuple[Location, str], Evidence] = {}
    entries: set[tuple[Node, ...]] = set()
    lines: set[tuple[tuple[str, ...], str]] = set()  # with the way that fills in their arguments, where one does
    trains = False
    stages = list(_stage_runs(context, runs))
    within = {evidence.location for run, _ in stages for evidence in run.chain}
    for run, learns in stages:
        trains = trains or learns
        if run.location in within:
            continue  # it hands the work to a service, and what that runs is a stage of its own
        # `mise run job training` and `mise run job evaluation` are two stages, although one line runs in the end;
        # `tox` and `tox -e publish` that both run the same script without an argument of theirs are one
        way = " > ".join(evidence.text for evidence in run.chain)
        takes = any(mark in text for text in (*run.words, *(e.text for e in run.chain[1:])) for mark in "${")
        lines.add((run.words, way if takes else ""))
        found.setdefault((run.location, way), context.evidence(run.location.path, run.location.line, Hop.USE))
        entries.add(run.entries)
    different = len(entries) >= 2 or (len({way for _, way in found}) >= 2 and len(lines) >= 2)  # not one script twice
    return tuple(found.values())[:4] if trains and len(found) >= 2 and different else None


def _stage_runs(context: Context, runs: list[Run]) -> Iterator[tuple[Run, bool]]:
    """The runs that work on a model or its data, each with whether it trains."""
    for run in runs:
        if run.tests or not (run.uses or run.entries):
            continue
        reached = context.automation.reached(run) if run.entries else {}
        use = next((u for u in run.uses if _STAGES.intersection(u.does)), None) or context.does(reached, _STAGES)
        if use is not None:
            yield run, bool(LEARNS.intersection(use.does)) or context.does(reached, LEARNS) is not None


def _job_graphs(context: Context) -> Iterator[Signal]:
    """CI definitions in which a job that trains needs, or is needed by, another that runs the repository's own code."""
    by_job: dict[tuple[str, str], list[Run]] = {}
    for run in context.leading():
        if run.start.kind == "ci" and run.entries and not run.start.blocked and not run.tests:
            by_job.setdefault((run.start.workflow, run.start.job), []).append(run)
    for workflow in context.automation.workflows:
        if workflow.unloaded or context.role(workflow.path) in ASIDE:
            continue
        links = {(job.id, name) for job in workflow.jobs for name in job.needs}
        trained = {
            job.id: evidence
            for job in workflow.jobs
            if (evidence := _training(context, by_job.get((workflow.path, job.id), []))) is not None
        }
        for later, earlier in sorted(links):
            other = earlier if later in trained else later
            work = trained.get(later) or trained.get(earlier)
            runs = by_job.get((workflow.path, other), [])
            if work is None or not runs:
                continue
            if _same_work(runs[0], by_job[(workflow.path, _else(other, later, earlier))][0]):
                continue
            where = (context.evidence(run.location.path, run.location.line, Hop.USE) for run in runs[:1])
            yield Signal(
                "pipeline/orchestration",
                workflow.provider,
                Grade.IMPLEMENTED,
                (work, *where, runs[0].start.evidence),
                Confidence.MEDIUM,
                reason="a graph of CI jobs, not a pipeline of an ML tool",
                fixed=True,
            )
            break


def _same_work(one: Run, other: Run) -> bool:
    """Whether two runs enter the same program, with the same subcommand (`main.py train`, `main.py evaluate`)."""
    return one.entries == other.entries and _subcommand(one.words) == _subcommand(other.words)


def _subcommand(words: tuple[str, ...]) -> str:
    """The word behind the program that Python runs, where it is a plain one; else empty."""
    after = next((after for word, after in pairwise(words) if word.endswith(".py")), "")
    if words[:2] == ("python", "-m"):
        after = words[3] if len(words) > 3 else ""
    return after if after[:1].isalpha() and after.replace("-", "_").isidentifier() else ""


def _else(name: str, first: str, second: str) -> str:
    return second if name == first else first


def _training(context: Context, runs: list[Run]) -> Evidence | None:
    """Where one of the runs of a job trains, or nothing."""
    for run in runs:
        if context.learns(run) is not None and not keeps_nothing(context, run):
            return context.evidence(run.location.path, run.location.line, Hop.USE)
    return None


# -- what is broken --------------------------------------------------------------------------------------------------


@kept
def _with_models(context: Context) -> frozenset[str]:
    """The components of which a declared pipeline works on a model; one beside it may do nothing but prepare data."""
    own = (item for item in context.automation.pipelines if context.role(item.path) not in ASIDE)
    return frozenset(context.component(item.path) for item in own if ml_step(context, item) is not None)


def _problems(context: Context) -> Iterator[Problem]:
    for pipeline in context.automation.pipelines:
        if context.role(pipeline.path) in ASIDE:
            continue
        runs = runs_of(context, pipeline)
        fetching = {run.location.path for run in runs if brings_files(run.words)} - {pipeline.path}
        for run in runs:
            if run.location.path in fetching:
                continue  # a script that fetches what it runs
            if run.missing and not context.has_named(run.missing.rpartition("/")[2]):
                yield Problem(
                    "MLS202",
                    f"A step of `{pipeline.name}` runs `{run.missing}`, which is not in the repository.",
                    run.location,
                )
        of_dvc = pipeline.tool == "dvc" and len(pipeline.steps) > 1
        if of_dvc and context.component(pipeline.path) not in _with_models(context):
            message = "No stage of this pipeline was seen to train, evaluate or score a model."
            yield Problem("MLS201", message, context.evidence(pipeline.path, pipeline.line).location)
