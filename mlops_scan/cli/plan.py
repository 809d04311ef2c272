"""`mlops-scan plan`: the cheapest way to a level, and files to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_scan.cli import config
from mlops_scan.errors import ScanError

if TYPE_CHECKING:
    from mlops_scan.engine.roadmap import Plan, Step


@click.command("plan", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.IntRange(min=0), metavar="N", help="Level to reach [default: the next].")
@click.option("--model", metavar="NAME", help="Maturity model to plan by.")
@click.option("--component", metavar="PATH", help="Plan for this component.")
@click.option("-f", "--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--diff", "show_diff", is_flag=True, help="Show what --apply would write, and write nothing.")
@click.option("--apply", "apply_", is_flag=True, help="Write the files into PATH; nothing that exists is replaced.")
@click.option("--write", type=click.Path(path_type=Path), metavar="DIR", help="Write the files into DIR instead.")
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), metavar="FILE", help="Read this file.")
@click.option("--isolated", is_flag=True, help="Ignore configuration files.")
@click.option("--rules", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Add rules of your own.")
@click.option("--trust-repository-rules", is_flag=True, help="Let the repository bring rules of its own.")
def command(
    path: Path,
    target: int | None,
    format_name: str,
    show_diff: bool,
    apply_: bool,
    write: Path | None,
    file: Path | None,
    isolated: bool,
    trust_repository_rules: bool,
    **given: Any,
) -> None:
    """Plan the way of PATH to a level: the cheapest missing practices in an order that works.

    Each step names what is there already and a snippet for the tools in use. What --apply and --write leave behind is
    marked TODO(mlops-scan) and counts for nothing before somebody has filled it in and removed the marker.
    """
    from mlops_scan.cli.configcommand import effective
    from mlops_scan.cli.tell import scan_for
    from mlops_scan.engine import roadmap, scaffold
    from mlops_scan.rulebook import load

    if sum((show_diff, apply_, write is not None)) > 1:
        raise ScanError("--diff, --apply and --write exclude each other")
    if not path.is_dir():
        raise ScanError(f"{path} is not a folder")
    settings = config.merged(effective(path, file, isolated), given)
    report = scan_for(path, settings, trust_repository_rules, None)
    settings, _ = config.owned(settings, path, trust_repository_rules)
    plan = roadmap.plan(report, load(extra=settings.rules or ()), target)
    scaffolds = [item for step in plan.steps for item in step.files]
    home = path if plan.component == "." else path / plan.component
    changed, skipped = scaffold.changes(home, scaffolds, roadmap.variables(report))
    if show_diff:
        for change in changed:
            click.echo(scaffold.diff(change), nl=False)
    elif format_name == "json":
        click.echo(json.dumps(_data(plan), indent=2, ensure_ascii=False))
    else:
        _print(plan)
    if apply_ or write is not None:
        if write is not None:
            _write_elsewhere(write, changed)
        else:
            scaffold.write(home, changed)
        for change in changed:
            click.echo(f"{'wrote' if change.before is None else 'added to'} {change.path}", err=True)
    for line in skipped if show_diff or apply_ or write is not None else ():
        click.echo(f"left alone: {line}", err=True)


def _write_elsewhere(folder: Path, changed: tuple[Any, ...]) -> None:
    from msgspec.structs import replace

    from mlops_scan.engine import scaffold

    folder.mkdir(parents=True, exist_ok=True)
    scaffold.write(folder, [replace(change, before=None) for change in changed])


def _print(plan: Plan) -> None:
    from mlops_scan.reports.clean import one_line, visible
    from mlops_scan.reports.tally import counted

    where = "" if plan.component == "." else f"{visible(plan.component)}: "
    if not plan.steps:
        click.echo(f"{where}level {plan.level} ({plan.model}): nothing is missing for level {plan.target}")
        return
    count = counted(len(plan.steps), "step")
    click.echo(f"{where}from level {plan.level} to level {plan.target} ({plan.model}) in {count}")
    for number, step in enumerate(plan.steps, 1):
        click.echo(f"\n{number}. {step.title}  [{step.practice}, level {step.level}, effort {step.effort}]")
        if step.after:
            click.echo(f"   after: {', '.join(step.after)}")
        if step.evidence is not None:
            reason = f": {one_line(step.reason)}" if step.reason else ""
            click.echo(f"   there already: {visible(str(step.evidence.location))}, {step.grade.value}{reason}")
        click.echo(f"   {step.remedy}")
        if step.snippet is not None:
            click.echo(f"   with {step.snippet[0]}:")
            for line in step.snippet[1].rstrip().splitlines():
                click.echo(f"       {line}".rstrip())
        if step.files:
            click.echo(f"   --apply writes: {', '.join(dict.fromkeys(item.path for item in step.files))}")


def _data(plan: Plan) -> dict[str, Any]:
    return {
        "plan_version": 1,
        "model": plan.model,
        "component": plan.component,
        "level": plan.level,
        "target": plan.target,
        "steps": [_step(step) for step in plan.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    where = step.evidence.location if step.evidence is not None else None
    return {
        "practice": step.practice,
        "title": step.title,
        "level": step.level,
        "effort": step.effort,
        "grade": step.grade.value,
        "minimum": step.minimum.value,
        "reason": step.reason,
        "evidence": {"path": where.path, "line": where.line} if where is not None else None,
        "remedy": step.remedy,
        "after": list(step.after),
        "snippet": {"stack": step.snippet[0], "text": step.snippet[1]} if step.snippet is not None else None,
        "files": [item.path for item in step.files],
    }
