"""Tasks that are made before the pipeline which calls them: `train = command(…)`, later `train(…)` in a function.

Facts: https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml#azure-ai-ml-command (`command`, `code`),
https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml#azure-ai-ml-load-component and
https://www.kubeflow.org/docs/components/pipelines/reference/component-spec/ (`implementation.container`)
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping

from mlops_scan.automation.model import Start
from mlops_scan.automation.paths import join
from mlops_scan.automation.pipelines.cloud import azure_ml_step
from mlops_scan.automation.pipelines.shapes import folder_of, listed
from mlops_scan.automation.resolve import Resolver
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Evidence, Hop, Location

_MAKERS = frozenset({"azure.ai.ml.command", "azure.ai.ml.load_component", "kfp.components.load_component_from_file"})
_FILES = ("source", "path", "filename", "yaml_file")
_SUFFIXES = (".yaml", ".yml")

_Made = Mapping[tuple[str, str], tuple[Node, ...]]  # the code that a task runs, by file and variable


def task_objects(uses: Collection[Use], index: CodeIndex, resolver: Resolver) -> None:
    """Lead the graph of the code on from where such a task is called to what it runs."""
    paths = dict.fromkeys(use.location.path for use in uses if use.name in _MAKERS)
    paths = {path: None for path in paths if path in index.modules}
    made = {(path, name): nodes for path in paths for name, nodes in _made(path, index, resolver)}
    for path in paths if made else ():
        _lead_calls(path, made, index, resolver)
    for path, scope in dict.fromkeys(_pipelines(uses)) if made else ():
        for call in index.calls_in(path, scope):
            imported = None if call.name in _MAKERS else index.find_module(call.name, path)
            if imported is not None and imported in made:
                index.lead((path, scope), made[imported], call.line, chosen=False)


def _pipelines(uses: Iterable[Use]) -> Iterator[Node]:
    return ((use.location.path, use.scope) for use in uses if "define-pipeline" in use.does)


def _made(path: str, index: CodeIndex, resolver: Resolver) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """The variables of a module that hold a task, with the code that it runs."""
    by_line = {call.line: call for call in index.modules[path].calls if call.name in _MAKERS}
    document = resolver.documents.python(path)
    for node in ast.walk(document.tree) if document is not None else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.lineno in by_line:
            target, nodes = node.targets[0], tuple(_runs(path, by_line[node.value.lineno], resolver))
            if isinstance(target, ast.Name) and nodes:
                yield target.id, nodes


def _lead_calls(path: str, made: _Made, index: CodeIndex, resolver: Resolver) -> None:
    """Lead on from the calls of a module's own variables."""
    scopes = {call.line: call.scope for call in index.modules[path].calls if call.name in _MAKERS}
    document = resolver.documents.python(path)
    for node in ast.walk(document.tree) if document is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.lineno in scopes:
            nodes = made.get((path, node.func.id), ())
            index.lead((path, scopes[node.lineno]), nodes, node.lineno, chosen=False)


def _runs(path: str, call: Call, resolver: Resolver) -> Iterator[Node]:
    """The code that the task runs which a call makes: by its own command, or by that in a component's file."""
    start = Start("pipeline", call.name, Evidence(Location(path, call.line), Hop.TRIGGER, call.name))
    own = call.keyword("command")
    if own:
        folders = dict.fromkeys(
            (join(folder_of(path), call.keyword("code") or "."), join("", call.keyword("code") or ""))
        )
        folder = next((place for place in folders if resolver.paths.is_folder(place)), "")
        found = (path, own, call.line, folder)
    else:
        named = [call.keyword(key) for key in _FILES] + list(call.args[:1])
        file = next((known for name in named if name and (known := _file(name, path, resolver))), "")
        described = _described(file, resolver) if file else None
        if described is None:
            return
        found = described
    where, text, line, folder = found
    for run in resolver.script(text, where, line, start, folder=folder):
        yield from run.entries


def _file(name: str, path: str, resolver: Resolver) -> str:
    """The file of a component as code names it: from its own folder or from the root, or empty."""
    known = name.endswith(_SUFFIXES)
    return (resolver.paths.existing(name.removeprefix("./"), folder_of(path)) or "") if known else ""


def _described(file: str, resolver: Resolver) -> tuple[str, str, int, str] | None:
    """What a component's file says that it runs: the file, the command, its line and the folder it runs in."""
    for document in resolver.documents.nodes(file)[:1]:
        container = document.path("implementation", "container")
        if container is not None:
            words = (*listed(container.get("command")), *listed(container.get("args")))
            near = (_near(word, folder_of(file), resolver) for word in words)
            return file, shlex.join(near), container.line, folder_of(file)
        step = azure_ml_step(file, "", document)
        return (file, step.command, step.command_line, step.folder) if step.command else None
    return None


def _near(word: str, folder: str, resolver: Resolver) -> str:
    """A path in the image of a component as that of a file beside the component's own, where there is one."""
    name = word.rpartition("/")[2]
    if not word.startswith("/") or not name.endswith(".py"):
        return word
    return next((found for found in (name, f"src/{name}") if resolver.paths.has_here(join(folder, found))), word)
