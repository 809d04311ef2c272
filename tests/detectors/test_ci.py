"""CI: which commands a job really reaches, whether it starts by itself, and whether its failure stops anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.engine.scan import ScanOptions
from mlops_scan.words import Grade
from tests.trees import ML, Tree, findings, grade, places, practice, scan_tree, where

CODE, MODEL, CD = "ci/code-tests", "ci/model-tests", "cd/model-deploy"
MODEL_TEST = (
    "from train import train\n\n\ndef test_learns(tmp_path):\n    model = train('sample.csv', tmp_path / 'm')\n"
    "    assert model.score([[0.0], [1.0]], [0, 1]) >= 0.8\n"
)
UNIT_TEST = (
    "from data import read\n\n\ndef test_read(tmp_path):\n    x, y = read('sample.csv')\n    assert len(x) == len(y)\n"
)
PROJECT: Tree = {**ML, "tests/model/test_quality.py": MODEL_TEST, "tests/unit/test_data.py": UNIT_TEST}


def github(run: str, on: str = "push", job: str = "", step: str = "") -> str:
    """A workflow with one job that runs one script; `job` and `step` are further keys."""
    body = "".join(f"          {line}\n" for line in run.split("\n"))
    extra = f"    {job}\n" if job else ""
    more = f"        {step}\n" if step else ""
    return (
        f"name: ci\non: {on}\njobs:\n  check:\n    runs-on: ubuntu-latest\n{extra}    steps:\n"
        f"      - uses: actions/checkout@v4\n      - run: |\n{body}{more}"
    )


CI = ".github/workflows/ci.yml"


# -- what is reached ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "on", "expected"),
    [
        ("go test ./...", "push", Grade.WIRED),
        ("vendor/bin/phpunit", "push", Grade.WIRED),
        ("npm ci\nnpm test", "push", Grade.WIRED),
        ("npm ci\nnpm test || true", "push", Grade.IMPLEMENTED),
        ("go test ./...", "workflow_dispatch", Grade.TRACE),
        ("go vet ./...\n# go test ./...", "push", Grade.ABSENT),
        ("vendor/bin/phpunit --version\nvendor/bin/phpstan", "push", Grade.ABSENT),
        ("npm install jest\nnpm run build", "push", Grade.ABSENT),
    ],
)
def test_tests_in_other_languages(tmp_path: Path, run: str, on: str, expected: Grade) -> None:
    files = {"package.json": '{"scripts": {"test": "jest", "build": "vite build"}}'}
    report = scan_tree(tmp_path, {**ML, **files, CI: github(run, on)})
    assert grade(report, CODE) is expected
    assert grade(report, MODEL) is Grade.ABSENT


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("pytest", {}),
        ("python -m pytest -q tests/model", {}),
        ("make model-test", {"Makefile": "model-test:\n\tpytest tests/model\n"}),
        (
            "make ci",
            {
                "Makefile": "ci: unit model\nunit:\n\tpytest tests/unit\nmodel:\n\t./model.sh\n",
                "model.sh": "#!/bin/sh\npytest tests/model\n",
            },
        ),
        ("bash scripts/check.sh", {"scripts/check.sh": "set -euo pipefail\npip install pytest\npytest tests/model\n"}),
        ("tox -e model", {"tox.ini": "[testenv:model]\ncommands = pytest tests/model\n"}),
        ("uv run pytest tests/model", {}),
    ],
    ids=["pytest", "module", "make", "make to script", "script", "tox", "uv"],
)
def test_github_job_reaches_the_model_tests(tmp_path: Path, run: str, files: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **files, CI: github(run)})
    assert grade(report, CODE) is Grade.WIRED
    result = practice(report, MODEL)
    assert result.grade is Grade.WIRED
    assert any(place.startswith("tests/model/test_quality.py:") for place in places(result.evidence))


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("def test_text():\n    text = 'a'\n    assert text == 'a'\n", Grade.TRACE),
        ("import pytest\n\n\ndef test_sum():\n    assert sum([1]) == 1\n", Grade.TRACE),
        (
            "import unittest\nfrom datetime import datetime\n\nimport pandas as pd\n\n\n"
            "class TestRows(unittest.TestCase):\n    def test_rows(self):\n"
            "        self.assertEqual(len(pd.DataFrame({'day': [datetime.now()]})), 1)\n",
            Grade.TRACE,
        ),
        ("import pandas as pd\n\n\ndef test_rows():\n    assert len(pd.read_csv('data.csv')) > 1\n", Grade.WIRED),
        ("import subprocess\n\n\ndef test_run():\n    assert subprocess.run(['make']).returncode == 0\n", Grade.WIRED),
        ("import churn\n\n\ndef test_text():\n    assert churn.NAME == 'a'\n", Grade.WIRED),
        ("def test_text(client):\n    assert client.get('/') == 1\n", Grade.WIRED),  # what conftest.py makes
        ("def test_text():\n    assert open('README.md').read()\n", Grade.WIRED),
    ],
)
def test_tests_that_look_at_nothing_but_themselves(tmp_path: Path, test: str, expected: Grade) -> None:
    tree = {**ML, "churn.py": "NAME = 'a'\n", "tests/test_a.py": test, CI: github("pytest")}
    result = practice(scan_tree(tmp_path, tree), CODE)
    assert result.grade is expected
    assert ("check nothing of this repository" in result.reason) is (expected is Grade.TRACE)


@pytest.mark.parametrize(
    ("test", "line"),
    [
        ("# Copyright\nimport json\n\nX = 1\n\n\nasync def test_json():\n    assert json.loads('1') == X\n", 7),
        (
            "import json\nimport unittest\n\n\nclass Sum(unittest.TestCase):\n    def test_sum(self):\n"
            "        assert json.loads('[]') == []\n",
            6,
        ),
        ("# def test_nothing():\ncheck = 1\nassert check\n", 1),
    ],
    ids=["function", "method", "comment"],
)
def test_the_first_test_of_a_file_that_has_nothing_to_do_with_ml_is_shown(tmp_path: Path, test: str, line: int) -> None:
    report = scan_tree(tmp_path, {**ML, "tests/test_json.py": test, CI: github("pytest")})
    assert f"tests/test_json.py:{line}" in places(practice(report, CODE).evidence)


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("pip install pytest", {}),
        ("ruff check . && mypy .", {}),
        ("echo pytest tests/model", {}),
        ("pytest --collect-only", {}),
        ("make lint", {"Makefile": "lint:\n\truff check .\ntest:\n\tpytest\n"}),
        ("# pytest\ntrue", {}),
    ],
    ids=["install", "lint", "echo", "collect", "other target", "comment"],
)
def test_github_job_that_runs_no_test(tmp_path: Path, run: str, files: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **files, CI: github(run)})
    for name in (CODE, MODEL):
        assert not practice(report, name).met, name


def test_unit_tests_alone_test_no_model(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: github("pytest tests/unit")})
    assert grade(report, CODE) is Grade.WIRED
    assert not practice(report, MODEL).met


def test_gitlab_job_reaches_the_model_tests(tmp_path: Path) -> None:
    text = "model_test:\n  stage: test\n  script:\n    - make model\n  only: [merge_requests]\n"
    report = scan_tree(tmp_path, {**PROJECT, ".gitlab-ci.yml": text, "Makefile": "model:\n\tpytest tests/model\n"})
    assert grade(report, MODEL) is Grade.WIRED


GENERIC = """\
pipeline:
  model_test:
    stage: test
    script: run_model_tests.sh
    only: [master]
  deploy_model:
    stage: deploy
    script: deploy_model.sh
    only: [master]
"""
SCRIPTS: Tree = {
    "run_model_tests.sh": "#!/bin/bash\nset -e\npytest tests/model\n",
    "deploy_model.sh": "#!/bin/bash\nset -e\nkubectl apply -f k8s/\n",
}


def test_generic_jobs_reach_the_model_tests_and_the_deployment(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **SCRIPTS, "ci-pipeline.yml": GENERIC})
    assert grade(report, MODEL) is Grade.WIRED
    assert grade(report, CD) is Grade.WIRED
    assert findings(report, "MLS303") == []


def test_generic_jobs_whose_scripts_do_not_exist(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "ci-pipeline.yml": GENERIC})
    assert not practice(report, MODEL).met
    assert not practice(report, CD).met
    assert [finding.location.path for finding in findings(report, "MLS303")] == ["ci-pipeline.yml"] * 2


# -- can it start, can it fail -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        github("pytest", on="workflow_dispatch"),
        github("pytest", job="if: false"),
        github("pytest", on="{workflow_dispatch: {}, workflow_call: {}}"),
    ],
    ids=["manual", "if false", "manual or called"],
)
def test_job_that_no_change_starts(tmp_path: Path, text: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: text})
    assert not practice(report, CODE).met
    assert grade(report, CODE) is not Grade.WIRED
    assert grade(report, MODEL) is not Grade.WIRED


def test_manual_only_is_a_finding_and_an_automatic_trigger_beside_it_is_none(tmp_path: Path) -> None:
    manual = scan_tree(tmp_path / "manual", {**PROJECT, CI: github("pytest", on="workflow_dispatch")})
    both = scan_tree(tmp_path / "both", {**PROJECT, CI: github("pytest", on="[workflow_dispatch, pull_request]")})
    assert [finding.location.path for finding in findings(manual, "MLS305")] == [CI]
    assert findings(both, "MLS305") == []
    assert grade(both, MODEL) is Grade.WIRED


def test_a_push_that_only_a_filter_of_tags_narrows(tmp_path: Path) -> None:
    filtered = "\n  push:\n    tags-ignore: ['**']\n  workflow_dispatch:"
    report = scan_tree(tmp_path / "a", {**PROJECT, CI: github("pytest", on=filtered)})
    assert where(report, "MLS305") == [f"{CI}:4"]
    (finding,) = findings(report, "MLS305")
    assert "its `push` has only a filter of tags, which leaves out all of them" in finding.message
    assert not practice(report, CODE).met
    report = scan_tree(tmp_path / "b", {**PROJECT, CI: github("pytest", on=filtered.replace("'**'", "'v*'"))})
    assert findings(report, "MLS305") == []
    alone = filtered.partition("  workflow")[0].rstrip()
    result = practice(scan_tree(tmp_path / "c", {**PROJECT, CI: github("pytest", on=alone)}), CODE)
    assert result.grade is Grade.TRACE
    assert "nothing starts job `check` of `ci`: its `push`" in result.reason


def test_gitlab_manual_job(tmp_path: Path) -> None:
    text = "model_test:\n  stage: test\n  script: [pytest]\n  when: manual\n"
    report = scan_tree(tmp_path, {**PROJECT, ".gitlab-ci.yml": text})
    assert not practice(report, CODE).met
    assert [finding.location.path for finding in findings(report, "MLS305")] == [".gitlab-ci.yml"]


TOOTHLESS = [
    ({CI: github("pytest tests/model || true")}, "swallowed"),
    ({CI: github("pytest tests/model", step="continue-on-error: true")}, "step"),
    ({CI: github("pytest tests/model", job="continue-on-error: true")}, "job"),
    ({CI: github("./check.sh"), "check.sh": "#!/bin/bash\npytest tests/model\necho done\n"}, "no set -e"),
    ({CI: github("make model"), "Makefile": "model:\n\t-pytest tests/model\n"}, "make -"),
    ({".gitlab-ci.yml": "model_test:\n  script: [pytest tests/model]\n  allow_failure: true\n"}, "allow_failure"),
]


@pytest.mark.parametrize("files", [files for files, _ in TOOTHLESS], ids=[name for _, name in TOOTHLESS])
def test_failure_without_effect(tmp_path: Path, files: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **files})
    assert grade(report, CODE) is Grade.IMPLEMENTED
    assert grade(report, MODEL) is Grade.IMPLEMENTED
    assert len(findings(report, "MLS301")) == 1


@pytest.mark.parametrize(
    "files",
    [
        {CI: github("pytest tests/model; exit 0")},  # bash -e: GitHub's shell stops before the exit
        {CI: github("./check.sh"), "check.sh": "#!/bin/bash\nset -e\npytest tests/model\necho done\n"},
        {
            CI: github("./check.sh"),
            "check.sh": "#!/bin/bash\npip install pytest\npytest tests/model\n",
        },  # its last command
        {CI: github("bash -e check.sh"), "check.sh": "pytest tests/model\necho done\n"},
        {CI: github("./check.sh"), "check.sh": "#!/bin/sh\npytest tests/model || exit 1\necho done\n"},
        {CI: github("rm -rf out || true\npytest tests/model")},
        {CI: github("pytest tests/model && echo good")},
    ],
    ids=["exit after -e", "set -e", "last command", "bash -e", "|| exit 1", "|| true elsewhere", "&& echo"],
)
def test_failure_with_effect(tmp_path: Path, files: Tree) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **files})
    assert grade(report, MODEL) is Grade.WIRED
    assert findings(report, "MLS301") == []


# -- empty, missing and misplaced --------------------------------------------------------------------------------------


def job(name: str, *lines: str) -> str:
    """A workflow with one named job."""
    steps = "".join(f"      - run: {line}\n" for line in lines)
    return (
        f"on: push\njobs:\n  {name}:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: actions/checkout@v4\n{steps}"
    )


@pytest.mark.parametrize("name", ["model_test", "deploy", "train-model", "validate"])
def test_job_that_only_prints(tmp_path: Path, name: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: job(name, "echo running the model tests", "echo done")})
    assert [finding.location.path for finding in findings(report, "MLS304")] == [CI]
    assert not practice(report, MODEL).met


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("model_test", ("echo start", "pytest tests/model")),
        ("greet", ("echo hello",)),
        ("deploy", ("kubectl apply -f k8s/",)),
    ],
    ids=["one real command", "promises nothing", "deploys"],
)
def test_job_that_does_something_or_promises_nothing(tmp_path: Path, name: str, lines: tuple[str, ...]) -> None:
    assert findings(scan_tree(tmp_path, {**PROJECT, CI: job(name, *lines)}), "MLS304") == []


@pytest.mark.parametrize(
    ("name", "run", "prints"),
    [
        ("Run unit tests", 'echo "Running unit tests"', True),
        ("Deploy model", "echo deploying", True),
        ("Integration tests", "# pytest\necho skipped", True),
        ("Run unit tests", "echo start\npytest", False),
        ("Lint code", "echo linting", False),
        ("Print the test results", "echo $RESULT", False),
        ("Deployment summary", "echo done", False),
        ("Deploy model", "echo $KEY > key.json", False),
    ],
)
def test_step_that_only_prints(tmp_path: Path, name: str, run: str, prints: bool) -> None:
    steps = github(run, step=f"name: {name}") + "      - run: ls\n"
    found = findings(scan_tree(tmp_path, {**ML, CI: steps}), "MLS304")
    assert [finding.message.partition(" only")[0] for finding in found] == [f"Step `{name}`"] * prints


@pytest.mark.parametrize(
    ("lines", "prints"),
    [
        (("echo Deploying", "# kubectl apply -f k8s/"), True),
        (('echo "a -> b; done & gone"', "echo '$(date) | wc'", "sleep 5"), True),
        (("echo ${{ inputs.a || inputs.b }}",), True),
        (("aws sagemaker create-endpoint --endpoint-name scorer",), False),
        (("set -e", "kubectl apply -f k8s/"), False),
        (("echo $MANIFEST | kubectl apply -f -",), False),
        (("echo ready && ./roll-out",), False),
        (("echo ready; ./roll-out",), False),
        (("echo $VERSION > released",), False),
        (('echo "$(./roll-out)"',), False),
        (("echo `./roll-out`",), False),
        (("echoes all",), False),
        (("datesplit data.csv",), False),
    ],
)
def test_what_only_prints(tmp_path: Path, lines: tuple[str, ...], prints: bool) -> None:
    body = "".join(f"        {line}\n" for line in lines)
    github = f"on: push\njobs:\n  deploy:\n    runs-on: x\n    steps:\n    - run: |\n{body}"
    jenkins = "pipeline {\n  agent any\n  triggers { cron('@daily') }\n  stages {\n    stage('deploy') {\n"
    jenkins += f'      steps {{\n        sh """\n{body}        """\n      }}\n    }}\n  }}\n}}\n'
    assert bool(findings(scan_tree(tmp_path / "github", {**PROJECT, CI: github}), "MLS304")) is prints
    if "$" not in body:  # Groovy would fill it in
        report = scan_tree(tmp_path / "jenkins", {**PROJECT, "Jenkinsfile": jenkins})
        assert bool(findings(report, "MLS304")) is prints


def test_what_several_jobs_lack_is_said_once(tmp_path: Path) -> None:
    jobs = "".join(f"  {name}: {{runs-on: x, steps: [{{run: ./gone.sh}}]}}\n" for name in "abc")
    (found,) = findings(scan_tree(tmp_path, {**PROJECT, CI: f"on: push\njobs:\n{jobs}"}), "MLS303")
    assert str(found.location) == f"{CI}:3"
    assert found.message == "This runs `gone.sh`, which is not in the repository; so do lines 4, 5."
    two = f"on: push\njobs:\n{jobs}".replace("  c: {runs-on: x, steps: [{run: ./gone.sh}]}\n", "")
    (found,) = findings(scan_tree(tmp_path / "x", {**PROJECT, CI: two}), "MLS303")
    assert found.message.endswith("; so does line 4.")


@pytest.mark.parametrize(
    "run", ["./ci/check.sh", "bash scripts/run_tests.sh", "python tools/evaluate_model.py", "sh check.sh"]
)
def test_missing_script(tmp_path: Path, run: str) -> None:
    found = findings(scan_tree(tmp_path, {**PROJECT, CI: github(run)}), "MLS303")
    assert [str(finding.location) for finding in found] == [f"{CI}:9"]
    assert run.split()[-1].removeprefix("./") in found[0].message


@pytest.mark.parametrize(
    "run",
    [
        "curl -sSf https://example.org/check.sh -o check.sh\nbash check.sh",
        "wget https://example.org/check.sh\nsh check.sh",
        "git clone https://example.org/tools.git\nbash tools/check.sh",
        "echo 'pytest' > check.sh\nbash check.sh",
        "cat > check.sh <<'X'\npytest\nX\nbash check.sh",
        "bash $SCRIPT",
        'bash "${TOOLS}/check.sh"',
        "bash ${{ inputs.script }}",
        "bash /opt/tools/check.sh",
        "bash ~/check.sh",
        "cd elsewhere\nbash moved.sh",  # a file of that name is in the repository
    ],
    ids=[
        "curl",
        "wget",
        "clone",
        "redirected",
        "here-document",
        "variable",
        "folder variable",
        "expression",
        "absolute",
        "home",
        "moved",
    ],
)
def test_script_that_is_not_known_to_be_missing(tmp_path: Path, run: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, "scripts/moved.sh": "pytest\n", CI: github(run)})
    assert findings(report, "MLS303") == []


def test_missing_script_of_a_job_that_never_runs_is_no_defect(tmp_path: Path) -> None:
    assert findings(scan_tree(tmp_path, {**PROJECT, CI: github("./gone.sh", job="if: false")}), "MLS303") == []


@pytest.mark.parametrize(
    "path", ["ci/workflows/test.yml", "services/a/.github/workflows/test.yml", ".github/workflows/test.yml.disabled"]
)
def test_workflow_in_the_wrong_place_never_runs(tmp_path: Path, path: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, path: github("pytest")})
    assert [finding.location.path for finding in findings(report, "MLS302")] == [path]
    for name in (CODE, MODEL):
        assert not practice(report, name).met


def test_workflow_in_the_right_place_is_no_finding(tmp_path: Path) -> None:
    assert findings(scan_tree(tmp_path, {**PROJECT, CI: github("pytest")}), "MLS302") == []


# -- providers that are not read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".teamcity/settings.kts", "version = 1\n"),
        (".semaphore/semaphore.yml", "version: v1.0\nblocks: []\n"),
        ("codefresh.yml", "steps: {test: {commands: [pytest]}}\n"),
    ],
    ids=["TeamCity", "Semaphore", "Codefresh"],
)
def test_unread_provider_is_unknown_and_not_absent(tmp_path: Path, path: str, text: str) -> None:
    report = scan_tree(tmp_path / "a", {**PROJECT, path: text})
    for name in (CODE, MODEL, CD):
        result = practice(report, name)
        assert (result.grade, result.met) == (Grade.UNKNOWN, False), name
    assert where(report, "MLS306") == [f"{path}:1"]
    assert not any("not read yet" in notice for notice in report.notices)  # the finding has said it
    left_out = scan_tree(tmp_path / "b", {**PROJECT, path: text}, ScanOptions(ignore=("MLS306",)))
    assert any("not read yet" in notice for notice in left_out.notices)


def test_no_provider_is_absent(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, PROJECT)
    assert grade(report, CODE) is Grade.ABSENT
    assert findings(report, "MLS306") == []


def test_unread_provider_hides_nothing_that_is_read(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, ".teamcity/settings.kts": "x\n", CI: github("pytest")})
    assert grade(report, CODE) is Grade.WIRED
    assert grade(report, MODEL) is Grade.WIRED
    assert grade(report, CD) is Grade.UNKNOWN


# -- deployment --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "run",
    [
        "kubectl apply -f k8s/scoring.yaml",
        "helm upgrade --install scoring chart/",
        "gcloud run deploy scoring --image gcr.io/a/scoring",
        "az ml online-deployment update --name blue --endpoint-name scoring --file d.yml",
        "docker build -t r.example/scoring .\ndocker push r.example/scoring",
    ],
)
def test_automation_releases_the_model(tmp_path: Path, run: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: github(run)})
    assert grade(report, CD) is Grade.WIRED


@pytest.mark.parametrize(
    "run",
    [
        "docker build -t scoring .",
        "python -m build\ntwine upload dist/*",
        "mkdocs gh-deploy --force",
        "echo kubectl apply -f k8s/",
        "kubectl get pods",
        "kubectl apply --dry-run=client -f k8s/",
        "npm publish",
    ],
)
def test_automation_that_releases_no_model(tmp_path: Path, run: str) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: github(run)})
    assert not practice(report, CD).met


PUSH = "docker build -t r.example/web WHAT\ndocker push r.example/web"
ACTION = (
    "name: ci\non: push\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n"
    "      - uses: docker/build-push-action@v6\n        with:\n          context: WHAT\n          push: true\n"
)
FIRST = ACTION.replace("@v6", "@v1").replace(
    "context: WHAT\n          push: true", "repository: o/scorer\n          path: WHAT"
)
WEB: Tree = {"web/Dockerfile": "FROM nginx:1.27\nCOPY index.html /srv/\n", "web/index.html": "<p>a</p>\n"}
API: Tree = {"api/Dockerfile": "FROM python:3.12\nCOPY main.py .\n"}
SCORING: Tree = {"Dockerfile": "FROM python:3.12\nCOPY . .\nCMD python train.py\n"}


@pytest.mark.parametrize(
    ("workflow", "more", "expected"),
    [
        (github(PUSH.replace("WHAT", "web")), WEB, Grade.TRACE),
        (github(PUSH.replace("WHAT", "-f web/Dockerfile web")), WEB, Grade.TRACE),
        (ACTION.replace("WHAT", "./web"), WEB, Grade.TRACE),
        (github(PUSH.replace("WHAT", ".")), SCORING, Grade.WIRED),
        (ACTION.replace("WHAT", "."), SCORING, Grade.WIRED),
        (ACTION.replace("WHAT", "./api"), {**API, "api/main.py": "from train import train\n"}, Grade.WIRED),
        (ACTION.replace("WHAT", "./api"), {**API, "api/main.py": "# from train import train\n"}, Grade.TRACE),
        (github(PUSH.replace("WHAT", "web\ndocker build -t r.example/a .")), {**WEB, **SCORING}, Grade.WIRED),
        # the first version of the action pushes unless it is told not to, and has other names for its inputs
        (FIRST.replace("WHAT", "."), SCORING, Grade.WIRED),
        (FIRST.replace("WHAT", "./web"), WEB, Grade.TRACE),
        (FIRST.replace("WHAT", ".\n          push: false"), SCORING, Grade.TRACE),
        (ACTION.replace("WHAT", ".").replace("          push: true\n", ""), SCORING, Grade.TRACE),
        # what cannot be told stays a deployment
        (github(PUSH.replace("WHAT", "$DIR")), {"Dockerfile": "FROM nginx:1.27\n"}, Grade.WIRED),
        (ACTION.replace("WHAT", "${{ matrix.dir }}"), {"Dockerfile": "FROM nginx:1.27\n"}, Grade.WIRED),
        (github("cd api\n" + PUSH.replace("WHAT", ".")), {"Dockerfile": "FROM nginx:1.27\n"}, Grade.WIRED),
        (github(PUSH.replace("WHAT", "web") + "\nkubectl apply -f k8s/"), WEB, Grade.WIRED),
    ],
)
def test_a_pushed_image_counts_where_it_may_hold_a_model(
    tmp_path: Path, workflow: str, more: Tree, expected: Grade
) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **more, CI: workflow})
    assert grade(report, CD) is expected


FILE = ACTION.replace("context: WHAT", "context: api\n          file: api/Dockerfile")
API_IMAGE = PUSH.replace("WHAT", "-f api/Dockerfile api")
SCORES = "FROM example.org/scoring:1\n"
ROLL = "  roll:\n    runs-on: ubuntu-latest\n    needs: check\n    steps:\n      - run: kubectl apply -f k8s/\n"


@pytest.mark.parametrize(
    ("workflow", "more", "expected", "missing"),
    [
        (FILE, WEB, Grade.TRACE, True),
        (github(API_IMAGE), WEB, Grade.TRACE, True),
        (FILE + ROLL, WEB, Grade.TRACE, True),
        (FILE + ROLL.replace("needs: check", "needs: check\n    if: always()"), WEB, Grade.WIRED, True),
        (FILE + ROLL.replace("    needs: check\n", ""), WEB, Grade.WIRED, True),
        (FILE, {"api/Dockerfile": SCORES, **WEB}, Grade.WIRED, False),
        (FILE, {"a/api/Dockerfile": SCORES, "b/api/Dockerfile": SCORES}, Grade.WIRED, False),
        (github(f"git clone https://example.org/a api\n{API_IMAGE}"), WEB, Grade.WIRED, False),
        (github("kubectl apply -f k8s/\ndocker build -f api/Dockerfile -t a api"), WEB, Grade.WIRED, True),
        (github("docker build -f api/Dockerfile -t a api || true\nkubectl apply -f k8s/"), WEB, Grade.WIRED, True),
    ],
    ids=["action", "command", "needed", "always", "beside", "there", "deeper", "fetched", "earlier", "swallowed"],
)
def test_an_image_that_is_built_from_a_file_that_is_not_there(
    tmp_path: Path, workflow: str, more: Tree, expected: Grade, missing: bool
) -> None:
    report = scan_tree(tmp_path, {**PROJECT, **more, CI: workflow})
    result = practice(report, CD)
    assert result.grade is expected
    assert bool(findings(report, "MLS303")) is missing
    if expected is Grade.TRACE and missing:
        assert "`api/Dockerfile`, which is not in the repository" in result.reason


def test_deployment_by_hand_is_implemented_only(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: github("kubectl apply -f k8s/", on="workflow_dispatch")})
    assert grade(report, CD) is Grade.IMPLEMENTED
    assert not practice(report, CD).met


def test_pipeline_deployment(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: github("databricks bundle deploy -t prod")})
    assert grade(report, "cd/pipeline-deploy") is Grade.WIRED


def staged(*environments: str, command: str = "kubectl apply -f k8s/") -> str:
    """A workflow with a job for each environment, one after the other."""
    text, before = "on: push\njobs:\n", ""
    for name in environments:
        needs = f"    needs: {before}\n" if before else ""
        text += (
            f"  to-{name}:\n    runs-on: ubuntu-latest\n    environment: {name}\n"
            f"{needs}    steps:\n      - run: {command}\n"
        )
        before = f"to-{name}"
    return text


def test_environments_are_shown_where_they_are_named(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: staged("production")})
    (place,) = places(practice(report, "governance/approval").evidence)
    assert staged("production").split("\n")[int(place.rpartition(":")[2]) - 1] == "    environment: production"


def test_two_environments_are_stages(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: staged("staging", "production")})
    assert grade(report, "cd/environments") is Grade.WIRED
    assert grade(report, "governance/approval") is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "text",
    [staged("production"), staged("staging", "production", command="echo hello"), github("kubectl apply -f k8s/")],
    ids=["one", "names without a deployment", "none"],
)
def test_environments_that_are_no_stages(tmp_path: Path, text: str) -> None:
    assert not practice(scan_tree(tmp_path, {**PROJECT, CI: text}), "cd/environments").met


@pytest.mark.parametrize(
    ("name", "said"), [("staging", "one named environment"), ("${{ matrix.env }}", "is filled in")]
)
def test_an_environment_that_is_filled_in_is_not_called_one(tmp_path: Path, name: str, said: str) -> None:
    result = practice(
        scan_tree(tmp_path, {**PROJECT, CI: staged("a").replace("t: a", f"t: {name}")}), "cd/environments"
    )
    assert result.grade is Grade.TRACE
    assert said in result.reason


def test_approval_needs_a_production_environment_with_a_deployment(tmp_path: Path) -> None:
    assert not practice(scan_tree(tmp_path, {**PROJECT, CI: staged("dev")}), "governance/approval").met


@pytest.mark.parametrize(
    ("environment", "command", "expected"),
    [
        ("production", "terraform apply -auto-approve", Grade.IMPLEMENTED),
        ("dev", "terraform apply -auto-approve", Grade.TRACE),
        ("production", "terraform plan", Grade.ABSENT),
        ("production", "terraform fmt -check", Grade.ABSENT),
    ],
)
def test_the_environment_of_what_sets_up_the_infrastructure(
    tmp_path: Path, environment: str, command: str, expected: Grade
) -> None:
    report = scan_tree(tmp_path, {**PROJECT, CI: staged(environment, command=command)})
    assert grade(report, "governance/approval") is expected
    assert not practice(report, "cd/environments").met


RELEASE = """\
from sagemaker.sklearn import SKLearnModel


def release(data):
    SKLearnModel(model_data=data, role="r", entry_point="serve.py").deploy(1, "ml.m5.large")


if __name__ == "__main__":
    release("s3://models/leaves.tar.gz")
"""


def test_environments_of_jobs_that_deploy_by_a_script(tmp_path: Path) -> None:
    two = staged("staging", "production", command="python release.py")
    report = scan_tree(tmp_path / "two", {**PROJECT, "release.py": RELEASE, CI: two})
    assert grade(report, CD) is Grade.WIRED
    assert grade(report, "cd/environments") is Grade.WIRED
    assert grade(report, "governance/approval") is Grade.IMPLEMENTED
    one = staged("production", command="python release.py")
    report = scan_tree(tmp_path / "one", {**PROJECT, "release.py": RELEASE, CI: one})
    assert grade(report, "cd/environments") is Grade.TRACE
    dry = RELEASE.replace('    release("s3', '    print("s3')
    report = scan_tree(tmp_path / "dry", {**PROJECT, "release.py": dry, CI: two})
    assert grade(report, "cd/environments") is Grade.ABSENT


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("trigger: [main]\nsteps:\n  - script: python train.py\n", "This pipeline"),
        ("trigger: [main]\njobs:\n  - job: fit\n    steps:\n      - script: python train.py\n", "Job `fit`"),
        ("trigger: [main]\njobs:\n  - job: job\n    steps:\n      - script: python train.py\n", "Job `job`"),
    ],
)
def test_a_job_without_a_name_is_given_none(tmp_path: Path, text: str, subject: str) -> None:
    (finding,) = findings(scan_tree(tmp_path, {**ML, "azure-pipelines.yml": text}), "MLS307")
    assert finding.message.startswith(f"{subject} trains a model here")


VALIDATED = """\
trigger: [main]
jobs:
  - job: ask
    pool: server
    steps:
      - task: ManualValidation@0
  - job: release
    dependsOn: ask
    steps:
      - script: python release.py
"""


def test_an_approval_before_a_script_that_deploys(tmp_path: Path) -> None:
    pipeline = "azure-pipelines.yml"
    report = scan_tree(tmp_path / "a", {**PROJECT, "release.py": RELEASE, pipeline: VALIDATED})
    result = practice(report, "governance/approval")
    assert result.grade is Grade.WIRED
    assert places(result.evidence)[0] == f"{pipeline}:6"
    report = scan_tree(tmp_path / "b", {**PROJECT, pipeline: VALIDATED.replace("release.py", "train.py")})
    assert grade(report, "governance/approval") is Grade.ABSENT


# -- the pipeline in CI ------------------------------------------------------------------------------------------------


DVC = "stages:\n  prepare:\n    cmd: python data.py\n  train:\n    cmd: python train.py\n"


def test_ci_runs_the_pipeline_end_to_end(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "dvc.yaml": DVC, CI: github("dvc repro")})
    assert grade(report, "ci/pipeline-tests") is Grade.WIRED
    result = practice(report, MODEL)
    assert result.grade is Grade.IMPLEMENTED
    assert "nothing here fails on a bad result" in result.reason


SCAN = (
    "import giskard\nimport mlflow\n\nmodel = mlflow.pyfunc.load_model('models/a')\n"
    "found = giskard.scan(giskard.Model(model), giskard.Dataset(rows))\nprint(found)\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SCAN, Grade.IMPLEMENTED),
        (SCAN.replace("mlflow.pyfunc.load_model('models/a')", "None"), Grade.ABSENT),
        (SCAN.replace("found = giskard", "# found = giskard"), Grade.ABSENT),
    ],
    ids=["a scan of the model", "no model", "commented out"],
)
def test_a_library_that_tests_the_model_in_ci(tmp_path: Path, text: str, expected: Grade) -> None:
    """Its result is only printed, as a training's is."""
    report = scan_tree(tmp_path, {**ML, "validate.py": text, CI: github("python validate.py")})
    assert grade(report, MODEL) is expected


GATE = (
    "import json\nimport sys\n\nmetrics = json.load(open('metrics.json'))\n"
    "if metrics['accuracy'] < 0.8:\n    sys.exit(1)\n"
)


@pytest.mark.parametrize("imports", ["import numpy\n", ""], ids=["with numpy", "json only"])
def test_training_in_ci_with_a_gate_tests_the_model(tmp_path: Path, imports: str) -> None:
    tree = {**ML, "dvc.yaml": DVC, "gate.py": imports + GATE}
    report = scan_tree(tmp_path, {**tree, CI: github("dvc repro\npython gate.py")})
    assert grade(report, MODEL) is Grade.WIRED


def test_validating_the_pipeline_file_runs_nothing(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**ML, "dvc.yaml": DVC, CI: github("dvc status\ndvc dag")})
    assert not practice(report, "ci/pipeline-tests").met


BENCHMARK = (
    "import sys\n\nimport joblib\n\n\ndef check(floor, rows, wanted):\n    model = joblib.load('m.joblib')\n"
    "    accuracy = (model.predict(rows) == wanted).mean()\n    {}\n\n\n"
    "if __name__ == '__main__':\n    check(float(sys.argv[1]), [[1]], [1])\n"
)


@pytest.mark.parametrize(
    ("check", "run", "expected"),
    [
        ("assert accuracy > floor, 'too low'", "python bench.py 0.8", Grade.WIRED),
        ("mAP50 = accuracy\n    assert mAP50 >= 0.29", "python bench.py 0.8", Grade.WIRED),
        ("assert accuracy > floor", "python bench.py 0.8 || true", Grade.IMPLEMENTED),
        ("# assert accuracy > floor", "python bench.py 0.8", Grade.ABSENT),
        ("assert accuracy >= 0", "python bench.py 0.8", Grade.ABSENT),
        ("assert accuracy == floor", "python bench.py 0.8", Grade.ABSENT),
        ("assert 0.1 < iou_threshold < 1, accuracy", "python bench.py 0.8", Grade.ABSENT),
        (
            "try:\n        assert accuracy > floor\n    except Exception:\n        pass",
            "python bench.py 0",
            Grade.ABSENT,
        ),
        ("assert accuracy > floor", "echo python bench.py 0.8", Grade.ABSENT),
    ],
)
def test_a_program_that_holds_a_metric_to_a_floor(tmp_path: Path, check: str, run: str, expected: Grade) -> None:
    tree = {**ML, "bench.py": BENCHMARK.replace("{}", check), CI: github(run)}
    assert grade(scan_tree(tmp_path, tree), MODEL) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("tests_folder: tests", Grade.IMPLEMENTED), ("tests_folder: docs", Grade.ABSENT), ("folder: tests", Grade.ABSENT)],
)
def test_tests_that_a_workflow_elsewhere_runs(tmp_path: Path, given: str, expected: Grade) -> None:
    """It is given them, and what it does with them, and with their failure, stands in another repository."""
    reused = f"on: [push]\njobs:\n  a:\n    uses: o/r/.github/workflows/ci.yml@main\n    with:\n      {given}\n"
    report = scan_tree(tmp_path, {**PROJECT, CI: reused})
    assert (grade(report, CODE), grade(report, MODEL)) == (expected, expected)
    assert "MLS301" not in {finding.id for finding in report.findings}


EVALUATE = (
    "import joblib\nfrom sklearn.metrics import accuracy_score\n\nfrom data import read\n\n\ndef evaluate():\n"
    "    x, y = read('test.csv')\n    model = joblib.load('model.joblib')\n"
    "    print(accuracy_score(y, model.predict(x)))\n\n\nif __name__ == '__main__':\n    evaluate()\n"
)


@pytest.mark.parametrize(
    ("code", "on", "expected"),
    [
        (EVALUATE, "push", Grade.IMPLEMENTED),
        (EVALUATE, "schedule: [{cron: '0 3 * * 1'}]", Grade.ABSENT),
        (EVALUATE, "workflow_dispatch", Grade.ABSENT),
        (EVALUATE.replace("    evaluate()\n", "    print('later')\n"), "push", Grade.ABSENT),
        (EVALUATE.replace("accuracy_score(y, ", "len("), "push", Grade.ABSENT),
        (
            EVALUATE.replace("joblib.load('model.joblib')", "None").replace("model.predict(x)", "y"),
            "push",
            Grade.ABSENT,
        ),
    ],
)
def test_an_evaluation_on_each_change(tmp_path: Path, code: str, on: str, expected: Grade) -> None:
    """Without a bound it is as much as a training without one."""
    workflow = github("python evaluate.py", on=on if ":" not in on else "{" + on + "}")
    assert grade(scan_tree(tmp_path, {**ML, "evaluate.py": code, CI: workflow}), MODEL) is expected


@pytest.mark.parametrize(
    ("command", "mark", "expected"),
    [
        ("pytest -m 'not integration'", "integration", Grade.ABSENT),
        ("pytest -m 'not slow and not integration' -n 2", "integration", Grade.ABSENT),
        ("pytest -m integration", "integration", Grade.WIRED),
        ("pytest -m 'integration and not slow'", "integration", Grade.WIRED),
        ("pytest -m unit", "integration", Grade.ABSENT),
        ("pytest -m 'not slow'", "integration", Grade.WIRED),
        ("pytest -m 'not (integration or slow)'", "integration", Grade.WIRED),  # it is not read that far
        ("pytest", "integration", Grade.WIRED),
        ("pytest -m 'not integration'", "parametrize('x', [1])", Grade.WIRED),
    ],
)
def test_model_tests_that_a_command_leaves_out(tmp_path: Path, command: str, mark: str, expected: Grade) -> None:
    marked = MODEL_TEST.replace("def test_learns(", f"@pytest.mark.{mark}\ndef test_learns(")
    tree = {**ML, "tests/model/test_quality.py": f"import pytest\n\n{marked}", CI: github(command)}
    assert grade(scan_tree(tmp_path, tree), MODEL) is expected


def test_the_mark_of_a_class(tmp_path: Path) -> None:
    body = MODEL_TEST.replace("def test_learns(tmp_path)", "def test_learns(self, tmp_path)")
    head, _, rest = body.partition("\n\n\n")
    inner = "\n".join(f"    {line}" if line else "" for line in rest.split("\n"))
    text = f"import pytest\n{head}\n\n\n@pytest.mark.slow\nclass TestModel:\n{inner}"
    tree = {**ML, "tests/model/test_quality.py": text}
    assert grade(scan_tree(tmp_path / "a", {**tree, CI: github("pytest -m 'not slow'")}), MODEL) is Grade.ABSENT
    assert grade(scan_tree(tmp_path / "b", {**tree, CI: github("pytest")}), MODEL) is Grade.WIRED


@pytest.mark.parametrize(
    ("run", "told"), [("make model", "Job `check` of `ci.yml` trains"), ("python train.py", "Job `check` trains")]
)
def test_a_job_is_named_with_its_file_where_the_finding_lies_in_another(tmp_path: Path, run: str, told: str) -> None:
    tree = {**ML, "Makefile": "model:\n\tpython train.py\n", ".github/workflows/ci.yml": github(run)}
    (finding,) = findings(scan_tree(tmp_path, tree), "MLS307")
    assert finding.message.startswith(told)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("nohup streamlit run page.py &\ncurl --fail http://localhost:8501/_stcore/health", Grade.ABSENT),
        ("uvicorn page:app &\ncurl --fail http://localhost:8000/health", Grade.ABSENT),
        ("python page.py", Grade.IMPLEMENTED),
        ("uvicorn page:app &\npython train.py --data sample.csv", Grade.IMPLEMENTED),
    ],
)
def test_a_service_that_ci_starts_trains_only_when_asked(tmp_path: Path, run: str, expected: Grade) -> None:
    page = (
        "import streamlit as st\n\nfrom train import train\n\nif st.button('Train'):\n    train('data.csv', 'm')\n"
        "app = None\n"
    )
    assert grade(scan_tree(tmp_path, {**ML, "page.py": page, CI: github(run)}), MODEL) is expected


def approved(needs: str = "ask", asks: str = "trstringer/manual-approval@v1") -> str:
    """A workflow in which one job asks a person by an issue, and another one deploys."""
    return (
        "on: push\njobs:\n  ask:\n    runs-on: ubuntu-latest\n    steps:\n"
        f"      - uses: {asks}\n        with: {{approvers: someone}}\n"
        "  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pytest\n"
        f"  deploy:\n    needs: {needs}\n    runs-on: ubuntu-latest\n    steps:\n      - run: kubectl apply -f k8s/\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (approved(), Grade.WIRED),
        (approved(needs="test"), Grade.ABSENT),
        (approved(asks="someone/approve-pull-request@v1"), Grade.ABSENT),
    ],
)
def test_an_action_that_waits_for_a_person(tmp_path: Path, text: str, expected: Grade) -> None:
    assert grade(scan_tree(tmp_path, {**PROJECT, CI: text}), "governance/approval") is expected
