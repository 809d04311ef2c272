"""Infrastructure programs in TypeScript: the objects that they make."""

from __future__ import annotations

import pytest
from hypothesis import given

from mlops_scan.documents import typescript
from mlops_scan.documents.node import DocumentError, Node
from tests.documents.hostile import mutations

TEXT = """\
import * as cdk from 'aws-cdk-lib';
import { aws_events as events } from 'aws-cdk-lib';
import * as sagemaker from "aws-cdk-lib/aws-sagemaker";
import { Topic } from '@aws-cdk/aws-sns';
import { helper } from './helper';

export class Scoring extends cdk.Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    // new sagemaker.CfnModel(this, 'No', {});
    const endpoint = new sagemaker.CfnEndpoint(this, 'Endpoint', {
      endpointConfigName: config.attrName,
      retain: true,
      tags: ['a', name],
    });
    this.topic = new Topic(this, 'Alarms');
    const rule = new events.Rule(this, 'Weekly', { schedule: events.Schedule.rate(cdk.Duration.days(7)) });
    rule.addTarget(new targets.LambdaFunction(retrain));
    new helper.Thing(this, 'Own', {});
  }
}
"""


def _document(text: str = TEXT) -> Node:
    (document,) = typescript.parse(text)
    return document


def test_objects_by_the_name_of_their_library() -> None:
    made = _document().get("new")
    assert made is not None
    assert {(type_, name, node.at) for type_, held in made.entries for name, node in held.entries} == {
        ("aws_cdk.aws_sagemaker.CfnEndpoint", "endpoint", 11),
        ("aws_cdk.aws_sns.Topic", "topic", 16),
        ("aws_cdk.aws_events.Rule", "rule", 17),
    }


def test_options_of_an_object() -> None:
    options = _document().path("new", "aws_cdk.aws_sagemaker.CfnEndpoint", "endpoint")
    assert options is not None
    config, retain, tags = options.get("endpointConfigName"), options.get("retain"), options.get("tags")
    assert config is not None and (config.text, config.at, bool(config.tag)) == ("config.attrName", 12, True)
    assert retain is not None and retain.value is True
    assert tags is not None and tags.strings() == ("a", "name")


def test_calls_on_objects() -> None:
    target = _document().path("call", "rule.addTarget")
    assert target is not None and "retrain" in target.strings()[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "const a = new sagemaker.CfnEndpoint(this, 'x', {});",
        "import * as cdk from 'aws-cdk-lib';\n// new cdk.App()",
    ],
    ids=["empty", "no library", "commented out"],
)
def test_other_programs_give_nothing(text: str) -> None:
    assert typescript.parse(text) == ()


@given(mutations(TEXT))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents = typescript.parse(text)
    except DocumentError as error:
        documents = error.partial
    assert all(node.line >= 1 for document in documents for _, node in document.walk())
