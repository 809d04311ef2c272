"""CodePipelines that code declares with the AWS CDK: `aws_codepipeline`, `aws_codebuild`, `aws_cdk.pipelines`.

The code is read, never run: constructs are followed from the call that makes them through the variables of the same
function (`cdk_scope.py`). A program in TypeScript comes as the same in Python (`documents/typescript_syntax.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from mlops_scan.ci import cdk_first
from mlops_scan.ci.actions import pipeline_jobs
from mlops_scan.ci.cdk_codepipeline import StageReader
from mlops_scan.ci.cdk_events import rules_of
from mlops_scan.ci.cdk_pipelines import stages_of
from mlops_scan.ci.cdk_programs import called, naming, not_run, tree_of
from mlops_scan.ci.cdk_scope import Scope, argument, constant, scopes
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.store import Documents
from mlops_scan.words import Role

_PIPELINES = ("aws_codepipeline.Pipeline", "pipelines.CdkPipeline", "pipelines.CodePipeline")
_MAX_PIPELINES = 20  # of one function


def find(paths: Sequence[str], documents: Documents) -> dict[str, tuple[Workflow, ...]]:
    """The pipelines that programs declare, by file."""
    made = {path: [reader for reader in _readers(path, documents) if reader.made] for path in paths}
    owners = {reader.owner for readers in made.values() for reader in readers if reader.owner}
    where = naming(owners, documents)
    return {
        path: tuple(workflow for reader in readers for workflow in reader.workflows(where))
        for path, readers in made.items()
    }


def _readers(path: str, documents: Documents) -> Iterator[_Reader]:
    tree = tree_of(path, documents)
    if tree is not None:
        for scope in scopes(tree):
            yield _Reader(path, documents, scope)


class _Reader(Struct, dict=True):
    """Reads the pipelines of one function."""

    path: str
    documents: Documents
    scope: Scope

    def __post_init__(self) -> None:
        self.owner = self.scope.owner
        self.naming: Mapping[str, Sequence[str]] = {}
        calls = (call for call in self.scope.calls if self.scope.name(call).endswith(_PIPELINES))
        self.made = list(islice(calls, _MAX_PIPELINES))

    def workflows(self, naming: Mapping[str, Sequence[str]]) -> Iterator[Workflow]:
        """The pipelines made here; those in a class or function that nothing names are not loaded.

        `naming` has the files with the name of the class or function that declares them.
        """
        self.naming = naming
        for call in self.made:
            reader = StageReader(self.path, self.documents, self.scope, self._hints)
            if self.scope.name(call).endswith(_PIPELINES[0]):
                stages = reader.stages(call)
            elif self.scope.name(call).endswith(_PIPELINES[1]):
                stages = cdk_first.stages_of(call, self.path, self.scope, reader.action)
            else:
                stages = stages_of(call, self.path, self.scope)
            name = constant(argument(call, "pipeline_name")) or self.owner or "Pipeline"
            triggers, jobs = pipeline_jobs(stages, tuple(rules_of(call, self.scope)))
            unloaded = "" if not self.owner or self._used() else f"nothing in the repository creates {self.owner}"
            unloaded = unloaded or not_run(self.path, self.documents)
            yield Workflow(self.path, "aws-codepipeline", call.lineno, name, triggers, jobs, unloaded)

    def _used(self) -> bool:
        """Whether something besides its definition names the class or function that declares the pipeline."""
        return any(
            called(self.owner, self.documents.text(path))
            for path in self.naming[self.owner]
            if self.documents.files[path].role is not Role.TEST
        )

    def _hints(self) -> frozenset[str]:
        """Constants that are handed to the class where it is made: one may name the folder that seeds its sources."""
        if not self.owner:
            return frozenset()
        found: set[str] = set()
        for path in self.naming[self.owner]:
            tree = tree_of(path, self.documents) if called(self.owner, self.documents.text(path)) else None
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == self.owner:
                    constants = (constant(keyword.value) for keyword in node.keywords)
                    found.update(value.rpartition("/")[2].removesuffix(".zip") for value in constants if value)
        return frozenset(found)
