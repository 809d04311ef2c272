"""`mlops-scan models`: list the maturity models, set them side by side, check one of your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_scan.errors import ScanError

if TYPE_CHECKING:
    from mlops_scan.rulebook import RuleBook
    from mlops_scan.rulemodels import MaturityModel

_SETTINGS = {"help_option_names": ["-h", "--help"]}
_RULES = click.option(
    "--rules", "extra", type=click.Path(path_type=Path), multiple=True, metavar="PATH", help="Add your own rules."
)


@click.group("models", context_settings=_SETTINGS)
def command() -> None:
    """List the maturity models, compare them, or check one of your own."""


@command.command("list")
@_RULES
def list_models(extra: tuple[Path, ...]) -> None:
    """List the maturity models with their levels and how their numbers are to be read."""
    for model in _book(extra).models.values():
        click.echo(f"{model.id}: {model.name}")
        if model.mapping:
            click.echo(f"  {model.mapping}")
        for level in model.levels:
            above = "" if level.above is None else f" (score above {level.above:g})"
            click.echo(f"  {level.number}  {level.name}{above}")


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@_RULES
def check(file: Path, extra: tuple[Path, ...]) -> None:
    """Check the maturity model in FILE: its format, the practices it names, and that it does not contradict itself."""
    if not file.is_file():
        raise ScanError(f"{file} is not a file")
    known = set(_book(extra).models)
    found = [model for name, model in _book((*extra, file)).models.items() if name not in known]
    if not found:
        raise ScanError(f"{file} holds no maturity model: expected `id`, `name` and `levels` at its top")
    for model in found:
        rows = sum(len(level.rows) for level in model.levels)
        tests = sum(len(section.tests) for section in model.sections)
        what = f"{tests} tests" if model.scored else f"{rows} rows"
        click.echo(f"{file}: model `{model.id}` is valid: {len(model.levels)} levels, {what}")


@command.command("crosswalk")
@_RULES
def crosswalk(extra: tuple[Path, ...]) -> None:
    """Print for every practice the level at which each model first asks for it (in brackets: recommended)."""
    book = _book(extra)
    models = list(book.models.values())
    width = max(map(len, book.practices))
    columns = [max(len(model.id), 6) for model in models]
    head = "  ".join(f"{model.id:<{size}}" for model, size in zip(models, columns, strict=True))
    click.echo(f"{'practice':<{width}}  {head}".rstrip())
    for practice in book.practices:
        cells = "  ".join(
            f"{first_asked(model, practice):<{size}}" for model, size in zip(models, columns, strict=True)
        )
        click.echo(f"{practice:<{width}}  {cells}".rstrip())


def first_asked(model: MaturityModel, practice: str) -> str:
    """The lowest level that has a row with the practice, the rubric tests it answers, or where it is recommended."""
    tests = [test.id for section in model.sections for test in section.tests if practice in test.practices]
    if tests:
        return " ".join(tests)
    for level in model.levels:
        if any(practice in row.practices for row in level.rows):
            return str(level.number)
    return next((f"({level.number})" for level in model.levels if practice in level.optional), "")


def _book(extra: tuple[Path, ...]) -> RuleBook:
    from mlops_scan.rulebook import load

    return load(extra=extra)
