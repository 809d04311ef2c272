"""Models that code loads by name and version from a registry, whoever registered them, and those that DVC locks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.tracked import is_model
from mlops_scan.documents.node import Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.words import Confidence, Grade, Problem, Role, Signal

# `models:/NAME/VERSION`, `models:/NAME@ALIAS`; without either it is the id of a logged model, which nobody registered.
# Fact: https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pyfunc.html#mlflow.pyfunc.load_model
_URI = regex(r"""["']models:/[^"'\s]{1,200}[/@][^"'\s]""", words=("models:/",))
_TOOL = "mlflow"
_MAX_LINES = 60  # of a function, above the call that loads
_HASHES = ("md5", "etag", "checksum", "hash")
_MAX_OUTPUTS = 500  # of a lock file
_TEXTS = (".json", ".yaml", ".yml", ".csv", ".txt", ".md", ".html", ".png", ".svg", ".py", ".toml", ".log")


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `model/registry`: where code here trains, it would have to register what is loaded."""
    yield from _locked(context)
    trains = any(context.role(use.location.path) is not Role.NOTEBOOK for use in context.doing(*LEARNS))
    for use in context.doing("load-model"):
        if use.tool != _TOOL or use.tool in context.self_tools:
            continue
        line = next((number for number, text in _before(context, use) if _URI.search(text)), 0)
        if line:
            place = use.location
            evidence = (
                context.evidence(place.path, place.line, end_line=place.end_line),
                context.evidence(place.path, line),
            )
            reason = "this loads what somebody registered; it registers nothing"
            if trains:
                reason = "it loads a registered model, and that the training registers one was not seen here"
            yield Signal(
                "model/registry",
                _TOOL,
                Grade.TRACE if trains else Grade.IMPLEMENTED,
                evidence,
                Confidence.MEDIUM,
                reason,
                scope=use.scope,
                fixed=True,
            )


def _before(context: Context, use: Use) -> Iterator[tuple[int, str]]:
    """The lines of a call that loads, and those above it in its function, in which its address may be put together."""
    path, last = use.location.path, use.location.end_line or use.location.line
    module = context.index.modules.get(path)
    function = module.functions.get(use.scope) if module is not None else None
    first = max(function.line, last - _MAX_LINES) if function is not None else use.location.line
    for number in range(last, first - 1, -1):
        yield number, context.code(path, number, number)


def _locked(context: Context) -> Iterator[Signal]:
    """A model that a stage of DVC writes: its lock file has a version of it, which a remote keeps.

    Facts: https://doc.dvc.org/user-guide/project-structure/dvcyaml-files#dvclock-file and
    https://doc.dvc.org/user-guide/project-structure/configuration#remote
    """
    for file in context.named("dvc.lock"):
        settings = f"{file.folder}/.dvc/config".lstrip("/")
        place = settings if settings in context.documents.files else ".dvc/config"
        remote = _remote(context, place) if place in context.documents.files else 0
        if not remote:
            continue
        for document in context.documents.nodes(file.path):
            output = next((node for node in _outputs(document) if _is_model(context, node)), None)
            if output is not None:
                evidence = (context.evidence(file.path, output.at), context.evidence(place, remote))
                yield Signal("model/registry", "dvc-data", Grade.IMPLEMENTED, evidence, Confidence.MEDIUM)
                break


def _remote(context: Context, path: str) -> int:
    """The line of DVC's settings that names a remote elsewhere than in a folder of this machine, or 0."""
    lines = enumerate(context.documents.text(path).split("\n"), 1)
    return next((number for number, line in lines if line.strip().startswith("url") and "://" in line), 0)


def _outputs(document: Node) -> Iterator[Node]:
    """The paths, with a version, that the stages of a lock file wrote."""
    stages = document.get("stages")
    for _, stage in stages.entries[:_MAX_OUTPUTS] if stages is not None else ():
        outs = stage.get("outs")
        for item in outs.items[:_MAX_OUTPUTS] if outs is not None else ():
            path = item.get("path")
            if path is not None and any(item.get(key) is not None for key in _HASHES):
                yield path


def _is_model(context: Context, node: Node) -> bool:
    """Whether the path of an output is that of a model: figures about one are a text, a table or a picture."""
    path = (node.string() or "").rstrip("/").lower()
    return not path.endswith(_TEXTS) and is_model(context, path)
