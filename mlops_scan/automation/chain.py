"""The way from a start to a command, as it grows while commands are followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.automation.model import Start
from mlops_scan.words import Evidence

MAX_HOPS = 7
MAX_OF_SCRIPT = 3_000
"""Commands that one inline script may lead to."""
TOO_LONG = "the chain is longer than is followed"
"""Why what stands behind `MAX_HOPS` hops is unresolved."""


class Mark(NamedTuple):
    """How far a budget had come when a script was entered."""

    left: int
    seen: int
    asked: int
    tested: int
    deepest: int


class Budget(Struct):
    """How many commands may still be followed; shared by all that one inline script leads to."""

    left: int = MAX_OF_SCRIPT
    seen: int = 0  # commands that were looked at on the way, those that only change the folder included
    asked: list[frozenset[str]] = field(default_factory=list)  # the variables that each script takes from outside
    tested: list[str] = field(default_factory=list)  # what was asked to be among the `seen` of a chain
    deepest: int = 0  # the most hops of a chain of which it was asked whether they are too many

    def mark(self, hops: int) -> Mark:
        """How far it has come where a script is entered after some hops; `deepest` starts again from there."""
        mark = Mark(self.left, self.seen, len(self.asked), len(self.tested), self.deepest)
        self.deepest = hops
        return mark

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
    astray: bool = False  # the working folder is not known, nor then what is missing

    @property
    def knows_files(self) -> bool:
        """Whether a file that a command names and that the repository lacks can be called missing."""
        return not (self.inside_image or self.astray)

    def entered(self, key: str) -> bool:
        """Whether what `key` names was entered on the way; what is remembered of a script rests on the answer."""
        self.budget.tested.append(key)
        return key in self.seen

    def too_long(self) -> bool:
        """Whether a chain of so many hops is not followed; what is remembered of a script rests on the answer."""
        if self.hops > self.budget.deepest:
            self.budget.deepest = self.hops
        return self.hops >= MAX_HOPS

    def at(self, folder: str, swallowed: str, astray: bool) -> Chain:
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
            astray,
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
