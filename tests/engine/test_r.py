"""Repositories whose code is R: what they are called, what starts their training, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_scan.words import Grade
from tests.trees import Tree, grade, scan_tree

TRAIN = """\
library(ranger)
source("R/features.R")

rows <- make_features(readRDS("data/rows.rds"))
model <- ranger(y ~ ., data = rows)
saveRDS(model, "models/model.rds")
"""
FEATURES = "make_features <- function(rows) {\n  rows$age <- rows$age / 10\n  rows\n}\n"
ML: dict[str, str | bytes] = {"train.R": TRAIN, "R/features.R": FEATURES}
WORKFLOW = """\
on:
  schedule:
    - cron: "0 3 * * 1"
jobs:
  train:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: r-lib/actions/setup-r@v2
      - run: %s
"""


def kind(folder: Path, tree: Tree) -> str:
    return scan_tree(folder, tree).headline.kind


def test_a_script_that_trains_is_level_1(tmp_path: Path) -> None:
    report = scan_tree(tmp_path, ML)
    assert report.headline.kind == "application"
    assert report.headline.level == 1
    assert "MLS101" in [finding.id for finding in report.findings]


@pytest.mark.parametrize(
    "tree",
    [
        {"plot.R": "library(ggplot2)\nlibrary(dplyr)\nggplot(cars) + geom_point()\n"},
        {"slope.R": "fit <- lm(mpg ~ wt, data = mtcars)\nplot(predict(fit, newdata = grid))\n"},
        {"old.R": "# library(ranger)\n# model <- ranger(y ~ ., data = rows)\n"},
        {"README.md": "```r\nlibrary(ranger)\nmodel <- ranger(y ~ ., data = rows)\n```\n", "a.R": "library(ranger)\n"},
        {"notes.Rmd": "We used `ranger(y ~ .)` once.\n\n```{r, eval=FALSE}\nranger::ranger(y ~ ., d)\n```\n"},
        {"docs/use.R": TRAIN, "main.R": "x <- 1\n"},
        {"vignettes/use.Rmd": f"```{{r}}\n{TRAIN}```\n", "main.R": "x <- 1\n"},
        {"own.R": "library(caret)\ntrain <- function(x) x\ntrain(1)\n"},
        {"rail.R": 'trains <- read.csv("trains.csv")\ntrain <- trains[1, ]\nfit(train)\npredict(train)\n'},
        {"DESCRIPTION": "Package: words\nImports: ranger\n", "R/words.R": "count <- function(x) nchar(x)\n"},
        {"dead.R": "if (FALSE) {\n  ranger::ranger(y ~ ., data = rows)\n}\n"},
    ],
)  # fmt: skip
def test_what_is_no_workload(tmp_path: Path, tree: Tree) -> None:
    assert kind(tmp_path, tree) == "non-ml"


def test_a_package_of_models_is_a_library(tmp_path: Path) -> None:
    tree = {
        "DESCRIPTION": "Package: forests\nTitle: Forests\nImports: ranger\n",
        "NAMESPACE": "export(grow)\n",
        "man/grow.Rd": "\\name{grow}\n",
        "R/grow.R": "grow <- function(d) ranger::ranger(y ~ ., data = d)\n",
    }
    assert kind(tmp_path, tree) == "library"


def test_a_project_in_the_shape_of_a_package_is_none(tmp_path: Path) -> None:
    tree = {"DESCRIPTION": "Package: churn\nImports: ranger\n", **ML}
    assert kind(tmp_path, tree) == "application"


@pytest.mark.parametrize(
    "command",
    ["Rscript train.R", "Rscript --vanilla train.R --depth 3", "R CMD BATCH --no-save train.R",
     "R --no-save -f train.R", "Rscript -e \"source('train.R')\"", "R -q -e 'source(\"train.R\")'", "bash run.sh"],
)  # fmt: skip
def test_a_clock_that_runs_the_script(tmp_path: Path, command: str) -> None:
    tree = {**ML, "run.sh": "Rscript train.R\n", ".github/workflows/train.yml": WORKFLOW % command}
    report = scan_tree(tmp_path, tree)
    assert grade(report, "retraining/scheduled") is Grade.WIRED
    assert "MLS101" not in [finding.id for finding in report.findings]


@pytest.mark.parametrize(
    "command",
    ["Rscript plot.R", "Rscript -e 'train.R'", "R CMD INSTALL .", "# Rscript train.R", "echo Rscript train.R"],
)
def test_a_clock_that_does_not(tmp_path: Path, command: str) -> None:
    tree = {**ML, "plot.R": "plot(1)\n", ".github/workflows/train.yml": WORKFLOW % f'"{command}"'}
    assert grade(scan_tree(tmp_path, tree), "retraining/scheduled") is not Grade.WIRED


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    tree = {**ML, ".github/workflows/train.yml": WORKFLOW % "Rscript jobs/fit_model.R"}
    assert "jobs/fit_model.R" in " ".join(finding.message for finding in scan_tree(tmp_path, tree).findings)


TARGETS = """\
library(targets)
tar_source()
tar_option_set(packages = "ranger")
list(
  tar_target(rows, read_rows("data/rows.csv")),
  tar_target(model, fit_model(rows))
)
"""
STEPS = """\
read_rows <- function(path) read.csv(path)
fit_model <- function(rows) ranger(y ~ ., data = rows)
"""


def test_a_pipeline_of_targets_and_the_clock_that_makes_it(tmp_path: Path) -> None:
    tree = {"_targets.R": TARGETS, "R/steps.R": STEPS}
    report = scan_tree(tmp_path / "made", tree)
    assert grade(report, "pipeline/orchestration") is Grade.IMPLEMENTED
    clock = {".github/workflows/make.yml": WORKFLOW % "Rscript -e 'targets::tar_make()'"}
    report = scan_tree(tmp_path / "clock", {**tree, **clock})
    assert grade(report, "pipeline/orchestration") is Grade.WIRED
    assert grade(report, "retraining/scheduled") is Grade.WIRED


def test_a_pipeline_without_a_model(tmp_path: Path) -> None:
    tree = {"_targets.R": TARGETS, "R/steps.R": STEPS.replace("ranger(y ~ ., data = rows)", "summary(rows)")}
    assert kind(tmp_path, tree) == "data-pipeline"


def test_a_lock_file_that_holds_the_packages_of_the_model(tmp_path: Path) -> None:
    lock = '{"R": {"Version": "4.4.1"}, "Packages": {"%s": {"Package": "%s", "Version": "0.16.0"}}}'
    assert grade(scan_tree(tmp_path / "a", {**ML, "renv.lock": lock % ("ranger", "ranger")}), "env/pinned") is (
        Grade.IMPLEMENTED
    )
    assert grade(scan_tree(tmp_path / "b", {**ML, "renv.lock": lock % ("dplyr", "dplyr")}), "env/pinned") is Grade.TRACE


def test_a_logarithm_stores_no_metric(tmp_path: Path) -> None:
    score = "library(Metrics)\nloss <- rmse(log(actual), predict(model, new))\n"
    report = scan_tree(tmp_path / "a", {"train.R": TRAIN + score})
    assert grade(report, "model/evaluation") is Grade.TRACE
    kept = f'{score}write_csv(data.frame(loss = loss), "metrics.csv")\n'
    assert grade(scan_tree(tmp_path / "b", {"train.R": TRAIN + kept}), "model/evaluation") is Grade.IMPLEMENTED


def test_a_model_behind_an_interface(tmp_path: Path) -> None:
    served = 'library(plumber)\nlibrary(vetiver)\nv <- vetiver_pin_read(board, "m")\n\n#* @plumber\n'
    served += "function(pr) {\n  pr %>% vetiver_api(v)\n}\n"
    assert grade(scan_tree(tmp_path / "a", {**ML, "plumber.R": served}), "deploy/serving") is Grade.IMPLEMENTED
    plain = "library(plumber)\n#* @get /health\nfunction() 'ok'\n"
    assert grade(scan_tree(tmp_path / "b", {**ML, "plumber.R": plain}), "deploy/serving") < Grade.IMPLEMENTED


def test_arguments_make_training_parameterised(tmp_path: Path) -> None:
    assert grade(scan_tree(tmp_path / "a", ML), "code/modular-training") is Grade.TRACE
    with_arguments = {**ML, "train.R": f"args <- commandArgs(trailingOnly = TRUE)\n{TRAIN}"}
    assert grade(scan_tree(tmp_path / "b", with_arguments), "code/modular-training") is Grade.IMPLEMENTED


def test_a_function_of_another_file_is_reached(tmp_path: Path) -> None:
    tree = {
        "lib/fit.R": "fit.model <- function(d) ranger::ranger(y ~ ., data = d)\n",
        "main.R": 'source("lib/fit.R")\nfit.model(rows)\n',
        ".github/workflows/train.yml": WORKFLOW % "Rscript main.R",
    }
    assert grade(scan_tree(tmp_path, tree), "retraining/scheduled") is Grade.WIRED


def test_a_function_without_a_name_is_no_module(tmp_path: Path) -> None:
    train = "library(ranger)\nmodels <- lapply(1:5, function(i) {\n  ranger(y ~ ., data = folds[[i]])\n})\n"
    assert grade(scan_tree(tmp_path, {"train.R": train}), "code/modular-training") is Grade.TRACE


TEST = """\
source("../../R/model.R")

test_that("the model learns", {
  model <- fit_model(iris)
  expect_gt(model$prediction.error, 0)
})
"""
MODEL = "fit_model <- function(rows) ranger::ranger(Species ~ ., data = rows)\n"


def test_tests_of_the_model(tmp_path: Path) -> None:
    tree = {**ML, "R/model.R": MODEL, "tests/testthat/test-model.R": TEST}
    report = scan_tree(tmp_path, tree)
    assert grade(report, "model/testing") is Grade.IMPLEMENTED
    assert grade(report, "code/unit-tests") is Grade.IMPLEMENTED


@pytest.mark.parametrize(
    "test",
    [
        TEST.replace("  expect_gt(model$prediction.error, 0)\n", ""),
        TEST.replace("  expect_gt", "  # expect_gt"),
        "test_that('two', {\n  expect_equal(1 + 1, 2)\n})\n",
        "test_that('it stops', {\n  expect_error(fit_model(NULL))\n})\n",
    ],
)
def test_tests_that_say_nothing_of_the_model(tmp_path: Path, test: str) -> None:
    tree = {**ML, "R/model.R": MODEL, "tests/testthat/test-model.R": test}
    assert grade(scan_tree(tmp_path, tree), "model/testing") is not Grade.IMPLEMENTED
