"""Clocks in CDK programs that start training through a function and a state machine whose definition is a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, practice, scan_tree

STACK = """\
import aws_cdk.aws_events as events
import aws_cdk.aws_events_targets as targets
import aws_cdk.aws_stepfunctions as sfn
from aws_cdk import App, Stack
from aws_cdk.aws_lambda_python_alpha import PythonFunction


class Training(Stack):
    def __init__(self, scope, name, schedule):
        super().__init__(scope, name)
        machine = sfn.StateMachine(
            self, "Machine", definition_body=sfn.DefinitionBody.from_file("./machine.json")
        )
        start = PythonFunction(
            self,
            "Start",
            entry="lambda",
            index="handler.py",
            handler="start",
            environment={"MACHINE": machine.state_machine_arn},
        )
        rule = events.Rule(self, "Weekly", schedule=events.Schedule.expression(f"cron({schedule})"))
        rule.add_target(targets.LambdaFunction(start))


Training(App(), "training", "0 5 ? * 1 *")
"""
HANDLER = """\
import os

import boto3


def start(event, context):
    boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["MACHINE"], input="{}")
"""
MACHINE = """\
{"StartAt": "Fit", "States": {"Fit": {"Type": "Task", "End": true,
 "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync"}}}
"""
FILES = {"stack.py": STACK, "lambda/handler.py": HANDLER, "machine.json": MACHINE}


def test_clock_function_and_state_machine(tmp_path: Path) -> None:
    result = practice(scan_tree(tmp_path, {**ML, **FILES}), "retraining/scheduled")
    assert result.grade is Grade.WIRED
    assert {str(e.location) for e in result.evidence} == {"stack.py:22", "machine.json:2"}


def test_state_machine_as_target(tmp_path: Path) -> None:
    direct = STACK.replace("targets.LambdaFunction(start)", "targets.SfnStateMachine(machine)")
    report = scan_tree(tmp_path, {**ML, **FILES, "stack.py": direct})
    assert practice(report, "retraining/scheduled").grade is Grade.WIRED


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("machine.json", "sagemaker:createTrainingJob.sync", "glue:startJobRun.sync"),
        ("lambda/handler.py", ".start_execution(", ".describe_execution("),
        ("stack.py", "        rule.add_target(targets.LambdaFunction(start))\n", ""),
        ("stack.py", 'handler="start"', 'handler="stop"'),
        ("stack.py", 'schedule=events.Schedule.expression(f"cron({schedule})")', 'description="weekly"'),
    ],
    ids=["it trains nothing", "nothing is started", "no target", "another handler", "no clock"],
)
def test_cut_links(tmp_path: Path, path: str, old: str, new: str) -> None:
    assert old in FILES[path]
    report = scan_tree(tmp_path, {**ML, **FILES, path: FILES[path].replace(old, new)})
    assert practice(report, "retraining/scheduled").grade is Grade.ABSENT
