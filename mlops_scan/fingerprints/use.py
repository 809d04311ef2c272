"""The use of a tool at one place, what matching finds."""

from __future__ import annotations

from msgspec import Struct

from mlops_scan.rulebook import Signature
from mlops_scan.words import Confidence, Grade, Location


class Use(Struct, frozen=True):
    """One place where a tool is used, with the practices it serves and the activities it performs there."""

    tool: str
    name: str  # what matched: the call, the command, the key path
    location: Location
    scope: str
    serves: tuple[str, ...]
    does: tuple[str, ...]
    grade: Grade
    confidence: Confidence
    note: str


def use_of(tool: str, signature: Signature, name: str, location: Location, scope: str) -> Use:
    """The use that a signature of a tool claims; `name` is what matched."""
    return Use(
        tool=tool,
        name=name,
        location=location,
        scope=scope,
        serves=signature.serves,
        does=signature.does,
        grade=signature.grade,
        confidence=signature.confidence,
        note=signature.note,
    )
