"""Infrastructure programs in TypeScript: the objects that they make."""

from __future__ import annotations

import ast

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
import ecr = require('aws-cdk-lib/aws-ecr');
import own = require('./own');

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
    new own.Thing(this, 'Own', {});
    new ecr.Repository(this, 'Images');
  }
}
"""


def _document(text: str = TEXT) -> Node:
    (document,) = typescript.parse(text).nodes
    return document


def test_objects_by_the_name_of_their_library() -> None:
    made = _document().get("new")
    assert made is not None
    assert {(type_, name, node.at) for type_, held in made.entries for name, node in held.entries} == {
        ("aws_cdk.aws_sagemaker.CfnEndpoint", "endpoint", 13),
        ("aws_cdk.aws_sns.Topic", "topic", 18),
        ("aws_cdk.aws_events.Rule", "rule", 19),
        ("aws_cdk.aws_ecr.Repository", "Images", 23),
    }


def test_options_of_an_object() -> None:
    options = _document().path("new", "aws_cdk.aws_sagemaker.CfnEndpoint", "endpoint")
    assert options is not None
    config, retain, tags = options.get("endpointConfigName"), options.get("retain"), options.get("tags")
    assert config is not None and (config.text, config.at, bool(config.tag)) == ("config.attrName", 14, True)
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
    assert typescript.parse(text).nodes == ()


def test_what_a_program_does_is_followed_where_it_may_declare_pipelines() -> None:
    assert typescript.parse(TEXT).tree is None
    text = "import { App } from 'aws-cdk-lib';\nimport { Scoring } from './pipeline';\n"
    tree = typescript.parse(text + "const app = new App();\nnew Scoring(app, `s-${x}`, { minSize: 2, app });\n").tree
    assert tree is not None
    assert [ast.unparse(node) for node in tree.body] == [
        "import aws_cdk.App as App",
        "app = App()",
        "Scoring(app, 's-$VALUE', min_size=2, app=app)",
    ]
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call)] == [3, 4]


@given(mutations(TEXT))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents = typescript.parse(text).nodes
    except DocumentError as error:
        documents = error.partial.nodes if error.partial else ()
    assert all(node.line >= 1 for document in documents for _, node in document.walk())
