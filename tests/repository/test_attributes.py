"""Hints of .gitattributes: git's own pattern rules, linguist's attributes, bounds."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops_scan.repository.attributes import MAX_LINES, Attributes
from mlops_scan.repository.listing import open_repository
from mlops_scan.words import Role
from tests.repository.gitrepo import git
from tests.trees import write_tree

PATTERNS = [
    "lib", "lib/", "lib/*", "lib/**", "/a.py", "*.py", "**/gen/*.py", "src/**/gen.py", "src/*.py", "a?.py",
    "[ab]b.py", "[!a]b.py", "**", "src/**", "/src/**/x/**", "gen", "src/lib", "\\*.py", '"a b.py"',
]  # fmt: skip
PATHS = [
    "a.py", "ab.py", "bb.py", "lib/a.py", "lib/deep/a.py", "src/a.py", "src/gen.py", "src/x/gen.py", "src/x/y/gen.py",
    "x/gen/a.py", "gen/a.py", "src/lib/a.py", "src/q/x/a.py", "*.py", "a b.py", "lib", "sub/src/a.py",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_match_what_git_matches(tmp_path: Path, pattern: str) -> None:
    git(tmp_path, "init", "-q")
    line = f"{pattern} linguist-vendored\n"
    (tmp_path / ".gitattributes").write_text(line)
    rows = git(tmp_path, "check-attr", "linguist-vendored", "--", *PATHS).splitlines()
    by_git = {path for path, row in zip(PATHS, rows, strict=True) if row.endswith(": set")}
    attributes = Attributes([("", line)])
    assert {path for path in PATHS if attributes.of(path) is not None} == by_git


@pytest.mark.parametrize(
    ("line", "roles"),
    [
        ("x/** linguist-vendored", {Role.VENDORED: True}),
        ("x/** linguist-vendored=true", {Role.VENDORED: True}),
        ("x/** -linguist-vendored", {Role.VENDORED: False}),
        ("x/** linguist-vendored=false", {Role.VENDORED: False}),
        ("x/** linguist-generated text=auto", {Role.GENERATED: True}),
        ("x/** linguist-documentation", {Role.DOCS: True}),
        ("x/** linguist-vendored\nx/** -linguist-vendored", {Role.VENDORED: False}),
        ("x/** linguist-vendored\nx/** !linguist-vendored", {}),
        ("[attr]theirs linguist-vendored -diff\nx/** theirs", {Role.VENDORED: True}),
    ],
)
def test_values(line: str, roles: dict[Role, bool]) -> None:
    hints = Attributes([("", line)]).of("x/a.py")
    assert hints is not None
    assert hints.roles == roles


@pytest.mark.parametrize(
    "line",
    ["# x/** linguist-vendored", "x/** linguist-language=Python", "!x/** linguist-vendored", "y/** linguist-vendored",
     "x linguist-vendored", "x/** text", "[attr]x/** linguist-vendored", ""],
)  # fmt: skip
def test_what_says_nothing(line: str) -> None:
    assert Attributes([("", line)]).of("x/a.py") is None


def test_the_deeper_file_wins_and_sees_only_its_folder() -> None:
    attributes = Attributes(
        [("x", "*.py -linguist-vendored\n/b.py linguist-generated"), ("", "x/** linguist-vendored")]
    )
    found = attributes.of("x/y/a.py")
    assert found is not None
    assert found.roles == {Role.VENDORED: False}
    assert attributes.of("a.py") is None
    assert attributes.of("b.py") is None
    assert (attributes.of("x/b.py") or found).roles == {Role.VENDORED: False, Role.GENERATED: True}


def test_a_whole_file_type_is_about_statistics_only() -> None:
    hints = Attributes([("", "*.ipynb linguist-generated")]).of("nb/train.ipynb")
    assert hints is not None
    assert (hints.roles, hints.uncounted) == ({}, True)


def test_too_many_lines_and_wild_patterns_are_left_out() -> None:
    many = "\n".join(f"f{n}/** linguist-vendored" for n in range(MAX_LINES + 5))
    assert Attributes([("", many)]).left_out == 5
    assert Attributes([("", "*a*a*a*a*b linguist-vendored\n**/**/**/**/a linguist-vendored")]).left_out == 2
    start = time.perf_counter()
    Attributes([("", "**/*a*a*ab linguist-vendored")]).of("a" * 250 + "/" + "a" * 250)
    assert time.perf_counter() - start < 5


@given(st.text(alphabet='a/*?[]!\\"{} -=#.', max_size=40))
@example("[=--]")
def test_any_text_is_survived(text: str) -> None:
    Attributes([("", f"{text} linguist-vendored\n{text}")]).of("a/a.a")


# -- applied to a listing ----------------------------------------------------------------------------------------------


def roles(folder: Path, attributes: str, *paths: str, nested: str = "") -> list[str]:
    """The roles of files, with `.gitattributes` at the root and in `pkg`."""
    tree = {**dict.fromkeys(paths, "x = 1\n"), ".gitattributes": attributes}
    if nested:
        tree["pkg/.gitattributes"] = nested
    found = open_repository(write_tree(folder, tree)).by_path()
    return [found[path].role.value for path in paths]


def test_hints_name_roles(tmp_path: Path) -> None:
    lines = "pkg/a/** linguist-vendored\npkg/b/** linguist-generated\npkg/c/** linguist-documentation\n"
    paths = ("pkg/a/x.py", "pkg/b/x.py", "pkg/c/x.py", "pkg/x.py")
    assert roles(tmp_path, lines, *paths) == ["vendored", "generated", "docs", "source"]


def test_hints_take_roles_back(tmp_path: Path) -> None:
    lines = "vendor/own/** -linguist-vendored\ndist/** linguist-generated=false\ndocs/** -linguist-documentation\n"
    paths = ("vendor/own/train.py", "vendor/other/x.py", "dist/a.py", "docs/train.py", "vendor/own/tests/t.py")
    assert roles(tmp_path, lines, *paths) == ["source", "vendored", "source", "source", "test"]


def test_a_nested_file_has_the_last_word(tmp_path: Path) -> None:
    got = roles(tmp_path, "pkg/** linguist-vendored\n", "pkg/a.py", "pkg/b.py", nested="a.py -linguist-vendored\n")
    assert got == ["source", "vendored"]


def test_what_is_in_force_is_not_taken_for_generated(tmp_path: Path) -> None:
    """Forges fold the differences of such files; the scan must still read them."""
    lines = "uv.lock linguist-generated\n.github/** linguist-generated linguist-vendored\nnb/** linguist-generated\n"
    paths = ("uv.lock", ".github/workflows/a.lock.yml", "nb/train.ipynb", "nb/x.py")
    assert roles(tmp_path, lines, *paths) == ["source", "source", "notebook", "generated"]


def test_undetectable_files_keep_their_role_and_are_not_counted(tmp_path: Path) -> None:
    tree = {
        ".gitattributes": "a/** linguist-detectable=false\n*.ipynb linguist-vendored\n",
        "a/x.py": "",
        "n.ipynb": "",
    }
    repository = open_repository(write_tree(tmp_path, {**tree, "b.py": ""}))
    assert repository.uncounted == {"a/x.py", "n.ipynb"}
    assert repository.by_path()["a/x.py"].role is Role.SOURCE
    assert repository.by_path()["n.ipynb"].role is Role.NOTEBOOK


def test_lines_that_are_not_honoured_are_said(tmp_path: Path) -> None:
    repository = open_repository(write_tree(tmp_path, {".gitattributes": "*a*a*a*a* linguist-vendored\n"}))
    assert any("1 lines of .gitattributes" in notice for notice in repository.notices)
