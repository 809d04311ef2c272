"""`mlops-scan cache`: what earlier scans left in the user's cache folder."""

from __future__ import annotations

import click


@click.group("cache", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show or delete what earlier scans keep to be faster; scans say the same without it."""


@command.command("info")
def info() -> int:
    """Print where the cache lies and how large it is."""
    from mlops_scan import cache

    state = cache.info()
    click.echo(f"{state.path}: {state.entries} entries, {_megabytes(state.size)} of at most {_megabytes(cache.LIMIT)}")
    return 0


@command.command("clear")
def clear() -> int:
    """Delete the cache."""
    from mlops_scan import cache

    click.echo(f"{cache.folder()}: {_megabytes(cache.clear())} freed")
    return 0


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
