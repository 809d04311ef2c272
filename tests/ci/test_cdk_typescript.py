"""AWS: pipelines that CDK programs in TypeScript declare; the reader is the one of programs in Python."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.ci.find import workflows
from mlops_scan.ci.model import Workflow
from mlops_scan.documents.store import Documents
from tests.ci.trees import found, job

STACK = """\
import * as cdk from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import codepipeline = require("aws-cdk-lib/aws-codepipeline");
import { aws_codepipeline_actions as actions } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';

export class Release extends cdk.Stack {
  readonly pipeline: codepipeline.Pipeline;

  constructor(scope: cdk.App, id: string, props: Props) {
    super(scope, id, props);
    const code = new codepipeline.Artifact();
    let source: actions.Action;
    if (props.own) {
      source = new actions.CodeStarConnectionsSourceAction({ actionName: 'Code', output: code, branch: 'main' });
    } else {
      source = new actions.CodeCommitSourceAction({ actionName: 'Code', output: code, branch: 'other' });
    }
    const project = new codebuild.PipelineProject(this, 'Build', { buildSpec: SPEC });
    this.pipeline = new codepipeline.Pipeline(this, 'Pipeline', {
      pipelineName: `release-${props.name}`,
      stages: [{ stageName: 'Source', actions: [source] }],
    });
    // a comment between calls
    this.pipeline.addStage({
      stageName: 'Build',
      actions: [new actions.CodeBuildAction({ actionName: 'Build', project, input: code } as Any)],
    });
    const stage = this.pipeline.addStage({ stageName: 'Prod' });
    stage.addAction(new actions.ManualApprovalAction({ actionName: 'Approve', runOrder: 1 }));
    this.pipeline.addStage({
      stageName: 'Deploy',
      actions: [
        new actions.CloudFormationCreateUpdateStackAction({
          actionName: 'Stack', stackName: 's', templatePath: built.atPath('s.template.json'),
        }),
      ],
    });
  }
}
"""
FILE = "codebuild.BuildSpec.fromSourceFilename('./ops/build.yml')"
SYNTH = "version: 0.2\nphases: {build: {commands: [npm ci, npx cdk synth -o dist]}}\n"
APP = "import { App } from 'aws-cdk-lib';\nimport { Release } from '../lib/release';\nnew Release(new App(), 'r');\n"
CDK = '{"app": "npx ts-node --prefer-ts-exts bin/app.ts"}'


def declared(stack: str = STACK, spec: str = FILE, **others: str) -> list[Workflow]:
    """The pipelines of an app with a stack, whose project has a specification."""
    tree = {
        "infra/cdk.json": CDK,
        "infra/bin/app.ts": APP,
        "infra/lib/release.ts": stack.replace("SPEC", spec),
        "ops/build.yml": SYNTH,
        **{name.replace("__", "/").replace("_ts", ".ts"): text for name, text in others.items()},
    }
    return [workflow for workflow in found(tree) if workflow.provider == "aws-codepipeline"]


def test_a_program_declares_a_pipeline() -> None:
    (workflow,) = declared()
    assert (workflow.path, workflow.line, workflow.name) == ("infra/lib/release.ts", 21, "release-$VALUE")
    assert (workflow.unloaded, [(t.kind, t.line, t.detail) for t in workflow.triggers]) == ("", [("push", 16, "main")])
    build, deploy = job(workflow, "Build/Build"), job(workflow, "Deploy/Stack")
    assert [(s.script, s.path) for s in build.steps] == [
        ("npm ci", "ops/build.yml"),
        ("npx cdk synth -o dist", "ops/build.yml"),
    ]
    assert ([step.script for step in deploy.steps], deploy.approval) == (["cdk deploy"], "approval `Approve`")
    assert deploy.needs == ("Build/Build",)


def test_a_specification_in_the_program_keeps_its_lines() -> None:
    spec = "codebuild.BuildSpec.fromObject({version: '0.2', phases: {build: {commands: ['pytest', `make ${x}`]}}})"
    (workflow,) = declared(spec=spec)
    assert [(s.script, s.script_line, s.path) for s in job(workflow, "Build/Build").steps] == [
        ("pytest", 20, "infra/lib/release.ts"),
        ("make $VALUE", 20, "infra/lib/release.ts"),
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("S3SourceAction({ bucketKey: 'data.csv',", "external"),
        ("EcrSourceAction({ imageTag: 'latest',", "external"),
        ("GitHubSourceAction({", "push"),
        ("CodeStarConnectionsSourceAction({ triggerOnPush: false,", "server"),
        ("CodeCommitSourceAction({ trigger: actions.CodeCommitTrigger.NONE,", "server"),
        ("CodeCommitSourceAction({ trigger: actions.CodeCommitTrigger.POLL,", "push"),
    ],
)
def test_sources(after: str, expected: str) -> None:
    (workflow,) = declared(STACK.replace("CodeStarConnectionsSourceAction({", after))
    assert [trigger.kind for trigger in workflow.triggers] == [expected]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "schedule: events.Schedule.cron({ hour: '4' }), targets: [new targets.CodePipeline(this.pipeline)]",
            "schedule",
        ),
        ("eventPattern: { source: ['aws.sagemaker'] }, targets: [new targets.CodePipeline(this.pipeline)]", "external"),
        ("schedule: events.Schedule.rate(d), enabled: false, targets: [new targets.CodePipeline(this.pipeline)]", ""),
        ("schedule: events.Schedule.rate(d), targets: [new targets.LambdaFunction(this.pipeline)]", ""),
    ],
)
def test_rules_start_the_pipeline_that_is_their_target(rule: str, expected: str) -> None:
    text = STACK.replace("    // a comment between calls", f"    new events.Rule(this, 'R', {{ {rule} }});")
    (workflow,) = declared(text)
    assert [trigger.kind for trigger in workflow.triggers if trigger.kind != "push"] == ([expected] if expected else [])


MODERN = """\
import { Stack } from 'aws-cdk-lib';
import { CodePipeline, CodePipelineSource, ManualApprovalStep, ShellStep } from 'aws-cdk-lib/pipelines';

export class Release extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const pipeline = new CodePipeline(this, 'Pipeline', {
      synth: new ShellStep('Synth', {
        input: CodePipelineSource.gitHub('a/b', 'main'),
        installCommands: ['npm ci'],
        commands: ['npm test', 'npx cdk synth'],
      }),
    });
    pipeline.addStage(new Scoring(this, 'Staging'), { post: [new ShellStep('Smoke', { commands: ['make smoke'] })] });
    pipeline.addStage(new Scoring(this, 'Prod', { env }), { pre: [new ManualApprovalStep('Promote')] });
  }
}
"""


def test_pipelines_that_change_themselves() -> None:
    (workflow,) = declared(MODERN)
    assert [(t.kind, t.detail) for t in workflow.triggers] == [("push", "main")]
    assert [(j.id, j.approval) for j in workflow.jobs] == [
        ("Build/Synth", ""),
        ("Staging/Deploy", ""),
        ("Staging.post/Smoke", ""),
        ("Prod/Deploy", "approval `Promote`"),
    ]
    lines = [line for step in job(workflow, "Build/Synth").steps for line in step.script.split("\n")]
    assert lines == ["npm ci", "npm test", "npx cdk synth"]
    assert [s.script for s in job(workflow, "Staging/Deploy").steps] == ["cdk deploy"]


FIRST = """\
import { Stack } from '@aws-cdk/core';
import { Artifact } from '@aws-cdk/aws-codepipeline';
import { GitHubSourceAction } from '@aws-cdk/aws-codepipeline-actions';
import { CdkPipeline, ShellScriptAction, SimpleSynthAction } from '@aws-cdk/pipelines';

export class Release extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    const sourceAction = new GitHubSourceAction({ actionName: 'Code', branch: 'main', output: source });
    const pipeline = new CdkPipeline(this, 'Pipeline', {
      pipelineName: 'Scoring',
      sourceAction,
      synthAction: SimpleSynthAction.standardNpmSynth({ buildCommand: 'npm run build && npm test', testCommands: [] }),
    });
    pipeline.addApplicationStage(new Scoring(this, 'Staging'));
    const prod = pipeline.addApplicationStage(new Scoring(this, 'Prod'), { manualApprovals: true });
    prod.addActions(new ShellScriptAction({ actionName: 'Smoke', commands: ['make smoke'] }));
    const later = pipeline.addStage('Later');
    later.addManualApprovalAction();
    later.addApplication(new Scoring(this, 'Other'));
  }
}
"""


def test_pipelines_of_the_first_interface() -> None:
    (workflow,) = declared(FIRST)
    assert (workflow.name, [(t.kind, t.detail) for t in workflow.triggers]) == ("Scoring", [("push", "main")])
    lines = [line for step in job(workflow, "Build/Synth").steps for line in step.script.split("\n")]
    assert lines == ["npm ci", "npm run build && npm test", "npx cdk synth"]
    assert [(j.id, j.approval) for j in workflow.jobs] == [
        ("Build/Synth", ""),
        ("Staging/Deploy", ""),
        ("Prod/Deploy", "approval `Approve`"),
        ("Prod.post/Smoke", "approval `Approve`"),
        ("Later/Deploy", "approval `Approve`"),
    ]
    assert [s.script for s in job(workflow, "Staging/Deploy").steps] == ["cdk deploy"]


@pytest.mark.parametrize(
    ("synth", "expected"),
    [
        ("standardYarnSynth({})", ["yarn install --frozen-lockfile", "npx cdk synth"]),
        ("standardNpmSynth({ subdirectory: 'ops', synthCommand: 'make synth' })", ["cd ops", "npm ci", "make synth"]),
        ("other({})", []),
    ],
)
def test_what_a_synth_action_runs(synth: str, expected: list[str]) -> None:
    (workflow,) = declared(FIRST.replace(FIRST[FIRST.index("standardNpm") : FIRST.index(",\n    });")], synth))
    steps = job(workflow, "Build/Synth").steps
    assert [line for step in steps for line in step.script.split("\n")] == expected


def test_a_synth_action_that_is_made_by_itself() -> None:
    """`new SimpleSynthAction({…})` has no commands but those that it is given."""
    made = "new SimpleSynthAction({ installCommands: ['pip install -r r.txt'], synthCommand: 'cdk synth' })"
    old = FIRST[FIRST.index("SimpleSynthAction.standard") : FIRST.index(",\n    });")]
    (workflow,) = declared(FIRST.replace(old, made))
    lines = [line for step in job(workflow, "Build/Synth").steps for line in step.script.split("\n")]
    assert lines == ["pip install -r r.txt", "cdk synth"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("output: source }", "trigger: GitHubTrigger.NONE }"),
        ("      sourceAction,\n", ""),
    ],
    ids=["no trigger", "no source"],
)
def test_a_first_interface_that_nothing_starts(old: str, new: str) -> None:
    (workflow,) = declared(FIRST.replace(old, new))
    assert [t.kind for t in workflow.triggers] == ["server"]


def test_stages_of_a_variable_and_older_packages() -> None:
    text = (
        "import { Pipeline } from '@aws-cdk/aws-codepipeline';\n"
        "import * as a from '@aws-cdk/aws-codepipeline-actions';\n"
        "const first = { stageName: 'Source', actions: [new a.GitHubSourceAction({ branch: 'b' })] };\n"
        "new Pipeline(app, 'P', { stages: [first] });\n"
    )
    (workflow,) = declared(text)
    assert [(t.kind, t.detail) for t in workflow.triggers] == [("push", "b")]


@pytest.mark.parametrize(
    "app",
    [
        "",
        "// new Release(new App(), 'r');\n",
        "/*\n * new Release(app);\n */\n",
        "export { Release } from '../lib/r';\n",
    ],
    ids=["nothing", "commented out", "block comment", "exported"],
)
def test_a_stack_that_nothing_creates_is_not_loaded(app: str) -> None:
    (workflow,) = declared(**{"infra__bin__app_ts": app, "infra__test__app_ts": APP, "infra__app.test_ts": APP})
    assert "Release" in workflow.unloaded


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        ('{"app": "npx ts-node bin/app.ts"}', ""),
        ('{"app": "node dist/app.js"}', ""),
        ('{"context": {}}', ""),
        ('{"app": "python3 app.py"}', "the app of infra/cdk.json is another program"),
        ('{"app": "mvn -e -q compile exec:java"}', "the app of infra/cdk.json is another program"),
    ],
)
def test_only_an_app_that_runs_such_programs_loads_it(app: str, expected: str) -> None:
    (workflow,) = declared(**{"infra__cdk.json": app})
    assert workflow.unloaded == expected


def _without(*, old: str, new: str) -> str:
    assert old in STACK
    return STACK.replace(old, new)


@pytest.mark.parametrize(
    "text",
    [
        _without(old="this.pipeline = new codepipeline.Pipeline", new="// this.pipeline = new codepipeline.Pipeline"),
        _without(old="new codepipeline.Pipeline", new="codepipeline.Pipeline.fromPipelineArn"),
        _without(old='require("aws-cdk-lib/aws-codepipeline")', new='require("./aws-codepipeline")'),
        "import { Pipeline } from 'pipelines';\nimport * as cdk from 'aws-cdk-lib';\nnew Pipeline(app, 'P', {});\n",
        "import { aws_codepipeline } from 'aws-cdk-lib';\nconst name = 'new aws_codepipeline.Pipeline()';\n",
        "import { aws_codepipeline } from 'aws-cdk-lib';\nlet p: aws_codepipeline.Pipeline;\n",
    ],
    ids=["commented out", "one that exists", "another library", "another class", "in a string", "a type"],
)
def test_programs_that_declare_none(text: str) -> None:
    assert declared(text) == []


@pytest.mark.parametrize("path", ["web/release.ts", "infra/release.test.ts", "infra/test/release.ts", "infra/r.d.ts"])
def test_files_that_are_no_programs(path: str) -> None:
    assert declared("", **{path.replace(".ts", "_ts").replace("/", "__"): STACK, "infra__bin__app_ts": APP}) == []


PIECES = st.sampled_from(
    ["const pipeline = new codepipeline.Pipeline(this, 'p', {stages: [s, {actions: a}, ...x]});",
     "pipeline.addStage({stageName: 's', actions: [a, ...b]});", "a = b;", "b = a;", "const {c, d} = a;",
     "a = new actions.CodeBuildAction({project: p});", "const s = pipeline.addStage({stageName: `a${b}\\``});",
     "p = new codebuild.Project({buildSpec: codebuild.BuildSpec.fromObject({1: a, [b]: 2, 'c': {d() {}}})});",
     "new pipelines.CodePipeline({synth: x});",
     "const q = new pipelines.CdkPipeline({sourceAction: a, synthAction: x});",
     "const t = q.addApplicationStage(s, {manualApprovals: true}); t.addActions(a, x);",
     "x = new pipelines.ShellStep({commands: [a, 'x', ...y]});",
     "s.addAction(a, b);", "new events.Rule({targets: [new targets.CodePipeline(pipeline)], schedule: a});",
     "function f() {", "class A { constructor() {", "}", "if (a) {", "pipeline?.addStage", "(await f())!.g<T>({})"]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=14))
def test_no_program_raises(lines: list[str]) -> None:
    imports = STACK[: STACK.index("export class")] + "import * as pipelines from 'aws-cdk-lib/pipelines';\n"
    tree = {"cdk.json": CDK, "bin/app.ts": imports + "\n".join(lines)}
    for workflow in workflows(Documents.of(tree)):
        assert workflow.line >= 1
        assert all(1 <= job.line <= job.end_line for job in workflow.jobs)


@pytest.mark.parametrize(
    "body",
    ["x" + ".f({a: " * 3000, "[" * 5000 + "new codepipeline.Pipeline(this)", "x" + ".f()" * 5000 + ";", "a = (" * 4000,
     "function f() {" * 3000, "class A { m() {" * 2000, "`${" * 3000],
)  # fmt: skip
def test_deep_programs_end(body: str) -> None:
    tree = {"cdk.json": CDK, "bin/app.ts": "import * as codepipeline from 'aws-cdk-lib/aws-codepipeline';\n" + body}
    list(workflows(Documents.of(tree)))
