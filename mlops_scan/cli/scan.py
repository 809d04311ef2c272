"""`mlops-scan scan`: scan a source, write the reports, apply the gates."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from mlops_scan.cli import config
from mlops_scan.errors import ScanError
from mlops_scan.words import KINDS

if TYPE_CHECKING:
    from mlops_scan.engine.entry import ScanOptions, Stage


def _words(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """The comma-separated words of an option that may also be repeated."""
    return tuple(word for value in values for part in value.split(",") if (word := part.strip()))


class _Request(Struct, frozen=True):
    """The scan that the command line and the configuration file ask for together."""

    source: Path | str
    rev: str | None
    submodules: bool
    settings: config.Config
    output: Path | None
    jobs: int
    no_cache: bool
    timings: bool
    as_of: date | None
    verbose: bool
    quiet: bool
    color: str
    exit_zero: bool
    notices: tuple[str, ...] = ()


@click.command("scan", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help="text (default), json, sarif, html, markdown, github, gitlab-codequality, junit, csv, cyclonedx, badge or "
    "shields; repeatable.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="File of the only format.")
@click.option(
    "--fail-below", "--target-level", type=click.IntRange(min=0), metavar="N", help="Exit 1 below this level."
)
@click.option("--fail-on", type=click.Choice(config.SEVERITIES), help="Exit 1 on a finding this severe or worse.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when a gate fails; errors still exit 2.")
@click.option("--model", metavar="NAME", help="Maturity model to judge by, or all.")
@click.option("--rules", multiple=True, type=click.Path(path_type=Path), metavar="PATH", help="Add rules of your own.")
@click.option("--trust-repository-rules", is_flag=True, help="Let the repository bring rules of its own.")
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Report only what is not in there.")
@click.option("--no-regression", is_flag=True, default=None, help="Exit 1 on news against the baseline.")
@click.option("--attestations", type=click.Path(path_type=Path), metavar="FILE", help="What people attest.")
@click.option("--count-attestations", is_flag=True, default=None, help="Gates use the level with attestations.")
@click.option("--no-plugins", is_flag=True, help="Use no detectors of other packages.")
@click.option("-c", "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="Read this file.")
@click.option("--isolated", is_flag=True, help="Ignore configuration files.")
@click.option("--select", multiple=True, callback=_words, metavar="IDS", help="Report only these findings.")
@click.option("--ignore", multiple=True, callback=_words, metavar="IDS", help="Do not report these findings.")
@click.option("--exclude", multiple=True, callback=_words, metavar="GLOB", help="Leave files out (.gitignore syntax).")
@click.option("--rev", metavar="REF", help="Scan this branch, tag or commit instead of the work tree.")
@click.option("--submodules", is_flag=True, help="Enter the submodules that are there.")
@click.option("--component", metavar="PATH", help="Judge this component.")
@click.option("--kind", type=click.Choice(KINDS), help="Say what the repository is instead of guessing.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Processes that parse code [default: one a processor where there is enough code].",
)
@click.option("--no-cache", is_flag=True, help="Read everything anew and store nothing in the cache folder.")
@click.option("--timings", is_flag=True, help="Print the seconds of each stage on standard error.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day to judge dates by.")
@click.option("-q", "--quiet", is_flag=True, help="One line.")
@click.option("-v", "--verbose", is_flag=True, help="Every practice with its evidence chain.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    path: str,
    rev: str | None,
    submodules: bool,
    config_file: Path | None,
    isolated: bool,
    output: Path | None,
    jobs: int,
    as_of: datetime | None,
    quiet: bool,
    verbose: bool,
    color: str,
    exit_zero: bool,
    no_cache: bool,
    trust_repository_rules: bool,
    no_plugins: bool,
    timings: bool,
    **given: Any,
) -> int:
    """Scan PATH (default: the current folder) and report its MLOps maturity.

    PATH is a folder, a bare git repository, a zip or tar archive, or the https, ssh, git or file URL of a
    repository.

    The command line is stronger than the configuration file: mlops-scan.toml, .mlops-scan.yaml or
    [tool.mlops-scan] in pyproject.toml, searched from a folder PATH upwards to the root of its repository. For
    other kinds of PATH only --config is read.
    """
    if quiet and verbose:
        raise ScanError("--quiet and --verbose exclude each other")
    source = _source(path)
    given["plugins"] = False if no_plugins else None
    settings = config.merged(_configuration(source, config_file, isolated), given)
    notices: tuple[str, ...] = ()
    if isinstance(source, Path) and _is_folder(source):
        settings, notices = config.owned(settings, source, trust_repository_rules)
    return _run(
        _Request(
            source=source,
            rev=rev,
            submodules=submodules,
            settings=settings,
            output=output,
            jobs=jobs,
            no_cache=no_cache,
            timings=timings,
            as_of=as_of.date() if as_of else None,
            verbose=verbose,
            quiet=quiet,
            color=color,
            exit_zero=exit_zero,
            notices=notices,
        )
    )


def _run(request: _Request) -> int:
    import gc

    from mlops_scan.cli import gate, output
    from mlops_scan.cli.progress import Stages
    from mlops_scan.cli.terminal import understands_escapes
    from mlops_scan.engine.entry import scan
    from mlops_scan.reports import FORMATS, RenderOptions

    # Facts and syntax trees have no reference cycles worth collecting; looking for them costs a quarter of the scan.
    gc.disable()
    settings = request.settings
    targets = output.parse_targets(settings.formats or (), request.output)
    if settings.plugins is False and (foreign := [t.format_name for t in targets if t.format_name not in FORMATS]):
        raise ScanError(f"the format {foreign[0]} is a plug-in, and --no-plugins leaves those out")
    stages = Stages(shown=sys.stderr.isatty() and understands_escapes() and not request.quiet)
    report = scan(request.source, scan_options(request.settings, request, stages.begin))
    stages.end()
    if request.timings:
        for name, seconds in stages.seconds.items():
            click.echo(f"{name} {seconds:.3f}", err=True)
    verdict = gate.judge(report, gate.of(settings))
    options = RenderOptions(
        verbose=request.verbose,
        quiet=request.quiet,
        component=settings.component or "",
        target=settings.fail_below,
        as_of=request.as_of,
    )
    output.write(report, targets, options, request.color)
    for line in verdict.lines:
        click.echo(line, err=True)
    return 0 if request.exit_zero else verdict.code


def scan_options(settings: config.Config, request: _Request, stage: Stage) -> ScanOptions:
    """What the engine is told."""
    from mlops_scan.engine.entry import ScanOptions

    return ScanOptions(
        model=settings.model or "default",
        kind=settings.kind,
        component=settings.component,
        select=settings.select or (),
        ignore=settings.ignore or (),
        exclude=settings.exclude or (),
        rev=request.rev,
        submodules=request.submodules,
        jobs=request.jobs,
        as_of=request.as_of,
        cache=not request.no_cache,
        rules=settings.rules or (),
        rules_version=settings.rules_version,
        components=settings.components or (),
        per_path_ignores=settings.per_path_ignores or (),
        baseline=settings.baseline,
        attestations=settings.attestations,
        plugins=settings.plugins is not False,
        notices=request.notices,
        stage=stage,
    )


def _source(path: str) -> Path | str:
    """The path, which exists, or the URL."""
    from mlops_scan.repository.urls import is_url

    if is_url(path):
        return path
    root = Path(path)
    if not root.exists():
        from difflib import get_close_matches

        from mlops_scan.cli.main import COMMANDS

        near = get_close_matches(path, COMMANDS, n=1)
        hint = f"; did you mean the command {near[0]!r}?" if near else ""
        raise ScanError(f"{path} does not exist{hint}")
    return root


def _configuration(source: Path | str, file: Path | None, isolated: bool) -> config.Config:
    """The settings of the file that was named, or of the one that is found where a folder is scanned.

    A bare repository, an archive or a URL is somebody's tree without the folder that a person works in: neither its own
    configuration nor that of the current folder, which is about another tree, decides what is reported of it.
    """
    from mlops_scan.cli.configcommand import effective

    if file is None and not _is_folder(source):
        return config.Config()
    return effective(Path(source), file, isolated)


def _is_folder(source: Path | str) -> bool:
    from mlops_scan.repository.git import is_bare

    return not isinstance(source, str) and source.is_dir() and not is_bare(source)
