"""Texts that are let go: what is still known of them, and that one scan sees one content."""

from __future__ import annotations

import marshal
from pathlib import Path

import pytest

from mlops_scan.documents import texts
from mlops_scan.documents.store import Documents
from mlops_scan.repository.files import File, Folder, Texts
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


def test_a_text_let_go_without_a_look_is_read_again_for_its_marks(folder: Path) -> None:
    documents = _documents(folder)
    documents.expect(("mark",))
    documents.let_go("a.py", marked=False)
    assert documents.holds("a.py", "mark")
    documents.let_go("b.py", marked=False)
    (folder / "b.py").unlink()
    assert not documents.holds("b.py", "mark")


def test_marks_are_looked_for_when_a_text_is_read_again_here_or_in_another_process(folder: Path) -> None:
    documents, other = _documents(folder), _documents(folder)
    for store in (documents, other):
        store.expect(("mark",))
        store.let_go("a.py", marked=False)
        store.let_go("b.py", marked=False)
    assert documents.text("a.py") == _TEXT
    text, seen = other.observed("b.py", lambda: other.text("b.py"))
    documents.take("b.py", seen)
    for path in ("a.py", "b.py"):
        (folder / path).unlink()
        documents.forget(path)
    assert text == _TEXT
    assert documents.holds("a.py", "mark")
    assert documents.holds("b.py", "mark")
    assert not documents.incomplete


def test_of_long_texts_few_marks_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_LONG", 10)
    documents = _documents(folder)
    documents.expect(("mark",), ("torch",))
    documents.release(["a.py", "c.py"])
    assert documents.holds("a.py", "torch")
    assert documents.holds("a.py", "mark")
    (folder / "c.py").unlink()
    assert not documents.holds("c.py", "mark")


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


class TestBytes:
    """Notebooks, of which hardly anything needs decoding."""

    @staticmethod
    def _documents(folder: Path, data: bytes) -> Documents:
        (folder / "a.ipynb").write_bytes(data)
        (folder / "b.ipynb").write_bytes(data)
        source = Folder(str(folder))
        documents = Documents(File(name, len(data), Role.NOTEBOOK, source) for name in ("a.ipynb", "b.ipynb"))
        documents.expect(("mark",), ("other",))
        return documents

    def test_they_are_read_once_and_known_afterwards(self, tmp_path: Path) -> None:
        data = '{"é": "mark"}'.encode()
        documents = self._documents(tmp_path, data)
        assert documents.data("a.ipynb") == data == documents.content("a.ipynb")
        assert documents.text("a.ipynb") == data.decode()
        assert documents.identity("a.ipynb") == (documents.data("b.ipynb") and documents.identity("b.ipynb"))
        assert documents.bytes_read == 2 * len(data)
        (tmp_path / "b.ipynb").unlink()
        assert documents.holds("b.ipynb", "mark")

    def test_what_is_asked_of_texts_only_is_looked_for(self, tmp_path: Path) -> None:
        documents = self._documents(tmp_path, b'{"x": "other"}')
        assert documents.data("a.ipynb")
        assert documents.holds("a.ipynb", "other")
        assert not documents.holds("a.ipynb", "mark")

    @pytest.mark.parametrize(
        "data", ['{"x":\r\n "mark"}'.encode("utf-16"), b'{"x":\r "mark"}', b'\xef\xbb\xbf["mark\xff"]']
    )
    def test_other_encodings_and_line_ends_have_the_lines_of_their_text(self, tmp_path: Path, data: bytes) -> None:
        documents = self._documents(tmp_path, data)
        assert documents.data("a.ipynb") == data
        assert documents.holds("a.ipynb", "mark")
        content = documents.content("a.ipynb")
        assert content == (data if b"\r" not in data else documents.text("a.ipynb"))

    def test_one_that_changed_gives_nothing(self, tmp_path: Path) -> None:
        documents = self._documents(tmp_path, b'{"x": "mark"}' + b" " * 3_000_000)
        assert documents.data("a.ipynb")
        assert documents.data("b.ipynb")  # there is room for one
        (tmp_path / "a.ipynb").write_bytes(b"{}")
        assert documents.data("a.ipynb") == b""
        assert documents.text("a.ipynb") == ""
        assert documents.incomplete["a.ipynb"].reason == "changed while it was scanned"


class TestOtherProcesses:
    """What another process has seen of a file is as if it had been read here."""

    def test_a_text(self, folder: Path) -> None:
        source = Folder(str(folder))
        there, here = (Documents([File("a.py", len(_TEXT), Role.SOURCE, source)]) for _ in range(2))
        for documents in (there, here):
            documents.expect(("mark", "other"))
        text, seen = there.observed("a.py", lambda: there.text("a.py"))
        assert text == _TEXT
        here.take("a.py", marshal.loads(marshal.dumps(seen)))
        assert (here.files_read, here.bytes_read, here.reads) == (1, len(_TEXT), there.reads)
        assert here.identity("a.py") == there.identity("a.py")
        assert here.text("a.py") == _TEXT
        assert here.files_read == 1
        (folder / "a.py").unlink()
        assert here.holds("a.py", "mark")

    def test_what_cannot_be_read_is_noted(self, tmp_path: Path) -> None:
        there, here = (Documents([File("a.py", 3, Role.SOURCE, Folder(str(tmp_path)))]) for _ in range(2))
        text, seen = there.observed("a.py", lambda: there.text("a.py"))
        here.take("a.py", seen)
        assert here.text("a.py") == text == ""
        assert here.incomplete == there.incomplete
        assert "cannot be read" in here.incomplete["a.py"].reason
        assert (here.files_read, here.reads) == (0, {"a.py": b""})

    def test_a_text_that_is_held_stays(self, folder: Path) -> None:
        here = Documents([File("a.py", len(_TEXT), Role.SOURCE, Folder(str(folder)))])
        assert here.text("a.py") == _TEXT
        _, seen = here.observed("a.py", lambda: here.text("a.py"))
        here.take("a.py", seen)
        (folder / "a.py").unlink()
        assert here.text("a.py") == _TEXT


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n1,2\n", True),
        (b"a,b\r\n1,2\r\n", True),
        (b"\n", True),
        (b"\x93NUMPY\x00\x01\n", True),
        (b"\x01\x02\x03\n" * 99, True),
        ("\u00e9,b\n".encode(), False),
        (b"\xef\xbb\xbfa,b\n", False),
        ("a,b\n".encode("utf-16"), False),
        (b"one line", False),
        (b"a" * 9000 + b"\n", False),
        (b"", False),
    ],
)
@pytest.mark.parametrize("role", [Role.DATA, Role.MODEL, Role.SOURCE])
def test_the_first_line_of_a_file_of_data_is_that_of_its_text(data: bytes, told: bool, role: Role) -> None:
    documents = Documents([File("a.dat", len(data), role, Texts({"a.dat": data}))])
    line = documents.first_line("a.dat")
    assert (line is not None) == (told and role is not Role.SOURCE)
    assert (documents.files_read, documents.bytes_read) == (
        (1, min(len(data), 8192)) if role is not Role.SOURCE else (0, 0)
    )
    if line is not None:
        assert line == documents.text("a.dat").partition("\n")[0]
        assert documents.first_line("a.dat") is None  # the text is there
        assert (documents.files_read, documents.bytes_read) == (1, len(data))


def test_the_first_line_of_other_files_is_not_told() -> None:
    files = [
        File("a.json", 3, Role.DATA, Texts({"a.json": b"{}\n"})),
        File("a.csv", 3, Role.DATA, Texts({"a.csv": b"a\n1"}), lfs=True),
        File("b.csv", 3, Role.DATA, Texts()),
    ]
    documents = Documents(files)
    assert [documents.first_line(path) for path in ("a.json", "a.csv", "b.csv", "c.csv")] == [None] * 4


def test_what_looks_at_every_file_is_done_once() -> None:
    asked = []

    def sizes(documents: Documents) -> dict[str, int]:
        asked.append(documents)
        return {path: file.size for path, file in documents.files.items()}

    first, second = (Documents([File(name, 3, Role.SOURCE, Texts())]) for name in ("a.json", "b.json"))
    assert first.once(sizes) is first.once(sizes)
    assert (first.once(sizes), second.once(sizes)) == ({"a.json": 3}, {"b.json": 3})
    assert asked == [first, second]
