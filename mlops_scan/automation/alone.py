"""Commands that lead to nothing but themselves: most of those of a script, and told by their words alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from mlops_scan.automation.fed import runs_nothing
from mlops_scan.automation.images import ENGINES
from mlops_scan.automation.paths import CODE
from mlops_scan.automation.programs import LAUNCHERS, SERVERS
from mlops_scan.automation.remote import is_remote
from mlops_scan.automation.submit import Submitter
from mlops_scan.automation.tasks import BARE, RUNNERS, Tasks
from mlops_scan.documents.shell import Command
from mlops_scan.fingerprints.match import Matcher
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Location

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash"})
SOURCE = frozenset({"source", "."})
INNER = frozenset({"mpirun", "mpiexec", "srun", "horovodrun"})
TESTERS = frozenset({"pytest", "py.test", "unittest"})
_LEADING = SHELLS | SOURCE | INNER | TESTERS | RUNNERS | LAUNCHERS | SERVERS | ENGINES | {"sbatch"}


class Alone(NamedTuple):
    """Where a command stands that leads to nothing else, and the uses that it shows."""

    location: Location
    uses: tuple[Use, ...]


Looks = list[Alone | Literal[False] | None]
"""What is known of the commands of a script in order: False where one may lead on, None where nobody has looked yet."""


class Loners:
    """Knows which commands lead nowhere whatever the folder they run in; many jobs run the same script."""

    def __init__(self, matcher: Matcher, tasks: Tasks, submitter: Submitter) -> None:
        self._matcher = matcher
        self._tasks = tasks
        self._submitter = submitter
        self._known: dict[tuple[int, str], tuple[object, Looks]] = {}  # holds the commands: their id stays their own

    def known(self, commands: Sequence[object], path: str) -> Looks:
        """What is known of the commands of a script in the file at `path`; `look` is for what is not."""
        key = (id(commands), path)
        if key not in self._known:
            self._known[key] = commands, [None] * len(commands)
        return self._known[key][1]

    def look(self, command: Command, words: tuple[str, ...], path: str) -> Alone | Literal[False]:
        """A command that leads to nothing else, or False."""
        name = words[0]
        if name in _LEADING or "/" in name or name.endswith(CODE) or not BARE.isdisjoint(command.words):
            return False
        if self._submitter.may_submit(words) or name in self._tasks.console_scripts() or is_remote(words):
            return False
        location = Location(path, command.line, command.end_line)
        return Alone(location, () if runs_nothing(command) else tuple(self._matcher.in_command(words, location)))
