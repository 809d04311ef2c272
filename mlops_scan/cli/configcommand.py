"""`mlops-scan config`: what a scan would be told, and by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mlops_scan.cli import config
from mlops_scan.cli.keys import KEYS
from mlops_scan.errors import ScanError


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show the configuration."""


def _show(
    path: str,
    config_file: Path | None,
    isolated: bool,
    trust_repository_rules: bool,
    no_plugins: bool,
    **given: Any,
) -> None:
    """Print every effective value for a scan of PATH and where it comes from: file and line, option or default."""
    root = Path(path)
    if not root.exists():
        raise ScanError(f"{root} does not exist")
    given["plugins"] = False if no_plugins else None
    settings = config.merged(effective(root, config_file, isolated), given)
    settings, notices = config.owned(settings, root, trust_repository_rules)
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


def _options() -> list[click.Parameter]:
    """The options of a scan that have a key in the configuration, so that their effect can be shown."""
    from mlops_scan.cli.scan import command as scan

    fields = {key.field for key in KEYS.values()}
    more = {"path", "config_file", "isolated", "trust_repository_rules", "no_plugins"}
    return [parameter for parameter in scan.params if parameter.name in fields | more]


command.add_command(
    click.Command(
        "show",
        callback=_show,
        params=_options(),
        help=_show.__doc__,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
)


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
