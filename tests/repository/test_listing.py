from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.errors import ScanError
from mlops_scan.repository import git as gitrun
from mlops_scan.repository.files import File, Folder, Texts
from mlops_scan.repository.ignore import IgnorePatternError, compiled, compiled_leniently
from mlops_scan.repository.listing import open_repository
from mlops_scan.repository.roles import RoleCatalogue, default_catalogue
from mlops_scan.words import Role
from tests.repository.gitrepo import git, repository, write

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def names(root: Path, exclude: tuple[str, ...] = ()) -> list[str]:
    return [file.path for file in open_repository(root, exclude).files]


# -- git ---------------------------------------------------------------------------------------------------------------


def test_git_lists_tracked_and_untracked_but_no_ignored_files(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py", "sub/b.py", ".gitignore")
    write(root, ".gitignore", text="*.log\n/build/\n")
    write(root, "new.py", "run.log", "build/x.py", "sub/build/y.py")
    assert names(root) == [".gitignore", "a.py", "new.py", "sub/b.py", "sub/build/y.py"]


def test_a_tracked_file_counts_though_it_is_ignored(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "kept.log", ".gitignore")
    write(root, ".gitignore", text="*.log\n")
    write(root, "other.log")
    assert names(root) == [".gitignore", "kept.log"]


def test_a_deleted_file_and_a_file_in_conflict_are_listed_as_they_are_on_disk(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "gone.py", "both.py")
    (root / "gone.py").unlink()
    blob = git(root, "rev-parse", ":both.py")
    stages = "".join(f"100644 {blob} {stage}\tboth.py\n" for stage in (1, 2, 3))
    git(root, "rm", "-q", "--cached", "both.py")
    subprocess.run(["git", "update-index", "--index-info"], cwd=root, input=stages.encode(), check=True)
    assert names(root) == ["both.py"]


@pytest.mark.parametrize("folder", ["", "sub", "build"])
def test_a_large_tree_is_listed_like_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """There git looks for what is not tracked while this process looks at the rest."""
    root = repository(tmp_path / "r", "a.py", "gone.py", "sub/b.py", "sub/kept.log", ".gitignore", ".gitattributes")
    write(root, ".gitignore", text="*.log\n/build/\n")
    write(root, ".gitattributes", text="*.py text eol=crlf\n")
    write(root, "new.py", "run.log", "build/x.py", "sub/new.py")
    (root / "gone.py").unlink()
    listed, calls = [], []
    run = gitrun.run

    def counted(arguments: tuple[str, ...], *rest: Any, **others: Any) -> bytes:
        calls.append(arguments)
        return run(arguments, *rest, **others)

    monkeypatch.setattr(gitrun, "run", counted)
    for many in (1_000_000, 0):
        monkeypatch.setattr("mlops_scan.repository.worktree._MANY", many)
        asked: list[int] = []

        def roles(asked: list[int] = asked) -> RoleCatalogue:
            asked.append(len(calls))
            return default_catalogue()

        with open_repository(root / folder, roles=roles) as found:
            listed.append([(file.path, file.size, file.role, type(file.source)) for file in found.files])
            assert found.notices == ()
        assert len(asked) > 1
    assert listed[0] == listed[1]
    assert listed[0]
    assert sum("--others" in arguments for arguments in calls) == 2
    assert sum("--cached" in arguments for arguments in calls) == 2


def test_the_commit_is_known(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    found = open_repository(root)
    assert found.revision == git(root, "rev-parse", "HEAD")
    assert found.notices == ()
    assert found.root == root.resolve()


def test_roles_are_got_ready_while_git_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, "train.py")
    order = []
    stop = gitrun.stop

    def noted(process: subprocess.Popen[bytes]) -> None:
        order.append("git is done")
        stop(process)

    monkeypatch.setattr(gitrun, "stop", noted)

    def roles() -> RoleCatalogue:
        order.append("roles")
        return default_catalogue()

    assert [file.path for file in open_repository(root, roles=roles).files] == ["train.py"]
    assert order == ["roles", "git is done", "roles"]


def test_what_goes_wrong_beside_git_ends_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path, "train.py")
    ended = []
    stop = gitrun.stop

    def noted(process: subprocess.Popen[bytes]) -> None:
        stop(process)
        ended.append(process.poll())

    monkeypatch.setattr(gitrun, "stop", noted)

    def roles() -> RoleCatalogue:
        raise ScanError("the rules are broken")

    with pytest.raises(ScanError, match="broken"):
        open_repository(root, roles=roles)
    assert len(ended) == 1 and ended[0] is not None


def test_roles_are_asked_for_where_git_has_no_part(tmp_path: Path) -> None:
    write(tmp_path, "tests/a.py")
    assert [file.role for file in open_repository(tmp_path, roles=lambda: RoleCatalogue(())).files] == [Role.SOURCE]


def test_an_empty_repository(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    found = open_repository(root)
    assert (found.files, found.revision, found.notices) == ((), None, ())


def test_an_empty_folder(tmp_path: Path) -> None:
    found = open_repository(tmp_path)
    assert (found.files, found.revision, found.notices) == ((), None, ())


def test_a_repository_without_a_commit_lists_its_files(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    write(root, "a.py")
    found = open_repository(root)
    assert [file.path for file in found.files] == ["a.py"]
    assert found.revision is None


def test_a_subfolder_of_a_repository_is_listed_from_itself(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py", "services/churn/train.py", ".gitignore")
    write(root, ".gitignore", text="*.log\n")
    write(root, "services/churn/new.py", "services/churn/x.log")
    found = open_repository(root / "services")
    assert [file.path for file in found.files] == ["churn/new.py", "churn/train.py"]
    assert found.revision == git(root, "rev-parse", "HEAD")


def test_an_ignored_folder_inside_another_repository_is_walked(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py", ".gitignore")
    write(root, ".gitignore", text="/clones/\n")
    write(root, "clones/x/train.py")
    found = open_repository(root / "clones" / "x")
    assert [file.path for file in found.files] == ["train.py"]
    assert (found.revision, found.notices) == (None, ())


def test_submodules_are_not_entered(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", "secret.py")
    root = repository(tmp_path / "r", "a.py")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "libs/inner")
    assert (root / "libs/inner/secret.py").exists()
    assert names(root) == [".gitmodules", "a.py"]
    (root / ".git/index").write_bytes(b"broken")
    assert names(root) == [".gitmodules", "a.py"]


def test_an_untracked_repository_inside_is_not_entered(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    repository(root / "clone", "b.py")
    assert names(root) == ["a.py"]


def test_a_linked_work_tree(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    write(tmp_path / "side", "b.py")
    found = open_repository(tmp_path / "side")
    assert [file.path for file in found.files] == ["a.py", "b.py"]
    assert found.revision == git(root, "rev-parse", "HEAD")


def test_the_environment_of_a_git_hook_does_not_redirect_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other", "wrong.py")
    root = repository(tmp_path / "r", "ignored.py", ".gitignore")
    write(root, ".gitignore", text="ignored.py\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    found = open_repository(root)
    monkeypatch.undo()
    assert [file.path for file in found.files] == [".gitignore", "ignored.py"]
    assert found.revision == git(root, "rev-parse", "HEAD")


@pytest.mark.parametrize("damage", ["index", "HEAD", "empty"])
def test_where_git_fails_the_folder_is_walked_and_said_so(tmp_path: Path, damage: str) -> None:
    root = repository(tmp_path / "r", "a.py", ".gitignore")
    write(root, ".gitignore", text="*.log\n")
    write(root, "b.py", "c.log")
    if damage == "index":
        (root / ".git/index").write_bytes(b"DIRC broken")
    else:
        (root / ".git/HEAD").unlink()
    if damage == "empty":
        (root / ".git/config").unlink()
    found = open_repository(root)
    assert [file.path for file in found.files] == [".gitignore", "a.py", "b.py"]
    assert found.revision is None
    assert found.notices == ("git could not list this repository; its folder was walked with .gitignore instead",)


def test_no_git_program_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "r", "a.py")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = open_repository(root)
    assert [file.path for file in found.files] == ["a.py"]
    assert found.notices == ("git could not list this repository; its folder was walked with .gitignore instead",)


# -- walk --------------------------------------------------------------------------------------------------------------

TREE = [
    ".gitignore",
    "README.md",
    "data/.gitignore",
    "data/keep/a.csv",
    "data/raw/b.csv",
    "logs/app.log",
    "logs/keep.log",
    "out/a.txt",
    "src/a.py",
    "src/out/b.py",
    "src/secret.key",
    "src/.gitignore",
    "src/deep/public.key",
]


def ordinary_tree(root: Path) -> None:
    write(root, *TREE)
    write(root, ".gitignore", text="*.log\n!logs/keep.log\n/out/\n*.key\n# a comment\n\n")
    write(root, "data/.gitignore", text="*\n!keep/\n!keep/**\n!.gitignore\n")
    write(root, "src/.gitignore", text="!public.key\n")


ORDINARY = [
    ".gitignore",
    "README.md",
    "data/.gitignore",
    "data/keep/a.csv",
    "logs/keep.log",
    "src/.gitignore",
    "src/a.py",
    "src/deep/public.key",
    "src/out/b.py",
]


def test_the_walk_honours_nested_ignore_files_and_negation(tmp_path: Path) -> None:
    ordinary_tree(tmp_path)
    assert names(tmp_path) == ORDINARY


def test_git_and_the_walk_agree_on_an_ordinary_tree(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    ordinary_tree(root)
    assert names(root) == ORDINARY
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")
    assert names(root) == ORDINARY


def test_the_walk_skips_environments_and_caches(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "node_modules/x.py", ".venv/x.py", "myenv/pyvenv.cfg", "myenv/lib/x.py", "__pycache__/a.py")
    assert names(tmp_path) == ["a.py"]


def test_the_walk_of_a_folder_of_repositories_enters_them(tmp_path: Path) -> None:
    repository(tmp_path / "one", "a.py")
    assert names(tmp_path) == ["one/a.py"]


@pytest.mark.parametrize(
    "line", ["!", "\\", "a\\", "[z-a]", "[[a]", "/", "//", "*a" * 40 + "b", "**/a/" * 30, "x" * 5000]
)
def test_a_hostile_ignore_line_neither_raises_nor_takes_long(tmp_path: Path, line: str) -> None:
    write(tmp_path, "a" * 200 + ".py", "a/" * 30 + "c.py", "b.log")
    write(tmp_path, ".gitignore", text=f"{line}\n*.log\n")
    started = time.monotonic()
    assert "b.log" not in names(tmp_path)
    assert time.monotonic() - started < 5


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="ab/*?![]\\-# ^", max_size=12), max_size=4), st.text(alphabet="ab/", min_size=1))
def test_any_ignore_file_compiles(lines: list[str], path: str) -> None:
    compiled_leniently(lines).match_file(path)


def test_an_ignore_file_that_is_a_folder_a_link_or_binary_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "one/.gitignore/x.py", "two/a.py", "three/b.py")
    write(tmp_path.parent, "outside-ignore", text="*\n")
    (tmp_path / "two/.gitignore").symlink_to(tmp_path.parent / "outside-ignore")
    (tmp_path / "three/.gitignore").write_bytes(b"\xff\xfe\0*.py\n")
    assert names(tmp_path) == ["one/.gitignore/x.py", "three/.gitignore", "three/b.py", "two/a.py"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that cannot be read")
def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "closed/b.py")
    (tmp_path / "closed").chmod(0)
    found = open_repository(tmp_path)
    (tmp_path / "closed").chmod(0o755)
    assert [file.path for file in found.files] == ["a.py"]
    assert found.notices == ("1 folders could not be read, the first is closed",)


@posix_only
def test_a_folder_too_deep_to_be_read_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    name = "d" * 200
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(22):
            Path(name).mkdir()
            os.chdir(name)
        found = open_repository(tmp_path)
    finally:
        os.chdir(before)
    assert [file.path for file in found.files] == ["a.py"]
    assert len(found.notices) == 1
    assert found.notices[0].startswith(f"1 folders could not be read, the first is {name}/{name}")


# -- odd files ---------------------------------------------------------------------------------------------------------


@posix_only
@pytest.mark.parametrize("with_git", [True, False])
def test_links_are_not_listed_and_never_lead_out(tmp_path: Path, with_git: bool) -> None:
    outside = tmp_path / "outside"
    write(outside, "secret.py")
    root = repository(tmp_path / "r") if with_git else tmp_path / "r"
    write(root, "a.py", "real/b.py")
    (root / "alias.py").symlink_to("a.py")
    (root / "leak.py").symlink_to(outside / "secret.py")
    (root / "leak").symlink_to(outside)
    (root / "loop").symlink_to(".")
    (root / "dangling").symlink_to("nowhere")
    if with_git:
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "links")
    assert names(root) == ["a.py", "real/b.py"]


@posix_only
def test_a_tracked_folder_replaced_by_a_link_does_not_lead_out(tmp_path: Path) -> None:
    write(tmp_path / "outside", "secret.py", "deep/secret.py")
    root = repository(tmp_path / "r", "a.py", "lib/secret.py", "lib/deep/secret.py")
    for name in ("lib/deep/secret.py", "lib/secret.py"):
        (root / name).unlink()
    (root / "lib/deep").rmdir()
    (root / "lib").rmdir()
    (root / "lib").symlink_to(tmp_path / "outside")
    assert names(root) == ["a.py"]


def test_an_index_that_names_files_outside_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "secret.py")
    root = repository(tmp_path / "r", "a.py", "zz/secret.py")
    index = root / ".git/index"
    body = index.read_bytes()[:-20].replace(b"zz/secret.py", b"../secret.py")
    index.write_bytes(body + hashlib.sha1(body).digest())
    assert "../secret.py" in git(root, "ls-files")
    assert [name for name in names(root) if "secret" in name] == ["zz/secret.py"]


@posix_only
@pytest.mark.parametrize("with_git", [True, False])
def test_a_pipe_is_never_opened(tmp_path: Path, with_git: bool) -> None:
    root = repository(tmp_path / "r", "a.py") if with_git else tmp_path / "r"
    write(root, "a.py")
    os.mkfifo(root / "pipe.py")
    assert names(root) == ["a.py"]
    with pytest.raises(OSError, match="not a regular file"):
        File("pipe.py", 0, Role.SOURCE, Folder(str(root))).read()


@posix_only
def test_a_pipe_instead_of_an_ignore_file_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitrun, "SECONDS", 1)
    root = repository(tmp_path / "r", "a.py")
    os.mkfifo(root / ".gitignore")
    started = time.monotonic()
    found = open_repository(root)
    assert [file.path for file in found.files] == ["a.py"]
    assert found.notices == ("git could not list this repository; its folder was walked with .gitignore instead",)
    assert time.monotonic() - started < 30


@posix_only
def test_reading_does_not_follow_a_link(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    (tmp_path / "b.py").symlink_to("a.py")
    assert File("a.py", 2, Role.SOURCE, Folder(str(tmp_path))).read() == b"x\n"
    assert File("a.py", 2, Role.SOURCE, Folder(str(tmp_path))).read(1) == b"x"
    with pytest.raises(OSError):
        File("b.py", 2, Role.SOURCE, Folder(str(tmp_path))).read()


@posix_only
@pytest.mark.parametrize("with_git", [True, False])
def test_odd_names(tmp_path: Path, with_git: bool) -> None:
    root = tmp_path / "r"
    root.mkdir()
    odd = [
        b"-rf.py",
        b"--help",
        b"a b.py",
        b"new\nline.py",
        b"tab\t.py",
        b"\xff\xfe.py",
        "ü.py".encode(),
        b'"q".py',
        b"*",
    ]
    for name in odd:
        (root / os.fsdecode(name)).write_bytes(b"print(1)\n")
    if with_git:
        repository(root)
        git(root, "add", "-A")
    found = open_repository(root)
    assert sorted(os.fsencode(file.path) for file in found.files) == sorted(odd)
    assert all(file.read() == b"print(1)\n" for file in found.files)


def test_what_a_file_knows_of_itself() -> None:
    file = File("src/Model.TAR.GZ", 3, Role.DATA, Texts())
    assert (file.name, file.folder, file.suffix) == ("Model.TAR.GZ", "src", ".gz")
    top = File(".env", 3, Role.SOURCE, Texts())
    assert (top.name, top.folder, top.suffix) == (".env", "", "")


# -- hostile configuration ---------------------------------------------------------------------------------------------


@posix_only
def test_nothing_of_a_hostile_configuration_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    root = repository(tmp_path / "r", "a.py", "sub/b.py", ".gitattributes")
    script = root / "run.sh"
    script.write_text(f"#!/bin/sh\necho run >> '{canary}'\ncat\n", encoding="utf-8")
    script.chmod(0o755)
    hooks = root / "hooks"
    hooks.mkdir()
    (root / ".git/hooks").mkdir(exist_ok=True)
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout", "reference-transaction"):
        (hooks / hook).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
        (hooks / hook).chmod(0o755)
        (root / ".git/hooks" / hook).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
        (root / ".git/hooks" / hook).chmod(0o755)
    write(root, ".gitattributes", text="* filter=evil diff=evil merge=evil ident\n")
    (root / ".git/config").write_text(
        f"""[core]
repositoryformatversion = 1
fsmonitor = {script}
hooksPath = {hooks}
pager = {script}
editor = {script}
sshCommand = {script}
gitProxy = {script}
askPass = {script}
alternateRefsCommand = {script}
untrackedCache = true
excludesFile = {tmp_path / "excludes"}
[pager]
ls-files = {script}
rev-parse = {script}
[alias]
ls-files = !{script}
rev-parse = !{script}
[filter "evil"]
clean = {script}
smudge = {script}
process = {script}
required = true
[diff]
external = {script}
[diff "evil"]
textconv = {script}
command = {script}
[merge "evil"]
driver = {script}
[credential]
helper = !{script}
[extensions]
partialClone = origin
[remote "origin"]
url = {tmp_path}
promisor = true
uploadpack = {script}
[protocol]
allow = always
[protocol "file"]
allow = always
""",
        encoding="utf-8",
    )
    write(tmp_path, "excludes", text="*.py\n")
    os.utime(root / "a.py", (1, 1))
    write(root, "a.py", text="changed\n")
    found = open_repository(root)
    assert "a.py" in [file.path for file in found.files]
    assert found.revision is not None
    for file in found.files:
        file.read()
    assert not canary.exists()
    subprocess.run(["git", "status"], cwd=root, check=False, capture_output=True)
    assert canary.exists()  # the trap works: git by itself runs it


@posix_only
def test_a_blob_that_is_missing_is_not_fetched(tmp_path: Path) -> None:
    """An ignore file outside the sparse checkout is read from its blob; a promisor remote would be asked for it."""
    canary = tmp_path / "canary"
    root = repository(tmp_path / "r", "a.py", "far/.gitignore", "far/b.py")
    script = tmp_path / "run.sh"
    script.write_text(f"#!/bin/sh\necho run >> '{canary}'\n", encoding="utf-8")
    script.chmod(0o755)
    git(root, "update-index", "--skip-worktree", "far/.gitignore")
    (root / "far/.gitignore").unlink()
    blob = git(root, "rev-parse", ":far/.gitignore")
    write(root, "far/new.py")
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with (root / ".git/config").open("a", encoding="utf-8") as config:
        config.write(
            f'[extensions]\npartialClone = o\n[remote "o"]\nurl = {tmp_path}\npromisor = true\nuploadpack = {script}\n'
            '[protocol "file"]\nallow = always\n'
        )
    text = (root / ".git/config").read_text(encoding="utf-8").replace("formatversion = 0", "formatversion = 1")
    (root / ".git/config").write_text(text, encoding="utf-8")
    assert "a.py" in names(root)
    assert not canary.exists()
    command = ["git", "-c", "protocol.allow=never", "ls-files", "--others", "--exclude-standard"]
    subprocess.run(command, cwd=root, check=False, capture_output=True)
    assert canary.exists()  # the trap works: git by itself runs it


@pytest.mark.parametrize("setting", ["worktree = /", "worktree = ../outside", "bare = true"])
def test_the_configuration_cannot_move_the_work_tree(tmp_path: Path, setting: str) -> None:
    write(tmp_path / "outside", "secret.py", "a.py")
    root = repository(tmp_path / "r", "a.py", ".gitignore")
    write(root, ".gitignore", text="*.log\n")
    write(root, "new.py", "x.log")
    with (root / ".git/config").open("a", encoding="utf-8") as config:
        config.write(f"[core]\n{setting}\n")
    assert names(root) == [".gitignore", "a.py", "new.py"]


def test_a_bare_repository_inside_does_not_take_over(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    git(root, "init", "-q", "--bare", "trap")
    found = open_repository(root)
    assert {"a.py", "trap/config"} <= {file.path for file in found.files}


# -- arguments ---------------------------------------------------------------------------------------------------------


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"missing: no such file or folder; give the path of a repository"):
        open_repository(tmp_path / "missing")


def test_a_file_instead_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    with pytest.raises(ScanError, match=r"a\.py is a file and no archive"):
        open_repository(tmp_path / "a.py")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that cannot be read")
def test_an_unreadable_folder(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(ScanError, match="this folder cannot be read"):
        open_repository(tmp_path / "closed")


@posix_only
def test_a_path_that_the_system_refuses(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / ("x" * 5000), tmp_path / "loop"):
        with pytest.raises(ScanError):
            open_repository(path)


def test_a_relative_path_and_one_over_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "r", "a.py")
    (tmp_path / "alias").symlink_to(root)
    monkeypatch.chdir(tmp_path)
    assert names(Path("r")) == ["a.py"]
    assert names(tmp_path / "alias") == ["a.py"]


@pytest.mark.parametrize("with_git", [True, False])
def test_excludes(tmp_path: Path, with_git: bool) -> None:
    root = repository(tmp_path / "r") if with_git else tmp_path / "r"
    write(root, "a.py", "docs/b.py", "x/docs/c.py", "data/d.csv", "data/keep.csv")
    found = open_repository(root, ("/docs/", "*.csv", "!keep.csv"))
    assert [file.path for file in found.files] == ["a.py", "data/keep.csv", "x/docs/c.py"]
    assert found.notices == ("excluded by configuration: 2 files (/docs/, *.csv, !keep.csv)",)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("!", "Invalid git pattern"),
        ("[z-a]", "bad character range"),
        ("*a*a*a*a*b", "more than 3 wildcards in one part"),
        ("a/" * 600, "longer than 1000 characters"),
    ],
)
def test_an_exclude_that_cannot_be_used_is_named(tmp_path: Path, pattern: str, reason: str) -> None:
    with pytest.raises(ScanError, match=r"exclude pattern .* is not usable") as caught:
        open_repository(tmp_path, (pattern,))
    assert reason in str(caught.value)
    with pytest.raises(IgnorePatternError):
        compiled([pattern])


def test_files_come_in_path_order_with_size_and_role(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "tests/t.py", text="12345")
    found = open_repository(tmp_path)
    assert [(f.path, f.size, f.role) for f in found.files] == [
        ("a/z.py", 5, Role.SOURCE),
        ("b.py", 5, Role.SOURCE),
        ("tests/t.py", 5, Role.TEST),
    ]
    assert list(found.by_path()) == ["a/z.py", "b.py", "tests/t.py"]


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(ScanError, match="cannot be read"):
        open_repository(tmp_path)
