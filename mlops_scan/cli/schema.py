"""`mlops-scan schema`: print the JSON Schema of the JSON report or of the configuration file."""

from __future__ import annotations

import click


@click.command("schema", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("what", type=click.Choice(["report", "config"]), default="report")
def command(what: str) -> None:
    """Print the JSON Schema of the JSON report (default) or of the configuration file."""
    if what == "config":
        import json

        from mlops_scan.cli.keys import schema

        click.echo(json.dumps(schema(), indent=2))
        return
    from mlops_scan.reports.json import schema_text

    click.echo(schema_text(), nl=False)
