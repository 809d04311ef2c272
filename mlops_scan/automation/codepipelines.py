"""Pipelines that Python code defines: their steps, and the commands that they hand over."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from msgspec.structs import replace

from mlops_scan.automation.handed import Command, Handed
from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.resolve import Resolver
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Evidence, Hop, Location


def code_pipelines(uses: Sequence[Use], index: CodeIndex) -> Iterator[tuple[Use, tuple[Node, ...]]]:
    """Pipelines that Python code defines: the defining use and the scopes its definition runs."""
    handed: _HandedTasks | None = None
    for use in uses:
        if "define-pipeline" not in use.does or use.location.path not in index.modules:
            continue
        module = index.modules[use.location.path]
        if use.scope in module.classes:
            item = module.classes[use.scope]
            yield use, tuple((module.path, f"{use.scope}.{method}") for method in item.methods)
        else:
            # a DAG built at module level, or a decorated or building function, with the steps that it is handed
            handed = handed or _HandedTasks(uses, index)
            made = tuple(handed.made_by_callers(use))
            yield from made or ((use, ((module.path, use.scope), *handed.to(module.path, use.scope))),)


class _HandedTasks:
    """Tasks given to a function that makes a pipeline, where it is called.

    Either the calls of tasks stand among its arguments (`flow(read=read(), fit=fit()).run()`), or the caller has made
    them before (`publish(workspace, steps=[prepare, fit])`).
    """

    def __init__(self, uses: Sequence[Use], index: CodeIndex) -> None:
        self._index = index
        self._tasks = {(use.location.path, use.scope) for use in uses if "define-task" in use.does}
        self._calls: dict[str, list[tuple[str, Call]]] = {}  # by the last part of their names, those of pipelines only
        for use in uses if self._tasks else ():
            if "define-pipeline" in use.does and self._takes_tasks(use.location.path, use.scope):
                self._calls[use.scope.rpartition(".")[2]] = []
        for path, module in index.modules.items() if self._calls else ():
            for call in module.calls:
                if (last := call.name.rpartition(".")[2]) in self._calls:
                    self._calls[last].append((path, call))

    def to(self, path: str, scope: str) -> tuple[Node, ...]:
        """The tasks that the callers of a function hand over."""
        found: dict[Node, None] = {}
        for caller, call in self._callers(path, scope):
            for inner in self._index.calls_in(caller, call.scope):
                if call.line <= inner.line <= call.end_line:
                    target = self._index.resolve(caller, inner.name)
                    if target.first_party and (target.path, target.qualname) in self._tasks:
                        found[(target.path, target.qualname)] = None
        return tuple(found)

    def made_by_callers(self, use: Use) -> Iterator[tuple[Use, tuple[Node, ...]]]:
        """A pipeline for each caller that makes tasks, of a helper that only puts together what it is given."""
        path, scope = use.location.path, use.scope
        if (path, scope) in self._tasks or not self._takes_tasks(path, scope):
            return
        if use.location.line <= self._index.modules[path].functions[scope].line:  # a decorator: it is the pipeline
            return
        for caller, call in self._callers(path, scope):
            if (caller, call.scope) in self._tasks and (caller, call.scope) != (path, scope):
                where = Location(caller, call.line, call.end_line)
                yield replace(use, location=where, scope=call.scope), ((caller, call.scope), (path, scope))

    def _callers(self, path: str, scope: str) -> Iterator[tuple[str, Call]]:
        """The calls of a function that takes tasks, with the modules that they stand in."""
        for caller, call in self._calls.get(scope.rpartition(".")[2], ()) if self._takes_tasks(path, scope) else ():
            if _is(self._index, caller, call.name, (path, scope)):
                yield caller, call

    def _takes_tasks(self, path: str, scope: str) -> bool:
        function = self._index.modules[path].functions.get(scope) if path in self._index.modules else None
        return function is not None and bool(function.parameters)


def _is(index: CodeIndex, caller: str, name: str, node: Node) -> bool:
    target = index.resolve(caller, name)
    return target.first_party and (target.path, target.qualname) == node


def code_pipeline_runs(uses: Sequence[Use], index: CodeIndex, resolver: Resolver, handed: Handed) -> Iterator[Run]:
    """What pipelines defined in Python code run, scripts that their tasks name included, with the pipeline as start."""
    tasks = task_scopes(uses)
    for use, entries in code_pipelines(uses, index):
        evidence = Evidence(use.location, Hop.TRIGGER, use.name)
        start = Start("pipeline", use.name, evidence)
        yield Run(start, (), use.location, (evidence,), entries=entries)
        for path, command in task_commands(entries, tasks, index, handed):
            yield from resolver.script(command.text, path, command.line, start, folder=command.folder)


def lead_commands(uses: Iterable[Use], index: CodeIndex, resolver: Resolver, handed: Handed) -> None:
    """Lead the graph of the code on from tasks to what their commands run, so that it is run with their pipeline.

    Of a constant with the path of a script the graph knows that itself; of `f"cd {HOME} && python train.py"` or
    `dvc repro` it does not.
    """
    lines: dict[Node, set[int]] = {}
    for use in uses:
        if "define-task" in use.does and use.location.path in index.modules:
            lines.setdefault((use.location.path, use.scope), set()).add(use.location.line)
    for (path, scope), tasks in lines.items():
        for command in handed.commands(path, scope):
            if command.line not in tasks:
                continue
            start = Start("pipeline", "task", Evidence(Location(path, command.line), Hop.TRIGGER, "task"))
            runs = resolver.script(command.text, path, command.line, start, folder=command.folder)
            nodes = tuple(dict.fromkeys(node for run in runs for node in run.entries if node[0] != path))
            if nodes:
                index.lead((path, scope), nodes, command.line, chosen=False)


def task_scopes(uses: Iterable[Use]) -> frozenset[Node]:
    """The functions that are tasks of pipelines."""
    return frozenset((use.location.path, use.scope) for use in uses if use.scope and "define-task" in use.does)


def task_commands(
    entries: Iterable[Node], tasks: Container[Node], index: CodeIndex, handed: Handed
) -> Iterator[tuple[str, Command]]:
    """The commands that a pipeline hands over, each with its file: in its definition, or in the tasks that it calls."""
    scopes = dict.fromkeys(entries)
    for path, scope in tuple(scopes):
        for call in index.calls_in(path, scope):
            target = index.resolve(path, call.name)
            if target.first_party and (target.path, target.qualname) in tasks:
                scopes[(target.path, target.qualname)] = None
    for path, scope in scopes:
        for command in handed.commands(path, scope):
            yield path, command
