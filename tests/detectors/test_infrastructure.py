"""Declared infrastructure: an ML link for the stack, modules that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, findings, grade, practice, scan_tree, where

INFRA = "env/infra-as-code"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("infra/main.tf", 'resource "aws_sagemaker_endpoint" "a" {\n  name = "a"\n}\n'),
        ("infra/main.tf", 'resource "aws_ecs_service" "scoring" {\n  name = "a"\n}\n'),
        ("infra/main.tf", 'resource "aws_s3_bucket" "a" {\n  bucket = "feast-registry"\n}\n'),
        (
            "infra/main.bicep",
            "resource w 'Microsoft.MachineLearningServices/workspaces@2023-04-01' = {\n  name: 'a'\n}\n",
        ),
    ],
    ids=["a service for models", "a name that says so", "the name of a tool", "bicep"],
)
def test_stack_with_a_link_to_a_model(tmp_path: Path, name: str, text: str) -> None:
    assert practice(scan_tree(tmp_path, {**ML, name: text}), INFRA).met


POLICY = 'resource "aws_iam_policy" "models" {\n  name = "models"\n}\n'
FUNCTION = 'resource "aws_lambda_function" "rides" {\n  function_name = "rides"\n}\n'


@pytest.mark.parametrize(
    ("resources", "lines"),
    [
        (POLICY + FUNCTION, [4, 1]),
        (POLICY + FUNCTION.replace("rides", "scoring"), [4]),
        (FUNCTION + FUNCTION.replace("rides", "scoring"), [4]),
        (POLICY, [1]),
    ],
    ids=["a right tells", "the service tells", "the second tells", "nothing else"],
)
def test_reader_is_shown_what_works_and_what_tells_of_a_model(tmp_path: Path, resources: str, lines: list[int]) -> None:
    found = practice(scan_tree(tmp_path, {**ML, "infra/main.tf": resources}), INFRA)
    assert [item.location.line for item in found.evidence] == lines


STREAM = 'resource "aws_kinesis_stream" "rides" {\n  name = var.name\n}\nvariable "name" {}\n'
CALL = 'module "rides" {\n  source = "../modules/stream"\n  name   = "GIVEN"\n}\n'


@pytest.mark.parametrize(
    ("given", "beside", "met"),
    [
        ("mlruns", "", True),
        ("rides", 'terraform {\n  backend "s3" {\n    bucket = "mlops-state"\n  }\n}\n', True),
        ("rides", 'variable "folder" {\n  default = "models/"\n}\n', True),
        ("rides", 'variable "folder" {\n  description = "the model of the car"\n}\n', False),
        ("rides", '# module "mlflow" {}\noutput "model" {\n  value = 1\n}\n', False),
        ("rides", "", False),
    ],
    ids=["an input", "the state", "a variable", "a description", "a comment and an output", "nothing"],
)
def test_stack_whose_inputs_tell_of_a_model(tmp_path: Path, given: str, beside: str, met: bool) -> None:
    tree = {"infra/modules/stream/main.tf": STREAM, "infra/prod/main.tf": CALL.replace("GIVEN", given) + beside}
    assert practice(scan_tree(tmp_path, {**ML, **tree}), INFRA).met is met


@pytest.mark.parametrize(
    "text",
    [
        'resource "aws_s3_bucket" "exports" {\n  bucket = "exports"\n}\n',
        'resource "aws_s3_bucket" "a" {\n  bucket = "breakfeast-seldonia"\n}\n',
        'resource "random_pet" "model" {\n  length = 2\n}\n',
        '# resource "aws_sagemaker_endpoint" "a" {}\n',
        'data "aws_sagemaker_prebuilt_ecr_image" "a" {\n  repository_name = "x"\n}\n',
    ],
    ids=["a web stack", "part of a word", "a helper", "commented out", "a reference"],
)
def test_stack_without_one(tmp_path: Path, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**ML, "infra/main.tf": text}), INFRA).met


CDK = (
    "from aws_cdk import App, CfnOutput, Stack, aws_apigateway as api, aws_ecs as ecs, aws_s3 as s3\n\n\n"
    "class Base(Stack):\n    def __init__(self, scope, id):\n        super().__init__(scope, id)\n        BODY\n\n\n"
    "app = App()\nBase(app, 'base')\napp.synth()\n"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("ecs.FargateTaskDefinition(self, id='MLflow', cpu=1024)", Grade.IMPLEMENTED),
        ("s3.Bucket(self, 'models')", Grade.IMPLEMENTED),
        ("s3.Bucket(self, 'exports', bucket_name='training-data')", Grade.IMPLEMENTED),
        ("s3.Bucket(self, 'exports')", Grade.TRACE),
        ("api.RestApi(self, 'shop', default_models=True, item=api.Model(self, 'order'))", Grade.TRACE),
        ("# s3.Bucket(self, 'models')\n        pass", Grade.ABSENT),
        ("CfnOutput(self, 'model', value='x')", Grade.ABSENT),
    ],
)
def test_program_that_declares_general_services(tmp_path: Path, body: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**ML, "app.py": CDK.replace("BODY", body)}), INFRA) is expected


def test_program_that_nothing_uses(tmp_path: Path) -> None:
    text = CDK.replace("BODY", "s3.Bucket(self, 'models')").replace("Base(app, 'base')\n", "")
    found = practice(scan_tree(tmp_path, {**ML, "app.py": text}), INFRA)
    assert found.grade is Grade.TRACE
    assert found.reason == "nothing uses the code that declares it"


def test_uncalled_module_is_a_trace(tmp_path: Path) -> None:
    text = 'resource "aws_sagemaker_model_card" "a" {\n  name = "a"\n}\n'
    report = scan_tree(
        tmp_path, {**ML, "infra/modules/scoring/main.tf": text.replace("sagemaker_model_card", "ecs_task")}
    )
    assert grade(report, INFRA) is Grade.TRACE


def test_module_that_does_not_exist_is_a_defect(tmp_path: Path) -> None:
    root = 'module "a" {\n  source = "./modules/a"\n}\nmodule "b" {\n  source = "terraform-aws-modules/vpc/aws"\n}\n'
    missing = scan_tree(tmp_path / "missing", {**ML, "infra/main.tf": root})
    assert where(missing, "MLS509") == ["infra/main.tf:2"]
    entry = '[submodule "m"]\n\tpath = infra/modules\n\turl = https://example.org/m\n'
    modules = {".gitmodules": entry, "infra/main.tf": root}
    assert not findings(scan_tree(tmp_path / "submodule", {**ML, **modules}), "MLS509")
    other = {**modules, ".gitmodules": entry.replace("infra/modules", "infra/mod")}
    assert findings(scan_tree(tmp_path / "other", {**ML, **other}), "MLS509")
    entered = {**modules, "infra/modules/b/main.tf": ""}
    assert findings(scan_tree(tmp_path / "entered", {**ML, **entered}), "MLS509")
    there = {"infra/modules/a/main.tf": 'resource "aws_sns_topic" "a" {\n  name = "n"\n}\n'}
    assert not findings(scan_tree(tmp_path / "there", {**ML, "infra/main.tf": root, **there}), "MLS509")
