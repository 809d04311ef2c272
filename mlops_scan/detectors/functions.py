"""Functions that the Serverless Framework, or infrastructure as code, deploys and that answer with a model.

Facts: https://www.serverless.com/framework/docs/providers/aws/guide/functions (`handler` is the path of a file, without
its suffix and from the folder of the declaration, a dot and a name in it) and .../guide/events (what calls a function).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.automation.paths import join
from mlops_scan.ci.shapes import entries, items, text
from mlops_scan.code.index import Node as Code
from mlops_scan.detectors.answers import model_behind
from mlops_scan.detectors.base import Context, unique
from mlops_scan.detectors.infrastructure import tool_of
from mlops_scan.detectors.lambdas import model_functions
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Confidence, Grade, Hop, Problem, Signal

_NAMES = ("serverless.yml", "serverless.yaml")
_TOOL = "serverless-framework"


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `deploy/serving` and `deploy/as-code`."""
    yield from unique(_signals(context))
    yield from unique(_declared(context))


def _signals(context: Context) -> Iterator[Signal]:
    for file in context.named(*_NAMES):
        for document in context.documents.nodes(file.path)[:1]:
            if document.get("service") is None or document.get("provider") is None:
                continue
            for name, function in entries(document.get("functions")):
                model = _model(context, file.path, function) if _called(function) else None
                if model is None:
                    continue
                place = context.evidence(file.path, function.at, text=f"function {name}")
                use = context.evidence(model.location.path, model.location.line, Hop.USE)
                yield Signal("deploy/serving", _TOOL, Grade.IMPLEMENTED, (place, use), model.confidence)
                yield Signal("deploy/as-code", _TOOL, Grade.IMPLEMENTED, (place, use), Confidence.MEDIUM)


def _declared(context: Context) -> Iterator[Signal]:
    """Functions of AWS Lambda that infrastructure as code declares and that answer with a model."""
    for function, model in model_functions(context):
        place = context.evidence(function.path, function.line, text=f"function {function.name}")
        use = context.evidence(model.location.path, model.location.line, Hop.USE)
        yield Signal("deploy/as-code", tool_of(function), Grade.IMPLEMENTED, (place, use), Confidence.MEDIUM)


def _called(function: Node) -> bool:
    """Whether something outside calls a function: an event that is not switched off, or an address of its own."""
    if text(function.get("url")).lower() not in ("", "false") or entries(function.get("url")):
        return True
    return any(
        text(settings.get("enabled")).lower() != "false"
        for event in items(function.get("events"))
        for _, settings in entries(event)
    )


def _model(context: Context, declaration: str, function: Node) -> Use | None:
    """Where the code of a function loads or asks a model; None where it does not, or where it makes one."""
    stem, _, name = text(function.get("handler")).rpartition(".")
    folder = declaration.rpartition("/")[0]
    paths = (join(folder, f"{stem}.py"), join(folder, f"{stem.replace('.', '/')}.py"))
    module = next((context.index.modules[path] for path in paths if path in context.index.modules), None)
    if module is None or (name not in module.functions and name not in module.variables):
        return None
    nodes: list[Code] = [(module.path, name), (module.path, "")]  # what the module does when it is loaded counts, too
    return model_behind(context, nodes)
