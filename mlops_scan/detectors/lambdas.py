"""Functions of AWS Lambda that answer with a model: the code behind a declared function, or behind a function's image.

A function is a handler in a file (`handler = "app.handler"`) or an image whose command names the handler
(https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html, .../python-image.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from mlops_scan.automation.infrastructure import Resource, module_sources
from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import join
from mlops_scan.code.index import Node
from mlops_scan.detectors.answers import model_behind
from mlops_scan.detectors.base import Context
from mlops_scan.detectors.infrastructure import declared, idle, tool_of
from mlops_scan.detectors.kept import kept
from mlops_scan.detectors.stacks import templates
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.repository.folders import holds

CLIENT = ("python", "-m", "awslambdaric")
"""The command of a function's image as it is followed, before the handler."""

_SEGMENT = regex(r"[\w.-]+")
_MAX_FILES = 5  # that may be the module of one handler
_MAX_RUNS = 200  # commands of a job looked at
_MAX_FOLDERS = 50  # of modules that one configuration is followed into
_IMAGE = regex(r"image_?uri|package_?type Image\b|DockerImage|asset_?image|image_?asset|from_?ecr|FROM_IMAGE", re.I)


def handler_name(function: Resource) -> tuple[str, str]:
    """The module and the name of a function's handler.

    The CDK's construct for Python functions names the file apart, `index.py` where it names none
    (https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_aws-lambda-python-alpha.PythonFunction.html).
    """
    if function.type.endswith(".PythonFunction"):
        file = function.says("index") or "index.py"
        return file.removesuffix(".py"), function.says("handler") or "handler"
    stem, _, name = function.says("handler", "entry_point", "index").rpartition(".")
    return stem, name


def handler_files(context: Context, function: Resource, stem: str) -> list[File]:
    """The files that can be the module of a handler: those below the folder of the declaration, or else all."""
    folder = function.says("code_uri", "entry", "source_dir", "source_path").strip("./")
    known = folder and "$" not in folder and "…" not in folder
    ending = "/" + (stem or "main").replace(".", "/") + ".py"
    found = [
        file
        for file in context.ending((".py",))
        if f"/{file.path}".endswith(ending) and (not known or folder in file.path)
    ]
    home = function.path.rpartition("/")[0]
    return [file for file in found if holds(home, file.path)] or found


def is_image(function: Resource) -> bool:
    """Whether the code of a declared function is a container image."""
    return _IMAGE.search(f"{function.type} {function.text}") is not None


def image_handlers(context: Context, function: Resource) -> list[Node]:
    """The handlers that a function's image may have: of the images of functions those that the declaration names.

    Where it names none by the folder, they are those beside or below its stack, or else all of the repository.
    """
    images = _images(context)
    said = set(_SEGMENT.findall(function.text)) if function.language != "terraform" else set[str]()
    stack = function.path.rpartition("/")[0].partition("/modules/")[0]
    named = [node for path, node in images.items() if path.rpartition("/")[0].rpartition("/")[2] in said]
    near = [node for path, node in images.items() if holds(stack, path)] if stack else []
    return named or near or list(images.values())


def handlers(context: Context, function: Resource) -> list[Node]:
    """The code that a declared function may be: its handler in each file that can be the module of it."""
    if is_image(function):
        return image_handlers(context, function)
    stem, name = handler_name(function)
    files = handler_files(context, function, stem) if stem and name else []
    found = [file.path for file in files if file.path in context.index.modules]
    return [(path, name) for path in found if context.index.defines(path, name)]


@kept
def handler_names(context: Context) -> Mapping[str, frozenset[str]]:
    """The functions of each file that a Lambda function's image or declaration names as its handler."""
    nodes = set(_images(context).values())
    for function in declared(context, "function"):
        if not idle(context, function):
            own = handlers(context, function)
            nodes.update(own if len(own) == 1 else ())
    return {path: frozenset(name for other, name in nodes if other == path) for path in {path for path, _ in nodes}}


@kept
def model_functions(context: Context) -> tuple[tuple[Resource, Use], ...]:
    """The declared functions that answer with a model; where it is not known which code one has, all of it does."""
    found = []
    for function in declared(context, "function"):
        own = [] if idle(context, function) else handlers(context, function)[: _MAX_FILES + 1]
        models = [model_behind(context, (node, (node[0], ""))) for node in own]
        first = models[0] if models and all(models) and len(models) <= _MAX_FILES else None
        if first is not None:
            found.append((function, first))
    return tuple(found)


def deployed_function(context: Context, run: Run) -> Use | None:
    """The model of a function that a command of infrastructure as code brings up, as a use of that tool; or None."""
    if not any("deploy-infra" in use.does for use in run.uses):
        return None
    for function, model in model_functions(context):
        if _brings(context, run, function):
            return replace(model, tool=tool_of(function), does=(), serves=())
    return None


@kept
def _images(context: Context) -> Mapping[str, Node]:
    """The handlers of the repository's images of functions, by their Dockerfiles; nothing for one that is not here."""
    return {
        run.location.path: run.entries[-1] if run.entries else (run.location.path, "")
        for run in context.automation.runs
        if run.start.kind == "service" and run.words[: len(CLIENT)] == CLIENT
    }


def _brings(context: Context, run: Run, function: Resource) -> bool:
    """Whether a command that sets up infrastructure sets up this function."""
    if function.language == "terraform":
        moved = next((word.partition("=")[2] for word in run.words if word.startswith("-chdir=")), "")
        return function.path.rpartition("/")[0] in _configured(context, join(run.folder, moved))
    if function.language == "program" and function.path.endswith(".py"):  # a program that `cdk deploy` runs by itself
        beside = context.automation.runs_of_job(run.start.workflow, run.start.job)[:_MAX_RUNS]
        return any((function.path, "") in context.automation.reached(other) for other in beside if other.entries)
    if function.language == "program":
        return (function.path, "") in run.entries
    return function.path in set(templates(context, run))


@kept
def _configured(context: Context, folder: str) -> frozenset[str]:
    """The folders of a Terraform configuration: its own, and those of the modules that it calls."""
    seen, todo = {folder}, [folder]
    while todo and len(seen) <= _MAX_FOLDERS:
        place = todo.pop()
        for file in context.written_in("hcl"):
            for source, _ in module_sources(context.documents, file.path) if file.folder == place else ():
                if source not in seen:
                    seen.add(source)
                    todo.append(source)
    return frozenset(seen)
