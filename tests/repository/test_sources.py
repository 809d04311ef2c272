"""Every kind of source gives the files of its tree, whatever the tree holds and however it was made."""

from __future__ import annotations

import io
import os
import pickle
import stat
import subprocess
import sys
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlops_scan.code import workers
from mlops_scan.errors import ScanError
from mlops_scan.repository import archive as archives
from mlops_scan.repository.files import File, Folder
from mlops_scan.repository.listing import Repository, open_repository
from mlops_scan.repository.objects import ObjectStore
from mlops_scan.words import Role
from tests.repository.gitrepo import git, repository, write

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def contents(found: Repository) -> dict[str, bytes]:
    with found:
        return {file.path: file.read() for file in found.files}


def names(found: Repository) -> list[str]:
    with found:
        return [file.path for file in found.files]


def zipped(target: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return target


def tarred(target: Path, members: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(target, mode) as tar:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return target


# -- revisions ---------------------------------------------------------------------------------------------------------


def two_commits(root: Path) -> tuple[str, str]:
    repository(root, "a.py", "sub/b.py")
    first = git(root, "rev-parse", "HEAD")
    write(root, "a.py", "sub/deep/c.py", text="new\n")
    git(root, "rm", "-q", "sub/b.py")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "second")
    return first, git(root, "rev-parse", "HEAD")


FIRST = {"a.py": b"x\n", "sub/b.py": b"x\n"}
SECOND = {"a.py": b"new\n", "sub/deep/c.py": b"new\n"}


def test_a_revision_is_read_from_objects(tmp_path: Path) -> None:
    first, second = two_commits(tmp_path / "r")
    root = tmp_path / "r"
    git(root, "tag", "-a", "-m", "one", "v1", first)
    git(root, "branch", "feature/x", first)
    write(root, "a.py", "untracked.py", text="only in the work tree\n")
    for rev in ("HEAD~1", first, first[:10], "v1", "feature/x", "main^"):
        found = open_repository(root, rev=rev)
        assert found.revision == first
        assert contents(found) == FIRST
    found = open_repository(root, rev="HEAD")
    assert (found.revision, contents(found)) == (second, SECOND)


def test_a_folder_of_a_revision(tmp_path: Path) -> None:
    first, _ = two_commits(tmp_path / "r")
    assert contents(open_repository(tmp_path / "r/sub", rev="HEAD")) == {"deep/c.py": b"new\n"}
    assert contents(open_repository(tmp_path / "r/sub", rev=first)) == {"b.py": b"x\n"}
    with pytest.raises(ScanError, match="sub/deep is no folder in"):
        open_repository(tmp_path / "r/sub/deep", rev=first)


def test_a_bare_repository(tmp_path: Path) -> None:
    first, second = two_commits(tmp_path / "r")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    found = open_repository(tmp_path / "b.git")
    assert (found.revision, contents(found)) == (second, SECOND)
    assert contents(open_repository(tmp_path / "b.git", rev=first)) == FIRST
    assert contents(open_repository(f"file://{tmp_path}/b.git", rev="HEAD~1")) == FIRST
    assert contents(open_repository(f"file://{tmp_path}/r")) == SECOND


def test_an_empty_bare_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "b.git")
    found = open_repository(tmp_path / "b.git")
    assert (found.files, found.revision) == ((), None)


def test_a_shallow_clone_and_a_sha256_repository(tmp_path: Path) -> None:
    _, second = two_commits(tmp_path / "r")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tmp_path}/r", "shallow")
    for rev in (None, "HEAD"):
        found = open_repository(tmp_path / "shallow", rev=rev)
        assert (found.revision, contents(found)) == (second, SECOND)
    git(tmp_path, "init", "-q", "--object-format=sha256", "long")
    write(tmp_path / "long", "a.py")
    git(tmp_path / "long", "add", "a.py")
    git(tmp_path / "long", "commit", "-q", "-m", "first")
    found = open_repository(tmp_path / "long", rev="HEAD")
    assert contents(found) == {"a.py": b"x\n"}
    assert found.revision is not None
    assert len(found.revision) == 64


def test_a_partial_clone_fetches_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    two_commits(tmp_path / "r")
    git(tmp_path / "r", "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{tmp_path}/r", "part.git")
    with open_repository(tmp_path / "part.git") as found:
        assert [file.path for file in found.files] == list(SECOND)
        for file in found.files:
            with pytest.raises(OSError, match="not in this repository"):
                file.read()
    assert git(tmp_path / "part.git", "count-objects", "-v").count("count: 0")


def test_a_linked_work_tree_has_revisions(tmp_path: Path) -> None:
    first, _ = two_commits(tmp_path / "r")
    git(tmp_path / "r", "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert contents(open_repository(tmp_path / "side", rev=first)) == FIRST


def test_no_git_program_is_one_sentence_for_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_commits(tmp_path / "r")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    monkeypatch.setenv("PATH", str(tmp_path))
    for path, rev in ((tmp_path / "r", "HEAD"), (tmp_path / "b.git", None)):
        with pytest.raises(ScanError, match="there is no git program"):
            open_repository(path, rev=rev)


def test_a_folder_without_git_has_no_revisions(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    with pytest.raises(ScanError, match="is no git repository and has no revisions"):
        open_repository(tmp_path, rev="HEAD")
    with pytest.raises(ScanError, match="is no git repository"):
        open_repository(f"file://{tmp_path}")


def test_only_as_much_of_a_blob_is_read_as_is_wanted(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py")
    (root / "large.bin").write_bytes(os.urandom(5_000_000))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "large")
    with open_repository(root, rev="HEAD") as found:
        large, small = found.by_path()["large.bin"], found.by_path()["a.py"]
        assert large.size == 5_000_000
        assert large.read(256) == (root / "large.bin").read_bytes()[:256]
        assert small.read() == b"x\n"
        assert small.read(1) == b"x"
        assert small.read() == b"x\n"
        assert large.read() == (root / "large.bin").read_bytes()


def test_closing_ends_the_process_and_removes_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_commits(tmp_path / "r")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with open_repository(tmp_path / "r", rev="HEAD") as found:
        assert found.files[0].read()
        assert len(list((tmp_path / "temporary").iterdir())) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


# -- checkouts that differ from what is committed ----------------------------------------------------------------------


def as_tuples(found: Repository) -> list[tuple[str, int, Role, bool, bytes]]:
    with found:
        return [(file.path, file.size, file.role, file.lfs, file.read()) for file in found.files]


@pytest.mark.parametrize("setting", ["core.autocrlf", "attributes", "info"])
def test_line_ends_of_a_checkout_do_not_matter(tmp_path: Path, setting: str) -> None:
    root = repository(tmp_path / "r", "a.py", "data/d.csv")
    write(root, "a.py", text="one\ntwo $Id$\n")
    if setting == "attributes":
        write(root, ".gitattributes", text="*.py text eol=crlf ident\n*.csv text eol=crlf\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "text")
    git(tmp_path, "clone", "-q", "--no-checkout", "r", "c")
    if setting == "info":
        write(tmp_path / "c", ".git/info/attributes", text="* text eol=crlf\n")
    if setting == "core.autocrlf":
        git(tmp_path / "c", "config", "core.autocrlf", "true")
    git(tmp_path / "c", "checkout", "-q", "main")
    assert (tmp_path / "c/data/d.csv").read_bytes() == b"x\r\n"
    assert git(tmp_path / "c", "status", "--porcelain") == ""
    assert as_tuples(open_repository(tmp_path / "c")) == as_tuples(open_repository(tmp_path / "c", rev="HEAD"))
    write(tmp_path / "c", "a.py", text="changed\r\n")
    assert contents(open_repository(tmp_path / "c"))["a.py"] == b"changed\r\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [("* text=auto eol=lf", {"a.py"}), ("*.py ident", set()), ("* filter=tidy", set()), ("*.pt filter=lfs", {"a.py"})],
)
def test_what_no_attribute_has_changed_is_read_from_disk(tmp_path: Path, line: str, expected: set[str]) -> None:
    root = repository(tmp_path / "r", "a.py")
    write(root, "a.py", text="one # $Id$\n")
    write(root, ".gitattributes", text=line + "\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "text")
    git(tmp_path, "clone", "-q", "r", "c")
    with open_repository(tmp_path / "c") as found:
        assert {file.path for file in found.files if isinstance(file.source, Folder)} - {".gitattributes"} == expected


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_files_that_a_checkout_leaves_as_they_are_come_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hash_name: str
) -> None:
    root = tmp_path / "r"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", f"--object-format={hash_name}")
    write(root, "a.py", "empty.py", text="x = 1\n")
    write(root, "empty.py", text="")
    write(root, ".gitattributes", text="*.py filter=tidy\n*.ps1 text eol=crlf\n")
    write(root, "b.ps1", text="one\r\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    asked = []
    read = ObjectStore.read

    def noted(store: ObjectStore, name: str, limit: int) -> bytes:
        asked.append(name)
        return read(store, name, limit)

    monkeypatch.setattr(ObjectStore, "read", noted)
    with open_repository(root) as found:
        texts = {file.path: file.read() for file in found.files}
        assert found.by_path()["a.py"].read(3) == b"x ="
    assert (texts["a.py"], texts["empty.py"], texts["b.ps1"]) == (b"x = 1\n", b"", b"one\n")
    assert len(asked) == 1
    with open_repository(root) as found:
        (root / "a.py").write_bytes(b"y = 2\n")  # after the listing, which is what counts
        assert found.by_path()["a.py"].read() == b"x = 1\n"


@posix_only
def test_forked_processes_have_their_own_git(tmp_path: Path) -> None:
    root = tmp_path / "r"
    names = [f"{number}.py" for number in range(200)]
    repository(root)
    for name in names:
        write(root, name, text=f"x = {name!r}\n" * 50)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "files")
    with open_repository(root, rev="HEAD") as found:
        files = [file for file in found.files if file.path in names]
        expected = [(root / file.path).read_bytes() for file in files]
        assert files[0].read() == expected[0]  # so that there is a git to share
        assert all(file.source.shared for file in files)
        read: dict[int, bytes] = {}

        def own(number: int) -> None:
            read[number] = files[number].read()

        given = workers.share([1] * len(files), 2, lambda number: files[number].read(), own)
    assert given, "the other process has read nothing"
    assert [(given | read)[number] for number in range(len(files))] == expected


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 123456789\n"


def with_lfs(root: Path) -> Path:
    repository(root, "a.py")
    write(root, ".gitattributes", text="*.pt filter=lfs diff=lfs merge=lfs -text\n")
    for name in ("model.pt", "notes.txt"):
        (root / name).write_bytes(POINTER)
    (root / "small.pt").write_bytes(b"\x80" * 200)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "lfs")
    return root


def test_a_pointer_counts_with_the_size_that_it_states(tmp_path: Path) -> None:
    root = with_lfs(tmp_path / "r")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    git(tmp_path / "b.git", "archive", "-o", str(tmp_path / "a.zip"), "HEAD")
    git(tmp_path / "b.git", "archive", "-o", str(tmp_path / "a.tar"), "HEAD")
    expected = as_tuples(open_repository(root))
    assert [(path, size, lfs) for path, size, _, lfs, _ in expected] == [
        (".gitattributes", 41, False),
        ("a.py", 2, False),
        ("model.pt", 123456789, True),
        ("notes.txt", len(POINTER), False),
        ("small.pt", 200, False),
    ]
    for name in ("b.git", "a.zip", "a.tar"):
        assert as_tuples(open_repository(tmp_path / name)) == expected
    assert as_tuples(open_repository(root, rev="HEAD")) == expected


@posix_only
def test_a_checkout_with_the_large_file_in_place_gives_the_same(tmp_path: Path) -> None:
    """What Git LFS does on checkout: a filter replaces the pointer, and the index remembers the large file."""
    root = with_lfs(tmp_path / "r")
    (root / "model.pt").unlink()
    git(root, "config", "filter.lfs.smudge", "sh -c 'cat >/dev/null; head -c 5000 /dev/zero'")
    git(root, "config", "filter.lfs.clean", f"cat >/dev/null; git cat-file blob {git(root, 'rev-parse', ':model.pt')}")
    git(root, "checkout", "-q", "--", "model.pt")
    assert (root / "model.pt").stat().st_size == 5000
    with open_repository(root) as found:
        model = found.by_path()["model.pt"]
        assert (model.size, model.lfs, model.read(20)) == (123456789, True, POINTER[:20])


def test_without_the_attribute_a_pointer_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(POINTER)
    assert [(file.size, file.lfs) for file in open_repository(tmp_path).files] == [(len(POINTER), False)]


def test_a_sparse_checkout_reads_the_rest_from_objects(tmp_path: Path) -> None:
    _, second = two_commits(tmp_path / "r")
    git(tmp_path, "clone", "-q", "r", "s")
    root = tmp_path / "s"
    git(root, "sparse-checkout", "set", "--cone", "nothing")
    assert not (root / "sub").exists()
    found = open_repository(root)
    assert found.notices == ("1 files outside the sparse checkout are read from git's objects",)
    assert (found.revision, contents(found)) == (second, SECOND)
    git(root, "sparse-checkout", "reapply", "--sparse-index")
    assert contents(open_repository(root)) == SECOND


# -- submodules --------------------------------------------------------------------------------------------------------


def with_submodules(tmp_path: Path) -> Path:
    allowed = ("-c", "protocol.file.allow=always")
    repository(tmp_path / "deep", "deep.py")
    inner = repository(tmp_path / "inner", "inner.py")
    git(inner, *allowed, "submodule", "add", "-q", str(tmp_path / "deep"), "deep")
    git(inner, "commit", "-q", "-m", "deep")
    root = repository(tmp_path / "r", "a.py")
    git(root, *allowed, "submodule", "add", "-q", str(inner), "libs/inner")
    git(root, "commit", "-q", "-m", "inner")
    git(root, *allowed, "submodule", "update", "-q", "--init", "--recursive")
    return root


def test_submodules_are_named_and_entered_on_demand(tmp_path: Path) -> None:
    root = with_submodules(tmp_path)
    own = [".gitmodules", "a.py"]
    deep = [".gitmodules", "a.py", "libs/inner/.gitmodules", "libs/inner/deep/deep.py", "libs/inner/inner.py"]
    for rev in (None, "HEAD"):
        found = open_repository(root, rev=rev)
        assert (names(found), found.notices) == (own, ("1 submodules are not entered (libs/inner)",))
        found = open_repository(root, rev=rev, submodules=True)
        assert found.revision == git(root, "rev-parse", "HEAD")
        assert found.notices == ()
        read = contents(found)
        assert list(read) == deep
        assert read["libs/inner/deep/deep.py"] == b"x\n"


def test_submodules_that_are_not_there_are_named(tmp_path: Path) -> None:
    root = with_submodules(tmp_path)
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    git(tmp_path, "clone", "-q", "r", "c")
    for path in (tmp_path / "b.git", tmp_path / "c"):
        found = open_repository(path, submodules=True)
        assert (names(found), found.notices) == (
            [".gitmodules", "a.py"],
            ("1 submodules are not entered (libs/inner)",),
        )
    git(root, "submodule", "deinit", "-q", "-f", "libs/inner")
    assert open_repository(root, submodules=True).notices == ("1 submodules are not entered (libs/inner)",)


@posix_only
def test_a_submodule_behind_a_link_is_not_entered(tmp_path: Path) -> None:
    root = with_submodules(tmp_path)
    (root / "libs").rename(root / "moved")
    (root / "libs").symlink_to(tmp_path)
    found = open_repository(root, submodules=True)
    assert "libs/inner/inner.py" not in names(found)


# -- archives ----------------------------------------------------------------------------------------------------------

TREE = {"train.py": b"print(1)\n", "src/a.py": b"a = 1\n", ".github/workflows/ci.yml": b"on: push\n"}
MODES = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def packed(folder: Path, kind: str, members: dict[str, bytes]) -> Path:
    target = folder / f"tree.{kind}"
    return zipped(target, members) if kind == "zip" else tarred(target, members, MODES[kind])


@pytest.mark.parametrize("top", ["", "repo-1.0/"])
@pytest.mark.parametrize("kind", ["zip", *MODES])
def test_an_archive(tmp_path: Path, kind: str, top: str) -> None:
    path = packed(tmp_path, kind, {top + name: data for name, data in TREE.items()})
    found = open_repository(path)
    assert (found.revision, found.notices, found.root) == (None, (), None)
    assert contents(found) == TREE
    plain = path.rename(tmp_path / "no-suffix")
    assert contents(open_repository(plain)) == TREE
    with pytest.raises(ScanError, match="is an archive and has no revisions"):
        open_repository(plain, rev="HEAD")


def test_a_folder_that_is_not_the_top_of_an_archive_stays(tmp_path: Path) -> None:
    assert names(open_repository(zipped(tmp_path / "a.zip", {".github/ci.yml": b"", ".github/x": b""}))) == [
        ".github/ci.yml",
        ".github/x",
    ]
    two = zipped(tmp_path / "b.zip", {"a/x.py": b"", "b/y.py": b""})
    assert names(open_repository(two)) == ["a/x.py", "b/y.py"]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_members_that_lead_out_of_an_archive(tmp_path: Path, kind: str) -> None:
    evil = {
        "../up.py": b"",
        "/etc/passwd": b"",
        "a/../../up.py": b"",
        "a//b.py": b"",
        ".git/config": b"",
        "ok/a.py": b"ok",
    }
    found = open_repository(packed(tmp_path, kind, {**evil, "b.py": b""}))
    assert contents(found) == {"ok/a.py": b"ok", "b.py": b""}
    assert found.notices == ("4 members of the archive have names that lead out of it; they are left out",)


def test_links_and_devices_of_a_tar_file_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, kind in (
            ("soft.py", tarfile.SYMTYPE), ("hard.py", tarfile.LNKTYPE), ("pipe.py", tarfile.FIFOTYPE),
            ("disk.py", tarfile.BLKTYPE), ("tty.py", tarfile.CHRTYPE), ("sub", tarfile.DIRTYPE),
        ):  # fmt: skip
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        tar.addfile(tarfile.TarInfo("./a.py"))
    assert names(open_repository(tmp_path / "a.tar")) == ["a.py"]


def test_links_of_a_zip_file_are_not_followed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        link = zipfile.ZipInfo("leak.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("a.py", "x")
    assert contents(open_repository(tmp_path / "a.zip")) == {"a.py": b"x"}


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_an_archive_that_unpacks_to_too_much(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_SMALL", 1_000_000)
    path = packed(tmp_path, kind, {"a.py": b"", "zeros.bin": bytes(5_000_000)})
    with pytest.raises(ScanError, match="too much for its size"):
        open_repository(path)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_an_archive_with_too_many_members(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 10)
    path = packed(tmp_path, kind, {f"{number}.py": b"" for number in range(11)})
    with pytest.raises(ScanError, match="has more than 10 members"):
        open_repository(path)


def test_a_header_that_claims_to_be_long_is_not_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 900_000_000
    (tmp_path / "a.tar").write_bytes(header.tobuf(tarfile.USTAR_FORMAT) + bytes(4096))
    with pytest.raises(ScanError, match=r"a header of 9\d+ bytes"):
        open_repository(tmp_path / "a.tar")


def test_a_zip_file_of_a_system_with_backslashes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("src/a.py", "b.py"):
            member = zipfile.ZipInfo(name)
            member.create_system = 0
            member.filename = name.replace("/", "\\")
            file.writestr(member, "x")
    assert contents(open_repository(tmp_path / "a.zip")) == {"b.py": b"x", "src/a.py": b"x"}


@pytest.mark.parametrize("kind", ["zip", *MODES])
def test_a_truncated_archive_is_one_sentence(tmp_path: Path, kind: str) -> None:
    path = packed(tmp_path, kind, {f"{number}.py": os.urandom(3000) for number in range(20)})
    path.write_bytes(path.read_bytes()[:20_300])
    try:
        found = open_repository(path)
    except ScanError as error:
        assert "is no archive that can be read" in str(error)
    else:
        assert kind == "tar"  # without compression nothing tells that members are lost but the last one's length
        with found:
            assert len(found.files) < 20


def test_a_member_that_is_broken_or_locked_loses_nothing_else(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"a.py": b"aaaa" * 9, "b.py": b"b"})
    data = bytearray(path.read_bytes())
    data[data.index(b"a.py") + 6] ^= 0xFF
    path.write_bytes(bytes(data))
    with open_repository(path) as found:
        with pytest.raises(OSError, match="the archive cannot give it"):
            found.by_path()["a.py"].read()
        assert found.by_path()["b.py"].read() == b"b"
    locked = bytearray(zipped(tmp_path / "l.zip", {"a.py": b"x"}).read_bytes())
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "l.zip").write_bytes(bytes(locked))
    with open_repository(tmp_path / "l.zip") as found, pytest.raises(OSError, match="the archive cannot give it"):
        found.files[0].read()


def _with_changes(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, value in changes:
        changed[place % len(changed)] = value
    return bytes(changed)


@pytest.mark.parametrize("kind", ["zip", *MODES])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(changes=[(1168, 64)])  # a zip file of a version to come
@given(changes=st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_archive_is_read_or_refused(tmp_path: Path, kind: str, changes: list[tuple[int, int]]) -> None:
    path = packed(tmp_path, kind, {**TREE, "ü.py": b"x" * 300})
    path.write_bytes(_with_changes(path.read_bytes(), changes))
    with suppress(ScanError), open_repository(path) as found:
        for file in found.files:
            with suppress(OSError):
                assert len(file.read(50)) <= 50


@pytest.mark.parametrize(
    "data", [b"", b"text\n", b"\x1f\x8bnonsense", b"BZhnonsense", b"\xfd7zXZ\0no", b"PK\x03\x04no"]
)
def test_a_file_that_is_no_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ScanError, match="no archive"):
        open_repository(tmp_path / "x")


@posix_only
def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ScanError, match="neither a folder nor a regular file"):
        open_repository(tmp_path / "pipe")


# -- the same everywhere -----------------------------------------------------------------------------------------------

ODD = [
    b"-rf.py", b"--help", b"a b.py", b"new\nline.py", b"esc\x1b[31m.py", b"tab\t.py", b"\xff\xfe.py",
    "ü.py".encode(), b'"q".py', b"*", b"d/-x", b"d/? y",
]  # fmt: skip


@posix_only
def test_odd_names_are_the_same_in_every_source(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    (root / "d").mkdir()
    for name in ODD:
        (root / os.fsdecode(name)).write_bytes(b"of " + name)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "odd")
    git(tmp_path, "clone", "-q", "--bare", "r", "b.git")
    for kind in ("zip", "tar", "tar.gz"):
        command = ["git", "archive", "--prefix=top/", "-o", str(tmp_path / f"a.{kind}"), "HEAD"]
        subprocess.run(command, cwd=root, check=True, capture_output=True)  # its warnings are no text
    expected = {os.fsdecode(name): b"of " + name for name in ODD}
    for source in ("r", "b.git", "a.zip", "a.tar", "a.tar.gz"):
        assert contents(open_repository(tmp_path / source)) == expected
    assert contents(open_repository(root, rev="HEAD")) == expected


def test_excludes_hold_for_every_source(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", "a.py", "docs/b.py", "data/d.csv")
    git(root, "archive", "-o", str(tmp_path / "a.zip"), "HEAD")
    for path, rev in ((root, None), (root, "HEAD"), (tmp_path / "a.zip", None)):
        found = open_repository(path, ("/docs/", "*.csv"), rev=rev)
        assert names(found) == ["a.py"]
        assert found.notices == ("excluded by configuration: 2 files (/docs/, *.csv)",)


def test_a_file_of_a_folder_can_be_sent_to_another_process(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    file = pickle.loads(pickle.dumps(open_repository(tmp_path).files[0]))
    assert file == File("a.py", 2, Role.SOURCE, Folder(str(tmp_path)))
    assert file.read() == b"x\n"


# -- URLs --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a repository behind an ssh command that stays on this machine."""
    two_commits(tmp_path / "r")
    git(tmp_path / "r", "tag", "v1", "HEAD~1")
    git(tmp_path / "r", "config", "uploadpack.allowAnySHA1InWant", "true")
    script = tmp_path / "ssh.sh"
    script.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return f"ssh://me@host.invalid{tmp_path}/r"


@posix_only
def test_a_url_is_fetched_without_history_and_kept(tmp_path: Path, ssh: str) -> None:
    found = open_repository(ssh)
    assert found.revision == git(tmp_path / "r", "rev-parse", "HEAD")
    assert contents(found) == SECOND
    kept = list((tmp_path / "cache/mlops-scan/repositories").iterdir())
    assert len(kept) == 1
    assert git(kept[0], "rev-list", "--all", "--count") == "1"
    assert contents(open_repository(ssh, rev="v1")) == FIRST
    assert contents(open_repository(ssh, rev=git(tmp_path / "r", "rev-parse", "HEAD~1"))) == FIRST
    assert contents(open_repository(ssh.replace("ssh://", "").replace("invalid/", "invalid:/"), rev="main")) == SECOND
    write(tmp_path / "r", "a.py", text="third\n")
    git(tmp_path / "r", "commit", "-q", "-am", "third")
    assert contents(open_repository(ssh))["a.py"] == b"third\n"


@posix_only
def test_a_url_can_leave_no_trace(tmp_path: Path, ssh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert contents(open_repository(ssh, keep=False)) == SECOND
    assert not (tmp_path / "cache").exists()
    assert list((tmp_path / "temporary").iterdir()) == []


@posix_only
@pytest.mark.parametrize(
    ("rev", "words"),
    [
        ("nowhere", "cannot be fetched: couldn't find remote ref nowhere"),
        ("HEAD~1", "only a branch, a tag or a whole commit id"),
        ("--upload-pack=touch", "not the name of one revision"),
    ],
)
def test_a_revision_that_a_url_cannot_give(ssh: str, rev: str, words: str) -> None:
    with pytest.raises(ScanError, match=words):
        open_repository(ssh, rev=rev)


@posix_only
def test_a_connection_that_fails_is_one_sentence(tmp_path: Path, ssh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "off.sh"
    complaint = "ssh: Could not resolve hostname host.invalid"
    script.write_text(f"#!/bin/sh\necho '{complaint}' >&2\nexit 255\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    with pytest.raises(ScanError) as caught:
        open_repository(ssh)
    assert str(caught.value) == f"{ssh} cannot be fetched: Could not resolve hostname host.invalid"


@posix_only
def test_a_fetch_asks_nothing(tmp_path: Path, ssh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a terminal nor a password program is there to ask."""
    script = tmp_path / "ask.sh"
    script.write_text(
        "#!/bin/sh\n(: </dev/tty) 2>/dev/null && touch canary\n"
        f"echo \"$GIT_TERMINAL_PROMPT $SSH_ASKPASS_REQUIRE\" > '{tmp_path}/asked'\nexit 1\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    with pytest.raises(ScanError):
        open_repository(ssh)
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "0 never\n"
    assert not list(tmp_path.rglob("canary"))


@posix_only
def test_the_environment_of_a_hook_does_not_redirect_a_fetch(
    tmp_path: Path, ssh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "other", "wrong.py")
    before = subprocess.run(["git", "show-ref"], cwd=other, capture_output=True, check=True).stdout
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / ".git/objects"))
    assert contents(open_repository(ssh)) == SECOND
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_OBJECT_DIRECTORY")
    assert subprocess.run(["git", "show-ref"], cwd=other, capture_output=True, check=True).stdout == before
