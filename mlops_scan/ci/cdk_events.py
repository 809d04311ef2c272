"""What starts a pipeline of a CDK program besides its sources: event rules (`aws_events`) and commits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlops_scan.ci.cdk_scope import Scope, argument, constant
from mlops_scan.ci.model import Trigger


def rules_of(pipeline: ast.Call, scope: Scope) -> Iterator[Trigger]:
    """Event rules whose target is the pipeline, and commits that start it."""
    variables = scope.variables(pipeline)
    for call in scope.calls:
        kind = scope.name(call)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method == "on_commit" and _targets(call, variables, scope):
            yield Trigger("push", call.lineno, constant(argument(call, "branches")) or "a commit")
        elif kind.endswith("aws_events.Rule") and _aims(call, variables, scope):
            yield from _fired(call)


def _aims(rule: ast.Call, variables: set[str], scope: Scope) -> bool:
    if _targets(rule, variables, scope):
        return True
    own = scope.variables(rule)
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "add_target"
        and ast.unparse(call.func.value) in own
        and _targets(call, variables, scope)
        for call in scope.calls
    )


def _targets(call: ast.Call, variables: set[str], scope: Scope) -> bool:
    """Whether a call is given `targets.CodePipeline(pipeline)`."""
    for node in ast.walk(call):
        if isinstance(node, ast.Call) and scope.name(node).endswith("aws_events_targets.CodePipeline"):
            given = (*node.args, *(keyword.value for keyword in node.keywords))
            if any(ast.unparse(item) in variables for item in given):
                return True
    return False


def _fired(rule: ast.Call) -> Iterator[Trigger]:
    enabled = argument(rule, "enabled")
    if isinstance(enabled, ast.Constant) and enabled.value is False:
        return
    clock, pattern = argument(rule, "schedule"), argument(rule, "event_pattern")
    if clock is not None:
        yield Trigger("schedule", clock.lineno, ast.unparse(clock)[:120])
    if pattern is not None:
        text = ast.unparse(pattern)[:5_000]
        kind = "push" if "aws.codecommit" in text else "external"
        yield Trigger(kind, rule.lineno, constant(argument(rule, "description")) or "an event rule")
