"""`mlops-scan trace TARGET`: the chain that was followed to a file, a line or a practice, as a tree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_scan.errors import ScanError

if TYPE_CHECKING:
    from rich.tree import Tree

    from mlops_scan.engine.trace import Branch

_PRACTICE = re.compile(r"[a-z]+/[a-z-]+")
_PLACE = re.compile(r"(?P<path>.+?)(?::(?P<line>\d+))?")


@click.command("trace", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target", metavar="TARGET")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--component", metavar="PATH", help="The component whose practice is meant.")
def command(target: str, path: Path, component: str | None) -> int:
    """Show what starts TARGET in the repository at PATH (default: here), and what it comes to.

    TARGET is a file (scripts/train.sh), a line of one (.github/workflows/ci.yml:31), or a practice (ci/model-tests).
    """
    from rich.console import Console

    branches = _branches(target, path, component)
    console = Console(highlight=False, markup=False)
    for branch in branches:
        console.print(_tree(branch), soft_wrap=True, crop=False, overflow="ignore")
    return 0


def _branches(target: str, path: Path, component: str | None) -> list[Branch]:
    from mlops_scan.engine import trace
    from mlops_scan.engine.scan import ScanOptions, gather, scan
    from mlops_scan.repository.listing import open_repository
    from mlops_scan.rulebook import load

    rules = load()
    if target in rules.practices:
        report = scan(path, ScanOptions(component=component))
        found = trace.of_practice(report.headline, target)
        assert found is not None
        return [found]
    match = _PLACE.fullmatch(target)
    context = gather(open_repository(path), rules)
    place = (match["path"] if match else target).removeprefix("./")
    if place not in context.documents.files:
        kind = "practice" if _PRACTICE.fullmatch(target) else "file"
        raise ScanError(f"{target}: no such {kind}; give a file of {path}, `file:line`, or a practice of the rules")
    branches = trace.of_place(context, place, int(match["line"] or 0) if match else 0)
    return branches or [trace.Branch(f"nothing in this repository was seen to start {target}")]


def _tree(branch: Branch) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    from mlops_scan.reports.clean import one_line

    def label(item: Branch) -> Text:
        text = Text(one_line(item.text))
        if item.place:
            text.append(f"  {one_line(item.place)}", style="dim")
        return text

    root = Tree(label(branch))
    todo = [(root, child) for child in reversed(branch.children.values())]
    while todo:
        parent, item = todo.pop()
        grown = parent.add(label(item))
        todo.extend((grown, child) for child in reversed(item.children.values()))
    return root
