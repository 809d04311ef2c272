"""Broken definitions of every provider that is read: anything may be missing or wrong, nothing raises or hangs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.ci.find import workflows
from mlops_scan.documents.store import Documents

JENKINS = """\
@Library('x') _
def rc = 0
pipeline {
  agent { docker { image 'python:3' } }
  triggers { cron('H 2 * * *') }
  parameters { booleanParam(name: 'D', defaultValue: false) }
  environment { A = 'b' }
  stages {
    stage('t') { when { anyOf { branch 'main'; changeRequest() } } steps { sh '''
      pytest "$A"
    ''' ; dir("x${A}") { sh(script: "make", returnStatus: true) } } }
    stage('p') { parallel { stage('a') { input { message 'x' } steps {
      script { try { f(1, k: 'v') } catch (e) { error 'x' } }
    } } } }
  }
  post { always { junit 'x' } failure { mail to: 'x' } }
}
def f(a, Map b) { for (i in [1, 2]) { if (a) { sh "x ${b.k}" } else { docker.build('i').push() } } }
"""
CIRCLECI = """\
version: 2.1
setup: true
orbs: {o: circleci/aws@1, mine: {commands: {c: {steps: [{run: x}]}}}}
parameters: {n: {type: boolean, default: false}}
commands:
  c:
    parameters: {p: {type: string, default: a}, s: {type: steps, default: []}}
    steps:
      - run: "<< parameters.p >>"
      - steps: << parameters.s >>
      - when: {condition: << parameters.p >>, steps: [c]}
executors: {e: {docker: [{image: x}]}}
jobs:
  t:
    executor: e
    parameters: {q: {type: string}}
    steps: [checkout, {run: {command: pytest, when: on_fail}}, {c: {p: b}}, o/d, mine/c]
workflows:
  version: 2
  m:
    when: {and: [{equal: [a, << pipeline.trigger_source >>]}, {not: << pipeline.parameters.n >>}]}
    triggers: [{schedule: {cron: "0 0 * * *"}}]
    jobs:
      - t
      - h: {type: approval}
      - t:
          requires: [h]
          matrix: {parameters: {q: [a, b]}}
          filters: {branches: {ignore: [/.*/]}, tags: {only: [v]}}
          pre-steps: [{run: x}]
"""
BITBUCKET = """\
image: {name: x}
triggers: {repository-push: [{condition: a, pipelines: [n]}]}
pipelines:
  default: [{parallel: {steps: [{step: {name: t, script: [a, {pipe: x/y:1, variables: {A: b}}], after-script: [b]}}]}}]
  branches:
    main:
      - stage:
          name: s
          trigger: manual
          deployment: prod
          steps: [{step: {script: [c], condition: {changesets: {includePaths: [x]}}}}]
  custom: {n: [{variables: [{name: A}]}, {step: {trigger: manual, script: [d]}}], i: {import: x}}
"""
TRAVIS = """\
python: ["3.8", "3.9"]
env: {jobs: [A=1, A=2]}
stages: [a, {name: b, if: type = cron}]
install: [pip install .]
script: [cd x, pytest]
jobs:
  include:
    - stage: b
      if: "type IN (push, api)"
      script: y
      deploy: {provider: script, script: z, on: {tags: true, branch: [a]}}
  allow_failures: [{python: "3.8"}]
deploy: [{provider: pypi, on: {branch: main}}]
branches: {only: [main]}
"""
APPVEYOR = """\
image: [a, b]
environment: {matrix: [{A: b}]}
branches: {only: [main]}
install: ["%A%\\\\x.exe", {ps: y}]
test_script: [{cmd: "call x"}]
matrix: {allow_failures: [{image: a}]}
for: [{matrix: {only: [{image: a}]}, test_script: z}]
deploy: [{provider: S3}]
on_finish: [x]
"""
BUILDKITE = """\
env: {A: b}
steps:
  - label: t
    key: t
    commands: [a, b]
    plugins: [docker#v1: {image: x}, y]
    soft_fail: [{exit_status: 1}]
    matrix: {setup: {m: [1, 2]}}
  - wait
  - {block: x, key: g, fields: []}
  - group: g
    if: build.source == "schedule"
    steps: [{command: "x {{matrix}}", matrix: [a], depends_on: [{step: t}, g], skip: false, branches: [main]}]
  - {trigger: other, async: true}
  - buildkite-agent pipeline upload .buildkite/x.yml
"""
REAL = {
    "Jenkinsfile": JENKINS,
    ".circleci/config.yml": CIRCLECI,
    "bitbucket-pipelines.yml": BITBUCKET,
    ".travis.yml": TRAVIS,
    "appveyor.yml": APPVEYOR,
    ".buildkite/pipeline.yml": BUILDKITE,
}
JUNK = st.sampled_from(
    ["", "\n", " ", "{", "}", "[", "]", "(", ")", "'", '"', "'''", '"""', ":", ": ", ",", "- ", "|\n", "null", "true",
     "*a", "&a ", "<<: *a", "<<", ">>", "${", "$", "\\", "#", "//", "/*", "~", "!x ", "0", "é", "\ufeff", "-> "]
)  # fmt: skip


def check(tree: dict[str, str]) -> None:
    """Whatever is found has places in the files."""
    documents = Documents.of(tree)
    for workflow in workflows(documents):
        assert workflow.line >= 1
        for job in workflow.jobs:
            assert 1 <= job.line <= job.end_line
            assert all(trigger.line >= 1 for trigger in workflow.triggers_of(job))
            for step in job.steps:
                assert 1 <= step.line <= step.end_line and step.script_line >= 1
                lines = documents.text(step.path or workflow.path).count("\n") + 2
                assert max(step.line, step.script_line) <= lines


@pytest.mark.parametrize("path", REAL)
def test_the_samples_are_whole(path: str) -> None:
    documents = Documents.of({path: REAL[path]})
    assert sum(len(job.steps) for workflow in workflows(documents) for job in workflow.jobs) >= 3
    assert documents.incomplete == {}


@settings(max_examples=250, deadline=None)
@given(
    path=st.sampled_from(sorted(REAL)),
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), JUNK), min_size=1, max_size=6),
)
def test_broken_text_does_not_raise(path: str, edits: list[tuple[float, int, str]]) -> None:
    text = REAL[path]
    for place, removed, added in edits:
        at = int(place * len(text))
        text = text[:at] + added + text[at + removed :]
    check({path: text})


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["a", "x/y", "manual", "approval", "<< x >>", "*", ""])
)
KEYS = st.sampled_from(
    sorted(
        {
            word
            for text in REAL.values()
            for word in text.replace("{", " ").replace(",", " ").split()
            if word.endswith(":")
        }
    )
).map(lambda key: key.rstrip(":").lstrip("[({") or "a")
SHAPES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=30
)


@settings(max_examples=250, deadline=None)
@given(path=st.sampled_from([path for path in sorted(REAL) if path != "Jenkinsfile"]), top=KEYS, shape=SHAPES)
def test_any_shape_does_not_raise(path: str, top: str, shape: object) -> None:
    import json

    for key in (top, "steps", "jobs", "pipelines", "script", "workflows"):
        check({path: json.dumps({key: shape, "setup": True, "jobs": shape, "workflows": {"m": shape}})})


MANY = "[" + ", ".join(f"c{n}" for n in range(1_500)) + "]"
HOSTILE = {
    "travis": (
        ".travis.yml",
        f"script: {MANY}\ndeploy: [{', '.join(['{provider: a}'] * 1_000)}]\n"
        f"jobs: {{include: [{', '.join(['{a: b}'] * 1_500)}],"
        f" allow_failures: [{', '.join(['{python: x}'] * 1_500)}]}}\n",
    ),
    "travis condition": (".travis.yml", "script: x\nif: " + "type IN (" * 50_000),
    "appveyor": ("appveyor.yml", f"test_script: {MANY}\nfor: [{', '.join(['{a: b}'] * 1_500)}]\n"),
    "bitbucket": (
        "bitbucket-pipelines.yml",
        f"a: &s {{step: {{script: {MANY}}}}}\npipelines: {{default: [{', '.join(['*s'] * 1_500)}]}}\n",
    ),
    "buildkite": (
        ".buildkite/pipeline.yml",
        f"a: &s {{commands: {MANY}, matrix: [1, 2, 3, 4, 5, 6, 7, 8]}}\nsteps: [{', '.join(['*s'] * 1_500)}]\n",
    ),
    "circleci": (
        ".circleci/config.yml",
        f"commands: {{a: {{steps: [{', '.join(['b'] * 40)}]}}, b: {{steps: [{', '.join(['c'] * 40)}]}}, "
        f"c: {{steps: [{', '.join(['{run: x}, a'] * 40)}]}}}}\njobs: {{build: {{steps: [a]}}}}\n",
    ),
    "circleci text": (
        ".circleci/config.yml",
        "jobs: {build: {steps: [{run: '" + "<<# parameters.x >> " * 40_000 + "'}]}}\n",
    ),
    "circleci condition": (
        ".circleci/config.yml",
        "jobs: {t: {steps: [{run: x}]}}\nworkflows: {m: {when: " + "a" * 200_000 + ", jobs: [t]}}\n",
    ),
}


MULTIPLIES = {
    found: name in ("travis", "appveyor", "bitbucket", "buildkite", "circleci") for name, found in HOSTILE.items()
}


@pytest.mark.parametrize(("path", "text"), HOSTILE.values(), ids=HOSTILE)
def test_what_multiplies_is_bounded(path: str, text: str) -> None:
    start = time.perf_counter()
    documents = Documents.of({path: text})
    found = list(workflows(documents))
    assert (path in documents.incomplete) is MULTIPLIES[path, text]
    assert time.perf_counter() - start < 40
    assert 1 <= sum(len(job.steps) for workflow in found for job in workflow.jobs) < 20_000
