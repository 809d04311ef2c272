"""Resources that files declare: Terraform, CloudFormation and SAM, Bicep, Azure templates, TypeScript programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.automation.infrastructure.model import Resource, kind_of
from mlops_scan.automation.paths import join
from mlops_scan.documents.definitions import MAX_JSON, is_definition
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Role

_ASIDE = frozenset({Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST, Role.DATA})
_MODULE_FOLDER = regex(r"(^|/)modules?/")
_MAX_TEMPLATE = 1_000_000  # bytes
_MAX_RESOURCES = 2000  # of one file


def from_files(files: Iterable[File], documents: Documents) -> Iterator[Resource]:
    """The resources of all infrastructure files of the repository's own."""
    own = [file for file in files if file.role not in _ASIDE and _readable(file)]
    called = called_modules(own, documents)
    for file in own:
        language = language_of(file.path)
        if language == "hcl" or file.name.endswith(".tf.json"):
            yield from _terraform(file.path, documents, called)
        elif language == "bicep":
            yield from _nested(file.path, documents, "resource", "bicep")
        elif language == "typescript" and file.path in documents.parsed:
            yield from _nested(file.path, documents, "new", "program")
        elif language in ("yaml", "json") and is_template(documents, file.path):
            yield from _template(file.path, documents)


def _readable(file: File) -> bool:
    """Whether a file is small enough for a definition, or one by its name."""
    limit = MAX_JSON if language_of(file.path) == "json" else _MAX_TEMPLATE
    return file.size <= limit or is_definition(file.path)


def is_template(documents: Documents, path: str) -> bool:
    """Whether a YAML or JSON file may be a CloudFormation or an Azure template, told by its text."""
    if ".github/" in path:
        return False
    text = documents.text(path)
    return ("Resources" in text and "AWS::" in text) or "deploymentTemplate.json" in text


def module_sources(documents: Documents, path: str) -> Iterator[tuple[str, int]]:
    """The folders in the repository that a Terraform file takes modules from, with the line."""
    for document in documents.nodes(path):
        held = document.get("module")
        for _, module in held.entries if held is not None else ():
            source = module.get("source")
            text = (source.string() if source is not None else "") or ""
            if source is not None and text.startswith(("./", "../")):
                yield join(path.rpartition("/")[0], text), source.at


def called_modules(files: Iterable[File], documents: Documents) -> frozenset[str]:
    """Folders that some Terraform configuration uses as a module."""
    return frozenset(
        folder
        for file in files
        if language_of(file.path) == "hcl"
        for folder, _ in module_sources(documents, file.path)
    )


def _terraform(path: str, documents: Documents, called: frozenset[str]) -> Iterator[Resource]:
    folder = path.rpartition("/")[0]
    unused = ""
    if _MODULE_FOLDER.search(path) and folder not in called:
        unused = "no configuration of this repository calls this module"
    for document in documents.nodes(path):
        held = document.get("resource")
        for type_, named in held.entries[:_MAX_RESOURCES] if held is not None else ():
            for name, body in named.entries[:_MAX_RESOURCES]:
                count = body.get("count")
                off = unused or ("`count = 0`" if count is not None and count.number() == 0 else "")
                yield Resource("terraform", type_, name, path, body.at, body, kind_of(type_), off=off)


def _nested(path: str, documents: Documents, top: str, language: str) -> Iterator[Resource]:
    """`resource.TYPE.NAME` of Bicep, `new.TYPE.NAME` of a program, whose method calls belong to the objects."""
    for document in documents.nodes(path):
        held, calls = document.get(top), document.get("call")
        for type_, named in held.entries[:_MAX_RESOURCES] if held is not None else ():
            for name, body in named.entries[:_MAX_RESOURCES]:
                beside = " ".join(
                    f"{call} {' '.join(given.strings())}"
                    for call, given in (calls.entries if calls is not None else ())
                    if call.startswith(f"{name}.") or any(name in text.split(".") for text in given.strings())
                )
                yield Resource(language, type_, name, path, body.at, body, kind_of(type_), beside=beside)


def _template(path: str, documents: Documents) -> Iterator[Resource]:
    for document in documents.nodes(path):
        stack = document.get("Resources") or document.path("resources", "Resources")
        if stack is not None and stack.kind == "mapping":
            for name, resource in stack.entries[:_MAX_RESOURCES]:
                type_ = _text(resource.get("Type"))
                if "::" in type_:
                    yield Resource("cloudformation", type_, name, path, resource.at, resource, kind_of(type_))
        if "deploymentTemplate.json" in _text(document.get("$schema")):
            held = document.get("resources")
            for resource in held.items[:_MAX_RESOURCES] if held is not None else ():
                type_, name = _text(resource.get("type")), _text(resource.get("name"))
                yield Resource("arm", type_, name, path, resource.at, resource, kind_of(type_))


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")
