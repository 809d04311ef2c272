"""Who emits a metric, asked for many metrics at once: each program is read once, and none that nobody needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.detectors.emitters import Emitters
from mlops_scan.detectors.keys import has_key
from mlops_scan.documents.node import Node
from tests.trees import ML, context_of

GO = 'metrics.Put("first_drift", value)\n'
TS = "put('second_drift', `third_drift`);\n"
MANY = tuple(f"metric_{number}" for number in range(40))


def _found(tmp_path: Path, tree: dict[str, str | bytes], *watched: str) -> dict[str, tuple[str, int]]:
    context = context_of(tmp_path, {**ML, **tree})
    emitters = Emitters(context, watched)
    return {name: (emitter.path, emitter.line) for name in watched for emitter in [emitters.of(name)]}


@pytest.mark.parametrize("others", [(), MANY], ids=["few", "many"])
def test_each_metric_is_found_in_the_first_program_that_names_it(tmp_path: Path, others: tuple[str, ...]) -> None:
    tree: dict[str, str | bytes] = {"a.go": "\n" + GO, "b.ts": TS, "c.go": GO}
    found = _found(tmp_path, tree, "third_drift", "first_drift", "none_drift", "second_drift", *others)
    assert {name: place for name, place in found.items() if place[0]} == {
        "third_drift": ("b.ts", 1),
        "first_drift": ("a.go", 2),
        "second_drift": ("b.ts", 1),
    }


@pytest.mark.parametrize("others", [(), MANY], ids=["few", "many"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("drift_score", b"\xef\xbb\xbfput('drift_score', x)\r\n"),
        ("drift_score", "put('drift_score', x)\n".encode("utf-16")),
        ("drift_größe", "put('drift_größe', x)\n".encode()),
        ("drift_größe", "put('drift_größe', x)\n".encode("latin-1")),
        ("drift_größe", "put('drift_größe', x)\n".encode("utf-16")),
        ("it's drift", b'put("it\'s drift", x)\n'),
        ("drift\nscore", b"put(`drift\r\nscore`, x)\n"),
    ],
)
def test_names_are_found_whatever_the_program_is_encoded_in(
    tmp_path: Path, name: str, text: bytes, others: tuple[str, ...]
) -> None:
    assert _found(tmp_path, {"put.ts": text}, name, *others)[name] == ("put.ts", 1)


def test_the_first_place_of_any_of_the_names_counts(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, "a.go": 'x := "second"\ny := "first"\n', "b.go": 'z := "first"\n'})
    found = Emitters(context, ["first", "second"]).of("first", "second")
    assert (found.path, found.line) == ("a.go", 1)


def test_a_rule_without_the_name_of_a_metric_has_no_emitter(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, "a.go": GO})
    found = Emitters(context, []).of()
    assert (found.what, found.path) == ("", "")


def test_no_program_is_read_behind_the_one_that_answers(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**ML, "a.go": GO, "b.go": TS, "c.go": "x\n"})
    emitters = Emitters(context, ["first_drift", "second_drift"])
    emitters.of("first_drift")
    assert "b.go" not in context.documents.reads
    emitters.of("second_drift")
    emitters.of("first_drift")
    assert "b.go" in context.documents.reads
    assert "c.go" not in context.documents.reads


def test_a_key_at_any_depth() -> None:
    scalar = Node("scalar", 1, 1)
    inner = Node("mapping", 1, 1, entries=(("inner", scalar),))
    document = Node("mapping", 1, 1, entries=(("list", Node("sequence", 1, 1, items=(scalar, inner))),))
    assert has_key(document, "inner".__eq__, 3)
    assert not has_key(document, "other".__eq__, 3)
    assert has_key(document, "other".__eq__, 2)  # it may lie behind what was looked at
