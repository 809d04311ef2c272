"""Templates that commands deploy: those that bring the endpoint of a model release it, others are infrastructure."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, places, practice, scan_tree

ENDPOINT = "Resources:\n  Endpoint:\n    Type: AWS::SageMaker::Endpoint\n    Properties: {EndpointConfigName: leaves}\n"
MODEL = {"infra/endpoint.yaml": ENDPOINT}
DEPLOY = "aws cloudformation deploy --template-file "
QUEUE = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"


def workflow(*commands: str) -> str:
    steps = "".join(f"      - run: {command}\n" for command in commands)
    return f"on: push\njobs:\n  release:\n    runs-on: x\n    environment: production\n    steps:\n{steps}"


def released(folder: Path, tree: Tree, *commands: str) -> Grade:
    return grade(scan_tree(folder, {**ML, **tree, ".github/workflows/cd.yml": workflow(*commands)}), "cd/model-deploy")


@pytest.mark.parametrize(
    "commands",
    [
        ("aws cloudformation deploy --template-file infra/endpoint.yaml --stack-name leaves",),
        ("aws cloudformation update-stack --template-body=file://infra/endpoint.yaml --stack-name leaves",),
        ("sam deploy -t infra/endpoint.yaml",),
        (
            "aws cloudformation package --template-file infra/endpoint.yaml --output-template-file out/packaged.yml",
            "aws cloudformation deploy --template-file out/packaged.yml --stack-name leaves",
        ),
        (
            "aws cloudformation package --template infra/endpoint.yaml --output-template packaged.yml",
            "aws cloudformation deploy --template-file packaged.yml --stack-name leaves",
        ),
    ],
    ids=["deploy", "update", "sam", "packaged", "abbreviated"],
)
def test_a_template_with_an_endpoint(tmp_path: Path, commands: tuple[str, ...]) -> None:
    assert released(tmp_path, MODEL, *commands) is Grade.WIRED


def test_the_template_of_sam_lies_at_its_usual_place(tmp_path: Path) -> None:
    assert released(tmp_path, {"template.yaml": ENDPOINT}, "sam deploy --no-confirm-changeset") is Grade.WIRED


@pytest.mark.parametrize(
    ("tree", "command"),
    [
        ({**MODEL, "infra/queue.yaml": QUEUE}, DEPLOY + "infra/queue.yaml"),
        ({"infra/endpoint.yaml": "# " + ENDPOINT.replace("\n", "\n# ")}, DEPLOY + "infra/endpoint.yaml"),
        (MODEL, "aws cloudformation validate-template --template-body file://infra/endpoint.yaml"),
        (MODEL, "aws cloudformation package --template-file infra/endpoint.yaml --output-template-file p.yml"),
        ({"a/endpoint.yaml": ENDPOINT, "b/endpoint.yaml": QUEUE}, DEPLOY + "endpoint.yaml"),
        ({"docs/endpoint.yaml": ENDPOINT}, DEPLOY + "endpoint.yaml"),
    ],
    ids=["another", "commented out", "only checked", "only packaged", "either of two", "documentation"],
)  # fmt: skip
def test_what_releases_no_model(tmp_path: Path, tree: Tree, command: str) -> None:
    assert released(tmp_path, tree, command) is Grade.ABSENT


STAGES = """\
Resources:
  Release:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Stages:
        - Name: Source
          Actions:
            - Name: Code
              ActionTypeId: {Category: Source, Provider: CodeCommit}
              Configuration: {RepositoryName: leaves, BranchName: main}
        - Name: Staging
          Actions:
            - Name: Deploy
              ActionTypeId: {Category: Deploy, Provider: CloudFormation}
              Configuration: {ActionMode: CREATE_UPDATE, TemplatePath: "Built::endpoint.yaml"}
        - Name: Production
          Actions:
            - Name: Deploy
              ActionTypeId: {Category: Deploy, Provider: CloudFormation}
              Configuration: {ActionMode: CREATE_UPDATE, TemplatePath: "Built::endpoint.yaml"}
"""


def test_the_stages_of_a_code_pipeline_are_environments(tmp_path: Path) -> None:
    tree = {**ML, "pipeline.yml": STAGES, "infra/endpoint.yaml": ENDPOINT}
    report = scan_tree(tmp_path / "a", tree)
    result = practice(report, "cd/model-deploy")
    assert result.grade is Grade.WIRED
    assert "infra/endpoint.yaml:3" in places(result.evidence)
    assert grade(report, "cd/environments") is Grade.WIRED
    deletes = STAGES.replace("CREATE_UPDATE", "DELETE_ONLY")
    assert grade(scan_tree(tmp_path / "b", {**tree, "pipeline.yml": deletes}), "cd/environments") is Grade.ABSENT


BUILD = """\
  Package:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: package
      Environment:
        EnvironmentVariables:
          - {Name: MADE, Value: export.yml}
      Source: {Type: CODEPIPELINE, BuildSpec: buildspec.yml}
"""
PACKAGED = STAGES.replace("Built::endpoint.yaml", "Built::export.yml").replace(
    "        - Name: Staging\n",
    "        - Name: Build\n          Actions:\n            - Name: Package\n"
    "              ActionTypeId: {Category: Build, Provider: CodeBuild}\n"
    "              Configuration: {ProjectName: package}\n        - Name: Staging\n",
)
SPEC = """\
version: 0.2
env: {variables: {MADE: other.yml}}
phases:
  build:
    commands:
      - aws cloudformation package --template endpoint.yaml --s3-bucket b --output-template $MADE
"""


def project(folder: str, template: str) -> dict[str, str]:
    """A project with a pipeline that packages a template and deploys what that gives."""
    return {
        f"{folder}/project/pipeline.yml": PACKAGED + BUILD,
        f"{folder}/seed/buildspec.yml": SPEC,
        f"{folder}/seed/endpoint.yaml": template,
    }


def test_each_pipeline_deploys_what_it_packaged(tmp_path: Path) -> None:
    report = scan_tree(tmp_path / "a", {**ML, **project("a", QUEUE), **project("b", ENDPOINT)})
    result = practice(report, "cd/model-deploy")
    assert result.grade is Grade.WIRED
    shown = places(result.evidence)
    assert shown[0].startswith("b/project/pipeline.yml:")
    assert "b/seed/endpoint.yaml:3" in shown
    report = scan_tree(tmp_path / "b", {**ML, **project("a", QUEUE), **project("b", QUEUE)})
    assert grade(report, "cd/model-deploy") is Grade.ABSENT


@pytest.mark.parametrize(
    "value", ["{Name: MADE, Value: !Ref Name}", "{Name: MADE, Type: PARAMETER_STORE, Value: export.yml}"]
)
def test_a_variable_whose_value_is_not_in_the_template(tmp_path: Path, value: str) -> None:
    tree = project("a", ENDPOINT)
    tree["a/project/pipeline.yml"] = tree["a/project/pipeline.yml"].replace("{Name: MADE, Value: export.yml}", value)
    assert grade(scan_tree(tmp_path, {**ML, **tree}), "cd/model-deploy") is Grade.ABSENT


BROUGHT = """\
import json

import boto3


def release(name):
    client = boto3.client("cloudformation")
    with open("parameters.json") as file:
        parameters = json.load(file)
    with open("infra/endpoint.yaml") as file:
        body = file.read()
    try:
        client.create_stack(StackName=name, TemplateBody=body, Parameters=parameters)
    except client.exceptions.AlreadyExistsException:
        client.update_stack(StackName=name, TemplateBody=body, Parameters=parameters)


if __name__ == "__main__":
    release("leaves")
"""
READ = BROUGHT.replace("TemplateBody=body", 'TemplateBody=Path("infra/endpoint.yaml").read_text()').replace(
    '    with open("infra/endpoint.yaml") as file:\n        body = file.read()\n', ""
)


@pytest.mark.parametrize("program", [BROUGHT, READ.replace("import json", "import json\nfrom pathlib import Path")])
def test_a_program_brings_up_the_stack(tmp_path: Path, program: str) -> None:
    tree = {**ML, **MODEL, "release.py": program, ".github/workflows/cd.yml": workflow("python release.py")}
    report = scan_tree(tmp_path, tree)
    result = practice(report, "cd/model-deploy")
    assert result.grade is Grade.WIRED
    assert "infra/endpoint.yaml:3" in places(result.evidence)
    assert grade(report, "cd/environments") is Grade.TRACE  # one


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('open("infra/endpoint.yaml")', "open(name)"),
        ("_stack(", "_stack_set("),
        ('    release("leaves")', '    print("leaves")'),
        ('open("infra/endpoint.yaml")', 'open("infra/queue.yaml")'),
        ("        client.", "        # client."),
    ],
    ids=["no constant", "another call", "not called", "another template", "commented out"],
)
def test_a_program_that_brings_up_no_model(tmp_path: Path, before: str, after: str) -> None:
    assert before in BROUGHT
    program = BROUGHT.replace(before, after).replace("        # client.", "        pass  # client.")
    tree = {**MODEL, "infra/queue.yaml": QUEUE, "release.py": program}
    assert released(tmp_path, tree, "python release.py") is Grade.ABSENT


OUTER = """\
Resources:
  # Old: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ./endpoint.yaml}}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: ./inner/more.yaml}
"""
MACHINE = """\
Resources:
  Machine:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      StateMachineName: !Sub "${App}-training-${Stage}"
      DefinitionString: !Sub |-
        {"StartAt": "Train", "States": {"Train": {"Type": "Task", "End": true,
         "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync"}}}
"""


@pytest.mark.parametrize(
    ("nested", "expected"),
    [
        ({"infra/inner/more.yaml": ENDPOINT}, Grade.WIRED),
        ({"infra/inner/more.yaml": OUTER.replace("./inner/more.yaml", "../endpoint.yaml")} | MODEL, Grade.WIRED),
        ({"infra/inner/more.yaml": OUTER.replace("./inner", ".")}, Grade.ABSENT),  # itself
        ({"infra/inner/more.yaml": QUEUE} | MODEL, Grade.ABSENT),
        ({"infra/more.yaml": ENDPOINT}, Grade.ABSENT),
    ],
    ids=["nested", "twice", "a circle", "commented out", "elsewhere"],
)
def test_a_stack_brings_those_that_it_nests(tmp_path: Path, nested: dict[str, str], expected: Grade) -> None:
    assert released(tmp_path, {"infra/outer.yaml": OUTER, **nested}, DEPLOY + "infra/outer.yaml") is expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (MACHINE, Grade.WIRED),
        (MACHINE.replace("createTrainingJob", "createTransformJob"), Grade.WIRED),
        (MACHINE.replace("sagemaker:createTrainingJob.sync", "sqs:sendMessage"), Grade.ABSENT),
    ],
)
def test_a_stack_with_a_workflow_on_a_model_releases_a_pipeline(tmp_path: Path, template: str, expected: Grade) -> None:
    tree = {**ML, "infra/flow.yaml": template, ".github/workflows/cd.yml": workflow(DEPLOY + "infra/flow.yaml")}
    assert grade(scan_tree(tmp_path, tree), "cd/pipeline-deploy") is expected


ARN = "arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:"


@pytest.mark.parametrize(
    ("provider", "name", "expected"),
    [
        ("StepFunctions", "${App}-training-prod", Grade.WIRED),
        ("StepFunctions", "leaves-training-prod", Grade.WIRED),
        ("StepFunctions", "${App}-scoring-prod", Grade.ABSENT),
        ("StepFunctions", "${Machine}", Grade.ABSENT),  # any
        ("Lambda", "${App}-training-prod", Grade.ABSENT),
    ],
)
def test_a_code_pipeline_runs_the_training(tmp_path: Path, provider: str, name: str, expected: Grade) -> None:
    action = (
        "        - Name: Train\n          Actions:\n            - Name: Train\n"
        f"              ActionTypeId: {{Category: Invoke, Provider: {provider}}}\n"
        f'              Configuration: {{StateMachineArn: !Sub "{ARN}{name}"}}\n'
    )
    tree = {**ML, "pipeline.yml": STAGES + action, "infra/flow.yaml": MACHINE}
    assert grade(scan_tree(tmp_path, tree), "ci/pipeline-tests") is expected
