from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import toml
from mlops_scan.documents.node import DocumentError
from tests.documents.hostile import mutations

SAMPLE = """\
# c
title = "x"
[tool."a.b"]
v = 1.10 # [no]
day = 1979-05-27 07:32:00
deps = [
  "a", # x ]
  'b',
]
s = \"\"\"
[not.a.table]
\\\"\"" \"\"\"
t = { k = 1, m = [1,
 2] }
[[p]]
n = 1
[p.q]
z = 1
[[p]]
n = 2
"""


def test_values_and_lines() -> None:
    root = toml.parse(SAMPLE)
    lines = {path: (node.key_line, node.line, node.end_line) for path, node in root.walk()}
    assert lines["title",] == (2, 2, 2)
    assert lines["tool", "a.b"] == (3, 3, 14)
    assert lines["tool", "a.b", "deps"] == (6, 6, 9)
    assert lines["tool", "a.b", "deps", "[1]"] == (8, 8, 8)
    assert lines["tool", "a.b", "s"] == (10, 10, 12)
    assert lines["tool", "a.b", "t", "m", "[1]"] == (14, 14, 14)
    assert lines["p", "[0]", "q", "z"] == (18, 18, 18)
    assert lines["p", "[1]", "n"] == (20, 20, 20)


def test_scalars() -> None:
    root = toml.parse(SAMPLE)
    version = root.path("tool", "a.b", "v")
    assert version is not None and (version.value, version.text) == (1.1, "1.10")
    day = root.path("tool", "a.b", "day")
    assert day is not None and day.value == "1979-05-27T07:32:00"


@pytest.mark.parametrize(
    ("text", "line"), [("a = ", 1), ("x = 1\na = 2\na = 3", 3), ("\n[a", 2), ("a = 1\nb = = 2\nc = 3", 2)]
)
def test_broken(text: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        toml.parse(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 5000, "a" + ".a" * 100_000 + " = 1", "[a" + ".a" * 5000 + "]", "x={" * 5000]
)
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(DocumentError):
        toml.parse(text)


def test_many_dots_in_text_are_no_depth() -> None:
    assert toml.parse(f'a = "{"." * 500}"\n').keys() == ("a",)


def test_templates() -> None:
    root = toml.parse('[project]\nname = "{{ cookiecutter.x }}"\n{% if y %}\nv = {{ z }}\n{% endif %}\nw = 1\n')
    found = root.path("project", "w")
    assert found is not None and found.line == 6


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=200), mutations(SAMPLE), st.text("[]{}=.,\"'#\n ab1", max_size=100)))
def test_only_document_errors_escape(text: str) -> None:
    try:
        root = toml.parse(text)
    except DocumentError:
        return
    assert all(1 <= node.line <= node.end_line for _, node in root.walk(1000))
