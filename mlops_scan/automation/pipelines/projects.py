"""Pipelines of tools that live in a repository: DVC, MLflow Projects and Recipes, Ploomber, spaCy, Mage, Bodywork."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from itertools import islice, product

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import below, command, folder_of, script, text
from mlops_scan.documents.node import Node
from mlops_scan.regex import regex

# The steps of an MLflow recipe are run by its engine, not by code of the repository:
# https://mlflow.org/docs/2.22/recipes/
_RECIPE_DOES = {
    "train": "train",
    "evaluate": "evaluate",
    "register": "register",
    "predict": "predict",
    "split": "preprocess",
    "transform": "preprocess",
}
_RECIPE = regex(r"(regression|classification)/v\d.*")
# https://docs.mage.ai/design/blocks: a block of a type stands in the folder of that name, most of them in the plural
_MAGE_FOLDERS = {
    "data_loader": "data_loaders",
    "transformer": "transformers",
    "data_exporter": "data_exporters",
    "custom": "custom",
    "sensor": "sensors",
    "callback": "callbacks",
    "conditional": "conditionals",
}
_MAX_BLOCKS = 300
_ITEM = regex(r"\$\{(item|key)((?:\.[\w-]+)*)\}")
_FUNCTION = regex(r"[A-Za-z_]\w{0,100}(\.[A-Za-z_]\w{0,100}){1,10}")
_SUFFIXES = frozenset({"sql", "r", "rmd", "jl", "sh", "md"})  # of sources in other languages
_MAX_VARIANTS = 12


def named(name: str, path: str, document: Node) -> Iterator[Pipeline] | None:
    """The pipelines of a file whose name says what it is; None for a file of another name or shape."""
    if name in ("dvc.yaml", "dvc.yml"):
        return dvc(path, document)
    if name == "mlproject":
        return mlproject(path, document)
    if name in ("project.yml", "project.yaml") and is_spacy(document):
        return spacy(path, document)
    if name in ("bodywork.yaml", "bodywork.yml"):
        return bodywork(path, document)
    if name == "metadata.yaml" and is_mage(path, document):
        return iter((mage(path, document),))
    return None


# -- DVC -------------------------------------------------------------------------------------------------------------


def dvc(path: str, document: Node) -> Iterator[Pipeline]:
    """The stages of a `dvc.yaml`; a file of plots and metrics only is no pipeline."""
    stages = document.get("stages")
    if stages is None:
        return
    steps = [step for name, stage in stages.entries[:500] for step in _stage(path, name, stage)]
    if steps:
        yield Pipeline("dvc", "dvc.yaml", path, stages.at, tuple(steps))


def _stage(path: str, name: str, stage: Node) -> Iterator[PipelineStep]:
    body = stage.get("do") or stage
    cmd = body.get("cmd")
    if cmd is None:
        return
    lines, first = script(cmd) if cmd.kind == "sequence" else command(cmd)
    variants = dict.fromkeys(_filled(lines, values) for values in _variants(stage))
    for number, variant in enumerate(variants):
        if not variant.strip():
            continue
        label = name if len(variants) == 1 else f"{name}@{number}"
        yield PipelineStep(
            label,
            stage.at,
            variant,
            first,
            folder=below(folder_of(path), text(body.get("wdir"))),
            has_params=body.get("params") is not None,
        )


def _variants(stage: Node) -> Iterator[Mapping[str, str]]:
    """What `${item}` and `${key}` stand for in each stage that `foreach` or `matrix` makes; nothing, once, without."""
    foreach, matrix = stage.get("foreach"), stage.get("matrix")
    values: list[dict[str, str]] = []
    if foreach is not None:
        values += [_named("item", item) for item in foreach.items[:_MAX_VARIANTS]]
        values += [{"key": key, **_named("item", item)} for key, item in foreach.entries[:_MAX_VARIANTS]]
    elif matrix is not None:
        axes = {name: node.strings() for name, node in matrix.entries if node.strings()}
        names = [f"item.{name}" for name in axes]
        combinations = islice(product(*axes.values()), _MAX_VARIANTS) if axes else ()
        values += [dict(zip(names, combination, strict=True)) for combination in combinations]
    yield from values or [{}]


def _named(name: str, node: Node) -> dict[str, str]:
    if node.kind == "mapping":
        return {f"{name}.{key}": text(value) for key, value in node.entries}
    return {name: text(node)}


def _filled(lines: str, values: Mapping[str, str]) -> str:
    return _ITEM.sub(lambda match: values.get(match.group(1) + match.group(2), match.group()), lines)


# -- MLflow ----------------------------------------------------------------------------------------------------------


def mlproject(path: str, document: Node) -> Iterator[Pipeline]:
    """The entry points of an `MLproject`, of which a run takes one."""
    points = document.get("entry_points")
    steps = []
    for name, point in points.entries if points is not None else ():
        lines, first = command(point.get("command"))
        if lines:
            params = point.get("parameters") is not None
            steps.append(PipelineStep(name, point.at, lines, first, folder=folder_of(path), has_params=params))
    if steps and points is not None:
        name = text(document.get("name")) or "MLproject"
        yield Pipeline("mlflow-projects", name, path, points.at, tuple(steps), entry_points=True)


def is_recipe(document: Node) -> bool:
    """Whether this is an MLflow recipe (`recipe:`, before 2.0 `template:`), not another tool's recipe.yaml."""
    named = document.get("recipe") or document.get("template")
    return document.path("steps", "train") is not None and _RECIPE.fullmatch(text(named)) is not None


def recipe(path: str, document: Node) -> Pipeline:
    """The steps of an MLflow recipe."""
    steps = document.get("steps")
    assert steps is not None
    return Pipeline(
        "mlflow-recipes",
        text(document.get("recipe") or document.get("template")),
        path,
        steps.at,
        tuple(
            PipelineStep(
                name,
                step.at,
                does=frozenset({_RECIPE_DOES[name]} if name in _RECIPE_DOES else ()),
                folder=folder_of(path),
                has_params=bool(step.entries),
            )
            for name, step in steps.entries
        ),
    )


# -- spaCy -----------------------------------------------------------------------------------------------------------


def is_spacy(document: Node) -> bool:
    """Whether this is a spaCy (Weasel) project: a list of commands, each with a name and a script."""
    commands = document.get("commands")
    return (
        commands is not None
        and commands.kind == "sequence"
        and any(text(item.get("name")) and item.get("script") is not None for item in commands.items[:_MAX_BLOCKS])
    )


def spacy(path: str, document: Node) -> Iterator[Pipeline]:
    """The workflows of a `project.yml`, each with its commands; https://spacy.io/usage/projects."""
    commands, workflows = document.get("commands"), document.get("workflows")
    assert commands is not None
    known = {text(item.get("name")): item for item in commands.items[:_MAX_BLOCKS]}
    for name, workflow in workflows.entries[:50] if workflows is not None else ():
        steps = []
        for label in workflow.strings()[:_MAX_BLOCKS]:
            item = known.get(label)
            body = item.get("script") if item is not None else None
            if item is not None and body is not None:
                lines, first = script(body)
                steps.append(PipelineStep(label, item.line, lines, first, folder=folder_of(path)))
        if steps:
            yield Pipeline("spacy-projects", name, path, workflow.at, tuple(steps))


# -- Ploomber --------------------------------------------------------------------------------------------------------


def is_ploomber(document: Node) -> bool:
    """Whether this is a Ploomber spec: a list of tasks, each with its source and its product."""
    tasks = document.get("tasks")
    if tasks is None or tasks.kind != "sequence" or not tasks.items:
        return False
    return all(task.get("source") is not None and task.get("product") is not None for task in tasks.items[:50])


def ploomber(path: str, document: Node) -> Iterator[Pipeline]:
    """The tasks of a Ploomber spec; one with a `grid` stands for all that are made of it, which run the same source.

    Fact: https://docs.ploomber.io/en/latest/api/spec.html (`source`: a script, a notebook or a dotted function)
    """
    tasks = document.get("tasks")
    assert tasks is not None
    steps = tuple(_ploomber_task(path, task) for task in tasks.items[:500])
    yield Pipeline("ploomber", "pipeline.yaml", path, tasks.at, steps)


def _ploomber_task(path: str, task: Node) -> PipelineStep:
    source = task.get("source")
    assert source is not None
    target = text(source).strip()
    lines = ""
    if target.endswith((".py", ".ipynb")):
        lines = shlex.join(("python", target))
    elif _FUNCTION.fullmatch(target) and target.rpartition(".")[2].lower() not in _SUFFIXES:
        module, _, name = target.rpartition(".")
        lines = shlex.join(("python", "-c", f"from {module} import {name}; {name}()"))
    params = task.get("params") is not None or task.get("grid") is not None
    name = text(task.get("name")) or target
    return PipelineStep(name, task.line, lines, source.line, folder=folder_of(path), has_params=params)


# -- Bodywork --------------------------------------------------------------------------------------------------------


def bodywork(path: str, document: Node) -> Iterator[Pipeline]:
    """The stages of a `bodywork.yaml` that its graph names; each runs `python FILE` in the folder of the file.

    Fact: https://bodywork.readthedocs.io/en/latest/user_guide/ (`DAG: a >> b,c`; version 1.0 says `project`)
    """
    head, stages = document.get("pipeline") or document.get("project"), document.get("stages")
    graph = head.get("DAG") if head is not None else None
    if graph is None or stages is None:
        return
    steps = []
    for name in text(graph).replace(">>", ",").split(",")[:_MAX_BLOCKS]:
        stage = stages.get(name.strip())
        module = stage.get("executable_module_path") if stage is not None else None
        if stage is None or module is None:
            continue
        place, _, file = text(module).rpartition("/")
        lines = shlex.join(("python", file, *_arguments(stage)))
        steps.append(PipelineStep(name.strip(), stage.at, lines, module.line, folder=below(folder_of(path), place)))
    if steps:
        yield Pipeline("bodywork", text(head.get("name") if head else None) or "bodywork", path, graph.at, tuple(steps))


def _arguments(stage: Node) -> tuple[str, ...]:
    given = stage.get("args")
    return tuple(given.strings()) if given is not None else ()


# -- Mage ------------------------------------------------------------------------------------------------------------


def is_mage(path: str, document: Node) -> bool:
    """Whether this is the `metadata.yaml` of a Mage pipeline, in a folder of `pipelines`."""
    blocks = document.get("blocks")
    parts = path.split("/")
    return (
        len(parts) >= 3
        and parts[-3] == "pipelines"
        and blocks is not None
        and any(text(block.get("type")) in _MAGE_FOLDERS for block in blocks.items[:_MAX_BLOCKS])
    )


def mage(path: str, document: Node) -> Pipeline:
    """The blocks of a Mage pipeline; the engine calls the decorated functions of each block's file."""
    blocks = document.get("blocks")
    assert blocks is not None
    project = "/".join(path.split("/")[:-3])
    steps = []
    for block in blocks.items[:_MAX_BLOCKS]:
        kind, uuid = text(block.get("type")), text(block.get("uuid"))
        if kind not in _MAGE_FOLDERS or not uuid:
            continue
        given = text(block.path("configuration", "file_source", "path")) or text(
            block.path("configuration", "file_path")
        )
        place = given if given.endswith(".py") else f"{_MAGE_FOLDERS[kind]}/{uuid}.py"
        steps.append(PipelineStep(uuid, block.line, folder=project, calls_all_of=below(project, place)))
    name = text(document.get("name")) or path.split("/")[-2]
    return Pipeline("mage", name, path, blocks.at, tuple(steps))
