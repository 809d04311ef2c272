"""Self-mutating pipelines of `aws_cdk.pipelines`: a synth step, then stages and waves.

Facts: https://docs.aws.amazon.com/cdk/api/v2/python/aws_cdk.pipelines.html
"""

from __future__ import annotations

import ast

from mlops_scan.ci.actions import Action, Source
from mlops_scan.ci.cdk_codepipeline import detects
from mlops_scan.ci.cdk_scope import Scope, argument, constant
from mlops_scan.ci.shape import command_list
from mlops_scan.documents.node import Node

_SOURCES = {
    "git_hub": ("push", "GitHub"), "connection": ("push", "CodeStarSourceConnection"),
    "code_commit": ("push", "CodeCommit"), "s3": ("external", "S3"), "ecr": ("external", "ECR"),
}  # fmt: skip
_SHELL_STEPS = frozenset({"ShellStep", "CodeBuildStep"})
_COMMANDS = ("install_commands", "commands")


def stages_of(pipeline: ast.Call, path: str, scope: Scope) -> list[tuple[str, list[Action]]]:
    """The source and the synth step of a pipeline, then its stages and waves with the steps before and after them."""
    synth = scope.resolved(argument(pipeline, "synth"))
    stages: list[tuple[str, list[Action]]] = []
    if isinstance(synth, ast.Call):
        source = _source(scope.resolved(argument(synth, "input")))
        stages += [("Source", [source])] if source is not None else []
        stages.append(("Build", [_step(synth, path, scope)]))
    receivers = scope.variables(pipeline)
    for call in scope.calls:
        if not isinstance(call.func, ast.Attribute) or ast.unparse(call.func.value) not in receivers:
            continue
        if call.func.attr == "add_wave":
            receivers |= scope.variables(call)
        if call.func.attr not in ("add_stage", "add_wave"):
            continue
        stage = stage_name(call, scope)
        for place in ("pre", "post"):
            steps = [_step(item, path, scope) for item in scope.calls_in(argument(call, place))]
            if place == "post" and call.func.attr == "add_stage":
                deployed = Action("Deploy", call.lineno, call.end_lineno or call.lineno, "Deploy", "CloudFormation")
                stages.append((stage, [deployed]))
            if steps:
                stages.append((f"{stage}.{place}", steps))
    return stages


def stage_name(call: ast.Call, scope: Scope) -> str:
    """The name of the stage that a call adds."""
    made = scope.resolved(call.args[0]) if call.args else None
    if isinstance(made, ast.Call):
        return next((constant(given) for given in made.args if constant(given)), "Stage")
    return constant(made) or "Stage"


def _source(node: ast.expr | None) -> Action | None:
    method = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
    if node is None or method not in _SOURCES or not isinstance(node, ast.Call):
        return None
    branch = constant(node.args[1]) if len(node.args) > 1 else constant(argument(node, "branch"))
    source = Source(*_SOURCES[method], detects(node), branch)
    return Action(method, node.lineno, node.end_lineno or node.lineno, "Source", source.provider, source=source)


def _step(call: ast.Call, path: str, scope: Scope) -> Action:
    kind = scope.name(call).rpartition(".")[2]
    name = next((constant(given) for given in call.args if constant(given)), kind)
    end = call.end_lineno or call.lineno
    if kind == "ManualApprovalStep":
        return Action(name, call.lineno, end, "Approval", "Manual")
    if kind not in _SHELL_STEPS:
        return Action(name, call.lineno, end, "Invoke", kind)
    lists = [(path, part) for key in _COMMANDS if (part := _commands(call, key, scope)) is not None]
    return Action(name, call.lineno, end, "Build", "CodeBuild", steps=command_list(lists, block_errexit=False))


def _commands(call: ast.Call, key: str, scope: Scope) -> Node | None:
    given = scope.resolved(argument(call, key))
    return scope.literal(given) if given is not None else None
