"""Jenkinsfiles: stages, conditions, what a failure does, approvals, functions, and what starts the pipeline."""

from __future__ import annotations

from textwrap import dedent

import pytest

from mlops_scan.ci.find import unread_providers, workflows
from mlops_scan.ci.model import Job, Step, Workflow
from mlops_scan.documents.store import Documents
from tests.ci.trees import job, placed


def read(text: str, path: str = "Jenkinsfile", **others: str) -> Workflow:
    """The workflow of a Jenkinsfile, with other Groovy files of the repository by name (`__` stands for `/`)."""
    tree = {path: dedent(text), **{name.replace("__", "/") + ".groovy": dedent(body) for name, body in others.items()}}
    (workflow,) = workflows(Documents.of(tree))
    return workflow


def declarative(stage: str, more: str = "") -> Workflow:
    """A pipeline with one stage of that body."""
    return read(f"pipeline {{\n  agent any\n{more}\n  stages {{\n    stage('t') {{\n{stage}\n    }}\n  }}\n}}\n")


def only(workflow: Workflow) -> Job:
    (one,) = workflow.jobs
    return one


def step(body: str) -> Step:
    """The one shell step of a declarative stage with these steps."""
    (one,) = only(declarative(f"steps {{\n{body}\n}}")).steps
    return one


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ("agent any\n stage('a') { steps { sh 'make' } }", True),
        ("agent any\n stages { stage('a') { steps { sh 'make' } } }\n stage('b') { steps { sh 'make' } }", True),
        ("agent any\n stages { stage('a') { steps { sh 'make' } } }", False),
        ("agent any\n stages { stage('a') { stages { stage('b') { steps { sh 'make' } } } } }", False),
        ("agent any\n // stage('b') { }\n stages { stage('a') { steps { sh 'make' } } }", False),
    ],
)
def test_a_stage_outside_of_stages_is_refused(body: str, refused: bool) -> None:
    assert bool(read(f"pipeline {{\n {body}\n}}\n").unloaded) is refused


def test_stages_of_a_scripted_pipeline_have_no_section() -> None:
    assert not read("node {\n  stage('a') { sh 'make' }\n}\n").unloaded


# -- shape -------------------------------------------------------------------------------------------------------------


def test_declarative_stages_become_jobs_with_lines() -> None:
    workflow = read(
        """\
        pipeline {
          agent { docker { image 'python:3.11' } }
          stages {
            stage('Build') { steps { sh 'make build' } }
            stage('Test') {
              steps {
                sh '''
                  pip install .
                  pytest tests
                '''
              }
            }
          }
        }
        """
    )
    assert [(j.id, j.line, j.end_line, j.needs) for j in workflow.jobs] == [
        ("Build", 4, 4, ()),
        ("Test", 5, 12, ("Build",)),
    ]
    assert placed(workflow.jobs[1].steps[0]) == [(8, "pip install ."), (9, "pytest tests")]
    assert workflow.jobs[1].image == "python:3.11"
    assert workflow.jobs[1].steps[0].errexit  # `sh -xe`


def test_scripted_stages() -> None:
    workflow = read(
        """\
        node('gpu') {
          checkout scm
          stage('Test') {
            docker.image('python:3.11').inside('-v /cache') { sh "pytest -q" }
          }
          stage 'Old'
          sh 'make report'
        }
        """
    )
    assert [(j.id, [s.script for s in j.steps]) for j in workflow.jobs] == [
        ("Test", ["pytest -q"]),
        ("Old", ["make report"]),
    ]


def test_braces_on_lines_of_their_own() -> None:
    assert (
        only(read("pipeline\n{\n  stages\n  {\n    stage('a')\n    {\n      steps\n      {\n sh 'x'\n}}}}\n")).id == "a"
    )


@pytest.mark.parametrize(
    ("body", "script"),
    [
        ("sh 'pytest'", "pytest"),
        ('sh("pytest")', "pytest"),
        ("sh script: 'pytest', label: 'tests'", "pytest"),
        ("sh(label: 'tests',\n   script: 'pytest')", "pytest"),
        ("def out = sh(returnStdout: true, script: 'pytest').trim()", "pytest"),
        ("script { sh 'pytest' }", "pytest"),
        ("timeout(time: 5, unit: 'MINUTES') { retry(2) { sh 'pytest' } }", "pytest"),
        ("withCredentials([string(credentialsId: 'a', variable: 'B')]) { sh 'pytest' }", "pytest"),
        ("withEnv(['A=b']) { container('python') { sh 'pytest' } }", "pytest"),
        ("sh 'py' + 'test'", "pytest"),
        ("""sh 'grep "a" x | sort'""", 'grep "a" x | sort'),
        ('sh "echo \\"x\\" && pytest"', 'echo "x" && pytest'),
        ('sh "pytest \\$HOME"', "pytest $HOME"),
        ("sh 'pytest $HOME'", "pytest $HOME"),
        ('sh "pytest ${params.DIR ?: env.X}"', "pytest ${params_DIR_env_X}"),
        ("sh 'pytest' // not 'this'", "pytest"),
        ("/* sh 'make' */ sh 'pytest'", "pytest"),
        ("if (x) { sh 'pytest' }", "pytest"),
        ("for (p in ['3.10', '3.11']) { sh 'pytest' }", "pytest"),
        ("['a', 'b'].each { name -> sh 'pytest' }", "pytest"),
        ("bat 'C:\\\\Python\\\\python.exe -m pytest'", "C:/Python/python -m pytest"),
    ],
)
def test_ways_to_run_a_command(body: str, script: str) -> None:
    assert step(body).script == script


@pytest.mark.parametrize(
    "body",
    [
        "// sh 'pytest'",
        "/* sh 'pytest'\n sh 'pytest' */",
        "echo 'pytest'",
        "echo \"sh 'pytest'\"",
        "def text = '''\nsh 'pytest'\n'''",
        "writeFile file: 'x', text: 'pytest'",
    ],
)
def test_what_runs_nothing(body: str) -> None:
    assert declarative(f"steps {{\n{body}\n}}").jobs == ()


def test_variables_of_the_file_are_filled_in() -> None:
    workflow = read(
        """\
        def runner = 'ci/run.sh'
        pipeline {
          environment { SUITE = 'model' }
          parameters { string(name: 'ARGS', defaultValue: '-q') }
          stages { stage('t') { steps {
            sh "${runner} tests/${env.SUITE} ${params.ARGS} ${WORKSPACE}/x ${BUILD_ID}"
          } } }
        }
        """
    )
    assert only(workflow).steps[0].script == "ci/run.sh tests/model -q ./x ${BUILD_ID}"


def test_dir_sets_the_folder() -> None:
    steps = only(declarative("steps { dir('ml') { sh 'a'; dir('sub') { sh 'b' } }\n sh 'c' }")).steps
    assert [(s.script, s.folder) for s in steps] == [("a", "ml"), ("b", "ml/sub"), ("c", "")]


def test_a_script_with_a_shebang_has_the_options_of_its_shell() -> None:
    assert not step('sh """#!/bin/bash\npytest\nls\n"""').errexit
    assert not step("bat 'pytest'").errexit


def test_parallel_stages_and_branches() -> None:
    stages = declarative("parallel { stage('a') { steps { sh '1' } }\n stage('b') { steps { sh '2' } } }")
    assert [(j.id, j.needs) for j in stages.jobs] == [("t / a", ()), ("t / b", ())]
    scripted = read("node { parallel(one: { sh '1' }, two: { node { sh '2' } }, failFast: true) }")
    assert [j.id for j in scripted.jobs] == ["one", "two"]
    mapped = read("def b = [:]\nb['x'] = { sh '1' }\nparallel b\nparallel(['y': { sh '2' }])\n")
    assert [s.script for j in mapped.jobs for s in j.steps] == ["1", "2"]


def test_docker_steps_are_the_commands_they_run() -> None:
    workflow = read("node { def image = docker.build('scorer:1', '-f serve/Dockerfile .')\n image.push('latest') }")
    assert [s.script for s in only(workflow).steps] == [
        "docker build -t scorer:1 -f serve/Dockerfile .",
        "docker push scorer:1",
    ]
    assert read("node { list.push('x') }").jobs == ()


# -- functions and other files -----------------------------------------------------------------------------------------


def test_functions_of_the_file_are_followed() -> None:
    workflow = read(
        """\
        pipeline { stages {
          stage('t') { steps { script { suite('model'); train(epochs: '3') } } }
        } }
        def suite(name) { sh "pytest tests/${name}" }
        def train(args) { node { sh "python train.py --epochs ${args.epochs}" } }
        def unused() { sh 'make deploy' }
        """
    )
    assert [(s.script, s.script_line) for s in only(workflow).steps] == [
        ("pytest tests/model", 4),
        ("python train.py --epochs 3", 5),
    ]


def test_closures_in_variables_run_where_they_are_called() -> None:
    assert [s.script for s in only(read("node { def go = { sh 'pytest' }\n go() }")).steps] == ["pytest"]
    assert read("node { def go = { sh 'pytest' } }").jobs == ()


def test_functions_that_call_themselves_end() -> None:
    assert only(read("def a() { sh 'x'; b() }\ndef b() { a() }\nnode { a() }")).steps[0].script == "x"


def test_loaded_files_and_own_global_variables_are_followed() -> None:
    workflow = read(
        "node { def ci = load 'ci/tests.groovy'\n ci.unit()\n checkModel 'a' }",
        ci__tests="def unit() {\n  sh 'pytest tests/unit'\n}\nreturn this\n",
        vars__checkModel='def call(name) {\n  sh "pytest tests/${name}"\n}\n',
    )
    assert [(s.script, s.path, s.script_line) for s in only(workflow).steps] == [
        ("pytest tests/unit", "ci/tests.groovy", 2),
        ("pytest tests/a", "vars/checkModel.groovy", 2),
    ]
    assert workflow.unknown == ""


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("@Library('ours') _\nnode { sh 'make'\n trainModel() }", "`trainModel`"),
        ("buildPlugin(useContainerAgent: true)", "`buildPlugin`"),
        ("node { load 'gone.groovy' }", "`load gone.groovy`"),
        ("node { sh 'make'\n someNotifier 'x' }", ""),  # a plug-in's step
        ("@Library('ours') _\nnode { sh 'make'\n junit 'x.xml' }", ""),
    ],
)
def test_steps_of_shared_libraries_are_unknown(text: str, unknown: str) -> None:
    documents = Documents.of({"Jenkinsfile": text})
    (workflow,) = workflows(documents)
    assert (unknown in workflow.unknown) and bool(workflow.unknown) is bool(unknown)
    assert [item.provider for item in unread_providers(documents, [workflow])] == (["Jenkins"] if unknown else [])


# -- whether a failure counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sh 'pytest'", ""),
        ("catchError(buildResult: 'SUCCESS', stageResult: 'FAILURE') { sh 'pytest' }", "catchError"),
        ("catchError(buildResult: 'UNSTABLE') { sh 'pytest' }", "catchError"),
        ("catchError { sh 'pytest' }", ""),  # the build is marked as failed all the same
        ("catchError(buildResult: 'FAILURE') { sh 'pytest' }", ""),
        ("warnError('x') { sh 'pytest' }", "warnError"),
        ("sh returnStatus: true, script: 'pytest'", "returnStatus"),
        ("script { def rc = sh(script: 'pytest', returnStatus: true)\n if (rc != 0) { error 'failed' } }", ""),
        (
            "script { def rc = sh(script: 'pytest', returnStatus: true)\n if (rc != 0) { echo 'failed' } }",
            "returnStatus",
        ),
        ("script { if (sh(script: 'pytest', returnStatus: true) != 0) { error 'failed' } }", ""),
        ("script { if (sh(script: 'pytest', returnStatus: true) != 0) { echo 'failed' } }", "returnStatus"),
        ("sh returnStatus: false, script: 'pytest'", ""),
        ("script { try { sh 'pytest' } catch (e) { echo 'x' } }", "try"),
        ("script { try { sh 'pytest' } catch (Exception e) { currentBuild.result = 'FAILURE'\n throw e } }", ""),
        ("script { try { sh 'pytest' } catch (e) { error 'x' } }", ""),
        ("script { try { sh 'pytest' } finally { junit 'x.xml' } }", ""),
    ],
)
def test_whether_a_failure_counts(body: str, why: str) -> None:
    found = step(body)
    assert (found.script, why in found.may_fail, bool(found.may_fail)) == ("pytest", True, bool(why))


def test_post_steps() -> None:
    jobs = declarative("steps { sh 'a' }\npost { always { sh 'b' }\n failure { sh 'c' } }").jobs
    assert [(s.script, bool(s.may_fail)) for s in jobs[0].steps] == [("a", False), ("b", False), ("c", True)]


# -- conditions and approvals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "never"),
    [
        ("expression { false }", True),
        ("expression { return false }", True),
        ("allOf { branch 'main'; expression { false } }", True),
        ("anyOf { branch 'main'; expression { false } }", False),
        ("expression { return fileExists('x') }", False),
        ("branch 'main'", False),
        ("not { expression { false } }", False),
    ],
)
def test_a_condition_that_never_holds(when: str, never: bool) -> None:
    assert bool(only(declarative(f"when {{ {when} }}\nsteps {{ sh 'x' }}")).never) is never


def test_if_false_never_runs() -> None:
    steps = only(read("node { stage('t') { if (false) { sh 'a' } else { sh 'b' } } }")).steps
    assert [(s.script, bool(s.never)) for s in steps] == [("a", True), ("b", False)]
    assert only(read("node { stage('t') { if (false) { sh 'a' } } }")).never == ""


@pytest.mark.parametrize(
    ("when", "kinds"),
    [
        ("changeRequest()", ["pull_request"]),
        ("buildingTag()", ["tag"]),
        ("tag 'v*'", ["tag"]),
        ("branch 'main'", ["schedule", "push"]),
        ("triggeredBy 'TimerTrigger'", ["schedule"]),
        ("triggeredBy cause: 'UserIdCause'", ["manual"]),
        ("not { triggeredBy 'TimerTrigger' }", ["push"]),
        ("anyOf { changeRequest(); buildingTag() }", ["pull_request", "tag"]),
    ],
)
def test_what_a_condition_leaves_of_the_triggers(when: str, kinds: list[str]) -> None:
    workflow = declarative(
        f"when {{ {when} }}\nsteps {{ sh 'x'; echo env.BRANCH_NAME }}", "triggers { cron('H 2 * * *') }"
    )
    assert [t.kind for t in workflow.triggers_of(only(workflow))] == kinds


def test_an_approval_holds_up_what_follows() -> None:
    workflow = read(
        """\
        pipeline { stages {
          stage('Test') { steps { sh 'pytest' } }
          stage('Approve') { steps { timeout(5) { input message: 'Promote?' } } }
          stage('Deploy') { steps { sh 'make deploy' } }
        } post { always { sh 'clean' } } }
        """
    )
    assert [(j.id, j.manual) for j in workflow.jobs] == [("Test", False), ("Deploy", True), ("pipeline", False)]


def test_an_approval_within_a_stage() -> None:
    jobs = declarative("steps { sh 'a'\n input 'ok?'\n sh 'b' }").jobs
    assert [(j.id, j.manual, j.steps[0].script) for j in jobs] == [("t", False, "a"), ("t after approval", True, "b")]
    assert only(declarative("input { message 'ok?' }\nsteps { sh 'a' }")).manual
    assert not only(declarative("when { expression { false } }\ninput { message 'x' }\nsteps { sh 'a' }")).manual


def test_an_approval_in_a_branch_holds_up_only_that_branch() -> None:
    jobs = read("node { stage('a') { if (x) { input 'ok?'; sh '1' } }\n stage('b') { sh '2' } }").jobs
    assert [j.manual for j in jobs] == [True, False]
    jobs = declarative(
        "parallel { stage('a') { steps { input 'x'; sh '1' } }\n stage('b') { steps { sh '2' } } } } "
        "stage('c') { steps { sh '3' }"
    ).jobs
    assert [(j.id, j.manual) for j in jobs] == [("t / a", True), ("t / b", False), ("c", True)]


def test_a_box_that_a_person_must_tick() -> None:
    ticked = "parameters { booleanParam(name: 'DEPLOY', defaultValue: %s) }"
    stage = "when { expression { params.DEPLOY } }\nsteps { sh 'make deploy' }"
    assert only(declarative(stage, ticked % "false")).manual
    assert not only(declarative(stage, ticked % "true")).manual
    assert only(declarative("steps { script { if (params.DEPLOY) { sh 'x' } } }", ticked % "false")).manual


# -- triggers and places -----------------------------------------------------------------------------------------------

STAGES = "stages { stage('t') { steps { sh 'x' } } }"


@pytest.mark.parametrize(
    ("text", "triggers"),
    [
        (f"pipeline {{ {STAGES} }}", [("push", True)]),
        (f"pipeline {{ triggers {{ cron('H 2 * * *') }} {STAGES} }}", [("schedule", False)]),
        (f"pipeline {{ triggers {{ pollSCM('H/5 * * * *') }} {STAGES} }}", [("push", False)]),
        (f"pipeline {{ triggers {{ githubPush() }} {STAGES} }}", [("push", False)]),
        (
            f"pipeline {{ triggers {{ upstream(upstreamProjects: 'data', threshold: 'SUCCESS') }} {STAGES} }}",
            [("chained", False)],
        ),
        (f"pipeline {{ triggers {{ cron('') }} {STAGES} }}", [("push", True)]),
        (f"pipeline {{ /* triggers {{ cron('H 2 * * *') }} */ {STAGES} }}", [("push", True)]),
        ("properties([pipelineTriggers([cron('@daily')])])\nnode { sh 'x' }", [("schedule", False)]),
        (
            f"pipeline {{ triggers {{ cron(env.BRANCH_NAME == 'main' ? 'H 2 * * *' : '') }} {STAGES} }}",
            [("schedule", False), ("push", True)],
        ),
        (
            f"pipeline {{ triggers {{ parameterizedCron('''TZ=UTC\nH 2 * * * %A=1''') }} {STAGES} }}",
            [("schedule", False)],
        ),
    ],
)
def test_what_starts_a_pipeline(text: str, triggers: list[tuple[str, bool]]) -> None:
    assert [(t.kind, t.assumed) for t in read(text).triggers] == triggers


def test_a_clock_keeps_its_expression_and_line() -> None:
    (trigger,) = read(f"pipeline {{\n triggers {{\n  cron 'H 2 * * 1-5'\n }}\n{STAGES} }}").triggers
    assert (trigger.detail, trigger.line) == ("H 2 * * 1-5", 3)


@pytest.mark.parametrize("path", ["ci/Jenkinsfile", "Jenkinsfile.train", "jobs/nightly.jenkinsfile"])
def test_what_starts_a_file_elsewhere_is_said_by_itself_or_unknown(path: str) -> None:
    plain = read(f"pipeline {{ {STAGES} }}", path)
    assert ([t.kind for t in plain.triggers], plain.unloaded) == (["server"], "")
    assert "set on the server" in plain.unknown
    timed = read(f"pipeline {{ triggers {{ cron('H 2 * * *') }} {STAGES} }}", path)
    assert ([t.kind for t in timed.triggers], timed.unknown) == (["schedule"], "")
    branches = read(f"pipeline {{ {STAGES.replace('steps', 'when { changeRequest() } steps', 1)} }}", path)
    assert [t.kind for t in branches.triggers] == ["push"]


@pytest.mark.parametrize("path", ["docs/Jenkinsfile", "examples/Jenkinsfile", "tests/data/Jenkinsfile"])
def test_samples_are_not_loaded(path: str) -> None:
    assert "examples" in read(f"pipeline {{ {STAGES} }}", path).unloaded


@pytest.mark.parametrize(
    "path", ["vendor/x/Jenkinsfile", "jenkinsfile_runner.py", "src/jenkins.groovy", "Jenkinsfile.yml"]
)
def test_what_is_no_jenkinsfile(path: str) -> None:
    assert list(workflows(Documents.of({path: f"pipeline {{ {STAGES} }}"}))) == []


def test_a_huge_file_is_incomplete() -> None:
    documents = Documents.of({"Jenkinsfile": "node { sh 'x' }\n" * 350_000})
    assert list(workflows(documents)) == []
    assert list(documents.incomplete) == ["Jenkinsfile"]


def test_functions_that_multiply_are_bounded() -> None:
    text = (
        "\n".join(f"def f{n}() {{ " + f"f{n + 1}(); " * 12 + "}" for n in range(7))
        + "\ndef f7() { sh 'x' }\nnode { f0() }"
    )
    documents = Documents.of({"Jenkinsfile": text})
    (workflow,) = workflows(documents)
    assert sum(len(j.steps) for j in workflow.jobs) < 5_000
    assert list(documents.incomplete) == ["Jenkinsfile"]


def test_a_stage_of_a_matrix() -> None:
    workflow = declarative(
        "matrix { axes { axis { name 'PY'; values '3.10', '3.11' } }\n"
        "stages { stage('unit') { steps { sh 'pytest' } } } }"
    )
    assert job(workflow, "t / unit").steps[0].script == "pytest"
