"""The way from a start to a command, as it grows while commands are followed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.automation.model import Start
from mlops_scan.words import Evidence

MAX_HOPS = 7
MAX_OF_SCRIPT = 3_000
"""Commands that one inline script may lead to."""


class Budget(Struct):
    """How many commands may still be followed; shared by all that one inline script leads to."""

    left: int = MAX_OF_SCRIPT
    seen: int = 0  # commands that were looked at on the way, those that only change the folder included
    asked: list[frozenset[str]] = field(default_factory=list)  # the variables that each script takes from outside

    def mark(self) -> tuple[int, int, int]:
        """How far it has come: what is left, seen and asked."""
        return self.left, self.seen, len(self.asked)

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
