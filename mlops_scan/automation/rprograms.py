"""R programs: what `Rscript`, `R` and the renderers of R's documents enter.

https://cran.r-project.org/doc/manuals/r-release/R-intro.html#Invoking-R-from-the-command-line
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mlops_scan.automation.paths import Paths
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.languages import R_SUFFIXES

LAUNCHERS = frozenset({"Rscript", "R", "quarto"})
_FILE = ("-f", "--file")
_TEXT = ("-e",)


def script_of(words: tuple[str, ...]) -> str:
    """The file that a command line of R runs, empty where it names none; behind code there are arguments only."""
    if any(word in _TEXT for word in words):
        return ""
    if words[0] == "quarto":
        words = words[1:] if words[1:2] == ("render",) else ()
    elif words[0] == "R":
        if words[1:3] == ("CMD", "BATCH"):
            words = words[2:]
        else:  # any other word is an argument that R ignores
            given = [word.partition("=")[2] for word in words if word.startswith("--file=")]
            given += [after for word, after in pairwise(words) if word in _FILE]
            return given[0] if given else ""
    return next((word for word in words[1:] if not word.startswith("-") and word.endswith(R_SUFFIXES)), "")


def texts_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """The R code that stands in a command line: `Rscript -e "…" -e "…"`."""
    return tuple(after for word, after in pairwise(words) if word in _TEXT)


def entered(text: str, index: CodeIndex, paths: Paths, folder: str, origin: str) -> Iterator[Node]:
    """The code of the repository that some R code runs: files that it names, functions that it calls."""
    from mlops_scan.code.extract import extract
    from mlops_scan.documents import r, r_syntax
    from mlops_scan.documents.node import DocumentError

    try:
        module = extract("<command>", r_syntax.translated(r.parse(text).statements))
    except (DocumentError, RecursionError):
        return
    for call in module.calls:
        for name in _files(call):
            path = paths.existing(name, folder, origin)
            if path is not None:
                yield from index.script_entries(path)
        target = index.resolve_bare(call.name)
        if target is not None:
            yield target


def _files(call: Call) -> Iterator[str]:
    """The R files that a call is handed: of `source("train.R")`, `rmarkdown::render(input = "report.Rmd")`."""
    for text in (*call.args, *(value for _, value in call.keywords)):
        if text and text.endswith(R_SUFFIXES):
            yield text
    if call.name.rpartition(".")[2].startswith("tar_make"):  # its script, unless told otherwise
        yield "_targets.R"
