"""Serving: code that loads a model and answers requests, batch scoring that something starts, deployment as code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from mlops_scan.automation.images import Service, is_compose, services
from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import join
from mlops_scan.code.facts import MAIN, Call, Function
from mlops_scan.code.index import Node, Target
from mlops_scan.detectors.answers import hands_over, predicts
from mlops_scan.detectors.base import ASIDE, LEARNS, Context, unique
from mlops_scan.detectors.builds import broken_build
from mlops_scan.detectors.containers import has_models, may_hold_model, rolls_out_no_model
from mlops_scan.detectors.hosted import ends_with_job
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.lambdas import handler_names
from mlops_scan.detectors.live import LAMBDA, hosted
from mlops_scan.detectors.packages import installed
from mlops_scan.detectors.rollouts import rollouts
from mlops_scan.detectors.stacks import option
from mlops_scan.detectors.stored import stored_predictions
from mlops_scan.detectors.workbenches import is_workbench
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import has_any, regex
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location, Problem, Role, Signal

_LOADS = frozenset({"load-model"})
_DEPLOYS = frozenset({"deploy-model", "deploy-pipeline"})
_HOPS, _NEAR = 8, 6
_MAX_STEPS = 1_000  # of a pipeline, looked at for training
_MODEL_USE = frozenset({"load-model", "predict"})
_PRACTICE = "deploy/serving"
_SCORING = ("predict", "infer", "score", "scoring", "serve")
_HOUSEKEEPING = ("health", "version", "ready", "alive", "liveness", "ping", "status", "root", "home", "index")
_KEEPS = ("log", "save", "store", "record", "write", "insert", "persist", "append")
_LOGS_PREDICTIONS = regex(
    r"(log|save|store|record|write|insert|persist|append)_(the_)?(batch_)?(prediction|inference|score|scoring_event)s?"
    r"(_(log|event|record|row|result|to_\w+|batch|input|output)s?)?",
    re.I,
)

_ANSWERS = regex(r"\.predict(_proba)?$")
_EVALUATES = regex(r"(evaluat|metric|train|benchmark)", re.I)
_INSERTS = regex(r"insert\s+into\s+\S*(predict|inference|scor)", re.I)


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `deploy/serving`, `deploy/as-code` and `monitoring/prediction-logging`."""
    answering = list(unique(_services(context)))
    yield from answering
    yield from unique(_platform_scripts(context))
    yield from unique(_cloud_functions(context))
    yield from unique(_batch(context, {signal.evidence[0].location.path for signal in answering}))
    yield from unique(_as_code(context))
    yield from unique(rollouts(context))
    yield from unique(_prediction_logs(context))
    yield from unique(stored_predictions(context))


def _services(context: Context) -> Iterator[Signal]:
    """Web applications whose handlers reach a model; of a file's handlers the one that predicts."""
    by_file: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for use in context.doing("serve"):
        if use.location.path in context.index.modules:
            by_file[use.location.path, use.tool].append(use)
    for (path, _), uses in by_file.items():
        use = uses[0] if len(uses) == 1 else min(uses, key=lambda item: _distance(context, item))
        # `model = load(…)` under `if __name__ == "__main__":` is the usual form of a small Flask application
        # a handler that a factory defines (`create_app.predict`) answers with what that factory has loaded
        around = accumulate(use.scope.split("."), "{}.{}".format)
        nodes: list[Node] = [(path, ""), (path, MAIN), *((path, scope) for scope in around), *_methods(context, use)]
        model = context.reaches(nodes, _LOADS, _HOPS) or context.reaches(nodes, _MODEL_USE, _HOPS)
        if model is None:
            continue
        if model.tool == "pickle" and not predicts(context, nodes):
            continue  # a session or a cache may be pickled too
        if model.tool == "generic-estimator" and context.reaches(nodes, LEARNS, _HOPS) is None:
            continue  # `x.predict(…)` on something nobody here loads or fits
        if context.role(model.location.path) in ASIDE:
            continue
        evidence = (
            context.evidence(path, use.location.line),
            context.evidence(model.location.path, model.location.line, Hop.USE),
        )
        yield Signal("deploy/serving", use.tool, Grade.IMPLEMENTED, evidence, model.confidence, anchor=(path, ""))


def _distance(context: Context, use: Use) -> int:
    """How far a handler is from a model: it uses one itself, has the name of what does, or is one of the others."""
    nodes = ((use.location.path, use.scope), *_methods(context, use))
    aside = has_any(use.scope, _HOUSEKEEPING)
    if use.scope and (context.reaches(nodes, _MODEL_USE, _HOPS) is not None or predicts(context, nodes)):
        # a probe may ask whether the model is there, another may train it
        return 2 if aside else 0 if has_any(use.scope, _SCORING) else 1
    if has_any(use.scope, _SCORING):
        return 3
    return 5 if aside else 4


def _methods(context: Context, use: Use) -> list[Node]:
    """The methods of a handler that is a class: the framework calls them by the method of the request."""
    path = use.location.path
    handler = context.index.modules[path].classes.get(use.scope) if _PRACTICE not in use.serves else None
    return [(path, f"{use.scope}.{name}") for name in handler.methods] if handler is not None else []


def _platform_scripts(context: Context) -> Iterator[Signal]:
    """Scripts in the shape that a hosting platform calls: SageMaker, Azure ML, AWS Lambda."""
    for path, module in context.modules(notebooks=False):
        named = handler_names(context).get(path, frozenset()).intersection(module.functions)
        names = sorted({*hosted(module), *named})
        if not names:
            continue
        nodes = [(path, name) for name in names]
        model = context.reaches(nodes, _MODEL_USE, _NEAR)
        # what stands outside of the handler runs once, before the first event
        if model is None and (named or LAMBDA in names):
            model = context.reaches([(path, "")], _LOADS, _NEAR)
            model = model if model is not None and (model.tool != "pickle" or predicts(context, nodes)) else None
        if model is not None:
            function = module.functions[names[0]]
            evidence = (
                context.evidence(model.location.path, model.location.line),
                context.evidence(path, function.line, Hop.USE),
            )
            yield Signal("deploy/serving", "scoring-script", Grade.IMPLEMENTED, evidence, model.confidence)


def _cloud_functions(context: Context) -> Iterator[Signal]:
    """Functions that a command deploys: `gcloud functions deploy NAME --source FOLDER --entry-point FUNCTION`.

    Fact: https://cloud.google.com/functions/docs/writing (`main.py`; the entry point is the name where none is given)
    """
    for run in context.leading():
        words = tuple(word for word in run.words if word not in ("beta", "alpha"))
        if words[:3] != ("gcloud", "functions", "deploy"):
            continue
        folder = context.resolver.paths.changed(run.folder, option(words, ("--source",)) or ".", run.location.path)
        path, name = join(folder, "main.py"), option(words, ("--entry-point",))
        module = context.index.modules.get(path)
        names = [name] if name else [word for word in words[3:] if not word.startswith("-")]
        name = next((name for name in names if module is not None and name in module.functions), "")
        model = context.reaches([(path, ""), (path, name)], _MODEL_USE, _NEAR) if name else None
        if module is None or model is None or context.role(model.location.path) in ASIDE:
            continue
        function = module.functions[name]
        evidence = (
            context.evidence(path, function.line),
            context.evidence(model.location.path, model.location.line, Hop.USE),
            *(context.shown(e) for e in run.chain[:2]),
        )
        grade = Grade.WIRED if run.start.kind == "ci" and not run.start.blocked else Grade.IMPLEMENTED
        yield Signal("deploy/serving", "gcloud-deploy", grade, evidence, model.confidence, fixed=True)


def _batch(context: Context, services: set[str]) -> Iterator[Signal]:
    """Scoring that a schedule, a pipeline or a service starts; a script that only a person runs is half of it.

    `services` are the files that answer requests.
    """
    for use in context.doing("predict", "load-model"):
        path = use.location.path
        if (
            not (has_any(path.rpartition("/")[2], _SCORING) or has_any(use.scope, _SCORING) or _consumes(context, path))
            or path not in context.index.modules
            or path in services
        ):
            continue
        if context.index.modules[path].notebook or not (
            any("load-model" in u.does for u in context.uses_in(path))
            or _loads(context, path, use.scope)
            or _ticks(context, (path, use.scope))
        ):
            continue
        evidence = context.evidence(path, use.location.line, Hop.DEFINITION, use.location.end_line)
        yield _job(context, use.tool, (path, use.scope), evidence, use.confidence)
    yield from _own_jobs(context)


def _consumes(context: Context, path: str) -> bool:
    """Whether a file reads a stream, so that a model in it answers to messages."""
    return any("consume" in use.does for use in context.uses_in(path))


def _ticks(context: Context, node: Node) -> bool:
    """Whether a step of a pipeline with a clock of its own runs some code: another step may hand the model over."""
    clocks = {Location(p.path, p.line) for p in context.automation.pipelines if p.schedule and not p.schedule_off}
    return bool(clocks) and any(s.run.start.evidence.location in clocks for s in context.started(*node))


def _own_jobs(context: Context) -> Iterator[Signal]:
    """Scoring jobs whose model comes from first-party code: `self.loader.load(uri).predict(rows)`."""
    used = {use.location.path for use in context.doing("predict", "load-model")}
    for path, module in context.modules(notebooks=False):
        named = has_any(path.rpartition("/")[2], _SCORING) or _consumes(context, path)
        answers = [c for c in module.calls if c.scope in module.functions and _ANSWERS.search(c.name)]
        for call in answers if path not in used else ():
            target = context.index.resolve(path, call.name)
            if target.first_party and target.qualname in context.index.modules[target.path].functions:
                continue  # that function asks the model, or does not
            # the function that asks the model, or one of its callers that loads it and hands it over
            callers = (c.scope for c in module.calls if c.name == f"@.{call.scope}" and c.scope in module.functions)
            for name in dict.fromkeys((call.scope, *callers)):
                model = context.reaches(((path, name),), _LOADS, _HOPS) if named or has_any(name, _SCORING) else None
                if model is not None and model.tool != "pickle" and context.role(model.location.path) not in ASIDE:
                    evidence = context.evidence(path, call.line, Hop.DEFINITION, call.end_line)
                    yield _job(context, model.tool, (path, name), evidence, Confidence.MEDIUM)
                    break


def _job(context: Context, tool: str, node: Node, place: Evidence, confidence: Confidence) -> Signal:
    """What code that scores is worth by who starts it."""
    evidence: tuple[Evidence, ...] = (place,)
    started = [
        s
        for s in context.started(*node)
        if s.run.start.kind in ("schedule", "pipeline", "service", "ci", "event")
        and not s.run.tests
        # an image whose command trains scores to validate what it has trained, and so does a pipeline that trains
        and not (s.run.start.kind == "service" and (context.learns(s.run) is not None or _shows(s.run)))
    ]
    trained = [s for s in started if s.run.start.kind == "pipeline" and _trains(context, s.run.start.evidence.location)]
    trained = trained if trained and not hands_over(context, node) else []
    live = next((s for s in started if not s.run.start.blocked and s not in trained), None)
    reason, fixed = "", False
    if live is not None:
        evidence += tuple(context.shown(e) for e in live.chain[:3])
    elif node in installed(context):
        reason = "it is a job of an installed command"
    elif trained:
        reason, fixed = "the pipeline that runs it trains the model, so this is part of its evaluation", True
    else:
        reason, fixed = "a prediction script that nothing but a person starts", True
    grade = Grade.TRACE if fixed else Grade.IMPLEMENTED
    return Signal("deploy/serving", tool, grade, evidence, confidence, reason, scope=node[1], fixed=fixed)


@kept
def _trains(context: Context, pipeline: Location) -> bool:
    """Whether a step of a pipeline trains the model: what others ask of it is then no prediction of use."""
    return any(context.learns(step) is not None for step in context.automation.pipeline_runs(pipeline)[:_MAX_STEPS])


def _shows(run: Run) -> bool:
    """Whether what a run starts is the page of a demo: `streamlit run page.py` is no job that scores."""
    return any(_PRACTICE in use.serves and use.grade is Grade.TRACE for use in run.uses)


def _loads(context: Context, path: str, scope: str) -> bool:
    return context.reaches(((path, ""), (path, MAIN), (path, scope)), _LOADS, _HOPS) is not None


# -- deployment ------------------------------------------------------------------------------------------------------


def _of_model(context: Context, service: Service) -> bool:
    """Whether a compose service builds an image that may hold something of a model, or mounts the code into it.

    A server for notebooks holds what its user works on.
    """
    return (
        service.builds
        and (
            not service.dockerfile
            or any(mount is None or has_models(context, mount) for mount in service.mounts)
            or may_hold_model(context, service.dockerfile, service.folder)
        )
        and not is_workbench(context, service)
    )


def _as_code(context: Context) -> Iterator[Signal]:
    for file in context.written_in("yaml"):
        if is_compose(file.name):
            service = next(
                (s for s in services(file.path, context.documents, context.resolver.paths) if _of_model(context, s)),
                None,
            )
            if service is not None:
                evidence = (context.evidence(file.path, service.line, text=f"service {service.name}"),)
                yield Signal("deploy/as-code", "docker-compose", Grade.IMPLEMENTED, evidence)
    for use in context.uses:
        if not _DEPLOYS.isdisjoint(use.does) and context.role(use.location.path) not in ASIDE | {Role.NOTEBOOK}:
            evidence = (context.evidence(use.location.path, use.location.line),)
            yield Signal("deploy/as-code", use.tool, Grade.IMPLEMENTED, evidence, use.confidence, scope=use.scope)
    for run in context.leading():
        deploying = next((u for u in run.uses if not _DEPLOYS.isdisjoint(u.does)), None)
        if deploying is not None and not ends_with_job(context, run) and not rolls_out_no_model(context, run):
            grade = Grade.WIRED if run.start.kind == "ci" and not run.start.blocked else Grade.IMPLEMENTED
            broken = broken_build(context, run) if run.start.kind == "ci" else ""
            yield Signal(
                "deploy/as-code",
                deploying.tool,
                Grade.TRACE if broken else grade,
                (context.evidence(run.location.path, run.location.line),),
                reason=broken,
                fixed=True,
            )


def _storing(context: Context) -> dict[Node, Function]:
    """The functions of the repository that by their name store predictions."""
    return {
        (path, name): function
        for path, module in context.index.modules.items()
        for name, function in module.functions.items()
        if ("predict" in name.lower() or "infer" in name.lower() or "scor" in name.lower())
        and not function.stub
        and name.rpartition(".")[2].lower().startswith(_KEEPS)
        and _LOGS_PREDICTIONS.fullmatch(name.rpartition(".")[2])
    }


def _calls_of(
    context: Context, path: str, functions: Mapping[Node, Function]
) -> Iterator[tuple[Call, Target, Function]]:
    """The calls in a module of some functions."""
    calls = context.index.modules[path].calls if functions else ()
    targets = {name: context.index.resolve(path, name) for name in {call.name for call in calls}}
    found = {name: target for name, target in targets.items() if (target.path, target.qualname) in functions}
    for call in calls if found else ():
        target = found.get(call.name)
        if target is not None:
            yield call, target, functions[target.path, target.qualname]


def _prediction_logs(context: Context) -> Iterator[Signal]:
    """A first-party function that stores predictions and that the code which predicts calls."""
    storing = _storing(context)
    for path, module in context.modules(notebooks=False):
        uses_model = any(not _MODEL_USE.isdisjoint(use.does) for use in context.uses_in(path))
        statement = next((n for n, text in module.strings if _INSERTS.search(text)), 0) if uses_model else 0
        if statement:
            yield Signal(
                "monitoring/prediction-logging",
                "sql",
                Grade.IMPLEMENTED,
                (context.evidence(path, statement),),
                Confidence.MEDIUM,
            )
        for call, target, function in _calls_of(context, path, storing):
            if _EVALUATES.search(f"{target.path} {target.qualname} {call.scope}"):
                continue  # the score of a model in its evaluation is no score of a row
            if context.reaches(((path, call.scope),), _MODEL_USE, _NEAR) is None:
                continue
            evidence = (
                context.evidence(target.path, function.line, Hop.DEFINITION, function.end_line),
                context.evidence(path, call.line, Hop.USE),
            )
            yield Signal(
                "monitoring/prediction-logging",
                "python",
                Grade.IMPLEMENTED,
                evidence,
                Confidence.MEDIUM,
                scope=target.qualname,
            )
