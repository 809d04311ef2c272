from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_scan.documents import makefile
from mlops_scan.documents.node import DocumentError
from tests.documents.hostile import mutations

SAMPLE = """\
# c
PY ?= python
SRC = src \\
  lib
include common.mk
-include $(PY).mk
.PHONY: test all
ifeq ($(OS),x)
FLAGS := -a
else
FLAGS := -b
endif
all: test | dir
test lint: $(SRC) # why
\t@$(PY) -m pytest \\
\t  tests ${FLAGS} $(shell date) $$HOME $@ $<
\t-rm -f x

\t# comment
define run
\techo a
endef
test: export X = 1
a.o: a.c ; cc -c
%.o: %.c
\tcc
"""


def test_targets() -> None:
    parsed = makefile.parse(SAMPLE)
    assert [target.name for target in parsed.targets] == ["all", "test", "lint", "a.o", "%.o"]
    test = parsed.target("test")
    assert test is not None
    assert (test.prerequisites, test.line) == (("src", "lib"), 14)
    assert test.recipe == ((15, "python -m pytest tests -b $(shell date) $HOME test src"), (17, "rm -f x"))
    assert test.ignore_errors == (False, True)
    inline = parsed.target("a.o")
    assert inline is not None and inline.recipe == ((24, "cc -c"),)
    assert parsed.target("nothing") is None


def test_the_rest() -> None:
    parsed = makefile.parse(SAMPLE)
    assert parsed.default == "all"
    assert parsed.phony == ("test", "all")
    assert parsed.includes == ("common.mk", "python.mk")
    assert parsed.variables["SRC"] == "src lib"
    assert not parsed.oneshell


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("a: b\n", "a"),
        (".PHONY: x\nb:\n", "b"),
        (".DEFAULT_GOAL := c\na:\nc:\n", "c"),
        ("%.o: %.c\n", ""),
        ("X = 1\n", ""),
        ("X := a:b\n", ""),
        ("a := b\nb: c\n", "b"),
        ("", ""),
    ],
)
def test_default(text: str, default: str) -> None:
    assert makefile.parse(text).default == default


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("A = $(B)\nB = x\na:\n\t$(A)\n", "x"),
        ("a:\n\t$(UNKNOWN) y\n", "$(UNKNOWN) y"),
        ("A = 1\nA += 2\na:\n\t${A}\n", "1 2"),
        ("A = 1\nA ?= 2\na:\n\t${A}\n", "1"),
        ("A = $(A)\na:\n\tx $(A)\n", "x $(A)"),
        ("a:\n\t@-+ x\n", "x"),
        ("a:\n\t- x\n", "x"),
        ("A := x # c\na:\n\t$(A)y\n", "xy"),
        (".RECIPEPREFIX = >\na:\n> x\n", "x"),
        ("a:\r\n\tx\r\n", "x"),
        ("a::\n\tx\n", "x"),
        ("a:\n\n# c\n\tx\n", "x"),
        ("define R\nx\nendef\na:\n\t$(R)\n", "x"),
        ("a: X=1\na:\n\tx\n", "x"),
        ("a:\nifdef Y\n\tx\nendif\n", "x"),
    ],
)
def test_recipes(text: str, command: str) -> None:
    target = makefile.parse(text).target("a")
    assert target is not None
    assert [recipe for _, recipe in target.recipe] == [command]


def test_special_targets() -> None:
    parsed = makefile.parse(".ONESHELL:\n.IGNORE:\na:\n\tx\n")
    assert parsed.oneshell
    assert parsed.targets[0].ignore_errors == (True,)


def test_expansion_is_bounded() -> None:
    bomb = "".join(f"A{i} = {f'$(A{i + 1})' * 20}\n" for i in range(40)) + "a:\n" + "\t$(A0)\n" * 200
    start = time.process_time()
    with pytest.raises(DocumentError, match=r"expand to more than 5 MB|200000 replacements") as caught:
        makefile.parse(bomb + "b:\n\tpython train.py\n")
    assert caught.value.partial.target("b").recipe == ((243, "python train.py"),)
    assert time.process_time() - start < 5


def test_rules_of_one_name_are_one_target() -> None:
    text = "a: b\n\techo 1\na: c\n"
    assert makefile.parse(text).merged()["a"] == makefile.parse(text).target("a")
    assert makefile.parse(text).merged()["a"].prerequisites == ("b", "c")


def test_targets_are_bounded() -> None:
    with pytest.raises(DocumentError, match="more than 2000 targets") as caught:
        makefile.parse("".join(f"t{n}:\n\tx\n" for n in range(2_010)))
    assert caught.value.partial.target("t0").recipe == ((2, "x"),)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=200), mutations(SAMPLE), st.text("ab:=$(){}\t\n @-#\\%;", max_size=100)))
def test_never_raises(text: str) -> None:
    parsed = makefile.parse(text)
    for target in parsed.targets:
        assert len(target.recipe) == len(target.ignore_errors)
        assert parsed.target(target.name) is not None
