from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import shell
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.trees import parse_tree
from tests.documents.hostile import mutations

SAMPLE = """\
#!/bin/bash
set -euo pipefail
cd app && X=1 pytest -q "tests/$A" 'b c' | tee log
python train.py --lr ${{ inputs.lr }} \\
   --epochs 3 > out.log 2>&1 || true
mypy . || { echo no; exit 1; }
if [ -f x ]; then dvc repro; elif foo; then bar; else baz; fi
f() { deploy "$1"; }
cat <<EOF | kubectl apply -f -
not a command $(x)
EOF
f prod &
Y=$(python get.py)
make  # not a command
"""


def one(text: str, name: str) -> shell.Command:
    """The only command of that name."""
    (command,) = [c for c in shell.parse(text).commands if c.words[0] == name]
    return command


def names(text: str) -> list[str]:
    return [command.words[0] for command in shell.parse(text).commands]


def test_commands_in_order() -> None:
    script = shell.parse(SAMPLE, first_line=11)
    assert [c.words[0] for c in script.commands] == (
        [
            "set",
            "cd",
            "pytest",
            "tee",
            "python",
            "true",
            "mypy",
            "echo",
            "exit",
            "[",
            "dvc",
            "foo",
            "bar",
            "baz",
            "deploy",
            "cat",
            "kubectl",
            "f",
            "python",
            "make",
        ]
    )
    assert (script.errexit, script.pipefail, script.functions) == (True, True, ("f",))
    assert script.variables == (("Y", "$(python get.py)"),)
    assert [c.line for c in script.commands][:6] == [12, 13, 13, 13, 14, 15]


def test_words() -> None:
    command = one(SAMPLE, "pytest")
    assert command.words == ("pytest", "-q", "tests/$A", "b c")
    assert command.assignments == (("X", "1"),)
    train = one(
        "python a.py --lr=${{ inputs.lr }} \"${{ x.y }}/a\" {{ jinja }} $'q' a\\ b ${X} pre'fix'$(date)", "python"
    )
    assert train.words == (
        ("python", "a.py", "--lr=${{ inputs.lr }}", "${{ x.y }}/a", "{{ jinja }}", "q", "a b", "${X}", "prefix$(date)")
    )


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("pytest\nif [ $? -ne 0 ]; then\n  exit 1\nfi\nls", True),
        ("pytest\nif [[ $? != @(0|5) ]]; then status=1; fi\nls\nexit $status", True),
        ("pytest\nrc=$?\ncat log\nexit $rc", True),
        ("pytest > log\nrc=$?  # kept\ncat log\n[ ${rc} -eq 0 ] || exit 1", True),
        ("pytest\ntest $? -eq 0 || exit 1\nls", True),
        ("pytest\nexit $?", True),
        ("pytest\necho $?\nexit 1", False),  # only shown
        ("pytest\nrc=$?\necho $rc", False),
        ("pytest\nrc=$?\nls\nexit 1", False),  # nobody asks for it
        ("pytest\nif [ $? -ne 0 ]; then echo bad; fi\nexit 0", False),
        ("pytest\nls\nif [ $? -ne 0 ]; then exit 1; fi", False),  # of another command
        ("pytest\n# if [ $? -ne 0 ]; then exit 1; fi\nls", False),
        ("(pytest; ls)\nif [ $? -ne 0 ]; then exit 1; fi", False),
    ],
)
def test_a_status_that_the_script_itself_asks_for(text: str, stops: bool) -> None:
    assert one(text, "pytest").stops is stops


def test_text_and_lines_of_a_continued_command() -> None:
    command = next(c for c in shell.parse(SAMPLE).commands if c.words[:2] == ("python", "train.py"))
    assert (command.line, command.end_line) == (4, 5)
    assert command.text.startswith("python train.py --lr ${{ inputs.lr }} --epochs 3")
    assert command.redirected


@pytest.mark.parametrize(
    ("text", "swallowed"),
    [
        ("pytest", ""),
        ("pytest || true", "|| true"),
        ("pytest || :", "|| :"),
        ("pytest || echo failed", "|| echo …"),
        ("pytest || exit 1", ""),
        ("pytest || exit 0", "|| exit …"),
        ("pytest || { echo no; exit 1; }", ""),
        ("pytest || (echo no; false)", ""),
        ("pytest | tee log", "piped without pipefail"),
        ("set -o pipefail\npytest | tee log", ""),
        ("echo a | pytest", ""),
        ("if pytest; then a; fi", "in a condition"),
        ("while pytest; do a; done", "in a condition"),
        ("until pytest; do a; done", "in a condition"),
        ("! pytest", "negated"),
        ("pytest &", "background &"),
        ("pytest && a", ""),
        ("pytest && a\nb", "left of && in the middle of the script"),
        ("a && pytest\nb", ""),
        ("(cd x; pytest) || true", "|| true"),
        ("{ pytest; } || true", "|| true"),
        ("a && pytest || true", "|| true"),
        ("echo $(pytest)", "in a substitution"),
        ("X=$(pytest)", ""),
        ("if a; then pytest; fi", ""),
        ("for i in 1; do pytest; done", ""),
        ("pytest > log 2>&1", ""),
        ("pytest > log || true", "|| true"),
        ("pytest <<EOF || true\nx\nEOF", "|| true"),
        ("pytest <<EOF | tee x\nx\nEOF", "piped without pipefail"),
        ("pytest <<EOF\n|| true\nEOF", ""),
        ("pytest '|| true'", ""),
        ("pytest # || true", ""),
    ],
)
def test_what_swallows_a_failure(text: str, swallowed: str) -> None:
    assert one(text, "pytest").swallowed == swallowed


@pytest.mark.parametrize(
    ("text", "errexit", "at"),
    [
        ("pytest", False, False),
        ("set -e\npytest", True, True),
        ("set -ex\npytest", True, True),
        ("set -o errexit\npytest", True, True),
        ("set -xo errexit\npytest", True, True),
        ("#!/bin/bash -e\npytest", True, True),
        ("#!/usr/bin/env -S bash -euo pipefail\npytest", True, True),
        ("#!/usr/bin/env python -e\npytest", False, False),
        ("set -e\nset +e\npytest", False, False),
        ("set -e\na\nset +e\npytest", True, False),
        ("a\nset -e\npytest", False, True),
        ("set -x\npytest", False, False),
        ("set -- -e\npytest", False, False),
        ("(set -e; a)\npytest", False, False),
        ("# set -e\npytest", False, False),
        ("echo set -e\npytest", False, False),
        ("f() { set -e; }\npytest", False, False),
        ("cd x\nset -eo pipefail\npytest", True, True),
        ("set -e\r\npytest\r\n", True, True),
    ],
)
def test_errexit(text: str, errexit: bool, at: bool) -> None:
    assert shell.parse(text).errexit is errexit
    assert one(text, "pytest").errexit is at


def test_errexit_and_pipefail_of_the_caller() -> None:
    script = shell.parse("pytest | tee x", errexit=True, pipefail=True)
    assert [(c.errexit, c.swallowed) for c in script.commands] == [(True, ""), (True, "")]


def test_a_function_gets_the_errexit_of_its_call() -> None:
    assert one("f() { pytest; }\nset -e\nf\n", "pytest").errexit
    assert one("f() { pytest; }\nset -e\nf\n", "pytest").function == "f"
    assert not one("f() { pytest; }\nf\nset -e\n", "pytest").errexit


@pytest.mark.parametrize(
    ("text", "conditional"),
    [
        ("if [ -f x ]; then pytest; fi", "[ -f x ]"),
        ("if a; then b; else pytest; fi", "! a"),
        ("if a; then b; elif c; then pytest; fi", "c"),
        ("cd x && pytest", "cd x"),
        ("a || pytest", "! a"),
        ("case $1 in test) pytest;; esac", "case $1 in test"),
        ("pytest", ""),
        ("for x in y; do pytest; done", ""),
    ],
)
def test_conditional(text: str, conditional: str) -> None:
    assert one(text, "pytest").conditional == conditional


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("a\npytest", True),
        ("pytest\na", False),
        ("a && pytest", True),
        ("a | pytest", True),
        ("pytest | a", False),
        ("if a; then pytest; fi", True),
        ("f() { pytest; }", False),
        ("pytest\n# end\n", True),
        ("pytest &", False),
        ("(a; pytest)", True),
        ("pytest > x", True),
    ],
)
def test_last(text: str, last: bool) -> None:
    assert one(text, "pytest").last is last


@pytest.mark.parametrize("character", ["\U00031860", "\U0002c744", "\U0010ffff", "\U0001f600", "\u4e00", "\xa0", "é"])
@pytest.mark.parametrize("text", ["{%s", "${%s", "a {%s", "<<%s\nx\n%s\n", "%s=1", "echo $%s"])
def test_wide_characters_do_not_crash_the_grammar(text: str, character: str) -> None:
    shell.parse(text.replace("%s", character))


def test_the_grammar_never_sees_a_wide_character() -> None:
    seen = parse_tree("{\U0002c744 é".encode(), "bash").root_node.text
    assert seen is not None and seen.isascii() and len(seen) == len("{\U0002c744 é".encode())


def test_wide_characters_stay_in_the_words() -> None:
    assert one("pytest 'é \U00031860' x日本", "pytest").words == ("pytest", "é \U00031860", "x日本")


def test_redirects_and_here_documents() -> None:
    a, b = shell.parse("a && b > log").commands
    assert (a.redirected, b.redirected) == (False, True)
    assert one("cat <<EOF\npytest\nEOF", "cat").heredoc
    assert names("cat <<'EOF' > x\npytest\nEOF\nls") == ["cat", "ls"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("diff <(sort a) b", ["diff", "sort"]),
        ("echo `date`", ["echo", "date"]),
        ("for i in $(ls); do a; done", ["ls", "a"]),
        ("export A=$(b)", ["export", "b"]),
        ("$(Build.SourcesDirectory)/run.sh", ["$(Build.SourcesDirectory)/run.sh"]),
        ("{% if x %}\na\n{% endif %}\nb", ["a", "b"]),
        ("[[ $A -gt 1 ]] || exit 1", ["[[", "exit"]),
        ("((a > 1)) && b", ["((", "b"]),
        ("A=1", []),
        ("# pytest", []),
        ("", []),
        ("if a; then\n  b\n", ["a", "b"]),
    ],
)
def test_what_is_a_command(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "$(" * 20000,
        "(" * 20000,
        "if x; then\n" * 5000,
        "a && " * 20000,
        '"' * 9999,
        "cat <<E\n" * 2000,
        "`" * 9999,
        "{ " * 20000,
        "$((" * 5000,
        "${a:-" * 10000,
        "a | " * 4900,
        "a | " * 20000,
        "! " * 20000,
    ],
)
def test_time_is_bounded(text: str) -> None:
    start = time.process_time()
    try:
        shell.parse(text)
    except DocumentError as error:
        assert "pipes" in error.reason or "nested deeper" in error.reason or "2000 commands" in error.reason
    assert time.process_time() - start < 10


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=200), mutations(SAMPLE), st.text("$(){}[]\"'`|&;<>\\\n ab!#=", max_size=100)))
def test_nothing_escapes(text: str) -> None:
    for command in shell.parse(text).commands:
        assert command.words
        assert 1 <= command.line <= command.end_line
        shell.unwrap(command.words)
        shell.inner(command.words)
