"""`mlops-scan schema`: print the JSON Schema of the JSON report, of the configuration file or of rule files."""

from __future__ import annotations

import click


@click.command("schema", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("what", type=click.Choice(["report", "config", "rules"]), default="report")
def command(what: str) -> None:
    """Print the JSON Schema of the JSON report (default), of the configuration file or of rules of your own."""
    if what == "config":
        import json

        from mlops_scan.cli.keys import schema

        click.echo(json.dumps(schema(), indent=2))
        return
    if what == "rules":
        from mlops_scan.cli import ruleschema
        from mlops_scan.rulebook import load

        click.echo(ruleschema.schema_text(load()), nl=False)
        return
    from mlops_scan.reports.json import schema_text

    click.echo(schema_text(), nl=False)
