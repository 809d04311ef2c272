"""A whole scan: the same every time, complete as far as it can be, quiet where there is nothing to say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.errors import ScanError
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.json import render
from mlops_scan.words import Grade
from tests.trees import ML, Tree, grade, scan_tree, write_tree

TEST = (
    "from train import train\n\n\ndef test_a(tmp_path):\n"
    "    assert train('s.csv', tmp_path / 'm').score([[0]], [0]) > 0.5\n"
)
WORKFLOW = (
    "on: push\njobs:\n  test:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - run: make test\n"
)
RICH: Tree = {
    **ML,
    "tests/test_train.py": TEST,
    ".github/workflows/ci.yml": WORKFLOW,
    "Makefile": "test:\n\tpytest\n",
    "requirements.txt": "scikit-learn==1.5.2\nmlflow\n",
    "dvc.yaml": (
        "stages:\n  prepare:\n    cmd: python data.py\n  train:\n"
        "    cmd: python train.py\n  gone:\n    cmd: python gone.py\n"
    ),
    "monitoring.yaml": (
        "monitoring:\n  model_performance: {threshold: 0.8, alerts: []}\n"
        "  data_drift: {enabled: false, schedule: daily}\n"
    ),
    "MODEL_CARD.md": "# Model card\n\nTODO\n",
    "Dockerfile": "FROM python:3.12\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python train.py\n",
}


def text(report: Report) -> str:
    """The JSON report."""
    return render(report, RenderOptions())


# -- determinism -------------------------------------------------------------------------------------------------------


def test_two_scans_are_equal_to_the_byte(tmp_path: Path) -> None:
    write_tree(tmp_path, RICH)
    assert text(scan(tmp_path)) == text(scan(tmp_path))


@pytest.mark.parametrize("jobs", [0, 2])
def test_the_number_of_workers_changes_nothing(tmp_path: Path, jobs: int) -> None:
    many = {f"part{n}/train.py": ML["train.py"] for n in range(40)}
    write_tree(tmp_path, {**RICH, **many})
    assert text(scan(tmp_path, ScanOptions(jobs=jobs))) == text(scan(tmp_path, ScanOptions(jobs=1)))


def test_the_order_of_writing_changes_nothing(tmp_path: Path) -> None:
    first = scan_tree(tmp_path / "a", RICH)
    second = scan_tree(tmp_path / "b", dict(reversed(list(RICH.items()))))
    assert text(replace(first, path="x")) == text(replace(second, path="x"))


def test_git_and_a_plain_walk_see_the_same(tmp_path: Path) -> None:
    plain = scan_tree(tmp_path / "plain", RICH)
    write_tree(tmp_path / "git", RICH)
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "a")):
        subprocess.run(["git", *command], cwd=tmp_path / "git", check=True, env=environment)
    tracked = scan(tmp_path / "git")
    assert tracked.revision is not None
    assert len(tracked.revision) == 40
    assert plain.revision is None
    assert text(replace(tracked, path="x", revision=None)) == text(replace(plain, path="x"))


# -- broken files ------------------------------------------------------------------------------------------------------


BROKEN: Tree = {
    "broken.py": "import sklearn\n\ndef f(:\n    pass\n)))\n",
    "broken.yaml": "a: [1, 2\nb: {c\n",
    "broken.json": '{"a": [1, }',
    "broken.toml": "[a\nb = = 1\n",
    "broken.ipynb": '{"cells": [',
}


def test_broken_files_are_listed_and_nothing_else_is_lost(tmp_path: Path) -> None:
    whole = scan_tree(tmp_path / "whole", RICH)
    report = scan_tree(tmp_path / "broken", {**RICH, **BROKEN})
    assert set(BROKEN) <= {item.path for item in report.incomplete}
    assert all(item.reason for item in report.incomplete)
    assert [(p.id, p.grade) for p in report.headline.practices] == [(p.id, p.grade) for p in whole.headline.practices]
    assert {f.id for f in whole.findings} == {f.id for f in report.findings}


def test_a_broken_definition_is_said(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, {**RICH, ".github/workflows/ci.yml": "on: push\njobs:\n  a: [\n"})
    assert ".github/workflows/ci.yml" in {item.path for item in report.incomplete}


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00\x01", b"\x00" * 100, "é".encode("latin-1"), b"\xef\xbb\xbfimport sklearn\n", b"a\r\nb\r\n", b""],
    ids=["bytes", "zeros", "Latin-1", "byte-order mark", "CRLF", "empty"],
)
@pytest.mark.parametrize(
    "name",
    [
        "x.py",
        ".github/workflows/x.yml",
        "dvc.yaml",
        "x.ipynb",
        "Makefile",
        "requirements.txt",
        "CODEOWNERS",
        "Dockerfile",
        "pyproject.toml",
        "setup.cfg",
        "run.sh",
    ],
)
def test_odd_bytes_break_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    report = scan_tree(tmp_path, {**ML, name: content})
    assert report.headline.level == 1


def test_python_2_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    old = "print 'training'\nfrom sklearn.svm import SVC\n\nSVC().fit([[0]], [0])\n"
    assert scan_tree(tmp_path, {"train.py": old}).has_ml


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = write_tree(tmp_path / "outside", ML)
    inside = write_tree(tmp_path / "inside", {"README.md": "# nothing\n"})
    (inside / "train.py").symlink_to(outside / "train.py")
    (inside / "linked").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    report = scan(inside)
    assert report.has_ml is False
    assert report.statistics.files == 1


# -- nothing to say ----------------------------------------------------------------------------------------------------


def test_empty_repository(tmp_path: Path) -> None:
    report = scan(tmp_path)
    assert (report.kind, report.has_ml, report.headline.level, report.findings) == ("non-ml", False, None, ())
    assert report.statistics.files == 0


@pytest.mark.parametrize("kind", ["application", "course", "library"])
def test_empty_repository_by_the_users_word(tmp_path: Path, kind: str) -> None:
    assert scan(tmp_path, ScanOptions(kind=kind)).findings == ()


def test_repository_without_a_model_is_left_alone(tmp_path: Path) -> None:
    tree = {
        "app.py": "import flask\n\nflask.Flask(__name__)\n",
        "tests/test_app.py": "def test_a():\n    assert True\n",
        ".github/workflows/ci.yml": (
            "on: workflow_dispatch\njobs:\n  test:\n    runs-on: x\n"
            "    steps:\n      - run: ./gone.sh\n"
            "      - run: pytest || true\n"
        ),
        "requirements.txt": "flask\nmlflow\n",
        "CODEOWNERS": "",
        "Jenkinsfile": "pipeline { }\n",
    }
    report = scan_tree(tmp_path, tree)
    assert (report.kind, report.has_ml) == ("non-ml", False)
    assert (report.headline.level, report.headline.progress, report.headline.gaps) == (None, None, ())
    assert report.findings == ()
    assert set(dict(report.levels).values()) == {None}


# -- wrong use ---------------------------------------------------------------------------------------------------------


def test_missing_path(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="no such file or folder"):
        scan(tmp_path / "none")


def test_file_instead_of_a_folder(tmp_path: Path) -> None:
    write_tree(tmp_path, ML)
    with pytest.raises(ScanError, match="is a file"):
        scan(tmp_path / "train.py")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_unreadable_folder(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "a", ML)
    folder.chmod(0)
    try:
        with pytest.raises(ScanError, match="cannot be read"):
            scan(folder)
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (ScanOptions(model="none"), "none: no such maturity model; known: .*default"),
        (ScanOptions(kind="Application"), "Application: no such kind of repository; known: application"),
        (ScanOptions(component="src"), r"src: no such component; known: \."),
    ],
    ids=["model", "kind", "component"],
)
def test_unknown_names(tmp_path: Path, options: ScanOptions, message: str) -> None:
    with pytest.raises(ScanError, match=message):
        scan_tree(tmp_path, ML, options)


# -- options -----------------------------------------------------------------------------------------------------------


def test_excluded_files_are_not_seen_and_that_is_said(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, RICH, ScanOptions(exclude=("tests/", "*.yml")))
    assert grade(report, "code/unit-tests") is Grade.ABSENT
    assert grade(report, "ci/code-tests") is Grade.ABSENT
    assert any("excluded by configuration: 2 files" in notice for notice in report.notices)


def test_shown_findings_are_limited_and_that_is_said(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, RICH, ScanOptions(select=("MLS5",), ignore=("MLS501",)))
    assert report.findings
    assert all(finding.id.startswith("MLS5") and finding.id != "MLS501" for finding in report.findings)
    assert len(report.notices) == 2


def test_choice_of_findings_changes_no_level(tmp_path: Path) -> None:
    everything = scan_tree(tmp_path / "a", RICH)
    few = scan_tree(tmp_path / "b", RICH, ScanOptions(ignore=("MLS",)))
    assert few.findings == ()
    assert few.headline == everything.headline


def test_level_progress_and_gaps_belong_together(tmp_path: Path) -> None:
    headline = scan_tree(tmp_path, RICH).headline
    assert headline.next_level == (headline.level or 0) + 1
    assert headline.progress is not None
    assert 0 <= headline.progress < 1
    assert headline.gaps
    assert all(gap.level == headline.next_level for gap in headline.gaps)
    met = {result.id for result in headline.practices if result.met}
    assert not met & {gap.practice for gap in headline.gaps}


# -- anything at all ---------------------------------------------------------------------------------------------------


NAMES = st.sampled_from(
    [
        "train.py",
        "data.py",
        "src/model.py",
        "tests/test_a.py",
        "tests/conftest.py",
        "pipeline.yaml",
        "dvc.yaml",
        "MLproject",
        "recipe.yaml",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "Makefile",
        "run.sh",
        "Dockerfile",
        "docker-compose.yml",
        "requirements.txt",
        "pyproject.toml",
        "environment.yml",
        "config/monitoring.json",
        "config/monitoring.yaml",
        "CODEOWNERS",
        "MODEL_CARD.md",
        "README.md",
        "prometheus/alerts.yml",
        "infra/main.tf",
        "explore.ipynb",
        "setup.py",
        "01-a/x.py",
        "02-b/y.py",
        "03-c/z.py",
        "{{cookiecutter.a}}/train.py",
        "noxfile.py",
        "tox.ini",
        "package.json",
        ".gitattributes",
        ".gitignore",
        "uv.lock",
    ]
)
PIECES = st.sampled_from(
    [
        *(str(value) for value in ML.values()),
        TEST,
        WORKFLOW,
        *(str(value) for value in RICH.values()),
        "on: push\n",
        "jobs:\n  a:\n    steps: 3\n",
        "stages: [train, {a: b}]\n",
        "steps:\n  - run\n  - {name: a, script: [x, {y: z}]}\n",
        "monitoring:\n  data_drift: [1, 2]\n  model_performance: yes\n",
        "groups:\n  - rules: x\n  - rules: [{alert: 1, expr: {a: b}}]\n",
        "&a [*a]\n",
        "<<: *b\n",
        "!!python/object:x {}\n",
        "? [a]\n: b\n",
        '{"monitoring": null}',
        "[project]\nname = 1\n",
        "FROM\nCOPY\n",
        "def f(): return f()\n",
        "@f\nclass A(A): pass\n",
        "from . import *\nfrom .x import y\n",
        "import train\nimport data\n",
        "\tall:\n",
        "include: [a, {local: /.gitlab-ci.yml}]\n",
        "entry_points:\n  main: {command: [1]}\n",
        "- - -\n",
        "\x00",
        "é",
        "\\\n",
        "'",
        '"""',
    ]
)
CONTENTS = st.one_of(st.lists(PIECES, max_size=4).map("".join), st.text(max_size=80))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that holds one folder for each example."""
    yield tmp_path_factory.mktemp("trees")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(tree=st.dictionaries(NAMES, CONTENTS, max_size=8))
def test_no_tree_of_text_files_makes_a_scan_fail(folders: Path, tree: dict[str, str]) -> None:
    folder = folders / str(len(list(folders.iterdir())))
    folder.mkdir()
    contents: dict[str, str | bytes] = {
        name: content.encode("utf-8", "surrogatepass") for name, content in tree.items()
    }
    report = scan(write_tree(folder, contents))
    assert text(report)
    assert (report.headline.level is None) or report.has_ml
    for finding in report.findings:
        assert finding.location.path in tree
