"""Pipelines in languages of their own, read as text: rules of a Snakefile, processes of a Nextflow script.

Facts: https://snakemake.readthedocs.io/en/stable/snakefiles/rules.html ,
https://www.nextflow.io/docs/latest/process.html (scripts in `bin/` are on the path of every process)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mlops_scan.automation.model import Pipeline, PipelineStep
from mlops_scan.automation.pipelines.shapes import embedded, folder_of
from mlops_scan.regex import regex

_RULE = regex(r"(?:rule|checkpoint)[ \t]+(\w+)[ \t]*:")
_DIRECTIVE = regex(r"[ \t]+(\w+)[ \t]*:(.*)")
_RUNS = frozenset({"shell", "script", "notebook", "run"})
_WORKFLOW = regex(r"(^|/)workflow(/rules)?$")  # the layout in which the working directory is the folder above
_PROCESS = regex(r"^[ \t]*process[ \t]+(\w+)[ \t]*\{", re.M)
_SCRIPT = regex(r"'''|\"\"\"")
_OWN_FOLDER = regex(r"\$\{?(projectDir|baseDir)\}?/")
_IN_BIN = regex(r"^([ \t]*)([\w-]+\.(?:py|sh|R))\b", re.M)
_MAX_TEXT = 300_000
_MAX_STEPS = 300
_MAX_VALUE = 10_000


def declared(path: str, text: str) -> Iterator[Pipeline]:
    """The pipeline of one such file; none where no rule or process runs something."""
    text = text[:_MAX_TEXT]
    snakemake = not path.endswith(".nf")
    steps = tuple(_rules(path, text) if snakemake else _processes(path, text))
    if steps:
        tool = "snakemake" if snakemake else "nextflow"
        yield Pipeline(tool, path.rpartition("/")[2], path, steps[0].line, steps)


# -- Snakemake -------------------------------------------------------------------------------------------------------


def _rules(path: str, text: str) -> Iterator[PipelineStep]:
    lines = text.split("\n")
    starts = [(number, match.group(1)) for number, line in enumerate(lines) if (match := _RULE.match(line))]
    for number, name in starts[:_MAX_STEPS]:
        end = next((n for n in range(number + 1, len(lines)) if lines[n][:1] not in ("", " ", "\t", "#")), len(lines))
        step = _rule(path, name, number, lines[number + 1 : end])
        if step is not None:
            yield step


def _rule(path: str, name: str, number: int, body: list[str]) -> PipelineStep | None:
    """The step that a rule is: its shell text, its script, or its Python block; None for a mere target."""
    directives = [(n, match) for n, line in enumerate(body) if (match := _DIRECTIVE.fullmatch(line)) is not None]
    for position, (at, match) in enumerate(directives):
        kind = match.group(1)
        if kind not in _RUNS:
            continue
        last = directives[position + 1][0] if position + 1 < len(directives) else len(body)
        block = body[at + 1 : len(body) if kind == "run" else last]
        line = number + at + 2
        if kind == "run":
            return PipelineStep(name, number + 1, does=embedded("\n".join(block)))
        value = _string("\n".join((match.group(2), *block)))
        if not value:
            return None
        first = line if match.group(2).strip() else line + 1
        if kind == "shell":
            folder = folder_of(path)
            folder = _WORKFLOW.sub("", folder)
            return PipelineStep(name, number + 1, value, first, folder=folder)
        program = "papermill" if kind == "notebook" else "python"
        known = value.endswith((".py", ".ipynb"))
        command = f"{program} {value}" if known else ""
        return PipelineStep(name, number + 1, command, first, folder=folder_of(path))
    return None


def _string(text: str) -> str:
    """The string constant that a directive's value is, lines joined; empty for an expression."""
    try:
        value = ast.parse(f"(\n{text.strip()[:_MAX_VALUE]}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    if isinstance(value, ast.Tuple) and value.elts:
        value = value.elts[0]
    return value.value.strip() if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


# -- Nextflow --------------------------------------------------------------------------------------------------------


def _processes(path: str, text: str) -> Iterator[PipelineStep]:
    found = list(_PROCESS.finditer(text))[:_MAX_STEPS]
    for number, match in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(text)
        opening = _SCRIPT.search(text, match.end(), end)
        closing = text.find(opening.group(), opening.end(), end) if opening is not None else -1
        if opening is None or closing < 0:
            continue
        script = _OWN_FOLDER.sub("", text[opening.end() : closing])
        first = text.count("\n", 0, opening.end()) + 1
        yield PipelineStep(
            match.group(1),
            text.count("\n", 0, match.start(1)) + 1,
            _IN_BIN.sub(r"\1bin/\2", script),
            first,
            folder=folder_of(path),
        )
