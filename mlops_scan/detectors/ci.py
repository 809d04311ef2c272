"""CI/CD: what the jobs really run, whether they start by themselves, and whether their failure stops anything."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from mlops_scan.automation.model import Run
from mlops_scan.ci.model import ON_CHANGE, Job, Step, Workflow
from mlops_scan.code.index import Node
from mlops_scan.detectors.asked import starts_service
from mlops_scan.detectors.asking import held_answer
from mlops_scan.detectors.base import LEARNS, Context, unique
from mlops_scan.detectors.builds import incomplete_images
from mlops_scan.detectors.ciruns import chain, confidence_of, elsewhere, evaluates, fetches, graded, job_of, serves
from mlops_scan.detectors.delivery import DEPLOYS, delivered
from mlops_scan.detectors.floors import floors, met_floor
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.marks import deselected
from mlops_scan.detectors.refused import refused
from mlops_scan.detectors.shell_gates import gated_jobs
from mlops_scan.detectors.stacks import started_machine
from mlops_scan.detectors.testfiles import first_test
from mlops_scan.detectors.tests import ModelTest, hollow, model_tests
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location, Problem, Role, Signal

_PURPOSES = DEPLOYS | LEARNS
_ECHO = regex(r"(echo|printf|true|:|exit 0|sleep \d+|date|pwd|ls|set -e\w*)(\s.*)?|#.*", re.I)
_LITERAL = regex(r"'[^']*'|\$\{\{[^{}]*\}\}")  # nothing in it is an operator of the shell
_QUOTED = regex(r'"[^"]*"')
_OPERATORS = ("|", "&", ";", "<", ">")
_PURPOSE = ("model", "test", "train", "deploy", "evaluat", "validat", "monitor", "drift")
_PROMISES = regex(
    r"(?:(?:run|execute|perform)\b.{0,60}\btests?|(?:(?:all|unit|integration|smoke|model|the)\s+){0,3}tests?"
    r"|(?:train|retrain|evaluate|validate|deploy)\s+(?:(?:the|a|new|ml)\s+){0,2}(?:model|service|application|app|api)\b.{0,40})",
    re.I,
    words=("test", "train", "evaluate", "validate", "deploy"),
)  # names of steps
_MAX_SHOWN_TESTS = 6
_MAX_BESIDE = 1_000  # other commands of a job looked at
_MAX_LINES = 8  # that a sentence names
_GATE = "model/quality-gate"
_TESTING = "model/testing"
_TESTS = frozenset({"test", "test-other"})
_SEEDS = regex(
    r"(^|/)([^/]{0,60}(seed[-_]?code|template|skeleton|scaffold|boilerplate|cookiecutter|exercise|solution|starter|snippets?)"
    r"[^/]{0,60}|labs?|lessons?|lectures?|weeks?[-_ ]?\d+|chapter[-_ ]?\d+|modules?[-_ ]?\d+)/"
    r"|(^|/)(example|sample)[-_.][^/]*$",
    re.I,
)  # folders whose content is made to be copied elsewhere
_OFFERS = ("devops-pipelines", "azure-devops", "azure-pipelines", "azure_pipelines", "gitlab", "gitlab-ci", "jenkins")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals of the families ci and cd, and defects of CI definitions."""
    runs = [run for run in context.leading() if run.start.kind == "ci"]
    yield from unique(_tests(context, runs))
    tests = {test.path: test for test in model_tests(context)} if any(run.tests for run in runs) else {}
    yield from unique(signal for run in runs for signal in _model_tests(context, run, tests))
    yield from unique(signal for run in runs for signal in _pipeline_tests(context, run))
    yield from delivered(context, runs)
    yield from _unread(context)
    yield from _defects(context, runs)
    yield from _missing(context)
    yield from incomplete_images(context)
    yield from refused(context)
    yield from _by_hand(context, runs)


# -- tests -----------------------------------------------------------------------------------------------------------


def _is_test(run: Run) -> bool:
    return bool(run.tests) or any(not _TESTS.isdisjoint(use.does) for use in run.uses)


def _tests(context: Context, runs: list[Run]) -> Iterator[Signal]:
    for run in runs:
        if not _is_test(run) or (run.words and run.words[0] in ("tox", "nox", "make") and not run.tests):
            continue
        grade, reason = graded(run, ON_CHANGE | {"tag", "release", "schedule", "chained"})
        confidence = confidence_of(run, Confidence.HIGH)
        if run.words and run.words[0] in ("pytest", "unittest") and not run.tests:
            grade, reason = Grade.TRACE, "no test file is collected by this command"
        elif run.tests and all(hollow(context, path) for path in run.tests):
            grade, reason = (
                Grade.TRACE,
                "the tests that CI runs check nothing of this repository, or cannot be imported",
            )
        shown = {
            path.rpartition("/")[0]: path for path in reversed(run.tests)
        }  # one file a folder: components see theirs
        first = tuple(first_test(context, path) for path in sorted(shown.values())[:_MAX_SHOWN_TESTS])
        yield Signal(
            "ci/code-tests",
            run.words[0] if run.words and run.words[0] != "uses" else "pytest",
            grade,
            chain(context, run, *first),
            confidence,
            reason,
            fixed=True,
        )


def _model_tests(context: Context, run: Run, tests: dict[str, ModelTest]) -> Iterator[Signal]:
    found = [tests[path] for path in run.tests if path in tests]
    found = [test for test in found if not deselected(run.words, test.marks)]
    found = [test for test in found if not test.asks or starts_service(context, run)]
    real = (test for test in found if not test.weak)
    strong = min(real, key=lambda test: context.role(test.use.location.path) is Role.TEST, default=None)
    if strong is not None:
        grade, reason = graded(run, ON_CHANGE | {"tag", "release"})
        where = context.evidence(strong.path, strong.function.line, Hop.EFFECT, strong.function.end_line)
        yield Signal(
            "ci/model-tests",
            strong.use.tool,
            grade,
            chain(context, run, where),
            confidence_of(run, strong.use.confidence),
            reason,
            fixed=True,
        )
        return
    if found:
        where = context.evidence(found[0].path, found[0].function.line, Hop.EFFECT)
        yield Signal(
            "ci/model-tests",
            found[0].use.tool,
            Grade.TRACE,
            chain(context, run, where),
            reason=found[0].weak,
            fixed=True,
        )
    floor = met_floor(context, run) or held_answer(context, run)
    if floor is not None:
        grade, reason = graded(run, ON_CHANGE | {"tag", "release"})
        yield Signal(
            "ci/model-tests", "python", grade, chain(context, run, floor), Confidence.MEDIUM, reason, fixed=True
        )
        return
    what, trained = "trains", None if serves(run) else _trains(context, run)
    if trained is None and not run.tests and not serves(run):
        what, trained = "evaluates", evaluates(context, run)
    if trained is not None and not run.tests:
        grade, reason = graded(run, ON_CHANGE)
        if grade is Grade.WIRED and not _checks(context, run):
            grade, reason = Grade.IMPLEMENTED, f"CI {what} a model, but nothing here fails on a bad result"
        if run.start.triggers & ON_CHANGE and not run.start.blocked:
            yield Signal(
                "ci/model-tests", "ci", grade, chain(context, run, trained), Confidence.MEDIUM, reason, fixed=True
            )


def _trains(context: Context, run: Run) -> Evidence | None:
    """Where a run trains, tunes or evaluates: through code, or through the declared steps of an engine."""
    use = next((u for u in run.uses if LEARNS.intersection(u.does)), None) or context.learns(run)
    use = use or started_machine(context, run)
    if use is not None:
        return context.evidence(use.location.path, use.location.line, Hop.EFFECT)
    for pipeline in context.automation.pipelines if run.pipelines else ():
        if pipeline.path in run.pipelines:
            step = next((s for s in pipeline.steps if s.does & LEARNS), None)
            if step is not None:
                return context.evidence(pipeline.path, step.line, Hop.EFFECT)
    return None


def _checks(context: Context, run: Run) -> bool:
    """Whether the run, or another command of its job, can fail on a metric or a model test."""
    _, declared = _checked(context)
    return _job_checks(context, run.start.workflow, run.start.job) or not declared.isdisjoint(run.pipelines)


@kept
def _checked(context: Context) -> tuple[frozenset[Node], frozenset[str]]:
    """The pieces of code that check a model, and the files that declare a gate."""
    from mlops_scan.detectors.gates import declared_gates, gates

    own = {(gate.path, gate.scope) for gate in gates(context)}
    called = {node for node, uses in context.by_node.items() if any(_checks_model(context, use) for use in uses)}
    return frozenset({*own, *called, *floors(context)}), frozenset([gate.path for gate in declared_gates(context)])


def _checks_model(context: Context, use: Use) -> bool:
    """Whether a use is a gate, or asks what tests of the model have given and ends with an error on it."""
    if _GATE in use.serves:
        return True
    module = context.index.modules.get(use.location.path) if _TESTING in use.serves else None
    return module is not None and any(
        guard.line == use.location.line and guard.scope == use.scope and guard.stops in ("raise", "exit")
        for guard in module.guards
    )


@kept
def _job_checks(context: Context, workflow: str, job: str) -> bool:
    """Whether a command of a job reaches code that checks a model."""
    nodes, _ = _checked(context)
    if (workflow, job) in gated_jobs(context):
        return True
    ways = {(run.entries, run.tests): run for run in context.automation.runs_of_job(workflow, job)}
    return any(not nodes.isdisjoint(context.automation.reached(run)) for run in ways.values())


def _pipeline_tests(context: Context, run: Run) -> Iterator[Signal]:
    if run.tests or not (run.pipelines or any("run-pipeline" in use.does for use in run.uses)):
        return
    trained = _trains(context, run)
    if trained is None:
        beside = context.automation.runs_of_job(run.start.workflow, run.start.job)[:_MAX_BESIDE]
        related = [r for r in beside if r.start == run.start and run.location in [e.location for e in r.chain]]
        trained = next((found for r in related if (found := _trains(context, r)) is not None), None)
    if trained is not None:
        grade, reason = graded(run, ON_CHANGE)
        yield Signal(
            "ci/pipeline-tests",
            "ci",
            grade,
            chain(context, run, trained),
            confidence_of(run, Confidence.HIGH),
            reason,
            fixed=True,
        )


# -- what cannot be read, and what is broken -------------------------------------------------------------------------


def _unread(context: Context) -> Iterator[Signal | Problem]:
    if not context.unread_providers:
        return
    first = {item.provider: item for item in reversed(context.unread_providers)}
    for provider, item in sorted(first.items()):
        evidence = (context.evidence(item.path, item.line, Hop.TRIGGER),)
        reason = item.reason or f"{provider} definitions are not read yet, so what they run is not known"
        for practice in ("ci/code-tests", "ci/model-tests", "cd/model-deploy", "cd/pipeline-deploy"):
            yield Signal(practice, "ci", Grade.UNKNOWN, evidence, Confidence.LOW, reason, fixed=True)
        said = f"{reason[0].upper()}{reason[1:]}; the grades of the ci and cd practices leave it out."
        yield Problem("MLS306", said, evidence[0].location)


def _defects(context: Context, runs: list[Run]) -> Iterator[Problem]:
    yield from _toothless(context, runs)
    yield from _unchecked(context, runs)
    for workflow in context.automation.workflows:
        if workflow.unloaded and _elsewhere(context, workflow.path):
            continue  # nobody takes it for a live workflow
        if workflow.unloaded:
            yield Problem(
                "MLS302",
                f"This looks like a CI workflow, but it never runs: {workflow.unloaded}.",
                context.evidence(workflow.path, workflow.line).location,
            )
            continue
        for job in workflow.jobs:
            yield from _printing(context, workflow, job)


def _elsewhere(context: Context, path: str) -> bool:
    """Whether a definition is not meant to run where it stands, or a setting of the server may name it.

    GitLab's file can be any of the project, as its CI/CD settings say:
    https://docs.gitlab.com/ci/pipelines/settings/#specify-a-custom-cicd-configuration-file
    """
    aside = context.role(path) in (Role.DOCS, Role.EXAMPLE, Role.TEST)
    seed = context.local(path) != path or _SEEDS.search(path.replace(".github/workflow-templates/", "")) is not None
    beside = path.rpartition("/")[0].rpartition("/")[0]
    offered = any(context.resolver.paths.is_folder(f"{beside}/{name}".lstrip("/")) for name in _OFFERS)
    return aside or seed or offered or "gitlab" in path


def _toothless(context: Context, runs: list[Run]) -> Iterator[Problem]:
    tests = [run for run in runs if _is_test(run) and not run.start.blocked]
    # of the jobs of a matrix one may be allowed to fail
    seen = {(run.location, *(e.location for e in run.chain)) for run in tests if not run.toothless}
    for run in tests:
        place = (run.location, *(e.location for e in run.chain))
        if not run.toothless or place in seen or (run.location,) in seen:
            continue
        seen |= {place, (run.location,)}
        command = " ".join(run.words[:6])
        reason = f"`{run.toothless}` swallows its failure" if run.toothless.startswith("||") else run.toothless
        yield Problem(
            "MLS301",
            f"`{command}` cannot fail the job: {reason}.",
            run.location,
            tuple(context.shown(e) for e in run.chain),
        )


def _unchecked(context: Context, runs: list[Run]) -> Iterator[Problem]:
    """Training in CI on every change after which nothing can fail on a bad result; one finding a job."""
    seen = set()
    for run in runs:
        job = (run.start.workflow, run.start.job)
        if run.tests or run.start.blocked or job in seen or not run.start.triggers & ON_CHANGE:
            continue
        trained = _trains(context, run)
        if trained is not None and not context.self_tools and not _checks(context, run):
            seen.add(job)
            trains = f"{job_of(context, run.start, run.location.path)} trains a model here, or has one trained"
            message = f"{trains}, but nothing in it can fail on a bad result."
            yield Problem("MLS307", message, run.location, (trained,))


def _printing(context: Context, workflow: Workflow, job: Job) -> Iterator[Problem]:
    """A job, or else its steps, whose name promises a test, training or a deployment and that only prints."""
    scripts = [step for step in job.steps if step.script]
    if job.never or not scripts:
        return

    def place(step: Step) -> Location:
        return context.evidence(step.path or workflow.path, step.script_line).location

    acts = any(step.uses and not step.uses.startswith("actions/") for step in job.steps)
    if has_any(job.id, _PURPOSE) and not acts and all(map(_only_prints, scripts)):
        yield Problem(
            "MLS304",
            f"Job `{job.id}` only prints: none of its commands tests, trains or deploys anything.",
            place(scripts[0]),
        )
        return
    for step in scripts:
        if _PROMISES.fullmatch(step.name) and _only_prints(step):
            yield Problem("MLS304", f"Step `{step.name}` only prints: it does not do what its name says.", place(step))


def _only_prints(step: Step) -> bool:
    lines = [line.strip() for line in step.script.split("\n") if line.strip()]
    return bool(lines) and all(map(_prints, lines))


def _prints(line: str) -> bool:
    """Whether a line of a script only prints or waits; what is piped, written to a file or chained may do more."""
    if not _ECHO.fullmatch(line):
        return False
    if line.startswith("#"):
        return True
    bare = _LITERAL.sub("", line)
    return not has_any(bare, ("$(", "`")) and not has_any(_QUOTED.sub("", bare), _OPERATORS)


def _missing(context: Context) -> Iterator[Problem]:
    missing = [run for run in context.automation.runs if run.missing and run.start.kind == "ci"]
    missing = [run for run in missing if not run.start.blocked]
    if not missing:
        return
    fetching = {job for job in {(run.start.workflow, run.start.job) for run in missing} if fetches(context, *job)}
    alike: dict[tuple[str, str], dict[Location, Run]] = defaultdict(dict)  # of a file and what it lacks, by line
    for run in missing:
        if (run.start.workflow, run.start.job) in fetching:
            continue
        if run.words[:1] == ("uses",) or not elsewhere(context, run.missing):
            alike[run.location.path, run.missing].setdefault(run.location, run)
    for (_, lacks), places in alike.items():
        run = next(iter(places.values()))
        what = (
            "a target that its makefile does not have"
            if lacks.startswith("make ")
            else "which is not in the repository"
        )
        verb = "needs" if run.words[:1] in (("pip",), ("pip3",), ("uv",)) else "runs"
        others = [str(place.line) for place in list(places)[1:]]
        as_well = (
            f"; so do{'es line' if len(others) == 1 else ' lines'} {', '.join(others[:_MAX_LINES])}" if others else ""
        )
        message = f"This {verb} `{lacks}`, {what}{as_well}."
        yield Problem("MLS303", message, run.location, tuple(context.shown(e) for e in run.chain))


def _by_hand(context: Context, runs: list[Run]) -> Iterator[Problem]:
    seen = set()
    for run in runs:
        start = run.start
        if not start.blocked.startswith(("only a person", "a person")) or (start.workflow, start.job) in seen:
            continue
        purposeful = (
            _is_test(run)
            or any(not _PURPOSES.isdisjoint(use.does) for use in run.uses)
            or _trains(context, run) is not None
        )
        if not purposeful:
            continue
        seen.add((start.workflow, start.job))
        _, colon, reason = start.blocked.partition(": ")
        why = f": {reason}" if colon and start.blocked.startswith("only a person can start it") else ""
        yield Problem(
            "MLS305",
            f"{job_of(context, start)} runs only when a person starts it, so it does not happen by itself{why}.",
            start.evidence.location,
        )
