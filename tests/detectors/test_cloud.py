"""Declared alarms, monitors and triggers in the cloud: each is as good as its missing link."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, findings, grade, practice, scan_tree, where

PERFORMANCE, DRIFT, ALERTS = "monitoring/performance-threshold", "monitoring/drift", "monitoring/alerts"
SCHEDULED, TRIGGERED = "retraining/scheduled", "retraining/triggered"

MONITOR = """\
Resources:
  Watch:
    Type: AWS::SageMaker::MonitoringSchedule
    Properties:
      MonitoringScheduleConfig:
        MonitoringType: DataQuality
        MonitoringJobDefinitionName: checks
        ScheduleConfig:
          ScheduleExpression: cron(0 * ? * * *)
  Drift:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: aws/sagemaker/Endpoints/data-metrics
      MetricName: feature_baseline_drift_age
      Threshold: 0.2
      ComparisonOperator: GreaterThanThreshold
      AlarmActions: [!Ref Topic]
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      Subscription:
        - Endpoint: ml@shop.example
          Protocol: email
"""


def test_monitor_with_schedule_bound_and_receiver(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "infra/monitor.yaml": MONITOR})
    assert grade(report, DRIFT) is Grade.WIRED
    assert grade(report, ALERTS) is Grade.WIRED
    assert {str(e.location) for e in practice(report, DRIFT).evidence} >= {"infra/monitor.yaml:2"}


@pytest.mark.parametrize(
    ("old", "new", "drift", "alerts"),
    [
        ("cron(0 * ? * * *)", "NOW", Grade.IMPLEMENTED, True),
        ("      AlarmActions: [!Ref Topic]\n", "", Grade.WIRED, False),
        ("Endpoint: ml@shop.example", "Endpoint: TODO", Grade.WIRED, False),
        ("feature_baseline_drift_age", "feature_baseline_drift_age\n      ActionsEnabled: false", Grade.WIRED, False),
    ],
    ids=["once", "no action", "inline placeholder", "switched off"],
)
def test_monitor_with_a_link_missing(tmp_path: Path, old: str, new: str, drift: Grade, alerts: bool) -> None:
    assert old in MONITOR
    report = scan_tree(tmp_path, {**ML, "infra/monitor.yaml": MONITOR.replace(old, new)})
    assert grade(report, DRIFT) is drift
    assert practice(report, ALERTS).met is alerts


def test_alarm_of_model_monitor_without_a_monitor(tmp_path: Path) -> None:
    text = MONITOR.replace("AWS::SageMaker::MonitoringSchedule", "AWS::S3::Bucket")
    report = scan_tree(tmp_path, {**ML, "infra/monitor.yaml": text})
    assert grade(report, DRIFT) is Grade.IMPLEMENTED
    assert where(report, "MLS507") == ["infra/monitor.yaml:10"]


ALARM = """\
resource "aws_cloudwatch_metric_alarm" "a" {
  namespace   = "SPACE"
  metric_name = "METRIC"
  threshold   = 90
}
"""


def test_alarm_on_the_machine_is_none_on_the_model(tmp_path: Path) -> None:
    text = ALARM.replace("SPACE", "AWS/EC2").replace("METRIC", "CPUUtilization")
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": text})
    assert [grade(report, name) for name in (DRIFT, PERFORMANCE, ALERTS)] == [Grade.ABSENT] * 3
    assert not findings(report, "MLS505")


SERVICE = """\
resource "aws_cloudwatch_metric_alarm" "errors" {
  namespace     = "AWS/ApplicationELB"
  metric_name   = "HTTPCode_Target_5XX_Count"
  threshold     = 5
  alarm_actions = [aws_sns_topic.alerts.arn]
}
resource "aws_sns_topic" "alerts" {}
resource "aws_sns_topic_subscription" "mail" {
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.mail
}
variable "mail" {}
variable "actions" { default = [] }
"""
ACTION = "[aws_sns_topic.alerts.arn]"


@pytest.mark.parametrize(
    ("old", "new", "met"),
    [
        ("", "", True),
        (ACTION, "var.given", True),
        (ACTION, "var.actions", False),
        (ACTION, "[aws_appautoscaling_policy.up.arn]", False),
        (ACTION, '["arn:aws:automate:eu-west-1:ec2:recover"]', False),
        (ACTION, "[]", False),
        ("  threshold     = 5", "  actions_enabled = false", False),
        ("var.mail", '"TODO"', False),
        ("AWS/ApplicationELB", "AWS/Billing", False),
    ],
    ids=["told", "from outside", "left empty", "scales", "restarts", "nobody", "off", "no address", "costs"],
)
def test_alarm_on_the_service_that_tells_somebody(tmp_path: Path, old: str, new: str, met: bool) -> None:
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": SERVICE.replace(old, new)})
    assert practice(report, ALERTS).met is met
    assert [grade(report, name) for name in (DRIFT, PERFORMANCE)] == [Grade.ABSENT] * 2
    assert not findings(report, "MLS505")


def test_actions_that_the_caller_of_a_module_gives(tmp_path: Path) -> None:
    tree: Tree = {**ML, "infra/modules/alarms/main.tf": SERVICE.replace(ACTION, "var.actions")}
    call = 'module "alarms" {\n  source  = "./modules/alarms"\n  MORE\n}\n'
    given = {**tree, "infra/main.tf": call.replace("MORE", "actions = [aws_sns_topic.team.arn]")}
    assert practice(scan_tree(tmp_path / "given", given), ALERTS).met
    left = {**tree, "infra/main.tf": call.replace("MORE", "")}
    assert grade(scan_tree(tmp_path / "left", left), ALERTS) is Grade.ABSENT


def test_alarm_on_the_endpoint_watches_the_service(tmp_path: Path) -> None:
    text = ALARM.replace("SPACE", "AWS/SageMaker").replace("METRIC", "ModelLatency")
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": text})
    assert practice(report, "monitoring/service-metrics").met
    assert grade(report, PERFORMANCE) is Grade.ABSENT


EMITS = """\
import boto3


def publish(result):
    client = boto3.client("cloudwatch")
    for name, value in (
        ("Rows", 1.0),
        {line},
    ):
        client.put_metric_data(Namespace="churn/model", MetricData=[dict(MetricName=name, Value=value)])


if __name__ == "__main__":
    publish(dict(drift_score=1))
"""


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ('("drift_score", float(result["drift"]))', True),
        ('("other", float(result["drift_score"]))', False),
        ('("other", print("drift_score"))', False),
    ],
    ids=["beside a conversion", "looked up", "printed"],
)
def test_name_of_a_metric_beside_a_conversion(tmp_path: Path, line: str, known: bool) -> None:
    text = ALARM.replace("SPACE", "churn/model").replace("METRIC", "drift_score")
    run = {".github/workflows/daily.yml": DAILY}
    tree = {**ML, **run, "infra/main.tf": text, "publish.py": EMITS.replace("{line}", line)}
    assert (where(scan_tree(tmp_path, tree), "MLS507") == []) is known


@pytest.mark.parametrize(
    ("path", "text", "known"),
    [
        ("jobs/publish.py", EMITS.replace("{line}", '("drift_score", 1)'), True),
        ("service/metrics.go", 'metrics.Put("drift_score", value)\n', True),
        ("service/metrics.go", 'metrics.Put("drift_scores", value)\n', False),
        ("README.md", "We watch `drift_score`.\n", False),
        ("tests/metrics.go", 'metrics.Put("drift_score", value)\n', False),
    ],
    ids=["a script that nothing runs", "another language", "another name", "prose", "a test"],
)
def test_program_that_names_a_metric_may_emit_it(tmp_path: Path, path: str, text: str, known: bool) -> None:
    alarm = ALARM.replace("SPACE", "churn/model").replace("METRIC", "drift_score")
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": alarm, path: text})
    assert (where(report, "MLS507") == []) is known
    assert practice(report, DRIFT).grade is not Grade.WIRED


CDK = """\
from aws_cdk import App, Stack, aws_cloudwatch as cloudwatch, aws_events as events, aws_events_targets as targets
from aws_cdk import aws_sagemaker as sagemaker


class Watch(Stack):
    def __init__(self, scope, name):
        super().__init__(scope, name)
        schedule = sagemaker.CfnMonitoringSchedule(
            self,
            "Schedule",
            monitoring_schedule_config=sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
                monitoring_job_definition_name="checks",
                schedule_config=sagemaker.CfnMonitoringSchedule.ScheduleConfigProperty(schedule_expression=name),
            ),
        )
        cloudwatch.CfnAlarm(
            self, "Drift", namespace="aws/sagemaker/Endpoints/data-metrics", metric_name=name, threshold=0.2
        )
        rule = events.Rule(
            self,
            "OnDrift",
            event_pattern=events.EventPattern(
                source=["aws.cloudwatch"], detail_type=["CloudWatch Alarm State Change"]
            ),
        )
        rule.add_target(targets.SageMakerPipeline(self.pipeline))


app = App()
Watch(app, "watch")
app.synth()
"""


KINDS = """\
from aws_cdk import App, Stack, aws_sagemaker as sagemaker


class Monitor(Stack):
    def __init__(self, scope, name, kind, labels):
        super().__init__(scope, name)
        job = self.data() if kind == "DataQuality" else self.quality(labels)
        sagemaker.CfnMonitoringSchedule(
            self,
            "Schedule",
            monitoring_schedule_config=sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
                monitoring_type=kind,
                monitoring_job_definition_name=job.ref,
                schedule_config=sagemaker.CfnMonitoringSchedule.ScheduleConfigProperty(schedule_expression=name),
            ),
        )

    def data(self):
        return sagemaker.CfnDataQualityJobDefinition(self, "Data", role_arn="role")

    def quality(self, labels):
        return sagemaker.CfnModelQualityJobDefinition(
            self,
            "Quality",
            model_quality_job_input=sagemaker.CfnModelQualityJobDefinition.ModelQualityJobInputProperty(
                ground_truth_s3_input=sagemaker.CfnModelQualityJobDefinition.MonitoringGroundTruthS3InputProperty(
                    s3_uri=labels
                ),
            ),
        )


Monitor(App(), "watch", "ModelQuality", "s3://labels")
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", (True, True)),
        ("monitoring_type=kind", 'monitoring_type="DataQuality"', (True, False)),
        ("monitoring_type=kind", 'monitoring_type="ModelQuality"', (False, True)),
        ("ground_truth_s3_input=", "endpoint_input=", (True, False)),
        ("return sagemaker.CfnModelQualityJobDefinition(", "return dict(", (True, False)),
    ],
    ids=["an argument chooses", "of data only", "of the model only", "no labels", "no job of that kind"],
)
def test_schedule_for_several_kinds_of_monitors(
    tmp_path: Path, old: str, new: str, expected: tuple[bool, bool]
) -> None:
    assert old in KINDS
    report = scan_tree(tmp_path, {**ML, "app.py": KINDS.replace(old, new) if old else KINDS})
    assert tuple(practice(report, name).met for name in (DRIFT, "monitoring/performance-threshold")) == expected


def test_loop_in_a_cdk_program(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "app.py": CDK})
    assert grade(report, DRIFT) is Grade.WIRED
    assert practice(report, ALERTS).met
    assert grade(report, TRIGGERED) is Grade.WIRED


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ('Watch(app, "watch")\n', "", (DRIFT, ALERTS, TRIGGERED)),
        ("CloudWatch Alarm State Change", "EC2 Instance State-change Notification", (ALERTS, TRIGGERED)),
        ("targets.SageMakerPipeline(self.pipeline)", "targets.SnsTopic(self.topic)", (TRIGGERED,)),
    ],
    ids=["stack never made", "another event", "target does not train"],
)
def test_cut_loop_in_a_cdk_program(tmp_path: Path, old: str, new: str, lost: tuple[str, ...]) -> None:
    assert old in CDK
    report = scan_tree(tmp_path, {**ML, "app.py": CDK.replace(old, new)})
    assert [name for name in (DRIFT, ALERTS, TRIGGERED) if not practice(report, name).met] == list(lost)


SCHEDULE = """\
resource "aws_scheduler_schedule" "weekly" {
  schedule_expression = "rate(7 days)"
  state               = "ENABLED"
  target {
    arn      = aws_sagemaker_pipeline.train.arn
    role_arn = "arn:aws:iam::1:role/x"
  }
}

resource "aws_sagemaker_pipeline" "train" {
  pipeline_name       = "train"
  pipeline_definition = jsonencode({ Steps = [{ Name = "Fit", Type = "Training" }] })
}
"""


def test_schedule_of_a_training_pipeline(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": SCHEDULE})
    assert grade(report, SCHEDULED) is Grade.WIRED
    assert {str(e.location) for e in practice(report, SCHEDULED).evidence} == {"infra/main.tf:2", "infra/main.tf:10"}


def test_schedule_that_is_off(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "infra/main.tf": SCHEDULE.replace('"ENABLED"', '"DISABLED"')})
    assert grade(report, SCHEDULED) is Grade.TRACE
    assert where(report, "MLS504") == ["infra/main.tf:1"]


def test_schedule_of_something_else(tmp_path: Path) -> None:
    text = SCHEDULE.replace("aws_sagemaker_pipeline.train.arn", '"arn:aws:lambda:x:1:function:backup"')
    assert grade(scan_tree(tmp_path, {**ML, "infra/main.tf": text}), SCHEDULED) is Grade.ABSENT


STEPS = """\
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep, TransformStep


def get_pipeline(estimator, transformer, inputs):
    first = STEP
    return Pipeline(name="leaves", steps=[first])
"""
FITS = STEPS.replace("STEP\n", 'TrainingStep(name="Fit", estimator=estimator, inputs=inputs)\n')
SCORES = STEPS.replace("STEP\n", 'TransformStep(name="Score", transformer=transformer, inputs=inputs)\n')
WEEKLY = """\
Resources:
  Weekly:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(7 days)
      State: ENABLED
      Targets:
        - Id: pipeline
          Arn: !Sub arn:aws:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/leaves
"""


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"a/pipelines/fit.py": FITS, "a/infra/clock.yaml": WEEKLY}, Grade.WIRED),
        ({"pipelines/fit.py": FITS, "infra/clock.yaml": WEEKLY}, Grade.WIRED),
        ({"a/pipelines/fit.py": FITS, "b/pipelines/score.py": SCORES, "b/infra/clock.yaml": WEEKLY}, Grade.ABSENT),
        ({"a/fit/fit.py": FITS, "a/score/score.py": SCORES, "a/score/clock.yaml": WEEKLY}, Grade.ABSENT),
        ({"a/fit/fit.py": FITS, "a/score/score.py": SCORES, "a/clock.yaml": WEEKLY}, Grade.WIRED),
        ({"pipelines/score.py": SCORES, "infra/clock.yaml": WEEKLY}, Grade.ABSENT),
    ],
    ids=["beside", "at the root", "another project", "another folder", "one of both", "only scores"],
)
def test_schedule_of_a_pipeline_in_code(tmp_path: Path, tree: Tree, expected: Grade) -> None:
    report = scan_tree(tmp_path, {**ML, **tree})
    assert grade(report, SCHEDULED) is expected


SAM = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Retrain:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: jobs/
      Handler: retrain.handler
      Events:
        Weekly:
          Type: Schedule
          Properties:
            Schedule: rate(7 days)
            Enabled: true
        NewData:
          Type: S3
          Properties:
            Bucket: !Ref Data
"""
HANDLER = "from train import train\n\n\ndef handler(event, context):\n    train('a', 'b')\n"


def test_function_of_a_sam_template_that_trains(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "template.yaml": SAM, "jobs/retrain.py": HANDLER})
    assert grade(report, SCHEDULED) is Grade.WIRED
    assert grade(report, TRIGGERED) is Grade.WIRED


ASKS = """\
import json
import urllib.request


def handler(event, context):
    return urllib.request.urlopen("https://airflow.example/api/v1/dags/train/dagRuns")
"""


@pytest.mark.parametrize(("name", "expected"), [("handler", Grade.WIRED), ("report", Grade.ABSENT)])
def test_function_outside_the_index_that_asks_for_training(tmp_path: Path, name: str, expected: Grade) -> None:
    """A file of the handler's name in another folder is not the handler's unless it defines the function."""
    sam = SAM.replace("CodeUri: jobs/", "CodeUri: $Source")
    report = scan_tree(tmp_path, {**ML, "template.yaml": sam, "other/retrain.py": ASKS.replace("handler", name)})
    assert grade(report, SCHEDULED) is expected


def test_function_that_does_not_train_and_event_that_is_off(tmp_path: Path) -> None:
    other = scan_tree(
        tmp_path / "other", {**ML, "template.yaml": SAM, "jobs/retrain.py": HANDLER.replace("    train(", "    print(")}
    )
    assert grade(other, SCHEDULED) is Grade.ABSENT
    off = scan_tree(
        tmp_path / "off",
        {**ML, "template.yaml": SAM.replace("Enabled: true", "Enabled: false"), "jobs/retrain.py": HANDLER},
    )
    assert grade(off, SCHEDULED) is Grade.ABSENT
    assert grade(off, TRIGGERED) is Grade.WIRED


POLICY = """\
resource "google_monitoring_alert_policy" "accuracy" {
  display_name = "live accuracy"
  conditions {
    condition_threshold {
      filter          = "metric.type=\\"custom.googleapis.com/live_accuracy\\" resource.type=\\"global\\""
      comparison      = "COMPARISON_LT"
      threshold_value = 0.8
    }
  }
  notification_channels = [google_monitoring_notification_channel.ml.name]
}

resource "google_monitoring_notification_channel" "ml" {
  type   = "email"
  labels = { email_address = "ml@shop.example" }
}
"""
PUBLISH = """\
from google.cloud import monitoring_v3


def publish(name, value):
    monitoring_v3.MetricServiceClient().create_time_series(name=name, time_series=[value])


if __name__ == "__main__":
    publish("live_accuracy", 0.9)
"""
DAILY = """\
on: {schedule: [{cron: "0 5 * * *"}]}
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: python publish.py
"""


def test_policy_of_google_cloud(tmp_path: Path) -> None:
    tree = {**ML, "infra/main.tf": POLICY, "publish.py": PUBLISH, ".github/workflows/daily.yml": DAILY}
    report = scan_tree(tmp_path, tree)
    assert grade(report, PERFORMANCE) is Grade.WIRED
    assert grade(report, ALERTS) is Grade.WIRED


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("threshold_value = 0.8", "threshold_value = 0", "MLS301"),
        ('"ml@shop.example"', '"TODO"', "MLS505"),
        ("custom.googleapis.com/live_accuracy", "custom.googleapis.com/model_accuracy", "MLS507"),
    ],
    ids=["a bound that cannot be broken", "a placeholder", "another metric"],
)
def test_policy_with_a_link_missing(tmp_path: Path, old: str, new: str, finding: str) -> None:
    assert old in POLICY
    tree = {**ML, "publish.py": PUBLISH, ".github/workflows/daily.yml": DAILY}
    report = scan_tree(tmp_path, {**tree, "infra/main.tf": POLICY.replace(old, new)})
    assert [str(f.location) for f in findings(report, finding)] == ["infra/main.tf:1"]
