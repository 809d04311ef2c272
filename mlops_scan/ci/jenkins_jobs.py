"""The steps of a Jenkinsfile as jobs, one for each stage and a new one behind each approval."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_scan.ci.jenkins_model import Draft, Inside
from mlops_scan.ci.model import Step


class Jobs:
    """The jobs in the making.

    `held` tells that a person must approve what follows, `before` are the ids of the jobs that it waits for, `stage` is
    the stage that steps outside of any block belong to (`stage 'Test'` without a block).
    """

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.stage = ""
        self.held = False
        self.before: tuple[str, ...] = ()
        self.steps = 0

    def add(self, step: Step, inside: Inside) -> None:
        """Put a step into the job of its stage; a step behind an approval begins a new job."""
        self.steps += 1
        manual = self.held or inside.manual
        if not inside.stage:  # `stage 'Test'` without a block, or no stage at all
            inside = replace(inside, stage=self.stage or "pipeline", line=step.line, end_line=step.end_line)
        last = self.drafts[-1] if self.drafts else None
        same = last is not None and last.inside.stage == inside.stage and last.manual == manual
        if (
            last is None
            or not same
            or (last.inside.line != inside.line and inside.stage not in (self.stage, "pipeline"))
        ):
            label = inside.stage
            taken = {job.id for job in self.drafts}
            if label in taken:
                label = f"{label} after approval" if manual else f"{label} at line {step.line}"
            last = Draft(label, inside.line, max(inside.line, inside.end_line), inside, manual, self.before)
            self.drafts.append(last)
        last.steps.append(step)

    def since(self, known: int) -> tuple[str, ...]:
        """The ids of the jobs behind the first `known`."""
        return tuple(job.id for job in self.drafts[known:])
