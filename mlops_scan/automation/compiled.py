"""Pipelines that code only writes to a file: `Compiler().compile(pipeline_func=…)` runs none of their steps.

The steps of such a pipeline are functions that an engine runs elsewhere, once somebody hands it the file; neither an
import of their module nor the compilation calls them.
Fact: https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/compile-a-pipeline/
"""

from __future__ import annotations

from collections.abc import Iterable

from mlops_scan.automation.model import Run
from mlops_scan.code.index import CodeIndex
from mlops_scan.fingerprints.use import Use
from mlops_scan.rulebook import Tool

COMPILES = "compile-pipeline"
"""The activity of a call that only writes the pipeline which it is handed."""
_DEFINES = frozenset({"define-pipeline", "define-task"})
_SUBMITS = frozenset({"run-pipeline", "deploy-pipeline"})
_PACKAGES = (".yaml", ".yml", ".json", ".zip", ".tar.gz", ".tgz")


def hold_compiled(uses: Iterable[Use], runs: Iterable[Run], tools: Iterable[Tool], index: CodeIndex) -> None:
    """Take the steps and pipelines that are only compiled from what code runs.

    Only where nothing in the repository hands a pipeline to an engine, neither code nor a command: which of several
    packages is meant, and by which of its names the code asks for a pipeline, is not always seen.
    """
    engines = {tool.id for tool in tools if any(COMPILES in signature.does for signature in tool.signatures)}
    own = [use for use in uses if use.tool in engines and use.location.path in index.modules]
    if not own or any(not _SUBMITS.isdisjoint(use.does) for use in uses) or _commanded(own, runs, index):
        return
    compiling = [(use.location.path, use.location.line) for use in own if COMPILES in use.does]
    steps = [(use.location.path, use.scope) for use in own if not _DEFINES.isdisjoint(use.does) and _marks(use, index)]
    index.hold(steps, compiling)


def _marks(use: Use, index: CodeIndex) -> bool:
    """Whether the use is a decorator of a function."""
    function = index.modules[use.location.path].functions.get(use.scope)
    return function is not None and bool(function.decorators) and use.location.line <= function.line


def _commanded(uses: Iterable[Use], runs: Iterable[Run], index: CodeIndex) -> bool:
    """Whether a command submits a pipeline, or names a file that code which compiles one names as well."""
    packages = {name for use in uses if COMPILES in use.does for name in _packages(use, index)}
    return any(
        any(not _SUBMITS.isdisjoint(use.does) for use in run.uses)
        or any(word.rpartition("/")[2] in packages for word in run.words if word.endswith(_PACKAGES))
        for run in runs
    )


def _packages(use: Use, index: CodeIndex) -> set[str]:
    """The names of the files that a compilation may write: those that it is handed, else those that its file has."""
    path = use.location.path
    calls = [call for call in index.calls_in(path, use.scope) if call.line == use.location.line]
    handed = [text for call in calls for text in (*call.args, *(value for _, value in call.keywords)) if text]
    found = {text.rpartition("/")[2] for text in handed if text.endswith(_PACKAGES)}
    strings = index.modules[path].strings
    return found or {text.rpartition("/")[2] for _, text in strings if text.endswith(_PACKAGES)}
