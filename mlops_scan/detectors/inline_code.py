"""Python that stands in a shell script: `python -c "…"`, and what a here-document gives the interpreter."""

from __future__ import annotations

from textwrap import dedent

from mlops_scan.automation.model import Run
from mlops_scan.code.build import Source, build
from mlops_scan.code.facts import Module
from mlops_scan.detectors.base import Context
from mlops_scan.regex import regex

_HERE = regex(r"\bpython[\d.]*\b[^#|;&]{0,200}<<-?\s*(['\"]?)(\w+)\1\s*(\|\|.{0,200})?$", words=("<<",))
_MAX_LINES = 200  # of a here-document
_MAX_TEXT = 20_000


def code_of(context: Context, run: Run) -> str:
    """The code that a command has the interpreter run, or empty."""
    if run.words[:2] == ("python", "-c"):
        return dedent(run.words[2])[:_MAX_TEXT] if len(run.words) > 2 else ""
    if run.words[:1] != ("python",) or len(run.words) > 2:
        return ""
    first = run.location.line
    begun = _HERE.search(context.line(run.location.path, first))
    if begun is None:
        return ""
    lines = context.documents.text(run.location.path).split("\n")[first : first + _MAX_LINES]
    end = next((number for number, line in enumerate(lines) if line.strip() == begun.group(2)), 0)
    return dedent("\n".join(lines[:end]))[:_MAX_TEXT]


def module_of(run: Run, code: str) -> Module | None:
    """The facts of the code that a run has the interpreter run; None where it is no Python."""
    return build(Source(run.location.path, code)).module
