"""What is known of a Jenkinsfile while it is walked: what encloses a statement, and the jobs in the making."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from mlops_scan.ci.model import Step


class Draft(Struct):
    """A job in the making. `kinds` are the kinds of triggers that its `when` leaves, None for all."""

    id: str
    line: int
    end_line: int
    inside: Inside
    manual: bool
    needs: tuple[str, ...]
    steps: list[Step] = field(default_factory=list)


class Inside(Struct, frozen=True):
    """What encloses a statement."""

    path: str
    stage: str = ""
    line: int = 1  # of the stage, in the pipeline's own file
    end_line: int = 1
    at: int = 0  # the line in the pipeline's own file from which another file was entered, 0 in its own
    folder: str = ""
    swallowed: str = ""
    never: str = ""
    manual: bool = False
    condition: str = ""
    stage_never: str = ""  # `never` and `condition` as far as the stage's own `when` gives them
    stage_condition: str = ""
    kinds: frozenset[str] | None = None
    when_line: int = 0
    image: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    called: tuple[str, ...] = ()
