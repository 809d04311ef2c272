"""`mlops-scan baseline`: keep what is there today, so that a gate only sees what is new."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from mlops_scan.cli import config
from mlops_scan.errors import ScanError

_SETTINGS = {"help_option_names": ["-h", "--help"]}


@click.group("baseline", context_settings=_SETTINGS)
def command() -> None:
    """Write or show a baseline: the level and the findings that are known."""


@command.command("write")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
@click.option("--prune", is_flag=True, help="Only remove what is fixed; add nothing, lower nothing.")
@click.option("--model", metavar="NAME", help="Maturity model of the level that is kept.")
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="Read this file.")
@click.option("--isolated", is_flag=True, help="Ignore configuration files.")
@click.option("--rules", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Add rules of your own.")
@click.option("--trust-repository-rules", is_flag=True, help="Let the repository bring rules of its own.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day to judge dates by.")
def write(
    path: Path,
    output: Path | None,
    prune: bool,
    model: str | None,
    file: Path | None,
    isolated: bool,
    rules: tuple[Path, ...],
    trust_repository_rules: bool,
    as_of: datetime | None,
) -> None:
    """Scan PATH and write its level and findings to FILE, by default the configured one.

    Without a configured one that is mlops-scan-baseline.json in PATH.
    """
    from mlops_scan.cli.configcommand import effective
    from mlops_scan.cli.tell import scan_for
    from mlops_scan.engine import baseline

    settings = config.merged(effective(path, file, isolated), {"model": model, "rules": rules})
    target = output or settings.baseline or path / baseline.FILE_NAME
    old = baseline.read(target) if prune else None
    report = scan_for(path, settings, trust_repository_rules, as_of.date() if as_of else None)
    text = baseline.text(report, old)
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScanError(f"cannot write {target}: {error.strerror or error}") from error
    entry = baseline.read(target)
    level = "none" if entry.level is None else f"{entry.level:g}"
    click.echo(f"{target}: level {level} ({entry.model}), {len(entry.findings)} findings")


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print what a baseline holds."""
    from mlops_scan.engine import baseline
    from mlops_scan.reports.clean import visible

    entry = baseline.read(file)
    level = "none" if entry.level is None else f"{entry.level:g}"
    click.echo(f"level {level} ({entry.model}), rules {entry.rules_version}, {len(entry.findings)} findings")
    for item in entry.findings:
        click.echo(f"  {item.id}  {visible(item.path)}")
