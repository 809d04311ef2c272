from __future__ import annotations

import ast
import contextlib
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import python
from mlops_scan.documents.node import DocumentError
from tests.documents.hostile import mutations

SAMPLE = '''\
"""Doc."""
import mlflow


@task
def train(x: int) -> None:
    """Text with
{{ braces }} and !bang
    """
    with mlflow.start_run():
        model.fit(
            x,
            y,
        )
    if x:
        return None
    else:
        raise ValueError("x")


class A:
    def f(self):
        return [i for i in range(3)]
'''


def calls(document: python.PythonDocument) -> dict[str, int]:
    """The name of every called function, with its line."""
    return {ast.unparse(n.func): n.lineno for n in ast.walk(document.tree) if isinstance(n, ast.Call)}


def test_a_file_that_parses_is_left_alone() -> None:
    document = python.parse(SAMPLE)
    assert document.repaired == ()
    assert document.lines[1] == "import mlflow"
    assert calls(document)["model.fit"] == 11


def test_warnings_are_not_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert python.parse("x = '\\d'\ny = 1 is 1\n").repaired == ()


def test_databricks() -> None:
    assert python.parse("# Databricks notebook source\nx = 1\n").databricks_notebook
    assert not python.parse("x = 1\n# Databricks notebook source\n").databricks_notebook


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('print "a", x', "print('a', x)"),
        ("print x,", "print(x)"),
        ('print >>f, "x"', "print(f, 'x')"),
        ('print "%s" % (\n  a)', "print('%s' % a)"),
        ("exec code", "exec(code)"),
        ("exec code in ns", "exec(code, ns)"),
        ('raise E, "m"', "raise E('m')"),
        ('raise E, "m", tb', "raise E('m', tb)"),
        ("x = 0777", "x = 511"),
        ("x = 10L", "x = 10"),
        ("x = a <> b", "x = a != b"),
        ("x = `y`", "x = repr(y)"),
        ('x = ur"é"', "x = 'é'"),
        ("def f(a, (b, c)):\n    pass", None),
        ("try:\n    f()\nexcept (A, B), e:\n    pass", "try:\n    f()\nexcept (A, B) as e:\n    pass"),
        ("if x:\n        a\n\tb", "if x:\n    a\n    b"),
    ],
)
def test_python_2(old: str, new: str | None) -> None:
    document = python.parse(f"{old}\nprint 'end'\nlast()\n")
    body = ast.unparse(ast.Module(document.tree.body[:-2], []))
    assert new is None or body == new
    assert calls(document)["last"] == old.count("\n") + 3
    assert document.repaired


def test_templates() -> None:
    text = (
        "from {{ cookiecutter.pkg }}.train import fit\n{% if cookiecutter.x %}\nclass {{ cookiecutter.n }}Model:\n"
        '    name = "{{ keep }}"\n    size = {{ y | default("a") }}\n{% endif %}\nfit(name)\n'
    )
    document = python.parse(text)
    assert ast.unparse(document.tree).split("\n")[0] == "from TEMPLATE.train import fit"
    assert "'{{ keep }}'" in ast.unparse(document.tree)
    assert calls(document)["fit"] == 7
    assert document.repaired == (1, 2, 3, 5, 6)


def test_magics() -> None:
    document = python.parse(
        "%matplotlib inline\n!pip install \\\n  foo\nfiles = !ls\n%time model.fit(x)\nfoo?\nif a:\n    !ls\nb()\n"
    )
    assert calls(document) == {"model.fit": 5, "b": 9}
    assert document.repaired == (1, 2, 3, 4, 5, 6, 8)


def test_conflict_markers_keep_both_sides() -> None:
    document = python.parse("a()\n<<<<<<< HEAD\nb()\n=======\nc()\n>>>>>>> x\nd()\n")
    assert calls(document) == {"a": 1, "b": 3, "c": 5, "d": 7}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a()\ndef f(x):\n    y = foo(\n    b(3)\n    return z\nc()\n", {"a": 1, "b": 4, "c": 6}),
        ("class A:\n    def g(self):\n        return 1 +\n    def h(self x):\n        b()\nc()\n", {"b": 5, "c": 6}),
        ("def f():\n\nb()\n", {"b": 3}),
        ("if x:  # why\nb()\n", {"b": 2}),
        ("def f():\n    if x:\n        a()\n      b()\n    c()\nd()\n", {"a": 3, "b": 4, "c": 5, "d": 6}),
        ("a()\n   b()\n   c()\nd()\n", {"a": 1, "b": 2, "c": 3, "d": 4}),
        ('a()\nx = """never closed\nc()\n', {"a": 1, "c": 3}),
        ("try:\n    a()\nexcept X Y:\n    b()\nfinally:\n    c()\n", {"a": 2, "b": 4, "c": 6}),
        ("a()\n)\nb()\n", {"a": 1}),
        ("a()\nx = = 1\nb(1,\n  2)\n", {"a": 1, "b": 3}),
        ("a()\n\0\nb()\n", {"a": 1, "b": 3}),
        ("a()\nx = " + "9" * 5000 + "\nb()\n", {"a": 1, "b": 3}),
        ("a()\r\nprint 1\r\nb()\r\n", {"a": 1, "print": 2, "b": 3}),
    ],
)
def test_broken_statements_cost_only_themselves(text: str, expected: dict[str, int]) -> None:
    document = python.parse(text)
    found = calls(document)
    assert {name: found.get(name) for name in expected} == expected
    assert document.repaired or "\0" in text


def test_a_broken_header_keeps_the_name() -> None:
    tree = python.parse("class A:\n    def g(self x):\n        return 1\n").tree
    assert isinstance(tree.body[0], ast.ClassDef)
    assert isinstance(tree.body[0].body[0], ast.FunctionDef)
    assert tree.body[0].body[0].name == "g"


def test_many_broken_statements_in_one_class() -> None:
    text = "class A:\n" + "    def f(self): return 1 +\n" * 200 + "    def last(self): b()\n"
    assert calls(python.parse(text))["b"] == 202


@pytest.mark.parametrize("text", ["This is prose.\nNot Python at all, really.\n", "<html>\n<body>\n", "{" * 50_000])
def test_nothing_parses(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        python.parse(text)
    assert caught.value.line >= 1


@pytest.mark.parametrize(
    "deep",
    [
        "y = a" + ".b" * 5000,
        "y = (" + "+\n".join(["a"] * 3000) + ")",
        "y = " + "-" * 50_000 + "1",
        "y = " + "not " * 50_000 + "1",
        "y = " + "1 if a else " * 20_000 + "2",
        "y = " + "lambda: " * 20_000 + "2",
        "y = " + "(" * 1000 + ")" * 1000,
    ],
)
def test_deep_expressions_cost_only_themselves(deep: str) -> None:
    document = python.parse(f"a()\n{deep}\nb()\n")
    assert calls(document) == {"a": 1, "b": deep.count("\n") + 3}
    ast.unparse(document.tree)


@pytest.mark.parametrize(
    "text",
    [
        "if a: pass\n" + "elif b: pass\n" * 20000,
        "the quick brown fox, jumps\n" * 5000,
        "print 'x' y\n" * 5000,
        "\\\n" * 10000,
        "if x:\n" * 3000,
        "{[(" * 60,
        "f'{" * 5000,
        "x = 1\n" * 350000,
    ],
)
def test_time_is_bounded(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(DocumentError):
        python.parse(text)
    assert time.process_time() - start < 10


def test_a_usual_file_is_fast() -> None:
    text = SAMPLE * 13
    start = time.process_time()
    for _ in range(5):
        python.parse(text)
    assert (time.process_time() - start) / 5 < 0.05


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(st.text(max_size=200), mutations(SAMPLE), mutations("print 'a', x\n%time f()\n!ls\nexcept X, e:\n" * 3))
)
def test_only_document_errors_escape(text: str) -> None:
    try:
        document = python.parse(text)
    except DocumentError:
        return
    count = len(document.lines)
    assert all(1 <= number <= count for number in document.repaired)
    for node in ast.walk(document.tree):
        assert getattr(node, "lineno", 1) <= count
