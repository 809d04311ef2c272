"""The entry point: finds the command, imports only that one, turns every error into one sentence and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import NoReturn, cast

import click

from mlops_scan import __version__
from mlops_scan.errors import ScanError

COMMANDS = (
    "scan", "plan", "trace", "baseline", "explain", "rules", "models", "config", "schema", "cache",
)  # fmt: skip
_MODULES = {"config": "configcommand"}  # where the module has another name
OK, UNUSABLE, INTERRUPTED = 0, 2, 130
_OWN_OPTIONS = frozenset({"-h", "--help", "-V", "--version"})


class CommandGroup(click.Group):
    """Loads a command's module when it is asked for; anything that is not a command is a path to scan."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        return cast(click.Command, import_module(f"mlops_scan.cli.{_MODULES.get(cmd_name, cmd_name)}").command)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `scan` in front of what is neither a command nor an option of the group itself."""
        if not args or args[0] not in _OWN_OPTIONS.union(COMMANDS):
            args = ["scan", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`mlops-scan [PATH]` is `mlops-scan scan [PATH]`; see `mlops-scan scan --help` for its options. "
    "Exit codes: 0 no gate failed, 1 a gate failed, 2 the scan could not be done or is incomplete.",
)
@click.version_option(__version__, "-V", "--version", prog_name="mlops-scan", message="%(prog)s %(version)s")
def cli() -> None:
    """Infer the MLOps maturity of a repository from what its files really do."""


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error becomes one line on standard error."""
    try:
        result = cli.main(args=arguments, prog_name="mlops-scan", standalone_mode=False)
    except ScanError as error:
        return _fail(str(error))
    except click.Abort:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        return _fail(error.format_message())
    except Exception as error:  # noqa: BLE001 -- the last line of defence: a bug must not look like a verdict
        if "-v" in arguments or "--verbose" in arguments:
            import traceback

            traceback.print_exc()
        detail = " ".join(str(error).split())
        return _fail(f"internal error: {type(error).__name__}: {detail} (run with --verbose for the traceback)")
    return result if isinstance(result, int) else OK


def main() -> NoReturn:
    """The console script: runs the command, then ends the process."""
    import gc

    gc.disable()  # also while modules are imported: nothing of a short run is worth looking for
    code = run(sys.argv[1:])
    if not _observed():
        _leave(code)
    sys.exit(code)


def _observed() -> bool:
    """Whether something is still to see the ordinary end: a thread, a tracer, a profiler, a person at `python -i`."""
    import threading

    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    return (
        threading.active_count() > 1
        or sys.gettrace() is not None
        or sys.getprofile() is not None
        or (monitoring is not None and any(monitoring.get_tool(number) for number in range(6)))
        or bool(sys.flags.interactive or sys.flags.inspect)
    )


def _leave(code: int) -> None:
    """End the process now, its exit handlers run and its streams flushed; return where one of these fails.

    To take all objects apart one by one, only to give the memory back, takes up to a tenth of a scan.
    """
    import atexit
    import os

    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 -- the ordinary end says what is to be said about it
        return
    os._exit(code)


def _fail(message: str) -> int:
    click.echo(f"mlops-scan: error: {message}", err=True)
    return UNUSABLE
