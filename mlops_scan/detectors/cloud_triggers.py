"""What starts training in the cloud without a person, from infrastructure as code: clocks, events, alarms.

A rule or schedule counts only with a target that trains: a pipeline, a state machine with a training job, or a function
of this repository that starts one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.automation.infrastructure import Resource
from mlops_scan.automation.paths import join
from mlops_scan.detectors.base import ASIDE, LEARNS, Context, unique
from mlops_scan.detectors.cloud_alarms import ALARM_STATE
from mlops_scan.detectors.dispatch import asks_for_training
from mlops_scan.detectors.infrastructure import declared, idle
from mlops_scan.detectors.lambdas import handler_files, handler_name, image_handlers, is_image
from mlops_scan.detectors.pipelines import coded
from mlops_scan.regex import regex
from mlops_scan.repository.folders import above, holds
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Problem, Signal

_PIPELINE = regex(
    r"(sagemaker_?pipeline|sagemaker[^ ]{0,60}pipeline|start_?pipeline_?execution|:pipeline/|pipelineJobs"
    r"|trainingPipelines|customJobs|create_?training_?job|jobs/run-now)",
    re.I,
)
_TRAINING = regex(r"train", re.I)
_DATA_EVENT = regex(r"(aws\.s3|object created|putobject|objectcreated|object\.v1\.finalized|aws\.glue)", re.I)
_SCRIPT = regex(r"(?<![\w./-])[\w./-]{1,500}\.py\b")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `retraining/scheduled` and `retraining/triggered` from declared rules and schedules."""
    yield from unique(_signals(context))
    for start in declared(context, "rule", "clock"):
        off = idle(context, start)
        if off.startswith("it is switched off") and _trained(context, start) is not None:
            place = context.evidence(start.path, start.line).location
            yield Problem("MLS504", f"Training is scheduled here, but {off}.", place)


def _signals(context: Context) -> Iterator[Signal]:
    for start in declared(context, "rule", "clock"):
        practice, trigger = _starts_on(context, start)
        if practice:
            yield from _signal(context, practice, start, trigger)
    for function in declared(context, "function"):
        for practice, line in _function_events(function):
            yield from _signal(context, practice, function, context.evidence(function.path, line, Hop.TRIGGER))
    for notice in declared(context, "bucket-event"):
        place = context.evidence(notice.path, notice.line, Hop.TRIGGER)
        yield from _signal(context, "retraining/triggered", notice, place)


def _signal(context: Context, practice: str, start: Resource, trigger: Evidence) -> Iterator[Signal]:
    trained = _trained(context, start)
    if trained is None:
        return
    off = idle(context, start)
    grade = Grade.TRACE if off else Grade.WIRED
    yield Signal(practice, start.type, grade, (trigger, trained), Confidence.MEDIUM, off, fixed=True)


def _starts_on(context: Context, start: Resource) -> tuple[str, Evidence]:
    """The practice that a rule or schedule would serve, with the line of its trigger."""
    clock = start.get("schedule_expression", "schedule", "schedule_config")
    if clock is not None and (clock.text or clock.entries):
        return "retraining/scheduled", context.evidence(start.path, clock.at, Hop.TRIGGER)
    place = context.evidence(start.path, start.line, Hop.TRIGGER)
    if ALARM_STATE in start.text or _DATA_EVENT.search(start.text):
        return "retraining/triggered", place
    return "", place


def _function_events(function: Resource) -> Iterator[tuple[str, int]]:
    """The events of a function in a SAM template."""
    events = function.body.path("Properties", "Events")
    for _, event in events.entries[:50] if events is not None else ():
        kind = event.get("Type")
        text = kind.text if kind is not None else ""
        switch = event.path("Properties", "Enabled")
        if switch is not None and switch.value is False:
            continue
        if text in ("Schedule", "ScheduleV2"):
            yield "retraining/scheduled", event.at
        elif text == "S3" or (text in ("EventBridgeRule", "CloudWatchEvent") and ALARM_STATE in function.text):
            yield "retraining/triggered", event.at


# -- what it starts --------------------------------------------------------------------------------------------------


def _trained(context: Context, start: Resource) -> Evidence | None:
    """Where what a rule starts trains a model, or None."""
    parts = [start, *(t for t in declared(context, "target") if t.mentions(start) or start.mentions(t))]
    text = " ".join(part.text for part in parts)
    for other in declared(context, "pipeline", "machine", "function"):
        if other is start or any(part.mentions(other) for part in parts):
            found = _resource_trains(context, other)
            if found is not None:
                return found
    script = _scripts(context, text)
    if script is not None:
        return script
    return _pipeline_in_code(context, start.path) if _PIPELINE.search(text) else None


def _resource_trains(context: Context, resource: Resource) -> Evidence | None:
    place = context.evidence(resource.path, resource.line, Hop.EFFECT)
    if resource.kind == "function":
        return _handler_trains(context, resource)
    if resource.kind == "machine" and (definition := _definition(context, resource)):
        return _defined_training(context, definition)
    if _TRAINING.search(resource.text):
        return place
    if resource.kind == "machine":
        return _pipeline_in_code(context, resource.path) if _PIPELINE.search(resource.text) else None
    return place if _pipeline_in_code(context, resource.path) is not None else None


def _pipeline_in_code(context: Context, near: str) -> Evidence | None:
    """Where main code trains, for a pipeline that stands in code and is named from outside, in the file `near`.

    It is one of those in the nearest folder on the way up that has any: a repository may hold many projects. Where they
    were seen to do something else with a model, such as to score, nothing trains.
    """
    pipelines = [pipeline for pipeline in coded(context) if context.role(pipeline.use.location.path) not in ASIDE]
    for folder in above(near.rpartition("/")[0]):
        works = [pipeline.work for pipeline in pipelines if holds(folder, pipeline.use.location.path)]
        use = next((work for work in works if work is not None and not LEARNS.isdisjoint(work.does)), None)
        if use is None and any(works):
            return None
        if use is None and (works or not pipelines):
            learning = context.doing(*sorted(LEARNS))
            use = next((use for use in learning if holds(folder, use.location.path)), None)
        if use is not None:
            return context.evidence(use.location.path, use.location.line, Hop.EFFECT)
    return None


def _definition(context: Context, machine: Resource) -> str:
    """The file of the repository that holds the definition of a state machine; empty where none is named or known."""
    folder = machine.path.rpartition("/")[0]
    named = machine.says("file", "definition_uri", "template_file")
    path = join(folder, named) if named else ""
    return path if path in context.documents.files else ""


def _defined_training(context: Context, definition: str) -> Evidence | None:
    """Where a definition of a state machine has a state that trains, or None."""
    use = next((use for use in context.uses_in(definition) if not LEARNS.isdisjoint(use.does)), None)
    return context.evidence(definition, use.location.line, Hop.EFFECT) if use is not None else None


def _machine_trains(context: Context, function: Resource, place: Evidence) -> Evidence | None:
    """Where the state machine trains that a function starts at a place; the place where it is not known which."""
    machines = [machine for machine in declared(context, "machine") if function.mentions(machine)]
    definitions = [definition for machine in machines if (definition := _definition(context, machine))]
    if not definitions:
        return place
    return next(filter(None, (_defined_training(context, definition) for definition in definitions)), None)


def _handler_trains(context: Context, function: Resource) -> Evidence | None:
    """Where the function's handler, found by its name, trains or starts the training."""
    if is_image(function):
        return _image_trains(context, function)
    stem, name = handler_name(function)
    defines = re.compile(rf"^(?:(?:async )?def {re.escape(name)}\s*\(|{re.escape(name)}\s*=(?!=))", re.M)
    for file in handler_files(context, function, stem):
        if file.path not in context.index.modules:
            defined = not name or defines.search(context.documents.text(file.path)) is not None
            found = asks_for_training(context, file.path) if defined else None
            if found is not None:
                return found
            continue
        reached = context.index.reach(((file.path, name),), 8)
        use = context.does(reached, LEARNS | {"run-pipeline"})
        if use is not None:
            place = context.evidence(use.location.path, use.location.line, Hop.EFFECT)
            return place if LEARNS.intersection(use.does) else _machine_trains(context, function, place)
        for path, scope in reached:
            there = context.index.modules.get(path)
            inside = there.functions.get(scope) if there is not None else None
            found = asks_for_training(context, path, inside.line, inside.end_line) if inside is not None else None
            if found is not None:
                return found
    return None


def _image_trains(context: Context, function: Resource) -> Evidence | None:
    """Where the one handler that a function's image can have trains or starts the training."""
    nodes = image_handlers(context, function)
    use = context.reaches(nodes, LEARNS | {"run-pipeline"}, 8) if len(nodes) == 1 else None
    if use is None:
        return None
    place = context.evidence(use.location.path, use.location.line, Hop.EFFECT)
    return place if LEARNS.intersection(use.does) else _machine_trains(context, function, place)


def _scripts(context: Context, text: str) -> Evidence | None:
    """A script of the repository that the target's command names and that trains."""
    for name in dict.fromkeys(_SCRIPT.findall(text)):
        path = context.index.script(name.lstrip("./"))
        if path is not None:
            use = context.reaches(context.index.script_entries(path), LEARNS)
            if use is not None:
                return context.evidence(use.location.path, use.location.line, Hop.EFFECT)
    return None
