"""Which files attributes and settings may let differ from what git keeps of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_scan.repository.conversions import conversions

_FILES = ("a.py", "run.sh", "Makefile", "sub/a.py", "sub/RUN.SH", "sub/deep/data.bin", "other/x y.sh")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def _reached(tmp_path: Path, attributes: dict[str, bytes | str], folder: str = "") -> set[str]:
    """The files below a folder of a work tree that may differ, by the attributes in each place."""
    top = tmp_path / "top"
    for name, text in attributes.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    root = top / folder if folder else top
    names = [name.removeprefix(f"{folder}/") for name in (*_FILES, *attributes) if name.startswith(folder)]
    found = conversions(root, top, top / ".git", names)
    assert bool(found) == bool(found.scopes)
    return {name for name in names if ".git" not in name and found.reach(name)}


@pytest.mark.skipif(os.name == "nt", reason="there any file may be converted")
@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("*.py -diff\n*.sh linguist-generated\n", set()),
        ("# *.py text\n", set()),
        ("*.sh text eol=lf\n", {"run.sh", "sub/RUN.SH", "other/x y.sh"}),
        ("*.sh binary\n*.py text\n", {"a.py", "sub/a.py"}),
        ("\tMakefile\teol=lf\r\n", {"Makefile"}),
        ("/sub/*.py ident\n", {"a.py", "sub/a.py"}),  # more than git does, which costs time only
        ("sub/** filter=lfs\n", set(_FILES)),
        ("* text=auto\n", set(_FILES)),
        ("data.b[a-z]n text\n", set(_FILES) - {"a.py", "run.sh", "Makefile", "sub/a.py", "sub/RUN.SH", "other/x y.sh"}),
        ('"x y.sh" text\n', set(_FILES)),
        ("[attr]mine text\n", set(_FILES)),
        ("a\\.py text\n", set(_FILES)),
        (b"\xef\xbb\xbfMakefile text\n", {"Makefile"}),
        (b"a\x00b text\n", set(_FILES)),
        ("".join(f"*.x{number} text\n" for number in range(200)), set(_FILES)),
    ],
)
def test_what_a_line_speaks_of(tmp_path: Path, text: str | bytes, reached: set[str]) -> None:
    assert _reached(tmp_path, {".gitattributes": text}) == reached
    assert _reached(tmp_path, {".gitattributes": "", ".git/info/attributes": text}) == reached


@pytest.mark.skipif(os.name == "nt", reason="there any file may be converted")
def test_a_file_of_attributes_speaks_of_what_lies_below_it(tmp_path: Path) -> None:
    attributes: dict[str, bytes | str] = {"sub/.gitattributes": "* text\n", ".gitattributes": "*.bin -diff\n"}
    assert _reached(tmp_path, attributes) == {"sub/a.py", "sub/RUN.SH", "sub/deep/data.bin"}
    attributes[".gitattributes"] = "/sub/deep/*.bin filter=x\n"
    assert _reached(tmp_path, attributes, "sub/deep") == {"data.bin"}


def test_a_setting_speaks_of_all_files(tmp_path: Path) -> None:
    attributes = {"sub/.gitattributes": "*.sh text\n", ".git/config": "[core]\n\tautocrlf = input\n"}
    assert _reached(tmp_path, dict(attributes)) == set(_FILES)


def test_of_very_many_files_of_attributes_none_is_told_from_another(tmp_path: Path) -> None:
    assert _reached(tmp_path, {f"sub/{n}/.gitattributes": "*.sh text\n" for n in range(60)}) == set(_FILES)


def test_whether_a_file_may_differ_without_another_size(tmp_path: Path) -> None:
    for text, anyhow in (("* text\n", False), ("* filter=lfs\n", False), ("*.py filter=tidy\n", True)):
        (tmp_path / ".gitattributes").write_text(text)
        assert conversions(tmp_path, tmp_path, tmp_path / ".git", [".gitattributes"]).anyhow == anyhow
