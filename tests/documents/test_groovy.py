"""Groovy: strings, comments, statements, groups, and calls; hostile text stays cheap."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents.groovy import Element, parse
from mlops_scan.documents.groovy_calls import Call, calls
from mlops_scan.documents.node import DocumentError


def shown(element: Element) -> object:
    """An element as plain data."""
    if element.kind == "{":
        return [[shown(e) for e in statement] for statement in element.statements]
    if element.items:
        return tuple(shown(e) for e in element.items)
    return element.text or element.kind


def statements(text: str) -> list[list[object]]:
    return [[shown(e) for e in statement] for statement in parse(text)]


def call(text: str) -> Call:
    """The first call of the first statement."""
    return next(calls(parse(text)[0]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", [["a", "b"]]),
        ("a; b\nc", [["a"], ["b"], ["c"]]),
        ("a /* b\n c */ d // e", [["a", "d"]]),
        ("#!/usr/bin/groovy\na", [["a"]]),
        ("a 'b // c' ", [["a", "b // c"]]),
        ("a {\n b\n c }", [["a", [["b"], ["c"]]]]),
        ("a\n{ b }", [["a", [["b"]]]]),
        ("a b,\n c", [["a", "b", ",", "c"]]),
        ("(a\nb)", [[("a", "b")]]),
        ("a\n .b()", [["a", ".", "b", "("]]),
        ("try { a }\ncatch (e) { b }\nc", [["try", [["a"]], "catch", ("e",), [["b"]]], ["c"]]),
        ("x -> \n a", [["x", "->"], ["a"]]),
        ("a = 'b' +\n 'c'", [["a", "=", "b", "+", "c"]]),
        ("a } b", [["a", "b"]]),
        ("a { b", [["a", [["b"]]]]),
        ("a 'b", [["a", "b"]]),
        ("a ==~ /x.*'/", [["a", "==~", "x.*'"]]),
        ("a / b / c", [["a", "/", "b", "/", "c"]]),
    ],
)
def test_statements(text: str, expected: list[object]) -> None:
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        ("'a\\'b'", "a'b", 1),
        ('"${x ? "y" : "z"} b"', '${x ? "y" : "z"} b', 1),
        ("'''a\nb'''", "a\nb", 1),
        ("'''\na\nb'''", "a\nb", 2),
        ('"""a "b" c"""', 'a "b" c', 1),
        ("'a\\nb'", "a; b", 1),
        ("$/a 'b' \"c\"/$", "a 'b' \"c\"", 1),
        ("'''a \\''' b'''", "a ''' b", 1),
        ("'a\\\\'", "a\\", 1),
    ],
)
def test_strings(text: str, value: str, line: int) -> None:
    ((element,),) = parse(text)
    assert (element.kind, element.text, element.text_line) == ("string", value, line)


def test_lines() -> None:
    (first, second) = parse("a '''\nx\ny\n'''\nb {\n c\n}")
    assert [(e.line, e.end_line) for e in first] == [(1, 1), (2, 4)]
    assert [(e.line, e.end_line) for e in second] == [(5, 5), (5, 7)]


@pytest.mark.parametrize(
    ("text", "name", "positional", "named", "blocks"),
    [
        ("sh 'x'", "sh", 1, [], 0),
        ("sh('x')", "sh", 1, [], 0),
        ("def r = sh(script: 'x', returnStatus: true)", "sh", 0, ["script", "returnStatus"], 0),
        ("String r = sh 'x'", "sh", 1, [], 0),
        ("return sh('x')", "sh", 1, [], 0),
        ("dir('a') { b() }", "dir", 1, [], 1),
        ("docker.image('a').inside('b') { c() }", "docker.image", 1, [], 0),
        ("parallel a: { x() }, b: { y() }", "parallel", 0, [], 2),
        ("parallel(['a': { x() }])", "parallel", 0, [], 1),
        ("node { a() }", "node", 0, [], 1),
    ],
)
def test_calls(text: str, name: str, positional: int, named: list[str], blocks: int) -> None:
    found = call(text)
    assert (found.name, len(found.arguments), [key for key, _ in found.named], len(found.blocks)) == (
        name, positional, named, blocks,
    )  # fmt: skip


def test_calls_on_results_and_in_arguments() -> None:
    found = list(calls(parse("docker.image('a').inside { b() }; f(g(1))")[0]))
    assert [(c.name, c.receiver is not None) for c in found] == [("docker.image", False), ("inside", True)]
    assert [c.name for c in calls(parse("f(g(1))")[0])] == ["f", "g"]


@pytest.mark.parametrize("text", ["x = 1", "a.b", "return x", "if (x)", "List<String> a = []", "new int[3]"])
def test_what_is_no_call(text: str) -> None:
    assert list(calls(parse(text)[0])) == []


@pytest.mark.parametrize(
    "text",
    [
        '"${' * 100_000, "'" * 200_000, "/*" * 100_000, '"""' * 60_000, "\\" * 300_000, "a/b " * 60_000, '["' * 60_000,
        "x\n" * 90_000, "'''\\" * 60_000, "a." * 90_000, "f(a," * 190, ")" * 190_000, "{}" * 90_000, "$/" * 90_000,
        '"""' + "\\" * 500_000 + '"""', "(" * 5_000, "a = /" * 40_000, "a " * 600_000,
    ],
)  # fmt: skip
def test_hostile_text_is_bounded(text: str) -> None:
    start = time.perf_counter()
    with contextlib.suppress(DocumentError):
        for statement in parse(text):
            list(calls(statement))
    assert time.perf_counter() - start < 20


def test_too_large_or_too_deep_is_refused() -> None:
    for text in ("a\n" * 600_000, "{" * 500):
        with pytest.raises(DocumentError):
            parse(text)


PIECES = st.sampled_from(
    ["sh ", "'x'", '"${y}"', "'''", '"""', "{", "}", "(", ")", "[", "]", "\n", ";", ",", ":", "=", "->", "if ", "else",
     "try", "catch", "stage", "//", "/*", "*/", "/", "$/", "\\", ".", "a", "1", "@A", "def ", "${", "$", "\u2028", "é"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_any_text_gives_statements_with_lines(pieces: list[str]) -> None:
    text = "".join(pieces)
    for statement in parse(text):
        for element in statement:
            assert 1 <= element.line <= element.end_line <= text.count("\n") + 1
        list(calls(statement))
