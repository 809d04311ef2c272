"""The way from a start to a command, as it grows while commands are followed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.automation.model import Run, Start
from mlops_scan.documents.shell_model import ShellScript
from mlops_scan.words import Evidence

MAX_HOPS = 7
MAX_OF_SCRIPT = 3_000
"""Commands that one inline script may lead to."""


class Budget(Struct):
    """How many commands may still be followed; shared by all that one inline script leads to."""

    left: int = MAX_OF_SCRIPT
    seen: int = 0  # commands that were looked at on the way, those that only change the folder included

    def spend(self) -> bool:
        """Take one; False when nothing is left."""
        self.left -= 1
        return self.left >= 0


class Chain(Struct, frozen=True):
    """Where a command stands: its start, the hops so far, the working folder, and why failures are already lost."""

    start: Start
    evidence: tuple[Evidence, ...]
    folder: str = ""
    swallowed: str = ""
    hops: int = 0
    seen: frozenset[str] = frozenset()
    env: Mapping[str, str] = field(default_factory=dict)  # variables with constant values that the commands see
    inside_image: bool = False  # files may come from the image, so none is said to be missing
    budget: Budget = field(default_factory=Budget)

    def at(self, folder: str, swallowed: str) -> Chain:
        """The same place with another working folder, and what else loses a failure."""
        return Chain(
            self.start,
            self.evidence,
            folder,
            self.swallowed or swallowed,
            self.hops,
            self.seen,
            self.env,
            self.inside_image,
            self.budget,
        )

    def via(self, evidence: Evidence, key: str, swallowed: str = "") -> Chain:
        """One hop further; `key` names what is entered, so that cycles can be cut."""
        return replace(
            self,
            evidence=(*self.evidence, evidence),
            hops=self.hops + 1,
            seen=self.seen | {key},
            swallowed=self.swallowed or swallowed,
        )


class Followed(Struct, frozen=True):
    """What a script once led to: another start that comes to it in the same state leads to the same.

    `hops` is the length of the chain that came to it then, `seen` and `spent` are what it cost of the bounds.
    """

    script: ShellScript  # held, so that its id stays its own
    runs: tuple[Run, ...]
    hops: int
    seen: int
    spent: int

    def again(self, chain: Chain) -> list[Run]:
        """The same runs at the end of another chain."""
        return [
            Run(
                chain.start,
                run.words,
                run.location,
                chain.evidence + run.chain[self.hops :],
                run.uses,
                run.entries,
                run.tests,
                run.pipelines,
                run.missing,
                run.unresolved,
                chain.swallowed or run.swallowed,
            )
            for run in self.runs
        ]


def state(script: ShellScript, path: str, is_file: bool, chain: Chain) -> Hashable:
    """All that decides what a script leads to, but for the start and the hops before it, which it only hands on."""
    return (
        id(script),
        path,
        is_file,
        chain.folder,
        chain.hops,
        chain.seen,
        chain.inside_image,
        bool(chain.swallowed),  # a failure that is lost already is lost for all that follows, for the same reason
        tuple(chain.env.items()),
    )
