"""`mlops-scan config`: what a scan would be told, and by whom."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_scan.cli import config
from mlops_scan.cli.keys import KEYS
from mlops_scan.errors import ScanError


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show the configuration."""


@command.command("show")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="Read this file.")
@click.option("--isolated", is_flag=True, help="Ignore configuration files.")
@click.option("--trust-repository-rules", is_flag=True, help="Let the repository bring rules of its own.")
def show(path: Path, file: Path | None, isolated: bool, trust_repository_rules: bool) -> None:
    """Print every effective value for a scan of PATH and where it comes from: file and line, or the default."""
    if not path.exists():
        raise ScanError(f"{path} does not exist")
    settings = effective(path, file, isolated)
    settings, notices = config.owned(settings, path, trust_repository_rules)
    rows = []
    for name, key in KEYS.items():
        if name in ("target-level", "extends"):
            continue
        value = getattr(settings, key.field)
        origin = settings.origins.get(key.field, "default") if value is not None else "default"
        rows.append((name, _shown(key.default if value is None else value), origin))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, text, origin in rows:
        click.echo(f"{name:<{widths[0]}}  {text:<{widths[1]}}  {origin}")
    for notice in notices:
        click.echo(f"note: {notice}", err=True)


def effective(path: Path, file: Path | None, isolated: bool) -> config.Config:
    """The configuration for a scan of a path."""
    if file is not None and isolated:
        raise ScanError("--config and --isolated exclude each other")
    if isolated:
        return config.Config()
    return config.load(file) if file is not None else config.discover(path if path.is_dir() else path.parent)


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, tuple):
        return ", ".join(f"{item[0]}={_shown(item[1])}" if isinstance(item, tuple) else str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
