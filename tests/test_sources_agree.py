"""The same tree gives the same report, byte for byte, from whatever source it is read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_scan.cli.main import run
from mlops_scan.engine.report import Report
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.json import render
from mlops_scan.repository.urls import without_secrets
from tests.repository.gitrepo import git, repository
from tests.scanned import FIXTURES
from tests.test_fixtures import NAMES
from tests.trees import ML, write_tree


def rendered(report: Report, revision: str | None) -> str:
    """The JSON report, without the path that was given and with one revision for all."""
    return render(replace(report, path="", revision=revision), RenderOptions())


def copied(source: Path, target: Path) -> Path:
    """The fixture's files as a commit of a repository."""
    repository(target)
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    git(target, "add", "-f", "-A")
    git(target, "commit", "-q", "-m", "fixture")
    return target


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_gives_one_report_from_every_source(name: str, tmp_path: Path) -> None:
    root = copied(FIXTURES / name / "repo", tmp_path / "r")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    git(root, "archive", "--prefix=r-1.0/", "-o", str(tmp_path / "a.tar.gz"), "HEAD")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for path in git(root, "ls-files", "-z").split("\0"):
            if path:
                file.write(root / path, f"r/{path}")
    head = git(root, "rev-parse", "HEAD")
    own = scan(root)
    assert own.revision == head
    expected = rendered(own, head)
    assert json.loads(expected)["statistics"]["files"] > 0
    for jobs in (1, 2):
        revision = scan(tmp_path / "b.git", ScanOptions(rev="HEAD", jobs=jobs))
        assert revision.revision == head
        assert rendered(revision, head) == expected
    for archive in ("a.zip", "a.tar.gz"):
        report = scan(tmp_path / archive)
        assert report.revision is None
        assert rendered(report, head) == expected


def test_every_name_of_a_revision_gives_one_report(tmp_path: Path) -> None:
    root = copied(FIXTURES / "level3-github" / "repo", tmp_path / "r")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    head = git(root, "rev-parse", "HEAD")
    reports = [
        scan(root),
        scan(root, ScanOptions(rev="HEAD")),
        scan(root, ScanOptions(rev=head[:9])),
        scan(tmp_path / "b.git"),
        scan(f"file://{tmp_path}/b.git"),
    ]
    assert {report.revision for report in reports} == {head}
    assert len({rendered(report, head) for report in reports}) == 1


def test_what_a_revision_lacks_is_incomplete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = copied(write_tree(tmp_path / "t", ML), tmp_path / "r")
    blob = git(root, "rev-parse", "HEAD:data.py")
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    report = scan(root, ScanOptions(rev="HEAD"))
    assert [(item.path, "not in this repository" in item.reason) for item in report.incomplete] == [("data.py", True)]
    assert run([str(root), "--rev", "HEAD", "--fail-below", "1"]) == 2
    assert "data.py" in capsys.readouterr().err


def test_the_configuration_of_a_folder_holds_for_its_revisions_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bare repository and an archive bring none, and that of the current folder is about another tree."""
    root = copied(write_tree(tmp_path / "t", {**ML, "mlops-scan.toml": "target-level = 4\n"}), tmp_path / "r")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    git(root, "archive", "-o", str(tmp_path / "a.zip"), "HEAD")
    monkeypatch.chdir(root)
    assert run([str(root), "-q"]) == 1
    assert run([str(root), "-q", "--rev", "HEAD"]) == 1
    for name in ("b.git", "a.zip"):
        assert run([str(tmp_path / name), "-q"]) == 0
        assert run([str(tmp_path / name), "-q", "-c", str(root / "mlops-scan.toml")]) == 1
    assert run([f"file://{tmp_path}/b.git", "-q"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{root}", "--rev", "nowhere"], "'nowhere' is no branch, tag or commit of"),
        (["{root}", "--rev=--all"], "is not the name of one revision"),
        (["{root}/train.py"], "is a file and no archive"),
        (["ext::touch canary"], "only https, ssh, git and file URLs are fetched"),
        (["http://user:secret@host.invalid/x"], "http://host.invalid/x: only https, ssh, git"),
        (["file://{root}/nothing"], "is no git repository"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    root = copied(write_tree(tmp_path / "t", ML), tmp_path / "r")
    assert run([argument.format(root=root) for argument in arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("mlops-scan: error: ")
    assert output.err.count("\n") == 1
    assert words in output.err
    assert "secret" not in output.err


def test_a_password_in_a_url_is_not_reported() -> None:
    assert without_secrets("https://me:secret@host.invalid/x.git") == "https://host.invalid/x.git"
    assert without_secrets("https://host.invalid/a@b.git") == "https://host.invalid/a@b.git"
    assert without_secrets("ssh://git@host.invalid/x.git") == "ssh://git@host.invalid/x.git"
    assert without_secrets("ssh://me:secret@host.invalid/x.git") == "ssh://me@host.invalid/x.git"
    assert without_secrets("some/folder@1") == "some/folder@1"


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 900000000\n".format("a" * 64)


def test_what_is_in_git_lfs_is_not_taken_for_what_is_in_git(tmp_path: Path) -> None:
    """A pointer is neither a model or data set in git nor a notebook with nothing in it."""
    tree = {
        ".gitattributes": "*.csv filter=lfs -text\n*.pkl filter=lfs -text\n*.ipynb filter=lfs -text\n",
        "data/train.csv": POINTER,
        "model.pkl": POINTER,
        "explore.ipynb": POINTER,
        "other/data.csv": "a,b\n" * 3_000_000,
    }
    root = copied(write_tree(tmp_path / "t", {**ML, **tree}), tmp_path / "r")
    for report in (scan(root), scan(root, ScanOptions(rev="HEAD"))):
        places = {finding.location.path for finding in report.findings if finding.id in ("MLS103", "MLS104")}
        assert places == {"other/data.csv"}
        assert [(item.path, item.reason) for item in report.incomplete] == [
            ("explore.ipynb", "is a Git-LFS pointer; the content is not in the repository")
        ]
