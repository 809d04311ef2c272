"""Resources that Python programs declare with the AWS CDK or Pulumi."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_scan.automation.infrastructure.model import Resource, kind_of
from mlops_scan.code.facts import Call, Module
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.node import EXPRESSION, Node

_ROOTS = ("aws_cdk.", "pulumi_aws.", "pulumi_gcp.", "pulumi_azure_native.", "pulumi_databricks.")
_MAX_STRINGS = 200
_DEFINITIONS = (".json", ".yaml", ".yml")


def from_code(index: CodeIndex) -> Iterator[Resource]:
    """The objects of infrastructure libraries that the repository's Python code makes."""
    for path, module in index.modules.items():
        if not any(item.name.startswith(("aws_cdk", "pulumi")) for item in module.imports):
            continue
        named = [(index.resolve(path, call.name).name, call) for call in module.calls]
        for name, call in named:
            last = name.rpartition(".")[2]
            made = last[:1].isupper() and not last.endswith("Property")
            if name.startswith(_ROOTS) and (made or last == "create_alarm"):
                yield _resource(index, module, name, call, named)


def _resource(index: CodeIndex, module: Module, name: str, call: Call, named: list[tuple[str, Call]]) -> Resource:
    """One object with its keywords, and those of the calls among its arguments."""
    inside = [
        (other, inner)
        for other, inner in named
        if inner.scope == call.scope and call.line <= inner.line and inner.end_line <= call.end_line
    ]
    entries = [entry for _, inner in inside for entry in _entries(inner)]
    entries += [("made", _scalar(other, inner.line)) for other, inner in inside if inner is not call]
    entries += [("refers", _scalar(ref, call.line)) for _, inner in inside for ref in inner.refs]
    entries += [("file", _scalar(text, inner.line)) for _, inner in inside for text in inner.args if _is_file(text)]
    body = Node("mapping", call.line, call.end_line, call.line, entries=tuple(entries))
    label = next((text for text in call.args if text), "")
    beside = " ".join(_beside(index, module, name, call, named))
    return Resource("program", name, label, module.path, call.line, body, kind_of(name), call.scope, beside=beside)


def _is_file(text: str | None) -> bool:
    """Whether an argument names a file with a definition, as in `DefinitionBody.from_file("machine.asl.json")`."""
    return text is not None and text.endswith(_DEFINITIONS)


def _entries(call: Call) -> Iterator[tuple[str, Node]]:
    for key, value in call.keywords:
        yield key, _scalar(value, call.line)


def _scalar(value: str | None, line: int) -> Node:
    """A constant as text; anything else is an expression that is not known."""
    if value is None:
        return Node("scalar", line, line, value="…", text="…", tag=EXPRESSION)
    return Node("scalar", line, line, value={"true": True, "false": False, "none": None}.get(value, value), text=value)


def _beside(index: CodeIndex, module: Module, name: str, call: Call, named: list[tuple[str, Call]]) -> Iterator[str]:
    """What later statements of the same scope do with an object of that type: its methods, and who is given it."""
    for other, later in named:
        if later.scope != call.scope or later.line <= call.end_line:
            continue
        if other.startswith(f"{name}.") and "Property" not in other:
            yield other
            yield from later.refs
            yield from (inner for inner, c in named if later.line <= c.line and c.end_line <= later.end_line)
        elif name in later.refs:
            target = index.resolve(module.path, later.name)
            yield later.name
            if target.first_party and target.path in index.modules:
                function = index.modules[target.path].functions.get(target.qualname)
                strings = index.modules[target.path].strings
                if function is not None:
                    yield from [t for n, t in strings if function.line <= n <= function.end_line][:_MAX_STRINGS]
