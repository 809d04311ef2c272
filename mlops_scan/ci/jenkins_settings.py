"""What a Jenkinsfile declares beside its steps: triggers, parameters, variables, conditions and images of stages."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_scan.ci import jenkins_when
from mlops_scan.ci.jenkins_groovy import target
from mlops_scan.ci.jenkins_model import Inside
from mlops_scan.ci.jenkins_names import CLOCKS
from mlops_scan.ci.jenkins_values import text_of
from mlops_scan.ci.jenkins_when import strings, words
from mlops_scan.ci.model import Trigger
from mlops_scan.documents.groovy import Element, Statement
from mlops_scan.documents.groovy_calls import Call, calls


class Settings:
    """The settings seen so far; `unticked` are the boolean parameters that are false unless a person ticks them."""

    def __init__(self) -> None:
        self.triggers: list[Trigger] = []
        self.unticked: set[str] = set()
        self.values: dict[str, str] = {}

    def section(self, call: Call, inside: Inside) -> None:
        """Settings: triggers, parameters with their defaults, and the variables of `environment`."""
        for _, block in call.blocks:
            for statement in block.statements:
                if call.name == "triggers":
                    for inner in calls(statement):
                        self.clock(inner)
                elif call.name == "environment":
                    name = target(statement)
                    value = (
                        text_of(statement[2:], {**self.values, **inside.values})
                        if name and len(statement) == 3
                        else None
                    )
                    if value is not None:
                        self.values[name] = self.values[f"env.{name}"] = value.value
                elif call.name == "parameters":
                    self.parameters(statement)

    def parameters(self, statement: Statement) -> None:
        """The parameters that a statement declares: boxes that are not ticked, and texts by default."""
        for call in calls(statement):
            name = strings(call.get("name") or ())[:1]
            default = call.get("defaultValue")
            if call.name == "booleanParam" and name and words(default or ()) in ("false", ""):
                self.unticked.add(name[0])
            elif name and default is not None and len(default) == 1 and default[0].kind == "string":
                self.values[f"params.{name[0]}"] = default[0].text

    def clock(self, call: Call) -> None:
        """The trigger that a call declares; one without a time is none."""
        kind = CLOCKS.get(call.name)
        if kind is None:
            return
        written = [
            line.strip() for argument in call.arguments for text in strings(argument) for line in text.split("\n")
        ]
        given = [line for line in written if line and not line.startswith(("#", "TZ="))]
        if kind == "schedule":
            given = [line.partition("%")[0].strip() for line in given if len(line.split()) >= 5 or line.startswith("@")]
            if not given:
                return
        self.triggers.append(Trigger(kind, call.line, given[0] if given else call.name))

    def stage(self, block: Element, inside: Inside) -> Inside:
        """What encloses the steps of a stage: what its own `when` and `agent` say is added."""
        for statement in block.statements:
            for call in list(calls(statement))[:1]:
                if call.name == "when" and call.blocks:
                    when = jenkins_when.read(call.blocks[0][1], frozenset(self.unticked))
                    both = inside.kinds & when.kinds if inside.kinds is not None and when.kinds is not None else None
                    inside = replace(
                        inside,
                        never=inside.never or when.never,
                        manual=inside.manual or when.manual,
                        kinds=both if both is not None else when.kinds if when.kinds is not None else inside.kinds,
                        condition=when.text or inside.condition,
                        stage_never=inside.stage_never or when.never,
                        stage_condition=when.text or inside.stage_condition,
                        when_line=inside.at or when.line,
                    )
                elif call.name == "agent":
                    inside = replace(inside, image=image_of(call) or inside.image)
        return inside


def image_of(call: Call) -> str:
    """The container image of `agent { docker 'x' }` or `agent { docker { image 'x' } }`."""
    for _, block in call.blocks:
        for statement in block.statements:
            for inner in calls(statement):
                if inner.name != "docker":
                    continue
                if inner.arguments:
                    return next(iter(strings(inner.arguments[0])), "")
                for _, settings in inner.blocks:
                    for one in (c for s in settings.statements for c in calls(s) if c.name == "image"):
                        return next(iter(strings(one.arguments[0])), "") if one.arguments else ""
    return ""


def asks(block: Element) -> bool:
    """Whether a stage has an `input` directive, which holds it up before its steps."""
    return any(
        call.name == "input" and call.blocks for statement in block.statements for call in list(calls(statement))[:1]
    )
