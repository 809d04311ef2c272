"""Resources of every language in one list, with what they refer to and why they are never made."""

from __future__ import annotations

import pytest

from mlops_scan.automation.infrastructure import Resource, kind_of, resources, typescript_programs
from mlops_scan.code.build import Source, build
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents
from mlops_scan.repository.files import File, Texts
from mlops_scan.words import Role


def _resources(**texts: str) -> list[Resource]:
    named = {name.replace("__", "/").replace("_tf", ".tf"): text for name, text in texts.items()}
    return _of(named)


def _of(texts: dict[str, str]) -> list[Resource]:
    documents = Documents.of(texts)
    modules = [
        module
        for path, text in texts.items()
        if path.endswith(".py") and (module := build(Source(path, text, False)).module) is not None
    ]
    for path in texts:
        if path.endswith(".ts"):
            documents.nodes(path)
    return list(resources(documents.files.values(), documents, CodeIndex(modules)))


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("aws_cloudwatch_metric_alarm", "alarm"),
        ("AWS::CloudWatch::Alarm", "alarm"),
        ("aws_cdk.aws_cloudwatch.CfnAlarm", "alarm"),
        ("aws_cdk.aws_cloudwatch.Alarm", "alarm"),
        ("pulumi_aws.cloudwatch.MetricAlarm", "alarm"),
        ("Microsoft.Insights/metricAlerts", "alarm"),
        ("google_monitoring_alert_policy", "alarm"),
        ("aws_sagemaker_monitoring_schedule", "monitor"),
        ("AWS::SageMaker::MonitoringSchedule", "monitor"),
        ("aws_cdk.aws_sagemaker.CfnMonitoringSchedule", "monitor"),
        ("AWS::Events::Rule", "rule"),
        ("aws_scheduler_schedule", "clock"),
        ("google_cloud_scheduler_job", "clock"),
        ("AWS::Serverless::Function", "function"),
        ("aws_s3_bucket", ""),
        ("aws_cloudwatch_log_group", ""),
        ("AWS::Synthetics::Canary", ""),
    ],
)
def test_kind_of_a_type(type_: str, kind: str) -> None:
    assert kind_of(type_) == kind


def test_terraform_references() -> None:
    topics = 'resource "aws_sns_topic" "a" {}\nresource "aws_sns_topic" "ab" {}\n'
    text = topics + 'resource "x_y" "u" {\n  t = [aws_sns_topic.a.arn]\n}\n'
    first, second, user = _resources(infra__main_tf=text)
    assert user.mentions(first) and not user.mentions(second) and not first.mentions(user)


def test_module_that_nothing_calls_is_never_made() -> None:
    inner = 'resource "aws_sns_topic" "a" {\n  name = "n"\n}\n'
    (alone,) = _resources(infra__modules__m__main_tf=inner)
    assert "no configuration" in alone.off
    (called,) = _resources(
        infra__modules__m__main_tf=inner, infra__main_tf='module "m" {\n  source = "./modules/m"\n}\n'
    )
    assert called.off == ""


def test_count_of_zero_is_never_made() -> None:
    (resource,) = _resources(main_tf='resource "a_b" "c" {\n  count = 0\n}\n')
    assert "count" in resource.off


def test_commented_resource_and_data_source_are_none() -> None:
    assert _resources(main_tf='# resource "a_b" "c" {}\ndata "a_b" "c" {\n  name = "x"\n}\n') == []


def test_template_of_cloudformation() -> None:
    text = """\
Resources:
  Topic:
    Type: AWS::SNS::Topic
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: drift
      AlarmActions: [!Ref Topic]
"""
    topic, alarm = _of({"stack.yaml": text})
    assert (alarm.kind, alarm.line, alarm.says("metric_name")) == ("alarm", 4, "drift")
    assert alarm.mentions(topic) and not topic.mentions(alarm)


def test_program_in_python_with_its_nested_calls() -> None:
    text = """\
from aws_cdk import Stack, aws_events as events, aws_events_targets as targets


class Loop(Stack):
    def __init__(self, scope, name):
        super().__init__(scope, name)
        rule = events.Rule(
            self,
            "Weekly",
            event_pattern=events.EventPattern(source=["aws.cloudwatch"]),
        )
        rule.add_target(targets.SfnStateMachine(self.machine))
"""
    found = {resource.type: resource for resource in _of({"stack.py": text})}
    rule = found["aws_cdk.aws_events.Rule"]
    assert (rule.kind, rule.line, rule.scope, rule.name) == ("rule", 7, "Loop.__init__", "Weekly")
    assert "aws.cloudwatch" in rule.text and "SfnStateMachine" in rule.text


def test_program_in_typescript_only_beside_its_project() -> None:
    text = "import * as sns from 'aws-cdk-lib/aws-sns';\nconst t = new sns.Topic(this, 'T');\n"
    files = Documents.of(
        {"infra/cdk.json": "{}", "infra/lib/a.ts": text, "web/b.ts": text, "infra/a.test.ts": text}
    ).files
    assert [file.path for file in typescript_programs(files.values())] == ["infra/lib/a.ts"]
    (topic,) = _of({"cdk.json": "{}", "lib/a.ts": text})
    assert (topic.kind, topic.name, topic.line) == ("topic", "t", 2)


def test_packages_of_the_workspace_of_an_app() -> None:
    text = "import * as sns from 'aws-cdk-lib/aws-sns';\nconst t = new sns.Topic(this, 'T');\n"
    tree = {
        "package.json": '{"workspaces": ["packages/*"], "devDependencies": {"aws-cdk-lib": "^2.0.0"}}',
        "apps/infra/cdk.json": "{}",
        "packages/alarms/package.json": '{"peerDependencies": {"aws-cdk-lib": "^2.0.0"}}',
        "packages/alarms/src/a.ts": text,
        "packages/web/package.json": '{"dependencies": {"react": "18"}}',
        "packages/web/src/b.ts": text,
        "tools/c.ts": text,
    }
    source = Texts({path: held.encode() for path, held in tree.items()})
    files = [File(path, len(held), Role.SOURCE, source) for path, held in tree.items()]
    assert [file.path for file in typescript_programs(files)] == ["packages/alarms/src/a.ts"]
    # a library of constructs, which no app here makes
    assert typescript_programs([file for file in files if file.name != "cdk.json"]) == []
    gone = [File(file.path, file.size, file.role, Texts()) for file in files]
    assert typescript_programs(gone) == []


def test_bicep_and_its_template() -> None:
    (bicep,) = _of({"main.bicep": "resource a 'Microsoft.Insights/metricAlerts@2018-03-01' = {\n  name: 'x'\n}\n"})
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    text = f'{{"$schema": "{schema}", "resources": [{{"type": "Microsoft.Insights/metricAlerts", "name": "x"}}]}}'
    (arm,) = _of({"azuredeploy.json": text})
    assert (bicep.kind, arm.kind, bicep.name, arm.name) == ("alarm", "alarm", "a", "x")
