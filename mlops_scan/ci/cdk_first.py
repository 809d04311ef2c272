"""Pipelines of the first interface of `aws_cdk.pipelines`: `CdkPipeline`, its source and synth actions, its stages.

Many programs still use it; it has other names and options than what came after it (`cdk_pipelines.py`).
Facts: https://github.com/aws/aws-cdk/blob/v1-main/packages/@aws-cdk/pipelines/ORIGINAL_API.md and
https://docs.aws.amazon.com/cdk/api/v1/python/aws_cdk.pipelines/StandardNpmSynthOptions.html (the default commands)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from mlops_scan.ci.actions import Action
from mlops_scan.ci.cdk_pipelines import stage_name
from mlops_scan.ci.cdk_scope import Scope, argument, constant
from mlops_scan.ci.shape import command_list
from mlops_scan.documents.node import Node

_DEFAULTS = {
    "standard_npm_synth": {"install": "npm ci", "synth": "npx cdk synth"},
    "standard_yarn_synth": {"install": "yarn install --frozen-lockfile", "synth": "npx cdk synth"},
}
_PHASES = ("install", "build", "test", "synth")
"""The order in which an action runs its commands; each is an option for one command, or for a list of them."""

_STAGES = frozenset({"add_application_stage", "add_stage"})


def stages_of(
    pipeline: ast.Call, path: str, scope: Scope, source: Callable[[ast.expr], Action | None]
) -> list[tuple[str, list[Action]]]:
    """The source and the synth action of a pipeline, then the stages added to it; `source` reads an action."""
    stages: list[tuple[str, list[Action]]] = []
    given = argument(pipeline, "source_action")
    found = source(given) if given is not None else None
    stages += [("Source", [found])] if found is not None else []
    synth = scope.resolved(argument(pipeline, "synth_action"))
    if isinstance(synth, ast.Call):
        stages.append(("Build", [_synth(synth, path, scope)]))
    receivers, made = scope.variables(pipeline), dict[str, str]()
    for call in scope.calls:
        if not isinstance(call.func, ast.Attribute):
            continue
        receiver = ast.unparse(call.func.value)
        if call.func.attr in _STAGES and receiver in receivers:
            stage = stage_name(call, scope)
            made.update(dict.fromkeys(scope.variables(call), stage))
            if call.func.attr == "add_application_stage":
                stages += _application(call, stage)
        elif receiver in made:
            stages += _added(call, call.func.attr, made[receiver], path, scope)
    return stages


def _application(call: ast.Call, stage: str) -> Iterator[tuple[str, list[Action]]]:
    """What deploys an application, after the approval that it may ask for."""
    end = call.end_lineno or call.lineno
    asked = argument(call, "manual_approvals")
    if isinstance(asked, ast.Constant) and asked.value is True:
        yield stage, [Action("Approve", call.lineno, end, "Approval", "Manual")]
    yield stage, [Action("Deploy", call.lineno, end, "Deploy", "CloudFormation")]


def _added(call: ast.Call, method: str, stage: str, path: str, scope: Scope) -> Iterator[tuple[str, list[Action]]]:
    """What a later call adds to a stage."""
    end = call.end_lineno or call.lineno
    if method == "add_application":
        yield from _application(call, stage)
    elif method == "add_manual_approval_action":
        yield stage, [Action("Approve", call.lineno, end, "Approval", "Manual")]
    elif method == "add_actions":
        made = (scope.resolved(item) for item in call.args)
        actions = [_shell(item, path, scope) for item in made if isinstance(item, ast.Call)]
        if actions:
            yield f"{stage}.post", actions


def _synth(call: ast.Call, path: str, scope: Scope) -> Action:
    """The action that builds, tests and synthesizes the application."""
    method = scope.name(call).rpartition(".")[2]
    place = _command(call, f"cd {folder}") if (folder := constant(argument(call, "subdirectory"))) else None
    lists = [(path, place)] if place is not None else []
    for phase in _PHASES:
        given = argument(call, f"{phase}_command") or argument(call, f"{phase}_commands")
        default = _DEFAULTS.get(method, {}).get(phase, "")
        commands = scope.literal(given) if given is not None else _command(call, default) if default else None
        if commands is not None:
            lists.append((path, commands))
    name = constant(argument(call, "action_name")) or "Synth"
    steps = command_list(lists, block_errexit=False)
    return Action(name, call.lineno, call.end_lineno or call.lineno, "Build", "CodeBuild", steps=steps)


def _shell(call: ast.Call, path: str, scope: Scope) -> Action:
    kind = scope.name(call).rpartition(".")[2]
    name = constant(argument(call, "action_name")) or kind
    end = call.end_lineno or call.lineno
    given = argument(call, "commands")
    commands = scope.literal(given) if given is not None else None
    if kind != "ShellScriptAction" or commands is None:
        return Action(name, call.lineno, end, "Invoke", kind)
    steps = command_list([(path, commands)], block_errexit=False)
    return Action(name, call.lineno, end, "Build", "CodeBuild", steps=steps)


def _command(call: ast.Call, text: str) -> Node:
    return Node("scalar", call.lineno, call.end_lineno or call.lineno, value=text, text=text)
