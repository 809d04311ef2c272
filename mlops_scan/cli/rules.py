"""`mlops-scan rules`: look at the rules data and run its samples."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_scan.errors import ScanError

_KINDS = ("findings", "practices", "tools", "models")


@click.group("rules", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List the rules, or run the samples of a rules folder."""


@command.command("list")
@click.argument("kind", type=click.Choice(_KINDS), required=False)
def list_rules(kind: str | None) -> None:
    """List findings, practices, tools and maturity models, or one of these."""
    from mlops_scan.rulebook import load

    book = load()
    tables = {
        "findings": [(item.id, f"{item.severity.value:<7}  {item.title}") for item in book.findings.values()],
        "practices": [(item.id, f"{item.minimum.value:<11}  {item.title}") for item in book.practices.values()],
        "tools": [(item.id, f"{item.family:<12}  {item.name}") for item in book.tools.values()],
        "models": [(item.id, item.name) for item in book.models.values()],
    }
    for name in [kind] if kind else _KINDS:
        click.echo(f"{name} ({len(tables[name])})")
        width = max((len(row[0]) for row in tables[name]), default=0)
        for row_id, text in tables[name]:
            click.echo(f"  {row_id:<{width}}  {text}")


@command.command("test")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
def test_rules(folder: Path | None) -> int:
    """Check the rules in FOLDER (default: the built-in ones) and run every sample; exit 1 when one fails."""
    from mlops_scan.fingerprints.samples import run_samples
    from mlops_scan.reports.tally import counted
    from mlops_scan.rulebook import load, rules_path

    root = folder or rules_path()
    if not root.is_dir():
        raise ScanError(f"{root} is not a folder")
    book = load(root)
    samples = sum(len(tool.samples) for tool in book.tools.values())
    if not book.tools:  # a wrong folder must not look like rules that pass
        raise ScanError(f"{root} holds no tool rules: give the folder that contains tools/*.yaml")
    failures = run_samples(book)
    for failure in failures:
        click.echo(failure, err=True)
    outcome = counted(len(failures), "failure") if failures else "every sample holds"
    click.echo(f"{root}: {counted(len(book.tools), 'tool')}, {counted(samples, 'sample')}: {outcome}")
    return 1 if failures else 0
