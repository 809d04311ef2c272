"""The actions of an AWS CodePipeline as jobs, however the pipeline is declared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from mlops_scan.ci.model import Job, Step, Trigger
from mlops_scan.regex import regex

_SYNTH = regex(r"\bcdk\s+(synth|synthesize)\b")
_DEPLOYS = frozenset({"CloudFormation", "CloudFormationStackSet"})
_PREPARES = regex(r"DELETE|CHANGE_SET_REPLACE|Delete", re.I)


class Source(Struct, frozen=True):
    """Where a pipeline's sources come from: the trigger that a change is, and whether the action looks for it."""

    kind: str
    provider: str
    detects: bool
    branch: str = ""


class Action(Struct, frozen=True):
    """One action. `category` is Source, Build, Test, Deploy, Approval or Invoke; `steps` is what a build runs."""

    name: str
    line: int
    end_line: int
    category: str
    provider: str
    settings: Mapping[str, str] = field(default_factory=dict)
    order: int = 1
    source: Source | None = None
    steps: tuple[Step, ...] = ()


def pipeline_jobs(
    stages: Sequence[tuple[str, Sequence[Action]]], rules: Sequence[Trigger]
) -> tuple[tuple[Trigger, ...], tuple[Job, ...]]:
    """What starts a pipeline, and its actions as jobs; `rules` are event rules that start it."""
    triggers = [
        Trigger(action.source.kind, action.line, action.source.branch or action.source.provider)
        for _, actions in stages
        for action in actions
        if action.source is not None and action.source.detects
    ]
    triggers += rules
    first = stages[0][1][0].line if stages and stages[0][1] else 1
    if not triggers:
        triggers = [Trigger("server", first, "no source action looks for changes and no rule here starts it")]
    jobs: list[Job] = []
    before: tuple[str, ...] = ()
    approval, asked, synthesized = "", 0, ""
    for stage, actions in stages:
        ordered = sorted(actions, key=lambda action: action.order)
        own: list[str] = []
        for action in ordered:
            if action.category == "Approval":
                approval, asked = f"approval `{action.name}`", action.line
                continue
            if action.source is not None:
                continue
            job = replace(_job(stage, action, before, approval, synthesized), approval_line=asked)
            synthesized = next((s.folder or "." for s in job.steps if _SYNTH.search(s.script)), synthesized)
            own.append(job.id)
            jobs.append(job)
        before = tuple(own) or before
    return tuple(dict.fromkeys(triggers)), tuple(jobs)


def _job(stage: str, action: Action, needs: tuple[str, ...], approval: str, synthesized: str) -> Job:
    steps = action.steps
    if not steps and action.provider != "CodeBuild":
        steps = (_step(action, synthesized),)
    return Job(
        id=f"{stage}/{action.name}",
        line=action.line,
        end_line=max(action.line, action.end_line),
        steps=steps,
        needs=needs,
        environment=stage if action.category == "Deploy" else "",
        approval=approval,
    )


def _step(action: Action, synthesized: str) -> Step:
    """An action as a step; one that deploys a template or starts a state machine as the command that does the same."""
    script, folder = "", ""
    if action.provider in _DEPLOYS and not _PREPARES.search(action.settings.get("ActionMode", "")):
        template = action.settings.get("TemplatePath", "").rpartition("::")[2]
        if synthesized:
            script, folder = "cdk deploy", "" if synthesized == "." else synthesized
        elif template:
            script = f"aws cloudformation deploy --template-file {shlex.quote(template)}"
    elif action.provider == "StepFunctions" and (machine := action.settings.get("StateMachineArn", "")):
        script = f"aws stepfunctions start-execution --state-machine-arn '{machine}'" if "'" not in machine else ""
    return Step(
        line=action.line,
        end_line=max(action.line, action.end_line),
        name=action.name,
        script=script,
        script_line=action.line,
        uses="" if script else f"codepipeline/{action.provider}",
        inputs=action.settings,
        folder=folder,
    )
