from __future__ import annotations

import pytest

from mlops_scan.automation.cijobs import ci_start
from mlops_scan.automation.model import Run
from mlops_scan.ci.find import workflows
from mlops_scan.rulebook import load
from mlops_scan.words import Hop
from tests.automation.trees import ci_runs_of, documents_of

TRAIN = {"train.py": "def main(): pass\ndef other(): pass\n"}


def github(text: str, **files: str) -> list[Run]:
    """The runs of a workflow, without checkouts."""
    return ci_runs_of({".github/workflows/ci.yml": text, **TRAIN, **files})


def workflow(on: str, job: str = "", step: str = "") -> str:
    return (
        f"on:\n  {on}\njobs:\n  a:\n    {job or 'runs-on: x'}\n    steps:\n"
        f"      - run: python train.py\n        {step}\n"
    )


def test_a_job_on_push() -> None:
    (run,) = github(
        "name: CI\non: [push]\njobs:\n  a:\n    environment: prod\n    steps:\n      - run: python train.py\n"
    )
    assert (run.start.kind, run.start.label, run.start.workflow, run.start.job) == (
        "ci",
        "CI / a",
        ".github/workflows/ci.yml",
        "a",
    )
    assert (run.start.triggers, run.start.blocked, run.start.environment) == (frozenset({"push"}), "", "prod")
    assert (run.start.evidence.location.line, run.start.evidence.hop, run.start.evidence.text) == (
        2,
        Hop.TRIGGER,
        "on: push",
    )
    assert run.entries[0] == ("train.py", "")
    assert run.location.line == 7


@pytest.mark.parametrize(
    ("on", "condition", "triggers", "blocked"),
    [
        ("schedule: [{cron: '0 2 * * *'}]", "", {"schedule"}, ""),
        ("workflow_dispatch:", "", {"manual"}, "only a person can start it"),
        (
            "{push: , workflow_dispatch: }",
            "github.event_name == 'workflow_dispatch'",
            {"manual"},
            "only a person can start it",
        ),
        ("{push: , schedule: [{cron: '0 2 * * *'}]}", "github.event_name == 'schedule'", {"schedule"}, ""),
        ("{push: , schedule: [{cron: '0 2 * * *'}]}", "github.event_name != 'schedule'", {"push"}, ""),
        (
            "{push: , pull_request: , schedule: [{cron: '0 2 * * *'}]}",
            "github.event_name == 'push' || github.event_name == 'schedule'",
            {"push", "schedule"},
            "",
        ),
        ("{push: , pull_request: }", "github.event_name == 'push' && github.ref == 'refs/heads/main'", {"push"}, ""),
        ("{push: , pull_request: }", "github.event_name == 'push' || vars.FORCE", {"push", "pull_request"}, ""),
        (
            "{push: , pull_request: }",
            "github.ref == 'refs/heads/main' || github.event_name == 'pull_request'",
            {"push", "pull_request"},
            "",
        ),
        ("push:", "github.event_name == 'schedule'", set(), "nothing starts it"),
        ("push:", "false", {"push"}, "`if: false` is never true"),
        ("push:", "${{ github.event_name == 'push' }}", {"push"}, ""),
        ("issues:", "", {"other"}, "nothing starts it"),
        ("workflow_run: {workflows: [Train]}", "", {"chained"}, ""),
    ],
)
def test_conditions(on: str, condition: str, triggers: set[str], blocked: str) -> None:
    (run,) = github(workflow(on, f"if: {condition}" if condition else ""))
    assert (run.start.triggers, run.start.blocked) == (frozenset(triggers), blocked)
    if condition and condition != "false":
        (run,) = github(workflow(on, step=f"if: {condition}"))
        assert (run.start.triggers, run.start.blocked) == (frozenset(triggers), blocked)


@pytest.mark.parametrize(
    ("needs", "condition", "triggers", "blocked"),
    [
        ("a", "", {"push", "schedule"}, ""),
        ("b", "", {"push"}, ""),
        ("[b, c]", "", set(), "nothing starts it: not all of b, c run then"),
        ("d", "", {"push"}, ""),  # through the job that it needs
        ("[b, c]", "always() && github.event_name == 'schedule'", {"schedule"}, ""),
        ("[b, c]", "${{ !cancelled() }}", {"push", "schedule"}, ""),
        ("[b, c]", "success()", set(), "nothing starts it: not all of b, c run then"),
        ("e", "", {"push", "schedule"}, ""),  # which runs whatever became of those that it needs
        ("f", "", set(), "nothing starts it: not all of f run then"),
        ("gone", "", {"push", "schedule"}, ""),
    ],
)
def test_a_job_whose_needed_jobs_are_skipped(needs: str, condition: str, triggers: set[str], blocked: str) -> None:
    text = (
        "on: {push: , schedule: [{cron: '0 2 * * *'}]}\njobs:\n  a: {steps: [{run: x}]}\n"
        "  b: {if: github.event_name != 'schedule', steps: [{run: x}]}\n"
        "  c: {if: github.event_name == 'schedule', steps: [{run: x}]}\n"
        "  d: {needs: b, steps: [{run: x}]}\n"
        "  e: {needs: [b, c], if: always(), steps: [{run: x}]}\n"
        "  f: {if: false, steps: [{run: x}]}\n"
        f"  z:\n    needs: {needs}\n    steps: [{{run: python train.py}}]\n"
    ) + (f"    if: {condition}\n" if condition else "")
    (start,) = [run.start for run in github(text) if run.start.job == "z"]
    assert (start.triggers, start.blocked) == (frozenset(triggers), blocked)


@pytest.mark.parametrize(
    ("push", "triggers"),
    [
        ("true", {"push", "pull_request", "manual"}),
        ("${{ github.event_name != 'pull_request' }}", {"push", "manual"}),
        ("${{ github.event_name == 'push' && github.ref == 'refs/heads/main' }}", {"push"}),
        ("${{ github.ref == 'refs/heads/main' }}", {"push", "manual"}),
        ("${{ github.ref_name == 'main' || startsWith(github.ref, 'refs/tags/v') }}", {"push", "manual"}),
        ("${{ (github.repository == 'a/b') && github.event_name == 'workflow_dispatch' }}", {"manual"}),
        ("${{ github.event_name == 'release' }}", None),
        ("${{ inputs.push }}", None),
        ("${{ !inputs.dry_run }}", None),
        ("${{ github.event_name != 'pull_request' && vars.PUSH }}", None),
        ("false", None),
    ],
)
def test_when_an_image_is_pushed(push: str, triggers: set[str] | None) -> None:
    text = (
        "on: {push: , pull_request: , workflow_dispatch: }\njobs:\n  a:\n    steps:\n"
        f"      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          push: {push}\n"
    )
    (run,) = [run for run in github(text) if run.words[:2] == ("uses", "docker/build-push-action")]
    assert ("push=true" in run.words) is (triggers is not None)
    assert run.start.triggers == (triggers or {"push", "pull_request", "manual"})


def test_a_pull_request_pushes_nothing_of_a_branch() -> None:
    text = (
        "on: pull_request\njobs:\n  a:\n    steps:\n      - uses: docker/build-push-action@v6\n"
        "        with: {push: \"${{ github.ref == 'refs/heads/main' }}\"}\n"
    )
    assert not any("push=true" in run.words for run in github(text))


def test_the_clock_is_shown() -> None:
    (run,) = github("on:\n  workflow_dispatch:\n  schedule:\n    - cron: '0 2 * * *'\njobs: {a: {steps: [{run: x}]}}\n")
    assert (run.start.evidence.location.line, run.start.evidence.text) == (4, "on: manual, schedule (0 2 * * *)")
    (run,) = github(
        "on:\n  push:\n  schedule:\n    - cron: '0 2 * * *'\njobs:\n  a:\n"
        "    if: github.event_name == 'schedule'\n    steps: [{run: x}]\n"
    )
    assert run.start.evidence.location.line == 4


def test_steps_that_never_run_and_failures_without_effect() -> None:
    (never,) = github(workflow("push:", step="if: false"))
    assert "false" in never.start.blocked
    (lost,) = github(workflow("push:", step="continue-on-error: true"))
    assert "continue-on-error" in lost.toothless
    (job,) = github(workflow("push:", "continue-on-error: true"))
    assert "the job has" in job.toothless
    (piped,) = [
        run
        for run in github("on: push\njobs: {a: {steps: [{run: pytest | tee x, shell: bash}]}}\n")
        if run.words[0] == "pytest"
    ]
    assert not piped.toothless


def test_unloaded_workflows_run_nothing() -> None:
    assert (
        ci_runs_of(
            {
                "docs/.github/workflows/ci.yml": workflow("push:"),
                ".github/workflows/x.yml.disabled": workflow("push:"),
                **TRAIN,
            }
        )
        == []
    )


def test_manual_jobs_of_gitlab() -> None:
    (run,) = ci_runs_of({".gitlab-ci.yml": "t: {script: python train.py, when: manual, environment: prod}", **TRAIN})
    assert (run.start.blocked, run.start.environment) == ("a person must start this job", "prod")


def test_scripts_of_included_files_keep_their_place() -> None:
    tree = {
        ".gitlab-ci.yml": "include: ci/base.yml\nt: {extends: .base}\n",
        "ci/base.yml": "\n.base:\n  script:\n    - python train.py\n",
        **TRAIN,
    }
    (run,) = ci_runs_of(tree)
    assert (run.location.path, run.location.line, run.start.evidence.location.path) == (
        "ci/base.yml",
        4,
        ".gitlab-ci.yml",
    )


CALLER = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n    with: {script: train.py}\n"
CALLED = (
    "on:\n  workflow_call:\n    inputs: {script: {type: string}}\njobs:\n  inner:\n"
    "    environment: prod\n    steps:\n      - run: python ${{ inputs.script }}\n"
    "  off:\n    if: false\n    steps: [{run: python train.py}]\n"
)


def test_reusable_workflows() -> None:
    runs = github(CALLER, **{".github/workflows/b.yml": CALLED})
    first, second = runs
    assert (first.location.path, first.location.line, first.entries[0]) == (
        ".github/workflows/b.yml",
        8,
        ("train.py", ""),
    )
    assert [(e.location.path, e.location.line, e.hop) for e in first.chain] == [
        (".github/workflows/ci.yml", 1, Hop.TRIGGER),
        (".github/workflows/ci.yml", 3, Hop.USE),
    ]
    assert (first.start.triggers, first.start.environment, first.start.job, first.start.blocked) == (
        frozenset({"push"}),
        "prod",
        "a",
        "",
    )
    assert second.start.blocked


@pytest.mark.parametrize(
    ("given", "named"),
    [("stage: prod", "prod"), ("other: x", "${{ inputs.stage }}"), ("stage: ''", "${{ inputs.stage }}")],
)
def test_a_reusable_workflow_that_is_given_its_environment(given: str, named: str) -> None:
    caller = CALLER.replace("script: train.py", f"script: train.py, {given}")
    called = CALLED.replace("environment: prod", "environment: ${{ inputs.stage }}")
    first, _ = github(caller, **{".github/workflows/b.yml": called})
    assert first.start.environment == named


def test_a_reusable_workflow_that_nothing_calls() -> None:
    assert ci_runs_of({".github/workflows/b.yml": CALLED, **TRAIN}) == []


def test_reusable_workflows_in_circles_and_elsewhere() -> None:
    circle = "on: [push, workflow_call]\njobs: {a: {uses: ./.github/workflows/ci.yml}}\n"
    assert github(circle) == []
    (run,) = github("on: push\njobs: {a: {uses: o/r/.github/workflows/t.yml@v1, with: {tests_folder: tests}}}\n")
    assert (
        run.words == ("uses", "o/r/.github/workflows/t.yml@v1", "tests_folder=tests")
        and "another repository" in run.unresolved
    )


ACTION = (
    "runs:\n  using: composite\n  steps:\n    - run: python ${{ inputs.script }}\n"
    "      shell: bash\n    - uses: ./.github/actions/train\n"
)


@pytest.mark.parametrize("name", ["action.yml", "action.yaml"])
def test_composite_actions(name: str) -> None:
    step = (
        "on: push\n"
        "jobs: {a: {steps: [{uses: ./.github/actions/train, with: {script: train.py}, "
        "continue-on-error: true}]}}\n"
    )
    first, *others = github(step, **{f".github/actions/train/{name}": ACTION})
    assert (first.entries[0], first.location.path, first.location.line) == (
        ("train.py", ""),
        f".github/actions/train/{name}",
        4,
    )
    assert [e.location.path for e in first.chain] == [".github/workflows/ci.yml"] * 2
    assert first.toothless and len(others) <= 3


def test_an_action_at_the_root() -> None:
    first, *_ = github(
        "on: push\njobs: {a: {steps: [{uses: ./, with: {script: train.py}}]}}\n", **{"action.yml": ACTION}
    )
    assert first.entries[0] == ("train.py", "")


@pytest.mark.parametrize(
    ("uses", "given", "path", "missing"),
    [
        ("appleboy/ssh-action@v1", "script: cd ~/churn && python train.py", "train.py", ""),
        ("google-github-actions/ssh-compute@v0", "command: git pull && python train.py", "train.py", ""),
        ("appleboy/ssh-action@v1", "script: python other.py", "", ""),  # a file of the other machine
        ("azure/cli@v2", "inlineScript: python other.py", "", "other.py"),
        ("nick-fields/retry@v3", "command: python train.py", "train.py", ""),
        ("hashicorp/setup@v1", "command: apply", "", ""),
    ],
)
def test_shell_texts_given_to_actions(uses: str, given: str, path: str, missing: str) -> None:
    runs = github(f"on: push\njobs: {{a: {{steps: [{{uses: {uses}, with: {{{given}}}}}]}}}}\n")
    assert [run.entries[0][0] for run in runs if run.entries] == ([path] if path else [])
    assert [run.missing for run in runs if run.missing] == ([missing] if missing else [])


def test_commands_and_images_given_to_actions() -> None:
    runs = github("on: push\njobs: {a: {steps: [{uses: o/ssh@v1, with: {script: python train.py}}]}}\n")
    assert [run.entries[:1] for run in runs] == [(), (("train.py", ""),)]
    image = (
        "on: push\njobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {context: ., file: d/Dockerfile}}]}}\n"
    )
    runs = github(image, **{"d/Dockerfile": "FROM x\nRUN python train.py\n"})
    assert [run.location.path for run in runs if run.entries] == ["d/Dockerfile"]
    assert (
        len(
            github(
                "on: push\njobs: {a: {steps: [{uses: actions/github-script@v7, with: {script: python train.py}}]}}\n"
            )
        )
        == 1
    )


def test_ci_start_of_jobs_that_only_others_call() -> None:
    (found,) = workflows(documents_of({".github/workflows/b.yml": CALLED}))
    assert ci_start(found, found.jobs[0]) is None


# -- actions that run a command ---------------------------------------------------------------------------------------

ARGO = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  templates:\n"
    "  - {name: t, container: {image: i, command: [python, train.py]}}\n"
)


def submits(step: str) -> list[Run]:
    texts = {".github/workflows/ci.yml": f"on: [push]\njobs:\n  a:\n    steps:\n{step}", "p/w.yaml": ARGO, **TRAIN}
    return ci_runs_of(texts, load().tools.values())


@pytest.mark.parametrize(
    ("step", "entered"),
    [
        ("      - uses: machine-learning-apps/gke-argo@master\n        with: {WORKFLOW_YAML_PATH: p/w.yaml}\n", True),
        ("      - uses: machine-learning-apps/gke-argo@master\n        with: {WORKFLOW_YAML_PATH: p/v.yaml}\n", False),
        ("      - uses: other/gke-argo@master\n        with: {WORKFLOW_YAML_PATH: p/w.yaml}\n", False),
        ("      # - uses: machine-learning-apps/gke-argo@master\n      - run: cat p/w.yaml\n", False),
    ],
)
def test_an_action_that_submits_a_pipeline(step: str, entered: bool) -> None:
    assert any(("train.py", "") in run.entries for run in submits(step)) is entered


def test_an_action_that_runs_a_command_may_be_switched_off() -> None:
    found = submits(
        "      - uses: machine-learning-apps/gke-argo@master\n        if: false\n"
        "        with: {WORKFLOW_YAML_PATH: p/w.yaml}\n"
    )
    assert found
    assert all(run.start.blocked for run in found)


# -- reusable workflows of other repositories --------------------------------------------------------------------------

TESTED = {"tests/test_a.py": "def test_a(): assert True\n", "docs/test_b.py": "def test_b(): pass\n"}


def reused(given: str, uses: str = "o/r/.github/workflows/ci.yml@main") -> list[Run]:
    return github(f"on: [push]\njobs:\n  a:\n    uses: {uses}\n    with:\n{given}", **TESTED)


@pytest.mark.parametrize(
    ("given", "tests"),
    [
        ("      tests_folder: tests\n", ("tests/test_a.py",)),
        ("      test-path: ./tests/test_a.py\n", ("tests/test_a.py",)),
        ("      tests_folder: 'None'\n", ()),
        ("      tests_folder: none\n      tests_matrix: true\n", ()),
        ("      tests_folder: other\n", ()),
        ("      tests_folder: ${{ vars.TESTS }}\n", ()),
        ("      path: tests\n", ()),  # what for?
        ("      testbed-path: tests\n", ()),
        ("      # tests_folder: tests\n      x: y\n", ()),
    ],
)
def test_a_workflow_elsewhere_is_given_tests(given: str, tests: tuple[str, ...]) -> None:
    (run,) = reused(given)
    assert (run.tests, run.words[0]) == (tests, "uses")
    assert run.unresolved == "the reusable workflow o/r/.github/workflows/ci.yml@main is in another repository"


@pytest.mark.parametrize(
    ("given", "entered"),
    [
        ("      script: |\n        set -e\n        python train.py\n", True),
        ("      train-command: python train.py\n", True),
        ("      command: 'true'\n", False),
        ("      description: python train.py\n", False),
        ("      # script: python train.py\n      x: y\n", False),
    ],
)
def test_a_workflow_elsewhere_is_given_commands(given: str, entered: bool) -> None:
    assert any(("train.py", "") in run.entries for run in reused(given)) is entered


# -- inputs that nobody gives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "entered"),
    [
        ("${{ inputs.file || 'train.py' }}", True),
        ("${{ github.event.inputs.file || 'train.py' }}", True),
        ("${{ inputs.file || vars.FILE }}", False),
        ("${{ inputs.file }}", False),
        ("${{ inputs.file || 'other.py' }}", False),
    ],
)
def test_the_default_of_an_expression(value: str, entered: bool) -> None:
    found = github(f"on: [push]\njobs:\n  a:\n    steps:\n      - run: python {value}\n")
    assert any(("train.py", "") in run.entries for run in found) is entered


@pytest.mark.parametrize(("given", "entered"), [("", True), ("        with: {file: other.py}\n", False)])
def test_the_default_of_a_composite_action(given: str, entered: bool) -> None:
    action = (
        "inputs:\n  file: {default: train.py}\nruns:\n  using: composite\n  steps:\n"
        "    - run: python ${{ inputs.file }}\n      shell: bash\n"
    )
    text = f"on: [push]\njobs:\n  a:\n    steps:\n      - uses: ./act\n{given}"
    found = github(text, **{"act/action.yml": action, "other.py": ""})
    assert any(("train.py", "") in run.entries for run in found) is entered


@pytest.mark.parametrize(("given", "entered"), [("", True), ("    with: {file: other.py}\n", False)])
def test_the_default_of_a_reusable_workflow(given: str, entered: bool) -> None:
    called = (
        "on:\n  workflow_call:\n    inputs:\n      file: {default: train.py, type: string}\njobs:\n  b:\n    steps:\n"
        "      - run: python ${{ inputs.file }}\n"
    )
    text = f"on: [push]\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n{given}"
    found = github(text, **{".github/workflows/b.yml": called, "other.py": ""})
    assert any(("train.py", "") in run.entries for run in found) is entered
