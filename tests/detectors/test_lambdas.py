"""Functions of AWS Lambda that infrastructure as code declares: those that answer with a model, and others."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree

SERVING, AS_CODE, RELEASED = "deploy/serving", "deploy/as-code", "cd/model-deploy"
HANDLER = (
    "import joblib\n\nmodels = [joblib.load(name) for name in ('a', 'b')]\n\n\n"
    "def answer(event, context):\n    return {'body': str(models[0].predict([event['row']]))}\n"
)
IMAGE = 'FROM public.ecr.aws/lambda/python:3.12\nCOPY app.py models ${LAMBDA_TASK_ROOT}/\nCMD ["app.answer"]\n'
MODULE = (
    'variable "uri" {}\nresource "aws_lambda_function" "score" {\n  package_type = "Image"\n  image_uri = var.uri\n}\n'
)
MAIN = 'module "score" {\n  source = "./modules/score"\n  uri = "x"\n}\n'
APPLY = (
    "on: {push: {branches: [main]}}\njobs:\n  apply:\n    runs-on: ubuntu-latest\n    steps:\n"
    "      - uses: actions/checkout@v4\n      - run: terraform apply -auto-approve\n        working-directory: infra\n"
)
TREE: Tree = {
    **ML,
    "score/app.py": HANDLER,
    "score/Dockerfile": IMAGE,
    "infra/main.tf": MAIN,
    "infra/modules/score/main.tf": MODULE,
    ".github/workflows/cd.yml": APPLY,
}


def changed(path: str, old: str, new: str) -> Tree:
    text = TREE[path]
    assert isinstance(text, str)
    assert old in text
    return {**TREE, path: text.replace(old, new)}


def test_image_of_a_function_that_terraform_declares_and_ci_applies(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, TREE)
    served = practice(report, SERVING)
    assert served.grade is Grade.WIRED
    assert {"score/app.py:6", "score/Dockerfile:3"} <= set(places(served.evidence))
    declared = practice(report, AS_CODE)
    assert declared.grade is Grade.IMPLEMENTED
    assert "infra/modules/score/main.tf:2" in places(declared.evidence)
    released = practice(report, RELEASED)
    assert released.grade is Grade.WIRED
    assert {".github/workflows/cd.yml:7", "score/app.py:3"} <= set(places(released.evidence))


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("score/Dockerfile", "public.ecr.aws/lambda/python:3.12", "amazon/aws-lambda-python"),
        ("score/Dockerfile", 'CMD ["app.answer"]', "CMD app.answer"),
        ("infra/modules/score/main.tf", 'package_type = "Image"\n  image_uri = var.uri', 'handler = "app.answer"'),
        (".github/workflows/cd.yml", "apply -auto-approve\n        working-directory: infra", "-chdir=infra apply"),
    ],
)
def test_other_ways_to_say_it(tmp_path: Path, path: str, old: str, new: str) -> None:
    report = scan_tree(tmp_path, changed(path, old, new))
    assert (grade(report, AS_CODE), grade(report, RELEASED)) == (Grade.IMPLEMENTED, Grade.WIRED)


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("score/app.py", "joblib.load(name)", "open(name)"),  # no model
        ("score/app.py", "joblib.load(name)", "pandas.read_parquet(name)"),
        ("score/Dockerfile", "FROM public.ecr.aws/lambda/python:3.12", "FROM public.ecr.aws/lambda/nodejs:20"),
        ("score/Dockerfile", 'CMD ["app.answer"]', 'CMD ["app.other"]'),
        ("score/Dockerfile", "CMD", "# CMD"),
        ("infra/modules/score/main.tf", 'resource "aws', '# resource "aws'),
        ("infra/modules/score/main.tf", "  package", "  count = 0\n  package"),
        ("infra/main.tf", "./modules/score", "./modules/other"),  # nothing calls the module
    ],
)
def test_functions_that_bring_no_model(tmp_path: Path, path: str, old: str, new: str) -> None:
    report = scan_tree(tmp_path, changed(path, old, new))
    assert (grade(report, AS_CODE), grade(report, RELEASED)) == (Grade.ABSENT, Grade.ABSENT)


def test_one_of_several_images_holds_no_model(tmp_path: Path) -> None:
    """Which of them the function is made of is not known."""
    other = {"report/app.py": "def answer(event, context):\n    return 'fine'\n", "report/Dockerfile": IMAGE}
    report = scan_tree(tmp_path, {**TREE, **other})
    assert grade(report, AS_CODE) is Grade.ABSENT
    assert grade(report, SERVING) is Grade.WIRED


@pytest.mark.parametrize("new", ["terraform plan", "echo terraform apply", "true # terraform apply"])
def test_ci_that_applies_nothing(tmp_path: Path, new: str) -> None:
    report = scan_tree(tmp_path, changed(".github/workflows/cd.yml", "terraform apply -auto-approve", new))
    assert (grade(report, AS_CODE), grade(report, RELEASED)) == (Grade.IMPLEMENTED, Grade.ABSENT)


def test_another_configuration_is_applied(tmp_path: Path) -> None:
    text = changed(".github/workflows/cd.yml", "directory: infra", "directory: network")
    report = scan_tree(tmp_path, {**text, "network/main.tf": 'resource "aws_vpc" "main" {}\n'})
    assert grade(report, RELEASED) is Grade.ABSENT


CDK: Tree = {
    **ML,
    "score/app.py": HANDLER,
    "score/Dockerfile": IMAGE,
    "cdk.json": '{"app": "npx ts-node bin/app.ts"}',
    "bin/app.ts": (
        "import { App } from 'aws-cdk-lib';\nimport { Scoring } from '../lib/scoring';\nnew Scoring(new App());\n"
    ),
    "lib/scoring.ts": (
        "import { Stack } from 'aws-cdk-lib';\nimport * as lambda from 'aws-cdk-lib/aws-lambda';\n"
        "export class Scoring extends Stack {\n  constructor(scope: Construct) {\n    super(scope, 's');\n"
        "    new lambda.DockerImageFunction(this, 'Score', {\n"
        "      code: lambda.DockerImageCode.fromImageAsset('score'),\n    });\n  }\n}\n"
    ),
    ".github/workflows/cd.yml": APPLY.replace("terraform apply -auto-approve", "npx cdk deploy").replace(
        "        working-directory: infra\n", ""
    ),
}


def test_function_of_a_cdk_app(tmp_path: Path) -> None:
    other = {"report/app.py": "def answer(event, context):\n    return 'fine'\n", "report/Dockerfile": IMAGE}
    report = scan_tree(tmp_path, {**CDK, **other})  # the folder in the declaration tells which image it is
    assert "lib/scoring.ts:6" in places(practice(report, AS_CODE).evidence)
    assert grade(report, RELEASED) is Grade.WIRED


def test_functions_that_the_app_does_not_make(tmp_path: Path) -> None:
    app = "import { App } from 'aws-cdk-lib';\nnew App();\n"
    assert grade(scan_tree(tmp_path, {**CDK, "bin/app.ts": app}), RELEASED) is Grade.ABSENT


PYTHON_APP = (
    "from aws_cdk import App, Stack, aws_lambda\n\n\nclass Scoring(Stack):\n    def __init__(self, scope, name):\n"
    "        super().__init__(scope, name)\n        aws_lambda.DockerImageFunction(\n"
    "            self, 'Score', code=aws_lambda.DockerImageCode.from_image_asset('score'))\n\n\n"
    "app = App()\nScoring(app, 's')\napp.synth()\n"
)


@pytest.mark.parametrize(
    ("command", "expected"), [("npx cdk deploy --all", Grade.WIRED), ("npx cdk synth", Grade.ABSENT)]
)
def test_function_of_a_cdk_app_in_python(tmp_path: Path, command: str, expected: Grade) -> None:
    kept = {path: text for path, text in CDK.items() if not path.endswith(".ts")}
    workflow = str(CDK[".github/workflows/cd.yml"]).replace("npx cdk deploy", command)
    tree = {**kept, "cdk.json": '{"app": "python app.py"}', "app.py": PYTHON_APP, ".github/workflows/cd.yml": workflow}
    assert grade(scan_tree(tmp_path, tree), RELEASED) is expected


SAM = (
    "Transform: AWS::Serverless-2016-10-31\nResources:\n  Score:\n    Type: AWS::Serverless::Function\n"
    "    Properties:\n      CodeUri: score/\n      Handler: app.answer\n      Runtime: python3.12\n"
)


def test_function_of_a_template(tmp_path: Path) -> None:
    deploy = APPLY.replace("terraform apply -auto-approve", "sam deploy").replace(
        "        working-directory: infra\n", ""
    )
    files: Tree = {**ML, "score/app.py": HANDLER, "template.yaml": SAM, ".github/workflows/cd.yml": deploy}
    report = scan_tree(tmp_path, files)
    assert "template.yaml:3" in places(practice(report, AS_CODE).evidence)
    assert (grade(report, SERVING), grade(report, RELEASED)) == (Grade.IMPLEMENTED, Grade.WIRED)


def test_scheduled_image_that_trains(tmp_path: Path) -> None:
    handler = "from sklearn.svm import SVC\n\n\ndef answer(event, context):\n    SVC().fit(event['x'], event['y'])\n"
    clock = (
        'resource "aws_cloudwatch_event_rule" "weekly" {\n  schedule_expression = "rate(7 days)"\n}\n'
        'resource "aws_cloudwatch_event_target" "t" {\n  rule = aws_cloudwatch_event_rule.weekly.name\n'
        "  arn = aws_lambda_function.score.arn\n}\n"
    )
    files: Tree = {"score/app.py": handler, "score/Dockerfile": IMAGE, "infra/main.tf": MODULE + clock}
    assert grade(scan_tree(tmp_path, files), "retraining/scheduled") is Grade.WIRED
    files = {**files, "score/app.py": handler.replace("SVC().fit", "print"), "main.py": handler}
    assert grade(scan_tree(tmp_path / "x", files), "retraining/scheduled") is Grade.ABSENT
