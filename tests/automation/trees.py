"""Resolvers and runs over literal trees."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import dedent

from mlops_scan.automation.cijobs import ci_runs
from mlops_scan.automation.clocks import code_schedules
from mlops_scan.automation.model import Pipeline, Run, Start
from mlops_scan.automation.pipelines import declared
from mlops_scan.automation.resolve import Resolver
from mlops_scan.ci.find import workflows
from mlops_scan.code.extract import extract
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.use import Use
from mlops_scan.rulebook import Tool
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location

ORIGIN = "ci.yml"


def documents_of(texts: dict[str, str]) -> Documents:
    """Documents of dedented texts."""
    return Documents.of({path: dedent(text) for path, text in texts.items()})


def index_of(documents: Documents) -> CodeIndex:
    """The code index of all Python files."""
    parsed = [(path, documents.python(path)) for path in documents.files if language_of(path) == "python"]
    return CodeIndex(extract(path, document.tree) for path, document in parsed if document is not None)


def pipelines_of(documents: Documents) -> list[Pipeline]:
    """The pipelines that the YAML, JSON and TOML files declare."""
    paths = [path for path in documents.files if language_of(path) in ("yaml", "json", "toml")]
    return [pipeline for path in paths for pipeline in declared(path, documents.nodes(path))]


def resolver_of(texts: dict[str, str], tools: Iterable[Tool] = ()) -> Resolver:
    """A resolver that knows some tools, or none."""
    documents = documents_of(texts)
    return Resolver(documents, index_of(documents), Matcher(tools), pipelines_of(documents))


def a_start() -> Start:
    """A start that stands at the first line of the origin."""
    return Start("ci", "test", Evidence(Location(ORIGIN, 1), Hop.TRIGGER, "on: push"))


def runs(
    command: str, texts: dict[str, str], folder: str = "", errexit: bool = True, pipefail: bool = False
) -> list[Run]:
    """What an inline script runs in a tree."""
    resolver = resolver_of({ORIGIN: "x: y\n", **texts})
    return list(resolver.script(command, ORIGIN, 1, a_start(), folder=folder, errexit=errexit, pipefail=pipefail))


def entered(command: str, texts: dict[str, str], folder: str = "") -> list[str]:
    """The files of the code that an inline script enters, in order, each once."""
    return list(dict.fromkeys(path for run in runs(command, texts, folder) for path, _ in run.entries))


def commands(command: str, texts: dict[str, str], folder: str = "") -> list[str]:
    """The command lines that an inline script leads to, as text."""
    return [" ".join(run.words) for run in runs(command, texts, folder)]


def ci_runs_of(texts: dict[str, str], tools: Iterable[Tool] = ()) -> list[Run]:
    """What the CI definitions of a tree run."""
    resolver = resolver_of(texts, tools)
    found = tuple(workflows(resolver.documents))
    return list(ci_runs(found, resolver, resolver.documents))


def scheduled(texts: dict[str, str], *tools: str) -> list[Run]:
    """What clocks in the Python code of a tree start, with the calls of `tools` as definitions of pipelines."""
    index = index_of(documents_of(texts))
    uses = [
        Use(
            call.name,
            call.name,
            Location(path, call.line, call.end_line),
            call.scope,
            (),
            ("define-pipeline",),
            Grade.IMPLEMENTED,
            Confidence.HIGH,
            "",
        )
        for path, module in index.modules.items()
        for call in module.calls
        if call.name in tools
    ]
    return list(code_schedules(uses, index))
