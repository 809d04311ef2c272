"""Defects of automation: each with a tree that has it and near misses that have not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trees import ML, Tree, findings, scan_tree

CI = ".github/workflows/ci.yml"
TESTED: Tree = {**ML, "tests/test_data.py": "from data import read\n\n\ndef test_read():\n    assert read('s.csv')\n"}
GATE = (
    "import json\nimport sys\n\nfrom sklearn.metrics import f1_score\n\n"
    "f1 = f1_score([1, 0], json.load(open('y.json')))\nif f1 < BOUND:\n    sys.exit(1)\n"
)


def found(tmp_path: Path, name: str, tree: Tree) -> list[str]:
    """The places of a finding in a tree."""
    report = scan_tree(tmp_path, tree)
    return [f"{f.location.path}:{f.location.line}" for f in findings(report, name)]


def workflow(jobs: str, on: str = "push", name: str = "ci") -> str:
    """A workflow with the given jobs, indented by two blanks."""
    return f"name: {name}\non: {on}\njobs:\n{jobs}"


def job(name: str, run: str, *keys: str) -> str:
    """One job with one command; `keys` are further lines of the job."""
    extra = "".join(f"    {key}\n" for key in keys)
    return f"  {name}:\n    runs-on: x\n{extra}    steps:\n      - uses: actions/checkout@v4\n      - run: {run}\n"


# -- MLS308 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (workflow(job("check", "pytest", "needs: [build]")), 4),
        (workflow(job("check", "pytest", "if: secrets.TOKEN != ''")), 4),
        (workflow(job("check", "pytest", "if: ${{ env.RUN == 'yes' }}")), 4),
        (workflow("  t:\n    steps:\n      - run: pytest\n        if: ${{ secrets.TOKEN }}\n"), 6),
        (workflow(job("train", "python train.py", "if: false")), 4),
        (workflow(job("t", "pytest"), on="{workflow_run: {workflows: [Build]}}"), 2),
        (workflow(job("t", "pytest"), on="{push: {paths: ['gone/**']}}"), 2),
    ],
    ids=["needs", "secrets", "job env", "step secrets", "false", "workflow_run", "paths"],
)
def test_workflow_that_never_starts(tmp_path: Path, text: str, line: int) -> None:
    assert found(tmp_path, "MLS308", {**TESTED, CI: text}) == [f"{CI}:{line}"]


@pytest.mark.parametrize(
    "text",
    [
        workflow(job("build", "make") + job("check", "pytest", "needs: [build]")),
        workflow(job("check", "pytest", "if: github.event.inputs.note != 'secrets.TOKEN'")),
        workflow(job("check", "pytest", "if: vars.RUN == 'yes'")),
        workflow("  t:\n    steps:\n      - run: pytest\n        if: ${{ env.TOKEN != '' }}\n"),
        workflow(job("lint", "ruff check", "if: false")),
        workflow(job("t", "pytest"), on="{workflow_run: {workflows: [ci]}}"),
        workflow(job("t", "pytest"), on="{push: {paths: ['tests/**', 'gone/**']}}"),
        workflow(job("t", "pytest"), on="{push: {paths: ['**.py']}}"),
    ],
    ids=["needs", "quoted", "vars", "step env", "lint", "workflow_run", "paths", "any place"],
)
def test_workflow_that_starts(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, "MLS308", {**TESTED, CI: text}) == []


@pytest.mark.parametrize(
    ("run", "dead"),
    [
        ("pytest", True),
        ("python fit.py", True),
        ("docker push example.org/scorer:1", True),
        ("ruff check", False),
        ("pip install pytest", False),
        ("echo pytest", False),
        ("'# docker push example.org/scorer:1'", False),
        ("docker build -t scorer .", False),
    ],
)
def test_jobs_that_never_start_are_judged_by_what_they_would_do(tmp_path: Path, run: str, dead: bool) -> None:
    tree = {**TESTED, "fit.py": ML["train.py"], CI: workflow(job("later", run, "if: false"))}
    assert found(tmp_path, "MLS308", tree) == ([f"{CI}:4"] if dead else [])


# -- MLS309 ------------------------------------------------------------------------------------------------------------

TEST = job("test", "pytest")
DEPLOY = "databricks bundle deploy"


def test_deployment_beside_the_tests(tmp_path: Path) -> None:
    tree = {**TESTED, CI: workflow(TEST + job("deploy", DEPLOY))}
    assert found(tmp_path, "MLS309", tree) == [f"{CI}:13"]


@pytest.mark.parametrize(
    "jobs",
    [
        TEST + job("deploy", DEPLOY, "needs: test"),
        TEST + job("pack", "ls", "needs: test") + job("deploy", DEPLOY, "needs: [pack]"),
        TEST + job("deploy", DEPLOY, "if: false"),
        TEST + job("deploy", "echo deploying"),
        TEST + job("deploy", DEPLOY + " -t staging"),
        job("test", "pytest || true") + job("deploy", DEPLOY),
        job("test", "pytest", "needs: deploy") + job("deploy", DEPLOY),
        job("test", "pytest", "if: github.event_name == 'pull_request'") + job("deploy", DEPLOY),
    ],
    ids=["needs", "needs of needs", "never", "prints", "rehearsal", "toothless", "smoke test", "other trigger"],
)
def test_deployment_that_waits_or_has_nothing_to_wait_for(tmp_path: Path, jobs: str) -> None:
    assert found(tmp_path, "MLS309", {**TESTED, CI: workflow(jobs)}) == []


def test_gitlab_stages_wait_by_themselves(tmp_path: Path) -> None:
    text = "stages: [test, deploy]\nt:\n  stage: test\n  script: pytest\nd:\n  stage: deploy\n"
    text += f"  script: {DEPLOY}\n"
    assert found(tmp_path, "MLS309", {**TESTED, ".gitlab-ci.yml": text}) == []


# -- MLS314 and MLS301 -------------------------------------------------------------------------------------------------

SHIP = "aws sagemaker update-endpoint --endpoint-name a --endpoint-config-name b"
CHECK = "python gate.py"


def test_release_before_the_check(tmp_path: Path) -> None:
    tree = {**TESTED, "gate.py": GATE.replace("BOUND", "0.8")}
    late = workflow(f"  go:\n    steps:\n      - run: {SHIP}\n      - run: {CHECK}\n")
    assert found(tmp_path / "late", "MLS314", {**tree, CI: late}) == [f"{CI}:6"]
    early = workflow(f"  go:\n    steps:\n      - run: {CHECK}\n      - run: {SHIP}\n")
    assert found(tmp_path / "early", "MLS314", {**tree, CI: early}) == []
    again = workflow(f"  go:\n    steps:\n      - run: {SHIP}\n      - run: {CHECK}\n      - run: {SHIP}\n")
    assert found(tmp_path / "again", "MLS314", {**tree, CI: again}) == []
    staged = workflow(f"  go:\n    steps:\n      - run: {SHIP}-staging\n      - run: {CHECK}\n")
    assert found(tmp_path / "staged", "MLS314", {**tree, CI: staged}) == []
    other = workflow(f"  go:\n    steps:\n      - run: {SHIP}\n  check:\n    steps:\n      - run: {CHECK}\n")
    assert found(tmp_path / "other", "MLS314", {**tree, CI: other}) == []


@pytest.mark.parametrize(
    ("test", "places"),
    [
        ("f1 < -1", ["gate.py:7"]),
        ("f1 < float('inf')", []),  # it stops every model
        ("f1 < 0.8", []),
        ("f1 < 0", []),
        ("mae > float('inf')", ["gate.py:7"]),
        ("mae > 3", []),
    ],
)
def test_bound_that_cannot_be_missed(tmp_path: Path, test: str, places: list[str]) -> None:
    code = GATE.replace("f1 < BOUND", test).replace("f1 =", "f1 = mae =")
    assert found(tmp_path, "MLS301", {**ML, "gate.py": code}) == places


# -- MLS315 ------------------------------------------------------------------------------------------------------------

CLOCK = "{schedule: [{cron: '0 3 * * 1'}]}"


@pytest.mark.parametrize(
    ("run", "name", "places"),
    [
        ("echo retraining", "Retrain", [f"{CI}:2"]),
        ("pip install -r requirements.txt", "Model re-training", [f"{CI}:2"]),
        ("python train.py", "Retrain", []),
        ("curl -X POST https://example.org/train", "Retrain", []),
        ("./unknown-program", "Retrain", []),
        ("echo retraining", "Lint", []),
        ("echo trained", "Constraints", []),
    ],
)
def test_clock_that_retrains_nothing(tmp_path: Path, run: str, name: str, places: list[str]) -> None:
    text = workflow(job("go", run), on=CLOCK, name=name)
    assert found(tmp_path, "MLS315", {**TESTED, CI: text}) == places


def test_retraining_on_a_change_is_not_a_clock(tmp_path: Path) -> None:
    assert found(tmp_path, "MLS315", {**TESTED, CI: workflow(job("go", "echo x"), name="Retrain")}) == []


# -- MLS316 ------------------------------------------------------------------------------------------------------------


def test_report_that_looks_like_a_gate(tmp_path: Path) -> None:
    steps = "  report:\n    steps:\n      - run: python gate.py\n      - run: cml comment create report.md\n"
    only = GATE.partition("if f1")[0]
    tree = {**ML, "gate.py": only, CI: workflow(steps, on="pull_request")}
    assert found(tmp_path / "only", "MLS316", tree) == [f"{CI}:6"]
    assert found(tmp_path / "gate", "MLS316", {**tree, "gate.py": GATE.replace("BOUND", "0.8")}) == []
    assert found(tmp_path / "clock", "MLS316", {**tree, CI: workflow(steps, on=CLOCK)}) == []


# -- MLS303 ------------------------------------------------------------------------------------------------------------

MAKE = "test:\n\tpytest\n"


@pytest.mark.parametrize(
    ("step", "files"),
    [
        ("run: make evaluate", {"Makefile": MAKE}),
        ("run: docker build -f docker/gone.Dockerfile .", {}),
        ("uses: ./.github/actions/gone", {}),
    ],
)
def test_step_that_names_what_is_not_there(tmp_path: Path, step: str, files: Tree) -> None:
    text = workflow(f"  t:\n    steps:\n      - {step}\n")
    assert found(tmp_path, "MLS303", {**TESTED, **files, CI: text}) == [f"{CI}:6"]


def test_reusable_workflow_that_is_not_there(tmp_path: Path) -> None:
    text = workflow("  t:\n    uses: ./.github/workflows/gone.yml\n")
    assert found(tmp_path, "MLS303", {**TESTED, CI: text}) == [f"{CI}:4"]


@pytest.mark.parametrize(
    ("steps", "files"),
    [
        ("- run: make test", {"Makefile": MAKE}),
        ("- run: make evaluate", {}),
        ("- run: make evaluate", {"Makefile": MAKE + "include other.mk\n"}),
        ("- run: make evaluate", {"Makefile": MAKE + "%uate:\n\techo $@\n"}),
        ("- run: make evaluate", {"Makefile": "include a.mk\n" + MAKE, "a.mk": "evaluate:\n\tls\n"}),
        ("- run: docker build -f docker/$NAME.Dockerfile .", {}),
        ("- run: docker build -f gone.Dockerfile https://example.org/x.git", {}),
        ("- uses: ./.github/actions/own", {".github/actions/own/action.yml": "runs: {using: composite, steps: []}\n"}),
        (
            "- uses: actions/checkout@v4\n        with: {repository: a/b, path: shared}\n      - uses: ./shared/own",
            {},
        ),
    ],
)
def test_step_that_may_well_work(tmp_path: Path, steps: str, files: Tree) -> None:
    text = workflow(f"  t:\n    steps:\n      {steps}\n")
    assert found(tmp_path, "MLS303", {**TESTED, **files, CI: text}) == []


AWAY = {"training/readme.md": "x\n"}


@pytest.mark.parametrize(
    "way",
    [
        "cd $FETCHES/hunspell",
        "cd $SOURCES",
        "cd $SOURCES && cd training",
        "pushd ${SOURCES}/lm",
        "cd ~/lm",
        "cd /opt/lm",
        "cd -",
        "mkdir -p x && (cd $SOURCES && cd lm",
    ],
)
def test_nothing_is_missing_in_an_unknown_folder(tmp_path: Path, way: str) -> None:
    text = workflow(f"  t:\n    steps:\n      - run: bash b.sh\n      - run: {way} && make all{')' * way.count('(')}\n")
    script = f"set -e\n{way}\npython setup.py install\nmake evaluate\nbash gone.sh\n{')' * way.count('(')}\n"
    tree = {**TESTED, **AWAY, "Makefile": MAKE, CI: text, "b.sh": script}
    assert found(tmp_path, "MLS303", tree) == []


@pytest.mark.parametrize(
    "way",
    [
        "cd training",
        "cd $GITHUB_WORKSPACE",
        "cd ${CI_PROJECT_DIR}/training",
        "cd $ROOT/training",
        "cd /work/training; cd $GITHUB_WORKSPACE",
        "(cd $SOURCES && ls)",
        "pushd $SOURCES; ls; popd",
        'cd "$(dirname "$0")"',
        "# cd $SOURCES",
    ],
)
def test_missing_in_a_known_folder(tmp_path: Path, way: str) -> None:
    text = workflow("  t:\n    steps:\n      - run: bash b.sh\n")
    tree = {**TESTED, **AWAY, CI: text, "b.sh": f"set -e\n{way}\npython gone.py\n"}
    assert found(tmp_path, "MLS303", tree) == ["b.sh:3"]


# -- definitions that are no YAML --------------------------------------------------------------------------------------

BROKEN = "on: push\njobs:\n  t:\n    steps:\n      - run: 'pytest\n      - run: make 'all'\n"


@pytest.mark.parametrize(
    "path", [CI, ".gitlab-ci.yml", "deployment/azure-pipelines-release.yml", ".circleci/config.yml", ".travis.yml"]
)
def test_a_definition_that_is_no_yaml(tmp_path: Path, path: str) -> None:
    report = scan_tree(tmp_path, {**TESTED, path: BROKEN})
    (finding,) = findings(report, "MLS308")
    assert (finding.location.path, finding.severity) == (path, "warning")
    assert "is not valid YAML at line" in finding.message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (CI, "on: push\njobs:\n  t:\n    steps:\n      - run: pytest\n"),
        (CI, BROKEN + "  # {{ cookiecutter.name }}\n"),
        (CI, BROKEN + "{% endif %}\n"),
        ("{{cookiecutter.name}}/.github/workflows/ci.yml", BROKEN),
        ("docs/azure-pipelines.yml", BROKEN),
        ("tests/data/azure-pipelines.yml", BROKEN),
        ("azure-pipelines/steps/test.yml", BROKEN),
        ("conf/model.yml", BROKEN),
        ("service/.travis.yml", BROKEN),
    ],
    ids=["fine", "templated", "tags", "template", "docs", "test data", "included", "no CI", "not loaded"],
)
def test_what_no_provider_refuses(tmp_path: Path, path: str, text: str) -> None:
    assert found(tmp_path, "MLS308", {**TESTED, path: text}) == []


# -- definitions and files that are not what they look like ------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "more", "count"),
    [
        ("deploy/github-actions/train.yml", (), 1),
        ("deploy/github-actions/train.yml", ("deploy/azure-pipelines/train.yml",), 0),
        ("seedcode/.github/workflows/train.yml", (), 0),
        ("course_exercises/ci/github/train.yml", (), 0),
        ("Labs/Github/workflows/train.yml", (), 0),
        ("ci/workflows/example_train.yml", (), 0),
        ("collaboration/workflows/train.yml", (), 1),
    ],
    ids=["misplaced", "one of several offers", "seed code", "exercise", "lab", "example", "name with lab"],
)
def test_definition_that_never_loads(tmp_path: Path, path: str, more: tuple[str, ...], count: int) -> None:
    text = workflow(job("train", "python train.py"))
    tree = {**ML, path: text, **dict.fromkeys(more, "pool: x\n")}
    assert len(found(tmp_path, "MLS302", tree)) == count


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("open('/home/jane/data.csv')\n", 1),
        ("# %% tags=['injected-parameters']\nproduct = '/home/jane/out/data.csv'\n", 0),
        ("def image(build):\n    return build.add(remote_path='/root/src/config.py')\n", 0),
    ],
    ids=["path", "injected cell", "inside an image"],
)
def test_path_of_one_machine(tmp_path: Path, code: str, count: int) -> None:
    script = str(ML["train.py"]).replace("import argparse\n", f"import argparse\n{code}", 1)
    assert len(found(tmp_path, "MLS102", {**ML, "train.py": script})) == count


def test_long_path_of_one_machine_is_shown_with_its_cut(tmp_path: Path) -> None:
    script = f"open('/home/jane/{'a' * 90}/data.csv')\n{ML['train.py']!s}"
    report = scan_tree(tmp_path, {**ML, "train.py": script})
    (finding,) = findings(report, "MLS102")
    assert finding.message.startswith(f"`/home/jane/{'a' * 69}…` exists on one machine only")


@pytest.mark.parametrize(
    ("name", "count"), [("model.pkl", 1), ("x_model.pkl", 1), ("X_valid.pkl", 0), ("train_data.pkl", 0)]
)
def test_pickled_split_is_no_model(tmp_path: Path, name: str, count: int) -> None:
    tree = {**ML, f"models/{name}": b"\x80\x04\x95" + bytes(500)}
    assert len(found(tmp_path, "MLS103", tree)) == count


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 1),
        ({"environment.yml": "dependencies: [wandb]\n"}, 1),
        ({"compose.yml": "services: {a: {image: x}}  # wandb\n"}, 1),
        ({"compose.yml": "services: {a: {image: x, environment: [WANDB_API_KEY]}}\n"}, 0),
        ({"fit.py": "from transformers import TrainingArguments\n\nTrainingArguments(report_to='wandb')\n"}, 0),
    ],
    ids=["nowhere", "list", "comment", "variable", "string"],
)
def test_tool_that_another_one_uses(tmp_path: Path, files: Tree, count: int) -> None:
    tree = {**ML, "requirements.txt": "wandb==0.17.0\n", **files}
    assert len(found(tmp_path, "MLS107", tree)) == count


def test_training_that_a_job_hands_to_a_service_is_not_started_by_hand(tmp_path: Path) -> None:
    submit = "gcloud ai custom-jobs create --region europe-west1 --config job.yaml"
    assert found(tmp_path / "hand", "MLS101", {**ML, CI: workflow(job("train", "ls"))}) != []
    assert found(tmp_path / "job", "MLS101", {**ML, CI: workflow(job("train", submit))}) == []


EXPORTED = sorted([*(f"package{number:02}{kind}" for number in range(20) for kind in ("", "-x")), "wandb"])


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("requirements.txt", "".join(f"{name}==1.0.0\n" for name in EXPORTED), 0),
        ("requirements.txt", "".join(sorted(f"{name}==1.0.0\n" for name in EXPORTED)), 0),
        ("requirements.txt", "".join(f"{name}==1.0.0\n" for name in reversed(EXPORTED)), 1),
        ("requirements.txt", "".join(f"{name}>=1.0.0\n" for name in EXPORTED), 1),
        (
            "environment.yml",
            "dependencies:\n  - python=3.12.1=h1\n  - zlib=1.3=h2\n  - pip:\n"
            + "".join(f"      - {name}==1.0.0\n" for name in EXPORTED),
            0,
        ),
        ("environment.yml", "dependencies:\n  - python=3.12.1\n  - pip:\n      - wandb==0.17.0\n", 1),
        ("Pipfile", "[packages]\n" + "".join(f'{name} = "==1.0.0"\n' for name in EXPORTED), 0),
        ("Pipfile", '[packages]\nwandb = "==0.17.0"\n', 1),
    ],
    ids=["frozen", "poetry export", "by hand", "bounds", "conda export", "conda", "frozen Pipfile", "Pipfile"],
)
def test_tool_in_a_list_that_a_program_wrote(tmp_path: Path, path: str, text: str, count: int) -> None:
    assert len(found(tmp_path, "MLS107", {**ML, path: text})) == count


@pytest.mark.parametrize(
    ("code", "count"),
    [("from train import train; train('a', 'b')", 1), ("from train import train; print('it imports')", 0)],
    ids=["called", "imported"],
)
def test_training_that_inline_code_calls_or_only_imports(tmp_path: Path, code: str, count: int) -> None:
    text = workflow(job("t", f'python -c "{code}"'))
    assert len(found(tmp_path, "MLS307", {**ML, CI: text})) == count


@pytest.mark.parametrize(("call", "count"), [("", 0), ("; weekly()", 1)], ids=["imported", "called"])
def test_pipeline_that_inline_code_imports_is_not_run(tmp_path: Path, call: str, count: int) -> None:
    flow = "from zenml import pipeline\nfrom train import train\n\n\n@pipeline\ndef weekly():\n    train('a', 'b')\n"
    text = workflow(job("check", f'python -c "from flow import weekly{call}"'))
    assert len(found(tmp_path, "MLS307", {**ML, "flow.py": flow, CI: text})) == count


STATES = (
    "from stepfunctions import steps\nfrom stepfunctions.workflow import Workflow\n\n"
    "train = steps.TrainingStep('Train', estimator=1, data=2, job_name='x')\n"
    "rule = steps.choice_rule.ChoiceRule.{rule}\nWorkflow(name='w', definition=train, role='r').execute()\n"
)


@pytest.mark.parametrize(
    ("rule", "count"),
    [("NumericLessThan(variable='$.rmse', value=10)", 0), ("StringEquals(variable='$.status', value='Done')", 1)],
)
def test_state_machine_with_a_bound_checks_the_model(tmp_path: Path, rule: str, count: int) -> None:
    tree = {**ML, "states.py": STATES.format(rule=rule), CI: workflow(job("train", "python states.py"))}
    assert len(found(tmp_path, "MLS307", tree)) == count


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 1),
        ({"docs/lesson.md": "# Flows\n\n```python\nfrom wandb import init\n```\n"}, 0),
        ({"docs/lesson.md": "    >>> import wandb\n"}, 0),
        ({"docs/lesson.md": "Install wandb, then import wandb yourself.\n"}, 1),
        ({"docs/lesson.md": "Sign in:\n\n```sh\nwandb login\n```\n"}, 0),
        ({"docs/lesson.md": "    $ wandb login\n"}, 0),
        ({"docs/lesson.md": "```sh\npip install wandb\n```\n\nOr a tracker, and not\nwandb at all.\n"}, 1),
        ({"vendor/kit/README.md": "import wandb\n"}, 1),
        ({"run.ipynb": '{"cells": [{"cell_type": "code", "source": "1", "outputs": [{"text": "wandb-core"}]}]}'}, 0),
        ({"run.ipynb": '{"cells": [{"cell_type": "markdown", "source": "We like wandb."}]}'}, 1),
    ],
    ids=[
        "nowhere",
        "shown code",
        "a prompt",
        "prose",
        "command",
        "typed",
        "name in prose",
        "vendored",
        "a program of it",
        "prose in a notebook",
    ],
)
def test_tool_that_documents_show(tmp_path: Path, files: Tree, count: int) -> None:
    tree = {**ML, "requirements.txt": "wandb==0.17.0\n", **files}
    assert len(found(tmp_path, "MLS107", tree)) == count


CLOSE = "import math\nfrom train import train\n\n\ndef test_a():\n    model = train('s.csv', 'm')\n"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("math.isclose(model.score([[0]], [0]), 0.9, rel_tol=100)", ["any two numbers are close"]),
        ("math.isclose(model.score([[0]], [0]), 0.9, rel_tol=1.0)", ["any two numbers of one sign are close"]),
        ("math.isclose(model.score([[0]], [0]), 0.9, rel_tol=0.1)", []),
        ("math.isclose(model.score([[0]], [0]), 0.9, abs_tol=100)", []),
        ("math.isclose(model.score([[0]], [0]), 0.9, rel_tol=float(model))", []),
        ("isclose(model.score([[0]], [0]), 0.9, rel_tol=100)", []),  # a function of one's own
        ("True  # math.isclose(model.score([[0]], [0]), 0.9, rel_tol=100)", []),
        ("model.score([[0]], [0]) == pytest.approx(0.9, rel=10)", []),  # ten times that much still fails
    ],
)
def test_a_tolerance_that_all_values_keep(tmp_path: Path, check: str, expected: list[str]) -> None:
    own = "\n\ndef isclose(a, b, rel_tol):\n    return a == b\n"
    report = scan_tree(tmp_path, {**ML, "tests/test_model.py": f"{CLOSE}    assert {check}\n{own}"})
    found = [finding for finding in report.findings if finding.id == "MLS301"]
    assert len(found) == len(expected)
    assert all(text in finding.message for text, finding in zip(expected, found, strict=True))
