"""AWS CDK: pipelines that Python programs declare."""

from __future__ import annotations

import pytest

from mlops_scan.ci.model import Workflow
from tests.ci.trees import codepipelines, job, scripts

SPEC = "version: 0.2\nphases: {build: {commands: [cd app, pytest tests]}}\n"
CDK = """\
from aws_cdk import Stack, aws_codebuild as codebuild, aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_events as events, aws_events_targets as targets


class Release(Stack):
    def __init__(self, scope, name, repo):
        super().__init__(scope, name)
        source = codepipeline.Artifact()
        built = codepipeline.Artifact()
        project = codebuild.PipelineProject(self, "Build", build_spec=SPEC)
        pipeline = codepipeline.Pipeline(self, "Pipeline", pipeline_name="release")
        pipeline.add_stage(
            stage_name="Source",
            actions=[actions.CodeCommitSourceAction(action_name="Code", repository=repo, output=source, branch="main")],
        )
        build = actions.CodeBuildAction(action_name="Build", project=project, input=source, outputs=[built])
        pipeline.add_stage(stage_name="Build", actions=[build])
        stage = pipeline.add_stage(stage_name="Prod")
        stage.add_action(actions.ManualApprovalAction(action_name="Approve", run_order=1))
        pipeline.add_stage(
            stage_name="Deploy",
            actions=[
                actions.CloudFormationCreateUpdateStackAction(
                    action_name="Stack", stack_name="s", template_path=built.at_path("s.template.json")
                )
            ],
        )
"""
APP = "from release import Release\n\nRelease(app, 'release', repo)\n"
SYNTH = "version: 0.2\nphases: {build: {commands: [npm ci, npx cdk synth -o dist]}}\n"


def cdk(spec: str = 'codebuild.BuildSpec.from_source_filename("buildspec.yml")') -> list[Workflow]:
    """The pipelines of the stack, whose project has a specification."""
    return codepipelines({"release.py": CDK.replace("SPEC", spec), "app.py": APP, "buildspec.yml": SYNTH})


def test_code_declares_a_pipeline() -> None:
    (workflow,) = cdk()
    assert (workflow.name, workflow.unloaded, [t.kind for t in workflow.triggers]) == ("release", "", ["push"])
    assert scripts(workflow, "Build/Build") == ["npm ci", "npx cdk synth -o dist"]
    deploy = job(workflow, "Deploy/Stack")
    assert (scripts(workflow, "Deploy/Stack"), deploy.approval) == (["cdk deploy"], "approval `Approve`")


def test_a_stack_that_nothing_creates_is_not_loaded() -> None:
    (workflow,) = codepipelines({"release.py": CDK, "buildspec.yml": SYNTH})
    assert "Release" in workflow.unloaded


def test_each_of_several_stacks_is_loaded_where_something_creates_it() -> None:
    tree = {"release.py": CDK, "nightly.py": CDK.replace("Release", "Nightly"), "app.py": APP, "buildspec.yml": SYNTH}
    assert {one.path: bool(one.unloaded) for one in codepipelines(tree)} == {"release.py": False, "nightly.py": True}


def test_a_specification_in_the_code_keeps_its_lines() -> None:
    (workflow,) = cdk(spec='codebuild.BuildSpec.from_object({"phases": {"build": {"commands": ["pytest", "make"]}}})')
    steps = job(workflow, "Build/Build").steps
    assert [(s.script, s.script_line, s.path) for s in steps] == [
        ("pytest", 11, "release.py"),
        ("make", 11, "release.py"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('branch="main"', 'branch="main", trigger=actions.CodeCommitTrigger.NONE', "server"),
        ("CodeCommitSourceAction", "S3SourceAction", "external"),
        ("CodeCommitSourceAction", "GitHubSourceAction", "push"),
        ('branch="main"', 'branch="main", trigger_on_push=False', "server"),
    ],
)
def test_sources(before: str, after: str, expected: str) -> None:
    text = CDK.replace(before, after).replace("SPEC", "None")
    (workflow,) = codepipelines({"release.py": text, "app.py": APP})
    assert [trigger.kind for trigger in workflow.triggers] == [expected]


NONE = ('branch="main"', 'branch="main", trigger=actions.CodeCommitTrigger.NONE')


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("schedule=events.Schedule.rate(d), targets=[targets.CodePipeline(pipeline)]", "schedule"),
        (
            "event_pattern=events.EventPattern(source=['aws.sagemaker']), targets=[targets.CodePipeline(pipeline)]",
            "external",
        ),
        (
            "event_pattern=events.EventPattern(source=['aws.codecommit']), targets=[targets.CodePipeline(pipeline)]",
            "push",
        ),
        ("schedule=events.Schedule.rate(d), enabled=False, targets=[targets.CodePipeline(pipeline)]", "server"),
        ("schedule=events.Schedule.rate(d), targets=[targets.LambdaFunction(pipeline)]", "server"),
        ("schedule=events.Schedule.rate(d), targets=[targets.CodePipeline(other)]", "server"),
    ],
)
def test_rules_start_the_pipeline_that_is_their_target(rule: str, expected: str) -> None:
    text = CDK.replace(*NONE).replace("SPEC", "None") + f"        events.Rule(self, 'R', {rule})\n"
    (workflow,) = codepipelines({"release.py": text, "app.py": APP})
    assert [trigger.kind for trigger in workflow.triggers] == [expected]


def test_a_constant_of_the_constructor_names_the_folder_of_the_sources() -> None:
    tree = {"release.py": CDK.replace("SPEC", "None"), "a/buildspec.yml": SPEC, "b/buildspec.yml": SYNTH}
    unclear = codepipelines({**tree, "app.py": APP})
    assert scripts(unclear[0], "Build/Build") == []
    (workflow,) = codepipelines({**tree, "app.py": "Release(app, 'x', seed_key='code/b.zip')\n"})
    assert job(workflow, "Build/Build").steps[0].folder == "b"


def test_the_specification_nearest_to_a_program() -> None:
    tree = {"a/infra/release.py": CDK.replace("SPEC", "None"), "a/infra/app.py": APP}
    tree |= {"a/seed/buildspec.yml": SPEC, "b/seed/buildspec.yml": SPEC}
    (workflow,) = [workflow for workflow in codepipelines(tree) if workflow.path == "a/infra/release.py"]
    assert {step.path for step in job(workflow, "Build/Build").steps} == {"a/seed/buildspec.yml"}


MODERN = """\
from aws_cdk import Stack, pipelines


class Release(Stack):
    def __init__(self, scope, name):
        synth = pipelines.ShellStep(
            "Synth",
            input=pipelines.CodePipelineSource.git_hub("a/b", "main"),
            commands=["pip install .", "pytest tests", "npx cdk synth"],
        )
        pipeline = pipelines.CodePipeline(self, "Pipeline", synth=synth)
        pipeline.add_stage(App(self, "Staging"), post=[pipelines.ShellStep("Smoke", commands=["make smoke"])])
        pipeline.add_stage(App(self, "Prod"), pre=[pipelines.ManualApprovalStep("Promote")])
"""


def test_pipelines_that_change_themselves() -> None:
    (workflow,) = codepipelines({"release.py": MODERN, "app.py": APP})
    assert [(t.kind, t.detail) for t in workflow.triggers] == [("push", "main")]
    assert [(j.id, j.approval) for j in workflow.jobs] == [
        ("Build/Synth", ""),
        ("Staging/Deploy", ""),
        ("Staging.post/Smoke", ""),
        ("Prod/Deploy", "approval `Promote`"),
    ]
    assert scripts(workflow, "Staging/Deploy") == ["cdk deploy"]
    assert scripts(workflow, "Build/Synth") == ["pip install .", "pytest tests", "npx cdk synth"]


@pytest.mark.parametrize(
    "text",
    [
        "from sklearn import pipelines\npipelines.CodePipeline()\n",
        "from aws_cdk import aws_codepipeline\n# aws_codepipeline.Pipeline(self)\n",
        "import aws_cdk.aws_codepipeline\nname = 'aws_cdk.aws_codepipeline.Pipeline()'\n",
        "from aws_cdk import aws_codepipeline as c\nclass A:\n  def f(self): return c.PipelineType.V2\n",
    ],
)
def test_code_that_declares_none(text: str) -> None:
    assert codepipelines({"stack.py": text}) == []


def test_variables_that_name_each_other_end() -> None:
    text = CDK.replace("SPEC", "a") + "        a = b\n        b = a\n        project = project\n"
    assert codepipelines({"release.py": text, "app.py": APP, "buildspec.yml": SYNTH})
