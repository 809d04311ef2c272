from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops_scan.ci.find import provider_of, unread_providers, workflows
from mlops_scan.documents.store import Documents
from tests.ci.trees import found

GITHUB = "on: push\njobs: {a: {steps: [{run: make}]}}\n"
GITLAB = "t: {stage: test, script: make}\n"


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/workflows/ci.yaml",
        "{{ cookiecutter.name }}/.github/workflows/ci.yml",
        "template/{{cookiecutter.name}}/.github/workflows/ci.yml",
        ".github/workflows/ci.yml.jinja",
        ".github/workflows/{{name}}.yml.tmpl",
    ],
)
def test_loaded(path: str) -> None:
    (workflow,) = found({path: GITHUB})
    assert (workflow.unloaded, workflow.path, workflow.provider) == ("", path, "github-actions")


@pytest.mark.parametrize(
    "path",
    [
        "docs/.github/workflows/ci.yml",
        "services/a/.github/workflows/ci.yml",
        ".github/workflows/sub/ci.yml",
        ".github/workflows-disabled/ci.yml",
        ".github/ci.yml",
        "workflows/ci.yml",
        "deployment/ci-cd/train.yml",
        "examples/pipeline.yml",
        "exercise_files/ci.yaml",
    ],
)
def test_workflows_elsewhere_are_not_loaded(path: str) -> None:
    (workflow,) = found({path: GITHUB})
    assert "root" in workflow.unloaded


@pytest.mark.parametrize("suffix", ["disabled", "bak", "off", "old"])
def test_other_suffixes_are_not_loaded(suffix: str) -> None:
    (workflow,) = found({f".github/workflows/ci.yml.{suffix}": GITHUB})
    assert "does not end in" in workflow.unloaded and workflow.jobs == ()


@pytest.mark.parametrize(
    "path",
    ["vendor/x/.github/workflows/ci.yml", "node_modules/x/.github/workflows/ci.yml", "src/model.yml", "data/ci.csv"],
)
def test_what_is_nobodys_definition(path: str) -> None:
    assert found({path: GITHUB}) == []


@pytest.mark.parametrize(
    "path", ["tests/data/workflows/ci.yml", "tests/compiled-workflows/ci.yaml", "tests/pipeline.yml"]
)
def test_the_shape_alone_makes_no_definition_of_test_data(path: str) -> None:
    assert found({path: GITHUB}) == []
    assert found({path.removeprefix("tests/"): GITHUB}) != []


def test_issue_templates_are_none() -> None:
    assert (
        found({".github/ISSUE_TEMPLATE/bug.yml": "name: x\nbody: []\n", ".github/dependabot.yml": "version: 2\n"}) == []
    )


def test_gitlab_is_loaded_from_the_root() -> None:
    assert [w.unloaded for w in found({".gitlab-ci.yml": GITLAB})] == [""]
    (template,) = found({"{{cookiecutter.x}}/.gitlab-ci.yml": "include: ci.yml\n" + GITLAB})
    assert template.unloaded == ""
    tree = {"{{cookiecutter.x}}/.gitlab-ci.yml": "include: ci.yml\n", "{{cookiecutter.x}}/ci.yml": GITLAB}
    assert [(w.path, len(w.jobs)) for w in found(tree)] == [
        ("{{cookiecutter.x}}/.gitlab-ci.yml", 0),
        ("{{cookiecutter.x}}/ci.yml", 1),
    ]


@pytest.mark.parametrize(
    "path", ["sub/.gitlab-ci.yml", ".gitlab-ci.yaml", "ci/test.gitlab-ci.yml", ".gitlab/ci/test.yml"]
)
def test_gitlab_files_that_nothing_includes(path: str) -> None:
    (workflow,) = found({path: GITLAB})
    assert workflow.provider == "gitlab-ci" and "root" in workflow.unloaded
    (included, *_) = [w for w in found({".gitlab-ci.yml": f"include: {path}", path: GITLAB}) if w.path == path]
    assert included.unloaded == ""


def test_a_gitlab_include_is_counted_once() -> None:
    tree = {".gitlab-ci.yml": "include: ci/pipeline.yml\n", "ci/pipeline.yml": GITLAB}
    assert [(w.path, w.provider) for w in found(tree)] == [
        (".gitlab-ci.yml", "gitlab-ci"),
        ("ci/pipeline.yml", "gitlab-ci"),
    ]


def test_order_is_that_of_the_paths() -> None:
    paths = [".github/workflows/b.yml", ".github/workflows/a.yml", ".gitlab-ci.yml"]
    assert [w.path for w in found(dict.fromkeys(paths, GITHUB + GITLAB))] == sorted(paths)


@pytest.mark.parametrize(
    ("path", "provider"),
    [
        (".drone.star", "Drone"),
        (".teamcity/settings.kts", "TeamCity"),
        (".semaphore/semaphore.yml", "Semaphore"),
        (".cirrus.yml", "Cirrus CI"),
        (".build.yml", "SourceHut"),
        ("zuul.d/jobs.yaml", "Zuul"),
        (".harness/x.yaml", "Harness"),
        ("codefresh.yml", "Codefresh"),
        ("screwdriver.yaml", "Screwdriver"),
        ("prow_config.yaml", "Prow"),
        (".prow.yaml", "Prow"),
        (".prow/presubmits.yaml", "Prow"),
    ],
)
def test_providers_that_are_not_read_are_told(path: str, provider: str) -> None:
    documents = Documents.of({path: "a: b", "docs/" + path: "a: b"})
    assert [(item.provider, item.path) for item in unread_providers(documents)] == [(provider, path)]
    assert provider_of(path) == provider


PIPELINELIB = "pipelines:\n  a:\n    blubberfile: blubber.yaml\n    stages: [{name: test, build: test, run: true}]\n"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".pipeline/config.yaml", PIPELINELIB, ["Wikimedia PipelineLib"]),
        (".pipeline/config.yml", PIPELINELIB, ["Wikimedia PipelineLib"]),
        (".pipeline/config.yml", "general: {}\nstages: {Build: {npm: true}}\nsteps: {}\n", []),  # another tool's
        (".pipeline/other.yaml", PIPELINELIB, []),
        ("pipeline/config.yaml", PIPELINELIB, []),
        ("docs/.pipeline/config.yaml", PIPELINELIB, []),
        (
            ".pipeline/config.yaml",
            "stages: [test]\npipelines:\n  a: {stage: test, script: make}\n",
            [],
        ),  # read by its shape
    ],
)
def test_a_name_that_others_use_too_is_told_by_what_is_in_the_file(path: str, text: str, expected: list[str]) -> None:
    documents = Documents.of({path: text})
    assert [item.provider for item in unread_providers(documents, workflows(documents))] == expected


@pytest.mark.parametrize(
    ("path", "provider"),
    [
        ("Jenkinsfile", "Jenkins"),
        ("ci/Jenkinsfile.train", "Jenkins"),
        ("jobs/x.jenkinsfile", "Jenkins"),
        (".circleci/config.yml", "CircleCI"),
        ("bitbucket-pipelines.yml", "Bitbucket Pipelines"),
        (".travis.yml", "Travis CI"),
        ("appveyor.yml", "AppVeyor"),
        (".appveyor.yml", "AppVeyor"),
        (".buildkite/pipeline.yml", "Buildkite"),
        ("{{cookiecutter.name}}/.travis.yml", "Travis CI"),
    ],
)
def test_definitions_of_a_provider_that_is_read_are_its_own(path: str, provider: str) -> None:
    documents = Documents.of({path: "a: b"})
    assert provider_of(path) == provider
    assert list(unread_providers(documents)) == []


def test_what_a_workflow_leaves_open_is_told() -> None:
    documents = Documents.of({"Jenkinsfile": "buildApp()", "docs/Jenkinsfile": "buildApp()"})
    (item,) = unread_providers(documents, list(workflows(documents)))
    assert (item.provider, item.path, item.line) == ("Jenkins", "Jenkinsfile", 1)
    assert "`buildApp`" in item.reason


@pytest.mark.parametrize(
    "path", ["README.md", "src/jenkins.py", ".github/workflows/ci.yml", "circleci.yml", "src/drone.yml"]
)
def test_other_files_are_no_providers(path: str) -> None:
    assert list(unread_providers(Documents.of({path: "a: b"}))) == []


def test_a_broken_file_is_listed_and_the_others_are_read() -> None:
    documents = Documents.of({".github/workflows/a.yml": "on: [", ".github/workflows/b.yml": GITHUB})
    assert [workflow.path for workflow in workflows(documents) if workflow.jobs] == [".github/workflows/b.yml"]
    assert list(documents.incomplete) == [".github/workflows/a.yml"]


WORDS = st.sampled_from(
    ["on", "jobs", "steps", "run", "uses", "with", "if", "push", "schedule", "cron", "needs", "environment",
     "matrix", "strategy", "include", "script", "stage", "stages", "pipeline", "rules", "only", "except", "when",
     "manual", "never", "extends", "workflow", "trigger", "local", "default", "before_script", "tags", "name",
     "a", "b", "x.yml", "*", "!reference", "services", "tasks", "false", "$if", "then", "$let", "in", "$eval",
     "$mergeDeep", "$map", "each(x)", "$match", "payload", "command", "version", "kind", "commands", "event", "cron",
     "phases", "build", "args", "entrypoint", "spec", "taskRef", "taskSpec", "variables", "parameters", "value", "task",
     "run", "metadata", "trigger", "filename"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)
PATHS = [
    ".github/workflows/a.yml", ".gitlab-ci.yml", "x.yml", "ci/pipeline.yml", "pipeline.json", ".taskcluster.yml",
    "taskcluster/kinds/a/kind.yml", ".drone.yml", ".woodpecker.yml", "cloudbuild.yaml", "buildspec.yml",
    "azure-pipelines.yml",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@example({".drone.yml": {"pipeline": [{}]}})
@given(st.dictionaries(st.sampled_from(PATHS), VALUES, min_size=1, max_size=3))
def test_no_shape_raises(tree: dict[str, object]) -> None:
    import json

    for workflow in workflows(Documents.of({path: json.dumps(value) for path, value in tree.items()})):
        assert workflow.line >= 1
        for job in workflow.jobs:
            assert job.line >= 1 and job.end_line >= job.line
            assert all(t.line >= 1 for t in workflow.triggers_of(job))
            assert all(step.line >= 1 and step.script_line >= 1 for step in job.steps)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        WORDS | st.sampled_from([":", ": ", "\n", "\n  ", "- ", "[", "{", "}", "|\n", "&a ", "*a", "<<: *a"]),
        max_size=40,
    )
)
def test_no_text_raises(pieces: list[str]) -> None:
    text = "".join(pieces)
    list(workflows(Documents.of(dict.fromkeys(PATHS, text))))


TYPES = st.sampled_from(["AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project", "AWS::Events::Rule"])
KEYS = st.sampled_from(
    ["Stages", "Actions", "Name", "ActionTypeId", "Category", "Provider", "Configuration", "ProjectName", "Source",
     "BuildSpec", "Targets", "Arn", "Ref", "EventPattern", "Triggers", "Webhook", "FilterGroups", "steps", "tasks",
     "params", "name", "script", "pipelineRef", "pipelineSpec", "taskRef", "taskSpec", "triggers", "template",
     "resourcetemplates", "kind", "when", "annotations"]
)  # fmt: skip
SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS | st.sampled_from(["CodeBuild", "Source", "p", "a\nb"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(TYPES, SHAPES, SHAPES)
def test_no_cloud_resource_raises(kind: str, one: object, two: object) -> None:
    import json

    template = {"Resources": {"p": {"Type": kind, "Properties": one}, "q": {"Type": kind, "Properties": two}}}
    resource = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": one, "spec": two}
    other = {
        "apiVersion": "triggers.tekton.dev/v1beta1",
        "kind": "TriggerTemplate",
        "metadata": {"name": "a"},
        "spec": one,
    }
    tree = {"infra/a.json": template, "t/run.yaml": resource, "t/template.yaml": other}
    for workflow in workflows(Documents.of({path: json.dumps(value) for path, value in tree.items()})):
        assert workflow.line >= 1
        assert all(job.line >= 1 and job.end_line >= job.line for job in workflow.jobs)


PIECES = st.sampled_from(
    ["pipeline = codepipeline.Pipeline(self, 'p')", "pipeline.add_stage(stage_name='s', actions=[a])", "a = b", "b = a",
     "a = actions.CodeBuildAction(project=p)",
     "p = codebuild.Project(build_spec=codebuild.BuildSpec.from_object({1: a}))",
     "pipelines.CodePipeline(synth=x)", "x = pipelines.ShellStep(commands=[a, 'x', *y])", "s = pipeline.add_stage(1)",
     "s.add_action(a, b)", "events.Rule(targets=[targets.CodePipeline(pipeline)], schedule=a)", "def f(: pass"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_no_cdk_code_raises(lines: list[str]) -> None:
    imports = "from aws_cdk import aws_codepipeline as codepipeline, aws_codepipeline_actions as actions, pipelines\n"
    list(workflows(Documents.of({"app.py": imports + "\n".join(lines) + "\n"})))


AZURE = "trigger: [main]\npool: {vmImage: ubuntu-latest}\nsteps:\n  - bash: pytest\n"


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("tests/ci/unit.yml", AZURE, 1),
        ("tests/ci/linux/unit.yml", AZURE, 1),
        ("tests/fixtures/unit.yml", AZURE, 0),
        ("tests/data/ci/unit.yml", AZURE, 0),  # what tests read
        ("tests/ci/unit.yml", AZURE.replace("trigger", "# trigger").replace("pool", "# pool"), 0),
        ("tests/ci/unit.yml", "steps:\n  - bash: pytest\n", 0),  # a template
        ("tests/ci/unit.yml", GITHUB, 0),
    ],
)
def test_a_pipeline_of_azure_may_lie_beside_the_tests(path: str, text: str, count: int) -> None:
    assert [workflow.provider for workflow in found({path: text})] == ["azure-pipelines"] * count
