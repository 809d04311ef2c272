"""`mlops-scan explain ID`: what a finding, practice, tool or maturity model is about."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_scan.errors import ScanError

if TYPE_CHECKING:
    from mlops_scan.rulebook import FindingDefinition, Practice, RuleBook, Tool
    from mlops_scan.rulemodels import Level, MaturityModel


@click.command("explain", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", metavar="ID")
@click.option("--rules", "extra", type=click.Path(path_type=Path), multiple=True, metavar="PATH", help="Add your own.")
def command(name: str, extra: tuple[Path, ...]) -> None:
    """Explain a finding (MLS301), a practice (ci/model-tests), a tool (mlflow), a model or a level (google:1)."""
    from mlops_scan.rulebook import load

    width = min(shutil.get_terminal_size().columns, 100)
    for line in _explained(load(extra=extra), name):
        click.echo(_wrapped(line, width))


def _explained(book: RuleBook, name: str) -> Iterator[str]:
    kinds: tuple[tuple[Mapping[str, Any], Callable[[Any], Iterator[str]]], ...] = (
        (book.findings, _finding),
        (book.practices, _practice),
        (book.models, _model),
        (book.tools, _tool),
    )
    for entries, describe in kinds:
        for key in (name, name.upper(), name.lower()):
            if key in entries:
                return describe(entries[key])
    model, _, number = name.replace(" ", ":").rpartition(":")
    model = "default" if model in ("", "level") else model
    if number.isdigit() and model in book.models:
        level = next((item for item in book.models[model].levels if item.number == int(number)), None)
        if level is not None:
            return _level(book.models[model], level)
    known = [key for entries, _ in kinds for key in entries]
    near = {key.lower(): key for key in known}
    close = [near[key] for key in get_close_matches(name.lower(), list(near), n=3)]
    hint = f"did you mean {', '.join(close)}?" if close else "`mlops-scan rules list` shows all"
    raise ScanError(f"nothing is called {name!r}; {hint}")


def _finding(rule: FindingDefinition) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    yield f"Severity: {rule.severity.value}. Tags: {', '.join(rule.tags) or 'none'}."
    yield from _part("Why it matters", [rule.why])
    yield from _part("How to fix it", [rule.fix])
    yield from _code("Example", rule.example)
    yield f"\n{rule.help_url}"


def _practice(practice: Practice) -> Iterator[str]:
    yield f"{practice.id}: {practice.title}"
    yield f"Met from grade {practice.minimum.value} on. Effort: {practice.effort}. Gap finding: {practice.gap}."
    yield from _part("What it asks for", [practice.what])
    yield from _part("What counts", [f"- {item}" for item in practice.counts])
    yield from _part("What does not count", [f"- {item}" for item in practice.does_not_count])
    yield from _part("How to get there", [practice.remedy])
    for stack, snippet in practice.snippets.items():
        yield from _code(stack, snippet)
    yield from _part("References", practice.references)


def _model(model: MaturityModel) -> Iterator[str]:
    yield f"{model.id}: {model.name}"
    yield from (text for text in (model.mapping, model.source) if text)
    for level in model.levels:
        yield f"\nLevel {level.number}: {level.name}"
        yield from _rows(model, level)
    for section in model.sections:
        yield f"\n{section.name}"
        for test in section.tests:
            yield f"  {test.id} {test.title}: {', '.join(test.practices) or 'nothing in files'}"


def _level(model: MaturityModel, level: Level) -> Iterator[str]:
    yield f"{model.id} level {level.number}: {level.name}"
    yield from _rows(model, level)


def _rows(model: MaturityModel, level: Level) -> Iterator[str]:
    if level.above is not None:
        yield f"  a score above {level.above:g}"
    elif not level.rows:
        yield "  a score of 0" if model.scored else "  an ML workload, nothing more"
    for row in level.rows:
        need = "" if len(row.practices) == 1 else f"{row.need} of "
        least = f" (each at least {row.minimum.value})" if row.minimum is not None else ""
        yield f"  {row.title}: {need}{', '.join(row.practices)}{least}"
    if level.optional:
        yield f"  recommended: {', '.join(level.optional)}"


def _tool(tool: Tool) -> Iterator[str]:
    yield f"{tool.id}: {tool.name} ({tool.family})"
    if tool.url:
        yield tool.url
    served = sorted({practice for signature in tool.signatures for practice in signature.serves})
    yield from _part("Can show", [f"- {practice}" for practice in served])
    yield from _part("Imports", [", ".join(tool.imports)] if tool.imports else ())
    yield from _part("Distributions", [", ".join(tool.distributions)] if tool.distributions else ())


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = [line for line in lines if line]
    if body:
        yield f"\n{title}"
        yield from (f"  {line}" for line in body)


def _code(title: str, text: str) -> Iterator[str]:
    if text.strip():
        yield f"\n{title}"
        yield textwrap.indent(text.rstrip(), "    ")


def _wrapped(line: str, width: int) -> str:
    """Prose folded under its own indent; code, which has line breaks or a deep indent, as it is."""
    body = line.lstrip("\n")
    if "\n" in body or body.startswith("    "):
        return line
    text = body.lstrip()
    indent = " " * (len(body) - len(text))
    folded = textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if text.startswith("- ") else indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return line[: len(line) - len(body)] + folded
