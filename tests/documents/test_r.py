"""R as a tree and as the Python that does the same: names, pipes, generics, what is not run, and hostile text."""

from __future__ import annotations

import ast
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_scan.code.build import Source, build
from mlops_scan.code.facts import Module
from mlops_scan.documents import r, rmarkdown
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.r_syntax import translated
from mlops_scan.documents.r_tokens import tokens


def python(text: str) -> str:
    """What R code is in Python, without the import of the root."""
    return ast.unparse(translated(r.parse(text).statements)).removeprefix("import R").strip()


def facts(text: str, path: str = "train.R") -> Module:
    """The facts of an R text."""
    module = build(Source(path, text)).module
    assert module is not None
    return module


def names(text: str) -> list[str]:
    """The names that an R text calls, in the order of their lines."""
    return [call.name for call in sorted(facts(text).calls, key=lambda call: call.line)]


def test_tokens() -> None:
    text = 'x <- r"-(a "b")-" # \'no\'\n`my var`[[\'k\']] %in% "a\\"b" |> f(1e-3L)'
    assert [(t.kind, t.text) for t in tokens(text)] == [
        ("name", "x"), ("op", "<-"), ("string", 'a "b"'), ("op", "\n"), ("quoted", "my var"), ("op", "[["),
        ("string", "k"), ("op", "]]"), ("op", "%in%"), ("string", 'a"b'), ("op", "|>"), ("name", "f"), ("op", "("),
        ("number", "1e-3L"), ("op", ")"), ("end", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("glmnet::cv.glmnet(x, y)", "import R.glmnet\nR.glmnet.cv.glmnet(x, y)"),
        ("m <- fn(a = 1, TRUE)\npredict(m, new)", "m = R._.fn(True, a=1)\nm.predict(new)"),
        ("m %>% fit(x, y)", "m.fit(x, y)"),
        ("m |> predict(object = other)", "other.predict(m)"),
        ("stats::predict(m, d)", "m.predict(d)"),
        ("rows %>% lm(y ~ x, data = .)", "R._.lm(..., data=rows)"),
        ("my.fit <- function(n, k = 2) n + k\nmy.fit(3)", "def my_fit(n, k=2):\n    return n + k\nmy_fit(3)"),
        ("x$y[1]$train(a)", "x.y[1].train(a)"),
        ("10 -> a; b = a", "a = 10\nb = a"),
        ("do.call(xgb.train, list(p, nrounds = 5))", "R._.xgb.train(p, nrounds=5)"),
        ('source(file.path("R", "fit.R"))', "R._.source('R/fit.R')"),
        ("if (score < 0.8) stop('low') else ok()", "if score < 0.8:\n    raise R._.stop('low')\nelse:\n    R._.ok()"),
        ("for (i in 1:3) { next }", "for i in 1 + 3:\n    continue"),
        ("d[d$auc > 0.8, ]", "d[d.auc + 0.8]"),
        ("quit(status = 1)", "sys.exit(status=1)"),
        ("f <- function() { if (a) b() else c() }",
         "def f():\n    if a:\n        return R._.b()\n    else:\n        return []"),
        ("-x^2 != !y", "-(x + 2) != (not y)"),
        ('"m" <- \\(x) x', "def m(x):\n    return x"),
    ],
)  # fmt: skip
def test_the_same_in_python(text: str, expected: str) -> None:
    assert python(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "library(caret)",
        'library("caret")',
        "suppressPackageStartupMessages({library(caret)})",
        "pacman::p_load(caret)",
        'lapply(c("caret"), require, character.only = TRUE)',
        'packages <- c("caret")',
        'geneorama::loadinstall_libraries(c("caret"))',
        'tar_option_set(packages = c("caret"))',
        "x <- caret::trim(1)",
    ],
)
def test_packages_that_are_attached_or_named(text: str) -> None:
    assert "R.caret" in [item.name for item in facts(text).imports]


@pytest.mark.parametrize(
    "text",
    ["# library(caret)", 'install.packages("caret")', "'library(caret)'", 'remove_packages("caret")', "caret <- 1"],
)
def test_packages_that_are_not(text: str) -> None:
    assert "R.caret" not in [item.name for item in facts(text).imports]


def test_a_variable_hides_no_function_but_a_function_does() -> None:
    assert names("train <- rows[1, ]\ntrain(y)") == ["R._.train"]
    assert names("train <- function(x) x\ntrain(y)") == ["@.train"]


def test_lines_are_those_of_the_file() -> None:
    module = facts("library(ranger)\n\nfit <- function(d) {\n  ranger(\n    y ~ .,\n    data = d)\n}\n")
    call = next(call for call in module.calls if call.name == "R._.ranger")
    assert (call.line, call.end_line, call.scope) == (4, 6, "fit")
    assert (module.functions["fit"].line, module.functions["fit"].end_line) == (3, 7)


def test_a_comparison_among_arguments_is_no_test_of_a_value() -> None:
    assert not facts("x <- filter(d, auc > 0.8)\nd[auc > 0.9, ]\nmutate(d, hit = ifelse(p > 0.5, 1, 0))").guards
    assert len(facts("if (any(psi > 0.2)) stop('drift')").guards) >= 1


def test_only_chunks_that_run_are_code() -> None:
    text = "---\ntitle: a\n---\nranger(1)\n```{r}\nfirst()\n```\n```{r, eval = FALSE}\nsecond()\n```\n"
    text += "```{r}\n#| eval: false\nthird()\n```\n```r\nfourth()\n```\n```{python}\nfifth()\n```\n"
    assert rmarkdown.code(text).split() == ["first()"]
    module = facts(text, "report.Rmd")
    assert [(call.name, call.line) for call in module.calls] == [("R._.first", 6)]
    assert module.notebook


def test_a_statement_that_is_not_r_is_passed_over_and_said() -> None:
    built = build(Source("a.R", "x <- 1\n)) {{ y\nlm(y ~ x)\n"))
    assert built.module is not None
    assert [call.name for call in built.module.calls] == ["R._.lm"]
    assert "line 2" in built.problem


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000,
        "{" * 50_000,
        "f(" * 20_000 + ")" * 20_000,
        '"\\' * 100_000,
        "a$" * 50_000,
        "x + " * 50_000 + "x",
        "-" * 50_000 + "1",
        "if (a) " * 20_000,
        "function(x) " * 20_000,
        "a <- " * 20_000,
        "\n(" * 30_000,
        "`" * 9_999,
        "%" * 50_001,
        "x[[" * 30_000,
        "f(x)(" * 20_000,
    ],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    start = time.perf_counter()
    build(Source("a.R", text))
    assert time.perf_counter() - start < 5


def test_bounds() -> None:
    with pytest.raises(DocumentError):
        r.parse("x\n" * 1_100_000)


_PIECES = st.sampled_from(
    ["x", "1", "'a'", "(", ")", "{", "}", "[", "]", "[[", "]]", ",", ";", "\n", " ", "<-", "=", "->", "|>", "%>%",
     "~", "!", "-", "function(x)", "\\(x)", "if (x)", "else", "for (i in x)", "while (x)", "repeat", "::", "$", "@",
     "pkg::f",
     "library(a)", "predict(", "do.call(", "return(", "stop(", "c(", "list(a = ", "r\"(", "#", "`", "\"", "tryCatch({"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_PIECES, max_size=60))
def test_any_text_gives_facts_or_is_noted(pieces: list[str]) -> None:
    text = " ".join(pieces)
    built = build(Source("a.R", text))
    last = text.count("\n") + 1
    assert built.module is None or all(1 <= call.line <= call.end_line <= last for call in built.module.calls)
