from __future__ import annotations

import time

import pytest

from mlops_scan.ci.model import Job
from tests.ci.trees import found, gitlab, job, placed


def kinds(one: Job) -> list[str]:
    return [trigger.kind for trigger in one.triggers or ()]


def only_job(text: str) -> Job:
    """The job `t` of a pipeline whose other keys are given."""
    return job(gitlab(text), "t")


def test_jobs_and_what_is_none() -> None:
    workflow = gitlab(
        """\
        stages: [build, test]
        variables: {A: b}
        image: python:3.12
        .hidden:
          script: [echo]
        test:
          stage: test
          image: {name: node:20}
          script: [pytest]
          needs: [build, {job: lint, artifacts: true}, {pipeline: x}]
        settings: {a: b}
        note: text
        pages:
          script: mkdocs build
        """
    )
    assert (workflow.provider, workflow.line, [one.id for one in workflow.jobs]) == ("gitlab-ci", 1, ["test", "pages"])
    test = workflow.jobs[0]
    assert (test.line, test.end_line, test.image, test.needs) == (6, 10, "node:20", ("build", "lint"))
    assert test.steps[0].pipefail and test.steps[0].errexit


def test_script_lines_are_those_of_the_file() -> None:
    workflow = gitlab(
        """\
        before_script:
          - pip install .
        list:
          script:
            - one
            # comment
            - |
              two
              three

            - >-
              four
              five
            - [six, [seven]]
        text:
          script: make
        block:
          script: |
            a
            b
        after:
          script: x
          after_script:
            - report
        """
    )
    listed, text, block, after = workflow.jobs
    assert [line for step in listed.steps for line in placed(step)] == [
        (2, "pip install ."),
        (5, "one"),
        (8, "two"),
        (9, "three"),
        (12, "four five"),
        (14, "six"),
        (14, "seven"),
    ]
    assert placed(text.steps[-1])[-1] == (16, "make")
    assert placed(block.steps[-1])[-2:] == [(19, "a"), (20, "b")]
    assert [bool(step.may_fail) for step in after.steps] == [False, True]
    assert placed(after.steps[-1]) == [(24, "report")]


def test_default_and_inherit() -> None:
    workflow = gitlab(
        """\
        default:
          before_script: [setup]
          after_script: [clean]
        a: {script: x}
        b: {script: x, before_script: [own], after_script: []}
        c: {script: x, inherit: {default: false}}
        """
    )
    scripts = [[line for step in one.steps for _, line in placed(step)] for one in workflow.jobs]
    assert scripts == [["setup", "x", "clean"], ["own", "x"], ["x"]]


def test_extends_is_deep_and_its_own_keys_win() -> None:
    workflow = gitlab(
        """\
        .base: {script: base, environment: dev, allow_failure: true}
        .mid: {extends: .base, script: mid}
        .other: {image: x, environment: other}
        t: {extends: [.mid, .other], environment: {name: prod}}
        u: {extends: .mid}
        """
    )
    t, u = workflow.jobs
    assert (t.steps[0].script, t.environment, t.image, bool(t.may_fail)) == ("mid", "prod", "x", True)
    assert placed(t.steps[0]) == [(2, "mid")]
    assert (u.environment, u.line) == ("dev", 5)


def test_extends_in_circles_and_unknown() -> None:
    workflow = gitlab(
        "a: {extends: b, script: a}\nb: {extends: a}\nc: {extends: [c, nobody], script: c}\nd: {extends: {x: y}}\n"
    )
    assert {one.id: one.steps[0].script for one in workflow.jobs if one.steps} == {"a": "a", "c": "c"}


def test_anchors_and_merge_keys() -> None:
    workflow = gitlab(".x: &x\n  stage: test\n  script: &s [make test]\nt:\n  <<: *x\nu:\n  script: *s\n")
    assert [placed(one.steps[0]) for one in workflow.jobs] == [[(3, "make test")], [(3, "make test")]]


def test_references() -> None:
    workflow = gitlab(
        """\
        .setup:
          script: [pip install .]
          deep: [!reference [.setup, script], more]
        t:
          script:
            - !reference [.setup, deep]
            - pytest
            - !reference [.nobody, script]
            - !reference [.loop, script]
        .loop:
          script: [!reference [.loop, script]]
        """
    )
    assert [line for step in workflow.jobs[0].steps for line in placed(step)] == [
        (2, "pip install ."),
        (3, "more"),
        (7, "pytest"),
    ]


def test_the_folder_is_kept_between_the_parts_of_a_script() -> None:
    one = only_job("t:\n  script: [make test]\n  before_script: [cd app]\n")
    assert [(step.script, step.folder) for step in one.steps] == [("cd app", ""), ("make test", "app")]


# -- files -----------------------------------------------------------------------------------------------------------


def test_included_jobs_stand_in_their_own_file() -> None:
    tree = {
        ".gitlab-ci.yml": (
            "include:\n  - local: /ci/test.yml\n  - 'ci/deploy.yml'\n"
            "  - remote: https://x/y.yml\n  - template: a.yml\nown: {extends: .base}\n"
        ),
        "ci/test.yml": "include: {local: ci/deploy.yml}\n\ntest:\n  script: pytest\n.base:\n  script: base\n",
        "ci/deploy.yml": "include: /ci/test.yml\ndeploy:\n  script: ./deploy.sh\n",
    }
    workflows = found(tree)
    assert [(w.path, [one.id for one in w.jobs], w.unloaded) for w in workflows] == [
        (".gitlab-ci.yml", ["own"], ""),
        ("ci/deploy.yml", ["deploy"], ""),
        ("ci/test.yml", ["test"], ""),
    ]
    step = workflows[0].jobs[0].steps[0]
    assert (step.path, step.script_line, step.script) == ("ci/test.yml", 6, "base")


def test_included_jobs_can_be_completed() -> None:
    workflow = gitlab("include: more.yml\nt: {environment: prod}\n", more="t:\n  script: x\n  environment: dev\n")
    assert (workflow.jobs[0].steps[0].script, workflow.jobs[0].environment) == ("x", "prod")


def test_wildcards() -> None:
    tree = {".gitlab-ci.yml": "include: 'ci/*.yml'", "ci/a.yml": "a: {script: x}", "ci/b/c.yml": "c: {script: x}"}
    assert [one.id for w in found(tree) if not w.unloaded for one in w.jobs] == ["a"]
    tree[".gitlab-ci.yml"] = "include: 'ci/**.yml'"
    assert sorted(one.id for w in found(tree) for one in w.jobs) == ["a", "c"]


def test_a_header_before_the_jobs() -> None:
    tree = {".gitlab-ci.yml": "include: a.yml", "a.yml": "spec:\n  inputs: {x: }\n---\nt: {script: x}\n"}
    assert [one.id for w in found(tree) for one in w.jobs] == ["t"]


def test_child_pipelines_start_with_their_parent() -> None:
    tree = {
        ".gitlab-ci.yml": (
            "child:\n  rules: [{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}]\n  trigger:\n    include: child.yml\n"
        ),
        "child.yml": "train:\n  script: python train.py\n",
    }
    parent, child = found(tree)
    assert [one.id for one in parent.jobs] == ["child"]
    assert (child.path, child.jobs[0].id, kinds(child.jobs[0]), child.jobs[0].triggers[0].line) == (  # type: ignore[index]
        "child.yml",
        "train",
        ["schedule"],
        1,
    )


# -- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ('$CI_PIPELINE_SOURCE == "schedule"', "schedule"),
        ('$CI_PIPELINE_SOURCE != "schedule"', "push"),
        ('$CI_PIPELINE_SOURCE == "merge_request_event"', "pull_request"),
        ("$CI_PIPELINE_SOURCE == 'web'", "manual"),
        ("$CI_PIPELINE_SOURCE =~ /^trigger/", "external"),
        ('$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == "main"', "push"),
        ("$CI_MERGE_REQUEST_IID", "pull_request"),
        ("$CI_COMMIT_TAG", "tag"),
        ("$CI_COMMIT_TAG =~ /^v/", "tag"),
        ("$CI_COMMIT_TAG == null", "push"),
        ('$CI_COMMIT_BRANCH == "staging"', "push"),
        ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "push"),
        ("$SCHEDULED_TRAINING", "schedule"),
    ],
)
def test_conditions_of_rules(condition: str, kind: str) -> None:
    one = only_job(f"t:\n  script: x\n  rules:\n    - if: >-\n        {condition}\n")
    assert kinds(one) == [kind] and not one.never and not one.manual


def test_rules() -> None:
    never = only_job("t: {script: x, rules: [{if: $A, when: never}, {when: never}]}")
    assert never.never and kinds(never) == []
    some = only_job("t:\n  script: x\n  rules:\n    - {if: $A, when: never}\n    - {changes: [src/**]}\n")
    assert [(t.kind, t.line) for t in some.triggers or ()] == [("push", 5)]
    unreachable = only_job("t: {script: x, rules: [{when: never}, {when: always}]}")
    assert unreachable.never
    assert only_job("t: {script: x, rules: []}").never


def test_manual_jobs() -> None:
    assert (only_job("t: {script: x, when: manual}").manual, kinds(only_job("t: {script: x, when: manual}"))) == (
        True,
        ["manual"],
    )
    assert only_job("t: {script: x, rules: [{if: $A, when: manual}]}").manual
    assert only_job("t: {script: x, when: manual, rules: [{if: $A}]}").manual
    either = only_job("t: {script: x, rules: [{if: '$CI_PIPELINE_SOURCE == \"schedule\"'}, {when: manual}]}")
    assert (either.manual, kinds(either)) == (False, ["schedule", "manual"])
    assert only_job("t: {script: x, when: never}").never
    assert not only_job("t: {script: x, when: on_failure}").manual


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("only: [main]", ["push"]),
        ("only: [schedules]", ["schedule"]),
        ("only: [tags, merge_requests, web, api, staging]", ["tag", "pull_request", "manual", "external", "push"]),
        ("only: {refs: [schedules]}", ["schedule"]),
        ("only: {changes: [a]}", ["push"]),
        ("only: main", ["push"]),
        ("except: [schedules]", ["push"]),
        ("except: [branches]", ["tag"]),
        ("only: [main, schedules]\n  except: {refs: [schedules]}", ["push"]),
        ("only: [main, dev]\n  except: [dev]", ["push"]),
        ("except: [/^wip/]", ["push"]),
    ],
)
def test_only_and_except(keys: str, expected: list[str]) -> None:
    one = only_job(f"t:\n  script: x\n  {keys}\n")
    assert kinds(one) == expected and not one.never


@pytest.mark.parametrize("keys", ["only: [schedules]\n  except: [schedules]", "except: [branches, tags]"])
def test_except_can_rule_everything_out(keys: str) -> None:
    assert only_job(f"t:\n  script: x\n  {keys}\n").never


def test_workflow_rules() -> None:
    scheduled = "workflow:\n  rules:\n    - if: '$CI_PIPELINE_SOURCE == \"schedule\"'\n"
    assert kinds(only_job(scheduled + "t: {script: x}")) == ["schedule"]
    assert kinds(only_job(scheduled + "t: {script: x, rules: [{if: '$CI_COMMIT_BRANCH == \"main\"'}]}")) == ["schedule"]
    assert kinds(only_job(scheduled + "t: {script: x, only: [schedules]}")) == ["schedule"]
    other = only_job(scheduled + "t: {script: x, rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]}")
    assert other.never and not kinds(other)
    assert only_job("workflow: {rules: [{when: never}]}\nt: {script: x}").never
    assert not only_job("workflow: {name: x}\nt: {script: x}").never
    both = "workflow: {rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}, {if: $CI_COMMIT_BRANCH}]}\n"
    assert kinds(only_job(both + "t: {script: x}")) == ["push"]


def test_failures_that_stop_nothing() -> None:
    assert only_job("t: {script: x, allow_failure: true}").may_fail
    assert only_job("t: {script: x, allow_failure: {exit_codes: [1, 2]}}").may_fail
    assert not only_job("t: {script: x, allow_failure: {exit_codes: 137}}").may_fail
    assert not only_job("t: {script: x, allow_failure: false}").may_fail
    assert only_job("t: {script: x, rules: [{if: $A, allow_failure: true}, {if: $B, when: never}]}").may_fail
    assert not only_job("t: {script: x, rules: [{if: $A, allow_failure: true}, {if: $B}]}").may_fail


def test_environments() -> None:
    assert only_job("t: {script: x, environment: prod}").environment == "prod"
    assert only_job("t: {script: x, environment: {name: prod, url: y}}").environment == "prod"
    assert only_job("t: {script: x, environment: {name: prod, action: stop}}").environment == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "t: {script: {a: b}, needs: 3, rules: 3, environment: [x], image: [y], extends: {a: b}}",
        "t: {script: [], rules: [3, [4]], only: 3, except: [[1]]}\ninclude: {a: b}\nworkflow: 3\ndefault: 4",
        "include: [3, {local: [a, b]}, [x]]\nt: {trigger: {include: [3, {local: {a: b}}]}}",
        "t:\n  script: !reference x\nu:\n  script: !reference [t, [a]]",
        "workflow: {rules: {a: b}}\nt: {script: x, inherit: 3, before_script: {a: b}}",
    ],
)
def test_broken_shapes_do_not_raise(text: str) -> None:
    found({".gitlab-ci.yml": text})


def test_scripts_that_multiply_stay_small() -> None:
    text = ".a: {script: [x, x, x, x, x, x, x, x, x, x]}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        text += f".{name}: {{script: [" + ", ".join(f"!reference [.{before}, script]" for _ in range(10)) + "]}\n"
    text += "t: {script: !reference [.i, script]}\n" + "".join(
        f"e{i}: {{extends: [{', '.join(f'e{j}' for j in range(30))}]}}\n" for i in range(30)
    )
    began = time.perf_counter()
    assert only_job(text).steps
    assert time.perf_counter() - began < 5


def test_variables_of_the_pipeline_and_of_the_job() -> None:
    workflow = gitlab(
        "variables: {A: one, B: {value: two, description: d}, C: {description: d}}\n"
        "t: {variables: {A: own}, script: make}\n"
    )
    assert dict(job(workflow, "t").steps[0].env) == {"A": "own", "B": "two"}
