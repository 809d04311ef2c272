"""What the declared infrastructure is, once a scan, and references in it that lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlops_scan.automation.infrastructure import Resource, module_sources
from mlops_scan.automation.infrastructure import resources as find_resources
from mlops_scan.code.facts import MAIN
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.kept import kept
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import language_of
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.repository.folders import above
from mlops_scan.words import Confidence, Grade, Location, Problem, Signal

MAX_PAIRED = 200  # resources of a kind that are compared with each other
_LANGUAGES = ("hcl", "bicep", "typescript", "yaml", "json")
_TEMPLATE_KEYS = frozenset({"Resources", "resources", "$schema"})  # one is at the top of each YAML or JSON template
_STACKS = frozenset({"terraform", "bicep", "arm", "program"})
_PROGRAM = "program"
_SERVICES = ("aws_cdk.aws_", "pulumi_")  # not the parts of an app, such as a stack, a parameter or an output
_DERIVED = frozenset({"made", "refers"})  # what a call is made of, in the words of a library
_HELPERS = ("random_", "null_", "local_", "time_", "tls_")  # providers that make nothing outside
_ML_WORD = regex(
    r"(?<![a-z])(ml|mlops|mlflow|models?|sagemaker|inference|predict(ion|or|ions)?|scoring|training|vertex|bedrock"
    r"|machine[-_ ]?learning\w*|databricks|feature[-_ ]?store|kubeflow|kserve|drift"
    r"|feast|hopsworks|zenml|clearml|seldon|bentoml|mlruns|dvc)(?![a-z])",
    re.I,
)
_ACCESSORY = regex(  # of a type: what only lets or connects others
    r"iam|role|polic(y|ies)|permission|secret|kms|key|namespace|service_?account|security|subnet|vpc|network|route"
    r"|gateway|log_?group|parameter|attachment|association|project_?service|resource_?group|_version$",
    re.I,
)
_INPUTS = frozenset({"module", "variable", "locals", "terraform"})
_MAX_NODES = 2000  # of a block
_SUBMODULE = regex(r"^[ \t]*path[ \t]*=[ \t]*(\S+)[ \t]*$", re.M)  # of .gitmodules


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Terraform modules that are not there. What the resources serve comes from the rules and from other detectors."""
    yield from unique(_as_code(context))
    yield from _missing_modules(context)


def _as_code(context: Context) -> Iterator[Signal]:
    """Infrastructure as code around a model: a stack without a resource or a name that has to do with one is a trace.

    Resources that are ML services by their type come from the rules; here are stacks of general services.
    """
    stacks: dict[tuple[str, str], list[Resource]] = {}
    for resource in declared(context):
        if resource.language in _STACKS and _makes_something(resource):
            folder = resource.path.rpartition("/")[0].partition("/modules/")[0]
            stacks.setdefault((resource.language, folder), []).append(resource)
    for (language, folder), held in stacks.items():
        made = [r for r in held if not _off(context, r)]
        told = next((r for r in made if _ML_WORD.search(_said(r))), None)
        if told is None and made and language == "terraform":
            told = made[0] if folder in _telling(context) else None
        chosen = told or held[0]
        tool = tool_of(chosen)
        if told is not None:
            best = min(made, key=_beside_the_point)
            shown = (best,) if best is told or not _beside_the_point(best)[1] else (best, told)
            evidence = tuple(context.evidence(resource.path, resource.line) for resource in shown)
            yield Signal("env/infra-as-code", tool, Grade.IMPLEMENTED, evidence, Confidence.MEDIUM)
        else:
            evidence = (context.evidence(chosen.path, chosen.line),)
            reason = _off(context, chosen) or "no resource of this stack has to do with a model"
            yield Signal("env/infra-as-code", tool, Grade.TRACE, evidence, reason=reason, fixed=True)
    for file in context.written_in("hcl") if not stacks else ():
        source = next(module_sources(context.documents, file.path), None)
        if source is not None:
            evidence = (context.evidence(file.path, source[1]),)
            reason = "it only calls modules"
            yield Signal("env/infra-as-code", "terraform", Grade.TRACE, evidence, reason=reason, fixed=True)


def _beside_the_point(resource: Resource) -> tuple[bool, bool]:
    """What a reader is shown last: a right, a key or a network for others, and what says nothing of a model."""
    return _ACCESSORY.search(resource.type) is not None, _ML_WORD.search(_said(resource)) is None


def _makes_something(resource: Resource) -> bool:
    """Whether a resource is one of a service, and neither a helper nor a frame around others."""
    if resource.language == _PROGRAM:
        return resource.type.startswith(_SERVICES)
    return not resource.type.startswith(_HELPERS)


def tool_of(resource: Resource) -> str:
    """The tool that a resource is declared with."""
    if resource.language != _PROGRAM:
        return resource.language
    return "aws-cdk" if resource.type.startswith("aws_cdk.") else "pulumi"


def _off(context: Context, resource: Resource) -> str:
    """Why a resource is not made, or empty; a program's also where nothing uses the code."""
    return idle(context, resource) if resource.language == _PROGRAM else resource.off


def _said(resource: Resource) -> str:
    """What the author wrote into a resource; of a program the constants, for its keywords are those of a library."""
    if resource.language != _PROGRAM:
        return f"{resource.name} {resource.text}"
    values = (node.text for key, node in resource.body.entries if key not in _DERIVED and node.kind == "scalar")
    return " ".join((resource.name, *values))


@kept
def _telling(context: Context) -> frozenset[str]:
    """The folders in or below which Terraform says what its resources are for, and that it is a model.

    It says so in what it gives to them: modules and their inputs, variables, where the state is kept.
    """
    found: set[str] = set()
    for file in context.written_in("hcl"):
        if file.folder not in found and any(_ML_WORD.search(text) for text in _given(context, file.path)):
            found.update(folder for folder in above(file.folder) if folder or not file.folder)
    return frozenset(found)


def _given(context: Context, path: str) -> Iterator[str]:
    for document in context.documents.nodes(path):
        for block, held in document.entries:
            if block in _INPUTS or held.kind == "scalar":  # the latter in a file of values
                yield from _words(held)


def _words(block: Node) -> Iterator[str]:
    for keys, node in block.walk(_MAX_NODES):
        if not keys or keys[-1] != "description":
            yield from keys[-1:]
            yield node.text


def declared(context: Context, *kinds: str) -> list[Resource]:
    """The declared resources, or those of some kinds."""
    found = _all_declared(context)
    if not kinds:
        return list(found)
    chosen = [resource for resource in found if resource.kind in kinds]
    if len(chosen) > MAX_PAIRED:
        context.documents.note(
            chosen[MAX_PAIRED].path, f"more than {MAX_PAIRED} resources of a kind; the rest not paired"
        )
    return chosen[:MAX_PAIRED]


@kept
def _all_declared(context: Context) -> tuple[Resource, ...]:
    """Every declared resource, however many there are of a kind."""
    files = [file for file in context.written_in(*_LANGUAGES) if _may_declare(context, file)]
    return find_resources(files, context.documents, context.index)


def _may_declare(context: Context, file: File) -> bool:
    """Whether a file may be an infrastructure file; the text of a document that is known need not be read for it."""
    if language_of(file.path) not in ("yaml", "json") or file.path not in context.documents.parsed:
        return True
    return file.name.endswith(".tf.json") or any(
        not _TEMPLATE_KEYS.isdisjoint(document.keys()) for document in context.documents.nodes(file.path)
    )


def idle(context: Context, resource: Resource) -> str:
    """Why a declared resource is never made, or is switched off; empty when it is in use."""
    if resource.off:
        return resource.off
    if resource.language == "program" and resource.scope and not _used(context, resource):
        return "nothing uses the code that declares it"
    for name, wanted in (("enabled", "false"), ("is_enabled", "false"), ("actions_enabled", "false"),
                         ("paused", "true"), ("state", "disabled")):  # fmt: skip
        node = resource.own(name)
        if node is not None and node.kind == "scalar" and node.text.lower() == wanted:
            return f"it is switched off: `{name}` is {node.text}"
    return ""


def never_made(context: Context, location: Location) -> str:
    """Why the declared resource at a place is never made, or empty; also empty where none is declared."""
    if language_of(location.path) != "hcl":
        return ""
    for resource in declared(context):
        if resource.off and resource.path == location.path:
            inside = resource.line <= location.line <= max(resource.line, resource.body.end_line)
            if inside:
                return resource.off
    return ""


def _used(context: Context, resource: Resource) -> bool:
    """Whether other code names what declares a resource; stacks are often handed on as classes."""
    parts = resource.scope.split(".")
    owner = parts[-2] if len(parts) > 1 else parts[-1]
    return owner in _names_in_use(context) or owner == MAIN


@kept
def _names_in_use(context: Context) -> frozenset[str]:
    """The last parts of the names that main code calls, hands over or derives classes from."""
    names: set[str] = set()
    for _, module in context.modules():
        names.update([call.name for call in module.calls])
        names.update(*[call.refs for call in module.calls if call.refs])
        names.update(*[item.bases for item in module.classes.values()])
    return frozenset([name.rpartition(".")[2] for name in names])


def _missing_modules(context: Context) -> Iterator[Problem]:
    folders = {file.folder for file in context.written_in("hcl", aside=True)}
    modules = _not_entered(context)
    for file in context.written_in("hcl"):
        for folder, line in module_sources(context.documents, file.path):
            if folder not in folders and not folder.startswith(("..", *modules)) and f"{folder}/" not in modules:
                message = f"This module comes from `{folder}`, and there is no Terraform file in that folder."
                yield Problem("MLS509", message, context.evidence(file.path, line).location)


def _not_entered(context: Context) -> tuple[str, ...]:
    """The folders, with a slash behind, of git submodules of which no file is listed."""
    listed = [file for file in context.named(".gitmodules", aside=True) if not file.folder]
    named = [
        match[1].strip("/") + "/" for file in listed for match in _SUBMODULE.finditer(context.documents.text(file.path))
    ]
    return tuple(name for name in named if not any(file.path.startswith(name) for file in context.repository.files))
