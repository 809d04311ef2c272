"""A kept report serves again exactly as long as nothing that it depends on has changed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlops_scan import cache
from mlops_scan.engine.report import Report
from mlops_scan.engine.results import _unpickled
from mlops_scan.engine.scan import ScanOptions, scan
from mlops_scan.repository.files import Folder

_TRAIN = "from sklearn.svm import SVC\nmodel = SVC().fit([[0], [1]], [0, 1])\n"


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages of all scans, one after the other; a report from the cache lists and does nothing else."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "cache")
    return []


def _scan(folder: Path, stages: list[str], **options: object) -> Report:
    stages.clear()
    return scan(folder, replace(ScanOptions(stage=stages.append), **options))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of two files."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(_TRAIN)
    (folder / "Makefile").write_text("train:\n\tpython train.py\n")
    return folder


def test_the_second_scan_is_the_first_one_s_report(project: Path, scans: list[str]) -> None:
    first = _scan(project, scans)
    assert "code" in scans
    assert _scan(project, scans) == first
    assert scans == ["list", "rules", "list"]


def test_another_content_of_the_same_size_counts(project: Path, scans: list[str]) -> None:
    _scan(project, scans)
    (project / "train.py").write_text(_TRAIN.replace("fit", "fat"))
    _scan(project, scans)
    assert "code" in scans


def test_a_new_file_a_changed_option_and_a_changed_program_count(
    project: Path, scans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _scan(project, scans)
    _scan(project, scans, ignore=("MLS101",))
    assert "code" in scans
    (project / "new.txt").write_text("x")
    _scan(project, scans)
    assert "code" in scans
    monkeypatch.setattr("mlops_scan.engine.results.program", lambda: b"another")
    _scan(project, scans)
    assert "code" in scans


def test_without_the_cache_nothing_is_kept(project: Path, scans: list[str]) -> None:
    _scan(project, scans, cache=False)
    assert not list(cache.folder().glob("facts-*"))
    _scan(project, scans, cache=False)
    assert "code" in scans


def test_nothing_is_written_into_the_tree(project: Path, scans: list[str]) -> None:
    before = sorted(project.rglob("*"))
    _scan(project, scans)
    assert sorted(project.rglob("*")) == before


def test_a_kept_report_cannot_name_foreign_code(tmp_path: Path) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no place in a report"):
        _unpickled(pickle.dumps(os.system))


def _read_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of folders that are read from now on."""
    read: list[str] = []
    plain = Folder.read

    def noted(self: Folder, path: str, limit: int) -> bytes:
        read.append(path)
        return plain(self, path, limit)

    monkeypatch.setattr(Folder, "read", noted)
    return read


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no time of change")
def test_files_that_nobody_touched_are_not_read_again(
    project: Path, scans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_scan.repository.folder._TICK", -(10**12))  # as if everything were old
    first = _scan(project, scans)
    read = _read_by(monkeypatch)
    assert _scan(project, scans) == first
    assert "train.py" not in read


def test_fresh_files_are_read_again_until_they_have_settled(
    project: Path, scans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _scan(project, scans)
    read = _read_by(monkeypatch)
    assert _scan(project, scans) == first
    assert "train.py" in read
    if sys.platform == "win32":
        return
    monkeypatch.setattr("mlops_scan.repository.folder._TICK", -(10**12))
    assert _scan(project, scans) == first  # remembers the stamps
    read.clear()
    assert _scan(project, scans) == first
    assert "train.py" not in read


def test_a_change_that_hides_behind_the_old_size_and_time_counts(
    project: Path, scans: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_scan.repository.folder._TICK", -(10**12))
    train = project / "train.py"
    before = train.stat()
    _scan(project, scans)
    train.write_text(_TRAIN.replace("fit", "fat"))
    os.utime(train, ns=(before.st_atime_ns, before.st_mtime_ns))
    _scan(project, scans)
    assert "code" in scans


def test_a_revision_is_told_by_its_blobs(project: Path, scans: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")):
        subprocess.run(("git", *command), cwd=project, check=True)
    first = _scan(project, scans, rev="HEAD")
    monkeypatch.setattr("mlops_scan.repository.objects.ObjectStore.read", None)  # nothing may ask for a content
    assert _scan(project, scans, rev="HEAD") == first
    assert scans == ["list", "rules", "list"]
