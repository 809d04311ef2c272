"""Pipelines of `aws_codepipeline`: stages with actions, and the CodeBuild projects that actions run.

Facts: https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.aws_codepipeline_actions.html
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.ci import codebuild
from mlops_scan.ci.actions import Action, Source
from mlops_scan.ci.cdk_scope import Scope, argument, constant
from mlops_scan.ci.model import Step
from mlops_scan.documents.store import Documents

_SOURCES = {
    "CodeCommitSourceAction": ("push", "CodeCommit"), "GitHubSourceAction": ("push", "GitHub"),
    "CodeStarConnectionsSourceAction": ("push", "CodeStarSourceConnection"),
    "BitBucketSourceAction": ("push", "Bitbucket"), "S3SourceAction": ("external", "S3"),
    "EcrSourceAction": ("external", "ECR"),
}  # fmt: skip
_MODES = {
    "CloudFormationCreateReplaceChangeSetAction": "CHANGE_SET_REPLACE",
    "CloudFormationDeleteStackAction": "DELETE_ONLY",
}


class StageReader(Struct, frozen=True):
    """Reads the stages of the pipelines that one function makes.

    `hints` gives names one of which the folder may have that seeds the sources of a pipeline.
    """

    path: str
    documents: Documents
    scope: Scope
    hints: Callable[[], frozenset[str]]

    def stages(self, pipeline: ast.Call) -> list[tuple[str, list[Action]]]:
        """The stages that a pipeline is made with, then those added to its variable, in order."""
        stages = [
            (constant(argument(item, "stage_name")), self._actions(argument(item, "actions")))
            for item in map(self.scope.resolved, self.scope.listed(argument(pipeline, "stages")))
            if item is not None
        ]
        variables = self.scope.variables(pipeline)
        by_variable: dict[str, list[Action]] = {}
        for call in self.scope.calls:
            if not isinstance(call.func, ast.Attribute):
                continue
            receiver = ast.unparse(call.func.value)
            if call.func.attr == "add_stage" and receiver in variables:
                actions = self._actions(argument(call, "actions"))
                stages.append((constant(argument(call, "stage_name")), actions))
                by_variable.update(dict.fromkeys(self.scope.variables(call), actions))
            elif call.func.attr == "add_action" and receiver in by_variable and call.args:
                by_variable[receiver].extend(self._actions(call.args[0]))
        return stages

    def _actions(self, node: ast.expr | None) -> list[Action]:
        listed = self.scope.listed(node) or ([node] if node is not None else [])
        found = (self.action(item) for item in listed)
        return [action for action in found if action is not None]

    def action(self, node: ast.expr) -> Action | None:
        """One action, or None for what is none."""
        call = self.scope.resolved(node)
        if not isinstance(call, ast.Call):
            return None
        kind = self.scope.name(call).rpartition(".")[2]
        name = constant(argument(call, "action_name")) or kind
        order = argument(call, "run_order")
        number = order.value if isinstance(order, ast.Constant) and isinstance(order.value, int) else 1
        end = call.end_lineno or call.lineno
        action = Action(name, call.lineno, end, "Invoke", kind.removesuffix("Action"), {}, number)
        if kind in _SOURCES:
            source = Source(*_SOURCES[kind], detects(call), constant(argument(call, "branch")))
            return replace(action, category="Source", source=source)
        if kind == "ManualApprovalAction":
            return replace(action, category="Approval")
        if kind == "CodeBuildAction":
            project = self.scope.resolved(argument(call, "project"))
            steps = self._project(project) if isinstance(project, ast.Call) else ()
            return replace(action, category="Build", provider="CodeBuild", steps=steps)
        if kind.startswith("CloudFormation"):
            return replace(action, category="Deploy", provider="CloudFormation", settings=self._template(call, kind))
        return replace(action, category="Deploy" if "Deploy" in kind else "Invoke")

    def _template(self, call: ast.Call, kind: str) -> dict[str, str]:
        """What a CloudFormation action deploys: the constant path in an artifact."""
        given = argument(call, "template_path")
        parts = ast.walk(given) if given is not None else ()
        names = [n.value for n in parts if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        return {"TemplatePath": f"artifact::{names[-1]}" if names else "", "ActionMode": _MODES.get(kind, "")}

    def _project(self, project: ast.Call) -> tuple[Step, ...]:
        """The steps of a CodeBuild project's specification."""
        spec = self.scope.resolved(argument(project, "build_spec"))
        method = spec.func.attr if isinstance(spec, ast.Call) and isinstance(spec.func, ast.Attribute) else ""
        if isinstance(spec, ast.Call) and method.startswith("from_object"):
            given = self.scope.resolved(spec.args[0]) if spec.args else None
            literal = self.scope.literal(given) if given is not None else None
            return codebuild.steps(self.path, literal) if literal is not None else ()
        name = "buildspec.yml"
        if isinstance(spec, ast.Call) and spec.args:
            name = constant(spec.args[0])
        near = self.path.rpartition("/")[0]
        path = codebuild.located(name, self.documents, near, self.hints()) if name else None
        if path is None or not self.documents.nodes(path):
            return ()
        root = path[: -len(name.removeprefix("./"))].rstrip("/")
        return codebuild.steps(path, self.documents.nodes(path)[0], root)


def detects(source: ast.Call) -> bool:
    """Whether a source looks for changes: neither its trigger is `NONE`, nor `trigger_on_push` false."""
    trigger = argument(source, "trigger")
    if trigger is not None and ast.unparse(trigger).endswith(".NONE"):
        return False
    pushed = argument(source, "trigger_on_push")
    return not (isinstance(pushed, ast.Constant) and pushed.value is False)
