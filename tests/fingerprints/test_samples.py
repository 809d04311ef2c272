from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_scan.errors import RuleError
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.samples import check_roles, check_tool, claims, run_samples
from mlops_scan.rolerules import RoleRule
from mlops_scan.rulebook import Sample, load
from mlops_scan.words import Role
from tests.fingerprints.books import write_book

BOOK = load()
FAMILIES = sorted({tool.family for tool in BOOK.tools.values()})


@pytest.mark.parametrize("family", FAMILIES)
def test_every_sample_of_the_built_in_rules_holds(family: str) -> None:
    tools = [tool for tool in BOOK.tools.values() if tool.family == family]
    assert [failure for tool in tools for failure in check_tool(tool)] == []


def tool(**entry: object) -> dict[str, object]:
    return {"tools/t.yaml": {"family": "f", "tools": [{"id": "t", **entry}]}}


SIGNALS = [{"serves": "a/one", "does": ["train"], "calls": ["lib.f"]}]
GOOD = {"path": "m.py", "text": "import lib\nlib.f()\n", "expect": ["a/one", "does:train"]}
SILENT = {"path": "m.py", "text": "import lib\n", "expect": []}


def test_samples_that_hold(tmp_path: Path) -> None:
    assert run_samples(load(write_book(tmp_path, tool(signals=SIGNALS, samples=[GOOD, SILENT])))) == []


@pytest.mark.parametrize(
    ("samples", "failures"),
    [
        (
            [{**GOOD, "expect": ["a/one", "does:serve"]}, SILENT],
            ["f/t: sample 1 (m.py) lacks does:serve and wrongly claims does:train"],
        ),
        ([GOOD, {**GOOD, "expect": []}], ["f/t: sample 2 (m.py) wrongly claims a/one, does:train"]),
        ([GOOD, {**SILENT, "expect": ["a/one"]}], [
            "f/t: needs a sample that must match and one that must not",
            "f/t: sample 2 (m.py) lacks a/one",
        ]),
        ([GOOD], ["f/t: needs a sample that must match and one that must not"]),
        ([SILENT], ["f/t: needs a sample that must match and one that must not"]),
        ([], ["f/t: needs a sample that must match and one that must not"]),
    ],
)  # fmt: skip
def test_samples_that_do_not_hold(tmp_path: Path, samples: list[dict[str, object]], failures: list[str]) -> None:
    assert run_samples(load(write_book(tmp_path, tool(signals=SIGNALS, samples=samples)))) == failures


def test_a_tool_without_signals_needs_no_samples(tmp_path: Path) -> None:
    assert run_samples(load(write_book(tmp_path, tool(hints=["a/one"])))) == []


def test_rules_that_do_not_load_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="unknown key 'signal'"):
        run_samples(load(write_book(tmp_path, tool(signal=[]))))


_NOTEBOOK = json.dumps(
    {"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": ["import lib\n", "lib.f()"]}]}
)


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("m.py", "import lib\nlib.f()\n", {"a/one"}),
        ("m.py", "import lib\nprint lib.f()\n", {"a/one"}),
        ("m.ipynb", _NOTEBOOK, {"a/one"}),
        ("m.ipynb", "{", set()),
        ("m.py.tmpl", "import lib\nlib.f()\n", {"a/one"}),
        ("run.sh", "set -e\npoetry run tool go --now\n", {"does:train"}),
        ("run.sh", "echo tool go\n", set()),
        ("run.sh", "python -m tool go\n", set()),
        ("Dockerfile", "FROM x\nRUN tool go && rm x\n", {"does:train"}),
        ("Dockerfile", 'FROM x\nCMD ["tool", "go"]\n', {"does:train"}),
        ("Dockerfile", "FROM x\nLABEL a=tool go\n", set()),
        ("Makefile", "train:\n\t@tool go\n", {"does:train"}),
        ("Makefile", "train: tool go\n", set()),
        ("x.yaml", "key: value\n", {"does:serve"}),
        ("x.json", '{"key": "value"}', {"does:serve"}),
        ("x.toml", 'key = "value"\n', {"does:serve"}),
        ("x.yaml", "key: other\n", set()),
        ("tool.lock", "x", {"does:test"}),
        ("requirements.txt", "lib\n", set()),
        ("notes.txt", "tool go\n", set()),
    ],
)
def test_the_path_decides_the_parser(tmp_path: Path, path: str, text: str, found: set[str]) -> None:
    signals = [
        {"serves": "a/one", "calls": ["lib.f"]},
        {"does": "train", "commands": ["tool go"]},
        {"does": "serve", "keys": {"key": "value"}},
        {"does": "test", "files": ["tool.lock"]},
    ]
    book = load(write_book(tmp_path, tool(signals=signals)))
    assert claims(Matcher(book.tools.values()), Sample(path, text, frozenset())) == found


def test_samples_of_roles_are_run() -> None:
    rule = RoleRule(Role.VENDORED, folders=("vendor",), samples={"match": ("vendor/a.py", "b.py"), "other": ("c.py",)})
    assert list(check_roles([rule])) == ["roles/vendored: b.py is source"]
    assert "must match" in next(check_roles([RoleRule(Role.DATA, suffixes=(".csv",))]))
    marked = RoleRule(
        Role.GENERATED, markers=("generated",), samples={"match": (), "other": ("a",), "unmarked": ("# generated",)}
    )
    assert len(list(check_roles([marked]))) == 3
