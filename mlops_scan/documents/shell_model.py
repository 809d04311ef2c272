"""What a shell script is read into."""

from __future__ import annotations

from msgspec import Struct


class Command(Struct, frozen=True):
    """One simple command, `[ .. ]` and `[[ .. ]]` included.

    `words` have their quotes removed and expansions kept as text. `swallowed` says why a failure cannot stop the
    script whatever `set` says, empty when it can. `errexit` and `pipefail` are in force at this command. `last` is true
    where the command's status is the status of the script. `conditional` is the `if` condition or the left side of
    `&&` that it depends on; `! left` behind `||` and in `else`.
    """

    words: tuple[str, ...]
    line: int
    end_line: int
    text: str
    assignments: tuple[tuple[str, str], ...] = ()
    swallowed: str = ""
    errexit: bool = False
    last: bool = False
    redirected: bool = False
    function: str = ""
    conditional: str = ""
    heredoc: bool = False
    pipefail: bool = False
    subshell: tuple[int, ...] = ()  # numbers of the subshells around it, outermost first
    stops: bool = False  # `|| exit 1` and its like pass a failure on, whatever `set` says
    fed: tuple[str, ...] = ()  # the words of the command with which the pipe begins that it reads from
    given: tuple[str, int] = ("", 0)  # the here-document that an `ssh` reads, and the line of its beginning


class ShellScript(Struct, frozen=True):
    """The commands in the order of the text; `variables` are the assignments that are statements of their own.

    `errexit` says that `set -e` (or the shebang) is in force before the first command that does something.
    """

    commands: tuple[Command, ...]
    errexit: bool = False
    pipefail: bool = False
    functions: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
