"""Repositories made to run something, to lead out of themselves or to keep a reader busy, by every way to read them.

Each case of the first test sets a trap: a command that leaves a canary. Where git by itself would spring it, the test
proves that in the end, so that a case cannot pass because its trap is broken.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_scan.errors import ScanError
from mlops_scan.repository import git as gitrun
from mlops_scan.repository.listing import Repository, open_repository
from tests.repository.gitrepo import ENVIRONMENT, git, repository, write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the traps are shell scripts")

SOURCES = ("folder", "rev", "bare", "file-url")
WALKED = ("git could not list this repository; its folder was walked with .gitignore instead",)


@dataclass(frozen=True)
class Trap:
    """Lines of the repository's configuration, hooks, or both; `{run}` is the script that leaves the canary."""

    name: str
    config: str = ""
    hooks: tuple[str, ...] = ()
    proof: str = ""  # a git command that springs it in the work tree
    more: Callable[[Path, Path], None] | None = None  # what else it needs: (git directory, script)


def _included(_: Path, script: Path) -> None:
    (script.parent / "evil.config").write_text(f"[core]\nfsmonitor = {script}\n", encoding="utf-8")


def _without_a_blob(git_dir: Path, _: Path) -> None:
    blob = git(git_dir, "rev-parse", "HEAD:sub/b.py")
    (git_dir / "objects" / blob[:2] / blob[2:]).unlink()


PROMISOR = """[extensions]
partialClone = o
[remote "o"]
url = {folder}
promisor = true
uploadpack = {run}
[protocol "file"]
allow = always
"""
TRAPS = [
    Trap("fsmonitor", "[core]\nfsmonitor = {run}", proof="status"),
    Trap("fsmonitor-watchman", "[core]\nfsmonitor = .git/hooks/fsmonitor-watchman", ("fsmonitor-watchman",), "status"),
    Trap(
        "hooks", hooks=("post-index-change", "pre-commit", "post-checkout", "reference-transaction"), proof="add a.py"
    ),
    Trap("hooks-path", "[core]\nhooksPath = {hooks}", proof="add a.py"),
    Trap("filter", '[filter "evil"]\nclean = {run}\nsmudge = {run}\nrequired = true', proof="status"),
    Trap("filter-process", '[filter "evil"]\nprocess = {run}', proof="status"),
    Trap("textconv", '[diff "evil"]\ntextconv = {run}', proof="diff"),
    Trap("diff-command", '[diff "evil"]\ncommand = {run}', proof="diff"),
    Trap("external-diff", "[diff]\nexternal = {run}", proof="diff"),
    Trap("merge-driver", '[merge "evil"]\ndriver = {run}\n[merge]\ndefault = evil'),
    Trap("alias", "[alias]\nspring = !{run}\nls-files = !{run}\nls-tree = !{run}", proof="spring"),
    Trap("pager", "[core]\npager = {run}\n[pager]\nls-files = true\nls-tree = true\nrev-parse = true\ncat-file = true"),
    Trap("pager-command", "[pager]\nls-files = {run}\nls-tree = {run}\nrev-parse = {run}\ncat-file = {run}"),
    Trap("editor", "[core]\neditor = {run}\n[sequence]\neditor = {run}", proof="commit --allow-empty"),
    Trap(
        "ssh", '[core]\nsshCommand = {run}\n[remote "o"]\nurl = ssh://host.invalid/x\npromisor = true', proof="fetch o"
    ),
    Trap("git-proxy", '[core]\ngitProxy = {run}\n[remote "o"]\nurl = git://host.invalid/x', proof="fetch o"),
    Trap("ext", '[remote "o"]\nurl = ext::{run}\npromisor = true\n[protocol]\nallow = always', proof="fetch o"),
    Trap("transport-helper", '[remote "o"]\nvcs = evil\nurl = x\npromisor = true\n[protocol]\nallow = always'),
    Trap("credentials", "[credential]\nhelper = !{run}\n[core]\naskPass = {run}", proof="credential fill"),
    Trap("include", "[include]\npath = {folder}/evil.config", proof="status", more=_included),
    Trap("include-if", '[includeIf "gitdir:**"]\npath = {folder}/evil.config', proof="status", more=_included),
    Trap("alternate-refs", "[core]\nalternateRefsCommand = {run}"),
    Trap("pack-objects-hook", "[uploadpack]\npackObjectsHook = {run}"),
    Trap("signatures", "[gpg]\nprogram = {run}\n[log]\nshowSignature = true"),
    Trap("promisor", PROMISOR, proof="cat-file blob HEAD:sub/b.py", more=_without_a_blob),
    Trap("recursion", "[submodule]\nrecurse = true\n[core]\nfsmonitor = {run}", proof="status"),
]


def opened(root: Path, bare: Path, source: str) -> Repository:
    if source == "folder":
        return open_repository(root)
    if source == "rev":
        return open_repository(root, rev="HEAD")
    return open_repository(bare if source == "bare" else f"file://{bare}")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_nothing_of_a_repository_runs(tmp_path: Path, trap: Trap, source: str) -> None:
    root = repository(tmp_path / "r", "a.py", "sub/b.py")
    write(root, "sub/b.py", text="b\n")
    (root / ".gitattributes").write_text("* filter=evil diff=evil merge=evil ident\n", encoding="utf-8")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "attributes")
    bare = tmp_path / "r.git"
    git(tmp_path, "clone", "-q", "--bare", str(root), str(bare))
    canary, script, hooks = tmp_path / "canary", tmp_path / "run.sh", tmp_path / "hooks"
    script.write_text(f"#!/bin/sh\necho run >> '{canary}'\nexit 1\n", encoding="utf-8")
    script.chmod(0o755)
    hooks.mkdir()
    for folder in (root / ".git", bare):
        text = trap.config.format(run=script, hooks=hooks, folder=tmp_path)
        with (folder / "config").open("a", encoding="utf-8") as config:
            config.write(f"{text}\n")
        if "[extensions]" in text:
            known = (folder / "config").read_text(encoding="utf-8")
            (folder / "config").write_text(known.replace("formatversion = 0", "formatversion = 1"), encoding="utf-8")
        (folder / "hooks").mkdir(exist_ok=True)
        for place in (folder / "hooks", hooks):
            for hook in trap.hooks or ("post-index-change", "reference-transaction"):
                if trap.hooks or place == hooks:
                    (place / hook).write_bytes(script.read_bytes())
                    (place / hook).chmod(0o755)
        if trap.more is not None:
            trap.more(folder, script)
    write(root, "a.py", text="y\n")
    os.utime(root / "a.py", (1, 1))
    with opened(root, bare, source) as found:
        assert [file.path for file in found.files] == [".gitattributes", "a.py", "sub/b.py"]
        for file in found.files:
            if trap.name == "promisor" and file.path == "sub/b.py" and source != "folder":
                with pytest.raises(OSError, match="not in this repository"):
                    file.read()
            else:
                assert file.read()
        assert found.revision == git(tmp_path, f"--git-dir={bare}", "-c", "core.fsmonitor=", "rev-parse", "HEAD")
        assert found.notices == ()
    assert not canary.exists()
    if trap.proof and source == "folder":
        environment = {**ENVIRONMENT, "GIT_TERMINAL_PROMPT": "0"}
        subprocess.run(
            ["git", *trap.proof.split()], cwd=root, env=environment, check=False, capture_output=True,
            input=b"protocol=https\nhost=host.invalid\n\n",
        )  # fmt: skip
        assert canary.exists(), "git by itself does not spring this trap"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("entry", ["", "."])
def test_a_git_program_in_the_scanned_folder_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, entry: str
) -> None:
    root = repository(tmp_path / "r", "a.py")
    bare = tmp_path / "r.git"
    git(tmp_path, "clone", "-q", "--bare", str(root), str(bare))
    for folder in (root, bare):
        (folder / "git").write_text(f"#!/bin/sh\ntouch '{tmp_path}/canary'\n", encoding="utf-8")
        (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", entry + os.pathsep + os.environ["PATH"])
    monkeypatch.chdir(root)
    with opened(root, bare, source) as found:
        assert found.revision is not None
        for file in found.files:
            file.read()
    assert not (tmp_path / "canary").exists()


# -- revisions and URLs that are options -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["--output=canary", "-h", "--exec=touch canary", ":a.py", ":/first", "^HEAD", "HEAD..HEAD", "HEAD...HEAD", "", " ",
     "HEAD\nHEAD", "a\0b", "nowhere", "HEAD:a.py", "HEAD^{tree}", "HEAD~9", "@{u}", "refs/heads/*"],
)  # fmt: skip
def test_a_revision_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    root = repository(tmp_path / "r", "a.py")
    with pytest.raises(ScanError, match="revision"):
        open_repository(root, rev=name)
    assert sorted(path.name for path in root.iterdir()) == [".git", "a.py"]


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% canary",
        "ext::touch canary",
        "fd::17",
        "http://host.invalid/x.git",
        "ftp://host.invalid/x.git",
        "rsync://host.invalid/x",
        "file::/x",
        "evil::https://host.invalid/x",
        "ssh://-oProxyCommand=touch%20canary/x",
        "https://-x.invalid/x",
        "https:///x",
        "https://host.invalid/x\n--upload-pack=touch canary",
        "file://elsewhere/x",
    ],
)
def test_a_url_that_git_must_not_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gitrun, "execute", lambda *_, **__: pytest.fail("git was started"))
    with pytest.raises(ScanError):
        open_repository(url)
    assert list(tmp_path.iterdir()) == []


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"gitdir: \n", b"gitdir: /nowhere/.git\n", b"gitdir: .git\n", b"\xff\0gitdir: ..\n"]
)
def test_a_broken_git_file(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, "a.py")
    (tmp_path / ".git").write_bytes(content)
    found = open_repository(tmp_path)
    assert [file.path for file in found.files if file.path != ".git"] == ["a.py"]
    assert (found.revision, found.notices) == (None, WALKED)


def test_a_pipe_or_a_loop_in_the_place_of_the_git_folder(tmp_path: Path) -> None:
    for name in ("pipe", "loop"):
        root = tmp_path / name
        write(root, "a.py")
        if name == "pipe":
            os.mkfifo(root / ".git")
        else:
            (root / ".git").symlink_to(".git")
        found = open_repository(root)
        assert [file.path for file in found.files] == ["a.py"]
        assert found.revision is None


@pytest.mark.parametrize("name", ["HEAD", "config", "index", "packed-refs"])
def test_a_pipe_in_the_place_of_a_file_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(gitrun, "SECONDS", 1)
    root = repository(tmp_path / "r", "a.py")
    git(root, "pack-refs", "--all")
    (root / ".git" / name).unlink()
    os.mkfifo(root / ".git" / name)
    started = time.monotonic()
    assert [file.path for file in open_repository(root).files] == ["a.py"]
    if name != "index":
        with pytest.raises(ScanError, match="git cannot read HEAD"):
            open_repository(root, rev="HEAD")
    assert time.monotonic() - started < 20


def test_a_pipe_in_the_place_of_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops_scan.repository.objects._SECONDS", 0.5)
    root = repository(tmp_path / "r", "a.py", "b.py")
    write(root, "b.py", text="other\n")
    git(root, "commit", "-q", "-am", "second")
    with open_repository(root, rev="HEAD") as found:
        blob = git(root, "rev-parse", "HEAD:a.py")
        path = root / ".git/objects" / blob[:2] / blob[2:]
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(OSError, match=r"no answer within|not in this repository"):
            found.by_path()["a.py"].read()
        assert found.by_path()["b.py"].read() == b"other\n"


def test_a_broken_blob_loses_nothing_else(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py", "b.py")
    write(root, "b.py", text="other\n")
    git(root, "commit", "-q", "-am", "second")
    blob = git(root, "rev-parse", "HEAD:a.py")
    path = root / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"nonsense")
    with open_repository(root, rev="HEAD") as found:
        assert [file.path for file in found.files] == ["a.py", "b.py"]
        with pytest.raises(OSError, match="not in this repository"):
            found.by_path()["a.py"].read()
        assert found.by_path()["b.py"].read() == b"other\n"


def test_a_missing_folder_is_said_and_loses_nothing_else(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py", "sub/b.py")
    tree = git(root, "rev-parse", "HEAD:sub")
    (root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with open_repository(root, rev="HEAD") as found:
        assert [file.path for file in found.files] == ["a.py"]
        assert [(entry.path, entry.reason) for entry in found.incomplete] == [
            (".", "some of its folders are not in this repository")
        ]


def test_a_missing_commit(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    head = git(root, "rev-parse", "HEAD")
    (root / ".git/objects" / head[:2] / head[2:]).unlink()
    assert [file.path for file in open_repository(root).files] == ["a.py"]
    with pytest.raises(ScanError):
        open_repository(root, rev="HEAD")


def test_replaced_objects_and_grafts_have_no_effect(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    blob = git(root, "rev-parse", "HEAD:a.py")
    write(tmp_path, "other", text="replaced\n")
    other = git(root, "hash-object", "-w", str(tmp_path / "other"))
    git(root, "replace", blob, other)
    head = git(root, "rev-parse", "HEAD")
    write(root, "b.py")
    git(root, "add", "b.py")
    git(root, "commit", "-q", "-m", "second")
    second = git(root, "rev-parse", "HEAD")
    git(root, "replace", second, head)
    assert git(root, "ls-tree", "--name-only", "HEAD") == "a.py"
    with open_repository(root, rev="HEAD") as found:
        assert {file.path: file.read() for file in found.files} == {"a.py": b"x\n", "b.py": b"x\n"}


def test_alternates_are_only_read(tmp_path: Path) -> None:
    """What an alternate adds has to be known by its hash; the objects of a shared clone lie there."""
    root = repository(tmp_path / "r", "a.py")
    git(tmp_path, "clone", "-q", "--bare", "--shared", str(root), "shared.git")
    with open_repository(tmp_path / "shared.git") as found:
        assert {file.path: file.read() for file in found.files} == {"a.py": b"x\n"}
    (tmp_path / "shared.git/objects/info/alternates").write_text("/nowhere\n/dev/zero\n", encoding="utf-8")
    with pytest.raises(ScanError, match="the commit of HEAD is not in this repository"):
        open_repository(tmp_path / "shared.git")


# -- trees -------------------------------------------------------------------------------------------------------------


def tree_object(root: Path, *entries: tuple[str, bytes, str]) -> str:
    """A tree that git itself would refuse to write."""
    data = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    command = ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"]
    done = subprocess.run(command, cwd=root, env=ENVIRONMENT, input=data, check=True, capture_output=True)
    return done.stdout.decode().strip()


def test_names_that_lead_out_of_a_tree_are_left_out(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    blob = git(root, "rev-parse", "HEAD:a.py")
    inner = tree_object(root, ("100644", b"secret.py", blob))
    names = [
        ("40000", b"..", inner),
        ("40000", b".git", inner),
        ("100644", b"/etc/passwd", blob),
        ("40000", b".", inner),
    ]
    tree = tree_object(
        root, *names, ("100644", b"../up.py", blob), ("100644", b"ok.py", blob), ("40000", b"sub", inner)
    )
    git(root, "update-ref", "HEAD", git(root, "commit-tree", "-m", "evil", tree))
    with open_repository(root, rev="HEAD") as found:
        assert [file.path for file in found.files] == ["ok.py", "sub/secret.py"]


def test_an_endless_tree_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gitrun, "LISTING_BYTES", 2_000_000)
    root = repository(tmp_path / "r", "a.py")
    tree = git(root, "rev-parse", "HEAD^{tree}")
    for _ in range(10):
        tree = tree_object(root, *(("40000", f"{n}".encode(), tree) for n in range(10)))
    git(root, "update-ref", "HEAD", git(root, "commit-tree", "-m", "bomb", tree))
    started = time.monotonic()
    with pytest.raises(ScanError, match="more than 2 MB of names"):
        open_repository(root, rev="HEAD")
    assert time.monotonic() - started < 30


def test_links_in_a_tree_are_not_followed(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    (root / "leak.py").symlink_to("/etc/passwd")
    (root / "loop").symlink_to("loop")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "links")
    with open_repository(root, rev="HEAD") as found:
        assert [file.path for file in found.files] == ["a.py"]
