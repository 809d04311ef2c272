"""Entry points of other packages, found without the standard library where none names this program."""

from __future__ import annotations

import importlib.metadata
import sys
import zipfile
from pathlib import Path

import pytest

from mlops_scan.installed import entry_points

GROUP = "mlops_scan.detectors"
TEXT = f"[console_scripts]\nx = a:b\n\n[{GROUP}]\nzz = acme:z\naa = acme:a\n"


def _metadata(folder: Path, text: str, name: str = "acme-1.0.dist-info") -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (folder / name / "entry_points.txt").write_text(text)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with packages, in the place of all others."""
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), str(tmp_path / "none")])
    return tmp_path


def test_a_package_that_names_the_group(path: Path) -> None:
    _metadata(path, TEXT)
    assert [(e.name, e.value) for e in entry_points(GROUP)] == [("aa", "acme:a"), ("zz", "acme:z")]
    assert entry_points("mlops_scan.reports") == ()


def test_nothing_is_asked_where_no_package_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", None)
    _metadata(path, "[console_scripts]\nx = a:b\n")
    (path / "odd.dist-info").write_text("a file")
    assert entry_points(GROUP) == ()


def test_what_only_the_library_can_look_into(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(path / "acme.zip", "w") as archive:
        archive.writestr("acme-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        archive.writestr("acme-1.0.dist-info/entry_points.txt", TEXT)
    monkeypatch.setattr(sys, "path", [str(path / "acme.zip")])
    assert [e.name for e in entry_points(GROUP)] == ["aa", "zz"]


def test_other_finders_are_asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder(importlib.metadata.DistributionFinder):
        """Offers one package from nowhere."""

        def find_distributions(self, context: object = None) -> list[importlib.metadata.Distribution]:
            return [importlib.metadata.PathDistribution(path / "hidden" / "acme-1.0.dist-info")]

    _metadata(path / "hidden", TEXT)
    assert entry_points(GROUP) == ()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert [e.name for e in entry_points(GROUP)] == ["aa", "zz"]
