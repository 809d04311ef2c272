"""Walking up the folders of a path."""

from __future__ import annotations

import pytest

from mlops_scan.repository.folders import above, holds


@pytest.mark.parametrize(
    ("folder", "found"), [("", [""]), ("a", ["a", ""]), ("a/b/c.py", ["a/b/c.py", "a/b", "a", ""])]
)
def test_every_folder_above_comes_once_the_root_last(folder: str, found: list[str]) -> None:
    assert list(above(folder)) == found


@pytest.mark.parametrize(
    ("folder", "path", "expected"),
    [("", "a.py", True), ("a", "a/b/c.py", True), ("a", "ab/c.py", False), ("a/b", "a/c.py", False)],
)
def test_a_folder_holds_what_lies_in_it_by_whole_parts(folder: str, path: str, expected: bool) -> None:
    assert holds(folder, path) is expected
