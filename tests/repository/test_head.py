"""HEAD read from plain files is what git says, and where it is not kept so git is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_scan.repository import head as heads
from mlops_scan.repository.git import GitFolder
from mlops_scan.repository.head import plain_head
from tests.repository.gitrepo import git, repository


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    return repository(tmp_path / "repo", "a.txt")


def _said_by_git(repo: Path) -> str:
    return git(repo, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (("pack-refs", "--all"),),
        (("checkout", "-q", "--detach"),),
        (("checkout", "-q", "-b", "feature/x.y-1"),),
        (("branch", "aaa"), ("branch", "zzz"), ("pack-refs", "--all", "--prune")),
        (("tag", "-a", "-m", "t", "v1"), ("pack-refs", "--all")),
    ],
)
def test_it_is_what_git_says(repo: Path, steps: tuple[tuple[str, ...], ...]) -> None:
    for step in steps:
        git(repo, *step)
    head = plain_head(repo / ".git")
    assert head is not None
    assert head == GitFolder(repo / ".git", repo).resolve("HEAD")
    assert head.commit == _said_by_git(repo)


def test_a_loose_ref_wins_over_a_packed_one(repo: Path) -> None:
    git(repo, "pack-refs", "--all")
    git(repo, "commit", "-q", "--allow-empty", "-m", "second")
    head = plain_head(repo / ".git")
    assert head is not None
    assert head.commit == _said_by_git(repo)


def test_before_the_first_commit_git_is_asked(tmp_path: Path) -> None:
    assert plain_head(repository(tmp_path / "new") / ".git") is None


def test_where_something_else_may_keep_it_git_is_asked(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "--detach", str(tmp_path / "other"))
    assert plain_head(tmp_path / "other" / ".git") is None
    assert plain_head(next((repo / ".git" / "worktrees").iterdir())) is None
    config = repo / ".git" / "config"
    config.write_text(config.read_text() + "[Extensions]\n\trefStorage = files\n")
    assert plain_head(repo / ".git") is None


@pytest.mark.parametrize(
    "head",
    [
        "",
        "ref: refs/heads/../../config\n",
        "ref: config\n",
        "ref: refs/heads/.hidden\n",
        "ref: \n",
        "0123\n",
        "ref: refs",
    ],
)
def test_a_head_that_is_no_plain_name_is_left_to_git(repo: Path, head: str) -> None:
    (repo / ".git" / "HEAD").write_text(head)
    assert plain_head(repo / ".git") is None


@given(
    st.one_of(
        st.binary(max_size=30),
        st.from_regex(re.compile(rb"(ref: )?(refs/)?[\w./-]{0,12}\s*"), fullmatch=True),
        st.from_regex(re.compile(rb"[0-9a-f]{38,42}\s*"), fullmatch=True),
    )
)
def test_names_and_commits_are_told_as_expressions_would(data: bytes) -> None:
    name = re.fullmatch(rb"ref: (refs/[\w-][\w.-]*(?:/[\w-][\w.-]*)*)\s*", data)
    commit = re.fullmatch(rb"([0-9a-f]{40})\s*", data)
    assert heads._name(data) == (name[1] if name else None)
    assert heads._hash(data) == (commit[1].decode() if commit else None)


def test_a_ref_that_is_a_link_or_no_commit_is_left_to_git(repo: Path, tmp_path: Path) -> None:
    ref = repo / ".git" / "refs" / "heads" / "main"
    (tmp_path / "elsewhere").write_text(ref.read_text())
    ref.write_text("not a commit\n")
    assert plain_head(repo / ".git") is None
    ref.unlink()
    ref.symlink_to(tmp_path / "elsewhere")
    assert plain_head(repo / ".git") is None
