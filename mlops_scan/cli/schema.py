"""`mlops-scan schema`: print the JSON Schema of the JSON report."""

from __future__ import annotations

import click


@click.command("schema", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Print the JSON Schema of the JSON report."""
    from mlops_scan.reports.json import schema_text

    click.echo(schema_text(), nl=False)
