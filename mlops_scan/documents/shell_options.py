"""The options of a shell that decide what a failure does: `errexit` and `pipefail`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from mlops_scan.documents.shell_model import Command


def changed(arguments: Sequence[str], errexit: bool, pipefail: bool) -> tuple[bool, bool]:
    """`errexit` and `pipefail` after the arguments of `set` or of a shebang."""
    position = 0
    while position < len(arguments):
        word = arguments[position]
        position += 1
        if word in ("--", "-") or word[:1] not in ("-", "+"):
            if word == "--":
                break
            continue
        on = word[0] == "-"
        if "e" in word[1:] and not word.startswith("--"):
            errexit = on
        if "o" in word[1:] and not word.startswith("--") and position < len(arguments):
            if arguments[position] == "errexit":
                errexit = on
            elif arguments[position] == "pipefail":
                pipefail = on
            position += 1
    return errexit, pipefail


def with_call_options(commands: Sequence[Command], functions: Collection[str]) -> tuple[Command, ...]:
    """The commands; those of functions with the `set -e` of the place where the function is first called."""
    called: dict[str, bool] = {}
    names = set(functions)
    if not names:
        return tuple(commands)
    for command in commands:
        if command.words and command.words[0] in names and not command.function:
            called.setdefault(command.words[0], command.errexit)
    return tuple(
        replace(command, errexit=command.errexit or called[command.function]) if command.function in called else command
        for command in commands
    )
