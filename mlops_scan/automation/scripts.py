"""Follow the commands of a script in order: the folder that each runs in, whether its failure counts, the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlops_scan.automation.alone import Loners
from mlops_scan.automation.chain import MAX_OF_SCRIPT, TOO_LONG, Chain
from mlops_scan.automation.followed import Ledger, Shares, state
from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.paths import Paths
from mlops_scan.automation.prepared import Prepared
from mlops_scan.documents.node import DocumentError
from mlops_scan.documents.shell import Command, ShellScript, parse
from mlops_scan.documents.store import Documents
from mlops_scan.words import Location

_MOVES = frozenset({"cd", "pushd", "popd"})

MAX_OF_FILE = 10_000
"""Steps and commands that are followed from one definition, those that it starts in other files included."""
MAX_IN_ALL = 60_000
"""The same of a whole repository."""

Follow = Callable[[Command, tuple[str, ...], Location, Chain], Iterator[Run]]
"""What a command leads to, given its words without launchers, where it stands and the way to it."""


class Scripts:
    """The scripts of one repository, each parsed once and followed once for each state in which it is come to.

    `follow` gives what a command leads to, for those that `loners` do not know to lead nowhere.
    """

    def __init__(self, documents: Documents, paths: Paths, loners: Loners, follow: Follow) -> None:
        self._documents = documents
        self._paths = paths
        self._loners = loners
        self._follow = follow
        self._shares = Shares()
        self._parsed: dict[tuple[str, int, bool, bool], tuple[ShellScript, str]] = {}
        self._led = Ledger()
        self._prepared = Prepared()

    def exhausted(self, start: Start) -> bool:
        """Count one more step or command of what a file starts; true, and noted, where it has had its share.

        Scripts, targets, workflows and pipelines that start one another many times would else multiply.
        """
        path = start.evidence.location.path
        reason = self._shares.exhausted(path, MAX_OF_FILE, MAX_IN_ALL)
        if reason:
            self._documents.note(path, f"automation: more than {reason}, the rest is not followed")
        return bool(reason)

    def parse(self, path: str, text: str, line: int, errexit: bool, pipefail: bool = False) -> ShellScript:
        """A shell text that begins at a line of the file at `path`; what cannot be read of it is noted there."""
        key = (text, line, errexit, pipefail)
        if key not in self._parsed:
            try:
                self._parsed[key] = parse(text, max(1, line), errexit, pipefail), ""
            except DocumentError as error:
                self._parsed[key] = error.partial or ShellScript(()), f"shell: {error}"
        script, unread = self._parsed[key]
        if unread:
            self._documents.note(path, unread)
        return script

    def run(self, script: ShellScript, path: str, chain: Chain, is_file: bool = False) -> Iterator[Run]:
        """What the commands of a script run; `path` is the file that the script stands in.

        Many jobs come to the same scripts: what was followed once to the end is not followed again.
        """
        key, limits = state(script, path, is_file, chain), (MAX_OF_FILE, MAX_IN_ALL)
        known = self._led.find(key, chain)
        if known is not None and self._shares.affords(known, chain, *limits):
            yield from known.again(chain)
            return
        before = chain.budget.mark(chain.hops)
        found: list[Run] = []
        for run in self._followed_commands(script, path, chain, is_file):
            found.append(run)
            yield run
        if known is None and not self._shares.cut(chain, *limits):
            self._led.keep(key, script, found, chain, before)
        chain.budget.deepest = max(chain.budget.deepest, before.deepest)

    def _followed_commands(self, script: ShellScript, path: str, chain: Chain, is_file: bool) -> Iterator[Run]:
        base = (chain.folder, chain.astray)
        folders: dict[tuple[str, tuple[int, ...]], tuple[str, bool]] = {("", ()): base}
        chain.budget.asked.append(self._prepared.asked(script))
        commands = self._prepared.commands(script, is_file, chain.env)
        looks = self._loners.known(commands, path)
        for number, (command, words) in enumerate(commands):
            chain.budget.seen += 1
            if self.exhausted(chain.start):
                return
            place = (command.function, command.subshell)
            outer = next(folders[p] for p in _enclosing(place) if p in folders)
            folder, astray = folders.setdefault(place, outer)
            if words[0] in _MOVES and (words[0] == "popd" or len(words) > 1):
                back = outer if command.subshell else base
                folders[place] = back if words[0] == "popd" else self._moved(words, folder, astray, path)
                continue
            lost = command.swallowed
            if not lost and not (command.errexit or command.stops or command.last or words[0] == "exit"):
                lost = f"the {'script' if is_file else 'shell'} has no `set -e`, so a failure here stops nothing"
            if not chain.budget.spend():
                reason = f"automation: a script leads to more than {MAX_OF_SCRIPT} commands, the rest is not followed"
                self._documents.note(chain.start.evidence.location.path, reason)
                return
            alone = looks[number]
            if alone is None:
                alone = looks[number] = self._loners.look(command, words, path)
            if alone:
                why, lost = TOO_LONG if chain.too_long() else "", chain.swallowed or lost
                # fmt: off
                yield Run(
                    chain.start, words, alone.location, chain.evidence, alone.uses,
                    unresolved=why, swallowed=lost, folder=folder,
                )
                # fmt: on
                continue
            location = Location(path, command.line, command.end_line)
            yield from self._follow(command, words, location, chain.at(folder, lost, astray))

    def _moved(self, words: tuple[str, ...], folder: str, astray: bool, path: str) -> tuple[str, bool]:
        """The folder after a `cd` in a script of the file at `path`, and whether it may be quite another one."""
        target = next((word for word in words[1:] if word == "-" or not word.startswith("-")), "")
        if not target:
            return folder, True
        return self._paths.changed(folder, target, path), self._paths.leads_astray(target, astray)


def _enclosing(place: tuple[str, tuple[int, ...]]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A place in a script and those around it, innermost first."""
    function, subshell = place
    for length in range(len(subshell), -1, -1):
        yield function, subshell[:length]
    yield "", ()
