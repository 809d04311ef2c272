"""The cache file: what it keeps, and that nothing wrong with it ever shows."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_scan import cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder for each test."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def _opened() -> cache.Cache:
    found = cache.open_cache()
    assert found is not None
    return found


def test_what_was_put_is_found_by_the_next_run() -> None:
    first = _opened()
    first.put({b"a": b"one", b"b": b""})
    first.close()
    assert _opened().get([b"a", b"b", b"c"]) == {b"a": b"one", b"b": b""}


def test_more_keys_than_one_statement_holds() -> None:
    items = {str(number).encode(): b"v%d" % number for number in range(2300)}
    opened = _opened()
    opened.put(items)
    assert opened.get(items) == items


def test_a_value_that_was_changed_on_disk_is_not_found(folder: Path) -> None:
    opened = _opened()
    opened.put({b"a": b"one", b"b": b"two"})
    opened.close()
    with sqlite3.connect(next(folder.glob("facts-*"))) as connection:
        connection.execute("UPDATE entries SET value = ? WHERE key = ?", (b"x" * 40, b"a"))
    assert _opened().get([b"a", b"b"]) == {b"b": b"two"}


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all, but long enough to be read as one" * 20, b"\0" * 5000]
)
def test_a_damaged_file_is_replaced(folder: Path, content: bytes) -> None:
    _opened().close()
    next(folder.glob("facts-*")).write_bytes(content)
    opened = _opened()
    opened.put({b"a": b"one"})
    assert opened.get([b"a"]) == {b"a": b"one"}


def test_a_table_of_another_shape_is_replaced(folder: Path) -> None:
    folder.mkdir()
    with sqlite3.connect(folder / "facts-1.sqlite3") as connection:
        connection.execute("CREATE TABLE entries (other TEXT)")
    opened = _opened()
    opened.put({b"a": b"one"})
    assert opened.get([b"a"]) == {b"a": b"one"}


def test_a_folder_that_cannot_be_made_gives_no_cache(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in its place")
    assert cache.open_cache() is None
    assert cache.info().size == 0
    assert cache.clear() == 0


def test_a_link_in_place_of_the_file_is_not_followed(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "facts-1.sqlite3").symlink_to(tmp_path / "elsewhere")
    assert cache.open_cache() is None
    assert not (tmp_path / "elsewhere").exists()


def test_a_locked_file_is_done_without(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_LOCK_SECONDS", 0.05)
    opened = _opened()
    opened.put({b"a": b"one"})
    blocker = sqlite3.connect(next(folder.glob("facts-*")))
    blocker.execute("BEGIN EXCLUSIVE")
    opened.put({b"b": b"two"})
    assert opened.get([b"a"]) == {}
    blocker.rollback()
    assert opened.get([b"a", b"b"]) == {b"a": b"one"}


def test_the_file_stays_bounded_and_keeps_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 200_000)
    opened = _opened()
    for number in range(40):
        opened.put({b"%d" % number: os.urandom(20_000)})
    assert cache.info().size < 400_000
    assert b"39" in opened.get([b"39"])


def test_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mlops_scan import cache; cache.folder = lambda: Path(sys.argv[1]);"
        "c = cache.open_cache(); [c.put({f'{sys.argv[2]}-{n}'.encode(): b'v'}) for n in range(20)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(folder), str(number)]) for number in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    keys = [f"{writer}-{number}".encode() for writer in range(4) for number in range(20)]
    assert len(_opened().get(keys)) == len(keys)


def test_clear_leaves_nothing() -> None:
    _opened().put({b"a": b"one"})
    assert cache.info().entries == 1
    assert cache.clear() > 0
    assert cache.info() == cache.CacheInfo(cache.info().path, 0, 0)
