"""`mlops-scan rules`: look at the rules data and run its samples."""

from __future__ import annotations

import re
from pathlib import Path

import click

from mlops_scan.errors import ScanError

_KINDS = ("findings", "practices", "tools", "models")


@click.group("rules", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List the rules, or run the samples of a rules folder."""


@command.command("list")
@click.argument("kind", type=click.Choice(_KINDS), required=False)
@click.option("--rules", "extra", type=click.Path(path_type=Path), multiple=True, metavar="PATH", help="Add your own.")
def list_rules(kind: str | None, extra: tuple[Path, ...]) -> None:
    """List findings, practices, tools and maturity models, or one of these."""
    from mlops_scan.rulebook import load

    book = load(extra=extra)
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
    """Check the rules in FOLDER (default: the built-in ones) and run every sample; exit 1 when one fails.

    FOLDER, or one file, holds rules of your own beside the built-in ones, or a whole set in their place.
    """
    from mlops_scan.fingerprints.samples import check_tool, count_samples, run_samples
    from mlops_scan.reports.tally import counted
    from mlops_scan.rulebook import load, rules_path

    root = folder or rules_path()
    if not root.exists():
        raise ScanError(f"{root} does not exist")
    if folder is None or _is_whole_set(root):
        book = load(root)
        sizes = {
            "tool": len(book.tools),
            "role": len(book.roles),
            "asset": len(book.assets),
            "kind rule": len(book.kinds),
        }
        samples, failures = count_samples(book), run_samples(book)
    else:
        built_in, book = load(), load(extra=[root])
        tools = [tool for name, tool in book.tools.items() if name not in built_in.tools]
        if not tools and len(book.models) + len(book.practices) > len(built_in.models) + len(built_in.practices):
            click.echo(f"{root}: the format holds; there is no tool, so no sample to run")
            return 0
        if not tools:  # a wrong folder must not look like rules that pass
            raise ScanError(f"{root} holds no tool rules: give the folder or file that has `tools:`")
        sizes = {"tool": len(tools)}
        samples, failures = sum(len(tool.samples) for tool in tools), [f for tool in tools for f in check_tool(tool)]
    for failure in failures:
        click.echo(failure, err=True)
    outcome = counted(len(failures), "failure") if failures else "every sample holds"
    what = [counted(size, kind) for kind, size in {**sizes, "sample": samples}.items() if size]
    click.echo(f"{root}: {', '.join(what)}: {outcome}")
    return 1 if failures else 0


def _is_whole_set(root: Path) -> bool:
    """Whether a folder is a set of rules in place of the built-in ones: it has practices with built-in ids."""
    return any(
        re.search(r"^\s*(- )?gap: MLS\d", path.read_text(encoding="utf-8", errors="replace"), re.M)
        for path in sorted(root.glob("practices/*.yaml"))
    )
