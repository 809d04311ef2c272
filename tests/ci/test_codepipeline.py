"""AWS: build specifications, and pipelines that CloudFormation templates declare."""

from __future__ import annotations

import json

import pytest

from tests.ci.trees import codepipelines, found, job, scripts

SPEC = (
    "version: 0.2\nenv: {variables: {A: b}}\nphases:\n  install:\n    commands:\n      - pip install .\n"
    "  build:\n    commands:\n      - cd app\n      - pytest tests\n"
)


# -- specifications --------------------------------------------------------------------------------------------------


def test_a_specification_alone_is_read_and_its_start_is_not_known() -> None:
    (workflow,) = found({"services/a/buildspec.yml": SPEC})
    assert [trigger.kind for trigger in workflow.triggers] == ["server"]
    install, build = workflow.jobs[0].steps
    assert (install.script, install.name, install.folder, install.env) == (
        "pip install .",
        "install",
        "services/a",
        {"A": "b"},
    )
    assert (build.script, build.script_line, build.errexit) == ("cd app\npytest tests", 9, True)


def test_the_folder_of_one_phase_is_that_of_the_next_and_blocks_do_not_stop() -> None:
    text = (
        "version: 0.2\nphases:\n  pre_build:\n    on-failure: CONTINUE\n    commands: [cd app]\n"
        "  build:\n    commands:\n      - |\n        pytest\n        echo done\n    finally: [cat log]\n"
    )
    enter, block, last = found({"buildspec.yml": text})[0].jobs[0].steps
    assert (bool(enter.may_fail), bool(block.may_fail)) == (True, False)
    assert (block.errexit, last.errexit, last.script) == (False, True, "cat log")
    assert (enter.folder, block.folder, last.folder) == ("", "app", "app")


@pytest.mark.parametrize(("version", "folder"), [("0.2", "lib"), ("0.1", "")])
def test_one_shell_runs_all_phases_since_the_second_version(version: str, folder: str) -> None:
    text = (
        f"version: {version}\nphases:\n  install:\n    commands: [cd app]\n"
        "  pre_build:\n    commands: [pip install ., cd ../lib]\n  build:\n    commands: [pytest]\n"
    )
    assert found({"buildspec.yml": text})[0].jobs[0].steps[-1].folder == folder


@pytest.mark.parametrize(
    "text", ["version: 0.2\n", "phases: {}\n", "a: b\n", "[1, 2]\n", "version: 0.2\nphases: [a]\n"]
)
def test_other_documents_of_that_name_run_nothing(text: str) -> None:
    assert [step for workflow in found({"buildspec.yml": text}) for j in workflow.jobs for step in j.steps] == []


# -- CloudFormation --------------------------------------------------------------------------------------------------

SOURCE = "{Category: Source, Owner: AWS, Provider: CodeCommit, Version: 1}"
TEMPLATE = (
    "Resources:\n  Tests:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Name: tests\n"
    "      Source: {Type: CODEPIPELINE, BuildSpec: ci/buildspec.yml}\n"
    "  Release:\n    Type: AWS::CodePipeline::Pipeline\n    Properties:\n      Stages:\n"
    "        - Name: Source\n          Actions:\n            - Name: Code\n"
    f"              ActionTypeId: {SOURCE}\n              Configuration: {{BranchName: main}}\n"
    "        - Name: Test\n          Actions:\n            - Name: Unit\n"
    "              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: 1}\n"
    "              Configuration: {ProjectName: !Ref Tests}\n"
    "        - Name: Gate\n          Actions:\n            - Name: Approve\n"
    "              ActionTypeId: {Category: Approval, Owner: AWS, Provider: Manual, Version: 1}\n"
    "        - Name: Prod\n          Actions:\n            - Name: Deploy\n"
    "              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: 1}\n"
    "              Configuration: {ActionMode: CREATE_UPDATE, TemplatePath: 'Out::infra/app.yml'}\n"
)
TREE = {"infra/pipeline.yml": TEMPLATE, "ci/buildspec.yml": SPEC}


def test_a_template_names_its_build_and_the_specification_is_not_told_twice() -> None:
    (workflow,) = found(TREE)
    assert [(t.kind, t.detail) for t in workflow.triggers] == [("push", "main")]
    unit, deploy = workflow.jobs
    assert [(s.script, s.path) for s in unit.steps] == [
        ("pip install .", "ci/buildspec.yml"),
        ("cd app\npytest tests", "ci/buildspec.yml"),
    ]
    assert (deploy.needs, deploy.environment, deploy.approval) == (("Test/Unit",), "Prod", "approval `Approve`")
    assert scripts(workflow, "Prod/Deploy") == ["aws cloudformation deploy --template-file infra/app.yml"]
    assert (unit.approval, unit.approval_line) == ("", 0)
    assert "Approve" in TEMPLATE.split("\n")[deploy.approval_line - 1]


FUNCTION = (
    "  Fit:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: fit-model.handle\n"
    "      FunctionName:\n        Fn::Join: ['', ['fit-', !Ref Id]]\n      Code: {S3Bucket: !Ref B, S3Key: fit.zip}\n"
)
INVOKE = (
    "        - Name: Fit\n          Actions:\n            - Name: Start\n"
    "              ActionTypeId: {Category: Invoke, Owner: AWS, Provider: Lambda, Version: 1}\n"
    "              Configuration: {FunctionName: {'Fn::Join': ['', ['fit-', !Ref Id]]}}\n"
)
HANDLER = "def handle(event, context):\n    return event\n"
CALLED = [("python -m awslambdaric fit-model.handle", "infra/code")]


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        (TEMPLATE + INVOKE + FUNCTION, {}, CALLED),
        (TEMPLATE + INVOKE.replace("{'Fn::Join': ['', ['fit-', !Ref Id]]}", "!Ref Fit") + FUNCTION, {}, CALLED),
        (TEMPLATE + INVOKE + FUNCTION, {"other/fit-model.py": HANDLER}, CALLED),
        (TEMPLATE + INVOKE + FUNCTION, {"infra/other/fit-model.py": HANDLER}, []),
        (TEMPLATE + INVOKE.replace("'fit-'", "'score-'") + FUNCTION, {}, []),
        (TEMPLATE + INVOKE + FUNCTION.replace("fit-model", "gone"), {}, []),
        (TEMPLATE + INVOKE + FUNCTION.replace("{S3Bucket: !Ref B, S3Key: fit.zip}", "{ZipFile: 'x'}"), {}, []),
        (TEMPLATE + INVOKE, {}, []),
    ],
    ids=[
        "the same name", "by reference", "nearest to the template", "two of the name", "another function", "no file",
        "code inside", "no function",
    ],
)  # fmt: skip
def test_invoked_function_runs_its_handler(text: str, files: dict[str, str], expected: list[tuple[str, str]]) -> None:
    tree = {**TREE, "infra/code/fit-model.py": HANDLER, **files, "infra/pipeline.yml": text}
    (workflow,) = codepipelines(tree)
    assert [(step.script, step.folder) for step in job(workflow, "Fit/Start").steps if step.script] == expected


@pytest.mark.parametrize(
    ("configuration", "rule", "expected"),
    [
        ("BranchName: main, PollForSourceChanges: true", "", ["push"]),
        ("BranchName: main, PollForSourceChanges: false", "", ["server"]),
        (
            "BranchName: main, PollForSourceChanges: false",
            "EventPattern: {source: [aws.codecommit]}, Targets: [{Arn: !Sub 'arn:aws:codepipeline:::${Release}'}]",
            ["push"],
        ),
        (
            "PollForSourceChanges: false",
            "ScheduleExpression: cron(0 3 * * ? *), Targets: [{Id: x, Arn: !Sub 'arn:aws:codepipeline:::${Release}'}]",
            ["schedule"],
        ),
        (
            "PollForSourceChanges: false",
            "State: DISABLED, ScheduleExpression: rate(1 day), Targets: [{Arn: !Ref Release}]",
            ["server"],
        ),
        ("PollForSourceChanges: false", "ScheduleExpression: rate(1 day), Targets: [{Arn: !Ref Other}]", ["server"]),
        (
            "PollForSourceChanges: false",
            "EventPattern: {source: [aws.sagemaker]}, Targets: [{Arn: !Ref Release}]",
            ["external"],
        ),
    ],
)
def test_what_starts_a_pipeline(configuration: str, rule: str, expected: list[str]) -> None:
    text = TEMPLATE.replace("BranchName: main", configuration)
    text += f"  Rule:\n    Type: AWS::Events::Rule\n    Properties: {{{rule}}}\n" if rule else ""
    (workflow,) = codepipelines({**TREE, "infra/pipeline.yml": text})
    assert [trigger.kind for trigger in workflow.triggers] == expected


def test_a_stage_whose_transition_is_disabled_never_runs() -> None:
    text = TEMPLATE.replace(
        "      Stages:\n", "      DisableInboundStageTransitions: [{StageName: Prod}]\n      Stages:\n"
    )
    (workflow,) = codepipelines({**TREE, "infra/pipeline.yml": text})
    assert job(workflow, "Prod/Deploy").never and not job(workflow, "Test/Unit").never


def test_a_specification_inside_the_template_keeps_its_lines() -> None:
    inline = "BuildSpec: |\n" + "".join(f"          {line}\n" for line in SPEC.splitlines())
    text = TEMPLATE.replace(
        "      Source: {Type: CODEPIPELINE, BuildSpec: ci/buildspec.yml}\n", "      Source:\n        " + inline
    )
    (workflow,) = found({"infra/pipeline.yml": text})
    step = job(workflow, "Test/Unit").steps[-1]
    lines = text.splitlines()
    assert step.script == "cd app\npytest tests"
    assert lines[step.script_line - 1].strip() == "- cd app"


def test_json_of_the_command_line() -> None:
    def action(name: str, category: str, provider: str, **configuration: str) -> dict[str, object]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "actionTypeId": kind, "configuration": configuration}

    stages = [
        {"name": "Source", "actions": [action("s", "Source", "CodeStarSourceConnection", BranchName="main")]},
        {"name": "Run", "actions": [action("sf", "Invoke", "StepFunctions", StateMachineArn="arn:x")]},
    ]
    (workflow,) = found({"pipeline.json": json.dumps({"pipeline": {"name": "p", "stages": stages}})})
    assert ([t.kind for t in workflow.triggers], workflow.name) == (["push"], "p")
    assert workflow.jobs[0].steps[0].script == "aws stepfunctions start-execution --state-machine-arn 'arn:x'"


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ("", ["server"]),
        ("Triggers: {Webhook: false}", ["server"]),
        ("Triggers: {Webhook: true}", ["push"]),
        (
            "Triggers: {Webhook: true, FilterGroups: [[{Type: EVENT, Pattern: 'PULL_REQUEST_CREATED, PUSH'}]]}",
            ["pull_request", "push"],
        ),
    ],
)
def test_a_project_with_a_webhook_starts_by_itself(triggers: str, expected: list[str]) -> None:
    text = "Resources:\n  P:\n    Type: AWS::CodeBuild::Project\n    Properties:\n      Source: {Type: GITHUB}\n" + (
        f"      {triggers}\n" if triggers else ""
    )
    (workflow,) = found({"infra/project.yml": text, "buildspec.yml": SPEC})
    assert [trigger.kind for trigger in workflow.triggers] == expected
    assert workflow.jobs[0].steps[-1].script == "cd app\npytest tests"


@pytest.mark.parametrize(
    ("specifications", "expected"),
    [
        (("a/seed/ci/buildspec.yml", "b/seed/ci/buildspec.yml"), "a/seed"),
        (("a/seed/ci/buildspec.yml", "a/seed/old/x/ci/buildspec.yml", "b/ci/buildspec.yml"), "a/seed"),
        (("a/seed/ci/buildspec.yml", "a/more/ci/buildspec.yml"), None),
        (("b/ci/buildspec.yml", "c/d/ci/buildspec.yml"), None),
        (("b/ci/buildspec.yml",), "b"),
    ],
    ids=["own project", "shallowest", "either of two", "two elsewhere", "the only one"],
)
def test_the_specification_nearest_to_the_template(specifications: tuple[str, ...], expected: str | None) -> None:
    tree = {"a/project/template.yml": TEMPLATE, **dict.fromkeys(specifications, SPEC)}
    (workflow,) = [workflow for workflow in found(tree) if workflow.path == "a/project/template.yml"]
    steps = job(workflow, "Test/Unit").steps
    assert ({step.folder for step in steps}) == ({expected} if expected is not None else set())
