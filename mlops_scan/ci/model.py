"""CI/CD definitions in provider-neutral form: workflow → triggers → jobs → steps, each with its lines."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

ON_CHANGE = frozenset({"push", "pull_request", "merge_queue"})
"""Triggers that a change of the repository fires by itself."""

AUTOMATIC = ON_CHANGE | {"tag", "release", "schedule", "chained", "external"}
"""Triggers that need no person at the moment they fire."""


class Trigger(Struct, frozen=True):
    """What starts a workflow.

    `kind` is push, pull_request, merge_queue, tag, release, schedule, manual, chained, external, called (by another
    workflow), server (only settings of the CI server or the cloud project say), never (`detail` says why) or other.
    """

    kind: str
    line: int
    detail: str = ""  # a cron expression, branch names, the workflow that must have run
    assumed: bool = False  # the usual setting of a server, which the file cannot show
    paths: tuple[str, ...] = ()  # patterns of the files of which one must have changed; empty for any


class Step(Struct, frozen=True):
    """One step: a shell text, or an action used.

    `errexit` says whether the shell stops at the first failing command, `pipefail` whether a failing part fails a pipe.
    `path` is the file that `script_line` counts in where that is not the workflow's own. `triggers` are the kinds of
    triggers that the step is limited to, None for no limit. `env` are variables with constant values that it sees.
    """

    line: int
    end_line: int
    name: str = ""
    script: str = ""
    script_line: int = 0  # line of the script's first line
    uses: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    may_fail: str = ""  # why a failure of this step stops nothing, or empty
    never: str = ""  # why the step never runs (`if: false`), or empty
    folder: str = ""  # working directory, relative to the repository
    errexit: bool = True
    pipefail: bool = False
    path: str = ""
    triggers: frozenset[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)


class Job(Struct, frozen=True):
    """One job. `triggers` limits the workflow's triggers where the provider decides that by job; None: all of them."""

    id: str
    line: int
    end_line: int
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    condition: str = ""
    environment: str = ""
    may_fail: str = ""
    manual: bool = False  # a person must press a button for this job
    never: str = ""  # why the job can never start (`if: false`), or empty
    uses: str = ""  # a reusable workflow called as the job's body
    inputs: Mapping[str, str] = field(default_factory=dict)  # what that workflow is given
    image: str = ""
    triggers: tuple[Trigger, ...] | None = None
    approval: str = ""  # what asks a person, in the course of the pipeline, before this job runs; or empty
    approval_line: int = 0  # where it asks, in the workflow's file
    runner: str = ""  # the labels of the machine that it asks for, where the provider's file has them
    environment_line: int = 0  # where it names its environment, in the workflow's file
    unnamed: bool = False  # the file gives it no name: `id` is one that stands for it


class Workflow(Struct, frozen=True):
    """One CI/CD definition that the provider loads; `unloaded` gives the reason where it does not.

    `unknown` says why what it runs, or a part of that, cannot be told from files (a shared library, a configuration
    that a program makes); empty where everything is there.
    """

    path: str
    provider: str
    line: int
    name: str
    triggers: tuple[Trigger, ...]
    jobs: tuple[Job, ...]
    unloaded: str = ""
    unknown: str = ""
    includes: tuple[str, ...] = ()  # other files of the repository that are filled in where it names them
    defaults: Mapping[str, str] = field(default_factory=dict)  # of the inputs that another workflow may give it

    def triggers_of(self, job: Job) -> tuple[Trigger, ...]:
        """What starts a job."""
        return self.triggers if job.triggers is None else job.triggers
