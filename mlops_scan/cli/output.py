"""Where reports go: `FORMAT[:FILE]`, at most one of them to standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mlops_scan.cli import terminal
from mlops_scan.engine.report import Report
from mlops_scan.errors import ScanError
from mlops_scan.reports import FORMATS, RenderOptions, render
from mlops_scan.reports.places import Places, forge_of


class Target(Struct, frozen=True):
    """One report to write; without a file it goes to standard output."""

    format_name: str
    file: Path | None = None


def parse_targets(formats: tuple[str, ...], output: Path | None) -> tuple[Target, ...]:
    """The targets of `-f` and `-o`; `-o` names the file of the one format that has none."""
    targets = tuple(map(_parse, formats or ("text",)))
    if output is not None and str(output) != "-":
        waiting = [target for target in targets if target.file is None]
        if len(waiting) != 1:
            raise ScanError("--output needs exactly one --format without a file of its own")
        targets = tuple(Target(t.format_name, output) if t.file is None else t for t in targets)
    if sum(target.file is None for target in targets) > 1:
        raise ScanError("only one report can go to standard output; give the others a file, as in -f sarif:out.sarif")
    files = [target.file for target in targets if target.file is not None]
    if len(set(files)) < len(files):
        raise ScanError("two reports cannot go to the same file")
    return targets


def write(report: Report, targets: tuple[Target, ...], options: RenderOptions, color: str) -> None:
    """Render every target first, then write them, standard output last."""
    options = replace(options, places=places_of(report))
    rendered = [(target, _render(report, target, options, color)) for target in targets]
    for target, text in sorted(rendered, key=lambda pair: pair[0].file is None):
        if target.file is None:
            _to_stdout(text, plain=target.format_name == "text")
        else:
            _to_file(target.file, text)


def _parse(word: str) -> Target:
    name, _, file = word.partition(":")
    if name not in FORMATS:
        from mlops_scan.reports import plugins

        if plugins.find(name) is None:
            raise ScanError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return Target(name, Path(file) if file not in ("", "-") else None)


def _render(report: Report, target: Target, options: RenderOptions, color: str) -> str:
    to_stdout = target.file is None
    return render(
        report,
        target.format_name,
        replace(
            options,
            width=terminal.width() if to_stdout else 80,
            color=terminal.wants_color(color, to_stdout),
            links=to_stdout and terminal.shows_links(os.environ),
            unicode=not to_stdout or terminal.shows_unicode(),
        ),
    )


def places_of(report: Report) -> Places:
    """Where the scanned folder stands in its repository, on this machine and on the web."""
    try:
        folder = Path(report.path).resolve()
        if not folder.is_dir():
            return Places(forge=forge_of(os.environ, report.revision))
        top = next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)
    except (OSError, RuntimeError, ValueError):
        return Places()
    prefix = folder.relative_to(top).as_posix()
    return Places("" if prefix == "." else prefix, folder.as_posix(), forge_of(os.environ, report.revision))


def _to_stdout(text: str, plain: bool) -> None:
    """Text in the terminal's encoding, data in UTF-8; a reader that has gone away is not an error."""
    encoding = terminal.stdout_encoding() if plain else "utf-8"
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _to_file(path: Path, text: str) -> None:
    try:
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ScanError(f"cannot write {path}: {error.strerror or error}") from error
