"""Trees of nodes as plain values: the same nodes after a journey to another process."""

from __future__ import annotations

import marshal
from pathlib import Path

import pytest
from hypothesis import given, settings

from mlops_scan.documents import flat, yaml
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.store import Documents
from mlops_scan.repository.files import File, Folder
from mlops_scan.words import Role
from tests.documents.hostile import mutations

_TEXT = """\
name: a  # why
on: {push: }
x: &x [1, 2.5, true, 'q', ~]
y: *x
z: !tag |
  two
  lines
---
- <<: {a: 1}
  b: 2
"""


def _same(one: Node, other: Node) -> bool:
    fields = ("kind", "line", "end_line", "key_line", "value", "text", "tag", "style")
    return (
        all(getattr(one, name) == getattr(other, name) for name in fields)
        and type(one.value) is type(other.value)
        and one.keys() == other.keys()
        and len(one.items) == len(other.items)
        and all(_same(a, b) for (_, a), (_, b) in zip(one.entries, other.entries, strict=True))
        and all(_same(a, b) for a, b in zip(one.items, other.items, strict=True))
    )


def _there_and_back(found: tuple[Node, ...]) -> tuple[Node, ...]:
    return flat.nodes(marshal.loads(marshal.dumps(flat.flat(found))))


@settings(max_examples=200, deadline=None)
@given(mutations(_TEXT))
def test_nodes_come_back_as_they_were(text: str) -> None:
    try:
        found = yaml.parse(text)
    except DocumentError as error:
        found = error.partial
    back = _there_and_back(found)
    assert len(back) == len(found)
    assert all(_same(one, other) for one, other in zip(found, back, strict=True))


def test_shared_nodes_stay_shared() -> None:
    levels = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    found = yaml.parse("a0: &a0 x\n" + levels)
    assert len(flat.flat(found)[0]) < 100
    assert _there_and_back(found)[0].get("a29") is not None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", _TEXT),
        ("a.json", '{"a": [1, {"b": null}]}'),
        ("a.toml", "[a]\nb = 1\n"),
        ("main.tf", 'resource "a" "b" {\n  c = 1\n}\n'),
        ("broken.yaml", "a: 1\n---\nb: [\n"),
        ("templates/x.yaml", "a: {{ .b }}\n{{- if c }}\n[\n"),
        ("blank.yaml", "\n"),
        ("gone.yaml", ""),
    ],
)
def test_what_another_process_has_read_is_as_if_read_here(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "templates").mkdir()
    if name != "gone.yaml":
        (tmp_path / name).write_text(text)
    file = File(name, len(text), Role.SOURCE, Folder(str(tmp_path)))
    there, here, alone = (Documents([file]) for _ in range(3))
    here.adopt(name, there.handed(name))
    expected = alone.nodes(name)
    assert len(here.nodes(name)) == len(expected)
    assert all(_same(one, other) for one, other in zip(here.nodes(name), expected, strict=True))
    for what in ("files_read", "bytes_read", "reads", "incomplete", "parsed", "unrendered"):
        assert getattr(here, what) == getattr(alone, what), what
    assert here.text(name) == alone.text(name)
