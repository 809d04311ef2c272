from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.fingerprints.match import Matcher
from mlops_scan.words import Confidence, Grade, Location
from tests.fingerprints.books import matcher_of, uses


def names(matcher: Matcher, text: str) -> list[str]:
    return [use.name for use in uses(matcher, text)]


def test_a_use_carries_what_its_signal_says(tmp_path: Path) -> None:
    matcher = matcher_of(
        tmp_path,
        {
            "serves": ["a/one"],
            "does": ["train", "save-model"],
            "calls": ["lib.fit"],
            "grade": "trace",
            "confidence": "low",
            "note": "why",
        },
    )
    (use,) = uses(matcher, "import lib as l\n\ndef f():\n    l.fit(\n        1)\n")
    assert (use.tool, use.name, use.scope) == ("t", "lib.fit", "f")
    assert use.location == Location("m.py", 4, 5)
    assert (use.serves, use.does) == (("a/one",), ("train", "save-model"))
    assert (use.grade, use.confidence, use.note) == (Grade.TRACE, Confidence.LOW, "why")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("import lib\nlib.f()", True),
        ("from lib import *\nf()", True),
        ("from lib import f\nf()", True),
        ("import lib\n", False),
        ("import lib\nlib.f", False),
        ("import lib\nlib.g()", False),
        ("lib.f()", False),
        ("def f(): pass\nf()", False),
        ("import lib\n# lib.f()", False),
        ("import lib\n'lib.f()'", False),
        ("import lib\nif False:\n    lib.f()", False),
    ],
)
def test_only_calls_count(tmp_path: Path, text: str, fits: bool) -> None:
    assert bool(names(matcher_of(tmp_path, {"calls": ["lib.f"]}), text)) is fits


@pytest.mark.parametrize(
    ("condition", "call", "fits"),
    [
        ({"with": {"name": True}}, "name='x'", True),
        ({"with": {"name": True}}, "name=x", True),
        ({"with": {"name": True}}, "", False),
        ({"with": {"name": True}}, "'x'", False),
        ({"with": {"name": True}}, "name=None", False),
        ({"with": {"name": True}}, "name=False", False),
        ({"with": {"mode": "online"}}, "mode='online'", True),
        ({"with": {"mode": "online"}}, "mode='offline'", False),
        ({"with": {"mode": "online"}}, "mode=x", False),
        ({"with": {"mode": ["a", "b"]}}, "mode='b'", True),
        ({"with": {"n": 3}}, "n=3", True),
        ({"with": {"rate": 0.5}}, "rate=0.5", True),
        ({"with": {"on": False}}, "on=False", True),
        ({"with": {"on": None}}, "on=None", True),
        ({"with": {"a": True, "b": True}}, "a=1", False),
        ({"without": {"mode": "disabled"}}, "mode='disabled'", False),
        ({"without": {"mode": "disabled"}}, "mode='online'", True),
        ({"without": {"mode": "disabled"}}, "", True),
        ({"without": {"mode": True}}, "mode=x", False),
        ({"without": {"mode": True}}, "mode=False", True),
        ({"with": {0: True}}, "7", True),
        ({"with": {0: True}}, "", False),
        ({"with": {0: True}}, "None", False),
        ({"with": {0: "*CREATE MODEL*"}}, "'x CREATE MODEL m AS'", True),
        ({"with": {0: "*CREATE MODEL*"}}, "'CREATE TABLE model'", False),
        ({"with": {0: "*CREATE MODEL*"}}, "x, 'CREATE MODEL m'", False),
        ({"with": {1: ["a", "b*"]}}, "x, 'bcd'", True),
        ({"with": {"to": "*wandb*"}}, "to=['tensorboard', 'wandb']", True),
        ({"without": {0: "*:latest"}}, "'x:latest'", False),
        ({"min_args": 2}, "1, b=2", True),
        ({"min_args": 2}, "1", False),
    ],
)
def test_keywords(tmp_path: Path, condition: dict[str, object], call: str, fits: bool) -> None:
    matcher = matcher_of(tmp_path, {"calls": ["lib.f"], **condition})
    assert bool(names(matcher, f"import lib\nlib.f({call})")) is fits


def test_keywords_through_constants(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"calls": ["lib.f"], "without": {"mode": "disabled"}})
    assert names(matcher, "import lib\nMODE = 'disabled'\nlib.f(mode=MODE)") == []


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("import lib\ndef f(m): m.fit()", True),
        ("from lib.sub import x\ndef f(m): m.fit()", True),
        ("import other\ndef f(m): m.fit()", False),
        ("def f(m): m.fit()", False),
        ("import lib\nimport other\nm = other.M()\nm.fit()", False),
    ],
)
def test_unknown_receivers_need_the_import(tmp_path: Path, text: str, fits: bool) -> None:
    assert bool(names(matcher_of(tmp_path, {"calls": ["?.fit"], "imports": ["lib"]}), text)) is fits


def test_wildcards_for_unknown_receivers(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"calls": ["?.fit_*"], "imports": ["lib"]})
    assert names(matcher, "import lib\nx[0].fit_cos()\nx[0].predict()") == ["?.fit_cos"]


def test_a_pattern_may_begin_with_a_wildcard(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"calls": ["*.read_csv", "py*.go"]})
    assert names(matcher, "import pandas, pyx\npandas.read_csv()\npyx.go()\nread_csv()\nx[0].read_csv()") == [
        "pandas.read_csv",
        "pyx.go",
    ]


def test_a_signature_counts_once_a_line(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"calls": ["lib.*", "lib.f"]}, {"does": ["train"], "calls": ["lib.f"]})
    found = uses(matcher, "import lib\nlib.f(); lib.f(); lib.g()\nlib.f()")
    assert [(use.location.line, use.serves, use.does) for use in found] == [
        (2, ("a/one",), ()),
        (2, (), ("train",)),
        (3, ("a/one",), ()),
        (3, (), ("train",)),
    ]


def test_all_calls_must_be_there(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"all_calls": ["lib.load", "lib.*.save"]})
    (use,) = uses(matcher, "import lib as l\n\ndef f():\n    l.x.save()\ndef g():\n    l.load()\n")
    assert (use.name, use.location, use.scope) == ("lib.x.save", Location("m.py", 4), "f")
    assert uses(matcher, "import lib\nlib.load()\n") == []


def test_all_calls_with_an_import(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"all_calls": ["?.backward", "?.step"], "imports": ["torch"]})
    assert len(uses(matcher, "import torch\ndef f(a, b):\n    a.backward()\n    b.step()\n")) == 1
    assert uses(matcher, "import other\ndef f(a, b):\n    a.backward()\n    b.step()\n") == []


def test_decorators_and_bases(tmp_path: Path) -> None:
    matcher = matcher_of(tmp_path, {"decorators": ["lib.{task,flow}"]}, {"does": ["train"], "bases": ["lib.**.Base"]})
    text = (
        "import lib\n@lib.task\ndef f(): pass\n@lib.flow(retries=2)\ndef g(): pass\n@lib.other\ndef h(): pass\n"
        "@lib.task\nclass C(lib.a.Base): pass\nclass D(Base): pass\n@task\ndef i(): pass\n"
    )
    assert [(use.name, use.location.line, use.scope) for use in uses(matcher, text)] == [
        ("lib.task", 3, "f"),
        ("lib.flow", 5, "g"),
        ("lib.task", 9, "C"),
        ("lib.a.Base", 9, "C"),
    ]


@pytest.mark.parametrize(
    ("files", "fits"),
    [
        ({"m.py": "import lib\nlib.f()", "lib.py": "def f(): pass"}, False),
        ({"m.py": "import lib\nlib.f()", "lib/__init__.py": "def f(): pass"}, False),
        ({"m.py": "from lib import f\nf()", "lib/__init__.py": "from .x import f", "lib/x.py": "def f(): pass"}, False),
        ({"m.py": "import lib\n@lib.task\ndef g(): pass", "lib.py": "def task(f): pass"}, False),
        ({"m.py": "import lib\nclass C(lib.Base): pass", "lib.py": "class Base: pass"}, False),
        ({"m.py": "import lib\ndef g(x): x.go()", "lib.py": ""}, False),
        ({"m.py": "import lib\nlib.f()", "other/lib.py": "def f(): pass"}, True),
        ({"m.py": "import lib\ndef g(x): x.go()", "other.py": ""}, True),
        ({"m.py": "import wrap\nwrap.lib.f()", "wrap.py": "import lib"}, True),
    ],
)
def test_the_own_modules_never_match(tmp_path: Path, files: dict[str, str], fits: bool) -> None:
    matcher = matcher_of(
        tmp_path,
        {"calls": ["lib.f"]},
        {"decorators": ["lib.task"]},
        {"bases": ["lib.Base"]},
        {"calls": ["?.go"], "imports": ["lib"]},
    )
    assert bool(uses(matcher, files)) is fits
