"""Texts that are let go: what is still known of them, and that one scan sees one content."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.documents import texts
from mlops_scan.documents.store import Documents
from mlops_scan.repository.files import File, Folder
from mlops_scan.words import Role

_TEXT = "import torch  # mark\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose texts are many enough to be let go."""
    monkeypatch.setattr(texts, "_FEW", 0)
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(_TEXT)
    (tmp_path / "c.py").write_text("print()\n")
    return tmp_path


def _documents(folder: Path) -> Documents:
    source = Folder(str(folder))
    found = Documents(
        File(path.name, path.stat().st_size, Role.SOURCE, source) for path in sorted(folder.iterdir()) if path.is_file()
    )
    for path in found.files:
        found.text(path)
    return found


def test_what_was_asked_for_is_known_without_the_text(folder: Path) -> None:
    documents = _documents(folder)
    documents.expect(("mark", "other"))
    documents.release(["a.py", "b.py", "c.py"])
    for path in folder.iterdir():
        path.unlink()
    assert [documents.holds(path, "mark") for path in ("a.py", "b.py", "c.py")] == [True, True, False]
    assert not documents.holds("a.py", "other")
    assert documents.identity("a.py") == documents.identity("b.py") != documents.identity("c.py")


def test_the_text_is_read_again_and_counted_once(folder: Path) -> None:
    documents = _documents(folder)
    read = documents.files_read, documents.bytes_read, dict(documents.reads)
    documents.expect(("mark",))
    documents.release(["a.py"])
    assert documents.holds("a.py", "torch")
    assert documents.text("a.py") == _TEXT
    assert (documents.files_read, documents.bytes_read, documents.reads) == read


def test_a_file_that_changed_since_gives_nothing_and_keeps_its_fingerprint(folder: Path) -> None:
    documents = _documents(folder)
    before = dict(documents.reads)
    documents.expect(("mark",))
    documents.release(["a.py"])
    (folder / "a.py").write_text(_TEXT.replace("torch", "numpy"))
    assert documents.text("a.py") == ""
    assert documents.incomplete["a.py"].reason == "changed while it was scanned"
    assert documents.reads == before


def test_a_few_texts_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_FEW", 1_000)
    documents = _documents(folder)
    documents.expect(("mark",))
    documents.release(["a.py"])
    (folder / "a.py").unlink()
    assert documents.text("a.py") == _TEXT
    assert documents.holds("a.py", "mark")


def test_where_nobody_asks_for_them_there_are_no_fingerprints(folder: Path) -> None:
    documents = Documents([File("a.py", len(_TEXT), Role.SOURCE, Folder(str(folder)))], lasting=False)
    assert documents.text("a.py") == _TEXT
    assert documents.reads == {"a.py": b""}
    assert documents.files_read == 1


def test_of_texts_that_are_read_again_the_last_ones_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_AGAIN", len(_TEXT) + 1)
    documents = _documents(folder)
    documents.expect(("mark",))
    documents.release(["a.py", "b.py"])
    assert documents.text("a.py") == documents.text("b.py") == _TEXT  # there is room for one
    for path in folder.iterdir():
        path.unlink()
    assert documents.text("b.py") == _TEXT
    assert documents.text("a.py") == ""
