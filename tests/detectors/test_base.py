"""What detectors ask the context for is the same, however it is looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.detectors.base import LEARNS, Context
from mlops_scan.detectors.live import dead, live_nodes
from mlops_scan.documents.store import language_of
from tests.trees import context_of

TREE = {
    "train.py": "from model import fit\n\ndef main():\n    fit()\n\nif __name__ == '__main__':\n    main()\n",
    "model.py": "from sklearn.linear_model import Ridge\n\ndef fit():\n    Ridge().fit([[1]], [1])\n",
    "other.py": "import model\n\ndef nothing():\n    pass\n",
    "tests/test_model.py": "from model import fit\n\ndef test_fit():\n    assert fit() is None\n",
    "start.ipynb": json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": "import sklearn\nfrom plain import go\ngo()\n"}]}
    ),
    "plain.py": "import json\n\ndef go():\n    return json.dumps(1)\n",
    "lines.txt": "".join(f"line {number}\n" for number in range(1, 400)),
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return context_of(tmp_path_factory.mktemp("tree"), TREE)


@pytest.mark.parametrize("hops", [0, 1, 2, 14])
@pytest.mark.parametrize("activities", [LEARNS, frozenset({"predict"}), frozenset({"no such activity"})])
def test_reaches_is_the_first_use_that_is_reached(context: Context, activities: frozenset[str], hops: int) -> None:
    for path, module in context.index.modules.items():
        for scope in ("", "__main__", *module.functions):
            expected = context.does(list(context.index.reach([(path, scope)], hops)), activities)
            assert context.reaches([(path, scope)], activities, hops) == expected
            assert context.does(context.index.reach([(path, scope)], hops), activities) == expected


def test_lookups(context: Context) -> None:
    assert [path for path, _ in context.modules()] == [p for p in context.index.modules if not p.startswith("tests/")]
    assert {use.location.path for use in context.uses_in("model.py")} == {"model.py"}
    assert not context.uses_in("none.py")
    assert context.has_named("test_model.py")
    assert not context.has_named("tests/test_model.py")
    assert context.nodes_doing({"train"}) == {("model.py", "fit")}


def test_what_runs_may_lie_in_a_file_that_is_not_parsed(context: Context) -> None:
    nodes, names = live_nodes(context)
    assert nodes and "plain.py" not in context.index.modules
    assert {"main", "fit"} <= names
    assert not dead(context, "model.py", "fit")
    assert dead(context, "other.py", "nothing")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 450), max_size=20))
def test_lines_in_any_order(context: Context, lines: list[int]) -> None:
    context._ends.clear()
    for line in lines:
        assert context.line("lines.txt", line) == (f"line {line}" if 0 < line < 400 else "")


@pytest.mark.parametrize(("line", "text"), [(1, "a,b"), (3, "row 3"), (60_000, "row 60000"), (60_002, ""), (0, "")])
def test_lines_of_a_large_table(tmp_path: Path, line: int, text: str) -> None:
    rows = "".join(f"row {number}\n" for number in range(2, 60_001))
    context = context_of(tmp_path, {"train.py": TREE["model.py"], "table.csv": f"a,b\n{rows}"})
    assert [context.line("table.csv", line) for _ in range(2)] == [text, text]


FILES = {
    "README.md": "# x\n",
    "a/Makefile": "all:\n\techo 1\n",
    "a/makefile": "all:\n\techo 1\n",
    "a/values.YAML": "a: 1\n",
    "b/values.yml": "a: 1\n",
    "b/run.sh": "ls\n",
    "tests/values.yml": "a: 1\n",
    "z.json": "{}\n",
}


def test_files_are_looked_up_in_the_order_of_the_listing(tmp_path: Path) -> None:
    context = context_of(tmp_path, FILES)
    every, own = list(context.repository.files), list(context.files())
    assert context.named("values.yml") == [file for file in own if file.name == "values.yml"]
    assert context.named("z.json", "values.yml", aside=True) == [
        file for file in every if file.name in ("values.yml", "z.json")
    ]
    assert [file.path for file in context.named_alike(["makefile"])] == ["a/Makefile", "a/makefile"]
    assert context.ending((".yml", ".yaml")) == [file for file in own if file.suffix in (".yml", ".yaml")]
    assert context.ending(("",)) == [file for file in own if not file.suffix]
    assert context.written_in("yaml", "json", aside=True) == [
        file for file in every if language_of(file.path) in ("yaml", "json")
    ]


def test_runs_that_lead_to_something_and_commands(tmp_path: Path) -> None:
    steps = "".join(f"      - run: {line}\n" for line in ("ls", "python train.py", "ls", "echo a"))
    workflow = f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"
    context = context_of(tmp_path, {**TREE, ".github/workflows/a.yml": workflow})
    runs = context.automation.runs
    assert context.leading() == tuple(run for run in runs if run.uses or run.entries or run.tests or run.pipelines)
    assert 0 < len(context.leading()) < len(runs)
    assert list(context.commands()) == list(dict.fromkeys(run.words for run in runs))
    assert all(run is next(r for r in runs if r.words == words) for words, run in context.commands().items())


def test_a_long_text_that_is_in_memory_stays_there(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**TREE, "long.py": "x = 1\n" * 100_000})
    context.documents.text("long.py")
    assert context.line("long.py", 99_999) == "x = 1"
    assert context.documents.keeps("long.py")
    assert not context.documents.keeps("lines.txt")
    assert not context.documents.holds("long.py", "mark")


def test_a_text_that_was_let_go_unmarked_is_asked_again(tmp_path: Path) -> None:
    context = context_of(tmp_path, {**TREE, "table.csv": "a mark\n" * 100_000})
    context.documents.expect(["mark", "other"])
    assert context.line("table.csv", 1) == "a mark"
    assert not context.documents.keeps("table.csv")
    assert context.documents.holds("table.csv", "mark")
    assert not context.documents.holds("table.csv", "other")


def test_a_file_that_has_changed_since_has_no_lines(tmp_path: Path) -> None:
    long = "".join(f"row {number}\n" for number in range(1, 2_000))
    context = context_of(tmp_path, {"train.py": TREE["model.py"], "notes.txt": long})
    assert context.line("notes.txt", 1_500) == "row 1500"
    context.documents.let_go("notes.txt")
    (tmp_path / "notes.txt").write_text("other\n")
    assert [context.line("notes.txt", line) for line in (1, 2, 1_500, 1_999)] == [""] * 4
    assert context.documents.incomplete["notes.txt"].reason == "changed while it was scanned"


def test_of_a_set_of_code_the_first_by_its_place_is_told(tmp_path: Path) -> None:
    body = "from sklearn.linear_model import Ridge\n\n\n"
    body += "\n\n".join(f"def fit_{name}(x, y):\n    Ridge().fit(x, y)\n" for name in "abcdefgh")
    context = context_of(tmp_path, {"fits.py": body})
    nodes = {("fits.py", f"fit_{name}") for name in "hgfedcba"}
    found = (context.does(nodes, LEARNS), context.does(frozenset(nodes), LEARNS), context.reaches(nodes, LEARNS))
    assert [use.scope for use in found if use is not None] == ["fit_a"] * 3
