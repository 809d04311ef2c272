from __future__ import annotations

import json
from textwrap import dedent

import pytest

from mlops_scan.ci.model import Workflow
from tests.ci.trees import found, placed


def generic(text: str, path: str = "ci-pipeline.yml") -> list[Workflow]:
    return [workflow for workflow in found({path: text}) if workflow.provider == "generic"]


VARIANTS = {
    "flow": "pipeline: {model_test: {stage: test, script: run_model_tests.sh, only: [master]}}",
    "mapping": "pipeline:\n  model_test:\n    stage: test\n    script: run_model_tests.sh\n    only: [master]\n",
    "stages beside": (
        "pipeline:\n  stages: [build, test]\n  variables: {A: b}\n  model_test:\n"
        "    stage: test\n    script: run_model_tests.sh\n    only: [master]\n"
    ),
    "stages above": (
        "stages: [test]\npipeline:\n  model_test: {stage: test, script: run_model_tests.sh, only: [master]}\n"
    ),
    "list": "pipeline:\n  - name: model_test\n    stage: test\n    script: run_model_tests.sh\n    only: [master]\n",
    "list of single keys": (
        "pipeline:\n  - model_test:\n      stage: test\n      script: run_model_tests.sh\n      only: [master]\n"
    ),
    "jobs": "jobs:\n  model_test: {stage: test, script: run_model_tests.sh, only: [master]}\n",
    "bare": "model_test: {stage: test, script: run_model_tests.sh, only: [master]}\n",
    "below its stage": "pipeline:\n  test:\n    model_test:\n      script: run_model_tests.sh\n      only: [master]\n",
    "commands": "pipeline: {model_test: {stage: test, commands: [run_model_tests.sh], only: [master]}}",
    "script list": "pipeline: {model_test: {stage: test, script: [run_model_tests.sh], only: master}}",
    "command": "pipeline: {model_test: {stage: test, command: run_model_tests.sh, only: [master]}}",
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS.keys())
def test_variants(text: str) -> None:
    (workflow,) = generic(text)
    (job,) = workflow.jobs
    assert (job.id, [step.script for step in job.steps]) == ("model_test", ["run_model_tests.sh"])
    assert [(t.kind, t.detail) for t in workflow.triggers_of(job)] == [("push", "master")]
    assert dedent(text).split("\n")[job.steps[0].script_line - 1].find("run_model_tests.sh") >= 0


def test_json() -> None:
    text = json.dumps(
        {"pipeline": {"model_test": {"stage": "test", "script": "run_model_tests.sh", "only": ["master"]}}}, indent=1
    )
    (workflow,) = generic(text, "ci-pipeline.json")
    assert placed(workflow.jobs[0].steps[0]) == [(5, "run_model_tests.sh")]
    assert (
        generic(text, "config/pipeline.json") and generic(text, ".ci.json") and not generic(text, "data/policies.json")
    )


def test_several_jobs() -> None:
    (workflow,) = generic(
        """\
        pipeline:
          build: {stage: build, script: make}
          model_test:
            stage: test
            script:
              - pip install .
              - run_model_tests.sh
            allow_failure: true
          deploy: {stage: deploy, script: deploy.sh, when: manual, needs: [model_test]}
          nightly: {stage: train, script: train.sh, schedule: "0 2 * * *"}
        """
    )
    build, test, deploy, nightly = workflow.jobs
    assert (bool(test.may_fail), deploy.manual, deploy.needs) == (True, True, ("model_test",))
    assert placed(test.steps[0]) == [(6, "pip install ."), (7, "run_model_tests.sh")]
    assert [t.kind for t in nightly.triggers or ()] == ["push", "schedule"]
    assert build.line == 2


@pytest.mark.parametrize(
    "path", ["ci.yml", "ci/main.yaml", ".ci/pipeline.yml", "jenkins.yml", "deployment/ci-cd/train.yml", "build/x.yml"]
)
def test_places(path: str) -> None:
    assert generic(VARIANTS["mapping"], path)


NEAR_MISSES = {
    "settings": "pipeline: {batch_size: 3, train: {epochs: 3}, stage: test}",
    "settings with a script": "pipeline: {train: {epochs: 3}, test: {size: 2}, deploy: {stage: x, script: y}}",
    "ingest pipeline": "pipeline:\n  processors:\n    - script: {source: ctx.a = 1}\n    - set: {field: a}\n",
    "ingest mapping": "pipeline: {test: {a: {script: {source: x}}}}",
    "compose": "services:\n  web: {image: x, command: run}\n  db: {image: y}\n",
    "steps": "pipeline:\n  steps:\n    - {name: prepare, script: prepare.py}\n    - {name: train, script: train.py}\n",
    "steps as mapping": "pipeline: {steps: {prepare: {script: a.py}, train: {script: b.py}}}",
    "ml stages": "pipeline: {preprocessing: {clean: {script: clean.py}}, features: {make: {script: make.py}}}",
    "list of strings": "pipeline: [a, b]",
    "list without stages": "pipeline:\n  - {name: a, script: a.py}\n  - {name: b, script: b.py}\n",
    "stage without script": "jobs: {a: {stage: test}, b: {stage: test}}",
    "scalar": "pipeline: test",
    "empty": "pipeline: {}",
    "null": "pipeline:",
}


@pytest.mark.parametrize("text", NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_near_misses(text: str) -> None:
    assert generic(text, "pipeline.yaml") == []
